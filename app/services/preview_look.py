"""A made-up member of a program, for whoever chooses how it looks: some points, one reward that can be had, one almost.

Nobody's data is read, and nothing is written.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from app.domain.look import Look
from app.domain.money import Money
from app.domain.program import Program
from app.domain.tier_rules import Measure
from app.services.describe_member import BalanceView, MemberView, NextTier
from app.services.list_rewards import RewardState, RewardView, list_rewards
from app.services.open_panel import Panel
from app.services.publish_program import live_program
from app.services.runtime import Runtime
from app.services.shopfront import shopfront_of


@dataclass(frozen=True, slots=True)
class PreviewedLook:
    panel: Panel
    rewards: tuple[RewardView, ...]


def preview_look(rt: Runtime, program_id: int, look: Look) -> PreviewedLook:
    """The live program in this look, in its own language."""
    live = live_program(rt, program_id)
    program = replace(live, look=look)
    offered = list_rewards(rt, program_id, language=program.language)
    points = _enough_for_one(offered)
    rewards = tuple(_seen_with(points, one) for one in offered)
    front = shopfront_of(program, program.name, program.currency, program.language)
    return PreviewedLook(Panel(front, _member(rt, program, points), None), rewards)


def _enough_for_one(offered: list[RewardView]) -> int:
    """What the cheapest reward costs, and a quarter more."""
    costs = [one.cost for one in offered if one.cost and one.state is not RewardState.LOCKED]
    return min(costs) * 5 // 4 if costs else 120


def _seen_with(points: int, one: RewardView) -> RewardView:
    if one.state is not RewardState.SHORT:
        return one
    missing = max(one.cost - points, 0)
    return replace(one, missing=missing, state=RewardState.SHORT if missing else RewardState.READY)


def _member(rt: Runtime, program: Program, points: int) -> MemberView:
    joined = rt.now() - timedelta(days=90)
    return MemberView(
        member_id=0,
        joined_at=joined,
        erased_at=None,
        blocked_at=None,
        held_at=None,
        unit=program.unit,
        balance=BalanceView(available=points, pending=0, deficit=0, pending_next=None, expiring=None),
        lifetime_points=points,
        tier=program.tiers[0],
        tier_since=joined,
        next_tier=_next_tier(program),
        identities=(),
    )


def _next_tier(program: Program) -> NextTier | None:
    """A third of the way to the first tier by spend above everybody's; None: there is none."""
    above = next((one for one in program.tiers[1:] if one.thresholds.get(Measure.SPEND)), None)
    if above is None:
        return None
    needed = above.thresholds[Measure.SPEND]
    threshold, spent = Money(needed, program.currency), Money(needed // 3, program.currency)
    return NextTier(
        tier=above,
        measure=Measure.SPEND,
        needed=needed,
        reached=spent.minor,
        threshold=threshold,
        spent=spent,
        missing=Money(needed - spent.minor, program.currency),
    )
