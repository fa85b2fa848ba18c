"""GraphQL fields of the shop, the app's installation and webhook subscriptions."""

from typing import Any

from graphql import GraphQLError

from sandbox.refusals import Impossible
from sandbox.shopify.base import API_VERSION
from sandbox.shopify.paging import connection
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import gid
from sandbox.shopify.typed import Fields, iso

SHOP: Fields = {
    "id": lambda shop, _, __: gid("Shop", shop.id),
    "name": lambda shop, _, __: shop.name,
    "email": lambda shop, _, __: f"hello@{shop.handle}.example",
    "contactEmail": lambda shop, _, __: f"hello@{shop.handle}.example",
    "myshopifyDomain": lambda shop, _, __: shop.domain,
    "url": lambda shop, _, __: shop.url,
    "primaryDomain": lambda shop, _, __: {"host": shop.domain, "url": shop.url, "sslEnabled": True},
    "currencyCode": lambda shop, _, __: shop.currency,
    "enabledPresentmentCurrencies": lambda shop, _, __: [shop.currency, *shop.rates],
    "currencyFormats": lambda _, __, ___: {"moneyFormat": "${{amount}}"},
    "ianaTimezone": lambda shop, _, __: shop.zone.key,
    "timezoneOffset": lambda shop, _, __: f"{shop.clock().astimezone(shop.zone):%z}",
    "taxesIncluded": lambda shop, _, __: shop.taxes_included,
    "plan": lambda _, __, ___: {
        "publicDisplayName": "Basic",
        "shopifyPlus": False,
        "partnerDevelopment": False,
    },
    "shopAddress": lambda _, __, ___: {"countryCodeV2": "US"},
    "features": lambda _, __, ___: {"giftCards": True, "storefront": True, "unifiedMarkets": True},
    "customerAccountsV2": lambda shop, _, __: {
        "customerAccountsVersion": "NEW_CUSTOMER_ACCOUNTS",
        "loginRequiredAtCheckout": False,
        "loginLinksVisibleOnStorefrontAndCheckout": True,
        "url": f"{shop.url}/account",
    },
    "setupRequired": lambda _, __, ___: False,
    "createdAt": lambda shop, _, __: iso(shop.created),
}

INSTALLATION: Fields = {
    "id": lambda _, __, ___: gid("AppInstallation", 1),
    "launchUrl": lambda shop, _, __: f"{shop.url}/admin/apps/{shop.app.handle}",
    "accessScopes": lambda shop, _, __: [_scope(name) for name in shop.app.scopes],
    "activeSubscriptions": lambda _, __, ___: [],
    "app": lambda shop, _, __: {
        "id": gid("App", 1),
        "handle": shop.app.handle,
        "title": shop.app.handle.title(),
        "apiKey": shop.app.client_id,
        "webhookApiVersion": API_VERSION,
        "requestedAccessScopes": [_scope(name) for name in shop.app.scopes],
        "optionalAccessScopes": [],
    },
}

SUBSCRIPTION: Fields = {
    "id": lambda _, s, __: gid("WebhookSubscription", s.id),
    "legacyResourceId": lambda _, s, __: str(s.id),
    "topic": lambda _, s, __: enum_of(s.topic),
    "uri": lambda _, s, __: s.uri,
    "callbackUrl": lambda _, s, __: s.uri,
    "name": lambda _, s, __: s.name,
    "filter": lambda _, s, __: s.filter,
    "includeFields": lambda _, s, __: s.include_fields,
    "metafieldNamespaces": lambda _, __, ___: [],
    "format": lambda _, __, ___: "JSON",
    "apiVersion": lambda _, __, ___: {"handle": API_VERSION, "displayName": API_VERSION, "supported": True},
    "createdAt": lambda _, s, __: iso(s.created),
    "updatedAt": lambda _, s, __: iso(s.updated),
    "endpoint": lambda _, s, __: {"__typename": "WebhookHttpEndpoint", "callbackUrl": s.uri},
}


def find_subscriptions(shop: Shop, args: dict[str, Any]) -> dict[str, Any]:
    """Those made by API; the app's configuration file has its own, which are never listed."""
    topics, uri = args.get("topics"), args.get("uri") or args.get("callbackUrl")
    rows = [
        s
        for s in shop.subscriptions.values()
        if s.by_api and (topics is None or enum_of(s.topic) in topics) and uri in (None, s.uri)
    ]
    return connection(rows, args, lambda s: (0, s.id))


def subscribe(shop: Shop, topic: str, asked: dict[str, Any]) -> dict[str, Any]:
    uri = asked.get("uri") or asked.get("callbackUrl") or ""
    name = topic_of(topic)
    error = None
    if not uri.startswith(("https://", "arn:", "pubsub:")):
        error = "Address protocol http:// is not supported"
    elif topic.startswith(("CUSTOMERS_DATA_REQUEST", "CUSTOMERS_REDACT", "SHOP_REDACT")):
        error = "Invalid topic specified."
    else:
        try:
            subscription = shop.subscribe(
                name,
                uri,
                name=asked.get("name"),
                include_fields=asked.get("includeFields"),
                filter_=asked.get("filter"),
            )
        except Impossible as taken:
            error = str(taken)
        else:
            return {"webhookSubscription": subscription, "userErrors": []}
    field = ["webhookSubscription", "callbackUrl"]
    return {"webhookSubscription": None, "userErrors": [{"field": field, "message": error}]}


def change(shop: Shop, identity: str, asked: dict[str, Any]) -> dict[str, Any]:
    subscription = shop.subscriptions.get(int(identity.rpartition("/")[2]))
    if subscription is None or not subscription.by_api:
        error = {"field": ["id"], "message": "Webhook subscription does not exist"}
        return {"webhookSubscription": None, "userErrors": [error]}
    subscription.uri = asked.get("uri") or asked.get("callbackUrl") or subscription.uri
    subscription.name = asked.get("name", subscription.name)
    subscription.include_fields = asked.get("includeFields") or []
    subscription.updated = shop.now()
    return {"webhookSubscription": subscription, "userErrors": []}


def unsubscribe(shop: Shop, identity: str) -> dict[str, Any]:
    number = int(identity.rpartition("/")[2])
    subscription = shop.subscriptions.get(number)
    if subscription is None or not subscription.by_api:
        error = {"field": ["id"], "message": "Webhook subscription does not exist"}
        return {"deletedWebhookSubscriptionId": None, "userErrors": [error]}
    del shop.subscriptions[number]
    return {"deletedWebhookSubscriptionId": identity, "userErrors": []}


def enum_of(topic: str) -> str:
    return topic.upper().replace("/", "_").replace(".", "_")


def topic_of(enum: str) -> str:
    """ORDERS_CREATE -> orders/create. Raises: GraphQLError for a topic that the stand-in never sends."""
    for topic in SENT:
        if enum_of(topic) == enum:
            return topic
    raise GraphQLError(f"The stand-in does not send {enum}.")


SENT = (
    "orders/create orders/paid orders/updated orders/cancelled orders/edited orders/fulfilled orders/delete "
    "refunds/create customers/create customers/update customers/delete customers/merge "
    "customer.tags_added customer.tags_removed discounts/create discounts/update "
    "discounts/delete discounts/redeemcode_removed app/uninstalled app/scopes_update "
    "shop/update customers/data_request customers/redact shop/redact"
).split()


def _scope(name: str) -> dict[str, str]:
    return {"handle": name, "description": name.replace("_", " ")}
