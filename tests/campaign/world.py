"""One program over a Shopify and a WooCommerce stand-in, with its clock, its faults and its death."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import httpx

from app.db import jobs
from app.services.adjust import adjust
from app.services.create_program import create_program
from app.services.drain_inbox import drain_inbox
from app.services.enrol_customer import enrol_customer
from app.services.receive_delivery import Receipt, receive_delivery
from app.services.record_shop import NewShop, record_shop
from app.services.runtime import Runtime
from app.services.shop_memory import ShopMemory
from connectors.base import AppCredentials, ShopFacts, WebhookRequest
from connectors.registry import CONNECTORS
from connectors.shopify.webhooks import SUBSCRIBED
from sandbox.clock import VirtualClock
from sandbox.demo import world as shops
from sandbox.demo.lives import Placed
from sandbox.demo.post import Post
from sandbox.demo.world import Stand
from sandbox.faults import PASSING, FaultKind
from sandbox.hosts import HostMap
from sandbox.shopify.app import create_app as shopify_app
from sandbox.shopify.shop import Shop as ShopifyShop
from sandbox.shopify.state import Installation
from sandbox.woocommerce.app import create_app as woo_app
from tests.campaign.documents import first_document
from tests.campaign.ground import Plot
from tests.campaign.kills import Killed, MortalDatabase, MortalSeam, Reaper
from tests.campaign.work import Worker
from tests.conftest import NOW, SHOPIFY_SECRET

LAUREL = "https://laurel.example"
YOUNG = timedelta(days=60)  # an order is changed no later
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SCOPES = (
    "read_orders read_all_orders read_products read_customers write_customers read_customer_merge read_discounts "
    "write_discounts write_gift_cards read_store_credit_accounts write_store_credit_account_transactions write_app_proxy"
).split()
# Once in a while an answer that nobody understands, a definite no, or one that turns us away: then a person must
# connect the shop anew.
_FAULTS = (
    *PASSING * 12,
    *(FaultKind.MALFORMED,) * 3,
    *(FaultKind.REJECTED,) * 8,
    FaultKind.UNAUTHORIZED,
)
_LINK = re.compile(rf"{LAUREL}/confirm/(\S+)")
_STATUS = {Receipt.UNKNOWN_SHOP: 404, Receipt.BAD_SIGNATURE: 401}


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A signed delivery that was answered with 200."""

    topic: str
    digest: bytes
    at: datetime


@dataclass(slots=True)
class Person:
    """Somebody with an address, and the accounts they have in the shops."""

    email: str
    accounts: dict[str, Any] = field(default_factory=dict)  # platform -> the shop's customer


@dataclass(frozen=True, slots=True)
class Silent:
    """The shop changed an order and told nobody."""

    key: tuple[str, str]
    at: datetime


@dataclass(slots=True)
class Counts:
    acts: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    requests: int = 0  # of the shops to Laurel: deliveries, doubled ones too


