"""The campaign's short form: a few seeds, every seed that ever found something, and the quickest planted faults."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db import embedded
from tests.campaign.campaign import play
from tests.campaign.ground import Ground
from tests.campaign.mutants import MUTANTS, CannotBePlanted, Spoiled

STEPS = 20
SEEDS = range(1, 4)
FOUND = tomllib.loads((Path(__file__).parent / "found.toml").read_text())["found"]
QUICK = {  # planted fault -> a seed of 40 steps that finds it within the first twenty
    "award-by-event": 501,
    "reread-not-marked": 502,
    "entry-rewritten": 521,
    "adjustments-repeat": 503,
}


@pytest.fixture(scope="module")
def ground(server: embedded.Embedded) -> Iterator[Ground]:
    made = Ground(server)
    yield made
    made.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_wrong_after_any_step(ground: Ground, seed: int) -> None:
    played = play(ground, seed, steps=STEPS)
    assert played.violation is None, "\n".join([played.violation or "", *played.trace])


def test_what_was_once_wrong_stays_right(ground: Ground) -> None:
    for one in FOUND:
        played = play(ground, one["seed"], steps=one["steps"])
        assert played.violation is None, "\n".join([played.violation or "", *played.trace])


def test_the_same_seed_is_the_same_run(ground: Ground) -> None:
    one, again = (play(ground, 12, steps=STEPS) for _ in range(2))
    assert one.trace
    assert (one.digest, one.trace) == (again.digest, again.trace)


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_fault_is_found(ground: Ground, name: str) -> None:
    assert play(ground, QUICK[name], steps=40, mutant=name).violation


def test_a_fault_that_cannot_be_planted_any_more_says_so() -> None:
    for path in ("app.services.settle_orders:nothing", "app.domain.ledger:Book.nothing"):
        with pytest.raises(CannotBePlanted, match="mend the mutant"):
            Spoiled.find(path)


def test_there_are_faults_enough() -> None:
    assert sum(one.harmless is None for one in MUTANTS.values()) >= 25
