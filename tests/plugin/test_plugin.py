"""The plugin under real PHP: its own tests, its age, and that what it signs is what we believe."""

import json
import re
import shutil
import subprocess
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from click.testing import CliRunner
from flask.testing import FlaskClient

from app.cli import main
from app.cli.packing import packed
from app.services.runtime import Runtime
from app.web import create_app
from connectors.base import BadSignature, WebhookRequest
from connectors.woocommerce.webhooks import verify
from tests.conftest import NOW, Clock
from tests.plugin.words import LANGUAGES, PLUGIN, found, written
from tests.web.shoppers import make_storefront

HERE = Path(__file__).parent
WIDGET_MESSAGES = HERE.parents[1] / "app/web/static/widget/messages"


def php(*arguments: object) -> subprocess.CompletedProcess[str]:
    assert shutil.which("php"), "the plugin is tested under real PHP: install php-cli"
    command = ["php", *(str(one) for one in arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def sources() -> list[Path]:
    return sorted(PLUGIN.rglob("*.php"))


# --- PHP ---------------------------------------------------------------------------------------------------


def test_its_own_tests_pass() -> None:
    done = php(HERE / "unit.php", PLUGIN)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ok: ") == 28


def test_on_a_network_each_site_has_what_is_its_own_and_leaves_nothing_behind() -> None:
    done = php(HERE / "network.php", PLUGIN)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["deleted site"] == ["wp_2_posts", "wp_2_laurel_outbox"]
    # Which sites' runs were stopped, and which write their addresses anew: the third never had WooCommerce.
    assert told["one site"] == [[2], [2]]
    assert told["network"] == [[1, 2], [1, 2]]
    tables, site, schemas = told["uninstalled"]
    assert tables == [f"DROP TABLE IF EXISTS wp_{site}laurel_outbox" for site in ("", "2_", "3_")]
    assert (site, schemas) == (1, [])


def test_every_file_is_php() -> None:
    for path in sources():
        done = php("-l", path)
        assert done.returncode == 0, done.stdout


def test_nothing_is_newer_than_the_php_it_asks_for(tmp_path: Path) -> None:
    assert php(HERE / "syntax.php", *sources()).stdout == ""
    newer = tmp_path / "newer.php"
    newer.write_text(
        "<?php\nfunction f(int|string $a): static { return match ($a) {1 => $a?->b}; }\nstr_contains('a', 'b');"
    )
    assert php(HERE / "syntax.php", newer).stdout.count("\n") == 5


def test_no_file_does_anything_when_asked_for_by_itself() -> None:
    guards = ("defined( 'ABSPATH' ) || exit;", "defined( 'WP_UNINSTALL_PLUGIN' ) || exit;")
    for path in sources():
        assert any(guard in path.read_text() for guard in guards), path.name


# --- What it signs -----------------------------------------------------------------------------------------


def signed(secret: str, *, body: str = "{}", at: int = 0, customer: int = 7) -> dict[str, dict[str, str]]:
    done = php(HERE / "sign.php", PLUGIN, secret, customer, at, body)
    assert done.returncode == 0, done.stderr
    answer: dict[str, dict[str, str]] = json.loads(done.stdout)
    return answer


def test_its_token_names_the_shopper_for_ten_minutes(rt: Runtime, program_id: int, clock: Clock) -> None:
    client: FlaskClient = create_app(rt).test_client()
    front = make_storefront(rt, client, program_id)
    token = signed(front.known.widget_secret, at=int(NOW.timestamp()), customer=41)["token"]

    def ask() -> int:
        headers = {"Authorization": f"Bearer {token}"}
        answer = client.get("/storefront/v1/me", query_string={"key": front.shop.key}, headers=headers)
        if answer.status_code == 200:
            assert answer.get_json()["signed_in"] is True
        return answer.status_code

    assert ask() == 200
    assert front.scalar("SELECT customer_ref FROM identities WHERE {fence}") == "41"
    clock.forward(minutes=12)
    assert ask() == 401


def test_its_messages_are_signed_as_webhooks_are() -> None:
    body = json.dumps({"id": 12, "billing": {"email": "zoë@example.test"}})
    headers = {name.lower(): value for name, value in signed("a-secret", body=body)["headers"].items()}
    delivery = verify(WebhookRequest(body.encode(), headers), ("a-secret",))
    assert (delivery.topic, delivery.body) == ("order.updated", body.encode())
    with pytest.raises(BadSignature):
        verify(WebhookRequest(body.encode() + b" ", headers), ("a-secret",))


# --- The package -------------------------------------------------------------------------------------------


def test_one_command_packs_it_the_same_every_time(tmp_path: Path) -> None:
    first, copy = tmp_path / "first.zip", tmp_path / "laurel-loyalty"
    done = CliRunner().invoke(main, ["plugin", "zip", "--out", str(first), "--json"])
    assert done.exit_code == 0, done.output
    shutil.copytree(PLUGIN, copy)  # newer files, in another place
    (copy / ".DS_Store").write_text("left there by a desktop")
    assert first.read_bytes() == packed(copy)
    with zipfile.ZipFile(first) as archive:
        names = archive.namelist()
    assert all(name.startswith("laurel-loyalty/") for name in names)
    assert {
        "laurel-loyalty/laurel-loyalty.php",
        "laurel-loyalty/readme.txt",
        "laurel-loyalty/LICENSE.txt",
    } <= set(names)
    assert not [name for name in names if name.endswith((".po", ".DS_Store"))]


def test_it_says_one_version_everywhere() -> None:
    main_file = (PLUGIN / "laurel-loyalty.php").read_text()
    version = main_file.partition("const VERSION = '")[2].partition("'")[0]
    assert f"Version:              {version}\n" in main_file
    readme = (PLUGIN / "readme.txt").read_text()
    assert f"Stable tag: {version}\n" in readme
    assert f"= {version} =\n" in readme


def test_the_directory_takes_its_readme() -> None:
    """wordpress.org cuts off or refuses what is longer. Source: Plugin Check, Plugin_Readme_Check.php; read 2026-11."""
    readme = (PLUGIN / "readme.txt").read_text()
    fields = dict(
        re.findall(r"^([A-Z][\w ]+): (.+)$", readme.partition("== Description ==")[0], re.MULTILINE)
    )
    header = (PLUGIN / "laurel-loyalty.php").read_text()
    for ours, theirs in (
        ("Requires at least", "Requires at least"),
        ("Requires PHP", "Requires PHP"),
        ("License", "License"),
    ):
        assert re.search(rf"{theirs}:\s+{re.escape(fields[ours])}\n", header), ours
    assert len(fields["Tags"].split(", ")) <= 5
    assert re.fullmatch(r"\d+\.\d+", fields["Tested up to"])
    short = readme.partition("== Description ==")[0].strip().splitlines()[-1]
    assert 0 < len(short) <= 150
    sections = re.findall(r"^== (.+) ==$", readme, re.MULTILINE)
    assert sections == [
        "Description",
        "Installation",
        "Frequently Asked Questions",
        "Screenshots",
        "Changelog",
    ]


def test_uninstalling_names_everything_that_is_written() -> None:
    text = "".join(path.read_text() for path in sources() if path.name != "uninstall.php")
    gone = (PLUGIN / "uninstall.php").read_text()
    options = set(re.findall(r"const (?:\w*OPTION|SECRETS|STATE)\s*= '(\w+)'", text))
    hooks = set(re.findall(r"const (?:ACTION|WATCH)\s*= '(\w+)'", text))
    assert len(options) == 5
    transients = set(re.findall(r"'(laurel_loyalty_\w+_)' \.", text))
    groups = set(re.findall(r"class Sender .*?const GROUP\s*= '([\w-]+)'", text, re.DOTALL))
    assert (len(hooks), transients, groups) == (2, {"laurel_loyalty_export_"}, {"laurel-loyalty"})
    for name in [*options, *hooks, *groups, "laurel_outbox"]:
        assert f"'{name}'" in gone or f"}}{name}" in gone, name
    for name in transients:
        assert f"'_transient_{name}'" in gone
        assert f"'_transient_timeout_{name}'" in gone
    assert "actionscheduler_logs WHERE action_id IN" in gone


# --- Words -------------------------------------------------------------------------------------------------


def test_the_template_holds_every_sentence() -> None:
    template = LANGUAGES / "laurel-loyalty.pot"
    assert template.read_bytes() == written(found()), "run python -m tests.plugin.words"


@pytest.mark.parametrize("path", sorted(LANGUAGES.glob("*.po")), ids=lambda path: path.stem)
def test_every_sentence_is_translated_with_its_places(path: Path) -> None:
    with path.open("rb") as file:
        catalog = read_po(file)
    wanted = {message.id for message in found() if message.id}
    assert {message.id for message in catalog if message.id} == wanted
    for message in catalog:
        if message.id:
            assert message.string, message.id
            for place in ("%s", "%d", "[laurel]"):
                assert str(message.id).count(place) == str(message.string).count(place), message.id


def test_it_speaks_the_widgets_languages() -> None:
    here = {path.stem.removeprefix("laurel-loyalty-").partition("_")[0] for path in LANGUAGES.glob("*.po")}
    assert here | {"en"} == {path.stem for path in WIDGET_MESSAGES.glob("*.json")}


def test_the_package_holds_words_that_wordpress_reads() -> None:
    with zipfile.ZipFile(BytesIO(packed(PLUGIN))) as archive:
        catalog = read_mo(BytesIO(archive.read("laurel-loyalty/languages/laurel-loyalty-de_DE.mo")))
    message = catalog.get("You will earn %s.")
    assert message is not None
    assert message.string == "Du bekommst %s."
