"""Staff joins two members that are one person, sees such joins, and takes them back."""

from dataclasses import dataclass
from datetime import datetime

from app.db.session import Session
from app.domain.errors import Refused
from app.services.find_member import ById, find_in
from app.services.list_members import list_members
from app.services.merge_members import Merged, merge_members, undo_merge
from app.services.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeView:
    merge_id: int
    winner_id: int
    loser_id: int
    cause: str
    actor: str
    at: datetime


def find_merges(rt: Runtime, program_id: int, member_id: int) -> list[MergeView]:
    """Joins of others into this member that stand, newest first."""
    with rt.db.begin(program_id) as session:
        rows = session.rows(
            "SELECT id AS merge_id, winner_id, loser_id, cause, actor, at FROM merges WHERE {fence} "
            "AND winner_id = :member AND undone_at IS NULL ORDER BY id DESC LIMIT 50",
            member=member_id,
        )
    return [MergeView(**row._mapping) for row in rows]


def find_other(rt: Runtime, program_id: int, member_id: int, search: str) -> int:
    """The one other member that `search` means. Raises: Refused("no_match"), Refused("several")."""
    found = [one.member_id for one in list_members(rt, program_id, search=search, limit=10).members]
    others = [one for one in found if one != member_id]
    if not others:
        raise Refused(
            "no_match", "This means no other member. Search by e-mail address, customer or order number."
        )
    if len(others) > 1:
        raise Refused("several", "This means several members. Use a customer number, as in my-shop:218.")
    return others[0]


def join_members(rt: Runtime, program_id: int, one: int, other: int, *, actor: str) -> Merged:
    """Raises: Refused("unknown_member"), Refused("same_member")."""
    with rt.db.begin(program_id) as session:
        _require(session, rt, one, other)
        merged = merge_members(session, rt.vault, one, other, cause="staff", actor=actor, now=rt.now())
    if merged is None:
        raise Refused("same_member", "The two are one member already.")
    return merged


def join_members_once(
    rt: Runtime, program_id: int, one: int, other: int, *, actor: str
) -> tuple[Merged, bool]:
    """The merge of these two, and whether it is new: asked again, the one that stands.

    Raises: Refused("unknown_member"); Refused("same_member") if one id is given twice, or others made them one.
    """
    try:
        return join_members(rt, program_id, one, other, actor=actor), True
    except Refused as refused:
        if refused.code != "same_member":
            raise
        with rt.db.begin(program_id) as session:
            row = session.first(
                "SELECT id, winner_id, loser_id FROM merges WHERE {fence} AND undone_at IS NULL "
                "AND winner_id = least(:one, :other) AND loser_id = greatest(:one, :other) ORDER BY id DESC LIMIT 1",
                one=one,
                other=other,
            )
        if row is None:
            raise
        return Merged(row.id, row.winner_id, row.loser_id), False


def part_members(rt: Runtime, program_id: int, merge_id: int) -> Merged:
    """Raises: Refused("unknown_merge"), Refused("already_undone"), Refused("merged_further")."""
    with rt.db.begin(program_id) as session:
        return undo_merge(session, rt.vault, merge_id, now=rt.now())


def _require(session: Session, rt: Runtime, *member_ids: int) -> None:
    for member_id in member_ids:
        if not find_in(session, rt, ById(member_id)):
            raise Refused("unknown_member", "There is no such member.")
