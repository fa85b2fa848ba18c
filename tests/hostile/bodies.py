"""Webhook bodies that no shop should send: made by hand from real ones, and mutated at random from a seed."""

import copy
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONNECTORS = Path(__file__).parents[1] / "connectors"


@dataclass(frozen=True, slots=True)
class Hostile:
    """`name` says what is wrong with it; `platform` and `topic`: how it comes."""

    name: str
    platform: str
    topic: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Real:
    """A body as its platform wrote it."""

    platform: str
    topic: str
    body: bytes


def real_bodies() -> list[Real]:
    """Recorded deliveries of WooCommerce and Shopify's own samples."""
    found = []
    for path in sorted((CONNECTORS / "woocommerce" / "recordings").glob("*.json")):
        recording = json.loads(path.read_text())
        topic = {name.lower(): value for name, value in recording["headers"]}.get("x-wc-webhook-topic")
        if topic:
            found.append(Real("woocommerce", topic, recording["body_text"].encode()))
    for path in sorted((CONNECTORS / "shopify" / "recordings").glob("*.json")):
        topic = path.name.split(".")[0].replace("__", "/").replace("customer-", "customer.")
        found.append(Real("shopify", topic, path.read_bytes()))
    return found


# --- By hand -----------------------------------------------------------------------------------------------

# Each is put in place of each field below, as it stands: what JSON allows and what only Python's does.
VALUES: dict[str, str] = {
    "null": "null",
    "true": "true",
    "false": "false",
    "empty text": '""',
    "spaces": '"   "',
    "a word": '"abc"',
    "minus one": "-1",
    "minus zero": "-0",
    "a float": "1.5",
    "NaN": "NaN",
    "Infinity": "Infinity",
    "minus Infinity": "-Infinity",
    "NaN as text": '"NaN"',
    "Infinity as text": '"Infinity"',
    "1e400": "1e400",
    "1e400 as text": '"1e400"',
    "beyond bigint": str(2**63),
    "beyond bigint as text": f'"{2**63}"',
    "a number of 5,000 digits": "9" * 5000,
    "5,000 digits as text": f'"{"9" * 5000}"',
    "digits of another script": '"١٢٣"',
    "underscores": '"1_000"',
    "a plus": '"+5.00"',
    "a comma": '"5,00"',
    "hexadecimal": '"0x10"',
    "too many decimals": '"5.0000000001"',
    "NUL": '"\\u0000"',
    "half of a pair": '"\\ud800"',
    "both halves turned round": '"\\udc00\\ud800"',
    "a list": "[]",
    "a list of itself": "[[[[[]]]]]",
    "a mapping": "{}",
    "text of 200,000 letters": f'"{"x" * 200_000}"',
    "a script": '"<script>alert(1)</script>"',
    "a formula": '"=HYPERLINK(\\"https://x.example\\")"',
    "SQL": '"\'; DROP TABLE entries; --"',
    "turned text": '"\\u202egnp.exe"',
    "the 30th of February": '"2026-02-30T10:00:00"',
    "the year 0": '"0000-00-00T00:00:00"',
    "the year 99999": '"99999-01-01T00:00:00"',
    "nearly the end of time": '"9998-12-31T00:00:00Z"',
    "long before": '"0002-01-01T00:00:00Z"',
    "an exponent that overflows": "1e99999999999999999999",
    "the end of time": '"9999-12-31T23:59:59-12:00"',
    "before all time": '"0001-01-01T00:00:00+14:00"',
}

