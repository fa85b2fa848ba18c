"""Targets become entries: what each account lacks of them is appended, in order, on locked books."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db import ledger, members
from app.db.session import Session
from app.domain.earning import PointsTarget
from app.domain.program import RefundPolicy
from app.domain.settling import Held, settle


@dataclass(slots=True, kw_only=True)
class Action:
    """One target to reach. `is_new`: the ledger cannot hold anything of its source. `moved`: points appended for it."""

    source: str
    target: PointsTarget
    owner: int | None
    policy: RefundPolicy
    is_new: bool = False
    moved: int = 0


def append_targets(
    session: Session, actions: Sequence[Action], now: datetime, *, beside: Callable[[], None] = lambda: None
) -> None:
    """Carry the actions out, in order, on locked books. `beside`: what is written while they are worked out."""
    if not actions:
        beside()
        return
    held = ledger.find_held(session, sorted({action.source for action in actions if not action.is_new}))
    holders = {account for accounts in held.values() for account in accounts}
    winners = members.find_winners(session, sorted(holders))
    owners = {action.owner for action in actions if action.owner is not None}
    debited = _debited(actions, held, winners)
    closed = set(winners) if debited else set()  # points of the orders may have expired there
    books = ledger.lock_books(
        session,
        owners | {winners.get(one, one) for one in holders} | closed,
        lots_of=debited | closed,
        origins={action.source for action in actions} if debited else (),
    )
    with session.ahead():
        beside()
        for action in actions:
            mine = held.setdefault(action.source, {})
            before = sum(one.points for one in mine.values())
            settle(
                action.source,
                action.target,
                books,
                mine,
                owner=action.owner,
                counts_as=winners,
                policy=action.policy,
                now=now,
            )
            action.moved = sum(one.points for one in mine.values()) - before
        ledger.write_books(session, books.values())
    if moved := [books[one] for one in sorted(closed) if one in books and books[one].appended]:
        ledger.share_lifetimes(session, moved)


def _debited(
    actions: Sequence[Action], held: Mapping[str, Mapping[int, Held]], winners: Mapping[int, int]
) -> set[int]:
    """Accounts that this batch may take points from: only they need their lots."""
    debited: set[int] = set()
    highest: dict[str, int] = {}  # what an action before it in this batch brought the order to
    for action in actions:
        accounts = held.get(action.source, {})
        ours = {one for one in accounts if winners.get(one, one) == action.owner}
        debited |= {winners.get(one, one) for one in accounts if one not in ours and accounts[one].points}
        # Not what all hold together: a stranger may owe, where a merge was undone.
        mine = sum(accounts[one].points for one in ours)
        before = max(mine, highest.get(action.source, 0))
        if action.owner is not None and (
            action.target.points < before or any(one.written_off for one in accounts.values())
        ):
            debited.add(action.owner)
        highest[action.source] = max(before, action.target.points)
    return debited
