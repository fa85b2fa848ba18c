"""`laurel program simulate` on files: no database, no settings, and an error that says what to write instead."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.cli import common, main
from app.domain.program import default_document
from app.settings import Settings

ORDERS = (
    "order,customer,date,amount\n1,ann,2026-01-05,250.00\n2,bob,2026-01-09,90.00\n1,ann,2026-02-01,-50.00\n"
)


@pytest.fixture(autouse=True)
def _no_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(settings: Settings) -> None:
        raise AssertionError(settings)

    monkeypatch.setattr(common, "build", unreachable)


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(ORDERS)
    return path


def simulate(*args: object) -> Result:
    return CliRunner().invoke(main, ["program", "simulate", *(str(arg) for arg in args)])


def draft(tmp_path: Path, **changes: Any) -> Path:
    path = tmp_path / "draft.json"
    path.write_text(json.dumps(default_document("Spring", "USD", "UTC") | changes))
    return path


def test_a_draft_is_tried_on_a_file_beside_the_default(orders: Path, tmp_path: Path) -> None:
    tiers = default_document("", "USD", "UTC")["tiers"]
    tiers["levels"][1]["from_minor"] = 10_000
    done = simulate(
        draft(tmp_path, tiers=tiers), "--orders", orders, "--against", "default", "--redeem", "share=100"
    )
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "2 orders of 2 customers, 2026-01-05 to 2026-02-01."
    assert lines[1:3] == [
        "draft: Spring; money in USD; members of Member / Silver / Gold",
        "beside: Default; money in USD; members of Member / Silver / Gold",
    ]
    january, beside = (line.split() for line in lines[5:7])
    assert january[:5] == ["2026-01", "draft", "2", "340.00", "340"]
    assert january[-5:] == ["1", "/", "1", "/", "0"]
    assert beside[0] == "beside"
    assert "  1 from Member to Silver, such as ann" in lines
    assert "  cost                 5.00 USD (0.00 to 13.23)" in lines
    assert any("Every code is used." in line for line in lines)


def test_json_has_the_shape_that_is_written_down(orders: Path, tmp_path: Path) -> None:
    done = simulate(
        draft(tmp_path), "--orders", orders, "--json", "--redeem", "share=40..60", "--redeem", "delay=3"
    )
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    page = (Path(__file__).parents[1] / "docs" / "simulate.md").read_text()
    for name in (*data, *data["draft"], *data["draft"]["total"]):
        assert f"`{name}`" in page, name
    assert data["beside"] is None
    assert data["draft"]["version"] is None
    assert data["draft"]["redeeming"] == {
        "share": 500, "share_low": 400, "share_high": 600, "delay_days": 3, "reward": "cheapest"
    }  # fmt: skip
    assert [month["given"]["expected"] for month in data["draft"]["months"]] == [340, 0]
    assert data["draft"]["months"][1]["taken_back"] == 50
    assert data["draft"]["months"][1]["revenue_minor"] == -5000


def test_the_history_that_comes_along_needs_nothing_else() -> None:
    done = simulate("default", "--orders", "cdnow", "--to", "1997-02-28", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["draft"]["total"]["orders"] == 20_200


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "either --orders FILE (or `cdnow`), or --shop KEY"),
        (("--orders", "cdnow", "--shop", "acme"), "either --orders FILE (or `cdnow`), or --shop KEY"),
        (("--orders", "nowhere.csv"), "There is no file nowhere.csv"),
        (("--orders", "cdnow", "--from", "1998-02-01", "--to", "1998-01-01"), "is before --from 1998-02-01"),
        (("--orders", "cdnow", "--redeem", "share=half"), "0 to 100 percent, as 40 or as 30..50"),
        (("--orders", "cdnow", "--redeem", "share=60..50"), "0 to 100 percent, as 40 or as 30..50"),
        (
            ("--orders", "cdnow", "--redeem", "reward=car"),
            "one of cheapest, amount-5, free-shipping, percent-10",
        ),
        (("--orders", "cdnow", "--redeem", "luck=1"), "allowed are share=40"),
        (("--orders", "cdnow", "--shipping-cost", "some"), "A price is not a number"),
        (("--orders", "cdnow", "--currency", "XXX"), "not a currency code"),
        (("--orders", "cdnow", "--against", "old.json"), "There is no file old.json"),
    ],
)
def test_used_wrongly_it_says_what_is_allowed(args: tuple[str, ...], said: str) -> None:
    done = simulate("default", *args)
    assert (done.exit_code, said in done.output) == (2, True), done.output


def test_a_wrong_draft_is_told_field_by_field(orders: Path, tmp_path: Path) -> None:
    done = simulate(draft(tmp_path, enrolment="never", currency="EURO"), "--orders", orders)
    assert done.exit_code == 1
    assert "enrolment: 'never' is not one of" in done.output
    assert "currency: " in done.output


def test_orders_in_another_currency_only_are_refused_with_the_reason(orders: Path) -> None:
    done = simulate("default", "--orders", "cdnow", "--currency", "EUR")
    assert done.exit_code == 0
    assert "draft: 69659 left out: the program has no rate for its currency." in done.output
    assert "69659 in USD" in done.output
