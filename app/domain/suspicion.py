"""What a program looks at twice: signals of abuse, each a count of facts in a window, and what follows. Data only.

None of them proves anything: a person looks. `app.db.suspicion` counts, `app.services.look_for_abuse` asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

_GMAIL = frozenset({"gmail.com", "googlemail.com"})


class SignalKind(StrEnum):
    ORDERS = "orders"  # that earn
    REDEMPTIONS = "redemptions"
    ACTIVITIES = "activities"  # that earn
    SELF_REFERRAL = "self_referral"  # friends whose address reaches the referrer's own mailbox
    SIGN_UPS = "sign_ups"  # spellings of one mailbox that joined
    REFUNDS = "refunds"  # orders given back whole, and their share of all
    SPENT_THEN_REFUNDED = "spent_then_refunded"  # orders given back once their points were spent


class Action(StrEnum):
    OFF = "off"
    WATCH = "watch"  # staff see it
    HOLD = "hold"  # and until they decided, the member's points stay and cannot be spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Seen in whoever has more than `more_than` within the window, and at least `percent` of all of that kind."""

    kind: SignalKind
    action: Action
    more_than: int
    within: timedelta
    percent: int = 0


# Far above what an honest heavy buyer does: each was chosen so that only a machine or a scheme gets there. What an
# honest person may well do by the dozen, buying, spending and giving back, is only shown.
_DAY, _MONTH, _QUARTER = timedelta(hours=24), timedelta(days=30), timedelta(days=90)
DEFAULTS = (
    Signal(kind=SignalKind.ORDERS, action=Action.WATCH, more_than=30, within=_DAY),
    Signal(kind=SignalKind.REDEMPTIONS, action=Action.WATCH, more_than=20, within=_DAY),
    Signal(kind=SignalKind.ACTIVITIES, action=Action.HOLD, more_than=40, within=_DAY),
    Signal(kind=SignalKind.SELF_REFERRAL, action=Action.HOLD, more_than=0, within=_QUARTER),
    Signal(kind=SignalKind.SIGN_UPS, action=Action.HOLD, more_than=3, within=_MONTH),
    Signal(kind=SignalKind.REFUNDS, action=Action.WATCH, more_than=4, within=_QUARTER, percent=75),
    Signal(kind=SignalKind.SPENT_THEN_REFUNDED, action=Action.HOLD, more_than=2, within=_QUARTER),
)


def decode_review(document: Mapping[str, Any]) -> tuple[Signal, ...]:
    """The signals that are on, of a document that passed its schema; none without the group."""
    told: Mapping[str, Mapping[str, Any]] | None = document.get("review")
    if told is None:
        return ()
    found = (_signal(one, told.get(one.kind, {})) for one in DEFAULTS)
    return tuple(one for one in found if one.action is not Action.OFF)


def _signal(usual: Signal, told: Mapping[str, Any]) -> Signal:
    within = usual.within
    if "within_hours" in told:
        within = timedelta(hours=told["within_hours"])
    elif "within_days" in told:
        within = timedelta(days=told["within_days"])
    return Signal(
        kind=usual.kind,
        action=Action(told.get("action", usual.action)),
        more_than=told.get("more_than", usual.more_than),
        within=within,
        percent=told.get("percent", usual.percent),
    )


def mailbox(email: str) -> str:
    """The mailbox that an address reaches: without what follows a “+”, and at Gmail without dots.

    Others may tell `a+b` from `a`, so two of one mailbox are a reason to look, never proof of one person.
    """
    local, _, host = email.strip().casefold().rpartition("@")
    local = local.partition("+")[0] or local
    if host in _GMAIL:
        local, host = local.replace(".", ""), "gmail.com"
    return f"{local}@{host}"
