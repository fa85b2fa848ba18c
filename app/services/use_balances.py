"""What is left of a balance that we keep is derived from the orders that use it, like points."""

from collections.abc import Sequence
from datetime import datetime

from app.db import jobs, redemption_uses, redemptions
from app.db.orders import OrderRow
from app.db.redemptions import RedemptionRow
from app.db.session import Session
from app.domain.ledger import Book
from app.domain.money import Money
from app.domain.program import UnusedCodes
from app.domain.redeeming import RedemptionState, points_for_rest, use_of
from app.services.return_points import lock_both, return_points
from app.services.wording import money_words

_AT_THE_SHOP = frozenset({RedemptionState.ISSUED, RedemptionState.USED})
_CLOSED = frozenset({RedemptionState.CANCELLED, RedemptionState.EXPIRED, RedemptionState.FAILED})


def use_balances(
    session: Session, rows: Sequence[OrderRow], named: Sequence[RedemptionRow], *, now: datetime
) -> None:
    """Bring the balances that these orders use, or used before, in step with them.

    `named`: redemptions whose code one of the orders names. Messages that are doubled, late or out of order end at the
    same: what each order holds is written down, and what is left is the difference.
    """
    before = redemption_uses.find_using(session, [row.order_id for row in rows])
    balances = {one.redemption_id: one for one in named if one.bought.is_balance}
    if missing := sorted(set(before) - set(balances)):
        found = redemptions.find_redemptions_where(session, "r.id = ANY(:ids)", ids=missing)
        balances |= {one.redemption_id: one for one in found}
    for redemption_id, balance in sorted(balances.items()):
        theirs = [
            row
            for row in rows
            if row.shop_id == balance.shop_id
            and (row.order_id in before.get(redemption_id, ()) or _names(row, balance.code))
        ]
        if theirs:
            _bring_in_step(session, balance, theirs, now)


def settle_balance(session: Session, book: Book, row: RedemptionRow, *, now: datetime) -> RedemptionRow:
    """Make what is left, the state and the points given back what the orders say; both are locked. The row then.

    A job tells the shop, where it has to be told. Of one that is closed the points follow: its code is dead, and what
    orders turn out to have used, or to give back, changes what was to come back.
    """
    held = redemption_uses.sum_uses(session, row.redemption_id).held_minor
    left = row.amount - Money(held, row.amount.currency)
    changes: dict[str, object] = {"left_minor": left.minor}
    state = row.state
    if state in _AT_THE_SHOP:
        state = RedemptionState.ISSUED if left.minor > 0 else RedemptionState.USED
        changes["message"] = _overdrawn(row, left.minor)
    if state is not row.state:
        changes |= {"state": state.value, "closed_at": now if state is RedemptionState.USED else None}
    redemptions.update_redemption(session, row.redemption_id, **changes)
    if state in _AT_THE_SHOP and max(left.minor, 0) != row.shop_minor:
        jobs.enqueue(
            session,
            "keep_balance",
            program_id=row.program_id,
            shop_id=row.shop_id,
            redemption_id=row.redemption_id,
        )
    if state in _CLOSED and not _is_breakage(row):
        return_points(
            session, book, row, points_for_rest(row.bought, left), reason="balance_changed", now=now
        )
    return redemptions.get_redemption(session, row.redemption_id)


def _bring_in_step(session: Session, balance: RedemptionRow, rows: Sequence[OrderRow], now: datetime) -> None:
    book, locked = lock_both(session, balance)
    uses = {
        row.order_id: use_of(locked.bought, locked.code, row.order) for row in rows if row.order is not None
    }
    redemption_uses.put_uses(session, locked.program_id, locked.redemption_id, uses, now=now)
    settle_balance(session, book, locked, now=now)


def _names(row: OrderRow, code: str) -> bool:
    return row.order is not None and code.casefold() in (one.casefold() for one in row.order.codes_used)


def _overdrawn(row: RedemptionRow, left_minor: int) -> str | None:
    if left_minor >= 0:
        return None
    over = Money(-left_minor, row.amount.currency)
    return f"Orders took {money_words(over)} more than there was: look at them with the shop."


def _is_breakage(row: RedemptionRow) -> bool:
    return row.state is RedemptionState.EXPIRED and row.bought.unused is UnusedCodes.BREAKAGE
