"""What must hold: after every step, when everything told has been settled, and after reconciliation.

Each check reads the tables past the code under test and compares them with the shops' own records and with what
people did. The numbers are those of docs/reliability.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from app.services.audit import audit
from app.services.replay import replay
from sandbox.demo.lives import Placed
from tests.campaign import truth
from tests.campaign.acts_orders import name
from tests.campaign.truth import Version
from tests.campaign.world import World

_DEBITS = ("earn_reversal", "redeem", "expiry")
_CREDITS = ("earn", "expiry_reversal", "write_off")


class Violation(Exception):
    """An invariant does not hold."""

    def __init__(self, invariant: str, detail: str) -> None:
        super().__init__(f"{invariant}: {detail}")
        self.invariant = invariant


class AfterEveryStep:
    """I1–I6. Remembers what it has seen of the ledger and of each order."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._eye = world.eye
        self._entries: dict[tuple[int, int], tuple[Any, ...]] = {}
        self._moments: dict[int, datetime] = {}
        self._since: datetime | None = None
        self._closed: set[int] = set()
        self._neighbour = self._of_neighbour()

    def check(self, *, thorough: bool = False) -> None:
        """`thorough`: the whole ledger is read again, not only what is new in it. Raises: Violation."""
        self._look_at_entries(thorough=thorough)
        self._sums()
        self._codes_are_paid_for()
        self._what_came_back_was_not_used()
        self._versions_never_go_back()
        self._one_redemption_an_intent()
        if self._of_neighbour() != self._neighbour:
            raise Violation("I13", "something of another program has changed")

    def _of_neighbour(self) -> tuple[Any, ...]:
        """I13: another merchant's program stays as it was."""
        (row,) = self._eye.rows(
            "SELECT (SELECT md5(string_agg(a::text, ',' ORDER BY id)) FROM accounts a WHERE program_id = %(id)s), "
            "(SELECT count(*) FROM entries WHERE program_id = %(id)s), "
            "(SELECT count(*) FROM orders WHERE program_id = %(id)s), "
            "(SELECT count(*) FROM redemptions WHERE program_id = %(id)s), "
            "(SELECT md5(string_agg(i::text, ',' ORDER BY id)) FROM identities i WHERE program_id = %(id)s)",
            id=self._world.neighbour,
        )
        return tuple(row)

    def _look_at_entries(self, *, thorough: bool) -> None:
        """I2 and I6."""
        since = None if thorough else self._since
        rows = self._eye.rows(
            "SELECT account_id, seq, kind, points, source, ordinal, recorded_at, available_at, expires_at, hash "
            "FROM entries WHERE CAST(%(since)s AS timestamptz) IS NULL OR recorded_at >= %(since)s ORDER BY 1, 2",
            since=since,
        )
        if thorough and (gone := self._entries.keys() - {(row[0], row[1]) for row in rows}):
            raise Violation("I6", f"entries were removed: {sorted(gone)[:3]}")
        for row in rows:
            known = self._entries.setdefault((row[0], row[1]), row)
            if known is row:
                self._look_at_new(row)
            elif known != row:
                raise Violation("I6", f"entry {row[0]}/{row[1]} was {known[2:6]} and is {row[2:6]}")
        self._since = max((row[6] for row in rows), default=self._since)

    def _look_at_new(self, row: tuple[Any, ...]) -> None:
        account, seq, kind, points, source = row[:5]
        if (kind in _DEBITS and points > 0) or (kind in _CREDITS and points < 0):
            raise Violation("I1", f"{kind} of {points} points for {source}")
        if seq > 1 and (account, seq - 1) not in self._entries:
            raise Violation("I6", f"entry {account}/{seq} has none before it")
        if kind == "redeem" or (kind == "adjustment" and points < 0):
            available = self._eye.value(
                "SELECT coalesce(sum(points), 0) FROM entries WHERE account_id = %(account)s AND seq < %(seq)s "
                "AND available_at <= %(at)s",
                account=account,
                seq=seq,
                at=row[6],
            )
            if available < -points:
                raise Violation("I2", f"{source} took {-points} of {available} available points")
        if kind == "expiry":
            ends = self._entries[account, int(source.partition(":")[2])][8]
            if ends is not None and ends > self._world.clock():
                raise Violation("I10", f"{source} of account {account} expired before {ends:%Y-%m-%d}")

    def _sums(self) -> None:
        """I1, and of each order what its owner holds of it."""
        for row in self._eye.rows(
            "SELECT a.id, a.points, coalesce(e.points, 0), coalesce(l.points, 0) - a.deficit FROM accounts a "
            "LEFT JOIN (SELECT account_id, sum(points) AS points FROM entries GROUP BY 1) e ON e.account_id = a.id "
            "LEFT JOIN (SELECT account_id, sum(remaining) AS points FROM lots GROUP BY 1) l ON l.account_id = a.id "
            "WHERE a.points <> coalesce(e.points, 0) OR a.points <> coalesce(l.points, 0) - a.deficit"
        ):
            raise Violation(
                "I1", f"account {row[0]} has {row[1]}, its entries give {row[2]}, its lots {row[3]}"
            )
        for row in self._eye.rows(
            "SELECT o.id, o.target_points, o.member_id, coalesce(e.points, 0) FROM orders o "
            "LEFT JOIN (SELECT source, sum(points) AS points FROM entries GROUP BY 1) e ON e.source = 'order:' || o.id "
            "WHERE coalesce(e.points, 0) <> CASE WHEN o.member_id IS NULL THEN 0 ELSE o.target_points END"
        ):
            raise Violation("I1", f"order {row[0]} of member {row[2]} is worth {row[1]}, {row[3]} are held")
        moved = self._eye.value(
            "SELECT coalesce(sum(points), 0) FROM entries WHERE kind IN ('transfer_in', 'transfer_out')"
        )
        if moved:
            raise Violation("I1", f"merges made {moved} points")
        for row in self._eye.rows(
            "SELECT j.id, j.points, count(e.points), coalesce(sum(e.points), 0) FROM adjustments j LEFT JOIN entries e "
            "ON e.source = 'adjustment:' || j.id GROUP BY 1, 2 HAVING coalesce(sum(e.points), 0) <> j.points"
        ):
            raise Violation(
                "I10", f"adjustment {row[0]} of {row[1]} was booked {row[2]} times, {row[3]} points"
            )

    def _codes_are_paid_for(self) -> None:
        """I3: a usable code has a committed debit that stands."""
        for platform, stand in self._world.stands.items():
            live = truth.live_codes(self._world, platform)
            if not live:
                continue
            rows = self._eye.rows(
                "SELECT r.code_key, r.state, r.cost, -coalesce(sum(e.points) FILTER (WHERE e.kind = 'redeem'), 0), "
                "coalesce(sum(e.points) FILTER (WHERE e.kind = 'redeem_reversal'), 0) FROM redemptions r "
                "LEFT JOIN entries e ON e.source = 'redemption:' || r.id WHERE r.shop_id = %(shop)s "
                "AND r.code_key = ANY(%(codes)s) GROUP BY r.id, r.code_key, r.state, r.cost",
                shop=stand.shop.shop_id,
                codes=list(live),
            )
            known = {row[0]: row for row in rows}
            for code, times in live.items():
                if code not in known:
                    raise Violation(
                        "I3", f"code …{code[-4:]} can be used at {platform}, and nobody bought it"
                    )
                _, state, cost, taken, back = known[code]
                if taken != cost or times > 1:
                    raise Violation(
                        "I3", f"code …{code[-4:]} works {times} times, {taken} of {cost} points were taken"
                    )
                # A void order may let a used code work again before anybody heard of it.
                if back and state != "used":
                    raise Violation(
                        "I3", f"code …{code[-4:]} can be used, is {state} and {back} points are back"
                    )

    def _what_came_back_was_not_used(self) -> None:
        """I3: when a redemption's points come back, no order has used its code. One that has changed since the code
        was dead may have been void until then."""
        rows = self._eye.rows(
            "SELECT r.id, s.platform, r.code_key, r.dead_at FROM redemptions r JOIN shops s ON s.id = r.shop_id "
            "WHERE r.state IN ('cancelled', 'expired', 'failed') AND r.returned > 0 AND r.id <> ALL(%(known)s) "
            "AND r.dead_at IS NOT NULL AND r.program_id = %(program)s",
            known=list(self._closed),
            program=self._world.program_id,
        )
        for number, platform, code, dead_at in rows:
            self._closed.add(number)
            used = truth.uses(self._world, platform).get(code)
            if used is not None and used < dead_at:
                raise Violation("I3", f"redemption {number} gave its points back, an order had used its code")

    def _versions_never_go_back(self) -> None:
        """I4."""
        for order_id, moment in self._eye.rows("SELECT id, updated_at FROM orders"):
            before = self._moments.get(order_id)
            if before is not None and moment < before:
                raise Violation("I4", f"order {order_id} went back from {before} to {moment}")
            self._moments[order_id] = moment

    def _one_redemption_an_intent(self) -> None:
        """I5, and the same of adjustments."""
        for key, count in self._eye.rows("SELECT request_key, count(*) FROM adjustments GROUP BY 1"):
            if count > 1 or key not in self._world.intents:
                raise Violation("I5", f"{key} was booked {count} times")
        for key, count in self._eye.rows("SELECT request_key, count(*) FROM redemptions GROUP BY 1"):
            if count > 1 or key not in self._world.intents:
                raise Violation("I5", f"{key} was redeemed {count} times")
        for row in self._eye.rows(
            "SELECT source, count(*) FROM entries WHERE kind = 'redeem' GROUP BY 1 HAVING count(*) > 1"
        ):
            raise Violation("I5", f"{row[0]} was paid {row[1]} times")


