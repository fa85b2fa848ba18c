"""Where it happens: a durable PostgreSQL, a stand-in shop over real HTTP, a web server and two workers."""

import base64
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg

from app import bootstrap
from app.bootstrap import DatabaseUrls
from app.db import embedded
from app.db.embedded import Embedded
from app.db.migrating import known_revisions, migrate
from app.services.create_program import create_program
from app.services.runtime import Runtime
from app.settings import Settings
from bench.restoring import fill
from sandbox.demo.world import Stand, connect_woo, make_program, make_settings, make_woo, set_up
from sandbox.serve import Served
from sandbox.woocommerce.app import create_app as woo_app
from tests.processes.road import Road
from tests.processes.wire import Way, Wire

PROJECT = Path(__file__).resolve().parents[2]
WORKERS = ("worker 1", "worker 2")
UPDATED = ("web", "worker 2")  # the other one goes on with the older version's code
_PATIENCE_S = 90.0


_DISK = "420m"  # the server takes some 60 MB, its log up to 300 more


@dataclass(frozen=True, slots=True)
class Rough:
    """What a storm may do beyond what needs nothing: see `python -m tests.processes --help`."""

    network: bool = False
    disk: bool = False
    clock: bool = False
    older: Path | None = None  # a checkout of the version before the newest migration
    entries: int = 0  # that another program has already


CALM = Rough()


