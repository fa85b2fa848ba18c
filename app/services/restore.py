"""A backup becomes the database: checked before and after, and what was there stays until all is well."""

import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import text

from app.db import directory, happenings, inbox, profiles, programs, shops
from app.db import place as places
from app.db.auditing import heads_digest
from app.db.directory import Kind
from app.db.migrating import is_known_revision, migrate, require_guards
from app.db.place import Place
from app.db.sealing import CannotOpen, KeyRing, Vault, open_vault
from app.db.session import Database, Session
from app.domain.errors import Refused
from app.domain.profiles import tag_of
from app.services.audit import Audit, audit_session
from app.services.backup import DATABASE, MANIFEST
from app.services.carry_erasures import Tombstone, carry_erasures, read_tombstones
from app.services.findings import Watch
from app.services.manifest import Manifest, read_manifest

_STEPS = 6

NEXT = (
    "Start `laurel serve` and `laurel worker`, then run `laurel reconcile`: orders changed since the backup are read.",
    "Codes sold since the backup are not known here. They stay valid at the shops; reconciliation reports them and "
    "never withdraws them.",
    "API keys revoked, staff removed and settings changed since the backup are as they were then: look at them.",
)
_UNREADABLE = (
    "The database that was here could not be read with these keys: whoever asked to be forgotten since the backup "
    "must be erased again."
)


@dataclass(frozen=True, slots=True)
class Restored:
    """`audits`: of each program, by its key. `erased`: people forgotten again. `next_steps`: sentences for people."""

    manifest: Manifest
    installation_id: str
    erased: int
    audits: Mapping[str, Audit]
    next_steps: tuple[str, ...]


def restore(
    place: Place,
    file: Path,
    *,
    ring: KeyRing,
    now: datetime,
    force: bool = False,
    progress: Watch | None = None,
) -> Restored:
    """Make the database what `file` holds. `ring`: LAUREL_KEYS, which must be those of the backup.

    Where the server is ours, what is there already is only replaced with `force`, once everything is checked, and
    its erasures are carried over. Elsewhere the database must be empty. The installation gets a new id: codes made
    under the old one are never withdrawn as orphans. Raises: Refused, saying what to do; nothing has changed then.
    """
    tell = progress or (lambda done, total: None)
    try:
        packed = zipfile.ZipFile(file)
        said = read_manifest(packed.read(MANIFEST))
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise Refused("not_a_backup", f"{file} is no backup of Laurel's, or was damaged.") from error
    with packed:
        vault = _vault_of(said, ring)
        tell(1, _STEPS)
        if place.server_url is None:
            _require_empty(place)
            return _fill(place, packed, said, ring, None, now, tell)
        carried = _what_is_here(place, ring, vault, force=force)
        with places.empty_beside(place, f"{place.name}_restoring") as fresh:
            done = _fill(fresh, packed, said, ring, carried, now, tell)
            places.take_the_place_of(place, fresh)
    tell(_STEPS, _STEPS)
    return done


def _vault_of(said: Manifest, ring: KeyRing) -> Vault:
    """The backup's own vault. Raises: Refused("other_keys"), Refused("newer_backup")."""
    if not is_known_revision(said.revision):
        raise Refused("newer_backup", f"Laurel {said.laurel} made this backup: restore it with that version.")
    try:
        keys = {name: ring.open(sealed, f"installation|{name}") for name, sealed in said.sealed.items()}
        return Vault(ring, keys["data_key"], keys["hash_key"], said.installation_id)
    except (CannotOpen, KeyError) as error:
        raise Refused(
            "other_keys",
            "LAUREL_KEYS do not open this backup: set those that were in use when it was made. They are not in it.",
        ) from error


def _require_empty(place: Place) -> None:
    with places.looking_at(place.owner_url) as connection:
        if places.count_rows(connection):
            raise Refused(
                "not_empty",
                "There are tables in this database. Make an empty one (CREATE DATABASE … OWNER …), set DATABASE_URL "
                "and DATABASE_OWNER_URL to it, and restore there; then erase anew whoever asked for it since the backup.",
            )


