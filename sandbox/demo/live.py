"""`laurel demo`: both shops' pages, the app and its worker in one process, to be used with a browser."""

import asyncio
import base64
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import httpx
import structlog

from app.bootstrap import clock
from app.db.bell import Bell
from app.domain.staff import Role
from app.jobs.workers import run_workers
from app.services.create_api_key import create_api_key
from app.services.invite_staff import invite_staff
from app.services.reconcile_run import Progress
from app.services.record_shop import RecordedShop
from app.services.request_member_link import page_address
from app.services.runtime import Runtime, SendMail
from app.services.set_staff_role import set_staff_role
from app.services.set_up_shop import set_up_shop
from app.settings import ShopifyApp
from app.web import create_app
from app.worker import drain_until
from sandbox.clock import VirtualClock
from sandbox.demo import kept
from sandbox.demo import world as worlds
from sandbox.demo.agenda import Agenda
from sandbox.demo.database import kept_database
from sandbox.demo.framing import framed_by
from sandbox.demo.history import purchases
from sandbox.demo.kept import House
from sandbox.demo.lives import Lives
from sandbox.demo.world import Stand, World
from sandbox.hosts import HostMap
from sandbox.serve import Served
from sandbox.shopify.app import create_app as shopify_app
from sandbox.shopify.shop import Shop as ShopifyShop
from sandbox.woocommerce.app import create_app as woo_app
from sandbox.woocommerce.shop import Shop as WooShop

NAMES = ("laurel", "woocommerce", "shopify")
_PORTS = {"laurel": 8800, "woocommerce": 8801, "shopify": 8802}
_DATABASE = "demo"
_CATALOGUE = (
    ("Blue Train", "11.98"),
    ("Kind of Blue", "14.49"),
    ("Pet Sounds", "9.99"),
    ("Box of ten", "129.00"),
)
_DELIVER_EVERY_S = 0.2

Say = Callable[[str, int, int | None], None]
"""(what, how many, of how many or None): progress."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    orders: int = 400
    seed: int = 1
    keep: bool = False
    any_ports: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Where everything is. `admin`: a link that signs in once. `page`: the Shopify shop's page at ours."""

    laurel: str
    woocommerce: str
    shopify: str
    admin: str
    page: str
    somebody: str  # an address that signs in there
    api_key: str
    world: World


@contextmanager
def running(var: Path, wish: Wish, *, mail: SendMail, say: Say) -> Iterator[Running]:
    """The demo as long as the block lasts. Raises: OSError for a kept port that somebody else has."""
    with ExitStack() as stack:
        urls = stack.enter_context(kept_database(var, _DATABASE, keep=wish.keep))
        house = (House.find(var) if wish.keep else None) or _new_house(var, wish)
        address = {name: f"http://127.0.0.1:{house.ports[name]}" for name in NAMES}
        settings = replace(
            worlds.make_settings(var, address["laurel"], keys=(base64.b64decode(house.key),)),
            shopify=ShopifyApp(api_key=worlds.CLIENT_ID, secret=house.shopify_secret, old_secret=None),
        )
        hosts = HostMap()
        rt = worlds.make_runtime(settings, urls, hosts, now=clock, mail=mail)
        framed = framed_by(rt.connectors["shopify"], address["shopify"])
        rt = replace(rt, connectors={**rt.connectors, "shopify": framed})
        stack.callback(rt.db.close)
        bell = rt.received
        assert isinstance(bell, Bell)
        stack.callback(bell.close)
        client = stack.enter_context(httpx.Client(timeout=30))
        woo = worlds.make_woo(clock, client, url=address["woocommerce"])
        shopify = worlds.make_shopify(clock, client, settings)
        apps = {"laurel": create_app(rt), "woocommerce": woo_app(woo), "shopify": shopify_app(shopify)}
        hosts.hosts |= {
            address["woocommerce"].removeprefix("http://"): apps["woocommerce"],
            shopify.domain: apps["shopify"],
        }
        stack.enter_context(Served(apps["laurel"], port=house.ports["laurel"]))
        known = kept.load_shop(var, "woocommerce", woo) and kept.load_shop(var, "shopify", shopify)
        if known and house.program_id:
            world = _known_world(rt, hosts, house, woo, shopify)
        else:
            world = _new_world(rt, hosts, woo, shopify, wish, say)
            house.program_id = world.program_id
            house.save(var)
        for stand in world.stands:
            _show_widget(stand, address["laurel"])
            stack.callback(kept.save_shop, var, stand.platform, stand.store)
        for name in ("woocommerce", "shopify"):
            stack.enter_context(Served(apps[name], port=house.ports[name]))
        stack.enter_context(_working(rt))
        for stand in world.stands:
            stand.store.deliveries.start(_DELIVER_EVERY_S)
            stack.callback(stand.store.deliveries.stop)
        yield Running(
            laurel=address["laurel"],
            woocommerce=address["woocommerce"],
            shopify=address["shopify"],
            admin=_admin_link(rt, world.program_id),
            somebody=_somebody(rt, world),
            page=page_address(rt, next(one.shop.key for one in world.stands if one.platform == "shopify")),
            api_key=create_api_key(rt, world.program_id, "laurel demo").token,
            world=world,
        )


# --- The world -------------------------------------------------------------------------------------------------