# --- At drain, before reconciliation -----------------------------------------------------------------------------


def check_drained(world: World) -> None:
    """I7 and I10: what was acknowledged is there, is understood, and decides. Raises: Violation."""
    _nothing_was_lost(world)
    waiting = _read_later(world)
    told = [placed for placed in world.placed if placed.key not in waiting and _is_told(world, placed)]
    _check_orders(world, told, "I7")


def _nothing_was_lost(world: World) -> None:
    kept = {(row[0], bytes(row[1])) for row in world.eye.rows("SELECT topic, body_hash FROM inbox")}
    for one in world.acknowledged:
        if (one.topic, one.digest) not in kept:
            raise Violation("I10", f"a delivery of {one.topic} was acknowledged at {one.at} and is not there")
    # An error object in place of an order that was deleted for good is kept as failed, for people to see.
    for row in world.eye.rows(
        "SELECT topic, state, reason, attempts FROM inbox WHERE state = 'new' "
        "OR (state = 'failed' AND reason NOT LIKE 'error_object:%%')"
    ):
        raise Violation("I10", f"a delivery of {row[0]} is {row[1]} after {row[3]} attempts: {row[2]}")


def _read_later(world: World) -> set[tuple[str, str]]:
    """Orders marked to be read whose reading the shop refused for good: the next comparison reads them."""
    rows = world.eye.rows(
        "SELECT s.platform, o.order_ref FROM orders o JOIN shops s ON s.id = o.shop_id "
        "JOIN failed_jobs f ON f.name = 'reread_orders' AND (f.args->>'shop_id')::bigint = o.shop_id "
        "WHERE o.reread_wanted > o.reread_done"
    )
    return {(row[0], row[1]) for row in rows}


