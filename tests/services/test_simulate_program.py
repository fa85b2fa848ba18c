"""A draft on past orders: exact against SQL of its own, true to what settling did, and plain about what it left out."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from app.db import redemptions
from app.domain.errors import Refused
from app.domain.program import Program, decode, default_document
from app.domain.redeemers import ASSUMED, Behaviour
from app.domain.simulation import Assumptions
from app.services.audit import audit
from app.services.block_member import block_member, unblock_member
from app.services.describe_simulation import describe_simulation, simulation_data
from app.services.fit_redeeming import fit_redeeming
from app.services.left_out import LeftOuts
from app.services.past_orders_of_shops import past_orders_of_shops
from app.services.publish_program import live_program
from app.services.read_past_orders import CDNOW_FILE, read_past_orders
from app.services.runtime import Runtime
from app.services.simulate_program import Read, Simulated, simulate_program
from tests.conftest import NOW, Clock, DatabaseUrls
from tests.services.histories import History, a_bit_of_everything, make_history

NOBODY = Behaviour(share=0, share_low=0, share_high=0, delay_days=0)
EVERYBODY = Behaviour(share=1000, share_low=1000, share_high=1000, delay_days=0)


def program(currency: str = "USD", **changes: Any) -> Program:
    return decode(default_document("Draft", currency, "UTC") | changes, 0)


def taking(one: Program, behaviour: Behaviour = NOBODY) -> tuple[Program, Assumptions]:
    return one, Assumptions(behaviour=behaviour, shipping_minor=500)


def of_file(path: Path, currency: str = "USD", zone: str = "UTC") -> Read:
    def read(left_out: LeftOuts) -> Iterator[Any]:
        return read_past_orders(path, currency=currency, zone=ZoneInfo(zone), left_out=left_out)

    return read


def of_text(tmp_path: Path, text: str, currency: str = "USD") -> Read:
    path = tmp_path / "orders.csv"
    path.write_text(text, encoding="utf-8")
    return of_file(path, currency)


def left_out(done: Simulated) -> dict[str, tuple[int, list[str]]]:
    return {one.reason: (one.count, one.examples) for one in done.left_out}


# --- The whole of CDNOW ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def purchases(database: DatabaseUrls) -> Iterator[psycopg.Cursor[Any]]:
    """The history's lines as a table, read from the file by nothing of ours."""
    with psycopg.connect(database.superuser_url) as connection, connection.cursor() as cursor:
        cursor.execute("SET timezone = 'UTC'")
        cursor.execute(
            "CREATE TEMP TABLE bought (line int, customer text, at timestamptz, cents bigint, "
            "PRIMARY KEY (customer, at, line))"
        )
        with (
            gzip.open(CDNOW_FILE, "rt") as file,
            cursor.copy("COPY bought (line, customer, at, cents) FROM STDIN") as copy,
        ):
            for number, line in enumerate(file, 1):
                if line[0].isdigit():
                    customer, day, dollars, _ = line.strip().split(",")
                    copy.write_row((number, customer, day, dollars.replace(".", "")))
        yield cursor
        connection.rollback()


def test_cdnow_is_all_there(purchases: psycopg.Cursor[Any]) -> None:
    purchases.execute("SELECT count(*), count(DISTINCT customer), sum(cents) FROM bought")
    assert purchases.fetchone() == (69_659, 23_570, 250_031_563)


# Each order at the percent of the tier that the twelve months before it gave; who is in which tier at a month's end.
_EARNED = """
CREATE TEMP TABLE earned AS
SELECT b.*, b.cents * CASE WHEN s.spent >= 200000 THEN 150 WHEN s.spent >= 50000 THEN 125 ELSE 100 END / 10000 AS points
FROM bought b CROSS JOIN LATERAL (SELECT coalesce(sum(p.cents), 0) AS spent FROM bought p
  WHERE p.customer = b.customer AND p.at > b.at - interval '12 months' AND (p.at, p.line) < (b.at, b.line)) s
"""
_MONTHS = """
WITH months AS (SELECT m AS start, m + interval '1 month' AS stop,
    least(m + interval '1 month' - interval '1 microsecond', (SELECT max(at) FROM bought)) AS last
  FROM generate_series(timestamptz '1997-01-01', '1998-06-01', '1 month') AS m
), tiers AS (
  SELECT m.start, t.spent, t.points FROM months m CROSS JOIN LATERAL (SELECT customer, sum(points) AS points,
    coalesce(sum(cents) FILTER (WHERE at > m.last - interval '12 months'), 0) AS spent
    FROM earned WHERE at <= m.last GROUP BY customer) t
)
SELECT to_char(m.start, 'YYYY-MM'),
  (SELECT count(*) FROM earned WHERE at >= m.start AND at < m.stop),
  (SELECT sum(cents) FROM earned WHERE at >= m.start AND at < m.stop),
  (SELECT sum(points) FROM earned WHERE at >= m.start AND at < m.stop),
  count(*) FILTER (WHERE t.spent < 50000), count(*) FILTER (WHERE t.spent >= 50000 AND t.spent < 200000),
  count(*) FILTER (WHERE t.spent >= 200000), sum(t.points), sum(t.points % 100)
FROM months m JOIN tiers t ON t.start = m.start GROUP BY m.start, m.stop ORDER BY m.start
"""


