"""Orders as seen become what the ledger holds. The one way in: webhooks, re-reads, reconciliation, claims, merges.

Two phases in one transaction. First the facts, message by message in the order they came: fold, owner, terms,
target (`_Facts`). Then the books: the same targets in the same order, appended as differences
(`append_targets`). The first phase needs no lock but the program's settling lock; the second locks the accounts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from app.db import blocks, members, orders, programs
from app.db.blocks import BlockRow
from app.db.members import IdentityKey, IdentityRow, TierChange
from app.db.orders import OrderKey, OrderRow
from app.db.programs import Versions
from app.db.sealing import Vault
from app.db.session import Session
from app.db.shops import ShopRow, find_shops
from app.domain.earning import PointsTarget, Terms, Zero, counted_at, target_for_order
from app.domain.folding import Verdict, fold
from app.domain.known import ALONE
from app.domain.orders import OrderSnapshot, OrderState
from app.domain.program import Enrolment, Program
from app.domain.qualifying import spend_fact
from app.domain.spending import SpendFact, SpendHistory, counts_since
from app.domain.tiers import TierFloor, tier_at
from app.services import use_codes
from app.services.append_targets import Action, append_targets
from app.services.member_facts import MemberFacts
from app.services.settle_entry_rewards import settle_entry_rewards
from app.services.settle_referrals import settle_referrals
from app.services.welcome_members import Joining, welcome_members

NO_RATE = "no_rate"  # held: the program has no rate for the order's currency
SHOP_FACTS = "shop_facts"  # held: the shop is asked what products or customer belong to


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A snapshot that came in. `read_no`: for a re-read, the order's mark as it was before the fetch."""

    shop_id: int
    order: OrderSnapshot
    reread: bool = False
    read_no: int = 0
    wants_reread: str | None = None  # settle it, and read it at the shop too, for this reason

    @property
    def key(self) -> OrderKey:
        return (self.shop_id, self.order.order_ref)


@dataclass(frozen=True, slots=True)
class Settled:
    verdict: Verdict
    row: OrderRow
    moved: int  # points appended for it, over all accounts, because of this message
    erased: bool = False  # the message names somebody who asked to be forgotten


@dataclass(slots=True)
class _Person:
    """A member's counted orders and recorded tiers, as far as this batch may look."""

    facts: SpendHistory = field(default_factory=SpendHistory)
    placed: dict[OrderKey, tuple[datetime, int | None, str | None]] = field(default_factory=dict)
    floors: Sequence[TierFloor] = ()
    blocks: Sequence[BlockRow] = ()
    tier_key: str = ""  # as stored; the lowest for somebody new


def settle_orders(
    session: Session, vault: Vault, seen: Sequence[Seen], *, now: datetime, recount: Iterable[OrderKey] = ()
) -> list[Settled]:
    """Make the ledger agree with what was seen, in that order. One answer for each of `seen`.

    `recount`: orders to be counted again as held (a claim, a merge, a published rate, another `counts_from`);
    whether they count at all is decided again, and who may join by them joins.
    The caller's transaction covers everything; the settling lock of its programs is taken here.
    """
    programs.lock_settling(session)
    again = list(recount)
    facts = _Facts(session, vault, seen, again, now)
    answers: list[tuple[Verdict, OrderRow, Action | None]] = []
    for one in seen:
        verdict, action = facts.see(one)
        answers.append((verdict, facts.rows[one.key], action))
    for key in again:
        if key in facts.rows:
            facts.recount(facts.rows[key])
    facts.member_facts.ask()
    changed = [row for row in facts.rows.values() if row.changed]
    write = partial(orders.write_orders, session, changed, now=now)
    append_targets(session, facts.actions, now, beside=write)
    members.change_tiers(session, facts.upgrades, now=now)
    settle_entry_rewards(session, facts.versions, facts.touched, rises=facts.upgrades, now=now)
    use_codes.use_codes(session, list(facts.coded.values()), now=now)
    if any(program.referral for known in facts.versions.values() for program in known.programs):
        settle_referrals(session, facts.touched, facts.versions, now=now)
    return [
        Settled(verdict, row, action.moved if action else 0, facts.is_erased(one))
        for one, (verdict, row, action) in zip(seen, answers, strict=True)
    ]


