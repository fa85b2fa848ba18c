"""What an order would earn if it were placed and paid now: the same facts, terms and function as for a real one.

Nothing is fixed and nothing counts: a limit may be used up, a campaign over, a price changed before there is an order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db import blocks, members, programs
from app.db.orders import OrderRow
from app.db.session import Session
from app.domain.earning import Terms, target_for_order
from app.domain.known import ALONE, Known
from app.domain.money import Money
from app.domain.orders import OrderLine, OrderSnapshot, OrderState
from app.domain.program import Program
from app.services.member_facts import MemberFacts
from app.services.prove_shopper import Shopper
from app.services.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """What lies in a cart, or one product by itself, as the shop's page says. Amounts as in an order."""

    currency: str
    lines: tuple[OrderLine, ...]
    fees_minor: int = 0  # taken off the whole, never added to it
    shipping_minor: int = 0
    shipping_tax_minor: int = 0
    channel: str | None = None  # where it is going to be bought, in the platform's word; None: not known yet


@dataclass(frozen=True, slots=True)
class Estimate:
    """`points` None: this currency has no rate yet. `exact`: an order placed now with this very basket earns so much."""

    points: int | None
    exact: bool


def estimate_order(rt: Runtime, who: Shopper, basket: Basket) -> Estimate:
    """For a guest: what somebody who joins with this order has. Raises: Refused for an unknown currency."""
    now = rt.now()
    with rt.db.begin(who.shop.program_id) as session:
        order = _order(basket, now)
        program = programs.load_versions(session)[who.shop.program_id].for_order(now, basket.currency)
        if program is None:
            return Estimate(None, exact=False)
        return _estimate(session, who, order, program)


def _estimate(session: Session, who: Shopper, order: OrderSnapshot, program: Program) -> Estimate:
    row = OrderRow(
        program_id=who.shop.program_id, order_id=0, shop_id=who.shop.shop_id, order_ref=order.order_ref
    )
    tier_key, blocked = _whose(session, who, row, order.placed_at)
    of_member = [] if row.member_id is None else [row.member_id]
    facts = MemberFacts(
        session,
        [program],
        of_member,
        rows={},
        seen=[(row.shop_id, order)],
        identity_ids=[] if row.identity_id is None else [row.identity_id],
        first=order.placed_at,
    )
    lacks = facts.lacks(row, order, program)
    if lacks and row.member_id is not None:
        facts.ask()  # of a proven customer only: anybody could make up products
    known = ALONE
    if row.member_id is not None:
        known = facts.known(row, order, order.placed_at, program) or ALONE
    elif program.rules.groups:
        known = facts.provisional(row, order, program) or ALONE
    if blocked:
        known = Known(blocked=True)
    target = target_for_order(order, Terms(program=program, tier=program.tier(tier_key), known=known))
    depends = (row.member_id is None and _looks_at_people(program)) or _looks_at_channels(order, program)
    return Estimate(target.points, exact=not (lacks or depends))


def _whose(session: Session, who: Shopper, row: OrderRow, now: datetime) -> tuple[str, bool]:
    """Tier and whether they are blocked; names them in `row`. Nobody, or somebody who has not joined, is new."""
    if who.customer_ref is None:
        return "", False
    key = (row.shop_id, who.customer_ref)
    identity = members.find_identities(session, [key]).get(key)
    if identity is None or identity.member_id is None:
        return "", False
    member_id = members.find_winners(session, [identity.member_id]).get(
        identity.member_id, identity.member_id
    )
    row.identity_id, row.member_id = identity.identity_id, member_id
    tier_key = members.get_member(session, member_id).tier_key
    found = blocks.find_blocks(session, [member_id]).get(member_id, [])
    return tier_key, any(one.covers(now) for one in found)


def _order(basket: Basket, now: datetime) -> OrderSnapshot:
    goods = sum(line.goods_minor for line in basket.lines if not line.gift_card) - basket.fees_minor
    return OrderSnapshot(
        order_ref="",
        number="",
        customer_ref=None,
        email=None,
        state=OrderState.PAID,
        goods=Money(max(goods, 0), basket.currency),
        refunds=(),
        codes_used=(),
        placed_at=now,
        paid_at=now,
        fulfilled_at=now,
        cancelled_at=None,
        updated_at=now,
        test=False,
        lines=basket.lines,
        shipping_minor=basket.shipping_minor,
        shipping_tax_minor=basket.shipping_tax_minor,
        channel=basket.channel,
    )


def _looks_at_people(program: Program) -> bool:
    """Whether somebody who signs in might earn otherwise than somebody new."""
    rules = program.rules
    asks: Sequence[bool] = (
        len({tier.earn_percent for tier in program.tiers}) > 1,
        bool(rules.people) or rules.asks_for_number or bool(rules.goals),
        any(cap.per.is_of_member for cap in rules.caps),
    )
    return any(asks)


def _looks_at_channels(order: OrderSnapshot, program: Program) -> bool:
    rules = program.rules
    named = [
        rules.channels,
        *(one.channels for one in rules.campaigns),
        *(one.channels for one in rules.bonuses),
    ]
    return order.channel is None and any(named)
