"""Some accounts counted anew, with all that were merged into them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.db import auditing, members, orders, programs, tiers
from app.db.activities import ActivityRow, find_activities_of
from app.db.auditing import AccountRow
from app.db.orders import OrderRow
from app.db.programs import Versions
from app.db.session import Session
from app.db.tiers import RewardRow
from app.domain.chain import Chain, follow
from app.domain.earning import PointsTarget
from app.domain.ledger import Book, Lot
from app.domain.money import Money
from app.domain.program import Program
from app.domain.settling import Held, settle
from app.domain.spending import SpendFact
from app.domain.tiers import TierFloor, highest_since, tier_at
from app.domain.words import Words
from app.services.activity_targets import activity_targets
from app.services.audit_chains import differing_lots
from app.services.findings import Findings
from app.services.known_until import known_until
from app.services.settle_entry_rewards import reward_target
from app.services.settle_orders import program_of, spend_of, target_of
from app.services.wording import money_words


@dataclass(slots=True)
class _Group:
    """An open account and those merged into it: their chains, and what they hold together."""

    row: AccountRow
    merged: Sequence[int]
    chains: dict[int, Chain] = field(default_factory=dict)
    spends: list[SpendFact] = field(default_factory=list)

    @property
    def books(self) -> dict[int, Book]:
        return {account_id: chain.book for account_id, chain in self.chains.items()}

    @property
    def counts_as(self) -> Mapping[int, int]:
        return dict.fromkeys(self.merged, self.row.account_id)

    def held(self, source: str) -> dict[int, Held]:
        return {one: chain.held[source] for one, chain in self.chains.items() if source in chain.held}


def replay_accounts(
    session: Session, page: Sequence[AccountRow], findings: Findings, *, now: datetime
) -> None:
    """Count them anew and name each difference from what is stored."""
    versions = programs.load_versions(session)[session.program_id]
    merged = auditing.find_merged_into(session, [row.account_id for row in page])
    stored = {row.account_id: row for row in page}
    stored |= {
        row.account_id: row
        for row in auditing.find_accounts(session, [one for ours in merged.values() for one in ours])
    }
    groups = _groups(session, page, merged, stored, findings.words.points)
    owned: dict[int, list[OrderRow]] = {}
    for row in orders.find_orders_where(session, "o.member_id = ANY(:ids)", ids=list(groups)):
        owned.setdefault(row.member_id or 0, []).append(row)
    done: dict[int, list[ActivityRow]] = {}
    activities = find_activities_of(session, list(stored))
    root = {one: account_id for account_id, group in groups.items() for one in (account_id, *group.merged)}
    for activity in activities:
        done.setdefault(root[activity.member_id], []).append(activity)
    worth = activity_targets(session, activities, {session.program_id: versions})
    rewards: dict[int, list[RewardRow]] = {}
    for reward in tiers.find_rewards(session, list(root)):
        rewards.setdefault(root[reward.member_id], []).append(reward)
    run = tiers.find_open_run(session)
    lots = auditing.find_all_lots(session, list(stored))
    floors = members.find_floors(session, list(groups))
    until = known_until(session, now)
    for account_id, group in groups.items():
        if any(chain.broken for chain in group.chains.values()):
            findings.add(f"account:{account_id}", "chain_broken", "its chain is broken: see the audit")
        else:
            ours, granted = owned.get(account_id, ()), floors.get(account_id, ())
            targets = _targets(group, ours, rewards.get(account_id, ()), granted, versions, findings)
            targets |= _targets_of_activities(done.get(account_id, ()), worth, findings)
            _count(group, targets, versions, findings, now)
            for one, book in group.books.items():
                _compare(stored[one], book, lots.get(one, ()), findings, now)
            if run is None or account_id <= run.after_id:
                _compare_tier(group, granted, versions.live, findings, now, until)
        findings.looked_at("accounts", 1 + len(group.merged))


def _groups(
    session: Session,
    page: Sequence[AccountRow],
    merged: Mapping[int, Sequence[int]],
    stored: Mapping[int, AccountRow],
    tell: Callable[[int], str],
) -> dict[int, _Group]:
    groups = {row.account_id: _Group(row, merged.get(row.account_id, ())) for row in page}
    root = {one: account_id for account_id, group in groups.items() for one in (account_id, *group.merged)}
    for one, account_id in root.items():
        groups[account_id].chains[one] = Chain(Book((stored[one].program_id, one)))
    for one, entries in auditing.stream_chains(session, list(stored)):
        groups[root[one]].chains[one] = follow((stored[one].program_id, one), entries, tell=tell)
    return groups


def _targets(
    group: _Group,
    rows: Sequence[OrderRow],
    rewards: Sequence[RewardRow],
    floors: Sequence[TierFloor],
    versions: Versions,
    findings: Findings,
) -> dict[str, PointsTarget | None]:
    """Source -> what it is worth; None: that cannot be told. Of the group's orders and entry rewards."""
    targets: dict[str, PointsTarget | None] = {}
    for row in rows:
        targets[row.source] = count_order(row, versions, findings)
        if targets[row.source] is not None:
            _count_spend(group, row, versions, findings)
    for one in rewards:
        try:
            targets[one.source] = reward_target(one, group.spends, floors, versions.get(one.version))
        except IndexError:
            targets[one.source] = None
            findings.add(one.source, "terms", f"there is no version {one.version}")
    return targets


def _targets_of_activities(
    rows: Sequence[ActivityRow], worth: Mapping[int, PointsTarget], findings: Findings
) -> dict[str, PointsTarget]:
    """The same for what was done: rules, what was fixed, and what friends bought."""
    words = findings.words
    for row in rows:
        target = worth[row.activity_id]
        if target.points != row.target_points:
            stored, counted = words.points(row.target_points), words.amount(target.points)
            detail = f"a target of {stored} is stored, its rule gives {counted}"
            findings.add(row.source, "target", detail)
    return {row.source: worth[row.activity_id] for row in rows}


