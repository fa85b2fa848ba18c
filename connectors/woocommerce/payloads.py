"""WooCommerce's JSON, only the fields we read. What they mean: `mapping`; what we send: `codes`, `client`.

An order's `price` numbers are not here: money is read from strings alone. Ids are whole numbers (never booleans).
Source: recordings of WooCommerce 10.9.1 (tests/connectors/woocommerce/recordings, .../answers).
"""

from decimal import Decimal
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

Id = Annotated[int, Meta(ge=1)]


class OnlyId(Struct):
    """All that a `*.deleted` topic sends."""

    id: Id


class ErasureWish(Struct):
    """Our plugin's. `wish` stands in the signed body, since the topic beside it is not signed."""

    wish: Literal["forget"]
    email: str
    customer_id: Id | None = None  # None: a guest


class ErrorObject(Struct):
    """What the REST API says instead of the thing asked for; webhooks sign and send it too."""

    code: str
    message: str  # a coupon has a code as well, but no message


class MetaItem(Struct):
    key: str | int = ""
    value: Any = None  # whatever a plugin keeps there


# PHP turns a list with holes into an object: plugins that filter meta data do that.
MetaItems = list[MetaItem] | dict[str, MetaItem]


def items_of(meta_data: MetaItems) -> list[MetaItem]:
    return list(meta_data.values()) if isinstance(meta_data, dict) else meta_data


class LineItem(Struct):
    """`id`, `product_id`, `variation_id` are words, not money: whatever stands there spoils no order."""

    total: str  # after discounts, without tax
    total_tax: str = "0"
    quantity: Decimal = Decimal(1)  # a whole number in WooCommerce itself; plugins sell 1.5 kg
    meta_data: MetaItems = field(default_factory=list[MetaItem])
    id: Any = None
    product_id: Any = None  # 0: the product is gone
    variation_id: Any = None  # 0: the product has no variations
    subtotal: str | None = None  # before discounts, without tax


class FeeLine(Struct):
    total: str
    total_tax: str = "0"


class CouponLine(Struct):
    """What the coupon took off. Amounts; but a plugin's odd figure spoils no order."""

    code: str
    discount: Any = None  # off the goods, without tax
    discount_tax: Any = None  # off their tax


class RefundLine(Struct):
    """A refund as the order's body shows it: no lines, no date. `total` includes tax; both are negative."""

    id: Id
    total: str
    total_tax: str = "0"


class Billing(Struct):
    email: str | None = None


class Order(Struct):
    id: Id
    status: str
    currency: str
    total: str  # with tax and shipping; a refund does not lower it
    date_created_gmt: str | None
    date_modified_gmt: str | None
    line_items: list[LineItem]
    number: str = ""
    customer_id: Annotated[int, Meta(ge=0)] = 0  # 0: guest
    billing: Billing = field(default_factory=Billing)
    prices_include_tax: Any = False
    date_paid_gmt: str | None = None
    date_completed_gmt: str | None = None
    fee_lines: list[FeeLine] = field(default_factory=list[FeeLine])
    coupon_lines: list[CouponLine] = field(default_factory=list[CouponLine])
    refunds: list[RefundLine] = field(default_factory=list[RefundLine])
    shipping_total: str | None = None  # after discounts, without tax; a refund does not lower it
    shipping_tax: str | None = None
    created_via: Any = None  # "checkout", "store-api", "admin", "rest-api", … ; a word


class OrderDigestBody(Struct):
    """The least of an order: is what we hold still true?"""

    id: Id
    status: str
    date_modified_gmt: str | None
    customer_id: Annotated[int, Meta(ge=0)] = 0  # 0: guest
    refunds: list[RefundLine] = field(default_factory=list[RefundLine])


class RefundDetail(Struct):
    """GET orders/<id>/refunds: `amount` is positive and with tax, its lines are negative."""

    id: Id
    amount: str
    date_created_gmt: str | None = None
    line_items: list[LineItem] = field(default_factory=list[LineItem])
    shipping_lines: list[FeeLine] = field(default_factory=list[FeeLine])
    fee_lines: list[FeeLine] = field(default_factory=list[FeeLine])


class Customer(Struct):
    id: Id
    email: str | None = None
    first_name: str = ""
    last_name: str = ""
    role: str | None = None


class CouponStatus(Struct):
    id: Id
    status: str = "publish"


class Named(Struct, frozen=True):
    id: int
    name: str = ""


class Category(Struct, frozen=True):
    id: int
    parent: int = 0


class Product(Struct, frozen=True):
    id: int
    categories: tuple[Named, ...] = ()
    tags: tuple[Named, ...] = ()


class Coupon(Struct):
    id: Id
    code: str
    amount: str
    discount_type: str
    status: str = "publish"
    free_shipping: bool = False
    date_created_gmt: str | None = None
    date_expires_gmt: str | None = None  # None: never
    usage_count: int = 0
    usage_limit: int | None = None  # None and 0: without end
    usage_limit_per_user: int | None = None
    individual_use: bool = False
    minimum_amount: str = "0"
    product_ids: list[int] = field(default_factory=list[int])
    limit_usage_to_x_items: int | None = None
    email_restrictions: list[str] = field(default_factory=list[str])
    meta_data: MetaItems = field(default_factory=list[MetaItem])


class Webhook(Struct):
    id: Id
    topic: str
    status: str
    delivery_url: str
    name: str = ""


class Setting(Struct):
    value: str


class Site(Struct):
    """GET /wp-json/: what WordPress says of itself to anybody."""

    name: str = ""
    home: str = ""
    timezone_string: str = ""  # empty where the shop has only an offset


class Keys(Struct):
    """What wc-auth posts to us when the merchant agrees. `user_id` is the state that we sent along."""

    user_id: str
    consumer_key: str
    consumer_secret: str
    key_permissions: str


class Companion(Struct):
    """What our own plugin answers when it was introduced to us."""

    version: str
