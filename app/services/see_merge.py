"""A shop made two customers one: both are known from now on, and a job makes their members one."""

from datetime import datetime

from app.db import jobs, members
from app.db.sealing import Vault
from app.db.session import Session
from app.db.shops import ShopRow


def see_merge(
    session: Session, vault: Vault, shop: ShopRow, kept_ref: str, deleted_ref: str, *, now: datetime
) -> bool:
    """Returns False, and does nothing, if one of them was erased: nobody is brought back.

    Customers that we do not know yet are written down, so that the job names them by our ids.
    """
    refs = (kept_ref, deleted_ref)
    if members.is_tombstoned(session, [vault.customer_hash(shop.shop_id, ref) for ref in refs]):
        return False
    known = members.add_identities(
        session, [(shop.program_id, shop.shop_id, ref) for ref in dict.fromkeys(refs)], now=now
    )
    kept, deleted = (known[shop.shop_id, ref].identity_id for ref in refs)
    jobs.enqueue(session, "merge_customers", program_id=shop.program_id, kept_id=kept, deleted_id=deleted)
    return True
