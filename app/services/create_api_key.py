"""A key for a merchant's own system: shown once, kept as a hash."""

import secrets
from dataclasses import dataclass, field

from app.db import directory
from app.db.directory import Kind
from app.domain.errors import Refused
from app.services.runtime import Runtime

PREFIX = "lrl_"


@dataclass(frozen=True, slots=True)
class NewApiKey:
    key_id: int
    token: str = field(repr=False)


def create_api_key(rt: Runtime, program_id: int, name: str) -> NewApiKey:
    """A key with all rights of the program's API. Raises: Refused("bad_name")."""
    name = name.strip()
    if not 0 < len(name) <= 100:
        raise Refused("bad_name", "Name the key after what will use it, in at most 100 characters.")
    token = PREFIX + secrets.token_urlsafe(32)
    with rt.db.begin(program_id) as session:
        key_id = int(
            session.scalar(
                "INSERT INTO api_keys (program_id, name, created_at) VALUES (:program_id, :name, :now) RETURNING id",
                name=name,
                now=rt.now(),
            )
        )
        directory.put(session.connection, Kind.API_KEY, rt.vault.token_hash(token), program_id, key_id)
    return NewApiKey(key_id, token)
