"""How far members are in line with the version that changed the levels last."""

from app.db import tiers
from app.db.tiers import TierRun
from app.services.runtime import Runtime


def last_tier_run(rt: Runtime, program_id: int) -> TierRun | None:
    """None: the levels were never changed. `finished_at` None: a worker is at it."""
    with rt.db.begin(program_id) as session:
        return tiers.find_last_run(session)
