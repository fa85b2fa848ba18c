"""`laurel demo`: two stand-in shops, one program, real purchases. See docs/demo.md."""

import argparse
import json
import logging
import signal
import sys
import threading
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from sandbox.demo.live import Running, Say

_EXAMPLES = """
examples:
  laurel demo                        shop pages, widget and admin in the browser; Ctrl-C ends it
  laurel demo --keep                 go on where the last one ended
  laurel demo --once                 the same without a browser, checked, in a minute or two
  laurel demo --once --orders 500 --faults heavy --json
"""


def main(argv: Sequence[str]) -> int:
    """Run the demo. 0: done, everything agreed; 1: something disagreed; 2: used wrongly."""
    try:
        asked = _parser().parse_args(argv)
    except SystemExit as end:
        return int(end.code or 0)
    return _once(asked) if asked.once else _live(asked)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="laurel demo",
        description="A Shopify and a WooCommerce shop of real purchases, one program over both, on this machine.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--orders", type=_count, help="how many orders (browser: 400 past ones; once: 500)")
    parser.add_argument("--seed", type=int, default=1, help="another number, other people (default: 1)")
    parser.add_argument("--keep", action="store_true", help="go on with the last demo")
    parser.add_argument("--no-browser", action="store_true", help="only print the addresses")
    parser.add_argument("--any-ports", action="store_true", help="take any free ports, not 8800 to 8802")
    parser.add_argument("--once", action="store_true", help="run everything once, check it, and exit")
    parser.add_argument(
        "--faults",
        choices=("none", "light", "heavy"),
        default="none",
        help="with --once: lost, doubled, late and shuffled deliveries, shops that fail",
    )
    parser.add_argument("--json", action="store_true", help="with --once: the whole report")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 100_000:
        raise argparse.ArgumentTypeError("from 1 to 100000")
    return number


# --- Once ------------------------------------------------------------------------------------------------------


def _once(asked: argparse.Namespace) -> int:
    from app import logs
    from app.settings import Settings
    from sandbox.demo.database import fresh_database
    from sandbox.demo.once import Once, Wish
    from sandbox.demo.report import run_and_report, shown

    logs.configure(level=logging.CRITICAL)  # what fails on purpose is in the report
    wish = Wish(orders=asked.orders or 500, faults=asked.faults, seed=asked.seed)
    var = Settings.from_env("demo").var / "demo"
    with fresh_database(var) as urls, _progress() as say, closing(Once(wish, urls, say=say)) as once:
        report = run_and_report(once)
    if asked.json:
        sys.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(shown(report))
    return 0 if report["ok"] else 1


@contextmanager
def _progress() -> Iterator["Say"]:
    """Bars on stderr, one for each thing that takes long; none where nobody looks."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        tasks: dict[str, TaskID] = {}

        def say(what: str, count: int, of: int | None) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=of)
            progress.update(tasks[what], completed=count, total=of)

        yield say


# --- In the browser --------------------------------------------------------------------------------------------


def _live(asked: argparse.Namespace) -> int:
    from app import logs
    from app.settings import Settings
    from sandbox.demo.live import Wish, running

    logs.configure(level=logging.WARNING)
    console = Console(highlight=False, soft_wrap=True)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())

    def mail(to: str, subject: str, text: str) -> None:
        console.rule(f"Mail to {to}")
        console.print(f"{subject}\n\n{text}", markup=False)
        console.rule()

    wish = Wish(orders=asked.orders or 400, seed=asked.seed, keep=asked.keep, any_ports=asked.any_ports)
    with ExitStack() as stack:
        try:
            with _progress() as say:
                var = Settings.from_env("demo").var / "demo"
                place = stack.enter_context(running(var, wish, mail=mail, say=say))
        except OSError as error:
            sys.stderr.write(f"The demo cannot start: {error}. Without --keep it takes other ports.\n")
            return 1
        _tell(console, place)
        if not asked.no_browser:
            webbrowser.open(place.woocommerce)
        ended.wait()
        console.print("Stopping …")
    return 0


def _tell(console: Console, place: "Running") -> None:
    console.print()
    console.print(f"WooCommerce shop   {place.woocommerce}")
    console.print(f"Shopify shop       {place.shopify}")
    console.print(f"Admin              {place.admin}   (signs in once)", markup=False)
    console.print(
        f"Page at ours       {place.page}   (signs in {place.somebody}: the mail is printed here)",
        markup=False,
    )
    console.print(f"API                {place.laurel}/api/v1   key {place.api_key}", markup=False)
    console.print()
    console.print(
        "Choose who you shop as, buy something, and open the leaf in the corner. Ctrl-C ends the demo."
    )
