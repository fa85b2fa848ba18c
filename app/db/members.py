"""People: identities at shops, members, what is known of them, and who was made one with whom."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.db import happenings, profiles
from app.db.sealing import Vault
from app.db.session import Session, rows_of
from app.domain.errors import Refused
from app.domain.ledger import GENESIS
from app.domain.tiers import TierFloor

IdentityKey = tuple[int, str]  # (shop id, customer ref)


@dataclass(slots=True, kw_only=True)
class IdentityRow:
    program_id: int
    identity_id: int
    shop_id: int
    customer_ref: str
    member_id: int | None
    email_hash: bytes | None = None
    email_verified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    program_id: int
    member_id: int
    joined_at: datetime
    tier_key: str
    tier_since: datetime | None
    erased_at: datetime | None
    lifetime_points: int
    was_blocked: bool = False  # then `blocks` says when
    was_held: bool = False  # then `reviews` says when


_IDENTITY = "program_id, id AS identity_id, shop_id, customer_ref, member_id, email_hash, email_verified"


def find_identities(session: Session, keys: Iterable[IdentityKey]) -> dict[IdentityKey, IdentityRow]:
    wanted = list(keys)
    if not wanted:
        return {}
    rows = session.rows(
        "SELECT i.program_id, i.id AS identity_id, i.shop_id, i.customer_ref, i.member_id, i.email_hash, "
        "i.email_verified FROM identities i JOIN unnest(CAST(:shops AS bigint[]), CAST(:refs AS text[])) "
        "AS k(shop_id, customer_ref) ON i.shop_id = k.shop_id AND i.customer_ref = k.customer_ref "
        "WHERE {fence:i}",
        shops=[shop_id for shop_id, _ in wanted],
        refs=[customer_ref for _, customer_ref in wanted],
    )
    return {(row.shop_id, row.customer_ref): _identity(row) for row in rows}


def find_living(session: Session, member_id: int) -> list[IdentityRow]:
    """The member's customers who are there: neither erased, nor made one with another by their shop. Oldest first."""
    rows = session.rows(
        f"SELECT {_IDENTITY} FROM identities WHERE {{fence}} AND member_id = :member "
        "AND customer_ref NOT LIKE 'erased:%' AND gone_at IS NULL ORDER BY id",
        member=member_id,
    )
    return [_identity(row) for row in rows]


def find_identities_by_id(session: Session, identity_ids: Sequence[int]) -> dict[int, IdentityRow]:
    if not identity_ids:
        return {}
    rows = session.rows(
        f"SELECT {_IDENTITY} FROM identities WHERE {{fence}} AND id = ANY(:ids)",
        ids=list(identity_ids),
    )
    return {row.identity_id: _identity(row) for row in rows}


def find_verified(session: Session, hashes: Sequence[bytes]) -> dict[tuple[int, bytes], IdentityRow]:
    """For each (program, address hash): the oldest identity with a member that proved the address."""
    if not hashes:
        return {}
    rows = session.rows(
        f"SELECT DISTINCT ON (program_id, email_hash) {_IDENTITY} FROM identities "
        "WHERE {fence} AND email_hash = ANY(CAST(:hashes AS bytea[])) AND email_verified AND member_id IS NOT NULL "
        "ORDER BY program_id, email_hash, id",
        hashes=list(hashes),
    )
    return {(row.program_id, bytes(row.email_hash)): _identity(row) for row in rows}


def add_identities(
    session: Session, keys: Sequence[tuple[int, int, str]], *, now: datetime
) -> dict[IdentityKey, IdentityRow]:
    """Identities of (program, shop, customer ref) that are not known yet, without a member."""
    if not keys:
        return {}
    rows = session.rows(
        "INSERT INTO identities (program_id, shop_id, customer_ref, seen_at) "
        "SELECT p, s, r, :now FROM unnest(CAST(:programs_ AS bigint[]), CAST(:shops AS bigint[]), "
        "CAST(:refs AS text[])) AS u(p, s, r) "
        "ON CONFLICT (program_id, shop_id, customer_ref) DO UPDATE SET seen_at = excluded.seen_at "
        f"RETURNING {_IDENTITY}",
        programs_=[program for program, _, _ in keys],
        shops=[shop for _, shop, _ in keys],
        refs=[ref for _, _, ref in keys],
        now=now,
    )
    return {(row.shop_id, row.customer_ref): _identity(row) for row in rows}


