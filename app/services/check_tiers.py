"""Do a document's levels go together? What its schema cannot say, each with its field."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from app.domain.tier_rules import Downgrade, Window, in_order, thresholds_of

_FIELDS = ("from_minor", "from_points", "from_orders")


def check_tiers(tiers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(field, what is wrong) of a document's `tiers`, which passed its schema."""
    levels = tiers["levels"]
    yield from _of_window(tiers)
    yield from twice("tiers.levels", "key", levels)
    for place, level in enumerate(levels):
        yield from _of_level(f"tiers.levels[{place}]", level)
    if sum(_begins_at_0(level) for level in levels) != 1:
        yield "tiers.levels", "exactly one tier begins at 0"
    elif not _begins_at_0(in_order(levels)[0]):
        yield "tiers.levels", "the lowest tier is the one that begins at 0: write it first"
    for field in _FIELDS:
        yield from _rising(field, in_order(levels))


def twice(field: str, name: str, items: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    seen: set[Any] = set()
    for item in items:
        if item[name] in seen:
            yield field, f"two have {name} “{item[name]}”"
        seen.add(item[name])


def _begins_at_0(level: Mapping[str, Any]) -> bool:
    return 0 in thresholds_of(level).values()


def _of_window(tiers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    window = Window(tiers.get("window", Window.ROLLING))
    if window is Window.ROLLING and "months" not in tiers:
        yield "tiers.months", "over how many months is missing: a rolling window needs it"
    if window is not Window.ROLLING and "months" in tiers:
        yield "tiers.months", f"a window of “{window.value}” has no months: leave it out"
    if window is Window.LIFETIME and tiers.get("downgrade") == Downgrade.ONE_STEP:
        yield (
            "tiers.downgrade",
            "“one_step” needs a window that ends: for life, a level goes only with what reached it",
        )


def _of_level(field: str, level: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    reached = bool(thresholds_of(level))
    if level.get("invitation_only") and reached:
        yield field, "“invitation_only” and a threshold contradict each other: keep one"
    if not reached and not level.get("invitation_only") and "paid" not in level:
        yield (
            field,
            "nothing reaches it: give from_minor, from_points or from_orders, paid, or invitation_only",
        )
    if _begins_at_0(level):
        for name in ("entry_points", "paid"):
            if name in level:
                yield f"{field}.{name}", "everybody has the lowest tier: it is neither reached nor bought"
    if "paid" in level and not level["paid"].keys() & {"products", "variants"}:
        yield f"{field}.paid", "which products or variants buy it is missing"


def _rising(name: str, levels: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """A higher level asks for more of the same. `levels`: lowest first."""
    having = [level for level in levels if name in level]
    for lower, higher in pairwise(having):
        if lower[name] == higher[name]:
            yield "tiers.levels", f"two have {name} “{lower[name]}”"
        elif lower[name] > higher[name]:
            yield (
                "tiers.levels",
                f"“{higher['key']}” stands above “{lower['key']}” and asks for less: {name} {higher[name]}",
            )
