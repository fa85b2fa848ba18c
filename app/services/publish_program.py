"""A changed program goes live: checked, compared with the live one, tried on what is held, published."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from app.db import jobs, programs, shops, tiers
from app.db.session import Session
from app.domain.errors import Refused
from app.domain.program import CountsIn, Program
from app.domain.tiers import same_levels
from app.services.check_document import WrongDocument, check_document
from app.services.check_rewards import check_rewards
from app.services.diff_documents import diff_documents
from app.services.runtime import Runtime

MAX_NOTE = 300
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionView:
    version: int
    document: Mapping[str, Any]
    published_at: datetime
    published_by: str
    note: str


def read_document(text: str) -> dict[str, Any]:
    """The document of a text. Raises: WrongDocument, for what is no JSON with the line, else with every field."""
    try:
        document = json.loads(text)
    except ValueError as error:
        where = (
            f"line {error.lineno}, column {error.colno}"
            if isinstance(error, json.JSONDecodeError)
            else "document"
        )
        raise WrongDocument(
            [(where, "This is no JSON: " + str(getattr(error, "msg", "it cannot be read")))]
        ) from None
    if not isinstance(document, dict):
        raise WrongDocument([("document", "This is JSON, but not an object in braces.")])
    check_document(document)
    return document


def live_program(rt: Runtime, program_id: int) -> Program:
    """The settings as they are now."""
    with rt.db.begin(program_id) as session:
        return programs.load_versions(session)[program_id].live


def list_versions(rt: Runtime, program_id: int) -> list[VersionView]:
    """Newest first: the first is live."""
    with rt.db.begin(program_id) as session:
        return [VersionView(**row._mapping) for row in programs.find_documents(session)]


def get_version(rt: Runtime, program_id: int, version: int | None) -> VersionView:
    """That version; None: the live one. Raises: Refused("unknown_version")."""
    known = list_versions(rt, program_id)
    if version is None:
        return known[0]
    for one in known:
        if one.version == version:
            return one
    raise Refused("unknown_version", f"There is no version {version}; the newest is {known[0].version}.")


def publish_program(
    rt: Runtime,
    program_id: int,
    document: Mapping[str, Any],
    *,
    by: str,
    note: str = "",
    based_on: int | None = None,
) -> int:
    """Make it the live version. Returns its number; what is settled keeps the version it was counted with.

    `based_on`: the version that was live when it was written. Raises: WrongDocument, Refused("overtaken"),
    Refused("unchanged").
    """
    check_document(document)
    with rt.db.begin(program_id) as session:
        programs.lock_settling(session)
        live = programs.find_documents(session)[0]
        if based_on is not None and based_on != live.version:
            raise Refused(
                "overtaken", f"Version {live.version} was published meanwhile: compare with it first."
            )
        require_possible(rt, session, live.document, document)
        if not diff_documents(live.document, document):
            raise Refused("unchanged", f"Nothing differs from version {live.version}.")
        version = programs.add_version(session, document, by=by, note=note.strip()[:MAX_NOTE], now=rt.now())
        session.run("UPDATE programs SET name = :name WHERE {fence}", name=document["name"])
        jobs.enqueue(
            session, "recount", program_id=program_id, shop_id=None
        )  # held for a rate that may be there now
        versions = programs.load_versions(session)[program_id]
        if not same_levels(versions.programs[-2], versions.live):
            tiers.begin_run(session, version=version, before_version=live.version, now=rt.now())
            jobs.enqueue(session, "align_tiers", program_id=program_id)
        _tell_names(session, versions)
    log.info("program_published", program_id=program_id, version=version)
    return version


def _tell_names(session: Session, versions: programs.Versions) -> None:
    """Shops that show members' levels are gone through where a level is called something else now."""
    before, now = ({one.key: one.name for one in each.tiers} for each in versions.programs[-2:])
    if before != now:
        shown = [one.shop_id for one in shops.find_shops(session).values() if one.profile_parts]
        jobs.enqueue_all(session, "sweep_profiles", [{"shop_id": shop_id} for shop_id in shown])


def roll_back(rt: Runtime, program_id: int, version: int, *, by: str, based_on: int | None = None) -> int:
    """Publish the document of an older version as a new one. Returns the new version's number.

    `based_on`, and what is raised: as of `publish_program`.
    """
    older = get_version(rt, program_id, version)
    note = f"Back to version {version}."
    return publish_program(rt, program_id, older.document, by=by, note=note, based_on=based_on)


def require_publishable(rt: Runtime, program_id: int, document: Mapping[str, Any]) -> None:
    """That it could follow the live version, as far as can be said at once. Raises: WrongDocument."""
    with rt.db.begin(program_id) as session:
        require_possible(rt, session, programs.find_documents(session)[0].document, document)


def require_possible(
    rt: Runtime, session: Session, live: Mapping[str, Any], document: Mapping[str, Any]
) -> None:
    """What this program and its shops cannot follow the live version with. Raises: WrongDocument."""
    check_rewards(rt, session, document)
    before, after = (one.get("counts_in", CountsIn.POINTS) for one in (live, document))
    if before != after:
        fault = (
            f"“{after}” now, and “{before}” in every version so far: the ledger’s entries are in {before} and would "
            f"come to mean {after}. Make a program of its own for it."
        )
        raise WrongDocument([("counts_in", fault)])
    if document["currency"] != live["currency"]:
        counted = session.first("SELECT 1 FROM orders WHERE {fence} AND terms_version IS NOT NULL LIMIT 1")
        if counted is not None:
            fault = f"orders were counted in {live['currency']}: a program keeps its currency"
            raise WrongDocument([("currency", fault)])