def _new_house(var: Path, wish: Wish) -> House:
    kept.forget(var)
    return House(ports=_free_ports(any_ports=wish.any_ports))


def _new_world(
    rt: Runtime, hosts: HostMap, woo: WooShop, shopify: ShopifyShop, wish: Wish, say: Say
) -> World:
    """Both shops with what was bought there, then connected as a merchant would, and read."""
    random = Random(f"{wish.seed} demo")  # noqa: S311 - chance, no secret
    bought = purchases(wish.orders, now=clock(), random=random)
    nobody = RecordedShop(program_id=0, shop_id=0, key="", came_back=False)  # Laurel has not come yet
    before = World(rt, hosts, 0, (Stand("woocommerce", woo, nobody), Stand("shopify", shopify, nobody)))
    for stand in before.stands:
        for name, price in _CATALOGUE:
            stand.store.product(name, price)
    lives = Lives(before, Agenda(VirtualClock(clock())), wish.seed, clock)
    for number, purchase in enumerate(bought, 1):
        lives.past(purchase)
        say("Buying what was bought", number, len(bought))
    program_id = worlds.make_program(rt)
    start = bought[0].at
    stands = (
        worlds.connect_woo(rt, program_id, woo, counts_from=start),
        worlds.connect_shopify(rt, program_id, shopify, counts_from=start),
    )
    # Both shops are the same merchant's, who lets the people of the second one in too.
    set_staff_role(rt, program_id, stands[1].shop.shop_id, Role.STAFF)
    for stand in stands:

        def watch(progress: Progress, name: str = stand.store.name) -> None:
            say(f"Reading {name}", progress.looked_at, progress.total)

        set_up_shop(rt, program_id, stand.shop.shop_id, watch=watch)
    return World(rt, hosts, program_id, stands)


def _known_world(rt: Runtime, hosts: HostMap, house: House, woo: WooShop, shopify: ShopifyShop) -> World:
    with rt.db.begin(house.program_id) as session:
        rows = session.rows("SELECT id, key, platform FROM shops WHERE {fence} ORDER BY id")
    stores: dict[str, Any] = {"woocommerce": woo, "shopify": shopify}
    stands = tuple(
        Stand(
            row.platform,
            stores[row.platform],
            RecordedShop(program_id=house.program_id, shop_id=row.id, key=row.key, came_back=True),
        )
        for row in rows
    )
    return World(rt, hosts, house.program_id, stands)


def _show_widget(stand: Stand, laurel: str) -> None:
    told = {"script": f"{laurel}/widget/laurel.js", "shop": stand.shop.key, "apply-url": "/?code={code}#cart"}
    if stand.platform == "woocommerce":
        told["api"] = f"{laurel}/storefront/v1"  # the Shopify page goes through its shop's own proxy
    stand.store.widget = told


def _admin_link(rt: Runtime, program_id: int) -> str:
    """A link that signs the demo's merchant in."""
    quiet = replace(rt, send_mail=lambda to, subject, text: None)  # it is printed with the addresses
    invited = invite_staff(
        quiet, program_id, email="merchant@example.test", name="Demo merchant", role=Role.OWNER
    )
    return invited.link


def _somebody(rt: Runtime, world: World) -> str:
    """The address of the Shopify shop's member who has the most points, which the shop tells us once more."""
    stand = next(one for one in world.stands if one.platform == "shopify")
    with rt.db.begin(world.program_id) as session:
        customer_ref = session.scalar(
            "SELECT i.customer_ref FROM identities i JOIN accounts a ON a.program_id = i.program_id "
            "AND a.id = i.member_id WHERE {fence:i} AND {fence:a} AND i.shop_id = :shop AND i.gone_at IS NULL "
            "ORDER BY a.points DESC LIMIT 1",
            shop=stand.shop.shop_id,
        )
    if customer_ref is None:
        return "nobody yet"
    customer = stand.store.customers[int(customer_ref)]
    stand.store.update_customer(customer)  # as any change of the customer would
    return str(customer.email)


# --- Processes, as threads -------------------------------------------------------------------------------------


@contextmanager
def _working(rt: Runtime) -> Iterator[None]:
    """The worker: the drain in a thread, the job workers in another with a loop of their own."""
    stopped = threading.Event()
    drain = threading.Thread(target=drain_until, args=(rt, stopped), name="laurel-drain")
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    work = threading.Thread(target=_run_loop, args=(loop, rt, stop), name="laurel-jobs")
    drain.start()
    work.start()
    try:
        yield
    finally:
        stopped.set()
        loop.call_soon_threadsafe(stop.set)
        drain.join()
        work.join()


def _run_loop(loop: asyncio.AbstractEventLoop, rt: Runtime, stop: asyncio.Event) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(run_workers(rt, stop, shop_calls=4))
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def _free_ports(*, any_ports: bool) -> dict[str, int]:
    """The usual ports where they are free, any other where not."""
    found: dict[str, int] = {}
    with ExitStack() as stack:
        for name in NAMES:
            found[name] = stack.enter_context(_bound(0 if any_ports else _PORTS[name]))
    return found


@contextmanager
def _bound(wanted: int) -> Iterator[int]:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            one.bind(("127.0.0.1", wanted))
        if one.getsockname()[1] == 0:
            one.bind(("127.0.0.1", 0))
        yield int(one.getsockname()[1])
