"""The PostgreSQL that comes with Laurel: who shares it, when it ends, what it survives, whom it lets in."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from app.db import cluster, embedded
from app.db.cluster import APP, DATABASE, OWNER, SUPERUSER, Cluster, EmbeddedError

PROJECT = Path(__file__).resolve().parents[2]

# Starts, says so, and stays until its standard input ends or a signal comes. Signals are as a terminal leaves them:
# under nohup, or in the background of a script, some are ignored, and whoever runs the tests there passes that on.
USER_PROCESS = """
import signal, sys
from pathlib import Path
from app.db import embedded

signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
share = embedded.start(Path(sys.argv[1]), durable=False)
print(share.owner_url, flush=True)
sys.stdin.read()
"""

# The same, but a forked child of it ends first, as a web server's worker process does.
FORKING_PROCESS = (
    USER_PROCESS
    + """
import os
if os.fork() == 0:
    share.release()
    os._exit(0)
os.wait()
print("child gone", flush=True)
import psycopg
psycopg.connect(share.owner_url).close()
print("still there", flush=True)
"""
)


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that the server's account can reach also when root runs the tests; pytest's own it could not."""
    made = Path(tempfile.mkdtemp(prefix="laurel-test-"))
    made.chmod(0o755)
    yield made
    for data in made.rglob("postgres/data"):
        Cluster(data.parent).stop()
    shutil.rmtree(made)


@pytest.fixture
def fresh() -> Iterator[Path]:
    """A `var` that nothing has used."""
    with folder() as made:
        yield made


@pytest.fixture(scope="module")
def made_before() -> Iterator[Path]:
    with folder() as made:
        start(made).release()
        yield made


@pytest.fixture
def var(fresh: Path, made_before: Path) -> Path:
    """A `var` whose cluster is made and at rest; a copy, since making one takes a second."""
    subprocess.run(["cp", "-a", f"{made_before}/postgres", fresh], check=True)
    return fresh


def start(var: Path) -> embedded.Embedded:
    return embedded.start(var, durable=False)


def runs(var: Path) -> bool:
    return bool(Cluster(var / "postgres")._processes())


def postmaster(var: Path) -> int:
    return int((var / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


def run(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def spawn(var: Path, script: str = USER_PROCESS) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script, str(var)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
    )


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def ended(process: "subprocess.Popen[str]") -> int:
    with process:
        assert process.stdin is not None
        process.stdin.close()
        return process.wait(timeout=60)


# --- starting and stopping -----------------------------------------------------------------------------------


def test_a_start_gives_two_roles_of_which_the_app_owns_nothing(fresh: Path) -> None:
    with start(fresh) as database:
        rights = "SELECT current_user, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles"
        for url, role in ((database.app_url, APP), (database.owner_url, OWNER)):
            assert run(url, f"{rights} WHERE rolname = current_user") == [(role, False, False, False, False)]
        run(database.owner_url, "CREATE TABLE entries (points bigint)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            run(database.app_url, "CREATE TABLE mine (points bigint)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            run(database.app_url, "SELECT * FROM entries")
        assert run(database.app_url, "SELECT current_setting('TimeZone')") == [("UTC",)]


def test_sqlalchemy_takes_the_same_address(var: Path) -> None:
    with start(var) as database:
        engine = create_engine(database.app_url)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT current_database()")).scalar_one() == DATABASE
        engine.dispose()


def test_data_are_safe_from_power_cuts_unless_a_test_says_otherwise(var: Path) -> None:
    with embedded.start(var) as database:
        assert run(database.app_url, "SELECT current_setting('fsync')") == [("on",)]
    with embedded.start(var, durable=False) as database:
        assert run(database.app_url, "SELECT current_setting('fsync')") == [("off",)]


def test_data_and_passwords_outlive_a_restart(var: Path) -> None:
    with start(var) as database:
        first = database.owner_url
        run(first, "CREATE TABLE kept AS SELECT 7 AS n")
    assert not runs(var)
    with start(var) as database:
        assert database.owner_url == first
        assert run(database.owner_url, "SELECT n FROM kept") == [(7,)]


def test_the_last_to_leave_stops_it(var: Path) -> None:
    first, second = start(var), start(var)
    first.release()
    first.release()  # leaving twice is leaving once
    assert run(second.app_url, "SELECT 1") == [(1,)]
    second.release()
    assert not runs(var)


def test_processes_that_start_at_once_share_one_server(fresh: Path) -> None:
    processes = [spawn(fresh) for _ in range(4)]
    assert len({first_line(process) for process in processes}) == 1
    assert [ended(process) for process in processes] == [0, 0, 0, 0]
    assert not runs(fresh)


def test_a_forked_child_leaves_it_to_its_parent(var: Path) -> None:
    process = spawn(var, FORKING_PROCESS)
    url = first_line(process)
    assert process.stdin is not None
    process.stdin.close()
    assert [first_line(process), first_line(process)] == ["child gone", "still there"]
    assert process.wait(timeout=60) == 0
    process.stdout.close()  # type: ignore[union-attr]
    assert not runs(var)
    assert url.startswith("postgresql://")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, -signal.SIGINT)]
)
def test_a_signal_that_ends_the_last_user_ends_the_server(
    var: Path, number: signal.Signals, code: int
) -> None:
    process = spawn(var)
    first_line(process)
    process.send_signal(number)
    assert process.wait(timeout=60) == code
    ended(process)
    assert not runs(var)


