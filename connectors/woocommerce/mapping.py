"""What WooCommerce's words mean: facts only, no points. Pure: no clock, no network."""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import NamedTuple

from app.domain.changes import (
    Change,
    CodeGone,
    CustomerFacts,
    CustomerSeen,
    ErasureRequested,
    Ignored,
    OrderChanged,
    OrderToReread,
    ProductFacts,
    ShopUninstalled,
)
from app.domain.errors import Refused, quoted
from app.domain.money import Money, exponent
from app.domain.orders import CodeUse, OrderLine, OrderSnapshot, OrderState, Refund, RefundedLine
from app.domain.redacting import cleared
from connectors.base import Delivery
from connectors.decoding import decode, in_utc
from connectors.woocommerce.payloads import (
    CouponLine,
    CouponStatus,
    Customer,
    ErasureWish,
    ErrorObject,
    FeeLine,
    LineItem,
    OnlyId,
    Order,
    Product,
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
# In these the shop takes the uses of an order's coupons back, and counts them again when it leaves them.
# Source: wc-order-functions.php, wc_update_coupon_usage_counts(); seen on 10.9.1. Older ones keep the use of a failed
# order: what is given back then is the same, since a limit is set from the count.
_USE_GIVEN_BACK = ("cancelled", "failed", "trash")

# How the line of a sold gift card is recognised: WooCommerce Gift Cards, PW Gift Cards, YITH Gift Cards.
_GIFT_CARD_META = ("wc_gc_giftcard_", "pw_gift_card_", "ywgc_")
_REFUNDED_LINE = "_refunded_item_id"  # on a refund's line: which line of the order it gives back
_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_LONGEST_WORD = 255
_MOST_PIECES = 10**9
_MOST_TAKEN = Decimal(10**15)


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
        case "laurel.disconnected":
            # Of our plugin. A topic is not signed: whoever reads this asks the shop whether it let us go.
            return ShopUninstalled()
        case "laurel.erasure_requested":
            wish = decode(body, ErasureWish)
            customer_ref = None if wish.customer_id is None else str(wish.customer_id)
            return ErasureRequested(customer_ref, order_refs=(), email=wish.email or None)
        case _:
            return Ignored(f"topic “{topic[:60]}” means nothing to us")


def snapshot(order: Order, details: Sequence[RefundDetail] | None = None) -> OrderSnapshot:
    """The order's facts; with `details` (its refunds as read at the shop) the refunds are exact.

    Raises: Refused for amounts that are not exact, an unknown currency, a negative quantity, refunds above what
    the order cost, a missing date.
    """
    currency = order.currency
    _require_no_negative_quantity(order.line_items)
    lines = _lines(order)
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
        goods=_goods(order, lines),
        refunds=_refunds_as_shown(order) if details is None else _refunds_as_read(details, currency, lines),
        codes_used=tuple(line.code for line in order.coupon_lines),
        placed_at=placed_at,
        paid_at=None if state is OrderState.OPEN else _utc(order.date_paid_gmt),
        fulfilled_at=_utc(order.date_completed_gmt),
        # WooCommerce does not date a cancellation: the change that shows it is the nearest it tells.
        cancelled_at=updated_at if state is OrderState.CANCELLED else None,
        updated_at=updated_at,
        test=False,
        lines=lines,
        shipping_minor=_minor(order.shipping_total or "0", currency, "shipping_total"),
        shipping_tax_minor=_minor(order.shipping_tax or "0", currency, "shipping_tax"),
        channel=_word(order.created_via),
        code_uses=_code_uses(order),
    )


def customer_facts(customer: Customer) -> CustomerFacts:
    """WooCommerce vouches for no address: anyone may register with any."""
    return CustomerFacts(
        customer_ref=str(customer.id),
        email=customer.email or None,
        email_verified=False,
        name=f"{customer.first_name} {customer.last_name}".strip() or None,
        tags=roles(customer) if customer.role is not None else None,
    )


def roles(customer: Customer) -> tuple[str, ...]:
    """What WooCommerce has in place of tags: "customer", "shop_manager", and what wholesale plugins set."""
    return (customer.role,) if customer.role else ()


def product_facts(product: Product, above: Mapping[int, int]) -> ProductFacts:
    """`above`: of each category the one it lies in, 0 where it lies in none."""
    found: dict[int, None] = {}
    for category in product.categories:
        number = category.id
        while number and number not in found:
            found[number] = None
            number = above.get(number, 0)
    return ProductFacts(
        product_ref=str(product.id),
        collections=tuple(str(number) for number in found),
        tags=tuple(html.unescape(tag.name) for tag in product.tags),
    )


