"""run.py: what it does before anything is installed, and what it says when it cannot go on."""

import json
import os
from pathlib import Path

import pytest

import run


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    folder = tmp_path / "commands"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def add_command(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["deploy"], 2), (["--help"], 0)])
def test_anything_else_prints_how_it_is_used(
    arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main(arguments) == code
    assert "python3 run.py test" in capsys.readouterr().out


# --- installing ----------------------------------------------------------------------------------------------


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A checkout whose environment is up to date; what is given to pip from now on."""
    for name in (run.RUNTIME, run.DEV, "pyproject.toml"):
        (tmp_path / name).write_text(f"{name}==1.0\n")
    given: list[str] = []
    monkeypatch.setattr(run, "PROJECT", tmp_path)
    monkeypatch.setattr(run, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(run, "BIN", tmp_path / ".venv/bin")
    monkeypatch.setattr(run, "make_venv", lambda: None)
    monkeypatch.setattr(run, "pip", lambda *arguments, count=0: given.extend(arguments))
    run.BIN.mkdir(parents=True)
    (run.BIN / "python").touch()
    run.install(run.DEV)
    given.clear()
    return given


@pytest.mark.parametrize("lock", [run.RUNTIME, run.DEV])
def test_nothing_is_installed_when_nothing_changed(installed: list[str], lock: str) -> None:
    run.install(lock)
    assert installed == []


@pytest.mark.parametrize("changed", [run.DEV, "pyproject.toml"])
def test_a_change_is_installed_by_hash(installed: list[str], changed: str) -> None:
    (run.PROJECT / changed).write_text("other==2.0\n")
    run.install(run.DEV)
    assert installed[:3] == ["--require-hashes", "-r", str(run.PROJECT / run.DEV)]
    assert json.loads((run.VENV / "laurel-installed.json").read_text()).keys() == {run.RUNTIME, run.DEV}


def test_tests_need_more_than_the_demo(installed: list[str]) -> None:
    (run.VENV / "laurel-installed.json").unlink()
    run.install(run.RUNTIME)
    assert str(run.PROJECT / run.RUNTIME) in installed
    run.install(run.DEV)
    assert str(run.PROJECT / run.DEV) in installed


@pytest.mark.parametrize("stamp", ["", "[1]", '{"requirements-dev.lock": "other"}'])
def test_a_stamp_that_says_nothing_is_no_stamp(installed: list[str], stamp: str) -> None:
    (run.VENV / "laurel-installed.json").write_text(stamp)
    run.install(run.DEV)
    assert installed


def test_an_installation_that_was_cut_off_is_done_again(
    installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*arguments: str, count: int = 0) -> None:
        raise KeyboardInterrupt

    (run.PROJECT / run.DEV).write_text("other==2.0\n")
    with monkeypatch.context() as patch:
        patch.setattr(run, "pip", cut_off)
        with pytest.raises(KeyboardInterrupt):
            run.install(run.DEV)
    run.install(run.DEV)
    assert installed


@pytest.mark.parametrize(
    ("log", "says"),
    [
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "the disk is full"),
        ("NewConnectionError: Temporary failure in name resolution", "is there a network"),
        ("ERROR: No matching distribution found for flask==3.1.3", "is there a network"),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE",
            "not the one that the lock",
        ),
        ("error: subprocess-exited-with-error", ".venv/install.log"),
    ],
)
def test_an_installation_that_fails_says_what_to_do(log: str, says: str) -> None:
    message = run.why_pip_failed(f"Collecting flask\n{log}\n")
    assert says in message
    assert log in message


# --- the system's packages -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("update", "done"),
    [
        ("true", ["update", "install"]),  # an old list would bring an old browser
        ("false", ["update", "install"]),  # without a network, what lies here already
    ],
)
def test_package_lists_are_fetched_before_anything_is_installed(
    update: str, done: list[str], commands: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    log = tmp_path / "log"
    add_command(commands, "apt-get", f'echo "$1" >> {log}; [ "$1" = install ] || {update}')
    run.apt_install("chromium", "there is no browser")
    assert log.read_text().split() == done


def test_package_lists_that_cannot_be_had_at_once_are_asked_for_again(
    commands: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    log = tmp_path / "log"
    second = f"[ ! -e {log}.once ] || : > {log}.lists; : > {log}.once"
    add_command(
        commands,
        "apt-get",
        f'echo "$1" >> {log}; if [ "$1" = update ]; then {second}; fi; [ -e {log}.lists ]',
    )
    run.apt_install("chromium", "there is no browser")
    assert log.read_text().split() == ["update", "install", "update", "install"]


def test_apt_that_cannot_says_why(commands: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    add_command(commands, "apt-get", "echo E: no such package; exit 100")
    with pytest.raises(
        run.Trouble, match="there is no browser, and apt-get cannot install chromium:\nE: no such"
    ):
        run.apt_install("chromium", "there is no browser")


def test_who_is_not_root_is_told_the_command(commands: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    add_command(commands, "apt-get", "exit 1")
    with pytest.raises(run.Trouble, match="run `sudo apt-get install chromium`, then this again"):
        run.chromium()


def test_other_systems_are_told_the_package(commands: Path) -> None:
    with pytest.raises(run.Trouble, match="install python3-venv with your system's package manager"):
        run.apt_install("python3-venv", "Python cannot make environments here")


def test_a_python_without_environments_gets_the_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(run, "BIN", tmp_path / "bin")
    monkeypatch.setattr(run, "find_spec", lambda name: None)
    monkeypatch.setattr(run, "apt_install", lambda package, why: asked.append(package))
    with pytest.raises(run.Trouble, match="run this with another Python"):
        run.make_venv()
    assert asked == ["python3-venv"]


def test_a_browser_that_is_there_is_used(commands: Path) -> None:
    add_command(commands, "google-chrome", "")
    assert run.chromium() == str(commands / "google-chrome")


def test_what_tests_the_extensions_is_installed_once_for_a_lock_file(
    commands: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "EXTENSIONS", tmp_path)
    monkeypatch.setattr(run, "BIN", commands)
    log = tmp_path / "log"
    add_command(commands, "npm", f'echo "$@" >> {log}; /bin/mkdir -p node_modules')
    for lock in ("one", "one", "another"):
        (tmp_path / "package-lock.json").write_text(lock)
        run.install_extensions()
    assert log.read_text().splitlines() == ["ci --ignore-scripts --no-audit --no-fund"] * 2


def test_npm_that_cannot_says_why(commands: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "EXTENSIONS", tmp_path)
    monkeypatch.setattr(run, "BIN", commands)
    (tmp_path / "package-lock.json").write_text("")
    add_command(commands, "npm", "echo npm error network ENOTFOUND >&2; exit 1")
    with pytest.raises(run.Trouble, match="is there a network") as told:
        run.install_extensions()
    assert "ENOTFOUND" in str(told.value)


# --- testing -------------------------------------------------------------------------------------------------


def test_tests_do_not_see_the_settings_of_an_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "DATABASE_URL",
        "DATABASE_OWNER_URL",
        "LAUREL_KEYS",
        "PUBLIC_URL",
        "SHOPIFY_API_SECRET",
        "SMTP_URL",
    ):
        monkeypatch.setenv(name, "of production")
    environment = run.for_tests("/usr/bin/chromium")
    assert "of production" not in environment.values()
    assert environment["CHROMIUM"] == "/usr/bin/chromium"
    assert environment["PATH"].startswith(f"{run.BIN}:")  # our Node before any other


def test_what_did_not_pass_is_counted_as_failed(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    assert run.counts(report) == (0, 0)
    report.write_text(
        '<testsuites><testsuite tests="9" failures="2" errors="1" skipped="1"></testsuite></testsuites>'
    )
    assert run.counts(report) == (5, 4)