def _is_told(world: World, placed: Placed) -> bool:
    """Whether its last change was told by a delivery that was answered, and nothing silent befell it since."""
    told = world.post.told.get(placed.key)
    if (
        told is None
        or told < placed.changed
        or told <= world.frozen_until.get(placed.stand.platform, world.began)
    ):
        return False
    if placed.stand.platform in world.away or (truth.is_gone(placed) and placed.key not in world.post.gone):
        return False
    if any(one.key == placed.key and one.at >= told for one in world.silent):
        return False
    # Two changes within one second have one moment: what was lost, or given up on, may have been the later.
    store = placed.stand.store
    if any(moment >= placed.changed for moment in world.post.unheard.get(placed.key, {}).values()):
        return False
    if any(hook.status != "active" for hook in getattr(store, "webhooks", {}).values()):
        return False  # a subscription that was switched off tells nothing
    lost = store.deliveries.log
    return not any(one.kind == "lose" and one.ref == placed.ref and one.at >= placed.changed for one in lost)


def _check_orders(world: World, orders: list[Placed], invariant: str) -> None:
    known = truth.versions(world)
    held = _held(world)
    for placed in orders:
        for wrong in _wrong(world, placed, held, known):
            raise Violation(invariant, wrong)


def _held(world: World) -> dict[tuple[int, str], Any]:
    rows = world.eye.rows(
        "SELECT o.shop_id, o.order_ref, o.member_id, o.terms_version, o.terms_tier, o.target_points, "
        "coalesce(e.points, 0), o.known->>'blocked', o.placed_at FROM orders o "
        "LEFT JOIN (SELECT source, sum(points) AS points FROM entries GROUP BY 1) e ON e.source = 'order:' || o.id"
    )
    return {(row[0], row[1]): row[2:] for row in rows}


