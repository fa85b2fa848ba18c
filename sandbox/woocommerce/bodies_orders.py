"""Order and refund bodies, shaped as recorded from WooCommerce 10.9.1 (tests/sandbox/recordings)."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal

from sandbox.woocommerce.base import ShopBase
from sandbox.woocommerce.parts import SYMBOLS, Body, gmt, links_of, local, meta_of, number, plain
from sandbox.woocommerce.state import (
    ZERO,
    Extra,
    Line,
    Order,
    Refund,
    RefundedExtra,
    UsedCoupon,
)


def order_body(shop: ShopBase, order: Order) -> Body:
    money = shop.money
    status = order.status
    links = links_of(shop, f"orders/{order.id}", "orders")
    links["email_templates"] = [
        {"embeddable": True, "href": f"{shop.api}/orders/{order.id}/actions/email_templates"}
    ]
    if order.customer_id:
        links["customer"] = [{"href": f"{shop.api}/customers/{order.customer_id}"}]
    return {
        "id": order.id,
        "parent_id": 0,
        "status": status,
        "currency": order.currency,
        "version": shop.version,
        "prices_include_tax": order.prices_include_tax,
        "date_created": local(shop, order.created),
        "date_modified": local(shop, order.modified),
        "discount_total": money(sum((used.discount for used in order.coupons), ZERO)),
        "discount_tax": money(sum((used.discount_tax for used in order.coupons), ZERO)),
        "shipping_total": money(order.shipping_total),
        "shipping_tax": money(order.shipping_tax),
        "cart_tax": money(order.cart_tax),
        "total": money(order.total),
        "total_tax": money(order.total_tax),
        "customer_id": order.customer_id,
        "order_key": order.key,
        "billing": dict(order.billing),
        "shipping": dict(order.shipping_address),
        "payment_method": order.payment_method,
        "payment_method_title": order.payment_title,
        "transaction_id": order.transaction_id,
        "customer_ip_address": "",
        "customer_user_agent": "",
        "created_via": order.via,
        "customer_note": order.note,
        "date_completed": local(shop, order.completed),
        "date_paid": local(shop, order.paid),
        "cart_hash": "",
        "number": str(order.id),
        "meta_data": [meta_of(meta) for meta in order.meta],
        "line_items": [_line(shop, line) for line in order.lines],
        "tax_lines": _tax_lines(shop, order.tax_line_id, order.cart_tax, order.shipping_tax),
        "shipping_lines": [_shipping(shop, extra) for extra in order.shipping],
        "fee_lines": [_fee(shop, extra) for extra in order.fees],
        "coupon_lines": [_used(used) for used in order.coupons],
        "refunds": [
            {
                "id": refund.id,
                "reason": refund.reason,
                "total": money(-refund.amount),
                "total_tax": money(-refund.goods_tax - refund.shipping_tax),
            }
            for refund in reversed(order.refunds)
        ],
        "payment_url": f"{shop.url}/checkout/order-pay/{order.id}/?pay_for_order=true&key={order.key}",
        "is_editable": status in ("pending", "on-hold", "checkout-draft"),
        "needs_payment": status in ("pending", "failed", "checkout-draft") and order.total > 0,
        "needs_processing": True,
        "date_created_gmt": gmt(order.created),
        "date_modified_gmt": gmt(order.modified),
        "date_completed_gmt": gmt(order.completed),
        "date_paid_gmt": gmt(order.paid),
        "currency_symbol": SYMBOLS.get(order.currency, order.currency),
        "_links": links,
    }


def refund_body(shop: ShopBase, order: Order, refund: Refund) -> Body:
    """One of GET orders/N/refunds. Not in the order's own body: quantities, lines and who did it."""
    lines = [
        _line(shop, part.line)
        | {
            "id": part.id,
            "quantity": -part.quantity,
            "subtotal": shop.money(-part.total),
            "subtotal_tax": shop.money(-part.tax),
            "total": shop.money(-part.total),
            "total_tax": shop.money(-part.tax),
            "taxes": _taxes(shop, -part.tax, subtotal=-part.tax),
            "meta_data": [_refunded_item(part.meta_id, part.line.id)],
        }
        for part in refund.lines
    ]
    up = {"href": f"{shop.api}/orders/{order.id}"}
    links = links_of(
        shop, f"orders/{order.id}/refunds/{refund.id}", f"orders/{order.id}/refunds", hints="GET DELETE"
    )
    taxed = refund.lines or refund.shipping or refund.fees
    return {
        "id": refund.id,
        "date_created": local(shop, refund.created),
        "date_created_gmt": gmt(refund.created),
        "amount": shop.money(refund.amount),
        "reason": refund.reason,
        "refunded_by": 1,
        "refunded_payment": False,
        "meta_data": [
            {"id": refund.meta_id, "key": "_refund_type", "value": "full" if refund.full else "partial"}
        ],
        "line_items": lines,
        "shipping_lines": [_back(_shipping(shop, part.extra), shop, part) for part in refund.shipping],
        "tax_lines": _tax_lines(shop, refund.tax_line_id, -refund.goods_tax, -refund.shipping_tax)
        if taxed
        else [],
        "fee_lines": [_back(_fee(shop, part.extra), shop, part) for part in refund.fees],
        "_links": {**links, "up": [up]},
    }


