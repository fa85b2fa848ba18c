"""Which triggers shops have in use, and what is still to be told there: noted in the commit that made it true.

What happens to one member within a minute is told together. A row is taken, and that is committed, before the shop is
called: nobody can tell afterwards whether an answer that was lost had begun something, so nothing is told twice.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db import jobs
from app.db.session import Session, rows_of
from app.domain.triggers import Trigger

TOGETHER = timedelta(seconds=60)
"""What happens to a member within so long after the first is told at once."""

_JOB = "tell_happenings"
_THERE = "i.customer_ref NOT LIKE 'erased:%' AND i.gone_at IS NULL"
_CALLABLE = "s.state = 'connected' AND s.access_problem IS NULL"
_KEY = "(program_id, shop_id, trigger, member_id, redemption_id) WHERE taken_at IS NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class HappeningRow:
    happening_id: int
    trigger: Trigger
    member_id: int
    redemption_id: int  # 0: it is about none
    points: int
    from_key: str | None
    to_key: str | None
    happened_at: datetime
    in_use: bool  # the shop still wants to hear of it


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerRow:
    """`told` and `lost`: how often, since the shop first used it; `lost` may have arrived or not."""

    trigger: Trigger
    in_use: bool
    told: int
    lost: int
    told_at: datetime | None
    problem: str | None


# --- Noting ------------------------------------------------------------------------------------------------


def note_earned(session: Session, points: Mapping[tuple[int, int], int], *, now: datetime) -> None:
    """(program, member) -> what orders and activities brought them, less what was taken back.

    A reversal lessens what is still to be told, and is itself told to nobody.
    """
    if not points or not _is_used(session, Trigger.POINTS_EARNED):
        return
    rows = [{"p": program, "m": member, "n": n} for (program, member), n in points.items()]
    session.run(
        "UPDATE happenings h SET points = h.points + u.n FROM jsonb_to_recordset(CAST(:rows AS jsonb)) "
        "AS u(p bigint, m bigint, n bigint) WHERE {fence:h} AND h.program_id = u.p AND h.member_id = u.m "
        "AND h.trigger = :trigger AND h.taken_at IS NULL AND u.n < 0",
        rows=rows_of(rows),
        trigger=Trigger.POINTS_EARNED,
    )
    _note(
        session,
        Trigger.POINTS_EARNED,
        [row for row in rows if row["n"] > 0],
        "points = happenings.points + excluded.points",
        now=now,
    )


def note_tiers(session: Session, moves: Iterable[tuple[int, int, str, str]], *, now: datetime) -> None:
    """(program, member, from, to), in the order in which they happened. Several steps are told as one."""
    rows: dict[tuple[int, int], dict[str, object]] = {}
    for program, member, before, after in moves:
        first = rows.setdefault((program, member), {"p": program, "m": member, "f": before})
        first["t"] = after
    if rows and _is_used(session, Trigger.TIER_CHANGED):
        _note(session, Trigger.TIER_CHANGED, list(rows.values()), "to_key = excluded.to_key", now=now)


def note_redeemed(
    session: Session, shop_id: int, member_id: int, redemption_id: int, *, now: datetime
) -> None:
    """At the shop that it was bought for, and at once: somebody waits for it."""
    if _is_used(session, Trigger.REWARD_REDEEMED):
        row = {"p": session.program_id, "m": member_id, "r": redemption_id, "s": shop_id}
        _note(session, Trigger.REWARD_REDEEMED, [row], "points = happenings.points", now=now)


def _is_used(session: Session, trigger: Trigger) -> bool:
    """The one question that settling asks where no shop uses it: answered by an index that is empty then."""
    found = session.first(
        "SELECT 1 FROM triggers WHERE {fence} AND trigger = :trigger AND in_use LIMIT 1", trigger=trigger
    )
    return found is not None


def _note(
    session: Session,
    trigger: Trigger,
    rows: Sequence[Mapping[str, object]],
    together: str,
    *,
    now: datetime,
) -> None:
    """At each shop that uses the trigger and has the member among its customers; with its job, in the same commit.

    `together`: how it joins what waits already.
    """
    if not rows:
        return
    due = now if trigger is Trigger.REWARD_REDEEMED else now + TOGETHER
    noted = session.rows(
        "WITH noted AS (INSERT INTO happenings (program_id, shop_id, trigger, member_id, redemption_id, points, "
        "from_key, to_key, happened_at, due_at) SELECT t.program_id, t.shop_id, t.trigger, u.m, coalesce(u.r, 0), "
        "coalesce(u.n, 0), u.f, u.t, :now, :due FROM jsonb_to_recordset(CAST(:rows AS jsonb)) "
        "AS u(p bigint, m bigint, r bigint, s bigint, n bigint, f text, t text) JOIN triggers t ON {fence:t} "
        "AND t.program_id = u.p AND t.trigger = :trigger AND t.in_use AND t.shop_id = coalesce(u.s, t.shop_id) "
        "WHERE EXISTS (SELECT 1 FROM identities i WHERE {fence:i} AND i.program_id = u.p AND i.shop_id = t.shop_id "
        f"AND i.member_id = u.m AND {_THERE}) ORDER BY t.shop_id, u.m "
        f"ON CONFLICT {_KEY} DO UPDATE SET {together} RETURNING program_id, shop_id) "
        "SELECT DISTINCT n.program_id, n.shop_id FROM noted n JOIN shops s ON {fence:s} "
        f"AND s.program_id = n.program_id AND s.id = n.shop_id AND {_CALLABLE}",
        rows=rows_of(rows),
        trigger=trigger,
        now=now,
        due=due,
    )
    found = [{"program_id": row.program_id, "shop_id": row.shop_id} for row in noted]
    jobs.enqueue_all(session, _JOB, found, at=None if due == now else due)


# --- Telling -----------------------------------------------------------------------------------------------

_COLUMNS = "trigger, member_id, redemption_id, points, from_key, to_key, happened_at"


def take(session: Session, shop_id: int, *, now: datetime, limit: int) -> list[HappeningRow]:
    """The next that are due, oldest first. From this commit on they are not taken again, unless put back."""
    rows = session.rows(
        "WITH due AS (SELECT h.program_id, h.id FROM happenings h WHERE {fence:h} AND h.shop_id = :shop "
        "AND h.due_at <= :now AND h.taken_at IS NULL ORDER BY h.due_at, h.id LIMIT :limit FOR UPDATE SKIP LOCKED), "
        "taken AS (UPDATE happenings h SET taken_at = :now FROM due WHERE {fence:h} "
        "AND h.program_id = due.program_id AND h.id = due.id RETURNING h.*) "
        "SELECT h.id AS happening_id, h.trigger, h.member_id, h.redemption_id, h.points, h.from_key, h.to_key, "
        "h.happened_at, coalesce(t.in_use, false) AS in_use FROM taken h LEFT JOIN triggers t ON {fence:t} "
        "AND t.program_id = h.program_id AND t.shop_id = h.shop_id AND t.trigger = h.trigger ORDER BY h.due_at, h.id",
        shop=shop_id,
        now=now,
        limit=limit,
    )
    return [HappeningRow(**{**row._mapping, "trigger": Trigger(row.trigger)}) for row in rows]


def find_customers(session: Session, shop_id: int, member_ids: Collection[int]) -> dict[int, str]:
    """Member -> their customer at this shop: of several the one seen last, since a person is told once."""
    rows = session.rows(
        "SELECT DISTINCT ON (i.member_id) i.member_id, i.customer_ref FROM identities i WHERE {fence:i} "
        f"AND i.shop_id = :shop AND i.member_id = ANY(:ids) AND {_THERE} "
        "ORDER BY i.member_id, i.seen_at DESC, i.id DESC",
        shop=shop_id,
        ids=list(member_ids),
    )
    return {row.member_id: row.customer_ref for row in rows}


def find_bound(session: Session, identity_ids: Collection[int]) -> dict[int, str]:
    """Our id -> the shop's, of those customers that are there."""
    rows = session.rows(
        f"SELECT i.id, i.customer_ref FROM identities i WHERE {{fence:i}} AND i.id = ANY(:ids) AND {_THERE}",
        ids=list(identity_ids),
    )
    return {row.id: row.customer_ref for row in rows}


