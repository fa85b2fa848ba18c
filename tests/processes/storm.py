"""Shoppers buy, are refunded and redeem over HTTP, while processes die. Then: what was acknowledged is there, once."""

import hashlib
import hmac
import itertools
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import httpx
import jwt

from app.bootstrap import clock
from app.db import shops
from app.db.reconciliations import KINDS
from app.services.audit import audit
from app.services.do_due import do_due
from app.services.drain_inbox import drain_inbox
from app.services.reconcile_shop import reconcile_shop
from app.services.replay import replay
from app.services.runtime import Runtime
from sandbox.demo.books import held_codes
from sandbox.demo.world import Stand
from sandbox.woocommerce.state import Customer, Order, Product
from tests.processes.ground import WORKERS, Ground
from tests.services.jobs import run_jobs

CUSTOMERS = 60  # at least: each strike more brings new ones, so that nobody has thousands of orders
BUYERS, SPENDERS = 3, 2
_TRIES = 30  # over ten seconds or more: as long as a restart takes
_CLICKS = 300  # a code is waited for three seconds, and somebody strikes in most of them
KILL_WEB, KILL_WORKER, CRASH, CUT = "kill web", "kill worker", "crash the database", "cut the way"
FILL, TURN = "fill the disk", "turn the clock"
MIGRATE = "migrate forward or back"
STRIKES = (KILL_WEB, KILL_WORKER, CRASH, CUT)
_DAY_S = 26 * 3600
_LATER = timedelta(hours=2)  # what a dead worker had taken is free again


@dataclass(slots=True)
class Told:
    """What Laurel said over HTTP, which must be true whatever happened next."""

    acknowledged: set[str] = field(default_factory=set)  # delivery refs answered with 200
    unanswered: int = 0  # deliveries given up, as a shop does
    orders: list[Order] = field(default_factory=list)
    keys: dict[str, str] = field(
        default_factory=dict
    )  # request key -> redemption id that was answered, or why not
    asked: set[str] = field(default_factory=set)
    unheard: Counter[str] = field(default_factory=Counter)  # what was answered last to clicks given up
    reads: Counter[str] = field(default_factory=Counter)  # panels, by what was answered
    strikes: Counter[str] = field(default_factory=Counter)
    odd: list[str] = field(default_factory=list)  # answers that must never be given


@dataclass(frozen=True, slots=True)
class Outcome:
    told: Told
    problems: list[str]
    counts: dict[str, int]


