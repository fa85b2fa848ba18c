"""The review: who no longer reaches their tier gets a grace, and then the tier that they do reach."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.db import members, orders, programs
from app.db.members import MemberRow, TierChange
from app.db.session import Session
from app.domain.program import Program
from app.domain.tiers import SpendFact, TierFloor, highest_since
from app.services.known_until import known_until
from app.services.runtime import Runtime

BATCH = 500


def review_tiers(rt: Runtime, program_id: int) -> int:
    """Review every member above the lowest tier. Returns how many tiers changed.

    Looks only up to the moment until which all connected shops were read, so that an order that we have not heard
    of yet costs nobody a tier.
    """
    changed, after = 0, 0
    while True:
        now = rt.now()
        with rt.db.begin(program_id) as session:
            programs.lock_settling(session)
            program = programs.load_versions(session)[program_id].live
            until = known_until(session, now)
            page = _page(session, program, after)
            if until is None or not page:
                return changed
            after = page[-1].member_id
            changed += _review(session, page, program, until, now)


def _page(session: Session, program: Program, after: int) -> list[MemberRow]:
    rows = session.rows(
        "SELECT m.id FROM members m JOIN accounts a ON a.program_id = m.program_id AND a.id = m.id "
        "WHERE {fence:m} AND m.id > :after AND m.tier_key <> :lowest AND a.closed_at IS NULL ORDER BY m.id LIMIT :limit",
        after=after,
        lowest=program.tiers[0].key,
        limit=BATCH,
    )
    found = members.find_members(session, [row.id for row in rows])
    return [found[row.id] for row in rows]


def _review(
    session: Session, page: Sequence[MemberRow], program: Program, until: datetime, now: datetime
) -> int:
    ids = [member.member_id for member in page]
    since = until - timedelta(days=31 * program.tier_months + 31)
    facts: dict[int, list[SpendFact]] = {}
    for member_id, _, _, fact, _, _ in orders.find_spend(session, ids, since=since):
        facts.setdefault(member_id, []).append(fact)
    floors = members.find_floors(session, ids)
    changes = []
    for member in page:
        # Not only at `until`: who reached a tier since keeps it until all of that time was read.
        reached = highest_since(
            facts.get(member.member_id, ()), floors.get(member.member_id, ()), program=program, since=until
        )
        if program.rank(reached.key) >= program.rank(member.tier_key):
            continue
        if program.grace_days and not _had_grace(floors.get(member.member_id, ()), member):
            _grant_grace(session, member, until, program.grace_days)
            continue
        changes.append(
            TierChange(
                program_id=member.program_id,
                member_id=member.member_id,
                from_key=member.tier_key,
                to_key=reached.key,
                cause="review",
                at=until,
            )
        )
    members.change_tiers(session, changes, now=now)
    return len(changes)


def _had_grace(floors: Sequence[TierFloor], member: MemberRow) -> bool:
    """Whether the grace for the present tier has been given since the member reached it."""
    return any(
        floor.tier_key == member.tier_key
        and (member.tier_since is None or floor.from_at >= member.tier_since)
        for floor in floors
    )


def _grant_grace(session: Session, member: MemberRow, at: datetime, days: int) -> None:
    session.run(
        "INSERT INTO tier_floors (program_id, member_id, tier_key, cause, from_at, until_at) "
        "VALUES (:program_id, :member, :tier, 'grace', :at, :until)",
        member=member.member_id,
        tier=member.tier_key,
        at=at,
        until=at + timedelta(days=days),
    )
