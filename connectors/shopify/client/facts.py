"""What the Admin API tells of the shop itself, its customers and its products."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from app.domain.changes import CustomerFacts, ProductFacts
from app.domain.errors import Refused
from connectors.base import Absent, CodeKind, ShopFacts
from connectors.shopify import mapping, payloads
from connectors.shopify.client.admin_api import AdminApi, Denied, as_shape, gid, next_page, sound

READ_SHOP = """
query ReadShop {
  shop { name myshopifyDomain currencyCode ianaTimezone primaryDomain { url } }
  currentAppInstallation { accessScopes { handle } }
}"""
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

OPERATIONS = (READ_SHOP, READ_CUSTOMER, READ_TAGS, READ_PRODUCTS, MORE_COLLECTIONS)

_READABLE_DAYS = 60  # without read_all_orders. Source: shopify.dev, access scopes, "Orders permissions"
_CUSTOMERS_AT_ONCE = 100
_PRODUCTS_AT_ONCE = 20


# Optional scopes of kinds of codes, and what each kind is called. A scope that lets write lets read as well.
_NEEDED: Mapping[CodeKind, tuple[str, frozenset[str]]] = {
    CodeKind.GIFT_CARD: ("gift cards", frozenset({"write_gift_cards"})),
    CodeKind.STORE_CREDIT: (
        "store credit",
        frozenset({"read_store_credit_accounts", "write_store_credit_account_transactions"}),
    ),
}


def shop_facts(api: AdminApi) -> ShopFacts:
    told = as_shape(api.data(READ_SHOP, {}), _ShopAnswer)
    scopes = {scope.handle for scope in told.current_app_installation.access_scopes}
    return ShopFacts(
        shop_ref=told.shop.myshopify_domain.lower(),
        name=told.shop.name,
        url=told.shop.primary_domain.url.rstrip("/"),
        currency=told.shop.currency_code,
        timezone=told.shop.iana_timezone,
        reads_orders_days=None if "read_all_orders" in scopes else _READABLE_DAYS,
        withheld={
            kind.value: f"The shop has not let Laurel give {named} ({', '.join(sorted(needed - scopes))}): grant it "
            "in the shop, by the link on the shop’s page in Laurel’s admin."
            for kind, (named, needed) in _NEEDED.items()
            if needed - scopes
        },
    )


def read_customer(api: AdminApi, customer_ref: str) -> CustomerFacts | None:
    told = as_shape(api.data(READ_CUSTOMER, {"id": gid("Customer", customer_ref)}), _CustomerAnswer).customer
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


def read_tags(api: AdminApi, customer_refs: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    found = api.nodes(READ_TAGS, "Customer", customer_refs, _CUSTOMERS_AT_ONCE)
    return {ref: as_shape(sound(node), _Tagged).tags for ref, node in found if node is not Absent.GONE}


def read_products(api: AdminApi, product_refs: Sequence[str]) -> Mapping[str, ProductFacts]:
    found = api.nodes(READ_PRODUCTS, "Product", product_refs, _PRODUCTS_AT_ONCE)
    try:
        return {
            ref: _product(api, ref, as_shape(sound(node), _ProductNode))
            for ref, node in found
            if node is not Absent.GONE
        }
    except Denied as denied:
        # The one scope that Laurel does without where no rule asks for it: the shop is not lost.
        raise Refused("not_permitted", f"grant the app read_products: {denied.detail}") from denied


def _product(api: AdminApi, product_ref: str, node: "_ProductNode") -> ProductFacts:
    collections = [mapping.ref(one.id) for one in node.collections.nodes]
    page = node.collections.page_info
    while cursor := next_page(page):
        asked = {"id": gid("Product", product_ref), "after": cursor}
        more = as_shape(api.data(MORE_COLLECTIONS, asked), _ProductAnswer).node
        if more is None:
            break
        collections += [mapping.ref(one.id) for one in more.collections.nodes]
        page = more.collections.page_info
    return ProductFacts(
        product_ref=product_ref,
        collections=tuple(str(number) for number in collections),
        tags=node.tags,
    )


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


class _Collections(Struct, frozen=True, rename="camel"):
    page_info: payloads.ApiPage
    nodes: tuple[payloads.ApiNode, ...]


class _ProductNode(Struct, frozen=True):
    collections: _Collections
    tags: tuple[str, ...] = ()


class _ProductAnswer(Struct, frozen=True):
    node: _ProductNode | None
