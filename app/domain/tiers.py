"""Which tier a member's orders give at a moment. Pure; what is recorded as granted comes in as `floors`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.calendar import months_before
from app.domain.program import Program, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendFact:
    """One counted order as far as tiers look at it. Amounts in the program's currency, minor units."""

    order_key: tuple[int, str]  # (shop id, order_ref): breaks ties
    counted_at: datetime  # its counting moment, the shop's clock
    goods_minor: int
    refunds: tuple[tuple[datetime, int], ...]  # (when, how much of the goods)
    void_at: datetime | None  # cancelled or gone since


@dataclass(frozen=True, slots=True, kw_only=True)
class TierFloor:
    """A tier recorded as the member's for a time, whatever the orders say: grace, manual, bought."""

    tier_key: str
    from_at: datetime
    until_at: datetime | None


def qualifying_spend(
    facts: Iterable[SpendFact], *, program: Program, at: datetime, before: tuple[int, str] | None = None
) -> int:
    """What the orders counted before `at` add up to, in the program's minor units.

    Counted inside the rolling window, less refunds and voids dated before `at`. `before` names the order whose
    tier is asked for: an order counted at the very same moment lies before it if its key is smaller.
    """
    start = months_before(at, program.tier_months, program.zone)
    total = 0
    for fact in facts:
        if not start < fact.counted_at <= at or fact.order_key == before:
            continue
        if fact.counted_at == at and before is not None and fact.order_key > before:
            continue
        total += _spend_at(fact, at)
    return total


def tier_for(spend_minor: int, program: Program) -> Tier:
    """The highest tier that begins at or below `spend_minor`."""
    return next(tier for tier in reversed(program.tiers) if tier.from_minor <= max(spend_minor, 0))


def tier_at(
    facts: Iterable[SpendFact],
    floors: Sequence[TierFloor],
    *,
    program: Program,
    at: datetime,
    before: tuple[int, str] | None = None,
) -> Tier:
    """The tier at that moment: what the orders give, or a recorded one if that is higher."""
    best = tier_for(qualifying_spend(facts, program=program, at=at, before=before), program)
    for floor in floors:
        if floor.from_at <= at and (floor.until_at is None or at < floor.until_at):
            granted = program.tier(floor.tier_key)
            if program.rank(granted.key) > program.rank(best.key):
                best = granted
    return best


def highest_since(
    facts: Sequence[SpendFact], floors: Sequence[TierFloor], *, program: Program, since: datetime
) -> Tier:
    """The highest tier at any moment from `since` on, as far as is known.

    What is given rises only where an order is counted or a recorded tier begins, so those moments are looked at.
    """
    begins = {fact.counted_at for fact in facts} | {floor.from_at for floor in floors}
    moments = {since, *(moment for moment in begins if moment > since)}
    reached = (tier_at(facts, floors, program=program, at=moment) for moment in moments)
    return max(reached, key=lambda tier: program.rank(tier.key))


def next_tier(current: Tier, program: Program) -> Tier | None:
    rank = program.rank(current.key)
    return program.tiers[rank + 1] if rank + 1 < len(program.tiers) else None


def _spend_at(fact: SpendFact, at: datetime) -> int:
    if fact.void_at is not None and fact.void_at < at:
        return 0
    return max(fact.goods_minor - sum(minor for when, minor in fact.refunds if when < at), 0)
