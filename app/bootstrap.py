"""Puts everything together: the only module that knows all of it, and the owner of the clock.

rt = build(Settings.from_env("serve"))
"""

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from app.db import embedded
from app.db.bell import Bell
from app.db.migrating import GuardsMissing, migrate, require_guards
from app.db.place import Place
from app.db.sealing import KeyRing, Vault, closed_vault, open_vault
from app.db.session import Database
from app.mail import mail_checker, mail_sender
from app.services.runtime import Runtime
from app.settings import Settings
from connectors.base import AppCredentials, Connector, HttpSeam
from connectors.http import Http
from connectors.registry import CONNECTORS

# Python's own 700 make it look through everything that lives again and again while a batch of orders is built up,
# a tenth of the time of settling; hardly anything of ours lies in cycles.
_NEW_OBJECTS = 50_000


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """`server` None: somebody else's PostgreSQL."""

    app: str
    owner: str
    server: embedded.Embedded | None


def clock() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  the one clock there is


def collect_seldom() -> None:
    """Let Python's collector of cycles look seldom. For every process of ours, before its work begins."""
    gc.set_threshold(_NEW_OBJECTS, 10, 10)


def open_database(settings: Settings) -> DatabaseUrls:
    """Where the database is: DATABASE_URL, or else the embedded one, which is started.

    Raises: EmbeddedError, whose text says what to do.
    """
    if settings.database_url is not None:
        return DatabaseUrls(settings.database_url, settings.owner_url or settings.database_url, None)
    server = embedded.start(settings.var)
    return DatabaseUrls(server.app_url, server.owner_url, server)


def open_place(settings: Settings) -> Place:
    """The database as a whole, for backup and restore. Raises: EmbeddedError, whose text says what to do."""
    urls = open_database(settings)
    if urls.server is None:
        return Place(urls.app, urls.owner, urls.owner, None)
    everything = urls.server.url(embedded.SUPERUSER)
    return Place(urls.app, urls.owner, everything, urls.server.url(embedded.SUPERUSER, "postgres"))


def build(
    settings: Settings,
    *,
    urls: DatabaseUrls | None = None,
    http: HttpSeam | None = None,
    connectors: Mapping[str, Connector] = CONNECTORS,
    now: Callable[[], datetime] = clock,
    pool_size: int = 10,
) -> Runtime:
    """The runtime of this installation. The embedded database is brought to this version: nobody else would.

    Without LAUREL_KEYS (for commands that do without) nothing that is sealed can be read or written.
    Raises: EmbeddedError, GuardsMissing if the database was never migrated.
    """
    urls = urls or open_database(settings)
    if urls.server is not None:
        migrate(urls.owner, urls.app)
    db = Database(urls.app, pool_size=pool_size)
    try:
        vault = _vault(db, settings)
    except Exception:
        db.close()
        raise
    return Runtime(
        db=db,
        vault=vault,
        connectors=connectors,
        apps=_apps(settings),
        http=http or Http(),
        clock=now,
        public_url=settings.public_url,
        send_mail=mail_sender(settings.smtp_url, settings.public_url),
        sends_mail=settings.smtp_url is not None,
        check_mail=mail_checker(settings.smtp_url),
        received=Bell(urls.app),
        database_folder=settings.var if urls.server is not None else None,
    )


def _vault(db: Database, settings: Settings) -> Vault:
    """Raises: GuardsMissing, CannotOpen if LAUREL_KEYS are not this database's."""
    with db.outside() as connection:
        if not db.is_migrated(connection):
            raise GuardsMissing(["the database has no tables of ours: run `laurel migrate`"])
        return open_vault(connection, KeyRing(settings.keys)) if settings.keys else closed_vault(connection)


def refuse_unguarded(rt: Runtime) -> None:
    """Raises: GuardsMissing unless everything that keeps the ledger true stands, the role's limits first of all."""
    with rt.db.outside() as connection:
        require_guards(connection)


def _apps(settings: Settings) -> dict[str, AppCredentials]:
    """The installation's own app on each platform that has such a thing."""
    app = settings.shopify
    if app is None:
        return {}
    return {"shopify": AppCredentials(client_id=app.api_key, secrets=app.secrets)}
