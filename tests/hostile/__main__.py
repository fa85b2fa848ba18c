"""`python -m tests.hostile [--bodies 20000] [--seed 1]`: the long form of the hostile bodies.

Every body made by hand and so many mutated ones, each read by its connector and counted, then all of them signed,
received by the web, drained and settled in a real database. Ends in 1 if anything broke, and names the bodies.
"""

import argparse
import itertools
import json
import logging
import os
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
import structlog

from app.db import embedded
from app.db.migrating import migrate
from app.db.session import Database
from app.web import create_app
from tests.conftest import Clock, Mails, make_runtime, new_database
from tests.hostile.bodies import hand_made, mutated
from tests.hostile.check import Broken, understand
from tests.hostile.through import go_through


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--bodies", type=int, default=20_000, help="mutated ones; those made by hand are always all"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    began, slowest, broken = time.monotonic(), 0.0, []
    meant: Counter[str] = Counter()
    for one in itertools.chain(hand_made(), mutated(options.seed, options.bodies)):
        start = time.process_time()
        try:
            meant[type(understand(one)).__name__] += 1
        except Broken as error:
            broken.append(str(error))
        slowest = max(slowest, time.process_time() - start)
    home = Path(tempfile.gettempdir()) / f"laurel-hostile-{os.getuid()}"
    with (
        embedded.start(home, durable=False) as server,
        new_database(server, f"hostile_{os.getpid()}") as urls,
    ):
        migrate(urls.owner_url, urls.app_url)
        db = Database(urls.app_url, pool_size=4)
        rt = make_runtime(db, Clock(), Mails())
        before = psutil.Process().memory_info().rss
        found = go_through(
            create_app(rt), rt, itertools.chain(hand_made(), mutated(options.seed, options.bodies))
        )
        grown = psutil.Process().memory_info().rss - before
        db.close()
    report = {
        "bodies": found.sent,
        "meant": dict(meant.most_common()),
        "answers": found.answers,
        "states": found.states,
        "slowest_ms": round(slowest * 1000),
        "memory_grown_mb": round(grown / 2**20),
        "seconds": round(time.monotonic() - began),
        "broken": broken + found.faults,
    }
    print(json.dumps(report, indent=2))
    return 1 if report["broken"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