class _Facts:
    """The first phase: everything known of the orders and people of one batch, and what follows from it."""

    def __init__(
        self,
        session: Session,
        vault: Vault,
        seen: Sequence[Seen],
        again: Sequence[OrderKey],
        now: datetime,
    ) -> None:
        keys = [*(one.key for one in seen), *again]
        snapshots = [one.order for one in seen]
        self.session, self.vault, self.now = session, vault, now
        self.actions: list[Action] = []
        self.erased: set[IdentityKey] = set()  # people who asked to be forgotten: their orders name nobody
        self.forgotten: dict[tuple[int, bytes], datetime] = {}  # addresses of such guests -> when they asked
        # Orders whose codes may have been used or given back, each once.
        self.coded: dict[tuple[int, str], OrderRow] = {}
        self.versions: Mapping[int, Versions] = programs.load_versions(session)
        self.shops: Mapping[int, ShopRow] = find_shops(session, sorted({shop for shop, _ in keys}))
        self.rows = self._load_rows(dict.fromkeys(keys))
        self.identities = self._load_identities([*seen, *self._as_held(again)])
        self.by_id = {one.identity_id: one for one in self.identities.values()}
        self._load_known_owners()
        self.proven = self._load_proven(snapshots)
        first = self._first(snapshots)
        self.people = self._load_people(first)
        self.touched = set(self.people)  # whose orders or tier this batch may change
        self.member_facts = MemberFacts(
            session,
            [program for versions in self.versions.values() for program in versions.programs],
            list(self.people),
            rows=self.rows,
            seen=[(one.shop_id, one.order) for one in seen],
            identity_ids=list(self.by_id),
            first=first,
        )
        self.upgrades: list[TierChange] = []

    # --- Loading -------------------------------------------------------------------------------------------

    def _load_rows(self, keys: Mapping[OrderKey, None]) -> dict[OrderKey, OrderRow]:
        found = orders.find_orders(self.session, keys)
        missing = [key for key in keys if key not in found and key[0] in self.shops]
        ids = orders.new_ids(self.session, len(missing)) if missing else []
        for key, order_id in zip(missing, ids, strict=True):
            program_id = self.shops[key[0]].program_id
            found[key] = OrderRow(
                program_id=program_id, order_id=order_id, shop_id=key[0], order_ref=key[1], is_new=True
            )
        return found

    def _as_held(self, keys: Iterable[OrderKey]) -> list[Seen]:
        """Orders to be counted again, as if what we hold of them came in: their people are looked up too."""
        held = [(key, self.rows[key].order) for key in keys if key in self.rows]
        return [Seen(shop_id=key[0], order=order) for key, order in held if order is not None]

    def _load_identities(self, seen: Sequence[Seen]) -> dict[IdentityKey, IdentityRow]:
        refs: dict[IdentityKey, bool] = {}
        for one in seen:
            if one.order.customer_ref is not None:
                key = (one.shop_id, one.order.customer_ref)
                refs[key] = refs.get(key, False) or one.order.state is OrderState.PAID
        found = members.find_identities(self.session, refs)
        hashes = {self.vault.customer_hash(*key): key for key in refs if key not in found}
        self.erased = {hashes[one] for one in members.is_tombstoned(self.session, list(hashes))}
        new = [key for key in refs if key not in found and key not in self.erased]
        found |= members.add_identities(
            self.session, [(self.shops[shop].program_id, shop, ref) for shop, ref in new], now=self.now
        )
        joining = self._joining(seen, found)
        welcome_members(self.session, self.vault, joining, self.versions, now=self.now)
        return found

    def _joining(self, seen: Sequence[Seen], found: Mapping[IdentityKey, IdentityRow]) -> list[Joining]:
        """Customers with an account whose first paid order is among these, where joining is automatic."""
        joining: dict[int, Joining] = {}
        for one in seen:
            identity = found.get((one.shop_id, one.order.customer_ref or ""))
            if identity is None or identity.member_id is not None or one.order.state is not OrderState.PAID:
                continue
            live = self.versions[identity.program_id].live
            if live.enrolment is Enrolment.AUTOMATIC and not self._excluded(one.shop_id, one.order):
                placed_at = one.order.placed_at
                is_new = placed_at >= self.shops[one.shop_id].connected_at
                joining.setdefault(identity.identity_id, Joining(identity, placed_at, counts=is_new))
        return list(joining.values())

    def _load_known_owners(self) -> None:
        """Identities that orders are claimed by, though the shop does not name them; and merges followed."""
        claimed = {row.identity_id for row in self.rows.values() if row.identity_id is not None}
        self.by_id |= members.find_identities_by_id(self.session, sorted(claimed - set(self.by_id)))
        owners = sorted({one.member_id for one in self.by_id.values() if one.member_id is not None})
        winners = members.find_winners(self.session, owners)
        for identity in self.by_id.values():
            if identity.member_id is not None:
                identity.member_id = winners.get(identity.member_id, identity.member_id)

    def _load_proven(self, snapshots: Sequence[OrderSnapshot]) -> dict[tuple[int, bytes], IdentityRow]:
        """Who proved an address that guests of this batch ordered with."""
        guests = [order for order in snapshots if order.customer_ref is None and order.email]
        hashes = {self.vault.email_hash(order.email) for order in guests if order.email}
        self.forgotten = members.find_erasures(self.session, sorted(hashes))
        hashes |= {row.email_hash for row in self.rows.values() if row.email_hash is not None}
        found = members.find_verified(self.session, sorted(hashes))
        owners = sorted({one.member_id for one in found.values() if one.member_id is not None})
        winners = members.find_winners(self.session, owners)
        for identity in found.values():
            if identity.member_id is not None:
                identity.member_id = winners.get(identity.member_id, identity.member_id)
            self.by_id.setdefault(identity.identity_id, identity)
        return found

    def _first(self, snapshots: Sequence[OrderSnapshot]) -> datetime:
        """The earliest moment at which an order of this batch was placed."""
        held = [row.order.placed_at for row in self.rows.values() if row.order is not None]
        return min([*(order.placed_at for order in snapshots), *held, self.now])

    def _load_people(self, first: datetime) -> dict[int, _Person]:
        owners = sorted({one.member_id for one in self.by_id.values() if one.member_id is not None})
        people = {owner: _Person() for owner in owners}
        if not owners:
            return people
        programs_ = [program for versions in self.versions.values() for program in versions.programs]
        since = counts_since(programs_, first)
        for owner, _, placed_at, fact, version, tier in orders.find_spend(self.session, owners, since=since):
            people[owner].facts.put(fact)
            people[owner].placed[fact.order_key] = (placed_at, version, tier)
        for owner, floors in members.find_floors(self.session, owners).items():
            people[owner].floors = floors
        blocked: list[int] = []
        for owner, member in members.find_members(self.session, owners).items():
            people[owner].tier_key = member.tier_key
            if member.was_blocked:
                blocked.append(owner)
        for owner, found in blocks.find_blocks(self.session, blocked).items():
            people[owner].blocks = found
        return people

    # --- One message ---------------------------------------------------------------------------------------

    def see(self, one: Seen) -> tuple[Verdict, Action | None]:
        row = self.rows[one.key]
        if one.reread and one.read_no < row.reread_done:
            return Verdict.STALE, None  # an older fetch than the one settled last
        is_new = row.order is None
        told = one.order
        if self.is_erased(one):
            told = replace(told, customer_ref=None, email=None)
        folded = fold(row.order, told, reread=one.reread)
        row.changed = row.changed or row.order != folded.order or one.reread
        if row.order is not None and row.order.codes_used:
            self.coded[row.shop_id, row.order_ref] = row  # a code may be taken off it again
        row.order = folded.order
        if is_new:
            row.excluded = self._excluded(one.shop_id, one.order)
            row.email_hash = self._guest_hash(told)
        if one.reread:
            row.reread_done, row.unreadable = max(row.reread_done, one.read_no), None
        self._mark(row, one, folded.verdict)
        if folded.verdict is Verdict.NEWER:
            return folded.verdict, self.count(row)
        if folded.verdict is Verdict.STALE and row.changed:
            self._remember_spend(row)
        return folded.verdict, None

    def is_erased(self, one: Seen) -> bool:
        """A customer is gone for good; of a guest only what was ordered before the wish to be forgotten."""
        if (one.shop_id, one.order.customer_ref) in self.erased:
            return True
        address = self._guest_hash(one.order) if self.forgotten else None
        if address is None:
            return False
        asked_at = self.forgotten.get((self.shops[one.shop_id].program_id, address))
        return asked_at is not None and one.order.placed_at < asked_at

    def _mark(self, row: OrderRow, one: Seen, verdict: Verdict) -> None:
        reason = one.wants_reread
        if verdict is Verdict.TIE:
            reason = "two messages of the same moment differ"
        elif verdict is Verdict.GONE:
            reason = "a message about an order that the shop no longer had"
        elif verdict is not Verdict.NEWER:
            reason = None
        elif reason and row.order is not None and all(refund.exact for refund in row.order.refunds):
            reason = None if row.reread_done else reason
        if reason:
            row.reread_wanted += 1
            row.reread_reason = reason
            row.changed = True

    def recount(self, row: OrderRow) -> None:
        if row.order is not None:
            row.excluded = self._excluded(row.shop_id, row.order)
            self.count(row)

    def count(self, row: OrderRow) -> Action | None:
        """Owner, terms and target of an order as held now."""
        order = row.order
        assert order is not None
        row.changed = True
        if order.codes_used:  # used whether the order can be counted or not
            self.coded[row.shop_id, row.order_ref] = row
        self._decide_owner(row, order)
        program = program_of(row, order, self.versions[row.program_id])
        if program is None:
            row.held_reason, row.target_points, row.facts = NO_RATE, 0, _held_facts(order, NO_RATE)
            return None
        if self._must_wait(row, order, program):
            row.held_reason, row.target_points, row.facts = SHOP_FACTS, 0, _held_facts(order, SHOP_FACTS)
            self._remember_spend(row)
            self._raise_tier(row)
            return None
        row.held_reason = None
        first = self._fix_terms(row, order, program)
        target = target_of(row, order, program)
        row.target_points, row.facts = target.points, target.facts
        self._remember(row, target)
        action = self._act(row, target, program)
        if first and row.spend is not None:
            self._raise_terms_behind(row)
        self._raise_tier(row)
        return action

    def _must_wait(self, row: OrderRow, order: OrderSnapshot, program: Program) -> bool:
        """Terms that are fixed need nothing more; nor does an order that is worth nothing anyhow."""
        if row.terms_version is not None or row.excluded is not None or order.state is not OrderState.PAID:
            return False
        return self.member_facts.lacks(row, order, program)

    def _decide_owner(self, row: OrderRow, order: OrderSnapshot) -> None:
        before = row.member_id
        if order.customer_ref is not None:
            identity = self.identities.get((row.shop_id, order.customer_ref))
            row.identity_id = identity.identity_id if identity else None
        elif row.identity_id is None and row.email_hash is not None:
            proven = self.proven.get((row.program_id, row.email_hash))
            row.identity_id = proven.identity_id if proven else None
        owner = self.by_id.get(row.identity_id) if row.identity_id is not None else None
        row.member_id = owner.member_id if owner else None
        self.touched |= {one for one in (before, row.member_id) if one is not None}
        if before is not None and before != row.member_id and before in self.people:
            self.people[before].facts.drop(row.key)
            self.people[before].placed.pop(row.key, None)
        if row.member_id is not None:
            self.people.setdefault(row.member_id, _Person())

    def _fix_terms(self, row: OrderRow, order: OrderSnapshot, program: Program) -> bool:
        """Fix the terms if the order is counted for the first time. Returns whether it was."""
        if row.terms_version is not None:
            return False
        if row.member_id is None or row.excluded is not None:
            row.known = self.member_facts.provisional(row, order, program)
            return False
        if order.state is not OrderState.PAID or counted_at(order, program) is None:
            return False
        row.terms_version = program.version
        row.terms_tier = self._tier_when_placed(row, order.placed_at, program)
        moment = counted_at(order, program) or order.placed_at
        row.known = self.member_facts.known(row, order, moment, program)
        if any(one.covers(order.placed_at) for one in self.people[row.member_id].blocks):
            row.known = replace(row.known or ALONE, blocked=True)
        return True

    def _tier_when_placed(self, row: OrderRow, placed_at: datetime, program: Program) -> str:
        person = self.people[row.member_id or 0]
        return tier_at(person.facts, person.floors, program=program, at=placed_at, before=row.key).key

    def _act(self, row: OrderRow, target: PointsTarget, program: Program) -> Action:
        action = Action(
            source=row.source,
            target=target,
            owner=row.member_id,
            policy=program.refund_policy,
            is_new=row.is_new,
        )
        self.actions.append(action)
        return action

    def _remember(self, row: OrderRow, target: PointsTarget) -> None:
        self._remember_spend(row)
        if row.terms_version is not None:
            self.member_facts.remember(row, target.occurred_at)

    def _remember_spend(self, row: OrderRow) -> None:
        order = row.order
        assert order is not None
        program = program_of(row, order, self.versions[row.program_id])
        row.spend = spend_of(row, program) if program else None
        person = self.people.get(row.member_id) if row.member_id is not None else None
        if person is None:
            return
        if row.spend is None:
            person.facts.drop(row.key)
        else:
            person.facts.put(row.spend)
            person.placed[row.key] = (order.placed_at, row.terms_version, row.terms_tier)

    def _raise_terms_behind(self, row: OrderRow) -> None:
        """An order first counted late may lift the tier of those placed after it: work theirs out again, upward."""
        person = self.people[row.member_id or 0]
        assert row.spend is not None
        moment = row.spend.counted_at
        behind = [
            key
            for key, (placed_at, _, _) in person.placed.items()
            if placed_at >= moment and key != row.key and self._rises(person, row.program_id, key)
        ]
        if not behind:
            return
        self.rows = (
            orders.find_orders(self.session, [key for key in behind if key not in self.rows]) | self.rows
        )
        for key in sorted(behind, key=lambda one: (person.placed[one][0], one)):
            self._raise_terms(self.rows[key])

    def _rises(self, person: _Person, program_id: int, key: OrderKey) -> bool:
        """Whether an order's terms have another tier than they should; whoever buys much is at the top, and not asked."""
        placed_at, version, tier = person.placed[key]
        if version is None or tier is None:
            return False
        program = self.versions[program_id].get(version)
        if program.tiers[-1].key == tier:
            return False
        right = tier_at(person.facts, person.floors, program=program, at=placed_at, before=key)
        return program.rank(right.key) > program.rank(tier)

    def _raise_terms(self, row: OrderRow) -> None:
        order = row.order
        if order is None or row.terms_version is None or row.terms_tier is None:
            return
        program = self.versions[row.program_id].get(row.terms_version)
        tier_key = self._tier_when_placed(row, order.placed_at, program)
        if program.rank(tier_key) <= program.rank(row.terms_tier):
            return
        row.terms_tier, row.changed = tier_key, True
        target = target_of(row, order, program)
        row.target_points, row.facts = target.points, target.facts
        self._remember(row, target)
        self._act(row, target, program)

    # --- Afterwards ----------------------------------------------------------------------------------------

    def _raise_tier(self, row: OrderRow) -> None:
        """Upgrade at once, after every message; a tier is taken away only by the review."""
        if row.member_id is None:
            return
        program = self.versions[row.program_id].live
        person = self.people[row.member_id]
        # By a shop's clock that is ahead of ours the order counts only in a moment: nobody would come back then.
        at = max(self.now, row.spend.counted_at) if row.spend is not None else self.now
        tier = tier_at(person.facts, person.floors, program=program, at=at)
        if program.rank(tier.key) <= max(program.rank(person.tier_key), 0):
            return
        self.upgrades.append(
            TierChange(
                program_id=row.program_id,
                member_id=row.member_id,
                from_key=person.tier_key,
                to_key=tier.key,
                cause="order",
                at=self.now,
            )
        )
        person.tier_key = tier.key

    def _excluded(self, shop_id: int, order: OrderSnapshot) -> str | None:
        shop = self.shops[shop_id]
        if order.placed_at < shop.counts_from:
            return Zero.BEFORE_START.value
        if order.test and not shop.counts_test_orders:
            return Zero.TEST_ORDER.value
        return None

    def _guest_hash(self, order: OrderSnapshot) -> bytes | None:
        if order.customer_ref is not None or not order.email:
            return None
        return self.vault.email_hash(order.email)