# A path into the body, by keys and places.
FIELDS: dict[tuple[str, str], tuple[tuple[str | int, ...], ...]] = {
    ("woocommerce", "order.updated"): (
        ("id",), ("number",), ("status",), ("currency",), ("total",), ("customer_id",), ("date_created_gmt",),
        ("date_modified_gmt",), ("date_paid_gmt",), ("date_completed_gmt",), ("prices_include_tax",),
        ("line_items",), ("line_items", 0), ("line_items", 0, "id"), ("line_items", 0, "product_id"),
        ("line_items", 0, "quantity"), ("line_items", 0, "total"), ("line_items", 0, "total_tax"),
        ("line_items", 0, "subtotal"), ("fee_lines",), ("refunds",), ("coupon_lines",), ("billing",),
        ("billing", "email"), ("customer_note",), ("meta_data",), ("shipping_total",), ("tax_lines",),
    ),
    ("shopify", "orders/updated"): (
        ("id",), ("admin_graphql_api_id",), ("name",), ("financial_status",), ("fulfillment_status",), ("currency",),
        ("total_price",), ("current_total_price",), ("created_at",), ("processed_at",), ("updated_at",),
        ("cancelled_at",), ("customer",), ("customer", "id"), ("email",), ("line_items",), ("line_items", 0),
        ("line_items", 0, "id"), ("line_items", 0, "price"), ("line_items", 0, "quantity"),
        ("line_items", 0, "product_id"), ("line_items", 0, "discount_allocations"), ("line_items", 0, "gift_card"),
        ("refunds",), ("discount_codes",), ("shipping_lines",), ("taxes_included",), ("test",), ("tags",),
    ),
}  # fmt: skip

