"""Where it happens: a durable PostgreSQL, a stand-in shop over real HTTP, a web server and two workers."""

import base64
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import httpx

from app import bootstrap
from app.bootstrap import DatabaseUrls
from app.db import embedded
from app.db.embedded import Embedded
from app.db.migrating import migrate
from app.services.runtime import Runtime
from app.settings import Settings
from sandbox.demo.world import Stand, connect_woo, make_program, make_settings, make_woo, set_up
from sandbox.serve import Served
from sandbox.woocommerce.app import create_app as woo_app
from tests.processes.wire import Wire

PROJECT = Path(__file__).resolve().parents[2]
WORKERS = ("worker 1", "worker 2")
_PATIENCE_S = 90.0


@dataclass(slots=True)
class Ground:
    home: Path
    wire: Wire
    port: int
    key: bytes
    server: Embedded
    environ: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

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
                cwd=PROJECT,
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
        pid = int((self.home / "postgres/data/postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        _until(lambda: not _lives(pid), "PostgreSQL did not stop")
        self.server.release()
        self.server = embedded.start(self.home)
        self.wire.server = _socket_folder(self.server)

    def await_web(self) -> None:
        def answers() -> bool:
            try:
                return httpx.get(f"{self.address}/healthz", timeout=2).status_code == 200
            except httpx.HTTPError:
                return False

        _until(answers, "the web server does not answer")


@contextmanager
def broken_ground(home: Path) -> Iterator[tuple[Ground, int, Stand]]:
    """Ground, program and shop; everything runs. Nothing of it is left afterwards but the logs in `home`."""
    with ExitStack() as stack:
        server = embedded.start(home)
        wire = Wire(home / "wire")
        stack.callback(wire.close)
        wire.server = _socket_folder(server)
        ground = Ground(home, wire, _free_port(), secrets.token_bytes(32), server)
        stack.callback(lambda: ground.server.release())
        migrate(server.owner_url, server.app_url)
        ground.environ = {
            "PATH": os.defpath,
            "DATABASE_URL": _through(server.app_url, wire),
            "DATABASE_OWNER_URL": _through(server.owner_url, wire),
            "PUBLIC_URL": ground.address,
            "PORT": str(ground.port),
            "LAUREL_KEYS": base64.b64encode(ground.key).decode(),
            "LAUREL_VAR": str(home),
        }
        port = _free_port()
        store = make_woo(bootstrap.clock, httpx.Client(), url=f"http://127.0.0.1:{port}")
        stack.enter_context(Served(woo_app(store), port=port))
        rt = ground.runtime()
        program_id = make_program(rt)
        stand = connect_woo(rt, program_id, store, counts_from=bootstrap.clock() - timedelta(days=1))
        set_up(rt, program_id, stand)
        rt.db.close()
        stack.callback(ground.stop)
        for name in ("web", *WORKERS):
            ground.begin(name)
        ground.await_web()
        yield ground, program_id, stand


def _through(url: str, wire: Wire) -> str:
    before, _, after = url.partition("host=")
    _, _, rest = after.partition("&")
    return f"{before}host={quote(str(wire.folder), safe='')}&{rest}"


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
