"""What the environment says. Nothing else reads it, and nothing else is needed to use it:

    settings = Settings.from_env("serve")     # the command that asks; raises SettingsError, listing every problem

What is set must be right whatever the command; what must be set depends on the command (`_NEEDS`).
"""

import base64
import binascii
import ipaddress
import os
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, urlsplit

NEW_KEY = 'python3 -c "import base64, secrets; print(base64.b64encode(secrets.token_bytes(32)).decode())"'
"""The command that prints a fresh key for LAUREL_KEYS; for messages and the documentation."""

_KEY_BYTES = 32
_DISTINCT = 16  # 32 random bytes have fewer different values once in 10^17 keys

_NOTHING: frozenset[str] = frozenset()
_KEYS = frozenset({"LAUREL_KEYS"})
_ALL = frozenset({"LAUREL_KEYS", "PUBLIC_URL"})
_NEEDS = {
    "serve": _ALL,
    "worker": _ALL,
    "connect": _ALL,
    "staff": _ALL,  # an invitation is a link
    "demo": _NOTHING,  # brings everything of its own
    "migrate": _NOTHING,  # only the database, which needs nothing set
    "backup": _NOTHING,
    "program": _NOTHING,
    "audit": _NOTHING,
    "doctor": _NOTHING,  # reports what is missing instead
}
"""What each command cannot do without; a command that is not named here needs the keys."""


