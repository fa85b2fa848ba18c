"""Whose session a cookie is."""

from datetime import datetime, timedelta

from app.db import directory
from app.db.directory import Kind
from app.services.find_visitor import Visitor, find_visitor
from app.services.runtime import Runtime
from app.services.staff_tokens import SLIDING, hashed

_SEEN_EVERY = timedelta(minutes=5)


def check_session(rt: Runtime, token: str) -> Visitor | None:
    """None: no such session, or it ended, or the person was removed. Each use prolongs it, up to its longest."""
    now = rt.now()
    with rt.db.outside() as connection:
        found = directory.find(connection, Kind.SESSION, hashed(token), now=now)
        if found is None:
            return None
        until = datetime.fromisoformat(found.details["until"])
        if until <= now:
            return None
        if now - datetime.fromisoformat(found.details["seen"]) >= _SEEN_EVERY:
            directory.put(
                connection,
                Kind.SESSION,
                hashed(token),
                found.program_id,
                found.target_id,
                details={"until": found.details["until"], "seen": now.isoformat()},
                expires_at=min(now + SLIDING, until),
            )
    with rt.db.begin(found.program_id) as session:
        return find_visitor(session, found.target_id)


def end_session(rt: Runtime, token: str) -> None:
    """Sign out: this session works no more."""
    with rt.db.outside() as connection:
        directory.take(connection, Kind.SESSION, hashed(token), now=rt.now())
