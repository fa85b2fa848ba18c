"""`laurel demo`: two stand-in shops, one program, real purchases. See docs/demo.md."""

import argparse
import json
import logging
import sys
from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Run the demo. 0: done, everything agreed; 1: something disagreed; 2: used wrongly."""
    try:
        asked = _parser().parse_args(argv)
    except SystemExit as end:
        return int(end.code or 0)
    if asked.once:
        return _once(asked)
    return 2


def _once(asked: argparse.Namespace) -> int:
    from app import logs
    from app.settings import Settings
    from sandbox.demo.database import fresh_database
    from sandbox.demo.once import Once, Wish
    from sandbox.demo.report import run_and_report

    logs.configure(level=logging.ERROR)
    wish = Wish(orders=asked.orders, faults=asked.faults, seed=asked.seed)
    with fresh_database(Settings.from_env("demo").var / "demo") as urls:
        report = run_and_report(Once(wish, urls))
    sys.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    return 0 if report["ok"] else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="laurel demo")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--orders", type=int, default=500)
    parser.add_argument("--faults", choices=("none", "light", "heavy"), default="none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    return parser
