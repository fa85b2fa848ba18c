"""What many ask for at once: everybody gets their own, an error reaches whom it concerns, nobody waits for ever."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from app.db.together import Together


class Outage(Exception):
    pass


class Desk:
    """Work whose first round is held until as many as wanted wait behind it, so that these are done together."""

    def __init__(self, most: int = 8) -> None:
        self.rounds: list[list[int]] = []
        self.go_on = threading.Event()
        self.begun = threading.Event()
        self.fails: Callable[[int], Exception | None] = lambda asked: None
        self.together: Together[int, int] = Together(self.work, most=most, common=(Outage,))

    def work(self, asked: Sequence[int]) -> list[int]:
        self.rounds.append(list(asked))
        self.begun.set()
        assert self.go_on.wait(20)
        for one in asked:
            if (error := self.fails(one)) is not None:
                raise error
        return [10 * one for one in asked]

    def crowd(self, count: int) -> list[Future[int]]:
        """One at work, the others waiting; then all go on."""
        with ThreadPoolExecutor(count) as people:
            futures = [people.submit(self.together.do, 0)]
            assert self.begun.wait(20)
            futures += [people.submit(self.together.do, number) for number in range(1, count)]
            while len(self.together._waiting) < count - 1:
                assert threading.active_count() >= 1  # they are on their way to the line
            self.go_on.set()
        return futures


def test_who_comes_alone_is_done_alone() -> None:
    desk = Desk()
    desk.go_on.set()
    assert [desk.together.do(number) for number in range(3)] == [0, 10, 20]
    assert desk.rounds == [[0], [1], [2]]


def test_who_comes_meanwhile_is_done_together_and_gets_their_own() -> None:
    desk = Desk(most=3)
    assert [future.result(20) for future in desk.crowd(8)] == [10 * number for number in range(8)]
    assert [len(one) for one in desk.rounds] == [1, 3, 3, 1]


def test_what_cannot_be_done_stops_no_other() -> None:
    desk = Desk()
    desk.fails = lambda asked: ValueError(asked) if asked == 2 else None
    futures = desk.crowd(5)
    assert [future.result(20) for number, future in enumerate(futures) if number != 2] == [0, 10, 30, 40]
    with pytest.raises(ValueError, match="2"):
        futures[2].result(20)
    assert desk.together.do(7) == 70


def test_an_outage_is_everybodys_and_is_tried_once() -> None:
    desk = Desk()
    desk.fails = lambda asked: Outage() if asked else None
    for future in desk.crowd(4)[1:]:
        with pytest.raises(Outage):
            future.result(20)
    assert len(desk.rounds) == 2


def test_nobody_is_left_waiting_when_the_one_at_work_is_stopped() -> None:
    desk = Desk()

    def stop(asked: int) -> Exception | None:
        if asked == 0:
            raise SystemExit
        return None

    desk.fails = stop
    futures = desk.crowd(3)
    with pytest.raises(SystemExit):
        futures[0].result(20)
    assert [future.result(20) for future in futures[1:]] == [10, 20]
    assert desk.together.do(1) == 10
