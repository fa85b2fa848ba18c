"""What a redemption's code is to be at the shop."""

from app.db import members, redemptions
from app.db.redemptions import RedemptionRow
from app.db.session import Session
from connectors.base import CodeKind, CodeSpec


def code_spec(session: Session, row: RedemptionRow) -> CodeSpec:
    """The same for every try, whatever was published or merged meanwhile. Not for a reward without a code."""
    identity = members.find_identities_by_id(session, [row.identity_id])[row.identity_id]
    bought = row.bought
    return CodeSpec(
        code=row.code,
        kind=CodeKind(bought.kind.value),
        amount=bought.amount,
        percent=bought.percent,
        maximum=bought.maximum,
        gift=bought.gift,
        combines=frozenset(bought.combines),
        minimum_spend=bought.minimum_spend,
        customer_ref=identity.customer_ref,
        starts_at=row.requested_at,
        expires_at=row.expires_at,
        tag=row.tag,
        title=f"{row.code} (Laurel reward)",
        number=redemptions.count_before(session, row),
        code_ref=row.code_ref,
    )
