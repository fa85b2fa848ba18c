"""Signals of abuse in plain sentences: what a program looks for, and what was noticed. English, as the admin is."""

from collections.abc import Iterator, Mapping
from typing import Any, assert_never

from app.domain.program import Program
from app.domain.suspicion import Action, Signal, SignalKind
from app.domain.words import NBSP
from app.services.describe_rules import RuleWords


def noticed(signals: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A sentence a signal, with the figure it was judged by."""
    for kind in SignalKind:
        if kind in signals:
            told = signals[kind]
            limit = f" More than {told['more_than']} are looked at." if told["more_than"] else ""
            yield f"{_what(kind, told)} {_within(told['hours'])}.{limit}"


def _what(kind: SignalKind, told: Mapping[str, Any]) -> str:
    n = told["n"]
    match kind:
        case SignalKind.ORDERS:
            return f"{_some(n, 'order')} that earn"
        case SignalKind.REDEMPTIONS:
            return f"{_some(n, 'reward')} bought"
        case SignalKind.ACTIVITIES:
            return f"{_some(n, 'activity', 'activities')} that earned"
        case SignalKind.SELF_REFERRAL:
            others = ", ".join(str(one) for one in told["with"])
            return f"Brought, or was brought by, who has the same mailbox: member {others},"
        case SignalKind.SIGN_UPS:
            return f"{n} spellings of one mailbox joined"
        case SignalKind.REFUNDS:
            return f"{n} of {_some(told['of'], 'order')} given back whole"
        case SignalKind.SPENT_THEN_REFUNDED:
            return f"{_some(n, 'order')} given back after what they earned had been spent,"
    assert_never(kind)


def describe_signals(program: Program) -> list[RuleWords]:
    """What this version looks for, and what follows. Their kind is `review`."""
    return [RuleWords("review", _NAMES[one.kind], _rule(one)) for one in program.signals]


_NAMES = {
    SignalKind.ORDERS: "Many orders",
    SignalKind.REDEMPTIONS: "Many redemptions",
    SignalKind.ACTIVITIES: "Many activities",
    SignalKind.SELF_REFERRAL: "Bringing oneself",
    SignalKind.SIGN_UPS: "Many accounts",
    SignalKind.REFUNDS: "Much given back",
    SignalKind.SPENT_THEN_REFUNDED: "Spent, then given back",
}


_LOOKED_FOR = {
    SignalKind.ORDERS: "orders that earn",
    SignalKind.REDEMPTIONS: "rewards bought",
    SignalKind.ACTIVITIES: "activities that earn",
    SignalKind.SELF_REFERRAL: "friends brought who have the member’s own mailbox",
    SignalKind.SIGN_UPS: "spellings of one mailbox that join",
    SignalKind.REFUNDS: "orders given back whole",
    SignalKind.SPENT_THEN_REFUNDED: "orders given back after what they earned was spent",
}


def _rule(signal: Signal) -> str:
    share = f", and {signal.percent}{NBSP}% of all," if signal.percent else ""
    hours = signal.within.days * 24 + signal.within.seconds // 3600
    count = (
        f"more than {signal.more_than} {_LOOKED_FOR[signal.kind]}"
        if signal.more_than
        else f"any {_LOOKED_FOR[signal.kind]}"
    )
    after = "nothing can be spent until staff decided" if signal.action is Action.HOLD else "staff see it"
    return f"{count}{share} {_within(hours)}: {after}"


def _within(hours: int) -> str:
    return (
        f"within {_some(hours // 24, 'day')}"
        if hours % 24 == 0 and hours > 24
        else f"within {_some(hours, 'hour')}"
    )


def _some(n: int, one: str, many: str = "") -> str:
    return f"{n} {one if n == 1 else many or one + 's'}"
