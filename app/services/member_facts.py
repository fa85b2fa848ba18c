"""What finer rules need to know when an order is first counted: of the member, and of what the products belong to."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from app.db import jobs, members, orders, shop_facts
from app.db.orders import OrderKey, OrderRow, Past
from app.db.session import Session
from app.db.shop_facts import ProductKey
from app.domain.calendar import end_of_day, month_of
from app.domain.known import Known
from app.domain.orders import OrderSnapshot
from app.domain.program import Program
from app.domain.rules import Cap, CapPer, EarnRules, GoalPer
from app.domain.spending import SpendFact

Stretch = tuple[datetime, datetime]
# How many days back a rule looks; None: to the beginning.
_REACH = {
    CapPer.DAY: 2,
    CapPer.MONTH: 32,
    CapPer.MEMBER: None,
    GoalPer.MONTH: 32,
    GoalPer.YEAR: 367,
    GoalPer.MEMBER: None,
}


class MemberFacts:
    """Loaded once for a batch, for those programs alone that ask, and kept true while the batch is counted."""

    def __init__(
        self,
        session: Session,
        programs: Iterable[Program],
        member_ids: Sequence[int],
        *,
        rows: Mapping[OrderKey, OrderRow],
        seen: Iterable[tuple[int, OrderSnapshot]],
        identity_ids: Sequence[int],
        first: datetime,
    ) -> None:
        """`rows`: the orders of the batch; `seen`: (shop, order) as told. No order counts from before `first`."""
        programs, seen = list(programs), list(seen)
        rules = [program.rules for program in programs]
        self._session = session
        self._groups: Mapping[ProductKey, tuple[str, ...]] = {}
        self._tags: Mapping[int, tuple[str, ...]] = {}
        self._wanted_products: dict[int, set[ProductKey]] = {}  # by program
        self._wanted_tags: set[int] = set()
        self._shops: set[tuple[int, int]] = set()  # (program, shop) to be asked
        if any(one.groups for one in rules):
            self._groups = shop_facts.find_groups(session, _products([*seen, *_held(rows)]))
        if any(one.tags for one in rules):
            self._tags = shop_facts.find_tags(session, identity_ids)
        self._numbers: dict[int, int] = {}
        if any(one.asks_for_number for one in rules):
            self._numbers = orders.count_with_terms(session, member_ids)
        self._joined: dict[int, datetime] = {}
        if any(one.asks_for_joining for one in rules):
            found = members.find_members(session, member_ids)
            self._joined = {member_id: member.joined_at for member_id, member in found.items()}
        self._before: dict[int, orders.Bought] = {}  # what the orders outside the batch came to
        self._batch: dict[OrderKey, tuple[int, datetime, int]] = {}  # (member, counting moment, net)
        self._counts_bought = any(one.asks_for_history for one in rules)
        self._keys = rows.keys()
        if self._counts_bought:
            self._before = orders.find_bought(session, member_ids, but=list(rows))
            for row in rows.values():
                self._remember_bought(row)
        self._past: dict[int, dict[OrderKey, Past]] = {}
        if any(one.limits_members or one.goals for one in rules):
            reach = [_REACH[cap.per] for one in rules for cap in one.caps if cap.per.is_of_member]
            reach += [_REACH[goal.per] for one in rules for goal in one.goals]
            longest = None if None in reach else max(days for days in reach if days is not None)
            since = first - timedelta(days=longest) if longest is not None else None
            self._past = orders.find_past(session, member_ids, since=since)
        self._elsewhere: dict[Stretch, int] = {}  # what orders outside the batch earned in it
        self._placed: dict[OrderKey, tuple[datetime, int]] = {}  # those of the batch: when, how much
        self._limits_program = [
            (one, cap) for one in programs for cap in one.rules.caps if cap.per.is_of_program
        ]
        if self._limits_program:
            self._load_program(rows, [order for _, order in seen])

    # --- What only the shop knows --------------------------------------------------------------------------

    def lacks(self, row: OrderRow, order: OrderSnapshot, program: Program) -> bool:
        """Whether the order must wait until the shop was asked what its products or its customer belong to.

        What it lacks is put down; `ask` puts it to the shop.
        """
        rules = program.rules
        missing: set[ProductKey] = set()
        if rules.groups:
            missing = _products([(row.shop_id, order)]) - self._groups.keys()
        untagged = bool(rules.tags) and row.identity_id is not None and row.identity_id not in self._tags
        if missing:
            self._wanted_products.setdefault(row.program_id, set()).update(missing)
        if untagged and row.identity_id is not None:
            self._wanted_tags.add(row.identity_id)
        if missing or untagged:
            self._shops.add((row.program_id, row.shop_id))
        return bool(missing) or untagged

    def ask(self) -> None:
        """Leave word of what is to be read, and a job for each shop."""
        for program_id, keys in self._wanted_products.items():
            shop_facts.want_products(self._session, program_id, sorted(keys))
        if self._wanted_tags:
            shop_facts.want_tags(self._session, sorted(self._wanted_tags))
        shops = [
            {"program_id": program_id, "shop_id": shop_id} for program_id, shop_id in sorted(self._shops)
        ]
        jobs.enqueue_all(self._session, "read_facts", shops)

    # --- What is fixed -------------------------------------------------------------------------------------

    def known(self, row: OrderRow, order: OrderSnapshot, moment: datetime, program: Program) -> Known | None:
        """What is fixed for an order that is counted for the first time now; None: the program asks for nothing.

        `row` has an owner. Call it once for an order: it counts as one of the member's from then on.
        """
        rules, member_id = program.rules, row.member_id or 0
        # Whatever this version asks: another may, of the member's next order.
        number = self._numbers[member_id] = self._numbers.get(member_id, 0) + 1
        if not rules.asks:
            return None
        room = {
            cap.key: max(cap.points - self._used(row, order, moment, cap, program), 0)
            for cap in rules.caps
            if cap.per is not CapPer.ORDER
        }
        goals = self._open_goals(row, moment, program) if rules.goals else {}
        spend_minor, last = self._bought(row, moment) if rules.asks_for_history else (0, None)
        joined = self._joined.get(member_id, moment) if rules.asks_for_joining else moment
        return Known(
            number=number if rules.asks_for_number else 1,
            room=room,
            spend_minor=spend_minor,
            member_days=max((moment - joined).days, 0),
            quiet_days=None if last is None else max((moment - last).days, 0),
            tags=self._named_tags(row, rules),
            products=self._named_groups(row, order, rules),
            goals=goals,
        )

    def provisional(self, row: OrderRow, order: OrderSnapshot, program: Program) -> Known | None:
        """For an order that is nobody's yet: what its products belong to is known all the same."""
        return Known(products=self._named_groups(row, order, program.rules)) if program.rules.groups else None

    def remember(self, row: OrderRow, moment: datetime | None) -> None:
        """What an order with terms is worth now."""
        if row.member_id is not None and moment is not None:
            goals = tuple(str(row.facts.get("goals", "")).split())
            net = _net(row.spend) if row.spend is not None else 0
            past = Past(moment, row.target_points, net, goals)
            self._past.setdefault(row.member_id, {})[row.key] = past
        if self._limits_program and row.key in self._keys and row.order is not None:
            self._placed[row.key] = (row.order.placed_at, row.target_points)
        # Orders beside the batch have another tier at most: what they came to is in `_before`.
        if self._counts_bought and row.key in self._keys:
            self._remember_bought(row)

    def _named_tags(self, row: OrderRow, rules: EarnRules) -> tuple[str, ...]:
        return tuple(one for one in self._tags.get(row.identity_id or 0, ()) if one in rules.tags)

    def _named_groups(
        self, row: OrderRow, order: OrderSnapshot, rules: EarnRules
    ) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        if rules.groups:
            for shop_id, ref in sorted(_products([(row.shop_id, order)])):
                groups = tuple(one for one in self._groups.get((shop_id, ref), ()) if one in rules.groups)
                if groups:
                    found[ref] = groups
        return found

    def _remember_bought(self, row: OrderRow) -> None:
        if row.member_id is None or row.terms_version is None or row.spend is None:
            self._batch.pop(row.key, None)
        else:
            self._batch[row.key] = (row.member_id, row.spend.counted_at, _net(row.spend))

    def _bought(self, row: OrderRow, moment: datetime) -> tuple[int, datetime | None]:
        """What the member's other orders came to, and when the last of them was."""
        before = self._before.get(row.member_id or 0, orders.Bought(0, None))
        mine = [
            (when, net)
            for key, (member_id, when, net) in self._batch.items()
            if member_id == row.member_id and key != row.key
        ]
        moments = [when for when, _ in mine]
        if before.last_at is not None:
            moments.append(before.last_at)
        return before.spend_minor + sum(net for _, net in mine), max(moments, default=None)

    def _used(self, row: OrderRow, order: OrderSnapshot, moment: datetime, cap: Cap, program: Program) -> int:
        if cap.per.is_of_program:
            stretch = _stretch(order.placed_at, cap.per, program)
            return self._elsewhere[stretch] + sum(
                points
                for key, (when, points) in self._placed.items()
                if key != row.key and stretch[0] <= when < stretch[1]
            )
        period = _period(moment, cap.per, program)
        return sum(
            past.points
            for key, past in self._past.get(row.member_id or 0, {}).items()
            if key != row.key and _period(past.counted_at, cap.per, program) == period
        )

    def _open_goals(self, row: OrderRow, moment: datetime, program: Program) -> dict[str, int]:
        """Goals that no other order of the period has reached, with what the member spent in it before."""
        found: dict[str, int] = {}
        for goal in program.rules.goals:
            period = _period(moment, goal.per, program)
            others = [
                past
                for key, past in self._past.get(row.member_id or 0, {}).items()
                if key != row.key and _period(past.counted_at, goal.per, program) == period
            ]
            if not any(goal.key in past.goals for past in others):
                found[goal.key] = sum(past.net_minor for past in others)
        return found

    def _load_program(self, rows: Mapping[OrderKey, OrderRow], seen: Sequence[OrderSnapshot]) -> None:
        for row in rows.values():
            if row.terms_version is not None and row.order is not None:
                self._placed[row.key] = (row.order.placed_at, row.target_points)
        held = [row.order for row in rows.values() if row.order is not None]
        stretches = {
            _stretch(order.placed_at, cap.per, program)
            for program, cap in self._limits_program
            for order in [*seen, *held]
        }
        ordered = sorted(stretches)
        points = orders.points_of_days(
            self._session,
            [start for start, _ in ordered],
            [end for _, end in ordered],
            but=list(rows),
        )
        self._elsewhere = dict(zip(ordered, points, strict=True))


