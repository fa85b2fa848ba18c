"""`python -m tests.hostile.guided [--minutes 30] [--corpus DIR]`: bytes of a coverage-guided fuzzer, read by the parsers.

atheris watches which lines of ours each input reaches and goes on from those that reached new ones. It is no part of the
lock files: `pip install atheris` into an environment of its own, or beside these. Ends at the first input that breaks a
parser and keeps it as crash-… in the folder where it was started.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

_TOPICS = {
    "shopify": (
        "orders/updated",
        "orders/paid",
        "customers/update",
        "customers/merge",
        "customers/redact",
        "shop/redact",
    ),
    "woocommerce": ("order.updated", "customer.updated", "order.deleted", "coupon.updated"),
}
_PLACES = [(platform, topic) for platform, topics in _TOPICS.items() for topic in topics]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.hostile.guided", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--corpus", type=Path, help="where inputs that reached something new are kept")
    options = parser.parse_args()
    atheris = import_module("atheris")
    with atheris.instrument_imports(
        include=["connectors", "app.domain", "app.services.check_document", "app.web.clean"]
    ):
        one = _target()
    with tempfile.TemporaryDirectory() as folder:
        corpus = options.corpus or Path(folder)
        _plant(corpus)
        atheris.Setup(
            [
                sys.argv[0],
                str(corpus),
                f"-max_total_time={options.minutes * 60}",
                "-max_len=20000",
                "-timeout=20",
                "-rss_limit_mb=2048",
            ],
            one,
        )
        atheris.Fuzz()
    return 0


def _target() -> Callable[[bytes], None]:
    """What one input goes through. Its first byte says which parser; anything but an answer or a refusal is a crash."""
    from app.domain.errors import Refused
    from app.domain.money import Money
    from app.domain.program import decode
    from app.services.check_document import check_document
    from connectors.woocommerce.install import site_address
    from tests.hostile.bodies import Hostile
    from tests.hostile.check import understand

    def program(text: str) -> None:
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            return
        if isinstance(document, dict):
            check_document(document)
            decode(document, 1)

    texts: list[Callable[[str], object]] = [lambda text: Money.parse(text, "EUR"), site_address, program]

    def one(data: bytes) -> None:
        which, body = data[0] % (len(_PLACES) + len(texts)) if data else 0, data[1:]
        if which < len(_PLACES):
            understand(Hostile("guided", *_PLACES[which], body))
            return
        with suppress(Refused):
            texts[which - len(_PLACES)](body.decode("utf-8", "replace"))

    return one


def _plant(corpus: Path) -> None:
    """What it begins with: a real body of each kind, a price, an address, a program."""
    from app.domain.program import default_document
    from tests.hostile.bodies import real_bodies

    corpus.mkdir(parents=True, exist_ok=True)
    seeds = [
        (_PLACES.index((one.platform, one.topic)), one.body)
        for one in real_bodies()
        if (one.platform, one.topic) in _PLACES
    ]
    document = json.dumps(default_document("Fern", "EUR", "Europe/Berlin"))
    for number, text in enumerate(("12.50", "https://shop.example/shop/wp-admin", document)):
        seeds.append((len(_PLACES) + number, text.encode()))
    for number, (which, body) in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(bytes([which]) + body)


if __name__ == "__main__":
    raise SystemExit(main())
