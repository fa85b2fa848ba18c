"""The way to the database as a network: a namespace of its own, whose packets are lost when it is cut.

Nobody is told that the way is gone, as it is where a cable is pulled or a firewall forgets: what is open hangs, what is
new is never answered. Needs root on Linux, with `ip`.
"""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

from tests.processes.wire import Wire, at_host

_PORT = 5432


class Road:
    """A relay in a network namespace; Laurel's processes reach it by TCP over a pair of virtual cards."""

    def __init__(self, home: Path) -> None:
        number = os.getpid() % 250
        self._space = f"laurel{os.getpid()}"
        self._near, self._far = f"lrl{number}a", f"lrl{number}b"
        self._address = f"10.203.{number}.2"
        self._led = home / "road"
        _ip("netns", "add", self._space)
        _ip("link", "add", self._near, "type", "veth", "peer", "name", self._far, "netns", self._space)
        _ip("address", "add", f"10.203.{number}.1/30", "dev", self._near)
        _ip("link", "set", self._near, "up")
        _ip("-n", self._space, "address", "add", f"{self._address}/30", "dev", self._far)
        self.mend()
        self._relay = subprocess.Popen(
            ["ip", "netns", "exec", self._space, sys.executable, "-m", "tests.processes.road", self._address, self._led],
            cwd=Path(__file__).resolve().parents[2],
        )  # fmt: skip

    def lead(self, server: Path) -> None:
        part = self._led.with_suffix(".new")
        part.write_text(str(server))
        part.replace(self._led)

    def through(self, url: str) -> str:
        return at_host(url, self._address)

    def cut(self) -> None:
        """The far card goes down: packets leave and arrive nowhere, in both directions."""
        _ip("-n", self._space, "link", "set", self._far, "down")

    def mend(self) -> None:
        _ip("-n", self._space, "link", "set", self._far, "up")

    def close(self) -> None:
        self._relay.kill()
        self._relay.wait(10)
        for command in (("link", "delete", self._near), ("netns", "delete", self._space)):
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip(*command)


def _ip(*command: str) -> None:
    subprocess.run(["ip", *command], check=True, capture_output=True)


class _Relay(Wire):
    """Inside the namespace, where only a file can tell it where the server is."""

    def __init__(self, listener: socket.socket, led: Path) -> None:
        self._led = led
        super().__init__(listener)

    def leads_to(self) -> Path | None:
        try:
            return Path(self._led.read_text())
        except OSError:
            return None


if __name__ == "__main__":
    _Relay(socket.create_server((sys.argv[1], _PORT)), Path(sys.argv[2]))
    threading.Event().wait()
