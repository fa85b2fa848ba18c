"""One Shopify shop's Admin API: GraphQL over the house's HTTP seam. Its ids go in and out here as bare numbers."""

import json
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import httpx
import msgspec
from msgspec import Struct

from app.domain.changes import CustomerFacts, ProductFacts
from app.domain.errors import AccessLost, PutOff, Refused, Retryable
from app.domain.money import Money
from app.domain.orders import OrderSnapshot
from app.domain.pacing import Urgency
from app.domain.profiles import FoundProfile, ProfileChange, ProfileEnding, ProfileField, is_ours
from app.domain.redacting import cleared
from app.domain.triggers import Happening
from connectors.base import (
    Absent,
    CodeKind,
    CodeSpec,
    FoundCode,
    HttpSeam,
    Introduction,
    IssuedCode,
    OrderDigest,
    OrderPage,
    ShopAccess,
    ShopFacts,
    WebhookFound,
    WebhookState,
)
from connectors.decoding import decode, in_utc
from connectors.http import send
from connectors.shopify import codes, mapping, payloads, webhooks

API_VERSION = "2026-10"

_MONEY = "shopMoney { amount currencyCode }"
_LINE = f"""
    id quantity currentQuantity isGiftCard requiresShipping taxable vendor
    product {{ id }} variant {{ id }} sellingPlan {{ sellingPlanId }}
    originalUnitPriceSet {{ {_MONEY} }}
    taxLines(first: 20) {{ priceSet {{ {_MONEY} }} }}
    discountAllocations {{ allocatedAmountSet {{ {_MONEY} }} }}"""
_LINES = f"pageInfo {{ hasNextPage endCursor }} nodes {{ {_LINE} }}"
_SHIPPING = f"discountedPriceSet {{ {_MONEY} }} taxLines {{ priceSet {{ {_MONEY} }} }}"
_ORDER_ITSELF = f"""
  id name email currencyCode presentmentCurrencyCode taxesIncluded displayFinancialStatus displayFulfillmentStatus
  createdAt processedAt cancelledAt updatedAt test discountCodes sourceName tags
  totalTipReceivedSet {{ {_MONEY} }}
  customer {{ id }}
  refunds(first: 100) {{ id }}
  fulfillments(first: 20) {{ createdAt status }}"""
_ORDER = f"""{_ORDER_ITSELF}
  lineItems(first: 20) {{ {_LINES} }}
  shippingLines(first: 10) {{ nodes {{ {_SHIPPING} }} }}"""
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
COUNT_ORDERS = """
query CountOrders($query: String!, $limit: Int!) { ordersCount(query: $query, limit: $limit) { count } }"""


