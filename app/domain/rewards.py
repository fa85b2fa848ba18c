"""What a program offers for points: data only. `app.domain.redeeming` says who can have it, and at what price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.rules import ALWAYS, During, decode_during


class RewardKind(StrEnum):
    AMOUNT = "amount"
    PERCENT = "percent"
    FREE_SHIPPING = "free_shipping"
    PRODUCT = "product"
    STORE_CREDIT = "store_credit"
    GIFT_CARD = "gift_card"
    PERK = "perk"  # no code: the staff hand it over


# What a shopper has nothing to type in for.
CODELESS = frozenset({RewardKind.STORE_CREDIT, RewardKind.PERK})


class Combines(StrEnum):
    """The discounts beside which a code may be used."""

    ORDER = "order"
    PRODUCT = "product"
    SHIPPING = "shipping"


class LimitPer(StrEnum):
    DAY = "day"  # in the program's time zone
    MONTH = "month"
    YEAR = "year"
    MEMBER = "member"  # for ever


@dataclass(frozen=True, slots=True)
class Limit:
    """A member has the reward at most `times`; what was cancelled, expired or failed does not count."""

    times: int
    per: LimitPer

    def since(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The moment from which it counts, in UTC."""
        day = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        match self.per:
            case LimitPer.DAY:
                return day.astimezone(UTC)
            case LimitPer.MONTH:
                return day.replace(day=1).astimezone(UTC)
            case LimitPer.YEAR:
                return day.replace(month=1, day=1).astimezone(UTC)
            case LimitPer.MEMBER:
                return datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Any number of points in whole steps, each worth `amount_minor` of the program's currency."""

    points: int
    amount_minor: int
    minimum_points: int
    maximum_points: int | None  # None: as many as there are


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """What is given at one shop, in its own ids: a product, or one variant of it.

    `collection_ref`: something of it must be bought with the gift, where the shop can only give beside a purchase.
    """

    product_ref: str | None = None
    variant_ref: str | None = None
    collection_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    key: str
    title: str
    kind: RewardKind
    cost: int  # points; of one in steps, the least
    amount_minor: int | None = None  # program's currency
    steps: Steps | None = None
    percent: int | None = None
    maximum_minor: int | None = None  # of a percentage: no more off than this
    gifts: Mapping[str, Gift] | None = None  # by shop key
    minimum_spend_minor: int | None = None
    tier: str | None = None  # from this tier on
    shops: frozenset[str] = frozenset()  # shop keys; empty: all
    during: During = ALWAYS  # when it can be bought
    limits: tuple[Limit, ...] = ()
    stock: int | None = None  # in all; None: without end
    combines: tuple[Combines, ...] = ()
    prefix: str | None = None
    code_days: int | None = None  # None: as the program says

    def is_offered_at(self, shop_key: str) -> bool:
        if self.gifts is not None and shop_key not in self.gifts:
            return False
        return not self.shops or shop_key in self.shops

    def amount_for(self, points: int) -> int | None:
        """What it is worth for so many points, in the program's minor units; None: no amount of money."""
        if self.steps is None:
            return self.amount_minor
        return points // self.steps.points * self.steps.amount_minor

    def worth_of(self, points: int) -> int:
        """What so many points come to, spent on this alone, in the program's minor units; 0 for what is no money."""
        if self.steps is not None:
            return (self.amount_for(points) or 0) if points >= self.steps.minimum_points else 0
        return max(points, 0) // self.cost * (self.amount_minor or 0)


def decode_rewards(documents: Sequence[Mapping[str, Any]]) -> tuple[Reward, ...]:
    """The rewards of a document that passed its schema."""
    return tuple(_reward(one) for one in documents)


def _reward(document: Mapping[str, Any]) -> Reward:
    steps = _steps(document["steps"]) if "steps" in document else None
    return Reward(
        key=document["key"],
        title=document.get("title", ""),
        kind=RewardKind(document["kind"]),
        cost=steps.minimum_points if steps else document["cost"],
        amount_minor=document.get("amount_minor"),
        steps=steps,
        percent=document.get("percent"),
        maximum_minor=document.get("maximum_minor"),
        gifts={key: _gift(one) for key, one in document["gifts"].items()} if "gifts" in document else None,
        minimum_spend_minor=document.get("minimum_spend_minor"),
        tier=document.get("tier"),
        shops=frozenset(document.get("shops", ())),
        during=decode_during(document.get("during", {})),
        limits=tuple(Limit(one["times"], LimitPer(one["per"])) for one in document.get("limits", ())),
        stock=document.get("stock"),
        combines=tuple(sorted(Combines(one) for one in document.get("combines", ()))),
        prefix=document.get("prefix"),
        code_days=document.get("code_days"),
    )


def _steps(document: Mapping[str, Any]) -> Steps:
    return Steps(
        points=document["points"],
        amount_minor=document["amount_minor"],
        minimum_points=document.get("minimum_points", document["points"]),
        maximum_points=document.get("maximum_points"),
    )


def _gift(document: Mapping[str, str]) -> Gift:
    return Gift(
        product_ref=document.get("product"),
        variant_ref=document.get("variant"),
        collection_ref=document.get("with_collection"),
    )
