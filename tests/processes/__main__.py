"""`python -m tests.processes [--strikes 40] [--seed 1] [--pause 2]`: kill, crash and cut, and look what is left."""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.processes.ground import broken_ground
from tests.processes.storm import Storm


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.processes", description=__doc__)
    parser.add_argument("--strikes", type=int, default=40, help="of four kinds, by turns")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between two, about")
    wish = parser.parse_args()
    home = Path(tempfile.gettempdir()) / f"laurel-storm-{os.getpid()}"
    with broken_ground(home) as (ground, program_id, stand):
        storm = Storm(ground, program_id, stand, wish.seed)
        storm.gather()
        storm.blow(wish.strikes, pause_s=wish.pause, progress=_say)
        outcome = storm.settle()
    print(file=sys.stderr)
    for name, count in outcome.counts.items():
        print(f"{name:<28}{count:>8,}")
    for problem in outcome.problems:
        print(f"WRONG: {problem}")
    if outcome.problems:
        print(f"The processes' logs are in {home}")
        return 1
    print("Nothing that was acknowledged is lost, nothing was given twice.")
    shutil.rmtree(home)
    return 0


def _say(done: int, of: int) -> None:
    print(f"\r{done} of {of} strikes", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
