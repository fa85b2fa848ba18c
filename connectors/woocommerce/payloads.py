"""WooCommerce's JSON, only the fields we read. What they mean: `mapping`; what we send: `codes`, `client`.

An order's `price` numbers are not here: money is read from strings alone. Ids are whole numbers (never booleans).
Source: recordings of WooCommerce 10.9.1 (tests/connectors/woocommerce/recordings, .../answers).
"""

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct, field

Id = Annotated[int, Meta(ge=1)]


class OnlyId(Struct):
    """All that a `*.deleted` topic sends."""

    id: Id


class ErrorObject(Struct):
    """What the REST API says instead of the thing asked for; webhooks sign and send it too."""

    code: str
    message: str  # a coupon has a code as well, but no message


class MetaItem(Struct):
    key: str | int = ""


# PHP turns a list with holes into an object: plugins that filter meta data do that.
MetaItems = list[MetaItem] | dict[str, MetaItem]


class LineItem(Struct):
    total: str  # after discounts, without tax
    total_tax: str = "0"
    quantity: Decimal = Decimal(1)  # a whole number in WooCommerce itself; plugins sell 1.5 kg
    meta_data: MetaItems = field(default_factory=list[MetaItem])


class FeeLine(Struct):
    total: str
    total_tax: str = "0"


class CouponLine(Struct):
    code: str


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
    date_paid_gmt: str | None = None
    date_completed_gmt: str | None = None
    fee_lines: list[FeeLine] = field(default_factory=list[FeeLine])
    coupon_lines: list[CouponLine] = field(default_factory=list[CouponLine])
    refunds: list[RefundLine] = field(default_factory=list[RefundLine])


class OrderBrief(Struct):
    """The least of an order: is what we hold still true?"""

    id: Id
    status: str
    date_modified_gmt: str | None
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


class CouponStatus(Struct):
    id: Id
    status: str = "publish"