def test_a_signal_handler_that_is_there_stays(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        start(var).release()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


# --- what it survives ----------------------------------------------------------------------------------------


def test_a_killed_user_leaves_it_running_and_the_next_takes_over(var: Path) -> None:
    process = spawn(var)
    run(first_line(process), "CREATE TABLE kept AS SELECT 7 AS n")
    process.kill()
    process.wait(timeout=60)
    ended(process)
    before = postmaster(var)
    with start(var) as database:
        assert postmaster(var) == before
        assert run(database.owner_url, "SELECT n FROM kept") == [(7,)]
    assert not runs(var)


def test_a_killed_server_starts_again_with_what_was_committed(var: Path) -> None:
    killed = embedded.start(var)
    run(killed.owner_url, "CREATE TABLE kept AS SELECT 7 AS n")
    os.kill(postmaster(var), signal.SIGKILL)
    with start(var) as database:
        assert run(database.owner_url, "SELECT n FROM kept") == [(7,)]
    assert runs(var)  # the first one still has its share
    killed.release()
    assert not runs(var)


def test_a_pid_file_whose_number_now_is_another_process_does_not_keep_it_down(var: Path) -> None:
    start(var).release()
    pid_file = var / "postgres" / "data" / "postmaster.pid"
    pid_file.write_text(f"{os.getppid()}\n{var}\n1\n5432\n{var}\n\n1 1\nready\n")
    with start(var) as database:
        assert run(database.app_url, "SELECT 1") == [(1,)]


def test_a_start_that_was_cut_off_is_done_again(fresh: Path) -> None:
    half_made = fresh / "postgres" / "data.new"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    with start(fresh) as database:
        assert run(database.app_url, "SELECT 1") == [(1,)]


def test_a_start_that_fails_leaves_no_server_and_says_why(var: Path) -> None:
    start(var).release()
    with (var / "postgres" / "data" / "postgresql.conf").open("a") as conf:
        conf.write("shared_buffers = 'a lot'\n")
    with pytest.raises(EmbeddedError, match="shared_buffers"):
        start(var)
    assert not runs(var)


@pytest.mark.parametrize("running", [False, True])
def test_lost_passwords_are_made_anew_for_whoever_owns_the_files(var: Path, running: bool) -> None:
    share = start(var)
    run(share.owner_url, "CREATE TABLE kept AS SELECT 7 AS n")
    before = share.owner_url
    with ExitStack() as stack:
        stack.callback(share.release)
        if not running:
            share.release()
        (var / "postgres" / "passwords.json").unlink()
        with start(var) as database:
            assert database.owner_url != before
            assert run(database.owner_url, "SELECT n FROM kept") == [(7,)]
            assert run(database.app_url, "SELECT 1") == [(1,)]


def test_the_environment_of_the_caller_does_not_lead_it_astray(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGPORT": "1", "PGDATA": "/nowhere", "PGUSER": "nobody", "PGHOST": "nowhere"}.items():
        monkeypatch.setenv(name, value)
    with start(var) as database:
        assert run(database.app_url, "SELECT current_user") == [(APP,)]


# --- whom it lets in -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [SUPERUSER, OWNER, APP])
def test_nobody_gets_in_with_a_wrong_password_or_none(var: Path, role: str) -> None:
    with start(var) as database:
        right = database.url(role, "postgres")
        password = right.split(":")[2].split("@")[0]
        assert run(right, "SELECT current_user") == [(role,)]
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            run(right.replace(password, "wrong"), "SELECT 1")
        with pytest.raises(psycopg.OperationalError, match="no password supplied"):
            run(right.replace(f":{password}", ""), "SELECT 1")


def test_passwords_lie_beside_the_data_for_their_owner_only_and_in_no_log(var: Path) -> None:
    with start(var) as database:
        home = var / "postgres"
        assert stat.S_IMODE((home / "passwords.json").stat().st_mode) == 0o600
        assert stat.S_IMODE((home / "data").stat().st_mode) == 0o700
        with pytest.raises(psycopg.errors.SyntaxError):
            run(database.app_url, "SELECT a secret of a shop")
        logs = "".join(log.read_text() for log in [home / "data/start.log", *(home / "data/log").iterdir()])
        secrets = [database.url(role).split(":")[2].split("@")[0] for role in (SUPERUSER, OWNER, APP)]
        assert not [word for word in [*secrets, "secret of a shop"] if word in logs]


def test_it_listens_on_no_network_port(var: Path) -> None:
    with start(var) as database:
        assert run(database.app_url, "SELECT current_setting('listen_addresses')") == [("",)]


def test_the_app_may_not_enter_other_databases_of_the_owner(var: Path) -> None:
    with start(var) as database:
        public = "SELECT has_database_privilege('public', 'laurel', 'CONNECT')"
        assert run(database.url(SUPERUSER), public) == [(False,)]


# --- where it lies -------------------------------------------------------------------------------------------


def test_closed_folders_stay_closed(fresh: Path) -> None:
    """The server runs as another user where root starts it: then it says that it cannot pass, and opens nothing."""
    closed = fresh / "closed"
    closed.mkdir(mode=0o700)
    if os.geteuid() == 0:
        with pytest.raises(
            EmbeddedError, match=f"cannot pass the folder {closed}: choose another LAUREL_VAR"
        ):
            start(closed)
    else:
        start(closed).release()
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_programs_in_a_closed_folder_are_run_all_the_same(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = var / "environment"
    shutil.copytree(cluster.programs_dir().parent, closed / "pginstall18", symlinks=True)
    closed.chmod(0o700)
    monkeypatch.setattr(cluster, "programs_dir", lambda: closed / "pginstall18" / "bin")
    with start(var) as database:
        assert run(database.app_url, "SELECT 1") == [(1,)]
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_a_strict_umask_does_not_shut_the_server_out(fresh: Path) -> None:
    before = os.umask(0o077)
    try:
        start(fresh / "of" / "ours").release()
    finally:
        os.umask(before)


@pytest.mark.parametrize("name", ["an 'odd' name, ü", "long" * 30])
def test_any_folder_will_do(fresh: Path, name: str) -> None:
    with start(fresh / name) as database:
        assert run(database.app_url, "SELECT 1") == [(1,)]
        with start(fresh / name) as again:
            assert again.app_url == database.app_url


@pytest.mark.parametrize("name", ["$HOME", 'a"b', "a`id`b"])
def test_a_folder_that_a_shell_would_read_is_refused(fresh: Path, name: str) -> None:
    with pytest.raises(EmbeddedError, match="set LAUREL_VAR"):
        start(fresh / name)


def test_a_socket_folder_that_somebody_else_made_is_refused(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(fresh))
    with start(fresh / ("long" * 30)):
        (made,) = fresh.glob("laurel-*")
    assert not made.exists()
    made.mkdir()
    made.chmod(0o777)
    with pytest.raises(EmbeddedError, match="not ours alone"):
        start(fresh / ("long" * 30))


def test_a_platform_without_the_wheel_is_told_about_database_url(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(cluster, "find_spec", lambda name: None)
        with pytest.raises(EmbeddedError, match="set DATABASE_URL=postgresql://"):
            start(fresh)


@pytest.mark.parametrize("name", ["psql", "pg_dump", "pg_restore", "pgbench", "pg_isready"])
def test_the_tools_come_along(name: str) -> None:
    done = subprocess.run([embedded.tool(name), "--version"], capture_output=True, text=True, check=True)
    assert "(PostgreSQL) 18" in done.stdout


def test_the_socket_is_for_its_owner_only(var: Path) -> None:
    with start(var):
        path = var / "postgres/data/.s.PGSQL.5432"
        assert path.is_socket()
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