class SettingsError(Exception):
    """The environment is incomplete or wrong. `problems` has a line for each, saying how to set it right."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(
            "\n".join(("Laurel cannot start with these settings:", *(f"  - {p}" for p in problems)))
        )
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopifyApp:
    """The installation's own app at Shopify. `old_secret` still counts while the secret is rotated."""

    api_key: str
    secret: str = field(repr=False)
    old_secret: str | None = field(repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret a message may be signed with, newest first."""
        return (self.secret,) if self.old_secret is None else (self.secret, self.old_secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that differs from one installation to the next. Secrets do not show in its `repr`.

    `database_url` None: the embedded PostgreSQL under `var`. `owner_url` None: `database_url` migrates too.
    `public_url` has no slash at its end; it and `keys` are empty only for commands that do without.
    `keys` are 32 bytes each, newest first. `smtp_url` None: no mail is sent.
    """

    var: Path
    port: int
    public_url: str
    database_url: str | None = field(repr=False)
    owner_url: str | None = field(repr=False)
    keys: tuple[bytes, ...] = field(repr=False)
    shopify: ShopifyApp | None
    smtp_url: str | None = field(repr=False)

    @classmethod
    def from_env(cls, command: str, environ: Mapping[str, str] | None = None) -> Self:
        """The settings for `laurel <command>`.

        Raises: SettingsError, naming everything that is missing or wrong at once.
        """
        read = _Reading(os.environ if environ is None else environ)  # noqa: TID251  the one place that may
        settings = cls(
            var=read.var(),
            port=read.port(),
            public_url=read.public_url(),
            database_url=read.database_url("DATABASE_URL"),
            owner_url=read.database_url("DATABASE_OWNER_URL"),
            keys=read.keys(),
            shopify=read.shopify(),
            smtp_url=read.smtp_url(),
        )
        if read.get("DATABASE_OWNER_URL") and not read.get("DATABASE_URL"):
            read.problems.append("DATABASE_OWNER_URL is set without DATABASE_URL: set both, or neither")
        read.require(_NEEDS.get(command, _KEYS))
        if read.problems:
            raise SettingsError(tuple(read.problems))
        return settings


class _Reading:
    """One look at the environment: each method reads its part and notes what is wrong with it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def get(self, name: str) -> str | None:
        """The value without blanks around it; None where it is missing or empty."""
        return self._environ.get(name, "").strip() or None

    def require(self, names: frozenset[str]) -> None:
        how = {
            "LAUREL_KEYS": f"LAUREL_KEYS is missing: it encrypts the shops' tokens; make a key with {NEW_KEY}, "
            "set LAUREL_KEYS to it and keep a copy apart from the backups",
            "PUBLIC_URL": "PUBLIC_URL is missing: set it to the address under which shops reach this "
            "installation, as in PUBLIC_URL=https://points.example.com",
        }
        self.problems += [how[name] for name in sorted(names) if self.get(name) is None]

    def var(self) -> Path:
        value = self.get("LAUREL_VAR")
        if value is None:
            return default_var()
        path = Path(value).expanduser()
        if not path.is_absolute():
            self.problems.append(
                "LAUREL_VAR must be a whole path, beginning with /: commands run from anywhere"
            )
        return path

    def port(self) -> int:
        value = self.get("PORT") or "8000"
        if value.isascii() and value.isdigit() and 0 < int(value) < 65536:
            return int(value)
        self.problems.append("PORT must be a number from 1 to 65535, as in PORT=8000")
        return 0

    def public_url(self) -> str:
        value = self.get("PUBLIC_URL")
        if value is None:
            return ""
        url = _split(value)
        if url is None or not url.hostname or url.scheme not in {"http", "https"}:
            self.problems.append("PUBLIC_URL must be an address such as https://points.example.com")
        elif url.username or url.password or url.path not in {"", "/"} or url.query or url.fragment:
            self.problems.append(
                "PUBLIC_URL must end after the host (and port): no path, no user, no question mark"
            )
        elif url.scheme == "http" and not _is_loopback(url.hostname):
            self.problems.append(
                "PUBLIC_URL must begin with https:// (http:// is for this machine only, as localhost)"
            )
        return value.rstrip("/")

    def database_url(self, name: str) -> str | None:
        value = self.get(name)
        if value is None:
            return None
        url = _split(value)
        if (
            url is None
            or url.scheme not in {"postgresql", "postgres", "postgresql+psycopg"}
            or len(url.path) < 2
        ):
            self.problems.append(f"{name} must be of the form postgresql://user:password@host:5432/database")
            return None
        return "postgresql" + value[value.index("://") :]

    def keys(self) -> tuple[bytes, ...]:
        """The keys that can be decoded; anything weak is a problem: a guessed key opens every shop's token."""
        words = (self.get("LAUREL_KEYS") or "").replace(",", " ").split()
        keys = [key for place, word in enumerate(words, 1) if (key := self._key(place, word)) is not None]
        if len(set(keys)) < len(keys):
            self.problems.append("LAUREL_KEYS names the same key twice: each must be its own, newest first")
        return tuple(keys)

    def _key(self, place: int, word: str) -> bytes | None:
        which = f"LAUREL_KEYS: key {place}"
        try:
            key = base64.b64decode(word.replace("-", "+").replace("_", "/"), validate=True)
        except binascii.Error:
            key = b""
        if len(key) != _KEY_BYTES:
            self.problems.append(
                f"{which} is not {_KEY_BYTES} random bytes in base64; make one with {NEW_KEY}"
            )
            return None
        is_text = all(chr(byte) in string.printable for byte in key)
        if is_text or len(set(key)) < _DISTINCT:
            self.problems.append(f"{which} is a phrase or a pattern, not random; make one with {NEW_KEY}")
        others = (
            "SHOPIFY_API_SECRET",
            "SHOPIFY_OLD_API_SECRET",
            "DATABASE_URL",
            "DATABASE_OWNER_URL",
            "SMTP_URL",
        )
        self.problems.extend(
            f"{which} is also in {name}: a key must serve nothing else; make one with {NEW_KEY}"
            for name in others
            if word in (self.get(name) or "")
        )
        return key

    def shopify(self) -> ShopifyApp | None:
        api_key, secret = self.get("SHOPIFY_API_KEY"), self.get("SHOPIFY_API_SECRET")
        old_secret = self.get("SHOPIFY_OLD_API_SECRET")
        where = "both are on the app's page in Shopify's partner dashboard"
        if api_key and secret:
            if old_secret == secret:
                self.problems.append("SHOPIFY_OLD_API_SECRET is the same as SHOPIFY_API_SECRET: remove it")
            return ShopifyApp(api_key=api_key, secret=secret, old_secret=old_secret)
        if api_key:
            self.problems.append(f"SHOPIFY_API_SECRET is missing, though SHOPIFY_API_KEY is set: {where}")
        elif secret or old_secret:
            self.problems.append(f"SHOPIFY_API_KEY is missing, though a secret of the app is set: {where}")
        return None

    def smtp_url(self) -> str | None:
        value = self.get("SMTP_URL")
        url = _split(value or "smtp://host")
        if url is None or url.scheme not in {"smtp", "smtps"} or not url.hostname:
            self.problems.append(
                "SMTP_URL must be of the form smtps://user:password@host:465 (or smtp:// with STARTTLS)"
            )
        return value


def default_var() -> Path:
    """Where data lie unless LAUREL_VAR says so: `var` of the checkout, or the user's data folder.

    For root it is a folder of this checkout's own under /var/lib/laurel: the database runs as another user, who
    can pass there and could not where the checkout lies in root's home.
    """
    project = Path(__file__).resolve().parents[1]
    if os.geteuid() == 0:
        return Path("/var/lib/laurel") / f"{project.name}-{sha256(os.fsencode(project)).hexdigest()[:8]}"
    if (project / "pyproject.toml").is_file():
        return project / "var"
    return Path.home() / ".local" / "share" / "laurel"


def _split(value: str) -> SplitResult | None:
    """The parts of a URL; None where it is none, as with a port that is no number."""
    try:
        url = urlsplit(value)
        _ = url.port
    except ValueError:
        return None
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
