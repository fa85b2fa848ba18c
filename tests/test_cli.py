"""The command line over a real database: what it prints, and with which exit code."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import click
import pytest
import structlog
import structlog.testing
from click.testing import CliRunner, Result
from sqlalchemy import text

from app import logs
from app.bootstrap import build
from app.cli import common, main
from app.db import freezes, shops
from app.db.migrating import CannotMigrate
from app.db.sealing import KeyRing, Vault
from app.services import await_code
from app.services.check_api_key import check_api_key
from app.services.enrol_customer import enrol_customer
from app.services.find_member import ById
from app.services.find_program import list_programs
from app.services.publish_program import list_versions
from app.services.record_activity import Told, record_activity
from app.services.rotate_keys import Rotated, rotate_keys
from app.services.runtime import Runtime
from app.settings import Settings
from sandbox.hosts import HostMap
from sandbox.woocommerce import Shop, create_app
from tests.conftest import NOW, Clock, DatabaseUrls, make_program, unique
from tests.services.bodies import woo_order
from tests.services.books import publish, suspect
from tests.services.histories import make_history
from tests.services.houses import House, make_shop, woo_request
from tests.services.test_recorded_deliveries import RECORDINGS, recorded

Run = Callable[..., Result]


@pytest.fixture
def hosts() -> HostMap:
    return HostMap()


def _quiet(*_: object) -> structlog.testing.CapturingLogger:
    return structlog.testing.CapturingLogger()


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.fixture
def run(database: DatabaseUrls, rt: Runtime, hosts: HostMap, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run("members", "show", …)`: the command as people call it, over the tests' database and stand-in shops."""
    environ = {
        "DATABASE_URL": database.app_url,
        "DATABASE_OWNER_URL": database.owner_url,
        "LAUREL_KEYS": base64.b64encode(bytes(range(100, 132))).decode(),
        "PUBLIC_URL": "https://laurel.example",
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    # The tests' database is sealed under the tests' key; that the environment is read is tried all the same.
    monkeypatch.setattr(common, "build", lambda settings: replace(rt, http=hosts))
    # Log lines go beside the output, as they do at people's; the tests' own logging stays as it is.
    monkeypatch.setattr(logs, "configure", lambda **_: structlog.configure(logger_factory=_quiet))
    monkeypatch.setattr(await_code, "LONGEST_S", 0.0)

    return lambda *args: CliRunner().invoke(main, [str(arg) for arg in args])


@pytest.fixture
def house(rt: Runtime) -> House:
    program_id = make_program(rt, currency="USD")
    return House(rt, program_id, make_shop(rt, program_id))


def key_of(rt: Runtime, program_id: int) -> str:
    return next(key for key, known in list_programs(rt).items() if known == program_id)


def enrolled(house: House, customer_ref: str = "7") -> str:
    """A member; how the command line calls them."""
    enrol_customer(house.rt, house.program_id, house.shop.shop_id, customer_ref, asked=True)
    return f"{house.shop.key}:{customer_ref}"


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", [path for path in commands(main) if path != ("demo",)])
def test_every_command_has_help_with_an_example(path: tuple[str, ...]) -> None:
    done = CliRunner().invoke(main, [*path, "--help"])
    assert done.exit_code == 0
    assert "Example:" in done.output
    assert f"laurel {' '.join(path)}" in done.output


@pytest.mark.parametrize(
    "wrongly", [["nothing"], ["members", "show"], ["connect", "woocommerce"], ["--nothing"]]
)
def test_used_wrongly_is_2(wrongly: list[str]) -> None:
    assert CliRunner().invoke(main, wrongly).exit_code == 2


def test_missing_settings_are_named_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LAUREL_KEYS", "PUBLIC_URL", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    done = CliRunner().invoke(main, ["serve"])
    assert done.exit_code == 2
    assert "LAUREL_KEYS is missing" in done.output
    assert "PUBLIC_URL is missing" in done.output


# --- connect -----------------------------------------------------------------------------------------------


def stand_in(hosts: HostMap) -> tuple[Shop, str]:
    host = f"{unique('shop')}.example"
    shop = Shop(
        clock=lambda: NOW,
        url=f"https://{host}",
        name=unique("Fern"),
        currency="EUR",
        timezone="Europe/Berlin",
    )
    hosts.hosts[host] = create_app(shop)
    return shop, host


def test_connect_tries_the_keys_and_makes_a_program(run: Run, rt: Runtime, hosts: HostMap) -> None:
    shop, host = stand_in(hosts)
    key = shop.api_key()
    done = run(
        "connect", "woocommerce", "--url", host, "--consumer-key", key.consumer_key,
        "--consumer-secret", key.consumer_secret, "--counts-from", "2026-01-01", "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["is_new_program"] is True
    assert told["webhook_secret"] is None
    assert key.consumer_secret not in done.output
    with rt.db.begin(told["shop"]["program_id"]) as session:
        row = shops.get_shop(session, told["shop"]["shop_id"])
        assert (
            shops.get_secrets(session, rt.vault, row.shop_id).credentials["consumer_key"] == key.consumer_key
        )
        queued = session.scalar(
            "SELECT count(*) FROM shops s JOIN procrastinate_jobs j ON j.task_name = 'set_up_shop' "
            "AND j.args->>'shop_id' = s.id::text WHERE {fence:s}"
        )
    assert row.counts_from.isoformat() == "2025-12-31T23:00:00+00:00"  # Berlin's New Year
    assert row.state == "connected"
    assert queued == 1


def test_keys_that_the_shop_does_not_know_connect_nothing(run: Run, rt: Runtime, hosts: HostMap) -> None:
    _, host = stand_in(hosts)
    before = list_programs(rt)
    done = run(
        "connect",
        "woocommerce",
        "--url",
        host,
        "--consumer-key",
        "ck_" + "0" * 40,
        "--consumer-secret",
        "cs_" + "0" * 40,
    )
    assert done.exit_code == 1
    assert "does not let these keys in" in done.output
    assert list_programs(rt) == before


def test_keys_that_may_only_read_connect_nothing(run: Run, rt: Runtime, hosts: HostMap) -> None:
    """WooCommerce's own choice for new keys."""
    shop, host = stand_in(hosts)
    key = shop.api_key("read")
    before = list_programs(rt)
    done = run(
        "connect", "woocommerce", "--url", host, "--consumer-key", key.consumer_key,
        "--consumer-secret", key.consumer_secret,
    )  # fmt: skip
    assert done.exit_code == 1
    assert "give them Read/Write at the shop" in done.output
    assert list_programs(rt) == before


def test_a_shop_that_is_never_called_shows_its_secret_once(run: Run, rt: Runtime, hosts: HostMap) -> None:
    host, key = f"{unique('shop')}.example", unique("made")
    done = run(
        "connect", "woocommerce", "--url", host, "--no-check", "--currency", "JPY", "--program", key, "--json"
    )
    told = json.loads(done.stdout)
    assert list_programs(rt)[key] == told["shop"]["program_id"]
    assert len(told["webhook_secret"]) >= 32
    assert told["webhook_address"].startswith("https://laurel.example/webhooks/woocommerce/")
    assert hosts.calls == []
    again = run("connect", "woocommerce", "--url", f"second-{host}", "--no-check", "--program", key, "--json")
    assert json.loads(again.stdout)["facts"]["currency"] == "JPY"
    assert json.loads(again.stdout)["is_new_program"] is False


@pytest.mark.parametrize(
    "args",
    [
        ("woocommerce", "--url", "shop.example"),
        ("shopify", "--shop", "evil.example", "--client-id", "x", "--client-secret", "y"),
        (
            "woocommerce",
            "--url",
            "shop.example",
            "--no-check",
            "--currency",
            "EUR",
            "--counts-from",
            "yesterday",
        ),
    ],
)
def test_connect_used_wrongly_is_2(run: Run, args: tuple[str, ...]) -> None:
    assert run("connect", *args).exit_code == 2


@pytest.mark.parametrize("url", ["http://127.0.0.1", "10.0.0.1", "https://u:p@shop.example"])
def test_an_address_on_this_machine_needs_to_be_allowed(run: Run, url: str) -> None:
    done = run("connect", "woocommerce", "--url", url, "--no-check", "--currency", "EUR")
    assert done.exit_code == 1
    assert "--allow-private" in done.output


# --- programs ----------------------------------------------------------------------------------------------


def test_a_document_is_shown_changed_compared_published_and_taken_back(
    run: Run, house: House, tmp_path: Path
) -> None:
    key = key_of(house.rt, house.program_id)
    file = tmp_path / "rules.json"
    shown = run("program", "show", "--program", key)
    document = json.loads(shown.stdout)
    document["rewards"][0]["cost"] += 20
    file.write_text(json.dumps(document))
    assert run("program", "validate", file).exit_code == 0
    diff = run("program", "diff", file, "--program", key)
    assert diff.stdout.strip() == f"rewards.{document['rewards'][0]['key']}.cost: 100 → 120"
    assert (
        run("program", "publish", file, "--program", key, "--note", "dearer").stdout == "Version 2 is live.\n"
    )
    assert run("program", "publish", file, "--program", key).exit_code == 1  # nothing changed
    assert run("program", "rollback", 1, "--program", key).exit_code == 0
    versions = list_versions(house.rt, house.program_id)
    assert [one.version for one in versions] == [3, 2, 1]
    assert versions[0].document == versions[2].document
    listed = json.loads(run("program", "show", "--versions", "--json", "--program", key).stdout)
    assert [one["note"] for one in listed] == ["Back to version 1.", "dearer", "The first version."]


def test_before_publishing_it_says_who_would_change_tier(
    run: Run, rt: Runtime, clock: Clock, tmp_path: Path
) -> None:
    past = make_history(rt, clock)
    key = key_of(rt, past.program_id)
    file = tmp_path / "rules.json"
    document = json.loads(run("program", "show", "--program", key).stdout)
    file.write_text(json.dumps(document))
    nothing = run("program", "diff", file, "--moves", "--program", key)
    assert nothing.stdout == "Nothing differs.\nNobody would change tier by it.\n"
    past.buy("7", "a", "10.00")
    document["tiers"]["levels"][1]["from_minor"] = 500
    file.write_text(json.dumps(document))
    told = run("program", "diff", file, "--moves", "--program", key).stdout
    assert told.splitlines()[1:] == ["Silver: 1 up and 0 of a removed tier at once, 0 down in the end"]
    found = json.loads(run("program", "diff", file, "--moves", "--json", "--program", key).stdout)
    assert found["moves"] == [{"name": "Silver", "up": 1, "moved": 0, "down": 0}]
    assert len(found["changes"]) == 1
    assert [one.version for one in list_versions(rt, past.program_id)] == [1]
    document["tiers"]["levels"][1]["from_minor"] = -1
    file.write_text(json.dumps(document))
    wrong = run("program", "diff", file, "--moves", "--program", key)
    assert (wrong.exit_code, "from_minor" in wrong.stderr) == (1, True)
    assert run("program", "diff", file, "--moves", "--version", 1, "--program", key).exit_code == 2


def test_publishing_counts_held_orders_again(run: Run, house: House, tmp_path: Path) -> None:
    key = key_of(house.rt, house.program_id)
    document = json.loads(run("program", "show", "--program", key).stdout)
    document["currencies"] = {"JPY": {"spend_minor": 100, "program_minor": 65}}
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(document))
    assert run("program", "publish", file, "--program", key).exit_code == 0
    with house.rt.db.begin(house.program_id) as session:
        found = session.scalar(
            "SELECT count(*) FROM programs p JOIN procrastinate_jobs j ON j.task_name = 'recount' "
            "AND j.args->>'program_id' = p.program_id::text WHERE {fence:p}"
        )
    assert found == 1


def test_a_wrong_document_is_told_fault_by_fault(run: Run, house: House, tmp_path: Path) -> None:
    key = key_of(house.rt, house.program_id)
    document = json.loads(run("program", "show", "--program", key).stdout)
    document["hold_days"] = -1
    document["rewards"][0]["cost"] = "much"
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(document))
    done = run("program", "validate", file)
    assert done.exit_code == 1
    assert "hold_days" in done.output
    assert "rewards[0].cost" in done.output
    assert run("program", "publish", file, "--program", key).exit_code == 1
    file.write_text("{")
    assert run("program", "validate", file).exit_code == 2


