"""Helpers of the GraphQL fields: tables of resolvers, values that know their order, times, refusals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

from graphql import GraphQLError

Fields = Mapping[str, Callable[[Any, Any, dict[str, Any]], Any]]
"""Field name -> (shop, source, arguments) -> value."""


@dataclass(frozen=True, slots=True)
class Of:
    """Something that belongs to an order and needs it to be shown."""

    order: Any
    what: Any


def iso(moment: datetime | None) -> str | None:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z" if moment else None


def denied(field: str) -> NoReturn:
    """A protected field that the app was not given: null in the data, and this beside it, with HTTP 200."""
    text = (
        f"This app is not approved to use the {field} field. "
        "See https://shopify.dev/docs/apps/launch/protected-customer-data for more details."
    )
    raise GraphQLError(text, extensions={"code": "ACCESS_DENIED"})
