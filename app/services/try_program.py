"""The job that works out what publishing a draft would do. It writes down each step, and goes on there after a kill."""

from app.db import previews
from app.domain.errors import Refused
from app.services.ask_preview import KIND, document_of, kept, so_far_of
from app.services.check_document import WrongDocument
from app.services.preview_program import SoFar, begin_preview, go_on
from app.services.runtime import Runtime

_BROKEN = "It could not be worked out. Check it again; if it stays so, tell whoever runs this installation."


def try_program(rt: Runtime, program_id: int, preview_id: int) -> None:
    """Whoever asked is told of a refusal on the page, and asks again: it is not tried again by itself."""
    try:
        _work_out(rt, program_id, preview_id)
    except WrongDocument as wrong:
        _finish(rt, program_id, preview_id, "; ".join(f"{field}: {fault}" for field, fault in wrong.faults))
    except Refused as refused:
        _finish(rt, program_id, preview_id, refused.detail)
    except Exception:
        _finish(rt, program_id, preview_id, _BROKEN)
        raise


def _work_out(rt: Runtime, program_id: int, preview_id: int) -> None:
    with rt.db.begin(program_id) as session:
        row = previews.find(session, KIND, preview_id)
    if row is None or row.finished_at is not None:
        return
    document = document_of(row)
    found = begin_preview(rt, program_id, document) if row.result is None else so_far_of(row)
    while _note(rt, program_id, preview_id, found):
        further = go_on(rt, program_id, document, found)
        if further is None:
            with rt.db.begin(program_id) as session:
                previews.finish(session, preview_id, result=kept(found), now=rt.now())
            return
        found = further


def _note(rt: Runtime, program_id: int, preview_id: int, found: SoFar) -> bool:
    with rt.db.begin(program_id) as session:
        return previews.note_looked(session, preview_id, found.done, total=found.total, so_far=kept(found))


def _finish(rt: Runtime, program_id: int, preview_id: int, problem: str) -> None:
    with rt.db.begin(program_id) as session:
        previews.finish(session, preview_id, problem=problem, now=rt.now())
