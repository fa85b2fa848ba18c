"""A balance's code at the shop is brought to what is left of it. Safe to run again at any moment."""

from collections.abc import Sequence

from app.db import redemption_uses, redemptions
from app.db.redemptions import RedemptionRow
from app.domain.errors import AccessLost, Refused
from app.domain.money import Money
from app.domain.orders import OrderSnapshot
from app.domain.pacing import Urgency
from app.domain.redeeming import Closing, RedemptionState
from app.services.code_spec import code_spec
from app.services.return_points import close, lock_both
from app.services.runtime import Runtime
from app.services.settle_orders import Seen, settle_orders
from app.services.shop_client import open_shop
from app.services.use_balances import settle_balance
from connectors.base import CodeSpec, FoundCode, ShopClient

_GONE = (
    "The code is not usable at the shop any more. The points for what is left come back once that is certain."
)
_DIFFERS = "The shop does not keep the code as it was asked for. The points for what is left come back."


def keep_balance(rt: Runtime, program_id: int, shop_id: int, redemption_id: int) -> RedemptionState:
    """One look and, where it is needed, one change at the shop. Returns the state afterwards.

    The shop is asked for its count of uses first: where it is not ours, an order has not been heard of, and is read
    before more is given. What the shop is told is a state, so that a try of unknown outcome is simply made again.
    A code that staff took away there is withdrawn, and its rest comes back as points.

    Raises: Retryable, AccessLost, Refused("not_callable"), to be run again.
    """
    row, spec, counted = _held(rt, program_id, redemption_id)
    if row.state not in (RedemptionState.ISSUED, RedemptionState.USED) or rt.now() >= row.expires_at:
        return row.state  # not there yet; or being withdrawn, or about to be
    with open_shop(rt, program_id, shop_id, Urgency.SHOPPER) as client:
        found = client.find_code(row.code, spec)
        if found is None or found.tag != row.tag:
            return _end(rt, row, _GONE)
        if found.uses != counted:
            _settle(rt, row, client.orders_with_code(row.code))
            row, spec, _ = _held(rt, program_id, redemption_id)
        return _tell(rt, client, row, spec, found)


def _held(rt: Runtime, program_id: int, redemption_id: int) -> tuple[RedemptionRow, CodeSpec, int]:
    with rt.db.begin(program_id) as session:
        row = redemptions.get_redemption(session, redemption_id)
        counted = redemption_uses.sum_uses(session, redemption_id).counted
        return row, code_spec(session, row), counted


def _settle(rt: Runtime, row: RedemptionRow, named: Sequence[OrderSnapshot]) -> None:
    seen = [Seen(shop_id=row.shop_id, order=order) for order in named]
    with rt.db.begin(row.program_id) as session:
        settle_orders(session, rt.vault, seen, now=rt.now())


def _tell(
    rt: Runtime, client: ShopClient, row: RedemptionRow, spec: CodeSpec, found: FoundCode
) -> RedemptionState:
    left = row.left_at_shop
    try:
        there = client.set_balance(spec, left, found.uses)
    except AccessLost:
        raise
    except Refused as refused:
        if refused.code == "not_callable":
            raise
        return _end(rt, row, _DIFFERS)
    return _told(rt, row, left) if there else _end(rt, row, _GONE)


def _told(rt: Runtime, row: RedemptionRow, left: Money) -> RedemptionState:
    with rt.db.begin(row.program_id) as session:
        book, locked = lock_both(session, row)
        redemptions.update_redemption(session, row.redemption_id, shop_minor=left.minor)
        # An order may have come in meanwhile: then the shop is told once more.
        return settle_balance(
            session, book, redemptions.get_redemption(session, locked.redemption_id), now=rt.now()
        ).state


def _end(rt: Runtime, row: RedemptionRow, why: str) -> RedemptionState:
    """Nothing can be used of it any more. With nothing left, nothing is to come back either."""
    with rt.db.begin(row.program_id) as session:
        _, locked = lock_both(session, row)
        if locked.state is not RedemptionState.ISSUED:
            return locked.state
        close(session, locked, Closing.CANCEL, why, unknown=locked.unknown, now=rt.now())
        return RedemptionState.CANCELLING
