"""`python -m bench [--rounds 5] [--orders 3000] [--only NAME] [--json]`: the first figures, each beside its baseline.

acknowledge   a signed delivery is kept and answered      beside a bare view that verifies and inserts one row
settle        a full inbox becomes points                 beside pgbench, one client, one honest transaction an order
widget read   a shopper's own balance, tier and program   beside a view with one indexed SELECT
simulate      past orders a second of CPU under a draft   beside the functions that settle them, order by order

Rounds alternate (ours, baseline, ours, …) so that a machine that slows down slows both. Median and spread.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import jwt
import psycopg

from app.bootstrap import collect_seldom
from app.db import embedded
from app.db.shops import get_secrets
from app.services.drain_inbox import drain_inbox
from app.services.receive_delivery import receive_delivery
from bench.house import CUSTOMERS, BenchHouse, bench_house, bodies, sign
from bench.load import Call, answers_per_second, served, timed
from bench.simulating import simulate
from connectors.base import WebhookRequest

GOALS = {"acknowledge": 0.85, "settle": 3.0, "widget read": 0.7}
_ORDER = """\\set account random(1, 2000)
\\set goods random(100, 9999)
BEGIN;
SELECT points FROM bare_accounts WHERE id = :account FOR UPDATE;
INSERT INTO bare_orders (account_id, goods, snapshot) VALUES (:account, :goods, '{"state": "paid", "refunds": []}');
INSERT INTO bare_entries (account_id, kind, points, source, recorded_at)
  VALUES (:account, 'earn', :goods / 100, 'order:' || currval('bare_orders_id_seq'), now());
UPDATE bare_accounts SET points = points + :goods / 100 WHERE id = :account;
END;
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--orders", type=int, default=3000, help="deliveries in a round")
    parser.add_argument("--only", choices=[*GOALS, "simulate"], help="one figure alone")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    collect_seldom()  # as every process of Laurel does
    if options.only == "simulate":
        print(json.dumps({"machine": machine(), "simulate": simulate(options.rounds)}, indent=2))
        return 0
    with bench_house() as house:
        make_baseline(house)
        with served(house.app_url) as port:
            measures: dict[str, Callable[[], list[tuple[float, float]]]] = {
                "acknowledge": lambda: acknowledge(house, port, options.rounds, options.orders),
                "settle": lambda: settle(house, options.rounds, options.orders),
                "widget read": lambda: widget_read(house, port, options.rounds, options.orders),
            }
            figures = {name: measure() for name, measure in measures.items() if options.only in (None, name)}
    report(figures, as_json=options.json)
    return 0


def make_baseline(house: BenchHouse) -> None:
    with psycopg.connect(house.owner_url) as owner:
        owner.execute(
            "CREATE TABLE bare_inbox (id bigserial PRIMARY KEY, topic text, body_hash bytea UNIQUE, body bytea);"
            "CREATE TABLE bare_accounts (id bigint PRIMARY KEY, points bigint NOT NULL);"
            "CREATE TABLE bare_orders (id bigserial PRIMARY KEY, account_id bigint, goods bigint, snapshot jsonb);"
            "CREATE TABLE bare_entries (id bigserial PRIMARY KEY, account_id bigint REFERENCES bare_accounts, "
            "kind text, points bigint, source text UNIQUE, recorded_at timestamptz);"
            "INSERT INTO bare_accounts SELECT i, 0 FROM generate_series(1, 2000) i;"
            "GRANT ALL ON ALL TABLES IN SCHEMA public TO laurel_app;"
            "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO laurel_app;"
        )


def acknowledge(house: BenchHouse, port: int, rounds: int, orders: int) -> list[tuple[float, float]]:
    path = f"/webhooks/woocommerce/{house.shop.key}"
    pairs = []
    for number in range(rounds):
        fresh = bodies(2 * orders, first=1_000_000 + 2 * number * orders)
        calls: list[Call] = [("POST", "", body, _headers(body)) for body in fresh]
        ours = [("POST", path, body, headers) for _, _, body, headers in calls[:orders]]
        bare = [("POST", "/bare", body, headers) for _, _, body, headers in calls[orders:]]
        pairs.append((answers_per_second(port, ours), answers_per_second(port, bare)))
    drain_inbox(house.rt)
    return pairs


def settle(house: BenchHouse, rounds: int, orders: int) -> list[tuple[float, float]]:
    pairs = []
    for number in range(rounds):
        for body in bodies(orders, first=10_000_000 + number * orders):
            receive_delivery(house.rt, "woocommerce", house.shop.key, WebhookRequest(body, _headers(body)))
        pairs.append((timed(lambda: drain_inbox(house.rt).total), pgbench(house, orders)))
    return pairs


def pgbench(house: BenchHouse, orders: int) -> float:
    """Transactions a second of one client: what settling one order a transaction cannot beat."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "order.sql"
        script.write_text(_ORDER)
        command = [
            str(embedded.tool("pgbench")),
            "-n",
            "-c",
            "1",
            "-t",
            str(orders),
            "-f",
            str(script),
            house.owner_url,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if found is None:
        raise RuntimeError(done.stdout)
    return float(found[1])


def widget_read(house: BenchHouse, port: int, rounds: int, orders: int) -> list[tuple[float, float]]:
    with house.rt.db.begin(house.program_id) as session:
        secret = get_secrets(session, house.rt.vault, house.shop.shop_id).widget_secret
    now = int(time.time())  # noqa: TID251 - the server's clock is the machine's
    tokens = [
        jwt.encode({"sub": str(10 + one), "iat": now, "exp": now + 840}, secret, algorithm="HS256")
        for one in range(CUSTOMERS)
    ]
    path = f"/storefront/v1/me?key={house.shop.key}"
    pairs = []
    for _ in range(rounds):
        ours: list[Call] = [
            ("GET", path, b"", {"Authorization": f"Bearer {tokens[place % CUSTOMERS]}"})
            for place in range(orders)
        ]
        bare: list[Call] = [
            ("GET", f"/bare/member/{1 + place % CUSTOMERS}", b"", {}) for place in range(orders)
        ]
        pairs.append((answers_per_second(port, ours), answers_per_second(port, bare)))
    return pairs


def machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {platform.system()}"


def report(figures: dict[str, list[tuple[float, float]]], *, as_json: bool) -> None:
    rows = {}
    for name, pairs in figures.items():
        ratios = sorted(ours / base for ours, base in pairs)
        rows[name] = {
            "ours_per_s": round(statistics.median(ours for ours, _ in pairs)),
            "baseline_per_s": round(statistics.median(base for _, base in pairs)),
            "ratio": round(statistics.median(ratios), 2),
            "ratio_from": round(ratios[0], 2),
            "ratio_to": round(ratios[-1], 2),
            "goal": GOALS[name],
        }
    if as_json:
        print(json.dumps({"machine": machine(), "figures": rows}))
        return
    print(f"{machine()}; {len(next(iter(figures.values())))} rounds, median (from … to)")
    for name, row in rows.items():
        print(
            f"{name:12} {row['ours_per_s']:>7}/s   baseline {row['baseline_per_s']:>7}/s   "
            f"ratio {row['ratio']} ({row['ratio_from']} … {row['ratio_to']})   goal {row['goal']}"
        )


def _headers(body: bytes) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "x-wc-webhook-topic": "order.updated",
        "x-wc-webhook-signature": sign(body),
        "x-wc-webhook-delivery-id": "bench",
    }


if __name__ == "__main__":
    sys.exit(main())
