"""Orders, refunds and customers by REST."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, request

from sandbox.refusals import CodeRefused, Impossible
from sandbox.woocommerce.bodies import customer_body, order_body, refund_body
from sandbox.woocommerce.shop import Shop
from sandbox.woocommerce.state import STATUSES, Customer, Order
from sandbox.woocommerce.wire import WcError, answer, invalid_param, page_of

_KNOWN = ("any", "trash", "auto-draft", *STATUSES)


def make(shop: Shop) -> Blueprint:
    api = Blueprint("orders", __name__)

    def get(number: int) -> Order:
        order = shop.orders.get(number)
        if order is None:
            raise WcError("woocommerce_rest_shop_order_invalid_id", "Invalid ID.", 404)
        return order

    @api.get("/orders")
    def list_orders() -> Response:
        with shop.lock:
            return page_of(shop, _wanted(shop), lambda order: order_body(shop, order))

    @api.get("/orders/<int:number>")
    def get_order(number: int) -> Response:
        with shop.lock:
            return answer(order_body(shop, get(number)))  # the trash too: 200, status "trash"

    @api.post("/orders")
    def post_order() -> Response:
        with shop.lock:
            order = _create(shop, request.get_json())
            return answer(order_body(shop, order), 201, {"Location": f"{shop.api}/orders/{order.id}"})

    @api.route("/orders/<int:number>", methods=["PUT", "POST", "PATCH"])
    def put_order(number: int) -> Response:
        with shop.lock:
            if number not in shop.orders:
                raise WcError("woocommerce_rest_shop_order_invalid_id", "ID is invalid.", 400)
            order = get(number)
            _change(shop, order, request.get_json())
            return answer(order_body(shop, order))

    @api.delete("/orders/<int:number>")
    def delete_order(number: int) -> Response:
        with shop.lock:
            order = get(number)
            if request.args.get("force") == "true":
                body = order_body(shop, order)
                shop.force_delete(order)
                return answer(body)
            if order.status == "trash":
                raise WcError("woocommerce_rest_already_trashed", "The order has already been deleted.", 410)
            body = order_body(shop, order)  # as it was: the answer still names its old status
            shop.trash(order)
            return answer(body)

    _refunds(api, shop, get)
    _customers(api, shop)
    return api


def _refunds(api: Blueprint, shop: Shop, get: Callable[[int], Order]) -> None:
    @api.get("/orders/<int:number>/refunds")
    def list_refunds(number: int) -> Response:
        with shop.lock:
            order = shop.orders.get(number)
            rows = (
                list(reversed(order.refunds)) if order else []
            )  # an unknown order has an empty list: recorded
            return page_of(shop, rows, lambda refund: refund_body(shop, get(number), refund))

    @api.get("/orders/<int:number>/refunds/<int:refund_number>")
    def get_refund(number: int, refund_number: int) -> Response:
        with shop.lock:
            return answer(refund_body(shop, get(number), _refund(get(number), refund_number)))

    @api.post("/orders/<int:number>/refunds")
    def post_refund(number: int) -> Response:
        asked = request.get_json()
        if not isinstance(asked.get("amount", "0"), str):
            raise invalid_param("amount", "amount is not of type string.", "rest_invalid_type")
        if asked.get("api_refund", True):
            text = "The payment gateway for this order does not support automatic refunds."
            raise WcError("woocommerce_rest_cannot_create_order_refund", text, 500, 500)
        with shop.lock:
            order = get(number)
            goods = {line.id for line in order.lines}
            items = asked.get("line_items", [])
            lines = {item["id"]: item["quantity"] for item in items if item["id"] in goods}
            freight = [item["refund_total"] for item in items if item["id"] not in goods]
            try:
                refund = shop.refund(
                    order,
                    lines,
                    shipping=str(freight[0]) if freight else None,
                    amount=asked.get("amount"),
                    reason=asked.get("reason", ""),
                )
            except Impossible as error:
                raise WcError("woocommerce_rest_cannot_create_order_refund", str(error), 500, 500) from None
            return answer(refund_body(shop, order, refund), 201)

    @api.delete("/orders/<int:number>/refunds/<int:refund_number>")
    def delete_refund(number: int, refund_number: int) -> Response:
        with shop.lock:
            order = get(number)
            refund = _refund(order, refund_number)
            body = refund_body(shop, order, refund)
            shop.delete_refund(order, refund)
            return answer(body)


def _customers(api: Blueprint, shop: Shop) -> None:
    @api.get("/customers")
    def list_customers() -> Response:
        asked = request.args
        role = asked.get("role", "customer")
        with shop.lock:
            rows = [
                customer
                for customer in shop.customers.values()
                if role in ("all", customer.role)
                and customer.email.lower() == asked.get("email", customer.email).lower()
                and (not asked.get("include") or customer.id in _ids("include"))
            ]
            rows.sort(key=lambda customer: (customer.first_name, customer.id))
            return page_of(shop, rows, lambda customer: customer_body(shop, customer))

    @api.get("/customers/<int:number>")
    def get_customer(number: int) -> Response:
        with shop.lock:
            return answer(customer_body(shop, _customer(shop, number)))

    @api.route("/customers/<int:number>", methods=["PUT", "POST", "PATCH"])
    def put_customer(number: int) -> Response:
        asked = request.get_json()
        with shop.lock:
            customer = _customer(shop, number)
            shop.update_customer(customer, email=asked.get("email"), first_name=asked.get("first_name"))
            return answer(customer_body(shop, customer))


def _customer(shop: Shop, number: int) -> Customer:
    customer = shop.customers.get(number)
    if customer is None:
        raise WcError("wc_user_invalid_id", "Invalid user ID.", 404)
    return customer


def _refund(order: Order, number: int) -> Any:
    for refund in order.refunds:
        if refund.id == number:
            return refund
    raise WcError("woocommerce_rest_shop_order_refund_invalid_id", "Invalid ID.", 404)


def _create(shop: Shop, asked: dict[str, Any]) -> Order:
    customer = shop.customers.get(asked.get("customer_id", 0))
    lines = [(shop.products[item["product_id"]], item.get("quantity", 1)) for item in asked["line_items"]]
    shipping = asked.get("shipping_lines") or [{"total": None}]
    arguments: dict[str, Any] = {
        "customer": customer,
        "email": asked.get("billing", {}).get("email", "guest@example.test"),
        "currency": asked.get("currency"),
        "shipping": shipping[0]["total"],
        "fees": {fee["name"]: fee["total"] for fee in asked.get("fee_lines", [])},
        "payment_method": asked.get("payment_method", ""),
        "note": asked.get("customer_note", ""),
    }
    try:
        order = shop.create_order(
            lines,
            **arguments,
            codes=[coupon["code"] for coupon in asked.get("coupon_lines", [])],
            status=asked.get("status", "pending"),
        )
    except CodeRefused as error:
        shop.create_order(lines, **arguments, status="checkout-draft")  # left behind, and told: recorded
        raise WcError("woocommerce_rest_invalid_coupon", str(error), 400) from None
    if asked.get("set_paid"):
        shop.pay(order)
    return order


def _change(shop: Shop, order: Order, asked: dict[str, Any]) -> None:
    for meta in asked.get("meta_data", []):
        order.meta = [kept for kept in order.meta if kept.key != meta["key"]]
        order.meta.append(shop.new_meta(meta["key"], meta["value"]))
    if "customer_id" in asked:
        order.customer_id = asked["customer_id"]
    if asked.get("set_paid"):
        shop.pay(order)
    elif "status" in asked and order.status == "trash":
        order.status, order.modified = (
            asked["status"],
            shop.now(),
        )  # back from the trash, and no webhook says so
        shop.count_uses(order)
    elif "status" in asked:
        shop.set_status(order, asked["status"])
    else:
        shop.touch(order)


def _wanted(shop: Shop) -> list[Order]:
    statuses = _many("status") or ["any"]
    for status in statuses:
        if status not in _KNOWN:
            text = f"status[0] is not one of {', '.join(_KNOWN[:-1])}, and {_KNOWN[-1]}."
            raise invalid_param("status", text, "rest_not_in_enum")
    tests: list[Callable[[Order], bool]] = [
        # "any" leaves out the trash, even where "trash" is named beside it.
        lambda order: order.status != "trash" if "any" in statuses else order.status in statuses
    ]
    if _many("include"):
        wanted = _ids("include")
        tests.append(lambda order: order.id in wanted)
    if request.args.get("customer"):
        tests.append(lambda order: str(order.customer_id) == request.args["customer"])
    if request.args.get("search"):
        word = request.args["search"].lower()
        tests.append(lambda order: word in order.billing["email"].lower() or word == str(order.id))
    bounds = {name: _moment(shop, name) for name in ("after", "before", "modified_after", "modified_before")}
    for name, bound in bounds.items():
        if bound is not None:
            tests.append(_dated(name, bound))
    asked = [int(part) for part in _many("include")]
    by: dict[str, Callable[[Order], Any]] = {
        "date": lambda order: order.created,
        "modified": lambda order: order.modified,
        "id": lambda order: order.id,
        "include": lambda order: -asked.index(order.id),
    }
    name = request.args.get("orderby", "date")
    if name not in by:
        raise invalid_param("orderby", "orderby is not one of date, modified, id.", "rest_not_in_enum")
    rows = [order for order in shop.orders.values() if all(test(order) for test in tests)]
    rows.sort(
        key=lambda order: (by[name](order), order.id), reverse=request.args.get("order", "desc") == "desc"
    )
    return rows


def _dated(name: str, bound: datetime) -> Callable[[Order], bool]:
    modified, later = name.startswith("modified_"), name.endswith("after")

    def test(order: Order) -> bool:
        moment = order.modified if modified else order.created
        return moment > bound if later else moment < bound  # both bounds are exclusive

    return test


def _moment(shop: Shop, name: str) -> datetime | None:
    text = request.args.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid_param(name, "Invalid date.", "rest_invalid_date") from None
    gmt = request.args.get("dates_are_gmt") in ("true", "1")
    if moment.tzinfo is not None:
        # With the flag, a time that has an offset of its own is taken as the shop's local time in UTC's place.
        exact = moment.astimezone(UTC)
        return exact.astimezone(shop.zone).replace(tzinfo=UTC) if gmt else exact
    return moment.replace(tzinfo=UTC if gmt else shop.zone).astimezone(UTC)


def _many(name: str) -> list[str]:
    """Values of a list parameter: "a,b", `status[]=a`, `status[0]=a`."""
    values = [value for key, value in request.args.items(multi=True) if key.partition("[")[0] == name]
    return [part for value in values for part in value.split(",") if part]


def _ids(name: str) -> set[int]:
    return {int(part) for part in _many(name)}
