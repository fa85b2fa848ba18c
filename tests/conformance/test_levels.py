"""Every example of levels.toml, which a merchant can read: what was bought and granted, and the level on a day."""

import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.domain.earning import Terms
from app.domain.known import Known
from app.domain.money import Money
from app.domain.orders import OrderLine, OrderSnapshot, OrderState, Refund, RefundedLine
from app.domain.program import Program, decode, default_document, successors
from app.domain.qualifying import spend_fact
from app.domain.spending import SpendFact
from app.domain.tiers import TierFloor, falls_to, lapses_at, tier_at
from app.services.check_document import check_document

BERLIN = ZoneInfo("Europe/Berlin")
EXAMPLES = tomllib.loads(Path(__file__).with_name("levels.toml").read_text())["example"]
USUAL = [{"key": "silver", "from_minor": 50_000}, {"key": "gold", "from_minor": 200_000}]


def moment(text: str) -> datetime:
    """A day means noon of it in Berlin."""
    at = datetime.fromisoformat(text if "T" in text else f"{text}T12:00:00")
    return at.replace(tzinfo=at.tzinfo or BERLIN).astimezone(UTC)


def amount(text: str) -> Money:
    return Money.parse(text, "EUR")


def program_of(tiers: Mapping[str, Any], version: int) -> Program:
    document = default_document("Example", "EUR", tiers.get("timezone", "Europe/Berlin"))
    base = {"key": "member", "from_minor": 0}
    levels = [
        {"name": level["key"].title(), "earn_percent": 100, **level}
        for level in (base, *tiers.get("levels", USUAL))
    ]
    plain: dict[str, Any] = {"grace_days": 0}
    if tiers.get("window", "rolling") == "rolling":
        plain["months"] = 12
    said = {name: value for name, value in tiers.items() if name not in ("timezone", "levels")}
    document["tiers"] = plain | said | {"levels": levels}
    document["earn"]["exclude"] = {"products": ["excluded"]}
    check_document(document)
    return decode(document, version)


def order_of(place: int, one: Mapping[str, Any]) -> OrderSnapshot:
    paid_at = moment(one["on"])
    goods = amount(one["goods"])
    line = OrderLine(
        line_ref="1", product_ref=one.get("of"), quantity=one.get("pieces", 1), goods_minor=goods.minor
    )
    refunds = tuple(
        Refund(
            refund_ref=str(number),
            goods=amount(back["goods"]),
            exact=True,
            refunded_at=moment(back["on"]),
            lines=(RefundedLine(line_ref="1", goods_minor=amount(back["goods"]).minor),),
        )
        for number, back in enumerate(one.get("back", ()))
    )
    cancelled_at = moment(one["cancelled"]) if "cancelled" in one else None
    return OrderSnapshot(
        order_ref=str(place),
        number=f"#{place}",
        customer_ref="1",
        email=None,
        state=OrderState.CANCELLED if cancelled_at else OrderState.PAID,
        goods=goods,
        refunds=refunds,
        codes_used=(),
        placed_at=paid_at,
        paid_at=paid_at,
        fulfilled_at=None,
        cancelled_at=cancelled_at,
        updated_at=paid_at,
        test=False,
        lines=(line,),
    )


def facts_of(example: Mapping[str, Any], program: Program) -> list[SpendFact]:
    terms = Terms(program=program, tier=program.tiers[-1], known=Known())
    found = (
        spend_fact(order_of(place, one), (1, str(place)), terms)
        for place, one in enumerate(example.get("orders", ()))
    )
    return [fact for fact in found if fact is not None]


def floors_of(example: Mapping[str, Any]) -> list[TierFloor]:
    return [
        TierFloor(
            tier_key=one["tier"],
            from_at=moment(one["from"]),
            until_at=moment(one["until"]) if "until" in one else None,
            cause="manual",
        )
        for one in example.get("given", ())
    ]


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"{one['group']}: {one['says']}" for one in EXAMPLES])
def test_the_example_holds(example: Mapping[str, Any]) -> None:
    versions = [
        program_of(one, number)
        for number, one in enumerate(example.get("versions", [example.get("tiers", {})]), 1)
    ]
    first, live = versions[0], replace(versions[-1], successors=successors(versions)[-1])
    facts, floors = facts_of(example, first), floors_of(example)
    for day, level in example.get("level", {}).items():
        assert (day, tier_at(facts, floors, program=live, at=moment(day)).key) == (day, level)
    if "keeps" in example:
        at = moment(example["published"])
        kept = tier_at(facts, floors, program=first, at=at).key
        until = lapses_at(facts, floors, program=first, tier_key=kept, at=at)
        assert (live.tier(kept).key, until) == (example["keeps"], moment(example["until"]))
    if "falls_to" in example:
        at = moment(example["on"])
        reached = tier_at(facts, floors, program=live, at=at)
        assert falls_to(live.tier(example["has"]), reached, live).key == example["falls_to"]


def test_every_example_is_told_apart() -> None:
    assert [says for says, count in Counter(one["says"] for one in EXAMPLES).items() if count > 1] == []
