"""Who asked to be forgotten after a backup was made is forgotten again when it is restored."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from app.db import members
from app.db.place import looking_at
from app.db.sealing import CannotOpen, KeyRing, Vault
from app.db.session import Session
from app.services.erase_customer import erase_customer


@dataclass(frozen=True, slots=True)
class Tombstone:
    program_id: int
    hash: bytes
    erased_at: datetime


def read_tombstones(url: str, ring: KeyRing, vault: Vault) -> list[Tombstone] | None:
    """Every tombstone of the database at `url`; None: it cannot be read, or hashes by another key than `vault`."""
    try:
        with looking_at(url, frozen=True) as connection:
            if not _hashes_alike(connection, ring, vault):
                return None
            rows = connection.execute(text("SELECT program_id, hash, erased_at FROM tombstones"))
            return [Tombstone(row.program_id, bytes(row.hash), row.erased_at) for row in rows]
    except (SQLAlchemyError, CannotOpen):
        return None


def carry_erasures(session: Session, vault: Vault, tombstones: Iterable[Tombstone], *, now: datetime) -> int:
    """Put those of the session's program that are not there, and erase whom they stand for. Returns how many people."""
    ours = {one.hash: one for one in tombstones if one.program_id == session.program_id}
    here = members.find_erasures(session, list(ours))
    missing = {one for one, stone in ours.items() if _is_news(stone, here.get((session.program_id, one)))}
    if not missing:
        return 0
    for one in missing:
        members.add_tombstones(session, [one], now=ours[one].erased_at)
    erased = 0
    known = session.rows(
        "SELECT shop_id, customer_ref FROM identities WHERE {fence} AND customer_ref NOT LIKE 'erased:%' ORDER BY id"
    )
    for row in known:
        if vault.customer_hash(row.shop_id, row.customer_ref) in missing:
            erased += erase_customer(session, vault, row.shop_id, row.customer_ref, email=None, now=now)
    # A tombstone does not say whose shop asked: of a guest, the address goes at all of the program's.
    session.run(
        "UPDATE orders SET email_hash = NULL WHERE {fence} AND email_hash = ANY(CAST(:hashes AS bytea[]))",
        hashes=sorted(missing),
    )
    return erased


def _is_news(stone: Tombstone, erased_at: datetime | None) -> bool:
    return erased_at is None or erased_at < stone.erased_at


def _hashes_alike(connection: Connection, ring: KeyRing, vault: Vault) -> bool:
    sealed = connection.execute(text("SELECT value FROM installation WHERE name = 'hash_key'")).scalar()
    if sealed is None:
        return False
    other = Vault(ring, bytes(32), ring.open(bytes(sealed), "installation|hash_key"), "")
    return other.sign("same", "") == vault.sign("same", "")
