"""The PostgreSQL that comes with Laurel, for whoever sets no DATABASE_URL. Nothing else is needed to use it:

    with embedded.start(settings.var) as database:
        engine = create_engine(database.app_url)      # or psycopg.connect(database.app_url)

The first user makes and starts it, later ones share it, the last to leave stops it cleanly: at the end of the
`with`, by `release()`, at exit, or on SIGTERM, SIGHUP and Ctrl-C. Whoever is killed leaves it running, and the
next start takes over. Every user holds a shared lock on `users.lock`, which the system lets go of whatever
happens; starting and stopping take turns on `turn.lock`.

    var/postgres/data/             the cluster; its log is in data/log
    var/postgres/passwords.json    passwords of postgres, laurel_owner and laurel_app, for the file's owner only
"""

import atexit
import fcntl
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from app.db import cluster
from app.db.cluster import APP, DATABASE, OWNER, SUPERUSER, Cluster, EmbeddedError

__all__ = ["APP", "DATABASE", "OWNER", "SUPERUSER", "Embedded", "EmbeddedError", "start", "tool"]


class Embedded:
    """A share in the running server; `start` makes one."""

    def __init__(self, running: Cluster, users: int) -> None:
        self._cluster = running
        self._users = users
        self._process = os.getpid()
        self._released = False

    @property
    def app_url(self) -> str:
        """The app's role, which owns nothing; psycopg and SQLAlchemy both take it."""
        return self.url(APP)

    @property
    def owner_url(self) -> str:
        """The role that owns the database and migrates it."""
        return self.url(OWNER)

    def url(self, role: str, database: str = DATABASE) -> str:
        """Any other way in; `url(SUPERUSER, "postgres")` is for tests and repairs."""
        return self._cluster.url(role, database)

    def release(self) -> None:
        """Leave; the last to leave stops the server. Again, or in a forked child, it does nothing."""
        if self._released or self._process != os.getpid():
            return
        self._released = True
        atexit.unregister(self.release)
        _leave(self._cluster, self._users)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def start(var: Path, *, durable: bool = True) -> Embedded:
    """Use the server whose data lie under `var`, made, started or taken over as needed.

    `durable=False` is for tests: faster, and a power cut loses everything. It counts for whoever starts the
    server, not for one who joins it.
    Raises: EmbeddedError, whose text says what to do.
    """
    running = Cluster(var.resolve() / "postgres", durable=durable)
    with _turn(running):
        users = os.open(running.home / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            running.ensure_running()
        except BaseException:
            _leave_in_turn(running, users)
            raise
    share = Embedded(running, users)
    atexit.register(share.release)
    _exit_on_signals()
    return share


def tool(name: str) -> Path:
    """One of PostgreSQL's own programs from the wheel: pg_dump, pg_restore, psql, pgbench, pg_isready and more."""
    return cluster.programs_dir() / name


@contextmanager
def _turn(running: Cluster) -> Iterator[None]:
    """Only one process at a time starts or stops the server."""
    turn = os.open(running.home / "turn.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield
    finally:
        os.close(turn)


def _leave(running: Cluster, users: int) -> None:
    with _turn(running):
        _leave_in_turn(running, users)


def _leave_in_turn(running: Cluster, users: int) -> None:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # somebody else still uses it
    else:
        running.stop()
    finally:
        os.close(users)


def _exit_on_signals() -> None:
    """Turn signals that would end the process on the spot into an ordinary exit, which leaves the server.

    A handler that is there already stays: a web server's own ends in an ordinary exit as well.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _exit)


def _exit(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
