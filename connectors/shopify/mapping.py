"""From Shopify's words to facts: `normalise` for webhooks, `snapshot` for any order, `told_by_api` for GraphQL's.

Facts only, no points. An order read at the API becomes the webhook's shape first, so that both tell the same.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from app.domain.changes import (
    AccessChanged,
    Change,
    CodeGone,
    CustomerFacts,
    CustomerSeen,
    CustomersMerged,
    CustomerTagsChanged,
    DataRequested,
    ErasureRequested,
    Ignored,
    OrderChanged,
    OrderToReread,
    ShopErasureRequested,
    ShopUninstalled,
)
from app.domain.errors import Refused
from app.domain.money import Money, exponent
from app.domain.orders import OrderLine, OrderSnapshot, OrderState, Refund, RefundedLine
from app.domain.profiles import is_ours
from connectors.base import Delivery
from connectors.decoding import decode, in_utc
from connectors.shopify import payloads

# Source: Order.financial_status (REST reference) and OrderDisplayFinancialStatus (Admin schema 2026-10), lower-cased.
_STATE = {
    "pending": OrderState.OPEN,
    "authorized": OrderState.OPEN,
    "partially_paid": OrderState.OPEN,
    "expired": OrderState.OPEN,
    "paid": OrderState.PAID,
    "partially_refunded": OrderState.PAID,
    "refunded": OrderState.PAID,
    "voided": OrderState.CANCELLED,
}
_LONGEST_WORD = 255
_MOST_TAGS = 250  # Source: shopify.dev, Order.tags
_MOVES_MONEY = frozenset(
    {"success", "pending"}
)  # a refund on its way is a refund; failure and error moved nothing


def normalise(delivery: Delivery) -> Change:
    """What the delivery means to us.

    Raises: Refused, naming the field, for what cannot be understood.
    """
    if read := _TOPICS.get(delivery.topic):
        return read(delivery.body)
    return Ignored(_NOT_NEEDED.get(delivery.topic, f"the topic {delivery.topic} is none that we know"))


def snapshot(order: payloads.Order) -> OrderSnapshot:
    """The order's facts.

    placed_at, paid_at: a webhook does not say when money came, and `updated_at` moves with every touch. So both
    come from `created_at` and `processed_at`, which stand still and are in webhook and API alike: `processed_at`
    is "the date that appears on your orders", and imports set it to the time of the first sale, so an order was
    placed at the earlier of the two. Source: shopify.dev, REST Order.processed_at; GraphQL Order.processedAt.

    Raises: Refused, naming the field.
    """
    _known_currency(order.currency)
    state = _state(order)
    processed_at = in_utc(order.processed_at or order.created_at)
    goods, lines, refunds = _sold_and_given_back(order)
    shipping, shipping_tax = _shipping(order)
    return OrderSnapshot(
        order_ref=str(order.id),
        number=order.name,
        customer_ref=str(order.customer.id) if order.customer else None,
        email=order.email or None,
        state=state,
        goods=goods,
        refunds=refunds,
        codes_used=tuple(used.code for used in order.discount_codes),
        placed_at=min(in_utc(order.created_at), processed_at),
        paid_at=processed_at
        if order.financial_status and _STATE[order.financial_status] == OrderState.PAID
        else None,
        fulfilled_at=_fulfilled_at(order),
        cancelled_at=in_utc(order.cancelled_at) if order.cancelled_at else None,
        updated_at=in_utc(order.updated_at),
        test=order.test,
        lines=lines,
        shipping_minor=shipping,
        shipping_tax_minor=shipping_tax,
        tips_minor=_minor(order.total_tip_received, order.currency, "total_tip_received"),
        channel=_word(order.source_name),
        tags=_tags(order.tags),
    )


def told_by_api(
    order: payloads.ApiOrder,
    lines: Iterable[payloads.ApiLine],
    refunds: Iterable[tuple[payloads.ApiRefund, Sequence[payloads.ApiRefundedLine]]],
) -> payloads.Order:
    """The order in a webhook's words. `lines` and each refund's lines are complete: all pages were read."""
    return payloads.Order(
        id=ref(order.id),
        name=order.name,
        email=order.email,
        currency=order.currency_code,
        presentment_currency=order.presentment_currency_code,
        taxes_included=order.taxes_included,
        financial_status=order.display_financial_status.lower() if order.display_financial_status else None,
        fulfillment_status=order.display_fulfillment_status.lower(),
        created_at=order.created_at,
        processed_at=order.processed_at,
        cancelled_at=order.cancelled_at,
        updated_at=order.updated_at,
        test=order.test,
        total_tip_received=order.total_tip_received_set.shop_money.amount,
        customer=payloads.CustomerRef(ref(order.customer.id)) if order.customer else None,
        discount_codes=tuple(payloads.UsedCode(code) for code in order.discount_codes),
        line_items=tuple(_line_by_api(line) for line in lines),
        shipping_lines=tuple(
            payloads.ShippingLine(
                discounted_price_set=_bag(line.discounted_price_set), tax_lines=_taxes_by_api(line.tax_lines)
            )
            for line in order.shipping_lines.nodes
        ),
        refunds=tuple(_refund_by_api(refund, of_refund) for refund, of_refund in refunds),
        fulfillments=tuple(
            payloads.Fulfillment(sent.created_at, sent.status.lower()) for sent in order.fulfillments
        ),
        source_name=order.source_name,
        tags=", ".join(order.tags),
    )


def ref(gid: str) -> int:
    """The bare number of "gid://shopify/Order/450789469". Raises: Refused("not_understood")."""
    match = _GID.fullmatch(gid)
    if match is None:
        raise Refused("not_understood", f"an id is none of Shopify's: “{gid[:64]}”")
    return int(match["number"])


_GID = re.compile(
    r"gid://shopify/(?P<type>[A-Za-z]{1,64})/(?P<number>[1-9][0-9]{0,18})(?:\?.{0,200})?", re.ASCII
)


# --- Orders ------------------------------------------------------------------------------------------------


def _state(order: payloads.Order) -> OrderState:
    if order.financial_status is None:
        state = OrderState.OPEN  # no payment was asked for yet
    elif order.financial_status in _STATE:
        state = _STATE[order.financial_status]
    else:
        raise Refused(
            "unknown_state", f"financial_status: “{order.financial_status[:32]}” is none that we know"
        )
    return OrderState.CANCELLED if order.cancelled_at else state


def _fulfilled_at(order: payloads.Order) -> datetime | None:
    """When the last parcel went. Not its `updated_at`: that moves when a tracking number is corrected."""
    if order.fulfillment_status != "fulfilled":
        return None
    sent = [parcel.created_at for parcel in order.fulfillments if parcel.status in (None, "success")]
    return in_utc(max(sent)) if sent else None


def _sold_and_given_back(order: payloads.Order) -> tuple[Money, tuple[OrderLine, ...], tuple[Refund, ...]]:
    """Goods from the original lines, net of edits; refunds from `refunds[]`. Never from `current_…` amounts.

    Shopify writes a line that staff removed from the order as a refund that moved no money ("independent of the
    movement of money"). That is an edit, not a refund: it lessens `goods` and is not listed. `current_quantity`
    is what is left after refunds and edits, so units gone without a listed refund were removed.
    """
    given_back = [refund for refund in order.refunds if refund.transactions or refund.order_adjustments]
    edits = [refund for refund in order.refunds if refund not in given_back]
    refunded, removed = _units(given_back), _units(edits)
    tips = _tips(order)
    lines: dict[int, OrderLine] = {}
    for index, line in enumerate(order.line_items):
        path = f"line_items[{index}]"
        if refunded[line.id] > line.quantity:
            raise Refused("impossible", f"{path}: {refunded[line.id]} refunded of {line.quantity} sold")
        if line.id not in tips and (left := _units_left(line, refunded[line.id], removed[line.id])):
            lines[line.id] = _line(line, order, path, left)
    total = sum(line.goods_minor for line in lines.values() if not line.gift_card)
    goods = Money(max(total, 0), order.currency)
    no_goods = tips | {line.id for line in order.line_items if line.gift_card}
    # By id: the lines' order says nothing, and nobody promises that webhook and API have the same.
    told = tuple(lines[number] for number in sorted(lines))
    return goods, told, _refunds(order, given_back, no_goods, frozenset(lines) - no_goods, goods)


def _units(refunds: Iterable[payloads.Refund]) -> Counter[int]:
    units: Counter[int] = Counter()
    for refund in refunds:
        for line in refund.refund_line_items:
            units[line.line_item_id] += line.quantity
    return units


def _tips(order: payloads.Order) -> frozenset[int]:
    """The lines that are tips.

    A webhook marks a tip's line; the API does not. There it is the one that costs what the order says was tipped,
    is neither taxed nor sent, and is one piece. The same reading for both, so that they agree.
    """
    tipped = _minor(order.total_tip_received, order.currency, "total_tip_received")
    return frozenset(
        line.id
        for index, line in enumerate(order.line_items)
        if line.tip is not None
        or (
            tipped > 0
            and line.quantity == 1
            and not (line.taxable or line.requires_shipping or line.gift_card)
            and _shop_minor(line.price_set, order, f"line_items[{index}].price_set") == tipped
        )
    )


def _units_left(line: payloads.Line, refunded: int, removed: int) -> int:
    """How many units no edit removed."""
    if line.current_quantity is not None:
        removed = max(removed, line.quantity - refunded - line.current_quantity)
    return max(line.quantity - removed, 0)


def _line(line: payloads.Line, order: payloads.Order, path: str, left: int) -> OrderLine:
    """`left` units of the line, after all discounts and without tax; each amount of them rounds down.

    Where prices have tax in them, so have discounts: of the discount goes off what is tax of the rest of the price.
    A line that was discounted away whole does not show its tax; there the discount stays as told.
    """
    price = _shop_minor(line.price_set, order, f"{path}.price_set") * line.quantity
    off = sum(
        _shop_minor(each.amount_set, order, f"{path}.discount_allocations[{index}].amount_set")
        for index, each in enumerate(line.discount_allocations)
    )
    tax = _taxes(line.tax_lines, order, path)
    goods = price - off
    if order.taxes_included:
        off = off * max(goods - tax, 0) // goods if goods > 0 else off
        goods -= tax
    exists = line.product_exists is not False
    return OrderLine(
        line_ref=str(line.id),
        product_ref=_bare_id(line.product_id) if exists else None,
        variant_ref=_bare_id(line.variant_id) if exists else None,
        vendor=_word(line.vendor),
        quantity=left,
        goods_minor=goods * left // line.quantity,
        discount_minor=off * left // line.quantity,
        tax_minor=tax * left // line.quantity,
        gift_card=line.gift_card,
        subscription=line.selling_plan_id is not None,
    )


def _taxes(taxes: Iterable[payloads.TaxLine], order: payloads.Order, path: str) -> int:
    return sum(
        _shop_minor(tax.price_set, order, f"{path}.tax_lines[{index}].price_set")
        for index, tax in enumerate(taxes)
    )


def _shipping(order: payloads.Order) -> tuple[int, int]:
    """What shipping costs after discounts and without tax, and its tax; before refunds, as goods are."""
    shipping = taxes = 0
    for index, line in enumerate(order.shipping_lines):
        if line.is_removed:
            continue
        path = f"shipping_lines[{index}]"
        if line.discounted_price_set:
            shipping += _shop_minor(line.discounted_price_set, order, f"{path}.discounted_price_set")
        elif line.price_set:
            shipping += _shop_minor(line.price_set, order, f"{path}.price_set")
        taxes += _taxes(line.tax_lines, order, path)
    return shipping - (taxes if order.taxes_included else 0), taxes


def _refunds(
    order: payloads.Order,
    given_back: Iterable[payloads.Refund],
    no_goods: frozenset[int],
    listed: frozenset[int],
    goods: Money,
) -> tuple[Refund, ...]:
    """Oldest first; together never more than `goods`: Shopify allows refunds above what was paid (allowOverRefunding)."""
    refunds = []
    left = goods.minor
    positions = {refund.id: index for index, refund in enumerate(order.refunds)}
    for refund in sorted(given_back, key=lambda each: (_refunded_at(each, order), each.id)):
        path = f"refunds[{positions[refund.id]}]"
        lines, whole = _lines_back(refund, order, path)
        of_goods = {line_id: line for line_id, line in lines.items() if line_id not in no_goods}
        shipping, shipping_with_tax = _shipping_back(refund, order, path)
        beyond = _beyond(refund, order, whole + shipping_with_tax, path)
        counted = min(max(sum(line.goods for line in of_goods.values()), 0) + max(beyond, 0), left)
        left -= counted
        refunds.append(
            Refund(
                refund_ref=str(refund.id),
                goods=Money(counted, order.currency),
                exact=True,
                refunded_at=_refunded_at(refund, order),
                lines=_within(counted, {each: of_goods[each] for each in sorted(of_goods) if each in listed}),
                shipping_minor=max(shipping, 0),
            )
        )
    return tuple(refunds)


class _Back(NamedTuple):
    """What of one line a refund gives back."""

    goods: int  # without tax
    tax: int


def _lines_back(refund: payloads.Refund, order: payloads.Order, path: str) -> tuple[dict[int, _Back], int]:
    """What of each line went back, and what all of it comes to, tax included."""
    lines: dict[int, _Back] = {}
    whole = 0
    for index, line in enumerate(refund.refund_line_items):
        where = f"{path}.refund_line_items[{index}]"
        subtotal = _shop_minor(line.subtotal_set, order, f"{where}.subtotal_set")
        tax = _shop_minor(line.total_tax_set, order, f"{where}.total_tax_set")
        net = subtotal - tax if order.taxes_included else subtotal
        whole += net + tax
        known = lines.get(line.line_item_id, _Back(0, 0))
        lines[line.line_item_id] = _Back(known.goods + net, known.tax + tax)
    return lines, whole


def _within(counted: int, lines: Mapping[int, _Back]) -> tuple[RefundedLine, ...]:
    """The lines, as far as the refund counts: never more than `counted` together."""
    told = []
    for line_id, line in lines.items():
        goods = min(max(line.goods, 0), counted)
        counted -= goods
        if goods or line.tax:
            told.append(RefundedLine(line_ref=str(line_id), goods_minor=goods, tax_minor=max(line.tax, 0)))
    return tuple(told)


def _refunded_at(refund: payloads.Refund, order: payloads.Order) -> datetime:
    return in_utc(refund.processed_at or refund.created_at or order.updated_at)


def _beyond(refund: payloads.Refund, order: payloads.Order, named: int, path: str) -> int:
    """What was given back beyond lines and shipping (`named`, with tax) and duties: a bare goodwill amount.

    Where the shopper paid in another currency a transaction's bare `amount` is in theirs; there the adjustment
    says it, whose amount is negative where the shopper got more than the lines come to.
    """
    if (order.presentment_currency or order.currency) != order.currency:
        return -sum(
            _shop_minor(adjustment.amount_set, order, f"{path}.order_adjustments[{index}].amount_set")
            for index, adjustment in enumerate(refund.order_adjustments)
            if adjustment.kind != "shipping_refund"
        )
    money = sum(
        _minor(paid.amount, order.currency, f"{path}.transactions[{index}].amount")
        for index, paid in enumerate(refund.transactions)
        if paid.kind == "refund" and paid.status in _MOVES_MONEY
    )
    return money - named - _duties(refund, order, path)


def _shipping_back(refund: payloads.Refund, order: payloads.Order, path: str) -> tuple[int, int]:
    """Shipping given back: without tax, and with it."""
    without = whole = 0
    for index, line in enumerate(refund.refund_shipping_lines):
        where = f"{path}.refund_shipping_lines[{index}]"
        subtotal = _shop_minor(line.subtotal_amount_set, order, f"{where}.subtotal_amount_set")
        tax = _shop_minor(line.tax_amount_set, order, f"{where}.tax_amount_set") if line.tax_amount_set else 0
        without += subtotal - tax if order.taxes_included else subtotal
        whole += subtotal if order.taxes_included else subtotal + tax
    for index, adjustment in enumerate(refund.order_adjustments):
        if adjustment.kind == "shipping_refund":  # how API versions before 2024-10 wrote it
            amount = _shop_minor(
                adjustment.amount_set, order, f"{path}.order_adjustments[{index}].amount_set"
            )
            without -= amount
            whole -= amount
    return without, whole


def _duties(refund: payloads.Refund, order: payloads.Order, path: str) -> int:
    duties = refund.total_duties_set
    return _shop_minor(duties, order, f"{path}.total_duties_set") if duties else 0


def _shop_minor(amount: payloads.MoneySet, order: payloads.Order, path: str) -> int:
    """In the shop's currency, always; what the shopper saw (`presentment_money`) is never read."""
    if amount.shop_money.currency_code != order.currency:
        raise Refused("mixed_currency", f"{path}.shop_money.currency_code: not {order.currency}, the order's")
    return _minor(amount.shop_money.amount, order.currency, f"{path}.shop_money.amount")


def _minor(amount: str, currency: str, path: str) -> int:
    try:
        return Money.parse(amount, currency).minor
    except Refused as error:
        raise Refused(error.code, f"{path}: {error.detail}") from None


def _word(value: object) -> str | None:
    """Text as far as we keep it; None for what is no text. A word never spoils an order."""
    return value.strip()[:_LONGEST_WORD] or None if isinstance(value, str) else None


def _bare_id(value: object) -> str | None:
    """An id as text; None for what is no id."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return str(value) if 0 < value < 2**63 else None


def _tags(told: object) -> tuple[str, ...]:
    """In the alphabet's order: webhook and API need not have the same."""
    tags = {tag for each in told.split(",") if (tag := _word(each))} if isinstance(told, str) else set[str]()
    return tuple(sorted(tags)[:_MOST_TAGS])


def _known_currency(currency: str) -> None:
    try:
        exponent(currency)
    except Refused as error:
        raise Refused(error.code, f"currency: {error.detail}") from None


# --- The API's words for them ------------------------------------------------------------------------------


def _line_by_api(line: payloads.ApiLine) -> payloads.Line:
    return payloads.Line(
        id=ref(line.id),
        quantity=line.quantity,
        current_quantity=line.current_quantity,
        gift_card=line.is_gift_card,
        requires_shipping=line.requires_shipping,
        taxable=line.taxable,
        price_set=_bag(line.original_unit_price_set),
        tax_lines=_taxes_by_api(line.tax_lines),
        discount_allocations=tuple(
            payloads.Allocation(_bag(allocation.allocated_amount_set))
            for allocation in line.discount_allocations
        ),
        product_exists=line.product is not None,
        product_id=ref(line.product.id) if line.product else None,
        variant_id=ref(line.variant.id) if line.variant else None,
        vendor=line.vendor,
        selling_plan_id=line.selling_plan,
    )


def _taxes_by_api(taxes: Iterable[payloads.ApiTaxLine]) -> tuple[payloads.TaxLine, ...]:
    return tuple(payloads.TaxLine(_bag(tax.price_set)) for tax in taxes)


def _refund_by_api(refund: payloads.ApiRefund, lines: Iterable[payloads.ApiRefundedLine]) -> payloads.Refund:
    return payloads.Refund(
        id=ref(refund.id),
        created_at=refund.created_at,
        processed_at=refund.processed_at,
        refund_line_items=tuple(
            payloads.RefundedLine(
                line_item_id=ref(line.line_item.id),
                quantity=line.quantity,
                subtotal_set=_bag(line.subtotal_set),
                total_tax_set=_bag(line.total_tax_set),
            )
            for line in lines
        ),
        refund_shipping_lines=tuple(
            payloads.RefundedShipping(_bag(line.subtotal_amount_set), _bag(line.tax_amount_set))
            for line in refund.refund_shipping_lines.nodes
        ),
        order_adjustments=tuple(
            payloads.Adjustment(_bag(adjustment.amount_set)) for adjustment in refund.order_adjustments.nodes
        ),
        transactions=tuple(
            payloads.Transaction(
                kind=paid.kind.lower(), status=paid.status.lower(), amount=paid.amount_set.shop_money.amount
            )
            for paid in refund.transactions.nodes
        ),
        total_duties_set=_sum_of_duties(refund.duties or ()),
    )


def _sum_of_duties(duties: Sequence[payloads.ApiDuty]) -> payloads.MoneySet | None:
    if not duties:
        return None
    told = [duty.amount_set.shop_money for duty in duties]
    total = sum(
        (Money.parse(each.amount, each.currency_code) for each in told), Money.zero(told[0].currency_code)
    )
    return payloads.MoneySet(payloads.ShopMoney(str(total), total.currency))


def _bag(bag: payloads.ApiMoneyBag) -> payloads.MoneySet:
    return payloads.MoneySet(payloads.ShopMoney(bag.shop_money.amount, bag.shop_money.currency_code))


# --- Topics ------------------------------------------------------------------------------------------------


def customer_facts(customer: payloads.Customer) -> CustomerFacts:
    name = " ".join(part for part in (customer.first_name, customer.last_name) if part)
    return CustomerFacts(
        customer_ref=str(customer.id),
        email=customer.email or None,
        email_verified=bool(customer.email) and customer.verified_email,
        name=name or None,
    )


def _order(body: bytes) -> Change:
    return OrderChanged(snapshot(decode(body, payloads.Order)))


def _order_edited(body: bytes) -> Change:
    edited = decode(body, payloads.EditedOrder)
    return OrderToReread(
        str(edited.order_edit.order_id), "the order was edited; the message has only what changed"
    )


def _order_deleted(body: bytes) -> Change:
    deleted = decode(body, payloads.OrderRef)
    return OrderToReread(
        str(deleted.id), "the order was deleted; what counts is that the shop has it no more"
    )


def _refund_created(body: bytes) -> Change:
    refund = decode(body, payloads.OfOrder)
    return OrderToReread(str(refund.order_id), "a refund was made; the message has only the refund")


def _transaction_created(body: bytes) -> Change:
    transaction = decode(body, payloads.OfOrder)
    return OrderToReread(str(transaction.order_id), "money moved; the message has only the transaction")


def _customer(body: bytes) -> Change:
    return CustomerSeen(customer_facts(decode(body, payloads.Customer)))


def _customers_merged(body: bytes) -> Change:
    merge = decode(body, payloads.CustomersMerge)
    if merge.status != "completed":
        return Ignored(f"the merge of two customers is {merge.status[:32]}, not completed")
    return CustomersMerged(
        kept_ref=str(ref(merge.admin_graphql_api_customer_kept_id)),
        deleted_ref=str(ref(merge.admin_graphql_api_customer_deleted_id)),
    )


def _tags_changed(body: bytes) -> Change:
    """The message has only the tags that came or went. Ours are our own doing, and no rule's business."""
    changed = decode(body, payloads.TagsChanged)
    if changed.tags and all(is_ours(tag) for tag in changed.tags):
        return Ignored("tags that Laurel set or took away itself")
    return CustomerTagsChanged(str(ref(changed.customer_id)))


def _code_gone(body: bytes) -> Change:
    gid = decode(body, payloads.Discount).admin_graphql_api_id
    if "/DiscountAutomatic" in gid:
        return Ignored("an automatic discount, not a code")
    return CodeGone(str(ref(gid)))


def _redact(body: bytes) -> Change:
    request = decode(body, payloads.PersonalRequest)
    return ErasureRequested(
        customer_ref=str(request.customer.id),
        order_refs=tuple(str(order) for order in request.orders_to_redact),
        email=request.customer.email or None,
    )


def _data_request(body: bytes) -> Change:
    request = decode(body, payloads.DataRequest)
    return DataRequested(str(request.customer.id), str(request.data_request.id))


def _uninstalled(body: bytes) -> Change:
    decode(body, payloads.Shop)
    return ShopUninstalled()


def _scopes_changed(body: bytes) -> Change:
    decode(body, payloads.ScopesUpdate)
    return AccessChanged()


def _shop_redact(body: bytes) -> Change:
    decode(body, payloads.ShopErasure)
    return ShopErasureRequested()


_TOPICS: Mapping[str, Callable[[bytes], Change]] = {
    "orders/create": _order,
    "orders/updated": _order,
    "orders/paid": _order,
    "orders/fulfilled": _order,
    "orders/partially_fulfilled": _order,
    "orders/cancelled": _order,
    "orders/edited": _order_edited,
    "orders/delete": _order_deleted,
    "refunds/create": _refund_created,
    "order_transactions/create": _transaction_created,
    "customers/create": _customer,
    "customers/update": _customer,
    "customers/enable": _customer,
    "customers/merge": _customers_merged,
    "customer.tags_added": _tags_changed,
    "customer.tags_removed": _tags_changed,
    "discounts/delete": _code_gone,
    "discounts/redeemcode_removed": _code_gone,
    "app/uninstalled": _uninstalled,
    "app/scopes_update": _scopes_changed,
    "customers/data_request": _data_request,
    "customers/redact": _redact,
    "shop/redact": _shop_redact,
}
_NOT_NEEDED: Mapping[str, str] = {
    "customers/delete": "a deleted customer keeps their points until customers/redact asks to forget them",
    "customers/disable": "an account that is switched off keeps its points",
    "customers/purchasing_summary": "spend is counted from orders",
    "customer.joined_segment": "segments are not read",
    "customer.left_segment": "segments are not read",
    "discounts/create": "a code of ours is known from its making, others do not matter",
    "discounts/update": "codes are read at the shop when they matter",
    "discounts/redeemcode_added": "a code of ours is known from its making, others do not matter",
    "app_subscriptions/update": "billing is not done here",
    "bulk_operations/finish": "no bulk operation is awaited",
    "shop/update": "the shop's facts are read when they matter",
}
TOPICS: tuple[str, ...] = (*_TOPICS, *_NOT_NEEDED)
