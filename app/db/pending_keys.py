"""Keys of a shop whose installation is under way: they wait in the directory, sealed, for the merchant's browser."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from app.db import statements
from app.db.directory import Kind
from app.db.sealing import Vault


def seal_keys(vault: Vault, key: str, credentials: Mapping[str, str]) -> str:
    """As they stand under `keys` in the details of the state that hashes to `key`."""
    return _text(vault.ring.seal(json.dumps(dict(credentials)).encode(), _place(key)))


def open_keys(vault: Vault, key: str, sealed: str) -> dict[str, str]:
    """Raises: CannotOpen."""
    opened: dict[str, str] = json.loads(vault.ring.open(_bytes(sealed), _place(key)))
    return opened


def reseal(connection: Connection, vault: Vault, *, now: datetime) -> int:
    """Seal them under the newest key; what waited too long nobody opens any more. Returns how many changed."""
    changed = 0
    for key, sealed in _waiting(connection, "FOR UPDATE", now=now).items():
        if not vault.ring.is_newest(sealed):
            fresh = vault.ring.seal(vault.ring.open(sealed, _place(key)), _place(key))
            statements.run(
                connection,
                "UPDATE directory SET details = jsonb_set(details, '{keys}', to_jsonb(CAST(:fresh AS text))) "
                "WHERE kind = :kind AND key = :key",
                {"kind": Kind.NONCE.value, "key": key, "fresh": _text(fresh)},
            )
            changed += 1
    return changed


def count_older_seals(connection: Connection, vault: Vault, *, now: datetime) -> int:
    """How many `reseal` would change."""
    return sum(not vault.ring.is_newest(sealed) for sealed in _waiting(connection, now=now).values())


def _waiting(connection: Connection, lock: str = "", *, now: datetime) -> dict[str, bytes]:
    rows = statements.run(
        connection,
        "SELECT key, details->>'keys' AS sealed FROM directory WHERE kind = :kind AND details ? 'keys' "
        f"AND expires_at > :now {lock}",
        {"kind": Kind.NONCE.value, "now": now},
    )
    return {row.key: _bytes(row.sealed) for row in rows}


def _text(sealed: bytes) -> str:
    return base64.b64encode(sealed).decode()


def _bytes(sealed: str) -> bytes:
    return base64.b64decode(sealed)


def _place(key: str) -> str:
    return f"directory|nonce|{key}"
