"""What is peculiar to Shopify's API: 200s that are failures, withheld fields, costs, pages, codes, subscriptions."""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from graphql import (
    NoDeprecatedCustomRule,
    get_named_type,
    is_input_object_type,
    parse,
    specified_rules,
    validate,
)

from app.domain.errors import AccessLost, Refused, Retryable
from app.domain.money import Money
from app.domain.orders import OrderSnapshot
from app.domain.rewards import Gift
from connectors.base import Absent, CodeKind, CodeSpec, ShopAccess
from connectors.shopify import client as client_module
from connectors.shopify import codes, webhooks
from connectors.shopify.client import ShopifyShop
from connectors.shopify.client.gathering import Unusable, orders_in
from tests.connectors.shopify.admin import SHOP, denied, internal, schema, throttled
from tests.connectors.shopify.make_fixtures import order
from tests.connectors.shopify.platform import CUSTOMER, PLATFORM, TOKEN, Shop
from tests.connectors.stories import OUR_CODE, STORIES, plain

ACCESS = PLATFORM.access
SPEC = CodeSpec(
    code=OUR_CODE,
    kind=CodeKind.AMOUNT,
    amount=Money(500, "USD"),
    percent=None,
    minimum_spend=Money(2000, "USD"),
    customer_ref="77",
    starts_at=datetime(2026, 11, 21, 18, 30, 0, 123456, tzinfo=UTC),
    expires_at=datetime(2027, 2, 19, 18, 30, tzinfo=UTC),
    tag="laurel:5f1c",
    title="5.00 off",
)
SINCE = datetime(2026, 11, 21, 18, 0, 0, 900000, tzinfo=UTC)


def body(story: str) -> Any:
    return json.loads(PLATFORM.tell(story)[1])


def client(shop: Shop, access: ShopAccess = ACCESS) -> ShopifyShop:
    return ShopifyShop(access, shop)


def orders_of(read: Mapping[str, OrderSnapshot | Absent]) -> list[OrderSnapshot]:
    return [order for order in read.values() if isinstance(order, OrderSnapshot)]


# --- Operations --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", [*client_module.OPERATIONS, *codes.OPERATIONS])
def test_an_operation_is_valid_and_uses_nothing_deprecated(operation: str) -> None:
    assert validate(schema(), parse(operation), [*specified_rules, NoDeprecatedCustomRule]) == []


@pytest.mark.parametrize("kind", CodeKind)
def test_the_input_of_a_code_uses_nothing_deprecated(kind: CodeKind) -> None:
    spec = replace(SPEC, kind=kind, percent=10 if kind is CodeKind.PERCENT else None)
    gift = Gift(variant_ref="11", collection_ref="5") if kind is CodeKind.PRODUCT else None
    money = replace(spec, minimum_spend=None)
    name, asked = {
        CodeKind.FREE_SHIPPING: ("DiscountCodeFreeShippingInput", spec),
        CodeKind.PRODUCT: ("DiscountCodeBxgyInput", replace(spec, gift=gift)),
        CodeKind.GIFT_CARD: ("GiftCardCreateInput", money),
        CodeKind.STORE_CREDIT: ("StoreCreditAccountCreditInput", money),
    }.get(kind, ("DiscountCodeBasicInput", spec))
    made = {CodeKind.GIFT_CARD: codes.card_body, CodeKind.STORE_CREDIT: codes.credit_body}.get(
        kind, codes.body
    )
    assert list(deprecated(made(asked), schema().type_map[name])) == []


def deprecated(value: Any, kind: Any) -> Iterable[str]:
    named = get_named_type(kind)
    if is_input_object_type(named) and isinstance(value, Mapping):
        for name, part in value.items():
            if named.fields[name].deprecation_reason:
                yield f"{named.name}.{name}"
            yield from deprecated(part, named.fields[name].type)


def test_every_topic_that_we_subscribe_to_exists_in_the_api() -> None:
    topics = schema().type_map["WebhookSubscriptionTopic"].values  # type: ignore[attr-defined]
    assert {topic.upper().replace("/", "_").replace(".", "_") for topic in webhooks.SUBSCRIBED} <= set(topics)


