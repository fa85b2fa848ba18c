"""Activities become what the ledger holds: target, then difference, by the same code as orders."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from app.db import activities, ledger, members, programs
from app.db.activities import ActivityRow
from app.db.programs import Versions
from app.db.session import Session
from app.domain.settling import settle
from app.services.activity_targets import activity_targets, persons


def settle_activities(
    session: Session, rows: Sequence[ActivityRow], versions: Mapping[int, Versions], *, now: datetime
) -> None:
    """Make the ledger agree with what these, as stored, are worth now; `rows` are brought up to date.

    The caller holds the program's settling lock, or that of the one account that they are of.
    """
    if not rows:
        return
    targets = activity_targets(session, rows, versions)
    held = ledger.find_held(session, [row.source for row in rows])
    holders = {account for accounts in held.values() for account in accounts}
    winners = members.find_winners(session, sorted(holders | {row.member_id for row in rows}))
    owners = {row.activity_id: winners.get(row.member_id, row.member_id) for row in rows}
    # Points may have expired in accounts that were closed since: they are given back there.
    closed = {one for one in holders if one in winners}
    books = ledger.lock_books(
        session,
        set(owners.values()) | {winners.get(one, one) for one in holders} | closed,
        origins=list(held),
    )
    changed = []
    for row in rows:
        target = targets[row.activity_id]
        settle(
            row.source,
            target,
            books,
            held.setdefault(row.source, {}),
            owner=owners[row.activity_id],
            counts_as=winners,
            policy=versions[row.program_id].live.refund_policy,
            now=now,
        )
        if (row.target_points, row.facts) != (target.points, target.facts):
            row.target_points, row.facts = target.points, target.facts
            changed.append(row)
    ledger.write_books(session, books.values())
    if moved := [books[one] for one in sorted(closed) if books[one].appended]:
        ledger.share_lifetimes(session, moved)
    activities.write_targets(session, changed)


def recount_activities(session: Session, member_ids: Sequence[int], *, now: datetime) -> None:
    """Count what these open accounts did anew, and the referrals that they are a side of: who is one has changed."""
    everybody = sorted(persons(session, member_ids))
    rows = activities.find_activities_where(
        session,
        "(a.member_id = ANY(:members) OR a.referral_id IN (SELECT r.id FROM referrals r WHERE {fence:r} "
        "AND (r.friend_id = ANY(:members) OR r.referrer_id = ANY(:members))))",
        members=everybody,
    )
    if rows:
        settle_activities(session, rows, programs.load_versions(session), now=now)
