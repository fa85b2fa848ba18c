"""Very many orders: Shopify gathers them itself by a bulk operation, whose file is read in parts."""

import json
import logging
from typing import Any, NamedTuple

import httpx
import msgspec
from msgspec import Struct

from app.domain.errors import Refused, Retryable
from connectors.base import OrderPage
from connectors.http import send
from connectors.shopify import codes, mapping
from connectors.shopify.client import orders
from connectors.shopify.client.admin_api import AdminApi, as_shape, errors_text

COUNT_ORDERS = """
query CountOrders($query: String!, $limit: Int!) { ordersCount(query: $query, limit: $limit) { count } }"""


def gather_orders(query: str) -> str:
    """What Shopify carries out by itself, without pages. A refund's lines cannot stand in it: they are a connection
    within a list. Source: shopify.dev, "Bulk operation restrictions"."""
    return f"""
{{ orders(query: {json.dumps(query)}) {{ edges {{ node {{ {orders.ORDER_ITSELF}
  lineItems {{ edges {{ node {{ {orders.LINE} }} }} }}
  shippingLines {{ edges {{ node {{ id {orders.SHIPPING} }} }} }}
}} }} }} }}"""


_GATHERING = "id status errorCode url query rootObjectCount"
GATHER = f"""
mutation Gather($query: String!) {{
  begun: bulkOperationRunQuery(query: $query, groupObjects: true) {{
    bulkOperation {{ {_GATHERING} }} userErrors {{ field message code }}
  }}
}}"""
FIND_GATHERINGS = f"""
query FindGatherings {{
  bulkOperations(first: 10, sortKey: CREATED_AT, reverse: true, query: "operation_type:query") {{
    nodes {{ {_GATHERING} }}
  }}
}}"""
READ_GATHERING = f"query ReadGathering($id: ID!) {{ bulkOperation(id: $id) {{ {_GATHERING} }} }}"

OPERATIONS = (
    *(COUNT_ORDERS, GATHER, FIND_GATHERINGS, READ_GATHERING),
    gather_orders("updated_at:>='2026-01-01'"),
)

_MANY_ORDERS = 1000  # by pages they are some 50 calls, and as many minutes of a small plan's allowance
_COUNTED = 10_000  # Shopify counts no further unless asked to
_LOOK_AGAIN_S = 15
_PART = 1024 * 1024  # bytes of what was gathered that are read at once: some 300 orders

_log = logging.getLogger(__name__)


class Unusable(Exception):
    """What Shopify gathered, or was to, is of no use: the orders are read by pages."""


_GATHERED = "gathered "  # no page's cursor begins so: they are base64


class _Place(NamedTuple):
    """Where we are in what Shopify gathers: the operation, bytes of its file, and orders told so far."""

    gid: str
    offset: int = 0
    orders: int = 0

    @property
    def cursor(self) -> str:
        return f"{_GATHERED}{self.gid} {self.offset} {self.orders}"

    @classmethod
    def of(cls, cursor: str) -> "_Place":
        gid, offset, count = cursor.removeprefix(_GATHERED).split(" ")
        return cls(gid, int(offset), int(count))


def begin(api: AdminApi, query: str) -> OrderPage | None:
    """None where there are not so many, or Shopify carries out enough for us already."""
    counted = api.data(COUNT_ORDERS, {"query": query, "limit": _COUNTED})
    count = as_shape(counted, _OrdersCount).orders_count.count
    if count <= _MANY_ORDERS:
        return None
    wanted = gather_orders(query)
    # One that a try without an answer began: it is this very run's, since the query names its moment.
    found = as_shape(api.data(FIND_GATHERINGS, {}), _Gatherings).bulk_operations.nodes
    ours = next((one for one in found if one.query == wanted), None)
    if ours is None:
        begun = as_shape(api.data(GATHER, {"query": wanted}), _Begun).begun
        if begun is None:
            raise Retryable("the shop did not say what became of it")
        if begun.bulk_operation is None:
            _log.info("no gathering shop=%s reason=%s", api.access.shop_key, errors_text(begun.user_errors))
            return None
        ours = begun.bulk_operation
    return OrderPage((), (), _Place(ours.id).cursor, wait_s=_LOOK_AGAIN_S, total=count)


def is_of(cursor: str) -> bool:
    """Whether a cursor is one of ours, and not a page's."""
    return cursor.startswith(_GATHERED)


def go_on(api: AdminApi, cursor: str) -> OrderPage | None:
    """The next part of what was gathered; None: it is of no use, begin with pages."""
    try:
        return _next_part(api, _Place.of(cursor))
    except Unusable as error:
        _log.warning("gathering given up shop=%s reason=%s", api.access.shop_key, error)
        return None


