"""What a WooCommerce store keeps: plain records, amounts as Decimal. Nothing here computes or speaks HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

ZERO = Decimal(0)
STATUSES = (
    "pending",
    "processing",
    "on-hold",
    "completed",
    "cancelled",
    "refunded",
    "failed",
    "checkout-draft",
)


@dataclass(slots=True, kw_only=True)
class Product:
    id: int
    name: str
    price: Decimal
    sku: str
    taxable: bool = True
    category: str = ""
    categories: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    trashed: bool = False


@dataclass(slots=True, kw_only=True)
class Category:
    id: int
    name: str
    parent: int = 0


@dataclass(slots=True, kw_only=True)
class Customer:
    id: int
    email: str
    first_name: str
    last_name: str
    username: str
    created: datetime
    modified: datetime
    billing: dict[str, str]
    shipping: dict[str, str]
    role: str = "customer"
    paying: bool = False


@dataclass(slots=True, kw_only=True)
class Meta:
    id: int
    key: str
    value: object


@dataclass(slots=True, kw_only=True)
class Coupon:
    id: int
    code: str
    created: datetime
    modified: datetime
    amount: Decimal = ZERO
    discount_type: str = "fixed_cart"
    status: str = "publish"
    description: str = ""
    expires: datetime | None = None
    usage_count: int = 0
    used_by: list[str] = field(default_factory=list)
    usage_limit: int | None = None
    usage_limit_per_user: int | None = None
    individual_use: bool = False
    free_shipping: bool = False
    exclude_sale_items: bool = False
    minimum_amount: Decimal = ZERO
    maximum_amount: Decimal = ZERO
    email_restrictions: list[str] = field(default_factory=list)
    product_ids: list[int] = field(default_factory=list)
    limit_usage_to_x_items: int | None = None
    excluded_product_ids: list[int] = field(default_factory=list)
    meta: list[Meta] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Line:
    id: int
    product: Product
    quantity: int
    subtotal: Decimal = ZERO  # before discounts; without tax, like all amounts here
    subtotal_tax: Decimal = ZERO
    total: Decimal = ZERO  # after discounts
    total_tax: Decimal = ZERO
    price: Decimal  # of one, as the store lists it (with tax if it lists so)


@dataclass(slots=True, kw_only=True)
class Extra:
    """A shipping line or a fee."""

    id: int
    title: str
    total: Decimal
    tax: Decimal = ZERO
    taxable: bool = True


@dataclass(slots=True, kw_only=True)
class UsedCoupon:
    id: int
    coupon: Coupon
    meta_id: int
    discount: Decimal = ZERO
    discount_tax: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundedLine:
    id: int
    line: Line
    quantity: int
    total: Decimal
    tax: Decimal
    meta_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundedExtra:
    id: int
    extra: Extra
    total: Decimal
    tax: Decimal
    meta_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    id: int
    created: datetime
    amount: Decimal  # with tax
    reason: str
    full: bool  # it gave back the last of the order
    meta_id: int
    tax_line_id: int
    lines: Sequence[RefundedLine] = ()
    shipping: Sequence[RefundedExtra] = ()
    fees: Sequence[RefundedExtra] = ()

    @property
    def goods_tax(self) -> Decimal:
        return sum((line.tax for line in self.lines), ZERO) + sum((fee.tax for fee in self.fees), ZERO)

    @property
    def shipping_tax(self) -> Decimal:
        return sum((part.tax for part in self.shipping), ZERO)


@dataclass(slots=True, kw_only=True)
class Order:
    id: int
    status: str
    currency: str
    prices_include_tax: bool
    created: datetime
    modified: datetime
    customer_id: int
    billing: dict[str, str]
    shipping_address: dict[str, str]
    key: str
    via: str
    tax_line_id: int
    paid: datetime | None = None
    completed: datetime | None = None
    payment_method: str = ""
    payment_title: str = ""
    transaction_id: str = ""
    note: str = ""
    status_before_trash: str = ""
    lines: list[Line] = field(default_factory=list)
    shipping: list[Extra] = field(default_factory=list)
    fees: list[Extra] = field(default_factory=list)
    coupons: list[UsedCoupon] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    meta: list[Meta] = field(default_factory=list)
    uses_counted: bool = False  # its coupons' usage_count includes this order

    @property
    def total_tax(self) -> Decimal:
        return self.cart_tax + self.shipping_tax

    @property
    def cart_tax(self) -> Decimal:
        return sum((part.total_tax for part in self.lines), ZERO) + sum((fee.tax for fee in self.fees), ZERO)

    @property
    def shipping_tax(self) -> Decimal:
        return sum((part.tax for part in self.shipping), ZERO)

    @property
    def shipping_total(self) -> Decimal:
        return sum((part.total for part in self.shipping), ZERO)

    @property
    def total(self) -> Decimal:
        goods = sum((line.total for line in self.lines), ZERO) + sum((fee.total for fee in self.fees), ZERO)
        return goods + self.shipping_total + self.total_tax

    @property
    def refunded(self) -> Decimal:
        return sum((refund.amount for refund in self.refunds), ZERO)


@dataclass(slots=True, kw_only=True)
class Webhook:
    id: int
    name: str
    topic: str
    url: str
    secret: str
    created: datetime
    modified: datetime | None = None
    status: str = "active"
    failures: int = 0


@dataclass(slots=True, kw_only=True)
class ApiKey:
    id: int
    consumer_key: str
    consumer_secret: str
    permissions: str = "read_write"
    description: str = ""
    revoked: bool = False


ADDRESS = "first_name last_name company address_1 address_2 city state postcode country".split()


def address(**known: str) -> dict[str, str]:
    """A shipping address; the keys not named are empty."""
    return {key: known.get(key, "") for key in (*ADDRESS, "phone")}


def billing(**known: str) -> dict[str, str]:
    """A billing address: the same with an e-mail before the phone."""
    return {key: known.get(key, "") for key in (*ADDRESS, "email", "phone")}
