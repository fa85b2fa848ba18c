"""Members' points and level at a shop's own customers are brought in line with the ledger: only what differs is written.

Safe to run twice, and to be lost: what is due stays due until the shop answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from app.db import profiles, shops
from app.db.profiles import ProfileRow
from app.db.session import Session
from app.db.shops import ShopRow
from app.domain.errors import PutOff, Refused
from app.domain.profiles import ProfileChange, ProfileEnding, change_to_reach, reached
from app.services.find_profiles import WantedProfile, find_profiles
from app.services.runtime import Runtime
from app.services.shop_client import open_shop

BATCH = 25  # some 550 points of a platform that counts, where all is new: one piece of work is never more than is free
_BATCHES = 20  # a job; then others that wait for the shop have their turn
NOT_GRANTED = "not_granted"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Part:
    """Some customers that are due. `changes`: what is to be written of them, by customer ref."""

    rows: Mapping[str, ProfileRow]
    wanted: Mapping[str, WantedProfile]
    changes: Mapping[str, ProfileChange]


def write_profiles(rt: Runtime, program_id: int, shop_id: int) -> int:
    """Returns at how many customers something was written.

    A shop that does not let us write there is noted as such (`profile_problem`), and not asked again before the nightly
    look. Raises: Refused("not_callable"), AccessLost, Retryable.
    """
    written = 0
    for _ in range(_BATCHES):
        part = _take(rt, program_id, shop_id)
        if part is None:
            _clear_fields(rt, program_id, shop_id)
            return written
        if part.changes and not _write(rt, program_id, shop_id, part):
            return written
        written += len(part.changes)
    with rt.db.begin(program_id) as session:
        profiles.enqueue_writing(session, shop_id)
    return written


def _take(rt: Runtime, program_id: int, shop_id: int) -> _Part | None:
    """The next that are due; what needs no writing is done with at once. None: nothing is due."""
    now = rt.now()
    with rt.db.begin(program_id) as session:
        rows = {row.customer_ref: row for row in profiles.lock_due(session, shop_id, now=now, limit=BATCH)}
        if not rows:
            return None
        wanted = find_profiles(session, shops.get_shop(session, shop_id), list(rows), now=now)
        changes = {
            ref: change
            for ref, row in rows.items()
            if (change := change_to_reach(wanted[ref].profile, row.held, ref)) is not None
        }
        right = {
            ref: (row.mark, reached(wanted[ref].profile), wanted[ref].next_at)
            for ref, row in rows.items()
            if ref not in changes
        }
        profiles.note_written(session, shop_id, right, now=now)
        profiles.note_trying(session, shop_id, {ref: wanted[ref].profile for ref in changes})
    return _Part({ref: rows[ref] for ref in changes}, wanted, changes)


def _write(rt: Runtime, program_id: int, shop_id: int, part: _Part) -> bool:
    """Returns False if the shop does not let us."""
    with rt.db.begin(program_id) as session:
        shop = shops.get_shop(session, shop_id)
    try:
        with open_shop(rt, program_id, shop_id) as client:
            if shop.shows_fields and not shop.profile_ready:
                client.prepare_profiles()
                with rt.db.begin(program_id) as session:
                    shops.update_shop(session, shop_id, profile_ready=True)
            endings = client.write_profiles(list(part.changes.values()))
    except PutOff as later:
        if not later.begun:  # nothing was asked: what we knew before is as good as it was
            with rt.db.begin(program_id) as session:
                profiles.note_untried(session, part.rows.values())
        raise
    except Refused as refused:
        if refused.code not in (NOT_GRANTED, "rejected"):
            raise
        note_problem(rt, program_id, shop, refused)
        return False
    with rt.db.begin(program_id) as session:
        _keep(rt, session, shop, part, endings)
    return True


def _keep(
    rt: Runtime, session: Session, shop: ShopRow, part: _Part, endings: Mapping[str, ProfileEnding]
) -> None:
    profiles.lock_rows(session, shop.shop_id, part.changes)  # in order: marks are made in order, too
    by_ending: dict[ProfileEnding, list[str]] = {}
    for ref in part.changes:
        by_ending.setdefault(endings[ref], []).append(ref)
    done = {
        ref: (part.rows[ref].mark, reached(part.wanted[ref].profile), part.wanted[ref].next_at)
        for ref in by_ending.get(ProfileEnding.WRITTEN, ())
    }
    profiles.note_written(session, shop.shop_id, done, now=rt.now())
    profiles.forget(session, shop.shop_id, by_ending.get(ProfileEnding.GONE, ()))
    rejected = by_ending.get(ProfileEnding.REJECTED, ())
    profiles.note_rejected(session, shop.shop_id, {ref: part.rows[ref].mark for ref in rejected})
    if rejected:
        log.warning("profiles_rejected", shop_id=shop.shop_id, count=len(rejected))


def note_problem(rt: Runtime, program_id: int, shop: ShopRow, refused: Refused) -> None:
    with rt.db.begin(program_id) as session:
        shops.update_shop(session, shop.shop_id, profile_problem=refused.detail[:500])
    log.warning("profiles_refused", shop_id=shop.shop_id, code=refused.code, detail=refused.detail)


def _clear_fields(rt: Runtime, program_id: int, shop_id: int) -> None:
    """Where fields are not shown any more, and none stands at anybody, what they were made ready with goes too."""
    with rt.db.begin(program_id) as session:
        shop = shops.get_shop(session, shop_id)
        if shop.shows_fields or not shop.profile_ready or profiles.has_fields(session, shop_id):
            return
    with open_shop(rt, program_id, shop_id) as client:
        client.remove_profiles()
    with rt.db.begin(program_id) as session:
        shops.update_shop(session, shop_id, profile_ready=False)
