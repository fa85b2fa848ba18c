"""Orders as the Admin API tells them: by id, by when they changed, by a code, and in digests."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from app.domain.errors import AccessLost, Refused, Retryable
from app.domain.orders import OrderSnapshot
from connectors.base import Absent, OrderDigest, OrderPage
from connectors.decoding import in_utc
from connectors.shopify import codes, mapping, payloads
from connectors.shopify.client import issuing
from connectors.shopify.client.admin_api import (
    AdminApi,
    TooCostly,
    as_shape,
    moment_text,
    next_page,
    spoiled_places,
)

_MONEY = "shopMoney { amount currencyCode }"
LINE = f"""
    id quantity currentQuantity isGiftCard requiresShipping taxable vendor
    product {{ id }} variant {{ id }} sellingPlan {{ sellingPlanId }}
    originalUnitPriceSet {{ {_MONEY} }}
    taxLines(first: 20) {{ priceSet {{ {_MONEY} }} }}
    discountAllocations {{ allocatedAmountSet {{ {_MONEY} }} }}"""
_LINES = f"pageInfo {{ hasNextPage endCursor }} nodes {{ {LINE} }}"
SHIPPING = f"discountedPriceSet {{ {_MONEY} }} taxLines {{ priceSet {{ {_MONEY} }} }}"
ORDER_ITSELF = f"""
  id name email currencyCode presentmentCurrencyCode taxesIncluded displayFinancialStatus displayFulfillmentStatus
  createdAt processedAt cancelledAt updatedAt test discountCodes sourceName tags
  totalTipReceivedSet {{ {_MONEY} }}
  customer {{ id }}
  refunds(first: 100) {{ id }}
  fulfillments(first: 20) {{ createdAt status }}"""
_ORDER = f"""{ORDER_ITSELF}
  lineItems(first: 20) {{ {_LINES} }}
  shippingLines(first: 10) {{ nodes {{ {SHIPPING} }} }}"""
_REFUNDED_LINES = f"""
  pageInfo {{ hasNextPage endCursor }}
  nodes {{ quantity subtotalSet {{ {_MONEY} }} totalTaxSet {{ {_MONEY} }} lineItem {{ id }} }}"""

READ_ORDERS = f"query ReadOrders($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Order {{ {_ORDER} }} }} }}"
MORE_LINES = f"""
query MoreLines($id: ID!, $after: String) {{
  node(id: $id) {{ ... on Order {{ lineItems(first: 100, after: $after) {{ {_LINES} }} }} }}
}}"""
READ_REFUNDS = f"""
query ReadRefunds($ids: [ID!]!) {{
  nodes(ids: $ids) {{
    ... on Refund {{
      id createdAt processedAt
      refundLineItems(first: 20) {{ {_REFUNDED_LINES} }}
      refundShippingLines(first: 10) {{
        nodes {{ subtotalAmountSet {{ {_MONEY} }} taxAmountSet {{ {_MONEY} }} }}
      }}
      orderAdjustments(first: 10) {{ nodes {{ amountSet {{ {_MONEY} }} }} }}
      transactions(first: 10) {{ nodes {{ kind status amountSet {{ {_MONEY} }} }} }}
      duties {{ amountSet {{ {_MONEY} }} }}
    }}
  }}
}}"""
MORE_REFUNDED_LINES = f"""
query MoreRefundedLines($id: ID!, $after: String) {{
  node(id: $id) {{ ... on Refund {{ refundLineItems(first: 100, after: $after) {{ {_REFUNDED_LINES} }} }} }}
}}"""
FIND_ORDERS = f"""
query FindOrders($query: String!, $first: Int!, $after: String, $sort: OrderSortKeys!, $reverse: Boolean!) {{
  orders(first: $first, after: $after, query: $query, sortKey: $sort, reverse: $reverse) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ {_ORDER} }}
  }}
}}"""
DIGEST_ORDERS = f"""
query DigestOrders($ids: [ID!]!) {{
  nodes(ids: $ids) {{ ... on Order {{
    id updatedAt customer {{ id }} refunds(first: 100) {{ id totalRefundedSet {{ {_MONEY} }} }}
  }} }}
}}"""

OPERATIONS = (READ_ORDERS, MORE_LINES, READ_REFUNDS, MORE_REFUNDED_LINES, FIND_ORDERS, DIGEST_ORDERS)

_ORDERS_AT_ONCE = 10
_REFUNDS_AT_ONCE = 10
_DIGESTS_AT_ONCE = 50

_log = logging.getLogger(__name__)


def read_orders(api: AdminApi, order_refs: Sequence[str]) -> Mapping[str, OrderSnapshot | Absent]:
    found: dict[str, OrderSnapshot | Absent] = {}
    nodes: dict[str, Any] = {}
    for order_ref, node in api.nodes(READ_ORDERS, "Order", order_refs, _ORDERS_AT_ONCE):
        if isinstance(node, Absent):
            found[order_ref] = node
        else:
            nodes[order_ref] = node
    understood, held = understand(api, nodes)
    for order_ref, reason in held:
        _log.warning("order unreadable shop=%s order=%s reason=%s", api.access.shop_key, order_ref, reason)
        found[order_ref] = Absent.UNREADABLE
    return found | {order.order_ref: order for order in understood}


def order_digests(api: AdminApi, order_refs: Sequence[str]) -> Mapping[str, OrderDigest | Absent]:
    digests: dict[str, OrderDigest | Absent] = {}
    for order_ref, node in api.nodes(DIGEST_ORDERS, "Order", order_refs, _DIGESTS_AT_ONCE):
        digests[order_ref] = node if isinstance(node, Absent) else _digest(as_shape(node, _DigestNode))
    return digests


def orders_with_code(api: AdminApi, code: str) -> Sequence[OrderSnapshot]:
    """As `ShopClient` says. Shopify searches an order's first code only: of a code that may stand beside others
    all orders of its customer are looked through."""
    node = issuing.find_discount(api, code)
    query = f"discount_code:'{_quoted(code)}'"
    if node and codes.may_stand_second(node.code_discount):
        found = codes.found_code(node, None)
        starts = node.code_discount.starts_at
        if found.customer_ref and starts:
            query = f"customer_id:{found.customer_ref} AND created_at:>='{moment_text(starts)}'"
    found_orders: list[OrderSnapshot] = []
    cursor: str | None = None
    while True:
        page = read_page(api, query, cursor, sort="CREATED_AT", reverse=True)
        if page.held:
            raise Retryable(
                f"order {page.held[0][0]} may have used the code and cannot be read: {page.held[0][1]}"
            )
        found_orders += [
            order for order in page.orders if code.casefold() in map(str.casefold, order.codes_used)
        ]
        if (cursor := page.cursor) is None:
            return found_orders


def read_page(api: AdminApi, query: str, cursor: str | None, *, sort: str, reverse: bool) -> OrderPage:
    page, spoiled = _raw_page(api, {"query": query, "after": cursor, "sort": sort, "reverse": reverse})
    nodes = {str(mapping.ref(node["id"])): node for node in page.nodes}
    held = [(order_ref, spoiled[index]) for index, order_ref in enumerate(nodes) if index in spoiled]
    for order_ref, _ in held:
        del nodes[order_ref]
    understood, not_understood = understand(api, nodes)
    return OrderPage(tuple(understood), (*held, *not_understood), next_page(page.page_info))


def _raw_page(api: AdminApi, variables: Mapping[str, Any]) -> "tuple[_OrderNodes, Mapping[int, str]]":
    """A page as told, and why single orders of it (by place) are not to be believed."""
    for first in (20, 10, 5, 2, 1):
        try:
            answer = api.ask(FIND_ORDERS, {**variables, "first": first})
        except TooCostly:
            continue
        spoiled = spoiled_places(answer, depth=("orders", "nodes"))
        page = as_shape(answer.data, _OrdersAnswer).orders
        if any(node is None for node in page.nodes):
            raise Retryable("the shop could not read one of its orders")
        return page, spoiled
    raise Refused("too_costly", "a single order costs more than Shopify answers at once")


def understand(api: AdminApi, nodes: Mapping[str, Any]) -> tuple[list[OrderSnapshot], list[tuple[str, str]]]:
    """The nodes as snapshots, with all their lines and refunds; and which were not understood, and why."""
    told: dict[str, payloads.ApiOrder] = {}
    held: list[tuple[str, str]] = []
    for order_ref, node in nodes.items():
        try:
            told[order_ref] = as_shape(node, payloads.ApiOrder)
        except Refused as error:
            held.append((order_ref, f"{error.code}: {error.detail}"))
    refunds = _refunds(api, [refund.id for order in told.values() for refund in order.refunds])
    understood = []
    for order_ref, order in told.items():
        try:
            of_order = [refunds[refund.id] for refund in order.refunds]
            lines = _all_lines(api, order)
            understood.append(mapping.snapshot(mapping.told_by_api(order, lines, of_order)))
        except AccessLost:
            raise
        except (Refused, KeyError) as error:
            reason = (
                f"{error.code}: {error.detail}" if isinstance(error, Refused) else "a refund is unreadable"
            )
            held.append((order_ref, reason))
    return understood, held


def _all_lines(api: AdminApi, order: payloads.ApiOrder) -> list[payloads.ApiLine]:
    lines, page = list(order.line_items.nodes), order.line_items.page_info
    while after := next_page(page):
        more = as_shape(api.data(MORE_LINES, {"id": order.id, "after": after}), _MoreLines).node.line_items
        lines += more.nodes
        page = more.page_info
    return lines


def _refunds(
    api: AdminApi, gids: Sequence[str]
) -> Mapping[str, tuple[payloads.ApiRefund, Sequence[payloads.ApiRefundedLine]]]:
    """Each refund with all its lines, by gid; those that cannot be read are left out."""
    read: dict[str, tuple[payloads.ApiRefund, Sequence[payloads.ApiRefundedLine]]] = {}
    refs = [str(mapping.ref(gid)) for gid in gids]
    for _, node in api.nodes(READ_REFUNDS, "Refund", refs, _REFUNDS_AT_ONCE):
        if isinstance(node, Absent):
            continue
        refund = as_shape(node, payloads.ApiRefund)
        lines, page = list(refund.refund_line_items.nodes), refund.refund_line_items.page_info
        while after := next_page(page):
            told = api.data(MORE_REFUNDED_LINES, {"id": refund.id, "after": after})
            more = as_shape(told, _MoreRefundedLines).node.refund_line_items
            lines += more.nodes
            page = more.page_info
        read[refund.id] = refund, lines
    return read


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _digest(node: "_DigestNode") -> OrderDigest:
    return OrderDigest(
        order_ref=str(mapping.ref(node.id)),
        updated_at=in_utc(node.updated_at),
        gone=False,
        refunds={
            str(mapping.ref(each.id)): each.total_refunded_set.shop_money.amount for each in node.refunds
        },
        customer_ref=str(mapping.ref(node.customer.id)) if node.customer else None,
    )


class _OrderNodes(Struct, frozen=True, rename="camel"):
    page_info: payloads.ApiPage
    nodes: tuple[Any, ...]


class _OrdersAnswer(Struct, frozen=True):
    orders: _OrderNodes


class _LinesOf(Struct, frozen=True, rename="camel"):
    line_items: payloads.ApiLines


class _MoreLines(Struct, frozen=True):
    node: _LinesOf


class _RefundedLinesOf(Struct, frozen=True, rename="camel"):
    refund_line_items: payloads.ApiRefundedLines


class _MoreRefundedLines(Struct, frozen=True):
    node: _RefundedLinesOf


class _DigestRefund(Struct, frozen=True, rename="camel"):
    id: str
    total_refunded_set: payloads.ApiMoneyBag


class _DigestNode(Struct, frozen=True, rename="camel"):
    id: str
    updated_at: payloads.Moment
    refunds: tuple[_DigestRefund, ...]
    customer: payloads.ApiNode | None
