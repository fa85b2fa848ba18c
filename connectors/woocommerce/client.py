"""One WooCommerce shop's REST API (wc/v3). The `woocommerce` library signs, `connectors.http` sends.

What the API cannot do, seen on 10.9.1: look a coupon up by its code unless it is published (drafts and the trash
answer by id alone); list the trash together with other orders; say which secret a webhook has.
"""

import hashlib
import html
import json
import logging
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import urlencode

import httpx
import msgspec
from woocommerce.oauth import OAuth

from app.domain.changes import CustomerFacts, ProductFacts
from app.domain.errors import AccessLost, Refused, Retryable
from app.domain.money import Money
from app.domain.orders import OrderSnapshot
from app.domain.profiles import FoundProfile, ProfileChange, ProfileEnding
from app.domain.redacting import cleared
from app.domain.triggers import Happening
from connectors import http
from connectors.base import (
    Absent,
    CodeSpec,
    FoundCode,
    HttpSeam,
    Introduction,
    IssuedCode,
    OrderDigest,
    OrderPage,
    ShopAccess,
    ShopFacts,
    WebhookFound,
    WebhookState,
    is_web_address,
)
from connectors.decoding import decode, split_list
from connectors.woocommerce import codes, mapping
from connectors.woocommerce.payloads import (
    Category,
    Companion,
    Coupon,
    Customer,
    ErrorObject,
    OnlyId,
    Order,
    OrderDigestBody,
    Product,
    RefundDetail,
    Setting,
    Site,
    Webhook,
)
from connectors.woocommerce.webhooks import TOPICS

_log = logging.getLogger(__name__)

_PAGE = 100  # the most the API gives at once
_NO_ORDER = "woocommerce_rest_shop_order_invalid_id"
_NO_COUPON = "woocommerce_rest_shop_coupon_invalid_id"
_NO_WEBHOOK = "woocommerce_rest_shop_webhook_invalid_id"
_NO_CUSTOMER = ("wc_user_invalid_id", "woocommerce_rest_invalid_id")
_CODE_EXISTS = "woocommerce_rest_coupon_code_already_exists"
# WooCommerce lets its own keys in at `wc-…` too: the plugin's address asks for the same key as the REST API.
# Source: class-wc-rest-authentication.php, is_request_to_rest_api().
_COMPANION = "wp-json/wc-laurel/v1/connection"
_NO_ROUTE = "rest_no_route"
_ELSEWHERE = ("laurel_other_server", "laurel_not_expected")
_NAME_US = "The plugin does not expect us: on its page in the shop, give this installation's address and press Connect."

# status=any leaves the trash out, and a list with both ignores the trash: two questions.
_STATUSES = ("any", "trash")

_CLOCKS_DIFFER = timedelta(minutes=5)

T = TypeVar("T")
B = TypeVar("B", Order, OrderDigestBody)


