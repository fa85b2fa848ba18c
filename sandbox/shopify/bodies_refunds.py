"""Refunds, transactions and order edits as webhooks write them."""

from datetime import datetime

from sandbox.shopify.base import ShopBase
from sandbox.shopify.bodies import Body, money_set, number, text
from sandbox.shopify.bodies_lines import line_body, shipping_body
from sandbox.shopify.state import (
    ZERO,
    Order,
    Transaction,
    gid,
)


def refund_body(shop: ShopBase, order: Order, position: int) -> Body:
    """The 15 keys of refunds/create; the same stands in the order's `refunds`. Line amounts are numbers here."""
    refund = order.refunds[position]
    adjustments = []
    if refund.beyond:
        adjustments.append(
            {
                "id": refund.adjustment_id,
                "amount": text(-refund.beyond, shop.currency),
                "amount_set": money_set(shop, order, -refund.beyond),
                "kind": "refund_discrepancy",
                "order_id": order.id,
                "reason": "Refund discrepancy",
                "refund_id": refund.id,
                "tax_amount": text(ZERO, shop.currency),
                "tax_amount_set": money_set(shop, order, ZERO),
            }
        )
    shipping = []
    if refund.shipping:
        shipping.append(
            {
                "id": refund.shipping_id,
                "shipping_line": shipping_body(shop, order, order.shipping[0]),
                "subtotal_amount_set": money_set(shop, order, refund.shipping),
                "tax_amount_set": money_set(shop, order, refund.shipping_tax),
            }
        )
    return {
        "id": refund.id,
        "order_id": order.id,
        "created_at": shop.stamp(refund.created),
        "note": refund.note,
        "user_id": 548380009,
        "processed_at": shop.stamp(refund.created),
        "duties": [],
        "total_duties_set": money_set(shop, order, ZERO),
        "return": None,
        "refund_shipping_lines": shipping,
        "restock": False,
        "admin_graphql_api_id": gid("Refund", refund.id),
        "order_adjustments": adjustments,
        "refund_line_items": [
            {
                "id": part.id,
                "quantity": part.quantity,
                "line_item_id": part.line.id,
                "location_id": None,
                "restock_type": part.restock,
                "subtotal": number(part.subtotal),
                "total_tax": number(part.tax),
                "subtotal_set": money_set(shop, order, part.subtotal),
                "total_tax_set": money_set(shop, order, part.tax),
                "line_item": line_body(shop, order, part.line, in_refund=True),
            }
            for part in refund.lines
        ],
        "transactions": [transaction_body(shop, order, part) for part in refund.transactions],
    }


def transaction_body(shop: ShopBase, order: Order, part: Transaction) -> Body:
    unsettled = {"amount": "0.0", "currency": "XXX"}
    return {
        "id": part.id,
        "order_id": order.id,
        "kind": part.kind,
        "gateway": part.gateway,
        "status": part.status,
        "message": None,
        "created_at": shop.stamp(part.at),
        "test": order.test,
        "authorization": None,
        "location_id": None,
        "user_id": None,
        "parent_id": part.parent_id,
        "processed_at": shop.stamp(part.at),
        "device_id": None,
        "error_code": None,
        "source_name": "web",
        "receipt": {},
        "amount": text(part.amount * (order.rate if order.currency != shop.currency else 1), order.currency),
        "currency": order.currency,
        "payment_id": f"{order.name}.1",
        "total_unsettled_set": {"presentment_money": unsettled, "shop_money": unsettled},
        "manual_payment_gateway": False,
        "amount_rounding": None,
        "admin_graphql_api_id": gid("OrderTransaction", part.id),
    }


def edit_body(
    shop: ShopBase, order: Order, added: dict[int, int], removed: dict[int, int], at: datetime
) -> Body:
    """orders/edited: not an order."""
    return {
        "order_edit": {
            "id": shop.new_id(),
            "app_id": None,
            "created_at": shop.stamp(at),
            "committed_at": shop.stamp(at),
            "notify_customer": False,
            "order_id": order.id,
            "staff_note": "",
            "user_id": None,
            "line_items": {
                "additions": [{"id": number, "delta": delta} for number, delta in added.items()],
                "removals": [{"id": number, "delta": delta} for number, delta in removed.items()],
            },
            "discounts": {"line_item": {"additions": [], "removals": []}},
            "shipping_lines": {"additions": [], "removals": []},
        }
    }
