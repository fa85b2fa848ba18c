"""What WooCommerce's words mean: facts only, no points. Pure: no clock, no network."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from app.domain.changes import (
    Change,
    CodeGone,
    CustomerFacts,
    CustomerSeen,
    Ignored,
    OrderChanged,
    OrderToReread,
)
from app.domain.errors import Refused
from app.domain.money import Money
from app.domain.orders import OrderSnapshot, OrderState, Refund
from connectors.base import Delivery
from connectors.decoding import decode
from connectors.woocommerce.payloads import (
    CouponStatus,
    Customer,
    ErrorObject,
    FeeLine,
    LineItem,
    OnlyId,
    Order,
    RefundDetail,
    items_of,
)

# Statuses that decide by themselves. All others (processing, completed, refunded, and those that plugins add) are
# decided by the money: `date_paid`. Cash on delivery is `processing` long before it is paid.
_STATE = {
    "pending": OrderState.OPEN,
    "on-hold": OrderState.OPEN,  # also after a payment: staff or a gateway doubts it
    "failed": OrderState.OPEN,  # the shopper may pay again
    "partial-payment": OrderState.OPEN,  # WooCommerce Deposits
    "cancelled": OrderState.CANCELLED,
    "trash": OrderState.GONE,
    "checkout-draft": OrderState.GONE,
    "auto-draft": OrderState.GONE,
}
_DRAFTS = ("checkout-draft", "auto-draft")

# How the line of a sold gift card is recognised: WooCommerce Gift Cards, PW Gift Cards, YITH Gift Cards.
_GIFT_CARD_META = ("wc_gc_giftcard_", "pw_gift_card_", "ywgc_")


def normalise(delivery: Delivery) -> Change:
    """What the delivery means to us.

    Raises: Refused with the field's path for what cannot be understood; Refused("error_object") for an error
    that WooCommerce signed and sent in place of the thing itself.
    """
    try:
        return _meaning(delivery.topic, delivery.body)
    except Refused as refused:
        error = _error_object(delivery.body)
        if error is None:
            raise
        raise error from refused


def _meaning(topic: str, body: bytes) -> Change:
    match topic:
        case "order.created" | "order.updated" | "order.restored":
            order = decode(body, Order)
            if order.status in _DRAFTS:
                return Ignored(f"a checkout that is not an order yet ({order.status})")
            return OrderChanged(snapshot(order), reread=bool(order.refunds))
        case "order.deleted":
            return OrderToReread(str(decode(body, OnlyId).id), "deleted at the shop")
        case "customer.created" | "customer.updated":
            return CustomerSeen(customer_facts(decode(body, Customer)))
        case "customer.deleted":
            return Ignored("a customer was deleted at the shop; the member and the points stay")
        case "coupon.deleted":
            # Sent with a product's id when a product is trashed by REST: whoever reads this checks that it is ours.
            return CodeGone(str(decode(body, OnlyId).id))
        case "coupon.created" | "coupon.updated":
            coupon = decode(body, CouponStatus)
            if coupon.status == "publish":
                return Ignored(
                    "a coupon that can be used was made or changed; codes are read when they matter"
                )
            return CodeGone(str(coupon.id))
        case _:
            return Ignored(f"topic “{topic[:60]}” means nothing to us")


def snapshot(order: Order, details: Sequence[RefundDetail] | None = None) -> OrderSnapshot:
    """The order's facts; with `details` (its refunds as read at the shop) the refunds are exact.

    Raises: Refused for amounts that are not exact, an unknown currency, a negative quantity, refunds above what
    the order cost, a missing date.
    """
    currency = order.currency
    _require_no_negative_quantity(order.line_items)
    refunded = [line.total for line in order.refunds] if details is None else [one.amount for one in details]
    _require_refunds_within(Money.parse(order.total, currency), refunded)
    state = _state(order)
    placed_at = _required_utc(order.date_created_gmt, "date_created_gmt")
    updated_at = _utc(order.date_modified_gmt) or placed_at
    return OrderSnapshot(
        order_ref=str(order.id),
        number=f"#{order.number or order.id}",
        customer_ref=str(order.customer_id) if order.customer_id else None,
        email=order.billing.email or None,
        state=state,
        goods=_goods(order),
        refunds=_refunds_as_shown(order) if details is None else _refunds_as_read(details, currency),
        codes_used=tuple(line.code for line in order.coupon_lines),
        placed_at=placed_at,
        paid_at=None if state is OrderState.OPEN else _utc(order.date_paid_gmt),
        fulfilled_at=_utc(order.date_completed_gmt),
        # WooCommerce does not date a cancellation: the change that shows it is the nearest it tells.
        cancelled_at=updated_at if state is OrderState.CANCELLED else None,
        updated_at=updated_at,
        test=False,
    )


def customer_facts(customer: Customer) -> CustomerFacts:
    """WooCommerce vouches for no address: anyone may register with any."""
    return CustomerFacts(
        customer_ref=str(customer.id),
        email=customer.email or None,
        email_verified=False,
        name=f"{customer.first_name} {customer.last_name}".strip() or None,
    )


def utc(text: str) -> datetime:
    """A `*_gmt` time, which WooCommerce writes without a zone.

    Raises: Refused("not_a_time").
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused("not_a_time", f"“{text[:32]}” is not a time.") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _utc(text: str | None) -> datetime | None:
    return utc(text) if text else None


