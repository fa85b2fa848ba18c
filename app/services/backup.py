"""Everything into one file: a zip with what PostgreSQL's own dump wrote and a manifest to check it by.

LAUREL_KEYS are not in it, and without them nothing that is sealed in it opens: they are kept apart.
"""

import os
import zipfile
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import text

from app.db import place as places
from app.db.place import Place
from app.domain.errors import Refused
from app.services.findings import Watch
from app.services.manifest import Manifest, manifest

MANIFEST = "manifest.json"
DATABASE = "database.dump"


def backup(place: Place, file: Path, *, now: datetime, progress: Watch | None = None) -> Manifest:
    """Write the database as it is at this moment; work goes on meanwhile. The file is its owner's alone.

    Raises: Refused with file_exists, cannot_see_everything, not_migrated, dump_failed.
    """
    if file.exists():
        raise Refused("file_exists", f"{file} is there already: nothing was written.")
    tell = progress or (lambda done, total: None)
    with places.looking_at(place.everything_url, frozen=True) as connection:
        places.require_sees_everything(connection)
        if connection.execute(text("SELECT to_regclass('installation')")).scalar() is None:
            raise Refused("not_migrated", "There is nothing of Laurel's in this database.")
        # One moment for the manifest and the dump, or they would not fit each other.
        snapshot = str(connection.execute(text("SELECT pg_export_snapshot()")).scalar_one())
        said = manifest(connection, now=now)
        tell(1, 2)
        fresh = file.with_name(f"{file.name}.part")
        fresh.unlink(missing_ok=True)
        try:
            _write(fresh, said, place.everything_url, snapshot)
            fresh.rename(file)
        finally:
            fresh.unlink(missing_ok=True)
    tell(2, 2)
    return said


def _write(file: Path, said: Manifest, url: str, snapshot: str) -> None:
    private = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(private, "wb") as raw:
        with zipfile.ZipFile(raw, "w", zipfile.ZIP_STORED) as packed:  # the dump is compressed already
            packed.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(said)))
            with packed.open(DATABASE, "w", force_zip64=True) as member:
                places.dump(url, snapshot, member)
        raw.flush()
        os.fsync(raw.fileno())
