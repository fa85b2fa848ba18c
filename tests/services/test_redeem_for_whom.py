"""A member with two accounts at a shop: the code is for the one who is signed in."""

import pytest

from app.db import redemptions
from app.domain.errors import Refused
from app.domain.redeeming import RedemptionState
from app.services.choose_shop import choose_shop
from app.services.merge_members import undo_merge
from app.services.redeem import RedeemRequest, redeem
from app.services.runtime import Runtime
from tests.conftest import Clock, make_program
from tests.services.books import get_member, merge_refs
from tests.services.jobs import run_jobs
from tests.services.stands import shopify_stand


@pytest.mark.parametrize("signed_in", [True, False])
def test_after_the_shop_made_two_customers_one_the_code_is_for_the_one_that_is_left(
    rt: Runtime, clock: Clock, signed_in: bool
) -> None:
    """Seen in the demo: codes were bound to the customer that was gone, and refused for good. Staff names nobody."""
    stand = shopify_stand(rt, clock, make_program(rt, currency="USD"))
    clock.forward(hours=1)
    store = stand.store
    gone, kept = (store.create_customer(f"{name}@example.test") for name in ("ann", "anne"))
    for customer in (gone, kept):
        store.pay(store.create_order([(store.product("Rug", 300), 1)], customer=customer))
    stand.deliver_all()
    store.merge_customers(kept, gone)
    merge_refs(stand.rt, stand.program_id, stand.shop.shop_id, str(kept.id), str(gone.id))
    member_id = stand.sql("SELECT member_id FROM identities WHERE {fence}")[0].member_id
    row = redeem(
        stand.rt,
        RedeemRequest(
            program_id=stand.program_id,
            member_id=member_id,
            shop_id=stand.shop.shop_id,
            reward_key="amount-5",
            request_key="click",
            actor="shopper",
            customer_ref=str(kept.id) if signed_in else None,
        ),
    )
    run_jobs(stand.rt, stand.program_id)
    with stand.rt.db.begin(stand.program_id) as session:
        issued = redemptions.get_redemption(session, row.redemption_id)
    assert issued.state is RedemptionState.ISSUED
    assert store.discount_named(issued.code).customers == [kept.id]


def test_a_member_whose_only_customer_the_shop_has_no_more_buys_nothing_there(
    rt: Runtime, clock: Clock
) -> None:
    """Staff undid the merge: the shop did not."""
    stand = shopify_stand(rt, clock, make_program(rt, currency="USD"))
    clock.forward(hours=1)
    store = stand.store
    gone, kept = (store.create_customer(f"{name}@example.test") for name in ("ann", "anne"))
    for customer in (gone, kept):
        store.pay(store.create_order([(store.product("Rug", 300), 1)], customer=customer))
    stand.deliver_all()
    merge_refs(stand.rt, stand.program_id, stand.shop.shop_id, str(kept.id), str(gone.id))
    (merge,) = stand.sql("SELECT id, loser_id, winner_id FROM merges WHERE {fence}")
    with stand.rt.db.begin(stand.program_id) as session:
        undo_merge(session, stand.rt.vault, merge.id, now=clock.at)
    alone = get_member(stand.rt, stand.program_id, stand.shop.shop_id, str(gone.id))
    with pytest.raises(Refused, match="no_identity"):
        choose_shop(stand.rt, stand.program_id, member_id=alone)
    with pytest.raises(Refused, match="no_identity"):
        redeem(
            stand.rt,
            RedeemRequest(
                program_id=stand.program_id,
                member_id=alone,
                shop_id=stand.shop.shop_id,
                reward_key="amount-5",
                request_key="click",
                actor="Ada",
            ),
        )
    assert choose_shop(stand.rt, stand.program_id, member_id=merge.winner_id + merge.loser_id - alone)