def test_a_programs_currency_stays_once_an_order_was_counted_in_it(
    run: Run, house: House, tmp_path: Path
) -> None:
    for path in RECORDINGS[:5]:
        house.deliver(recorded(path))
    house.drain()
    key = key_of(house.rt, house.program_id)
    document = json.loads(run("program", "show", "--program", key).stdout)
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({**document, "currency": "EUR"}))
    done = run("program", "publish", file, "--program", key)
    assert (done.exit_code, "keeps its currency" in done.output) == (1, True)


def test_which_program_is_asked_where_there_are_several(run: Run, rt: Runtime) -> None:
    make_program(rt)
    make_program(rt)
    done = run("program", "show")
    assert (done.exit_code, "--program" in done.output) == (1, True)
    assert run("program", "show", "--program", "nobody").exit_code == 1


# --- members -----------------------------------------------------------------------------------------------


def test_points_are_given_shown_and_spent(run: Run, house: House) -> None:
    key, who = key_of(house.rt, house.program_id), enrolled(house)
    given = run("members", "adjust", who, 150, "--reason", "Welcome", "--program", key)
    assert (given.exit_code, "150 available" in given.stdout) == (0, True)
    shown = json.loads(run("members", "show", who, "--program", key, "--json").stdout)
    assert shown["member"]["balance"]["available"] == 150
    assert shown["entries"][0]["reason"] == "Welcome"
    document = json.loads(run("program", "show", "--program", key).stdout)
    reward = document["rewards"][0]["key"]
    spent = run("redeem", who, reward, "--program", key, "--key", "click-1", "--json")
    assert spent.exit_code == 0, spent.output
    again = run("redeem", who, reward, "--program", key, "--key", "click-1", "--json")
    assert json.loads(again.stdout)["redemption_id"] == json.loads(spent.stdout)["redemption_id"]
    people = run("members", "show", who, "--program", key).stdout
    assert "50 points available" in people
    assert "-100" in people


