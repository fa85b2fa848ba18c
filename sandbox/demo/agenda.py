"""What is to happen, and when: a heap of acts on the virtual clock, never two in one second."""

import heapq
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta

from sandbox.clock import VirtualClock

Act = Callable[[], None]


class Agenda:
    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._acts: list[tuple[datetime, int, Act]] = []
        self._numbers = itertools.count()

    def at(self, moment: datetime, act: Act) -> None:
        heapq.heappush(self._acts, (moment, next(self._numbers), act))

    def after(self, wait: timedelta, act: Act) -> None:
        self.at(self._clock() + wait, act)

    def next(self) -> bool:
        """Move the clock to the next act and do it. False: there is none.

        A second later at least than the one before: within one second nobody could say which came last.
        """
        if not self._acts:
            return False
        moment, _, act = heapq.heappop(self._acts)
        self._clock.move_to(max(moment, self._clock() + timedelta(seconds=1)))
        act()
        return True
