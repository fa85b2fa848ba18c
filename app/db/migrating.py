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


# The oldest revision whose code works with the tables as they are, noted where that code can read it.
_OLDEST = "works with "


class CannotMigrate(Exception):
    """There is no such revision, or only a newer Laurel knows the way. The sentence says what to do."""


class GuardsMissing(Exception):
    """The database lacks something that keeps the ledger true. `missing` names each."""

    def __init__(self, missing: Iterable[str]) -> None:
        self.missing = tuple(missing)
        super().__init__("; ".join(self.missing))


def migrate(owner_url: str, app_url: str, *, to: str = "head") -> str:
    """Bring the database to a revision, forward or back, and grant the app's role its rights. Returns the revision.

    A database that a newer version has brought further is left as it is, where this version can work with it.
    Raises: CannotMigrate.
    """
    config = _config()
    engine = create_engine(psycopg_url(owner_url))
    try:
        with engine.connect() as connection:
            # A second `migrate` at the same time waits instead of failing half-way. The connection's own, since a
            # migration may have to end a transaction: an index of a big table is made without one.
            connection.execute(text("SELECT pg_advisory_lock(hashtext('laurel migrate'))"))
            connection.execute(text("SET lock_timeout = '10s'"))
            connection.commit()
            found = _revision(connection)
            if found is None or is_known_revision(found):
                if to != "head" and not is_known_revision(to):
                    raise CannotMigrate(f"there is no revision {to}: the newest is {newest_revision()}")
                connection.commit()
                config.attributes["connection"] = connection
                back = to != "head" and found is not None and to < found
                (command.downgrade if back else command.upgrade)(config, to)
            elif to != "head":
                raise CannotMigrate(
                    f"only the newer Laurel that brought the database to {found} knows the way back"
                )
            elif problem := revision_problem(connection):
                raise CannotMigrate(problem)
            connection.commit()
            with connection.begin():
                _note_oldest(connection)
                role = make_url(app_url).username
                if role and role != make_url(owner_url).username:
                    _grant(connection, role)
                return str(_revision(connection))
    finally:
        engine.dispose()


@cache
def newest_revision() -> str:
    """The revision that this version of Laurel brings a database to."""
    return str(_scripts().get_current_head())


def known_revisions() -> list[str]:
    """Those that this version can bring a database from, and to; the oldest first."""
    return sorted(one.revision for one in _scripts().walk_revisions())


def is_known_revision(revision: str) -> bool:
    """Whether this version can bring a database of that revision to its own."""
    return revision in known_revisions()


def revision_problem(connection: Connection) -> str | None:
    """Why this version cannot work with the database as it is migrated; None: it can.

    During an update the new version migrates while the old one still runs: a database that is ahead is no problem
    as long as its newest migration says that it works with this version's code.
    """
    found, newest = _revision(connection), newest_revision()
    if found == newest:
        return None
    if found is None or is_known_revision(found):
        return f"the database is at {found}, this version needs {newest}: run `laurel migrate`"
    oldest = connection.execute(
        text("SELECT obj_description(to_regclass('alembic_version'), 'pg_class')")
    ).scalar()
    if oldest is not None and str(oldest).removeprefix(_OLDEST) <= newest:
        return None
    return (
        f"a newer Laurel has brought the database to {found}, and this version only knows {newest}: start the newer "
        f"one, or run its `laurel migrate --to {newest}`"
    )


def require_guards(connection: Connection) -> None:
    """Raises GuardsMissing unless role, row-level security and triggers are as the migrations left them."""
    missing = [*_role_faults(connection), *_fence_faults(connection), *_trigger_faults(connection)]
    if missing:
        raise GuardsMissing(missing)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _revision(connection: Connection) -> str | None:
    """That of the database; None: it was never migrated."""
    if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar() is None:
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _note_oldest(connection: Connection) -> None:
    """What the migration says in `works_with`."""
    found = _revision(connection)
    if found is not None and is_known_revision(found):
        oldest = _scripts().get_revision(found).module.works_with
        connection.execute(text(f"COMMENT ON TABLE alembic_version IS '{_OLDEST}{oldest}'"))


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
        else f"table {name} is missing: run `laurel migrate`"
        for name in sorted(set(metadata.tables) - UNFENCED)
        if not found.get(name)
    ]


def _trigger_faults(connection: Connection) -> list[str]:
    rows = connection.execute(
        text("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'")
    )
    return [f"trigger {name} is missing" for name in sorted(_TRIGGERS - {row.tgname for row in rows})]
