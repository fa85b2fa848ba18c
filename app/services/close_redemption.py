"""A code is withdrawn at the shop, seen dead, not found in any order, and only then are its points given back."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.db import jobs, redemptions
from app.db.redemptions import RedemptionRow
from app.db.session import Session
from app.domain.errors import Refused, Retryable
from app.domain.money import Money
from app.domain.orders import OrderSnapshot
from app.domain.pacing import Urgency
from app.domain.program import UnusedCodes
from app.domain.redeeming import CLOSED, Closing, RedemptionState, points_for_rest
from app.domain.retry import retry_at
from app.services.code_spec import code_spec
from app.services.find_member import ERASED
from app.services.find_words import find_words
from app.services.return_points import give_back, lock_both
from app.services.runtime import Runtime
from app.services.settle_orders import Seen, settle_orders
from app.services.shop_client import open_shop
from app.services.wording import money_words
from connectors.base import CodeKind, CodeSpec, FoundCode, ShopClient

# A checkout that had the code in its cart when it died may still end.
CHECKOUT_S = 60
# The longest that a request may be on its way: a try of unknown outcome can land so much later.
IN_FLIGHT_S = 15 * 60

_MESSAGES = {
    Closing.CANCEL: "Cancelled. What it cost is back.",
    Closing.EXPIRY: "Not used in time. What it cost is back.",
    Closing.FAILURE: "The code could not be made. What it cost is back.",
}


def close_redemption(rt: Runtime, program_id: int, shop_id: int, redemption_id: int) -> RedemptionState:
    """One step of withdrawing; run again until it is done. Returns the state afterwards."""
    with rt.db.begin(program_id) as session:
        row = redemptions.get_redemption(session, redemption_id)
        if row.state is not RedemptionState.CANCELLING:
            return row.state
        # The shop was never asked: tries are counted before they are made.
        spec = code_spec(session, row) if row.attempts else None
    if spec is None:
        return _finish(rt, row, None, rt.now())
    # A balance that we keep is a code like others: it is found by its name, whoever it was for.
    given = spec.kind is CodeKind.STORE_CREDIT and not row.bought.is_balance
    if given and spec.customer_ref.startswith(ERASED):
        return _of_somebody_erased(rt, row)
    try:
        with open_shop(rt, program_id, shop_id, Urgency.SHOPPER) as client:
            found = _withdraw(client, row, spec)
            named = client.orders_with_code(row.code) if _may_be_used(row, found, rt.now()) else ()
    except Retryable as error:
        return _later(rt, row, error.retry_after_s)
    except Refused:
        return _later(rt, row, 3600)
    return _seen_dead(rt, row, named, found.left if found else None)


def _withdraw(client: ShopClient, row: RedemptionRow, spec: CodeSpec) -> FoundCode | None:
    try:
        return client.withdraw_code(row.code, row.tag, spec)
    except Refused as refused:
        if refused.code == "not_ours":
            return None  # somebody else's code of that name: ours is not there
        raise


def _may_be_used(row: RedemptionRow, found: FoundCode | None, now: datetime) -> bool:
    """Whether the orders must be searched: always at the last look, and at once if the shop counts a use."""
    if found is not None and found.left is not None:
        return False  # its balance says what was used, and no order names it
    return (found is not None and found.uses > 0) or (
        row.dead_at is not None and now >= row.dead_at + _wait(row)
    )


def _seen_dead(
    rt: Runtime, row: RedemptionRow, named: Sequence[OrderSnapshot], left: Money | None
) -> RedemptionState:
    now = rt.now()
    if left is not None and left.minor == 0:
        return _finish(rt, row, left, now)
    if named:
        with rt.db.begin(row.program_id) as session:
            settle_orders(
                session, rt.vault, [Seen(shop_id=row.shop_id, order=order) for order in named], now=now
            )
        with rt.db.begin(row.program_id) as session:
            state = redemptions.get_redemption(session, row.redemption_id).state
        if state is not RedemptionState.CANCELLING:
            return state
    if row.dead_at is None or now < row.dead_at + _wait(row):
        with rt.db.begin(row.program_id) as session:
            locked = redemptions.lock_redemption(session, row.redemption_id)
            if locked.state is not RedemptionState.CANCELLING:
                return locked.state
            return _wait_on(session, locked, now)
    return _finish(rt, row, left, now)


def _finish(rt: Runtime, row: RedemptionRow, left: Money | None, now: datetime) -> RedemptionState:
    """`left`: of money that is used bit by bit; points come back for that part alone."""
    with rt.db.begin(row.program_id) as session:
        book, locked = lock_both(session, row)
        if locked.state is not RedemptionState.CANCELLING or locked.closing is None:
            return locked.state
        if locked.bought.is_balance:
            left = locked.left  # what the shop has of it is only what it was told
        elif left is not None:
            redemptions.update_redemption(session, row.redemption_id, left_minor=left.minor)
        if left is not None and left.minor <= 0:
            _spent(session, row, now)
            return RedemptionState.USED
        state = CLOSED[locked.closing]
        if locked.closing is Closing.EXPIRY and locked.bought.unused is UnusedCodes.BREAKAGE:
            redemptions.update_redemption(
                session,
                row.redemption_id,
                state=state.value,
                closed_at=now,
                closing=None,
                next_try_at=None,
                message="Not used in time.",
            )
            return state
        points = points_for_rest(locked.bought, left)
        message = _MESSAGES[locked.closing]
        if points < locked.bought.cost:
            message = (
                f"{money_words(left)} of it was left: {find_words(session).points(points)} given back."
                if left
                else message
            )
        give_back(session, book, locked, state, message, points=points, now=now)
        return state


def _of_somebody_erased(rt: Runtime, row: RedemptionRow) -> RedemptionState:
    """What is given to a customer is looked up by the customer, who cannot be asked for once they are erased.

    So the tries alone say what became of it; where they do not, it counts as given: points back could pay it twice.
    """
    now = rt.now()
    with rt.db.begin(row.program_id) as session:
        locked = redemptions.lock_redemption(session, row.redemption_id)
        if locked.state is not RedemptionState.CANCELLING:
            return locked.state
        if locked.code_ref is not None:
            _spent(session, locked, now)
            return RedemptionState.USED
        if locked.unknown:
            # A try that is still on its way may yet say.
            if locked.dead_at is None or now < locked.dead_at + _wait(locked):
                return _wait_on(session, locked, now)
            _spent(session, locked, now, unknown=True, message=_NOBODY_CAN_SAY)
            return RedemptionState.USED
    return _finish(rt, row, None, now)


def _wait_on(session: Session, locked: RedemptionRow, now: datetime) -> RedemptionState:
    dead_at = locked.dead_at or now
    redemptions.update_redemption(session, locked.redemption_id, dead_at=dead_at)
    _again(session, locked, dead_at + _wait(locked))
    return RedemptionState.CANCELLING


_NOBODY_CAN_SAY = (
    "The shop never said whether it was paid out, and whose it is was erased: it counts as paid out."
)
_GONE = "It was paid out or spent already: nothing of it was left to be withdrawn."


def _spent(
    session: Session, row: RedemptionRow, now: datetime, *, unknown: bool = False, message: str = _GONE
) -> None:
    redemptions.update_redemption(
        session,
        row.redemption_id,
        state=RedemptionState.USED.value,
        closed_at=now,
        closing=None,
        unknown=unknown,
        next_try_at=None,
        message=message,
    )


def _later(rt: Runtime, row: RedemptionRow, asked_s: int | None) -> RedemptionState:
    now = rt.now()
    # Never given up: points wait for certainty. After the last step of the schedule, twice a day.
    tries = int((now - row.requested_at) / timedelta(hours=12)) + 3
    again = retry_at(min(tries, 12), now=now, asked_s=asked_s) or now + timedelta(hours=12)
    with rt.db.begin(row.program_id) as session:
        _again(session, row, again)
    return RedemptionState.CANCELLING


def _again(session: Session, row: RedemptionRow, at: datetime) -> None:
    redemptions.update_redemption(session, row.redemption_id, next_try_at=at)
    jobs.enqueue(session, "close_redemption", at=at, shop_id=row.shop_id, redemption_id=row.redemption_id)


def _wait(row: RedemptionRow) -> timedelta:
    return timedelta(seconds=IN_FLIGHT_S if row.unknown else CHECKOUT_S)