def _required_utc(text: str | None, name: str) -> datetime:
    if not text:
        raise Refused("not_understood", f"The order has no {name}.")
    return utc(text)


def _state(order: Order) -> OrderState:
    if order.status in _STATE:
        return _STATE[order.status]
    return OrderState.PAID if order.date_paid_gmt else OrderState.OPEN


def _goods(order: Order) -> Money:
    """Lines after discounts and without tax, gift cards left out, less negative fees; a positive fee is not goods."""
    lines = _sum((line.total for line in order.line_items if not _is_gift_card(line)), order.currency)
    fees = [Money.parse(fee.total, order.currency).minor for fee in order.fee_lines]
    return Money(max(0, lines.minor + sum(fee for fee in fees if fee < 0)), order.currency)


def _is_gift_card(line: LineItem) -> bool:
    return any(str(item.key).lstrip("_").startswith(_GIFT_CARD_META) for item in items_of(line.meta_data))


def _refunds_as_shown(order: Order) -> tuple[Refund, ...]:
    """The body lists the newest first, and dates none. Ids grow, so the lowest is the oldest."""
    return tuple(
        Refund(
            refund_ref=str(line.id),
            goods=_absolute(line.total, order.currency) - _absolute(line.total_tax, order.currency),
            exact=False,
            refunded_at=None,
        )
        for line in sorted(order.refunds, key=lambda line: line.id)
    )


def _refunds_as_read(details: Sequence[RefundDetail], currency: str) -> tuple[Refund, ...]:
    return tuple(
        Refund(
            refund_ref=str(detail.id),
            goods=_goods_refunded(detail, currency),
            exact=True,
            refunded_at=_utc(detail.date_created_gmt),
        )
        for detail in sorted(details, key=lambda detail: detail.id)
    )


def _goods_refunded(detail: RefundDetail, currency: str) -> Money:
    """Its lines, and what was given back beyond all lines, taxes and shipping (a bare goodwill amount).

    The lines of a refund are negative; a negative fee that is taken back shows as a positive one, and lowers what
    goods came back. Gift cards' lines neither earned nor count here, but were paid out, so they are no goodwill.
    """
    goods_lines = -_sum((line.total for line in detail.line_items if not _is_gift_card(line)), currency).minor
    discounts_taken_back = sum(max(0, Money.parse(fee.total, currency).minor) for fee in detail.fee_lines)
    told: list[LineItem | FeeLine] = [*detail.line_items, *detail.shipping_lines, *detail.fee_lines]
    in_lines = -_sum((amount for line in told for amount in (line.total, line.total_tax)), currency).minor
    beyond_lines = max(0, Money.parse(detail.amount, currency).minor - in_lines)
    return Money(max(0, goods_lines - discounts_taken_back + beyond_lines), currency)


def _require_no_negative_quantity(lines: Iterable[LineItem]) -> None:
    if any(line.quantity < 0 for line in lines):
        raise Refused("negative_quantity", "A line of the order has a quantity below zero.")


def _require_refunds_within(total: Money, amounts: Iterable[str]) -> None:
    refunded = sum(_absolute(amount, total.currency).minor for amount in amounts)
    if refunded > max(0, total.minor):
        refunded_money = Money(refunded, total.currency)
        raise Refused("refunds_above_total", f"{refunded_money} of {total} {total.currency} was refunded.")


def _absolute(text: str, currency: str) -> Money:
    return Money(abs(Money.parse(text, currency).minor), currency)


def _sum(amounts: Iterable[str], currency: str) -> Money:
    return sum((Money.parse(amount, currency) for amount in amounts), Money.zero(currency))


def _error_object(body: bytes) -> Refused | None:
    try:
        error = decode(body, ErrorObject)
    except Refused:
        return None
    return Refused("error_object", f"WooCommerce sent an error in place of the thing: {error.code[:80]}")
