"""What stands at shops of our members, as remembered, and which of it is to be written again.

A row is due (`due_at`) because something of the member changed, or because points of theirs become available. Each mark
counts `mark` up: a writing that began before is done with only up to the mark it saw. What a writing is about to change
is unknown from before the shop is called until it answered.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.db import jobs
from app.db.session import Session, rows_of
from app.domain.profiles import FoundProfile, HeldProfile, Profile, ProfileField

TOGETHER = timedelta(seconds=60)
"""What changes of a member within so long after the first change is written at once."""

_THERE = "i.customer_ref NOT LIKE 'erased:%' AND i.gone_at IS NULL"
_SHOWN = "(s.shows_fields OR s.shows_tags)"
# A shop that may be called, and was not found to refuse us this.
_WRITABLE = "s.state = 'connected' AND s.access_problem IS NULL AND s.profile_problem IS NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileRow:
    shop_id: int
    customer_ref: str
    mark: int
    due_at: datetime | None
    held: HeldProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A member as their account is. `next_at`: when pending points become available."""

    tier_key: str
    points: int
    pending: int
    next_at: datetime | None


# --- Marking -----------------------------------------------------------------------------------------------


def mark_members(session: Session, member_ids: Collection[int], *, now: datetime) -> None:
    """Something of these members changed: shops that show it are told, by a job in the same commit."""
    _mark(session, "i.member_id = ANY(:ids)", member_ids, now)


def mark_identities(session: Session, identity_ids: Collection[int], *, now: datetime) -> None:
    """These customers belong to somebody else now, or to somebody at all."""
    _mark(session, "i.id = ANY(:ids)", identity_ids, now)


def _mark(session: Session, which: str, ids: Collection[int], now: datetime) -> None:
    if not ids:
        return
    due = now + TOGETHER
    rows = session.rows(
        "WITH marked AS (INSERT INTO shop_profiles (program_id, shop_id, customer_ref, due_at) "
        "SELECT i.program_id, i.shop_id, i.customer_ref, :due FROM identities i JOIN shops s "
        f"ON {{fence:s}} AND s.program_id = i.program_id AND s.id = i.shop_id AND {_SHOWN} "
        f"WHERE {{fence:i}} AND {which} AND {_THERE} ORDER BY i.shop_id, i.customer_ref "
        "ON CONFLICT (program_id, shop_id, customer_ref) DO UPDATE SET mark = shop_profiles.mark + 1, "
        "due_at = least(shop_profiles.due_at, excluded.due_at) RETURNING program_id, shop_id) "
        "SELECT DISTINCT m.program_id, m.shop_id FROM marked m JOIN shops s ON {fence:s} "
        f"AND s.program_id = m.program_id AND s.id = m.shop_id AND {_WRITABLE}",
        ids=list(ids),
        due=due,
    )
    _enqueue(session, [(row.program_id, row.shop_id) for row in rows], at=due)


def mark_refs(session: Session, shop_id: int, customer_refs: Collection[str], *, now: datetime) -> None:
    """Rows that are there, and customers that have none yet, are due at once. The caller puts in the job."""
    session.run(
        "INSERT INTO shop_profiles (program_id, shop_id, customer_ref, due_at) "
        "SELECT :program_id, :shop, r, :now FROM unnest(CAST(:refs AS text[])) AS u(r) ORDER BY r "
        "ON CONFLICT (program_id, shop_id, customer_ref) DO UPDATE SET mark = shop_profiles.mark + 1, "
        "due_at = least(shop_profiles.due_at, excluded.due_at)",
        shop=shop_id,
        refs=list(customer_refs),
        now=now,
    )


def enqueue_writing(session: Session, shop_id: int) -> None:
    jobs.enqueue(session, "write_profiles", shop_id=shop_id)


def _enqueue(session: Session, shops: Sequence[tuple[int, int]], *, at: datetime | None = None) -> None:
    found = [{"program_id": program_id, "shop_id": shop_id} for program_id, shop_id in shops]
    jobs.enqueue_all(session, "write_profiles", found, at=at)


def forget_certainty(session: Session, shop_id: int, tags: Collection[str] = (), *, now: datetime) -> None:
    """We were away from the shop, or our memory is an old one: nobody knows what stands there.

    `tags`: those that may have been set since, of which we remember nothing.
    """
    session.run(
        "UPDATE shop_profiles SET known = false, mark = mark + 1, due_at = least(due_at, :now), "
        "tags = tags || CAST(:tags AS jsonb) WHERE {fence} AND shop_id = :shop",
        shop=shop_id,
        tags=json.dumps(sorted(tags)),
        now=now,
    )