def test_a_tier_is_given_and_taken_back(run: Run, house: House) -> None:
    key, who = key_of(house.rt, house.program_id), enrolled(house)
    wish = ("members", "tier", who, "--tier", "gold", "--until", "2099-01-31", "--program", key)
    given = run(*wish, "--reason", "Press")
    assert (given.exit_code, "has Gold until the end of 2099-01-31" in given.stdout) == (0, True)
    assert ", Gold, since" in run("members", "show", who, "--program", key).stdout
    grant = given.stdout.split()[-1]
    assert "taken back" in run("members", "tier-undo", grant, "--program", key).stdout
    assert run("members", "tier-undo", 10**9, "--program", key).exit_code == 1
    assert run(*wish).exit_code == 2  # no reason


def test_an_activity_is_found_by_its_number_and_taken_back(run: Run, house: House) -> None:
    key, who = key_of(house.rt, house.program_id), enrolled(house)
    publish(
        house.rt,
        house.program_id,
        activities=[{"key": "review", "name": "Review", "kind": "review", "points": 10}],
    )
    assert run("members", "activities", who, "--program", key).stdout.strip() == "None."
    member = json.loads(run("members", "show", who, "--program", key, "--json").stdout)["member"]["member_id"]
    told = Told(who=ById(member), activity_key="review", request_key="1", actor="the shop")
    number = record_activity(house.rt, house.program_id, told).activity_id
    listed = run("members", "activities", who, "--program", key).stdout
    assert (str(number) in listed, "Review: 10 points." in listed) == (True, True)
    undo = ("members", "activity-undo", number, "--program", key)
    done = run(*undo, "--reason", "An advertisement")
    assert (done.exit_code, "is taken back" in done.stdout) == (0, True), done.output
    assert run(*undo, "--reason", "An advertisement").exit_code == 0  # asked twice, it is one undoing
    assert "taken back: An advertisement" in run("members", "activities", who, "--program", key).stdout
    assert run("members", "activity-undo", 10**9, "--reason", "x", "--program", key).exit_code == 1
    assert run(*undo).exit_code == 2  # no reason


