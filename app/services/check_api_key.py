"""Whose key a request to the API carries; and the end of a key."""

from dataclasses import dataclass
from datetime import timedelta

from app.db import directory
from app.db.directory import Kind
from app.domain.errors import Refused
from app.services.runtime import Runtime

_SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ApiKey:
    program_id: int
    key_id: int
    name: str

    @property
    def actor(self) -> str:
        """How what it does is signed."""
        return f"API key {self.key_id} ({self.name})"


def check_api_key(rt: Runtime, token: str | None) -> ApiKey:
    """Raises: Refused("signed_out") for anything but a live key."""
    now = rt.now()
    found = None
    if token:
        with rt.db.outside() as connection:
            found = directory.find(connection, Kind.API_KEY, rt.vault.token_hash(token), now=now)
    if found is None:
        raise _unknown()
    with rt.db.begin(found.program_id) as session:
        row = session.first(
            "SELECT name, last_used_at FROM api_keys WHERE {fence} AND id = :id AND revoked_at IS NULL",
            id=found.target_id,
        )
        if row is None:
            raise _unknown()
        if row.last_used_at is None or now - row.last_used_at >= _SEEN_EVERY:
            session.run(
                "UPDATE api_keys SET last_used_at = :now WHERE {fence} AND id = :id",
                id=found.target_id,
                now=now,
            )
    return ApiKey(found.program_id, found.target_id, row.name)


def revoke_api_key(rt: Runtime, program_id: int, key_id: int) -> None:
    """From now on it opens nothing. Raises: Refused("unknown_api_key")."""
    with rt.db.begin(program_id) as session:
        row = session.first(
            "UPDATE api_keys SET revoked_at = coalesce(revoked_at, :now) WHERE {fence} AND id = :id RETURNING 1",
            id=key_id,
            now=rt.now(),
        )
        if row is None:
            raise Refused("unknown_api_key", "This program has no such key.")
        directory.remove(session.connection, Kind.API_KEY, program_id, key_id)


def _unknown() -> Refused:
    return Refused("signed_out", "This needs a key of the program: Authorization: Bearer <key>.")
