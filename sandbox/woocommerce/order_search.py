"""Which orders a list asks for: status, include, times; recorded oddities of times and trash included."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import request

from sandbox.woocommerce.shop import Shop
from sandbox.woocommerce.state import STATUSES, Order
from sandbox.woocommerce.wire import invalid_param

_KNOWN = ("any", "trash", "auto-draft", *STATUSES)


def wanted_orders(shop: Shop) -> list[Order]:
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
        wanted = ids_of("include")
        tests.append(lambda order: order.id in wanted)
    if request.args.get("customer"):
        tests.append(lambda order: str(order.customer_id) == request.args["customer"])
    if request.args.get("search"):
        word = request.args["search"].lower()
        tests.append(lambda order: _mentions(order, word))
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


def _mentions(order: Order, word: str) -> bool:
    """The number exactly; else part of an address or of any item's name, a coupon's code among them (seen on a
    real store with HPOS storage)."""
    items = [line.product.name for line in order.lines] + [used.coupon.code for used in order.coupons]
    items += [extra.title for extra in (*order.shipping, *order.fees)]
    texts = (*items, *order.billing.values(), *order.shipping_address.values())
    return word == str(order.id) or any(word in text.lower() for text in texts)


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


def ids_of(name: str) -> set[int]:
    return {int(part) for part in _many(name)}
