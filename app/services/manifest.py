"""What a backup says of itself, beside the data: enough to tell whether it can be restored, and whether it was."""

from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from app.db import directory
from app.db.auditing import heads_digest
from app.db.place import count_rows
from app.db.session import Session
from app.domain.errors import Refused

FORMAT = 1


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """A program as it was: its key, the digest of its chains, and what is outstanding."""

    key: str
    digest: str
    points: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    format: int
    laurel: str
    revision: str
    installation_id: str
    made_at: datetime
    sealed: Mapping[str, bytes]  # the data keys as stored: LAUREL_KEYS open them, or this backup is of no use
    tables: Mapping[str, int]
    programs: Mapping[int, Proof]


def manifest(connection: Connection, *, now: datetime) -> Manifest:
    """Of the database as `connection`, which must see everything, sees it."""
    stored = {
        row.name: bytes(row.value) for row in connection.execute(text("SELECT name, value FROM installation"))
    }
    return Manifest(
        format=FORMAT,
        laurel=_version(),
        revision=str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()),
        installation_id=stored.get("id", b"").decode(),
        made_at=now,
        sealed={name: value for name, value in stored.items() if name.endswith("_key")},
        tables=count_rows(connection),
        programs=proofs(connection),
    )


def proofs(connection: Connection) -> dict[int, Proof]:
    found = {}
    for program_id in directory.program_ids(connection):
        session = Session(connection, [program_id])
        row = session.first(
            "SELECT key, (SELECT coalesce(sum(points), 0) FROM accounts WHERE {fence}) AS points "
            "FROM programs p WHERE {fence:p}"
        )
        if row is not None:
            found[program_id] = Proof(key=row.key, digest=heads_digest(session), points=int(row.points))
    return found


def read_manifest(raw: bytes) -> Manifest:
    """Raises: Refused("not_a_backup"), Refused("newer_backup")."""
    try:
        seen: Any = msgspec.json.decode(raw)
        if isinstance(seen, dict) and isinstance(seen.get("format"), int) and seen["format"] > FORMAT:
            raise Refused("newer_backup", "This backup was made by a newer Laurel: restore it with that one.")
        return msgspec.json.decode(raw, type=Manifest)
    except msgspec.MsgspecError as error:
        raise Refused("not_a_backup", "This file is no backup of Laurel's, or was damaged.") from error


def _version() -> str:
    try:
        return version("laurel")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "unknown"
