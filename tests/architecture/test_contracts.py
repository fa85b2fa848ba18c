"""The import contracts of pyproject.toml hold, bite, and name every module there is."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.architecture import rules
from tests.architecture.rules import PROJECT

CONTRACTS: list[dict[str, Any]] = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"][
    "importlinter"
]["contracts"]
LAYERS = [name.strip() for layer in CONTRACTS[0]["layers"] for name in layer.split("|")]


def lint(tree: Path) -> "subprocess.CompletedProcess[str]":
    command: list[str | Path] = [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)


def modules(folder: str) -> set[str]:
    """The packages and modules straight under `folder`, as they are imported."""
    here = PROJECT / folder
    found = {path.stem for path in here.glob("*.py") if path.stem != "__init__"}
    return {f"{folder}.{name}" for name in found | {init.parent.name for init in here.glob("*/__init__.py")}}


def test_the_contracts_hold() -> None:
    done = lint(PROJECT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("app/domain/money.py", "import app.db"),
        ("app/domain/money.py", "import connectors.base"),
        ("app/domain/money.py", "import sqlalchemy"),
        ("app/db/session.py", "import app.services.runtime"),
        ("app/db/session.py", "import app.settings"),
        ("app/services/runtime.py", "import connectors.shopify"),
        ("app/services/runtime.py", "import connectors.http"),
        ("connectors/base.py", "import app.db"),
        ("connectors/http.py", "import connectors.registry"),
        ("connectors/shopify/mapping.py", "import connectors.woocommerce"),
        ("connectors/shopify/mapping.py", "import app.services.runtime"),
        ("connectors/woocommerce/install.py", "import flask"),
    ],
)
def test_a_forbidden_import_is_found(tmp_path: Path, module: str, line: str) -> None:
    for name in ("app", "connectors"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    with (tmp_path / module).open("a") as file:
        file.write(f"\n{line}\n")
    done = lint(tmp_path)
    assert done.returncode == 1
    assert "BROKEN" in done.stdout


def test_every_module_has_its_layer() -> None:
    assert (modules("app") | modules("connectors")) - set(LAYERS) == set()


def test_a_layer_is_in_parentheses_only_while_it_is_not_there() -> None:
    awaited = {name.strip("()") for name in LAYERS if name.startswith("(")}
    assert awaited & (modules("app") | modules("connectors")) == set()


def test_connectors_may_use_nothing_of_the_app_but_its_domain() -> None:
    (contract,) = [contract for contract in CONTRACTS if contract["name"].startswith("Connectors know")]
    entries = {"app.cli", "app.wsgi", "app.worker"}  # these only start something; nobody imports them
    assert modules("app") - {"app.domain"} - entries <= set(contract["forbidden_modules"])


def test_the_web_has_its_contract_once_it_is_there() -> None:
    held = [contract for contract in CONTRACTS if contract.get("source_modules") == ["app.web"]]
    assert len(held) == ("app.web" in modules("app"))


def test_connectors_do_not_know_each_other() -> None:
    (layer,) = [layer for layer in CONTRACTS[0]["layers"] if "connectors.shopify" in layer]
    assert {name.strip() for name in layer.split("|")} == {
        f"connectors.{path.name}" for path in rules.connectors(PROJECT)
    }