def program_of(row: OrderRow, order: OrderSnapshot, versions: Versions) -> Program | None:
    """The version whose rules the order has, or would have; None: none has a rate for its currency yet."""
    if row.terms_version is not None:
        return versions.get(row.terms_version)
    return versions.for_order(order.placed_at, order.goods.currency)


def target_of(row: OrderRow, order: OrderSnapshot, program: Program) -> PointsTarget:
    """What the order is worth under its terms. Without terms it is provisional: as for a person without others."""
    tier = program.tier(row.terms_tier) if row.terms_tier is not None else program.tiers[0]
    excluded = Zero(row.excluded) if row.excluded else None
    terms = Terms(program=program, tier=tier, known=row.known or ALONE)
    return target_for_order(order, terms, excluded=excluded)


def spend_of(row: OrderRow, program: Program) -> SpendFact | None:
    """What tiers may look at."""
    if row.order is None or row.excluded is not None:
        return None
    if row.known is not None and row.known.blocked:
        return None
    terms = Terms(program=program, tier=program.tiers[0], known=row.known or ALONE)
    return spend_fact(row.order, row.key, terms)


def _held_facts(order: OrderSnapshot, why: str) -> dict[str, str | int]:
    return {"rule": "held", "order": order.number, "currency": order.goods.currency, "why": why}


def settle_one(session: Session, vault: Vault, seen: Seen, *, now: datetime) -> Settled:
    return settle_orders(session, vault, [seen], now=now)[0]


def gone(order: OrderSnapshot, *, now: datetime) -> OrderSnapshot:
    """`order` as the shop has it no more."""
    return replace(order, state=OrderState.GONE, cancelled_at=order.cancelled_at or now)