def enrol(
    session: Session, identities: Sequence[IdentityRow], tier_keys: Mapping[int, str], *, now: datetime
) -> None:
    """Make each identity's person a member with an empty account. Sets `member_id` on the rows."""
    if not identities:
        return
    ids = session.connection.exec_driver_sql(
        "SELECT nextval(pg_get_serial_sequence('accounts', 'id')) FROM generate_series(1, %(count)s)",
        {"count": len(identities)},
    )
    for identity, (member_id,) in zip(identities, ids.all(), strict=True):
        identity.member_id = int(member_id)
    columns: dict[str, Any] = {
        "p": [identity.program_id for identity in identities],
        "m": [identity.member_id for identity in identities],
        "i": [identity.identity_id for identity in identities],
        "t": [tier_keys[identity.program_id] for identity in identities],
        "now": now,
    }
    session.run(
        "INSERT INTO accounts (program_id, id, head, opened_at) OVERRIDING SYSTEM VALUE "
        "SELECT p, m, :genesis, :now FROM unnest(CAST(:p AS bigint[]), CAST(:m AS bigint[])) AS u(p, m)",
        columns,
        genesis=GENESIS,
    )
    session.run(
        "INSERT INTO members (program_id, id, joined_at, tier_key) SELECT p, m, :now, t "
        "FROM unnest(CAST(:p AS bigint[]), CAST(:m AS bigint[]), CAST(:t AS text[])) AS u(p, m, t)",
        columns,
    )
    session.run(
        "UPDATE identities i SET member_id = u.m FROM unnest(CAST(:i AS bigint[]), CAST(:m AS bigint[])) AS u(i, m) "
        "WHERE {fence:i} AND i.id = u.i",
        columns,
    )
    profiles.mark_identities(session, columns["i"], now=now)


def find_members(session: Session, member_ids: Sequence[int]) -> dict[int, MemberRow]:
    if not member_ids:
        return {}
    rows = session.rows(
        "SELECT program_id, id AS member_id, joined_at, tier_key, tier_since, erased_at, lifetime_points, "
        "was_blocked, was_held FROM members WHERE {fence} AND id = ANY(:ids)",
        ids=list(member_ids),
    )
    return {row.member_id: MemberRow(**row._mapping) for row in rows}


def get_member(session: Session, member_id: int) -> MemberRow:
    """Raises: Refused("unknown_member")."""
    try:
        return find_members(session, [member_id])[member_id]
    except KeyError:
        raise Refused("unknown_member", "There is no such member.") from None


def share_marks(session: Session, winner_id: int, loser_id: int) -> None:
    """Whoever is merged into a member brings blocks and reviews along: from now on the winner's are asked for."""
    session.run(
        "UPDATE members w SET was_blocked = w.was_blocked OR l.was_blocked, was_held = w.was_held OR l.was_held "
        "FROM members l WHERE {fence:w} AND {fence:l} AND l.program_id = w.program_id AND w.id = :winner "
        "AND l.id = :loser AND (l.was_blocked OR l.was_held)",
        winner=winner_id,
        loser=loser_id,
    )


def put_referral_code(session: Session, member_id: int, code: str) -> str:
    """The member's code: the one that is there, else `code` from now on."""
    row = session.first(
        "UPDATE members SET referral_code = coalesce(referral_code, :code) WHERE {fence} AND id = :id "
        "RETURNING referral_code",
        id=member_id,
        code=code,
    )
    assert row is not None
    return str(row.referral_code)


def find_referral_code(session: Session, member_id: int) -> str | None:
    found: str | None = session.scalar(
        "SELECT referral_code FROM members WHERE {fence} AND id = :id", id=member_id
    )
    return found


def find_by_referral_code(session: Session, code: str) -> int | None:
    found: int | None = session.scalar(
        "SELECT id FROM members WHERE {fence} AND referral_code = :code", code=code
    )
    return found


