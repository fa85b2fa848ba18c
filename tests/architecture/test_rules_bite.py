"""Each rule finds the breach that is planted for it, and nothing in what is right."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.architecture import rules


def plant(tree: Path, path: str, text: str = "") -> None:
    file = tree / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small project that breaks no rule."""
    for module in rules.SEVEN:
        plant(tmp_path, f"connectors/acme/{module}.py", "rate = 3 // 2\n")
    plant(tmp_path, "connectors/http.py")
    plant(tmp_path, "app/domain/money.py", "points = 7 * 120 // 100  # 1.5 in words is fine\n")
    plant(tmp_path, "app/services/redeem.py", "def redeem(): ...\ndef _quote(): ...\n")
    plant(tmp_path, "app/services/shop_memory.py", "class ShopMemory: ...\n")
    plant(tmp_path, "app/services/__init__.py")
    plant(tmp_path, "app/web/admin/page.html", "<p>Your shop, an acrobat with no name</p>\n")
    plant(tmp_path, "tests/test_redeem.py", "def test_skips_nothing(): 'sleep'\n")
    plant(tmp_path, "tests/connectors/acme/fixtures/order__paid.json", "{}")
    return tmp_path


def all_rules(tree: Path) -> list[str]:
    return [
        *rules.floats(tree),
        *rules.platform_names(tree, {}),
        *rules.connectors_out_of_shape(tree),
        *rules.untold_stories(tree, ["paid"]),
        *rules.tests_that_look_away(tree),
        *rules.misnamed_services(tree, {}),
        *rules.places(tree, [path for path in tree.rglob("*") if path.is_file()]),
    ]


def test_what_is_right_passes(tree: Path) -> None:
    assert all_rules(tree) == []


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("app/domain/tiers.py", "RATE = 1.25\n", ":1: the float 1.25"),
        ("app/domain/deep/tiers.py", "def f(a):\n    return float(a)\n", ":2: float"),
        ("app/domain/tiers.py", "def f(a: 'int', b: float): ...\n", ":1: float"),
        ("app/domain/tiers.py", "half = 5 / 2\n", ":1: true division"),
        ("app/domain/tiers.py", "a = 5\na /= 2\n", ":2: true division"),
        ("connectors/acme/mapping.py", "x = 1e3\n", ":1: the float 1000.0"),
        ("connectors/acme/payloads.py", "total: float\n", ":1: float"),
        ("app/web/admin/page.html", "<b>Acme</b>\n", ":1: Acme"),
        ("app/web/static/shell.js", "// of ACME_API\n", ":1: ACME"),
        ("app/jobs/tasks.py", "import connectors.acme\n", ":1: acme"),
        ("app/db/tables.py", "woo = 1\n", ":1: woo"),
        ("app/services/redeem.py", "def redeem(): 'at x.myshopify.com'\n", ":1: myshopify"),
        ("migrations/versions/1.sql", "create table acme_shops ();\n", ":1: acme"),
        ("connectors/acme/helpers.py", "", "connectors/acme: has besides helpers"),
        ("connectors/acme/helpers/__init__.py", "", "connectors/acme: has besides helpers"),
        ("connectors/other/__init__.py", "", "connectors/other: lacks client, codes, install, mapping"),
        ("connectors/other/__init__.py", "", "tests/connectors/other/fixtures: nothing tells paid"),
        ("tests/test_it.py", "import pytest\npytest.skip('later')\n", ":2: skip"),
        ("tests/test_it.py", "@pytest.mark.xfail\ndef test(): ...\n", ":1: xfail"),
        ("tests/test_it.py", "@mark.skipif(True)\ndef test(): ...\n", ":1: skipif"),
        ("tests/deep/test_it.py", "x = pytest.importorskip('x')\n", ":1: importorskip"),
        ("tests/test_it.py", "from time import sleep\n", ":1: sleep"),
        ("tests/test_it.py", "import time\ntime.sleep(1)\n", ":2: sleep"),
        (
            "app/services/expire_lots.py",
            "def expire(): ...\n",
            "expire_lots.py: defines no public expire_lots",
        ),
        ("app/services/expire_lots.py", "def _expire_lots(): ...\n", "defines no public expire_lots"),
        ("docs/run.md", "cd /root/laurel\n", ":1: /root/l"),
        ("docs/run.md", "see /home/ada/laurel\n", ":1: /home/ada/l"),
        ("pip.conf", "extra = --extra-index-url x\n", ":1: --extra-index-url"),
        ("requirements.lock", "# from https://pypi.org/simple\n", ":1: pypi.org"),
    ],
)
def test_a_planted_breach_is_found(tree: Path, path: str, text: str, found: str) -> None:
    plant(tree, path, text)
    assert [breach for breach in all_rules(tree) if found in breach]


def test_a_missing_module_of_a_connector_is_found(tree: Path) -> None:
    (tree / "connectors/acme/codes.py").unlink()
    assert all_rules(tree) == ["connectors/acme: lacks codes"]


def test_an_allowed_name_is_let_through(tree: Path) -> None:
    plant(tree, "app/db/seed.py", "'acme'\n")
    assert rules.platform_names(tree, {"app/db/seed.py": "a reason"}) == []


def test_what_services_share_is_let_through(tree: Path) -> None:
    plant(tree, "app/services/words.py", "class Cause: ...\n")
    assert rules.misnamed_services(tree, {"words": "a reason"}) == []


@pytest.mark.parametrize(
    "text",
    [
        "the path /work is fine alone",
        "https://example.com/root/page",
        "a/home/ada/x",
        "var/work/x",
        "../root/x",
    ],
)
def test_a_path_that_is_of_no_machine_passes(tree: Path, text: str) -> None:
    plant(tree, "docs/run.md", text)
    assert all_rules(tree) == []


def test_only_text_that_git_keeps_is_read(tree: Path) -> None:
    git: Callable[..., object] = lambda *words: subprocess.run(["git", *words], cwd=tree, check=True)  # noqa: E731
    git("init", "-q")
    plant(tree, "kept.txt", "kept")
    plant(tree, "left.txt", "left")
    (tree / "picture.png").write_bytes(b"PNG\0")
    git("add", "kept.txt", "picture.png")
    assert rules.tracked_files(tree) == [tree / "kept.txt"]
