"""Another look for a program: the live document with that one part changed, published as every other change is."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from app.domain.errors import Refused
from app.domain.look import Look, decode_look
from app.services.check_document import check_document
from app.services.describe_look import describe_look
from app.services.publish_program import get_version, publish_program
from app.services.runtime import Runtime


def read_look(rt: Runtime, program_id: int, told: Mapping[str, Any]) -> Look:
    """The look that somebody typed, if the program could have it. Raises: WrongDocument, with every field."""
    document = {**get_version(rt, program_id, None).document, "look": dict(told)}
    check_document(document)
    return decode_look(told)


def change_look(rt: Runtime, program_id: int, look: Look, *, by: str, based_on: int) -> int:
    """Publish the version `based_on` with this look. Returns the new version's number.

    Raises: Refused("overtaken") where another version is live by now, Refused("unchanged").
    """
    before = get_version(rt, program_id, based_on)
    was = decode_look(before.document.get("look", {}))
    if was == look:
        raise Refused("unchanged", f"This is how version {based_on} looks.")
    return publish_program(
        rt,
        program_id,
        {**before.document, "look": asdict(look)},
        by=by,
        note=_note(was, look),
        based_on=based_on,
    )


def _note(was: Look, now: Look) -> str:
    pairs = zip(describe_look(was), describe_look(now), strict=True)
    return "Look: " + "; ".join(
        f"{after.name[0].lower()}{after.name[1:]} {after.text}" for before, after in pairs if before != after
    )