def take_back(session: Session, shop_id: int, customer_ref: str, *, now: datetime) -> None:
    """The customer is to be forgotten: what stands at the shop goes first, then the row that remembers it.

    The caller has taken, or takes in the same commit, the customer's name from everything else.
    """
    session.run(
        "DELETE FROM shop_profiles WHERE {fence} AND shop_id = :shop AND customer_ref = :ref "
        "AND known AND fields = '{}' AND tags = '[]'",
        shop=shop_id,
        ref=customer_ref,
    )
    row = session.first(
        "UPDATE shop_profiles SET mark = mark + 1, due_at = :now WHERE {fence} AND shop_id = :shop "
        "AND customer_ref = :ref RETURNING 1",
        shop=shop_id,
        ref=customer_ref,
        now=now,
    )
    if row is not None:
        enqueue_writing(session, shop_id)


def inherit(session: Session, kept_id: int, gone_id: int, *, now: datetime) -> None:
    """The shop made two customers one: what stood at the one that is gone may stand at the other now."""
    session.run(
        "WITH gone AS (DELETE FROM shop_profiles g USING identities i WHERE {fence:g} AND {fence:i} AND i.id = :gone "
        "AND g.program_id = i.program_id AND g.shop_id = i.shop_id AND g.customer_ref = i.customer_ref "
        "RETURNING g.tags) INSERT INTO shop_profiles (program_id, shop_id, customer_ref, known, tags, due_at) "
        "SELECT i.program_id, i.shop_id, i.customer_ref, false, gone.tags, :due FROM identities i, gone "
        "WHERE {fence:i} AND i.id = :kept ON CONFLICT (program_id, shop_id, customer_ref) DO UPDATE "
        "SET known = false, tags = shop_profiles.tags || excluded.tags, mark = shop_profiles.mark + 1, "
        "due_at = least(shop_profiles.due_at, excluded.due_at)",
        kept=kept_id,
        gone=gone_id,
        due=now + TOGETHER,
    )


def forget_all(session: Session, shop_id: int) -> None:
    """Of a shop that left and is to be forgotten: nothing can be written there any more."""
    session.run("DELETE FROM shop_profiles WHERE {fence} AND shop_id = :shop", shop=shop_id)


def forget_nameless(session: Session, *, before: datetime) -> int:
    """Rows due since before, of customers whom we do not know any more. Returns how many."""
    return session.run(
        "DELETE FROM shop_profiles p WHERE {fence:p} AND p.due_at < :before AND NOT EXISTS (SELECT 1 "
        "FROM identities i WHERE {fence:i} AND i.program_id = p.program_id AND i.shop_id = p.shop_id "
        "AND i.customer_ref = p.customer_ref)",
        before=before,
    ).rowcount


# --- Finding -----------------------------------------------------------------------------------------------

_COLUMNS = "shop_id, customer_ref, mark, due_at, known, fields, tags"


def lock_due(session: Session, shop_id: int, *, now: datetime, limit: int) -> list[ProfileRow]:
    """Rows to be written now, locked until commit."""
    rows = session.rows(
        f"SELECT {_COLUMNS} FROM shop_profiles WHERE {{fence}} AND shop_id = :shop AND due_at <= :now "
        "ORDER BY customer_ref LIMIT :limit FOR UPDATE",
        shop=shop_id,
        now=now,
        limit=limit,
    )
    return [_row(row) for row in rows]


def lock_rows(session: Session, shop_id: int, customer_refs: Collection[str]) -> dict[str, ProfileRow]:
    rows = session.rows(
        f"SELECT {_COLUMNS} FROM shop_profiles WHERE {{fence}} AND shop_id = :shop AND customer_ref = ANY(:refs) "
        "ORDER BY customer_ref FOR UPDATE",
        shop=shop_id,
        refs=list(customer_refs),
    )
    return {row.customer_ref: _row(row) for row in rows}


def find_page(session: Session, shop_id: int, *, after: str, limit: int) -> list[str]:
    """Customers of the shop with a row, or who should have one, whose ref sorts after `after`."""
    rows = session.rows(
        "SELECT customer_ref FROM shop_profiles WHERE {fence} AND shop_id = :shop AND customer_ref > :after "
        f"UNION SELECT i.customer_ref FROM identities i WHERE {{fence:i}} AND i.shop_id = :shop AND {_THERE} "
        "AND i.member_id IS NOT NULL AND i.customer_ref > :after ORDER BY 1 LIMIT :limit",
        shop=shop_id,
        after=after,
        limit=limit,
    )
    return [row.customer_ref for row in rows]


