"""The stories of tests/connectors/stories.py, told by editing Shopify's sample bodies. No body is made up here.

An edit is (path, value): "line_items.0.quantity". Where the sample has an amount both as text and as a set, both
are edited. Parts that the samples lack (a tax line, a discount's share) have the shape of Shopify's JSON Schema.
"""

import copy
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.connectors.stories import FOREIGN_CODE, OUR_CODE

HERE = Path(__file__).parent
Edit = tuple[str, object]


def recording(topic: str) -> Any:
    return json.loads((HERE / "recordings" / f"{topic.replace('/', '__')}.2026-07.json").read_text("utf-8"))


def edited(body: Any, edits: Iterable[Edit]) -> Any:
    body = copy.deepcopy(body)
    for path, value in edits:
        *parents, last = path.split(".")
        at = body
        for step in parents:
            at = at[int(step) if isinstance(at, list) else step]
        at[int(last) if isinstance(at, list) else last] = value
    return body


def at(clock: str) -> str:
    """The stories' moment in the shop's own zone, as Shopify writes it: at("18:18:36") UTC."""
    return f"2026-11-21T{int(clock[:2]) - 5:02}{clock[2:]}-05:00"


def money_set(
    amount: str, currency: str = "USD", shown: str | None = None, shown_in: str | None = None
) -> Any:
    return {
        "shop_money": {"amount": amount, "currency_code": currency},
        "presentment_money": {"amount": shown or amount, "currency_code": shown_in or currency},
    }


def money(path: str, amount: str, currency: str = "USD") -> list[Edit]:
    return [(path, amount), (f"{path}_set", money_set(amount, currency))]


def tax(amount: str, currency: str = "USD") -> Any:
    price_set = money_set(amount, currency)
    return {"channel_liable": False, "price": amount, "price_set": price_set, "rate": 0.1, "title": "VAT"}


def share(amount: str, application: int = 0, currency: str = "USD") -> Any:
    return {
        "amount": amount,
        "amount_set": money_set(amount, currency),
        "discount_application_index": application,
    }


def line(
    path: str, number: int, price: str, quantity: int, taxes: list[Any], currency: str = "USD"
) -> list[Edit]:
    return [
        (f"{path}.id", number),
        (f"{path}.admin_graphql_api_id", f"gid://shopify/LineItem/{number}"),
        (f"{path}.quantity", quantity),
        (f"{path}.current_quantity", quantity),
        *money(f"{path}.price", price, currency),
        (f"{path}.tax_lines", taxes),
    ]


_ORDER = recording("orders/updated")
_REFUND = recording("refunds/create")
_LINES = [edited(each, []) for each in _ORDER["line_items"][:2]]
MUGS, COFFEE = 11, 12


def order(number: int, *more: list[Edit] | Edit) -> Any:
    """The common beginning: two mugs at 10.00, coffee at 19.99, shipping 7.50, 10 % tax on top; paid."""
    edits: list[Edit] = [
        ("id", number),
        ("admin_graphql_api_id", f"gid://shopify/Order/{number}"),
        ("name", f"#{number}"),
        ("email", "alice@example.test"),
        ("contact_email", "alice@example.test"),
        ("customer.id", 77),
        ("customer.admin_graphql_api_id", "gid://shopify/Customer/77"),
        ("customer.email", "alice@example.test"),
        ("test", False),
        ("financial_status", "paid"),
        ("cancelled_at", None),
        ("cancel_reason", None),
        ("created_at", at("18:18:36")),
        ("processed_at", at("18:18:39")),
        ("updated_at", at("18:18:40")),
        ("line_items", copy.deepcopy(_LINES)),
        *line("line_items.0", MUGS, "10.00", 2, [tax("2.00")]),
        *line("line_items.1", COFFEE, "19.99", 1, [tax("2.00")]),
        *money("shipping_lines.0.price", "7.50"),
        *money("shipping_lines.0.discounted_price", "7.50"),
        *money("shipping_lines.0.current_discounted_price", "7.50")[1:],
        ("shipping_lines.0.tax_lines", [tax("0.75")]),
        *money("total_line_items_price", "39.99"),
        *money("subtotal_price", "39.99"),
        *money("current_subtotal_price", "39.99"),
        *money("total_tax", "4.75"),
        *money("current_total_tax", "4.75"),
        *money("total_discounts", "0.00"),
        *money("total_price", "52.24"),
        *money("current_total_price", "52.24"),
        ("total_shipping_price_set", money_set("7.50")),
        ("total_outstanding", "0.00"),
    ]
    for each in more:
        edits += each if isinstance(each, list) else [each]
    return edited(_ORDER, edits)


def refund(number: int, order_id: int, clock: str, amount: str, *more: Edit, currency: str = "USD") -> Any:
    paid = [("id", number + 100), ("order_id", order_id), ("amount", amount), ("currency", currency)]
    edits: list[Edit] = [
        ("id", number),
        ("order_id", order_id),
        ("admin_graphql_api_id", f"gid://shopify/Refund/{number}"),
        ("created_at", at(clock)),
        ("processed_at", at(clock)),
        ("refund_line_items", []),
        ("transactions", [edited(_REFUND["transactions"][0], paid)]),
        *more,
    ]
    return edited(_REFUND, edits)


def refunded_line(line_id: int, quantity: int, subtotal: str, taxed: str, currency: str = "USD") -> Any:
    edits: list[Edit] = [
        ("id", line_id + 500),
        ("line_item_id", line_id),
        ("line_item.id", line_id),
        ("line_item.admin_graphql_api_id", f"gid://shopify/LineItem/{line_id}"),
        ("quantity", quantity),
        ("subtotal", float(subtotal)),
        ("subtotal_set", money_set(subtotal, currency)),
        ("total_tax", float(taxed)),
        ("total_tax_set", money_set(taxed, currency)),
    ]
    return edited(_REFUND["refund_line_items"][0], edits)


