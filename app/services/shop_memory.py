"""Shops as requests need them, remembered for a few seconds: a rotated secret is known soon, a look-up is rare."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.db.directory import Kind

_REMEMBERED = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownShop:
    program_id: int
    shop_id: int
    key: str
    platform: str
    shop_ref: str
    url: str
    state: str
    own_app: bool
    webhook_secrets: tuple[str, ...] = field(repr=False)
    widget_secret: str = field(repr=False)


class ShopMemory:
    """Shops by key or by the platform's name for them; forgotten after some seconds, so that rotation works."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[tuple[Kind, str], tuple[datetime, KnownShop | None]] = {}

    def get(
        self, kind: Kind, key: str, now: datetime, load: Callable[[], KnownShop | None]
    ) -> KnownShop | None:
        remembered = self._found.get((kind, key))
        if remembered is not None and now - remembered[0] < _REMEMBERED:
            return remembered[1]
        shop = load()
        with self._lock:
            if len(self._found) > 10_000:
                self._found.clear()
            if shop is not None:  # strangers' guesses are not worth remembering
                self._found[kind, key] = (now, shop)
            else:
                self._found.pop((kind, key), None)
        return shop

    def forget(self) -> None:
        self._found.clear()