def _count(
    group: _Group,
    targets: Mapping[str, PointsTarget | None],
    versions: Versions,
    findings: Findings,
    now: datetime,
) -> None:
    """Bring the books to what the targets are worth: nothing is missing if they hold it already."""
    left = {source for chain in group.chains.values() for source in chain.held} - set(targets)
    for source, target in targets.items():
        if target is not None:
            _reach(group, source, target, group.row.account_id, versions, findings, now)
    for source in sorted(left):  # what is another's, or nobody's
        nothing = PointsTarget(points=0, occurred_at=now, ready_at=None, expires_at=None)
        _reach(group, source, nothing, None, versions, findings, now)


def _count_spend(group: _Group, row: OrderRow, versions: Versions, findings: Findings) -> None:
    """What tiers look at."""
    assert row.order is not None
    program = program_of(row, row.order, versions)
    spend = spend_of(row, program) if program is not None else None
    if spend is not None:
        group.spends.append(spend)
    if row.terms_version is not None and spend != row.spend:
        stored, given = (_spend_words(one, versions.live, findings.words) for one in (row.spend, spend))
        findings.add(row.source, "spend", f"{stored} is stored for tiers, it gives {given}")


def _spend_words(spend: SpendFact | None, program: Program, words: Words) -> str:
    if spend is None:
        return "nothing"

    def money(minor: int) -> str:
        return money_words(Money(minor, program.currency))

    told = [
        money(spend.goods_minor),
        words.points(spend.points),
        *(f"{money(minor)} back on {at:%Y-%m-%d}" for at, minor in spend.refunds),
        *(f"{words.points(points)} back on {at:%Y-%m-%d}" for at, points in spend.points_back),
        *(f"{one.days} days of {one.tier_key}" for one in spend.memberships),
        *(f"{one.tier_key} back on {one.gone_at:%Y-%m-%d}" for one in spend.memberships if one.gone_at),
        *([f"void since {spend.void_at:%Y-%m-%d}"] if spend.void_at else []),
    ]
    return f"{', '.join(told)} of {spend.counted_at:%Y-%m-%d %H:%M} UTC"


def _reach(
    group: _Group,
    source: str,
    target: PointsTarget,
    owner: int | None,
    versions: Versions,
    findings: Findings,
    now: datetime,
) -> None:
    held = group.held(source)
    given = sum(one.points for one in held.values())
    if given != target.points:
        what = f"is worth {findings.words.points(target.points)}" if owner else "belongs to another"
        had = f"account {group.row.account_id} was given {findings.words.amount(given)}"
        findings.add(source, "points", f"{what}, {had}")
    policy = versions.live.refund_policy
    settle(source, target, group.books, held, owner=owner, counts_as=group.counts_as, policy=policy, now=now)


def count_order(row: OrderRow, versions: Versions, findings: Findings) -> PointsTarget | None:
    """What the order is worth by its last snapshot and its terms; None: that cannot be told, and is named."""
    order = row.order
    assert order is not None
    if row.held_reason is not None:
        return PointsTarget(points=0, occurred_at=order.updated_at, ready_at=None, expires_at=None)
    try:
        target = target_of(row, order, _program(row, versions))
    except (KeyError, IndexError, ValueError):
        terms = f"version {row.terms_version}, tier {row.terms_tier}, {order.goods.currency}"
        findings.add(row.source, "terms", f"cannot be counted under its terms: {terms}")
        return None
    if target.points != row.target_points:
        stored, counted = findings.words.points(row.target_points), findings.words.amount(target.points)
        detail = f"a target of {stored} is stored, snapshot and terms give {counted}"
        findings.add(row.source, "target", detail)
    return target


def _program(row: OrderRow, versions: Versions) -> Program:
    """That of the terms; of an order without them, the version it was last counted under."""
    version = row.terms_version or int(row.facts.get("version", 1))
    if version < 1:
        raise IndexError(version)
    return versions.get(version)


def _compare(row: AccountRow, book: Book, lots: Sequence[Lot], findings: Findings, now: datetime) -> None:
    subject = f"account:{row.account_id}"
    stored = Book((row.program_id, row.account_id), points=row.points, deficit=row.deficit, lots=lots)
    stored.ripen(now)
    book.ripen(now)
    if (stored.points, stored.deficit) != (book.points, book.deficit):
        points, amount = findings.words.points, findings.words.amount
        detail = (
            f"{points(stored.points)} and a deficit of {amount(stored.deficit)} are stored, counting gives "
        )
        findings.add(subject, "balance", f"{detail}{amount(book.points)} and {amount(book.deficit)}")
    for detail in differing_lots(stored.lots, book.lots, findings.words):
        findings.add(subject, "lots", detail)


def _compare_tier(
    group: _Group,
    floors: Sequence[TierFloor],
    program: Program,
    findings: Findings,
    now: datetime,
    until: datetime | None,
) -> None:
    """What the orders give now, or a recorded floor. A higher one that is stored stays until its review."""
    row = group.row
    if row.tier_key is None:
        return
    given = tier_at(group.spends, floors, program=program, at=now)
    if program.rank(row.tier_key) < program.rank(given.key):
        findings.add(f"member:{row.account_id}", "tier", f"is {row.tier_key}, the orders give {given.key}")
    elif until is not None:
        reviewed = highest_since(group.spends, floors, program=program, since=until)
        findings.counts["reviews_due"] += program.rank(reviewed.key) < program.rank(row.tier_key)
