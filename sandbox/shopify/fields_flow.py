"""Shopify Flow, as an app meets it: triggers that begin workflows, where a merchant has switched any on."""

import json
from typing import Any

from sandbox.shopify.shop import Shop

_LONGEST = 50_000  # bytes of a payload


def receive(shop: Shop, args: dict[str, Any]) -> dict[str, Any]:
    """Kept in `flow_runs` where a workflow begins with it; without one it is taken, and nothing comes of it."""
    handle, payload = args.get("handle"), args.get("payload")
    fields = shop.flow_triggers.get(handle or "")
    if fields is None:
        return _refused("handle", f"No trigger of the handle {handle} was found.")
    if len(json.dumps(payload).encode()) > _LONGEST:
        return _refused("payload", "The payload is larger than 50 KB.")
    if not isinstance(payload, dict) or set(payload) != set(fields):
        return _refused("payload", f"The payload needs exactly: {', '.join(sorted(fields))}")
    if payload["customer_id"] not in shop.customers:
        return _refused("payload", "Customer does not exist.")
    if handle in shop.flow_enabled:
        shop.flow_runs.append((handle, payload))
    return {"userErrors": []}


def _refused(field: str, message: str) -> dict[str, Any]:
    return {"userErrors": [{"field": [field], "message": message}]}
