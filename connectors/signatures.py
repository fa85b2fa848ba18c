"""The HMAC check that platforms share. On bytes as received, in constant time."""

import base64
import hashlib
import hmac

from connectors.base import BadSignature


def require_hmac_sha256(body: bytes, signature: str, secrets: tuple[str, ...]) -> None:
    """Pass if any secret signs `body` (base64 HMAC-SHA256); several while one is rotated out. No secret passes nothing.

    Raises: BadSignature.
    """
    # As bytes: compare_digest raises TypeError for text that is not ASCII, and a header may hold anything.
    claimed = signature.encode("utf-8", "surrogateescape")
    for secret in secrets:
        digest = hmac.digest(secret.encode(), body, hashlib.sha256)
        if secret and hmac.compare_digest(base64.b64encode(digest), claimed):
            return
    raise BadSignature("no known secret signs this body")