def _held(rows: Mapping[OrderKey, OrderRow]) -> list[tuple[int, OrderSnapshot]]:
    return [(row.shop_id, row.order) for row in rows.values() if row.order is not None]


def _products(found: Iterable[tuple[int, OrderSnapshot]]) -> set[ProductKey]:
    return {
        (shop_id, line.product_ref)
        for shop_id, order in found
        for line in order.lines
        if line.product_ref is not None
    }


def _net(spend: SpendFact) -> int:
    """What is left of an order's goods now."""
    if spend.void_at is not None:
        return 0
    return max(spend.goods_minor - sum(minor for _, minor in spend.refunds), 0)


def _period(moment: datetime, per: CapPer | GoalPer, program: Program) -> tuple[int, ...]:
    day = moment.astimezone(program.zone).date()
    match per:
        case CapPer.DAY:
            return (day.year, day.month, day.day)
        case CapPer.MONTH | GoalPer.MONTH:
            return (day.year, day.month)
        case GoalPer.YEAR:
            return (day.year,)
        case _:
            return ()


def _stretch(moment: datetime, per: CapPer, program: Program) -> Stretch:
    """The program's local day or month around a moment: from its first instant to the next one's."""
    if per is CapPer.PROGRAM_MONTH:
        return month_of(moment, program.zone)
    day = moment.astimezone(program.zone).date()
    return end_of_day(day - timedelta(days=1), program.zone), end_of_day(day, program.zone)
