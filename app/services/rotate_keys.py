"""Everything sealed is sealed anew under the newest of LAUREL_KEYS, so that the older ones can go."""

from collections.abc import Callable
from dataclasses import dataclass

from app.db import pending_keys, shops
from app.db.sealing import reseal_keys
from app.services.check_health import slices
from app.services.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Rotated:
    """How many were sealed anew; 0 and 0: the older keys can go. Secrets of shops that are being connected count too."""

    data_keys: int
    shop_secrets: int


def rotate_keys(rt: Runtime, *, watch: Callable[[int], None] = lambda _: None) -> Rotated:
    """Safe under traffic and to run again; a shop a transaction. `watch` hears how many shops are done.

    Raises: CannotOpen if something was sealed under a key that is missing.
    """
    with rt.db.outside() as connection:
        data_keys = reseal_keys(connection, rt.vault.ring)
        fields = pending_keys.reseal(connection, rt.vault, now=rt.now())
    done = 0
    for part in slices(rt):
        for program_id in part:
            with rt.db.begin(program_id) as session:
                shop_ids = list(shops.find_shops(session))
            for shop_id in shop_ids:
                with rt.db.begin(program_id) as session:
                    fields += shops.reseal(session, rt.vault, shop_id)
                done += 1
                watch(done)
    rt.shop_memory.forget()
    return Rotated(data_keys, fields)
