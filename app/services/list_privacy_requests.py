"""What people asked of the shops by law, and what became of it."""

from dataclasses import dataclass
from datetime import datetime

from app.db import shops
from app.domain.errors import Refused
from app.services.runtime import Runtime

MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyRequest:
    request_id: int
    shop_key: str
    shop_name: str
    kind: str  # data, erasure, shop_erasure
    request_ref: str
    member_id: int | None  # None: we knew nobody by that reference
    received_at: datetime
    done_at: datetime | None


def list_privacy_requests(rt: Runtime, program_id: int) -> list[PrivacyRequest]:
    """Open ones first, then the newest; at most `MOST`."""
    with rt.db.begin(program_id) as session:
        known = shops.find_shops(session)
        rows = session.rows(
            "SELECT id AS request_id, shop_id, kind, request_ref, member_id, received_at, done_at "
            "FROM privacy_requests WHERE {fence} ORDER BY (done_at IS NOT NULL), id DESC LIMIT :most",
            most=MOST,
        )
    found = []
    for row in rows:
        values = dict(row._mapping)
        shop = known[values.pop("shop_id")]
        found.append(PrivacyRequest(**values, shop_key=shop.key, shop_name=shop.name))
    return found


def find_privacy_request(rt: Runtime, program_id: int, request_id: int) -> PrivacyRequest:
    """Raises: Refused("unknown_request")."""
    for one in list_privacy_requests(rt, program_id):
        if one.request_id == request_id:
            return one
    raise Refused("unknown_request", "There is no such request.")


def finish_privacy_request(rt: Runtime, program_id: int, request_id: int) -> None:
    """The shop has handed the data over. Raises: Refused("unknown_request")."""
    with rt.db.begin(program_id) as session:
        done = session.first(
            "UPDATE privacy_requests SET done_at = coalesce(done_at, :now) WHERE {fence} AND id = :id RETURNING id",
            id=request_id,
            now=rt.now(),
        )
    if done is None:
        raise Refused("unknown_request", "There is no such request.")
