"""`laurel connect`: a shop by keys that its owner made, without a browser. The one command that names platforms."""

from dataclasses import replace
from datetime import date
from urllib.parse import urlsplit

import click

from app.cli.common import (
    UsedWrongly,
    example,
    json_option,
    plain,
    program_option,
    runtime,
    sentences,
    show_json,
)
from app.domain.errors import Refused
from app.domain.program import CountsIn
from app.services.connect_shop import ConnectedShop, ShopToConnect, connect_shop, webhook_secret_of
from app.services.find_program import find_program, list_programs
from app.services.publish_program import get_version
from app.services.runtime import Runtime
from connectors.base import BadSignature, ShopAccess, ShopFacts
from connectors.shopify.install import client_credentials
from connectors.shopify.webhooks import shop_domain
from connectors.woocommerce.install import check_keys, site_address

key_option = click.option("--key", help="The shop's key at Laurel; made from its name otherwise.")
cashback_option = click.option(
    "--cashback", is_flag=True, help="A new program counts in money instead of points, for good."
)
counts_from_option = click.option(
    "--counts-from",
    metavar="DATE",
    help="Orders placed from this day on count (2026-01-31, in the shop's time zone); from now on otherwise.",
)


@click.group()
def connect() -> None:
    """Connect a shop. It becomes part of --program, or gets a program of its own under that key."""


@connect.command()
@click.option("--url", required=True, help="The shop's address.")
@click.option("--consumer-key", envvar="WOO_CONSUMER_KEY", default="", help="ck_…, read and write.")
@click.option("--consumer-secret", envvar="WOO_CONSUMER_SECRET", default="", help="cs_…")
@click.option("--webhook-secret", help="The secret of webhooks that exist already; made otherwise.")
@click.option(
    "--allow-private", is_flag=True, help="The shop is on this machine or network, maybe without https."
)
@click.option("--no-check", is_flag=True, help="Never call the shop: only its webhooks are listened to.")
@click.option("--currency", help="With --no-check: the shop's currency; the program's otherwise.")
@cashback_option
@counts_from_option
@key_option
@program_option
@json_option
@sentences
@example("laurel connect woocommerce --url https://shop.example --consumer-key ck_… --consumer-secret cs_…")
def woocommerce(
    url: str,
    consumer_key: str,
    consumer_secret: str,
    webhook_secret: str | None,
    allow_private: bool,
    no_check: bool,
    currency: str | None,
    cashback: bool,
    counts_from: str | None,
    key: str | None,
    program_key: str | None,
    as_json: bool,
) -> None:
    """A WooCommerce shop, by a key of its REST API (WooCommerce, Settings, Advanced, REST API)."""
    if not no_check and not (consumer_key and consumer_secret):
        raise UsedWrongly("Give --consumer-key and --consumer-secret, or --no-check.")
    shop_ref = url.rstrip("/") if allow_private else _address(url)
    with runtime("connect") as rt:
        facts = _unchecked(rt, shop_ref, shop_ref, currency, program_key) if no_check else None
        credentials = {"consumer_key": consumer_key, "consumer_secret": consumer_secret}
        if not no_check:
            check_keys(
                ShopAccess(
                    shop_key="new", shop_ref=shop_ref, credentials=credentials, allow_private=allow_private
                ),
                rt.http,
            )
        wish = ShopToConnect(
            platform="woocommerce",
            shop_ref=shop_ref,
            credentials=credentials,
            own_app=True,
            webhook_secret=webhook_secret,
            allow_private=allow_private,
            counts_from_on=_day(counts_from),
            key=key,
            facts=facts,
            counts_in=CountsIn.MONEY if cashback else CountsIn.POINTS,
        )
        _tell(rt, connect_shop(rt, _wish(rt, program_key, wish)), as_json=as_json)