def _refunded_item(meta_id: int, item_id: int) -> Body:
    return {
        "id": meta_id,
        "key": "_refunded_item_id",
        "value": str(item_id),
        "display_key": "_refunded_item_id",
        "display_value": str(item_id),
    }


def _line(shop: ShopBase, line: Line) -> Body:
    return {
        "id": line.id,
        "name": line.product.name,
        "product_id": line.product.id,
        "variation_id": 0,
        "quantity": line.quantity,
        "tax_class": "",
        "subtotal": shop.money(line.subtotal),
        "subtotal_tax": shop.money(line.subtotal_tax),
        "total": shop.money(line.total),
        "total_tax": shop.money(line.total_tax),
        "taxes": _taxes(shop, line.total_tax, subtotal=line.subtotal_tax) if line.product.taxable else [],
        "meta_data": [],
        "sku": line.product.sku,
        "global_unique_id": "",
        "price": number(line.total / line.quantity if line.quantity else ZERO),
        "image": {"id": "", "src": ""},
        "parent_name": None,
    }


def _taxes(
    shop: ShopBase, total: Decimal, *, subtotal: Decimal | None = None
) -> Sequence[Mapping[str, object]]:
    if not shop.tax_percent:
        return []
    return [
        {"id": 1, "total": shop.money(total), "subtotal": "" if subtotal is None else shop.money(subtotal)}
    ]


def _tax_lines(
    shop: ShopBase, line_id: int, goods: Decimal, shipping: Decimal
) -> Sequence[Mapping[str, object]]:
    if not shop.tax_percent or not (goods or shipping):
        return []
    return [
        {
            "id": line_id,
            "rate_code": "US-SALES TAX-1",
            "rate_id": 1,
            "label": "Sales tax",
            "compound": False,
            "tax_total": shop.money(goods),
            "shipping_tax_total": shop.money(shipping),
            "rate_percent": number(shop.tax_percent),
            "meta_data": [],
        }
    ]


def _shipping(shop: ShopBase, extra: Extra) -> Body:
    return {
        "id": extra.id,
        "method_title": extra.title,
        "method_id": "flat_rate",
        "instance_id": "",
        "total": shop.money(extra.total),
        "total_tax": shop.money(extra.tax),
        "taxes": _taxes(shop, extra.tax),
        "tax_status": "taxable" if extra.taxable else "none",
        "meta_data": [],
    }


def _fee(shop: ShopBase, extra: Extra) -> Body:
    return {
        "id": extra.id,
        "name": extra.title,
        "tax_class": "",
        "tax_status": "taxable" if extra.taxable else "none",
        "amount": "",
        "total": shop.money(extra.total),
        "total_tax": shop.money(extra.tax),
        "taxes": _taxes(shop, extra.tax),
        "meta_data": [],
    }


def _back(body: Body, shop: ShopBase, part: RefundedExtra) -> Body:
    return body | {
        "id": part.id,
        "total": shop.money(-part.total),
        "total_tax": shop.money(-part.tax),
        "taxes": _taxes(shop, -part.tax),
        "meta_data": [_refunded_item(part.meta_id, part.extra.id)],
    }


def _used(used: UsedCoupon) -> Body:
    coupon = used.coupon
    kind = None if coupon.discount_type == "fixed_cart" else coupon.discount_type
    info = json.dumps([coupon.id, coupon.code, kind, number(coupon.amount)], separators=(",", ":"))
    meta = {"id": used.meta_id, "key": "coupon_info", "value": info, "display_key": "coupon_info"}
    return {
        "id": used.id,
        "code": coupon.code,
        "discount": plain(used.discount),  # as stored, without the store's decimals: recorded so
        "discount_tax": plain(used.discount_tax),
        "meta_data": [{**meta, "display_value": info}],
        "discount_type": coupon.discount_type,
        "nominal_amount": number(coupon.amount),
        "free_shipping": coupon.free_shipping,
    }
