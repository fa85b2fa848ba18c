"""What one order means for levels: a fact of it that needs no tier to be known, so that none can lift itself."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from app.domain.earning import Terms, target_for_order
from app.domain.orders import OrderLine, OrderSnapshot, OrderState
from app.domain.program import EarnWhen, Program
from app.domain.rules import PLAIN
from app.domain.spending import Membership, OrderKey, SpendFact
from app.domain.tier_rules import Paid


def spend_fact(order: OrderSnapshot, key: OrderKey, terms: Terms) -> SpendFact | None:
    """What tiers may look at: an order that counts, or did until it was cancelled. Of `terms` not the tier."""
    program = terms.program
    if order.state is OrderState.OPEN or order.paid_at is None:
        return None
    moment = order.fulfilled_at if program.earn_when is EarnWhen.FULFILLED else order.paid_at
    if moment is None or program.rate_for(order.goods.currency) is None:
        return None
    void = order.state is not OrderState.PAID
    points = _points(replace(order, refunds=()) if order.refunds else order, terms)
    return SpendFact(
        order_key=key,
        counted_at=moment,
        goods_minor=program.worth(order.goods).minor,
        refunds=tuple(
            (refund.refunded_at or order.updated_at, program.worth(refund.goods).minor)
            for refund in order.refunds
        ),
        void_at=(order.cancelled_at or order.updated_at) if void else None,
        points=points,
        points_back=tuple(_points_back(order, terms, points)) if order.refunds else (),
        memberships=tuple(_memberships(order, program)),
    )


def _points(order: OrderSnapshot, terms: Terms) -> int:
    """As a member of the lowest tier earns them, were it at 100 %: what no tier adds."""
    program = terms.program
    rate = program.rate_for(order.goods.currency)
    if program.rules == PLAIN and rate is not None:
        return max((order.goods - order.goods_refunded).minor, 0) * rate.points // rate.spend_minor
    tier = replace(program.tiers[0], earn_percent=100)
    paid = replace(order, state=OrderState.PAID)
    return target_for_order(paid, Terms(program=program, tier=tier, known=terms.known)).points


def _points_back(order: OrderSnapshot, terms: Terms, points: int) -> Iterator[tuple[datetime, int]]:
    """What each refund takes, one after the other: together they leave what the order is worth now."""
    dated = sorted(
        order.refunds, key=lambda refund: (refund.refunded_at or order.updated_at, refund.refund_ref)
    )
    for count, refund in enumerate(dated, 1):
        left = _points(replace(order, refunds=tuple(dated[:count])), terms)
        yield refund.refunded_at or order.updated_at, points - left
        points = left


def _memberships(order: OrderSnapshot, program: Program) -> Iterator[Membership]:
    for tier in program.tiers:
        if tier.paid is None:
            continue
        for line in order.lines:
            if line.product_ref in tier.paid.products or line.variant_ref in tier.paid.variants:
                yield from _pieces(order, line, tier.key, tier.paid)


def _pieces(order: OrderSnapshot, line: OrderLine, tier_key: str, paid: Paid) -> Iterator[Membership]:
    """One for each piece. The last goes back first; one of which only a part went back stays."""
    for piece in range(line.quantity):
        yield Membership(tier_key, paid.days, _gone_at(order, line, piece))


def _gone_at(order: OrderSnapshot, line: OrderLine, piece: int) -> datetime | None:
    """When as much had gone back as leaves nothing of that piece."""
    gone = of_all = 0
    for refund in sorted(order.refunds, key=lambda one: one.refunded_at or order.updated_at):
        gone += sum(back.goods_minor for back in refund.lines if back.line_ref == line.line_ref)
        of_all += refund.goods.minor
        left = line.goods_minor - gone
        # What cost nothing went back with the order as a whole.
        all_back = 0 < order.goods.minor <= of_all
        if all_back or (line.goods_minor and left * line.quantity <= piece * line.goods_minor):
            return refund.refunded_at or order.updated_at
    return None