def test_a_call_goes_to_this_shop_with_its_token() -> None:
    shop = Shop()
    client(shop).shop_facts()
    assert shop.urls == [f"https://{SHOP}/admin/api/2026-10/graphql.json"]
    assert shop.tokens == [TOKEN]


@pytest.mark.parametrize(
    "shop_ref", ["evil.example/x?", "acme.myshopify.com.evil.example", "acme", "", f"{SHOP}@evil"]
)
def test_a_token_goes_to_nobody_but_shopify(shop_ref: str) -> None:
    with pytest.raises(Refused, match=r"^address_refused"):
        client(Shop(), replace(ACCESS, shop_ref=shop_ref))


def test_without_a_token_a_person_is_needed() -> None:
    with pytest.raises(AccessLost):
        client(Shop(), replace(ACCESS, credentials={})).shop_facts()


# --- Answers that are none ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requested", "available", "wait"), [(500, 0, 5), (500, 450, 1), (130, 20, 2), (10, 900, 1)]
)
def test_throttled_in_a_200_says_how_long_to_wait(requested: int, available: int, wait: int) -> None:
    shop = Shop()
    shop.answers = [throttled(requested, available)]
    with pytest.raises(Retryable) as caught:
        client(shop).read_orders(["4501"])
    assert (caught.value.retry_after_s, caught.value.maybe_applied) == (wait, False)


@pytest.mark.parametrize(
    "content", [b"<html>Down for maintenance</html>", b"[]", b"", b"null", b'{"data":null}']
)
def test_a_200_that_is_no_answer_is_retryable(content: bytes) -> None:
    shop = Shop()
    shop.answers = [httpx.Response(200, content=content)]
    with pytest.raises(Retryable):
        client(shop).read_orders(["4501"])


@pytest.mark.parametrize("status", [402, 423])
def test_a_frozen_or_locked_shop_may_come_back(status: int) -> None:
    shop = Shop()
    shop.answers = [httpx.Response(status, json={"errors": "Unavailable Shop"})]
    with pytest.raises(Retryable) as caught:
        client(shop).issue_code(SPEC)
    assert not caught.value.maybe_applied


def test_a_shop_that_is_no_more_is_told_apart() -> None:
    shop = Shop()
    shop.answers = [httpx.Response(404, json={"errors": "Not Found"})]
    with pytest.raises(Refused, match=r"^shop_gone"):
        client(shop).read_orders(["4501"])


def test_reading_never_has_an_effect() -> None:
    shop = Shop()
    shop.answers = [httpx.Response(502)]
    with pytest.raises(Retryable) as caught:
        client(shop).read_orders(["4501"])
    assert not caught.value.maybe_applied


def test_a_withheld_address_leaves_the_rest_of_the_order() -> None:
    shop = Shop(body("paid"))
    shop.nodes["gid://shopify/Order/4501"]["email"] = denied(
        "This app is not approved to use the email field."
    )
    (order,) = orders_of(client(shop).read_orders(["4501"]))
    assert plain(order) == replace(STORIES["paid"], email=None)


def test_products_that_may_not_be_read_leave_the_rest_of_the_order() -> None:
    """What Shopify answers to an app without `read_products`: null, and an error for each line."""
    shop = Shop(body("paid"))
    (told,) = orders_of(client(shop).read_orders(["4501"]))
    node = shop.nodes["gid://shopify/Order/4501"]
    lines = node["lineItems"]()["nodes"]
    for line in lines:
        for field in ("product", "variant"):
            line[field] = denied(
                f"Access denied for {field} field. Required access: `read_products` access scope."
            )
    (order,) = orders_of(client(shop).read_orders(["4501"]))
    assert any(line.product_ref for line in told.lines)
    assert order.lines == tuple(replace(line, product_ref=None, variant_ref=None) for line in told.lines)
    assert replace(order, lines=told.lines) == told


def test_a_withheld_customer_does_not_make_a_guest() -> None:
    shop = Shop(body("paid"))
    shop.nodes["gid://shopify/Order/4501"]["customer"] = denied(
        "This app is not approved to access Customer."
    )
    with pytest.raises(AccessLost):
        client(shop).read_orders(["4501"])