def gather_orders(query: str) -> str:
    """What Shopify carries out by itself, without pages. A refund's lines cannot stand in it: they are a connection
    within a list. Source: shopify.dev, "Bulk operation restrictions"."""
    return f"""
{{ orders(query: {json.dumps(query)}) {{ edges {{ node {{ {_ORDER_ITSELF}
  lineItems {{ edges {{ node {{ {_LINE} }} }} }}
  shippingLines {{ edges {{ node {{ id {_SHIPPING} }} }} }}
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
DIGEST_ORDERS = f"""
query DigestOrders($ids: [ID!]!) {{
  nodes(ids: $ids) {{ ... on Order {{
    id updatedAt customer {{ id }} refunds(first: 100) {{ id totalRefundedSet {{ {_MONEY} }} }}
  }} }}
}}"""
READ_CUSTOMER = """
query ReadCustomer($id: ID!) {
  customer(id: $id) { id firstName lastName verifiedEmail defaultEmailAddress { emailAddress } }
}"""
READ_TAGS = "query ReadTags($ids: [ID!]!) { nodes(ids: $ids) { ... on Customer { id tags } } }"
_COLLECTIONS = "pageInfo { hasNextPage endCursor } nodes { id }"
READ_PRODUCTS = f"""
query ReadProducts($ids: [ID!]!) {{
  nodes(ids: $ids) {{ ... on Product {{ id tags collections(first: 20) {{ {_COLLECTIONS} }} }} }}
}}"""
MORE_COLLECTIONS = f"""
query MoreCollections($id: ID!, $after: String) {{
  node(id: $id) {{ ... on Product {{ id tags collections(first: 250, after: $after) {{ {_COLLECTIONS} }} }} }}
}}"""
NAMESPACE = "$app:laurel"  # the app's own: no other app writes there, and staff only read
_TEXT, _WHOLE = "single_line_text_field", "number_integer"
_PROFILE_FIELDS = {
    ProfileField.POINTS: ("Points", _WHOLE),
    ProfileField.PENDING: ("Pending points", _WHOLE),
    ProfileField.TIER: ("Level", _TEXT),
    ProfileField.TIER_NAME: ("Name of the level", _TEXT),
    ProfileField.UNIT: ("What points count", _TEXT),
}
DEFINE_FIELD = """
mutation DefineField($definition: MetafieldDefinitionInput!) {
  told: metafieldDefinitionCreate(definition: $definition) { userErrors { field message code } }
}"""
UNDEFINE_FIELD = """
mutation UndefineField($field: MetafieldDefinitionIdentifierInput!) {
  told: metafieldDefinitionDelete(identifier: $field, deleteAllAssociatedMetafields: true) {
    userErrors { field message code }
  }
}"""
SET_FIELDS = """
mutation SetFields($fields: [MetafieldsSetInput!]!) {
  told: metafieldsSet(metafields: $fields) { userErrors { field message code elementIndex } }
}"""
DROP_FIELDS = """
mutation DropFields($fields: [MetafieldIdentifierInput!]!) {
  told: metafieldsDelete(metafields: $fields) { userErrors { field message } }
}"""
READ_PROFILES = """
query ReadProfiles($ids: [ID!]!, $namespace: String!) {
  nodes(ids: $ids) {
    ... on Customer { id tags metafields(first: 10, namespace: $namespace) { nodes { key value } } }
  }
}"""


def change_tags(acts: Sequence[str]) -> str:
    """A mutation that does each of `acts` ("tagsAdd", "tagsRemove") to a customer and tags of its own."""
    given = ", ".join(f"$id{n}: ID!, $tags{n}: [String!]!" for n in range(len(acts)))
    done = " ".join(
        f"a{n}: {act}(id: $id{n}, tags: $tags{n}) {{ userErrors {{ field message }} }}"
        for n, act in enumerate(acts)
    )
    return f"mutation ChangeTags({given}) {{ {done} }}"


def tell_flow(count: int) -> str:
    """A mutation that begins so many triggers, each with a payload of its own."""
    given = ", ".join(f"$handle{n}: String!, $payload{n}: JSON!" for n in range(count))
    done = " ".join(
        f"a{n}: flowTriggerReceive(handle: $handle{n}, payload: $payload{n}) {{ userErrors {{ field message }} }}"
        for n in range(count)
    )
    return f"mutation TellFlow({given}) {{ {done} }}"


READ_SHOP = """
query ReadShop {
  shop { name myshopifyDomain currencyCode ianaTimezone primaryDomain { url } }
  currentAppInstallation { accessScopes { handle } }
}"""
READ_WEBHOOKS = """
query ReadWebhooks($after: String) {
  webhookSubscriptions(first: 100, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes { id topic uri }
  }
}"""
CREATE_WEBHOOK = """
mutation CreateWebhook($topic: WebhookSubscriptionTopic!, $subscription: WebhookSubscriptionInput!) {
  made: webhookSubscriptionCreate(topic: $topic, webhookSubscription: $subscription) { userErrors { field message } }
}"""
REPOINT_WEBHOOK = """
mutation RepointWebhook($id: ID!, $subscription: WebhookSubscriptionInput!) {
  made: webhookSubscriptionUpdate(id: $id, webhookSubscription: $subscription) { userErrors { field message } }
}"""
DELETE_WEBHOOK = """
mutation DeleteWebhook($id: ID!) { made: webhookSubscriptionDelete(id: $id) { userErrors { field message } } }"""

OPERATIONS = (
    *(READ_ORDERS, MORE_LINES, READ_REFUNDS, MORE_REFUNDED_LINES, FIND_ORDERS, DIGEST_ORDERS),
    *(COUNT_ORDERS, GATHER, FIND_GATHERINGS, READ_GATHERING, gather_orders("updated_at:>='2026-01-01'")),
    *(READ_TAGS, READ_PRODUCTS, MORE_COLLECTIONS),
    *(DEFINE_FIELD, UNDEFINE_FIELD, SET_FIELDS, DROP_FIELDS, READ_PROFILES),
    change_tags(("tagsAdd", "tagsRemove")),
    tell_flow(2),
    *(READ_CUSTOMER, READ_SHOP, READ_WEBHOOKS, CREATE_WEBHOOK, REPOINT_WEBHOOK, DELETE_WEBHOOK),
)

# Fields that Shopify answers with null and an error: those of people, unless the app is approved for protected
# customer data, level 2; and what a line is of, unless the merchant granted `read_products`.
# Everything else that comes with an error is not believed: an order whose `customer` failed is no guest's order.
_MAY_BE_WITHHELD = frozenset(
    {"email", "firstName", "lastName", "defaultEmailAddress", "emailAddress", "product", "variant"}
)
_READABLE_DAYS = 60  # without read_all_orders. Source: shopify.dev, access scopes, "Orders permissions"
_ORDERS_AT_ONCE = 10
_REFUNDS_AT_ONCE = 10
_MANY_ORDERS = 1000  # by pages they are some 50 calls, and as many minutes of a small plan's allowance
_COUNTED = 10_000  # Shopify counts no further unless asked to
_LOOK_AGAIN_S = 15
_SHORT = timedelta(days=1)  # nobody counts what changed in less: it is asked every ten minutes
_PART = 1024 * 1024  # bytes of what was gathered that are read at once: some 300 orders
_DIGESTS_AT_ONCE = 50
_PRODUCTS_AT_ONCE = 20
_CUSTOMERS_AT_ONCE = 100
_PROFILES_AT_ONCE = 50
_FIELDS_AT_ONCE = 25  # no more are taken. Source: Admin API 2026-10, metafieldsSet
_TAGS_AT_ONCE = 10  # customers; a mutation each, 10 points of the bucket
_CLOCKS_DIFFER = timedelta(minutes=5)
_NO_FILTER_LEFT = frozenset({"OWNER_TYPE_LIMIT_EXCEEDED_FOR_USE_AS_ADMIN_FILTERS", "INVALID_CAPABILITY"})
_SHOP_STATES = {
    "http_402": "the shop is frozen until its owner pays Shopify",
    "http_423": "Shopify has locked the shop",
}

_log = logging.getLogger(__name__)
_Shape = TypeVar("_Shape")
_P = ParamSpec("_P")
_R = TypeVar("_R")


class ErrorExtensions(Struct, frozen=True):
    code: str = ""


class ApiError(Struct, frozen=True, kw_only=True):
    message: str = ""
    path: tuple[str | int, ...] = ()
    extensions: ErrorExtensions = ErrorExtensions()


class ThrottleStatus(Struct, frozen=True, rename="camel"):
    maximum_available: float
    currently_available: float
    restore_rate: float


class Cost(Struct, frozen=True, kw_only=True, rename="camel"):
    requested_query_cost: float | None = None
    throttle_status: ThrottleStatus | None = None


class Extensions(Struct, frozen=True):
    cost: Cost = Cost()


class Answer(Struct, frozen=True, kw_only=True):
    data: Any = None
    errors: tuple[ApiError, ...] | str = ()
    extensions: Extensions = Extensions()


class _Denied(AccessLost):
    """A scope or an approval is missing for what was asked."""


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
        gid, offset, orders = cursor.removeprefix(_GATHERED).split(" ")
        return cls(gid, int(offset), int(orders))


class _TooCostly(Exception):
    """The query may never cost more than one bucket: ask for less at once."""


def _in_one_go(
    method: "Callable[Concatenate[ShopifyShop, _P], _R]",
) -> "Callable[Concatenate[ShopifyShop, _P], _R]":
    """A piece of work of several calls: whether the shop's allowance is enough is asked before the first."""

    @wraps(method)
    def begun(self: "ShopifyShop", /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        with self._paced(method.__name__):
            return method(self, *args, **kwargs)

    return begun


class ShopifyShop:
    """`ShopClient` for one shop."""

    def __init__(self, access: ShopAccess, http: HttpSeam) -> None:
        if not webhooks.SHOP.fullmatch(
            access.shop_ref
        ):  # it takes the token: nothing but a shop's name may stand there
            raise Refused("address_refused", "a shop of Shopify's is called something.myshopify.com")
        self._url = f"https://{access.shop_ref}/admin/api/{API_VERSION}/graphql.json"
        self._access = access
        self._http = http.client(allow_private=access.allow_private)
        self._spent: int | None = None  # points of the piece of work that is being done; None: none is

    # --- Facts ---------------------------------------------------------------------------------------------

    def shop_facts(self) -> ShopFacts:
        told = _as(self._data(READ_SHOP, {}), _ShopAnswer)
        scopes = {scope.handle for scope in told.current_app_installation.access_scopes}
        return ShopFacts(
            shop_ref=told.shop.myshopify_domain.lower(),
            name=told.shop.name,
            url=told.shop.primary_domain.url.rstrip("/"),
            currency=told.shop.currency_code,
            timezone=told.shop.iana_timezone,
            reads_orders_days=None if "read_all_orders" in scopes else _READABLE_DAYS,
        )

    @_in_one_go
    def read_orders(self, order_refs: Sequence[str]) -> Mapping[str, OrderSnapshot | Absent]:
        found: dict[str, OrderSnapshot | Absent] = {}
        nodes: dict[str, Any] = {}
        for order_ref, node in self._nodes(READ_ORDERS, "Order", order_refs, _ORDERS_AT_ONCE):
            if isinstance(node, Absent):
                found[order_ref] = node
            else:
                nodes[order_ref] = node
        understood, held = self._understood(nodes)
        for order_ref, reason in held:
            _log.warning(
                "order unreadable shop=%s order=%s reason=%s", self._access.shop_key, order_ref, reason
            )
            found[order_ref] = Absent.UNREADABLE
        return found | {order.order_ref: order for order in understood}

    @_in_one_go
    def orders_changed(
        self, since: datetime, until: datetime, cursor: str | None = None, *, may_wait: bool = False
    ) -> OrderPage:
        """As `ShopClient` says: very many by a bulk operation, and by pages from the beginning where that fails."""
        upper = until.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        query = f"updated_at:>='{_moment(since)}' AND updated_at:<='{_moment(upper)}'"
        is_long = may_wait and until - since > _SHORT
        if cursor is None and is_long and (begun := self._begin_gathering(query)) is not None:
            return begun
        if cursor is not None and cursor.startswith(_GATHERED):
            try:
                return self._gathered(_Place.of(cursor))
            except Unusable as error:
                _log.warning("gathering given up shop=%s reason=%s", self._access.shop_key, error)
                cursor = None
        return self._page(query, cursor, sort="UPDATED_AT", reverse=False)

    @_in_one_go
    def order_digests(self, order_refs: Sequence[str]) -> Mapping[str, OrderDigest | Absent]:
        digests: dict[str, OrderDigest | Absent] = {}
        for order_ref, node in self._nodes(DIGEST_ORDERS, "Order", order_refs, _DIGESTS_AT_ONCE):
            digests[order_ref] = node if isinstance(node, Absent) else _digest(_as(node, _DigestNode))
        return digests

    def read_customer(self, customer_ref: str) -> CustomerFacts | None:
        told = _as(
            self._data(READ_CUSTOMER, {"id": _gid("Customer", customer_ref)}), _CustomerAnswer
        ).customer
        if told is None:
            return None
        return mapping.customer_facts(
            payloads.Customer(
                id=mapping.ref(told.id),
                email=told.default_email_address.email_address if told.default_email_address else None,
                verified_email=told.verified_email,
                first_name=told.first_name,
                last_name=told.last_name,
            )
        )

    @_in_one_go
    def read_tags(self, customer_refs: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        found = self._nodes(READ_TAGS, "Customer", customer_refs, _CUSTOMERS_AT_ONCE)
        return {ref: _as(_sound(node), _Tagged).tags for ref, node in found if node is not Absent.GONE}

    # --- Profiles ------------------------------------------------------------------------------------------

    @_in_one_go
    def prepare_profiles(self) -> None:
        for name, (title, kind) in _PROFILE_FIELDS.items():
            wanted: dict[str, Any] = {
                "name": f"Loyalty: {title}",
                "namespace": NAMESPACE,
                "key": name.value,
                "ownerType": "CUSTOMER",
                "type": kind,
                "access": {"admin": "MERCHANT_READ", "storefront": "PUBLIC_READ", "customerAccount": "READ"},
                "capabilities": {"adminFilterable": {"enabled": True}},
            }
            errors = self._told_errors(DEFINE_FIELD, {"definition": wanted})
            if any(error.code in _NO_FILTER_LEFT for error in errors):
                # The shop has as many filters as it may: then staff cannot search by it, all else works.
                del wanted["capabilities"]
                errors = self._told_errors(DEFINE_FIELD, {"definition": wanted})
            _require_none(error for error in errors if error.code != "TAKEN")

    @_in_one_go
    def write_profiles(self, changes: Sequence[ProfileChange]) -> Mapping[str, ProfileEnding]:
        put = [
            (
                one.customer_ref,
                {**self._field(one.customer_ref, name), "type": _PROFILE_FIELDS[name][1], "value": value},
            )
            for one in changes
            for name, value in one.put.items()
        ]
        drop = [
            (one.customer_ref, self._field(one.customer_ref, name))
            for one in changes
            for name in sorted(one.drop)
        ]
        doubtful = (
            self._in_parts(SET_FIELDS, put) | self._in_parts(DROP_FIELDS, drop) | self._change_tags(changes)
        )
        there = self.read_tags(sorted(doubtful)) if doubtful else {}
        missing = {ref: ProfileEnding.REJECTED if ref in there else ProfileEnding.GONE for ref in doubtful}
        return {one.customer_ref: missing.get(one.customer_ref, ProfileEnding.WRITTEN) for one in changes}

    @_in_one_go
    def read_profiles(self, customer_refs: Sequence[str]) -> Mapping[str, FoundProfile]:
        more = {"namespace": NAMESPACE}
        found = self._nodes(READ_PROFILES, "Customer", customer_refs, _PROFILES_AT_ONCE, more)
        return {
            ref: _found_profile(_as(_sound(node), _ProfileNode))
            for ref, node in found
            if node is not Absent.GONE
        }

    def remove_profiles(self) -> None:
        for name in _PROFILE_FIELDS:
            field = {"namespace": NAMESPACE, "key": name.value, "ownerType": "CUSTOMER"}
            errors = self._told_errors(UNDEFINE_FIELD, {"field": field})
            _require_none(error for error in errors if error.code != "NOT_FOUND")

    # --- Automations ---------------------------------------------------------------------------------------

    def tell(self, happenings: Sequence[Happening]) -> Sequence[str | None]:
        """As `ShopClient` says. Flow knows no key that would make a trigger begin once, so nothing is repeated here."""
        variables: dict[str, Any] = {}
        for n, one in enumerate(happenings):
            variables |= {f"handle{n}": payloads.HANDLES[one.trigger], f"payload{n}": _flow_payload(one)}
        try:
            answer = self._ask_apart(tell_flow(len(happenings)), variables)
        except PutOff as later:
            # Throttled as a whole, before anything of it: it is one call.
            raise PutOff(later.detail, retry_after_s=later.wait_s) from later
        told = _as(answer.data, dict[str, _Errors | None])
        failed = {str(error.path[0]) if error.path else "": error for error in answer.errors}
        if strange := failed.keys() - told.keys():
            raise _failure(failed[strange.pop()], changes=True)
        return [_why_not_told(told[f"a{n}"], failed.get(f"a{n}")) for n in range(len(happenings))]

    # --- Products ------------------------------------------------------------------------------------------

    @_in_one_go
    def read_products(self, product_refs: Sequence[str]) -> Mapping[str, ProductFacts]:
        found = self._nodes(READ_PRODUCTS, "Product", product_refs, _PRODUCTS_AT_ONCE)
        try:
            return {
                ref: self._product(ref, _as(_sound(node), _ProductNode))
                for ref, node in found
                if node is not Absent.GONE
            }
        except _Denied as denied:
            # The one scope that Laurel does without where no rule asks for it: the shop is not lost.
            raise Refused("not_permitted", f"grant the app read_products: {denied.detail}") from denied

    def _product(self, product_ref: str, node: "_ProductNode") -> ProductFacts:
        collections = [mapping.ref(one.id) for one in node.collections.nodes]
        page = node.collections.page_info
        while cursor := _next(page):
            asked = {"id": _gid("Product", product_ref), "after": cursor}
            more = _as(self._data(MORE_COLLECTIONS, asked), _ProductAnswer).node
            if more is None:
                break
            collections += [mapping.ref(one.id) for one in more.collections.nodes]
            page = more.collections.page_info
        return ProductFacts(
            product_ref=product_ref,
            collections=tuple(str(number) for number in collections),
            tags=node.tags,
        )

    # --- Codes ---------------------------------------------------------------------------------------------

    def issue_code(self, spec: CodeSpec) -> IssuedCode:
        match spec.kind:
            case CodeKind.GIFT_CARD:
                return self._issue_card(spec)
            case CodeKind.STORE_CREDIT:
                return self._credit(spec)
            case _:
                return self._issue_discount(spec)

    def find_code(self, code: str, spec: CodeSpec | None = None) -> FoundCode | None:
        if spec is not None and spec.kind is CodeKind.GIFT_CARD:
            card = self._find_card(spec)
            return codes.found_card(spec, card) if card else None
        if spec is not None and spec.kind is CodeKind.STORE_CREDIT:
            credit = self._find_credit(spec)
            return codes.found_credit(spec, credit) if credit else None
        node = self._find(code)
        return codes.found_code(node, _our_tag(node.code_discount.tags)) if node else None

    def withdraw_code(self, code: str, tag: str, spec: CodeSpec | None = None) -> FoundCode | None:
        """As `ShopClient` says. A credit is never taken back: a debit could not be told from another one, and so
        not be made once."""
        if spec is not None and spec.kind is CodeKind.GIFT_CARD:
            return self._withdraw_card(spec)
        if spec is not None and spec.kind is CodeKind.STORE_CREDIT:
            return self.find_code(code, spec)
        node = self._find(code)
        if node is None:
            return None
        if tag not in node.code_discount.tags:
            raise Refused(
                "not_ours", "a code of that name is at the shop without our tag; nobody but its maker ends it"
            )
        if node.code_discount.status != "EXPIRED":
            self._deactivate(node.id)
            node = self._find(code)
            if node and node.code_discount.status != "EXPIRED":
                raise Retryable("the code was switched off and is still live", retry_after_s=5)
        return codes.found_code(node, tag) if node else None

    def set_balance(self, spec: CodeSpec, left: Money, uses: int) -> bool:
        raise Refused("unsupported", "Shopify keeps gift cards and store credit itself.")

    @_in_one_go
    def our_codes(self, tag_prefix: str, cursor: str | None = None) -> tuple[Sequence[FoundCode], str | None]:
        # The search takes words apart and looks at their beginnings, so what counts is the tag that comes back.
        query = f"method:code tag:{_escaped(tag_prefix)}*"
        page = _as(self._data(codes.OURS, {"query": query, "after": cursor}), codes.OurCodes).page
        ours = []
        for node in page.nodes:
            tag = next((each for each in node.code_discount.tags if each.startswith(tag_prefix)), None)
            if tag is not None:
                ours.append(codes.found_code(node, tag))
        return ours, _next(page.page_info)

    @_in_one_go
    def orders_with_code(self, code: str) -> Sequence[OrderSnapshot]:
        """As `ShopClient` says. Shopify searches an order's first code only: of a code that may stand beside others
        all orders of its customer are looked through."""
        node = self._find(code)
        query = f"discount_code:'{_quoted(code)}'"
        if node and codes.may_stand_second(node.code_discount):
            found = codes.found_code(node, None)
            starts = node.code_discount.starts_at
            if found.customer_ref and starts:
                query = f"customer_id:{found.customer_ref} AND created_at:>='{_moment(starts)}'"
        orders: list[OrderSnapshot] = []
        cursor: str | None = None
        while True:
            page = self._page(query, cursor, sort="CREATED_AT", reverse=True)
            if page.held:
                raise Retryable(
                    f"order {page.held[0][0]} may have used the code and cannot be read: {page.held[0][1]}"
                )
            orders += [
                order for order in page.orders if code.casefold() in map(str.casefold, order.codes_used)
            ]
            if (cursor := page.cursor) is None:
                return orders

    # --- Webhooks ------------------------------------------------------------------------------------------

    @_in_one_go
    def ensure_webhooks(self, address: str, secret: str | None) -> Sequence[WebhookState]:
        """As `ShopClient` says, for a merchant's own app; `secret` is not used: the app's client secret signs.

        The subscriptions of the installation's own app stand in its shopify.app.toml. The API does not list them, so
        nothing is checked, and that is what the answer says.
        """
        if not self._is_own_app():
            detail = "declared in shopify.app.toml, which the API does not list: not checked"
            return [
                WebhookState(topic=topic, healthy=True, repaired=False, detail=detail)
                for topic in webhooks.SUBSCRIBED
            ]
        by_topic: dict[str, list[_Subscription]] = {}
        for subscription in self._subscriptions():
            by_topic.setdefault(subscription.topic, []).append(subscription)
        return [
            self._ensured(topic, by_topic.get(_enum(topic), []), address) for topic in webhooks.SUBSCRIBED
        ]

    def remove_webhooks(self, address: str) -> None:
        if self._is_own_app():
            for subscription in list(self._subscriptions()):
                if subscription.uri == address:
                    self._change_webhook(DELETE_WEBHOOK, {"id": subscription.id})

    def introduce(self, introduction: Introduction) -> str | None:
        """Shopify signs for shopper and shop by itself: what runs in a theme needs no secret of ours."""
        return None

    def close(self) -> None:
        self._http.close()

    # --- Very many orders ------------------------------------------------------------------------------------

    def _begin_gathering(self, query: str) -> OrderPage | None:
        """None where there are not so many, or Shopify carries out enough for us already."""
        counted = self._data(COUNT_ORDERS, {"query": query, "limit": _COUNTED})
        count = _as(counted, _OrdersCount).orders_count.count
        if count <= _MANY_ORDERS:
            return None
        wanted = gather_orders(query)
        # One that a try without an answer began: it is this very run's, since the query names its moment.
        found = _as(self._data(FIND_GATHERINGS, {}), _Gatherings).bulk_operations.nodes
        ours = next((one for one in found if one.query == wanted), None)
        if ours is None:
            begun = _as(self._data(GATHER, {"query": wanted}), _Begun).begun
            if begun is None:
                raise Retryable("the shop did not say what became of it")
            if begun.bulk_operation is None:
                _log.info("no gathering shop=%s reason=%s", self._access.shop_key, _shown(begun.user_errors))
                return None
            ours = begun.bulk_operation
        return OrderPage((), (), _Place(ours.id).cursor, wait_s=_LOOK_AGAIN_S, total=count)

    def _gathered(self, place: "_Place") -> OrderPage:
        """The next part of what was gathered. Raises: Unusable, Retryable, AccessLost."""
        told = _as(self._data(READ_GATHERING, {"id": place.gid}), _Gathering).bulk_operation
        if told is None:
            raise Unusable("it is not known any more")
        if told.status in ("CREATED", "RUNNING"):
            return OrderPage((), (), place.cursor, wait_s=_LOOK_AGAIN_S)
        total = int(told.root_object_count)
        if told.status != "COMPLETED":  # what a broken-off one brought is not all of it
            raise Unusable(f"{told.status} {told.error_code or ''}")
        if told.url is None and total:
            raise Unusable("its file is gone")
        nodes, length = self._part(told.url, place.offset) if told.url else ({}, None)
        end = place.orders + len(nodes)
        if length is None and end != total:
            raise Unusable(f"{end} orders of {total}")
        understood, held = self._understood(nodes)
        onwards = None if length is None else _Place(place.gid, place.offset + length, end).cursor
        return OrderPage(tuple(understood), tuple(held), onwards, total=total)

    def _part(self, url: str, offset: int) -> tuple[dict[str, Any], int | None]:
        """Whole orders of the file from `offset` on, by their ids, and how many bytes they are; None: the last ones.

        The address is signed for whoever has it: our token stays here.
        """
        wanted = {"range": f"bytes={offset}-{offset + _PART - 1}", "accept-encoding": "identity"}
        request = self._http.build_request("GET", url, headers=wanted)
        try:
            response = send(self._http, request, error_code=lambda _: None)
        except Refused as error:
            # 403 once the address has ended: that says nothing of our access to the shop.
            raise Unusable(error.detail) from error
        if response.status_code != httpx.codes.PARTIAL_CONTENT:
            raise Unusable("its file cannot be read in parts")
        total = response.headers.get("content-range", "").rpartition("/")[2]
        if not total.isdecimal():
            raise Unusable("nobody says how long its file is")
        return orders_in(response.content, is_end=offset + len(response.content) >= int(total))

    # --- Orders, more closely --------------------------------------------------------------------------------

    def _page(self, query: str, cursor: str | None, *, sort: str, reverse: bool) -> OrderPage:
        page, spoiled = self._raw_page({"query": query, "after": cursor, "sort": sort, "reverse": reverse})
        nodes = {str(mapping.ref(node["id"])): node for node in page.nodes}
        held = [(order_ref, spoiled[index]) for index, order_ref in enumerate(nodes) if index in spoiled]
        for order_ref, _ in held:
            del nodes[order_ref]
        understood, not_understood = self._understood(nodes)
        return OrderPage(tuple(understood), (*held, *not_understood), _next(page.page_info))

    def _raw_page(self, variables: Mapping[str, Any]) -> "tuple[_OrderNodes, Mapping[int, str]]":
        """A page as told, and why single orders of it (by place) are not to be believed."""
        for first in (20, 10, 5, 2, 1):
            try:
                answer = self._ask(FIND_ORDERS, {**variables, "first": first})
            except _TooCostly:
                continue
            spoiled = _spoiled(answer, depth=("orders", "nodes"))
            page = _as(answer.data, _OrdersAnswer).orders
            if any(node is None for node in page.nodes):
                raise Retryable("the shop could not read one of its orders")
            return page, spoiled
        raise Refused("too_costly", "a single order costs more than Shopify answers at once")

    def _understood(self, nodes: Mapping[str, Any]) -> tuple[list[OrderSnapshot], list[tuple[str, str]]]:
        """The nodes as snapshots, with all their lines and refunds; and which were not understood, and why."""
        told: dict[str, payloads.ApiOrder] = {}
        held: list[tuple[str, str]] = []
        for order_ref, node in nodes.items():
            try:
                told[order_ref] = _as(node, payloads.ApiOrder)
            except Refused as error:
                held.append((order_ref, f"{error.code}: {error.detail}"))
        refunds = self._refunds([refund.id for order in told.values() for refund in order.refunds])
        understood = []
        for order_ref, order in told.items():
            try:
                of_order = [refunds[refund.id] for refund in order.refunds]
                lines = self._all_lines(order)
                understood.append(mapping.snapshot(mapping.told_by_api(order, lines, of_order)))
            except AccessLost:
                raise
            except (Refused, KeyError) as error:
                reason = (
                    f"{error.code}: {error.detail}"
                    if isinstance(error, Refused)
                    else "a refund is unreadable"
                )
                held.append((order_ref, reason))
        return understood, held

    def _field(self, customer_ref: str, name: ProfileField) -> dict[str, str]:
        return {"ownerId": _gid("Customer", customer_ref), "namespace": NAMESPACE, "key": name.value}

    def _in_parts(self, operation: str, fields: Sequence[tuple[str, Mapping[str, str]]]) -> set[str]:
        """Do it to as many fields a time as may be; the customers of whom the shop did not take one.

        A call is done as a whole or not at all, so one that is refused is done again without those; where it does not
        say which, in halves.
        """
        doubtful: set[str] = set()
        waiting = [fields[at : at + _FIELDS_AT_ONCE] for at in range(0, len(fields), _FIELDS_AT_ONCE)]
        while waiting:
            part = [one for one in waiting.pop(0) if one[0] not in doubtful]
            if not part:
                continue
            errors = self._told_errors(operation, {"fields": [field for _, field in part]})
            named = {part[error.at][0] for error in errors if error.at is not None and error.at < len(part)}
            if errors and not named and len(part) > 1:
                middle = len(part) // 2
                waiting += [part[:middle], part[middle:]]
            elif errors:
                doubtful |= named or {part[0][0]}
                waiting.append(part)
        return doubtful

    def _change_tags(self, changes: Sequence[ProfileChange]) -> set[str]:
        """The customers at whom the shop did not take it."""
        wanted = [(one.customer_ref, "tagsAdd", [one.add_tag]) for one in changes if one.add_tag]
        wanted += [
            (one.customer_ref, "tagsRemove", sorted(one.drop_tags)) for one in changes if one.drop_tags
        ]
        doubtful: set[str] = set()
        for start in range(0, len(wanted), _TAGS_AT_ONCE):
            part = wanted[start : start + _TAGS_AT_ONCE]
            variables: dict[str, Any] = {}
            for n, (ref, _, tags) in enumerate(part):
                variables |= {f"id{n}": _gid("Customer", ref), f"tags{n}": tags}
            answer = self._ask_apart(change_tags([act for _, act, _ in part]), variables)
            for error in answer.errors:  # that one customer is unknown may be told either way
                failure = _failure(error, changes=True)
                if not isinstance(failure, Refused) or isinstance(failure, AccessLost):
                    raise failure
            told = _as(answer.data, dict[str, _Errors | None])
            for n, (ref, _, _) in enumerate(part):
                its = told.get(f"a{n}")
                if its is None or its.user_errors:
                    doubtful.add(ref)
        return doubtful

    def _told_errors(self, operation: str, variables: Mapping[str, Any]) -> "tuple[_ProfileError, ...]":
        told = _as(self._data(operation, variables, granted_apart=True), _ToldAnswer).told
        if told is None:
            raise Retryable("the shop did not say what became of it")
        if any(error.code == "INTERNAL_ERROR" for error in told.user_errors):
            raise Retryable("the shop failed at it")
        return told.user_errors

    def _all_lines(self, order: payloads.ApiOrder) -> list[payloads.ApiLine]:
        lines, page = list(order.line_items.nodes), order.line_items.page_info
        while after := _next(page):
            more = _as(self._data(MORE_LINES, {"id": order.id, "after": after}), _MoreLines).node.line_items
            lines += more.nodes
            page = more.page_info
        return lines

    def _refunds(
        self, gids: Sequence[str]
    ) -> Mapping[str, tuple[payloads.ApiRefund, Sequence[payloads.ApiRefundedLine]]]:
        """Each refund with all its lines, by gid; those that cannot be read are left out."""
        read: dict[str, tuple[payloads.ApiRefund, Sequence[payloads.ApiRefundedLine]]] = {}
        refs = [str(mapping.ref(gid)) for gid in gids]
        for _, node in self._nodes(READ_REFUNDS, "Refund", refs, _REFUNDS_AT_ONCE):
            if isinstance(node, Absent):
                continue
            refund = _as(node, payloads.ApiRefund)
            lines, page = list(refund.refund_line_items.nodes), refund.refund_line_items.page_info
            while after := _next(page):
                told = self._data(MORE_REFUNDED_LINES, {"id": refund.id, "after": after})
                more = _as(told, _MoreRefundedLines).node.refund_line_items
                lines += more.nodes
                page = more.page_info
            read[refund.id] = refund, lines
        return read

    def _nodes(
        self,
        operation: str,
        kind: str,
        refs: Sequence[str],
        at_once: int,
        more: Mapping[str, Any] | None = None,
    ) -> Iterator[tuple[str, "Any | Absent"]]:
        """Each ref with its node as told; in smaller batches where Shopify finds them too costly."""
        for start in range(0, len(refs), at_once):
            batch = refs[start : start + at_once]
            try:
                ids = [_gid(kind, one) for one in batch]
                answer = self._ask(operation, {"ids": ids, **(more or {})})
            except _TooCostly:
                if len(batch) == 1:
                    raise Refused(
                        "too_costly", f"{kind} {batch[0]} costs more than Shopify answers at once"
                    ) from None
                yield from self._nodes(operation, kind, batch, math.ceil(len(batch) / 2), more)
                continue
            spoiled = _spoiled(answer, depth=("nodes",))
            for index, (each, node) in enumerate(zip(batch, _as(answer.data, _Nodes).nodes, strict=True)):
                if index in spoiled:
                    yield each, Absent.UNREADABLE
                else:
                    yield each, node or Absent.GONE

    # --- Codes and webhooks, more closely ----------------------------------------------------------------------

    def _issue_discount(self, spec: CodeSpec) -> IssuedCode:
        wanted = codes.body(spec)
        if (node := self._find(spec.code)) is None:
            made = self._made(codes.create_operation(spec), {"input": wanted})
            if any(error.code == "TAKEN" for error in made.user_errors):
                node = self._find(spec.code)
                if node is None:
                    raise Retryable("the code is taken, and not to be found yet", retry_after_s=5)
            elif made.user_errors:
                raise _refusal(made.user_errors)
            else:
                node = _as(made.code_discount_node, codes.CodeNode)
        return self._accepted(spec, node)

    def _issue_card(self, spec: CodeSpec) -> IssuedCode:
        wanted = codes.card_body(spec)
        if (card := self._find_card(spec)) is None:
            made = self._made(codes.CREATE_CARD, {"input": wanted}, granted_apart=True)
            if any(error.code == "TAKEN" for error in made.user_errors):
                # Ours of an earlier try, which the search does not show yet; of 80 random bits nobody has the same.
                raise Retryable("the gift card is made, and not to be found yet", retry_after_s=5)
            if made.user_errors:
                raise _refusal(made.user_errors)
            card = _as(made.gift_card, codes.Card)
        if different := codes.card_differences(spec, card):
            self._end_card(card)
            raise Refused("differs", f"the shop's gift card is not what was asked: {', '.join(different)}")
        return IssuedCode(code=spec.code, code_ref=str(mapping.ref(card.id)))

    def _find_card(self, spec: CodeSpec) -> codes.Card | None:
        """By its id, once that is known: the search may lag behind."""
        if spec.code_ref is not None:
            told = self._data(codes.READ_CARD, {"id": _gid("GiftCard", spec.code_ref)}, granted_apart=True)
            return _as(told, codes.CardAnswer).gift_card
        told = self._data(codes.FIND_CARDS, {"query": spec.code}, granted_apart=True)
        note = codes.card_note(spec.tag, spec.code)
        return next(
            (card for card in _as(told, codes.CardsAnswer).gift_cards.nodes if card.note == note), None
        )

    def _withdraw_card(self, spec: CodeSpec) -> FoundCode | None:
        card = self._find_card(spec)
        if card is None:
            return None
        if card.enabled:
            card = self._end_card(card)
        return codes.found_card(spec, card)

    def _end_card(self, card: codes.Card) -> codes.Card:
        """What is on it then cannot be spent any more, so that its balance is the last word."""
        made = self._made(codes.DEACTIVATE_CARD, {"id": card.id}, granted_apart=True)
        if made.user_errors:
            raise _refusal(made.user_errors)
        ended = _as(made.gift_card, codes.Card)
        if ended.enabled:
            raise Retryable("the gift card was switched off and is still live", retry_after_s=5)
        return ended

    def _credit(self, spec: CodeSpec) -> IssuedCode:
        wanted = codes.credit_body(spec)
        if (credit := self._find_credit(spec)) is None:
            variables = {"id": _gid("Customer", spec.customer_ref), "input": wanted}
            made = self._made(codes.CREDIT, variables, granted_apart=True)
            if made.user_errors:
                raise _refusal(made.user_errors)
            credit = _as(made.store_credit_account_transaction, codes.Credited)
        return IssuedCode(code=spec.code, code_ref=str(mapping.ref(credit.id)), handed_over=True)

    def _find_credit(self, spec: CodeSpec) -> codes.Credited | None:
        told = self._data(codes.FIND_CREDITS, {"id": _gid("Customer", spec.customer_ref)}, granted_apart=True)
        customer = _as(told, codes.CreditsAnswer).customer
        if customer is None:
            return None  # of somebody whom the shop has no more, nothing can be spent
        for account in customer.store_credit_accounts.nodes:
            told_credits = account.transactions.nodes
            if found := next((each for each in told_credits if codes.is_credit(spec, each)), None):
                return found
            oldest = told_credits[-1].created_at if told_credits else None
            if (
                len(told_credits) == codes.CREDITS_READ
                and oldest
                and oldest >= spec.starts_at - _CLOCKS_DIFFER
            ):
                raise Retryable("more credits since than can be looked through", retry_after_s=3600)
        return None

    def _find(self, code: str) -> codes.CodeNode | None:
        return _as(self._data(codes.FIND, {"code": code}), codes.Found).node

    def _accepted(self, spec: CodeSpec, node: codes.CodeNode) -> IssuedCode:
        discount = node.code_discount
        if spec.tag not in discount.tags:
            raise Refused("code_taken", "a code of that name is at the shop already, and not ours")
        if different := codes.differences(spec, discount):
            self._deactivate(node.id)
            raise Refused("differs", f"the shop's code is not what was asked: {', '.join(different)}")
        issued = codes.found_code(node, spec.tag)
        return IssuedCode(code=issued.code, code_ref=issued.code_ref)

    def _deactivate(self, gid: str) -> None:
        if errors := self._made(codes.DEACTIVATE, {"id": gid}).user_errors:
            raise _refusal(errors)

    def _is_own_app(self) -> bool:
        return self._access.credentials.get("mode") == "own_app"

    def _subscriptions(self) -> "Iterator[_Subscription]":
        after: str | None = None
        while True:
            page = _as(self._data(READ_WEBHOOKS, {"after": after}), _WebhooksAnswer).webhook_subscriptions
            yield from page.nodes
            if (after := _next(page.page_info)) is None:
                return

    def _ensured(self, topic: str, there: "Sequence[_Subscription]", address: str) -> WebhookState:
        """Every subscription that the API lists is this app's own, so one that points elsewhere is ours to repoint."""
        right = [each for each in there if each.uri == address]
        wanted = {"uri": address, "format": "JSON"}
        if right:
            keep, detail = right[0], "in place"
        elif there:
            keep, detail = there[0], "pointed elsewhere; repointed"
            self._change_webhook(REPOINT_WEBHOOK, {"id": keep.id, "subscription": wanted})
        else:
            self._change_webhook(CREATE_WEBHOOK, {"topic": _enum(topic), "subscription": wanted})
            return WebhookState(
                topic=topic,
                healthy=True,
                repaired=True,
                detail="was missing; made",
                found=WebhookFound.MISSING,
            )
        surplus = [each for each in there if each.id != keep.id]
        for each in surplus:
            self._change_webhook(DELETE_WEBHOOK, {"id": each.id})
        if surplus:
            detail = f"{detail}; {len(surplus)} more removed"
        doubled = WebhookFound.DOUBLED if surplus else WebhookFound.RIGHT
        return WebhookState(
            topic=topic,
            healthy=True,
            repaired=not right or bool(surplus),
            detail=detail,
            found=doubled if right else WebhookFound.ELSEWHERE,
        )

    def _change_webhook(self, operation: str, variables: Mapping[str, Any]) -> None:
        if errors := self._made(operation, variables).user_errors:
            raise Refused("webhook_refused", _shown(errors))

    # --- Asking --------------------------------------------------------------------------------------------

    def _made(
        self, mutation: str, variables: Mapping[str, Any], *, granted_apart: bool = False
    ) -> codes.Made:
        made = _as(self._data(mutation, variables, granted_apart=granted_apart), codes.MadeAnswer).made
        if made is None:
            raise Retryable("the shop did not say what became of it")
        return made

    def _data(self, operation: str, variables: Mapping[str, Any], *, granted_apart: bool = False) -> Any:
        """The answer's data, where nothing but withheld personal fields may be missing.

        `granted_apart`: its scopes are not needed for anything else, so without them the shop is not lost.
        """
        answer = self._ask_apart(operation, variables) if granted_apart else self._ask(operation, variables)
        for error in answer.errors:
            if not _is_withheld(error):
                raise _failure(error, changes=_changes(operation))
        return answer.data

    def _ask_apart(self, operation: str, variables: Mapping[str, Any]) -> "_Told":
        """As `_ask`. Raises: Refused("not_granted") where the merchant did not grant what this needs."""
        try:
            answer = self._ask(operation, variables)
        except AccessLost as lost:
            if "ACCESS_DENIED" in lost.detail:
                raise Refused("not_granted", lost.detail) from lost
            raise
        for error in answer.errors:
            if error.extensions.code == "ACCESS_DENIED":
                raise Refused("not_granted", cleared(error.message))
        return answer

    def _ask(self, operation: str, variables: Mapping[str, Any]) -> "_Told":
        """The answer as told, with the errors of single fields. An answer without data raises.

        Shopify answers 200 to a throttled query, and to a failed one.
        """
        token = self._access.credentials.get("access_token", "")
        if not token:
            raise AccessLost("there is no access token for this shop: connect it again")
        request = self._http.build_request(
            "POST",
            self._url,
            json={"query": operation, "variables": dict(variables)},
            headers={"x-shopify-access-token": token},
        )
        with self._paced(_name(operation)):
            return self._told(self._sent(request, changes=_changes(operation)), changes=_changes(operation))

    def _sent(self, request: httpx.Request, *, changes: bool) -> httpx.Response:
        try:
            return send(self._http, request, error_code=lambda _: None)
        except Retryable as error:
            maybe_applied = changes and error.maybe_applied
            raise Retryable(
                error.detail, retry_after_s=error.retry_after_s, maybe_applied=maybe_applied
            ) from error
        except AccessLost:
            raise
        except Refused as error:
            raise _shop_state(error) from error

    @contextmanager
    def _paced(self, work: str) -> Iterator[None]:
        """One piece of work, put off before it begins or not at all: begun again and again, it would never end.

        Raises: PutOff.
        """
        pace = self._access.pace
        if pace is None or self._spent is not None:  # part of a piece that was begun
            yield
            return
        pace.require(work, self._access.urgency)
        self._spent = 0
        try:
            yield
        finally:
            pace.learn(work, self._spent)
            self._spent = None

    def _told(self, response: httpx.Response, *, changes: bool) -> "_Told":
        host = response.request.url.host
        try:
            answer = decode(response.content, Answer)
        except Refused as error:
            # A maintenance page, a cut answer: nobody knows what happened at the shop.
            raise Retryable(
                f"{host}: the answer is no GraphQL ({error.code})", maybe_applied=changes
            ) from error
        self._hear(answer.extensions.cost)
        if isinstance(answer.errors, str):
            raise Retryable(f"{host}: an answer without data", maybe_applied=changes)
        by_code = {error.extensions.code: error for error in answer.errors}
        if "THROTTLED" in by_code:
            raise self._throttled(f"{host}: throttled", answer.extensions.cost)
        if "MAX_COST_EXCEEDED" in by_code:
            raise _TooCostly
        if answer.data is None:
            if answer.errors:
                raise _failure(answer.errors[0], changes=changes)
            raise Retryable(f"{host}: an answer without data", maybe_applied=changes)
        return _Told(answer.data, answer.errors)

    def _hear(self, cost: Cost) -> None:
        status = cost.throttle_status
        if self._access.pace is None or status is None:
            return
        self._spent = (self._spent or 0) + math.ceil(cost.requested_query_cost or 0)
        self._access.pace.hear(
            available=math.floor(status.currently_available),
            maximum=math.floor(status.maximum_available),
            restored_per_s=math.floor(status.restore_rate),
        )

    def _throttled(self, shown: str, cost: Cost) -> Retryable:
        """Others were faster. Work that nobody waits for is put off until there is room beside what is kept."""
        wait, access = _wait_s(cost), self._access
        if access.pace is None or access.urgency is Urgency.SHOPPER:
            return Retryable(shown, retry_after_s=wait, maybe_applied=False)
        wanted = math.ceil(cost.requested_query_cost or 0)
        wait = max(wait, access.pace.wait_s(wanted, access.urgency))
        return PutOff(shown, retry_after_s=wait, begun=True)


class _Told(Struct, frozen=True):
    data: Any
    errors: tuple[ApiError, ...]


def _wait_s(cost: Cost) -> int:
    """Until the bucket holds what the query costs. Source: shopify.dev, API rate limits, "throttleStatus"."""
    status, wanted = cost.throttle_status, cost.requested_query_cost
    if status is None or wanted is None or status.restore_rate <= 0:
        return 1
    missing = wanted - status.currently_available
    return max(1, min(math.ceil(missing / status.restore_rate), 60))


def _failure(error: ApiError, *, changes: bool) -> Exception:
    code = error.extensions.code
    where = ".".join(map(str, error.path)) or "the query"
    shown = f"{cleared(code or 'error', 60)} at {cleared(where)}: {cleared(error.message)}"
    if code == "ACCESS_DENIED":
        return _Denied(shown)
    if code in ("SHOP_INACTIVE", "INVALID_ACCESS_TOKEN"):
        return AccessLost(shown)
    if code in ("INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE") or not code:
        return Retryable(shown, maybe_applied=changes)
    return Refused("query_refused", shown)


def _shop_state(error: Refused) -> Exception:
    if why := _SHOP_STATES.get(error.code):
        return Retryable(f"{error.detail}: {why}", retry_after_s=3600, maybe_applied=False)
    if error.code == "http_404":
        return Refused(
            "shop_gone", f"{error.detail}: no such shop, or closed for good; or the API version has ended"
        )
    return error


def _spoiled(answer: _Told, *, depth: tuple[str, ...]) -> Mapping[int, str]:
    """The places under `depth` at which something but a withheld field failed; an error elsewhere raises."""
    spoiled: dict[int, str] = {}
    for error in answer.errors:
        if _is_withheld(error):
            continue
        place = error.path[len(depth)] if len(error.path) > len(depth) else None
        if error.path[: len(depth)] != depth or not isinstance(place, int):
            raise _failure(error, changes=False)
        if error.extensions.code == "ACCESS_DENIED":
            raise _failure(
                error, changes=False
            )  # a scope or an approval is missing: it fails for each order alike
        spoiled[place] = f"{error.extensions.code or 'error'}: {'.'.join(map(str, error.path))}"
    return spoiled


def _is_withheld(error: ApiError) -> bool:
    return (
        error.extensions.code == "ACCESS_DENIED" and bool(error.path) and error.path[-1] in _MAY_BE_WITHHELD
    )


def _refusal(errors: Iterable[codes.UserError]) -> Exception:
    errors = tuple(errors)
    if any(error.code == "INTERNAL_ERROR" for error in errors):
        return Retryable(_shown(errors))
    if any(error.code == "OWNER_NOT_FOUND" or codes.unreachable_customer(error) for error in errors):
        return Refused("customer_unreachable", _shown(errors))
    return Refused("rejected", _shown(errors))


def _shown(errors: Iterable[codes.UserError]) -> str:
    return "; ".join(
        f"{cleared('.'.join(error.field or ()))} {cleared(error.code or '', 60)} {cleared(error.message)}"
        for error in errors
    )


def _changes(operation: str) -> bool:
    return operation.lstrip().startswith("mutation")


def _name(operation: str) -> str:
    """As the operation calls itself: "ReadOrders"."""
    return operation.split("(", 1)[0].split("{", 1)[0].split()[-1]


def _as(value: Any, shape: type[_Shape]) -> _Shape:
    """Raises: Refused("not_understood"), naming the field."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise Refused("not_understood", str(error)) from None


def _sound(node: "Any | Absent") -> Any:
    """Raises: Retryable for a node that Shopify answers with an error instead."""
    if node is Absent.UNREADABLE:
        raise Retryable("Shopify answers for one of these with an error")
    return node


def _gid(kind: str, bare: str) -> str:
    if not (bare.isascii() and bare.isdecimal()):
        raise Refused("not_understood", f"{bare[:32]!r} is no id of Shopify's")
    return f"gid://shopify/{kind}/{bare}"


def _enum(topic: str) -> str:
    return topic.upper().replace("/", "_").replace(".", "_")


def _next(page: payloads.ApiPage) -> str | None:
    return page.end_cursor if page.has_next_page else None


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _escaped(text: str) -> str:
    return "".join(f"\\{each}" if each in ":\\() '\"" else each for each in text)


def _our_tag(tags: Sequence[str]) -> str | None:
    """The tag to show where nobody said which is ours: staff may have added theirs."""
    return next((tag for tag in tags if tag.startswith("laurel")), tags[0] if tags else None)


def _require_none(errors: "Iterable[_ProfileError]") -> None:
    if wrong := "; ".join(f"{cleared(error.code or '', 60)} {cleared(error.message)}" for error in errors):
        raise Refused("rejected", wrong)


def _found_profile(node: "_ProfileNode") -> FoundProfile:
    """What stands there of ours; a field that an older version of ours made is nobody's business any more."""
    known = {name.value: name for name in ProfileField}
    return FoundProfile(
        fields={known[one.key]: one.value for one in node.metafields.nodes if one.key in known},
        tags=frozenset(tag.casefold() for tag in node.tags if is_ours(tag)),
    )


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


def _flow_payload(happening: Happening) -> dict[str, str | int]:
    """A reference to a customer is told as its bare number. Source: shopify.dev, "Create a Flow trigger"."""
    _gid("Customer", happening.customer_ref)
    return {"customer_id": int(happening.customer_ref), **happening.facts}


def _why_not_told(told: "_Errors | None", failed: ApiError | None) -> str | None:
    if failed is not None:
        return cleared(failed.message)
    if told is None:
        return "Flow did not say what became of it."
    return "; ".join(cleared(error.message) for error in told.user_errors) or None


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


# --- Answers -----------------------------------------------------------------------------------------------


class _Nodes(Struct, frozen=True):
    nodes: tuple[Any, ...]


class _OrderNodes(Struct, frozen=True, rename="camel"):
    page_info: payloads.ApiPage
    nodes: tuple[Any, ...]


class _OrdersAnswer(Struct, frozen=True):
    orders: _OrderNodes


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


class _Email(Struct, frozen=True, rename="camel"):
    email_address: str | None


class _CustomerNode(Struct, frozen=True, kw_only=True, rename="camel"):
    id: str
    first_name: str | None
    last_name: str | None
    verified_email: bool
    default_email_address: _Email | None


class _CustomerAnswer(Struct, frozen=True):
    customer: _CustomerNode | None


class _Domain(Struct, frozen=True):
    url: str


class _Shop(Struct, frozen=True, kw_only=True, rename="camel"):
    name: str
    myshopify_domain: str
    currency_code: str
    iana_timezone: str
    primary_domain: _Domain


class _Scope(Struct, frozen=True):
    handle: str


class _Installation(Struct, frozen=True, rename="camel"):
    access_scopes: tuple[_Scope, ...]


class _ShopAnswer(Struct, frozen=True, rename="camel"):
    shop: _Shop
    current_app_installation: _Installation


class _Tagged(Struct, frozen=True):
    tags: tuple[str, ...] = ()


class _ProfileError(Struct, frozen=True, kw_only=True):
    message: str = ""
    code: str | None = None
    at: int | None = msgspec.field(default=None, name="elementIndex")


class _Errors(Struct, frozen=True, rename="camel"):
    user_errors: tuple[_ProfileError, ...]


class _ToldAnswer(Struct, frozen=True):
    told: _Errors | None


class _Metafield(Struct, frozen=True):
    key: str
    value: str


class _Metafields(Struct, frozen=True):
    nodes: tuple[_Metafield, ...]


class _ProfileNode(Struct, frozen=True):
    metafields: _Metafields
    tags: tuple[str, ...] = ()


class _Collections(Struct, frozen=True, rename="camel"):
    page_info: payloads.ApiPage
    nodes: tuple[payloads.ApiNode, ...]


class _ProductNode(Struct, frozen=True):
    collections: _Collections
    tags: tuple[str, ...] = ()


class _ProductAnswer(Struct, frozen=True):
    node: _ProductNode | None


class _Subscription(Struct, frozen=True):
    id: str
    topic: str
    uri: str


class _Subscriptions(Struct, frozen=True, rename="camel"):
    page_info: payloads.ApiPage
    nodes: tuple[_Subscription, ...]


class _WebhooksAnswer(Struct, frozen=True, rename="camel"):
    webhook_subscriptions: _Subscriptions