def test_points_that_are_not_there_are_not_spent(run: Run, house: House) -> None:
    key, who = key_of(house.rt, house.program_id), enrolled(house)
    reward = json.loads(run("program", "show", "--program", key).stdout)["rewards"][0]["key"]
    assert run("redeem", who, reward, "--program", key).exit_code == 1
    assert run("members", "adjust", who, -1, "--reason", "x", "--program", key).exit_code == 1
    assert run("members", "adjust", who, 1, "--program", key).exit_code == 2  # no reason


def test_the_same_key_adjusts_once(run: Run, house: House) -> None:
    key, who = key_of(house.rt, house.program_id), enrolled(house)
    for _ in range(2):
        run("members", "adjust", who, 10, "--reason", "Sorry", "--key", "k1", "--program", key)
    shown = json.loads(run("members", "show", who, "--program", key, "--json").stdout)
    assert shown["member"]["balance"]["available"] == 10


@pytest.mark.parametrize(("who", "code"), [("1", 1), ("nobody@x.example", 1), ("nowhere:1", 1), ("Ada", 2)])
def test_a_member_that_is_not_there(run: Run, house: House, who: str, code: int) -> None:
    assert run("members", "show", who, "--program", key_of(house.rt, house.program_id)).exit_code == code


# --- the rest ----------------------------------------------------------------------------------------------


