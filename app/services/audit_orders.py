"""Every order and every activity: its owner holds its target, and nobody else holds anything of it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from app.db import activities, ledger, members, orders
from app.db.session import Session
from app.domain.settling import Held
from app.services.findings import Findings


class _Due(NamedTuple):
    """`owner` None: nobody's."""

    source: str
    owner: int | None
    points: int


def audit_orders(session: Session, findings: Findings) -> None:
    """An account that was merged away counts as the one it was merged into."""
    for page in orders.pages_of_targets(session):
        known = {one for row in page for one in (row.member_id, row.identity_member_id) if one is not None}
        winners = members.find_winners(session, sorted(known))
        for row in page:
            owner = None if row.member_id is None else winners.get(row.member_id, row.member_id)
            belongs = winners.get(row.identity_member_id, row.identity_member_id)
            if belongs != owner and (owner is not None or row.target_points):
                detail = f"is account {owner}'s, its customer is account {belongs}'s"
                findings.add(f"order:{row.id}", "owner", detail)
        due = [_Due(f"order:{row.id}", row.member_id, row.target_points) for row in page]
        _check(session, due, "order", findings)
        findings.looked_at("orders", len(page))


def audit_activities(session: Session, findings: Findings) -> None:
    """The same of activities; a referral is two of them."""
    for page in activities.pages_of_activities(session):
        due = [_Due(row.source, row.member_id, row.target_points) for row in page]
        _check(session, due, "activity", findings)
        findings.looked_at("activities", len(page))


def _check(session: Session, page: Sequence[_Due], what: str, findings: Findings) -> None:
    words = findings.words
    held = ledger.find_held(session, [one.source for one in page])
    known = {one for accounts in held.values() for one in accounts}
    known |= {one.owner for one in page if one.owner is not None}
    winners = members.find_winners(session, sorted(known))
    for one in page:
        owner = None if one.owner is None else winners.get(one.owner, one.owner)
        points = one.points if owner is not None else 0
        found = _by_open_account(held.get(one.source, {}), winners)
        if (given := found.pop(owner or 0, 0)) != points:
            detail = (
                f"the {what} is worth {words.points(points)}, account {owner} holds {words.amount(given)}"
            )
            findings.add(one.source, "held", detail)
        for account_id, more in found.items():
            if more:
                detail = f"account {account_id} holds {words.points(more)} of an {what} that is not its own"
                findings.add(one.source, "held_by_other", detail)


def _by_open_account(held: Mapping[int, Held], winners: Mapping[int, int]) -> dict[int, int]:
    points: dict[int, int] = {}
    for account_id, one in held.items():
        account = winners.get(account_id, account_id)
        points[account] = points.get(account, 0) + one.points
    return points
