#!/usr/bin/env python3
"""The two commands of the README, from a bare checkout. Python 3.11 or newer is all that must be there.

    python3 run.py demo [ARGS]     try Laurel: the same as `laurel demo ARGS`
    python3 run.py test            every check there is; ends in a line of totals
    python3 run.py test ARGS       pytest only, with ARGS: python3 run.py test tests/domain -k refund

Both first make `.venv` and install what the lock files name, which takes a minute; later nothing, until those
files change. Linux and macOS; on Windows inside WSL.
"""

from __future__ import annotations  # an older Python must come as far as being told that it is too old

import hashlib
import json
import os
import platform
import secrets
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

PROJECT = Path(__file__).resolve().parent
VENV = PROJECT / ".venv"
BIN = VENV / "bin"
RUNTIME, DEV = "requirements.lock", "requirements-dev.lock"

# Read a second time under a time zone that is not UTC: a shop's zone-less times taken for local ones pass there
# only by luck.
ZONE, ZONE_TESTS = "Europe/Berlin", ("tests/connectors", "tests/domain")

# Run a second time with every statement's own filter taken out: row-level security must hold alone.
UNFILTERED = (
    "tests/db/test_attacks.py",
    "tests/db/test_guards.py",
    "tests/services/test_settle_orders.py",
    "tests/web/admin/test_policies.py",
    "tests/web/test_api.py",
)

# Tests make their own settings; those of an installation that happens to be set here are not theirs.
SETTINGS = ("DATABASE_", "LAUREL_", "PUBLIC_URL", "SHOPIFY_", "SMTP_URL")

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_ON_MACOS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


# The pieces that run inside Shopify's pages are JavaScript, tested by Shopify's own tester. Node comes with the lock.
EXTENSIONS = PROJECT / "connectors" / "shopify"
PLUGIN = PROJECT / "connectors" / "woocommerce" / "plugin" / "laurel-loyalty"


class Trouble(Exception):
    """What went wrong and what to do, for the person at the keyboard."""


def main(arguments: Sequence[str]) -> int:
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command not in {"demo", "test"}:
        say(__doc__ or "")
        return 0 if command in {"-h", "--help", "help"} else 2
    if sys.platform == "win32":
        raise Trouble(
            "Laurel runs on Linux and macOS; on Windows use WSL: `wsl --install`, then the same command"
        )
    if command == "demo":
        install(RUNTIME)
        demo(rest)
    install(DEV)
    if rest:
        return run([BIN / "python", "-m", "pytest", *rest], for_tests(find_chromium()))
    require_php()
    install_extensions()
    return test_everything(chromium())


def demo(rest: Sequence[str]) -> NoReturn:
    """Become `laurel demo`, so that signals and the exit code are its own."""
    os.chdir(PROJECT)
    os.execv(BIN / "laurel", ["laurel", "demo", *rest])  # noqa: S606  our own program, no shell wanted


# --- installing ----------------------------------------------------------------------------------------------


def install(lock: str) -> None:
    """Bring `.venv` to what `lock` names; nothing to do where it is so already."""
    stamp = VENV / "laurel-installed.json"
    wanted = {name: fingerprint(name) for name in (RUNTIME, DEV)}
    if installed(stamp).get(lock) == wanted[lock] and (BIN / "python").exists():
        return
    make_venv()
    stamp.unlink(missing_ok=True)
    count = sum(line[:1].isalnum() for line in (PROJECT / lock).read_text().splitlines())
    say(f"Installing {count} packages into .venv (once, about a minute) …")
    pip("--require-hashes", "-r", str(PROJECT / lock), count=count)
    # The build tools are in the lock too, so this fetches nothing. "compat": a plain path, which mypy can follow.
    pip(
        "--no-deps", "--no-index", "--no-build-isolation", "--config-settings=editable_mode=compat", "-e", "."
    )
    # The development lock holds everything of the other, at the same versions.
    stamp.write_text(json.dumps(wanted if lock == DEV else {RUNTIME: wanted[RUNTIME]}))


