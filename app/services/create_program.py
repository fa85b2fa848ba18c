"""A new program with the default rules, live from now on."""

import re
from collections.abc import Mapping
from typing import Any

from app.db import directory, inbox, programs, statements
from app.db.directory import Kind
from app.domain.calendar import is_time_zone
from app.domain.errors import Refused
from app.domain.money import exponent
from app.domain.program import CountsIn, default_document
from app.services.check_document import check_document
from app.services.runtime import Runtime

_KEY = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?")


def create_program(
    rt: Runtime,
    key: str,
    *,
    name: str,
    currency: str,
    timezone: str,
    counts_in: CountsIn = CountsIn.POINTS,
    document: Mapping[str, Any] | None = None,
) -> int:
    """Make a program. Returns its id. `counts_in`: of the default rules; it can never be changed.

    Raises: Refused for a key in use, an unknown currency or time zone, or a document that is wrong.
    """
    if not _KEY.fullmatch(key):
        raise Refused("bad_key", f"“{key[:60]}”: a key has small letters, digits and hyphens, at most 50.")
    exponent(currency)
    if not is_time_zone(timezone):
        raise Refused("unknown_timezone", f"“{timezone[:60]}” is not a time zone such as Europe/Berlin.")
    wanted = document or default_document(name, currency, timezone, counts_in=counts_in)
    check_document(wanted)
    now = rt.now()
    with rt.db.outside() as connection:
        program_id = int(
            statements.run(
                connection, "SELECT nextval(pg_get_serial_sequence('programs', 'program_id'))", {}
            ).scalar_one()
        )
        directory.put(connection, Kind.PROGRAM, key, program_id)
        session = rt.db.session(connection, program_id)
        programs.add_program(session, program_id, key, name, now=now)
        programs.add_version(session, wanted, by="laurel", note="The first version.", now=now)
        inbox.make_days(session, today=now.date())
    return program_id
