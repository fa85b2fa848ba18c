"""The bell between the web processes and the drain: “something came in”. It saves waiting, and proves nothing.

A ring that is lost costs a second: the drain also looks by itself.
"""

import contextlib
import threading

import psycopg
import structlog

from app.db.session import noticing

CHANNEL = "laurel_inbox"
_QUIET_S = 0.05  # at most one ring in this time, however many deliveries came
_RECONNECT_S = 5.0

log = structlog.get_logger()


class Bell:
    """Rings from a thread and a connection of its own, so that whoever calls it never waits."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._wanted = threading.Event()
        self._closed = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def __call__(self) -> None:
        if self._thread is None:
            self._start()
        self._wanted.set()

    def close(self) -> None:
        self._closed.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _start(self) -> None:
        # With the first delivery, not before: a server that forks its workers has done so by then.
        with self._starting:
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._run, name="laurel-bell", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True, **noticing(self._url)) as connection:
                    self._ring(connection)
            except psycopg.Error as error:
                log.warning("bell_silent", error=type(error).__name__)
                self._closed.wait(_RECONNECT_S)

    def _ring(self, connection: psycopg.Connection) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._closed.is_set():
                return
            connection.execute(f"NOTIFY {CHANNEL}")
            self._closed.wait(_QUIET_S)


class Listener:
    """Waits for a ring. Without a connection it waits the time out, and tries to have one again."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection | None = None

    def wait(self, timeout_s: float, stopped: threading.Event) -> None:
        """Return at a ring, after `timeout_s`, or when `stopped`."""
        try:
            if self._connection is None:
                self._connection = psycopg.connect(self._url, autocommit=True, **noticing(self._url))
                self._connection.execute(f"LISTEN {CHANNEL}")
            for _ in self._connection.notifies(timeout=timeout_s, stop_after=1):
                return
        except psycopg.Error as error:
            log.warning("listener_deaf", error=type(error).__name__)
            self.close()
            stopped.wait(timeout_s)

    def close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error):
                self._connection.close()
            self._connection = None
