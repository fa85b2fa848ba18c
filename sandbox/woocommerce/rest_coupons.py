"""Coupons by REST, with every oddity of the real one."""

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, Response, g, request

from sandbox.faults import FaultKind
from sandbox.woocommerce.acts_coupons import clean_code
from sandbox.woocommerce.bodies import coupon_body
from sandbox.woocommerce.shop import Shop
from sandbox.woocommerce.state import ZERO, Coupon, Meta
from sandbox.woocommerce.wire import WcError, answer, invalid_param, missing_param, page_of

_KINDS = ("percent", "fixed_cart", "fixed_product")
_EMAIL = re.compile(r"(\*|[^@\s]+)@[^@\s]+\.[^@\s]+")
_DEAD = datetime(1970, 1, 1, tzinfo=UTC)  # what a date that is none becomes


def make(shop: Shop) -> Blueprint:
    api = Blueprint("coupons", __name__)

    def get(number: int) -> Coupon:
        coupon = shop.coupons.get(number)
        if coupon is None:
            raise WcError("woocommerce_rest_shop_coupon_invalid_id", "Invalid ID.", 404)
        return coupon

    @api.get("/coupons")
    def list_coupons() -> Response:
        with shop.lock:
            return page_of(shop, _wanted(shop), lambda coupon: coupon_body(shop, coupon))

    @api.get("/coupons/<int:number>")
    def get_coupon(number: int) -> Response:
        with shop.lock:
            return answer(coupon_body(shop, get(number)))

    @api.post("/coupons")
    def post_coupon() -> Response:
        asked = request.get_json()
        if "code" not in asked:
            raise missing_param("code")
        _check_kind(asked)
        # The store looks for the name and then inserts; a request in between is not seen.
        raced = g.get("fault") is FaultKind.RACE
        with shop.lock:
            if not raced and find_published(shop, asked["code"]) is not None:
                raise WcError(
                    "woocommerce_rest_coupon_code_already_exists", "The coupon code already exists", 400
                )
            coupon = shop.create_coupon(asked["code"], check=False)
            fill(shop, coupon, asked)
            return answer(coupon_body(shop, coupon), 201, {"Location": f"{shop.api}/coupons/{coupon.id}"})

    @api.route("/coupons/<int:number>", methods=["PUT", "POST", "PATCH"])
    def put_coupon(number: int) -> Response:
        asked = request.get_json()
        _check_kind(asked)
        with shop.lock:
            if number not in shop.coupons:
                raise WcError("woocommerce_rest_shop_coupon_invalid_id", "Invalid ID.", 400)
            coupon = get(number)
            fill(shop, coupon, asked)
            shop.change_coupon(coupon)
            return answer(coupon_body(shop, coupon))

    @api.delete("/coupons/<int:number>")
    def delete_coupon(number: int) -> Response:
        with shop.lock:
            coupon = get(number)
            body = coupon_body(shop, coupon)  # as it was: a trashed one answers with its old status
            if request.args.get("force") == "true":
                shop.delete_coupon(coupon)
            elif coupon.status == "trash":
                text = "The shop_coupon has already been deleted."
                raise WcError("woocommerce_rest_already_trashed", text, 410)
            else:
                shop.trash_coupon(coupon)
            return answer(body)

    return api


def find_published(shop: Shop, code: str) -> Coupon | None:
    """What the store finds by a code: the newest *published* coupon. Drafts and the trash are not seen."""
    found = [c for c in shop.coupons.values() if c.code == clean_code(code) and c.status == "publish"]
    return found[-1] if found else None


def fill(shop: Shop, coupon: Coupon, asked: dict[str, Any]) -> None:
    """Write what was asked, as the real store understands it. `date_expires_gmt` is ignored without a word."""
    plain = "description discount_type status individual_use free_shipping exclude_sale_items product_ids"
    for name in (*plain.split(), "excluded_product_ids"):
        if name in asked:
            setattr(coupon, name, asked[name])
    if "code" in asked:
        coupon.code = clean_code(asked["code"])
    for name in ("amount", "minimum_amount", "maximum_amount"):
        if name in asked:
            setattr(coupon, name, _amount(shop, asked[name]))
    for name in ("usage_limit", "usage_limit_per_user", "limit_usage_to_x_items"):
        if name in asked:
            setattr(coupon, name, abs(int(asked[name])) or None if asked[name] is not None else None)
    if "date_expires" in asked:
        coupon.expires = _date(shop, asked["date_expires"])
    if "email_restrictions" in asked:
        given = [str(email).strip().lower() for email in asked["email_restrictions"] or []]
        coupon.email_restrictions = [email for email in given if _EMAIL.fullmatch(email)]
    for meta in asked.get("meta_data", []):
        kept = [old for old in coupon.meta if old.key != meta["key"]]
        coupon.meta = [*kept, Meta(id=shop.new_meta("", "").id, key=meta["key"], value=meta["value"])]


def _check_kind(asked: dict[str, Any]) -> None:
    if asked.get("discount_type", "percent") not in _KINDS:
        text = "discount_type is not one of percent, fixed_cart, and fixed_product."
        raise invalid_param("discount_type", text, "rest_not_in_enum")
    if asked.get("discount_type") == "percent" and float(asked.get("amount") or 0) > 100:
        raise WcError("coupon_invalid_amount", "Invalid discount amount.", 400)


def _amount(shop: Shop, value: object) -> Decimal:
    """Digits and points only are looked at: "5,50" is 550.00, "5.005" is 5.01."""
    text = re.sub(r"[^\d.-]", "", str(value))
    try:
        return shop.amount(text)
    except InvalidOperation:
        return ZERO


def _date(shop: Shop, value: str | None) -> datetime | None:
    """Exact with an offset, else the shop's own time; a day alone is its first moment; nonsense is 1970."""
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return _DEAD
    return (moment if moment.tzinfo else moment.replace(tzinfo=shop.zone)).astimezone(UTC)


def _wanted(shop: Shop) -> list[Coupon]:
    asked = request.args
    if asked.get("code"):
        found = find_published(shop, asked["code"])
        return [found] if found else []
    statuses = asked.get("status", "publish").split(
        ","
    )  # recorded: without `status` only published ones are listed
    rows = [
        c
        for c in shop.coupons.values()
        if c.status in statuses or ("any" in statuses and c.status != "trash")
    ]
    since = asked.get("modified_after")
    if since:
        moment = datetime.fromisoformat(since)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        rows = [c for c in rows if c.modified > moment]
    if asked.get("search"):
        rows = [c for c in rows if asked["search"].lower() in c.code or asked["search"] in c.description]
    if asked.get("include"):
        wanted = set(asked["include"].split(","))
        rows = [c for c in rows if str(c.id) in wanted]
    by = {"date": lambda c: c.created, "modified": lambda c: c.modified, "id": lambda c: c.id}
    name = asked.get("orderby", "date")
    if name not in by:
        raise invalid_param("orderby", "orderby is not one of date, modified, id.", "rest_not_in_enum")
    rows.sort(key=lambda c: (by[name](c), c.id), reverse=asked.get("order", "desc") == "desc")
    return rows
