"""Birthdays that members told us of their own will: a day of the year, sealed, found by its keyed hash."""

from collections.abc import Sequence
from datetime import date, datetime

from app.db.sealing import Vault
from app.db.session import Session


def put_birthday(
    session: Session, vault: Vault, member_id: int, day: str, *, actor: str, now: datetime
) -> None:
    """The same day again changes nothing, nor when it was told."""
    day_hash = vault.day_hash(session.program_id, day)
    session.run(
        "INSERT INTO birthdays (program_id, member_id, day, day_hash, actor, told_at) "
        "VALUES (:program_id, :member, :day, :hash, :actor, :now) ON CONFLICT (program_id, member_id) "
        "DO UPDATE SET day = excluded.day, day_hash = excluded.day_hash, actor = excluded.actor, "
        "told_at = excluded.told_at WHERE birthdays.day_hash <> excluded.day_hash",
        member=member_id,
        day=vault.data.seal(day.encode(), _place(session.program_id, member_id)),
        hash=day_hash,
        actor=actor,
        now=now,
    )


def forget_birthdays(session: Session, member_ids: Sequence[int]) -> None:
    session.run("DELETE FROM birthdays WHERE {fence} AND member_id = ANY(:ids)", ids=list(member_ids))


def find_birthday(session: Session, vault: Vault, member_ids: Sequence[int]) -> str | None:
    """The day that one of these accounts of a person has, the latest told first; None: it is not known."""
    row = session.first(
        "SELECT member_id, day FROM birthdays WHERE {fence} AND member_id = ANY(:ids) "
        "ORDER BY told_at DESC, member_id LIMIT 1",
        ids=list(member_ids),
    )
    if row is None:
        return None
    return vault.data.open(bytes(row.day), _place(session.program_id, row.member_id)).decode()


def find_members_born(
    session: Session, hashes: Sequence[bytes], *, told_before: datetime, after: int, limit: int
) -> list[int]:
    """Accounts with one of these days, told before that moment, by id."""
    rows = session.rows(
        "SELECT member_id FROM birthdays WHERE {fence} AND day_hash = ANY(CAST(:hashes AS bytea[])) "
        "AND told_at < :told_before AND member_id > :after ORDER BY member_id LIMIT :limit",
        hashes=list(hashes),
        told_before=told_before,
        after=after,
        limit=limit,
    )
    return [row.member_id for row in rows]


def find_given(session: Session, member_ids: Sequence[int], kind: str) -> list[tuple[int, datetime, bool]]:
    """(account, when, whether it counts) of the birthdays that these accounts had."""
    rows = session.rows(
        "SELECT member_id, occurred_at, zero IS NULL AS counts FROM activities WHERE {fence} "
        "AND member_id = ANY(:ids) AND kind = :kind",
        ids=list(member_ids),
        kind=kind,
    )
    return [(row.member_id, row.occurred_at, row.counts) for row in rows]


def looked_until(session: Session) -> date | None:
    found: date | None = session.scalar("SELECT birthdays_until FROM programs WHERE {fence}")
    return found


def note_looked(session: Session, day: date) -> None:
    session.run("UPDATE programs SET birthdays_until = :day WHERE {fence}", day=day)


def _place(program_id: int, member_id: int) -> str:
    return f"birthdays|{program_id}|{member_id}|day"
