"""Points become a code: the step at the shop, outside any transaction, safe to run again at any moment."""

from datetime import datetime, timedelta

from app.db import happenings, jobs, redemptions
from app.db.redemptions import RedemptionRow
from app.db.session import Session
from app.domain.errors import AccessLost, Refused, Retryable
from app.domain.pacing import Urgency
from app.domain.redeeming import Closing, RedemptionState
from app.domain.retry import retry_at
from app.services.code_spec import code_spec
from app.services.find_member import ERASED
from app.services.return_points import close, give_back, lock_both
from app.services.runtime import Runtime
from app.services.shop_client import open_shop
from app.services.use_balances import settle_balance
from connectors.base import CodeSpec, IssuedCode

_MESSAGES = {
    "customer_unreachable": "The shop has no e-mail address for this customer, so the code could not be bound to "
    "them. What it cost is back.",
    "code_taken": "A code of this name is at the shop already and is not ours. What it cost is back.",
    "differs": "The shop made another code than was asked for; it was withdrawn again. What it cost is back.",
    "access_lost": "The shop does not let Laurel make codes: it must be connected again. What it cost is back.",
    "not_granted": "The shop has not allowed Laurel to make this kind of reward. What it cost is back.",
    "not_callable": "The shop is not connected. What it cost is back.",
    "erased": "Whoever it was for was erased before the code was made. What it cost is back.",
}


def issue_code(rt: Runtime, program_id: int, shop_id: int, redemption_id: int) -> RedemptionState:
    """Make the code at the shop, or find it made. Returns the redemption's state afterwards.

    A definite refusal gives the points back. After a try whose outcome is unknown nothing is given back before the
    code was withdrawn and seen dead. Raises: Retryable, to be run again.
    """
    begun = _begin(rt, program_id, redemption_id)
    if begun is None:
        return _state(rt, program_id, redemption_id)
    row, spec = begun
    if spec.customer_ref.startswith(ERASED):
        return _refused(rt, row, Refused("erased", "Whoever it was for was erased."))
    try:
        with open_shop(rt, program_id, shop_id, Urgency.SHOPPER) as client:
            issued = client.issue_code(spec)
    except Retryable as error:
        return _later(rt, row, error)
    except Refused as refused:
        return _refused(rt, row, refused)
    return _issued(rt, row, issued)


def _begin(rt: Runtime, program_id: int, redemption_id: int) -> tuple[RedemptionRow, CodeSpec] | None:
    """Count the try before it is made; None: there is nothing to make any more."""
    with rt.db.begin(program_id) as session:
        row = redemptions.lock_redemption(session, redemption_id)
        if row.state is not RedemptionState.REQUESTED:
            return None
        # Until the shop has answered, this try may have reached it: a kill from here on counts as unknown.
        redemptions.update_redemption(session, redemption_id, attempts=row.attempts + 1, unknown=True)
        spec = code_spec(session, row)
    return row, spec


def _issued(rt: Runtime, row: RedemptionRow, issued: IssuedCode) -> RedemptionState:
    now = rt.now()
    with rt.db.begin(row.program_id) as session:
        book, locked = lock_both(session, row)
        made = row.amount.minor if row.bought.is_balance else None
        redemptions.update_redemption(
            session,
            row.redemption_id,
            code=issued.code,
            code_ref=issued.code_ref,
            unknown=False,
            message=None,
            shop_minor=made,
        )
        if locked.state is RedemptionState.REQUESTED:
            state = RedemptionState.USED if issued.handed_over else RedemptionState.ISSUED
            redemptions.update_redemption(
                session,
                row.redemption_id,
                state=state.value,
                issued_at=now,
                closed_at=now if issued.handed_over else None,
            )
            happenings.note_redeemed(session, row.shop_id, locked.account_id, row.redemption_id, now=now)
            if row.bought.is_balance:  # an order may have used of it before we heard that it was made
                there = redemptions.get_redemption(session, row.redemption_id)
                return settle_balance(session, book, there, now=now).state
            return state
        return locked.state  # cancelled meanwhile: the job that closes it withdraws what was just made


def _later(rt: Runtime, row: RedemptionRow, error: Retryable) -> RedemptionState:
    now = rt.now()
    unknown = row.unknown or error.maybe_applied
    again = retry_at(row.attempts + 1, now=now, asked_s=error.retry_after_s)
    with rt.db.begin(row.program_id) as session:
        locked = redemptions.lock_redemption(session, row.redemption_id)
        if locked.state is not RedemptionState.REQUESTED:
            redemptions.update_redemption(session, row.redemption_id, unknown=unknown)
            return locked.state
        if again is None:
            return _give_up(session, row, unknown, now)
        redemptions.update_redemption(
            session,
            row.redemption_id,
            unknown=unknown,
            next_try_at=again,
            message="The shop does not answer at the moment. The code is being made; nothing is lost.",
        )
        jobs.enqueue(session, "issue_code", at=again, shop_id=row.shop_id, redemption_id=row.redemption_id)
    return RedemptionState.REQUESTED


def _give_up(session: Session, row: RedemptionRow, unknown: bool, now: datetime) -> RedemptionState:
    message = "The shop did not answer for more than a day. What it cost comes back once the code is surely not there."
    close(session, row, Closing.FAILURE, message, unknown=unknown, now=now)
    return RedemptionState.CANCELLING


def _refused(rt: Runtime, row: RedemptionRow, refused: Refused) -> RedemptionState:
    now = rt.now()
    message = _MESSAGES.get(refused.code, "The shop refused to make the code. What it cost is back.")
    with rt.db.begin(row.program_id) as session:
        book, locked = lock_both(session, row)
        if locked.state is not RedemptionState.REQUESTED:
            return locked.state
        if not row.unknown:
            give_back(session, book, locked, RedemptionState.FAILED, message, now=now)
            return RedemptionState.FAILED
        if isinstance(refused, AccessLost) or refused.code == "not_callable":
            waiting = "The shop must be connected again before it is known whether the code was made."
            redemptions.update_redemption(
                session, row.redemption_id, message=waiting, next_try_at=now + timedelta(hours=1)
            )
            return RedemptionState.REQUESTED
        close(session, locked, Closing.FAILURE, message, unknown=True, now=now)
        return RedemptionState.CANCELLING


def _state(rt: Runtime, program_id: int, redemption_id: int) -> RedemptionState:
    with rt.db.begin(program_id) as session:
        return redemptions.get_redemption(session, redemption_id).state
