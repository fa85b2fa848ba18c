"""What somebody wants to have for points, as they sent it: which reward, how many points, and the click's own key."""

from dataclasses import dataclass
from typing import Any

from flask import request

from app.domain.errors import Refused
from app.domain.ledger import MAX_POINTS
from app.services.redeem import MAX_KEY
from app.web.clean import read_json


@dataclass(frozen=True, slots=True)
class Wish:
    reward_key: str
    points: int | None  # of a reward in steps
    request_key: str


def read_wish() -> Wish:
    """Raises: Refused with bad_request, bad_key, key_mismatch, invalid."""
    body = read_json()
    request_key = _request_key(body)
    reward_key = body.get("reward")
    if not isinstance(reward_key, str) or not 0 < len(reward_key) <= MAX_KEY:
        raise Refused("invalid", "Say which reward: “reward” is the key of one.")
    points = body.get("points")
    if points is not None and (type(points) is not int or not 0 < points <= MAX_POINTS):
        raise Refused("invalid", "“points” is a whole number of points.")
    return Wish(reward_key, points, request_key)


def _request_key(body: dict[str, Any]) -> str:
    """The click's own key, in the header, in the body, or the same in both: a proxy may drop headers."""
    header, inside = request.headers.get("Idempotency-Key"), body.get("request_key")
    if header is not None and inside is not None and header != inside:
        raise Refused("key_mismatch", "The idempotency key in the header is not the one in the body.")
    key = header if header is not None else inside
    if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY or not key.isprintable():
        raise Refused("bad_key", f"An Idempotency-Key of 1 to {MAX_KEY} characters is needed.")
    return key
