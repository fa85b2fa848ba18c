"""One seed: some months or years of two shops, checked after every step."""

import hashlib
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from time import perf_counter

from app.services.due_email_proofs import due_email_proofs
from app.services.due_reconciliations import due_reconciliations
from app.services.reconcile_now import reconcile_now
from sandbox.demo.world import Stand
from tests.campaign import acts_codes, acts_orders, acts_people, acts_shops
from tests.campaign.ground import Ground
from tests.campaign.invariants import AfterEveryStep, Violation, check_drained, check_reconciled
from tests.campaign.mutants import CannotBePlanted, spoiled
from tests.campaign.world import World

YEARS = 3
ROUND = 50  # steps between two rounds of reconciliation, in a long run


def at_a_bad_moment(world: World) -> None:
    """Just after somebody clicked, before their code is made."""
    acts_codes.wish(world)
    then = (
        *(acts_codes.cancel, acts_codes.cancel, acts_people.erase_buyer, acts_people.shop_merges),
        *(acts_people.merge, acts_people.undo_merge, acts_people.publish, acts_shops.leave),
    )
    world.random.choice(then)(world)


ACTS: dict[str, tuple[int, Callable[[World], None]]] = {
    "buy": (26, acts_orders.buy),
    "change": (34, acts_orders.change),
    "wish": (16, acts_codes.wish),
    "use": (9, acts_codes.use),
    "cancel a code": (5, acts_codes.cancel),
    "an end nobody tells": (7, acts_codes.an_end_nobody_tells),
    "take a code away": (2, acts_codes.take_code_away),
    "hand over": (1, acts_codes.hand_perk_over),
    "adjust": (4, acts_people.adjust_points),
    "visit": (3, acts_people.visit),
    "friend": (1, acts_people.bring_a_friend),
    "merge": (1, acts_people.merge),
    "undo a merge": (1, acts_people.undo_merge),
    "shop merges": (1, acts_people.shop_merges),
    "erase": (1, acts_people.erase),
    "block": (1, acts_people.block),
    "tier by hand": (1, acts_people.tier_by_hand),
    "publish": (2, acts_people.publish),
    "mail": (2, acts_people.read_mail),
    "leave or come back": (1, acts_shops.leave),
    "forge": (1, acts_shops.forge),
    "at a bad moment": (5, at_a_bad_moment),
}


@dataclass(slots=True)
class Played:
    """What a seed came to. `violation` None: everything held."""

    seed: int
    steps: int = 0
    events: int = 0  # acts of people, deliveries sent, calls to a shop, jobs begun, kills
    deliveries: int = 0  # acknowledged
    faults: int = 0
    kills: int = 0
    days: int = 0
    seconds: float = 0.0
    digest: str = ""  # of everything that happened: the same for the same seed
    acts: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    violation: str | None = None
    invariant: str | None = None
    trace: list[str] = field(default_factory=list)


def play(ground: Ground, seed: int, *, steps: int = 400, mutant: str | None = None) -> Played:
    """Play a seed to its end or to its first violation. `mutant`: with that fault planted."""
    played = Played(seed)
    began = perf_counter()
    with ground.plot() as plot:
        world = World(seed, plot)
        try:
            with spoiled(world, mutant) if mutant is not None else nullcontext():
                _Run(world, steps).play(played)
        except Violation as violation:
            played.violation, played.invariant = str(violation), violation.invariant
        except CannotBePlanted:
            raise
        except Exception as error:  # nobody expects any: it is a violation, too
            where = traceback.extract_tb(error.__traceback__)[-1]
            played.violation = f"I0: {type(error).__name__}: {error} at {where.name}:{where.lineno}"
            played.invariant = "I0"
            played.trace.append(traceback.format_exc())
        finally:
            _tell(world, played)
            world.close()
    played.seconds = perf_counter() - began
    return played


