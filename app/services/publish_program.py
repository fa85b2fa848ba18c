"""A program's document is checked and becomes its next version; older versions stay, and orders keep their terms."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.db import jobs, programs
from app.domain.errors import Refused
from app.services.check_document import check_document
from app.services.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedVersion:
    version: int
    document: Mapping[str, Any]
    published_at: datetime
    published_by: str
    note: str


def publish_program(rt: Runtime, program_id: int, document: Mapping[str, Any], *, by: str, note: str) -> int:
    """Publish `document`. Returns its version. Orders that were held for a rate are counted again.

    Raises: WrongDocument; Refused("currency_fixed"), Refused("no_change").
    """
    check_document(document)
    with rt.db.begin(program_id) as session:
        programs.lock_settling(session)
        live = programs.find_documents(session)[0].document
        if document == live:
            raise Refused("no_change", "This is the live version already.")
        if document["currency"] != live["currency"]:
            raise Refused(
                "currency_fixed",
                f"A program keeps its currency, {live['currency']}: tiers and liability are counted in it. "
                f"Give {document['currency']} a rate under “currencies”, or make another program.",
            )
        version = programs.add_version(session, document, by=by, note=note, now=rt.now())
        jobs.enqueue(session, "recount", shop_id=None)
    return version


def roll_back(rt: Runtime, program_id: int, version: int, *, by: str) -> int:
    """Publish the document of an older version as a new one. Returns the new version's number."""
    older = get_version(rt, program_id, version)
    return publish_program(rt, program_id, older.document, by=by, note=f"Back to version {version}.")


def list_versions(rt: Runtime, program_id: int) -> list[PublishedVersion]:
    """Newest first."""
    with rt.db.begin(program_id) as session:
        return [PublishedVersion(**row._mapping) for row in programs.find_documents(session)]


def get_version(rt: Runtime, program_id: int, version: int | None) -> PublishedVersion:
    """That version; None: the live one. Raises: Refused("unknown_version")."""
    known = list_versions(rt, program_id)
    if version is None:
        return known[0]
    for one in known:
        if one.version == version:
            return one
    raise Refused("unknown_version", f"There is no version {version}; the newest is {known[0].version}.")