class WooClient:
    def __init__(self, access: ShopAccess, seam: HttpSeam) -> None:
        self._shop = access.shop_key
        self._shop_ref = access.shop_ref
        self._site = access.shop_ref.rstrip("/")
        self._key = access.credentials["consumer_key"]
        self._secret = access.credentials["consumer_secret"]
        self._http = seam.client(allow_private=access.allow_private)

    def close(self) -> None:
        self._http.close()

    def shop_facts(self) -> ShopFacts:
        site = _read(self._send("GET", f"{self._site}/wp-json/?_fields=name,home,timezone_string"), Site)
        currency = _read(self._get("settings/general/woocommerce_currency", _fields="id,value"), Setting)
        return ShopFacts(
            shop_ref=self._shop_ref,
            name=html.unescape(site.name),
            url=site.home if is_web_address(site.home) else self._site,
            currency=currency.value,
            timezone=site.timezone_string or "UTC",
            reads_orders_days=None,
        )

    def require_write(self) -> None:
        """An empty batch changes nothing, and is refused to a key that may only read.

        Raises: AccessLost.
        """
        self._call("POST", "webhooks/batch", body={})

    # --- Orders ---------------------------------------------------------------------------------------------

    def read_orders(self, order_refs: Sequence[str]) -> Mapping[str, OrderSnapshot | Absent]:
        found = self._find_orders(order_refs, Order)
        return {
            ref: self._exact(order) if isinstance(order, Order) else order for ref, order in found.items()
        }

    def order_digests(self, order_refs: Sequence[str]) -> Mapping[str, OrderDigest | Absent]:
        found = self._find_orders(order_refs, OrderDigestBody)
        return {
            ref: _digest(order) if isinstance(order, OrderDigestBody) else order
            for ref, order in found.items()
        }

    def orders_changed(
        self, since: datetime, until: datetime, cursor: str | None = None, *, may_wait: bool = False
    ) -> OrderPage:
        """Trashed orders come after all others.

        The cursor is (status, second to go on from, page), not a page number alone: an order that changes meanwhile
        leaves the window and would push another one past the edge of a page. An order may come twice.
        """
        status, start, page = _cursor(cursor, since)
        answer = self._get(
            "orders",
            status=status,
            modified_after=_gmt(start - timedelta(seconds=1)),  # both ends are left out by the shop
            modified_before=_gmt(until + timedelta(seconds=1)),
            dates_are_gmt="true",
            orderby="modified",
            order="asc",
            page=str(page),
            per_page=str(_PAGE),
            _fields=_fields(Order),
        )
        orders: list[OrderSnapshot] = []
        held: list[tuple[str, str]] = []
        members = _members(answer)
        for member in members:
            try:
                orders.append(mapping.snapshot(decode(member, Order)))
            except Refused as refused:
                held.append((_ref_of(member), str(refused)))
        last = _changed_at(members[-1]) or _gmt(start) if len(members) == _PAGE else None
        return OrderPage(tuple(orders), tuple(held), _next_cursor(status, start, page, last, since))

    def orders_with_code(self, code: str) -> Sequence[OrderSnapshot]:
        """By the search that the shop's own order list has: it looks into the names of an order's items, and a
        coupon on an order is one of them (seen with HPOS storage).

        Raises: Refused if an order with the code cannot be understood: the code must not pass for unused.
        """
        orders = [
            order
            for status in _STATUSES
            for order in self._list("orders", Order, search=code, status=status, _fields=_fields(Order))
            if code.casefold() in (line.code.casefold() for line in order.coupon_lines)
        ]
        snapshots = [mapping.snapshot(order) for order in orders]
        return sorted(snapshots, key=lambda order: order.placed_at, reverse=True)

    def _find_orders(self, order_refs: Sequence[str], kind: type[B]) -> dict[str, B | Absent]:
        refs = [ref for ref in dict.fromkeys(order_refs) if ref.isascii() and ref.isdecimal()]
        found: dict[str, B | Absent] = dict.fromkeys(order_refs, Absent.UNREADABLE)
        for start in range(0, len(refs), _PAGE):
            missing = refs[start : start + _PAGE]
            for status in _STATUSES:
                found |= self._included(missing, status, kind)
                missing = [ref for ref in missing if found[ref] is Absent.UNREADABLE]
            # A list that leaves an order out proves nothing; the order's own address does.
            found |= {ref: self._one_order(ref, kind) for ref in missing}
        return found

    def _included(self, refs: Sequence[str], status: str, kind: type[B]) -> dict[str, B]:
        if not refs:
            return {}
        answer = self._get(
            "orders", include=",".join(refs), status=status, per_page=str(_PAGE), _fields=_fields(kind)
        )
        orders = [self._understood(member, kind) for member in _members(answer)]
        return {str(order.id): order for order in orders if order is not None and str(order.id) in refs}

    def _one_order(self, ref: str, kind: type[B]) -> B | Absent:
        try:
            return _read(self._get(f"orders/{ref}", _fields=_fields(kind)), kind)
        except AccessLost:
            raise
        except Refused as refused:
            if refused.code == _NO_ORDER:
                return Absent.GONE
            return self._unreadable(ref, refused)

    def _understood(self, member: msgspec.Raw, kind: type[B]) -> B | None:
        """None is asked for once more by its own address, and answered UNREADABLE there."""
        try:
            return decode(member, kind)
        except Refused:
            return None

    def _exact(self, order: Order) -> OrderSnapshot | Absent:
        try:
            details = list(self._list(f"orders/{order.id}/refunds", RefundDetail)) if order.refunds else []
            return mapping.snapshot(order, details)
        except AccessLost:
            raise
        except Refused as refused:
            return self._unreadable(str(order.id), refused)

    def _unreadable(self, ref: str, refused: Refused) -> Absent:
        _log.warning("order unreadable shop=%s order=%s reason=%s", self._shop, ref, refused)
        return Absent.UNREADABLE

    # --- Customers ------------------------------------------------------------------------------------------

    def read_customer(self, customer_ref: str) -> CustomerFacts | None:
        try:
            answer = self._get(f"customers/{_id(customer_ref)}", _fields=_fields(Customer))
        except Refused as refused:
            if refused.code in _NO_CUSTOMER:
                return None
            raise
        return mapping.customer_facts(_read(answer, Customer))

    def read_tags(self, customer_refs: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """WooCommerce has no tags on customers; what plugins for wholesale and staff set is the role."""
        return {
            str(customer.id): mapping.roles(customer)
            for refs in _pages(customer_refs)
            for customer in self._list(
                "customers", Customer, include=refs, role="all", _fields=_fields(Customer)
            )
        }

    # --- Products -------------------------------------------------------------------------------------------

    def read_products(self, product_refs: Sequence[str]) -> Mapping[str, ProductFacts]:
        """A product is in its categories and in all above them, as WooCommerce's own coupons see it.

        Source: plugins/woocommerce/includes/wc-product-functions.php, wc_get_product_cat_ids().
        """
        products = [
            product
            for refs in _pages(product_refs)
            for status in _STATUSES
            for product in self._list(
                "products", Product, include=refs, status=status, _fields=_fields(Product)
            )
        ]
        if not products:
            return {}
        above = {
            category.id: category.parent
            for category in self._list("products/categories", Category, _fields=_fields(Category))
        }
        return {str(product.id): mapping.product_facts(product, above) for product in products}

    # --- Codes ----------------------------------------------------------------------------------------------

    def issue_code(self, spec: CodeSpec) -> IssuedCode:
        if why := codes.why_not(spec):
            raise Refused("unsupported", why)
        coupons, now = self._coupons(spec.code)
        email = None
        if not coupons:
            if now and spec.starts_at > now + _CLOCKS_DIFFER:
                raise Refused("unsupported", "A WooCommerce coupon can be used at once; it has no first day.")
            email = self._address_of(spec.customer_ref) if codes.is_bound(spec) else ""
            self._make_coupon(codes.coupon_body(spec, email))
            # Read again rather than believe the answer: the shop checks and then inserts, so two calls at
            # once make two coupons of one code.
            with http.may_be_there():
                coupons, _ = self._coupons(spec.code)
        if not coupons:
            raise Retryable(f"{self._shop}: the coupon was made but is not found yet")
        coupon = self._only_ours(coupons, spec)
        wrong = codes.differences(coupon, spec, email)
        if wrong and not coupon.usage_count:
            with http.may_be_there():
                self._delete(f"coupons/{coupon.id}", _NO_COUPON)
            is_open = codes.is_bound(spec) and not coupon.email_restrictions
            unbound = "customer_unreachable" if is_open else "differs"
            raise Refused(unbound, f"{self._shop}: made otherwise than asked, withdrawn: {', '.join(wrong)}")
        return IssuedCode(code=coupon.code, code_ref=str(coupon.id))

    def find_code(self, code: str, spec: CodeSpec | None = None) -> FoundCode | None:
        """Everything of ours is a coupon, whatever `spec` says. Only published ones can be found by their code: a draft
        or trashed one is None, and cannot be used."""
        coupons, now = self._coupons(code)
        seen = [codes.found(coupon, now) for coupon in coupons]
        return min(seen, key=lambda one: (not one.live, int(one.code_ref)), default=None)

    def withdraw_code(self, code: str, tag: str, spec: CodeSpec | None = None) -> FoundCode | None:
        """Becomes a draft, which keeps it visible to the merchant; deleted where the shop ignores that."""
        coupons, _ = self._coupons(code)
        ours = [coupon for coupon in coupons if codes.tag(coupon) == tag]
        if coupons and not ours:
            raise Refused("not_ours", f"{self._shop}: the code is not one that we made")
        dead = [self._switch_off(coupon.id) for coupon in ours]
        left, now = self._coupons(code)
        if any(codes.tag(coupon) == tag and codes.found(coupon, now).live for coupon in left):
            raise Retryable(f"{self._shop}: a withdrawn coupon can still be used")
        return next((one for one in dead if one), None)

    def set_balance(self, spec: CodeSpec, left: Money, uses: int) -> bool:
        """As `ShopClient` says; a draft and the trash are not found by a code, and are no codes any more."""
        if spec.kind not in codes.BALANCES:
            raise Refused("unsupported", "Only store credit is a balance here.")
        coupons, _ = self._coupons(spec.code)
        if not any(codes.tag(coupon) == spec.tag for coupon in coupons):
            return False
        coupon = self._only_ours(coupons, spec)
        if not codes.balance_differences(coupon, spec, left, uses):
            return True
        path = f"coupons/{coupon.id}"
        try:
            self._call("PUT", path, body=codes.balance_body(spec, left, uses))
            coupon = _read(self._get(path, _fields=_fields(Coupon)), Coupon)
        except Refused as refused:
            if refused.code == _NO_COUPON:
                return False
            raise
        if wrong := codes.balance_differences(coupon, spec, left, uses):
            raise Refused("differs", f"{self._shop}: the coupon is otherwise than asked: {', '.join(wrong)}")
        return True

    def our_codes(self, tag_prefix: str, cursor: str | None = None) -> tuple[Sequence[FoundCode], str | None]:
        """The API cannot ask for a tag: each page is of the shop's published coupons, and most may be others'."""
        page = int(cursor or 1)
        answer = self._get(
            "coupons", page=str(page), per_page=str(_PAGE), orderby="id", order="asc", _fields=_fields(Coupon)
        )
        members = _members(answer)
        coupons = [coupon for member in members if (coupon := _coupon_or_none(member))]
        ours = [coupon for coupon in coupons if (codes.tag(coupon) or "").startswith(tag_prefix)]
        now = _clock(answer)
        return [codes.found(coupon, now) for coupon in ours], str(page + 1) if len(members) == _PAGE else None

    def _coupons(self, code: str) -> tuple[list[Coupon], datetime | None]:
        """Published coupons of that code, oldest first, and the shop's clock."""
        answer = self._get("coupons", code=code, per_page=str(_PAGE), _fields=_fields(Coupon))
        coupons = [decode(member, Coupon) for member in _members(answer)]
        same = [coupon for coupon in coupons if coupon.code.casefold() == code.casefold()]
        return sorted(same, key=lambda coupon: coupon.id), _clock(answer)

    def _address_of(self, customer_ref: str) -> str:
        customer = self.read_customer(customer_ref)
        if customer is None or not customer.email:
            raise Refused("customer_unreachable", f"{self._shop}: the customer has no e-mail address there")
        return customer.email.casefold()

    def _make_coupon(self, body: Mapping[str, object]) -> None:
        try:
            self._call("POST", "coupons", body=body)
        except Refused as refused:
            if refused.code != _CODE_EXISTS:
                raise

    def _only_ours(self, coupons: Sequence[Coupon], spec: CodeSpec) -> Coupon:
        """The oldest; others of ours are deleted, so that everybody who looks keeps the same one."""
        ours = [coupon for coupon in coupons if codes.tag(coupon) == spec.tag]
        foreign = len(ours) < len(coupons)
        for coupon in ours if foreign else ours[1:]:
            with http.may_be_there():
                self._delete(f"coupons/{coupon.id}", _NO_COUPON)
        if foreign:
            raise Refused("code_taken", f"{self._shop}: a coupon of that code is not ours")
        return ours[0]

    def _switch_off(self, coupon_id: int) -> FoundCode | None:
        path = f"coupons/{coupon_id}"
        try:
            self._call("PUT", path, body={"status": "draft"})
            answer = self._get(path, _fields=_fields(Coupon))
        except Refused as refused:
            if refused.code == _NO_COUPON:
                return None
            raise
        seen = codes.found(_read(answer, Coupon), _clock(answer))
        if not seen.live:
            return seen
        self._delete(path, _NO_COUPON)
        return None

    # --- Webhooks -------------------------------------------------------------------------------------------

    def ensure_webhooks(self, address: str, secret: str | None) -> Sequence[WebhookState]:
        """A secret cannot be read back, so a webhook's name ends with its fingerprint.

        A webhook that was switched off is made anew: revived, it would keep its count of failures and be switched
        off at the next one.
        """
        if not secret:
            raise Refused("unsupported", "WooCommerce signs webhooks with a secret; none was given.")
        mark = hashlib.sha256(secret.encode()).hexdigest()[:12]
        hooks = list(self._list("webhooks", Webhook, _fields=_fields(Webhook)))
        ours = [hook for hook in hooks if hook.delivery_url == address or hook.name.endswith(f" {mark}")]
        return [
            self._ensure_topic(topic, [hook for hook in ours if hook.topic == topic], address, secret, mark)
            for topic in TOPICS
        ]

    def remove_webhooks(self, address: str) -> None:
        for hook in list(self._list("webhooks", Webhook, _fields=_fields(Webhook))):
            if hook.delivery_url == address:
                self._delete(f"webhooks/{hook.id}", _NO_WEBHOOK)

    def _ensure_topic(
        self, topic: str, hooks: Sequence[Webhook], address: str, secret: str, mark: str
    ) -> WebhookState:
        active = [hook for hook in hooks if hook.status == "active" and hook.delivery_url == address]
        kept = min(active, key=lambda hook: hook.id, default=None)
        wanted = {"name": f"Laurel {topic} {mark}", "secret": secret, "status": "active"}
        done: list[str] = []
        if kept is None:
            body = {**wanted, "topic": topic, "delivery_url": address}
            kept = _read(self._call("POST", "webhooks", body=body), Webhook)
            done.append("made")
        elif kept.name != wanted["name"]:
            kept = _read(self._call("PUT", f"webhooks/{kept.id}", body=wanted), Webhook)
            done.append("given our secret")
        for hook in hooks:
            if hook.id != kept.id:
                self._delete(f"webhooks/{hook.id}", _NO_WEBHOOK)
                done.append(f"removed another ({hook.status})")
        healthy = kept.status == "active" and kept.delivery_url == address
        return WebhookState(
            topic=topic,
            healthy=healthy,
            repaired=bool(done),
            detail=", ".join(done) or kept.status,
            found=_found(hooks, address, wanted["name"]),
        )

    # --- Profiles: not offered (`Connector.profiles`) --------------------------------------------------------

    def prepare_profiles(self) -> None:
        raise _no_profiles()

    def write_profiles(self, changes: Sequence[ProfileChange]) -> Mapping[str, ProfileEnding]:
        raise _no_profiles()

    def read_profiles(self, customer_refs: Sequence[str]) -> Mapping[str, FoundProfile]:
        raise _no_profiles()

    def remove_profiles(self) -> None:
        raise _no_profiles()

    # --- Automations -----------------------------------------------------------------------------------------

    def tell(self, happenings: Sequence[Happening]) -> Sequence[str | None]:
        raise Refused("unsupported", "WooCommerce has no automations that Laurel could begin.")

    # --- Our plugin -----------------------------------------------------------------------------------------

    def introduce(self, introduction: Introduction) -> str | None:
        """As `ShopClient` says; a shop without the plugin has no such address."""
        told = {
            "server": introduction.server,
            "shop_key": introduction.shop_key,
            "webhook_address": introduction.webhook_address,
            "webhook_secret": introduction.webhook_secret,
            "widget_secret": introduction.widget_secret,
        }
        try:
            return _read(self._call_at("PUT", f"{self._site}/{_COMPANION}", told), Companion).version
        except AccessLost as lost:
            # Whoever guards this one address says nothing about orders and codes: the other calls find that out.
            raise Refused("companion_shut", f"The plugin's address is shut to us: {lost.detail}") from lost
        except Refused as refused:
            if refused.code == _NO_ROUTE:
                return None
            if refused.code in _ELSEWHERE:
                raise Refused("companion_elsewhere", _NAME_US) from refused
            raise

    # --- Calls ----------------------------------------------------------------------------------------------

    def _get(self, path: str, **params: str) -> httpx.Response:
        return self._call("GET", path, params)

    def _list(self, path: str, kind: type[T], **params: str) -> Iterator[T]:
        """Every member of a list, page by page."""
        page = 1
        while True:
            answer = self._get(path, page=str(page), per_page=str(_PAGE), **params)
            members = _members(answer)
            yield from (decode(member, kind) for member in members)
            if len(members) < _PAGE:
                return
            page += 1

    def _delete(self, path: str, absent: str) -> None:
        try:
            self._call("DELETE", path, {"force": "true"})
        except Refused as refused:
            if refused.code != absent:
                raise

    def _call(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> httpx.Response:
        url = f"{self._site}/wp-json/wc/v3/{path}"
        if params:
            url = f"{url}?{urlencode(params)}"
        return self._call_at(method, url, body)

    def _call_at(self, method: str, url: str, body: Mapping[str, object] | None = None) -> httpx.Response:
        """Basic authentication over https; over http (own networks only) each URL is signed by OAuth 1.0a."""
        if url.startswith("https:"):
            token = b64encode(f"{self._key}:{self._secret}".encode()).decode()
            return self._send(method, url, body, {"authorization": f"Basic {token}"})
        signed: str = _Signed(url, self._key, self._secret, version="wc/v3", method=method).get_oauth_url()
        return self._send(method, signed, body)

    def _send(
        self,
        method: str,
        url: str,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        content = None if body is None else json.dumps(body).encode()
        json_type = {} if body is None else {"content-type": "application/json"}
        request = self._http.build_request(
            method, url, content=content, headers={**json_type, **(headers or {})}
        )
        return http.send(self._http, request, error_code=_error_code)


class _Signed(OAuth):  # type: ignore[misc]
    @staticmethod
    def generate_nonce() -> str:
        """One of 2^160. The package's own are 10^8 of which two are soon alike: WooCommerce refuses the second by a 401,
        within fifteen minutes."""
        return secrets.token_hex(20)


def open_client(access: ShopAccess, seam: HttpSeam) -> WooClient:
    return WooClient(access, seam)


def _no_profiles() -> Refused:
    return Refused("unsupported", "What members have is not written at WooCommerce's own customers.")


def _read(answer: httpx.Response, kind: type[T]) -> T:
    return _json(answer, lambda body: decode(body, kind))


def _json(answer: httpx.Response, read: Callable[[bytes], T]) -> T:
    """The answer's body. What is no JSON (a plugin's notice before it, a page of a guard) may be gone next time.

    Raises: Retryable; Refused("not_understood").
    """
    try:
        return read(answer.content)
    except Refused as refused:
        if refused.code != "unparsable":
            raise
        raise Retryable(f"{answer.request.url.host}: the answer is not JSON") from refused


def _error_code(body: bytes) -> str | None:
    try:
        return cleared(decode(body, ErrorObject).code, 80)
    except Refused:
        return None


def _coupon_or_none(member: msgspec.Raw) -> Coupon | None:
    try:
        return decode(member, Coupon)
    except Refused:
        return None  # nothing that we made


def _members(answer: httpx.Response) -> list[msgspec.Raw]:
    return _json(answer, split_list)


def _ref_of(member: msgspec.Raw) -> str:
    try:
        return str(decode(member, OnlyId).id)
    except Refused:
        return "?"


def _changed_at(member: msgspec.Raw) -> str | None:
    try:
        return decode(member, OrderDigestBody).date_modified_gmt
    except Refused:
        return None


def _digest(order: OrderDigestBody) -> OrderDigest | Absent:
    if not order.date_modified_gmt:
        return Absent.UNREADABLE
    return OrderDigest(
        order_ref=str(order.id),
        updated_at=mapping.utc(order.date_modified_gmt),
        gone=order.status == "trash",
        refunds={str(refund.id): refund.total for refund in order.refunds},
        customer_ref=str(order.customer_id) if order.customer_id else None,
    )


def _fields(kind: type[object]) -> str:
    """Asking for what we read only: an order's key and payment address are secrets that we need not see."""
    names: Iterable[str] = getattr(kind, "__struct_fields__", ())
    return ",".join(names)


def _id(ref: str) -> str:
    if not (ref.isascii() and ref.isdecimal()):
        raise Refused("not_an_id", "WooCommerce's ids are whole numbers.")
    return ref


def _gmt(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _found(hooks: Sequence[Webhook], address: str, name: str) -> WebhookFound:
    """How a topic's webhooks stood before they were mended."""
    here = [hook for hook in hooks if hook.delivery_url == address]
    active = sorted((hook for hook in here if hook.status == "active"), key=lambda hook: hook.id)
    if not active:
        if here:
            return WebhookFound.SWITCHED_OFF
        return WebhookFound.ELSEWHERE if hooks else WebhookFound.MISSING
    if active[0].name != name:
        return WebhookFound.OTHER_SECRET
    return WebhookFound.DOUBLED if len(hooks) > 1 else WebhookFound.RIGHT


def _pages(refs: Sequence[str]) -> Iterator[str]:
    """As many ids as one question may hold, at a time."""
    known = [ref for ref in dict.fromkeys(refs) if ref.isascii() and ref.isdecimal()]
    for start in range(0, len(known), _PAGE):
        yield ",".join(known[start : start + _PAGE])


def _cursor(cursor: str | None, since: datetime) -> tuple[str, datetime, int]:
    if cursor is None:
        return _STATUSES[0], since, 1
    status, start, page = cursor.split("|")
    return status, mapping.utc(start), int(page)


def _next_cursor(status: str, start: datetime, page: int, last: str | None, since: datetime) -> str | None:
    """`last`: when the last order of a full page changed; None: the page was not full."""
    if last:
        same_second = mapping.utc(last) <= start
        return f"{status}|{_gmt(start)}|{page + 1}" if same_second else f"{status}|{last}|1"
    later = _STATUSES[_STATUSES.index(status) + 1 :]
    return f"{later[0]}|{_gmt(since)}|1" if later else None


def _clock(answer: httpx.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).astimezone(UTC)
    except (ValueError, TypeError):
        return None