def test_a_customer_without_withheld_fields_is_still_known() -> None:
    shop = Shop()
    shop.customer = {**CUSTOMER, "firstName": denied(), "lastName": denied(), "defaultEmailAddress": denied()}
    facts = client(shop).read_customer("77")
    assert facts
    assert (facts.customer_ref, facts.email, facts.email_verified, facts.name) == ("77", None, False, None)


# --- Orders ------------------------------------------------------------------------------------------------


def test_one_order_that_fails_spoils_no_other(caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop(body("paid"), body("guest"), body("yen"))
    shop.nodes["gid://shopify/Order/4507"] = internal()
    shop.nodes["gid://shopify/Order/4511"]["currencyCode"] = "EUR"
    with caplog.at_level(logging.WARNING):
        found = client(shop).read_orders(["4501", "4507", "4511", "4599"])
    (paid,) = orders_of(found)
    assert plain(paid) == STORIES["paid"]
    assert found == {
        "4501": paid,
        "4507": Absent.UNREADABLE,
        "4511": Absent.UNREADABLE,
        "4599": Absent.GONE,
    }
    assert "mixed_currency" in caplog.text


def test_a_failed_customer_does_not_make_a_guest_either() -> None:
    shop = Shop(body("paid"))
    shop.nodes["gid://shopify/Order/4501"]["customer"] = internal()
    assert client(shop).read_orders(["4501"]) == {"4501": Absent.UNREADABLE}


def test_an_order_whose_refund_cannot_be_read_is_unreadable() -> None:
    shop = Shop(body("part_refunded"))
    shop.nodes["gid://shopify/Refund/9025"] = internal()
    assert client(shop).read_orders(["4503"]) == {"4503": Absent.UNREADABLE}


def test_many_orders_are_read_in_few_calls() -> None:
    shop = Shop(*(order(number) for number in range(5000, 5025)))
    found = client(shop).read_orders([str(number) for number in range(5000, 5025)])
    assert set(found) == {str(number) for number in range(5000, 5025)}
    assert shop.names() == ["ReadOrders"] * 3


def test_a_batch_that_costs_too_much_is_halved() -> None:
    shop = Shop(body("paid"), body("guest"), body("yen"))
    too_costly = {"errors": [{"message": "Query cost is 1411", "extensions": {"code": "MAX_COST_EXCEEDED"}}]}
    shop.answers = [httpx.Response(200, json=too_costly)]
    assert len(client(shop).read_orders(["4501", "4507", "4511"])) == 3
    assert [len(variables["ids"]) for _, variables in shop.asked] == [3, 2, 1]
    shop.answers = [httpx.Response(200, json=too_costly)] * 5
    with pytest.raises(Refused, match=r"^too_costly"):
        client(shop).orders_changed(SINCE, SINCE)


def test_changed_orders_come_page_by_page_oldest_change_first() -> None:
    shop = Shop(*(order(number) for number in range(5000, 5045)))
    refs: list[str] = []
    cursor: str | None = None
    while True:
        page = client(shop).orders_changed(SINCE, SINCE + timedelta(hours=2), cursor)
        refs += [each.order_ref for each in page.orders]
        if (cursor := page.cursor) is None:
            break
    assert refs == [str(number) for number in range(5000, 5045)]
    assert len(shop.asked) == 3
    _, variables = shop.asked[0]
    assert (variables["sort"], variables["reverse"]) == ("UPDATED_AT", False)
    # Whole seconds, and never a moment too few.
    assert variables["query"] == "updated_at:>='2026-11-21T18:00:00Z' AND updated_at:<='2026-11-21T20:00:01Z'"


def test_orders_that_are_not_understood_are_named_and_hold_up_no_other() -> None:
    shop = Shop(body("paid"), body("guest"), body("yen"))
    shop.nodes["gid://shopify/Order/4507"]["customer"] = internal()
    shop.nodes["gid://shopify/Order/4511"]["currencyCode"] = "EUR"
    page = client(shop).orders_changed(SINCE, SINCE)
    assert [plain(order) for order in page.orders] == [STORIES["paid"]]
    assert dict(page.held).keys() == {"4507", "4511"}


def test_a_digest_has_the_refunds_as_told() -> None:
    shop = Shop(body("part_refunded"))
    (digest,) = client(shop).order_digests(["4503"]).values()
    assert not isinstance(digest, Absent)
    assert (digest.updated_at, set(digest.refunds)) == (STORIES["part_refunded"].updated_at, {"9024", "9025"})


@pytest.mark.parametrize("order_ref", ["", "x", "1)", "٣", "-1"])
def test_an_id_that_is_none_is_never_sent(order_ref: str) -> None:
    shop = Shop()
    with pytest.raises(Refused):
        client(shop).read_orders([order_ref])
    assert shop.asked == []


@pytest.mark.parametrize(
    ("scopes", "days"), [(["read_orders"], 60), (["read_orders", "read_all_orders"], None)]
)
def test_how_far_back_orders_can_be_read_is_in_the_scopes(scopes: list[str], days: int | None) -> None:
    shop = Shop()
    shop.scopes = scopes
    facts = client(shop).shop_facts()
    assert facts.reads_orders_days == days
    assert (facts.shop_ref, facts.url, facts.currency) == (SHOP, "https://acme.example", "USD")


def test_orders_with_a_code_are_those_that_really_have_it() -> None:
    shop = Shop(body("with_our_code"), body("paid"))
    orders = client(shop).orders_with_code(OUR_CODE.upper())
    assert [plain(order) for order in orders] == [STORIES["with_our_code"]]
    assert shop.searched == [f"discount_code:'{OUR_CODE.upper()}'"]


def test_an_order_that_may_have_the_code_but_cannot_be_read_is_not_passed_over() -> None:
    shop = Shop(body("with_our_code"))
    shop.nodes["gid://shopify/Order/4508"]["currencyCode"] = "EUR"
    with pytest.raises(Retryable):
        client(shop).orders_with_code(OUR_CODE)


# --- Codes -------------------------------------------------------------------------------------------------


def test_a_code_is_for_one_customer_once_and_for_nothing_else_beside_it() -> None:
    shop = Shop()
    client(shop).issue_code(SPEC)
    wanted = shop.asked[1][1]["input"]
    assert wanted == {
        "title": "5.00 off",
        "code": OUR_CODE,
        "startsAt": "2026-11-21T18:30:00Z",
        "endsAt": "2027-02-19T18:30:00Z",
        "usageLimit": 1,
        "appliesOncePerCustomer": True,
        "context": {"customers": {"add": ["gid://shopify/Customer/77"]}},
        "combinesWith": {"orderDiscounts": False, "productDiscounts": False, "shippingDiscounts": False},
        "tags": ["laurel:5f1c"],
        "minimumRequirement": {"subtotal": {"greaterThanOrEqualToSubtotal": "20.00"}},
        "customerGets": {
            "items": {"all": True},
            "value": {"discountAmount": {"amount": "5.00", "appliesOnEachItem": False}},
        },
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("usageLimit", None),
        ("usageLimit", 2),
        ("appliesOncePerCustomer", False),
        ("endsAt", None),
        ("endsAt", "2027-03-19T18:30:00Z"),
        ("startsAt", "2026-11-22T18:30:00Z"),
        ("minimumRequirement", None),
        ("title", "50.00 off"),
        ("context", {"__typename": "DiscountBuyerSelectionAll"}),
        ("context", {"__typename": "DiscountCustomers", "customers": [{"id": "gid://shopify/Customer/78"}]}),
        ("combinesWith", {"orderDiscounts": True, "productDiscounts": False, "shippingDiscounts": False}),
        (
            "customerGets",
            {
                "items": {"__typename": "AllDiscountItems"},
                "value": {
                    "__typename": "DiscountAmount",
                    "amount": {"amount": "50.0", "currencyCode": "USD"},
                    "appliesOnEachItem": False,
                },
            },
        ),
        (
            "customerGets",
            {
                "items": {"__typename": "DiscountProducts"},
                "value": {
                    "__typename": "DiscountAmount",
                    "amount": {"amount": "5.0", "currencyCode": "USD"},
                    "appliesOnEachItem": False,
                },
            },
        ),
    ],
)
def test_a_code_that_came_out_otherwise_is_withdrawn(field: str, value: Any) -> None:
    shop = Shop()
    client(shop).issue_code(SPEC)
    shop.discounts[0][field] = value
    with pytest.raises(
        Refused, match=f"^differs.*{'kind|value|items' if field == 'customerGets' else field}"
    ):
        client(shop).issue_code(SPEC)
    assert shop.codes_named(SPEC.code) == 0


