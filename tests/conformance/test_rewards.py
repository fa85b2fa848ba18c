"""Every example of rewards.toml, which a merchant can read: what is taken, what is refused, what a shop is asked for."""

import tomllib
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.domain.calendar import days_later
from app.domain.errors import Refused
from app.domain.program import Program, decode, default_document
from app.domain.redeeming import Bought, Had, quote
from app.domain.rewards import RewardKind
from app.services.check_document import check_document
from app.services.wording import ENGLISH, bought_title
from connectors.base import CodeKind, CodeSpec
from connectors.registry import CONNECTORS
from connectors.shopify import codes as shopify_codes
from connectors.woocommerce import codes as woo_codes

EXAMPLES = tomllib.loads(Path(__file__).with_name("rewards.toml").read_text())["example"]
NOW = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)


def program_of(example: Mapping[str, Any]) -> Program:
    document = default_document("Example", "EUR", "Europe/Berlin")
    document["rewards"] = [{"key": "it", **example["reward"]}]
    check_document(document)
    return decode(document, 1)


def buy(example: Mapping[str, Any], program: Program) -> Bought:
    return quote(
        program.rewards[0],
        program=program,
        tier_key=example.get("tier", "member"),
        available=example.get("has", 1000),
        words=ENGLISH,
        shop_key="shop",
        shop_currency="EUR",
        had=Had(
            at=[datetime.fromisoformat(at).astimezone(UTC) for at in example.get("had", ())],
            by_all=example.get("gone", 0),
        ),
        now=NOW,
        points=example.get("offers"),
    )


def spec_of(bought: Bought, program: Program) -> CodeSpec:
    return CodeSpec(
        code="LRLABCDEFGH23456789",
        kind=CodeKind(bought.kind.value),
        amount=bought.amount,
        percent=bought.percent,
        maximum=bought.maximum,
        gift=bought.gift,
        combines=frozenset(bought.combines),
        minimum_spend=bought.minimum_spend,
        customer_ref="7",
        starts_at=NOW,
        expires_at=days_later(NOW, program.code_days, program.zone),
        tag="laurel-1",
        title="Example",
    )


def asked_of(platform: str, spec: CodeSpec) -> Mapping[str, Any]:
    """What the shop would be sent."""
    if platform == "woocommerce":
        return woo_codes.coupon_body(spec, "alice@example.test")
    makers = {CodeKind.GIFT_CARD: shopify_codes.card_body, CodeKind.STORE_CREDIT: shopify_codes.credit_body}
    return makers.get(spec.kind, shopify_codes.body)(spec)


def field(body: Mapping[str, Any], path: str) -> Any:
    value: Any = body
    for name in path.split("."):
        value = value[name]
    return value


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"{one['group']}: {one['says']}" for one in EXAMPLES])
def test_the_example_holds(example: Mapping[str, Any]) -> None:
    program = program_of(example)
    if "refused" in example:
        with pytest.raises(Refused) as refused:
            buy(example, program)
        assert refused.value.detail == example["refused"]
        return
    bought = buy(example, program)
    assert bought.cost == example["costs"]
    if "title" in example:
        assert bought_title(bought).replace("\u00a0", " ") == example["title"]
    if bought.kind is RewardKind.PERK:
        return
    spec = spec_of(bought, program)
    for platform in ("shopify", "woocommerce"):
        why = CONNECTORS[platform].why_not(spec)
        if (cannot := example.get(f"{platform}_cannot")) is not None:
            assert why is not None
            assert cannot in why
            with pytest.raises(Refused, match=r"^unsupported"):
                asked_of(platform, spec)
        elif platform in example:
            assert why is None
            body = asked_of(platform, spec)
            assert {path: field(body, path) for path in example[platform]} == example[platform]


def test_every_example_is_told_apart_and_says_what_comes_of_it() -> None:
    assert [says for says, count in Counter(one["says"] for one in EXAMPLES).items() if count > 1] == []
    assert all(("costs" in one) != ("refused" in one) for one in EXAMPLES)


def test_every_kind_has_an_example() -> None:
    assert {one["reward"]["kind"] for one in EXAMPLES} == {kind.value for kind in RewardKind}