def test_cdnow_comes_to_what_sql_makes_of_it_month_by_month(purchases: psycopg.Cursor[Any]) -> None:
    purchases.execute(_EARNED)
    purchases.execute(_MONTHS)
    expected = purchases.fetchall()
    done = simulate_program(of_file(CDNOW_FILE), taking(program(), EVERYBODY), taking(program()))
    assert done.beside is not None
    assert len(expected) == 18
    # If nobody redeems, all that was given is open; if everybody does at once, what is left over of each hundred.
    for sql, saved, spent in zip(expected, done.beside.report.months, done.draft.report.months, strict=True):
        for one in (saved, spent):
            figures = (one.month, one.orders, one.revenue_minor, one.given.expected, *one.tiers)
            assert figures == tuple(sql[:7])
        assert saved.open_points.expected == sql[7]
        assert spent.open_points.expected == sql[8]
        assert saved.liability_minor.expected == sql[7] * 5
    total = done.draft.report.total
    assert (total.orders, total.revenue_minor, total.members) == (69_659, 250_031_563, 23_570)
    assert total.redeemed.expected == sum(row[3] for row in expected) - expected[-1][8]
    assert total.cost_minor.expected == total.redeemed.expected * 5
    assert (done.orders.repeated, done.orders.free) == (255, 80)


def test_cdnow_expires_as_sql_says(purchases: psycopg.Cursor[Any]) -> None:
    purchases.execute(
        "WITH plain AS (SELECT cents / 100 AS points, at, at + interval '181 days' AS over FROM bought) "
        "SELECT to_char(over, 'YYYY-MM'), sum(points) FROM plain WHERE over <= (SELECT max(at) FROM bought) "
        "GROUP BY 1 HAVING sum(points) > 0 ORDER BY 1"
    )
    expected = dict(purchases.fetchall())
    document = default_document("Draft", "USD", "UTC")
    document["expiry"] = {"kind": "after_days", "days": 180}
    document["earn"]["hold_days"] = 14
    document["tiers"]["levels"] = document["tiers"]["levels"][:1]
    done = simulate_program(of_file(CDNOW_FILE), taking(decode(document, 0)), None)
    found = {one.month: one.expired.expected for one in done.draft.report.months if one.expired.expected}
    assert found == expected
    purchases.execute(
        "SELECT sum(cents / 100) FROM bought WHERE at + interval '14 days' > (SELECT max(at) FROM bought)"
    )
    pending = purchases.fetchone()
    assert pending is not None
    assert done.draft.report.total.pending.expected == pending[0]


def test_a_share_that_redeems_lies_between_nobody_and_everybody() -> None:
    half = Behaviour(share=500, share_low=300, share_high=700, delay_days=0)
    done = simulate_program(of_file(CDNOW_FILE), taking(program(), half), taking(program(), EVERYBODY))
    assert done.beside is not None
    some, everybody = done.draft.report.total, done.beside.report.total
    assert some.redeemed.expected == everybody.redeemed.expected // 2
    assert some.cost_minor.expected * 2 in range(
        everybody.cost_minor.expected - 1, everybody.cost_minor.expected + 1
    )
    assert some.redeemed.low <= everybody.redeemed.expected * 3 // 10
    assert some.redeemed.high >= everybody.redeemed.expected * 7 // 10
    # Chance alone: between a hundredth and a tenth of the sum, for as many members as these.
    chance = everybody.given.high - everybody.given.low
    assert everybody.given.expected // 100 < chance < everybody.given.expected // 10
    assert some.cost_per_10000 is not None
    assert some.cost_per_10000.low < some.cost_per_10000.expected < some.cost_per_10000.high


