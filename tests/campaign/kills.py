"""A process that may die at any commit and at any call to a shop.

`Killed` is what nothing may catch. What catches it all the same (a `finally`, an `except BaseException`) finds
itself without a database and without a network until the process is started anew, as after a real kill.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any, TypeVar

import httpx
from sqlalchemy import Connection, create_engine, event

from app.db.migrating import psycopg_url
from app.db.session import Database, Session
from connectors.base import HttpSeam
from sandbox.hosts import HostMap, HostMapTransport

T = TypeVar("T")

_OPTIONS = "-c timezone=UTC -c synchronous_commit=off"  # a kill here is no power cut


class Killed(BaseException):
    """The process is gone."""


class Reaper:
    """Kills by chance, at the points that the process passes. `dead` until `revive`."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.chance = 0.0
        self.dead = False
        self.died = ""  # where
        self.passed = 0
        self.calls = 0  # to a shop
        self.kills: Counter[str] = Counter()

    def pass_by(self, point: str) -> None:
        """Raises: Killed, by chance or because the process is dead already."""
        self.require_life()
        self.passed += 1
        if self.chance and self._random.random() < self.chance:
            self.dead, self.died = True, point
            self.kills[point] += 1
            raise Killed(point)

    def require_life(self) -> None:
        if self.dead:
            raise Killed("dead already")

    def revive(self) -> None:
        self.dead = False


class MortalDatabase(Database):
    """The product's own, with a point before and one after each commit; a kill before it rolls back."""

    def __init__(self, url: str, reaper: Reaper) -> None:
        super().__init__(url, pool_size=3)
        # Without the look whether a connection still lives: a fifth of all trips to the server.
        self.engine = create_engine(
            psycopg_url(url), pool_size=3, hide_parameters=True, connect_args={"options": _OPTIONS}
        )
        self.reaper = reaper
        self._links: list[Any] = []
        event.listen(self.engine, "connect", lambda connection, record: self._links.append(connection))

    def close(self) -> None:
        """Those too that nobody gave back, as the system closes them when a process dies."""
        super().close()
        for connection in self._links:
            connection.close()

    @contextmanager
    def begin(self, *programs: int) -> Iterator[Session]:
        self.reaper.require_life()
        with super().begin(*programs) as session:
            yield session
            self.reaper.pass_by("before a commit")
        self.reaper.pass_by("after a commit")

    @contextmanager
    def trial(self, *programs: int) -> Iterator[Session]:
        self.reaper.require_life()
        with super().trial(*programs) as session:
            yield session

    @contextmanager
    def snapshot(self, *programs: int) -> Iterator[Session]:
        self.reaper.require_life()
        with super().snapshot(*programs) as session:
            yield session

    @contextmanager
    def outside(self) -> Iterator[Connection]:
        self.reaper.require_life()
        with super().outside() as connection:
            yield connection
            self.reaper.pass_by("before a commit")
        self.reaper.pass_by("after a commit")

    def run_alone(self, sql: str, params: Sequence[Any]) -> Sequence[tuple[Any, ...]]:
        self.reaper.pass_by("before the inbox")
        rows = super().run_alone(sql, params)
        self.reaper.pass_by("after the inbox")
        return rows

    def look(
        self,
        program_id: int,
        sql: str,
        kinds: Mapping[str, str],
        asked: Sequence[Sequence[Any]],
        shape: Callable[..., T],
    ) -> list[T | None]:
        self.reaper.require_life()
        return super().look(program_id, sql, kinds, asked, shape)


class MortalSeam(HttpSeam):
    """The way to the shops, with a point before and one after each request, where others may do something meanwhile."""

    def __init__(self, hosts: HostMap, reaper: Reaper, meanwhile: Callable[[], None]) -> None:
        self._hosts = hosts
        self._reaper = reaper
        self._meanwhile = meanwhile

    def client(self, *, allow_private: bool) -> httpx.Client:
        del allow_private
        transport = _MortalTransport(HostMapTransport(self._hosts), self._reaper, self._meanwhile)
        return httpx.Client(transport=transport, timeout=10.0, follow_redirects=False)


class _MortalTransport(httpx.BaseTransport):
    def __init__(self, inner: httpx.BaseTransport, reaper: Reaper, meanwhile: Callable[[], None]) -> None:
        self._inner = inner
        self._reaper = reaper
        self._meanwhile = meanwhile

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._reaper.pass_by("before a call")
        self._reaper.calls += 1
        self._meanwhile()
        response = self._inner.handle_request(request)
        self._reaper.pass_by("after a call")
        self._meanwhile()
        return response

    def close(self) -> None:
        self._inner.close()
