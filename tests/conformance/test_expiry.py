"""Every example of expiry.toml: rules, local times, and the moment at which the points are gone."""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.domain.earning import lot_expiry
from app.domain.expiring import silent_until
from app.domain.program import Program, decode, default_document
from app.services.check_document import check_document

EXAMPLES = tomllib.loads(Path(__file__).with_name("expiry.toml").read_text())["example"]


def program_of(expiry: Mapping[str, Any], zone: str) -> Program:
    document = default_document("Example", "EUR", zone) | {"expiry": expiry}
    check_document(document)
    return decode(document, 1)


@pytest.mark.parametrize("example", EXAMPLES, ids=[one["says"] for one in EXAMPLES])
def test_the_example_holds(example: Mapping[str, Any]) -> None:
    zone = ZoneInfo(example["zone"])
    given = program_of(example["given"], example["zone"])
    live = program_of(example.get("live", example["given"]), example["zone"])
    earned = datetime.fromisoformat(example["earned"]).replace(tzinfo=zone)
    last = datetime.fromisoformat(example.get("last", example["earned"])).replace(tzinfo=zone)
    ends = [lot_expiry(given, earned), silent_until(given, live, last)]
    soonest = min((end for end in ends if end is not None), default=None)
    wanted = datetime.fromisoformat(example["ends"]).replace(tzinfo=zone) if "ends" in example else None
    assert soonest == wanted
