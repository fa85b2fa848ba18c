"""Laurel held against the shops: before reconciliation, by every repair's cause, and after it. A line for each fault."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from app.db import reconciliations
from app.db.reconciliations import KINDS
from app.services.causes import HARMLESS
from app.services.reconcile_shop import reconcile_shop
from app.services.reread_orders import reread_orders
from app.services.runtime import Runtime
from sandbox.demo.books import HeldOrder, held_codes, held_orders
from sandbox.demo.lives import Lives, Placed
from sandbox.demo.post import Post
from sandbox.demo.queue import Queue
from sandbox.demo.truth import points, worth
from sandbox.demo.world import Stand, World

_PERCENT = {None: 100, "member": 100, "silver": 125, "gold": 150}


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """`fault`: the injected fault or the silent act that explains it; None: nothing does."""

    platform: str
    subject: str
    ref: str  # the order's or the code's at the shop
    cause: str
    detail: str
    points: int
    harmless: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    repair: Repair
    fault: str | None


def reconcile(
    rt: Runtime, program_id: int, stand: Stand, queue: Queue, wait: Callable[[datetime], None]
) -> None:
    """Every kind of comparison, over everything since the shop's orders count, until it is through."""
    for kind in KINDS:
        queue.insist(
            f"reconcile {stand.platform} {kind}",
            partial(reconcile_shop, rt, program_id, stand.shop.shop_id, kind, everything=True),
            wait,
        )
    # What a run that broke off has marked, the clock's work reads within a minute.
    again = partial(reread_orders, rt, program_id, stand.shop.shop_id)
    queue.insist(f"reread {stand.platform}", again, wait)


def find_repairs(world: World, since: datetime) -> list[Repair]:
    with world.rt.db.begin(world.program_id) as session:
        rows = reconciliations.find_repairs(session, since=since)
    orders = {f"order:{one.order_id}": one.ref for one in held_orders(world.rt, world.program_id).values()}
    codes = {f"redemption:{one.redemption_id}": one.code for one in held_codes(world.rt, world.program_id)}
    platforms = {stand.shop.shop_id: stand.platform for stand in world.stands}
    return [
        Repair(
            platform=platforms[row.shop_id],
            subject=row.subject,
            ref=orders.get(row.subject) or codes.get(row.subject) or row.subject.partition(":")[2],
            cause=row.cause,
            detail=row.detail,
            points=row.points,
            harmless=row.cause in HARMLESS,
        )
        for row in rows
    ]


# --- Before reconciliation -------------------------------------------------------------------------------------


def arrived(post: Post, lives: Lives) -> list[Placed]:
    """The orders whose last change was told by a delivery that arrived, and that nothing silent befell since."""
    silent = {
        (act.platform, act.ref): act.at for act in lives.silent if act.kind != "customer merged"
    }  # a merge moves no points of an order, but only its owner
    found = []
    for placed in lives.placed:
        told = post.told.get(placed.key)
        gone = placed.order.id not in placed.stand.store.orders
        if told is None or told < placed.changed or (gone and placed.key not in post.gone):
            continue
        if placed.key in silent and silent[placed.key] >= told:
            continue
        found.append(placed)
    return found


def wrong_orders(world: World, orders: Sequence[Placed]) -> list[str]:
    """Orders of which Laurel does not hold what they are worth by the shop's own records."""
    held = held_orders(world.rt, world.program_id)
    return [wrong for placed in orders if (wrong := _wrong(held, placed)) is not None]


def _wrong(held: Mapping[tuple[int, str], HeldOrder], placed: Placed) -> str | None:
    ours = held.get((placed.stand.shop.shop_id, placed.ref))
    money = worth(placed.stand.store, placed.order)
    name = f"{placed.stand.platform} order {placed.ref}"
    if ours is None:
        return f"{name}: worth {money}, and unknown to Laurel" if money else None
    should = points(money, _PERCENT[ours.tier])
    if ours.target != should:
        return f"{name}: {money} at {_PERCENT[ours.tier]} % is {should} points, the target is {ours.target}"
    if ours.held != (should if ours.member_id is not None else 0):
        return f"{name}: {should} points, {ours.held} are held"
    return None


# --- Every repair has its cause --------------------------------------------------------------------------------

_SILENT = {
    "refund_deleted": ("refund deleted",),
    "order_deleted": ("force-deleted",),
    "changed_silently": ("customer merged",),
    "webhook_missed": ("restored by API",),
    "delivery_not_applied": ("restored by API",),
}


