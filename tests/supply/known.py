"""What is known against the pinned packages, by pip-audit: PyPI's list of weaknesses, and OSV's where that is silent."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SERVICES = ("pypi", "osv")


@dataclass(frozen=True, slots=True)
class Known:
    """`against`: package and version -> names of weaknesses. `unknown`: packages that nobody could be asked about."""

    against: Mapping[str, list[str]]
    unknown: list[str]
    asked: int


def find_known(lock: Path) -> Known:
    """What the first service that answers says. Nothing is installed, and nothing outside the lock is looked at."""
    answers = (_ask(service, lock) for service in SERVICES)
    found = None
    for answer in answers:
        if answer is not None:
            found = read(answer)
            if found.asked:
                return found
    return found or Known({}, [], 0)


def read(answer: Mapping[str, Any]) -> Known:
    """pip-audit's JSON. A package that it skipped was not looked up, which is not the same as nothing known."""
    looked_up = [one for one in answer["dependencies"] if "skip_reason" not in one]
    return Known(
        against={
            f"{one['name']} {one['version']}": _names(one["vulns"]) for one in looked_up if one["vulns"]
        },
        unknown=[one["name"] for one in answer["dependencies"] if "skip_reason" in one],
        asked=len(looked_up),
    )


def _names(weaknesses: Iterable[Mapping[str, Any]]) -> list[str]:
    return [
        one["id"] + (f" (mended in {', '.join(one['fix_versions'])})" if one["fix_versions"] else "")
        for one in weaknesses
    ]


def _ask(service: str, lock: Path) -> Mapping[str, Any] | None:
    command = [
        sys.executable, "-m", "pip_audit", "--vulnerability-service", service, "--requirement", os.fspath(lock),
        "--require-hashes", "--disable-pip", "--progress-spinner", "off", "--timeout", "10", "--format", "json",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        answer: Mapping[str, Any] = json.loads(done.stdout)
    except ValueError:  # the service could not be reached
        return None
    return answer
