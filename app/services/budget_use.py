"""How much of the month's budget the points of orders have used."""

from dataclasses import dataclass
from datetime import datetime

from app.db import orders
from app.db.session import Session
from app.domain.calendar import month_of
from app.domain.money import Money
from app.domain.program import AtBudget, Program


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetUse:
    """`points` of this month's orders cost `cost` of `budget`, `percent` of it rounded down."""

    points: int
    cost: Money
    budget: Money
    percent: int
    is_near: bool  # at the percent from which the program wants to be warned
    stops_earning: bool  # at the end of the budget orders earn nothing more


def budget_use(session: Session, program: Program, *, now: datetime) -> BudgetUse | None:
    """None: the program has no budget."""
    budget = program.budget
    if budget is None:
        return None
    start, end = month_of(now, program.zone)
    points = orders.points_of_days(session, [start], [end], but=[])[0]
    cost = budget.cost_minor(points)
    percent = cost * 100 // budget.minor
    return BudgetUse(
        points=points,
        cost=Money(cost, program.currency),
        budget=Money(budget.minor, program.currency),
        percent=percent,
        is_near=percent >= budget.warn_percent,
        stops_earning=budget.at_limit is AtBudget.STOP_EARNING,
    )