def find_card(session: Session, member_id: int) -> int:
    """The number of the card that counts; 0: there is none."""
    sql = "SELECT card_serial FROM members WHERE {fence} AND id = :id AND card_hash IS NOT NULL"
    return int(session.scalar(sql, id=member_id) or 0)


def put_card(session: Session, member_id: int, serial: int, card_hash: bytes) -> bool:
    """From now on this card counts. False: another member has one like it, or `serial` is not the next."""
    row = session.first(
        "UPDATE members SET card_serial = :serial, card_hash = :hash WHERE {fence} AND id = :id "
        "AND card_serial < :serial AND NOT EXISTS ("
        "SELECT 1 FROM members o WHERE {fence:o} AND o.card_hash = CAST(:hash AS bytea)) RETURNING 1",
        id=member_id,
        serial=serial,
        hash=card_hash,
    )
    return row is not None


def find_by_card(session: Session, card_hash: bytes) -> int | None:
    found: int | None = session.scalar(
        "SELECT id FROM members WHERE {fence} AND card_hash = CAST(:hash AS bytea)", hash=card_hash
    )
    return found


def find_winners(session: Session, account_ids: Sequence[int]) -> dict[int, int]:
    """For each account that was merged away: the open account it counts as, followed to the end."""
    if not account_ids:
        return {}
    rows = session.rows(
        "WITH RECURSIVE chain(start, id, depth) AS ("
        "SELECT id, merged_into, 1 FROM accounts WHERE {fence} AND id = ANY(:ids) AND merged_into IS NOT NULL "
        "UNION ALL SELECT c.start, a.merged_into, c.depth + 1 FROM chain c JOIN accounts a ON a.id = c.id "
        "WHERE {fence:a} AND a.merged_into IS NOT NULL AND c.depth < 100) "
        "SELECT DISTINCT ON (start) start, id FROM chain ORDER BY start, depth DESC",
        ids=list(account_ids),
    )
    return {row.start: row.id for row in rows}


def find_merged(session: Session, account_id: int) -> list[int]:
    """The account and all that were merged into it, directly or one through another: who did what for it once."""
    rows = session.rows(
        "WITH RECURSIVE ours(id) AS (SELECT id FROM accounts WHERE {fence} AND id = :id "
        "UNION SELECT a.id FROM ours o JOIN accounts a ON a.merged_into = o.id WHERE {fence:a}) "
        "SELECT id FROM ours ORDER BY id",
        id=account_id,
    )
    return [row.id for row in rows]


def find_floors(session: Session, member_ids: Sequence[int]) -> dict[int, list[TierFloor]]:
    rows = session.rows(
        "SELECT member_id, tier_key, cause, from_at, least(until_at, ended_at) AS until_at, "
        "ended_at IS NOT NULL AS withdrawn FROM tier_floors WHERE {fence} AND member_id = ANY(:ids)",
        ids=list(member_ids),
    )
    floors: dict[int, list[TierFloor]] = {}
    for row in rows:
        floor = TierFloor(
            tier_key=row.tier_key,
            from_at=row.from_at,
            until_at=row.until_at,
            cause=row.cause,
            withdrawn=row.withdrawn,
        )
        floors.setdefault(row.member_id, []).append(floor)
    return floors


