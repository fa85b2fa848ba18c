"""Shops that leave and come back, and somebody who sends what no shop has said."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from app.services.receive_delivery import receive_delivery
from connectors.base import WebhookRequest
from sandbox.demo import world as shops
from sandbox.demo.world import Stand
from tests.campaign.world import World

_STRANGER = 987_654_321  # an order that no shop has


def leave(world: World) -> None:
    """One says so, the other only lets us in no more."""
    platform = world.random.choice(("woocommerce", "shopify"))
    if world.away:
        come_back(world)
        return
    store = world.stands[platform].store
    if platform == "shopify":
        store.uninstall()
    else:
        for key in store.keys.values():
            key.revoked = True
    world.away[platform] = world.clock()
    world.note(f"the {platform} shop leaves")


def come_back(world: World) -> None:
    """Connected anew, as often as it takes."""
    for platform in list(world.away):
        _bring(world, platform)


def reconnect(world: World) -> None:
    """A person sees that a shop lets us in no more, or is held for gone, and connects it again.

    A message of leaving that comes late is believed where the shop's API turns us away at that moment.
    """
    lost = "SELECT id FROM shops WHERE access_problem IS NOT NULL OR state = 'uninstalled'"
    for (shop_id,) in world.eye.rows(lost):
        for platform, stand in world.stands.items():
            if stand.shop.shop_id == shop_id and platform not in world.away:
                world.away[platform] = world.clock()
                _bring(world, platform)


def _bring(world: World, platform: str) -> None:
    connect = shops.connect_woo if platform == "woocommerce" else shops.connect_shopify
    store = world.stands[platform].store
    while world.alive(partial(_connect, world, connect, store)) is None:
        world.note("once more")
    del world.away[platform]
    world.frozen_until[platform] = world.clock()
    world.note(f"the {platform} shop is back")


def _connect(world: World, connect: Callable[..., Stand], store: Any) -> Stand:
    stand = connect(world.rt, world.program_id, store, counts_from=world.began)
    world.enqueue("set_up_shop", shop_id=stand.shop.shop_id)
    return stand


def forge(world: World) -> None:
    """A paid order, signed with a secret that is not the shop's."""
    moment = f"{world.clock():%Y-%m-%dT%H:%M:%S}"
    body = {
        "id": _STRANGER,
        "number": "1",
        "status": "processing",
        "currency": "USD",
        "total": "900.00",
        "customer_id": 2,
        "date_created_gmt": moment,
        "date_modified_gmt": moment,
        "date_paid_gmt": moment,
        "line_items": [{"id": 1, "product_id": 1, "quantity": 1, "total": "900.00", "total_tax": "0.00"}],
    }
    headers = {
        "content-type": "application/json",
        "x-wc-webhook-source": "https://field.example/",
        "x-wc-webhook-topic": "order.updated",
        "x-wc-webhook-signature": "bm90IHRoZSBzaG9wJ3Mgc2VjcmV0",
        "x-wc-webhook-delivery-id": "f",
    }
    request = WebhookRequest(json.dumps(body).encode(), headers)
    key = world.stands["woocommerce"].shop.key
    receipt = world.alive(lambda: receive_delivery(world.rt, "woocommerce", key, request))
    world.note(f"a forged delivery: {receipt}")
