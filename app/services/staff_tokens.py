"""Tokens of links and sessions: 256 bits that nobody guesses, kept as hashes only."""

import hashlib
import secrets
from datetime import timedelta

LINK_DAYS = 7
SLIDING = timedelta(hours=12)
LONGEST = timedelta(days=7)


def staff_tokens() -> tuple[str, str]:
    """A new (token, what is stored of it)."""
    token = secrets.token_urlsafe(32)
    return token, hashed(token)


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
