"""What a merchant's automations begin with: told once, of what was committed, and only where somebody wants to hear."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.db import happenings, members
from app.db.session import Session
from app.domain.errors import Refused, Retryable
from app.domain.program import default_document
from app.domain.triggers import FRESH, Trigger
from app.services.adjust import adjust
from app.services.audit import audit
from app.services.cancel_redemption import cancel_redemption
from app.services.due_happenings import FORGOTTEN_AFTER, due_happenings
from app.services.erase_member import erase_member
from app.services.erase_shop import erase_shop
from app.services.find_merges import join_members
from app.services.issue_code import issue_code
from app.services.redeem import RedeemRequest, redeem
from app.services.runtime import Runtime
from app.services.tell_happenings import tell_happenings
from app.services.uninstall_shop import disconnect
from app.web import create_app
from connectors import shopify
from connectors.shopify.payloads import HANDLES
from sandbox.faults import FaultKind
from sandbox.shopify.state import Customer
from tests.conftest import Clock, make_program
from tests.services.jobs import run_jobs, take_due
from tests.services.stands import Stand, shopify_stand, woo_stand

EXTENSIONS = Path(shopify.__file__).parent / "extensions"
EARNED, MOVED, BOUGHT = (
    HANDLES[one] for one in (Trigger.POINTS_EARNED, Trigger.TIER_CHANGED, Trigger.REWARD_REDEEMED)
)


def fields_of(handle: str) -> frozenset[str]:
    """What the trigger's payload has, by its own file."""
    file = tomllib.loads((EXTENSIONS / handle / "shopify.extension.toml").read_text("utf-8"))
    return frozenset(
        one.get("key", one["type"].replace("reference", "id")) for one in file["settings"]["fields"]
    )


@pytest.fixture
def stand(rt: Runtime, clock: Clock) -> Stand:
    """A shop whose messages reach the whole application, as they would over the network."""
    return open_stand(rt, clock)


def open_stand(rt: Runtime, clock: Clock, **changes: Any) -> Stand:
    document = {**default_document("Sprig", "USD", "UTC"), **changes}
    stand = shopify_stand(rt, clock, make_program(rt, document=document))
    clock.forward(hours=1)
    stand.store.deliveries.client = httpx.Client(transport=httpx.WSGITransport(create_app(stand.rt)))
    stand.store.flow_triggers = {handle: fields_of(handle) for handle in HANDLES.values()}
    return stand


def use(stand: Stand, *handles: str, enabled: bool = True) -> None:
    stand.store.clock.forward(seconds=1)
    for handle in handles:
        stand.store.use_flow(handle, enabled=enabled)
    stand.store.deliveries.run()


def in_use(stand: Stand) -> set[str]:
    with stand.rt.db.begin(stand.program_id) as session:
        return {
            HANDLES[one.trigger]
            for one in happenings.find_triggers(session, stand.shop.shop_id)
            if one.in_use
        }


def counts(stand: Stand, trigger: Trigger = Trigger.POINTS_EARNED) -> tuple[int, int]:
    """(told, lost)"""
    with stand.rt.db.begin(stand.program_id) as session:
        (row,) = [
            one for one in happenings.find_triggers(session, stand.shop.shop_id) if one.trigger is trigger
        ]
    return row.told, row.lost


def waiting(stand: Stand) -> int:
    return int(stand.sql("SELECT count(*) FROM happenings WHERE {fence}")[0][0])


def order(stand: Stand, price: int = 40, email: str = "ann@example.test", **more: Any) -> Any:
    store = stand.store
    customer = next((one for one in store.customers.values() if one.email == email), None)
    made = store.create_order(
        [(store.product(f"Mug {price}", price), 1)], customer=customer or store.create_customer(email), **more
    )
    store.pay(made)
    stand.deliver_all()
    return made


def settle(stand: Stand, clock: Clock) -> None:
    """A minute passes, and every job that is due is done."""
    clock.forward(seconds=61)
    run_jobs(stand.rt, stand.program_id)


