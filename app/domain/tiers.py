"""Which tier a member's orders give at a moment. Pure; what is recorded as granted comes in as `floors`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from app.domain.calendar import end_of_day, months_after, start_of_year
from app.domain.program import Program
from app.domain.spending import Membership, OrderKey, Qualifying, SpendFact, SpendHistory, lies_before
from app.domain.tier_rules import Downgrade, Tier, Window

PROMISED_MONTHS = 12  # the longest that a level is kept against new rules

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TierFloor:
    """A tier recorded as the member's for a time, whatever the orders say: grace, step, promise, manual.

    `withdrawn`: staff took it back before its time.
    """

    tier_key: str
    from_at: datetime
    until_at: datetime | None
    cause: str = "grace"
    withdrawn: bool = False

    def covers(self, at: datetime) -> bool:
        return self.from_at <= at and (self.until_at is None or at < self.until_at)


def memberships(
    facts: Iterable[SpendFact], zone: ZoneInfo, *, at: datetime | None = None, before: OrderKey | None = None
) -> list[TierFloor]:
    """The times for which levels were bought. What is bought while one runs adds to its end.

    Each lasts to the end of its last local day. One that went back ends there, and what follows it begins then.
    """
    facts = facts.selling() if isinstance(facts, SpendHistory) else facts
    facts = [fact for fact in facts if fact.memberships]
    if not facts:
        return []
    bought = sorted(
        (
            (fact.counted_at, fact.order_key, _ended(one, fact))
            for fact in facts
            for one in fact.memberships
            if at is None or (fact.counted_at <= at and lies_before(fact, at, before))
        ),
        key=lambda one: one[:2],
    )
    found: list[TierFloor] = []
    ends: dict[str, datetime] = {}
    for counted_at, _, one in bought:
        start = max(counted_at, ends.get(one.tier_key, counted_at))
        # A time that ends with a day is followed by one that begins with the next: that day is not lost.
        first = (start - _INSTANT if start > counted_at else start).astimezone(zone).date()
        end = end_of_day(first + timedelta(days=one.days), zone)
        if one.gone_at is not None and one.gone_at < end:
            end = max(one.gone_at, start)
        if end > start:
            found.append(TierFloor(tier_key=one.tier_key, from_at=start, until_at=end, cause="paid"))
            ends[one.tier_key] = end
    return found


def _ended(one: Membership, fact: SpendFact) -> Membership:
    moments = [moment for moment in (one.gone_at, fact.void_at) if moment is not None]
    return replace(one, gone_at=min(moments)) if moments else one


# --- What it gives -----------------------------------------------------------------------------------------


def _history(facts: Iterable[SpendFact]) -> SpendHistory:
    return facts if isinstance(facts, SpendHistory) else SpendHistory(facts)


def _rank_for(found: Qualifying, program: Program) -> int:
    """That of the highest level of which any threshold is reached."""
    for rank in range(len(program.tiers) - 1, 0, -1):
        for measure, threshold in program.tiers[rank].thresholds.items():
            if found.of(measure) >= threshold:
                return rank
    return 0


def tier_at(
    facts: Iterable[SpendFact],
    floors: Sequence[TierFloor],
    *,
    program: Program,
    at: datetime,
    before: OrderKey | None = None,
) -> Tier:
    """The tier at that moment: what the orders give, or one that was recorded or bought if that is higher.

    To ask more than once of the same orders, hand them over as a `SpendHistory`.
    """
    history = _history(facts)
    found = history.qualifying(program=program, at=at, before=before)
    bought = memberships(history, program.zone, at=at, before=before)
    return tier_of(found, (*floors, *bought) if bought else floors, program=program, at=at)


def tier_of(
    found: Iterable[Qualifying], floors: Iterable[TierFloor], *, program: Program, at: datetime
) -> Tier:
    """The tier at that moment of whose orders come to `found` in each of the `spans`. `floors`: recorded or bought."""
    rank = max(_rank_for(one, program) for one in found)
    for floor in floors:
        if floor.covers(at):
            rank = max(rank, program.rank(floor.tier_key))
    return program.tiers[rank]


def highest_since(
    facts: Iterable[SpendFact], floors: Sequence[TierFloor], *, program: Program, since: datetime
) -> Tier:
    """The highest tier at any moment from `since` on, as far as is known.

    What is given rises only where an order is counted or a recorded or bought tier begins, so those moments are
    looked at.
    """
    history = _history(facts)
    known = (*floors, *memberships(history, program.zone))
    begins = {fact.counted_at for fact in history} | {floor.from_at for floor in known}
    moments = {since, *(moment for moment in begins if moment > since)}
    reached = (tier_at(history, floors, program=program, at=moment) for moment in moments)
    return max(reached, key=lambda tier: program.rank(tier.key))


def next_tier(current: Tier, program: Program) -> Tier | None:
    """The next one above that orders can reach."""
    above = program.tiers[program.rank(current.key) + 1 :]
    return next((tier for tier in above if tier.thresholds), None)


# --- What is lost, and what is kept ------------------------------------------------------------------------


def falls_to(current: Tier, reached: Tier, program: Program) -> Tier:
    """Where a member of `current` goes who now reaches only `reached`."""
    if program.downgrade is Downgrade.TO_LEVEL:
        return reached
    between = program.tiers[program.rank(reached.key) + 1 : max(program.rank(current.key), 0)]
    return next((tier for tier in reversed(between) if tier.thresholds), reached)


def step_until(program: Program, at: datetime) -> datetime:
    """How long the level one step down holds, taken at `at`: the rest of the year, or one rolling window."""
    local = at.astimezone(program.zone)
    if program.window is Window.CALENDAR_YEAR:
        return start_of_year(local.year + 1, program.zone)
    return end_of_day(months_after(local.date(), program.tier_months), program.zone)


def lapses_at(
    facts: Iterable[SpendFact], floors: Sequence[TierFloor], *, program: Program, tier_key: str, at: datetime
) -> datetime:
    """How long what was bought up to `at` would give that tier under `program`; at most `PROMISED_MONTHS` on.

    `at` itself if it does not give it even then. To the end of the day.
    """
    history = _history(facts)
    rank = program.rank(tier_key)
    zone = program.zone
    last = end_of_day(months_after(at.astimezone(zone).date(), PROMISED_MONTHS), zone)
    for moment in sorted({at, *_lapses(history, floors, program, at)}):
        if moment >= last:
            break
        if program.rank(tier_at(history, floors, program=program, at=moment).key) < rank:
            return moment
    return last


def _lapses(
    facts: SpendHistory, floors: Sequence[TierFloor], program: Program, at: datetime
) -> Iterator[datetime]:
    """The moments after `at` at which something may stop counting."""
    zone = program.zone
    ends = [floor.until_at for floor in (*floors, *memberships(facts, zone)) if floor.until_at is not None]
    match program.window:
        case Window.ROLLING:
            days = {fact.counted_at.astimezone(zone).date() for fact in facts}
            ends += [_counts_until(day, program.tier_months, program.timezone) for day in days]
        case Window.CALENDAR_YEAR:
            year = at.astimezone(zone).year
            ends += [start_of_year(year + 1, zone), start_of_year(year + 2, zone)]
        case Window.LIFETIME:
            pass
    yield from (end for end in ends if end > at)


@lru_cache(maxsize=4096)
def _counts_until(day: date, months: int, timezone: str) -> datetime:
    """The end of the rolling window for what was counted that day: many members ask for the same few."""
    return end_of_day(months_after(day, months), ZoneInfo(timezone))


def earns_entry(
    facts: Sequence[SpendFact], floors: Sequence[TierFloor], *, program: Program, tier_key: str
) -> bool:
    """Whether the level was ever reached by what has not gone back, or given by staff, or bought.

    A level that lapsed was reached all the same. One that only stood on orders that went back was not.
    """
    if any(
        floor.cause == "manual" and floor.tier_key == tier_key and not floor.withdrawn for floor in floors
    ):
        return True
    kept = [_net(fact) for fact in facts if fact.void_at is None]
    if any(one.tier_key == tier_key for fact in kept for one in fact.memberships):
        return True
    rank = program.rank(tier_key)
    history = SpendHistory(kept)
    return any(
        _rank_for(found, program) >= rank
        for at in {fact.counted_at for fact in kept}
        for found in history.qualifying(program=program, at=at)
    )


def _net(fact: SpendFact) -> SpendFact:
    return replace(
        fact,
        goods_minor=fact.goods_minor - sum(minor for _, minor in fact.refunds),
        refunds=(),
        points=fact.points - sum(points for _, points in fact.points_back),
        points_back=(),
        memberships=tuple(one for one in fact.memberships if one.gone_at is None),
    )


def entries_for(before: Tier, after: Tier, program: Program) -> list[Tier]:
    """The levels whose entry reward a rise from `before` to `after` brings: those that it passes, too.

    So it does not matter in which order orders are told. What can only be given or bought is not passed.
    """
    passed = program.tiers[max(program.rank(before.key), 0) + 1 : program.rank(after.key) + 1]
    return [tier for tier in passed if tier.entry_points and (tier.thresholds or tier.key == after.key)]


def same_levels(one: Program, other: Program) -> bool:
    """Whether both give every member the same level, whatever they did."""

    def rules(program: Program) -> object:
        levels = [(tier.key, dict(tier.thresholds)) for tier in program.tiers]
        zone = None if program.window is Window.LIFETIME else program.timezone
        return levels, program.window, program.tier_months, zone

    return rules(one) == rules(other)
