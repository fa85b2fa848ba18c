"""What a shop should show of each of these customers, by what their members have now."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from app.db import profiles, programs
from app.db.session import Session
from app.db.shops import ShopRow
from app.domain.profiles import NOTHING, Profile, profile_of


@dataclass(frozen=True, slots=True)
class WantedProfile:
    """`next_at`: when it is another by itself, since pending points become available."""

    profile: Profile
    next_at: datetime | None


def find_profiles(
    session: Session, shop: ShopRow, customer_refs: Collection[str], *, now: datetime
) -> dict[str, WantedProfile]:
    """Every one is answered: of those who are no members, or whom the shop has no more, nothing should stand there."""
    parts = shop.profile_parts
    if not parts:
        return dict.fromkeys(customer_refs, WantedProfile(NOTHING, None))
    live = programs.load_versions(session)[shop.program_id].live
    standings = profiles.find_standings(session, shop.shop_id, customer_refs, now=now)
    wanted = dict.fromkeys(customer_refs, WantedProfile(NOTHING, None))
    for ref, one in standings.items():
        tier = live.tier(one.tier_key)
        profile = profile_of(
            available=one.points - one.pending,
            pending=one.pending,
            unit=live.unit,
            tier_key=tier.key,
            tier_name=tier.name,
            parts=parts,
        )
        wanted[ref] = WantedProfile(profile, one.next_at)
    return wanted