def test_an_api_key_is_printed_once_and_works(run: Run, house: House) -> None:
    token = run("api-key", "create", "till", "--program", key_of(house.rt, house.program_id)).stdout.strip()
    found = check_api_key(house.rt, token)
    assert found.program_id == house.program_id
    with house.rt.db.outside() as connection:
        held = connection.execute(text("SELECT string_agg(key, ' ') FROM directory")).scalar()
    assert token not in str(held)


def test_keys_are_rotated(run: Run, house: House) -> None:
    # The environment's key is not the tests' key, so this runs on a ring with a new key in front.
    old, new = b"k" * 32, bytes(range(32))
    rt = replace(house.rt, vault=Vault(KeyRing([new, old]), b"d" * 32, b"h" * 32, "0"))
    assert rotate_keys(rt).shop_secrets >= 3
    assert rotate_keys(rt) == Rotated(0, 0)
    with rt.db.begin(house.program_id) as session:
        assert shops.get_secrets(session, rt.vault, house.shop.shop_id).credentials["consumer_key"] == "ck_x"
    # Back again: other tests know the first key only.
    back = replace(rt, vault=Vault(KeyRing([old, new]), b"d" * 32, b"h" * 32, "0"))
    assert rotate_keys(back).shop_secrets >= 3


def test_doctor_says_what_is_wrong_and_what_to_do(run: Run, house: House) -> None:
    done = run("doctor", "--here", "--json")
    assert done.exit_code == 1
    found = {one["name"]: one["problem"] for one in json.loads(done.stdout)}
    assert found["database"] is None
    assert found["guards"] is None
    assert "laurel worker" in found[f"shop {house.shop.key}"]


def test_doctor_names_missing_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUBLIC_URL")
    done = run("doctor", "--here")
    assert (done.exit_code, "PUBLIC_URL is missing" in done.output) == (1, True)


def test_doctor_names_a_key_that_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        common, "build", build
    )  # the database is sealed under another key than the environment's
    done = run("doctor", "--here")
    assert done.exit_code == 1
    assert "wrong keys: installation|data_key: sealed with a key that is not in LAUREL_KEYS" in done.stdout
    assert "put the key that is missing back" in done.stdout


def test_doctor_names_a_database_that_is_too_new(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def build_on_what_is_too_new(settings: Settings) -> Runtime:
        raise CannotMigrate("a newer Laurel has brought the database to 0009: start the newer one")

    monkeypatch.setattr(common, "build", build_on_what_is_too_new)
    done = run("doctor", "--here", "--json")
    assert done.exit_code == 1
    assert {
        "name": "database",
        "problem": "a newer Laurel has brought the database to 0009: start the newer one",
    } in (json.loads(done.stdout))


def test_what_was_noticed_is_listed_and_decided_on(run: Run, house: House) -> None:
    key, who = key_of(house.rt, house.program_id), enrolled(house)
    assert "Nobody to look at." in run("members", "reviews", "--program", key).stdout
    member_id = json.loads(run("members", "show", who, "--program", key, "--json").stdout)["member"][
        "member_id"
    ]
    number = str(suspect(house.rt, house.program_id, member_id))
    listed = run("members", "reviews", "--program", key).stdout
    assert "points wait" in listed
    assert "41 activities that earned within 24 hours. More than 40 are looked at." in listed
    assert "Being checked since" in run("members", "show", who, "--program", key).stdout
    for act, said in (("refuse", "is blocked"), ("undo", "looked at again"), ("allow", "can spend")):
        done = run("members", "review", number, act, "--reason", f"to {act}", "--program", key)
        assert (done.exit_code, said in done.stdout) == (0, True)
    assert run("members", "review", number, "allow", "--reason", "x", "--program", key).exit_code == 1
    assert "to refuse" in run("members", "reviews", "--program", key).stdout


def test_audit_and_replay_find_nothing_wrong_and_say_so(run: Run, house: House) -> None:
    key, who = key_of(house.rt, house.program_id), enrolled(house)
    run("members", "adjust", who, 150, "--reason", "Welcome", "--program", key)
    for name, wrong in (("audit", "problems"), ("replay", "differences")):
        done = run(name, "--program", key, "--json")
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)[key][wrong] == []
    digest = json.loads(run("audit", "--program", key, "--json").stdout)[key]["digest"]
    assert digest in run("audit", "--program", key).stdout


