"""`python -m bench.tiers [--members 100000] [--orders 5] [--harder]`: other levels for a program of that size.

preview   who would move, counted member by member in a transaction that is rolled back
publish   the version, and every member in line with it, a batch a transaction; broken off once in the middle

From spend over a year to orders in a calendar year, which lifts most; or with `--harder` to thresholds that nobody
reaches, so that everybody above the lowest level is promised it for a time. The goal is 30 seconds for each with
100,000 members. Orders are put into the tables as settling leaves them, without their entries in the ledger, which
levels do not look at.
"""

import argparse
import copy
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from app.db import tiers
from app.services.align_tiers import align_tiers
from app.services.preview_program import preview_program
from app.services.publish_program import get_version, publish_program
from bench.house import BenchHouse, bench_house

GOAL_S = 30

_MEMBERS = (
    "INSERT INTO accounts (program_id, id, head, opened_at) OVERRIDING SYSTEM VALUE "
    "SELECT :program_id, i, decode(repeat('00', 32), 'hex'), :now FROM generate_series(1, :members) i",
    "INSERT INTO members (program_id, id, joined_at, tier_key) SELECT :program_id, i, :now, 'member' "
    "FROM generate_series(1, :members) i",
)
# Spread over twenty months and from 10.00 to 410.00, so that every level has members and many of them move.
_ORDERS = (
    "INSERT INTO orders (program_id, shop_id, order_ref, member_id, snapshot, placed_at, updated_at, counted_at, "
    "terms_version, terms_tier, target_points, spend) SELECT :program_id, :shop, 'o' || i, 1 + i % :members, '{}', "
    "at, at, at, 1, 'member', 0, jsonb_build_object('goods_minor', goods, 'refunds', '[]'::jsonb, 'void_at', NULL, "
    "'points', goods / 100) FROM (SELECT i, 1000 + (i * 7919) % 40000 AS goods, "
    "CAST(:now AS timestamptz) - make_interval(hours => CAST((i * 104729) % 15000 AS int)) AS at "
    "FROM generate_series(CAST(1 AS bigint), :orders) i) one"
)


class _Killed(Exception):
    pass


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.tiers", description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--orders", type=int, default=5, help="of each member")
    parser.add_argument("--harder", action="store_true", help="thresholds that nobody reaches")
    options = parser.parse_args()
    with bench_house() as house:
        _fill(house, options.members, options.members * options.orders)
        document = _harder(house) if options.harder else _by_orders(house)
        with _measured(house, "preview"):
            found = preview_program(house.rt, house.program_id, document)
        for one in found.tiers:
            print(f"  {one.name}: {one.up} up, {one.down} down in the end")
        with _measured(house, "publish"):
            publish_program(house.rt, house.program_id, document, by="bench")
            _break_off(house, options.members)
            align_tiers(house.rt, house.program_id)
        with house.rt.db.begin(house.program_id) as session:
            run = tiers.find_last_run(session)
    assert run is not None
    print(f"  {run.done} of {run.total} in line, {run.moved} moved, {run.promised} promised")
    return 0 if run.moved == sum(one.up for one in found.tiers) else 1


@contextmanager
def _measured(house: BenchHouse, what: str) -> Iterator[None]:
    """Processor time beside the clock's: on a busy machine only that says something."""
    wall, ours, server = time.perf_counter(), time.process_time(), _server_s(house)
    yield
    wall, ours, server = (
        time.perf_counter() - wall,
        time.process_time() - ours,
        _server_s(house) - server,
    )
    load = os.getloadavg()[0]
    print(
        f"{what} {wall:.1f} s, of the processor {ours:.1f} s in Python and {server:.1f} s in PostgreSQL; "
        f"load {load:.1f}, the goal is {GOAL_S} s"
    )


def _server_s(house: BenchHouse) -> float:
    """Processor seconds of the server's processes for this database so far (Linux)."""
    with psycopg.connect(house.owner_url, autocommit=True) as owner:
        rows = owner.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for (pid,) in rows]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")


def _fill(house: BenchHouse, members: int, orders: int) -> None:
    now = house.rt.now()
    with house.rt.db.begin(house.program_id) as session:
        for statement in _MEMBERS:
            session.run(statement, members=members, now=now)
        session.run(_ORDERS, members=members, orders=orders, shop=house.shop.shop_id, now=now)
    with psycopg.connect(house.owner_url, autocommit=True) as owner:
        owner.execute("ANALYZE")  # as it happens by itself where orders come one by one
    # Whoever reaches a level by now has it, as after settling.
    with house.rt.db.begin(house.program_id) as session:
        tiers.begin_run(session, version=1, before_version=1, now=now - timedelta(seconds=1))
    align_tiers(house.rt, house.program_id)


def _by_orders(house: BenchHouse) -> dict[str, Any]:
    """From spend over a year to orders in a calendar year."""
    document = copy.deepcopy(dict(get_version(house.rt, house.program_id, None).document))
    member, silver, gold = document["tiers"]["levels"]
    for level, count in ((silver, 3), (gold, 4)):
        del level["from_minor"]
        level["from_orders"] = count
    document["tiers"] = {"window": "calendar_year", "grace_days": 0, "levels": [member, silver, gold]}
    return document


def _harder(house: BenchHouse) -> dict[str, Any]:
    document = copy.deepcopy(dict(get_version(house.rt, house.program_id, None).document))
    _, silver, gold = document["tiers"]["levels"]
    silver["from_minor"], gold["from_minor"] = 100_000_000, 200_000_000
    return document


def _break_off(house: BenchHouse, members: int) -> None:
    def watch(done: int, total: int) -> None:
        if done >= members // 2:
            raise _Killed

    try:
        align_tiers(house.rt, house.program_id, watch)
    except _Killed:
        return
    raise AssertionError("it was over before it could be broken off")


if __name__ == "__main__":
    raise SystemExit(main())
