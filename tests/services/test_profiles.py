"""Members' points and level at a shop's own customers: in step with the ledger, whatever is lost, and gone when told."""

from collections.abc import Mapping
from typing import Any

import pytest

from app.db import members
from app.domain.errors import Refused, Retryable
from app.domain.profiles import ProfilePart
from app.domain.program import default_document
from app.services.adjust import adjust
from app.services.due_profiles import due_profiles
from app.services.erase_member import erase_member
from app.services.erase_shop import erase_shop
from app.services.find_merges import join_members, part_members
from app.services.forget_profiles import forget_profiles
from app.services.publish_program import live_program, publish_program
from app.services.reconcile_shop import Reconciled, reconcile_shop
from app.services.record_shop import NewShop, record_shop
from app.services.runtime import Runtime
from app.services.show_profiles import show_profiles
from app.services.sweep_profiles import sweep_profiles
from app.services.write_profiles import write_profiles
from connectors.base import ShopFacts
from connectors.shopify.client import ShopifyShop
from sandbox.faults import FaultKind
from sandbox.shopify.state import Customer
from tests.conftest import Clock, make_program
from tests.services.jobs import run_jobs, take_due
from tests.services.stands import SHOPIFY_SCOPES, Stand, shopify_stand, woo_stand

BOTH = frozenset(ProfilePart)


def open_stand(rt: Runtime, clock: Clock, *, scopes: Any = SHOPIFY_SCOPES, **changes: Any) -> Stand:
    document = {**default_document("Sprig", "USD", "UTC"), **changes}
    stand = shopify_stand(rt, clock, make_program(rt, document=document), scopes=scopes)
    clock.forward(hours=1)
    return stand


@pytest.fixture
def stand(rt: Runtime, clock: Clock) -> Stand:
    return open_stand(rt, clock)


def buy(stand: Stand, price: int = 40, email: str = "ann@example.test") -> Customer:
    store = stand.store
    found = next((one for one in store.customers.values() if one.email == email), None)
    customer: Customer = found or store.create_customer(email)
    store.pay(store.create_order([(store.product(f"Mug {price}", price), 1)], customer=customer))
    stand.deliver_all()
    return customer


def settle(stand: Stand, clock: Clock) -> None:
    """A minute passes, and every job that is due is done."""
    clock.forward(seconds=61)
    run_jobs(stand.rt, stand.program_id)


def fields(customer: Customer) -> Mapping[str, str]:
    return {key: value for (_, key), value in customer.metafields.items()}


def member_of(stand: Stand, customer: Customer) -> int:
    with stand.rt.db.begin(stand.program_id) as session:
        key = (stand.shop.shop_id, str(customer.id))
        found = members.find_identities(session, [key])[key].member_id
    assert found is not None
    return found


def give(stand: Stand, customer: Customer, points: int, key: str) -> None:
    adjust(
        stand.rt,
        stand.program_id,
        member_of(stand, customer),
        points,
        reason="for a test",
        actor="t",
        request_key=key,
    )


def write(stand: Stand) -> int:
    return write_profiles(stand.rt, stand.program_id, stand.shop.shop_id)


def reconcile(stand: Stand, **more: Any) -> Reconciled:
    return reconcile_shop(stand.rt, stand.program_id, stand.shop.shop_id, "profiles", **more)


def show(stand: Stand, *parts: ProfilePart) -> None:
    show_profiles(stand.rt, stand.program_id, stand.shop.shop_id, frozenset(parts))


def rows(stand: Stand) -> int:
    return int(stand.sql("SELECT count(*) FROM shop_profiles WHERE {fence}")[0][0])


# --- In step with the ledger -------------------------------------------------------------------------------


def test_points_and_level_stand_at_the_customer_a_minute_after_the_order(stand: Stand, clock: Clock) -> None:
    ann = buy(stand, 600)
    settle(stand, clock)
    assert fields(ann) == {
        "points": "600",
        "pending": "0",
        "tier": "silver",
        "tier_name": "Silver",
        "unit": "points",
    }
    assert ann.tags == ["laurel-tier-silver"]
    assert all(one.storefront and one.filterable for one in stand.store.definitions.values())
    assert {key for _, key in stand.store.definitions} == {"points", "pending", "tier", "tier_name", "unit"}


