"""Secrets and personal data at rest: AES-256-GCM, bound to the place they belong to.

A value moved to another row or field does not open. `KeyRing` holds LAUREL_KEYS, newest first: the newest seals,
any of them opens. `Vault` adds the installation's own data keys, which are stored sealed under the ring, so that
rotating the ring never changes a hash or a body.
"""

import hashlib
import hmac
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, text

from app.domain.suspicion import mailbox

_NONCE = 12
_KEY_ID = 4


class CannotOpen(Exception):
    """No key of the ring opens this value here: a key is missing, or the value was moved or changed."""


class KeyRing:
    """Seals under the newest of `keys` (32 bytes each), opens under any. `place` names table, row and field."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise ValueError("a key ring needs a key")
        self._newest = _key_id(keys[0])
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}

    def seal(self, value: bytes, place: str) -> bytes:
        nonce = os.urandom(_NONCE)
        bound = place.encode() + b"|" + self._newest
        return self._newest + nonce + self._ciphers[self._newest].encrypt(nonce, value, bound)

    def open(self, sealed: bytes, place: str) -> bytes:
        """Raises: CannotOpen."""
        key_id, nonce = sealed[:_KEY_ID], sealed[_KEY_ID : _KEY_ID + _NONCE]
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise CannotOpen(f"{place}: sealed with a key that is not in LAUREL_KEYS")
        try:
            return cipher.decrypt(nonce, sealed[_KEY_ID + _NONCE :], place.encode() + b"|" + key_id)
        except InvalidTag:
            raise CannotOpen(f"{place}: changed, or moved from elsewhere") from None

    def is_newest(self, sealed: bytes) -> bool:
        return sealed[:_KEY_ID] == self._newest


class Vault:
    """The ring for credentials, one data key for personal data and bodies, one for keyed hashes."""

    def __init__(self, ring: KeyRing, data_key: bytes, hash_key: bytes, installation_id: str) -> None:
        self.ring = ring
        self.data = KeyRing([data_key])
        self.installation_id = installation_id
        self._hash_key = hash_key

    def email_hash(self, email: str) -> bytes:
        """A keyed hash of the case-folded address: finds the person again, tells nobody the address."""
        return self._hash(b"email", email.strip().casefold())

    def mailbox_hash(self, email: str) -> bytes:
        """The same for every spelling of one mailbox: finds accounts that are alike, not the person."""
        return self._hash(b"mailbox", mailbox(email))

    def customer_hash(self, shop_id: int, customer_ref: str) -> bytes:
        return self._hash(b"customer", f"{shop_id}:{customer_ref}")

    def request_hash(self, request_key: str) -> bytes:
        """A once-only key of somebody else's: they may have put an address into it."""
        return self._hash(b"request", request_key)

    def day_hash(self, program_id: int, day: str) -> bytes:
        """Finds whose birthday it is without opening anybody's."""
        return self._hash(b"day", f"{program_id}:{day}")

    def card(self, program_id: int, member_id: int, serial: int) -> bytes:
        """What the member's n-th card shows: made of the key, so that it can be shown again and is kept nowhere."""
        return self._hash(b"card", f"{program_id}:{member_id}:{serial}")

    def card_hash(self, program_id: int, code: str) -> bytes:
        """How a card is found."""
        return self._hash(b"shown card", f"{program_id}:{code}")

    def token_hash(self, token: str) -> str:
        """How an unguessable token is looked up: the database never holds the token itself."""
        return hashlib.sha256(token.encode()).hexdigest()

    def sign(self, purpose: str, message: str) -> str:
        return self._hash(purpose.encode(), message).hex()

    def _hash(self, purpose: bytes, value: str) -> bytes:
        return hmac.new(self._hash_key, purpose + b"\0" + value.encode(), hashlib.sha256).digest()


def open_vault(connection: Connection, ring: KeyRing) -> Vault:
    """The installation's vault; its keys and its id are made on first use."""
    for name in ("data_key", "hash_key"):
        _make(connection, name, ring.seal(os.urandom(32), f"installation|{name}"))
    _make(connection, "id", os.urandom(4).hex().encode())
    rows = connection.execute(text("SELECT name, value FROM installation"))
    stored = {row.name: bytes(row.value) for row in rows}
    return Vault(
        ring,
        ring.open(stored["data_key"], "installation|data_key"),
        ring.open(stored["hash_key"], "installation|hash_key"),
        stored["id"].decode(),
    )


class _NoKeys(KeyRing):
    """Opens and seals nothing: for commands that run without LAUREL_KEYS."""

    def __init__(self) -> None:
        self._newest = b""
        self._ciphers = {}

    def seal(self, value: bytes, place: str) -> bytes:
        raise CannotOpen(f"{place}: LAUREL_KEYS is missing")

    def open(self, sealed: bytes, place: str) -> bytes:
        raise CannotOpen(f"{place}: LAUREL_KEYS is missing")


class _ClosedVault(Vault):
    def __init__(self, installation_id: str) -> None:
        self.ring = self.data = _NoKeys()
        self.installation_id = installation_id

    def _hash(self, purpose: bytes, value: str) -> bytes:
        raise CannotOpen("LAUREL_KEYS is missing")


def closed_vault(connection: Connection) -> Vault:
    """A vault for commands that need nothing sealed: whatever asks it for more raises CannotOpen."""
    value = connection.execute(text("SELECT value FROM installation WHERE name = 'id'")).scalar()
    return _ClosedVault(bytes(value).decode() if value else "")


def reseal_keys(connection: Connection, ring: KeyRing) -> int:
    """Seal the installation's data keys under the newest key of the ring. Returns how many changed."""
    rows = connection.execute(text("SELECT name, value FROM installation WHERE name LIKE '%_key' FOR UPDATE"))
    changed = 0
    for row in rows.all():
        if not ring.is_newest(bytes(row.value)):
            place = f"installation|{row.name}"
            fresh = ring.seal(ring.open(bytes(row.value), place), place)
            connection.execute(
                text("UPDATE installation SET value = :value WHERE name = :name"),
                {"name": row.name, "value": fresh},
            )
            changed += 1
    return changed


def _make(connection: Connection, name: str, value: bytes) -> None:
    connection.execute(
        text("INSERT INTO installation (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING"),
        {"name": name, "value": value},
    )


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"laurel key id" + key).digest()[:_KEY_ID]
