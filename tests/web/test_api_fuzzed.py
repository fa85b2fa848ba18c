"""The API against its own description: hundreds of made-up requests, with a key and without; never a fault of ours.

Each operation also gets one good request, so that what is fuzzed is known to work.
"""

from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.services.create_api_key import create_api_key
from app.services.find_member import ById
from app.services.find_merges import join_members
from app.services.give_tier import give_tier
from app.services.record_activity import Told, record_activity
from app.services.refer_friend import referral_code
from app.web.api.description import describe
from tests.factories import make_order
from tests.services.books import publish, suspect
from tests.services.crowd import VISIT
from tests.web.shoppers import Storefront
from tests.web.test_storefront import YESTERDAY, placed

OPERATIONS = sorted(
    (operation["operationId"], method.upper(), path)
    for path, methods in describe()["paths"].items()
    for method, operation in methods.items()
)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def key(storefront: Storefront) -> dict[str, str]:
    token = create_api_key(storefront.rt, storefront.program_id, "fuzz").token
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def known(storefront: Storefront, no_wait: None) -> dict[str, Any]:
    """Path parameters of things that are there."""
    storefront.see(make_order(**placed(YESTERDAY)))
    member_id = storefront.member("7", points=10_000)
    bought = storefront.post("redemptions", {"reward": "amount-5"}, key="fuzz").get_json()
    others = [storefront.member(ref, points=5) for ref in ("21", "22", "23")]
    rules = {"activities": [VISIT], "referral": {"referrer_points": 10, "friend_points": 10}}
    publish(storefront.rt, storefront.program_id, **rules)
    told = Told(who=ById(member_id), activity_key="visit", request_key="known", actor="Ada")
    given = give_tier(
        storefront.rt,
        storefront.program_id,
        others[2],
        "gold",
        until=None,
        reason="Press",
        actor="Ada",
        request_key="known",
    )
    merged = join_members(storefront.rt, storefront.program_id, others[0], others[1], actor="Ada")
    return {
        "member_id": member_id,
        "other_id": others[2],
        "merge_id": merged.merge_id,
        "activity_id": record_activity(storefront.rt, storefront.program_id, told).activity_id,
        "grant_id": given.grant_id,
        "review_id": suspect(storefront.rt, storefront.program_id, others[2]),
        "code": referral_code(storefront.rt, storefront.program_id, member_id),
        "redemption_id": int(bought["id"].removeprefix("r_")),
        "order": f"{storefront.shop.key}:1001",
    }


def operation_of(app: Flask, method: str, path: str) -> Any:
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)[path][method]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("name", "method", "path"), OPERATIONS)
def test_no_request_finds_a_fault(
    app: Flask,
    key: dict[str, str],
    known: dict[str, Any],
    name: str,
    method: str,
    path: str,
    mode: GenerationMode,
) -> None:
    operation = operation_of(app, method, path)
    there = {one: value for one, value in known.items() if f"{{{one}}}" in path}
    cases = operation.as_strategy(mode)
    if there:
        cases = st.one_of(cases, operation.as_strategy(mode, path_parameters=there))

    @settings(
        max_examples=25,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def ask(case: Any) -> None:
        case.validate_response(case.call(headers=key), checks=CHECKS)

    ask()


@pytest.mark.parametrize(("name", "method", "path"), OPERATIONS)
def test_without_a_key_every_request_is_refused(app: Flask, name: str, method: str, path: str) -> None:
    operation = operation_of(app, method, path)

    @settings(
        max_examples=10,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(GenerationMode.POSITIVE))
    def ask(case: Any) -> None:
        answer = case.call()
        assert answer.status_code in (401, 404)
        case.validate_response(answer, checks=[not_a_server_error, content_type_conformance])

    ask()


GOOD: dict[str, tuple[dict[str, Any], set[int]]] = {
    "list_members": ({}, {200}),
    "get_member": ({}, {200}),
    "list_entries": ({}, {200}),
    "adjust": ({"json": {"points": 5, "reason": "thanks"}}, {201}),
    "give_tier": ({"json": {"tier": "gold", "reason": "Press"}}, {201}),
    "take_tier_back": ({}, {200}),
    "merge_members": ({}, {201}),
    "undo_merge": ({}, {200}),
    "list_rewards": ({}, {200}),
    "redeem": ({"json": {"reward": "amount-5"}}, {202}),
    "get_redemption": ({}, {200}),
    "hand_over": ({}, {409}),  # of a code: only a perk is handed over
    "cancel_redemption": ({}, {200}),
    "get_order": ({}, {200}),
    "tell_activity": ({"json": {"activity": "visit", "key": "a good one"}}, {201}),
    "undo_activity": ({"json": {"reason": "a slip"}}, {200}),
    "list_activities": ({}, {200}),
    "referral_code": ({}, {200}),
    "tell_referral": ({}, {201}),
    "set_birthday": ({"json": {"birthday": "02-28", "consent": True}}, {204}),
    "forget_birthday": ({}, {204}),
    "block_member": ({"json": {"reason": "fraud"}}, {200}),
    "list_reviews": ({}, {200}),
    "allow_review": ({"json": {"reason": "a tea house"}}, {200}),
    "refuse_review": ({"json": {"reason": "a scheme"}}, {200}),
    "undo_review": ({"json": {"reason": "a slip"}}, {409}),  # nothing was decided yet
    "unblock_member": ({"json": {"reason": "none after all"}}, {409}),
}


@pytest.mark.parametrize(("name", "method", "path"), OPERATIONS)
def test_each_operation_works(
    app: Flask, key: dict[str, str], known: dict[str, Any], name: str, method: str, path: str
) -> None:
    more, statuses = GOOD[name]
    if name == "merge_members":
        more = {"json": {"other": known["other_id"]}}
    if name == "tell_activity":
        more["json"]["member"] = {"id": known["member_id"]}
    if name == "tell_referral":
        more = {"json": {"code": known["code"], "friend": {"id": known["other_id"]}}}
    headers = {**key, "Idempotency-Key": "a good one"}
    answer = app.test_client().open(path.format(**known), method=method, headers=headers, **more)
    assert answer.status_code in statuses


def test_the_description_holds_the_whole_api_and_needs_no_key(app: Flask) -> None:
    told = app.test_client().get("/api/v1/openapi.json").get_json()
    views = {
        (method, rule.rule.replace("<int:", "{").replace("<", "{").replace(">", "}"))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(method.upper(), path) for path, methods in told["paths"].items() for method in methods} == views
    assert told["security"] == [{"key": []}]
    assert set(GOOD) == {name for name, _, _ in OPERATIONS}


def test_the_schema_of_program_documents_is_published(app: Flask) -> None:
    answer = app.test_client().get("/api/v1/program.schema.json")
    assert answer.mimetype == "application/schema+json"
    assert "earn" in answer.get_json()["properties"]