def beyond(amount: str, order_id: int, refund_id: int, currency: str = "USD") -> Any:
    """An adjustment as Shopify writes it: negative where the shopper got more than the lines come to."""
    return {
        "id": refund_id + 200,
        "order_id": order_id,
        "refund_id": refund_id,
        "amount": f"-{amount}",
        "amount_set": money_set(f"-{amount}", currency),
        "kind": "refund_discrepancy",
        "reason": "Refund discrepancy",
        "tax_amount": "0.00",
        "tax_amount_set": money_set("0.00", currency),
    }


def refunded_shipping(amount: str, taxed: str) -> Any:
    return {"id": 9300, "subtotal_amount_set": money_set(amount), "tax_amount_set": money_set(taxed)}


_SENT: Edit = ("fulfillment_status", "fulfilled")
_PARCEL: Edit = (
    "fulfillments",
    [
        {
            "id": 9400,
            "admin_graphql_api_id": "gid://shopify/Fulfillment/9400",
            "order_id": 4503,
            "created_at": at("18:18:41"),
            "updated_at": at("18:18:44"),  # a tracking number came later
            "status": "success",
            "name": "#4503.1",
            "service": "manual",
            "location_id": 655441491,
            "line_items": [],
            "origin_address": {},
            "receipt": {},
            "shipment_status": None,
            "tracking_company": None,
            "tracking_number": None,
            "tracking_numbers": [],
            "tracking_url": None,
            "tracking_urls": [],
        }
    ],
)


def _code(code: str, amount: str, kind: str, *shares: str) -> list[Edit]:
    return [
        ("discount_codes", [{"code": code, "amount": amount, "type": kind}]),
        *((f"line_items.{index}.discount_allocations", [share(each)]) for index, each in enumerate(shares)),
        *money("total_discounts", amount),
    ]


def _one_line(price: str, quantity: int, currency: str, taxes: list[Any]) -> list[Edit]:
    return [
        ("currency", currency),
        ("presentment_currency", currency),
        ("line_items", copy.deepcopy(_LINES[:1])),
        *line("line_items.0", MUGS, price, quantity, taxes, currency),
        ("shipping_lines", []),
    ]


FIXTURES: dict[str, Any] = {
    "orders-paid__paid": order(4501),
    "orders-create__unpaid": order(
        4502,
        ("financial_status", "pending"),
        ("processed_at", at("18:18:36")),
        ("updated_at", at("18:18:36")),
        ("total_outstanding", "52.24"),
    ),
    "orders-updated__part_refunded": order(
        4503,
        ("financial_status", "partially_refunded"),
        ("updated_at", at("18:18:48")),
        _SENT,
        _PARCEL,
        ("line_items.0.current_quantity", 1),
        (
            "refunds",
            [
                refund(9024, 4503, "18:18:46", "5.00", ("order_adjustments", [beyond("5.00", 4503, 9024)])),
                refund(
                    9025,
                    4503,
                    "18:18:48",
                    "11.00",
                    ("refund_line_items", [refunded_line(MUGS, 1, "10.00", "1.00")]),
                ),
            ],
        ),
    ),
    "orders-updated__all_refunded": order(
        4504,
        ("financial_status", "refunded"),
        ("updated_at", at("18:18:52")),
        _SENT,
        _PARCEL,
        ("line_items.0.current_quantity", 0),
        ("line_items.1.current_quantity", 0),
        (
            "refunds",
            [
                refund(
                    9026,
                    4504,
                    "18:18:52",
                    "52.24",
                    (
                        "refund_line_items",
                        [
                            refunded_line(MUGS, 2, "20.00", "2.00"),
                            refunded_line(COFFEE, 1, "19.99", "2.00"),
                        ],
                    ),
                    ("refund_shipping_lines", [refunded_shipping("7.50", "0.75")]),
                )
            ],
        ),
    ),
    "orders-cancelled__cancelled": order(
        4505,
        ("financial_status", "voided"),
        ("cancelled_at", at("18:19:02")),
        ("cancel_reason", "customer"),
        ("updated_at", at("18:19:02")),
    ),
    "orders-updated__edited": order(
        4506,
        ("line_items.0.quantity", 3),
        ("line_items.0.current_quantity", 3),
        ("line_items.0.tax_lines", [tax("3.00")]),
        ("updated_at", at("18:25:00")),
        *money("subtotal_price", "49.99"),
    ),
    "orders-paid__guest": order(
        4507,
        ("customer", None),
        ("email", "guest.person@example.test"),
        ("contact_email", "guest.person@example.test"),
    ),
    "orders-paid__with_our_code": order(4508, _code(OUR_CODE, "5.00", "fixed_amount", "2.50", "2.50")),
    "orders-paid__with_a_foreign_coupon": order(
        4509, _code(FOREIGN_CODE, "8.00", "percentage", "4.00", "4.00")
    ),
    "orders-paid__tax_included": order(
        4510, ("taxes_included", True), _one_line("110.00", 1, "USD", [tax("10.00")])
    ),
    "orders-paid__yen": order(4511, _one_line("1500", 2, "JPY", [])),
    "orders-paid__dinar": order(4512, _one_line("12.755", 1, "KWD", [])),
}


def written(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    for name, body in FIXTURES.items():
        (HERE / "fixtures" / f"{name}.json").write_text(written(body), "utf-8")


if __name__ == "__main__":
    main()
