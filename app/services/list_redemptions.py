"""Everybody's redemptions, newest first, a page at a time."""

from dataclasses import dataclass

from app.db import redemptions
from app.domain.errors import Refused
from app.domain.redeeming import OPEN, RedemptionState
from app.services.find_redemptions import RedemptionView, describe_redemptions
from app.services.runtime import Runtime

PAGE = 50

GROUPS: dict[str, tuple[str, ...]] = {
    "all": tuple(state.value for state in RedemptionState),
    "open": tuple(sorted(state.value for state in OPEN)),
    "used": (RedemptionState.USED.value,),
    "closed": tuple(
        state.value for state in (RedemptionState.CANCELLED, RedemptionState.EXPIRED, RedemptionState.FAILED)
    ),
}


@dataclass(frozen=True, slots=True)
class RedemptionPage:
    redemptions: tuple[RedemptionView, ...]
    next: int | None


def list_redemptions(
    rt: Runtime,
    program_id: int,
    *,
    group: str = "all",
    code: str = "",
    cursor: int | None = None,
    limit: int = PAGE,
) -> RedemptionPage:
    """`code`: only the one with this code. Raises: Refused("unknown_group")."""
    if group not in GROUPS:
        raise Refused("unknown_group", "There is no such list of redemptions.")
    with rt.db.begin(program_id) as session:
        ids = [
            row.id
            for row in session.rows(
                "SELECT id FROM redemptions WHERE {fence} AND state = ANY(:states) AND id < :before "
                "AND (:code = '' OR code_key = :code) ORDER BY id DESC LIMIT :limit",
                states=list(GROUPS[group]),
                before=cursor if cursor is not None else 2**62,
                code=code.strip().casefold(),
                limit=limit + 1,
            )
        ]
        rows = redemptions.find_redemptions_where(session, "r.id = ANY(:ids)", ids=ids[:limit])
        views = describe_redemptions(session, list(reversed(rows)))
    return RedemptionPage(tuple(views), ids[limit - 1] if len(ids) > limit else None)