def find_to_check(session: Session, shop_id: int, *, before: datetime, limit: int) -> list[str]:
    """Customers whose profile was not compared with the shop since `before`, those longest ago first.

    Without those that are due: they are written anyway.
    """
    rows = session.rows(
        "SELECT customer_ref FROM shop_profiles WHERE {fence} AND shop_id = :shop AND known AND due_at IS NULL "
        "AND (checked_at IS NULL OR checked_at < :before) ORDER BY checked_at NULLS FIRST, customer_ref LIMIT :limit",
        shop=shop_id,
        before=before,
        limit=limit,
    )
    return [row.customer_ref for row in rows]


def find_standings(
    session: Session, shop_id: int, customer_refs: Collection[str], *, now: datetime
) -> dict[str, Standing]:
    """Those of these customers who are members and are there."""
    rows = session.rows(
        "SELECT i.customer_ref, m.tier_key, a.points, coalesce(l.pending, 0)::bigint AS pending, l.next_at "
        "FROM identities i JOIN members m ON {fence:m} AND m.program_id = i.program_id AND m.id = i.member_id "
        "JOIN accounts a ON {fence:a} AND a.program_id = m.program_id AND a.id = m.id "
        "LEFT JOIN LATERAL (SELECT sum(remaining) AS pending, min(available_at) AS next_at FROM lots o "
        "WHERE {fence:o} AND o.program_id = a.program_id AND o.account_id = a.id AND o.remaining > 0 "
        "AND o.available_at > :now) l ON true "
        f"WHERE {{fence:i}} AND i.shop_id = :shop AND i.customer_ref = ANY(:refs) AND {_THERE} "
        "AND m.erased_at IS NULL",
        shop=shop_id,
        refs=list(customer_refs),
        now=now,
    )
    return {
        row.customer_ref: Standing(
            tier_key=row.tier_key, points=row.points, pending=row.pending, next_at=row.next_at
        )
        for row in rows
    }


def find_identity_ids(session: Session, shop_id: int, customer_refs: Collection[str]) -> dict[str, int]:
    """Our id of each of these customers that we know."""
    rows = session.rows(
        "SELECT customer_ref, id FROM identities WHERE {fence} AND shop_id = :shop AND customer_ref = ANY(:refs)",
        shop=shop_id,
        refs=list(customer_refs),
    )
    return {row.customer_ref: row.id for row in rows}


def find_due_shops(session: Session, *, now: datetime) -> list[tuple[int, int]]:
    """(program, shop) of shops that may be written to and have a row that is due."""
    rows = session.rows(
        f"SELECT s.program_id, s.id FROM shops s WHERE {{fence:s}} AND {_WRITABLE} AND EXISTS (SELECT 1 "
        "FROM shop_profiles p WHERE {fence:p} AND p.program_id = s.program_id AND p.shop_id = s.id "
        "AND p.due_at <= :now) ORDER BY s.program_id, s.id",
        now=now,
    )
    return [(row.program_id, row.id) for row in rows]


def has_fields(session: Session, shop_id: int) -> bool:
    """Whether a field of ours may stand at some customer of the shop."""
    row = session.first(
        "SELECT 1 FROM shop_profiles WHERE {fence} AND shop_id = :shop AND (NOT known OR fields <> '{}') LIMIT 1",
        shop=shop_id,
    )
    return row is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileCounts:
    shown: int  # customers at whom something of ours stands
    waiting: int  # of which something is to be written now


def count_profiles(session: Session, shop_id: int, *, now: datetime) -> ProfileCounts:
    row = session.first(
        "SELECT count(*) FILTER (WHERE NOT known OR fields <> '{}' OR tags <> '[]') AS shown, "
        "count(*) FILTER (WHERE due_at <= :now) AS waiting FROM shop_profiles WHERE {fence} AND shop_id = :shop",
        shop=shop_id,
        now=now,
    )
    assert row is not None
    return ProfileCounts(shown=row.shown, waiting=row.waiting)


# --- Keeping what stands there -----------------------------------------------------------------------------


def note_trying(session: Session, shop_id: int, targets: Mapping[str, Profile]) -> None:
    """These are about to be written: until the shop answered, nobody knows what stands there."""
    session.run(
        "UPDATE shop_profiles p SET known = false, tags = p.tags || u.tags "
        "FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS u(ref text, tags jsonb) "
        "WHERE {fence:p} AND p.shop_id = :shop AND p.customer_ref = u.ref",
        shop=shop_id,
        rows=rows_of([{"ref": ref, "tags": [one.tag] if one.tag else []} for ref, one in targets.items()]),
    )


