"""A shop is asked what its products and customers are sorted into, where rules want to know; waiting orders count."""

from collections.abc import Mapping, Sequence

from app.db import shop_facts
from app.db.shop_facts import Wanted
from app.domain.changes import ProductFacts
from app.domain.pacing import Urgency
from app.domain.rules import collection, folded, tag
from app.services.recount import recount
from app.services.runtime import Runtime
from app.services.shop_client import open_shop
from connectors.base import ShopClient

BATCH = 200


def read_facts(rt: Runtime, program_id: int, shop_id: int) -> None:
    """Read what is wanted, a batch a time, each kept at once; then count the orders that waited for it.

    Raises: Refused, AccessLost, Retryable; what was not read stays wanted, and its orders wait.
    """
    read = False
    try:
        with open_shop(rt, program_id, shop_id, Urgency.ORDERS) as client:
            while True:
                with rt.db.begin(program_id) as session:
                    wanted = shop_facts.find_wanted(session, shop_id, limit=BATCH)
                if not (wanted.product_refs or wanted.customers):
                    break
                _read(rt, program_id, shop_id, client, wanted)
                read = True
    finally:
        if read:
            recount(rt, program_id, shop_id)


def _read(rt: Runtime, program_id: int, shop_id: int, client: ShopClient, wanted: Wanted) -> None:
    products = client.read_products(wanted.product_refs) if wanted.product_refs else {}
    refs = sorted(set(wanted.customers.values()))
    tags = client.read_tags(refs) if refs else {}
    with rt.db.begin(program_id) as session:
        # What the shop has no more is in no group: an order does not wait for ever.
        groups = {ref: _groups(products.get(ref)) for ref in wanted.product_refs}
        shop_facts.put_groups(session, shop_id, groups, now=rt.now())
        known = {identity: folded(tags.get(ref, ())) for identity, ref in wanted.customers.items()}
        shop_facts.put_tags(session, known, now=rt.now())


def _groups(facts: ProductFacts | None) -> Sequence[str]:
    if facts is None:
        return ()
    found: Mapping[str, None] = dict.fromkeys(
        [*(collection(ref) for ref in facts.collections), *(tag(name) for name in facts.tags)]
    )
    return tuple(found)