def _wrong(
    world: World, placed: Placed, held: dict[tuple[int, str], Any], known: list[Version]
) -> Iterator[str]:
    row = held.get((placed.stand.shop.shop_id, placed.ref))
    money = truth.money(placed)
    if row is None:
        if money:
            yield f"{name(placed)} is worth {money} and unknown"
        return
    member, number, tier, target, points, blocked, placed_at = row
    live = truth.versions_at(known, placed_at)
    if number is not None and number not in [one.number for one in live]:
        yield f"{name(placed)} was placed under version {live[0].number} and counted under {number}"
    should = {one.points(money, tier) for one in live if number in (None, one.number)}
    if blocked == "true":
        if not _was_anybody_blocked(world, placed_at):
            yield f"{name(placed)} counts as a blocked person's, and nobody was blocked"
        should = {0}
    if target not in should:
        yield f"{name(placed)}: {money} under version {number or live[0].number} as {tier} is {should}, not {target}"
    if points != (target if member is not None else 0):
        yield f"{name(placed)}: {target} points for member {member}, {points} are held"


def _was_anybody_blocked(world: World, moment: datetime) -> bool:
    return bool(
        world.eye.rows(
            "SELECT 1 FROM blocks WHERE at <= %(at)s AND (lifted_at IS NULL OR lifted_at >= %(at)s)",
            at=moment,
        )
    )


# --- After reconciliation ----------------------------------------------------------------------------------------


def check_reconciled(world: World) -> None:
    """I8, I9, I10, I11. Raises: Violation."""
    orders = [placed for placed in world.placed if placed.stand.platform not in world.away]
    _check_orders(world, orders, "I8")
    _owners(world, orders)
    _no_strangers(world)
    _holds(world)
    _the_erased_stay_away(world)
    for platform in world.stands:
        if platform not in world.away:
            _codes_both_ways(world, platform)
    _expired_once(world)
    _expired_in_time(world)
    _tiers(world)
    if problems := audit(world.rt, world.program_id).problems:
        raise Violation("I11", f"the audit says: {problems[0]}")
    if differences := replay(world.rt, world.program_id).differences:
        raise Violation("I11", f"the replay says: {differences[0]}")


def _owners(world: World, orders: list[Placed]) -> None:
    """Whose an order is by the shop is whose points they are."""
    owners = {
        (row[0], row[1]): row[2]
        for row in world.eye.rows(
            "SELECT shop_id, customer_ref, member_id FROM identities WHERE gone_at IS NULL"
        )
    }
    held = _held(world)
    # Too old to be compared: that its customer was merged into another is told by one message, or never; and staff
    # that undoes the shop's merge gives them back.
    old = world.clock() - timedelta(days=90)
    lost = world.stands["shopify"].store.deliveries.log
    unheard = any(one.kind == "lose" and one.topic == "customers/merge" for one in lost) or world.eye.rows(
        "SELECT 1 FROM merges WHERE cause = 'platform' AND undone_at IS NOT NULL "
        # One of the two was erased before it was looked at: nobody is brought back.
        "UNION SELECT 1 FROM inbox WHERE topic = 'customers/merge' AND state = 'ignored'"
    )
    for placed in orders:
        ref = truth.customer_ref(placed)
        if unheard and placed.stand.platform == "shopify" and placed.order.created < old:
            continue
        row = held.get((placed.stand.shop.shop_id, placed.ref))
        if (
            ref is None
            or row is None
            or (placed.stand.platform, ref) in world.erased
            or truth.is_gone(placed)
        ):
            continue
        owner = owners.get((placed.stand.shop.shop_id, ref))
        if row[0] != owner and row[3]:
            raise Violation(
                "I8", f"{name(placed)} is customer {ref}'s, member {owner}, and counts for {row[0]}"
            )
        if owner is None and row[3]:
            raise Violation("I8", f"{name(placed)} of customer {ref} is worth {row[3]} points and nobody's")


