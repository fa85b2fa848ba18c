"""Which program a person means."""

from app.db import directory
from app.db.directory import Kind
from app.domain.errors import Refused
from app.services.runtime import Runtime


def find_program(rt: Runtime, key: str | None) -> int:
    """The program of that key; without one, the only program there is.

    Raises: Refused("unknown_program"), Refused("which_program").
    """
    known = list_programs(rt)
    if key is not None:
        if key not in known:
            raise Refused("unknown_program", f"There is no program “{key}”. {_there_are(known)}")
        return known[key]
    if len(known) == 1:
        return next(iter(known.values()))
    if not known:
        raise Refused("unknown_program", "There is no program yet: `laurel connect` makes one.")
    raise Refused("which_program", f"Say which program with --program. {_there_are(known)}")


def list_programs(rt: Runtime) -> dict[str, int]:
    """Key -> id."""
    with rt.db.outside() as connection:
        return directory.keys_of(connection, Kind.PROGRAM)


def program_key(rt: Runtime, program_id: int) -> str:
    """How commands call this program."""
    return next(key for key, one in list_programs(rt).items() if one == program_id)


def _there_are(known: dict[str, int]) -> str:
    shown = sorted(known)[:20]
    return f"There are: {', '.join(shown)}{' …' if len(known) > len(shown) else ''}." if shown else ""
