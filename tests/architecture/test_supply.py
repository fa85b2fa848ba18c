"""What Laurel is made of besides itself: pinned by hash, under licences that let it be given away, no secret in it."""

import json
import re
import subprocess
from importlib.metadata import distributions

import pytest

from tests.architecture.rules import PROJECT
from tests.supply.__main__ import lines
from tests.supply.bill import PIN, bill, licences
from tests.supply.known import read

LOCKS = ("requirements.lock", "requirements-dev.lock")
# Those of LGPL and MPL are used as they are, unchanged and replaceable.
ALLOWED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "LGPL-3.0-only", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0",
    "Python-2.0", "Unlicense", "Apache Software License", "BSD License", "MIT License",
    "Mozilla Public License 2.0 (MPL 2.0)", "Python Software Foundation License", "ISC License (ISCL)",
}  # fmt: skip
# Texts of that form that open nothing: examples in messages and tests.
EXAMPLES = {
    ("README.md", "address with a password"),
    ("app/db/cluster.py", "address with a password"),
    ("app/settings.py", "address with a password"),
    ("tests/sandbox/recordings/woocommerce_rest/9-wcauth-approve.json", "WooCommerce key"),
    ("tests/test_logs.py", "Shopify token"),
    ("tests/test_logs.py", "WooCommerce key"),
    ("tests/connectors/test_http.py", "address with a password"),
    ("tests/test_logs.py", "address with a password"),
    ("tests/test_settings.py", "address with a password"),
}
SECRETS = {
    "private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/]{20}",
    "address with a password": r"://[^\s:/@{}<>$\"']+:[^\s:/@{}<>$\"']{3,}@",
    "Shopify token": r"\bshp(?:at|ss|pa|ca|ua)_[a-fA-F0-9]{32}\b",
    "WooCommerce key": r"\bc[ks]_[a-f0-9]{40}\b",
    "AWS key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_[A-Za-z0-9_]{60,}",
    "GitLab token": r"\bglpat-[A-Za-z0-9_-]{20}\b",
    "Stripe key": r"\b[sr]k_live_[A-Za-z0-9]{20,}",
    "Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "PyPI token": r"\bpypi-[A-Za-z0-9_-]{60,}",
    "npm token": r"\bnpm_[A-Za-z0-9]{36}\b",
    "Google key": r"\bAIza[A-Za-z0-9_-]{35}\b",
    "SendGrid key": r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b",
    "OpenAI or Anthropic key": r"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,}",
    "signed token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}",
}
NOT_OURS = ("tests/web/vendor/", "app/web/static/admin/htmx.min.js", *LOCKS)


def pinned(lock: str) -> dict[str, tuple[str, str]]:
    """name -> (version, what else its entry says)."""
    return {name: (version, rest) for name, version, rest in PIN.findall((PROJECT / lock).read_text())}


@pytest.mark.parametrize("lock", ["connectors/shopify", "bench/lighthouse"])
def test_what_npm_installs_is_pinned_by_hash_and_names_no_registry(lock: str) -> None:
    packages = json.loads((PROJECT / lock / "package-lock.json").read_text())["packages"]
    del packages[""]
    assert len(packages) > 50
    assert [name for name, one in packages.items() if "integrity" not in one or "resolved" in one] == []
    wanted = json.loads((PROJECT / lock / "package.json").read_text())
    named = {**wanted.get("dependencies", {}), **wanted["devDependencies"]}
    assert [name for name, version in named.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_by_hash(lock: str) -> None:
    text, found = (PROJECT / lock).read_text(), pinned(lock)
    assert len(found) > 50
    assert {line.split("==")[0] for line in text.splitlines() if line[:1].isalnum()} == set(found)
    assert [name for name, (_, rest) in found.items() if "--hash=sha256:" not in rest] == []
    assert "://" not in text


def test_both_locks_agree() -> None:
    runtime, dev = (pinned(lock) for lock in LOCKS)
    assert {name: dev[name][0] for name in runtime} == {
        name: version for name, (version, _) in runtime.items()
    }


def test_every_licence_lets_laurel_be_given_away() -> None:
    bad = {}
    for one in distributions():
        told = licences(one)
        if one.name != "laurel" and not any(_is_allowed(licence) for licence in told):
            bad[one.name] = told
    assert bad == {}


def _is_allowed(licence: str) -> bool:
    """Of alternatives one is enough, of several together all are needed."""
    return licence in ALLOWED or any(
        all(part.strip(" ()") in ALLOWED for part in either.split(" AND "))
        for either in licence.split(" OR ")
    )


def test_the_bill_of_materials_names_every_package_that_runs_with_hash_and_licence() -> None:
    components = json.loads(bill())["components"]
    listed = {one["name"]: one["version"] for one in components if one["purl"].startswith("pkg:pypi/")}
    assert listed == {name: version for name, (version, _) in pinned("requirements.lock").items()}
    assert "pkg:npm/preact@" in " ".join(one["purl"] for one in components)
    assert [one["name"] for one in components if not one["hashes"]] == []
    assert [one["name"] for one in components if not one["licenses"]] == []


def test_what_is_known_against_a_package_is_told_and_what_was_not_looked_up_too() -> None:
    # As pip-audit 2.10.1 answers.
    weakness = {"id": "PYSEC-2021-66", "fix_versions": ["2.11.3"], "aliases": ["CVE-2020-28493"]}
    answer = {
        "dependencies": [
            {"name": "jinja2", "version": "2.4.1", "vulns": [weakness]},
            {"name": "flask", "version": "3.1.2", "vulns": []},
            {
                "name": "ours",
                "skip_reason": "Dependency not found on PyPI and could not be audited: ours (1.0)",
            },
        ],
        "fixes": [],
    }
    assert lines(read(answer)) == [
        "jinja2 2.4.1: PYSEC-2021-66 (mended in 2.11.3)",
        "not looked up: ours",
        "2 packages looked up, 1 with known weaknesses",
    ]
    nobody = {"dependencies": answer["dependencies"][2:]}
    assert lines(read(nobody))[0].startswith("NOT LOOKED UP")


def test_no_secret_lies_in_the_repository() -> None:
    found = {(path, kind) for path in _ours() for kind in _kinds((PROJECT / path).read_bytes())}
    assert found == EXAMPLES


def test_a_secret_would_be_found() -> None:
    # Put together here, so that this file holds none.
    assert _kinds(f'key = "{"AKIA" + "IOSFODNN7" + "ABCDEFG"}"'.encode()) == {"AWS key"}
    assert _kinds(f"token: {'shpat_' + '0a' * 16}\n".encode()) == {"Shopify token"}


def _ours() -> list[str]:
    command = ["git", "ls-files", "-z"]
    tracked = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    paths = [path for path in tracked.split("\0") if path and not path.endswith(".gz")]
    return [path for path in paths if not path.startswith(NOT_OURS) and (PROJECT / path).is_file()]


def _kinds(content: bytes) -> set[str]:
    text = content.decode("utf-8", "replace")
    return {kind for kind, form in SECRETS.items() if re.search(form, text)}
