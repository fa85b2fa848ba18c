"""Who an unguessable or world-unique string belongs to. Stands outside the fence, so it holds nothing else."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from app.db import statements
from app.domain.errors import Refused


class Kind(StrEnum):
    PROGRAM = "program"  # program key
    SHOP = "shop"  # shop_key
    SHOP_REF = "shop_ref"  # "<platform> <shop_ref>", for messages that only name the shop
    API_KEY = "api_key"  # hash
    SESSION = "session"  # hash of the staff session's token
    SIGN_IN = "sign_in"  # hash of a one-time link
    NONCE = "nonce"  # hash of an installation's state
    INVITATION = "invitation"  # hash of a link by which a second shop joins a program
    EMAIL_PROOF = "email_proof"  # hash of a mailed link
    MEMBER_SIGN_IN = "member_sign_in"  # hash of a one-time link to our own page
    MEMBER_SESSION = "member_session"  # hash of the token of a member's session there


@dataclass(frozen=True, slots=True)
class Found:
    program_id: int
    target_id: int
    details: Mapping[str, Any]


def find(connection: Connection, kind: Kind, key: str, *, now: datetime) -> Found | None:
    row = statements.run(
        connection,
        "SELECT program_id, target_id, details FROM directory "
        "WHERE kind = :kind AND key = :key AND (expires_at IS NULL OR expires_at > :now)",
        {"kind": kind.value, "key": key, "now": now},
    ).first()
    return Found(row.program_id, row.target_id, row.details) if row else None


def put(
    connection: Connection,
    kind: Kind,
    key: str,
    program_id: int,
    target_id: int = 0,
    *,
    details: Mapping[str, Any] | None = None,
    expires_at: datetime | None = None,
) -> None:
    """Raises: Refused("taken") if the key belongs to something else already."""
    row = statements.run(
        connection,
        "INSERT INTO directory (kind, key, program_id, target_id, details, expires_at) VALUES "
        "(:kind, :key, :program_id, :target_id, CAST(:details AS jsonb), :expires_at) "
        "ON CONFLICT (kind, key) DO UPDATE SET details = excluded.details, expires_at = excluded.expires_at "
        "WHERE directory.program_id = excluded.program_id AND directory.target_id = excluded.target_id "
        "RETURNING 1",
        {
            "kind": kind.value,
            "key": key,
            "program_id": program_id,
            "target_id": target_id,
            "details": json.dumps(details or {}),
            "expires_at": expires_at,
        },
    ).first()
    if row is None:
        raise Refused("taken", f"This {kind.value.replace('_', ' ')} is in use already.")


def take(connection: Connection, kind: Kind, key: str, *, now: datetime) -> Found | None:
    """Find and remove in one: a one-time key works once."""
    row = statements.run(
        connection,
        "DELETE FROM directory WHERE kind = :kind AND key = :key "
        "AND (expires_at IS NULL OR expires_at > :now) RETURNING program_id, target_id, details",
        {"kind": kind.value, "key": key, "now": now},
    ).first()
    return Found(row.program_id, row.target_id, row.details) if row else None


def remove(connection: Connection, kind: Kind, program_id: int, target_id: int) -> None:
    statements.run(
        connection,
        "DELETE FROM directory WHERE kind = :kind AND program_id = :program AND target_id = :target",
        {"kind": kind.value, "program": program_id, "target": target_id},
    )


def remove_all(
    connection: Connection, kinds: Sequence[Kind], program_id: int, targets: Sequence[int]
) -> None:
    statements.run(
        connection,
        "DELETE FROM directory WHERE kind = ANY(:kinds) AND program_id = :program "
        "AND target_id = ANY(:targets)",
        {"kinds": [kind.value for kind in kinds], "program": program_id, "targets": list(targets)},
    )


def sweep(connection: Connection, *, now: datetime) -> int:
    """Drop what has expired. Returns how many."""
    return statements.run(
        connection, "DELETE FROM directory WHERE expires_at IS NOT NULL AND expires_at <= :now", {"now": now}
    ).rowcount


def program_ids(connection: Connection) -> list[int]:
    rows = statements.run(
        connection,
        "SELECT program_id FROM directory WHERE kind = :kind ORDER BY program_id",
        {"kind": Kind.PROGRAM.value},
    )
    return [row.program_id for row in rows]


def keys_of(connection: Connection, kind: Kind) -> dict[str, int]:
    rows = statements.run(
        connection,
        "SELECT key, program_id FROM directory WHERE kind = :kind ORDER BY key",
        {"kind": kind.value},
    )
    return {row.key: row.program_id for row in rows}
