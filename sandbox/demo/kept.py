"""A demo that goes on: the stand-ins' records, the installation's keys and its ports, between two runs.

Written by the demo for itself, into its own folder, for the file's owner only.
"""

import base64
import itertools
import json
import os
import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path
from secrets import token_bytes, token_urlsafe
from typing import Any

_RECORDS = {
    "woocommerce": "products customers coupons orders webhooks keys nonces widget_secret created".split(),
    "shopify": "products customers orders discounts subscriptions tokens installed created".split(),
}
_COUNTERS = {
    "woocommerce": "_posts _items _users _hooks _meta".split(),
    "shopify": "_ids _numbers _deliveries".split(),
}


@dataclass(slots=True, kw_only=True)
class House:
    """What an installation is known by. `ports`: Laurel's and the two shops'; 0: any."""

    key: str = field(default_factory=lambda: base64.b64encode(token_bytes(32)).decode(), repr=False)
    shopify_secret: str = field(default_factory=lambda: f"shpss_{token_urlsafe(24)}", repr=False)
    ports: dict[str, int] = field(default_factory=dict)
    program_id: int = 0

    def save(self, folder: Path) -> None:
        _write(folder / "house.json", json.dumps(asdict(self)).encode())

    @staticmethod
    def find(folder: Path) -> "House | None":
        path = folder / "house.json"
        return House(**json.loads(path.read_bytes())) if path.is_file() else None


def save_shop(folder: Path, platform: str, store: Any) -> None:
    """All that the stand-in knows; its counters go on from where they are."""
    with store.lock:
        told: dict[str, Any] = {
            name: getattr(store, name) for name in _RECORDS[platform] if hasattr(store, name)
        }
        for name in _COUNTERS[platform]:
            value = next(getattr(store, name))
            step = 2_002 if name == "_ids" else 1
            setattr(store, name, itertools.count(value, step))
            told[name] = value
        _write(folder / f"{platform}.shop", pickle.dumps(told))


def load_shop(folder: Path, platform: str, store: Any) -> bool:
    """Whether there was something to go on with."""
    path = folder / f"{platform}.shop"
    if not path.is_file():
        return False
    told = pickle.loads(path.read_bytes())  # noqa: S301 - our own file, which only its owner can write
    for name, value in told.items():
        step = 2_002 if name == "_ids" else 1
        setattr(store, name, itertools.count(value, step) if name in _COUNTERS[platform] else value)
    return True


def forget(folder: Path) -> None:
    for path in (*folder.glob("*.shop"), folder / "house.json"):
        path.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    beside.replace(path)