class Storm:
    def __init__(
        self, ground: Ground, program_id: int, stand: Stand, seed: int, strikes: Sequence[str] = STRIKES,
        cut_s: float = 2.0, customers: int = CUSTOMERS,
        breath_s: float = 0,
    ) -> None:  # fmt: skip
        self._strikes = strikes
        self._cut_s = cut_s
        self._breath_s = breath_s
        self._ground = ground
        self._program_id = program_id
        self._stand = stand
        self._seed = seed
        self._over = threading.Event()
        self._numbers = itertools.count(1)
        self.told = Told()
        store = stand.store
        self._products: list[Product] = [store.product(f"Disc {n}", f"{n}0.00") for n in (1, 2, 5)]
        self._customers: list[Customer] = [
            store.create_customer(f"buyer{n}@mail.test", f"Buyer {n}") for n in range(customers)
        ]
        rt = ground.runtime()
        with rt.db.begin(program_id) as session:
            secrets = shops.get_secrets(session, rt.vault, stand.shop.shop_id)
        rt.db.close()
        self._webhook_secret, self._widget_secret = secrets.webhook_secrets[0], secrets.widget_secret

    def gather(self) -> None:
        """Everybody is a member with points to spend before it begins."""
        with httpx.Client(timeout=60) as client:
            for customer in self._customers:
                order = self._stand.store.checkout([(self._products[-1], 40)], customer=customer)
                self._stand.store.complete(order)
                self.told.orders.append(order)
                self._deliver(client, order)
                joined = self._ask(client, "POST", "/join", customer, json={})
                if joined is None or not joined.is_success:
                    raise RuntimeError(f"nobody can join: {joined}")

    def blow(self, strikes: int, *, pause_s: float = 2.0, progress: Callable[[int, int], None]) -> None:
        """So many strikes, of each kind by turns, at random moments, under load all the while."""
        random = Random(f"{self._seed} strikes")  # noqa: S311 - chance, no secret
        people = [threading.Thread(target=self._buy, args=(n,), daemon=True) for n in range(BUYERS)]
        people += [threading.Thread(target=self._spend, args=(n,), daemon=True) for n in range(SPENDERS)]
        people.append(threading.Thread(target=self._read, daemon=True))
        for one in people:
            one.start()
        for number in range(strikes):
            self._over.wait(pause_s * (0.5 + random.random()))
            self._strike(self._strikes[number % len(self._strikes)], random)
            self._ground.await_web()
            progress(number + 1, strikes)
        if TURN in self._strikes:
            self._ground.turn_clock(0)
        self._over.wait(pause_s)
        self._over.set()
        for one in people:
            one.join(120)

    def _strike(self, kind: str, random: Random) -> None:
        ground = self._ground
        if kind == KILL_WEB:
            ground.kill("web")
        elif kind == KILL_WORKER:
            ground.kill(random.choice(WORKERS))
        elif kind == CRASH:
            ground.crash()
        elif kind == CUT:
            ground.wire.cut()
            self._over.wait(self._cut_s * (0.1 + random.random()))
            ground.wire.mend()
        elif kind == FILL:
            ground.fill_disk()
            self._over.wait(1 + 2 * random.random())
            ground.empty_disk()
        elif kind == MIGRATE:
            ground.migrate()
        elif kind == TURN:
            ground.turn_clock(0 if ground.ahead else random.choice((-1, 1)) * random.randint(60, _DAY_S))
        self.told.strikes[kind] += 1

    # --- People ------------------------------------------------------------------------------------------------

    def _buy(self, number: int) -> None:
        random = Random(f"{self._seed} buyer {number}")  # noqa: S311
        store = self._stand.store
        with httpx.Client(timeout=20) as client:
            while not self._over.is_set():
                lines = [(random.choice(self._products), random.randint(1, 4))]
                order = store.checkout(lines, customer=random.choice(self._customers))
                store.complete(order)
                self.told.orders.append(order)
                self._deliver(client, order)
                if random.random() < 0.25:
                    store.refund(order, {order.lines[0].id: 1})
                    self._deliver(client, order)
                self._over.wait(self._breath_s)

    def _deliver(self, client: httpx.Client, order: Order) -> None:
        """As a sender that tries again; each try is a delivery of its own."""
        body = self._stand.store.payload("order", "updated", order.id)
        signature = b64encode(hmac.digest(self._webhook_secret.encode(), body, hashlib.sha256)).decode()
        for _ in range(_TRIES):
            ref = f"storm-{next(self._numbers)}"
            headers = {
                "content-type": "application/json",
                "x-wc-webhook-topic": "order.updated",
                "x-wc-webhook-signature": signature,
                "x-wc-webhook-delivery-id": ref,
            }
            address = f"/webhooks/woocommerce/{self._stand.shop.key}"
            answer = self._send(client, "POST", address, content=body, headers=headers)
            if answer is not None and answer.status_code == 200:
                self.told.acknowledged.add(ref)
                return
            if answer is not None and answer.status_code != 503:
                self.told.odd.append(f"a delivery was answered with {answer.status_code}")
            self._over.wait(0.3)
        self.told.unanswered += 1

    def _spend(self, number: int) -> None:
        random = Random(f"{self._seed} spender {number}")  # noqa: S311
        with httpx.Client(timeout=40) as client:
            while not self._over.is_set():
                customer = random.choice(self._customers)
                key = f"click-{number}-{next(self._numbers)}"
                self.told.asked.add(key)
                self._redeem(client, customer, key)
                self._over.wait(0.2)

    def _redeem(self, client: httpx.Client, customer: Customer, key: str) -> None:
        """One click, repeated with its key until there is an answer."""
        last = "nothing"
        for _ in range(_CLICKS):
            wish = {"json": {"reward": "amount-5"}, "headers": {"Idempotency-Key": key}}
            answer = self._ask(client, "POST", "/redemptions", customer, **wish)
            if answer is not None and answer.status_code in (200, 201, 202):
                self.told.keys[key] = answer.json()["id"]
                return
            if answer is not None and answer.status_code < 500 and not self._is_of_another_time(answer):
                self.told.keys[key] = answer.json().get("code", str(answer.status_code))
                return
            if answer is not None and answer.status_code == 500:
                self.told.odd.append(f"a click was answered with 500: {answer.text[:100]}")
            last = "nothing" if answer is None else str(answer.status_code)
            self._over.wait(0.3)
        self.told.unheard[last] += 1

    def _read(self) -> None:
        """A panel is there, or is to be tried again; it is never our fault."""
        random = Random(f"{self._seed} reader")  # noqa: S311
        with httpx.Client(timeout=20) as client:
            while not self._over.is_set():
                answer = self._ask(client, "GET", "/me", random.choice(self._customers))
                status = "nothing" if answer is None else str(answer.status_code)
                self.told.reads[status] += 1
                if (
                    answer is not None
                    and status not in ("200", "503")
                    and not self._is_of_another_time(answer)
                ):
                    self.told.odd.append(f"a panel was answered with {status}: {answer.text[:100]}")
                self._over.wait(0.2)

    def _is_of_another_time(self, answer: httpx.Response) -> bool:
        """A token made just before the clock was turned."""
        return TURN in self._strikes and answer.status_code == 401

    def _ask(
        self, client: httpx.Client, method: str, path: str, customer: Customer, **wishes: Any
    ) -> httpx.Response | None:
        """The storefront API, as that customer."""
        claims = {"sub": str(customer.id), "exp": int((clock() + self._ground.ahead).timestamp()) + 600}
        token = jwt.encode(claims, self._widget_secret, "HS256")
        headers = {"Authorization": f"Bearer {token}", **wishes.pop("headers", {})}
        address = f"/storefront/v1{path}?key={self._stand.shop.key}"
        return self._send(client, method, address, headers=headers, **wishes)

    def _send(self, client: httpx.Client, method: str, path: str, **wishes: Any) -> httpx.Response | None:
        """None: no answer came."""
        try:
            return client.request(method, self._ground.address + path, **wishes)
        except httpx.HTTPError:
            return None

    # --- What is left ------------------------------------------------------------------------------------------

    def settle(self) -> Outcome:
        """Two hours later everything has been gone on with; each line of `problems` is one that must not be."""
        self._ground.stop()
        self._ground.migrate_to("head")
        turned = timedelta(seconds=_DAY_S if TURN in self._strikes else 0)
        rt = self._ground.runtime(later=_LATER + turned)
        try:
            for _ in range(3):
                drain_inbox(rt)
                do_due(rt, self._program_id)
                run_jobs(rt, self._program_id)
            return Outcome(self.told, list(self._problems(rt)), self._counts(rt))
        finally:
            rt.db.close()

    def _problems(self, rt: Runtime) -> Iterable[str]:
        yield from self.told.odd
        yield from self._lost(rt)
        for kind in KINDS:
            reconcile_shop(rt, self._program_id, self._stand.shop.shop_id, kind, everything=True)
        run_jobs(rt, self._program_id)
        for kind in KINDS:
            again = reconcile_shop(rt, self._program_id, self._stand.shop.shop_id, kind, everything=True)
            yield from (f"compared twice, {one.subject} still differs: {one.cause}" for one in again.repairs)
        yield from (f"audit: {one}" for one in audit(rt, self._program_id).problems)
        yield from (f"replay: {one}" for one in replay(rt, self._program_id).differences)
        yield from self._codes(rt)

    def _lost(self, rt: Runtime) -> Iterable[str]:
        with rt.db.begin(self._program_id) as session:
            kept = {row.delivery_ref for row in session.rows("SELECT delivery_ref FROM inbox WHERE {fence}")}
            open_ = session.scalar("SELECT count(*) FROM inbox WHERE {fence} AND state IN ('new', 'failed')")
        yield from (f"{ref} was acknowledged and is lost" for ref in sorted(self.told.acknowledged - kept))
        if open_:
            yield f"{open_} deliveries are not worked off"

    def _codes(self, rt: Runtime) -> Iterable[str]:
        with rt.db.begin(self._program_id) as session:
            rows = session.rows("SELECT id, request_key, state, code FROM redemptions WHERE {fence}")
        by_key = {row.request_key: row for row in rows}
        if len(by_key) != len(rows):
            yield "a click has more than one redemption"
        for key, answered in self.told.keys.items():
            row = by_key.get(key)
            if answered.startswith("r_") and (row is None or f"r_{row.id}" != answered):
                yield f"{key} was answered with {answered} and is {row and row.id}"
            if not answered.startswith("r_") and row is not None:
                yield f"{key} was refused with {answered} and has a redemption"
        yield from (f"{key} was never asked for" for key in by_key.keys() - self.told.asked)
        there = Counter(coupon.code.casefold() for coupon in self._stand.store.coupons.values())
        for row in rows:
            if there[row.code.casefold()] > 1:
                yield f"redemption {row.id} has {there[row.code.casefold()]} codes at the shop"
            if row.state == "issued" and not there[row.code.casefold()]:
                yield f"redemption {row.id} is issued, and the shop has no such code"
            if row.state not in ("issued", "used", "failed"):
                yield f"redemption {row.id} is still {row.state}"
        ours = {one.code.casefold() for one in held_codes(rt, self._program_id)}
        yield from (f"the shop has a code of nobody: {code}" for code in there.keys() - ours)

    def _counts(self, rt: Runtime) -> dict[str, int]:
        with rt.db.begin(self._program_id) as session:
            entries = session.scalar("SELECT count(*) FROM entries WHERE {fence}")
        answered = [one for one in self.told.keys.values() if one.startswith("r_")]
        return {
            "orders": len(self.told.orders),
            "deliveries acknowledged": len(self.told.acknowledged),
            "deliveries given up": self.told.unanswered,
            "clicks": len(self.told.asked),
            "redemptions": len(answered),
            **Counter(f"refused: {one}" for one in self.told.keys.values() if not one.startswith("r_")),
            "clicks without an answer": len(self.told.asked) - len(self.told.keys),
            **{f"  at last {one}": count for one, count in self.told.unheard.items()},
            **{f"panels: {one}": count for one, count in self.told.reads.items()},
            "entries": entries,
            **{f"{kind} (times)": count for kind, count in self.told.strikes.items()},
        }
