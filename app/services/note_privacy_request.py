"""What the law lets people ask for, written down until it is done."""

from datetime import datetime

from app.db import members
from app.db.session import Session
from app.db.shops import ShopRow


def note_privacy_request(
    session: Session, shop: ShopRow, kind: str, request_ref: str, *, customer_ref: str | None, now: datetime
) -> None:
    """Remember a request (data, erasure, shop_erasure); the same one twice is one."""
    key = (shop.shop_id, customer_ref or "")
    identity = members.find_identities(session, [key]).get(key)
    session.run(
        "INSERT INTO privacy_requests (program_id, shop_id, kind, request_ref, member_id, received_at, done_at) "
        "VALUES (:program, :shop, :kind, :ref, :member, :now, :done) "
        "ON CONFLICT (program_id, shop_id, kind, request_ref) DO NOTHING",
        program=shop.program_id,
        shop=shop.shop_id,
        kind=kind,
        ref=request_ref,
        member=identity.member_id if identity else None,
        now=now,
        done=now if kind == "erasure" else None,
    )