class _Run:
    def __init__(self, world: World, steps: int) -> None:
        self.world = world
        self.steps = steps
        self.every = min(ROUND, -(-steps // 2))
        self.watch = AfterEveryStep(world)
        world.at_the_shop = self._somebody_acts
        # What the short waits do not take of the years, the long ones do.
        self.long_wait = timedelta(days=365 * YEARS) * steps / 400 / -(-steps // self.every)

    def play(self, played: Played) -> None:
        world = self.world
        self._bad_weather()
        for number in range(1, self.steps + 1):
            played.steps = number
            self._step()
            self.watch.check(thorough=number % 10 == 0)
            if number % self.every == 0 or number == self.steps:
                self._round(last=number == self.steps)
        world.note("the end")

    # --- A step ------------------------------------------------------------------------------------------------

    def _step(self) -> None:
        world, random = self.world, self.world.random
        self._wait_a_little()
        act = random.choices(list(ACTS), [weight for weight, _ in ACTS.values()])[0]
        world.counts.acts[act] += 1
        ACTS[act][1](world)
        if random.random() < 0.7:
            world.deliver()
        if random.random() < 0.45:
            world.drain()
        if random.random() < 0.4:
            world.work(at_most=random.choice((1, 3, 2000)))

    def _wait_a_little(self) -> None:
        random = self.world.random
        match random.choice(("none", "seconds", "seconds", "minutes", "hours", "hours", "day")):
            case "seconds":
                wait = timedelta(seconds=random.randint(1, 50))
            case "minutes":
                wait = timedelta(minutes=random.randint(1, 30))
            case "hours":
                wait = timedelta(minutes=random.randint(30, 600))
            case "day":
                wait = timedelta(hours=random.randint(10, 30))
            case _:
                wait = timedelta(0)
        self.world.clock.advance(wait)

    def _somebody_acts(self) -> None:
        """At a shop, while Laurel waits for its answer."""
        self.world.clock.advance(timedelta(seconds=1))
        self.world.random.choice((acts_orders.change, acts_orders.change, acts_codes.use))(self.world)

    def _bad_weather(self) -> None:
        """As the plan says, and with every other seed as bad as it comes."""
        world, random = self.world, self.world.random
        if world.seed % 2:
            world.weather(lose=0.1, twice=0.2, late=0.15, api=0.3, kill=0.004, meanwhile=0.05)
            return
        world.weather(
            lose=random.choice((0.0, 0.1, 0.4)),
            twice=random.choice((0.0, 0.5)),
            late=random.choice((0.1, 0.6)),
            api=random.choice((0.0, 0.3, 0.6)),
            kill=random.choice((0.0, 0.01, 0.03)),
            meanwhile=random.choice((0.0, 0.1, 0.3)),
        )

    # --- A round -----------------------------------------------------------------------------------------------

    def _round(self, *, last: bool) -> None:
        """Everything told is settled, the shops are compared, and then a long time passes."""
        world = self.world
        world.note("a round")
        acts_shops.come_back(world)
        self._proofs()
        self._rest()
        check_drained(world)
        self._reconcile(kill=0.008, api=0.2)
        self._reconcile(kill=0, api=0)
        self._review()
        check_reconciled(world)
        self._long_wait()
        if last:
            self._reconcile(kill=0, api=0)
            self._review()
            check_drained(world)
            check_reconciled(world)
        self._bad_weather()

    def _proofs(self) -> None:
        world = self.world
        world.alive(lambda: due_email_proofs(world.rt, world.program_id))
        world.work()
        acts_people.read_mail(world)

    def _rest(self) -> None:
        """Whatever is late arrives, and every job is done; what was lost stays lost."""
        world = self.world
        world.weather()
        acts_shops.reconnect(world)
        world.clock.advance(timedelta(hours=8))  # longer than any delivery is late
        for _ in range(60):
            world.deliver()
            world.drain()
            world.work()
            waiting = world.eye.value("SELECT count(*) FROM inbox WHERE state = 'new'")
            due = world.worker.next_at()
            if not waiting and due is None:
                break
            self.watch.check()
            # Past the lease of deliveries that a process took and died with.
            world.clock.advance(timedelta(seconds=130))
            if due is not None and not waiting:
                world.clock.move_to(due)
        else:
            raise Violation("I7", "jobs and deliveries never come to rest")
        self.watch.check(thorough=True)

    def _reconcile(self, *, kill: float, api: float) -> None:
        world = self.world
        world.weather(kill=kill, api=api, meanwhile=api / 2)
        world.clock.advance(timedelta(minutes=61))
        world.alive(lambda: due_reconciliations(world.rt))
        for stand in world.connected():
            world.alive(partial(self._compare, stand))
        world.alive(lambda: world.enqueue("do_due"))
        world.work()
        self.watch.check()
        self._rest()

    def _review(self) -> None:
        """What is due by what the shops have said until now."""
        self.world.enqueue("do_due")
        self._rest()

    def _compare(self, stand: Stand) -> None:
        reconcile_now(self.world.rt, self.world.program_id, stand.shop.shop_id)

    def _read_changes(self, stand: Stand) -> None:
        self.world.enqueue("reconcile_shop", shop_id=stand.shop.shop_id, kind="changed")

    def _long_wait(self) -> None:
        """Weeks in which nobody buys: the shops are read, what is due is done."""
        world = self.world
        end = world.clock() + self.long_wait * (0.6 + 0.8 * world.random.random())
        world.weather(kill=0.003, meanwhile=0.02)
        while world.clock() < end:
            world.clock.advance(timedelta(days=world.random.randint(25, 45)))
            silent = len(world.silent)
            for stand in world.connected():
                world.alive(partial(self._read_changes, stand))
            world.work()
            if len(world.silent) > silent:  # the next night finds it; a month later the order may be too old
                for stand in world.connected():
                    world.alive(partial(self._compare, stand))
                world.work()
            world.alive(lambda: world.enqueue("do_due"))
            world.alive(lambda: world.enqueue("audit_changed"))
            world.work()
            world.note("weeks later")
            self.watch.check()
        self._rest()
        if frozen := world.eye.rows("SELECT problems FROM freezes"):
            raise Violation("I11", f"the hourly audit froze the program: {frozen[0][0]}")


def _tell(world: World, played: Played) -> None:
    stores = [stand.store for stand in world.stands.values()]
    acts = sum(world.counts.acts.values()) + world.interleaved["shop"]
    played.events = acts + world.counts.requests + world.reaper.calls + world.worker.begun + world.deaths
    played.deliveries = len(world.acknowledged)
    played.faults = sum(len(store.faults.log) + len(store.deliveries.log) for store in stores)
    played.kills = world.deaths
    played.days = (world.clock() - world.began).days
    played.acts, played.refused = world.counts.acts, world.counts.refused
    played.trace = [*world.trace, *played.trace]
    played.digest = hashlib.sha256("\n".join(world.trace).encode()).hexdigest()[:12]
