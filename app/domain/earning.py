"""What the ledger should hold for an order, and what is missing until it does."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from app.domain.calendar import days_later
from app.domain.counting import Facts, count_order
from app.domain.known import ALONE, Known
from app.domain.money import Money
from app.domain.orders import OrderSnapshot, OrderState
from app.domain.program import EarnWhen, ExpiryKind, Program
from app.domain.rules import PLAIN
from app.domain.tier_rules import Tier


class Zero(StrEnum):
    """Why an order is worth no points."""

    NOT_PAID = "not_paid"
    NOT_FULFILLED = "not_fulfilled"
    CANCELLED = "cancelled"
    GONE = "gone"
    BEFORE_START = "before_start"
    TEST_ORDER = "test_order"
    OTHER_MEMBER = "other_member"
    CHANNEL = "channel"
    BELOW_MINIMUM = "below_minimum"
    EXCLUDED_MEMBER = "excluded_member"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is fixed when an order is first counted: the program version, the member's tier, and what else was known."""

    program: Program
    tier: Tier
    known: Known = ALONE


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsTarget:
    """What the ledger should hold. `ready_at`: when the hold ends, None without one; `expires_at`: end of the lot."""

    points: int
    occurred_at: datetime
    ready_at: datetime | None
    expires_at: datetime | None
    facts: Facts = field(default_factory=dict)


def counted_at(order: OrderSnapshot, program: Program) -> datetime | None:
    """The moment from which the order counts, by the shop's clock; None: it does not (yet)."""
    if order.state is not OrderState.PAID or order.paid_at is None:
        return None
    return order.fulfilled_at if program.earn_when is EarnWhen.FULFILLED else order.paid_at


def target_for_order(order: OrderSnapshot, terms: Terms, *, excluded: Zero | None = None) -> PointsTarget:
    """What the ledger should hold for `order` under the `terms` fixed for it. Never negative.

    Raises: KeyError if the program has no rate for the order's currency (such an order has no terms).
    """
    program, tier = terms.program, terms.tier
    moment = counted_at(order, program)
    zero = excluded or _zero_reason(order, moment) or (Zero.BLOCKED if terms.known.blocked else None)
    net = order.goods - order.goods_refunded
    rate = program.rate_for(order.goods.currency)
    if rate is None:
        raise KeyError(order.goods.currency)
    finer: Facts = {}
    if program.rules == PLAIN:
        # The one rounding of an order: down, after every multiplication.
        points = net.minor * rate.points * tier.earn_percent // (rate.spend_minor * 100)
    else:
        counted = count_order(order, program, tier, terms.known)
        points, finer = counted.points, counted.facts
        zero = zero or (Zero(counted.why) if counted.why else None)
    points = 0 if zero else points
    occurred_at = moment or order.updated_at
    facts: dict[str, str | int] = {
        "rule": "order",
        "order": order.number,
        "version": program.version,
        "currency": net.currency,
        "goods": str(order.goods),
        "refunded": str(order.goods_refunded),
        "net": str(net),
        "points_per": rate.points,
        "spend": str(Money(rate.spend_minor, net.currency)),
        "tier": tier.key,
        "tier_name": tier.name,
        "earn_percent": tier.earn_percent,
        "target": points,
        **finer,
    }
    if zero:
        facts["zero"] = zero.value
    return PointsTarget(
        points=points,
        occurred_at=occurred_at,
        ready_at=occurred_at + timedelta(days=program.hold_days) if program.hold_days else None,
        expires_at=lot_expiry(program, occurred_at),
        facts=facts,
    )


def lot_expiry(program: Program, earned_at: datetime) -> datetime | None:
    """When points earned at `earned_at` expire: fixed in the lot, so that a later rule never shortens it."""
    if program.expiry is not ExpiryKind.AFTER_DAYS or program.expiry_days is None:
        return None
    return days_later(earned_at, program.expiry_days, program.zone)


def _zero_reason(order: OrderSnapshot, moment: datetime | None) -> Zero | None:
    match order.state:
        case OrderState.CANCELLED:
            return Zero.CANCELLED
        case OrderState.GONE:
            return Zero.GONE
        case OrderState.OPEN:
            return Zero.NOT_PAID
        case OrderState.PAID:
            if moment is not None:
                return None
            return Zero.NOT_PAID if order.paid_at is None else Zero.NOT_FULFILLED
