"""A job that would take from a shop what others need more urgently waits for its turn, as if put in for later."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.db import jobs
from app.services.runtime import Runtime


def put_off(rt: Runtime, name: str, args: Mapping[str, Any], wait_s: int) -> None:
    """Put the same job in for then; it is no try, so that its patience with real failures stays whole."""
    with rt.db.begin(args["program_id"]) as session:
        jobs.enqueue(session, name, at=rt.now() + timedelta(seconds=wait_s), **args)