def put_back(session: Session, shop_id: int, ids: Collection[int]) -> None:
    """The shop surely heard nothing of these: they wait again, together with what came since."""
    session.run(
        "WITH back AS (DELETE FROM happenings WHERE {fence} AND shop_id = :shop AND id = ANY(:ids) RETURNING *) "
        f"INSERT INTO happenings (program_id, shop_id, due_at, {_COLUMNS}) "
        f"SELECT program_id, shop_id, due_at, {_COLUMNS} FROM back ORDER BY id "
        f"ON CONFLICT {_KEY} DO UPDATE SET points = happenings.points + excluded.points, "
        "from_key = excluded.from_key, happened_at = excluded.happened_at, due_at = excluded.due_at",
        shop=shop_id,
        ids=list(ids),
    )


def drop(session: Session, ids: Collection[int]) -> None:
    """Nobody needs to hear of these any more."""
    if ids:
        session.run("DELETE FROM happenings WHERE {fence} AND id = ANY(:ids)", ids=list(ids))


def note_told(session: Session, shop_id: int, ids: Collection[int], *, now: datetime) -> None:
    session.run(
        "WITH told AS (DELETE FROM happenings WHERE {fence} AND shop_id = :shop AND id = ANY(:ids) RETURNING trigger) "
        "UPDATE triggers t SET told = t.told + u.n, told_at = :now, problem = NULL "
        "FROM (SELECT trigger, count(*) AS n FROM told GROUP BY trigger) u "
        "WHERE {fence:t} AND t.shop_id = :shop AND t.trigger = u.trigger",
        shop=shop_id,
        ids=list(ids),
        now=now,
    )


