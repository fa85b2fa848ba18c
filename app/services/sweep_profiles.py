"""What should stand at a shop's customers and what stands there as we remember it are compared; what differs is due.

Asks nobody. A mark that was lost, a level that was renamed, fields switched on or off: each is found here.
"""

from app.db import profiles, shops
from app.domain.profiles import HeldProfile, change_to_reach
from app.services.find_profiles import find_profiles
from app.services.runtime import Runtime

PAGE = 1000
_NOTHING = HeldProfile(known=True, fields={}, tags=frozenset())


def sweep_profiles(rt: Runtime, program_id: int, shop_id: int) -> int:
    """Mark all that differ, and put in the job that writes them. Returns how many were not marked already."""
    found, after = 0, ""
    while True:
        now = rt.now()
        with rt.db.begin(program_id) as session:
            refs = profiles.find_page(session, shop_id, after=after, limit=PAGE)
            if not refs:
                return found
            after = refs[-1]
            held = profiles.lock_rows(session, shop_id, refs)
            wanted = find_profiles(session, shops.get_shop(session, shop_id), refs, now=now)
            differ = []
            for ref in refs:
                row = held.get(ref)
                if row is not None and row.due_at is not None and row.due_at <= now + profiles.TOGETHER:
                    continue  # marked already
                if change_to_reach(wanted[ref].profile, row.held if row else _NOTHING, ref) is not None:
                    differ.append(ref)
            if differ:
                profiles.mark_refs(session, shop_id, differ, now=now)
                profiles.enqueue_writing(session, shop_id)
            found += len(differ)
