"""One member for people who look after them: what they have, and why, entry by entry."""

from dataclasses import dataclass, replace

from app.domain.errors import Refused
from app.services.describe_member import MemberView, describe_member
from app.services.find_member import ByCustomer, ByEmail, ById, Who, find_member
from app.services.member_entries import EntryView, member_entries
from app.services.runtime import Runtime


@dataclass(frozen=True, slots=True)
class ShownMember:
    member: MemberView
    entries: tuple[EntryView, ...]  # newest first


def show_member(
    rt: Runtime, program_id: int, ref: str, *, personal: bool = False, entries: int = 20
) -> ShownMember:
    """The member that `ref` means, with the last `entries`. Addresses and names only where they are asked for.

    Raises: Refused("unknown_member"), Refused("bad_request") for what is no reference.
    """
    member_id = find_member(rt, program_id, who_is(ref))
    if member_id is None:
        raise Refused("unknown_member", f"There is no member “{ref}” in this program.")
    view = describe_member(rt, program_id, member_id)
    if not personal:
        bare = tuple(replace(one, email=None, name=None) for one in view.identities)
        view = replace(view, identities=bare)
    shown = member_entries(rt, program_id, member_id, limit=entries).entries if entries else ()
    return ShownMember(view, shown)


def who_is(ref: str) -> Who:
    """Our id, `<shop>:<customer>` as the shop numbers them, or an e-mail address. Raises: Refused("bad_request")."""
    if "@" in ref:
        return ByEmail(ref)
    shop_key, colon, customer_ref = ref.partition(":")
    if colon:
        return ByCustomer(shop_key, customer_ref)
    if ref.isascii() and ref.isdecimal() and len(ref) < 19:
        return ById(int(ref))
    raise Refused("bad_request", f"“{ref[:60]}”: say our id, <shop>:<customer>, or an e-mail address.")
