"""Orders by REST."""

from typing import Any

from flask import Blueprint, Response, request

from sandbox.refusals import CodeRefused
from sandbox.woocommerce.bodies_orders import order_body
from sandbox.woocommerce.order_search import wanted_orders
from sandbox.woocommerce.shop import Shop
from sandbox.woocommerce.state import Order
from sandbox.woocommerce.wire import WcError, answer, page_of


def make(shop: Shop) -> Blueprint:
    api = Blueprint("orders", __name__)

    @api.get("/orders")
    def list_orders() -> Response:
        with shop.lock:
            return page_of(shop, wanted_orders(shop), lambda order: order_body(shop, order))

    @api.get("/orders/<int:number>")
    def one_order(number: int) -> Response:
        with shop.lock:
            return answer(order_body(shop, get_order(shop, number)))  # the trash too: 200, status "trash"

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
            order = get_order(shop, number)
            _change(shop, order, request.get_json())
            return answer(order_body(shop, order))

    @api.delete("/orders/<int:number>")
    def delete_order(number: int) -> Response:
        with shop.lock:
            order = get_order(shop, number)
            if request.args.get("force") == "true":
                body = order_body(shop, order)
                shop.force_delete(order)
                return answer(body)
            if order.status == "trash":
                raise WcError("woocommerce_rest_already_trashed", "The order has already been deleted.", 410)
            body = order_body(shop, order)  # as it was: the answer still names its old status
            shop.trash(order)
            return answer(body)

    return api


def get_order(shop: Shop, number: int) -> Order:
    """Raises: WcError(404)."""
    order = shop.orders.get(number)
    if order is None:
        raise WcError("woocommerce_rest_shop_order_invalid_id", "Invalid ID.", 404)
    return order


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
