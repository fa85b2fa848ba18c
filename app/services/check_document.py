"""Is a program document right? All that is wrong with it at once, each with its field."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from app.domain.activities import BY_ITSELF, ONCE, REFERRAL, ActivityKind
from app.domain.calendar import is_time_zone
from app.domain.errors import Refused
from app.domain.money import exponent
from app.domain.program import BUDGET
from app.services.check_tiers import check_tiers, twice

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
    if error.validator == "pattern" and isinstance(error.schema, Mapping) and "examples" in error.schema:
        return (field, f"{error.instance!r} is not written as in {error.schema['examples'][0]}")
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
    if not is_time_zone(document["timezone"]):
        yield "timezone", f"“{document['timezone']}” is not a time zone such as Europe/Berlin"
    if document["currency"] in document["currencies"]:
        yield f"currencies.{document['currency']}", "the program's own currency needs no rate"
    levels = document["tiers"]["levels"]
    yield from check_tiers(document["tiers"])
    yield from twice("rewards", "key", document["rewards"])
    keys = {level["key"] for level in levels}
    if any(cap["key"] == BUDGET for cap in document["earn"].get("caps", [])):
        yield "earn.caps", f"the key “{BUDGET}” is kept for the budget: choose another"
    expiry = document["expiry"]
    for days in expiry.get("reminders", ()):
        if days >= expiry["days"]:
            yield (
                "expiry.reminders",
                f"{days} days before the end is before points are given: they last {expiry['days']} days",
            )
    segments = document.get("segments", [])
    yield from twice("segments", "key", segments)
    for place, segment in enumerate(segments):
        yield from _of_people(f"segments[{place}].whose", segment["whose"], keys, set())
    yield from _of_rules(document["earn"], keys, {segment["key"] for segment in segments})
    yield from _of_activities(document.get("activities", []))
    for place, reward in enumerate(document["rewards"]):
        yield from _of_reward(f"rewards[{place}]", reward, keys)


def _of_reward(field: str, reward: Mapping[str, Any], tiers: set[str]) -> Iterator[tuple[str, str]]:
    if reward.get("tier") is not None and reward["tier"] not in tiers:
        yield f"{field}.tier", f"there is no tier “{reward['tier']}”"
    yield from _of_times(f"{field}.during", reward.get("during", {}))
    yield from twice(f"{field}.limits", "per", reward.get("limits", []))
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


def _of_rules(earn: Mapping[str, Any], tiers: set[str], segments: set[str]) -> Iterator[tuple[str, str]]:
    yield from _of_people("earn.exclude_members", earn.get("exclude_members", {}), tiers, segments)
    for group in ("rates", "campaigns", "bonuses", "goals", "caps"):
        yield from twice(f"earn.{group}", "key", earn.get(group, []))
        for place, rule in enumerate(earn.get(group, [])):
            field = f"earn.{group}[{place}]"
            yield from _of_people(f"{field}.whose", rule.get("whose", {}), tiers, segments)
            yield from _of_times(f"{field}.during", rule.get("during", {}))


def _of_people(
    field: str, whose: Mapping[str, Any], tiers: set[str], segments: set[str]
) -> Iterator[tuple[str, str]]:
    for tier in whose.get("tiers", ()):
        if tier not in tiers:
            yield f"{field}.tiers", f"there is no tier “{tier}”"
    for segment in whose.get("segments", ()):
        if segment not in segments:
            yield f"{field}.segments", f"there is no segment “{segment}”"
    for least, most in _RANGES:
        if least in whose and most in whose and whose[least] > whose[most]:
            yield f"{field}.{most}", f"{whose[most]} is less than {least}, {whose[least]}: this is nobody"
    for tag in sorted({tag.casefold() for tag in whose.get("tags", ())}):
        if tag in {tag.casefold() for tag in whose.get("without_tags", ())}:
            yield f"{field}.without_tags", f"“{tag}” is also in tags"


_RANGES = (
    ("orders_from", "orders_to"),
    ("spend_from_minor", "spend_to_minor"),
    ("member_days_from", "member_days_to"),
)


def _of_activities(activities: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    yield from twice("activities", "key", activities)
    alone: set[str] = set()
    for place, one in enumerate(activities):
        kind, field = ActivityKind(one["kind"]), f"activities[{place}]"
        if one["key"] == REFERRAL:
            yield f"{field}.key", f"“{REFERRAL}” is the name of bringing a friend: take another"
        if kind in BY_ITSELF and kind in alone:
            yield f"{field}.kind", f"there is a {kind} already: a program has one"
        alone.add(kind)
        if "limit" in one and (kind in ONCE or kind is ActivityKind.BIRTHDAY):
            often = "once a year" if kind is ActivityKind.BIRTHDAY else "once for a member"
            yield f"{field}.limit", f"a {kind} is given {often} in any case: leave the limit out"
        yield from _of_times(f"{field}.during", one.get("during", {}))


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
