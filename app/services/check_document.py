"""Is a program document right? All that is wrong with it at once, each with its field."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from app.domain.errors import Refused
from app.domain.money import exponent

_LARGEST_MINOR = 1_000_000_000  # as for every amount of the document
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
    field = error.json_path.removeprefix("$.") or "document"
    if error.validator == "not":  # a field that its neighbours rule out
        return (field, f"{error.instance!r} does not go with the fields beside it: leave it out")
    return (field, error.message[:300])


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
    if sum(level["from_minor"] == 0 for level in levels) != 1:
        yield "tiers.levels", "exactly one tier begins at 0"
    yield from _twice("tiers.levels", "key", levels)
    yield from _twice("tiers.levels", "from_minor", levels)
    yield from _twice("rewards", "key", document["rewards"])
    keys = {level["key"] for level in levels}
    yield from _of_rules(document["earn"], keys)
    for place, reward in enumerate(document["rewards"]):
        yield from _of_reward(f"rewards[{place}]", reward, keys)


def _of_reward(field: str, reward: Mapping[str, Any], tiers: set[str]) -> Iterator[tuple[str, str]]:
    if reward.get("tier") is not None and reward["tier"] not in tiers:
        yield f"{field}.tier", f"there is no tier “{reward['tier']}”"
    yield from _of_times(f"{field}.during", reward.get("during", {}))
    yield from _twice(f"{field}.limits", "per", reward.get("limits", []))
    for key in reward.get("shops", ()):
        if "gifts" in reward and key not in reward["gifts"]:
            yield f"{field}.shops", f"“{key}” is named, and gifts says nothing of it"
    steps = reward.get("steps", {})
    for name in ("minimum_points", "maximum_points"):
        if name in steps and steps[name] % steps["points"]:
            yield f"{field}.steps.{name}", f"{steps[name]} is no multiple of the step of {steps['points']}"
    if steps and steps.get("maximum_points", 10**9) < steps.get("minimum_points", steps["points"]):
        yield f"{field}.steps.maximum_points", "it lies below the least that can be spent"
    most = steps.get("maximum_points", 0) // steps.get("points", 1) * steps.get("amount_minor", 0)
    if most > _LARGEST_MINOR:
        yield f"{field}.steps.maximum_points", f"it comes to {most}, and {_LARGEST_MINOR} is the most"


def _of_rules(earn: Mapping[str, Any], tiers: set[str]) -> Iterator[tuple[str, str]]:
    for group in ("rates", "campaigns", "bonuses", "caps"):
        yield from _twice(f"earn.{group}", "key", earn.get(group, []))
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


def _twice(field: str, name: str, items: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    seen: set[Any] = set()
    for item in items:
        if item[name] in seen:
            yield field, f"two have {name} “{item[name]}”"
        seen.add(item[name])
