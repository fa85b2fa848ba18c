"""Codes that nobody used in time are withdrawn, and their points come back."""

from app.db import redemptions, shops
from app.db.redemptions import RedemptionRow
from app.db.shops import ShopRow
from app.domain.redeeming import Closing
from app.domain.rewards import RewardKind
from app.services.return_points import close
from app.services.runtime import Runtime


def expire_codes(rt: Runtime, program_id: int) -> int:
    """Begin to close what is due. Returns how many.

    Runs only up to each shop's last complete reconciliation: a use that we have not heard of yet is not expired.
    Of a perk no shop has to be heard.
    """
    now = rt.now()
    with rt.db.begin(program_id) as session:
        known = shops.find_shops(session)
        due = redemptions.find_redemptions_where(
            session, "r.state = 'issued' AND r.expires_at <= :now", now=now
        )
        closed = 0
        for found in due:
            if found.bought.kind is not RewardKind.PERK and not _is_heard_out(known[found.shop_id], found):
                continue
            row = redemptions.lock_redemption(session, found.redemption_id)
            if row.state is found.state:
                close(
                    session, row, Closing.EXPIRY, "Not used in time: being withdrawn.", unknown=False, now=now
                )
                closed += 1
    return closed


def _is_heard_out(shop: ShopRow, found: RedemptionRow) -> bool:
    return shop.callable and shop.reconciled_until is not None and shop.reconciled_until >= found.expires_at
