"""A shop that counts what it is asked: work that nobody waits for leaves room for shoppers, and goes on where it was."""

from typing import Any

import pytest

from app.domain.errors import PutOff, Retryable
from app.domain.redeeming import RedemptionState
from app.services.issue_code import issue_code
from app.services.reconcile_shop import Reconciled, reconcile_shop
from app.services.runtime import Runtime
from app.services.write_profiles import write_profiles
from sandbox.faults import FaultKind
from sandbox.shopify.bucket import Bucket
from tests.conftest import Clock, make_program
from tests.services.stands import Stand, shopify_stand
from tests.services.test_profiles import buy, fields, give
from tests.services.test_redemption_faults import make_spender


@pytest.fixture
def stand(rt: Runtime, clock: Clock) -> Stand:
    """A shop of the smallest plan, whose bucket counts by the tests' clock."""
    stand = shopify_stand(rt, clock, make_program(rt, currency="USD"))
    clock.forward(hours=1)
    bucket_of(stand).enforced = True
    return stand


def make_small(stand: Stand, capacity: int) -> None:
    """A bucket that a few pages of orders empty."""
    bucket = bucket_of(stand)
    bucket.capacity, bucket.rate, bucket._left, bucket.enforced = capacity, 10, float(capacity), True


def bucket_of(stand: Stand) -> Bucket:
    bucket = stand.store.bucket
    assert isinstance(bucket, Bucket)
    return bucket


@pytest.fixture
def refusals(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The cost of each query that the shop refused as too much."""
    costs: list[int] = []
    told = Bucket.throttled

    def throttled(self: Bucket, cost: int) -> dict[str, Any]:
        costs.append(cost)
        return told(self, cost)

    monkeypatch.setattr(Bucket, "throttled", throttled)
    return costs


def orders(stand: Stand, count: int) -> list[str]:
    """Paid orders of which the shop told nothing."""
    store = stand.store
    ann = store.create_customer("ann@example.test")
    made = []
    for _ in range(count):
        order = store.create_order([(store.product("Pin", 4), 1)], customer=ann)
        store.pay(order)
        made.append(str(order.id))
    stand.lose_all()
    return made


def until_done(stand: Stand, clock: Clock, kind: str) -> tuple[Reconciled, list[int]]:
    """The job as the queue would repeat it; and what was left in the bucket whenever it was put off."""
    left: list[int] = []
    for _ in range(100):
        try:
            return reconcile_shop(stand.rt, stand.program_id, stand.shop.shop_id, kind), left
        except PutOff as later:
            left.append(int(bucket_of(stand)._left))
            clock.forward(seconds=later.wait_s)
    raise AssertionError("it is put off for ever")


def test_a_long_comparison_leaves_half_the_bucket_and_goes_on_where_it_was(
    stand: Stand, clock: Clock, refusals: list[int]
) -> None:
    make_small(stand, 120)
    refs = orders(stand, 120)
    done, left = until_done(stand, clock, "changed")
    assert done.looked_at == 120
    assert len(done.repairs) == 120
    assert stand.worth(*refs) == [4] * 120
    assert len(left) > 2
    assert min(left) >= 60 - 5  # a page may cost a little more than the one before
    assert refusals == []
    runs = stand.sql("SELECT looked_at, problem FROM reconciliations WHERE {fence} AND kind = 'changed'")
    assert [(run.looked_at, run.problem) for run in runs] == [(120, None)]


def test_a_redemption_goes_before_what_is_put_off(
    rt: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its code is made at once, out of the part that was kept."""
    spender = make_spender(rt, clock, "shopify")
    stand = spender.stand
    make_small(stand, 240)
    orders(stand, 100)
    row = spender.redeem()
    with pytest.raises(PutOff):
        reconcile_shop(stand.rt, stand.program_id, stand.shop.shop_id, "changed")
    issue_code(stand.rt, stand.program_id, stand.shop.shop_id, row.redemption_id)
    assert spender.row(row).state is RedemptionState.ISSUED
    assert spender.usable(row) == 1


def test_what_was_put_off_before_it_began_is_written_as_if_nothing_had_been(
    stand: Stand, clock: Clock
) -> None:
    ann = buy(stand)
    clock.forward(seconds=61)
    write_profiles(stand.rt, stand.program_id, stand.shop.shop_id)
    give(stand, ann, 5, "up")
    clock.forward(seconds=61)
    told = stand.rt.paces[stand.program_id, stand.shop.shop_id]
    told.hear(available=900, maximum=2000, restored_per_s=100)
    with pytest.raises(PutOff) as put_off:
        write_profiles(stand.rt, stand.program_id, stand.shop.shop_id)
    assert fields(ann)["points"] == "40"
    clock.forward(seconds=put_off.value.wait_s)
    assert write_profiles(stand.rt, stand.program_id, stand.shop.shop_id) == 1
    assert fields(ann)["points"] == "45"
    assert stand.store.metafields_written == [5, 1]  # not all five again


def test_who_finds_the_bucket_emptied_by_others_is_put_off_until_there_is_room(
    stand: Stand, clock: Clock, refusals: list[int]
) -> None:
    """A process that just began knows nothing yet; the shop's own refusal teaches it."""
    orders(stand, 5)
    bucket = bucket_of(stand)
    bucket.take(1990)
    with pytest.raises(PutOff) as put_off:
        reconcile_shop(stand.rt, stand.program_id, stand.shop.shop_id, "changed")
    assert len(refusals) == 1
    assert put_off.value.wait_s >= 10  # not only until it could be asked, but until half is there again
    done, _ = until_done(stand, clock, "changed")
    assert (done.looked_at, len(refusals)) == (5, 1)


def test_a_shop_that_tells_no_bucket_is_asked_as_ever(stand: Stand, clock: Clock) -> None:
    bucket_of(stand).enforced = False
    orders(stand, 60)
    done, left = until_done(stand, clock, "changed")
    assert (done.looked_at, left) == (60, [])


def test_a_failure_is_no_put_off(stand: Stand) -> None:
    orders(stand, 1)
    stand.store.faults.add("orders_changed", FaultKind.TIMEOUT_BEFORE, times=9)
    with pytest.raises(Retryable) as failure:
        reconcile_shop(stand.rt, stand.program_id, stand.shop.shop_id, "changed")
    assert not isinstance(failure.value, PutOff)
    (run,) = stand.sql("SELECT problem, paused_at FROM reconciliations WHERE {fence} AND kind = 'changed'")
    assert run.problem.startswith("To be tried again")
    assert run.paused_at is None
