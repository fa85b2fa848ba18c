"""The Shopify stand-in's Admin API: the real schema, executed on the shop's state."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from sandbox.clock import VirtualClock
from sandbox.faults import FaultKind
from sandbox.shopify import CodeRefused, Shop
from sandbox.shopify.state import Customer
from tests.sandbox.receiver import RECORDINGS

OPERATIONS = RECORDINGS / "shopify_operations"
GRAPHQL = "/admin/api/2026-10/graphql.json"


def run(api: httpx.Client, query: str, /, **variables: Any) -> dict[str, Any]:
    answer: dict[str, Any] = api.post(GRAPHQL, json={"query": query, "variables": variables}).json()
    return answer


def operation(name: str) -> str:
    return (OPERATIONS / f"{name}.graphql").read_text()


def variables(name: str) -> dict[str, Any]:
    path = OPERATIONS / f"{name}.variables.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def make_code(api: httpx.Client, customer: Customer, **changes: Any) -> dict[str, Any]:
    asked = variables("discount_code_fixed_amount_create")["input"]
    asked["context"]["customers"]["add"] = [gid("Customer", customer.id)]
    answer = run(api, operation("discount_code_fixed_amount_create"), input=asked | changes)
    made: dict[str, Any] = answer["data"]["discountCodeBasicCreate"]
    return made


@pytest.fixture
def alice(acme: Shop) -> Customer:
    return acme.create_customer("alice@example.test", "Alice", "Jones")


@pytest.mark.parametrize("name", sorted(path.stem for path in OPERATIONS.glob("*.graphql")))
def test_every_operation_is_answered_without_errors(acme_api: httpx.Client, name: str) -> None:
    answer = run(acme_api, operation(name), **variables(name))
    assert "errors" not in answer, answer
    assert answer["extensions"]["cost"]["requestedQueryCost"] > 0


def test_money_that_is_given_is_told_as_the_schema_has_it(
    acme: Shop, acme_api: httpx.Client, alice: Customer
) -> None:
    asked = variables("gift_card_create")["input"] | {"code": "GIFT7F3K9QXM"}
    asked.pop("customerId", None)
    made = run(acme_api, operation("gift_card_create"), input=asked)["data"]["giftCardCreate"]
    assert (made["userErrors"], made["giftCard"]["lastCharacters"]) == ([], "9qxm")
    taken = run(acme_api, operation("gift_card_create"), input=asked)["data"]["giftCardCreate"]
    assert [error["code"] for error in taken["userErrors"]] == ["TAKEN"]
    ended = run(acme_api, operation("gift_card_deactivate"), id=made["giftCard"]["id"])
    assert ended["data"]["giftCardDeactivate"]["giftCard"]["enabled"] is False
    wanted = variables("store_credit_account_credit")["creditInput"]
    wanted |= {"creditAmount": {"amount": "5.00", "currencyCode": "USD"}, "expiresAt": None}
    given = run(
        acme_api, operation("store_credit_account_credit"), id=gid("Customer", alice.id), creditInput=wanted
    )["data"]["storeCreditAccountCredit"]
    assert given["userErrors"] == []
    assert given["storeCreditAccountTransaction"]["balanceAfterTransaction"]["amount"] == "5.0"
    nobody = run(
        acme_api, operation("store_credit_account_credit"), id=gid("Customer", 1), creditInput=wanted
    )
    errors = nobody["data"]["storeCreditAccountCredit"]["userErrors"]
    assert [error["code"] for error in errors] == ["OWNER_NOT_FOUND"]


def test_a_gift_of_everything_is_refused_as_the_schema_says(acme_api: httpx.Client) -> None:
    name = "discount_code_free_product_bxgy_create"
    asked = variables(name)["input"] | {"context": {"all": "ALL"}}
    errors = run(acme_api, operation(name), input=asked)["data"]["discountCodeBxgyCreate"]["userErrors"]
    assert [error["field"] for error in errors] == [["bxgyCodeDiscount", "customerBuys", "items"]]


def test_an_order_is_read_with_its_refund_lines_shipping_and_adjustment(
    acme: Shop, acme_api: httpx.Client, alice: Customer
) -> None:
    make_code(acme_api, alice)
    order = acme.checkout(
        [(acme.product("Mug", "10.00"), 3)], customer=alice, codes=["loy-7f3k-9qxm"], shipping="7.50"
    )
    acme.refund(order, {order.lines[0].id: 1}, shipping="7.50", beyond="1.00")
    data = run(acme_api, operation("order_for_points"), id=gid("Order", order.id))["data"]["order"]
    assert data["discountCodes"] == ["LOY-7F3K-9QXM"]
    assert data["displayFinancialStatus"] == "PARTIALLY_REFUNDED"
    line = data["lineItems"]["nodes"][0]
    assert (line["quantity"], line["currentQuantity"]) == (3, 2)
    assert line["originalTotalSet"]["shopMoney"] == {"amount": "30.0", "currencyCode": "USD"}
    assert line["discountAllocations"][0]["allocatedAmountSet"]["shopMoney"]["amount"] == "5.0"
    refund = data["refunds"][0]
    assert refund["refundLineItems"]["nodes"][0]["subtotalSet"]["shopMoney"]["amount"] == "8.33"
    assert refund["refundShippingLines"]["nodes"][0]["subtotalAmountSet"]["shopMoney"]["amount"] == "7.5"
    assert refund["orderAdjustments"]["nodes"][0]["amountSet"]["shopMoney"]["amount"] == "-1.0"


def test_many_orders_are_read_at_once_and_unknown_ones_are_null(acme: Shop, acme_api: httpx.Client) -> None:
    order = acme.create_order([(acme.product("Mug", "10.00"), 1)])
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename ... on Order { id updatedAt test } } }"
    nodes = run(acme_api, query, ids=[gid("Order", order.id), gid("Order", 1)])["data"]["nodes"]
    assert nodes[0]["id"] == gid("Order", order.id)
    assert nodes[1] is None


def test_orders_are_paged_by_the_time_they_changed(
    acme: Shop, acme_api: httpx.Client, clock: VirtualClock
) -> None:
    start = clock()
    mug = acme.product("Mug", "10.00")
    first, second, third = (acme.create_order([(mug, 1)]) for _ in range(3))
    clock.advance(10)
    acme.pay(first)
    clock.advance(10)
    query = """query($q: String, $after: String) { orders(first: 2, query: $q, after: $after, sortKey: UPDATED_AT) {
        nodes { id } pageInfo { hasNextPage endCursor } } }"""
    window = f"updated_at:>='{start.isoformat()}' AND updated_at:<='{clock().isoformat()}'"
    page = run(acme_api, query, q=window)["data"]["orders"]
    assert [node["id"] for node in page["nodes"]] == [gid("Order", second.id), gid("Order", third.id)]
    rest = run(acme_api, query, q=window, after=page["pageInfo"]["endCursor"])["data"]["orders"]
    assert ([node["id"] for node in rest["nodes"]], rest["pageInfo"]["hasNextPage"]) == (
        [gid("Order", first.id)],
        False,
    )


def test_orders_are_found_by_their_code_whatever_its_case(acme: Shop, acme_api: httpx.Client) -> None:
    acme.create_discount("FIVE", amount="5.00")
    mug = acme.product("Mug", "10.00")
    acme.checkout([(mug, 1)])
    used = acme.checkout([(mug, 1)], codes=["five"])
    query = 'query { orders(first: 5, query: "discount_code:five") { nodes { id } } }'
    assert [n["id"] for n in run(acme_api, query)["data"]["orders"]["nodes"]] == [gid("Order", used.id)]


def test_orders_older_than_sixty_days_need_their_own_scope(
    acme: Shop, acme_api: httpx.Client, clock: VirtualClock
) -> None:
    order = acme.create_order([(acme.product("Mug", "10.00"), 1)])
    clock.advance(timedelta(days=61))
    acme_api.headers["X-Shopify-Access-Token"] = acme.issue_token().value
    query = "query($id: ID!) { order(id: $id) { id } }"
    assert run(acme_api, query, id=gid("Order", order.id))["data"]["order"] is None
    acme.app.scopes.append("read_all_orders")
    assert run(acme_api, query, id=gid("Order", order.id))["data"]["order"] is not None


def test_a_taken_code_and_an_unknown_customer_are_user_errors(
    acme: Shop, acme_api: httpx.Client, alice: Customer
) -> None:
    assert make_code(acme_api, alice)["userErrors"] == []
    taken = make_code(acme_api, alice, code="loy-7f3k-9qxm")
    assert (taken["codeDiscountNode"], taken["userErrors"][0]["code"]) == (None, "TAKEN")
    acme.delete_customer(alice)
    assert make_code(acme_api, alice, code="OTHER")["userErrors"][0]["code"] == "INVALID"


@pytest.mark.parametrize(
    "wish",
    [
        {"endsAt": "2026-11-20T00:00:00Z"},
        {"title": ""},
        {"usageLimit": 0},
        {"customerGets": {"items": {"all": True}, "value": {"percentage": 10.0}}},
    ],
)
def test_wrong_wishes_are_user_errors(acme_api: httpx.Client, alice: Customer, wish: dict[str, Any]) -> None:
    assert make_code(acme_api, alice, **wish)["userErrors"]


@pytest.mark.parametrize(
    "wish",
    [
        {"startsAt": "tomorrow"},
        {"unknown": 1},
        {"customerGets": {"items": {"all": True}, "value": {"discountAmount": {"amount": "five"}}}},
    ],
)
def test_wishes_of_a_wrong_type_never_reach_the_shop(
    acme: Shop, acme_api: httpx.Client, alice: Customer, wish: dict[str, Any]
) -> None:
    asked = variables("discount_code_fixed_amount_create")["input"] | wish
    answer = run(acme_api, operation("discount_code_fixed_amount_create"), input=asked)
    assert "data" not in answer
    assert answer["errors"]
    assert acme.discounts == {}


def test_a_code_is_looked_up_without_regard_to_case_ended_and_deleted(
    acme_api: httpx.Client, alice: Customer
) -> None:
    made = make_code(acme_api, alice)["codeDiscountNode"]
    look = operation("code_discount_node_by_code")
    found = run(acme_api, look, code="loy-7f3k-9qxm")["data"]["codeDiscountNodeByCode"]
    assert (found["id"], found["codeDiscount"]["tags"]) == (made["id"], ["loyalty"])
    run(acme_api, operation("discount_code_deactivate"), id=made["id"])
    ended = run(acme_api, look, code="LOY-7F3K-9QXM")["data"]["codeDiscountNodeByCode"]
    assert ended["codeDiscount"]["status"] == "EXPIRED"
    run(acme_api, operation("discount_code_delete"), id=made["id"])
    assert run(acme_api, look, code="LOY-7F3K-9QXM")["data"]["codeDiscountNodeByCode"] is None


def test_a_code_is_for_its_customer_once_and_the_shown_count_lags(
    acme: Shop, acme_api: httpx.Client, alice: Customer, clock: VirtualClock
) -> None:
    make_code(acme_api, alice)
    mug = acme.product("Mug", "10.00")

    def try_it(customer: Customer | None, quantity: int = 2) -> str:
        try:
            return acme.checkout([(mug, quantity)], customer=customer, codes=["LOY-7F3K-9QXM"]).name
        except CodeRefused as refused:
            return str(refused)

    def count() -> int:
        answer = run(acme_api, operation("code_discount_node_by_code"), code="LOY-7F3K-9QXM")
        shown: int = answer["data"]["codeDiscountNodeByCode"]["codeDiscount"]["asyncUsageCount"]
        return shown

    assert "isn’t available to you" in try_it(None)
    assert "at least 20" in try_it(alice, 1)
    assert try_it(alice) == "#1001"
    assert "already used" in try_it(alice)
    assert count() == 0
    clock.advance(60)
    assert count() == 1
    acme.cancel(next(iter(acme.orders.values())))
    clock.advance(60)
    assert count() == 1  # a cancelled order gives no use back
    assert "already used" in try_it(alice)


def test_our_codes_are_listed_by_tag(acme: Shop, acme_api: httpx.Client, alice: Customer) -> None:
    make_code(acme_api, alice)
    acme.create_discount("STAFF", amount="1.00")
    answer = run(acme_api, operation("discount_nodes_by_tag"), query="tag:loyalty")
    codes = [n["discount"]["codes"]["nodes"][0]["code"] for n in answer["data"]["discountNodes"]["nodes"]]
    assert codes == ["LOY-7F3K-9QXM"]


def test_free_shipping_takes_the_shipping_off(acme: Shop, acme_api: httpx.Client, alice: Customer) -> None:
    asked = variables("discount_code_free_shipping_create")["input"]
    asked["context"]["customers"]["add"] = [gid("Customer", alice.id)]
    answer = run(acme_api, operation("discount_code_free_shipping_create"), input=asked)
    assert answer["data"]["discountCodeFreeShippingCreate"]["userErrors"] == []
    order = acme.checkout(
        [(acme.product("Mug", "10.00"), 1)], customer=alice, codes=["loy-ship-1"], shipping="7.50"
    )
    assert acme.sums(order).current_shipping == 0


def test_an_unknown_field_fails_as_in_the_real_schema(acme_api: httpx.Client) -> None:
    assert "Cannot query field" in run(acme_api, "{ shop { nope } }")["errors"][0]["message"]


def test_a_known_field_that_the_stand_in_lacks_says_so(acme_api: httpx.Client) -> None:
    assert (
        "stand-in does not know Shop.shopOwnerName"
        in run(acme_api, "{ shop { shopOwnerName } }")["errors"][0]["message"]
    )


def test_personal_fields_that_were_not_granted_are_null_beside_an_error(
    acme: Shop, acme_api: httpx.Client, alice: Customer
) -> None:
    acme.hides_personal_data = True
    query = "query($id: ID!) { customer(id: $id) { id verifiedEmail defaultEmailAddress { emailAddress } firstName } }"
    answer = run(acme_api, query, id=gid("Customer", alice.id))
    assert answer["data"]["customer"]["verifiedEmail"] is True
    assert answer["data"]["customer"]["firstName"] is None
    assert answer["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"


def test_a_missing_scope_is_denied(acme: Shop, acme_api: httpx.Client) -> None:
    acme.app.scopes = ["read_customers"]
    acme_api.headers["X-Shopify-Access-Token"] = acme.issue_token().value
    answer = run(acme_api, "{ orders(first: 1) { nodes { id } } }")
    assert answer["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"


def test_an_unknown_and_an_expired_token_are_401_and_another_version_is_404(
    acme: Shop, acme_api: httpx.Client, clock: VirtualClock
) -> None:
    assert (
        acme_api.post("/admin/api/2025-01/graphql.json", json={"query": "{ shop { id } }"}).status_code == 404
    )
    clock.advance(timedelta(hours=1))
    assert acme_api.post(GRAPHQL, json={"query": "{ shop { id } }"}).status_code == 401
    acme_api.headers["X-Shopify-Access-Token"] = "shpat_other"
    answer = acme_api.post(GRAPHQL, json={"query": "{ shop { id } }"})
    assert (answer.status_code, "Invalid API key" in answer.json()["errors"]) == (401, True)


def test_the_bucket_runs_dry_and_fills_with_time(
    acme: Shop, acme_api: httpx.Client, clock: VirtualClock
) -> None:
    assert acme.bucket is not None
    acme.bucket.enforced = True
    answers = [run(acme_api, operation("shop")) for _ in range(300)]
    assert "errors" not in answers[0]
    assert answers[-1]["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert answers[-1]["extensions"]["cost"]["actualQueryCost"] is None
    clock.advance(30)
    assert "errors" not in run(acme_api, operation("shop"))


def test_webhook_subscriptions_are_made_found_changed_and_deleted(acme: Shop, acme_api: httpx.Client) -> None:
    create = operation("webhook_subscription_create")
    made = run(acme_api, create, **variables("webhook_subscription_create"))["data"][
        "webhookSubscriptionCreate"
    ]
    again = run(acme_api, create, **variables("webhook_subscription_create"))["data"][
        "webhookSubscriptionCreate"
    ]
    assert "already been taken" in again["userErrors"][0]["message"]
    listed = run(acme_api, operation("webhook_subscriptions_page"))["data"]["webhookSubscriptions"]["nodes"]
    assert [node["id"] for node in listed] == [made["webhookSubscription"]["id"]]  # the file's are not listed
    update = """mutation($id: ID!, $sub: WebhookSubscriptionInput!) {
        webhookSubscriptionUpdate(id: $id, webhookSubscription: $sub) { webhookSubscription { uri } } }"""
    changed = run(acme_api, update, id=listed[0]["id"], sub={"uri": "https://other.example/w"})
    assert (
        changed["data"]["webhookSubscriptionUpdate"]["webhookSubscription"]["uri"]
        == "https://other.example/w"
    )
    run(acme_api, operation("webhook_subscription_delete"), id=listed[0]["id"])
    assert (
        run(acme_api, operation("webhook_subscriptions_page"))["data"]["webhookSubscriptions"]["nodes"] == []
    )


def test_a_definite_no_applies_nothing_and_never_meets_a_question(
    acme: Shop, acme_api: httpx.Client, alice: Customer
) -> None:
    acme.faults.add("*", FaultKind.REJECTED, 2)
    refused = make_code(acme_api, alice)
    assert [error["code"] for error in refused["userErrors"]] == ["INVALID"]
    assert acme.discounts == {}
    assert run(acme_api, operation("shop"))["data"]["shop"]["name"] == acme.name


def test_faults_on_request_before_and_after_applying(
    acme: Shop, acme_api: httpx.Client, alice: Customer
) -> None:
    acme.faults.add("issue_code", FaultKind.TIMEOUT_BEFORE)
    with pytest.raises(httpx.ReadTimeout):
        make_code(acme_api, alice)
    assert acme.discounts == {}
    acme.faults.add("issue_code", FaultKind.TIMEOUT_AFTER)
    with pytest.raises(httpx.ReadTimeout):
        make_code(acme_api, alice)
    assert len(acme.discounts) == 1
    acme.faults.add("shop_facts", FaultKind.THROTTLED)
    assert run(acme_api, operation("shop"))["errors"][0]["extensions"]["code"] == "THROTTLED"
    acme.faults.add("shop", "429")
    answer = acme_api.post(GRAPHQL, json={"query": "{ shop { id } }"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2.0")
    assert [record.kind for record in acme.faults.log] == [
        "time-out before applying",
        "time-out after applying",
        "throttled",
        "429",
    ]
    assert acme.faults.log[0].ref == "LOY-7F3K-9QXM"
