"""Settings.from_env: what counts as set right, and that everything wrong is named at once."""

import base64
import hashlib
from pathlib import Path

import pytest

from app.settings import Settings, SettingsError, ShopifyApp, default_var

KEY = hashlib.sha256(b"a test's key").digest()
OLDER_KEY = hashlib.sha256(b"an older one").digest()


def b64(key: bytes) -> str:
    return base64.b64encode(key).decode()


VALID = {
    "DATABASE_URL": "postgresql://app:pw@db.example/laurel",
    "DATABASE_OWNER_URL": "postgresql://owner:pw@db.example/laurel",
    "PUBLIC_URL": "https://points.example.com",
    "LAUREL_KEYS": b64(KEY),
    "LAUREL_VAR": "/srv/laurel",
    "SHOPIFY_API_KEY": "1234abcd",
    "SHOPIFY_API_SECRET": "shpss_new",
    "SHOPIFY_OLD_API_SECRET": "shpss_old",
    "SMTP_URL": "smtps://mailer:pw@mail.example:465",
    "PORT": "9000",
}


def problems(command: str, environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        Settings.from_env(command, environ)
    return refused.value.problems


def test_all_of_it_is_read() -> None:
    assert Settings.from_env("serve", VALID) == Settings(
        var=Path("/srv/laurel"),
        port=9000,
        public_url="https://points.example.com",
        database_url="postgresql://app:pw@db.example/laurel",
        owner_url="postgresql://owner:pw@db.example/laurel",
        keys=(KEY,),
        shopify=ShopifyApp(api_key="1234abcd", secret="shpss_new", old_secret="shpss_old"),
        smtp_url="smtps://mailer:pw@mail.example:465",
    )


def test_little_is_enough() -> None:
    settings = Settings.from_env(
        "serve", {"PUBLIC_URL": "https://points.example.com", "LAUREL_KEYS": b64(KEY)}
    )
    assert (settings.port, settings.var) == (8000, default_var())
    assert (settings.database_url, settings.owner_url, settings.shopify, settings.smtp_url) == (None,) * 4


@pytest.mark.parametrize("command", ["demo", "migrate", "backup", "doctor"])
def test_some_commands_need_nothing(command: str) -> None:
    settings = Settings.from_env(command, {})
    assert (settings.public_url, settings.keys) == ("", ())


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        ("serve", ["LAUREL_KEYS", "PUBLIC_URL"]),
        ("worker", ["LAUREL_KEYS", "PUBLIC_URL"]),
        ("redeem", ["LAUREL_KEYS"]),
    ],
)
def test_what_is_missing_is_named_at_once_with_how_to_set_it(command: str, missing: list[str]) -> None:
    found = problems(command, {"LAUREL_KEYS": "  ", "PUBLIC_URL": ""})  # empty is missing
    assert [problem.split()[0] for problem in found] == missing
    assert all(" set " in problem for problem in found)


