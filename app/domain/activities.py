"""What a program says of earning without an order of one's own: activities, and bringing a friend. Data only.

`app.domain.awarding` says what each is worth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.rules import ALWAYS, During, decode_during


class ActivityKind(StrEnum):
    SIGN_UP = "sign_up"
    BIRTHDAY = "birthday"
    NEWSLETTER = "newsletter"
    REVIEW = "review"
    PROFILE = "profile"
    CUSTOM = "custom"


ONCE = frozenset({ActivityKind.SIGN_UP, ActivityKind.NEWSLETTER, ActivityKind.PROFILE})
"""Once for a person, for ever, by what they are."""

BY_ITSELF = frozenset({ActivityKind.SIGN_UP, ActivityKind.BIRTHDAY})
"""Given without being told: nobody may tell us of one."""


REFERRAL = "referral"
"""The activity that a referral is booked as, on both sides."""


class Side(StrEnum):
    """Of a referral; the kinds of the two activities that it is booked as."""

    REFERRER = "referrer"
    FRIEND = "friend"


class LimitPer(StrEnum):
    DAY = "day"  # local days, months and years of the program's time zone
    MONTH = "month"
    YEAR = "year"
    MEMBER = "member"  # for ever


@dataclass(frozen=True, slots=True)
class Limit:
    times: int
    per: LimitPer

    def period(self, moment: datetime, zone: ZoneInfo) -> tuple[int, ...]:
        """What must be equal for two moments to share this limit."""
        day = moment.astimezone(zone).date()
        match self.per:
            case LimitPer.DAY:
                return (day.year, day.month, day.day)
            case LimitPer.MONTH:
                return (day.year, day.month)
            case LimitPer.YEAR:
                return (day.year,)
            case LimitPer.MEMBER:
                return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRule:
    key: str
    name: str
    kind: ActivityKind
    points: int
    limit: Limit | None = None
    hold_days: int = 0
    during: During = ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralRule:
    """What both sides get for a friend's first order. `limit`: how many friends the referrer is rewarded for."""

    referrer_points: int
    friend_points: int
    minimum_minor: int | None = None  # what is left of that order's goods, in the program's currency
    limit: Limit | None = None

    def points(self, side: Side) -> int:
        return self.referrer_points if side is Side.REFERRER else self.friend_points


def slot_of(rule: ActivityRule, moment: datetime, zone: ZoneInfo) -> str | None:
    """What a person has once: two activities of one slot are one award. None: as often as its limit lets."""
    if rule.kind is ActivityKind.SIGN_UP:
        return rule.kind.value  # whatever the rule is called from one version to the next
    if rule.kind in ONCE:
        return f"{rule.kind}:{rule.key}"
    if rule.kind is ActivityKind.BIRTHDAY:
        return f"{rule.kind}:{moment.astimezone(zone).year}"
    return None


def decode_activities(document: Mapping[str, Any]) -> tuple[ActivityRule, ...]:
    """The activities of a document that passed its schema."""
    return tuple(
        ActivityRule(
            key=one["key"],
            name=one["name"],
            kind=ActivityKind(one["kind"]),
            points=one["points"],
            limit=_limit(one.get("limit")),
            hold_days=one.get("hold_days", 0),
            during=decode_during(one.get("during", {})),
        )
        for one in document.get("activities", ())
    )


def decode_referral(document: Mapping[str, Any]) -> ReferralRule | None:
    found: Mapping[str, Any] | None = document.get("referral")
    if found is None:
        return None
    return ReferralRule(
        referrer_points=found["referrer_points"],
        friend_points=found["friend_points"],
        minimum_minor=found.get("minimum_minor"),
        limit=_limit(found.get("limit")),
    )


def _limit(document: Mapping[str, Any] | None) -> Limit | None:
    return Limit(document["times"], LimitPer(document["per"])) if document else None