def note_untried(session: Session, rows: Iterable[ProfileRow]) -> None:
    """The shop was not asked after all: what we knew stands, of those that nothing happened to since."""
    session.run(
        "UPDATE shop_profiles p SET known = u.known, tags = u.tags FROM jsonb_to_recordset(CAST(:rows AS jsonb)) "
        "AS u(shop bigint, ref text, mark int, known boolean, tags jsonb) WHERE {fence:p} AND p.shop_id = u.shop "
        "AND p.customer_ref = u.ref AND p.mark = u.mark",
        rows=rows_of(
            [
                {
                    "shop": row.shop_id,
                    "ref": row.customer_ref,
                    "mark": row.mark,
                    "known": row.held.known,
                    "tags": sorted(row.held.tags),
                }
                for row in rows
            ]
        ),
    )


def note_written(
    session: Session,
    shop_id: int,
    written: Mapping[str, tuple[int, HeldProfile, datetime | None]],
    *,
    now: datetime,
) -> None:
    """Customer ref -> (the mark seen before, what stands there, when it is due again).

    One that was marked meanwhile stays due. A row that remembers nothing and waits for nothing goes.
    """
    _put(
        session,
        shop_id,
        {ref: (held, mark, next_at) for ref, (mark, held, next_at) in written.items()},
        "due_at = CASE WHEN p.mark = u.mark THEN u.due ELSE p.due_at END, written_at = :now",
        now,
    )
    session.run(
        "DELETE FROM shop_profiles WHERE {fence} AND shop_id = :shop AND customer_ref = ANY(:refs) "
        "AND known AND fields = '{}' AND tags = '[]' AND due_at IS NULL",
        shop=shop_id,
        refs=[ref for ref, (_, held, _) in written.items() if held.is_empty],
    )


def note_rejected(session: Session, shop_id: int, marks: Mapping[str, int]) -> None:
    """The shop does not take these: not tried again at once, but by the next nightly look."""
    session.run(
        "UPDATE shop_profiles p SET due_at = NULL FROM unnest(CAST(:refs AS text[]), CAST(:marks AS int[])) "
        "AS u(ref, mark) WHERE {fence:p} AND p.shop_id = :shop AND p.customer_ref = u.ref AND p.mark = u.mark",
        shop=shop_id,
        refs=list(marks),
        marks=list(marks.values()),
    )


def forget(session: Session, shop_id: int, customer_refs: Collection[str]) -> None:
    """The shop has these customers no more."""
    session.run(
        "DELETE FROM shop_profiles WHERE {fence} AND shop_id = :shop AND customer_ref = ANY(:refs)",
        shop=shop_id,
        refs=list(customer_refs),
    )


def note_found(session: Session, shop_id: int, found: Mapping[str, FoundProfile], *, now: datetime) -> None:
    """What the shop was found to show; the caller holds the rows and marks those to be written."""
    told = {
        ref: (HeldProfile(known=True, fields=one.fields, tags=one.tags), 0, None)
        for ref, one in found.items()
    }
    _put(session, shop_id, told, "checked_at = :now", now)


def _put(
    session: Session,
    shop_id: int,
    held: Mapping[str, tuple[HeldProfile, int, datetime | None]],
    more: str,
    now: datetime,
) -> None:
    session.run(
        f"UPDATE shop_profiles p SET known = true, fields = u.fields, tags = u.tags, {more} "
        "FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS u(ref text, fields jsonb, tags jsonb, mark int, "
        "due timestamptz) WHERE {fence:p} AND p.shop_id = :shop AND p.customer_ref = u.ref",
        shop=shop_id,
        now=now,
        rows=rows_of(
            [
                {
                    "ref": ref,
                    "fields": dict(one.fields),
                    "tags": sorted(one.tags),
                    "mark": mark,
                    "due": due,
                }
                for ref, (one, mark, due) in held.items()
            ]
        ),
    )


def _row(row: Any) -> ProfileRow:
    known = {name.value for name in ProfileField}
    return ProfileRow(
        shop_id=row.shop_id,
        customer_ref=row.customer_ref,
        mark=row.mark,
        due_at=row.due_at,
        held=HeldProfile(
            known=row.known,
            fields={ProfileField(name): value for name, value in row.fields.items() if name in known},
            tags=frozenset(row.tags),
        ),
    )
