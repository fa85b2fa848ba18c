"""Refunds by REST."""

from typing import Any

from flask import Blueprint, Response, request

from sandbox.refusals import Impossible
from sandbox.woocommerce.bodies_orders import refund_body
from sandbox.woocommerce.rest_orders import get_order
from sandbox.woocommerce.shop import Shop
from sandbox.woocommerce.state import Order
from sandbox.woocommerce.wire import WcError, answer, invalid_param, page_of


def make(shop: Shop) -> Blueprint:
    api = Blueprint("refunds", __name__)

    @api.get("/orders/<int:number>/refunds")
    def list_refunds(number: int) -> Response:
        with shop.lock:
            order = shop.orders.get(number)
            rows = (
                list(reversed(order.refunds)) if order else []
            )  # an unknown order has an empty list: recorded
            return page_of(shop, rows, lambda refund: refund_body(shop, get_order(shop, number), refund))

    @api.get("/orders/<int:number>/refunds/<int:refund_number>")
    def get_refund(number: int, refund_number: int) -> Response:
        with shop.lock:
            return answer(
                refund_body(shop, get_order(shop, number), _refund(get_order(shop, number), refund_number))
            )

    @api.post("/orders/<int:number>/refunds")
    def post_refund(number: int) -> Response:
        asked = request.get_json()
        if not isinstance(asked.get("amount", "0"), str):
            raise invalid_param("amount", "amount is not of type string.", "rest_invalid_type")
        if asked.get("api_refund", True):
            text = "The payment gateway for this order does not support automatic refunds."
            raise WcError("woocommerce_rest_cannot_create_order_refund", text, 500, 500)
        with shop.lock:
            order = get_order(shop, number)
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
            order = get_order(shop, number)
            refund = _refund(order, refund_number)
            body = refund_body(shop, order, refund)
            shop.delete_refund(order, refund)
            return answer(body)

    return api


def _refund(order: Order, number: int) -> Any:
    for refund in order.refunds:
        if refund.id == number:
            return refund
    raise WcError("woocommerce_rest_shop_order_refund_invalid_id", "Invalid ID.", 404)