@dataclass(slots=True)
class Ground:
    home: Path
    wire: Way
    port: int
    key: bytes
    server: Embedded
    environ: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ahead: timedelta = timedelta(0)  # the processes' clock
    older: Path | None = None  # where the code of the older version lies
    newest: bool = True  # what the database is migrated to, and what is updated runs
    migrations: list[float] = field(default_factory=list)  # seconds that each took

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self) -> Settings:
        return make_settings(self.home, self.address, keys=(self.key,))

    def runtime(self, *, later: timedelta = timedelta(0)) -> Runtime:
        """Of the one who looks on, by a clock that is so much ahead. By the server's own socket, past the wire."""
        urls = DatabaseUrls(self.server.app_url, self.server.owner_url, None)
        return bootstrap.build(self.settings(), urls=urls, now=lambda: bootstrap.clock() + later, pool_size=4)

    # --- Processes -------------------------------------------------------------------------------------------

    def begin(self, name: str) -> None:
        command = ["serve", "--workers", "1", "--host", "127.0.0.1"] if name == "web" else ["worker"]
        with (self.home / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-c", "from app.cli import main; main()", *command],
                cwd=PROJECT if self.older is None or (self.newest and name in UPDATED) else self.older,
                env=self.environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """The process and its children, at once; it is begun again as a supervisor would."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)
        self.begin(name)

    def stop(self) -> None:
        for process in self.processes.values():
            os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(20)
        self.processes.clear()

    # --- The database ----------------------------------------------------------------------------------------

    def crash(self) -> None:
        """PostgreSQL goes down as `pg_ctl stop -m immediate` has it: no checkpoint, no farewell. Then it is up again."""
        pid = self._postmaster()
        os.kill(pid, signal.SIGQUIT)
        _until(lambda: not _lives(pid), "PostgreSQL did not stop")
        self._start_again()

    def migrate(self) -> None:
        """As a merchant updates, or goes back: tables before code on the way there, code first on the way back."""
        forward = not self.newest
        if not forward:
            self._put_on(newest=False)
        began = time.perf_counter()
        self.migrate_to("head" if forward else _revision_before())
        self.migrations.append(time.perf_counter() - began)
        if forward:
            self._put_on(newest=True)

    def migrate_to(self, revision: str) -> None:
        """The tables alone; who works with them is not asked."""
        migrate(self.server.owner_url, self.server.app_url, to=revision)

    def _put_on(self, *, newest: bool) -> None:
        self.newest = newest
        for name in UPDATED:
            self.kill(name)

    def fill_disk(self) -> None:
        """Not a byte is left where the database and the processes' logs are."""
        with (self.home / "filler").open("wb", buffering=0) as filler, suppress(OSError):
            while True:
                filler.write(bytes(1 << 16))

    def empty_disk(self) -> None:
        """Room again; a PostgreSQL that gave up meanwhile is begun anew, as a supervisor would."""
        (self.home / "filler").unlink()
        if not self._serves():
            self._start_again()

    def turn_clock(self, seconds: int) -> None:
        """The wall clock of Laurel's processes jumps to so far from the true one; PostgreSQL's stays."""
        part = self.home / "clock.new"
        part.write_text(f"{seconds:+d}")
        part.replace(self.home / "clock")
        self.ahead = timedelta(seconds=seconds)

    def _postmaster(self) -> int:
        return int((self.home / "postgres/data/postmaster.pid").read_text().split()[0])

    def _serves(self) -> bool:
        try:
            with psycopg.connect(self.server.app_url, connect_timeout=5):
                return True
        except (psycopg.OperationalError, FileNotFoundError):  # the postmaster takes its file along
            return False

    def _start_again(self) -> None:
        self.server.release()
        self.server = embedded.start(self.home)
        self.wire.lead(_socket_folder(self.server))

    def await_web(self) -> None:
        def answers() -> bool:
            try:
                return httpx.get(f"{self.address}/healthz", timeout=2).status_code == 200
            except httpx.HTTPError:
                return False

        _until(answers, "the web server does not answer")


@contextmanager
def broken_ground(home: Path, rough: Rough = CALM) -> Iterator[tuple[Ground, int, Stand]]:
    """Ground, program and shop; everything runs. Nothing of it is left afterwards but the logs in `home`."""
    with ExitStack() as stack:
        if rough.disk:
            _mount(home)
            stack.callback(_unmount, home)
        server = embedded.start(home)
        wire: Way = Road(home) if rough.network else Wire.in_folder(home / "wire")
        stack.callback(wire.close)
        wire.lead(_socket_folder(server))
        ground = Ground(home, wire, _free_port(), secrets.token_bytes(32), server)
        stack.callback(lambda: ground.server.release())
        migrate(server.owner_url, server.app_url)
        ground.environ = {
            "PATH": os.defpath,
            "DATABASE_URL": wire.through(server.app_url),
            "DATABASE_OWNER_URL": wire.through(server.owner_url),
            "PUBLIC_URL": ground.address,
            "PORT": str(ground.port),
            "LAUREL_KEYS": base64.b64encode(ground.key).decode(),
            "LAUREL_VAR": str(home),
            **(turned_clock(home) if rough.clock else {}),
        }
        port = _free_port()
        store = make_woo(bootstrap.clock, httpx.Client(), url=f"http://127.0.0.1:{port}")
        stack.enter_context(Served(woo_app(store), port=port))
        rt = ground.runtime()
        program_id = make_program(rt)
        stand = connect_woo(rt, program_id, store, counts_from=bootstrap.clock() - timedelta(days=1))
        set_up(rt, program_id, stand)
        if rough.entries:
            other = create_program(rt, "long-there", name="Long there", currency="USD", timezone="UTC")
            fill(server.url(embedded.SUPERUSER), other, rough.entries, rt.now())
        rt.db.close()
        if rough.older:
            # Our own code has made all this, and knows the newest tables only.
            ground.older, ground.newest = rough.older, False
            ground.migrate_to(_revision_before())
        stack.callback(ground.stop)
        for name in ("web", *WORKERS):
            ground.begin(name)
        ground.await_web()
        yield ground, program_id, stand


def _revision_before() -> str:
    """The one before the newest."""
    return known_revisions()[-2]


def _mount(home: Path) -> None:
    home.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_DISK},mode=0755", "tmpfs", str(home)], check=True)


def _unmount(home: Path) -> None:
    """The disk goes; what the processes wrote there stays, for whoever has to find out."""
    kept = home.with_name(f"{home.name}-logs")
    kept.mkdir()
    for log in home.glob("*.log"):
        shutil.copy(log, kept)
    subprocess.run(["umount", "--lazy", str(home)], check=True)


def turned_clock(home: Path) -> dict[str, str]:
    """What makes a process ask a file how far its clock is from the true one; needs a C compiler."""
    library = home / "clock.so"
    source = Path(__file__).with_name("clock.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(source)], check=True)
    (home / "clock").write_text("+0")
    return {"LD_PRELOAD": str(library), "LAUREL_TEST_CLOCK": str(home / "clock")}


def _socket_folder(server: Embedded) -> Path:
    return Path(parse_qs(urlsplit(server.app_url).query)["host"][0])


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _until(done: Callable[[], bool], otherwise: str) -> None:
    pause = threading.Event()
    for _ in range(int(_PATIENCE_S / 0.1)):
        if done():
            return
        pause.wait(0.1)
    raise TimeoutError(otherwise)
