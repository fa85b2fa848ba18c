"""What of a member's points is left, lot by lot, in the order in which they are used."""

from dataclasses import dataclass
from datetime import datetime

from app.db import ledger
from app.services.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class LotView:
    given: int
    remaining: int
    given_at: datetime
    available_at: datetime
    expires_at: datetime | None
    title: str


def member_lots(rt: Runtime, program_id: int, member_id: int) -> list[LotView]:
    with rt.db.begin(program_id) as session:
        book = ledger.find_book(session, member_id)
        if book is None:
            return []
        left = sorted((lot for lot in book.lots.values() if lot.remaining), key=lambda lot: lot.eaten_first)
        entries = {
            row.seq: row
            for row in session.rows(
                "SELECT seq, kind, points, recorded_at, facts FROM entries WHERE {fence} AND account_id = :id "
                "AND seq = ANY(:seqs)",
                id=member_id,
                seqs=[lot.seq for lot in left],
            )
        }
    return [
        LotView(
            given=entries[lot.seq].points,
            remaining=lot.remaining,
            given_at=entries[lot.seq].recorded_at,
            available_at=lot.available_at,
            expires_at=lot.expires_at,
            title=_title(entries[lot.seq].kind, entries[lot.seq].facts),
        )
        for lot in left
    ]


def _title(kind: str, facts: dict[str, str | int]) -> str:
    if facts.get("order"):
        return f"Order {facts['order']}"
    return {
        "adjustment": "Given by staff",
        "redeem_reversal": "Given back",
        "transfer_in": "Joined accounts",
    }.get(kind, "Credit")
