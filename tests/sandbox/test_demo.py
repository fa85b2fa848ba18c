"""`laurel demo`: the run without a browser agrees with itself, and says so when something does not."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

import sandbox.demo as demo
from app.bootstrap import DatabaseUrls
from sandbox.demo import checks
from sandbox.demo.database import fresh_database
from sandbox.demo.history import purchases
from sandbox.demo.once import Once, Wish
from sandbox.demo.report import run_and_report
from sandbox.faults import FaultRecord

CHANCE = Random(1)  # noqa: S311 - chance, no secret
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOME = Path(tempfile.gettempdir()) / f"laurel-demo-tests-{os.getuid()}"


@pytest.fixture
def urls() -> Iterator[DatabaseUrls]:
    with fresh_database(HOME) as urls:
        yield urls


@pytest.fixture
def once(urls: DatabaseUrls) -> Iterator[Once]:
    with closing(Once(Wish(orders=25), urls)) as once:
        yield once


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUREL_VAR", str(HOME / "var"))


# --- What was bought -------------------------------------------------------------------------------------------


def test_the_last_purchase_was_yesterday_and_they_come_in_order() -> None:
    bought = purchases(500, now=NOW, random=CHANCE)
    assert len(bought) == 500
    assert bought[-1].at.date().isoformat() == "2026-11-20"
    assert [one.at for one in bought] == sorted(one.at for one in bought)


def test_what_cost_nothing_and_what_was_bought_twice_is_kept() -> None:
    bought = purchases(3466, now=NOW, random=CHANCE)
    same = [(one.person, one.at.date(), one.pieces, one.cents) for one in bought]
    assert any(one.cents == 0 for one in bought)
    assert len(set(same)) < len(same)


def test_more_than_there_is_are_other_people() -> None:
    bought = purchases(4000, now=NOW, random=CHANCE)
    assert len({one.person for one in bought}) > 1179
    assert len(bought) == 4000


# --- Once ------------------------------------------------------------------------------------------------------


def test_once_under_heavy_faults_everything_agrees(home: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main(["--once", "--orders", "60", "--faults", "heavy", "--json"]) == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert report["ok"] is True
    assert report["wrong"] == {}
    assert report["orders"]["placed"] >= 60
    sent = report["deliveries"]
    assert sent["kept"] == sum(sent["states"].values()) <= sent["sent"]
    assert sent["answered"] == {"200": sent["sent"]}
    points = report["points"]
    figures = {name: n for name, n in points.items() if name not in ("outstanding", "members")}
    assert points["outstanding"] == sum(figures.values())
    assert points.get("transfer_in", 0) + points.get("transfer_out", 0) == 0
    assert report["faults"]["delivery: lose"] > 0
    assert report["repairs"]["by_cause"]["webhook_missed"] > 0
    assert all(one["fault"] for one in report["repairs"]["each"] if one["points"])
    assert report["audit"]["problems"] == report["replay"]["differences"] == 0
    assert "requested" not in str(report["codes"])


def test_help_and_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main(["--help"]) == 0
    assert "laurel demo --once" in capsys.readouterr().out
    assert demo.main(["--orders", "0"]) == 2
    assert demo.main(["--faults", "dreadful"]) == 2


def test_a_repair_that_no_fault_explains_is_told(once: Once, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(once, "reconcile", _after_losing_one(once, once.reconcile))
    report = run_and_report(once)
    assert report["ok"] is False
    assert len(report["wrong"]["unexplained repairs"]) == 1
    assert "webhook_missed" in report["wrong"]["unexplained repairs"][0]


def test_points_that_no_order_gave_are_told(once: Once, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(once, "reconcile", _after_cheating(once, once.reconcile))
    report = run_and_report(once)
    assert report["ok"] is False
    assert "audit" in report["wrong"]


def _after_losing_one(once: Once, reconcile: Any) -> Any:
    """An order is changed, its delivery vanishes, and the log of faults is silent about it."""
    done: list[bool] = []

    def first_lose_one() -> list[checks.Repair]:
        if not done:
            done.append(True)
            placed = next(
                one
                for one in once.lives.placed
                if one.stand.platform == "woocommerce" and getattr(one.order, "status", "") == "completed"
            )
            once.wait_until(once.clock().replace(microsecond=0))
            placed.stand.store.cancel(placed.order)
            placed.stand.store.deliveries.drop()
            log: list[FaultRecord] = placed.stand.store.deliveries.log
            log.clear()
            once.come_to_rest()
        found: list[checks.Repair] = reconcile()
        return found

    return first_lose_one


def _after_cheating(once: Once, reconcile: Any) -> Any:
    """Somebody writes a balance by hand, past the ledger."""

    def first_cheat() -> list[checks.Repair]:
        with once.world.rt.db.begin(once.world.program_id) as session:
            session.run(
                "UPDATE accounts SET points = points + 7 WHERE {fence} AND id = "
                "(SELECT min(id) FROM accounts WHERE {fence} AND points > 0 AND merged_into IS NULL)"
            )
        found: list[checks.Repair] = reconcile()
        return found

    return first_cheat