def _what_is_here(place: Place, ring: KeyRing, vault: Vault, *, force: bool) -> list[Tombstone] | None:
    """The tombstones of the database that will be replaced; None: they cannot be read."""
    with places.looking_at(place.everything_url) as connection:
        if places.wait_for_others(connection):
            raise Refused(
                "in_use", "Something still uses this database: stop `laurel serve` and `laurel worker`."
            )
        if not places.count_rows(connection).get("programs"):
            return []
    if not force:
        raise Refused(
            "not_empty",
            "There are programs in this database. Back it up first, then restore with --force: it is replaced.",
        )
    return read_tombstones(place.everything_url, ring, vault)


def _fill(
    fresh: Place,
    packed: zipfile.ZipFile,
    said: Manifest,
    ring: KeyRing,
    carried: list[Tombstone] | None,
    now: datetime,
    tell: Callable[[int, int], None],
) -> Restored:
    ours = fresh.server_url is not None
    with packed.open(DATABASE) as dump:
        places.load(fresh.everything_url if ours else fresh.owner_url, fresh.owner, dump)
    tell(2, _STEPS)
    if ours:
        _compare(fresh, said)
    new_id = _make_its_own(fresh)
    migrate(fresh.owner_url, fresh.app_url)
    tell(3, _STEPS)
    db = Database(fresh.app_url, pool_size=2)
    try:
        with db.outside() as connection:
            require_guards(connection)
            vault = open_vault(connection, ring)
            program_ids = directory.program_ids(connection)
        erased = 0
        for program_id in program_ids:
            with db.begin(program_id) as session:
                inbox.make_days(session, today=now.date())
                erased += carry_erasures(session, vault, carried or (), now=now)
                _doubt_profiles(session, now)
                happenings.forget_waiting(session)
        tell(4, _STEPS)
        audits = {}
        for program_id in program_ids:
            with db.snapshot(program_id) as session:
                key = str(session.scalar("SELECT key FROM programs WHERE {fence}"))
                audits[key] = _audited(session, said, now=now)
        tell(5, _STEPS)
    finally:
        db.close()
    steps = NEXT if carried is not None or not ours else (_UNREADABLE, *NEXT)
    return Restored(said, new_id, erased, audits, steps)


def _doubt_profiles(session: Session, now: datetime) -> None:
    """What stands at shops' customers was written since the backup, too: each level's tag may be there."""
    versions = programs.load_versions(session)[session.program_id]
    tags = {tag_of(tier.key) for program in versions.programs for tier in program.tiers}
    for shop_id in shops.find_shops(session):
        profiles.forget_certainty(session, shop_id, tags, now=now)


def _compare(fresh: Place, said: Manifest) -> None:
    """Raises: Refused("differs") unless every row that the manifest counted is there."""
    with places.looking_at(fresh.everything_url) as connection:
        counted = places.count_rows(connection)
    wrong = [name for name, rows in said.tables.items() if counted.get(name) != rows]
    if wrong:
        raise Refused("differs", f"What was restored is not what was backed up: {', '.join(wrong)}.")


def _audited(session: Session, said: Manifest, *, now: datetime) -> Audit:
    """Raises: Refused("differs") unless the program's chains end where they ended in the backup."""
    proof = said.programs.get(session.program_id)
    if proof is None or proof.digest != heads_digest(session):
        key = proof.key if proof else session.program_id
        raise Refused("differs", f"The ledger of program {key} is not the one that was backed up.")
    return audit_session(session, now=now)


def _make_its_own(fresh: Place) -> str:
    """A new installation id; nobody is logged in any more; and the owner's functions are the owner's alone again."""
    new_id = os.urandom(4).hex()
    with places.looking_at(fresh.owner_url) as connection:
        connection.execute(
            text("UPDATE installation SET value = :id WHERE name = 'id'"), {"id": new_id.encode()}
        )
        connection.execute(
            text("DELETE FROM directory WHERE kind = ANY(:kinds)"),
            {"kinds": [Kind.SESSION.value, Kind.SIGN_IN.value, Kind.NONCE.value]},
        )
        functions = connection.execute(
            text(
                "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
                "AND prosecdef AND proname LIKE 'laurel%'"
            )
        ).scalars()
        for name in functions.all():
            connection.execute(text(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC"))
    return new_id