def _no_strangers(world: World) -> None:
    """Nothing is held for an order that no shop ever had."""
    placed = {(one.stand.shop.shop_id, one.ref) for one in world.placed}
    for key, row in _held(world).items():
        if key not in placed and row[3]:
            raise Violation(
                "I8", f"order {key[1]} of shop {key[0]} is worth {row[3]} points, and no shop has it"
            )


def _holds(world: World) -> None:
    """No point of an order is available before the hold of its version is over."""
    known = truth.versions(world)
    for source, placed_at, available_at in world.eye.rows(
        "SELECT e.source, o.placed_at, e.available_at FROM entries e JOIN orders o ON e.source = 'order:' || o.id "
        "WHERE e.kind = 'earn'"
    ):
        days = min(int(one.document["earn"]["hold_days"]) for one in truth.versions_at(known, placed_at))
        if available_at < placed_at + timedelta(days=days):
            raise Violation(
                "I8", f"points of {source} are available at {available_at}, within {days} days of hold"
            )


def _the_erased_stay_away(world: World) -> None:
    """I12: nobody whom staff erased is known by a shop's customer number again."""
    rows = world.eye.rows(
        "SELECT s.platform, i.customer_ref FROM identities i JOIN shops s ON s.id = i.shop_id"
    )
    if back := {(row[0], row[1]) for row in rows} & world.forgotten:
        raise Violation("I12", f"{len(back)} of those who were erased are known again")


def _codes_both_ways(world: World, platform: str) -> None:
    """I9."""
    stand = world.stands[platform]
    live, used = truth.live_codes(world, platform), truth.used_codes(world, platform)
    rows = world.eye.rows(
        "SELECT id, code_key, state, reward->>'kind', expires_at, message FROM redemptions WHERE shop_id = %(shop)s",
        shop=stand.shop.shop_id,
    )
    for number, code, state, kind, expires_at, message in rows:
        what = f"redemption {number} ({kind}) at {platform} is {state}"
        if state in ("requested", "cancelling"):
            raise Violation("I9", f"{what} and never ended")
        if kind in ("perk", "store_credit"):
            continue
        # An hour: codes of an end that has just come wait for the next round.
        if state == "issued" and code not in live and expires_at > world.clock():
            raise Violation("I9", f"{what}, its code is dead")
        if state in ("cancelled", "expired", "failed", "used") and code in live:
            raise Violation("I9", f"{what}, its code lives")
        # An order that was taken up again after its code was cancelled is for a person to look at, and is said to be.
        if (
            state != "used"
            and code in used
            and "after what it cost had been given back" not in (message or "")
        ):
            raise Violation("I9", f"{what}, its code was used: {message}")
    if orphans := set(live) - {row[1] for row in rows}:
        raise Violation("I9", f"{len(orphans)} codes live at {platform} that nobody bought")
    if platform == "shopify":
        # Whether it was given nobody can say once its customer is erased: it counts as given.
        bought = world.eye.rows(
            "SELECT unknown FROM redemptions WHERE shop_id = %(shop)s AND reward->>'kind' = 'store_credit' "
            "AND state = 'used'",
            shop=stand.shop.shop_id,
        )
        doubtful = sum(unknown for (unknown,) in bought)
        if not len(bought) - doubtful <= len(stand.store.credits) <= len(bought):
            raise Violation(
                "I9", f"{len(stand.store.credits)} store credits were given, {len(bought)} were bought"
            )


