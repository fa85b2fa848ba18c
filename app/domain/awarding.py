"""What the ledger should hold for an activity, a referral's two sides included. Pure; explained as orders are."""

from calendar import isleap
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from app.domain.activities import REFERRAL, ActivityRule, Side
from app.domain.calendar import months_before
from app.domain.counting import Facts
from app.domain.earning import PointsTarget, lot_expiry
from app.domain.errors import Refused
from app.domain.money import Money
from app.domain.program import Program
from app.domain.words import Words

BIRTHDAYS_APART_MONTHS = 11
"""Moving one's birthday brings no second one sooner than this, whatever the calendar says."""


LEAP_DAY = "02-29"


class Withheld(StrEnum):
    """Why an activity is worth no points."""

    TAKEN_BACK = "taken_back"
    ONCE = "once"  # the same person has it already
    LIMIT = "limit"
    NOT_NOW = "not_now"  # outside the times of its rule
    BLOCKED = "blocked"
    # Of signing up
    BACK_FILL = "back_fill"  # a member by an order from before the shop was connected
    KNOWN_BEFORE = "known_before"  # an address or a customer that had it, or that was erased
    # Of a birthday
    TOO_SOON = "too_soon"
    # Of a referral
    WAITS = "waits"  # no order yet
    NOT_NEW = "not_new"  # the friend had ordered before they were brought
    NOT_COUNTED = "not_counted"  # the friend's first order is not paid, or no more
    BELOW_MINIMUM = "below_minimum"
    SAME_PERSON = "same_person"
    GONE = "gone"  # who brought the friend was erased before


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstOrder:
    """A friend's first counted order, as far as a referral looks at it.

    `counts_at`: its counting moment, None while it has none. `left`: what is left of its goods, in the program's
    currency.
    """

    number: str
    placed_at: datetime
    counts_at: datetime | None
    blocked: bool  # the friend was, when it was placed
    left: Money
    hold_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A referral as it stands now. `doubled`: the friend was brought before, by an earlier referral."""

    at: datetime
    same_person: bool
    doubled: bool
    order: FirstOrder | None


def target_for_activity(
    rule: ActivityRule, program: Program, *, occurred_at: datetime, zero: Withheld | None
) -> PointsTarget:
    """What the ledger should hold for an activity under the `program` version fixed for it. Never negative."""
    points = 0 if zero else rule.points
    facts: dict[str, str | int] = {
        "rule": "activity",
        "activity": rule.key,
        "kind": rule.kind.value,
        "name": rule.name,
        "version": program.version,
        "points": rule.points,
        "target": points,
    }
    if zero:
        facts["zero"] = zero.value
    if zero is Withheld.LIMIT and rule.limit is not None:
        facts |= {"limit": rule.limit.times, "limit_per": rule.limit.per.value}
    return PointsTarget(
        points=points,
        occurred_at=occurred_at,
        ready_at=occurred_at + timedelta(days=rule.hold_days) if rule.hold_days else None,
        expires_at=lot_expiry(program, occurred_at),
        facts=facts,
    )


def target_for_referral(
    side: Side, program: Program, brought: Brought, *, zero: Withheld | None
) -> PointsTarget:
    """What one side of a referral is worth now. `zero`: a reason that was fixed for this side.

    `program`: the version fixed when the friend was brought; the order's hold is that of its own version.
    """
    rule = program.referral
    zero = zero or why_nothing(program, brought)
    points = 0 if zero or rule is None else rule.points(side)
    order = brought.order
    occurred_at = brought.at if order is None or order.counts_at is None else order.counts_at
    facts: dict[str, str | int] = {
        "rule": REFERRAL,
        "side": side.value,
        "version": program.version,
        "points": 0 if rule is None else rule.points(side),
        "target": points,
    }
    if order is not None and side is Side.FRIEND:  # what a friend bought is no business of who brought them
        facts["order"] = order.number
    if rule is not None and rule.minimum_minor is not None:
        facts["minimum"] = str(Money(rule.minimum_minor, program.currency))
    if zero:
        facts["zero"] = zero.value
    if zero is Withheld.LIMIT and rule is not None and rule.limit is not None:
        facts |= {"limit": rule.limit.times, "limit_per": rule.limit.per.value}
    hold = order.hold_days if order is not None else 0
    return PointsTarget(
        points=points,
        occurred_at=occurred_at,
        ready_at=occurred_at + timedelta(days=hold) if hold else None,
        expires_at=lot_expiry(program, occurred_at),
        facts=facts,
    )


def why_nothing(program: Program, brought: Brought) -> Withheld | None:
    """Why neither side gets anything as things stand; None: both do, unless something was fixed for one."""
    order, rule = brought.order, program.referral
    if brought.same_person:
        return Withheld.SAME_PERSON
    if brought.doubled:
        return Withheld.ONCE
    if order is None:
        return Withheld.WAITS
    if order.placed_at < brought.at:
        return Withheld.NOT_NEW
    if order.blocked:
        return Withheld.BLOCKED
    if order.counts_at is None:
        return Withheld.NOT_COUNTED
    least = max(rule.minimum_minor or 1, 1) if rule is not None else 1
    return Withheld.BELOW_MINIMUM if order.left.minor < least else None


def is_birthday_too_soon(last: datetime | None, moment: datetime, program: Program) -> bool:
    """Whether the last birthday that was given lies less than eleven months back."""
    return last is not None and last > months_before(moment, BIRTHDAYS_APART_MONTHS, program.zone)


def birthdays_on(day: date) -> tuple[str, ...]:
    """The birthdays ("MM-DD") that are kept on a day. Who was born on 29 February keeps the 28th in other years."""
    own = f"{day.month:02d}-{day.day:02d}"
    return (own, LEAP_DAY) if own == "02-28" and not isleap(day.year) else (own,)


def read_birthday(text: str) -> str:
    """A day of the year as "MM-DD". Raises: Refused("bad_birthday")."""
    try:
        date.fromisoformat(f"2000-{text}")  # a year that has every day
    except ValueError:
        raise Refused("bad_birthday", f"“{text[:20]}” is no day of the year: write it as 02-28.") from None
    return text


def activity_words(facts: Facts, words: Words) -> str:
    """What it is called, for people. What was let off names it too."""
    if "side" in facts:
        friend = facts["side"] == Side.REFERRER
        return words.say("activity.friend_ordered" if friend else "activity.invited")
    return str(facts.get("name") or words.say("activity.any"))


def is_activity(facts: Facts) -> bool:
    return facts.get("rule") in ("activity", REFERRAL)
