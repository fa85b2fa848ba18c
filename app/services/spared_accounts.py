"""Accounts whose points do not end now, because their owners could not spend them: nothing is lost by being checked."""

from datetime import datetime, timedelta

from app.db import reviews
from app.db.session import Session

GRACE = timedelta(days=14)
"""To spend after the decision what would have ended meanwhile."""


def spared_accounts(session: Session, now: datetime) -> list[int]:
    return reviews.find_spared(session, decided_after=now - GRACE)
