"""Webhooks, settings, status and the index by REST."""

from typing import Any

from flask import Blueprint, Response, abort, request

from sandbox.woocommerce.bodies import HOOKS, webhook_body
from sandbox.woocommerce.parts import SYMBOLS
from sandbox.woocommerce.shop import Shop
from sandbox.woocommerce.state import Webhook
from sandbox.woocommerce.wire import WcError, answer, authenticate, missing_param, page_of

NAMES = {"USD": "United States (US) dollar", "EUR": "Euro", "GBP": "Pound sterling", "JPY": "Japanese yen"}
_STATUSES = ("active", "paused", "disabled")


def make(shop: Shop) -> Blueprint:
    api = Blueprint("site", __name__)
    _webhooks(api, shop)

    @api.get("/settings/general")
    def general() -> Response:
        return answer(_settings(shop))

    @api.get("/settings/general/<name>")
    def one_setting(name: str) -> Response:
        for setting in _settings(shop):
            if setting["id"] == name:
                return answer(setting)
        raise WcError("rest_setting_setting_invalid", "Invalid setting.", 404)

    @api.get("/data/currencies/current")
    def currency() -> Response:
        code = shop.currency
        entity = "".join(f"&#{ord(sign)};" for sign in SYMBOLS.get(code, code))
        links = {
            "self": [{"href": f"{shop.api}/data/currencies/{code}", "targetHints": {"allow": ["GET"]}}],
            "collection": [{"href": f"{shop.api}/data/currencies"}],
        }
        return answer({"code": code, "name": NAMES.get(code, code), "symbol": entity, "_links": links})

    @api.get("/system_status")
    def status() -> Response:
        return answer(_status(shop))

    return api


def make_companion(shop: Shop) -> Blueprint:
    """The address that Laurel's plugin adds to a store that has it."""
    api = Blueprint("companion", __name__)

    @api.put("/connection")
    def connection() -> Response:
        if shop.plugin_server is None:
            abort(404)
        authenticate(shop)
        told = request.get_json()
        if told["server"] != shop.plugin_server:
            raise WcError("laurel_other_server", "This shop is connected to another Laurel.", 409)
        shop.introduced = told
        return answer({"version": "0.1.0"})

    return api


def index(shop: Shop) -> dict[str, Any]:
    """/wp-json/: open to everybody."""
    offset = shop.clock().astimezone(shop.zone).utcoffset()
    hours = (offset.total_seconds() if offset else 0) / 3600
    return {
        "name": shop.name,
        "description": "",
        "url": shop.url,
        "home": shop.url,
        "gmt_offset": int(hours) if hours == int(hours) else hours,
        "timezone_string": shop.zone.key,
        "namespaces": ["oembed/1.0", "wc/v3", "wc/v1", "wc/v2", "wc/store", "wc/store/v1", "wp/v2"],
        "authentication": {},
        "routes": {},
    }


def _webhooks(api: Blueprint, shop: Shop) -> None:
    def get(number: int) -> Webhook:
        hook = shop.webhooks.get(number)
        if hook is None:
            text = "Invalid ID." if request.method == "DELETE" else "ID is invalid."
            raise WcError("woocommerce_rest_shop_webhook_invalid_id", text, 404)
        return hook

    @api.get("/webhooks")
    def list_webhooks() -> Response:
        with shop.lock:
            status = request.args.get("status", "all")
            rows = [hook for hook in shop.webhooks.values() if status in ("all", hook.status)]
            return page_of(shop, rows[::-1], lambda hook: webhook_body(shop, hook))

    @api.get("/webhooks/<int:number>")
    def get_webhook(number: int) -> Response:
        return answer(webhook_body(shop, get(number)))

    @api.post("/webhooks")
    def post_webhook() -> Response:
        asked = request.get_json()
        _check(asked, new=True)
        hook = shop.add_webhook(
            asked["topic"],
            asked["delivery_url"],
            asked.get("secret", ""),
            name=asked.get("name", ""),
        )  # a status asked for at creation is ignored: it is active
        return answer(webhook_body(shop, hook), 201, {"Location": f"{shop.api}/webhooks/{hook.id}"})

    @api.post("/webhooks/batch")
    def post_nothing() -> Response:
        """The one batch there is: an empty one, by which clients learn whether their key may write."""
        if request.get_json():
            raise WcError("rest_not_implemented", "This stand-in takes an empty batch only.", 501)
        return answer([])

    @api.route("/webhooks/<int:number>", methods=["PUT", "POST", "PATCH"])
    def put_webhook(number: int) -> Response:
        asked = request.get_json()
        _check(asked, new=False)
        with shop.lock:
            hook = get(number)
            hook.status = asked.get("status", hook.status)  # the counter of failures stays
            hook.topic = asked.get("topic", hook.topic)
            hook.url = asked.get("delivery_url", hook.url)
            hook.secret = asked.get("secret", hook.secret)
            hook.name = asked.get("name", hook.name)
            hook.modified = shop.now()
            return answer(webhook_body(shop, hook))

    @api.delete("/webhooks/<int:number>")
    def delete_webhook(number: int) -> Response:
        with shop.lock:
            hook = get(number)
            if request.args.get("force") != "true":
                raise WcError(
                    "woocommerce_rest_trash_not_supported", "Webhooks do not support trashing.", 501
                )
            del shop.webhooks[number]
            return answer(webhook_body(shop, hook))


