"""Shoppers turn points into rewards: clicked twice, used, cancelled, forgotten; staff trash codes and hand over perks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from app.domain.errors import Refused, Retryable
from app.services.cancel_redemption import cancel_redemption
from app.services.hand_over import hand_over
from app.services.redeem import RedeemRequest, redeem
from sandbox.demo.lives import Placed
from sandbox.demo.world import Stand
from sandbox.refusals import CodeRefused
from tests.campaign.acts_orders import cart, name
from tests.campaign.world import World

_REWARDS = ("amount-5", "amount-5", "free-shipping", "percent-10", "any", "card", "perk", "credit")
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Sold:
    """A redemption as the database has it."""

    redemption_id: int
    shop_id: int
    code: str
    state: str
    kind: str
    customer_ref: str


def wish(world: World) -> None:
    """Somebody with points clicks, perhaps twice, and again when no answer came: one intent, one key."""
    rows = world.eye.rows(
        "SELECT a.id, i.shop_id, i.customer_ref FROM accounts a JOIN identities i ON i.member_id = a.id "
        "WHERE a.points >= 50 AND a.closed_at IS NULL AND i.customer_ref NOT LIKE 'erased:%%' "
        "AND a.program_id = %(program)s ORDER BY a.id, i.id",
        program=world.program_in_mind(),
    )
    if not rows:
        return
    member_id, shop_id, customer_ref = world.random.choice(rows)
    key = f"click-{len(world.intents) + 1}"
    world.intents.add(key)
    reward = world.random.choice(_REWARDS)
    points = world.random.choice((50, 100, 150)) if reward == "any" else None
    request = RedeemRequest(
        program_id=world.program_id,
        member_id=member_id,
        shop_id=shop_id,
        reward_key=reward,
        request_key=key,
        actor="shopper",
        points=points,
        customer_ref=customer_ref,
    )
    world.note(f"member {member_id} wishes {reward} under {key}")
    clicks = world.random.choice((1, 1, 2, 3))
    for _ in range(clicks):
        ask(world, lambda: redeem(world.rt, request))


def ask(world: World, what: Callable[[], Any]) -> Any:
    """Of Laurel, by somebody whose client asks again when no answer comes. None: refused, or never answered."""
    for _ in range(_TRIES):
        deaths = world.deaths
        try:
            answer = world.alive(what)
        except Refused as refused:
            world.counts.refused[refused.code] += 1
            world.note(f"refused: {refused.code}")
            return None
        except Retryable:
            world.counts.refused["not now"] += 1
            return None
        if world.deaths == deaths or world.random.random() < 0.4:  # some do not try again
            return answer
    return None


def sold(world: World, *states: str) -> list[Sold]:
    rows = world.eye.rows(
        "SELECT r.id, r.shop_id, r.code, r.state, r.reward->>'kind', i.customer_ref FROM redemptions r "
        "JOIN identities i ON i.id = r.identity_id WHERE r.state = ANY(%(states)s) ORDER BY r.id",
        states=list(states),
    )
    return [Sold(*row) for row in rows]


def use(world: World) -> None:
    """At the checkout, by whom it was made for."""
    if open_ := _at_checkout(world, "issued", "cancelling"):
        _use(world, world.random.choice(open_))


def use_and_cancel(world: World) -> None:
    """Used at the checkout, and cancelled in the panel in the same minute; the order's message is lost more often
    than not, so that only the shop knows."""
    if not (open_ := _at_checkout(world, "issued")):
        return
    one = world.random.choice(open_)
    with untold(_stand(world, one), world.random.random() < 0.7):
        _use(world, one)
    world.note(f"cancel redemption {one.redemption_id}, which was just used")
    ask(world, lambda: cancel_redemption(world.rt, world.program_id, one.redemption_id))


def an_end_nobody_tells(world: World) -> None:
    """Of a code that is there, or else of one that is bought now: what became of it only the shop knows."""
    if not _at_checkout(world, "issued"):
        wish(world)
        world.work()
    world.random.choice((use_and_cancel, use_and_cancel, take_code_away))(world)


@contextmanager
def untold(stand: Stand, lost: bool) -> Iterator[None]:
    """If `lost`, nothing that happens at the shop meanwhile is ever told."""
    chances = stand.store.deliveries.faults
    before = chances.lose
    if lost:
        chances.lose = 1.0
    yield
    chances.lose = before


def _at_checkout(world: World, *states: str) -> list[Sold]:
    return [one for one in sold(world, *states) if one.kind not in ("perk", "store_credit")]


def _stand(world: World, one: Sold) -> Stand:
    return next(stand for stand in world.stands.values() if stand.shop.shop_id == one.shop_id)


def _use(world: World, one: Sold) -> None:
    stand = _stand(world, one)
    if stand.platform == "shopify" and one.kind == "gift_card":
        _spend_card(world, stand.store, one.code)
        return
    customer = stand.store.customers.get(int(one.customer_ref)) if one.customer_ref.isdigit() else None
    try:
        order = stand.store.checkout(cart(world, stand), customer=customer, codes=[one.code], shipping="4.95")
    except CodeRefused as refused:
        world.counts.refused[f"checkout: {type(refused).__name__}"] += 1
        return
    placed = Placed(stand, order, None)
    world.placed.append(placed)
    world.counts.acts["code used"] += 1
    world.note(f"{name(placed)} with the code of redemption {one.redemption_id}")
    if stand.platform == "woocommerce":
        stand.store.pay(order)


def _spend_card(world: World, store: Any, code: str) -> None:
    try:
        store.spend_gift_card(code, world.random.choice(("1.00", "5.00")))
        world.note("a gift card is spent")
    except CodeRefused:
        world.counts.refused["checkout: CodeRefused"] += 1


def cancel(world: World) -> None:
    open_ = sold(world, "requested", "issued", "cancelling", "used")
    if not open_:
        return
    one = world.random.choice(open_[-6:])
    world.note(f"cancel redemption {one.redemption_id}, which is {one.state}")
    ask(world, lambda: cancel_redemption(world.rt, world.program_id, one.redemption_id))


def take_code_away(world: World) -> None:
    """Staff of the shop deletes a code; of every other one nobody is told."""
    open_ = [one for one in sold(world, "issued") if one.kind not in ("perk", "store_credit", "gift_card")]
    if not open_:
        return
    one = world.random.choice(open_)
    stand = _stand(world, one)
    store = stand.store
    with untold(stand, world.random.random() < 0.5):
        if stand.platform == "woocommerce":
            if (coupon := store.coupon_named(one.code)) is not None:
                store.trash_coupon(coupon)
        elif (discount := store.discount_named(one.code)) is not None:
            store.delete_discount(discount)
    world.note(f"staff deletes the code of redemption {one.redemption_id}")


def hand_perk_over(world: World) -> None:
    perks = [one for one in sold(world, "issued", "used") if one.kind == "perk"]
    if perks:
        one = world.random.choice(perks)
        undo = one.state == "used"
        ask(world, lambda: hand_over(world.rt, world.program_id, one.redemption_id, by="ada", undo=undo))
