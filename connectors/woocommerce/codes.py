"""A reward's code as a WooCommerce coupon: what we ask for, and whether a coupon is what was asked. Pure."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from app.domain.errors import Refused
from app.domain.money import Money
from app.domain.rewards import Combines, Gift
from connectors.base import CodeKind, CodeSpec, FoundCode
from connectors.woocommerce.mapping import utc
from connectors.woocommerce.payloads import Coupon, items_of

_TAG = "_laurel_tag"
_CUSTOMER = "_laurel_customer"

_TYPE = {
    CodeKind.AMOUNT: "fixed_cart",
    CodeKind.PERCENT: "percent",
    CodeKind.FREE_SHIPPING: "fixed_cart",
    CodeKind.PRODUCT: "percent",
    CodeKind.GIFT_CARD: "fixed_cart",
    CodeKind.STORE_CREDIT: "fixed_cart",
}
# WooCommerce has no store credit: a coupon for so much, of which we keep what is left.
BALANCES = frozenset({CodeKind.STORE_CREDIT})
# What stays as it was made when a balance is brought to what is left. Whom it is bound to: the address may have been
# changed at the shop meanwhile, and we keep none.
_STAYS = ("code", "email_restrictions", "meta_data")
_ALL = frozenset(Combines)


def why_not(spec: CodeSpec) -> str | None:
    """As `Connector.why_not` says."""
    if spec.combines not in (frozenset(), _ALL):
        return (
            "A WooCommerce coupon combines with all other coupons or with none: name order, product and shipping, "
            "or leave it out."
        )
    match spec:
        case CodeSpec(kind=CodeKind.PERCENT, maximum=Money()):
            return "WooCommerce’s percentage coupons have no maximum. Leave the maximum out, or offer a fixed amount."
        case CodeSpec(kind=CodeKind.PRODUCT, minimum_spend=Money()):
            return "A WooCommerce coupon’s minimum spend would count the free product itself: leave it out."
        case CodeSpec(kind=CodeKind.PRODUCT, gift=Gift(collection_ref=str())):
            return "A WooCommerce coupon cannot ask for other goods beside the free one: leave with_collection out."
        case _:
            return None


def coupon_body(spec: CodeSpec, email: str) -> dict[str, object]:
    """The body of POST coupons. `email` is the customer's address at the shop, the only thing a coupon binds to.

    Free shipping works where the shop has a free shipping method that asks for a coupon; the API cannot tell.

    Raises: Refused("unsupported") for what a coupon cannot say exactly.
    """
    if why := why_not(spec):
        raise Refused("unsupported", why)
    return {
        "code": spec.code,
        "description": spec.title,
        "discount_type": _TYPE[spec.kind],
        "amount": _amount(spec),
        "free_shipping": spec.kind is CodeKind.FREE_SHIPPING,
        # Not date_expires_gmt, which is ignored on write (the coupon would never expire); with Z, or it is shop time.
        "date_expires": _expires_at(spec).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "individual_use": _alone(spec),
        "usage_limit": 1,
        "usage_limit_per_user": _uses_each(spec),
        "product_ids": _product_ids(spec),
        # One piece of it, however many are in the cart: a percentage is taken off so many items and no more. Seen on
        # WooCommerce 10.9.1: of three mugs at 10.00 one was free. Source: class-wc-discounts.php, apply_coupon_percent().
        "limit_usage_to_x_items": 1 if spec.kind is CodeKind.PRODUCT else None,
        "minimum_amount": _minimum(spec),
        "email_restrictions": [email] if is_bound(spec) else [],
        "meta_data": [{"key": _TAG, "value": spec.tag}, {"key": _CUSTOMER, "value": spec.customer_ref}],
    }


def balance_body(spec: CodeSpec, left: Money, uses: int) -> dict[str, object]:
    """The body of PUT coupons/<id>: one more order than the `uses` counted may use `left`; none, if that is nothing.

    The limit stands on what the shop counted when it was asked: should an order come in between, it is reached. Seen on
    10.9.1: of three checkouts at once with one use left, one came through.
    """
    asked = {name: value for name, value in coupon_body(spec, "").items() if name not in _STAYS}
    return {**asked, "amount": str(left), "usage_limit": _limit(left, uses)}


def balance_differences(coupon: Coupon, spec: CodeSpec, left: Money, uses: int) -> list[str]:
    """As `differences`, of a coupon that was to be brought to `left`. One that no order can use needs nothing more.

    That it names the customer is not asked: they may have been forgotten since.
    """
    if not left.minor and found(coupon, None).uses_left == 0:
        return []
    asked = replace(spec, amount=left, customer_ref=meta(coupon, _CUSTOMER) or spec.customer_ref)
    return differences(coupon, asked, None, usage_limit=_limit(left, uses))


def differences(coupon: Coupon, spec: CodeSpec, email: str | None, *, usage_limit: int = 1) -> list[str]:
    """The fields in which the shop's coupon is not what was asked for; empty when it is.

    `email` None: made by an earlier try, whose address we no longer know; then there must be one at all.
    WooCommerce drops an address that it finds invalid (the coupon is then anybody's) and rounds or misreads amounts.
    """
    bound_to = [address.casefold() for address in coupon.email_restrictions]
    same = {
        "status": coupon.status == "publish",
        "code": coupon.code.casefold() == spec.code.casefold(),
        "discount_type": coupon.discount_type == _TYPE[spec.kind],
        "amount": _decimal(coupon.amount) == _as_shown(_amount(spec)),
        "free_shipping": coupon.free_shipping == (spec.kind is CodeKind.FREE_SHIPPING),
        "date_expires": _time(coupon.date_expires_gmt) == _expires_at(spec),
        "individual_use": coupon.individual_use == _alone(spec),
        "usage_limit": coupon.usage_limit == usage_limit,
        "usage_limit_per_user": (coupon.usage_limit_per_user or None) == _uses_each(spec),
        "product_ids": coupon.product_ids == _product_ids(spec),
        "limit_usage_to_x_items": (coupon.limit_usage_to_x_items == 1) == (spec.kind is CodeKind.PRODUCT),
        "minimum_amount": _decimal(coupon.minimum_amount) == _as_shown(_minimum(spec)),
        "email_restrictions": (len(bound_to) == 1 and email in (None, bound_to[0]))
        if is_bound(spec)
        else not bound_to,
        "customer": meta(coupon, _CUSTOMER) == spec.customer_ref,
    }
    return [name for name, holds in same.items() if not holds]


def found(coupon: Coupon, now: datetime | None) -> FoundCode:
    """What the shop says of the coupon at `now`, by the shop's own clock (None: it did not say)."""
    uses_left = max(0, coupon.usage_limit - coupon.usage_count) if coupon.usage_limit else None
    expires_at = _time(coupon.date_expires_gmt)
    expired = bool(expires_at and now and expires_at <= now)
    kind = _kind(coupon)
    return FoundCode(
        code=coupon.code,
        code_ref=str(coupon.id),
        live=coupon.status == "publish" and uses_left != 0 and not expired,
        uses=coupon.usage_count,
        uses_left=uses_left,
        tag=tag(coupon),
        customer_ref=meta(coupon, _CUSTOMER),
        expires_at=expires_at,
        kind=kind,
        value=_value(coupon, kind),
    )


def tag(coupon: Coupon) -> str | None:
    return meta(coupon, _TAG)


def meta(coupon: Coupon, key: str) -> str | None:
    values = [item.value for item in items_of(coupon.meta_data) if item.key == key]
    return str(values[0]) if values and isinstance(values[0], str | int) else None


def _uses_each(spec: CodeSpec) -> int | None:
    """None: one person uses a balance more than once, as often as its limit says."""
    return None if spec.kind in BALANCES else 1


def _limit(left: Money, uses: int) -> int:
    return uses + 1 if left.minor else max(uses, 1)  # 0 would be no limit


def is_bound(spec: CodeSpec) -> bool:
    """Whether the customer alone may use it; a gift card is made to be given away."""
    return spec.kind is not CodeKind.GIFT_CARD


def _alone(spec: CodeSpec) -> bool:
    """Without any other coupon; gift cards and store credit are money, and pay beside them."""
    return spec.kind not in (CodeKind.GIFT_CARD, CodeKind.STORE_CREDIT) and not spec.combines


def _product_ids(spec: CodeSpec) -> list[int]:
    """Products and variations share their numbers."""
    if spec.kind is not CodeKind.PRODUCT:
        return []
    given = [one for one in (spec.gift.product_ref, spec.gift.variant_ref) if one] if spec.gift else []
    if len(given) != 1:
        raise Refused("unsupported", "A free product names one product, or one variant.")
    return [int(given[0])]


def _minimum(spec: CodeSpec) -> str:
    """Of a gift card at least its amount: a coupon is used up by one order, and nothing of it may be lost."""
    least = [one for one in (spec.minimum_spend, spec.amount if not is_bound(spec) else None) if one]
    return str(max(least, key=lambda one: one.minor)) if least else "0"


def _amount(spec: CodeSpec) -> str:
    match spec.kind:
        case CodeKind.FREE_SHIPPING:
            return "0"
        case CodeKind.PRODUCT:
            return "100"
        case CodeKind.PERCENT if spec.percent and 1 <= spec.percent <= 100:
            return str(spec.percent)
        case CodeKind.STORE_CREDIT if spec.amount and spec.amount.minor >= 0:
            return str(spec.amount)
        case CodeKind.AMOUNT | CodeKind.GIFT_CARD if spec.amount and spec.amount.minor > 0:
            return str(spec.amount)
    raise Refused("unsupported", f"A coupon of kind {spec.kind} needs its amount.")


def _expires_at(spec: CodeSpec) -> datetime:
    return spec.expires_at.astimezone(UTC).replace(microsecond=0)


def _kind(coupon: Coupon) -> CodeKind | None:
    if coupon.free_shipping and not _decimal(coupon.amount):
        return CodeKind.FREE_SHIPPING
    if coupon.discount_type == "percent" and coupon.limit_usage_to_x_items == 1 and coupon.product_ids:
        return CodeKind.PRODUCT if _decimal(coupon.amount) == 100 else None
    if coupon.discount_type == "fixed_cart" and not coupon.email_restrictions:
        return CodeKind.GIFT_CARD if tag(coupon) else CodeKind.AMOUNT
    if coupon.discount_type == "fixed_cart" and tag(coupon) and not coupon.usage_limit_per_user:
        return CodeKind.STORE_CREDIT
    return {"fixed_cart": CodeKind.AMOUNT, "percent": CodeKind.PERCENT}.get(coupon.discount_type)


def _value(coupon: Coupon, kind: CodeKind | None) -> str | None:
    amount = _decimal(coupon.amount)
    if kind is CodeKind.PERCENT and amount is not None:
        return f"{amount.normalize():f}"  # "10.00" is 10 %
    with_money = (CodeKind.AMOUNT, CodeKind.GIFT_CARD, CodeKind.STORE_CREDIT)
    return coupon.amount if kind in with_money else None


def _as_shown(amount: str) -> Decimal:
    """The API tells a coupon's amounts with two decimals, whatever the currency has and the shop keeps.

    Source: class-wc-rest-coupons-v2-controller.php, get_formatted_item_data().
    """
    return Decimal(amount).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text or "0")
    except InvalidOperation:
        return None


def _time(text: str | None) -> datetime | None:
    return utc(text) if text else None
