"""`python -m tests.fuzz_api [--cases 50000] [--seed 1]`: the long form of the fuzzed APIs.

Every request made by hand and so many made up, over all operations of both APIs; then the table of what was answered.
Ends in 1 if an answer was not as described, was a fault of ours, or a declared one never came.
"""

import argparse
import logging
import os
import sys
import tempfile
import time
from pathlib import Path

import pytest
import structlog

from app.db import embedded
from app.db.migrating import migrate
from app.db.session import Database
from app.web import create_app
from tests.conftest import Clock, Mails, make_runtime, new_database
from tests.fuzz_api.fuzz import ask_by_hand, fuzz
from tests.fuzz_api.world import make_world


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz_api", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--cases", type=int, default=50_000, help="made-up requests; those by hand are always all"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    began, cpu = time.monotonic(), time.process_time()
    home = Path(tempfile.gettempdir()) / f"laurel-fuzz-{os.getuid()}"
    with (
        embedded.start(home, durable=False) as server,
        new_database(server, f"fuzz_{os.getpid()}") as urls,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("app.web.limits.Minute.count", lambda self, name, second: 1)
        patch.setattr("app.services.await_code.LONGEST_S", 0.0)
        migrate(urls.owner_url, urls.app_url)
        db = Database(urls.app_url, pool_size=4)
        rt = make_runtime(db, Clock(), Mails())
        app = create_app(rt)
        found = ask_by_hand(lambda: make_world(rt, app))
        found.add(fuzz(lambda: make_world(rt, app), cases=options.cases, start=options.seed))
        db.close()
    print(found.table())
    for fault in found.faults[:50]:
        print(f"\n{fault}", file=sys.stderr)
    spent = f"{time.monotonic() - began:.0f} s, {time.process_time() - cpu:.0f} s of processor time"
    print(f"\n{found.sent} requests, {len(found.faults)} faults, {spent}, seed {options.seed}")
    print(f"declared and never answered: {found.missing() or 'none'}")
    return 1 if found.faults or found.missing() else 0


if __name__ == "__main__":
    raise SystemExit(main())
