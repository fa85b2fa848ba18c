"""Times in which people are blocked: a person's own, and those of whoever was merged into them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRow:
    block_id: int
    member_id: int
    at: datetime
    actor: str
    reason: str
    lifted_at: datetime | None
    lifted_by: str | None
    lift_reason: str | None

    def covers(self, moment: datetime) -> bool:
        return self.at <= moment and (self.lifted_at is None or moment < self.lifted_at)


_COLUMNS = "b.id AS block_id, b.member_id, b.at, b.actor, b.reason, b.lifted_at, b.lifted_by, b.lift_reason"


def find_blocks(session: Session, member_ids: Sequence[int]) -> dict[int, list[BlockRow]]:
    """Open account -> its person's blocks, oldest first. Only those that have any; others cost nothing to look at."""
    if not member_ids:
        return {}
    rows = session.rows(
        "WITH RECURSIVE ours(root, id, depth) AS ("
        "SELECT id, id, 1 FROM members WHERE {fence} AND id = ANY(:ids) AND was_blocked "
        "UNION ALL SELECT o.root, a.id, o.depth + 1 FROM ours o JOIN accounts a ON a.merged_into = o.id "
        "WHERE {fence:a} AND o.depth < 100) "
        f"SELECT o.root, {_COLUMNS} FROM ours o JOIN blocks b ON b.member_id = o.id WHERE {{fence:b}} ORDER BY b.id",
        ids=list(member_ids),
    )
    found: dict[int, list[BlockRow]] = {}
    for row in rows:
        values = dict(row._mapping)
        found.setdefault(values.pop("root"), []).append(BlockRow(**values))
    return found


def blocks_of_all(session: Session, account_of: Callable[[int], int]) -> dict[int, list[BlockRow]]:
    """Every block of the program, by the account that its person has now. `account_of`: whom a member was merged into."""
    found: dict[int, list[BlockRow]] = {}
    for row in session.rows(f"SELECT {_COLUMNS} FROM blocks b WHERE {{fence:b}} ORDER BY b.id"):
        found.setdefault(account_of(row.member_id), []).append(BlockRow(**row._mapping))
    return found


def find_block(session: Session, member_id: int, at: datetime) -> BlockRow | None:
    """The block that the open account is under at that moment."""
    return next((one for one in find_blocks(session, [member_id]).get(member_id, ()) if one.covers(at)), None)


def add_block(session: Session, member_id: int, *, actor: str, reason: str, now: datetime) -> int:
    """Returns the block's id."""
    block_id = session.scalar(
        "INSERT INTO blocks (program_id, member_id, at, actor, reason) VALUES "
        "(:program_id, :member, :now, :actor, :reason) RETURNING id",
        member=member_id,
        actor=actor,
        reason=reason,
        now=now,
    )
    session.run("UPDATE members SET was_blocked = true WHERE {fence} AND id = :id", id=member_id)
    return int(block_id)


def lift(session: Session, block_ids: Sequence[int], *, actor: str, reason: str, now: datetime) -> None:
    session.run(
        "UPDATE blocks SET lifted_at = :now, lifted_by = :actor, lift_reason = :reason "
        "WHERE {fence} AND id = ANY(:ids) AND lifted_at IS NULL",
        ids=list(block_ids),
        actor=actor,
        reason=reason,
        now=now,
    )
