"""A member's card for the till: a code that says who stands there, and nothing else.

Whoever photographs it has no more than a name on paper: what is done with the points, staff does under their own name.
The code is made of the installation's key, kept nowhere, and found by its hash; a new card ends the one before.
"""

import re
from dataclasses import dataclass

import segno

from app.db import members
from app.db.session import Session
from app.domain.crockford import written
from app.domain.errors import Refused
from app.services.find_member import ById, find_in
from app.services.runtime import Runtime

LENGTH = 12  # 60 bits, and a QR code of the smallest size
_GROUP = 4
_DARK = re.compile(b"\x01+")
_TRIES = 8  # one in 10^12 is like another member's


@dataclass(frozen=True, slots=True)
class Card:
    """`code` as it is read out; `path` draws its QR code on a grid of `size` by `size`, one stroke of 1 a row."""

    code: str
    size: int
    path: str


def member_card(rt: Runtime, program_id: int, member_id: int) -> Card:
    """The member's card, made when it is first asked for. Raises: Refused("unknown_member")."""
    with rt.db.begin(program_id) as session:
        member_id = _living(session, rt, member_id)
        serial = members.find_card(session, member_id) or _next(session, rt, member_id)
    return _card(_code(rt, program_id, member_id, serial))


def replace_card(rt: Runtime, program_id: int, member_id: int) -> Card:
    """A new card; the one before is nobody's from now on. Raises: Refused("unknown_member")."""
    with rt.db.begin(program_id) as session:
        member_id = _living(session, rt, member_id)
        serial = _next(session, rt, member_id)
    return _card(_code(rt, program_id, member_id, serial))


def card_code(rt: Runtime, session: Session, member_id: int) -> str | None:
    """What the member's card shows; None: they have none."""
    serial = members.find_card(session, member_id)
    return _grouped(_code(rt, session.program_id, member_id, serial)) if serial else None


def _living(session: Session, rt: Runtime, member_id: int) -> int:
    """Their open account, locked: two who ask at once get one card."""
    found = find_in(session, rt, ById(member_id))
    member = members.get_member(session, found[0]) if found else None
    if member is None or member.erased_at is not None:
        raise Refused("unknown_member", "There is no such member, or they asked to be forgotten.")
    session.run("SELECT 1 FROM members WHERE {fence} AND id = :id FOR UPDATE", id=member.member_id)
    return member.member_id


def _next(session: Session, rt: Runtime, member_id: int) -> int:
    """Begin the next card. Returns its number."""
    before = members.find_card(session, member_id)
    for serial in range(before + 1, before + 1 + _TRIES):
        code = _code(rt, session.program_id, member_id, serial)
        if members.put_card(session, member_id, serial, rt.vault.card_hash(session.program_id, code)):
            return serial
    raise AssertionError("eight cards in a row that others have")


def _code(rt: Runtime, program_id: int, member_id: int, serial: int) -> str:
    return written(rt.vault.card(program_id, member_id, serial), LENGTH)


def _grouped(code: str) -> str:
    return " ".join(code[at : at + _GROUP] for at in range(0, LENGTH, _GROUP))


def _card(code: str) -> Card:
    # Without spaces: digits and capitals alone are the densest, and no keyboard's layout moves them.
    matrix = segno.make_qr(code, error="m").matrix
    path = "".join(
        f"M{run.start()} {y}.5h{len(run[0])}" for y, row in enumerate(matrix) for run in _DARK.finditer(row)
    )
    return Card(code=_grouped(code), size=len(matrix), path=path)