def runs(stand: Stand, handle: str) -> list[Mapping[str, Any]]:
    return [payload for name, payload in stand.store.flow_runs if name == handle]


def member_of(stand: Stand, customer: Customer) -> int:
    with stand.rt.db.begin(stand.program_id) as session:
        key = (stand.shop.shop_id, str(customer.id))
        found = members.find_identities(session, [key])[key].member_id
    assert found is not None
    return found


def buy_reward(stand: Stand, customer: Customer, key: str = "r1") -> int:
    row = redeem(
        stand.rt,
        RedeemRequest(
            program_id=stand.program_id,
            member_id=member_of(stand, customer),
            shop_id=stand.shop.shop_id,
            reward_key="amount-5",
            request_key=key,
            actor="t",
        ),
    )
    return row.redemption_id


# --- Once, where it is wanted ------------------------------------------------------------------------------


def test_what_an_order_earned_begins_a_workflow_once(stand: Stand, clock: Clock) -> None:
    use(stand, EARNED)
    assert in_use(stand) == {EARNED}
    ann = order(stand, 40).customer
    settle(stand, clock)
    told = {"customer_id": ann.id, "points": 40, "available": 40, "pending": 0, "tier": "member"}
    assert runs(stand, EARNED) == [told]
    for _ in range(3):
        settle(stand, clock)
    stand.deliver_all()
    assert runs(stand, EARNED) == [told]
    assert waiting(stand) == 0
    assert counts(stand) == (1, 0)
    assert audit(stand.rt, stand.program_id).problems == []


def test_where_no_workflow_begins_with_it_nothing_is_noted_and_nothing_called(
    stand: Stand, clock: Clock
) -> None:
    use(stand, MOVED)
    order(stand, 40)
    assert waiting(stand) == 0
    assert stand.jobs("tell_happenings") == []
    use(stand, EARNED)
    use(stand, EARNED, enabled=False)
    assert in_use(stand) == {MOVED}
    stand.store.flow_enabled.add(EARNED)  # would show whatever is told
    order(stand, 30)
    settle(stand, clock)
    assert (waiting(stand), stand.store.flow_runs) == (0, [])


def test_what_waits_when_the_last_workflow_is_switched_off_is_told_to_nobody(
    stand: Stand, clock: Clock
) -> None:
    use(stand, EARNED)
    order(stand, 40)
    use(stand, EARNED, enabled=False)
    use(stand, EARNED)
    settle(stand, clock)
    assert runs(stand, EARNED) == []


def test_what_comes_within_a_minute_is_one_start(stand: Stand, clock: Clock) -> None:
    use(stand, EARNED)
    for price in (10, 20, 30):
        order(stand, price)
        clock.forward(seconds=10)
    order(stand, 7, "bob@example.test")
    settle(stand, clock)
    assert [one["points"] for one in runs(stand, EARNED)] == [60, 7]


def test_what_is_taken_back_within_the_minute_was_not_earned(stand: Stand, clock: Clock) -> None:
    use(stand, EARNED)
    order(stand, 10)
    gone = order(stand, 30)
    stand.store.cancel(gone)
    stand.deliver_all()
    settle(stand, clock)
    assert [one["points"] for one in runs(stand, EARNED)] == [10]
    stand.store.cancel(order(stand, 5))
    stand.deliver_all()
    settle(stand, clock)
    assert len(runs(stand, EARNED)) == 1


def test_what_staff_and_automations_give_begins_nothing(stand: Stand, clock: Clock) -> None:
    """Or a workflow that gives points for points would never end."""
    ann = order(stand, 40).customer
    use(stand, EARNED)
    adjust(stand.rt, stand.program_id, member_of(stand, ann), 500, reason="x", actor="t", request_key="k")
    settle(stand, clock)
    assert runs(stand, EARNED) == []