def find_last_tiers(session: Session, member_ids: Sequence[int]) -> dict[int, str]:
    """The tier that was recorded last of each, where any was."""
    rows = session.rows(
        "SELECT DISTINCT ON (member_id) member_id, to_key FROM tier_changes "
        "WHERE {fence} AND member_id = ANY(:ids) ORDER BY member_id, id DESC",
        ids=list(member_ids),
    )
    return {row.member_id: row.to_key for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class TierChange:
    program_id: int
    member_id: int
    from_key: str
    to_key: str
    cause: str
    at: datetime


def change_tiers(session: Session, changes: Sequence[TierChange], *, now: datetime) -> None:
    if not changes:
        return
    session.run(
        "INSERT INTO tier_changes (program_id, member_id, from_key, to_key, cause, at, recorded_at) "
        "SELECT p, m, f, t, c, a, :now FROM jsonb_to_recordset(CAST(:rows AS jsonb)) "
        "AS u(p bigint, m bigint, f text, t text, c text, a timestamptz)",
        rows=rows_of(
            [
                {
                    "p": one.program_id,
                    "m": one.member_id,
                    "f": one.from_key,
                    "t": one.to_key,
                    "c": one.cause,
                    "a": one.at,
                }
                for one in changes
            ]
        ),
        now=now,
    )
    last = {one.member_id: one for one in changes}  # several steps up in one batch: the last one stands
    session.run(
        "UPDATE members m SET tier_key = u.t, tier_since = u.a FROM jsonb_to_recordset(CAST(:rows AS jsonb)) "
        "AS u(m bigint, t text, a timestamptz) WHERE {fence:m} AND m.id = u.m",
        rows=rows_of([{"m": one.member_id, "t": one.to_key, "a": one.at} for one in last.values()]),
    )
    profiles.mark_members(session, last, now=now)
    moves = ((one.program_id, one.member_id, one.from_key, one.to_key) for one in changes)
    happenings.note_tiers(session, moves, now=now)


# --- Personal data -----------------------------------------------------------------------------------------


def personal_place(program_id: int, shop_id: int, customer_ref: str, name: str) -> str:
    return f"identities|{program_id}|{shop_id}|{customer_ref}|{name}"


def put_personal(
    session: Session,
    vault: Vault,
    identity: IdentityRow,
    *,
    email: str | None,
    email_verified: bool,
    name: str | None,
    now: datetime,
) -> None:
    """Store what the shop says of a person. A proof of the address that we have ourselves is not undone by it."""

    def sealed(value: str | None, field: str) -> bytes | None:
        if not value:
            return None
        place = personal_place(identity.program_id, identity.shop_id, identity.customer_ref, field)
        return vault.data.seal(value.encode(), place)

    email_hash = vault.email_hash(email) if email else None
    session.run(
        # Without an address nothing is equal to it, and nothing is proven.
        "UPDATE identities SET "
        "email_verified = (:verified OR (email_verified AND coalesce(email_hash = :hash, false))), "
        "email_hash = :hash, mailbox_hash = :mailbox, email = :email, name = :name, seen_at = :now "
        "WHERE {fence} AND id = :id",
        id=identity.identity_id,
        hash=email_hash,
        mailbox=vault.mailbox_hash(email) if email else None,
        verified=email_verified and email_hash is not None,
        email=sealed(email, "email"),
        name=sealed(name, "name"),
        now=now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    identity_id: int
    shop_id: int
    customer_ref: str
    email: str | None
    email_verified: bool
    name: str | None
    proof_sent_at: datetime | None


_PERSONAL = "program_id, id, member_id, shop_id, customer_ref, email, name, email_verified, proof_sent_at"


def find_personal(session: Session, vault: Vault, member_ids: Sequence[int]) -> dict[int, list[Personal]]:
    """The members' identities with what is known of the people, opened."""
    rows = session.rows(
        f"SELECT {_PERSONAL} FROM identities WHERE {{fence}} AND member_id = ANY(:ids) ORDER BY id",
        ids=list(member_ids),
    )
    found: dict[int, list[Personal]] = {}
    for row in rows:
        found.setdefault(row.member_id, []).append(_opened(vault, row))
    return found


def find_person(session: Session, vault: Vault, identity_id: int) -> Personal | None:
    """One identity with what is known of the person, opened."""
    row = session.first(f"SELECT {_PERSONAL} FROM identities WHERE {{fence}} AND id = :id", id=identity_id)
    return _opened(vault, row) if row else None


def _opened(vault: Vault, row: Any) -> Personal:
    def opened(field: str) -> str | None:
        value = getattr(row, field)
        if value is None:
            return None
        place = personal_place(row.program_id, row.shop_id, row.customer_ref, field)
        return vault.data.open(bytes(value), place).decode()

    return Personal(
        identity_id=row.id,
        shop_id=row.shop_id,
        customer_ref=row.customer_ref,
        email=opened("email"),
        email_verified=row.email_verified,
        name=opened("name"),
        proof_sent_at=row.proof_sent_at,
    )


def give_identities(session: Session, identity_ids: Sequence[int], member_id: int, *, now: datetime) -> None:
    """These customers are this member's from now on."""
    session.run(
        "UPDATE identities SET member_id = :member WHERE {fence} AND id = ANY(:ids)",
        member=member_id,
        ids=list(identity_ids),
    )
    profiles.mark_identities(session, identity_ids, now=now)


# Customers that their shop made one with `:id`, one after the other, and those with them.
_JOINED = (
    "WITH RECURSIVE joined(id) AS (SELECT CAST(:id AS bigint) UNION "
    "SELECT CASE WHEN i.id = j.id THEN i.gone_into ELSE i.id END FROM joined j JOIN identities i ON {fence:i} "
    "AND (i.gone_into = j.id OR (i.id = j.id AND i.gone_into IS NOT NULL))) "
    "SELECT i.id AS gone_id, i.gone_into AS kept_id FROM joined j JOIN identities i ON i.id = j.id "
    "WHERE {fence:i} AND i.gone_into IS NOT NULL"
)


def keep_together(session: Session, identity_id: int, other_id: int) -> None:
    """No merge of members that is undone parts these two any more: the other goes where `identity_id` goes, and with
    it those that the shop had made one with it. To be called before `note_gone`.
    """
    rows = session.rows(
        "SELECT id, identity_ids FROM merges WHERE {fence} AND undone_at IS NULL "
        "AND (identity_ids @> CAST(:one AS jsonb)) <> (identity_ids @> CAST(:other AS jsonb)) ORDER BY id FOR UPDATE",
        one=str(identity_id),
        other=str(other_id),
    )
    if not rows:
        return
    links = [(row.gone_id, row.kept_id) for row in session.rows(_JOINED, id=other_id)]
    if identity_id in {end for link in links for end in link}:
        return  # told once more: a merge that parts them now is the one that came of it
    brought = {row.id: _moved(set(row.identity_ids), links, other_id) for row in rows}
    session.run(
        "UPDATE merges m SET identity_ids = CAST(u.ids AS jsonb) "
        "FROM unnest(CAST(:merges AS bigint[]), CAST(:ids AS text[])) AS u(id, ids) WHERE {fence:m} AND m.id = u.id",
        merges=list(brought),
        ids=[json.dumps(sorted(ids)) for ids in brought.values()],
    )


def _moved(brought: set[int], links: Sequence[tuple[int, int]], other_id: int) -> set[int]:
    """What an account brought, once `other_id` changed sides and those with it.

    Two that stand on different sides were made one by this very merge: undoing it says that the shop was wrong.
    """
    same = [set(link) for link in links if (link[0] in brought) == (link[1] in brought)]
    going = {other_id}
    while more := set().union(*(link for link in same if link & going)) - going:
        going |= more
    return brought - going if other_id in brought else brought | going


def note_gone(session: Session, identity_id: int, *, into: int, now: datetime) -> None:
    """The shop has this customer no more: it is one with another."""
    session.run(
        "UPDATE identities SET gone_at = coalesce(gone_at, :now), gone_into = :into WHERE {fence} AND id = :id",
        id=identity_id,
        into=into,
        now=now,
    )


def forget_parted(session: Session, identity_ids: Sequence[int]) -> None:
    """Staff parted some of these from what their shop had made one with them: what follows does not bind them."""
    session.run(
        "UPDATE identities g SET gone_into = NULL FROM identities k WHERE {fence:g} AND {fence:k} "
        "AND k.program_id = g.program_id AND k.id = g.gone_into AND k.member_id <> g.member_id "
        "AND (g.id = ANY(:ids) OR k.id = ANY(:ids))",
        ids=list(identity_ids),
    )


def note_proof_sent(session: Session, identity_id: int, at: datetime | None) -> None:
    session.run("UPDATE identities SET proof_sent_at = :at WHERE {fence} AND id = :id", id=identity_id, at=at)


def prove_email(session: Session, identity_id: int, email_hash: bytes) -> bool:
    """The address is the person's own, if it is still the one that the link was mailed to."""
    row = session.first(
        "UPDATE identities SET email_verified = true WHERE {fence} AND id = :id "
        "AND email_hash = CAST(:hash AS bytea) RETURNING 1",
        id=identity_id,
        hash=email_hash,
    )
    return row is not None


# Something waits behind the address of identity `i`: guests' orders, or a member elsewhere who has it too.
WAITS = (
    "(EXISTS (SELECT 1 FROM orders g WHERE {fence:g} AND g.program_id = i.program_id "
    "AND g.email_hash = i.email_hash AND g.member_id IS NULL) "
    "OR EXISTS (SELECT 1 FROM identities o WHERE {fence:o} AND o.program_id = i.program_id "
    "AND o.email_hash = i.email_hash AND o.member_id IS NOT NULL AND o.member_id <> i.member_id))"
)
UNPROVEN = "{fence:i} AND i.email IS NOT NULL AND i.email_hash IS NOT NULL AND NOT i.email_verified"


def find_unproven(session: Session, *, limit: int) -> list[int]:
    """Members' identities behind whose address something waits, and who were never mailed a link."""
    rows = session.rows(
        f"SELECT i.id FROM identities i WHERE {UNPROVEN} AND i.member_id IS NOT NULL "
        f"AND i.proof_sent_at IS NULL AND {WAITS} ORDER BY i.id LIMIT :limit",
        limit=limit,
    )
    return [row.id for row in rows]


def find_proof_state(session: Session, identity_id: int) -> tuple[datetime | None, bool] | None:
    """(when a link was mailed, whether something waits) of an address that is not proven; None: it is, or none known."""
    row = session.first(
        f"SELECT i.proof_sent_at, {WAITS} AS waits FROM identities i WHERE {UNPROVEN} AND i.id = :id",
        id=identity_id,
    )
    return (row.proof_sent_at, row.waits) if row else None


def is_tombstoned(session: Session, hashes: Sequence[bytes]) -> set[bytes]:
    """Which of these keyed hashes belong to somebody who was erased."""
    return {one for _, one in find_erasures(session, hashes)}


def find_erasures(session: Session, hashes: Sequence[bytes]) -> dict[tuple[int, bytes], datetime]:
    """(program, keyed hash) of those who were erased -> when, the last time."""
    if not hashes:
        return {}
    rows = session.rows(
        "SELECT program_id, hash, erased_at FROM tombstones WHERE {fence} "
        "AND hash = ANY(CAST(:hashes AS bytea[]))",
        hashes=list(hashes),
    )
    return {(row.program_id, bytes(row.hash)): row.erased_at for row in rows}


def add_tombstones(session: Session, hashes: Sequence[bytes], *, now: datetime) -> None:
    session.run(
        "INSERT INTO tombstones (program_id, hash, erased_at) SELECT :program_id, h, :now "
        "FROM (SELECT DISTINCT h FROM unnest(CAST(:hashes AS bytea[])) AS u(h)) d "
        "ON CONFLICT (program_id, hash) DO UPDATE SET erased_at = greatest(tombstones.erased_at, excluded.erased_at)",
        hashes=list(hashes),
        now=now,
    )


def add_merge(
    session: Session,
    *,
    winner_id: int,
    loser_id: int,
    identity_ids: Sequence[int],
    floor_ids: Sequence[int],
    cause: str,
    actor: str,
    now: datetime,
) -> int:
    return int(
        session.scalar(
            "INSERT INTO merges (program_id, winner_id, loser_id, identity_ids, floor_ids, cause, actor, at) VALUES "
            "(:program_id, :winner, :loser, CAST(:identities AS jsonb), CAST(:floors AS jsonb), :cause, :actor, :now) "
            "RETURNING id",
            winner=winner_id,
            loser=loser_id,
            identities=json.dumps(list(identity_ids)),
            floors=json.dumps(list(floor_ids)),
            cause=cause,
            actor=actor,
            now=now,
        )
    )


def _identity(row: Any) -> IdentityRow:
    return IdentityRow(
        program_id=row.program_id,
        identity_id=row.identity_id,
        shop_id=row.shop_id,
        customer_ref=row.customer_ref,
        member_id=row.member_id,
        email_hash=None if row.email_hash is None else bytes(row.email_hash),
        email_verified=row.email_verified,
    )
