"""What rules may know of a member beside the order itself: pinned when the order is first counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the rules needed to know of the member when the order was first counted. It never changes afterwards.

    Only what the rules ask for is filled in. `number`: this is their n-th counted order. `room`: what was left under
    each cap that looks at the member. `spend_minor`: what their orders before came to, in the program's currency.
    `member_days`: since they joined. `quiet_days`: since the order before, None without one. `tags`: the customer's
    at the shop, case-folded. `products`: product_ref -> those of its groups that the rules name. `goals`: of each goal
    that no other order of the period has reached, what the member spent in it before.
    `blocked`: they were when it was placed, so it earns nothing, and counts for nothing.
    """

    number: int = 1
    room: Mapping[str, int] = field(default_factory=dict)
    spend_minor: int = 0
    member_days: int = 0
    quiet_days: int | None = None
    tags: tuple[str, ...] = ()
    products: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    goals: Mapping[str, int] = field(default_factory=dict)
    blocked: bool = False


ALONE = Known()
"""Somebody without other orders: a guest, until the order is claimed."""
