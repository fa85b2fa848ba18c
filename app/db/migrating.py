"""Bringing a database to this version, and making sure that its guards stand."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url

from app.db.tables import UNFENCED, metadata

# Found from here: commands run from anywhere.
_MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"

# What the app's role may do; everything else is the owner's alone.
_ONLY_GROWS = ("entries", "program_versions", "adjustments", "tier_changes", "review_acts")
_TRIGGERS = frozenset(
    {
        "entries_only_grow",
        "entries_not_emptied",
        "entries_enough_points",
        "versions_only_grow",
        "versions_not_emptied",
        "adjustments_only_grow",
        "adjustments_not_emptied",
    }
)


class GuardsMissing(Exception):
    """The database lacks something that keeps the ledger true. `missing` names each."""

    def __init__(self, missing: Iterable[str]) -> None:
        self.missing = tuple(missing)
        super().__init__("; ".join(self.missing))


def migrate(owner_url: str, app_url: str) -> str:
    """Bring the database to the newest revision and grant the app's role its rights. Returns the revision."""
    config = _config()
    engine = create_engine(psycopg_url(owner_url))
    try:
        with engine.begin() as connection:
            # A second `migrate` at the same time waits instead of failing half-way.
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('laurel migrate'))"))
            connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            role = make_url(app_url).username
            if role and role != make_url(owner_url).username:
                _grant(connection, role)
            return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())
    finally:
        engine.dispose()


@cache
def newest_revision() -> str:
    """The revision that this version of Laurel needs."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def is_known_revision(revision: str) -> bool:
    """Whether this version can bring a database of that revision to its own."""
    return any(one.revision == revision for one in ScriptDirectory.from_config(_config()).walk_revisions())


def require_guards(connection: Connection) -> None:
    """Raises GuardsMissing unless role, row-level security and triggers are as the migrations left them."""
    missing = [*_role_faults(connection), *_fence_faults(connection), *_trigger_faults(connection)]
    if missing:
        raise GuardsMissing(missing)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def psycopg_url(url: str) -> str:
    """`url` with the driver we use; people write postgresql:// or postgres://."""
    scheme, _, rest = url.partition("://")
    if scheme in ("postgres", "postgresql"):
        scheme = "postgresql+psycopg"
    return f"{scheme}://{rest}"


def _grant(connection: Connection, role: str) -> None:
    name = connection.dialect.identifier_preparer.quote(role)
    growing = ", ".join(_ONLY_GROWS)
    statements = (
        f"GRANT USAGE ON SCHEMA public TO {name}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}",
        f"REVOKE UPDATE, DELETE, TRUNCATE ON {growing} FROM {name}",
        f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON alembic_version FROM {name}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}",
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {name}",
    )
    for statement in statements:
        connection.execute(text(statement))


def _role_faults(connection: Connection) -> list[str]:
    row = connection.execute(
        text("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
    ).one()
    if row.rolsuper or row.rolbypassrls:
        return [
            f"the role “{row.rolname}” in DATABASE_URL passes row-level security by. Make one that does not: "
            "CREATE ROLE laurel_app LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '…'; put it into DATABASE_URL, the "
            "owner's into DATABASE_OWNER_URL, and run `laurel migrate`."
        ]
    return []


def _fence_faults(connection: Connection) -> list[str]:
    rows = connection.execute(
        text(
            "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS fenced, "
            "EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'programs') AS policy "
            "FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
        )
    )
    found = {row.relname: row.fenced and row.policy for row in rows}
    return [
        f"table {name}: run `laurel migrate` (no row-level security)"
        if name in found
        else f"table {name} is missing"
        for name in sorted(set(metadata.tables) - UNFENCED)
        if not found.get(name)
    ]


def _trigger_faults(connection: Connection) -> list[str]:
    rows = connection.execute(
        text("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'")
    )
    return [f"trigger {name} is missing" for name in sorted(_TRIGGERS - {row.tgname for row in rows})]
