"""The way from Laurel's processes to their database, which can be cut."""

import contextlib
import socket
import threading
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

_PORT = 5432  # libpq names the socket's file by it
_PIECE = 65536


class Way(Protocol):
    """Where Laurel's processes find the database; `lead` says at each start in which folder the server's socket is."""

    def lead(self, server: Path) -> None: ...
    def through(self, url: str) -> str: ...
    def cut(self) -> None: ...
    def mend(self) -> None: ...
    def close(self) -> None: ...


class Wire:
    """Carries from `listener` to the server's own socket. `cut` breaks what is open and refuses what is new."""

    def __init__(self, listener: socket.socket) -> None:
        self._server: Path | None = None
        self.is_cut = False
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = listener
        listener.listen(64)
        threading.Thread(target=self._accept, daemon=True, name="wire").start()

    @classmethod
    def in_folder(cls, folder: Path) -> "Wire":
        folder.mkdir(mode=0o700, parents=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(folder / f".s.PGSQL.{_PORT}"))
        return cls(listener)

    def lead(self, server: Path) -> None:
        self._server = server

    def leads_to(self) -> Path | None:
        return self._server

    def through(self, url: str) -> str:
        folder = Path(str(self._listener.getsockname())).parent
        return at_host(url, quote(str(folder), safe=""))

    def cut(self) -> None:
        with self._lock:
            self.is_cut = True
            ends = list(self._open)
        for end in ends:
            _shut(end)

    def mend(self) -> None:
        self.is_cut = False

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                ours, _ = self._listener.accept()
            except OSError:
                return
            if not self._join(ours):
                ours.close()

    def _join(self, ours: socket.socket) -> bool:
        server = self.leads_to()
        if self.is_cut or server is None:
            return False
        theirs = socket.socket(socket.AF_UNIX)
        try:
            theirs.connect(str(server / f".s.PGSQL.{_PORT}"))
        except OSError:
            theirs.close()
            return False
        with self._lock:
            self._open |= {ours, theirs}
        for source, target in ((ours, theirs), (theirs, ours)):
            threading.Thread(target=self._carry, args=(source, target), daemon=True, name="wire").start()
        return True

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(_PIECE):
                target.sendall(piece)
        for end in (source, target):
            _shut(end)
            with self._lock:
                self._open.discard(end)
            end.close()


def at_host(url: str, host: str) -> str:
    """A URL of the embedded server's, which names a folder as its host, with another one."""
    before, _, after = url.partition("host=")
    _, _, rest = after.partition("&")
    return f"{before}host={host}&{rest}"


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