def test_ten_changes_in_a_minute_are_one_write(stand: Stand, clock: Clock) -> None:
    ann = buy(stand)
    settle(stand, clock)
    before = len(stand.store.metafields_written)
    for number in range(10):
        give(stand, ann, 5, f"k{number}")
        clock.forward(seconds=5)
        run_jobs(stand.rt, stand.program_id)
    settle(stand, clock)
    assert fields(ann)["points"] == "90"
    assert stand.store.metafields_written[before:] == [1]  # one call, the one field that differs


def test_many_members_are_written_25_fields_at_a_time(stand: Stand, clock: Clock) -> None:
    people = [buy(stand, 10 + n, f"p{n}@example.test") for n in range(30)]
    settle(stand, clock)
    assert [fields(one)["points"] for one in people] == [str(10 + n) for n in range(30)]
    assert stand.store.metafields_written == [25] * 6
    give(stand, people[7], 1, "one")
    settle(stand, clock)
    assert stand.store.metafields_written[6:] == [1]


def test_nothing_is_called_where_nothing_differs(stand: Stand, clock: Clock) -> None:
    ann = buy(stand)
    settle(stand, clock)
    give(stand, ann, 5, "up")
    give(stand, ann, -5, "down")
    called = len(stand.store.metafields_written)
    settle(stand, clock)
    assert len(stand.store.metafields_written) == called
    assert write(stand) == 0


def test_the_job_waits_in_the_commit_that_changed_the_account(stand: Stand, clock: Clock) -> None:
    ann = buy(stand)
    settle(stand, clock)
    assert stand.jobs("write_profiles") == []
    give(stand, ann, 5, "up")
    assert stand.jobs("write_profiles") == [{"program_id": stand.program_id, "shop_id": stand.shop.shop_id}]


def test_a_job_that_was_lost_is_put_in_again_within_a_minute(stand: Stand, clock: Clock) -> None:
    ann = buy(stand)
    clock.forward(seconds=61)
    assert ("write_profiles", stand.program_id) in [
        (n, a["program_id"]) for n, a in take_due(stand.rt, stand.program_id)
    ]
    assert due_profiles(stand.rt) >= 1
    run_jobs(stand.rt, stand.program_id)
    assert fields(ann)["points"] == "40"


def test_pending_points_become_available_by_themselves(rt: Runtime, clock: Clock) -> None:
    document = default_document("Sprig", "USD", "UTC")
    stand = open_stand(rt, clock, earn={**document["earn"], "hold_days": 14})
    ann = buy(stand)
    settle(stand, clock)
    assert (fields(ann)["points"], fields(ann)["pending"]) == ("0", "40")
    clock.forward(days=14)
    due_profiles(stand.rt)
    run_jobs(stand.rt, stand.program_id)
    assert (fields(ann)["points"], fields(ann)["pending"]) == ("40", "0")


def test_a_debt_shows_as_nothing(stand: Stand, clock: Clock) -> None:
    ann = buy(stand, 40)
    give(stand, ann, -30, "spent")
    stand.store.refund_all(next(iter(stand.store.orders.values())))
    stand.deliver_all()
    settle(stand, clock)
    assert fields(ann)["points"] == "0"


def test_a_level_that_is_renamed_is_renamed_there(stand: Stand, clock: Clock) -> None:
    ann = buy(stand)
    settle(stand, clock)
    document = default_document("Sprig", "USD", "UTC")
    document["tiers"]["levels"][0]["name"] = "Friend"
    publish_program(stand.rt, stand.program_id, document, by="t")
    settle(stand, clock)
    assert live_program(stand.rt, stand.program_id).tiers[0].name == fields(ann)["tier_name"] == "Friend"


def test_another_level_is_another_tag_and_tags_of_others_stay(stand: Stand, clock: Clock) -> None:
    ann = buy(stand)
    stand.store.tag_customer(ann, "vip", "laurel-tier-of-honour")  # staff's own, prefix or not
    settle(stand, clock)
    buy(stand, 600)
    settle(stand, clock)
    assert sorted(ann.tags) == ["laurel-tier-of-honour", "laurel-tier-silver", "vip"]


def test_tags_of_our_own_are_no_news_to_rules(stand: Stand, clock: Clock) -> None:
    buy(stand)
    settle(stand, clock)
    stand.deliver_all()
    states = stand.sql("SELECT state, reason FROM inbox WHERE {fence} AND topic = 'customer.tags_added'")
    assert [(row.state, row.reason) for row in states] == [
        ("ignored", "tags that Laurel set or took away itself")
    ]


