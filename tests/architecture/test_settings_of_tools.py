"""The tools stay as strict as they are, and the lock files hold what pyproject.toml asks for."""

import re
import tomllib
from typing import Any

import pytest

from tests.architecture.rules import PROJECT

PYPROJECT: dict[str, Any] = tomllib.loads((PROJECT / "pyproject.toml").read_text())
TOOLS: dict[str, Any] = PYPROJECT["tool"]
LOCKS = ("requirements.lock", "requirements-dev.lock")

RUFF_KINDS = set(
    "E F W I N UP B A C4 DTZ EM G ICN INP PIE PT RET RSE S SIM SLF SLOT T10 T20 TID TC TRY PERF FURB RUF ERA PTH "
    "FBT003".split()
)
RUFF_LEFT_OUT = set("EM101 EM102 TRY003 TC001 TC002 TC003 RUF001 RUF002 RUF003 N818 SIM905 S101".split())
CLOCKS = {"datetime.datetime.now", "datetime.datetime.utcnow", "time.time"}
ENVIRONMENT = {"os.environ", "os.getenv"}


def canonical(requirement: str) -> str:
    (name,) = re.findall(r"^[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(lock: str) -> set[str]:
    return {canonical(line) for line in (PROJECT / lock).read_text().splitlines() if re.match(r"\w", line)}


def test_ruff_is_as_strict_as_it_was() -> None:
    lint = TOOLS["ruff"]["lint"]
    assert set(lint["select"]) >= RUFF_KINDS
    assert set(lint["ignore"]) <= RUFF_LEFT_OUT
    assert set(lint["flake8-tidy-imports"]["banned-api"]) >= CLOCKS | ENVIRONMENT
    assert lint["pycodestyle"]["max-line-length"] <= 122


def test_mypy_is_strict_everywhere() -> None:
    mypy = TOOLS["mypy"]
    assert mypy["strict"] is True
    assert mypy["warn_unreachable"] is True
    loosened = {key for override in mypy["overrides"] for key in override} - {
        "module",
        "ignore_missing_imports",
    }
    assert loosened == set()
    ours = [module for override in mypy["overrides"] for module in override["module"]]
    assert [module for module in ours if module.split(".")[0] in {"app", "connectors", "tests"}] == []


def test_mypy_reads_every_folder_of_ours() -> None:
    folders = {path.parent.name for path in PROJECT.glob("*/*.py") if not path.parent.name.startswith(".")}
    scripts = {path.name for path in PROJECT.glob("*.py")}
    assert folders | scripts == set(TOOLS["mypy"]["files"])


def test_pytest_takes_every_warning_for_an_error() -> None:
    pytest_settings = TOOLS["pytest"]["ini_options"]
    assert "-W error" in pytest_settings["addopts"]
    assert "--strict-markers" in pytest_settings["addopts"]
    assert "filterwarnings" not in pytest_settings


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_package_by_hash(lock: str) -> None:
    text = (PROJECT / lock).read_text()
    packages = re.split(r"\n(?=\w)", text.strip())
    assert [
        package for package in packages if not re.match(r"\S+==\S+[^\n]*\\\n +--hash=sha256:", package)
    ] == []


def test_the_locks_hold_what_is_asked_for() -> None:
    wanted = {canonical(requirement) for requirement in PYPROJECT["project"]["dependencies"]}
    groups = PYPROJECT["dependency-groups"]
    assert wanted | {canonical(requirement) for requirement in groups["build"]} <= locked(LOCKS[0])
    assert {canonical(requirement) for requirement in groups["dev"]} <= locked(LOCKS[1])


def test_the_development_lock_holds_the_other_at_the_same_versions() -> None:
    runtime, dev = ((PROJECT / lock).read_text() for lock in LOCKS)
    pins = re.compile(r"^\S+==\S+", re.MULTILINE)
    assert set(pins.findall(runtime)) <= set(pins.findall(dev))
