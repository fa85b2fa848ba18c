"""What stands of members at a shop's own customers: what is offered, shown, waits, and why it cannot be."""

from dataclasses import dataclass

from app.db import profiles, shops
from app.domain.profiles import ProfilePart
from app.services.runtime import Runtime
from app.services.show_profiles import offered_parts


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfilesView:
    """`offered` empty: the platform has nothing of it. `problem`: why nothing is written for now."""

    offered: frozenset[ProfilePart]
    shown: frozenset[ProfilePart]
    customers: int  # at whom something of ours stands
    waiting: int  # of whom something is to be written now
    problem: str | None


def describe_profiles(rt: Runtime, program_id: int, shop_id: int) -> ProfilesView:
    """Raises: Refused("unknown_shop")."""
    with rt.db.begin(program_id) as session:
        shop = shops.get_shop(session, shop_id)
        counts = profiles.count_profiles(session, shop_id, now=rt.now())
    return ProfilesView(
        offered=offered_parts(rt, shop),
        shown=shop.profile_parts,
        customers=counts.shown,
        waiting=counts.waiting,
        problem=shop.profile_problem,
    )