def installed(stamp: Path) -> dict[str, object]:
    """What an earlier run noted in `stamp`; nothing where it noted nothing that can be read."""
    try:
        noted = json.loads(stamp.read_text())
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def fingerprint(lock: str) -> str:
    """What an installation depends on: the lock, the project's own description, its place and the Python."""
    parts = [(PROJECT / lock).read_bytes(), (PROJECT / "pyproject.toml").read_bytes()]
    parts += [os.fsencode(PROJECT), sys.version.encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def make_venv() -> None:
    if (BIN / "python").exists() and same_python():
        return
    if find_spec("ensurepip") is None:  # Debian and Ubuntu keep it in a package of its own
        apt_install("python3-venv", "Python cannot make environments here")
        if find_spec("ensurepip") is None:
            raise Trouble(f"{sys.executable} has no ensurepip: run this with another Python 3.11 or newer")
    say("Making .venv …")
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Trouble(f"no environment could be made in .venv:\n{(done.stdout + done.stderr).strip()}")


def same_python() -> bool:
    """Whether `.venv` still works and belongs to this Python: its base may have been removed or upgraded."""
    ask = [str(BIN / "python"), "-c", "import sys, pip; print(sys.version)"]
    done = subprocess.run(ask, capture_output=True, text=True, check=False)
    return done.returncode == 0 and done.stdout.strip() == sys.version


def pip(*arguments: str, count: int = 0) -> None:
    """`pip install`, its chatter in a file, a count of it on the terminal, its end where it fails."""
    command = [
        str(BIN / "python"),
        "-m",
        "pip",
        "install",
        "--no-input",
        "--disable-pip-version-check",
        *arguments,
    ]
    lines: list[str] = []
    seen = 0
    with subprocess.Popen(
        command, cwd=PROJECT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            seen += line.startswith(("Collecting", "Requirement already satisfied"))
            if count and sys.stdout.isatty():
                what = "installing" if line.startswith("Installing") else f"{min(seen, count)} of {count}"
                print(f"\r  {what}   ", end="", flush=True)
    if count and sys.stdout.isatty():
        print("\r" + " " * 30, end="\r")
    log = "".join(lines)
    if process.returncode != 0:
        (VENV / "install.log").write_text(log)
        raise Trouble(why_pip_failed(log))


def why_pip_failed(log: str) -> str:
    end = "\n".join(f"  {line}" for line in log.strip().splitlines()[-12:])
    if "No space left on device" in log:
        return f"the disk is full: Laurel needs about 1 GB here\n{end}"
    if "DO NOT MATCH THE HASHES" in log:
        return f"a package is not the one that the lock file names; it was not installed\n{end}"
    if "No matching distribution" in log or "Could not fetch" in log or "Connection" in log:
        return (
            f"packages could not be had: is there a network, and does `pip download flask` work here?\n{end}"
        )
    return f"the installation failed; all of it is in .venv/install.log\n{end}"


def apt_install(package: str, why: str) -> None:
    """Install a Debian package as root; for anybody else, say how."""
    if shutil.which("apt-get") is None:
        raise Trouble(f"{why}: install {package} with your system's package manager, then run this again")
    if os.geteuid() != 0:
        raise Trouble(f"{why}: run `sudo apt-get install {package}`, then this again")
    say(f"Installing {package} …")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    update, get = ["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", package]
    output = ""
    # The lists first: a browser is wanted as new as there is one. They may not be to be had at once, or at all.
    for command in (update, get, update, get):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        output = (done.stdout + done.stderr).strip()
        if command is get and done.returncode == 0:
            return
    raise Trouble(f"{why}, and apt-get cannot install {package}:\n{output[-1500:]}")


def find_chromium() -> str | None:
    found = (shutil.which(name) for name in CHROMIUM)
    on_macos = (path for path in CHROMIUM_ON_MACOS if Path(path).exists())
    return next((path for path in (*found, *on_macos) if path), None)


def chromium() -> str:
    """The browser that the pages are tested in."""
    found = find_chromium()
    if found is None:
        why = "the tests drive a real browser, and there is none"
        if sys.platform == "darwin":
            raise Trouble(f"{why}: install Chromium or Google Chrome into /Applications, then run this again")
        apt_install("chromium", why)
        found = find_chromium()
    if found is None:
        raise Trouble("Chromium was installed and is still not to be found")
    return found


def require_php() -> None:
    """The language of the plugin, which is tested under the real thing, and what looks at how it is written."""
    for command, package in (("php", "php-cli"), ("phpcs", "php-codesniffer")):
        if shutil.which(command) is None:
            apt_install(package, f"the tests run `{command}` on the WordPress plugin, and there is none")
            if shutil.which(command) is None:
                raise Trouble(f"{package} was installed and `{command}` is still not to be found")


def with_node() -> dict[str, str]:
    """The environment in which a program of npm's finds our Node before any other."""
    return {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def install_extensions() -> None:
    """What their lock file names, by its hashes; nothing to do where it is so already."""
    stamp = EXTENSIONS / "node_modules" / ".laurel-installed"
    lock = (EXTENSIONS / "package-lock.json").read_bytes()
    wanted = hashlib.sha256(lock + (PROJECT / DEV).read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say("Installing what tests Shopify's extensions (once, half a minute) …")
    # Nobody's script runs at installing: none is needed.
    command = [str(BIN / "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(
        command, cwd=EXTENSIONS, env=with_node(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        end = "\n".join(f"  {line}" for line in (done.stdout + done.stderr).strip().splitlines()[-12:])
        raise Trouble(
            f"npm could not install what {EXTENSIONS.name}/package-lock.json names: is there a network?\n{end}"
        )
    stamp.write_text(wanted)


# --- testing -------------------------------------------------------------------------------------------------


def test_everything(browser: str) -> int:
    """Every check, also after one has failed; then the totals, each check that is no test counted as one."""
    # One seed for both workers of a run: what stands in a set's order must not divide what they collect. Another one
    # each time, and said, so that a test which hangs on that order is found and can be run again as it was.
    environment = {"PYTHONHASHSEED": str(secrets.randbelow(2**32)), **for_tests(browser)}
    zone_tests = [path for path in ZONE_TESTS if (PROJECT / path).is_dir()]
    say(
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"PYTHONHASHSEED={environment['PYTHONHASHSEED']}"
    )
    passed = failed = 0
    checks: list[tuple[str, list[str | Path]]] = [
        ("ruff check", [BIN / "ruff", "check", "."]),
        ("ruff format", [BIN / "ruff", "format", "--check", "."]),
        ("mypy", [BIN / "mypy"]),
        ("lint-imports", [BIN / "lint-imports", "--no-logo"]),
        ("SBOM and known weaknesses", [BIN / "python", "-m", "tests.supply"]),
        ("phpcs", ["phpcs", "--standard=tests/plugin/phpcs-debian.xml", "-s", PLUGIN]),
        ("Shopify's extensions", [BIN / "npm", "--prefix", EXTENSIONS, "test", "--silent"]),
    ]
    for name, command in checks:
        ok = step(name, command, environment) == 0
        passed, failed = passed + ok, failed + (not ok)
    runs: list[tuple[str, list[str], dict[str, str]]] = [("pytest", [], {})]
    if zone_tests:
        runs.append((f"pytest in {ZONE}", zone_tests, {"TZ": ZONE}))
    unfiltered = [path for path in UNFILTERED if (PROJECT / path).exists()]
    if unfiltered:
        runs.append(("pytest without the filter", ["--without-filter", *unfiltered], {}))
    for number, (name, paths, zone) in enumerate(runs):
        report = VENV / f"report-{number}.xml"
        report.unlink(missing_ok=True)
        pytest: list[str | Path] = [
            BIN / "python",
            "-m",
            "pytest",
            "-n",
            "2",
            "--dist",
            "loadfile",
            "--no-loadscope-reorder",
            f"--junitxml={report}",
        ]
        code = step(name, [*pytest, *paths], {**environment, **zone})
        good, bad = counts(report)
        passed, failed = passed + good, failed + (bad or int(code != 0))
    say(f"\n{passed} passed, {failed} failed")
    return 1 if failed else 0


def for_tests(browser: str | None) -> dict[str, str]:
    environment = {name: value for name, value in with_node().items() if not name.startswith(SETTINGS)}
    return {**environment, "CHROMIUM": browser} if browser else environment


def step(name: str, command: Sequence[str | Path], environment: Mapping[str, str]) -> int:
    say(f"\n── {name} " + "─" * (70 - len(name)))
    began = time.monotonic()
    code = run(command, environment)
    say(f"{'ok' if code == 0 else 'FAILED'}: {name} ({time.monotonic() - began:.0f} s)")
    return code


def run(command: Sequence[str | Path], environment: Mapping[str, str]) -> int:
    return subprocess.run(command, cwd=PROJECT, env=environment, check=False).returncode


def counts(report: Path) -> tuple[int, int]:
    """Tests that passed and that did not, of a report that pytest wrote; a run that died wrote none."""
    if not report.exists():
        return 0, 0
    suites = list(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314  our own pytest wrote it
    total = sum(int(suite.get("tests", 0)) for suite in suites)
    bad = sum(int(suite.get(kind, 0)) for suite in suites for kind in ("failures", "errors", "skipped"))
    return total - bad, bad


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036  this file is what a newcomer's older Python meets first
        sys.exit("Laurel needs Python 3.11 or newer; this is " + sys.version.split()[0])
    try:
        sys.exit(main(sys.argv[1:]))
    except Trouble as trouble:
        sys.exit(f"run.py: {trouble}")
    except KeyboardInterrupt:
        sys.exit("\nstopped")
