"""Every order: its owner holds its target, and nobody else holds anything of it."""

from collections.abc import Mapping

from app.db import ledger, members, orders
from app.db.session import Session
from app.domain.settling import Held
from app.services.findings import Findings


def audit_orders(session: Session, findings: Findings) -> None:
    """An account that was merged away counts as the one it was merged into."""
    for page in orders.pages_of_targets(session):
        held = ledger.find_held(session, [f"order:{row.id}" for row in page])
        known = {one for accounts in held.values() for one in accounts}
        known |= {one for row in page for one in (row.member_id, row.identity_member_id) if one is not None}
        winners = members.find_winners(session, sorted(known))
        for row in page:
            owner = None if row.member_id is None else winners.get(row.member_id, row.member_id)
            belongs = winners.get(row.identity_member_id, row.identity_member_id)
            if belongs != owner and (owner is not None or row.target_points):
                detail = f"is account {owner}'s, its customer is account {belongs}'s"
                findings.add(f"order:{row.id}", "owner", detail)
            due = row.target_points if owner is not None else 0
            found = _by_open_account(held.get(f"order:{row.id}", {}), winners)
            if (given := found.pop(owner or 0, 0)) != due:
                detail = f"the order is worth {due} points, account {owner} holds {given}"
                findings.add(f"order:{row.id}", "held", detail)
            for account_id, points in found.items():
                if points:
                    detail = f"account {account_id} holds {points} points of an order that is not its own"
                    findings.add(f"order:{row.id}", "held_by_other", detail)
        findings.looked_at("orders", len(page))


def _by_open_account(held: Mapping[int, Held], winners: Mapping[int, int]) -> dict[int, int]:
    points: dict[int, int] = {}
    for account_id, one in held.items():
        account = winners.get(account_id, account_id)
        points[account] = points.get(account, 0) + one.points
    return points