def _next_part(api: AdminApi, place: _Place) -> OrderPage:
    told = as_shape(api.data(READ_GATHERING, {"id": place.gid}), _Gathering).bulk_operation
    if told is None:
        raise Unusable("it is not known any more")
    if told.status in ("CREATED", "RUNNING"):
        return OrderPage((), (), place.cursor, wait_s=_LOOK_AGAIN_S)
    total = int(told.root_object_count)
    if told.status != "COMPLETED":  # what a broken-off one brought is not all of it
        raise Unusable(f"{told.status} {told.error_code or ''}")
    if told.url is None and total:
        raise Unusable("its file is gone")
    nodes, length = _part(api, told.url, place.offset) if told.url else ({}, None)
    end = place.orders + len(nodes)
    if length is None and end != total:
        raise Unusable(f"{end} orders of {total}")
    understood, held = orders.understand(api, nodes)
    onwards = None if length is None else _Place(place.gid, place.offset + length, end).cursor
    return OrderPage(tuple(understood), tuple(held), onwards, total=total)


def _part(api: AdminApi, url: str, offset: int) -> tuple[dict[str, Any], int | None]:
    """Whole orders of the file from `offset` on, by their ids, and how many bytes they are; None: the last ones.

    The address is signed for whoever has it: our token stays here.
    """
    wanted = {"range": f"bytes={offset}-{offset + _PART - 1}", "accept-encoding": "identity"}
    request = api.http.build_request("GET", url, headers=wanted)
    try:
        response = send(api.http, request, error_code=lambda _: None)
    except Refused as error:
        # 403 once the address has ended: that says nothing of our access to the shop.
        raise Unusable(error.detail) from error
    if response.status_code != httpx.codes.PARTIAL_CONTENT:
        raise Unusable("its file cannot be read in parts")
    total = response.headers.get("content-range", "").rpartition("/")[2]
    if not total.isdecimal():
        raise Unusable("nobody says how long its file is")
    return orders_in(response.content, is_end=offset + len(response.content) >= int(total))


def orders_in(file: bytes, *, is_end: bool) -> tuple[dict[str, Any], int | None]:
    """The orders of a part of a bulk operation's file, as a page would have told them, and their bytes.

    A line is an order, or one of its lines that follow it (`__parentId`). Unless it is the end (None), the last order
    is left for the next part: it may have lines there.

    Raises: Unusable.
    """
    nodes: dict[str, Any] = {}
    order: Any = None
    at = begins = 0
    for raw in file.splitlines(keepends=True):
        if not raw.endswith(b"\n") and not is_end:
            break
        line = _line_of(raw)
        parent = line.pop("__parentId", None)
        if parent is None:
            begins = at
            order = {
                **line,
                "lineItems": {"pageInfo": {"hasNextPage": False}, "nodes": []},
                "shippingLines": {"nodes": []},
            }
            nodes[str(mapping.ref(line["id"]))] = order
        elif order is None or parent != order["id"]:
            raise Unusable("its lines do not stand together")
        else:
            kind = "shippingLines" if line["id"].startswith("gid://shopify/ShippingLine/") else "lineItems"
            order[kind]["nodes"].append(line)
        at += len(raw)
    if not is_end:
        if not begins:
            raise Unusable("one order is longer than we read at once")
        nodes.pop(str(mapping.ref(order["id"])))
    # Each order has a line, were it removed again: one without is torn from them, and must not be counted as nothing.
    if not all(node["lineItems"]["nodes"] for node in nodes.values()):
        raise Unusable("its lines do not stand together")
    return nodes, None if is_end else begins


def _line_of(raw: bytes) -> dict[str, Any]:
    try:
        line = msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Unusable("its file is no JSONL") from error
    if not isinstance(line.get("id"), str):
        raise Unusable("its file has a line without an id")
    return line


class _Count(Struct, frozen=True):
    count: int


class _OrdersCount(Struct, frozen=True, rename="camel"):
    orders_count: _Count


class _BulkOperation(Struct, frozen=True, kw_only=True, rename="camel"):
    id: str
    status: str
    error_code: str | None
    url: str | None
    query: str
    root_object_count: str  # a number as text


class _Gathering(Struct, frozen=True, rename="camel"):
    bulk_operation: _BulkOperation | None


class _GatheringNodes(Struct, frozen=True):
    nodes: tuple[_BulkOperation, ...]


class _Gatherings(Struct, frozen=True, rename="camel"):
    bulk_operations: _GatheringNodes


class _GatheringBegun(Struct, frozen=True, rename="camel"):
    bulk_operation: _BulkOperation | None
    user_errors: tuple[codes.UserError, ...]


class _Begun(Struct, frozen=True):
    begun: _GatheringBegun | None
