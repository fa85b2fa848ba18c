"""`laurel demo --once`: months of two shops in a minute on a virtual clock, and everything compared."""

import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import httpx
from flask import Flask

from app.bootstrap import DatabaseUrls, clock
from app.db import inbox
from app.services.do_due import do_due
from app.services.drain_inbox import drain_inbox
from app.services.due_email_proofs import due_email_proofs
from app.services.reconcile_shop import reconcile_shop
from app.web import create_app
from sandbox.clock import VirtualClock
from sandbox.demo import checks
from sandbox.demo import world as worlds
from sandbox.demo.agenda import Agenda
from sandbox.demo.history import Purchase, purchases
from sandbox.demo.lives import Lives
from sandbox.demo.post import Post
from sandbox.demo.queue import Queue
from sandbox.demo.redeemers import Redeemers
from sandbox.demo.world import World
from sandbox.faults import PASSING
from sandbox.hosts import HostMap, HostMapTransport
from sandbox.shopify.app import create_app as shopify_app
from sandbox.woocommerce.app import create_app as woo_app

LAUREL = "https://laurel.example"
WOO = "https://field.example"
# Orders are compared with the shop for 90 days, every day; here it is done once, at the end.
_WITHIN_DAYS = 60
_BATCH = 40  # acts between two drains
_LINK = re.compile(rf"{LAUREL}/confirm/\S+")
_CALM = timedelta(hours=8)  # longer than any delivery is late

Say = Callable[[str, int, int | None], None]
"""(what, how many, of how many if known): progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """Chances of faults of the shops' deliveries and of their APIs."""

    lose: float
    duplicate: float
    delay: float
    reorder: float
    api: float


