"""Deliveries of one moment, of several programs, by one statement: each is kept as it would be alone."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from app.db.inbox import Arrival, open_body
from app.db.session import Database
from app.services.runtime import Runtime
from tests.conftest import NOW, make_program
from tests.services.houses import make_shop

Statements = list[int]


@pytest.fixture
def together(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Sequence[Arrival]], tuple[list[Any], Statements]]:
    """Keep the first alone, and while its statement is held all others; what each got, and each statement's rows."""

    def keep_all(arrivals: Sequence[Arrival]) -> tuple[list[Any], Statements]:
        run, sizes = Database.run_alone, []
        begun, pause = threading.Event(), threading.Event()

        def held(self: Database, sql: str, params: Sequence[Any]) -> Sequence[tuple[Any, ...]]:
            sizes.append((len(params) - 1) // 8)
            begun.set()
            while len(sizes) == 1 and len(rt.inbox._together._waiting) < len(arrivals) - 1:
                pause.wait(0.001)
            return run(self, sql, params)

        def keep(arrival: Arrival) -> Any:
            try:
                return rt.inbox.keep(arrival)
            except psycopg.Error as error:
                return error

        monkeypatch.setattr(Database, "run_alone", held)
        with ThreadPoolExecutor(len(arrivals)) as threads:
            first = threads.submit(keep, arrivals[0])
            assert begun.wait(20)
            others = [threads.submit(keep, one) for one in arrivals[1:]]
            return [one.result(20) for one in (first, *others)], sizes

    return keep_all


def arrival(rt: Runtime, program_id: int, shop_id: int, ref: str) -> Arrival:
    return Arrival(
        program_id=program_id,
        shop_id=shop_id,
        topic="order.updated",
        delivery_ref=ref,
        body=f"body of {ref}".encode(),
        at=rt.now(),
    )


def kept(rt: Runtime, program_id: int, shop_id: int) -> dict[str, bytes]:
    with rt.db.begin(program_id) as session:
        rows = session.rows("SELECT delivery_ref, body, shop_id FROM inbox WHERE {fence}")
    assert {row.shop_id for row in rows} <= {shop_id}
    return {row.delivery_ref: open_body(rt.vault, program_id, shop_id, row.body) for row in rows}


def test_each_lies_in_its_own_program_and_what_came_twice_is_kept_once(rt: Runtime, together: Any) -> None:
    ours, theirs = (
        (program, make_shop(rt, program).shop_id) for program in (make_program(rt), make_program(rt))
    )
    first = arrival(rt, *ours, "first")
    said, sizes = together(
        [
            first,
            *(arrival(rt, *whose, ref) for ref in ("a", "b") for whose in (ours, theirs)),
            first,
            *[arrival(rt, *theirs, "c")] * 2,
        ]
    )
    assert sizes == [1, 7]
    assert said[:5] == [True] * 5
    assert (said[5], sorted(said[6:])) == (False, [False, True])
    assert kept(rt, *ours) == {ref: f"body of {ref}".encode() for ref in ("first", "a", "b")}
    assert kept(rt, *theirs) == {ref: f"body of {ref}".encode() for ref in ("a", "b", "c")}


def test_one_that_the_database_refuses_stops_no_other(rt: Runtime, together: Any) -> None:
    program_id = make_program(rt)
    shop_id = make_shop(rt, program_id).shop_id
    good = [arrival(rt, program_id, shop_id, ref) for ref in ("first", "a", "b")]
    bad = replace(
        arrival(rt, program_id, shop_id, "long ago"), at=NOW.replace(year=1999)
    )  # a day without a place
    said, sizes = together([good[0], bad, *good[1:]])
    assert [said[0], *said[2:]] == [True] * 3
    assert isinstance(said[1], psycopg.Error)
    assert sizes == [1, 3, 1, 1, 1]
    assert set(kept(rt, program_id, shop_id)) == {"first", "a", "b"}