def test_orders_of_long_ago_that_are_counted_today_begin_nothing(stand: Stand, clock: Clock) -> None:
    use(stand, EARNED)
    store = stand.store
    made = store.create_order(
        [(store.product("Sofa", 600), 1)], customer=store.create_customer("old@example.test")
    )
    store.pay(made)
    stand.lose_all()
    clock.forward(seconds=int(FRESH.total_seconds()) + 60)
    store.touch(made)
    stand.deliver_all()
    assert stand.points(str(made.id)) == 600
    settle(stand, clock)
    assert stand.store.flow_runs == []


def test_a_level_that_is_reached_is_told_with_the_one_before(stand: Stand, clock: Clock) -> None:
    use(stand, MOVED)
    ann = order(stand, 600).customer
    order(stand, 1500)
    settle(stand, clock)
    told = {"customer_id": ann.id, "tier": "gold", "name": "Gold", "before": "member", "direction": "up"}
    assert runs(stand, MOVED) == [told]  # two steps in one minute are one


def test_a_level_there_and_back_in_a_minute_is_no_change(stand: Stand, clock: Clock) -> None:
    use(stand, MOVED)
    ann = order(stand, 600).customer
    with stand.rt.db.begin(stand.program_id) as session:
        back = (stand.program_id, member_of(stand, ann), "silver", "member")
        happenings.note_tiers(session, [back], now=stand.rt.now())
    settle(stand, clock)
    assert (runs(stand, MOVED), waiting(stand)) == ([], 0)


def test_a_reward_is_told_once_its_code_is_there(stand: Stand, clock: Clock) -> None:
    use(stand, BOUGHT)
    ann = order(stand, 250).customer
    buy_reward(stand, ann)
    assert runs(stand, BOUGHT) == []
    run_jobs(stand.rt, stand.program_id)  # at once: somebody waits for it
    (told,) = runs(stand, BOUGHT)
    (code,) = [one.code for one in stand.store.discounts.values()]
    assert told == {
        "customer_id": ann.id,
        "reward": "amount-5",
        "name": told["name"],
        "cost": 100,
        "code": code,
    }
    assert told["name"]
    buy_reward(stand, ann, "r2")
    settle(stand, clock)
    assert len(runs(stand, BOUGHT)) == 2


def test_a_reward_that_the_shop_refused_is_told_to_nobody(stand: Stand, clock: Clock) -> None:
    use(stand, BOUGHT)
    ann = order(stand, 250).customer
    stand.store.faults.add("issue_code", FaultKind.REJECTED)
    buy_reward(stand, ann)
    settle(stand, clock)
    assert (runs(stand, BOUGHT), waiting(stand)) == ([], 0)


def test_a_reward_that_is_cancelled_before_it_was_told_is_told_to_nobody(stand: Stand, clock: Clock) -> None:
    use(stand, BOUGHT)
    ann = order(stand, 250).customer
    redemption_id = buy_reward(stand, ann)
    issue_code(stand.rt, stand.program_id, stand.shop.shop_id, redemption_id)
    assert waiting(stand) == 1
    cancel_redemption(stand.rt, stand.program_id, redemption_id, account_id=member_of(stand, ann))
    settle(stand, clock)
    assert (runs(stand, BOUGHT), waiting(stand)) == ([], 0)


def test_only_the_shop_that_listens_is_noted(stand: Stand, rt: Runtime, clock: Clock) -> None:
    deaf = shopify_stand(rt, clock, stand.program_id)
    with rt.db.begin(stand.program_id) as session:
        happenings.set_in_use(
            session, deaf.shop.shop_id, Trigger.POINTS_EARNED, in_use=False, said_at=rt.now()
        )
    use(stand, EARNED)
    ann = order(stand, 40).customer
    theirs = deaf.store.create_customer("ann@example.test")
    deaf.store.pay(deaf.store.create_order([(deaf.store.product("Mug", 5), 1)], customer=theirs))
    deaf.deliver_all()
    join_members(rt, stand.program_id, member_of(stand, ann), member_of(deaf, theirs), actor="t")
    order(stand, 2)
    noted = stand.sql("SELECT DISTINCT shop_id FROM happenings WHERE {fence}")
    assert [one.shop_id for one in noted] == [stand.shop.shop_id]


