"""The project keeps its own rules."""

from connectors.registry import CONNECTORS
from tests.architecture import rules
from tests.architecture.rules import PROJECT
from tests.connectors.stories import STORIES

MAY_NAME_A_PLATFORM: dict[str, str] = {}
"""Path -> why it cannot do without."""

SHARED_BY_SERVICES = {
    "shop_client": "open_shop: every call to a shop goes through it",
    "wording": "money and rewards in words: the same for shoppers, staff and what is stored",
    "causes": "Cause: the words for why a repair was needed",
    "reconcile_run": "Run: what the kinds of reconciliation have in common",
}
"""Module of services that is no use case -> what it gives to those that are."""


def test_no_float_where_money_and_points_are_counted() -> None:
    assert rules.floats(PROJECT) == []


def test_the_core_names_no_platform() -> None:
    assert rules.platform_names(PROJECT, MAY_NAME_A_PLATFORM) == []


def test_what_may_name_a_platform_still_does() -> None:
    named = {breach.partition(":")[0] for breach in rules.platform_names(PROJECT, {})}
    assert set(MAY_NAME_A_PLATFORM) == named


def test_connectors_have_the_same_seven_modules() -> None:
    assert rules.connectors_out_of_shape(PROJECT) == []


def test_connectors_are_all_in_the_registry() -> None:
    assert {path.name for path in rules.connectors(PROJECT)} == set(CONNECTORS)


def test_connectors_tell_every_story() -> None:
    assert rules.untold_stories(PROJECT, STORIES) == []


def test_no_test_looks_away() -> None:
    assert rules.tests_that_look_away(PROJECT) == []


def test_services_are_found_by_their_file() -> None:
    assert rules.misnamed_services(PROJECT, SHARED_BY_SERVICES) == []


def test_what_services_share_is_named_only_while_it_is_there() -> None:
    named = {breach.partition(".py:")[0] for breach in rules.misnamed_services(PROJECT, {})}
    assert {f"app/services/{module}" for module in SHARED_BY_SERVICES} == named


def test_nothing_names_a_place_that_only_one_machine_has() -> None:
    assert rules.places(PROJECT, rules.tracked_files(PROJECT)) == []
