"""A reward's code as a WooCommerce coupon: what we ask for, and whether a coupon is what was asked. Pure."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from app.domain.errors import Refused
from connectors.base import CodeKind, CodeSpec, FoundCode
from connectors.woocommerce.mapping import utc
from connectors.woocommerce.payloads import Coupon, items_of

_TAG = "_laurel_tag"
_CUSTOMER = "_laurel_customer"

_TYPE = {CodeKind.AMOUNT: "fixed_cart", CodeKind.PERCENT: "percent", CodeKind.FREE_SHIPPING: "fixed_cart"}


def coupon_body(spec: CodeSpec, email: str) -> dict[str, object]:
    """The body of POST coupons. `email` is the customer's address at the shop, the only thing a coupon binds to.

    Free shipping works where the shop has a free shipping method that asks for a coupon; the API cannot tell.

    Raises: Refused("unsupported") for what a coupon cannot say exactly.
    """
    return {
        "code": spec.code,
        "description": spec.title,
        "discount_type": _TYPE[spec.kind],
        "amount": _amount(spec),
        "free_shipping": spec.kind is CodeKind.FREE_SHIPPING,
        # Not date_expires_gmt, which is ignored on write (the coupon would never expire); with Z, or it is shop time.
        "date_expires": _expires_at(spec).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "individual_use": False,
        "usage_limit": 1,
        "usage_limit_per_user": 1,
        "minimum_amount": str(spec.minimum_spend) if spec.minimum_spend else "0",
        "email_restrictions": [email],
        "meta_data": [{"key": _TAG, "value": spec.tag}, {"key": _CUSTOMER, "value": spec.customer_ref}],
    }


def differences(coupon: Coupon, spec: CodeSpec, email: str | None) -> list[str]:
    """The fields in which the shop's coupon is not what was asked for; empty when it is.

    `email` None: made by an earlier try, whose address we no longer know; then there must be one at all.
    WooCommerce drops an address that it finds invalid (the coupon is then anybody's) and rounds or misreads amounts.
    """
    bound_to = [address.casefold() for address in coupon.email_restrictions]
    same = {
        "status": coupon.status == "publish",
        "code": coupon.code.casefold() == spec.code.casefold(),
        "discount_type": coupon.discount_type == _TYPE[spec.kind],
        "amount": _decimal(coupon.amount) == Decimal(_amount(spec)),
        "free_shipping": coupon.free_shipping == (spec.kind is CodeKind.FREE_SHIPPING),
        "date_expires": _time(coupon.date_expires_gmt) == _expires_at(spec),
        "individual_use": not coupon.individual_use,
        "usage_limit": coupon.usage_limit == 1,
        "usage_limit_per_user": coupon.usage_limit_per_user == 1,
        "minimum_amount": _decimal(coupon.minimum_amount) == Decimal(str(spec.minimum_spend or 0)),
        "email_restrictions": len(bound_to) == 1 and email in (None, bound_to[0]),
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


def _amount(spec: CodeSpec) -> str:
    match spec.kind:
        case CodeKind.FREE_SHIPPING:
            return "0"
        case CodeKind.PERCENT if spec.percent and 1 <= spec.percent <= 100:
            return str(spec.percent)
        case CodeKind.AMOUNT if spec.amount and spec.amount.minor > 0:
            return str(spec.amount)
    raise Refused("unsupported", f"A coupon of kind {spec.kind} needs its amount.")


def _expires_at(spec: CodeSpec) -> datetime:
    return spec.expires_at.astimezone(UTC).replace(microsecond=0)


def _kind(coupon: Coupon) -> CodeKind | None:
    if coupon.free_shipping and not _decimal(coupon.amount):
        return CodeKind.FREE_SHIPPING
    return {"fixed_cart": CodeKind.AMOUNT, "percent": CodeKind.PERCENT}.get(coupon.discount_type)


def _value(coupon: Coupon, kind: CodeKind | None) -> str | None:
    amount = _decimal(coupon.amount)
    if kind is CodeKind.PERCENT and amount is not None:
        return f"{amount.normalize():f}"  # "10.00" is 10 %
    return coupon.amount if kind is CodeKind.AMOUNT else None


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text or "0")
    except InvalidOperation:
        return None


def _time(text: str | None) -> datetime | None:
    return utc(text) if text else None
