"""The campaign: `python -m tests.campaign --seeds 1-300 --steps 400`; what it proves is in docs/reliability.md."""

import argparse
import logging
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import takewhile
from pathlib import Path
from time import monotonic

import structlog

from app.db import embedded
from tests.campaign.campaign import Played, play
from tests.campaign.ground import Ground
from tests.campaign.mutants import MUTANTS

_SHOWN = 15  # last lines of a trace that a violation shows
_SUMMED = ("steps", "events", "deliveries", "faults", "kills", "days")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("--seeds", default="1-20", help="from-to, both played, or a list: 1,5,9")
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--minutes", type=float, help="begin no seed after so long")
    parser.add_argument("--mutant", help="plant this fault, and play until it is found")
    parser.add_argument(
        "--mutants", metavar="PART", help="plant each fault in turn, print the table: all, or 1/2"
    )
    parser.add_argument("--trace", action="store_true", help="tell everything that happened")
    given = parser.parse_args(arguments)
    seeds = [given.seed] if given.seed is not None else seeds_of(given.seeds)
    quiet()
    home = Path(tempfile.gettempdir()) / f"laurel-campaign-{os.getuid()}"
    with embedded.start(home, durable=False) as server:
        ground = Ground(server)
        try:
            if given.mutants or (given.mutant and not given.trace):
                names = part_of(list(MUTANTS), given.mutants) if given.mutants else [given.mutant]
                return hunt(ground, names, seeds, given.steps)
            ends = None if given.minutes is None else monotonic() + given.minutes * 60
            chosen = takewhile(lambda _: ends is None or monotonic() < ends, seeds)
            return run(ground, chosen, given.steps, trace=given.trace, mutant=given.mutant)
        finally:
            ground.close()


def seeds_of(text: str) -> list[int]:
    first, dash, last = text.partition("-")
    return list(range(int(first), int(last) + 1)) if dash else [int(one) for one in text.split(",")]


def part_of(names: list[str], part: str) -> list[str]:
    """ "2/3": the second of three parts, for as many processes."""
    if part == "all":
        return names
    number, _, parts = part.partition("/")
    return names[int(number) - 1 :: int(parts)]


def quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)


def run(ground: Ground, seeds: Iterable[int], steps: int, *, trace: bool, mutant: str | None) -> int:
    """Play one after the other, and tell the totals. 1: something was wrong."""
    totals: Counter[str] = Counter()
    for seed in seeds:
        played = play(ground, seed, steps=steps, mutant=mutant)
        tell(played, steps, trace=trace)
        totals.update({name: getattr(played, name) for name in _SUMMED})
        totals.update(seeds=1, violations=played.violation is not None)
    say(
        f"{totals['seeds']} seeds, {totals['steps']} steps, {totals['events']} events, "
        f"{totals['deliveries']} deliveries, {totals['faults']} faults, {totals['kills']} kills, "
        f"{totals['days'] / 365:.0f} years: {totals['violations']} violations"
    )
    return 1 if totals["violations"] else 0


def tell(played: Played, steps: int, *, trace: bool) -> None:
    say(line_of(played))
    if trace or played.violation:
        say("\n".join(f"    {one}" for one in (played.trace if trace else played.trace[-_SHOWN:])))
    if trace:
        say(f"    {played.acts}\n    {played.refused}")
    if played.violation:
        again = f"python -m tests.campaign --seed {played.seed} --steps {steps} --trace"
        say(f"  {played.violation}\n  again: {again}\n")


def hunt(ground: Ground, names: Sequence[str], seeds: Sequence[int], steps: int) -> int:
    """Plant each fault, and say after how many seeds, and by which invariant, it was found. 1: a harmful one was not."""
    alive = 0
    say("| planted fault | seeds | steps | found by | |\n|---|---|---|---|---|")
    for name in names:
        one = MUTANTS[name]
        count, played = 0, None
        for seed in seeds[: 4 if one.harmless else None]:
            count, played = count + 1, play(ground, seed, steps=steps, mutant=name)
            if played.violation is not None:
                break
        assert played is not None
        if played.invariant and play(ground, played.seed, steps=steps).violation is not None:
            say(f"seed {played.seed} finds something where nothing was planted: that comes first")
            return 1
        found = played.invariant or ("harmless: " + one.harmless if one.harmless else "NOT FOUND")
        alive += (played.invariant is None) != (one.harmless is not None)
        say(f"| {name} | {count} | {played.steps} | {found} | {one.what} |")
        if played.violation:
            say(f"<!-- seed {played.seed}: {played.violation[:200]} -->")
    return 1 if alive else 0


def line_of(played: Played) -> str:
    return (
        f"seed {played.seed}: {played.steps} steps, {played.events} events, {played.deliveries} deliveries, "
        f"{played.faults} faults, {played.kills} kills, {played.days} days, {played.seconds:.1f} s, {played.digest}"
        f"{'' if played.violation is None else '  VIOLATION ' + (played.invariant or '')}"
    )


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
