"""`python -m tests.processes [--strikes 40] [--seed 1] [--also disk clock network]`: break it, and look what is left."""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.processes.ground import Rough, broken_ground
from tests.processes.storm import CUSTOMERS, CUT, FILL, MIGRATE, STRIKES, TURN, Storm

_LOST_S = 40.0  # longer than it takes Laurel to notice


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.processes", description=__doc__)
    parser.add_argument("--strikes", type=int, default=40, help="of each kind by turns")
    parser.add_argument(
        "--also",
        nargs="*",
        default=[],
        choices=("disk", "clock", "network"),
        help="disk: a small one that is filled (root); clock: jumps of up to 26 hours (a C compiler); "
        "network: the way to the database is a namespace whose packets are lost (root, ip)",
    )
    parser.add_argument(
        "--older",
        type=Path,
        help="a checkout of the version before the newest migration: the database is migrated forward and back, and "
        "the code of both runs",
    )
    parser.add_argument("--entries", type=int, default=0, help="of a ledger that another program has already")
    parser.add_argument(
        "--only", action="store_true", help="with --also and --older: those kinds and no others"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between two, about")
    parser.add_argument("--breath", type=float, default=0, help="seconds between two orders of each buyer")
    wish = parser.parse_args()
    home = Path(tempfile.gettempdir()) / f"laurel-storm-{os.getpid()}"
    older = wish.older.resolve() if wish.older else None
    rough = Rough(**dict.fromkeys(wish.also, True), older=older, entries=wish.entries)
    also = [kind for kind, wanted in ((FILL, rough.disk), (TURN, rough.clock), (MIGRATE, older)) if wanted]
    own = [CUT] if rough.network else []
    kinds = (*own, *also) if wish.only else (*STRIKES, *also)
    cut_s = _LOST_S if rough.network else 2.0
    with broken_ground(home, rough) as (ground, program_id, stand):
        customers = max(CUSTOMERS, 2 * wish.strikes)
        storm = Storm(ground, program_id, stand, wish.seed, kinds, cut_s, customers, wish.breath)
        storm.gather()
        storm.blow(wish.strikes, pause_s=wish.pause, progress=_say)
        outcome = storm.settle()
    print(file=sys.stderr)
    for name, count in outcome.counts.items():
        print(f"{name:<28}{count:>8,}")
    if ground.migrations:
        print(f"migrated in at most {max(ground.migrations):.2f} s")
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