# --- What Laurel holds -------------------------------------------------------------------------------------


def of_shop(past: History, session: Any) -> Read:
    def read(left_out: LeftOuts) -> Iterator[Any]:
        shops = [past.shop.shop.shop_id]
        return iter(past_orders_of_shops(session, shops, whole=True, left_out=left_out))

    return read


def everything_stored(past: History) -> list[Any]:
    tables = (
        "orders",
        "entries",
        "lots",
        "members",
        "accounts",
        "tier_changes",
        "program_versions",
        "redemptions",
    )
    return [
        past.scalar(
            f"SELECT md5(string_agg(CAST(t AS text), ',' ORDER BY CAST(t AS text))) FROM {one} t WHERE {{fence}}"
        )
        for one in tables
    ]


def simulate_live(past: History, behaviour: Behaviour = NOBODY, **asked: Any) -> Simulated:
    live = live_program(past.rt, past.program_id)
    with past.rt.db.snapshot(past.program_id) as session:
        return simulate_program(of_shop(past, session), taking(live, behaviour), None, **asked)


def test_the_live_program_on_held_orders_gives_what_the_ledger_holds(rt: Runtime, clock: Clock) -> None:
    document = default_document("Sprig", "EUR", "Europe/Berlin")
    document["earn"] |= {
        "hold_days": 3,
        "bonuses": [{"key": "third", "name": "Third", "points": 40, "every": 3}],
        "caps": [{"key": "month", "name": "Month", "points": 900, "per": "month"}],
    }
    document["tiers"]["months"] = 2
    document["expiry"] = {"kind": "after_days", "days": 60}
    past = make_history(rt, clock, document)
    for number in range(12):
        order = past.buy(str(7 + number % 3), f"o{number}", f"{90 + 61 * number}.50")
        clock.forward(days=9)
        if number % 4 == 1:
            past.refund(order, "70.00")
        past.night()
    clock.forward(days=30)
    past.night()
    before = everything_stored(past)
    done = simulate_live(past, to_day=clock.at.date())
    total = done.draft.report.total
    sums = "SELECT coalesce(sum(points), 0) FROM entries WHERE {fence} AND kind = ANY(:kinds)"
    assert total.given.expected == past.scalar(sums, kinds=["earn"])
    assert total.taken_back == -past.scalar(sums, kinds=["earn_reversal"])
    assert total.taken_back > 0
    assert total.expired.expected == -past.scalar(sums, kinds=["expiry"])
    assert total.expired.expected > 0
    assert total.open_points.expected == past.scalar("SELECT sum(remaining) FROM lots WHERE {fence}")
    keys = [tier.key for tier in done.draft.program.tiers]
    members = [
        past.scalar("SELECT count(*) FROM members WHERE {fence} AND tier_key = :key", key=key) for key in keys
    ]
    assert list(total.tiers) == members
    assert everything_stored(past) == before
    assert audit(past.rt, past.program_id).problems == []


def test_merged_members_are_one_and_guests_are_told(rt: Runtime, clock: Clock) -> None:
    past = a_bit_of_everything(rt, clock)
    before = everything_stored(past)
    done = simulate_live(past)
    assert everything_stored(past) == before
    assert left_out(done)["no_customer"] == (1, ["order #guest"])
    assert done.members == past.scalar(
        "SELECT count(*) FROM members m JOIN accounts a ON a.program_id = m.program_id AND a.id = m.id "
        "WHERE {fence:m} AND {fence:a} AND a.closed_at IS NULL"
    )


def test_orders_from_before_the_shop_counted_are_tried_too_and_test_orders_are_not(
    rt: Runtime, clock: Clock
) -> None:
    past = make_history(rt, clock)
    long_ago = NOW - timedelta(days=3000)
    past.buy("7", "old", "80.00", placed_at=long_ago, paid_at=long_ago)
    past.buy("7", "new", "20.00")
    past.buy("8", "try", "20.00", test=True)
    assert past.scalar("SELECT sum(points) FROM accounts WHERE {fence}") == 20
    done = simulate_live(past)
    assert done.draft.report.total.given.expected == 100
    assert left_out(done)["test_order"] == (1, ["order #try"])
    assert [(gap.first, gap.last) for gap in done.gaps] == [
        (long_ago.date() + timedelta(days=1), NOW.date() - timedelta(days=1))
    ]