def utc(text: str) -> datetime:
    """A `*_gmt` time, which WooCommerce writes without a zone.

    Raises: Refused("not_a_time").
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused("not_a_time", f"{quoted(text)} is not a time.") from None
    return in_utc(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


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


def _goods(order: Order, lines: Iterable[OrderLine]) -> Money:
    """Lines after discounts and without tax, gift cards left out, less negative fees; a positive fee is not goods."""
    goods = sum(line.goods_minor for line in lines if not line.gift_card)
    fees = (
        _minor(fee.total, order.currency, f"fee_lines[{index}].total")
        for index, fee in enumerate(order.fee_lines)
    )
    return Money(max(0, goods + sum(fee for fee in fees if fee < 0)), order.currency)


def _lines(order: Order) -> tuple[OrderLine, ...]:
    return tuple(
        _line(line, order.currency, f"line_items[{index}]", index)
        for index, line in enumerate(order.line_items)
    )


def _line(line: LineItem, currency: str, path: str, index: int) -> OrderLine:
    goods = _minor(line.total, currency, f"{path}.total")
    before = _minor(line.subtotal, currency, f"{path}.subtotal") if line.subtotal else goods
    return OrderLine(
        line_ref=_ref(line.id) or path,
        product_ref=_ref(line.product_id),
        variant_ref=_ref(line.variation_id),
        quantity=_pieces(line.quantity),
        goods_minor=goods,
        discount_minor=max(0, before - goods),  # below zero where staff raised the price
        tax_minor=_minor(line.total_tax, currency, f"{path}.total_tax"),
        gift_card=_is_gift_card(line),
    )


def _code_uses(order: Order) -> tuple[CodeUse, ...]:
    """What each coupon took, of its own amount; of an amount that cannot be read nothing is told.

    A fixed amount is taken off prices as the shop lists them: off net prices, and the tax falls by itself; off prices
    with tax, and then part of what was taken is tax. Source: class-wc-discounts.php, apply_coupon_fixed_cart();
    class-wc-cart-totals.php, calculate_discounts(). Seen on 10.9.1 at 10 % tax: 3.50 off was told as 3.5 and 0.35 where
    prices are without tax, as 3.18 and 0.32 where they are with it.
    """
    if order.status in _USE_GIVEN_BACK:
        return tuple(CodeUse(code=line.code, taken_minor=0) for line in order.coupon_lines)
    told = ((line.code, _taken(line, order)) for line in order.coupon_lines)
    return tuple(CodeUse(code=code, taken_minor=taken) for code, taken in told if taken is not None)


def _taken(line: CouponLine, order: Order) -> int | None:
    """Rounded once, a half up: a coupon line is not always rounded ("2.916667" and "0.583333").

    Where the shop rounded both parts, a half down, they may be one smallest unit short together.
    """
    parts = (line.discount, line.discount_tax) if order.prices_include_tax is True else (line.discount,)
    try:
        taken = abs(sum((Decimal(str(part)) for part in parts), Decimal(0))).scaleb(exponent(order.currency))
        return int(taken.to_integral_value(ROUND_HALF_UP)) if taken < _MOST_TAKEN else None
    except (InvalidOperation, Refused):
        return None


def _pieces(quantity: Decimal) -> int:
    """A begun piece counts whole."""
    return int(min(quantity, Decimal(_MOST_PIECES)).to_integral_value(ROUND_CEILING))


def _ref(value: object) -> str | None:
    """An id as text; 0 and what is no id are None."""
    told = isinstance(value, int | str) and not isinstance(value, bool)
    match = _ID.fullmatch(str(value)) if told else None
    return match[0] if match else None


def _word(value: object) -> str | None:
    """Text as far as we keep it. A word never spoils an order."""
    return value.strip()[:_LONGEST_WORD] or None if isinstance(value, str) else None


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


def _refunds_as_read(
    details: Sequence[RefundDetail], currency: str, lines: Sequence[OrderLine]
) -> tuple[Refund, ...]:
    told = [
        (detail, _given_back(detail, currency, lines, f"refunds[{index}]"))
        for index, detail in enumerate(details)
    ]
    return tuple(
        Refund(
            refund_ref=str(detail.id),
            goods=Money(back.goods, currency),
            exact=True,
            refunded_at=_utc(detail.date_created_gmt),
            lines=back.lines,
            shipping_minor=back.shipping,
        )
        for detail, back in sorted(told, key=lambda each: each[0].id)
    )


class _Back(NamedTuple):
    """What a refund gives back, in the smallest units."""

    goods: int
    lines: tuple[RefundedLine, ...]
    shipping: int  # without tax


class _BackOfLine(NamedTuple):
    line_ref: str | None  # the order's line, where the refund says so
    gift_card: bool
    goods: int
    tax: int


def _given_back(detail: RefundDetail, currency: str, lines: Sequence[OrderLine], path: str) -> _Back:
    """Its lines, and what was given back beyond all lines, taxes and shipping (a bare goodwill amount).

    The lines of a refund are negative; a negative fee that is taken back shows as a positive one, and lowers what
    goods came back. Gift cards' lines neither earned nor count here, but were paid out, so they are no goodwill.
    """
    of_lines = _lines_back(detail, currency, {line.line_ref: line for line in lines}, path)
    shipping = _extras(detail.shipping_lines, currency, f"{path}.shipping_lines")
    fees = _extras(detail.fee_lines, currency, f"{path}.fee_lines")
    named = sum(line.goods + line.tax for line in of_lines) - sum(
        net + tax for net, tax in (*shipping, *fees)
    )
    goods_lines = sum(line.goods for line in of_lines if not line.gift_card)
    discounts_taken_back = sum(max(0, net) for net, _ in fees)
    beyond_lines = max(0, _minor(detail.amount, currency, f"{path}.amount") - named)
    goods = max(0, goods_lines - discounts_taken_back + beyond_lines)
    return _Back(goods, _within(goods, of_lines), max(0, -sum(net for net, _ in shipping)))


def _lines_back(
    detail: RefundDetail, currency: str, lines: Mapping[str, OrderLine], path: str
) -> list[_BackOfLine]:
    told = []
    for index, line in enumerate(detail.line_items):
        where = f"{path}.line_items[{index}]"
        sold = lines.get(_refunded_line(line) or "")
        told.append(
            _BackOfLine(
                line_ref=sold.line_ref if sold else None,
                # The refund's line need not repeat what made the order's line a gift card.
                gift_card=bool(sold and sold.gift_card) or _is_gift_card(line),
                goods=-_minor(line.total, currency, f"{where}.total"),
                tax=-_minor(line.total_tax, currency, f"{where}.total_tax"),
            )
        )
    return told


def _refunded_line(line: LineItem) -> str | None:
    return next((_ref(item.value) for item in items_of(line.meta_data) if item.key == _REFUNDED_LINE), None)


def _extras(lines: Iterable[FeeLine], currency: str, path: str) -> list[tuple[int, int]]:
    """Shipping lines or fees of a refund: each without tax, and its tax."""
    return [
        (
            _minor(line.total, currency, f"{path}[{index}].total"),
            _minor(line.total_tax, currency, f"{path}[{index}].total_tax"),
        )
        for index, line in enumerate(lines)
    ]


def _within(goods: int, of_lines: Iterable[_BackOfLine]) -> tuple[RefundedLine, ...]:
    """The lines that are goods, as far as the refund counts: never more than `goods` together."""
    told: dict[str, RefundedLine] = {}
    for line in of_lines:
        if line.line_ref is None or line.gift_card:
            continue
        counted = min(max(0, line.goods), goods)
        goods -= counted
        before = told.get(line.line_ref, RefundedLine(line_ref=line.line_ref, goods_minor=0))
        told[line.line_ref] = RefundedLine(
            line_ref=line.line_ref,
            goods_minor=before.goods_minor + counted,
            tax_minor=before.tax_minor + max(0, line.tax),
        )
    return tuple(line for line in told.values() if line.goods_minor or line.tax_minor)


def _require_no_negative_quantity(lines: Iterable[LineItem]) -> None:
    for index, line in enumerate(lines):
        if not line.quantity.is_finite():
            raise Refused("not_understood", f"line_items[{index}].quantity is no number.")
        if line.quantity < 0:
            raise Refused("negative_quantity", f"line_items[{index}].quantity is below zero.")


def _require_refunds_within(total: Money, amounts: Iterable[str]) -> None:
    refunded = sum(_absolute(amount, total.currency).minor for amount in amounts)
    if refunded > max(0, total.minor):
        refunded_money = Money(refunded, total.currency)
        raise Refused("refunds_above_total", f"{refunded_money} of {total} {total.currency} was refunded.")


def _absolute(text: str, currency: str) -> Money:
    return Money(abs(Money.parse(text, currency).minor), currency)


def _minor(text: str, currency: str, path: str) -> int:
    try:
        return Money.parse(text, currency).minor
    except Refused as error:
        raise Refused(error.code, f"{path}: {error.detail}") from None


def _error_object(body: bytes) -> Refused | None:
    try:
        error = decode(body, ErrorObject)
    except Refused:
        return None
    return Refused(
        "error_object", f"WooCommerce sent an error in place of the thing: {cleared(error.code, 80)}"
    )
