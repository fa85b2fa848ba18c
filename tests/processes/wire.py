"""The way from Laurel's processes to their database, which can be cut."""

import contextlib
import socket
import threading
from pathlib import Path

_PORT = 5432  # libpq names the socket's file by it
_PIECE = 65536


class Wire:
    """A socket in `folder` that leads to the server's own. `cut` breaks what is open and refuses what is new."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True)
        self.folder = folder
        self.server: Path | None = None  # the folder of the server's socket; it changes with each start
        self.is_cut = False
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / f".s.PGSQL.{_PORT}"))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True, name="wire").start()

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
        if self.is_cut or self.server is None:
            return False
        theirs = socket.socket(socket.AF_UNIX)
        try:
            theirs.connect(str(self.server / f".s.PGSQL.{_PORT}"))
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


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
