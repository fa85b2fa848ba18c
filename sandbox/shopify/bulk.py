"""Bulk operations: a query that the shop carries out by itself, its result a file of lines behind a signed address."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError
from graphql.language import FieldNode

from sandbox.shopify.schema import checked, root_fields
from sandbox.shopify.state import gid

if TYPE_CHECKING:
    from sandbox.shopify.shop import Shop

CarryOut = Callable[["Shop", str], list[dict[str, Any]]]
"""What the query's one connection holds, whole."""

MOST_AT_ONCE = 5
_CONNECTIONS, _LEVELS = 5, 2


@dataclass(slots=True, kw_only=True)
class Operation:
    id: int
    query: str
    created: datetime
    ends_at: datetime
    ending: str  # what it ends as: COMPLETED, FAILED, CANCELED, EXPIRED
    error: str = "INTERNAL_SERVER_ERROR"
    lines: list[str] = field(default_factory=list)
    roots: int = 0
    gone: bool = False  # its address has ended

    def status(self, now: datetime) -> str:
        return self.ending if now >= self.ends_at else "RUNNING"

    @property
    def file(self) -> bytes:
        return "".join(f"{line}\n" for line in self.lines).encode()


@dataclass(slots=True, kw_only=True)
class Bulk:
    """What the shop carries out for this app, and how the next one goes."""

    takes: timedelta = timedelta(seconds=40)
    ending: str = "COMPLETED"
    grouped: bool = True  # a parent's lines follow it
    in_parts: bool = True  # the file's host answers a range
    operations: dict[int, Operation] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)  # the ranges that were asked for


def run(shop: "Shop", query: str, *, grouped: bool, carry_out: CarryOut) -> dict[str, Any]:
    bulk, now = shop.bulk, shop.clock()
    busy = [one for one in bulk.operations.values() if one.status(now) == "RUNNING"]
    if len(busy) >= MOST_AT_ONCE:
        return _refused("Bulk operations limit reached. Please try again later.", "LIMIT_REACHED")
    if wrong := _wrong(query):
        return _refused(wrong, "INVALID")
    made = Operation(id=shop.new_id(), query=query, created=now, ends_at=now + bulk.takes, ending=bulk.ending)
    try:
        told = carry_out(shop, query)
    except GraphQLError as error:  # a field that the app may not read ends it
        told, made.ending = [], "FAILED"
        made.error = str((error.extensions or {}).get("code", made.error))
    made.roots = len(told)
    parents: list[str] = []
    children: list[str] = []
    for order in told:
        for line in _lines(order):
            (children if "__parentId" in line else parents).append(json.dumps(line))
            if grouped and bulk.grouped:
                made.lines.append(json.dumps(line))
    if not (grouped and bulk.grouped):
        made.lines = [*parents, *children]
    bulk.operations[made.id] = made
    return {"bulkOperation": told_of(shop, made), "userErrors": []}


def told_of(shop: "Shop", one: Operation) -> dict[str, Any]:
    status = one.status(shop.clock())
    done = status == "COMPLETED"
    return {
        "__typename": "BulkOperation",
        "id": gid("BulkOperation", one.id),
        "status": status,
        "errorCode": one.error if status == "FAILED" else None,
        "url": f"{shop.url}/bulk/{one.id}.jsonl?signature=x" if done and one.lines else None,
        "partialDataUrl": f"{shop.url}/bulk/{one.id}.jsonl" if status == "FAILED" else None,
        "query": one.query,
        "rootObjectCount": str(one.roots if done else 0),
        "objectCount": str(len(one.lines) if done else 0),
    }


def find(shop: "Shop", args: dict[str, Any]) -> dict[str, Any]:
    newest = sorted(shop.bulk.operations.values(), key=lambda one: one.id, reverse=True)
    return {"nodes": [told_of(shop, one) for one in newest[: args["first"]]]}


def find_one(shop: "Shop", identity: str) -> dict[str, Any] | None:
    found = shop.bulk.operations.get(int(identity.rpartition("/")[2]))
    return told_of(shop, found) if found else None


def part_of(shop: "Shop", number: int, asked: str) -> tuple[int, bytes, dict[str, str]]:
    """(status, body, headers) of the file behind the address."""
    found = shop.bulk.operations.get(number)
    if found is None or found.gone:
        return 403, b"<Error><Code>ExpiredToken</Code></Error>", {}
    shop.bulk.read.append(asked)
    match = re.fullmatch(r"bytes=(\d+)-(\d+)", asked)
    if match is None or not shop.bulk.in_parts:
        return 200, found.file, {}
    first, last = int(match[1]), min(int(match[2]), len(found.file) - 1)
    if first > last:
        return 416, b"", {"Content-Range": f"bytes */{len(found.file)}"}
    return 206, found.file[first : last + 1], {"Content-Range": f"bytes {first}-{last}/{len(found.file)}"}


def _lines(node: dict[str, Any], parent: str | None = None) -> Iterator[dict[str, Any]]:
    inner = {name: one for name, one in node.items() if isinstance(one, dict) and "edges" in one}
    told = {name: one for name, one in node.items() if name not in inner}
    yield told if parent is None else {**told, "__parentId": parent}
    for one in inner.values():
        for edge in one["edges"]:
            yield from _lines(edge["node"], node["id"])


def _wrong(query: str) -> str | None:
    """Shopify's rules for a query without pages, as far as they can be told from its text."""
    try:
        document, errors = checked(query)
    except GraphQLError as error:
        return error.message
    if errors:
        return errors[0].message
    if len(root_fields(document, None)) != 1:
        return "Bulk queries must have exactly one top-level field."
    found = list(_connections(document.definitions[0], 0, inside_list=False))
    if not found:
        return "Bulk queries must contain at least one connection."
    if len(found) > _CONNECTIONS or max(level for level, _ in found) > _LEVELS:
        return "Bulk queries cannot contain more than 5 connections, nor nest them more than 2 deep."
    if any(inside for _, inside in found):
        return "Queries that contain a connection field within a list field are not currently supported."
    return None


_LISTS = frozenset({"refunds", "fulfillments", "taxLines", "discountAllocations"})


def _connections(node: Any, level: int, *, inside_list: bool) -> Iterator[tuple[int, bool]]:
    for one in node.selection_set.selections if node.selection_set else ():
        names = {
            inner.name.value
            for inner in (one.selection_set.selections if one.selection_set else ())
            if isinstance(inner, FieldNode)
        }
        is_connection = bool(names & {"edges", "nodes"})
        if is_connection:
            yield level + 1, inside_list
        is_list = isinstance(one, FieldNode) and one.name.value in _LISTS
        yield from _connections(one, level + is_connection, inside_list=inside_list or is_list)


def _refused(message: str, code: str) -> dict[str, Any]:
    return {"bulkOperation": None, "userErrors": [{"field": ["query"], "message": message, "code": code}]}
