"""What a Shopify shop keeps: plain records, amounts as Decimal in the shop's currency. Nothing here speaks HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

ZERO = Decimal(0)


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


@dataclass(slots=True, kw_only=True)
class Product:
    id: int
    variant_id: int
    title: str
    price: Decimal
    sku: str
    taxable: bool = True
    gift_card: bool = False
    selling_plan_id: int | None = None  # told by GraphQL alone: webhooks have it since 2026-10
    vendor: str = "Fern & Field"
    tags: Sequence[str] = ()
    collections: Sequence[int] = ()


@dataclass(slots=True, kw_only=True)
class Customer:
    id: int
    email: str
    first_name: str
    last_name: str
    created: datetime
    updated: datetime
    state: str = "disabled"  # "enabled" once there is an account
    verified: bool = True
    tags: list[str] = field(default_factory=list)
    phone: str | None = None
    note: str | None = None
    metafields: dict[tuple[str, str], str] = field(default_factory=dict)  # (namespace in full, key) -> value


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """Of a metafield of customers."""

    name: str
    type: str
    storefront: bool  # the shop's pages may read it
    filterable: bool  # staff may search and make segments by it


@dataclass(slots=True, kw_only=True)
class Application:
    """A discount as one order carries it. `code` None: staff or an automatic one gave it."""

    code: str | None
    title: str
    percentage: Decimal | None
    amount: Decimal
    shipping: bool = False


@dataclass(slots=True, kw_only=True)
class Line:
    id: int
    product: Product
    price: Decimal  # of one; with tax if the order's taxes are included
    quantity: int
    removed: int = 0  # by an order edit
    allocations: list[tuple[Application, Decimal]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class ShippingLine:
    id: int
    title: str
    price: Decimal
    discount: Decimal = ZERO


@dataclass(slots=True, kw_only=True)
class Transaction:
    id: int
    kind: str  # sale, authorization, capture, refund, void
    amount: Decimal
    at: datetime
    parent_id: int | None = None
    gateway: str = "bogus"
    status: str = "success"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundLine:
    id: int
    line: Line
    quantity: int
    subtotal: Decimal  # after discounts; with tax if the order's taxes are included
    tax: Decimal
    restock: str = "no_restock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    id: int
    created: datetime
    note: str | None
    lines: Sequence[RefundLine] = ()
    shipping_id: int = 0
    shipping: Decimal = ZERO
    shipping_tax: Decimal = ZERO
    adjustment_id: int = 0
    beyond: Decimal = ZERO  # given back beyond lines and shipping
    transactions: Sequence[Transaction] = ()


@dataclass(slots=True, kw_only=True)
class Order:
    id: int
    number: int
    created: datetime
    updated: datetime
    processed: datetime
    customer: Customer | None
    email: str
    currency: str  # what the shopper paid in
    rate: Decimal  # shop's currency -> that currency
    taxes_included: bool
    test: bool
    source: str = "web"
    tags: list[str] = field(default_factory=list)
    cancelled: datetime | None = None
    cancel_reason: str | None = None
    closed: datetime | None = None
    fulfilled: bool = False
    edited: bool = False
    tip: Decimal = ZERO
    lines: list[Line] = field(default_factory=list)
    shipping: list[ShippingLine] = field(default_factory=list)
    applications: list[Application] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"#{self.number}"

    @property
    def codes(self) -> list[str]:
        return [application.code for application in self.applications if application.code is not None]


@dataclass(slots=True, kw_only=True)
class Discount:
    """A code discount. `customers` None: for everybody."""

    id: int
    kind: str  # DiscountCodeBasic, DiscountCodeFreeShipping, DiscountCodeBxgy
    code_id: int
    code: str
    title: str
    starts: datetime
    created: datetime
    updated: datetime
    ends: datetime | None = None
    percentage: Decimal | None = None
    amount: Decimal | None = None
    on_each_item: bool = False
    maximum_shipping: Decimal | None = None
    minimum: Decimal | None = None
    customers: list[int] | None = None
    gift: "Gift | None" = None
    usage_limit: int | None = None
    once_per_customer: bool = False
    combines: dict[str, bool] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    by_app: bool = True
    uses: list[tuple[datetime, int | None]] = field(default_factory=list)  # when, by which customer

    def status(self, now: datetime) -> str:
        if now < self.starts:
            return "SCHEDULED"
        return "EXPIRED" if self.ends is not None and self.ends <= now else "ACTIVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """Buy of a collection, for so much or so many pieces, and get pieces of a product or a variant for nothing."""

    collections: Sequence[int]
    amount: Decimal | None
    pieces: int | None
    products: Sequence[int]
    variants: Sequence[int]
    given: int
    percentage: Decimal
    per_order: int | None


@dataclass(slots=True, kw_only=True)
class GiftCard:
    id: int
    code: str
    initial: Decimal
    balance: Decimal
    created: datetime
    expires: date | None = None
    note: str | None = None
    deactivated: datetime | None = None

    @property
    def enabled(self) -> bool:
        return self.deactivated is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """Store credit given to a customer."""

    id: int
    customer_id: int
    amount: Decimal
    created: datetime
    expires: datetime | None


@dataclass(slots=True, kw_only=True)
class Subscription:
    id: int
    topic: str  # "orders/create"
    uri: str
    created: datetime
    updated: datetime
    name: str | None = None
    include_fields: list[str] = field(default_factory=list)
    filter: str | None = None
    by_api: bool = True  # False: from the app's configuration file; never deleted for failing
    failures: int = 0


@dataclass(slots=True, kw_only=True)
class Installation:
    """The app as this shop knows it: credentials from the partner's dashboard, addresses from its file."""

    client_id: str
    secrets: list[str]  # newest first; the last one signs for an hour after a rotation
    app_url: str = "https://laurel.example/admin"
    proxy_url: str = "https://laurel.example/storefront/v1"
    webhook_uri: str = "https://laurel.example/webhooks/shopify"
    flow_uri: str = "https://laurel.example/extensions/shopify/automation/v1/triggers"
    topics: list[str] = field(default_factory=list)  # subscribed by the app's configuration file
    scopes: list[str] = field(default_factory=list)
    handle: str = "laurel"
    subpath: str = "laurel"
    redirect_urls: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Token:
    value: str
    expires: datetime | None
    scopes: list[str]
    refresh: str | None = None
    refresh_expires: datetime | None = None
    previous_refresh: str | None = None  # usable until this token is first used
    used: bool = False
    revoked: bool = False
