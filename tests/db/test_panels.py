"""Panels of one moment, of several programs: each asker is told of themselves, by the fence of their own program."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient

from app.db.panel import PanelRow
from app.db.session import Database
from app.services.runtime import Runtime
from tests.conftest import make_program
from tests.web.shoppers import Storefront, make_storefront

Asker = tuple[Storefront, str]


def told(rt: Runtime, asker: Asker) -> PanelRow | None:
    shop, customer_ref = asker
    return rt.panels.find(shop.program_id, shop.known.shop_id, customer_ref or None, known=None, now=rt.now())


def points(row: PanelRow | None) -> int | None:
    return None if row is None or row.person is None else row.person.book.points


def shops(rt: Runtime) -> tuple[Storefront, Storefront]:
    ours, theirs = (make_storefront(rt, FlaskClient(None), make_program(rt)) for _ in range(2))
    ours.member("7", points=70)
    ours.member("8", points=80)
    theirs.member("7", points=700)
    return ours, theirs


def all_at_once(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch, askers: Sequence[Asker]
) -> tuple[list[Any], list[tuple[int, int]]]:
    """The first asks alone, and while it is held all others; what each is told; each statement (program, askers)."""
    look, said = Database.look, list[tuple[int, int]]()
    begun, pause = threading.Event(), threading.Event()

    def held(self: Database, program_id: int, sql: str, kinds: Any, asked: Any, shape: Any) -> Any:
        said.append((program_id, len(asked)))
        begun.set()
        while len(said) == 1 and len(rt.panels._together._waiting) < len(askers) - 1:
            pause.wait(0.001)
        return look(self, program_id, sql, kinds, asked, shape)

    def ask(asker: Asker) -> Any:
        try:
            return told(rt, asker)
        except psycopg.Error as error:
            return error

    monkeypatch.setattr(Database, "look", held)
    with ThreadPoolExecutor(len(askers)) as threads:
        first = threads.submit(ask, askers[0])
        assert begun.wait(20)
        others = [threads.submit(ask, one) for one in askers[1:]]
        return [one.result(20) for one in (first, *others)], said


def test_each_is_told_their_own(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = shops(rt)
    askers = [
        (ours, "7"),
        (theirs, "7"),
        (ours, "8"),
        (ours, "nobody"),
        (ours, ""),
        (theirs, "8"),
        (ours, "7"),
    ]
    rows, statements = all_at_once(rt, monkeypatch, askers)
    assert [points(row) for row in rows] == [70, 700, 80, None, None, None, 70]
    assert all(row is not None for row in rows)  # the shop and its program are told to everybody
    assert statements[0] == (ours.program_id, 1)
    assert sorted(statements[1:]) == sorted([(ours.program_id, 4), (theirs.program_id, 2)])


def test_one_whom_the_database_refuses_stops_no_other(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = shops(rt)
    rows, _ = all_at_once(rt, monkeypatch, [(ours, "7"), (ours, "\0"), (theirs, "7"), (ours, "8")])
    assert isinstance(rows[1], psycopg.Error)
    assert [points(row) for row in (rows[0], *rows[2:])] == [70, 700, 80]
