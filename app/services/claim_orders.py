"""Guests' orders become a member's, once the address they were placed with is proven."""

from datetime import datetime

from app.db import programs
from app.db.members import IdentityRow
from app.db.sealing import Vault
from app.db.session import Session
from app.services.settle_orders import settle_orders
from app.services.welcome_members import Joining, welcome_members


def claim_orders(session: Session, vault: Vault, identity: IdentityRow, *, now: datetime) -> int:
    """Settle the waiting orders of the identity: guests' orders with its proven address, and its own that it placed
    before it was a member. Enrols the person if there is something to count. Returns how many orders."""
    programs.lock_settling(session)
    proven = identity.email_hash if identity.email_verified else None
    rows = session.rows(
        "SELECT id, shop_id, order_ref FROM orders WHERE {fence} AND member_id IS NULL "
        "AND (identity_id = :identity OR (identity_id IS NULL AND email_hash = CAST(:hash AS bytea))) "
        "ORDER BY placed_at, id",
        identity=identity.identity_id,
        hash=proven,
    )
    if not rows:
        return 0
    if identity.member_id is None:
        versions = programs.load_versions(session)
        welcome_members(session, vault, [Joining(identity, now)], versions, now=now)
    session.run(
        "UPDATE orders SET identity_id = :identity WHERE {fence} AND id = ANY(:ids)",
        identity=identity.identity_id,
        ids=[row.id for row in rows],
    )
    settle_orders(session, vault, [], now=now, recount=[(row.shop_id, row.order_ref) for row in rows])
    return len(rows)
