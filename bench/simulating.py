"""How many past orders a second a simulation counts, in CPU time, and what a million of them take as people run it."""

import csv
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

from app.domain.earning import Terms, target_for_order
from app.domain.months import Months
from app.domain.orders import OrderLine
from app.domain.past import PastOrder, snapshot_at
from app.domain.program import Program, decode, default_document
from app.domain.redeemers import ASSUMED
from app.domain.simulation import BUCKETS, Assumptions, Simulation
from app.domain.spending import SpendFact
from app.domain.tiers import tier_at
from app.services.check_document import check_document
from app.services.left_out import LeftOuts
from app.services.read_past_orders import CDNOW_FILE, read_past_orders

MILLION = 1_000_000
_SHOWN = 20_000  # orders of which the finer figures are taken


def simulate(rounds: int) -> dict[str, Any]:
    """Orders a second of CPU, median of the rounds; the last is of the whole command, in seconds and megabytes."""
    members = _members()
    plain = decode(default_document("Bench", "USD", "UTC"), 0)
    part = _first(members, _SHOWN)
    with_lines = [[_with_lines(order, number) for number, order in enumerate(orders)] for orders in part]
    finer = decode(_every_rule(), 0)
    # People's orders come from disk, some at a time; here all of them lie in memory, which Python's collector would
    # look through again and again.
    gc.collect()
    gc.freeze()
    figures: dict[str, Any] = {
        "default program": statistics.median(_rate(members, plain) for _ in range(rounds)),
        "every rule on": statistics.median(_rate(with_lines, finer) for _ in range(rounds)),
        "order by order": statistics.median(_slowly(part, plain) for _ in range(rounds)),
    }
    return {name: round(rate) for name, rate in figures.items()} | {
        "a quarter of a million": _whole(MILLION // 4),
        "a million": _whole(MILLION),
    }


def _members() -> list[Sequence[PastOrder]]:
    rows = read_past_orders(CDNOW_FILE, currency="USD", zone=ZoneInfo("UTC"), left_out=LeftOuts())
    orders = sorted((row.order for row in rows), key=lambda order: order[:3])
    return [list(mine) for _, mine in groupby(orders, key=lambda order: order.member)]


def _first(members: Sequence[Sequence[PastOrder]], count: int) -> list[Sequence[PastOrder]]:
    found, orders = [], 0
    for mine in members:
        if orders >= count:
            break
        found.append(mine)
        orders += len(mine)
    return found


def _rate(members: Sequence[Sequence[PastOrder]], program: Program) -> float:
    """The pure engine: counting, tiers, lots, redeeming, the report."""
    moments = [order.paid_at for orders in members for order in orders]
    months = Months(min(moments), max(moments), program.zone)
    simulation = Simulation(program, Assumptions(behaviour=ASSUMED, shipping_minor=500), months)
    start = time.process_time()
    for orders in members:
        simulation.add(crc32(orders[0].member.encode()) % BUCKETS, orders)
    simulation.report()
    return len(moments) / (time.process_time() - start)


def _slowly(members: Sequence[Sequence[PastOrder]], program: Program) -> float:
    """The baseline: each order by the functions that settle it, without lots, ledger or report."""
    start, count = time.process_time(), 0
    for orders in members:
        facts: list[SpendFact] = []
        for order in orders:
            tier = tier_at(facts, (), program=program, at=order.placed_at, before=order.key)
            target_for_order(snapshot_at(order, refunds=0), Terms(program=program, tier=tier))
            fact = SpendFact(
                order_key=order.key,
                counted_at=order.paid_at,
                goods_minor=order.goods_minor,
                refunds=(),
                void_at=None,
            )
            facts.append(fact)
        count += len(orders)
    return count / (time.process_time() - start)


def _with_lines(order: PastOrder, number: int) -> PastOrder:
    """Three lines; every tenth order gives a fifth back a week later."""
    snapshot = snapshot_at(order, refunds=0)
    parts = [order.goods_minor // 2, order.goods_minor // 3]
    lines = tuple(
        OrderLine(
            line_ref=str(place),
            product_ref=f"p{(number + place) % 7}",
            vendor=("Roastery", "Mill", None)[place % 3],
            quantity=1 + place,
            goods_minor=goods,
            tax_minor=goods // 5,
        )
        for place, goods in enumerate([*parts, order.goods_minor - sum(parts)])
    )
    changed: dict[str, Any] = {"lines": lines, "channel": "web", "shipping_minor": 490}
    fields = {name: getattr(snapshot, name) for name in snapshot.__dataclass_fields__} | changed
    back = ((order.paid_at + timedelta(days=7), order.goods_minor // 5),) if number % 10 == 9 else ()
    with_refund = snapshot_at(order._replace(refunds=back), refunds=1).refunds
    whole = type(snapshot)(**(fields | {"refunds": with_refund}))
    return order._replace(refunds=back, snapshot=whole)


def _every_rule() -> dict[str, Any]:
    document = default_document("Bench", "USD", "Europe/Berlin")
    document["expiry"] = {"kind": "after_days", "days": 365}
    document["earn"] |= {
        "hold_days": 14,
        "base": {"tax": True, "shipping": True},
        "minimum_minor": 100,
        "channels": ["web", "pos"],
        "exclude": {"products": ["p6"]},
        "rates": [
            {"key": "coffee", "name": "Coffee", "of": {"vendors": ["roastery"]}, "points": 3, "spend_minor": 100},
            {"key": "mugs", "name": "Mugs", "of": {"products": ["p1", "p2"]}, "points": 5},
        ],
        "campaigns": [
            {"key": "evening", "name": "Evenings", "percent": 150, "during": {"hours": ["18:00", "23:00"]}},
            {"key": "mill", "name": "Mill", "percent": 200, "of": {"vendors": ["Mill"]}, "during": {"days": ["sat"]}},
            {"key": "silver", "name": "Silver", "percent": 120, "whose": {"tiers": ["silver", "gold"]}},
        ],
        "bonuses": [
            {"key": "first", "name": "First", "points": 50, "order_number": 1},
            {"key": "fifth", "name": "Fifth", "points": 20, "every": 5},
            {"key": "big", "name": "Big", "points": 25, "spend_from_minor": 10_000},
        ],
        "stacking": "multiply",
        "caps": [
            {"key": "order", "name": "Order", "points": 500, "per": "order"},
            {"key": "day", "name": "Day", "points": 600, "per": "day"},
            {"key": "month", "name": "Month", "points": 2000, "per": "month"},
        ],
    }  # fmt: skip
    check_document(document)
    return document


def _whole(count: int) -> dict[str, float]:
    """`laurel program simulate` on so many orders, two programs side by side, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.csv"
        _write(path, count)
        command = [sys.executable, "-c", "from app.cli import main; main()", "program", "simulate", "default"]
        start = time.perf_counter()
        with subprocess.Popen(
            [*command, "--orders", str(path), "--against", "default", "--json"], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            told = process.stdout.read()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - start
        assert json.loads(told)["orders"] == count
    cpu = used.ru_utime + used.ru_stime
    return {"wall_s": round(wall, 1), "cpu_s": round(cpu, 1), "peak_mb": round(used.ru_maxrss / 1024)}


def _write(path: Path, count: int) -> None:
    """CDNOW again and again, as other people, in the order in which it was bought."""
    bought = sorted((order for mine in _members() for order in mine), key=lambda order: order.paid_at)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["order", "customer", "placed_at", "amount", "currency"])
        number = 0
        for order in bought:
            for again in range(count // len(bought) + 1):
                if number == count:
                    return
                number += 1
                amount = f"{order.goods_minor // 100}.{order.goods_minor % 100:02d}"
                rows.writerow(
                    [number, f"{again}-{order.member}", f"{order.placed_at:%Y-%m-%d}", amount, "USD"]
                )