RAW: dict[str, bytes] = {
    "nothing": b"",
    "a space": b" ",
    "a brace": b"{",
    "half an order": b'{"id": 1, "number": "1", "stat',
    "two orders": b'{"id": 1}{"id": 2}',
    "null": b"null",
    "true": b"true",
    "a number": b"1",
    "a list": b"[]",
    "text": b'"order"',
    "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "a form": b"id=1&total=5.00",
    "HTML": b"<html><body>502 Bad Gateway</body></html>",
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
    "UTF-16": '{"id": 1}'.encode("utf-16"),
    "UTF-32": '{"id": 1}'.encode("utf-32"),
    "Latin-1": '{"id": 1, "number": "é"}'.encode("latin-1"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "NUL bytes": b"\x00" * 100,
    "a cut letter": b'{"number": "\xc3',
    "an overlong slash": b'{"number": "\xc0\xaf"}',
    "a list 100,000 deep": b"[" * 100_000,
    "a mapping 50,000 deep": b'{"a":' * 50_000,
    "a closed list 100,000 deep": b"[" * 100_000 + b"]" * 100_000,
    "60,000 keys": json.dumps({f"k{number}": 0 for number in range(60_000)}).encode(),
    "one key twice": b'{"id": 1, "id": 2}',
    "prototype pollution": b'{"__proto__": {"id": 1}, "constructor": {"prototype": {"id": 1}}}',
    "a comment": b'{"id": 1 /* one */}',
    "single quotes": b"{'id': 1}",
    "a comma at the end": b'{"id": 1,}',
    "an error object": b'{"code": "woocommerce_rest_cannot_view", "message": "x", "data": {"status": 401}}',
    "a PHP notice before it": b'<br />\n<b>Notice</b>: undefined index in x.php on line 1<br />\n{"id": 1}',
    "unescaped control letters": b'{"number": "\x01\x02"}',
    "a line separator": '{"number": "\u2028"}'.encode(),
}


def hand_made() -> Iterator[Hostile]:
    """Every raw body on both platforms, and every value in every field of a real order."""
    for platform, topic in FIELDS:
        for name, raw in RAW.items():
            yield Hostile(f"{platform}: {name}", platform, topic, raw)
    for (platform, topic), paths in FIELDS.items():
        order = _order(platform, topic)
        for path in paths:
            where = ".".join(map(str, path))
            yield Hostile(f"{platform}: {where} missing", platform, topic, _without(order, path))
            for name, value in VALUES.items():
                yield Hostile(f"{platform}: {where} is {name}", platform, topic, _with(order, path, value))


def _order(platform: str, topic: str) -> dict[str, Any]:
    """The richest real order of the platform."""
    bodies = [one.body for one in real_bodies() if (one.platform, one.topic) == (platform, topic)]
    found: dict[str, Any] = json.loads(max(bodies, key=len))
    return found


_MARK = "\u0001put it here\u0001"


def _with(order: dict[str, Any], path: Sequence[str | int], value: str) -> bytes:
    changed = copy.deepcopy(order)
    _parent(changed, path)[path[-1]] = _MARK
    return json.dumps(changed).replace(json.dumps(_MARK), value).encode("utf-8", "surrogatepass")


def _without(order: dict[str, Any], path: Sequence[str | int]) -> bytes:
    changed = copy.deepcopy(order)
    parent, last = _parent(changed, path), path[-1]
    if isinstance(last, int):
        del parent[last]
    else:
        parent.pop(last, None)
    return json.dumps(changed).encode()


def _parent(order: Any, path: Sequence[str | int]) -> Any:
    for step in path[:-1]:
        order = order[step]
    return order


# --- At random ---------------------------------------------------------------------------------------------


def mutated(seed: int, count: int) -> Iterator[Hostile]:
    """Real bodies with one to four changes each: bits, bytes, pieces, values, keys. The same for the same seed."""
    dice = random.Random(seed)  # noqa: S311 - to be had again from its seed
    real = real_bodies()
    for number in range(count):
        one = dice.choice(real)
        body = one.body
        for _ in range(dice.randint(1, 4)):
            body = dice.choice(_CHANGES)(dice, body)
        topic = one.topic if dice.random() < 0.9 else dice.choice(real).topic
        yield Hostile(f"seed {seed}, number {number}", one.platform, topic, body[: 1024 * 1024])


def _flip(dice: random.Random, body: bytes) -> bytes:
    if not body:
        return b"\xff"
    place = dice.randrange(len(body))
    return body[:place] + bytes([body[place] ^ (1 << dice.randrange(8))]) + body[place + 1 :]


def _cut(dice: random.Random, body: bytes) -> bytes:
    first, last = sorted(dice.randrange(len(body) + 1) for _ in range(2))
    return body[:first] + body[last:]


def _repeat(dice: random.Random, body: bytes) -> bytes:
    first, last = sorted(dice.randrange(len(body) + 1) for _ in range(2))
    piece = body[first : min(last, first + 2000)]
    return body[:last] + piece * dice.choice([1, 2, 50]) + body[last:]


def _insert(dice: random.Random, body: bytes) -> bytes:
    place = dice.randrange(len(body) + 1)
    return body[:place] + dice.choice(_PIECES) + body[place:]


def _change_a_value(dice: random.Random, body: bytes) -> bytes:
    try:
        whole = json.loads(body)
    except (ValueError, RecursionError):
        return _flip(dice, body)
    spots = list(_spots(whole))
    if not spots:
        return _flip(dice, body)
    parent, key = dice.choice(spots)
    parent[key] = _MARK
    text = json.dumps(whole, ensure_ascii=dice.random() < 0.5)
    value = dice.choice(list(VALUES.values()))
    if dice.random() < 0.3:
        other, other_key = dice.choice(spots)
        value = json.dumps(other[other_key]) if other[other_key] != _MARK else value
    return text.replace(json.dumps(_MARK), value, 1).encode("utf-8", "surrogatepass")


def _drop_a_key(dice: random.Random, body: bytes) -> bytes:
    try:
        whole = json.loads(body)
    except (ValueError, RecursionError):
        return _cut(dice, body)
    spots = list(_spots(whole))
    if not spots:
        return _cut(dice, body)
    parent, key = dice.choice(spots)
    del parent[key]
    return json.dumps(whole).encode("utf-8", "surrogatepass")


def _spots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) in a parsed body."""
    if isinstance(value, dict | list):
        for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key
            yield from _spots(inner)


_PIECES: tuple[bytes, ...] = (
    b"\x00", b"\xff", b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\\u0000", b"\\ud800", b"NaN", b"null", b"-",
    b"1e999", b"e99999999999999999999", b"9" * 400, b"[" * 2000, b"\xf0\x9f\x8d\x80", "\u202e".encode(), b"'", b";--",
    b"<script>alert(1)</script>",
)  # fmt: skip
_CHANGES = (_flip, _cut, _repeat, _insert, _change_a_value, _change_a_value, _drop_a_key)
