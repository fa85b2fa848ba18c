"""A shopper or somebody of the staff does not want the code any more."""

from app.db import members, redemptions
from app.db.redemptions import RedemptionRow
from app.domain.errors import Refused
from app.domain.redeeming import Closing, RedemptionState
from app.domain.rewards import RewardKind
from app.services.return_points import close
from app.services.runtime import Runtime

_USED_FOR_ORDER = "This code was used for an order, so it cannot be cancelled."
_ALL_USED = "Nothing is left of it, so it cannot be cancelled."
_USED = {
    RewardKind.STORE_CREDIT: "The store credit was paid out, so it cannot be cancelled.",
    RewardKind.GIFT_CARD: "Nothing is left on this gift card, so it cannot be cancelled.",
    RewardKind.PERK: "This was handed over already, so it cannot be cancelled.",
}


def cancel_redemption(
    rt: Runtime, program_id: int, redemption_id: int, *, account_id: int | None = None
) -> RedemptionRow:
    """Begin to cancel; the points come back once the code is surely dead. Asked twice, it is one cancelling.

    `account_id`: whose it must be now, when a shopper asks. Raises: Refused("unknown_redemption"),
    Refused("already_used"), Refused("already_closed").
    """
    with rt.db.begin(program_id) as session:
        row = redemptions.lock_redemption(session, redemption_id)
        owner = members.find_winners(session, [row.account_id]).get(row.account_id, row.account_id)
        if account_id is not None and owner != account_id:
            raise Refused("unknown_redemption", "There is no such redemption.")
        match row.state:
            case RedemptionState.USED:
                used = _ALL_USED if row.bought.is_balance else _USED.get(row.bought.kind, _USED_FOR_ORDER)
                raise Refused("already_used", used)
            case RedemptionState.EXPIRED | RedemptionState.FAILED:
                raise Refused("already_closed", "This code is closed already; what it cost was given back.")
            case RedemptionState.REQUESTED | RedemptionState.ISSUED:
                waiting = (
                    "The code is being withdrawn at the shop. What it cost comes back when it is surely gone."
                )
                close(session, row, Closing.CANCEL, waiting, unknown=row.unknown, now=rt.now())
            case RedemptionState.CANCELLING | RedemptionState.CANCELLED:
                pass
        return redemptions.get_redemption(session, redemption_id)
