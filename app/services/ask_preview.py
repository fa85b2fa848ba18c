"""Staff asks what publishing a draft would do: a job works it out, and the page follows it, or stops it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from app.db import jobs, previews
from app.db.previews import PreviewRow
from app.db.session import Session
from app.domain.errors import Refused
from app.services.preview_program import PublishPreview, SoFar, what_it_does
from app.services.runtime import Runtime

KIND = "program"
KEPT = timedelta(days=1)
STOPPED = "It was stopped."


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPreview:
    """`text` and `note` are as they were typed. `preview` and `problem` None: it is being worked out.

    `done` of `total` members were looked at; `total` None: it has not begun.
    """

    preview_id: int
    text: str
    note: str
    based_on: int
    done: int
    total: int | None
    preview: PublishPreview | None
    problem: str | None

    @property
    def waits(self) -> bool:
        return self.preview is None and self.problem is None


def ask_preview(
    rt: Runtime, program_id: int, text: str, *, note: str, based_on: int, instead_of: int | None = None
) -> int:
    """`text`: a document that was checked; `instead_of`: a preview of it before, stopped if it still runs.

    Returns the preview's id, to be looked at with `find_preview`.
    """
    now = rt.now()
    with rt.db.begin(program_id) as session:
        if instead_of is not None and previews.find(session, KIND, instead_of) is not None:
            previews.finish(session, instead_of, problem=STOPPED, now=now)
        previews.forget(session, before=now - KEPT)
        asked = {"text": text, "note": note, "based_on": based_on}
        preview_id = previews.add(session, KIND, asked, now=now)
        jobs.enqueue(session, "try_program", program_id=program_id, preview_id=preview_id)
    return preview_id


def find_preview(rt: Runtime, program_id: int, preview_id: int) -> AskedPreview:
    """Raises: Refused("not_found") after a day."""
    with rt.db.begin(program_id) as session:
        row = _get(session, preview_id)
    preview, problem = None, row.problem
    if row.finished_at is not None and problem is None:
        try:
            preview = what_it_does(rt, program_id, document_of(row), so_far_of(row))
        except Refused as refused:  # another version went live since
            problem = refused.detail
    return AskedPreview(
        preview_id=row.preview_id,
        text=row.asked["text"],
        note=row.asked["note"],
        based_on=row.asked["based_on"],
        done=row.looked_at,
        total=row.total,
        preview=preview,
        problem=problem,
    )


def stop_preview(rt: Runtime, program_id: int, preview_id: int) -> None:
    """The job ends with its next step. Of one that is over, nothing changes. Raises: Refused("not_found")."""
    with rt.db.begin(program_id) as session:
        _get(session, preview_id)
        previews.finish(session, preview_id, problem=STOPPED, now=rt.now())


def _get(session: Session, preview_id: int) -> PreviewRow:
    row = previews.find(session, KIND, preview_id)
    if row is None:
        raise Refused("not_found", "This preview is not kept any more: check the program again.")
    return row


def document_of(row: PreviewRow) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(row.asked["text"])
    return document


def so_far_of(row: PreviewRow) -> SoFar:
    return msgspec.convert(row.result, SoFar)


def kept(found: SoFar) -> Mapping[str, Any]:
    plain: Mapping[str, Any] = msgspec.to_builtins(found)
    return plain
