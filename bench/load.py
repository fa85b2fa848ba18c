"""A web server under load from another process, over kept-alive connections."""

import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import create_server

CLIENTS = 8
Call = tuple[str, str, bytes, dict[str, str]]  # method, path, body, headers


@contextmanager
def served(app_url: str) -> Iterator[int]:
    """The port of a server with Laurel and the bare view, as `laurel serve` would run it."""
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    command += [
        "--workers",
        "1",
        "--blocking-threads",
        str(CLIENTS),
        "--log-level",
        "error",
        "bench.apps:both",
    ]
    environment = {**os.environ, "DATABASE_URL": app_url, "PUBLIC_URL": "https://laurel.example"}  # noqa: TID251
    server = subprocess.Popen(command, env=environment)
    try:
        _await(port)
        yield port
    finally:
        server.terminate()
        server.wait(20)


def answers_per_second(port: int, calls: list[Call], expected: int = 200) -> float:
    """All of `calls`, by `CLIENTS` clients. Raises RuntimeError for any other answer than expected."""
    share = [calls[place::CLIENTS] for place in range(CLIENTS)]
    wrong: list[str] = []
    threads = [threading.Thread(target=_client, args=(port, part, expected, wrong)) for part in share]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise RuntimeError(wrong[0])
    return len(calls) / (time.perf_counter() - began)


def timed(work: Callable[[], int]) -> float:
    """How much `work` does a second; it returns how much it did."""
    began = time.perf_counter()
    done = work()
    return done / (time.perf_counter() - began)


def _client(port: int, calls: list[Call], expected: int, wrong: list[str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for method, path, body, headers in calls:
        connection.request(method, path, body or None, headers)
        response = connection.getresponse()
        text = response.read()
        if response.status != expected:
            wrong.append(f"{method} {path.partition('?')[0]}: {response.status} {text[:200]!r}")
            return
    connection.close()


def _await(port: int) -> None:
    for _ in range(400):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/bare/member/1")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the bench's server did not start")
