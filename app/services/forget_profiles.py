"""People who were erased, and whose shop does not let us take away what stands there: we forget them all the same."""

from datetime import timedelta

from app.db import profiles
from app.services.runtime import Runtime

AFTER = timedelta(days=30)  # the time that data protection law gives for an erasure


def forget_profiles(rt: Runtime, program_id: int) -> int:
    """Returns how many rows went."""
    with rt.db.begin(program_id) as session:
        return profiles.forget_nameless(session, before=rt.now() - AFTER)