def note_refused(session: Session, shop_id: int, refused: Mapping[int, str]) -> None:
    """id -> why the shop did not take it: told again it would be refused again."""
    session.run(
        "WITH gone AS (DELETE FROM happenings h USING jsonb_to_recordset(CAST(:rows AS jsonb)) AS u(id bigint, "
        "why text) WHERE {fence:h} AND h.shop_id = :shop AND h.id = u.id RETURNING h.trigger, u.why) "
        "UPDATE triggers t SET problem = g.why FROM (SELECT trigger, max(why) AS why FROM gone GROUP BY trigger) g "
        "WHERE {fence:t} AND t.shop_id = :shop AND t.trigger = g.trigger",
        shop=shop_id,
        rows=rows_of([{"id": one, "why": why[:500]} for one, why in refused.items()]),
    )


def note_lost(session: Session, shop_id: int, ids: Collection[int]) -> None:
    """Nobody knows whether the shop heard of these, so they are not told again."""
    _lose(session, "h.shop_id = :shop AND h.id = ANY(:ids)", shop=shop_id, ids=list(ids))


def lose_taken(session: Session, *, before: datetime) -> int:
    """Of those who took them nobody is left. Returns how many."""
    return _lose(session, "h.taken_at < :before", before=before)


def _lose(session: Session, which: str, /, **params: object) -> int:
    return int(
        session.scalar(
            f"WITH lost AS (DELETE FROM happenings h WHERE {{fence:h}} AND {which} "
            "RETURNING h.program_id, h.shop_id, h.trigger), "
            "counted AS (SELECT program_id, shop_id, trigger, count(*) AS n FROM lost GROUP BY 1, 2, 3), "
            "noted AS (UPDATE triggers t SET lost = t.lost + c.n FROM counted c WHERE {fence:t} "
            "AND t.program_id = c.program_id AND t.shop_id = c.shop_id AND t.trigger = c.trigger) "
            "SELECT coalesce(sum(n), 0) FROM counted",
            params,
        )
    )


def find_due_shops(session: Session, *, now: datetime) -> list[tuple[int, int]]:
    """(program, shop) of shops that may be called and have something due, which a lost job would leave waiting."""
    rows = session.rows(
        f"SELECT s.program_id, s.id FROM shops s WHERE {{fence:s}} AND {_CALLABLE} AND EXISTS (SELECT 1 "
        "FROM happenings h WHERE {fence:h} AND h.program_id = s.program_id AND h.shop_id = s.id "
        "AND h.due_at <= :now AND h.taken_at IS NULL) ORDER BY s.program_id, s.id",
        now=now,
    )
    return [(row.program_id, row.id) for row in rows]


def enqueue_telling(session: Session, shop_id: int) -> None:
    jobs.enqueue(session, _JOB, shop_id=shop_id)


# --- What shops have in use --------------------------------------------------------------------------------


def set_in_use(session: Session, shop_id: int, trigger: Trigger, *, in_use: bool, said_at: datetime) -> bool:
    """Returns False for an older word than the last, which changes nothing. Out of use, nothing waits any more."""
    newer = session.first(
        "INSERT INTO triggers (program_id, shop_id, trigger, in_use, said_at) "
        "VALUES (:program_id, :shop, :trigger, :in_use, :said) ON CONFLICT (program_id, shop_id, trigger) "
        "DO UPDATE SET in_use = excluded.in_use, said_at = excluded.said_at, problem = NULL "
        "WHERE triggers.said_at < excluded.said_at RETURNING 1",
        shop=shop_id,
        trigger=trigger,
        in_use=in_use,
        said=said_at,
    )
    if newer is not None and not in_use:
        session.run(
            "DELETE FROM happenings WHERE {fence} AND shop_id = :shop AND trigger = :trigger AND taken_at IS NULL",
            shop=shop_id,
            trigger=trigger,
        )
    return newer is not None


def find_triggers(session: Session, shop_id: int) -> list[TriggerRow]:
    rows = session.rows(
        "SELECT trigger, in_use, told, lost, told_at, problem FROM triggers WHERE {fence} AND shop_id = :shop "
        "ORDER BY trigger",
        shop=shop_id,
    )
    return [TriggerRow(**{**row._mapping, "trigger": Trigger(row.trigger)}) for row in rows]


def leave(session: Session, shop_id: int, *, now: datetime) -> None:
    """The shop left: nothing is in use there, whatever it said before that arrives late."""
    session.run(
        "UPDATE triggers SET in_use = false, said_at = greatest(said_at, :now) WHERE {fence} AND shop_id = :shop",
        shop=shop_id,
        now=now,
    )
    session.run("DELETE FROM happenings WHERE {fence} AND shop_id = :shop", shop=shop_id)


def forget_shop(session: Session, shop_id: int) -> None:
    session.run("DELETE FROM happenings WHERE {fence} AND shop_id = :shop", shop=shop_id)
    session.run("DELETE FROM triggers WHERE {fence} AND shop_id = :shop", shop=shop_id)


def forget_members(session: Session, member_ids: Collection[int]) -> None:
    session.run("DELETE FROM happenings WHERE {fence} AND member_id = ANY(:ids)", ids=list(member_ids))


def forget_waiting(session: Session) -> None:
    """Our memory is an old one: what waited then may have been told since."""
    session.run("DELETE FROM happenings WHERE {fence}")
