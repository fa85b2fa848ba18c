"""Two members turn out to be one person; and the undo, should they not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db import ledger, members, programs, tiers
from app.db.sealing import Vault
from app.db.session import Session
from app.domain.errors import Refused
from app.domain.ledger import Book, Draft, Entry, EntryKind
from app.services.raise_tiers import raise_tiers
from app.services.settle_activities import recount_activities
from app.services.settle_orders import settle_orders


@dataclass(frozen=True, slots=True)
class Merged:
    merge_id: int
    winner_id: int
    loser_id: int


def merge_members(
    session: Session, vault: Vault, one: int, other: int, *, cause: str, actor: str, now: datetime
) -> Merged | None:
    """Make the two one; the older account wins. None: they were one already.

    Every open lot of the loser goes over with its dates, a deficit likewise; the loser's chain stays as it is. Its
    identities and orders are the winner's from now on. Raises: Refused("unknown_member").
    """
    programs.lock_settling(session)
    winners = members.find_winners(session, [one, other])
    both = sorted({winners.get(one, one), winners.get(other, other)})
    if len(both) == 1:
        return None
    winner, loser = both
    books = ledger.lock_books(session, both)
    if len(books) != len(both):
        raise Refused("unknown_member", "There is no such member.")
    identity_ids = _identities(session, loser)
    floor_ids = tiers.move_floors(session, loser, winner)
    merge_id = members.add_merge(
        session,
        winner_id=winner,
        loser_id=loser,
        identity_ids=identity_ids,
        floor_ids=floor_ids,
        cause=cause,
        actor=actor,
        now=now,
    )
    books[loser].transfer_to(books[winner], f"merge:{merge_id}", first=(0, 0), now=now)
    ledger.write_books(session, books.values())
    session.run(
        "UPDATE accounts SET merged_into = :winner, closed_at = :now WHERE {fence} AND id = :loser",
        winner=winner,
        loser=loser,
        now=now,
    )
    _move(session, identity_ids, winner, now)
    _share_lifetime(session, winner, loser, sign=1)
    members.share_marks(session, winner, loser)
    _recount(session, vault, [winner], now)
    return Merged(merge_id, winner, loser)


def undo_merge(session: Session, vault: Vault, merge_id: int, *, now: datetime) -> Merged:
    """The opposite transfers: the loser gets back what it brought, even if the winner has spent of it since.

    Raises: Refused("unknown_merge"), Refused("already_undone"), Refused("merged_further").
    """
    programs.lock_settling(session)
    row = session.first(
        "SELECT winner_id, loser_id, identity_ids, floor_ids, undone_at FROM merges "
        "WHERE {fence} AND id = :id FOR UPDATE",
        id=merge_id,
    )
    if row is None:
        raise Refused("unknown_merge", "There is no such merge.")
    if row.undone_at is not None:
        raise Refused("already_undone", "This merge was undone already.")
    brought = _brought(session, row.winner_id, merge_id)
    books = ledger.lock_books(
        session, [row.winner_id, row.loser_id], origins=[one.origin for one in brought if one.origin]
    )
    closed = session.scalar("SELECT closed_at FROM accounts WHERE {fence} AND id = :id", id=row.winner_id)
    if closed is not None:
        raise Refused("merged_further", "The winner was merged into another member since: undo that first.")
    _transfer_back(books[row.winner_id], books[row.loser_id], brought, f"merge:{merge_id}:undo", now)
    ledger.write_books(session, books.values())
    session.run(
        "UPDATE accounts SET merged_into = NULL, closed_at = NULL WHERE {fence} AND id = :loser",
        loser=row.loser_id,
    )
    session.run("UPDATE merges SET undone_at = :now WHERE {fence} AND id = :id", id=merge_id, now=now)
    # Another undo may have taken some of them away from the winner since.
    identity_ids = sorted({*row.identity_ids} & {*_identities(session, row.winner_id)})
    _move(session, identity_ids, row.loser_id, now)
    members.forget_parted(session, identity_ids)
    tiers.give_floors(session, row.floor_ids, row.loser_id)
    _share_lifetime(session, row.winner_id, row.loser_id, sign=-1)
    _recount(session, vault, [row.winner_id, row.loser_id], now)
    return Merged(merge_id, row.winner_id, row.loser_id)


def _identities(session: Session, member_id: int) -> list[int]:
    rows = session.rows("SELECT id FROM identities WHERE {fence} AND member_id = :member", member=member_id)
    return [row.id for row in rows]


def _brought(session: Session, winner_id: int, merge_id: int) -> list[Entry]:
    """The entries by which the winner got what the loser had."""
    found = ledger.find_entries_of(session, [f"merge:{merge_id}"])
    return [entry for account_id, entry in found if account_id == winner_id]


def _transfer_back(winner: Book, loser: Book, brought: Sequence[Entry], undo: str, now: datetime) -> None:
    """Each transfer of the merge the other way round, lots with the dates they came with."""
    out = back = 0
    for entry in brought:
        if entry.points > 0:
            taken = winner.take_back(
                Draft(EntryKind.TRANSFER_OUT, -entry.points, undo, out, now, origin=entry.origin), now=now
            )
            out += _count(taken, EntryKind.TRANSFER_OUT)
            lot = Draft(
                EntryKind.TRANSFER_IN,
                entry.points,
                undo,
                back,
                now,
                entry.available_at,
                entry.expires_at,
                entry.origin,
            )
            loser.credit(lot, now=now)
            back += 1
        else:  # a deficit that came along
            winner.credit(Draft(EntryKind.TRANSFER_IN, -entry.points, undo, out, now, origin=undo), now=now)
            out += 1
            owed = loser.take_back(Draft(EntryKind.TRANSFER_IN, entry.points, undo, back, now), now=now)
            back += _count(owed, EntryKind.TRANSFER_IN)


def _count(entries: Sequence[Entry], kind: EntryKind) -> int:
    return sum(1 for entry in entries if entry.kind is kind)


def _move(session: Session, identity_ids: list[int], member_id: int, now: datetime) -> None:
    members.give_identities(session, identity_ids, member_id, now=now)
    session.run(
        "UPDATE orders SET member_id = :member WHERE {fence} AND identity_id = ANY(:ids)",
        member=member_id,
        ids=identity_ids,
    )


def _share_lifetime(session: Session, winner: int, loser: int, *, sign: int) -> None:
    session.run(
        "UPDATE members w SET lifetime_points = w.lifetime_points + :sign * l.lifetime_points FROM members l "
        "WHERE {fence:w} AND {fence:l} AND l.program_id = w.program_id AND w.id = :winner AND l.id = :loser",
        winner=winner,
        loser=loser,
        sign=sign,
    )


def _recount(session: Session, vault: Vault, member_ids: list[int], now: datetime) -> None:
    """Orders count for whom they belong to now; terms that are fixed do not move, tiers may rise.

    Those of others too, for which one of these accounts still holds something: it may no longer count as another's.
    """
    rows = session.rows(
        "SELECT o.shop_id, o.order_ref FROM orders o WHERE {fence:o} AND (o.member_id = ANY(:ids) OR o.id IN ("
        "SELECT CAST(split_part(e.source, ':', 2) AS bigint) FROM entries e WHERE {fence:e} "
        "AND e.account_id = ANY(:ids) AND e.source ~ '^order:[0-9]+$' "
        "GROUP BY e.source, e.account_id HAVING sum(e.points) <> 0)) ORDER BY o.placed_at, o.id",
        ids=member_ids,
    )
    settle_orders(session, vault, [], now=now, recount=[(row.shop_id, row.order_ref) for row in rows])
    recount_activities(session, member_ids, now=now)
    # What was granted came along, and with it perhaps a tier that no order gives.
    versions = programs.load_versions(session)[session.program_id]
    raise_tiers(session, versions, member_ids, cause="merge", now=now)
