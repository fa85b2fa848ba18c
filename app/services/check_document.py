"""Is a program document right? All that is wrong with it at once, each with its field."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from app.domain.errors import Refused
from app.domain.money import exponent
from app.services.check_tiers import check_tiers, twice

SCHEMA_FILE = Path(__file__).with_name("program.schema.json")


class WrongDocument(Refused):
    """`faults`: (field, what was found and what is allowed)."""

    def __init__(self, faults: list[tuple[str, str]]) -> None:
        super().__init__("wrong_document", "; ".join(f"{field}: {fault}" for field, fault in faults))
        self.faults = faults


def check_document(document: Mapping[str, Any]) -> None:
    """Raises: WrongDocument."""
    faults = [
        _fault(error)
        for error in sorted(_validator().iter_errors(document), key=lambda error: error.json_path)
    ]
    if not faults:
        faults = list(_contradictions(document))
    if faults:
        raise WrongDocument(faults)


@cache
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SCHEMA_FILE.read_text())
    return found


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


def _fault(error: ValidationError) -> tuple[str, str]:
    return (error.json_path.removeprefix("$.") or "document", error.message[:300])


def _contradictions(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a schema cannot say."""
    for field, code in [
        ("currency", document["currency"]),
        *((f"currencies.{c}", c) for c in document["currencies"]),
    ]:
        try:
            exponent(code)
        except Refused as refused:
            yield field, refused.detail
    if document["timezone"] not in available_timezones():
        yield "timezone", f"“{document['timezone']}” is not a time zone such as Europe/Berlin"
    if document["currency"] in document["currencies"]:
        yield f"currencies.{document['currency']}", "the program's own currency needs no rate"
    levels = document["tiers"]["levels"]
    yield from check_tiers(document["tiers"])
    yield from twice("rewards", "key", document["rewards"])
    keys = {level["key"] for level in levels}
    yield from _of_rules(document["earn"], keys)
    for place, reward in enumerate(document["rewards"]):
        if reward.get("tier") is not None and reward["tier"] not in keys:
            yield f"rewards[{place}].tier", f"there is no tier “{reward['tier']}”"


def _of_rules(earn: Mapping[str, Any], tiers: set[str]) -> Iterator[tuple[str, str]]:
    for group in ("rates", "campaigns", "bonuses", "caps"):
        yield from twice(f"earn.{group}", "key", earn.get(group, []))
        for place, rule in enumerate(earn.get(group, [])):
            field = f"earn.{group}[{place}]"
            for tier in rule.get("whose", {}).get("tiers", ()):
                if tier not in tiers:
                    yield f"{field}.whose.tiers", f"there is no tier “{tier}”"
            yield from _of_times(f"{field}.during", rule.get("during", {}))


def _of_times(field: str, during: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    read: dict[str, datetime] = {}
    for name in ("starts", "ends"):
        try:
            if name in during:
                read[name] = datetime.fromisoformat(during[name])
        except ValueError:
            yield f"{field}.{name}", f"“{during[name]}” is no date"
    if len(read) == 2 and read["ends"] <= read["starts"]:
        yield f"{field}.ends", "it ends before it starts"
    if "hours" in during and during["hours"][0] == during["hours"][1]:
        yield f"{field}.hours", "from and until are the same: leave the hours out for a whole day"
