"""Every example of earning.toml, which a merchant can read: order, rules, points, and the sentence that explains them."""

import tomllib
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.domain.earning import Terms, target_for_order
from app.domain.explaining import order_sentence
from app.domain.known import Known
from app.domain.money import Money
from app.domain.orders import OrderLine, OrderSnapshot, OrderState, Refund, RefundedLine
from app.domain.program import decode, default_document
from app.domain.rules import collection, folded, tag
from app.domain.words import ENGLISH
from app.services.check_document import check_document

EXAMPLES = tomllib.loads(Path(__file__).with_name("earning.toml").read_text())["example"]
PLACED = "2026-03-04T15:00:00+01:00"


def amount(text: str) -> int:
    return Money.parse(text, "EUR").minor


def line_of(one: Mapping[str, Any]) -> OrderLine:
    return OrderLine(
        line_ref=one.get("variant", one["of"]) + ("+" if one.get("subscription") else ""),
        product_ref=one["of"],
        variant_ref=one.get("variant"),
        vendor=one.get("vendor"),
        quantity=one.get("pieces", 1),
        goods_minor=amount(one["goods"]),
        discount_minor=amount(one.get("off", "0")),
        tax_minor=amount(one.get("tax", "0")),
        gift_card=one.get("gift_card", False),
        subscription=one.get("subscription", False),
    )


def refund_of(place: int, one: Mapping[str, str]) -> Refund:
    lines = {name: amount(text) for name, text in one.items() if name not in ("all", "shipping")}
    return Refund(
        refund_ref=str(place),
        goods=Money(sum(lines.values()) + amount(one.get("all", "0")), "EUR"),
        exact="all" not in one,
        refunded_at=None,
        lines=tuple(RefundedLine(line_ref=name, goods_minor=minor) for name, minor in lines.items()),
        shipping_minor=amount(one.get("shipping", "0")),
    )


def order_of(one: Mapping[str, Any]) -> OrderSnapshot:
    lines = tuple(line_of(line) for line in one.get("lines", ()))
    goods = sum(line.goods_minor for line in lines if not line.gift_card)
    placed_at = datetime.fromisoformat(one.get("placed", PLACED)).astimezone(UTC)
    return OrderSnapshot(
        order_ref="7",
        number="#7",
        customer_ref="1",
        email=None,
        state=OrderState.PAID,
        goods=Money(amount(one["goods"]) if "goods" in one else goods, "EUR"),
        refunds=tuple(refund_of(place, refund) for place, refund in enumerate(one.get("refunds", ()))),
        codes_used=(),
        placed_at=placed_at,
        paid_at=placed_at,
        fulfilled_at=None,
        cancelled_at=None,
        updated_at=placed_at,
        test=False,
        lines=lines,
        shipping_minor=amount(one.get("shipping", "0")),
        shipping_tax_minor=amount(one.get("shipping_tax", "0")),
        tips_minor=amount(one.get("tips", "0")),
        channel=one.get("channel"),
    )


def document_of(example: Mapping[str, Any]) -> dict[str, Any]:
    document = default_document("Example", "EUR", "Europe/Berlin")
    document["earn"] |= example.get("earn", {})
    if "segments" in example:
        document["segments"] = example["segments"]
    check_document(document)
    return document


def known_of(example: Mapping[str, Any]) -> Known:
    return Known(
        number=example.get("number", 1),
        room=example.get("room", {}),
        spend_minor=amount(example.get("spent", "0")),
        member_days=example.get("member_days", 0),
        quiet_days=example.get("quiet_days"),
        goals={key: amount(text) for key, text in example.get("towards", {}).items()},
        tags=folded(example.get("tagged", ())),
        products={
            ref: tuple(
                [collection(one) for one in groups.get("collections", ())]
                + [tag(one) for one in groups.get("tags", ())]
            )
            for ref, groups in example.get("shop", {}).items()
        },
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"{one['group']}: {one['says']}" for one in EXAMPLES])
def test_the_example_holds(example: Mapping[str, Any]) -> None:
    program = decode(document_of(example), 1)
    terms = Terms(
        program=program,
        tier=program.tier(example.get("tier", "member")),
        known=known_of(example),
    )
    target = target_for_order(order_of(example["order"]), terms)
    assert target.points == example["points"]
    if "because" in example:
        assert order_sentence(target.facts, words=ENGLISH).replace("\u00a0", " ") == example["because"]


def test_every_example_is_told_apart() -> None:
    assert [says for says, count in Counter(one["says"] for one in EXAMPLES).items() if count > 1] == []