WEATHERS = {
    "none": Weather(lose=0, duplicate=0, delay=0, reorder=0, api=0),
    "light": Weather(lose=0.01, duplicate=0.05, delay=0.02, reorder=0.05, api=0.05),
    "heavy": Weather(lose=0.1, duplicate=0.2, delay=0.15, reorder=0.3, api=0.3),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    orders: int
    faults: str = "none"
    seed: int = 1


@dataclass(slots=True)
class Times:
    """Seconds by what they were spent on."""

    spent: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def of(self, what: str) -> Iterator[None]:
        began = perf_counter()
        try:
            yield
        finally:
            self.spent[what] += perf_counter() - began  # type: ignore[assignment]


class Once:
    """One run. `world`, `lives` and the rest are there for tests to spoil something between the steps."""

    def __init__(self, wish: Wish, urls: DatabaseUrls, *, say: Say = lambda what, n, of: None) -> None:
        self.wish = wish
        self.times = Times()
        self.say = say
        self._random = Random(f"{wish.seed} once")  # noqa: S311 - chance, no secret
        self.clock = VirtualClock(clock().replace(microsecond=0))
        past = max(wish.orders // 5, 5)
        bought = purchases(
            wish.orders + past, now=self.clock(), random=self._random, within_days=_WITHIN_DAYS
        )
        self._past, self._today = bought[:past], bought[past:]
        self.clock.at = self._today[0].at - timedelta(hours=1)
        self._letters: list[str] = []
        self.world, self.post, self.app = self._build(urls)
        self.queue = Queue(self.world.rt)
        self.agenda = Agenda(self.clock)
        self.lives = Lives(self.world, self.agenda, wish.seed, self.clock)
        self.redeemers = Redeemers(self.world, self.agenda, self.lives, wish.seed)
        self.settled: Counter[str] = Counter()
        self._days: set[Any] = set()

    # --- The world ---------------------------------------------------------------------------------------------

    def _build(self, urls: DatabaseUrls) -> tuple[World, Post, Flask]:
        settings = worlds.make_settings(Path(tempfile.gettempdir()), LAUREL)
        hosts = HostMap()
        post = Post(HostMapTransport(hosts), self.clock)
        client = self._client = httpx.Client(transport=post, timeout=30)
        rt = worlds.make_runtime(settings, urls, hosts, now=self.clock, mail=self._mail)
        rt = replace(rt, received=lambda: None)  # nobody waits for a ring: the drain is called
        app = create_app(rt)
        woo = worlds.make_woo(self.clock, client, url=WOO)
        shopify = worlds.make_shopify(self.clock, client, settings)
        hosts.hosts |= {
            "laurel.example": app,
            "field.example": woo_app(woo),
            shopify.domain: shopify_app(shopify),
        }
        start = self._past[0].at
        program_id = worlds.make_program(rt)
        stands = (
            worlds.connect_woo(rt, program_id, woo, counts_from=start),
            worlds.connect_shopify(rt, program_id, shopify, counts_from=start),
        )
        return World(rt, hosts, program_id, stands), post, app

    def _mail(self, to: str, subject: str, text: str) -> None:
        self._letters += _LINK.findall(text)

    def close(self) -> None:
        self._client.close()
        self.world.rt.db.close()

    # --- The steps ---------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """The shops with what was bought before Laurel came, connected and read."""
        with self.times.of("stand-ins"):
            for purchase in self._past:
                self.lives.past(purchase)
        self._make_days()
        with self.times.of("connecting"):
            for stand in self.world.stands:
                worlds.set_up(self.world.rt, self.world.program_id, stand)
        self.settle()

    def live(self) -> None:
        """Every order lives its life, deliveries come as the weather lets them, shoppers redeem."""
        self._weather(WEATHERS[self.wish.faults])
        for number, purchase in enumerate(self._today):
            self.agenda.at(purchase.at, self._buying(purchase, number))
        acts = 0
        while True:
            with self.times.of("stand-ins"):
                more = self.agenda.next()
            if not more:
                break
            self._make_days()
            self._deliver()
            acts += 1
            if acts % _BATCH == 0:
                self.settle()
                self.say(
                    "Orders",
                    min(len(self.lives.placed) - len(self._past), len(self._today)),
                    len(self._today),
                )
        self.come_to_rest()

    def come_to_rest(self) -> None:
        """Whatever is late arrives, and every job is done; what is lost stays lost."""
        self.wait_until(self.clock() + _CALM)
        while (due := self.queue.next_at()) is not None:
            self.wait_until(due)

    def reconcile(self) -> list[checks.Repair]:
        """Both shops, all kinds of comparison, and the jobs that they put in. What was repaired."""
        since = self.clock()
        rt, program_id = self.world.rt, self.world.program_id
        with self.times.of("reconciling"):
            for stand in self.world.stands:
                checks.reconcile(rt, program_id, stand, self.queue, self.wait_until)
        self.come_to_rest()
        return checks.find_repairs(self.world, since)

    def clear_up(self) -> None:
        """From here on nothing goes wrong."""
        self._weather(WEATHERS["none"])
        for stand in self.world.stands:
            stand.store.faults.clear()

    def let_codes_expire(self) -> None:
        """A month on, the shops' changes read once more: what nobody used comes back as points."""
        self.wait_until(self.clock() + timedelta(days=worlds.CODE_DAYS + 1))
        rt, program_id = self.world.rt, self.world.program_id
        with self.times.of("reconciling"):
            for stand in self.world.stands:
                reconcile_shop(rt, program_id, stand.shop.shop_id, "changed")
        with self.times.of("jobs"):
            do_due(self.world.rt, self.world.program_id)
        self.come_to_rest()

    # --- Small steps -------------------------------------------------------------------------------------------

    def settle(self) -> None:
        self._make_days()
        with self.times.of("settling"):
            drained = drain_inbox(self.world.rt)
        self.settled.update(drained.states)
        with self.times.of("jobs"):
            self._mails()
            self.queue.work()

    def wait_until(self, moment: datetime) -> None:
        self.clock.move_to(moment)
        self._make_days()
        self._deliver()
        self.settle()

    def _deliver(self) -> None:
        with self.times.of("delivering"):
            for stand in self.world.stands:
                stand.store.deliveries.run()

    def _mails(self) -> None:
        """Addresses that stand in both shops are asked for; most people follow the link."""
        rt = self.world.rt
        due_email_proofs(rt, self.world.program_id)
        self.queue.work()
        letters, self._letters = self._letters, []
        for link in letters:
            if self._random.random() < 0.8:
                answer = self.app.test_client().post(link.removeprefix(LAUREL), base_url=LAUREL)
                assert answer.status_code == httpx.codes.OK, answer.status

    def _make_days(self) -> None:
        """The inbox's days, as the hourly round makes them."""
        today = self.clock().date()
        if today not in self._days:
            with self.world.rt.db.begin() as session:
                inbox.make_days(session, today=today, ahead=15)
            self._days |= {today + timedelta(days=ahead) for ahead in range(14)}

    def _buying(self, purchase: Purchase, number: int) -> Callable[[], None]:
        def buy() -> None:
            self.lives.live(purchase)
            if number % 6 == 5:
                self.redeemers.somebody_redeems()

        return buy

    def _weather(self, weather: Weather) -> None:
        for place, stand in enumerate(self.world.stands):
            faults = stand.store.deliveries.faults
            faults.random.seed(f"{self.wish.seed} deliveries {place}")
            faults.lose, faults.duplicate = weather.lose, weather.duplicate
            faults.delay, faults.reorder = weather.delay, weather.reorder
            if weather.api:
                stand.store.faults.random(self.wish.seed * 10 + place, weather.api, PASSING)