def explain(world: World, lives: Lives, repairs: Sequence[Repair]) -> list[Explained]:
    return [Explained(repair=repair, fault=_fault(world, lives, repair)) for repair in repairs]


def _fault(world: World, lives: Lives, repair: Repair) -> str | None:
    for act in lives.silent:
        if (act.platform, act.ref) == (repair.platform, repair.ref) and act.kind in _SILENT.get(
            repair.cause, ()
        ):
            return f"{act.act_id} ({act.kind})"
    store = world.stand(repair.platform).store
    refs = {repair.ref, *_orders_with(lives, repair), *_ids_of_code(store, repair.ref)}
    for record in reversed(store.deliveries.log):
        if record.kind == "lose" and record.ref in refs:
            return f"{record.fault_id} ({record.topic} lost)"
    return None


def _orders_with(lives: Lives, repair: Repair) -> list[str]:
    """Orders that named the code: a lost message of theirs is one about it."""
    return [
        placed.ref
        for placed in lives.placed
        if placed.stand.platform == repair.platform and repair.ref.casefold() in _codes_of(placed.order)
    ]


def _codes_of(order: Any) -> set[str]:
    if hasattr(order, "coupons"):
        return {used.coupon.code.casefold() for used in order.coupons}
    return {code.casefold() for code in order.codes}


def _ids_of_code(store: Any, code: str) -> list[str]:
    made = store.coupons if hasattr(store, "coupons") else store.discounts
    return [str(one.id) for one in made.values() if one.code.casefold() == code.casefold()]


# --- Codes, both ways ------------------------------------------------------------------------------------------


def code_states(world: World) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for stand in world.stands:
        states: dict[str, int] = {}
        for code in held_codes(world.rt, world.program_id):
            if code.shop_id == stand.shop.shop_id:
                states[code.state] = states.get(code.state, 0) + 1
        found[stand.platform] = dict(sorted(states.items()))
    return found


def wrong_codes(world: World, lives: Lives) -> list[str]:
    """Codes that can be used and were not paid for, or were paid for and cannot be used, or used and nobody says so."""
    wrong: list[str] = []
    for stand in world.stands:
        live = _live_codes(stand)
        ours = {
            code.code.casefold(): code
            for code in held_codes(world.rt, world.program_id)
            if code.shop_id == stand.shop.shop_id
        }
        standing = _standing_uses(stand, lives)
        for code, held in ours.items():
            if held.state == "issued" and code not in live:
                wrong.append(f"{stand.platform}: redemption {held.redemption_id} is issued, its code is dead")
            if held.state in ("cancelled", "expired", "failed") and code in live:
                wrong.append(
                    f"{stand.platform}: redemption {held.redemption_id} is {held.state}, its code lives"
                )
            if (held.state == "used") < (code in standing):
                wrong.append(
                    f"{stand.platform}: redemption {held.redemption_id} is {held.state}, its code was used"
                )
            if held.state == "failed":  # no fault here is for ever
                wrong.append(f"{stand.platform}: redemption {held.redemption_id} failed: {held.message}")
            if held.state in ("requested", "cancelling"):
                wrong.append(f"{stand.platform}: redemption {held.redemption_id} never ended: {held.state}")
        wrong += [f"{stand.platform}: a code lives that nobody bought" for _ in live - set(ours)]
    return wrong


def _live_codes(stand: Stand) -> set[str]:
    """Codes of Laurel's that a shopper could use now, by the shop's own records."""
    store, now = stand.store, stand.store.now()
    if stand.platform == "woocommerce":
        return {
            coupon.code.casefold()
            for coupon in store.coupons.values()
            if coupon.status == "publish"
            and (coupon.expires is None or coupon.expires > now)
            and (not coupon.usage_limit or coupon.usage_count < coupon.usage_limit)
        }
    return {
        discount.code.casefold()
        for discount in store.discounts.values()
        if discount.status(now) == "ACTIVE"
        and (discount.usage_limit is None or len(discount.uses) < discount.usage_limit)
    }


def _standing_uses(stand: Stand, lives: Lives) -> set[str]:
    """Codes on orders that stand."""
    return {
        code
        for placed in lives.placed
        if placed.stand is stand and worth(stand.store, placed.order)
        for code in _codes_of(placed.order)
    }
