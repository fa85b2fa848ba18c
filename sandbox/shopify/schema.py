"""Shopify's real Admin schema, executed: unknown fields, wrong types and bad scalars fail as they do there.

`admin_2026-10.json.gz` is the introspection that npm `@shopify/dev-mcp` 1.16.0 (ISC) ships.
"""

import gzip
import json
import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    build_client_schema,
    parse,
    validate,
)
from graphql.language import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
)

_FILE = Path(__file__).with_name("admin_2026-10.json.gz")


@lru_cache(maxsize=1)
def admin_schema() -> GraphQLSchema:
    """The schema, read once a process (half a second)."""
    with gzip.open(_FILE) as file:
        schema = build_client_schema(json.load(file)["data"], assume_valid=True)
    for name, check in (
        ("Decimal", _decimal),
        ("Money", _decimal),
        ("DateTime", _moment),
        ("URL", _url),
        ("ID", _id),
    ):
        scalar = schema.type_map[name]
        if isinstance(scalar, GraphQLScalarType):
            _make_strict(scalar, check)
    return schema


@lru_cache(maxsize=512)
def checked(query: str) -> tuple[DocumentNode, tuple[GraphQLError, ...]]:
    """The document and what is wrong with it. Remembered by its text: validation costs 50 ms."""
    document = parse(query)
    return document, tuple(validate(admin_schema(), document))


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode) and name in (
            None,
            node.name.value if node.name else None,
        ):
            return node
    return None


def root_fields(document: DocumentNode, name: str | None) -> list[str]:
    """What the operation asks for first: "orders", "discountCodeBasicCreate", …"""
    operation = operation_of(document, name)
    if operation is None:
        return []
    return [node.name.value for node in operation.selection_set.selections if isinstance(node, FieldNode)]


def answer_name(document: DocumentNode, name: str | None) -> str:
    """Under which name the answer tells of the first field: its alias, or its own."""
    operation = operation_of(document, name)
    assert operation is not None
    field = next(node for node in operation.selection_set.selections if isinstance(node, FieldNode))
    return (field.alias or field.name).value


def cost_of(document: DocumentNode, name: str | None) -> int:
    """Points the operation asks for: 10 a mutation, 1 an object, a connection by its size. Nearly Shopify's."""
    operation = operation_of(document, name)
    if operation is None:
        return 0
    fragments = {n.name.value: n for n in document.definitions if isinstance(n, FragmentDefinitionNode)}
    points = 10 if operation.operation.value == "mutation" else 0
    return points + _cost(operation.selection_set, fragments)


def _cost(selection: Any, fragments: dict[str, FragmentDefinitionNode]) -> int:
    points = 0
    for node in selection.selections if selection else ():
        if isinstance(node, FragmentSpreadNode):
            points += _cost(fragments[node.name.value].selection_set, fragments)
        elif isinstance(node, InlineFragmentNode):
            points += _cost(node.selection_set, fragments)
        elif node.selection_set is not None:
            size = [int(a.value.value) for a in node.arguments or () if isinstance(a.value, IntValueNode)]
            # Big pages cost less than their size: Shopify counts them by magnitude.
            points += 1 + (1 + size[0] // 20 if size else 0) + _cost(node.selection_set, fragments)
    return points


def _make_strict(scalar: GraphQLScalarType, check: Callable[[object], object]) -> None:
    def literal(node: Any, _variables: object = None) -> object:
        return check(getattr(node, "value", None))

    for name, function in (
        ("parse_value", check),
        ("parse_literal", literal),
        # graphql-core 3.3 prefers these where they are set.
        ("coerce_input_value", check),
        ("coerce_input_literal", literal),
    ):
        setattr(scalar, name, function)


def _decimal(value: object) -> object:
    if isinstance(value, bool) or not re.fullmatch(r"-?\d+(\.\d+)?", str(value)):
        raise GraphQLError(f"invalid decimal '{value}'")
    return str(value)


def _moment(value: object) -> object:
    try:
        datetime.fromisoformat(str(value))
    except ValueError:
        raise GraphQLError(f"invalid DateTime '{value}'") from None
    return value


def _url(value: object) -> object:
    if not re.match(r"^(https?://|arn:|pubsub:|kafka:)", str(value)):
        raise GraphQLError(f"invalid url '{value}'")
    return value


def _id(value: object) -> object:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise GraphQLError(f"invalid id '{value}'")
    if not re.fullmatch(r"gid://shopify/\w+/[\w-]+(\?.*)?", str(value)):
        raise GraphQLError(f"Invalid global id '{value}'")
    return str(value)