def test_a_freeze_is_told_and_lifted_with_a_reason(run: Run, house: House) -> None:
    key = key_of(house.rt, house.program_id)
    assert run("unfreeze", "--program", key).exit_code == 0
    with house.rt.db.begin(house.program_id) as session:
        found = [("account:7", "points", "905 points are stored, the entries give 900")]
        freezes.begin(session, found, now=house.rt.now())
    for name in ("audit", "unfreeze"):
        done = run(name, "--program", key)
        assert (done.exit_code, "nothing can be spent since" in done.stdout.lower()) == (1, True)
    assert "905 points are stored" in run("unfreeze", "--program", key).stdout
    assert "points cannot be spent in" in run("doctor", "--here").stdout
    assert run("unfreeze", "--program", key, "--reason", " ").exit_code == 1
    assert run("unfreeze", "--program", key, "--reason", "Restored").exit_code == 0
    assert run("audit", "--program", key).exit_code == 0


def test_staff_get_a_link_once(run: Run, house: House) -> None:
    done = run("staff", "invite", "ada@shop.example", "--program", key_of(house.rt, house.program_id))
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("https://laurel.example/admin/sign-in/")


def test_a_draft_is_tried_on_the_orders_of_a_shop_beside_what_is_live(
    run: Run, house: House, tmp_path: Path
) -> None:
    house.deliver(woo_request("order.updated", woo_order(1, goods="250.00", customer=7)))
    house.drain()
    key = key_of(house.rt, house.program_id)
    document = json.loads(run("program", "show", "--program", key).stdout)
    document["earn"]["points"] = 3
    draft = tmp_path / "draft.json"
    draft.write_text(json.dumps(document))
    done = run("program", "simulate", draft, "--shop", house.shop.key, "--program", key, "--json")
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    given = [data[side]["total"]["given"]["expected"] for side in ("draft", "beside")]
    assert given == [750, house.balance("7")] == [750, 250]
    assert (data["draft"]["version"], data["beside"]["version"]) == (None, 1)
    assert run("program", "show", "--program", key, "--versions").stdout.count("\n") == 1
    unknown = run("program", "simulate", draft, "--shop", "nowhere", "--program", key)
    assert (unknown.exit_code, house.shop.key in unknown.output) == (1, True)
    beside = run("program", "simulate", draft, "--orders", "cdnow", "--to", "1997-01-03", "--program", key)
    assert beside.exit_code == 0, beside.output
    assert "version 1" in beside.stdout


def test_members_are_blocked_and_unblocked_with_a_reason(house: House, run: Run) -> None:
    who, key = enrolled(house), key_of(house.rt, house.program_id)
    assert run("members", "block", who, "--program", key).exit_code == 2  # no reason
    assert run("members", "unblock", who, "--reason", "x", "--program", key).exit_code == 1
    done = run("members", "block", who, "--reason", "Fake orders", "--program", key)
    assert (done.exit_code, "is blocked" in done.output) == (0, True)
    assert "Blocked since" in run("members", "show", who, "--program", key).output
    assert run("members", "unblock", who, "--reason", "Cleared up", "--program", key).exit_code == 0
    assert "Blocked since" not in run("members", "show", who, "--program", key).output
