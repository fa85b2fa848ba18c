"""Can the program's shops do what a changed document promises? What none of them was asked is not looked at."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.db import shops
from app.db.session import Session
from app.db.shops import ShopRow
from app.domain.errors import Refused
from app.domain.program import decode
from app.services.check_document import WrongDocument
from app.services.runtime import Runtime
from app.services.why_not import why_not


def check_rewards(rt: Runtime, session: Session, document: Mapping[str, Any]) -> None:
    """Raises: WrongDocument with each reward that a connected shop cannot make exactly, and every unknown shop."""
    known = sorted(shops.find_shops(session).values(), key=lambda shop: shop.shop_id)
    faults = [*_unknown(document["rewards"], known), *_impossible(rt, document, known)]
    if faults:
        raise WrongDocument(faults)


def _unknown(rewards: Sequence[Mapping[str, Any]], known: Sequence[ShopRow]) -> Iterator[tuple[str, str]]:
    keys = [shop.key for shop in known]
    for place, reward in enumerate(rewards):
        for name in ("shops", "gifts"):
            for key in reward.get(name, ()):
                if key not in keys:
                    there = f"there are {', '.join(keys)}" if keys else "none is connected yet"
                    yield f"rewards[{place}].{name}", f"there is no shop “{key}”; {there}"


def _impossible(
    rt: Runtime, document: Mapping[str, Any], known: Sequence[ShopRow]
) -> Iterator[tuple[str, str]]:
    program = decode(document, 0)
    for place, reward in enumerate(program.rewards):
        for shop in known:
            if shop.state == "uninstalled":
                continue
            try:
                reason = why_not(rt, program, reward, shop)
            except Refused:
                continue  # no rate for its currency: nothing can be had there yet, which is no fault of the reward
            if reason is not None:
                elsewhere = ' Or name in "shops" where else it can be had.' if len(known) > 1 else ""
                yield f"rewards[{place}]", f"“{reward.key}” cannot be had at {shop.name}. {reason}{elsewhere}"
