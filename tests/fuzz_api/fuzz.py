"""Requests made up from the descriptions, and by hand; what came back, counted; and whatever broke a promise."""

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.web.api.description import describe as describe_api
from tests.fuzz_api import storefront
from tests.fuzz_api.hand_made import Ask, body, hand_made
from tests.fuzz_api.world import World

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@dataclass(frozen=True, slots=True)
class Operation:
    name: str
    method: str
    path: str
    declared: frozenset[int]

    @property
    def is_shoppers(self) -> bool:
        return self.path.startswith("/storefront/")


@dataclass(slots=True)
class Found:
    """`answers`: how often each operation answered with each status. `faults`: the broken promises, in words."""

    sent: int = 0
    answers: dict[str, Counter[int]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def note(self, operation: Operation, status: int) -> None:
        self.sent += 1
        self.answers.setdefault(operation.name, Counter())[status] += 1

    def add(self, other: "Found") -> None:
        self.sent += other.sent
        self.faults += other.faults
        for name, counted in other.answers.items():
            self.answers.setdefault(name, Counter()).update(counted)

    def missing(self) -> list[tuple[str, int]]:
        """Declared and never seen: a promise that nobody can have, or one that was not tried."""
        return sorted(
            (one.name, status)
            for one in OPERATIONS
            for status in one.declared - self.answers.get(one.name, Counter()).keys()
        )

    def table(self) -> str:
        """Operation × status; a dash: not declared."""
        statuses = sorted({status for one in OPERATIONS for status in one.declared} | self._seen())
        lines = ["operation".ljust(20) + "".join(f"{status:>8}" for status in statuses)]
        for one in OPERATIONS:
            counted = self.answers.get(one.name, Counter())
            cells = (
                str(counted[status]) if counted[status] or status in one.declared else "-"
                for status in statuses
            )
            lines.append(one.name.ljust(20) + "".join(f"{cell:>8}" for cell in cells))
        return "\n".join(lines)

    def _seen(self) -> set[int]:
        return {status for counted in self.answers.values() for status in counted}


def _operations(description: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in description["paths"].items():
        for method, told in methods.items():
            declared = frozenset(int(status) for status in told["responses"])
            yield Operation(told["operationId"], method.upper(), path, declared)


OPERATIONS = sorted(
    (*_operations(describe_api()), *_operations(storefront.describe("shop"))), key=lambda one: one.name
)


def ask_by_hand(make: Callable[[], World]) -> Found:
    """Every operation in a world of its own; a status other than the one that was meant is a fault."""
    found = Found()
    for operation in OPERATIONS:
        world = make()
        for ask in hand_made(world, operation.name, set(operation.declared)):
            status = _send(world, operation, ask, found)
            if status != ask.status:
                found.faults.append(f"{operation.name}: {status} where {ask.status} was meant: {ask}")
    return found


def _send(world: World, operation: Operation, ask: Ask, found: Found) -> int:
    query = {"key": world.shop.shop.key, **ask.query} if operation.is_shoppers else ask.query
    path = operation.path.format(**{**world.values, **ask.blanks})
    said = world.headers(path, ask.customer_ref) if ask.signed_in else {}
    answer = world.app.test_client().open(
        f"{path}?{urlencode(query)}" if query else path,
        method=operation.method,
        json=ask.json if ask.data is None else None,
        data=ask.data,
        headers={**said, **ask.headers},
    )
    found.note(operation, answer.status_code)
    try:
        described(world, operation).Case().validate_response(answer, checks=CHECKS)
    except Exception as error:
        found.faults.append(f"{operation.name}, by hand: {error}")
    return answer.status_code


def fuzz(make: Callable[[], World], *, cases: int, start: int) -> Found:
    """`cases` made-up requests, as many good ones as bad ones of each operation, in a world of its own."""
    found = Found()
    each = max(1, cases // (len(OPERATIONS) * len(MODES)))
    for operation in OPERATIONS:
        world = make()
        for mode in MODES:
            _ask(world, operation, mode, each, start, found)
    return found


def _ask(
    world: World, operation: Operation, mode: GenerationMode, count: int, start: int, found: Found
) -> None:
    """Half of the addresses and fields name things that are there; one in ten brings no proof, or a wrong one."""
    loaded = described(world, operation)
    there = {name: value for name, value in world.values.items() if f"{{{name}}}" in operation.path}
    made = loaded.as_strategy(mode)
    if there:
        made = st.one_of(made, loaded.as_strategy(mode, path_parameters=there))
    proof = world.headers(operation.path)
    known = (body(world, operation.name) or {}) if mode is GenerationMode.POSITIVE else {}
    fields = st.sets(st.sampled_from(sorted(known))) if known else st.just(set())
    proofs = st.sampled_from([proof] * 9 + [{}, {"Authorization": "Bearer x"}])

    @seed(start)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=made, headers=proofs, named=fields)
    def ask(case: Any, headers: dict[str, str], named: set[str]) -> None:
        if isinstance(case.body, dict):
            case.body |= {name: known[name] for name in named}
        answer = case.call(headers=headers)
        found.note(operation, answer.status_code)
        try:
            case.validate_response(answer, checks=CHECKS)
        except Exception as error:  # every one is told, and the run goes on
            found.faults.append(f"{operation.name} ({mode.value}): {error}")

    ask()


def described(world: World, operation: Operation) -> Any:
    """The operation as schemathesis knows it, asked of the world's own application."""
    loaded = _loaded(world.app, world.shop.shop.key if operation.is_shoppers else None)
    return loaded[operation.path][operation.method]


@lru_cache(maxsize=4)
def _loaded(app: Flask, shop_key: str | None) -> Any:
    description = describe_api() if shop_key is None else storefront.describe(shop_key)
    loaded = schemathesis.openapi.from_dict(copy.deepcopy(description))
    loaded.app = app
    return loaded
