"""Friends' first orders become what both sides of a referral get. Called with every batch of settled orders."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from app.db import activities, blocks, members
from app.db.activities import ActivityRow, ReferralRow
from app.db.programs import Versions
from app.db.session import Session
from app.domain.activities import REFERRAL, Limit, Side
from app.domain.awarding import Brought, Withheld, why_nothing
from app.domain.program import Program
from app.services.activity_targets import find_brought, persons
from app.services.settle_activities import settle_activities


def settle_referrals(
    session: Session, member_ids: Iterable[int], versions: Mapping[int, Versions], *, now: datetime
) -> None:
    """Count anew the referrals that brought these open accounts, whose orders have changed."""
    friends = persons(session, member_ids)
    known = activities.find_referrals_to(session, sorted(friends))
    if not known:
        return
    rows = activities.find_activities_where(
        session, "a.referral_id = ANY(:ids)", ids=[one.referral_id for one in known]
    )
    _qualify(session, rows, versions)
    settle_activities(session, rows, versions, now=now)


def _qualify(session: Session, rows: Sequence[ActivityRow], versions: Mapping[int, Versions]) -> None:
    """Where a friend's order counts for the first time: what speaks against the one side or the other is fixed."""
    brought = find_brought(session, sorted({row.referral_id for row in rows if row.referral_id}), versions)
    news = [
        (row, one, program)
        for row in rows
        if row.qualified_at is None
        for one in [brought[row.referral_id or 0]]
        for program in [versions[row.program_id].get(row.version)]
        if why_nothing(program, one) is None
    ]
    if not news:
        return
    judge = _Judge(session, [(row, program) for row, _, program in news])
    for row, one, program in sorted(news, key=lambda each: (_moment(each[1]), each[0].activity_id)):
        row.qualified_at = _moment(one)
        row.zero = judge.against(row, one, program)
    activities.write_targets(session, [row for row, _, _ in news])


def _moment(one: Brought) -> datetime:
    assert one.order is not None
    assert one.order.counts_at is not None
    return one.order.counts_at


class _Judge:
    """What is known of those who are to be rewarded: loaded once for a batch, and kept true while it is judged."""

    def __init__(self, session: Session, news: Sequence[tuple[ActivityRow, Program]]) -> None:
        ids = sorted({row.member_id for row, _ in news})  # both sides: they qualify together
        self._winners = members.find_winners(session, ids)
        roots = sorted({self._winners.get(one, one) for one in ids})
        self._blocks = blocks.find_blocks(session, roots)
        self._erased = {
            one
            for one, member in members.find_members(session, roots).items()
            if member.erased_at is not None
        }
        referrals = activities.find_referrals(session, sorted({row.referral_id or 0 for row, _ in news}))
        self._alike = _same_address(session, list(referrals.values()), self._winners)
        self._given: dict[int, list[datetime]] = {}
        limited = {
            self._root(row)
            for row, program in news
            if row.kind == Side.REFERRER and program.referral is not None and program.referral.limit
        }
        if limited:
            root = persons(session, limited)
            for member_id, at in _rewarded(session, sorted(root)):
                self._given.setdefault(root[member_id], []).append(at)

    def against(self, row: ActivityRow, one: Brought, program: Program) -> Withheld | None:
        order, owner, moment = one.order, self._root(row), _moment(one)
        assert order is not None
        if row.referral_id in self._alike:
            return Withheld.SAME_PERSON
        if owner in self._erased:
            return Withheld.GONE
        if any(block.covers(order.placed_at) for block in self._blocks.get(owner, ())):
            return Withheld.BLOCKED
        if row.kind != Side.REFERRER or program.referral is None:
            return None
        if program.referral.limit is not None and self._is_over(
            owner, moment, program.referral.limit, program
        ):
            return Withheld.LIMIT
        self._given.setdefault(owner, []).append(moment)
        return None

    def _root(self, row: ActivityRow) -> int:
        return self._winners.get(row.member_id, row.member_id)

    def _is_over(self, owner: int, moment: datetime, limit: Limit, program: Program) -> bool:
        period = limit.period(moment, program.zone)
        given = [at for at in self._given.get(owner, ()) if limit.period(at, program.zone) == period]
        return len(given) >= limit.times


def _rewarded(session: Session, member_ids: Sequence[int]) -> list[tuple[int, datetime]]:
    """(referrer, when) of each friend that they are rewarded for now."""
    rows = session.rows(
        "SELECT member_id, qualified_at FROM activities WHERE {fence} AND member_id = ANY(:members) "
        "AND key = :key AND kind = :kind AND qualified_at IS NOT NULL AND target_points > 0",
        members=list(member_ids),
        key=REFERRAL,
        kind=Side.REFERRER.value,
    )
    return [(row.member_id, row.qualified_at) for row in rows]


def _same_address(session: Session, rows: Sequence[ReferralRow], winners: Mapping[int, int]) -> set[int]:
    """Referrals whose two sides share an address, as far as one is known, proven or not."""
    found = session.rows(
        "SELECT DISTINCT u.id FROM unnest(CAST(:ids AS bigint[]), CAST(:referrers AS bigint[]), "
        "CAST(:friends AS bigint[])) AS u(id, referrer, friend) "
        "JOIN identities f ON {fence:f} AND f.member_id = u.friend "
        "JOIN identities o ON {fence:o} AND o.program_id = f.program_id AND o.member_id = u.referrer "
        "AND o.email_hash = f.email_hash",
        ids=[row.referral_id for row in rows],
        referrers=[winners.get(row.referrer_id, row.referrer_id) for row in rows],
        friends=[winners.get(row.friend_id, row.friend_id) for row in rows],
    )
    return {row.id for row in found}
