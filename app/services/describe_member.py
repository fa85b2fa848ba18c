"""What a member has: balance, tier and the way to the next, identities. Read only, and the same for everybody."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from app.db import blocks, ledger, members, orders, programs, reviews, shops
from app.db.members import MemberRow, Personal
from app.db.session import Session
from app.domain.errors import Refused
from app.domain.ledger import Book, Lot
from app.domain.money import Money
from app.domain.program import Program
from app.domain.spending import SpendFact, qualifying, window_start
from app.domain.tier_rules import Measure, Tier
from app.domain.tiers import next_tier
from app.domain.words import Words
from app.services.find_member import ERASED, ById, find_in
from app.services.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Due:
    """So many points, at that moment."""

    points: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceView:
    available: int  # below 0 only after a take-back
    pending: int
    deficit: int
    pending_next: Due | None  # the earliest pending points to become available
    expiring: Due | None  # the soonest to expire


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTier:
    """The way to the next tier that orders can reach, by whichever measure is nearest.

    `threshold`, `spent` and `missing`: by spend; None by any other, which `sentence_in` tells.
    """

    tier: Tier
    measure: Measure
    needed: int  # minor units, points or orders
    reached: int
    threshold: Money | None = None
    spent: Money | None = None
    missing: Money | None = None

    @property
    def progress_percent(self) -> int:
        return min(100 * self.reached // self.needed, 100)

    def sentence_in(self, words: Words) -> str | None:
        """ "3 more orders to Gold."; None by spend: whoever shows it has the sums."""
        left = max(self.needed - self.reached, 0)
        match self.measure:
            case Measure.SPEND:
                return None
            case Measure.POINTS:
                return words.say("next.points", units=left, tier=self.tier.name)
            case Measure.ORDERS:
                return words.say("next.orders", n=left, tier=self.tier.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityView:
    identity_id: int
    shop_key: str
    customer_ref: str | None  # None: erased
    email: str | None
    email_verified: bool
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberView:
    member_id: int
    joined_at: datetime
    erased_at: datetime | None
    blocked_at: datetime | None  # since when they earn nothing and cannot spend
    held_at: datetime | None  # since when their points wait for staff to look
    unit: str  # what is counted: "points", or the currency whose smallest unit
    balance: BalanceView
    lifetime_points: int
    tier: Tier
    tier_since: datetime | None
    next_tier: NextTier | None
    identities: tuple[IdentityView, ...]


def describe_member(rt: Runtime, program_id: int, member_id: int) -> MemberView:
    """The member of that id; one that was merged away is described as the winner. Raises: Refused("unknown_member")."""
    with rt.db.begin(program_id) as session:
        found = describe_members(session, rt, find_in(session, rt, ById(member_id)))
    if not found:
        raise Refused("unknown_member", "There is no such member.")
    return found[0]


def describe_members(session: Session, rt: Runtime, member_ids: Sequence[int]) -> list[MemberView]:
    """Those members, in that order, with a fixed number of queries. `session` is of one program."""
    if not member_ids:
        return []
    now = rt.now()
    program = programs.load_versions(session)[session.program_id].live
    known = members.find_members(session, member_ids)
    books = ledger.find_books(session, member_ids)
    people = members.find_personal(session, rt.vault, member_ids)
    stopped = blocks.find_blocks(session, [one for one, row in known.items() if row.was_blocked])
    held = reviews.find_holds(session, [one for one, row in known.items() if row.was_held])
    shop_keys = {shop.shop_id: shop.key for shop in shops.find_shops(session).values()}
    spends: dict[int, list[SpendFact]] = {}
    for row in orders.find_spend(session, member_ids, since=window_start(program, now)):
        spends.setdefault(row.member_id, []).append(row.fact)
    return [
        member_view(
            known[one],
            books[one],
            people.get(one, ()),
            shop_keys,
            spends.get(one, ()),
            program,
            now,
            blocked_at=next((block.at for block in stopped.get(one, ()) if block.covers(now)), None),
            held_at=held.get(one),
        )
        for one in member_ids
        if one in known and one in books
    ]


def member_view(
    row: MemberRow,
    book: Book,
    people: Iterable[Personal],
    shop_keys: dict[int, str],
    spends: Iterable[SpendFact],
    program: Program,
    now: datetime,
    *,
    blocked_at: datetime | None = None,
    held_at: datetime | None = None,
) -> MemberView:
    tier = program.tier(row.tier_key)
    return MemberView(
        member_id=row.member_id,
        joined_at=row.joined_at,
        erased_at=row.erased_at,
        blocked_at=blocked_at,
        held_at=held_at,
        unit=program.unit,
        balance=balance_of(book, now),
        lifetime_points=row.lifetime_points,
        tier=tier,
        tier_since=row.tier_since,
        next_tier=_next(tier, spends, program, now),
        identities=tuple(_identity(one, shop_keys) for one in people),
    )


def balance_of(book: Book, now: datetime) -> BalanceView:
    book.ripen(now)
    balance = book.balance(at=now)
    left = [lot for lot in book.lots.values() if lot.remaining]
    return BalanceView(
        available=balance.available,
        pending=balance.pending,
        deficit=book.deficit,
        pending_next=_soonest((lot.available_at, lot) for lot in left if lot.available_at > now),
        expiring=_soonest((lot.expires_at, lot) for lot in left if lot.expires_at is not None),
    )


def _soonest(dated: Iterable[tuple[datetime, Lot]]) -> Due | None:
    """The earliest moment, with everything that falls on it."""
    sums: dict[datetime, int] = {}
    for at, lot in dated:
        sums[at] = sums.get(at, 0) + lot.remaining
    return Due(sums[min(sums)], min(sums)) if sums else None


def _next(tier: Tier, spends: Iterable[SpendFact], program: Program, now: datetime) -> NextTier | None:
    above = next_tier(tier, program)
    if above is None:
        return None
    found = qualifying(spends, program=program, at=now)[0]
    measure, needed = max(
        above.thresholds.items(), key=lambda one: Fraction(min(found.of(one[0]), one[1]), max(one[1], 1))
    )
    reached = found.of(measure)
    if measure is not Measure.SPEND:
        return NextTier(tier=above, measure=measure, needed=needed, reached=reached)
    return NextTier(
        tier=above,
        measure=measure,
        needed=needed,
        reached=reached,
        threshold=Money(needed, program.currency),
        spent=Money(reached, program.currency),
        missing=Money(max(needed - reached, 0), program.currency),
    )


def _identity(person: Personal, shop_keys: dict[int, str]) -> IdentityView:
    erased = person.customer_ref.startswith(ERASED)
    return IdentityView(
        identity_id=person.identity_id,
        shop_key=shop_keys[person.shop_id],
        customer_ref=None if erased else person.customer_ref,
        email=person.email,
        email_verified=person.email_verified,
        name=person.name,
    )