def test_everything_wrong_is_named_at_once() -> None:
    wrong = {"DATABASE_URL": "mysql://db/laurel", "PUBLIC_URL": "points", "PORT": "http", "SMTP_URL": "mail"}
    found = problems("serve", wrong)
    assert sorted(problem.split()[0] for problem in found) == [
        *("DATABASE_URL", "LAUREL_KEYS", "PORT", "PUBLIC_URL", "SMTP_URL")
    ]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DATABASE_URL", "mysql://db.example/laurel", "postgresql://user:password@host"),
        ("DATABASE_URL", "postgresql://db.example", "postgresql://user:password@host"),
        ("DATABASE_URL", "postgresql://db.example:port/laurel", "postgresql://user:password@host"),
        ("DATABASE_OWNER_URL", "db.example", "postgresql://user:password@host"),
        ("PUBLIC_URL", "points.example.com", "an address"),
        ("PUBLIC_URL", "https://", "an address"),
        ("PUBLIC_URL", "https://points.example.com:port", "an address"),
        ("PUBLIC_URL", "https://[points", "an address"),
        ("PUBLIC_URL", "http://points.example.com", "https://"),
        ("PUBLIC_URL", "http://10.0.0.7", "https://"),
        ("PUBLIC_URL", "http://localhost.example.com", "https://"),
        ("PUBLIC_URL", "https://points.example.com/laurel", "no path"),
        ("PUBLIC_URL", "https://me:pw@points.example.com", "no path, no user"),
        ("PUBLIC_URL", "https://points.example.com?shop=1", "no path"),
        ("LAUREL_KEYS", b64(KEY[:16]), "32 random bytes"),
        ("LAUREL_KEYS", b64(KEY + KEY), "32 random bytes"),
        ("LAUREL_KEYS", "changeme", "32 random bytes"),
        ("LAUREL_KEYS", "not-base64-at-all!", "32 random bytes"),
        ("LAUREL_KEYS", b64(b"correct-horse-battery-staple-123"), "not random"),
        ("LAUREL_KEYS", b64(bytes(32)), "not random"),
        ("LAUREL_KEYS", b64(bytes(range(0x80, 0x88)) * 4), "not random"),
        ("LAUREL_KEYS", f"{b64(KEY)},{b64(KEY)}", "twice"),
        ("SHOPIFY_API_SECRET", b64(KEY), "nothing else"),
        ("SHOPIFY_API_SECRET", "", "SHOPIFY_API_KEY is set"),
        ("SHOPIFY_API_KEY", "", "a secret of the app is set"),
        ("SHOPIFY_OLD_API_SECRET", VALID["SHOPIFY_API_SECRET"], "remove it"),
        ("SMTP_URL", "mail.example:25", "smtps://"),
        ("SMTP_URL", "https://mail.example", "smtps://"),
        ("LAUREL_VAR", "var", "whole path"),
        ("PORT", "0", "65535"),
        ("PORT", "65536", "65535"),
        ("PORT", "-1", "65535"),
        ("PORT", "٣", "65535"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_one_wrong_thing_among_right_ones(command: str, name: str, value: str, says: str) -> None:
    (problem,) = problems(command, {**VALID, name: value})
    assert says in problem


def test_the_owner_of_no_database_is_refused() -> None:
    (problem,) = problems("migrate", {**VALID, "DATABASE_URL": ""})
    assert problem.startswith("DATABASE_OWNER_URL is set without DATABASE_URL")


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("https://points.example.com/", "https://points.example.com"),
        ("https://points.example.com:8443", "https://points.example.com:8443"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.2:8000", "http://127.0.0.2:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_public_addresses_that_are_right(given: str, read: str) -> None:
    assert Settings.from_env("serve", {**VALID, "PUBLIC_URL": given}).public_url == read


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_hosts_write_the_scheme_of_a_database_in_three_ways(scheme: str) -> None:
    settings = Settings.from_env("serve", {**VALID, "DATABASE_URL": f"{scheme}://app:pw@db.example/laurel"})
    assert settings.database_url == VALID["DATABASE_URL"]


@pytest.mark.parametrize("between", [",", ", ", "\n", " "])
def test_keys_come_newest_first(between: str) -> None:
    urlsafe = base64.urlsafe_b64encode(OLDER_KEY).decode()
    assert Settings.from_env("serve", {**VALID, "LAUREL_KEYS": b64(KEY) + between + urlsafe}).keys == (
        KEY,
        OLDER_KEY,
    )


def test_no_secret_shows() -> None:
    shown = repr(Settings.from_env("serve", VALID))
    assert not [secret for secret in ("pw", "shpss", repr(KEY), b64(KEY)) if secret in shown]
    wrong = {
        **VALID,
        "LAUREL_KEYS": "hunter2",
        "DATABASE_URL": "mysql://app:hunter2@db",
        "SMTP_URL": "hunter2",
    }
    assert "hunter2" not in str(problems("serve", wrong))


def test_a_checkout_has_data_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    project = Path(__file__).resolve().parents[1]
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert default_var() == project / "var"
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert default_var().parent == Path("/var/lib/laurel")
    assert default_var().name.startswith(f"{project.name}-")
