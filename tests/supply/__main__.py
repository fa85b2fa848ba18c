"""`python -m tests.supply [--sbom FILE]`: writes the list of what Laurel is made of, and asks what is known against it.

Ends in 1 where a weakness of a pinned package is known. Where nobody can be asked it says so and ends in 0: that the
list of weaknesses is out of reach says nothing about Laurel.
"""

import argparse
import sys
from pathlib import Path

from tests.supply.bill import LOCK, PROJECT, bill
from tests.supply.known import Known, find_known


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.supply", description=__doc__.splitlines()[0])
    parser.add_argument("--sbom", type=Path, default=PROJECT / ".venv" / "laurel.cdx.json", metavar="FILE")
    wish = parser.parse_args()
    wish.sbom.parent.mkdir(parents=True, exist_ok=True)
    wish.sbom.write_text(bill())
    print(f"SBOM written: {wish.sbom.name}")
    known = find_known(LOCK)
    print(*lines(known), sep="\n")
    return 1 if known.against else 0


def lines(known: Known) -> list[str]:
    said = [f"{package}: {', '.join(names)}" for package, names in known.against.items()]
    if not known.asked:
        return ["NOT LOOKED UP: no list of known weaknesses could be reached from here"]
    if known.unknown:
        said.append(f"not looked up: {', '.join(known.unknown)}")
    return [*said, f"{known.asked} packages looked up, {len(known.against)} with known weaknesses"]


if __name__ == "__main__":
    sys.exit(main())
