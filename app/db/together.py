"""What many ask for at the same moment, done in one go: who comes alone waits for nobody."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Got = TypeVar("Got")


def _shut() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(slots=True, eq=False)
class _Place(Generic[Asked, Got]):
    """One who waits. `turn` opens when it is done, or when it is theirs to do it for those who wait."""

    asked: Asked
    turn: threading.Lock = field(default_factory=_shut)
    is_done: bool = False
    got: list[Got] = field(default_factory=list)
    error: Exception | None = None


class Together(Generic[Asked, Got]):
    """The first to come does the work for itself; whoever comes meanwhile is done together, by the first of them.

    No thread of its own, and no waiting for company: what is alone takes as long as without.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Asked]], Sequence[Got]],
        *,
        most: int,
        common: tuple[type[Exception], ...] = (),
    ) -> None:
        """`work` returns one result for each it is handed, at most `most`.

        An error of the kinds in `common` is everybody's. After any other each is done alone: one that cannot be
        done stops no other.
        """
        self._work = work
        self._most = most
        self._common = common
        self._lock = threading.Lock()
        self._waiting: list[_Place[Asked, Got]] = []
        self._is_busy = False

    def do(self, asked: Asked) -> Got:
        """What `work` returns for `asked`. Raises what `work` raised for it."""
        mine: _Place[Asked, Got] = _Place(asked)
        with self._lock:
            self._waiting.append(mine)
            leads, self._is_busy = not self._is_busy, True
        if not leads:
            mine.turn.acquire()
        if not mine.is_done:
            self._lead()
        if mine.error is not None:
            raise mine.error
        return mine.got[0]

    def _lead(self) -> None:
        with self._lock:
            places, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            self._do_all(places)
        finally:
            with self._lock:
                following = self._waiting[0] if self._waiting else None
                self._is_busy = following is not None
            for place in places:
                if not place.got and place.error is None:  # whoever led was stopped halfway
                    place.error = RuntimeError("it was not done: the thread that did it was stopped")
                place.is_done = True
                place.turn.release()
            if following is not None:
                following.turn.release()

    def _do_all(self, places: Sequence[_Place[Asked, Got]]) -> None:
        try:
            results = self._work([place.asked for place in places])
        except self._common as error:
            for place in places:
                place.error = error
        except Exception as error:
            if len(places) == 1:
                places[0].error = error
                return
            for place in places:
                self._do_all([place])
        else:
            for place, result in zip(places, results, strict=True):
                place.got.append(result)