def test_the_shops_own_spelling_of_an_amount_is_no_difference() -> None:
    shop = Shop()
    client(shop).issue_code(SPEC)
    shop.discounts[0]["customerGets"]["value"]["amount"]["amount"] = "5.0"
    assert client(shop).issue_code(SPEC).code == OUR_CODE


def test_a_code_made_by_a_lost_call_in_between_is_found() -> None:
    """The look-up saw nothing, then the earlier call of ours landed: taken, and ours."""
    shop = Shop()
    client(shop).issue_code(SPEC)
    shop.answers = [httpx.Response(200, json={"data": {"codeDiscountNodeByCode": None}})]
    assert client(shop).issue_code(SPEC).code_ref == "900"
    assert shop.codes_named(SPEC.code) == 1


def test_a_mutation_that_fails_inside_a_200_may_have_been_applied() -> None:
    shop = Shop()
    failed = {"data": None, "errors": [{"message": "x", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}
    shop.answers = [
        httpx.Response(200, json={"data": {"codeDiscountNodeByCode": None}}),
        httpx.Response(200, json=failed),
    ]
    with pytest.raises(Retryable) as caught:
        client(shop).issue_code(SPEC)
    assert caught.value.maybe_applied


@pytest.mark.parametrize(
    "spec",
    [
        replace(SPEC, amount=None),
        replace(SPEC, amount=Money(0, "USD")),
        replace(SPEC, kind=CodeKind.PERCENT, percent=0),
        replace(SPEC, kind=CodeKind.PERCENT, percent=101),
    ],
)
def test_a_code_that_cannot_be_said_is_unsupported_before_any_call(spec: CodeSpec) -> None:
    shop = Shop()
    with pytest.raises(Refused, match=r"^unsupported"):
        client(shop).issue_code(spec)
    assert shop.asked == []


@pytest.mark.parametrize("percent", range(1, 101))
def test_every_whole_percent_comes_back_as_it_went(percent: int) -> None:
    shop = Shop()
    client(shop).issue_code(replace(SPEC, kind=CodeKind.PERCENT, amount=None, percent=percent))
    found = client(shop).find_code(OUR_CODE)
    assert found
    assert found.value == str(percent)


def test_a_used_code_is_live_no_more() -> None:
    shop = Shop()
    client(shop).issue_code(SPEC)
    shop.discounts[0]["asyncUsageCount"] = 1
    found = client(shop).find_code(OUR_CODE)
    assert found
    assert (found.live, found.uses, found.uses_left) == (False, 1, 0)


def test_a_code_that_stays_live_after_being_switched_off_is_looked_at_again_later() -> None:
    shop = Shop()
    client(shop).issue_code(SPEC)
    shop.resolve["discountCodeDeactivate"] = lambda **_: {"codeDiscountNode": None, "userErrors": []}
    with pytest.raises(Retryable):
        client(shop).withdraw_code(OUR_CODE, SPEC.tag)


def test_our_codes_are_asked_for_by_tag_and_told_by_tag() -> None:
    shop = Shop()
    client(shop).issue_code(SPEC)
    shop.discounts[0]["tags"] = ["added by staff", "laurel:5f1c"]
    shop.add_foreign_code("SUMMER")
    found, cursor = client(shop).our_codes("laurel:5f1c")
    assert ([each.tag for each in found], cursor) == (["laurel:5f1c"], None)
    assert shop.searched == ["method:code tag:laurel\\:5f1c*"]


# --- Subscriptions -----------------------------------------------------------------------------------------

ADDRESS = "https://laurel.example/webhooks/shopify/acme"


def test_missing_subscriptions_are_made_wrong_ones_repointed_doubles_removed() -> None:
    shop = Shop()
    shop.subscribe("ORDERS_CREATE", ADDRESS)
    shop.subscribe("ORDERS_UPDATED", "https://old.example/webhooks")
    shop.subscribe("REFUNDS_CREATE", ADDRESS)
    shop.subscribe("REFUNDS_CREATE", ADDRESS)
    states = {state.topic: state for state in client(shop).ensure_webhooks(ADDRESS, None)}
    assert {topic for topic, state in states.items() if not state.repaired} == {"orders/create"}
    assert all(state.healthy for state in states.values())
    assert sorted((each["topic"], each["uri"]) for each in shop.subscriptions) == sorted(
        (topic.upper().replace("/", "_").replace(".", "_"), ADDRESS) for topic in webhooks.SUBSCRIBED
    )
    assert not any(state.repaired for state in client(shop).ensure_webhooks(ADDRESS, None))


def test_only_what_points_at_us_is_removed() -> None:
    shop = Shop()
    shop.subscribe("ORDERS_CREATE", ADDRESS)
    shop.subscribe("ORDERS_UPDATED", "https://other.example/")
    client(shop).remove_webhooks(ADDRESS)
    assert [each["uri"] for each in shop.subscriptions] == ["https://other.example/"]


def test_the_installations_app_has_its_subscriptions_in_its_file_and_says_so() -> None:
    shop = Shop()
    access = replace(ACCESS, credentials={"mode": "app", "access_token": TOKEN})
    states = client(shop, access).ensure_webhooks(ADDRESS, None)
    client(shop, access).remove_webhooks(ADDRESS)
    assert shop.asked == []
    assert {state.topic for state in states} == set(webhooks.SUBSCRIBED)
    assert all("not checked" in state.detail for state in states)


# --- What Shopify gathers ------------------------------------------------------------------------------------


def jsonl(*lines: str) -> bytes:
    """ "o1": order 1; "o1 l2": line 2 of it; "o1 s3": what was paid for sending it."""
    told = []
    for line in lines:
        order, _, part = line.partition(" ")
        parent = f"gid://shopify/Order/{order[1:]}"
        kind = {"l": "LineItem", "s": "ShippingLine"}.get(part[:1], "")
        inner = {"id": f"gid://shopify/{kind}/{part[1:]}", "__parentId": parent}
        told.append(json.dumps(inner if part else {"id": parent}))
    return "".join(f"{one}\n" for one in told).encode()


def test_a_part_of_what_was_gathered_holds_whole_orders() -> None:
    file = jsonl("o1", "o1 l11", "o1 s12", "o1 l13", "o2", "o2 l21", "o3", "o3 l31")
    nodes, length = orders_in(file, is_end=True)
    assert (list(nodes), length) == (["1", "2", "3"], None)
    lines = [one["id"] for one in nodes["1"]["lineItems"]["nodes"]]
    assert lines == ["gid://shopify/LineItem/11", "gid://shopify/LineItem/13"]
    assert [one["id"] for one in nodes["1"]["shippingLines"]["nodes"]] == ["gid://shopify/ShippingLine/12"]
    whole = 0
    for end in range(len(jsonl("o1", "o1 l11", "o1 s12", "o1 l13", "o2")), len(file)):
        nodes, length = orders_in(file[:end], is_end=False)
        assert length in (
            len(jsonl("o1", "o1 l11", "o1 s12", "o1 l13")),
            len(file) - len(jsonl("o3", "o3 l31")),
        )
        assert len(nodes) >= whole  # wherever it is cut, never a part of an order
        whole = len(nodes)
    assert whole == 2


@pytest.mark.parametrize(
    "file",
    [
        jsonl("o1 l11", "o1"),
        jsonl("o1", "o2", "o1 l11", "o2 l21"),
        jsonl("o1", "o2", "o2 l21"),
        jsonl("o1", "o1 l11", "o2", "o2 l21", "o1 l12"),
        jsonl("o1", "o1 s11"),
        jsonl("o1", "o1 l11") + b"<html>",
        jsonl("o1", "o1 l11") + b"\n",
        jsonl("o1", "o1 l11") + b'{"id": 7}',
        jsonl("o1", "o1 l11") + b"[]",
        jsonl("o1", "o1 l11")[:-9],
        b"\xff",
    ],
)
def test_orders_that_are_torn_from_their_lines_are_not_believed(file: bytes) -> None:
    with pytest.raises(Unusable):
        orders_in(file, is_end=True)


def test_a_part_without_a_whole_order_is_of_no_use() -> None:
    with pytest.raises(Unusable):
        orders_in(jsonl("o1", "o1 l11", "o1 l12"), is_end=False)
