"""Webhooks on their way: a queue on the shop's clock, sent when told to, with faults on request or by chance.

What a message says, how it is signed and what an answer means is the platform's affair: it hands in `Job`s.
"""

import heapq
import itertools
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

import httpx

from sandbox.clock import Clock
from sandbox.faults import FaultRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One HTTP POST as it goes out."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True, kw_only=True)
class Job:
    """Something to be delivered. `build` makes the message at the last moment (None: nothing to send any more);
    `settle` hears the answer's status (None: no answer) and says after how long to try again, if at all;
    `lost` is told that it will never be built."""

    topic: str
    ref: str
    build: Callable[[], Message | None]
    settle: Callable[[int | None], timedelta | None] = lambda _status: None
    lost: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    at: datetime
    topic: str
    ref: str
    url: str
    status: int | None  # None: nobody answered


@dataclass(slots=True, kw_only=True)
class DeliveryFaults:
    """Chances, each in 0..1, from one seed; or one fault for the next delivery of a topic (`next`).

    lose: never sent (the platform promises no delivery). duplicate: sent one to `copies` times more.
    delay: sent up to `longest` later. reorder: sent after what was queued within the next minutes.
    """

    seed: int = 0
    lose: float = 0.0
    duplicate: float = 0.0
    delay: float = 0.0
    reorder: float = 0.0
    copies: int = 4
    longest: timedelta = timedelta(hours=6)
    random: Random = field(init=False)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311 - no secret

    def next(self, kind: str, topic: str = "*", times: int = 1) -> None:
        """The next `times` deliveries of `topic` are lost, duplicated, delayed or reordered."""
        self.asked.extend([(kind, topic)] * times)

    def pick(self, topic: str) -> list[str]:
        """The faults that hit the delivery now being queued."""
        for position, (kind, wanted) in enumerate(self.asked):
            if wanted in ("*", topic):
                del self.asked[position]
                return [kind]
        chances = (("lose", self.lose), ("duplicate", self.duplicate), ("delay", self.delay))
        hit = [
            kind for kind, chance in (*chances, ("reorder", self.reorder)) if self.random.random() < chance
        ]
        return ["lose"] if "lose" in hit else hit


class Deliverer:
    """A shop's outgoing webhooks. Nothing leaves before `run` or `flush`, or the thread of `start`.

    `client` sends; without one every attempt fails as if nobody listened.
    """

    def __init__(self, clock: Clock, client: httpx.Client | None, prefix: str) -> None:
        self.clock = clock
        self.client = client
        self.faults = DeliveryFaults()
        self.log: list[FaultRecord] = []
        self.attempts: deque[Attempt] = deque(maxlen=10_000)
        self._prefix = prefix
        self._queue: list[tuple[datetime, int, Job]] = []
        self._order = itertools.count()
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def queue(self, job: Job, *, after: timedelta = timedelta(0)) -> None:
        """Put `job` in the queue, or let a fault have it."""
        with self._lock:
            due = self.clock() + after
            kinds = self.faults.pick(job.topic)
            for kind in kinds:
                self._note(kind, job)
            if "lose" in kinds:
                job.lost()
                return
            if "delay" in kinds:
                due += self.faults.longest * self.faults.random.random()
            if "reorder" in kinds:
                due += timedelta(seconds=1 + self.faults.random.random() * 300)
            copies = 1 + (self.faults.random.randint(1, self.faults.copies) if "duplicate" in kinds else 0)
            for _ in range(copies):
                self._push(due, job)

    def pending(self) -> Sequence[tuple[datetime, str, str]]:
        """What waits: due moment, topic, ref; soonest first."""
        with self._lock:
            return [(due, job.topic, job.ref) for due, _, job in sorted(self._queue, key=lambda row: row[:2])]

    def run(self, until: datetime | None = None) -> int:
        """Send all that is due by `until` (default: now), soonest first; returns the number of attempts."""
        limit = until or self.clock()
        sent = 0
        while (job := self._pop(limit)) is not None:
            sent += self._deliver(job)
        return sent

    def flush(self) -> int:
        """Send everything, whenever it is due, retries too, until nothing is left."""
        sent = 0
        while (job := self._pop(None)) is not None:
            sent += self._deliver(job)
        return sent

    def drop(self) -> int:
        """Forget what waits, as a shop does whose background queue was emptied; returns how many."""
        with self._lock:
            dropped = len(self._queue)
            for _, _, job in self._queue:
                self._note("lose", job)
                job.lost()
            self._queue.clear()
            return dropped

    def start(self, every_s: float = 0.2) -> None:
        """For a demo: a thread that keeps sending what is due. `stop` ends it."""
        self._stop.clear()
        self._thread = threading.Thread(
            target=self._keep_running, args=(every_s,), daemon=True, name="webhooks"
        )
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _keep_running(self, every_s: float) -> None:
        while not self._stop.wait(every_s):
            self.run()

    def _push(self, due: datetime, job: Job) -> None:
        heapq.heappush(self._queue, (due, next(self._order), job))

    def _pop(self, limit: datetime | None) -> Job | None:
        with self._lock:
            if not self._queue or (limit is not None and self._queue[0][0] > limit):
                return None
            return heapq.heappop(self._queue)[2]

    def _deliver(self, job: Job) -> int:
        message = job.build()
        if message is None:
            return 0
        status = self._send(message)
        attempt = Attempt(at=self.clock(), topic=job.topic, ref=job.ref, url=message.url, status=status)
        self.attempts.append(attempt)
        again = job.settle(status)
        if again is not None:
            with self._lock:
                self._push(self.clock() + again, job)
        return 1

    def _send(self, message: Message) -> int | None:
        if self.client is None:
            return None
        try:
            answer = self.client.post(
                message.url, headers=dict(message.headers), content=message.body, follow_redirects=False
            )
        except httpx.TransportError:
            return None
        return answer.status_code

    def _note(self, kind: str, job: Job) -> None:
        fault_id = f"{self._prefix}-webhook-{len(self.log) + 1}"
        self.log.append(
            FaultRecord(fault_id=fault_id, kind=kind, topic=job.topic, ref=job.ref, at=self.clock())
        )