def _expired_once(world: World) -> None:
    """I10."""
    for row in world.eye.rows(
        "SELECT l.account_id, l.seq, l.expired, coalesce(sum(-e.points), 0) FROM lots l LEFT JOIN entries e "
        "ON e.account_id = l.account_id AND e.source = 'lot:' || l.seq GROUP BY 1, 2, 3 "
        "HAVING l.expired <> coalesce(sum(-e.points), 0)"
    ):
        raise Violation(
            "I10", f"of lot {row[0]}/{row[1]} {row[2]} points are noted as expired, {row[3]} were booked"
        )


def _expired_in_time(world: World) -> None:
    """I10: the shops were read not long ago, and nothing is left of what ended before."""
    before = world.eye.value(
        "SELECT min(reconciled_until) FROM shops WHERE program_id = %(id)s AND state = 'connected'",
        id=world.program_id,
    )
    if before < world.clock() - timedelta(days=3):
        raise Violation("I10", f"the shops were read up to {before} only")
    for row in world.eye.rows(
        "SELECT account_id, seq, remaining, expires_at FROM lots WHERE remaining > 0 AND expires_at < %(at)s "
        # Whoever is being looked at could not spend them, and has two weeks for it afterwards.
        "AND account_id NOT IN (WITH RECURSIVE held AS (SELECT member_id FROM reviews WHERE decided_at IS NULL "
        "OR decided_at > %(late)s UNION SELECT a.merged_into FROM accounts a JOIN held ON a.id = held.member_id "
        "WHERE a.merged_into IS NOT NULL) SELECT member_id FROM held)",
        at=before,
        late=world.clock() - timedelta(days=14),
    ):
        raise Violation("I10", f"{row[2]} points of lot {row[0]}/{row[1]} are there, they ended at {row[3]}")
    for row in world.eye.rows(
        "SELECT id, expires_at FROM redemptions WHERE state = 'issued' AND expires_at < %(at)s", at=before
    ):
        raise Violation("I10", f"redemption {row[0]} is issued, it ended at {row[1]}")


def _tiers(world: World) -> None:
    """I8: nobody is below what their orders at the shops gave within a year, nor above it without a cause."""
    now = world.clock()
    spent: dict[int, list[tuple[datetime, Decimal]]] = {}
    held = _held(world)
    for placed in world.placed:
        row = held.get((placed.stand.shop.shop_id, placed.ref))
        if row is not None and row[0] is not None and row[5] != "true" and (paid := truth.paid_at(placed)):
            spent.setdefault(row[0], []).append((paid, truth.money(placed)))
    levels = truth.versions(world)[-1].document["tiers"]["levels"]
    ranks = {one["key"]: rank for rank, one in enumerate(levels)}
    # An order that a shop was found to have no more counts against a level from the next reading on.
    kept = {
        row[0]
        for row in world.eye.rows(
            "SELECT member_id FROM tier_floors UNION SELECT o.member_id FROM orders o WHERE "
            "CAST(o.spend->>'void_at' AS timestamptz) >= (SELECT min(reconciled_until) FROM shops "
            "WHERE program_id = %(id)s AND state = 'connected')",
            id=world.program_id,
        )
    }
    for member, tier in world.eye.rows(
        "SELECT m.id, m.tier_key FROM members m JOIN accounts a ON a.id = m.id WHERE a.closed_at IS NULL"
    ):
        least, most = (
            sum(
                (money for paid, money in spent.get(member, ()) if paid > now - timedelta(days=days)),
                Decimal(0),
            )
            for days in (360, 370)
        )
        if ranks[tier] < _rank(levels, least):
            raise Violation("I8", f"member {member} is {tier} and bought for {least} within a year")
        if ranks[tier] > _rank(levels, most) and member not in kept:
            raise Violation("I8", f"member {member} is {tier} and bought for {most} within a year")


def _rank(levels: Sequence[Mapping[str, Any]], money: Decimal) -> int:
    return max(rank for rank, one in enumerate(levels) if int(money * 100) >= one["from_minor"])