def test_orders_placed_while_their_member_was_blocked_are_left_out(rt: Runtime, clock: Clock) -> None:
    past = make_history(rt, clock)
    past.buy("7", "before", "30.00")
    past.buy("8", "other", "50.00")
    cheat, winner = past.member("7"), past.member("8")
    clock.forward(days=1)
    block_member(rt, past.program_id, cheat, reason="fraud", actor="ada")
    clock.forward(days=1)
    past.buy("7", "meanwhile", "80.00")
    clock.forward(days=1)
    unblock_member(rt, past.program_id, cheat, reason="a slip", actor="ada")
    past.buy("7", "after", "20.00")
    assert past.merge(cheat, winner) is not None
    done = simulate_live(past)
    assert left_out(done)["blocked"] == (1, ["order #meanwhile"])
    assert done.draft.report.total.given.expected == 100
    assert past.scalar("SELECT sum(points) FROM accounts WHERE {fence}") == 100


# --- How members redeem ------------------------------------------------------------------------------------


def test_the_share_that_redeems_is_read_from_what_members_did(
    rt: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.fit_redeeming.MIN_REACHED", 4)
    past = make_history(rt, clock)
    live = live_program(rt, past.program_id)
    for customer in ("7", "8", "9", "10"):
        past.buy(customer, f"a{customer}", "260.00")
    past.buy("11", "poor", "90.00")
    clock.forward(days=10)
    past.redeem(past.member("7"), "percent-10")
    clock.forward(days=11)
    past.redeem(past.member("8"), "percent-10")
    past.cancel(past.redeem(past.member("9")))
    assert fit_redeeming(rt, past.program_id, live, live) is None  # nobody had 90 days yet
    clock.forward(days=80)
    past.buy("12", "late", "260.00")
    fitted = fit_redeeming(rt, past.program_id, live, live)
    assert fitted is not None
    assert (fitted.reached, fitted.redeemed, fitted.cost) == (4, 2, 100)
    assert fitted.behaviour == Behaviour(
        share=500, share_low=88, share_high=912, delay_days=10, reward="percent-10"
    )
    fewer = replace(live, rewards=live.rewards[:1])
    other = fit_redeeming(rt, past.program_id, live, fewer)
    assert other is not None
    assert other.behaviour.reward == "cheapest"  # the draft has no such reward
    done = simulate_live(past, fitted.behaviour)
    assert any(
        "of 4 who came to hold 100 points" in line.replace("\u00a0", " ")
        for line in describe_simulation(done, fitted)
    )
    with rt.db.snapshot(past.program_id) as session:
        assert redemptions.find_habits(session, cost=10_000, before=clock.at).reached == 0


# --- Files as they come ------------------------------------------------------------------------------------

MESSY = """\
# exported on Monday
Order ID;Customer;Date;Total;Currency
1;ann;2026-01-05;40.00;USD
1;ann;2026-01-09;-15.00;USD
2;bob;2026-01-06;20,50;USD
3;bob;2026-03-01;10.00;JPY
4;;2026-03-01;10.00;USD
5;cid;soon;10.00;USD
6;cid;2026-03-02;ten;USD
7;cid;2026-03-02;10.00;XXX
8;cid;2026-03-02
9;cid;2026-03-05;30.00;usd
9;cid;2026-03-05;30.00;usd
;cid;2026-03-06;-5.00;USD
99;cid;2026-03-06;-5.00;USD
9;cid;2026-03-01;-5.00;USD
9;cid;2026-03-07;-45.00;USD
10;dee;0202-01-01;5.00;USD

"""


def test_every_line_that_cannot_be_used_is_counted_and_named(tmp_path: Path) -> None:
    done = simulate_program(of_text(tmp_path, MESSY), taking(program()), None)
    assert left_out(done) == {
        "bad_date": (
            2,
            [
                "line 8: “soon” in placed_at. Allowed: such as 2026-03-31 or 2026-03-31T18:05",
                "line 18: “0202-01-01” in placed_at. Allowed: such as 2026-03-31 or 2026-03-31T18:05",
            ],
        ),
        "no_customer": (1, ["line 7"]),
        "bad_amount": (1, ["line 9: A price is not a number: “ten”. Allowed: such as 12.50"]),
        "unknown_currency": (
            1,
            ["line 10: “XXX” is not a currency code that we know. Allowed: such as USD"],
        ),
        "not_a_row": (1, ["line 11: 8;cid;2026-03-02"]),
        "told_twice": (1, ["line 13: order 9"]),
        "no_order": (1, ["line 14: amount -5.00"]),
        "refund_without_order": (1, ["line 15: order 99, USD"]),
        "refund_before_order": (1, ["line 16: order 9: 2026-03-01 is before 2026-03-05"]),
        "refund_beyond_order": (1, ["line 17: order 9"]),
    }
    assert [(one.reason, one.count, one.examples) for one in done.draft.left_out] == [
        ("no_rate", 1, ["1 in JPY"])
    ]
    total = done.draft.report.total
    assert (total.orders, total.revenue_minor, total.given.expected, total.taken_back) == (3, 4550, 90, 45)
    assert [(gap.first, gap.last) for gap in done.gaps] == [(date(2026, 1, 7), date(2026, 2, 28))]


def test_a_currency_with_a_rate_is_counted_in_its_own_money(tmp_path: Path) -> None:
    text = "customer,date,amount,currency\nann,2026-01-05,1650.00,JPY\nann,2026-01-06,20.00,USD\n"
    yen = program(currencies={"JPY": {"spend_minor": 100, "program_minor": 65}})
    done = simulate_program(of_text(tmp_path, text), taking(yen), taking(program()))
    assert done.beside is not None
    assert (done.draft.report.total.given.expected, done.draft.report.total.revenue_minor) == (36, 3072)
    assert (done.beside.report.total.given.expected, done.beside.report.total.revenue_minor) == (20, 2000)
    assert [one.reason for one in done.beside.left_out] == ["no_rate"]


def test_what_past_orders_do_not_tell_is_said(tmp_path: Path) -> None:
    document = default_document("Draft", "USD", "UTC")
    document["tiers"]["levels"] += [
        {"key": "guest", "name": "Guest", "earn_percent": 200, "invitation_only": True},
        {"key": "club", "name": "Club", "earn_percent": 200, "paid": {"products": ["9"], "days": 30}},
    ]
    document["budget"] = {"minor": 1000, "points": 100, "worth_minor": 500, "at_limit": "stop_earning"}
    document["earn"] |= {
        "caps": [{"key": "us", "name": "Us", "points": 30, "per": "program_day"}],
        "rates": [
            {"key": "t", "name": "Tea", "of": {"collections": ["5"]}, "points": 9, "spend_minor": 100},
        ],
        "campaigns": [
            {"key": "v", "name": "VIP", "percent": 200, "whose": {"tags": ["vip"]}},
            {"key": "n", "name": "New", "percent": 200, "whose": {"member_days_to": 3}},
        ],
    }
    text = "customer,date,amount\nann,2026-01-05,10.00\nann,2026-01-05,40.00\nann,2026-02-05,20.00\n"
    done = simulate_program(of_text(tmp_path, text), taking(decode(document, 0)), None)
    # New for three days: twice 10 and twice 40, of which the day's limit leaves 30 to each order alone; then 20.
    assert done.draft.report.total.given.expected == 20 + 30 + 20
    said = " ".join(describe_simulation(done, None))
    for part in (
        "nobody buys a level there",
        "Levels by invitation stay empty",
        "rule for tagged ones names nobody",
        "no rule by them names any line",
        "as if it were the only one",
        "The budget stops nothing here",
        "Everybody joined with their first order",
    ):
        assert part in said
    assert "referrals" not in said
    plain = " ".join(
        describe_simulation(simulate_program(of_text(tmp_path, text), taking(program()), None), None)
    )
    assert "budget" not in plain
    assert "Levels by invitation" not in plain


@pytest.mark.parametrize(
    ("reward", "cost_minor", "said"),
    [
        ({"kind": "gift_card", "cost": 100, "amount_minor": 400}, 400, None),
        ({"kind": "store_credit", "cost": 100, "amount_minor": 450}, 450, None),
        ({"kind": "product", "cost": 100, "gifts": {"s": {"product": "9"}}}, 250, "2.50"),
        ({"kind": "perk", "cost": 100}, 250, "2.50"),
        ({"kind": "percent", "cost": 100, "percent": 10, "maximum_minor": 300}, 300, None),
        ({"kind": "percent", "cost": 100, "percent": 2, "maximum_minor": 300}, 200, None),
        (
            {"kind": "amount", "steps": {"points": 10, "amount_minor": 50, "minimum_points": 40}},
            400,
            "at its least",
        ),
        ({"kind": "perk", "cost": 100, "stock": 0}, 250, "without regard to their limits"),
    ],
)
def test_a_reward_costs_its_face_value_or_what_one_says(
    tmp_path: Path, reward: dict[str, Any], cost_minor: int, said: str | None
) -> None:
    # 100 points: one of each reward, or two of the least step, 40 points each.
    draft = program(rewards=[{"key": "it", "title": "It"} | reward])
    everybody = Assumptions(behaviour=EVERYBODY, shipping_minor=500, gift_minor=250)
    read = of_text(tmp_path, "customer,date,amount\nann,2026-01-05,100.00\n")
    done = simulate_program(read, (draft, everybody), None)
    assert done.draft.report.total.cost_minor.expected == cost_minor
    sentences = " ".join(describe_simulation(done, None)).replace("\u00a0", " ")
    assert said is None or said in sentences
    assert ("perk costs" in sentences) == (reward["kind"] in ("product", "perk"))


def test_who_ends_in_another_tier_is_counted_and_some_are_named(tmp_path: Path) -> None:
    document = default_document("Draft", "USD", "UTC")
    document["tiers"]["levels"][1]["from_minor"] = 10_000
    text = "customer,date,amount\nann,2026-01-05,400.00\nbob,2026-01-05,90.00\ncid,2026-01-07,900.00\n"
    done = simulate_program(of_text(tmp_path, text), taking(decode(document, 0)), taking(program()))
    assert {(one.from_key, one.to_key, one.members, tuple(one.examples)) for one in done.moves} == {
        ("member", "silver", 1, ("ann",)),
        ("member", "member", 1, ()),
        ("silver", "silver", 1, ()),
    }


def test_from_and_to_are_as_if_the_program_had_begun_and_ended_then(tmp_path: Path) -> None:
    text = (
        "order,customer,date,amount\n1,ann,2026-01-31,10.00\n2,ann,2026-02-01,20.00\n3,ann,2026-02-28,30.00\n"
        "4,ann,2026-03-01,40.00\n2,ann,2026-03-02,-20.00\n"
    )
    done = simulate_program(
        of_text(tmp_path, text), taking(program()), None, from_day=date(2026, 2, 1), to_day=date(2026, 2, 28)
    )
    assert (done.draft.report.total.given.expected, done.draft.report.total.taken_back) == (50, 0)
    assert {reason: count for reason, (count, _) in left_out(done).items()} == {
        "before_from": 1,
        "after_to": 2,
    }
    assert done.until == datetime(2026, 3, 1, tzinfo=UTC) - timedelta(microseconds=1)


def test_a_file_that_is_no_such_file_is_refused_with_what_it_should_have(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="line 1: the header lacks customer, placed_at; found: sku, amount"):
        simulate_program(of_text(tmp_path, "sku,amount\n1,2\n"), taking(program()), None)
    with pytest.raises(Refused, match="There is no order to simulate: 1 × its date cannot be read"):
        simulate_program(of_text(tmp_path, "customer,date,amount\nann,soon,2\n"), taking(program()), None)
    packed = tmp_path / "broken.csv.gz"
    packed.write_bytes(gzip.compress(b"customer,date,amount\n" * 9000)[:40])
    with pytest.raises(Refused, match="cannot be read"):
        simulate_program(of_file(packed), taking(program()), None)
    (tmp_path / "latin.csv").write_bytes(b"customer,date,amount\nm\xfcller,2026-01-01,2\n")
    with pytest.raises(Refused, match="cannot be read"):
        simulate_program(of_file(tmp_path / "latin.csv"), taking(program()), None)


def test_what_was_assumed_is_said(tmp_path: Path) -> None:
    text = "customer,date,amount\nann,2026-01-05,0.00\nann,2026-01-05,0.00\nbob,2026-01-06,250.00\n"
    done = simulate_program(of_text(tmp_path, text), taking(program(), ASSUMED), None)
    said = "\n".join(describe_simulation(done, None)).replace("\u00a0", " ")
    for words in (
        "50 % (30 % to 70 %) of the members who come to hold the cost of the cheapest reward",
        "14 days later",
        "That is assumed, not known",
        "$5.00 ($5.00 off) for 100 points",
        "A free shipping costs $5.00",
        "1 orders equal another",
        "2 orders cost 0",
    ):
        assert words in said
    data = simulation_data(done, None)
    assert data["draft"]["point_value"] == {"minor": 500, "points": 100, "reward": "amount-5"}
    assert data["draft"]["total"]["tiers"] == {"member": 2, "silver": 0, "gold": 0}
