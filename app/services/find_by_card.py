"""Whose card is shown at the till."""

from app.db import members
from app.domain.crockford import as_typed
from app.domain.errors import Refused
from app.services.member_card import LENGTH
from app.services.runtime import Runtime


def find_by_card(rt: Runtime, program_id: int, code: str) -> int:
    """Whose card it is, merges followed. Raises: Refused("unknown_card")."""
    plain = as_typed(code)
    with rt.db.begin(program_id) as session:
        found = None
        if len(plain) == LENGTH:
            found = members.find_by_card(session, rt.vault.card_hash(program_id, plain))
        if found is None:
            raise Refused(
                "unknown_card", "This is nobody’s card: perhaps a character is missing, or it was replaced."
            )
        return members.find_winners(session, [found]).get(found, found)
