"""A job that will not be tried again: what it was and why it failed, for a person to look at."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from app.db.session import Session
from app.services.runtime import Runtime

KEPT = timedelta(days=30)


def note_failed_job(rt: Runtime, name: str, args: Mapping[str, Any], code: str, detail: str) -> None:
    """Write it down; `doctor` and the admin show it."""
    program_id = args["program_id"]
    with rt.db.begin(program_id) as session:
        session.run(
            "INSERT INTO failed_jobs (program_id, name, args, code, detail, at) "
            "VALUES (:program_id, :name, CAST(:args AS jsonb), :code, :detail, :now)",
            name=name,
            args=json.dumps(dict(args)),
            code=code,
            detail=detail[:500],
            now=rt.now(),
        )


def forget_failed_jobs(session: Session, *, now: datetime) -> int:
    """Drop those of the session's programs that are older than 30 days."""
    return session.run("DELETE FROM failed_jobs WHERE {fence} AND at < :before", before=now - KEPT).rowcount
