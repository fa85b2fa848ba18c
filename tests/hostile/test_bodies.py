"""Hostile bodies: none breaks a parser, none comes to points that are not there, none stops what comes after it."""

import itertools
from collections import Counter

import psutil
import pytest

from app.domain.errors import Refused
from app.services.runtime import Runtime
from app.web import create_app
from connectors.registry import CONNECTORS
from tests.hostile.bodies import Hostile, Real, hand_made, mutated, real_bodies
from tests.hostile.check import Broken, understand
from tests.hostile.through import go_through


@pytest.mark.parametrize("one", real_bodies(), ids=lambda one: f"{one.platform} {one.topic}")
def test_what_they_were_made_from_is_understood_or_refused_with_a_reason(one: Real) -> None:
    understand(Hostile("real", one.platform, one.topic, one.body))


def test_whatever_was_made_by_hand_is_understood_or_refused() -> None:
    broken, refused, counted = [], 0, Counter[str]()
    for one in hand_made():
        counted[one.platform] += 1
        try:
            refused += isinstance(understand(one), Refused)
        except Broken as error:
            broken.append(str(error))
    assert broken == []
    assert refused > 500  # so many are really nonsense
    assert set(counted) == set(CONNECTORS)
    assert min(counted.values()) > 1000


def test_whatever_was_mutated_is_understood_or_refused() -> None:
    broken = []
    for one in mutated(seed=1, count=1500):
        try:
            understand(one)
        except Broken as error:
            broken.append(str(error))
    assert broken == []


def test_all_of_them_go_through_the_house_and_honest_orders_go_on_counting(rt: Runtime) -> None:
    app = create_app(rt)
    some = itertools.chain(itertools.islice(hand_made(), 0, None, 3), mutated(seed=2, count=300))
    before = psutil.Process().memory_info().rss
    found = go_through(app, rt, some)
    assert found.faults == []
    assert set(found.answers) == {200}
    assert found.sent > 1000
    assert found.states["failed"] > 300
    assert "waiting" not in found.states
    assert psutil.Process().memory_info().rss - before < 100 * 1024 * 1024
