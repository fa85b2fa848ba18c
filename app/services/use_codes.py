"""Use of a code is learned from orders, and derived from them like points."""

from collections.abc import Sequence
from datetime import datetime

from app.db.orders import OrderRow
from app.db.session import Session


def use_codes(session: Session, rows: Sequence[OrderRow], *, now: datetime) -> None:
    """Placeholder until redemptions exist."""