def _check(asked: dict[str, Any], *, new: bool) -> None:
    if new and "topic" not in asked:
        raise missing_param("topic")
    if "topic" in asked and asked["topic"] not in HOOKS:
        text = "Webhook topic is required and must be valid."
        raise WcError("woocommerce_rest_shop_webhook_invalid_topic", text, 400)
    url = asked.get("delivery_url", "" if new else "https://")
    if not url.startswith(("http://", "https://")):
        text = "Webhook delivery URL must be a valid URL starting with http:// or https://."
        raise WcError("woocommerce_rest_shop_webhook_invalid_delivery_url", text, 400)
    if asked.get("status", "active") not in _STATUSES:
        raise WcError("woocommerce_rest_shop_webhook_invalid_status", "Webhook status must be valid.", 400)


def _settings(shop: Shop) -> list[dict[str, Any]]:
    values = {
        "woocommerce_default_country": ("Country / State", "select", "US:CA"),
        "woocommerce_calc_taxes": ("Enable taxes", "checkbox", "yes" if shop.tax_percent else "no"),
        "woocommerce_enable_coupons": ("Enable coupons", "checkbox", "yes"),
        "woocommerce_currency": ("Currency", "select", shop.currency),
        "woocommerce_currency_pos": ("Currency position", "select", "left"),
        "woocommerce_price_thousand_sep": ("Thousand separator", "text", ","),
        "woocommerce_price_decimal_sep": ("Decimal separator", "text", "."),
        "woocommerce_price_num_decimals": ("Number of decimals", "number", str(shop.decimals)),
    }
    base = f"{shop.api}/settings/general"
    allow = ["GET", "POST", "PUT", "PATCH"]
    return [
        {
            "id": name,
            "label": label,
            "description": "",
            "type": kind,
            "default": value,
            "tip": "",
            "value": value,
            "group_id": "general",
            "_links": {
                "self": [{"href": f"{base}/{name}", "targetHints": {"allow": allow}}],
                "collection": [{"href": base}],
            },
        }
        for name, (label, kind, value) in values.items()
    ]


def _status(shop: Shop) -> dict[str, Any]:
    environment = {
        "home_url": shop.url,
        "site_url": shop.url,
        "store_id": "0c5a7b6e-6f0b-4a51-9a57-5a4d5b0f6a10",
        "version": shop.version,
        "wp_version": "7.0.4",
        "wp_multisite": False,
        "wp_debug_mode": False,
        "wp_cron": False,
        "language": "en_US",
        "php_version": "8.2.36",
        "default_timezone": "UTC",
    }
    settings = {
        "api_enabled": False,
        "force_ssl": False,
        "currency": shop.currency,
        "currency_symbol": "".join(f"&#{ord(sign)};" for sign in SYMBOLS.get(shop.currency, shop.currency)),
        "currency_position": "left",
        "thousand_separator": ",",
        "decimal_separator": ".",
        "number_of_decimals": shop.decimals,
        "HPOS_enabled": True,
        "HPOS_sync_enabled": False,
    }
    return {"environment": environment, "active_plugins": [], "settings": settings}