@connect.command()
@click.option("--shop", required=True, help="Such as acme.myshopify.com.")
@click.option("--client-id", required=True, help="Of an app that the merchant made for this shop.")
@click.option("--client-secret", required=True, envvar="SHOPIFY_CLIENT_SECRET", help="Of the same app.")
@click.option("--no-check", is_flag=True, help="Never call the shop: only its webhooks are listened to.")
@click.option("--currency", help="With --no-check: the shop's currency; the program's otherwise.")
@cashback_option
@counts_from_option
@key_option
@program_option
@json_option
@sentences
@example("laurel connect shopify --shop acme.myshopify.com --client-id … --client-secret shpss_…")
def shopify(
    shop: str,
    client_id: str,
    client_secret: str,
    no_check: bool,
    currency: str | None,
    cashback: bool,
    counts_from: str | None,
    key: str | None,
    program_key: str | None,
    as_json: bool,
) -> None:
    """A Shopify shop, by an app of the merchant's own. The installation's app is installed in the browser."""
    shop_ref = _shop(shop)
    with runtime("connect") as rt:
        facts = _unchecked(rt, shop_ref, f"https://{shop_ref}", currency, program_key) if no_check else None
        credentials = (
            {"mode": "own_app", "client_id": client_id, "client_secret": client_secret}
            if no_check
            else client_credentials(shop_ref, client_id, client_secret, rt.http, rt.now())
        )
        wish = ShopToConnect(
            platform="shopify",
            shop_ref=shop_ref,
            credentials=credentials,
            own_app=True,
            webhook_secret=client_secret,
            counts_from_on=_day(counts_from),
            key=key,
            facts=facts,
            counts_in=CountsIn.MONEY if cashback else CountsIn.POINTS,
        )
        _tell(rt, connect_shop(rt, _wish(rt, program_key, wish)), as_json=as_json)


def _wish(rt: Runtime, key: str | None, wish: ShopToConnect) -> ShopToConnect:
    """A program that exists is joined; a key that nobody has is the new one's."""
    known = list_programs(rt)
    return replace(wish, program_id=known[key]) if key in known else replace(wish, program_key=key)


def _unchecked(
    rt: Runtime, shop_ref: str, url: str, currency: str | None, program_key: str | None
) -> ShopFacts:
    """What we take for facts of a shop that is never asked."""
    known = list_programs(rt)
    timezone = "UTC"
    if program_key in known or (program_key is None and len(known) == 1):
        document = get_version(rt, find_program(rt, program_key), None).document
        currency, timezone = currency or document["currency"], document["timezone"]
    if currency is None:
        raise UsedWrongly("With --no-check a new program needs --currency, such as EUR.")
    name = urlsplit(url).hostname or shop_ref
    return ShopFacts(
        shop_ref=shop_ref, name=name, url=url, currency=currency, timezone=timezone, reads_orders_days=None
    )


def _address(url: str) -> str:
    try:
        return site_address(url)
    except Refused as refused:
        hint = "A shop on this machine or network needs --allow-private."
        raise Refused(refused.code, f"{refused.detail}. {hint}") from refused


def _shop(text: str) -> str:
    try:
        return shop_domain(text)
    except BadSignature as error:
        raise UsedWrongly("--shop is something like acme.myshopify.com") from error


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise UsedWrongly("--counts-from is a day such as 2026-01-31") from error


def _tell(rt: Runtime, done: ConnectedShop, *, as_json: bool) -> None:
    """What was connected, and the one secret that was made for it: shown now and never again."""
    made = webhook_secret_of(rt, done.shop)
    address = f"{rt.public_url}/webhooks/{done.platform}/{done.shop.key}"
    if as_json:
        show_json({**plain(done), "webhook_address": address, "webhook_secret": made})
        return
    click.echo(f"{done.facts.name} is connected as “{done.shop.key}”.")
    if done.is_new_program:
        click.echo("A program was made for it: `laurel program show` prints its rules.")
    if made is None:
        click.echo("`laurel worker` makes its webhooks and reads its orders.")
        return
    click.echo(f"Webhooks are to be made by hand. Address: {address}")
    click.echo(f"Secret (shown this once): {made}")
