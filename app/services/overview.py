"""What the first page says: what is owed, who is there, what needs a person, what happened last."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db import programs, redemptions, shops
from app.db.orders import find_orders_where
from app.db.session import Session
from app.db.shops import ShopRow
from app.domain.explaining import order_sentence
from app.domain.money import Money
from app.domain.program import Program
from app.domain.rewards import RewardKind
from app.domain.words import Words
from app.services.budget_use import BudgetUse, budget_use
from app.services.describe_order import waits_for
from app.services.runtime import Runtime
from app.services.waiting import WaitingOrders, waiting
from app.services.wording import words_for

_RECENT = 6
_MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Something that happened. `points` None: nothing moved. At most one of the keys says where it is shown."""

    at: datetime
    title: str
    sentence: str
    points: int | None
    member_id: int | None
    order: tuple[str, str] | None = None  # (shop key, order ref)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    program_name: str
    shops: tuple[ShopRow, ...]
    last_order_at: dict[int, datetime]  # shop -> the newest order we hold
    compared: dict[
        int, tuple[datetime, int, int]
    ]  # shop -> last complete run: when, orders looked at, repairs
    outstanding: int  # points
    worth: Money | None  # the most that they can be turned into; None: there is no money-off reward
    deficit: int
    members: int
    joined: int  # in the last 30 days
    waiting_deliveries: int
    oldest_waiting_at: datetime | None
    failed_deliveries: int
    newest_failed_at: datetime | None
    waiting: tuple[WaitingOrders, ...]
    open_codes: int
    recent: tuple[Activity, ...]
    budget: BudgetUse | None

    @property
    def reconciled_at(self) -> datetime | None:
        """Until when every connected shop was compared; None: not all have been."""
        alive = [one for one in self.shops if one.state == "connected"]
        if not alive or any(one.shop_id not in self.compared for one in alive):
            return None
        return min(self.compared[one.shop_id][0] for one in alive)


def overview(rt: Runtime, program_id: int) -> Overview:
    waits = waiting(rt, program_id)
    with rt.db.begin(program_id) as session:
        program = programs.load_versions(session)[program_id].live
        known = shops.find_shops(session)
        owed = session.first(
            "SELECT coalesce(sum(points), 0)::bigint AS points, coalesce(sum(deficit), 0)::bigint AS deficit "
            "FROM accounts WHERE {fence} AND closed_at IS NULL"
        )
        people = session.first(
            "SELECT count(*) AS n, count(*) FILTER (WHERE m.joined_at > :since) AS joined FROM members m "
            "JOIN accounts a ON {fence:a} AND a.program_id = m.program_id AND a.id = m.id "
            "WHERE {fence:m} AND a.closed_at IS NULL",
            since=rt.now() - _MONTH,
        )
        inbox = {
            row.state: row
            for row in session.rows(
                "SELECT state, count(*) AS n, min(received_at) AS oldest, max(received_at) AS newest FROM inbox "
                "WHERE {fence} AND state IN ('new', 'failed') GROUP BY state"
            )
        }
        assert owed is not None
        assert people is not None
        return Overview(
            program_name=program.name,
            shops=tuple(known.values()),
            last_order_at=_last_orders(session),
            compared=_compared(session),
            outstanding=owed.points,
            worth=worth_at_most(program, owed.points),
            deficit=owed.deficit,
            members=people.n,
            joined=people.joined,
            waiting_deliveries=inbox["new"].n if "new" in inbox else 0,
            oldest_waiting_at=inbox["new"].oldest if "new" in inbox else None,
            failed_deliveries=inbox["failed"].n if "failed" in inbox else 0,
            newest_failed_at=inbox["failed"].newest if "failed" in inbox else None,
            waiting=tuple(waits),
            open_codes=int(
                session.scalar(
                    "SELECT count(*) FROM redemptions WHERE {fence} AND state IN ('requested', 'issued', 'cancelling')"
                )
            ),
            recent=tuple(_recent(session, known, words_for(program))),
            budget=budget_use(session, program, now=rt.now()),
        )


def worth_at_most(program: Program, points: int) -> Money | None:
    """What that many points come to in whole rewards of the best money-off kind."""
    offers = [one.worth_of(points) for one in program.rewards if one.kind is RewardKind.AMOUNT]
    return Money(max(offers), program.currency) if offers else None


def _last_orders(session: Session) -> dict[int, datetime]:
    rows = session.rows("SELECT shop_id, max(placed_at) AS at FROM orders WHERE {fence} GROUP BY shop_id")
    return {row.shop_id: row.at for row in rows}


def _compared(session: Session) -> dict[int, tuple[datetime, int, int]]:
    rows = session.rows(
        "SELECT DISTINCT ON (r.shop_id) r.shop_id, r.finished_at, r.looked_at, (SELECT count(*) FROM repairs p "
        "WHERE {fence:p} AND p.program_id = r.program_id AND p.reconciliation_id = r.id) AS repairs "
        "FROM reconciliations r WHERE {fence:r} AND r.kind = 'changed' AND r.finished_at IS NOT NULL "
        "AND r.problem IS NULL ORDER BY r.shop_id, r.id DESC"
    )
    return {row.shop_id: (row.finished_at, row.looked_at, row.repairs) for row in rows}


def _recent(session: Session, known: dict[int, ShopRow], words: Words) -> list[Activity]:
    """The newest of each kind, by their keys: what happened is never searched for over the whole ledger."""
    ids = [
        row.id
        for row in session.rows(
            "SELECT id FROM orders WHERE {fence} ORDER BY program_id, id DESC LIMIT :n", n=_RECENT
        )
    ]
    found = [
        Activity(
            at=row.order.updated_at,
            title=f"Order {row.order.number}",
            sentence=order_sentence(row.facts, waits=waits_for(row), words=words),
            points=row.target_points if row.member_id is not None else None,
            member_id=row.member_id,
            order=(known[row.shop_id].key, row.order_ref),
        )
        for row in find_orders_where(session, "o.id = ANY(:ids)", ids=ids)
        if row.order is not None
    ]
    found += _adjusted(session)
    found += _bought(session, known)
    return sorted(found, key=lambda one: one.at, reverse=True)[:_RECENT]


def _adjusted(session: Session) -> list[Activity]:
    rows = session.rows(
        "SELECT account_id, points, reason, actor, at FROM adjustments WHERE {fence} ORDER BY id DESC LIMIT :n",
        n=_RECENT,
    )
    return [
        Activity(
            at=row.at,
            title=f"Adjusted by {row.actor}",
            sentence=row.reason,
            points=row.points,
            member_id=row.account_id,
        )
        for row in rows
    ]


def _bought(session: Session, known: dict[int, ShopRow]) -> list[Activity]:
    newest = session.rows("SELECT id FROM redemptions WHERE {fence} ORDER BY id DESC LIMIT :n", n=_RECENT)
    rows = redemptions.find_redemptions_where(session, "r.id = ANY(:ids)", ids=[row.id for row in newest])
    return [
        Activity(
            at=one.requested_at,
            title=one.bought.title,
            sentence=one.message or f"Code {one.code} at {known[one.shop_id].name}.",
            points=-one.bought.cost,
            member_id=one.account_id,
        )
        for one in rows
    ]
