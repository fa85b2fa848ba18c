"""`ShopClient` for one Shopify shop: the table of contents. How it is asked stands in `admin_api`, what in the others."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from app.domain.changes import CustomerFacts, ProductFacts
from app.domain.errors import Refused
from app.domain.money import Money
from app.domain.orders import OrderSnapshot
from app.domain.profiles import FoundProfile, ProfileChange, ProfileEnding
from app.domain.triggers import Happening
from connectors.base import (
    Absent,
    CodeSpec,
    FoundCode,
    HttpSeam,
    Introduction,
    IssuedCode,
    OrderDigest,
    OrderPage,
    ShopAccess,
    ShopFacts,
    WebhookState,
)
from connectors.shopify.client import automations, facts, gathering, issuing, orders, profiles, subscriptions
from connectors.shopify.client.admin_api import AdminApi, moment_text

OPERATIONS = (
    *orders.OPERATIONS,
    *gathering.OPERATIONS,
    *facts.OPERATIONS,
    *profiles.OPERATIONS,
    *automations.OPERATIONS,
    *subscriptions.OPERATIONS,
)
"""Every query and mutation that we send, beside those of `codes`: tests hold them against the schema."""

_SHORT = timedelta(days=1)  # nobody counts what changed in less: it is asked every ten minutes

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _in_one_go(
    method: "Callable[Concatenate[ShopifyShop, _P], _R]",
) -> "Callable[Concatenate[ShopifyShop, _P], _R]":
    """A piece of work of several calls: whether the shop's allowance is enough is asked before the first."""

    @wraps(method)
    def begun(self: "ShopifyShop", /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        with self._api.paced(method.__name__):
            return method(self, *args, **kwargs)

    return begun


class ShopifyShop:
    def __init__(self, access: ShopAccess, http: HttpSeam) -> None:
        self._api = AdminApi(access, http)

    def close(self) -> None:
        self._api.http.close()

    # --- What the shop knows -------------------------------------------------------------------------------

    def shop_facts(self) -> ShopFacts:
        return facts.shop_facts(self._api)

    def read_customer(self, customer_ref: str) -> CustomerFacts | None:
        return facts.read_customer(self._api, customer_ref)

    @_in_one_go
    def read_tags(self, customer_refs: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        return facts.read_tags(self._api, customer_refs)

    @_in_one_go
    def read_products(self, product_refs: Sequence[str]) -> Mapping[str, ProductFacts]:
        return facts.read_products(self._api, product_refs)

    # --- Orders --------------------------------------------------------------------------------------------

    @_in_one_go
    def read_orders(self, order_refs: Sequence[str]) -> Mapping[str, OrderSnapshot | Absent]:
        return orders.read_orders(self._api, order_refs)

    @_in_one_go
    def orders_changed(
        self, since: datetime, until: datetime, cursor: str | None = None, *, may_wait: bool = False
    ) -> OrderPage:
        """As `ShopClient` says: very many by a bulk operation, and by pages from the beginning where that fails."""
        upper = until.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        query = f"updated_at:>='{moment_text(since)}' AND updated_at:<='{moment_text(upper)}'"
        is_long = may_wait and until - since > _SHORT
        if cursor is None and is_long and (begun := gathering.begin(self._api, query)) is not None:
            return begun
        if cursor is not None and gathering.is_of(cursor):
            if (gathered := gathering.go_on(self._api, cursor)) is not None:
                return gathered
            cursor = None
        return orders.read_page(self._api, query, cursor, sort="UPDATED_AT", reverse=False)

    @_in_one_go
    def order_digests(self, order_refs: Sequence[str]) -> Mapping[str, OrderDigest | Absent]:
        return orders.order_digests(self._api, order_refs)

    @_in_one_go
    def orders_with_code(self, code: str) -> Sequence[OrderSnapshot]:
        return orders.orders_with_code(self._api, code)

    # --- Codes ---------------------------------------------------------------------------------------------

    def issue_code(self, spec: CodeSpec) -> IssuedCode:
        return issuing.issue_code(self._api, spec)

    def find_code(self, code: str, spec: CodeSpec | None = None) -> FoundCode | None:
        return issuing.find_code(self._api, code, spec)

    def withdraw_code(self, code: str, tag: str, spec: CodeSpec | None = None) -> FoundCode | None:
        return issuing.withdraw_code(self._api, code, tag, spec)

    def set_balance(self, spec: CodeSpec, left: Money, uses: int) -> bool:
        raise Refused("unsupported", "Shopify keeps gift cards and store credit itself.")

    @_in_one_go
    def our_codes(self, tag_prefix: str, cursor: str | None = None) -> tuple[Sequence[FoundCode], str | None]:
        return issuing.our_codes(self._api, tag_prefix, cursor)

    # --- What stands at customers, and automations ---------------------------------------------------------

    @_in_one_go
    def prepare_profiles(self) -> None:
        profiles.prepare_profiles(self._api)

    @_in_one_go
    def write_profiles(self, changes: Sequence[ProfileChange]) -> Mapping[str, ProfileEnding]:
        return profiles.write_profiles(self._api, changes)

    @_in_one_go
    def read_profiles(self, customer_refs: Sequence[str]) -> Mapping[str, FoundProfile]:
        return profiles.read_profiles(self._api, customer_refs)

    def remove_profiles(self) -> None:
        profiles.remove_profiles(self._api)

    def tell(self, happenings: Sequence[Happening]) -> Sequence[str | None]:
        return automations.tell(self._api, happenings)

    # --- Webhooks ------------------------------------------------------------------------------------------

    @_in_one_go
    def ensure_webhooks(self, address: str, secret: str | None) -> Sequence[WebhookState]:
        """`secret` is not used: the app's client secret signs."""
        return subscriptions.ensure_webhooks(self._api, address)

    def remove_webhooks(self, address: str) -> None:
        subscriptions.remove_webhooks(self._api, address)

    def introduce(self, introduction: Introduction) -> str | None:
        """Shopify signs for shopper and shop by itself: what runs in a theme needs no secret of ours."""
        return None