class World:
    """Everything outside of Laurel, and Laurel's process. `rt` is another one after each kill."""

    def __init__(self, seed: int, plot: Plot) -> None:
        self.seed = seed
        self.plot = plot
        self.eye = plot.eye
        self.random = self.chance("acts")
        self.clock = VirtualClock(NOW)
        self.began = NOW
        self.reaper = Reaper(self.chance("kills"))
        self.worker = Worker(plot.eye, self.chance("worker"))
        self.hosts = HostMap()
        self.counts = Counts()
        self.people: list[Person] = []
        self.placed: list[Placed] = []
        self.silent: list[Silent] = []
        self.documents: list[dict[str, Any]] = []  # of each version that was published
        self.intents: set[str] = set()  # keys that somebody's client drew
        self.frozen_until: dict[str, datetime] = {}  # platform -> what was told before was not looked at
        self.away: dict[str, datetime] = {}  # platforms that left, and since when
        self.erased: set[tuple[str, str]] = set()  # (platform, customer ref)
        self.acknowledged: list[Acknowledged] = []
        self.letters: list[str] = []
        self.trace: list[str] = []
        self.deaths = 0
        self.forgotten: set[tuple[str, str]] = set()  # (platform, customer ref) of people whom staff erased
        # What may happen there while Laurel asks something.
        self.at_the_shop: Callable[[], None] = lambda: None
        self.interleaving = 0.0
        self.interleaved: Counter[str] = Counter()
        self._is_meanwhile = False
        self._chances = self.chance("meanwhile")
        self._codes = self.chance("codes")
        self.post = Post(_ToLaurel(self), self.clock)
        self._client = httpx.Client(transport=self.post, timeout=30)
        self.rt = self._start()
        self.program_id, self.stands = self._found()

    # --- Beginning ---------------------------------------------------------------------------------------------

    def chance(self, of: str) -> Random:
        """The chances of one thing, from the seed alone."""
        return Random(f"{self.seed} {of}")  # noqa: S311 - chance, no secret

    def _start(self) -> Runtime:
        return Runtime(
            db=MortalDatabase(self.plot.app_url, self.reaper),
            vault=self.plot.vault,
            connectors=CONNECTORS,
            apps={"shopify": AppCredentials(client_id=shops.CLIENT_ID, secrets=(SHOPIFY_SECRET,))},
            http=MortalSeam(self.hosts, self.reaper, self._meanwhile),
            clock=self.clock,
            public_url=LAUREL,
            send_mail=self._mail,
            new_code=self._new_code,
            shop_memory=ShopMemory(),
        )

    def _mail(self, to: str, subject: str, text: str) -> None:
        self.letters += _LINK.findall(text)

    def _new_code(self) -> str:
        return "LRL-" + "".join(self._codes.choice(_CROCKFORD) for _ in range(16))

    def _found(self) -> tuple[int, dict[str, Stand]]:
        woo = shops.make_woo(self.clock, self._client, url="https://field.example")
        app = Installation(
            client_id=shops.CLIENT_ID,
            secrets=[SHOPIFY_SECRET],
            webhook_uri=f"{LAUREL}/webhooks/shopify",
            topics=list(SUBSCRIBED),
            scopes=list(_SCOPES),
        )
        shopify = ShopifyShop(
            clock=self.clock, app=app, client=self._client, handle="fern", name="Fern Music", tax_percent=8
        )
        self.hosts.hosts |= {"field.example": woo_app(woo), shopify.domain: shopify_app(shopify)}
        first = first_document(self.chance("document"))
        bare = {**first, "rewards": [one for one in first["rewards"] if "shops" not in one]}
        program_id = create_program(
            self.rt, "campaign", name="Campaign", currency="USD", timezone="UTC", document=bare
        )
        self.documents.append(bare)
        stands = {
            "woocommerce": shops.connect_woo(self.rt, program_id, woo, counts_from=NOW),
            "shopify": shops.connect_shopify(self.rt, program_id, shopify, counts_from=NOW),
        }
        for stand in stands.values():
            self.enqueue("set_up_shop", program_id, shop_id=stand.shop.shop_id)
        self.worker.work(lambda: self.rt)
        self._found_neighbour()
        return program_id, stands

    def _found_neighbour(self) -> None:
        """Another merchant's program in the same tables, of which nothing may ever change."""
        other = create_program(self.rt, "neighbour", name="Neighbour", currency="USD", timezone="UTC")
        facts = ShopFacts(
            shop_ref="https://other.example",
            name="Other",
            url="https://other.example",
            currency="USD",
            timezone="UTC",
            reads_orders_days=None,
        )
        new = NewShop(
            platform="woocommerce", facts=facts, credentials={"k": "v"}, own_app=True, unchecked=True
        )
        shop = record_shop(self.rt, other, new)
        for number in range(901, 904):
            identity = enrol_customer(self.rt, other, shop.shop_id, str(number), asked=True)
            assert identity is not None
            assert identity.member_id is not None
            self.intents.add(f"neighbour-{number}")
            adjust(
                self.rt,
                other,
                identity.member_id,
                1000,
                reason="so",
                actor="eve",
                request_key=f"neighbour-{number}",
            )
        self.neighbour = other

    # --- Life and death ------------------------------------------------------------------------------------------

    def alive(self, what: Callable[[], Any]) -> Any:
        """What `what` gives; None where the process was killed meanwhile, and has started again since."""
        try:
            return what()
        except Killed:
            self.note(f"killed {self.reaper.died}")
            self.restart()
            return None

    def restart(self) -> None:
        """A minute later there is a new process, which knows nothing of the old one."""
        self.deaths += 1
        self.rt.db.close()
        self.reaper.revive()
        self.clock.advance(timedelta(seconds=61))
        self.rt = self._start()
        self.worker.put_back()

    def _meanwhile(self) -> None:
        """While Laurel waits for a shop, another of its processes or the shop itself goes on."""
        if self._is_meanwhile or self._chances.random() >= self.interleaving:
            return
        self._is_meanwhile = True
        what = self._chances.choice(("shop", "drain", "job"))
        self.interleaved[what] += 1
        try:
            match what:
                case "shop":
                    self.at_the_shop()
                case "drain":
                    for stand in self.stands.values():
                        stand.store.deliveries.run()
                    drain_inbox(self.rt, batch=20)
                case _:
                    self.worker.work(lambda: self.rt, at_most=1)
        finally:
            self._is_meanwhile = False

    def weather(
        self,
        *,
        lose: float = 0,
        twice: float = 0,
        late: float = 0,
        api: float = 0,
        kill: float = 0,
        meanwhile: float = 0,
    ) -> None:
        """Chances of faults from now on; without any, none."""
        self.reaper.chance = kill
        self.interleaving = meanwhile
        for place, (platform, stand) in enumerate(sorted(self.stands.items())):
            post = stand.store.deliveries.faults
            post.random = self.chance(f"post {platform} {len(self.trace)}")
            post.lose, post.duplicate, post.delay, post.reorder = lose, twice, late, late
            if api:
                stand.store.faults.random(hash((self.seed, place, len(self.trace))), api, _FAULTS)
            else:
                stand.store.faults.clear()

    # --- Laurel's own work --------------------------------------------------------------------------------------

    def deliver(self) -> None:
        """What is due at the shops is sent."""
        for stand in self.stands.values():
            stand.store.deliveries.run()
        if self.reaper.dead:  # the shop got no answer
            self.note(f"killed {self.reaper.died}, while a delivery came in")
            self.restart()

    def drain(self) -> None:
        self.alive(lambda: drain_inbox(self.rt, batch=20))

    def work(self, *, at_most: int = 2000) -> None:
        self.alive(lambda: self.worker.work(lambda: self.rt, at_most=at_most))

    def enqueue(self, name: str, program_id: int | None = None, /, **args: Any) -> None:
        with self.rt.db.begin(program_id or self.program_id) as session:
            jobs.enqueue(session, name, **args)

    # --- Telling -------------------------------------------------------------------------------------------------

    def note(self, text: str) -> None:
        self.trace.append(f"{self.clock():%Y-%m-%d %H:%M:%S} {text}")

    def program_in_mind(self) -> int:
        """Whose members an act is about: now and then another merchant's, which must be refused."""
        return self.neighbour if self.random.random() < 0.03 else self.program_id

    def connected(self) -> list[Stand]:
        return [stand for platform, stand in self.stands.items() if platform not in self.away]

    def close(self) -> None:
        self._client.close()
        self.rt.db.close()


class _ToLaurel(httpx.BaseTransport):
    """Where the shops' webhooks go: into the inbox, as the web process keeps them."""

    def __init__(self, world: World) -> None:
        self._world = world

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        _, _, platform, *key = request.url.path.split("/")
        body = request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self._world.counts.requests += 1
        rt = self._world.rt
        try:
            kept = receive_delivery(rt, platform, key[0] if key else None, WebhookRequest(body, headers))
        except Killed as killed:
            raise httpx.ReadTimeout("the process was killed", request=request) from killed
        if kept in (Receipt.KEPT, Receipt.SEEN_BEFORE):
            topic = headers.get("x-shopify-topic") or headers["x-wc-webhook-topic"]
            self._world.acknowledged.append(Acknowledged(topic, hashlib.sha256(body).digest(), rt.now()))
        return httpx.Response(_STATUS.get(kept, 200))
