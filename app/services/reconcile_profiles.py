"""What stands of members at the shop's own customers is read there: staff may have taken a tag away, a try have failed.

For everybody what should stand there is compared with what we remember. What does stand there is read of so many a night,
those first that were looked at longest ago: asking costs more than remembering.
"""

from collections.abc import Mapping, Sequence

from app.db import profiles, shops
from app.db.profiles import ProfileRow
from app.db.reconciliations import Repair, kinds_of
from app.db.session import Session
from app.domain.errors import Refused
from app.domain.profiles import FoundProfile
from app.services.causes import Cause
from app.services.reconcile_run import Run
from app.services.shop_client import open_shop
from app.services.sweep_profiles import sweep_profiles
from app.services.write_profiles import NOT_GRANTED, note_problem, write_profiles

A_NIGHT = 2000  # customers read at the shop; `everything`: all of them
_AT_ONCE = 50


def reconcile_profiles(run: Run) -> None:
    """A shop that shows nothing, or lets us write nothing, has nothing to compare.

    Raises: AccessLost, Retryable, Refused.
    """
    if "profiles" not in kinds_of(run.shop):
        return
    if run.cursor is None:
        if not _may_write(run):
            return
        sweep_profiles(run.rt, run.program_id, run.shop_id)
        run.cursor = "swept"  # gone on with, it is not looked through again
    write_profiles(run.rt, run.program_id, run.shop_id)
    run.total = None if run.everything else A_NIGHT
    while run.everything or run.looked_at < A_NIGHT:
        with run.rt.db.begin(run.program_id) as session:
            refs = profiles.find_to_check(session, run.shop_id, before=run.started_at, limit=_AT_ONCE)
        if not refs:
            break
        with open_shop(run.rt, run.program_id, run.shop_id) as client:
            found = client.read_profiles(refs)
        with run.rt.db.begin(run.program_id) as session:
            _compare(run, session, refs, found)
            run.look(session, len(refs))
    write_profiles(run.rt, run.program_id, run.shop_id)


def _may_write(run: Run) -> bool:
    """Asked anew each night: the merchant may have granted it since, or taken it away."""
    try:
        if run.shop.shows_fields:
            with open_shop(run.rt, run.program_id, run.shop_id) as client:
                client.prepare_profiles()
    except Refused as refused:
        if refused.code not in (NOT_GRANTED, "rejected"):
            raise
        note_problem(run.rt, run.program_id, run.shop, refused)
        return False
    with run.rt.db.begin(run.program_id) as session:
        ready = run.shop.shows_fields or run.shop.profile_ready
        shops.update_shop(session, run.shop_id, profile_problem=None, profile_ready=ready)
    return True


def _compare(run: Run, session: Session, refs: Sequence[str], found: Mapping[str, FoundProfile]) -> None:
    """What differs from what we remember is due, and told. Of a customer who is gone nothing is remembered."""
    rows = profiles.lock_rows(session, run.shop_id, refs)
    profiles.forget(session, run.shop_id, [ref for ref in refs if ref not in found])
    still = {ref: row for ref, row in rows.items() if ref in found and row.due_at is None and row.held.known}
    # A tag that we do not remember is not ours, whatever it is called.
    there = {
        ref: FoundProfile(fields=found[ref].fields, tags=found[ref].tags & row.held.tags)
        for ref, row in still.items()
    }
    unlike = [ref for ref, row in still.items() if _differs(row, there[ref])]
    ids = profiles.find_identity_ids(session, run.shop_id, unlike)
    run.repaired(
        session,
        [
            Repair(
                subject=f"customer:{ids[ref]}",
                cause=Cause.PROFILE_ADRIFT.value,
                detail="what the shop shows of the member’s points or level was changed there",
            )
            for ref in unlike
            if ref in ids
        ],
    )
    profiles.note_found(session, run.shop_id, there, now=run.rt.now())
    profiles.mark_refs(session, run.shop_id, unlike, now=run.rt.now())


def _differs(row: ProfileRow, found: FoundProfile) -> bool:
    return dict(row.held.fields) != dict(found.fields) or row.held.tags != found.tags
