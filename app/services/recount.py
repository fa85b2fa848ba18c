"""Orders that now count otherwise are counted again: a rate was published, or a shop counts from another day."""

from collections.abc import Iterator, Sequence

from app.db import programs, recounts
from app.db.orders import OrderKey
from app.db.recounts import Place
from app.db.session import Session
from app.domain.earning import Zero
from app.services.runtime import Runtime
from app.services.settle_orders import settle_orders

BATCH = 500


def recount(rt: Runtime, program_id: int, shop_id: int | None = None) -> int:
    """Count them again, a batch a transaction, in the order in which they were placed. Returns how many.

    What has been counted is done with: broken off, it goes on where it was.
    """
    wanted = None if shop_id is None else [shop_id]
    counted, after = 0, Place()
    while True:
        with rt.db.begin(program_id) as session:
            programs.lock_settling(session)
            keys, after = next_to_recount(session, wanted, after)
            if not keys:
                return counted
            settle_orders(session, rt.vault, [], now=rt.now(), recount=keys)
            counted += len(keys)


def next_to_recount(
    session: Session, shop_ids: Sequence[int] | None, after: Place
) -> tuple[list[OrderKey], Place]:
    return recounts.find_to_recount(
        session,
        shop_ids,
        before_start=Zero.BEFORE_START.value,
        test_order=Zero.TEST_ORDER.value,
        after=after,
        limit=BATCH,
    )


def all_to_recount(session: Session, shop_ids: Sequence[int] | None) -> Iterator[list[OrderKey]]:
    """Every batch, within one transaction."""
    after = Place()
    while True:
        keys, after = next_to_recount(session, shop_ids, after)
        if not keys:
            return
        yield keys