def test_what_waits_of_a_member_who_was_merged_is_told_of_whom_they_are_now(
    stand: Stand, clock: Clock
) -> None:
    use(stand, EARNED)
    ann = order(stand, 40).customer
    clock.forward(seconds=5)
    bob = order(stand, 30, "bob@example.test").customer
    merged = join_members(stand.rt, stand.program_id, member_of(stand, ann), member_of(stand, bob), actor="t")
    assert waiting(stand) == 2
    settle(stand, clock)
    told = runs(stand, EARNED)
    assert sorted(one["points"] for one in told) == [30, 40]
    assert {one["available"] for one in told} == {70}
    assert len({one["customer_id"] for one in told}) == 1  # of two customers, the one that was seen last
    assert merged is not None


def test_points_earned_at_another_shop_are_told_where_the_member_is_a_customer(
    stand: Stand, rt: Runtime, clock: Clock
) -> None:
    use(stand, EARNED)
    ann = order(stand, 40).customer
    settle(stand, clock)
    other = woo_stand(rt, clock, stand.program_id)
    shopper = other.store.create_customer("ann@shop.test")
    other.store.pay(other.store.create_order([(other.store.product("Mug", 20), 1)], customer=shopper))
    other.deliver_all()
    settle(stand, clock)
    assert len(runs(stand, EARNED)) == 1  # not known to be Ann
    with rt.db.begin(stand.program_id) as session:
        key = (other.shop.shop_id, str(shopper.id))
        theirs = members.find_identities(session, [key])[key].member_id
    assert theirs is not None
    join_members(rt, stand.program_id, member_of(stand, ann), theirs, actor="t")
    other.store.pay(other.store.create_order([(other.store.product("Mug", 5), 1)], customer=shopper))
    other.deliver_all()
    settle(stand, clock)
    assert [(one["customer_id"], one["points"]) for one in runs(stand, EARNED)][1:] == [(ann.id, 5)]


# --- What the shop says last -------------------------------------------------------------------------------


def test_an_older_word_never_overrides_a_newer_one(stand: Stand, clock: Clock) -> None:
    store = stand.store
    older = store.flow_word(EARNED, enabled=True)
    clock.forward(seconds=1)
    store.deliveries.queue(store.flow_word(EARNED, enabled=False))
    store.deliveries.run()
    store.deliveries.queue(older)
    store.deliveries.run()
    assert in_use(stand) == set()
    clock.forward(seconds=1)
    use(stand, EARNED)
    assert in_use(stand) == {EARNED}
    store.deliveries.queue(older)
    store.deliveries.run()
    assert in_use(stand) == {EARNED}


def test_a_shop_that_left_uses_nothing_whatever_comes_late_and_can_come_back(
    stand: Stand, clock: Clock
) -> None:
    late = stand.store.flow_word(EARNED, enabled=True)
    clock.forward(seconds=1)
    use(stand, EARNED)
    order(stand, 40)
    clock.forward(seconds=1)
    with stand.rt.db.begin(stand.program_id) as session:
        session.run(
            "UPDATE shops SET access_problem = 'gone' WHERE {fence} AND id = :id", id=stand.shop.shop_id
        )
        assert disconnect(session, stand.shop.shop_id, now=stand.rt.now())
    assert (in_use(stand), waiting(stand)) == (set(), 0)
    stand.sql(
        "UPDATE shops SET state = 'connected', access_problem = NULL WHERE {fence} AND id = :id",
        id=stand.shop.shop_id,
    )
    stand.rt.shop_memory.forget()
    stand.store.deliveries.queue(late)
    stand.store.deliveries.run()
    assert in_use(stand) == set()
    clock.forward(seconds=1)
    use(stand, EARNED)
    assert in_use(stand) == {EARNED}


