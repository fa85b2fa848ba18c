"""Webhook subscriptions of a merchant's own app."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from app.domain.errors import Refused
from connectors.base import WebhookFound, WebhookState
from connectors.shopify import payloads, webhooks
from connectors.shopify.client.admin_api import AdminApi, as_shape, errors_text, next_page

READ_WEBHOOKS = """
query ReadWebhooks($after: String) {
  webhookSubscriptions(first: 100, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes { id topic uri }
  }
}"""
CREATE_WEBHOOK = """
mutation CreateWebhook($topic: WebhookSubscriptionTopic!, $subscription: WebhookSubscriptionInput!) {
  made: webhookSubscriptionCreate(topic: $topic, webhookSubscription: $subscription) { userErrors { field message } }
}"""
REPOINT_WEBHOOK = """
mutation RepointWebhook($id: ID!, $subscription: WebhookSubscriptionInput!) {
  made: webhookSubscriptionUpdate(id: $id, webhookSubscription: $subscription) { userErrors { field message } }
}"""
DELETE_WEBHOOK = """
mutation DeleteWebhook($id: ID!) { made: webhookSubscriptionDelete(id: $id) { userErrors { field message } } }"""

OPERATIONS = (READ_WEBHOOKS, CREATE_WEBHOOK, REPOINT_WEBHOOK, DELETE_WEBHOOK)


def ensure_webhooks(api: AdminApi, address: str) -> Sequence[WebhookState]:
    """As `ShopClient` says, for a merchant's own app.

    The subscriptions of the installation's own app stand in its shopify.app.toml. The API does not list them, so
    nothing is checked, and that is what the answer says.
    """
    if not _is_own_app(api):
        detail = "declared in shopify.app.toml, which the API does not list: not checked"
        return [
            WebhookState(topic=topic, healthy=True, repaired=False, detail=detail)
            for topic in webhooks.SUBSCRIBED
        ]
    by_topic: dict[str, list[_Subscription]] = {}
    for subscription in _subscriptions(api):
        by_topic.setdefault(subscription.topic, []).append(subscription)
    return [_ensured(api, topic, by_topic.get(_enum(topic), []), address) for topic in webhooks.SUBSCRIBED]


def remove_webhooks(api: AdminApi, address: str) -> None:
    if _is_own_app(api):
        for subscription in list(_subscriptions(api)):
            if subscription.uri == address:
                _change_webhook(api, DELETE_WEBHOOK, {"id": subscription.id})


def _is_own_app(api: AdminApi) -> bool:
    return api.access.credentials.get("mode") == "own_app"


def _subscriptions(api: AdminApi) -> "Iterator[_Subscription]":
    after: str | None = None
    while True:
        page = as_shape(api.data(READ_WEBHOOKS, {"after": after}), _WebhooksAnswer).webhook_subscriptions
        yield from page.nodes
        if (after := next_page(page.page_info)) is None:
            return


def _ensured(api: AdminApi, topic: str, there: "Sequence[_Subscription]", address: str) -> WebhookState:
    """Every subscription that the API lists is this app's own, so one that points elsewhere is ours to repoint."""
    right = [each for each in there if each.uri == address]
    wanted = {"uri": address, "format": "JSON"}
    if right:
        keep, detail = right[0], "in place"
    elif there:
        keep, detail = there[0], "pointed elsewhere; repointed"
        _change_webhook(api, REPOINT_WEBHOOK, {"id": keep.id, "subscription": wanted})
    else:
        _change_webhook(api, CREATE_WEBHOOK, {"topic": _enum(topic), "subscription": wanted})
        return WebhookState(
            topic=topic,
            healthy=True,
            repaired=True,
            detail="was missing; made",
            found=WebhookFound.MISSING,
        )
    surplus = [each for each in there if each.id != keep.id]
    for each in surplus:
        _change_webhook(api, DELETE_WEBHOOK, {"id": each.id})
    if surplus:
        detail = f"{detail}; {len(surplus)} more removed"
    doubled = WebhookFound.DOUBLED if surplus else WebhookFound.RIGHT
    return WebhookState(
        topic=topic,
        healthy=True,
        repaired=not right or bool(surplus),
        detail=detail,
        found=doubled if right else WebhookFound.ELSEWHERE,
    )


def _change_webhook(api: AdminApi, operation: str, variables: Mapping[str, Any]) -> None:
    if errors := api.made(operation, variables).user_errors:
        raise Refused("webhook_refused", errors_text(errors))


def _enum(topic: str) -> str:
    return topic.upper().replace("/", "_").replace(".", "_")


class _Subscription(Struct, frozen=True):
    id: str
    topic: str
    uri: str


class _Subscriptions(Struct, frozen=True, rename="camel"):
    page_info: payloads.ApiPage
    nodes: tuple[_Subscription, ...]


class _WebhooksAnswer(Struct, frozen=True, rename="camel"):
    webhook_subscriptions: _Subscriptions