# --- Whatever goes wrong -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [FaultKind.TIMEOUT_AFTER, FaultKind.SERVER_ERROR_AFTER, FaultKind.MALFORMED])
def test_after_an_unknown_outcome_all_is_written_again(stand: Stand, clock: Clock, kind: FaultKind) -> None:
    """What was written may stand there, so that being back at what we remember is not enough."""
    ann = buy(stand)
    settle(stand, clock)
    give(stand, ann, 100, "up")
    clock.forward(seconds=61)
    stand.store.faults.add("write_profiles", kind)
    with pytest.raises(Retryable):
        write(stand)
    give(stand, ann, -100, "down")
    settle(stand, clock)
    assert fields(ann)["points"] == "40"
    assert ann.tags == ["laurel-tier-member"]


def test_a_change_during_the_call_is_written_afterwards(
    stand: Stand, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = buy(stand)
    real = ShopifyShop.write_profiles

    def meanwhile(self: ShopifyShop, changes: Any) -> Any:
        monkeypatch.setattr(ShopifyShop, "write_profiles", real)
        give(stand, ann, 7, "meanwhile")
        return real(self, changes)

    monkeypatch.setattr(ShopifyShop, "write_profiles", meanwhile)
    clock.forward(seconds=61)
    write(stand)
    assert fields(ann)["points"] == "47"
    assert stand.store.metafields_written == [5, 1]


def test_one_customer_who_is_gone_stops_nobody_else(stand: Stand, clock: Clock) -> None:
    people = [buy(stand, 10 + n, f"p{n}@example.test") for n in range(9)]
    stand.store.orders.clear()
    stand.store.customers.pop(people[4].id)
    settle(stand, clock)
    assert [fields(one).get("points") for one in people] == [
        "10",
        "11",
        "12",
        "13",
        None,
        "15",
        "16",
        "17",
        "18",
    ]
    assert rows(stand) == 8


def test_without_the_scope_it_is_said_and_nothing_else_is_lost(rt: Runtime, clock: Clock) -> None:
    stand = open_stand(rt, clock, scopes=[one for one in SHOPIFY_SCOPES if one != "write_customers"])
    ann = buy(stand)
    settle(stand, clock)
    shop = stand.shop_row()
    assert "write_customers" in (shop.profile_problem or "")
    assert shop.access_problem is None
    give(stand, ann, 5, "up")
    assert stand.jobs("write_profiles") == []  # nobody asks again and again
    due_profiles(stand.rt)
    assert stand.jobs("write_profiles") == []
    assert stand.sql("SELECT count(*) FROM failed_jobs WHERE {fence}")[0][0] == 0
    for token in stand.store.tokens.values():
        token.scopes.append("write_customers")
    assert reconcile(stand).repairs == ()
    assert fields(ann)["points"] == "45"
    assert stand.shop_row().profile_problem is None


def test_a_shop_that_lets_us_in_no_more_keeps_what_waits(stand: Stand, clock: Clock) -> None:
    buy(stand)
    stand.store.revoke_tokens()
    clock.forward(seconds=61)
    with pytest.raises(Refused):
        write(stand)
    assert stand.shop_row().access_problem is not None
    assert rows(stand) == 1
    take_due(stand.rt, stand.program_id)
    due_profiles(stand.rt)
    assert stand.jobs("write_profiles") == []  # nobody knocks again until the shop is connected


def test_a_shop_with_no_filters_left_shows_fields_all_the_same(stand: Stand, clock: Clock) -> None:
    stand.store.filters_left = False
    ann = buy(stand)
    settle(stand, clock)
    assert fields(ann)["points"] == "40"
    assert not any(one.filterable for one in stand.store.definitions.values())


# --- Comparing ---------------------------------------------------------------------------------------------


def test_what_staff_changed_there_is_found_told_and_put_right(stand: Stand, clock: Clock) -> None:
    ann, bob = buy(stand), buy(stand, 50, "bob@example.test")
    settle(stand, clock)
    stand.store.untag_customer(ann, "laurel-tier-member")
    stand.store.tag_customer(bob, "laurel-tier-of-honour")  # staff's own: no difference
    clock.forward(days=1)
    (repair,) = reconcile(stand).repairs
    assert (repair.cause, repair.subject.partition(":")[0]) == ("profile_adrift", "customer")
    assert str(ann.id) not in f"{repair.subject} {repair.detail}"
    assert (ann.tags, bob.tags) == (["laurel-tier-member"], ["laurel-tier-member", "laurel-tier-of-honour"])
    assert reconcile(stand).repairs == ()


def test_a_mark_that_was_lost_is_found_at_night(stand: Stand, clock: Clock) -> None:
    ann = buy(stand)
    settle(stand, clock)
    give(stand, ann, 60, "up")
    stand.sql("UPDATE shop_profiles SET due_at = NULL WHERE {fence}")
    take_due(stand.rt, stand.program_id)
    assert sweep_profiles(stand.rt, stand.program_id, stand.shop.shop_id) == 1
    assert sweep_profiles(stand.rt, stand.program_id, stand.shop.shop_id) == 0
    settle(stand, clock)
    assert fields(ann)["points"] == "100"


def test_those_looked_at_longest_ago_come_first(
    stand: Stand, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [buy(stand, 10 + n, f"p{n}@example.test") for n in range(4)]
    settle(stand, clock)
    monkeypatch.setattr("app.services.reconcile_profiles.A_NIGHT", 2)
    monkeypatch.setattr("app.services.reconcile_profiles._AT_ONCE", 2)
    for one in people:
        stand.store.untag_customer(one, "laurel-tier-member")
    found = []
    for _ in range(3):
        clock.forward(days=1)
        found.append(len(reconcile(stand).repairs))
    assert found == [2, 2, 0]


def test_woocommerce_is_never_asked(rt: Runtime, clock: Clock) -> None:
    stand = woo_stand(rt, clock, make_program(rt, currency="USD"))
    clock.forward(hours=1)
    order = stand.store.create_order(
        [(stand.store.product("Mug", 40), 1)], customer=stand.store.create_customer("a@b.test")
    )
    stand.store.pay(order)
    stand.deliver_all()
    assert stand.worth(order.id) == [40]
    assert rows(stand) == 0
    assert reconcile(stand).looked_at == 0
    with pytest.raises(Refused, match="does not offer"):
        show(stand, ProfilePart.TAGS)


# --- Off, gone, one ----------------------------------------------------------------------------------------


def test_switched_off_what_we_wrote_is_taken_away(stand: Stand, clock: Clock) -> None:
    ann = buy(stand)
    stand.store.tag_customer(ann, "vip")
    settle(stand, clock)
    show(stand, ProfilePart.FIELDS)
    settle(stand, clock)
    assert ann.tags == ["vip"]
    assert fields(ann)["points"] == "40"
    show(stand, ProfilePart.TAGS)
    settle(stand, clock)
    assert sorted(ann.tags) == ["laurel-tier-member", "vip"]
    assert fields(ann) == {} == stand.store.definitions
    show(stand)
    settle(stand, clock)
    assert (ann.tags, rows(stand)) == (["vip"], 0)
    give(stand, ann, 5, "off")
    settle(stand, clock)
    assert (fields(ann), rows(stand)) == ({}, 0)
    show(stand, *BOTH)
    settle(stand, clock)
    assert (fields(ann)["points"], sorted(ann.tags)) == ("45", ["laurel-tier-member", "vip"])


def test_who_is_forgotten_is_forgotten_there_first(stand: Stand, clock: Clock) -> None:
    ann = buy(stand)
    settle(stand, clock)
    erase_member(stand.rt, stand.program_id, member_of(stand, ann))
    assert rows(stand) == 1
    settle(stand, clock)
    assert (fields(ann), ann.tags, rows(stand)) == ({}, [], 0)


def test_who_is_forgotten_before_anything_stood_there_leaves_no_trace(stand: Stand, clock: Clock) -> None:
    ann = buy(stand)
    erase_member(stand.rt, stand.program_id, member_of(stand, ann))
    assert rows(stand) == 0
    settle(stand, clock)
    assert fields(ann) == {}


def test_who_cannot_be_taken_away_there_is_forgotten_here_after_30_days(stand: Stand, clock: Clock) -> None:
    ann, bob = buy(stand), buy(stand, 50, "bob@example.test")
    settle(stand, clock)
    for token in stand.store.tokens.values():
        token.scopes.remove("write_customers")
    erase_member(stand.rt, stand.program_id, member_of(stand, ann))
    give(stand, bob, 5, "up")
    settle(stand, clock)
    clock.forward(days=29)
    assert forget_profiles(stand.rt, stand.program_id) == 0
    clock.forward(days=2)
    assert forget_profiles(stand.rt, stand.program_id) == 1
    assert [
        row.customer_ref for row in stand.sql("SELECT customer_ref FROM shop_profiles WHERE {fence}")
    ] == [str(bob.id)]


def test_a_shop_that_is_forgotten_leaves_no_row(stand: Stand, clock: Clock) -> None:
    buy(stand)
    settle(stand, clock)
    stand.sql("UPDATE shops SET state = 'uninstalled' WHERE {fence}")
    erase_shop(stand.rt, stand.program_id, stand.shop.shop_id)
    assert rows(stand) == 0


def test_two_who_become_one_show_the_same_and_parted_again_their_own(stand: Stand, clock: Clock) -> None:
    ann, bob = buy(stand, 400), buy(stand, 300, "bob@example.test")
    settle(stand, clock)
    merged = join_members(stand.rt, stand.program_id, member_of(stand, ann), member_of(stand, bob), actor="t")
    settle(stand, clock)
    assert [fields(one)["points"] for one in (ann, bob)] == ["700", "700"]
    assert ann.tags == bob.tags == ["laurel-tier-silver"]
    part_members(stand.rt, stand.program_id, merged.merge_id)
    settle(stand, clock)
    assert [fields(one)["points"] for one in (ann, bob)] == ["400", "300"]


def test_customers_merged_at_the_shop_have_one_tag_of_ours(stand: Stand, clock: Clock) -> None:
    """The platform puts both customers' tags together."""
    stand.store.subscribe("customers/merge", stand.store.app.webhook_uri, by_api=False)
    ann, bob = buy(stand, 600), buy(stand, 50, "bob@example.test")
    settle(stand, clock)
    stand.store.merge_customers(bob, ann)
    assert sorted(bob.tags) == ["laurel-tier-member", "laurel-tier-silver"]
    stand.deliver_all()
    run_jobs(stand.rt, stand.program_id)
    settle(stand, clock)
    assert bob.tags == ["laurel-tier-silver"]
    assert fields(bob)["points"] == "650"
    assert rows(stand) == 1


def test_a_shop_that_comes_back_is_written_whole(stand: Stand, clock: Clock) -> None:
    ann = buy(stand)
    settle(stand, clock)
    ann.metafields.clear()
    ann.tags.clear()
    stand.store.definitions.clear()  # the app was uninstalled, and its own went with it
    token = stand.store.issue_token(expiring=False)
    shop = stand.shop_row()
    facts = ShopFacts(
        shop_ref=shop.shop_ref,
        name=shop.name,
        url=shop.url,
        currency="USD",
        timezone="UTC",
        reads_orders_days=None,
    )
    back = NewShop(platform="shopify", facts=facts, credentials={"access_token": token.value}, own_app=False)
    assert record_shop(stand.rt, stand.program_id, back).came_back
    due_profiles(stand.rt)
    settle(stand, clock)
    assert (fields(ann)["points"], ann.tags) == ("40", ["laurel-tier-member"])


def test_a_long_list_is_done_in_parts_that_let_others_in(
    stand: Stand, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [buy(stand, 10 + n, f"p{n}@example.test") for n in range(5)]
    monkeypatch.setattr("app.services.write_profiles.BATCH", 1)
    monkeypatch.setattr("app.services.write_profiles._BATCHES", 2)
    clock.forward(seconds=61)
    assert write(stand) == 2
    assert len(stand.jobs("write_profiles")) == 1
    run_jobs(stand.rt, stand.program_id)
    assert all(fields(one) for one in people)


def test_what_the_shop_does_not_take_waits_for_the_night(stand: Stand, clock: Clock) -> None:
    """The merchant sees why, and points are counted as ever."""
    stand.store.faults.add("prepare_profiles", FaultKind.REJECTED)
    ann = buy(stand)
    settle(stand, clock)
    assert (stand.shop_row().profile_problem, fields(ann)) == (
        "INVALID Something is not as it should be.",
        {},
    )
    assert stand.balance(str(ann.id)) == 40
    reconcile(stand)
    assert (stand.shop_row().profile_problem, fields(ann)["points"]) == (None, "40")