def test_a_clock_ahead_does_not_shut_out_what_is_said_next(stand: Stand, clock: Clock) -> None:
    clock.forward(days=1)
    ahead = stand.store.flow_word(EARNED, enabled=True)
    clock.forward(days=-1)
    stand.store.deliveries.queue(ahead)
    stand.store.deliveries.run()
    assert in_use(stand) == {EARNED}
    clock.forward(seconds=1)
    use(stand, EARNED, enabled=False)
    assert in_use(stand) == set()


def test_who_is_erased_is_told_of_no_more(stand: Stand, clock: Clock) -> None:
    use(stand, EARNED)
    ann = order(stand, 40).customer
    erase_member(stand.rt, stand.program_id, member_of(stand, ann))
    assert waiting(stand) == 0
    order(stand, 30, "bob@example.test")
    stand.sql(
        "UPDATE identities SET customer_ref = 'erased:' || id WHERE {fence} AND shop_id = :id",
        id=stand.shop.shop_id,
    )
    settle(stand, clock)
    assert (runs(stand, EARNED), waiting(stand)) == ([], 0)


def test_a_shop_that_is_erased_leaves_nothing(stand: Stand) -> None:
    use(stand, EARNED, MOVED)
    order(stand, 40)
    stand.sql("UPDATE shops SET state = 'uninstalled' WHERE {fence} AND id = :id", id=stand.shop.shop_id)
    erase_shop(stand.rt, stand.program_id, stand.shop.shop_id)
    assert waiting(stand) == 0
    assert stand.sql("SELECT count(*) FROM triggers WHERE {fence}")[0][0] == 0


# --- The shop does not answer ------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [FaultKind.TOO_MANY_REQUESTS, FaultKind.THROTTLED])
def test_what_surely_did_not_arrive_waits_together_with_what_comes_since(
    stand: Stand, clock: Clock, fault: FaultKind
) -> None:
    use(stand, EARNED)
    order(stand, 40)
    clock.forward(seconds=61)
    take_due(stand.rt, stand.program_id)
    stand.store.faults.add("tell", fault)
    with pytest.raises(Retryable):
        tell_happenings(stand.rt, stand.program_id, stand.shop.shop_id)
    order(stand, 2)
    settle(stand, clock)
    assert [one["points"] for one in runs(stand, EARNED)] == [42]
    assert counts(stand) == (1, 0)


@pytest.mark.parametrize(
    ("fault", "arrived"),
    [(FaultKind.TIMEOUT_BEFORE, 0), (FaultKind.TIMEOUT_AFTER, 1), (FaultKind.SERVER_ERROR_AFTER, 1)],
)
def test_what_may_have_arrived_is_never_told_again(
    stand: Stand, clock: Clock, fault: FaultKind, arrived: int
) -> None:
    use(stand, EARNED)
    order(stand, 40)
    clock.forward(seconds=61)
    take_due(stand.rt, stand.program_id)
    stand.store.faults.add("tell", fault)
    with pytest.raises(Retryable):
        tell_happenings(stand.rt, stand.program_id, stand.shop.shop_id)
    clock.forward(hours=1)
    due_happenings(stand.rt)
    settle(stand, clock)
    assert len(runs(stand, EARNED)) == arrived
    assert counts(stand) == (0, 1)
    order(stand, 2)
    settle(stand, clock)
    assert runs(stand, EARNED)[-1]["points"] == 2


def test_an_outage_costs_one_and_not_all(stand: Stand, clock: Clock) -> None:
    use(stand, EARNED)
    for n in range(15):
        order(stand, 10 + n, f"p{n}@example.test")
    clock.forward(seconds=61)
    take_due(stand.rt, stand.program_id)
    stand.store.faults.add("tell", FaultKind.TIMEOUT_BEFORE)
    with pytest.raises(Retryable):
        tell_happenings(stand.rt, stand.program_id, stand.shop.shop_id)
    calls = len(stand.hosts.calls)
    assert tell_happenings(stand.rt, stand.program_id, stand.shop.shop_id) == 14
    assert len(stand.hosts.calls) - calls == 3  # one, ten, three
    assert counts(stand) == (14, 1)


