"""The preview of a draft as a job: in steps, to the end whatever is killed, and it says so if it cannot."""

import json
from typing import Any

import pytest

from app.db import previews
from app.domain.money import Money
from app.services import preview_program as previewing
from app.services import tier_moves
from app.services.ask_preview import AskedPreview, ask_preview, find_preview, stop_preview
from app.services.preview_program import PublishPreview, preview_program
from app.services.publish_program import list_versions, publish_program
from app.services.runtime import Runtime
from app.services.try_program import try_program
from tests.conftest import Clock
from tests.factories import make_order
from tests.services.histories import History, a_bit_of_everything, make_history
from tests.services.jobs import run_jobs, take_due


@pytest.fixture
def past(rt: Runtime, clock: Clock) -> History:
    past = make_history(rt, clock)
    for customer, amount in (("7", "600.00"), ("8", "450.00"), ("9", "2100.00"), ("10", "20.00")):
        past.buy(customer, customer, amount)
    return past


def draft(past: History, silver: int = 40_000) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(list_versions(past.rt, past.program_id)[0].document))
    document["tiers"]["levels"][1]["from_minor"] = silver
    return document


def ask(past: History, document: dict[str, Any]) -> int:
    return ask_preview(past.rt, past.program_id, json.dumps(document), note="", based_on=1)


def look(past: History, preview_id: int) -> AskedPreview:
    return find_preview(past.rt, past.program_id, preview_id)


def told(past: History, preview_id: int) -> PublishPreview:
    found = look(past, preview_id).preview
    assert found is not None
    return found


def test_the_job_says_what_publishing_does(rt: Runtime, clock: Clock) -> None:
    past = a_bit_of_everything(rt, clock)
    document = draft(past, silver=2_000)
    at_once = preview_program(rt, past.program_id, document)
    assert at_once.tiers
    preview_id = ask(past, document)
    assert look(past, preview_id).waits
    run_jobs(rt, past.program_id)
    assert told(past, preview_id) == at_once


def test_it_goes_on_where_it_was_killed_and_counts_nobody_twice(
    past: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previewing, "BATCH", 1)
    preview_id = ask(past, draft(past))
    ((_, args),) = take_due(past.rt, past.program_id)
    note, steps = previews.note_looked, []

    def dies(*given: Any, **named: Any) -> bool:
        steps.append(given[2])
        if len(steps) == 3:
            raise KeyboardInterrupt  # what a killed worker leaves: no word of why
        return note(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(previews, "note_looked", dies)
        with pytest.raises(KeyboardInterrupt):
            try_program(past.rt, **args)
    half = look(past, preview_id)
    assert (half.waits, half.done, half.total) == (True, 1, 4)
    try_program(past.rt, **args)
    whole = told(past, preview_id)
    assert [(one.name, one.up, one.moved, one.down) for one in whole.tiers] == [("Silver", 1, 0, 0)]
    assert look(past, preview_id).done == 4


def test_orders_that_wait_count_towards_tiers_once(past: History, monkeypatch: pytest.MonkeyPatch) -> None:
    """Held for a rate, and counted by the draft: whose they are is looked at with them, and not again without."""
    monkeypatch.setattr(previewing, "BATCH", 1)
    now = past.rt.now()
    yen = make_order(
        order_ref="yen",
        goods=Money(20_000, "JPY"),
        customer_ref="7",
        placed_at=now,
        paid_at=now,
        updated_at=now,
    )
    past.shop.see(yen)
    harder = draft(past, silver=70_000)  # 600.00 are not enough, and 200.00 more are
    assert [one.down for one in preview_program(past.rt, past.program_id, harder).tiers] == [1]
    with_rate = harder | {"currencies": {"JPY": {"spend_minor": 100, "program_minor": 100}}}
    found = preview_program(past.rt, past.program_id, with_rate)
    assert (found.orders, found.points, found.tiers) == (1, 200, ())


def test_nobody_waits_for_it(past: History) -> None:
    """While members are looked at, orders settle: no lock is held but by the first step."""
    found = previewing.begin_preview(past.rt, past.program_id, draft(past))
    look_at = tier_moves.count_moves

    def meanwhile(*given: Any, **named: Any) -> Any:
        past.buy("8", "meanwhile", "10.00")
        return look_at(*given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(previewing, "count_moves", meanwhile)
        assert previewing.go_on(past.rt, past.program_id, draft(past), found) is not None
    assert past.order_id("meanwhile")


def test_what_cannot_be_says_why_and_is_not_tried_again(past: History) -> None:
    preview_id = ask(past, draft(past))
    publish_program(past.rt, past.program_id, draft(past, silver=1), by="bo")
    wrong = draft(past) | {"currency": "USD"}
    second = ask(past, wrong)
    ran = run_jobs(past.rt, past.program_id)
    assert ran.count("try_program") == 2
    assert told(past, preview_id).live_version == 2
    assert "keeps its currency" in str(look(past, second).problem)


def test_a_bug_is_told_on_the_page_and_rises(past: History, monkeypatch: pytest.MonkeyPatch) -> None:
    preview_id = ask(past, draft(past))
    ((_, args),) = take_due(past.rt, past.program_id)
    monkeypatch.setattr("app.services.try_program.go_on", lambda *given: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        try_program(past.rt, **args)
    assert "could not be worked out" in str(look(past, preview_id).problem)


def test_one_that_is_stopped_ends_with_its_next_step(past: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previewing, "BATCH", 1)
    preview_id = ask(past, draft(past))
    ((_, args),) = take_due(past.rt, past.program_id)
    go_on, steps = previewing.go_on, []

    def stops(*given: Any) -> Any:
        steps.append(1)
        stop_preview(past.rt, past.program_id, preview_id)
        return go_on(*given)

    monkeypatch.setattr("app.services.try_program.go_on", stops)
    try_program(past.rt, **args)
    assert (len(steps), look(past, preview_id).problem) == (1, "It was stopped.")
