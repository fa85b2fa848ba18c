"""Metafields and tags of customers, by GraphQL: definitions, values that fit them, all or nothing, 25 at a time."""

import re
from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError

from sandbox.shopify.paging import connection
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Customer, Definition

_MOST = 25
_APP = "app--548380"  # what `$app` stands for, in answers
_VALUE = {"number_integer": re.compile(r"-?\d{1,16}"), "single_line_text_field": re.compile(r"[^\n]+")}
_NO_OWNER = "Owner does not exist."


def find_metafields(_: Shop, customer: Customer, args: dict[str, Any]) -> dict[str, Any]:
    wanted = _full(args["namespace"]) if args.get("namespace") else None
    rows = [
        {"namespace": namespace, "key": key, "value": value}
        for (namespace, key), value in sorted(customer.metafields.items())
        if wanted in (None, namespace)
    ]
    return connection(rows, args)


def define(shop: Shop, wanted: dict[str, Any]) -> dict[str, Any]:
    name = (_full(wanted.get("namespace") or "$app"), wanted["key"])
    if wanted["ownerType"] != "CUSTOMER" or wanted["type"] not in _VALUE:
        raise GraphQLError("The stand-in knows numbers and texts of customers alone.")
    error = None
    if name in shop.definitions:
        error = _error(["definition", "key"], "Key is in use for Customer metafields.", "TAKEN")
    elif wanted.get("capabilities") and not shop.filters_left:
        text = "The limit of definitions that are used as filters is reached."
        error = _error(["definition"], text, "OWNER_TYPE_LIMIT_EXCEEDED_FOR_USE_AS_ADMIN_FILTERS")
    else:
        shop.definitions[name] = Definition(
            name=wanted["name"],
            type=wanted["type"],
            storefront=(wanted.get("access") or {}).get("storefront") == "PUBLIC_READ",
            filterable=bool(wanted.get("capabilities")),
        )
    return {"userErrors": [error] if error else []}


def undefine(shop: Shop, wanted: dict[str, Any], everywhere: bool) -> dict[str, Any]:
    name = (_full(wanted.get("namespace") or "$app"), wanted["key"])
    error = None
    if name not in shop.definitions:
        error = _error(["identifier"], "Definition not found.", "NOT_FOUND")
    elif not everywhere:
        text = "Deleting a definition in a reserved namespace requires deletion of its associated metafields."
        error = _error(["identifier"], text, "RESERVED_NAMESPACE_ORPHANED_METAFIELDS")
    else:
        del shop.definitions[name]
        for customer in shop.customers.values():
            customer.metafields.pop(name, None)
    return {"userErrors": [error] if error else []}


def set_metafields(shop: Shop, wanted: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Nothing of it is done where one of them is wrong."""
    errors = []
    if len(wanted) > _MOST:
        text = "Exceeded the maximum metafields input limit of 25."
        errors = [_error(["metafields"], text, "LESS_THAN_OR_EQUAL_TO")]
    for at, one in enumerate(wanted[:_MOST]):
        if error := _wrong(shop, one):
            errors.append({**error, "field": ["metafields", str(at), *error["field"]], "elementIndex": at})
    if not errors:
        for one in wanted:
            customer = _customer(shop, one["ownerId"])
            assert customer is not None
            customer.metafields[_name(one)] = one["value"]
        shop.metafields_written.append(len(wanted))
    return {"userErrors": errors}


def delete_metafields(shop: Shop, wanted: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One that is not there is no error; an owner that is not there is, and nothing is done then."""
    owners = [_customer(shop, one["ownerId"]) for one in wanted]
    if None in owners:
        return {"userErrors": [{"field": ["metafields"], "message": _NO_OWNER}]}
    for one, customer in zip(wanted, owners, strict=True):
        assert customer is not None
        customer.metafields.pop(_name(one), None)
    return {"userErrors": []}


def change_tags(shop: Shop, identity: str, tags: Sequence[str], *, add: bool) -> dict[str, Any]:
    customer = _customer(shop, identity)
    if customer is None:
        return {"userErrors": [{"field": ["id"], "message": "Customer does not exist"}]}
    if add:
        shop.tag_customer(customer, *tags)
    else:
        shop.untag_customer(customer, *tags)
    return {"userErrors": []}


def _wrong(shop: Shop, one: dict[str, Any]) -> dict[str, Any] | None:
    definition = shop.definitions.get(_name(one))
    kind = one.get("type") or (definition.type if definition else None)
    if _customer(shop, one["ownerId"]) is None:
        return _error(["ownerId"], _NO_OWNER, "INVALID")
    if kind is None:
        return _error(["type"], "Type can't be blank", "BLANK")
    if definition and kind != definition.type:
        return _error(
            ["type"], f"Type must be consistent with the definition's: {definition.type}", "INVALID_TYPE"
        )
    if not _VALUE[kind].fullmatch(one["value"]):
        return _error(["value"], f"Value must be of the type {kind}", "INVALID_VALUE")
    return None


def _name(one: dict[str, Any]) -> tuple[str, str]:
    return _full(one.get("namespace") or "$app"), one["key"]


def _full(namespace: str) -> str:
    first, colon, rest = namespace.partition(":")
    if first != "$app":
        return namespace
    return f"{_APP}--{rest}" if colon else _APP


def _customer(shop: Shop, identity: str) -> Customer | None:
    kind, _, number = identity.removeprefix("gid://shopify/").partition("/")
    return shop.customers.get(int(number)) if kind == "Customer" and number.isdigit() else None


def _error(field: list[str], message: str, code: str) -> dict[str, Any]:
    return {"field": field, "message": message, "code": code, "elementIndex": None}