def test_what_a_killed_process_had_taken_counts_as_lost(stand: Stand, clock: Clock) -> None:
    use(stand, EARNED)
    order(stand, 40)
    clock.forward(seconds=61)
    with stand.rt.db.begin(stand.program_id) as session:
        assert len(happenings.take(session, stand.shop.shop_id, now=stand.rt.now(), limit=9)) == 1
    due_happenings(stand.rt)
    assert waiting(stand) == 1  # somebody may be at it
    clock.forward(seconds=int(FORGOTTEN_AFTER.total_seconds()) + 1)
    due_happenings(stand.rt)
    settle(stand, clock)
    assert (runs(stand, EARNED), waiting(stand), counts(stand)) == ([], 0, (0, 1))


def test_a_lost_job_costs_a_minute(stand: Stand, clock: Clock) -> None:
    use(stand, EARNED)
    order(stand, 40)
    clock.forward(seconds=61)
    take_due(stand.rt, stand.program_id)
    due_happenings(stand.rt)
    run_jobs(stand.rt, stand.program_id)
    assert len(runs(stand, EARNED)) == 1


def test_after_a_long_outage_old_news_is_told_to_nobody(stand: Stand, clock: Clock) -> None:
    use(stand, EARNED)
    order(stand, 40)
    clock.forward(seconds=int(FRESH.total_seconds()) + 120)
    settle(stand, clock)
    assert (runs(stand, EARNED), waiting(stand), counts(stand)) == ([], 0, (0, 0))


def test_a_shop_that_lets_us_in_no_more_is_told_once_it_does_again(stand: Stand, clock: Clock) -> None:
    use(stand, EARNED)
    order(stand, 40)
    stand.sql("UPDATE shops SET access_problem = 'no' WHERE {fence} AND id = :id", id=stand.shop.shop_id)
    clock.forward(seconds=61)
    take_due(stand.rt, stand.program_id)
    with pytest.raises(Refused, match="not_callable"):
        tell_happenings(stand.rt, stand.program_id, stand.shop.shop_id)
    due_happenings(stand.rt)
    assert stand.jobs("tell_happenings") == []
    stand.sql("UPDATE shops SET access_problem = NULL WHERE {fence} AND id = :id", id=stand.shop.shop_id)
    due_happenings(stand.rt)
    assert len(stand.jobs("tell_happenings")) == 1
    run_jobs(stand.rt, stand.program_id)
    assert len(runs(stand, EARNED)) == 1


def test_one_that_the_shop_refuses_does_not_hold_up_the_others(stand: Stand, clock: Clock) -> None:
    use(stand, EARNED)
    people = [order(stand, 10 + n, f"p{n}@example.test").customer for n in range(4)]
    del stand.store.customers[people[2].id]
    settle(stand, clock)
    assert [one["points"] for one in runs(stand, EARNED)] == [10, 11, 13]
    assert (counts(stand), waiting(stand)) == ((3, 0), 0)
    with stand.rt.db.begin(stand.program_id) as session:
        (row,) = happenings.find_triggers(session, stand.shop.shop_id)
    assert row.problem == "Customer does not exist."


def test_a_trigger_that_was_never_deployed_is_a_problem_and_no_queue(stand: Stand, clock: Clock) -> None:
    use(stand, EARNED)
    stand.store.flow_triggers = {}
    order(stand, 40)
    settle(stand, clock)
    assert waiting(stand) == 0
    assert stand.shop_row().access_problem is None


# --- What it costs -----------------------------------------------------------------------------------------


def test_settling_asks_one_question_where_nobody_listens(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    run = Session.run

    def asking(session: Session, sql: str, /, *args: Any, **named: Any) -> Any:
        asked.append(sql)
        return run(session, sql, *args, **named)

    monkeypatch.setattr(Session, "run", asking)
    order(stand, 40)
    about = [sql for sql in asked if "triggers" in sql or "happenings" in sql]
    assert len(about) == 1
    assert about[0].startswith("SELECT 1 FROM triggers")
