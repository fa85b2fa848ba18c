"""For each operation one request for each answer that its description names: chance alone comes to few of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.services.decide_review import decide_review
from tests.conftest import unique
from tests.fuzz_api.world import POOR, SHOPPER, STRANGER, TEA, World

NOBODY = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request of `operation` that must be answered with `status`. `blanks` go before the world's own values."""

    operation: str
    status: int
    json: Any = None
    data: bytes | None = None
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    blanks: dict[str, Any] = field(default_factory=dict)
    customer_ref: str = SHOPPER
    signed_in: bool = True


# A body that each operation understands, with the blanks of `World.values`.
BODIES: dict[str, Any] = {
    "adjust": {"points": 5, "reason": "thanks"},
    "give_tier": {"tier": "gold", "reason": "Press"},
    "merge_members": {"other": "{other_id}"},
    "redeem": {"reward": "amount-5"},
    "hand_over": {},
    "tell_activity": {"activity": "visit", "key": "a good one", "member": {"id": "{member_id}"}},
    "undo_activity": {"reason": "a slip"},
    "tell_referral": {"code": "{code}", "friend": {"id": "{friend_id}"}},
    "set_birthday": {"birthday": "02-28", "consent": True},
    "block_member": {"reason": "fraud"},
    "unblock_member": {"reason": "none after all"},
    "allow_review": {"reason": "a tea house"},
    "refuse_review": {"reason": "a scheme"},
    "undo_review": {"reason": "a slip"},
    "join": {},
    "own_referral_code": {},
    "came_by_code": {"code": "{code}"},
    "buy": {"reward": "amount-5"},
    "give_back": {},
    "new_card": {},
    "prove_email": {},
}
# Read without a body, or done once and then the same again.
_QUERIED = {"list_members", "list_entries", "list_rewards", "list_activities"}
_STOREFRONT = {
    "me",
    "estimate",
    "join",
    "rewards",
    "history",
    "own_referral_code",
    "card",
    "new_card",
    "came_by_code",
    "redemptions",
    "buy",
    "redemption",
    "give_back",
    "prove_email",
}
"""Names of the storefront's operations; all others are the API's."""


def body(world: World, operation: str, **changes: Any) -> Any:
    """The good body of an operation."""

    def filled(value: Any) -> Any:
        match value:
            case dict():
                return {name: filled(one) for name, one in value.items()}
            case str() if value.startswith("{"):
                return world.values[value[1:-1]]
            case _:
                return value

    found = BODIES.get(operation)
    return None if found is None else {**filled(found), **changes}


def hand_made(world: World, operation: str, declared: set[int]) -> Iterator[Ask]:
    """What is tried in `world`, in this order; each world is one operation's, so that nothing else has moved it."""
    good = body(world, operation)
    once = {"Idempotency-Key": "a good one"}

    def ask(status: int, **changes: Any) -> Ask:
        return Ask(**{"operation": operation, "status": status, "json": good, "headers": once, **changes})

    if 400 in declared:
        yield ask(400, query={"unclean": "\0"})
        if good is not None:
            yield ask(400, json=None, data=b'{"points": NaN')
    if 401 in declared:
        yield ask(401, signed_in=False, headers={**once, "Authorization": "Bearer x"})
        if operation not in ("me", "estimate"):  # which are everybody's
            yield ask(401, signed_in=False)
    if 403 in declared:
        yield ask(403, customer_ref=STRANGER)
    if operation in _STOREFRONT:
        yield from _of_a_shopper(world, operation, ask, declared)
    else:
        yield from _of_the_api(world, operation, ask, declared)


def _of_a_shopper(world: World, operation: str, ask: Any, declared: set[int]) -> Iterator[Ask]:
    good = body(world, operation)
    if 404 in declared:
        yield ask(404, query={"key": "no-such-shop"})
    if operation in ("redemption", "give_back"):
        yield ask(404, blanks={"redemption_ref": f"r_{NOBODY}"})
        yield ask(404, blanks={"redemption_ref": "nothing"})
    if 422 in declared and good is not None:
        yield ask(422, json={**good, "shop": "another"})
    match operation:
        case "estimate":
            yield ask(422, query={"currency": "EUR", "lines": "nonsense"})
            yield ask(200, query={"currency": "EUR", "lines": "11.0.2.2000.0.200.0", "delivery": "750"})
            yield ask(200, query={"currency": "EUR", "lines": "11.0.2.2000.0.200.0"}, signed_in=False)
        case "history":
            yield ask(400, query={"cursor": "nonsense"})
            yield ask(200)
        case "join":
            yield ask(201, customer_ref=STRANGER)
            yield ask(200, customer_ref=STRANGER)
        case "came_by_code":
            yield ask(409, json={"code": world.values["own_code"]})
            yield ask(404, json={"code": "nobody-has-it"})
            yield ask(201, customer_ref="24")
            yield ask(200, customer_ref="24")
        case "new_card":
            yield ask(201)
        case "buy":
            yield ask(409, customer_ref=POOR)
            yield ask(422, headers={})
            yield ask(422, json={**good, "points": 0})
            yield ask(202)
            yield ask(201, json={"reward": TEA["key"]}, headers={"Idempotency-Key": "tea"})
            yield ask(422, json={"reward": TEA["key"]})  # the key of the one before
        case "prove_email":
            yield ask(202)
            yield ask(429)
        case _:
            yield ask(200)


def _of_the_api(world: World, operation: str, ask: Any, declared: set[int]) -> Iterator[Ask]:
    good, rt = body(world, operation), world.shop.rt
    if operation in _QUERIED:
        yield ask(422, query={"limit": "0", "shop": "?"})
    elif 422 in declared and good:
        yield ask(422, json={**good, "unknown": 1})
    elif 422 in declared:
        yield ask(422, json={"undo": "perhaps"})
    if 404 in declared and operation not in ("tell_activity", "tell_referral"):
        blanks = {name: NOBODY for name in world.values if name.endswith("_id")} | {
            "order": "no-shop:1",
            "card": "0000 0000 0000",
        }
        yield ask(404, blanks=blanks, query={"member": str(NOBODY)} if operation == "list_rewards" else {})
    match operation:
        case "adjust":
            yield ask(409, json={"points": -(10**9), "reason": "too much"})
            yield ask(201)
            yield ask(200)
            yield ask(422, json={"points": 6, "reason": "another under this key"})
        case "give_tier":
            yield ask(404, json={"tier": "nonsense", "reason": "Press"})
            yield ask(201)
            yield ask(200)
            yield ask(422, json={"tier": "silver", "reason": "Press"})
        case "take_tier_back":
            yield ask(200)
            yield ask(200)  # asked twice, it is one
            with rt.db.begin(world.shop.program_id) as session:
                session.run(
                    "UPDATE tier_floors SET ended_at = NULL, until_at = :now WHERE {fence}", now=rt.now()
                )
            yield ask(409)
        case "merge_members":
            yield ask(409, json={"other": world.values["member_id"]})
            yield ask(404, json={"other": NOBODY})
            yield ask(201)
            yield ask(200)
        case "undo_merge":
            yield ask(200)
            yield ask(409)
        case "redeem":
            yield ask(409, blanks={"member_id": world.values["poor_id"]})
            yield ask(202)
            yield ask(422, json={"reward": TEA["key"]})
            yield ask(201, json={"reward": TEA["key"]}, headers={"Idempotency-Key": unique("tea")})
        case "hand_over":
            yield ask(409)
            yield ask(200, blanks={"redemption_id": world.buy(TEA["key"])})
        case "cancel_redemption":
            yield ask(200)
            yield ask(409, blanks={"redemption_id": world.buy(state="used")})
        case "tell_activity":
            yield ask(404, json={**good, "activity": "nonsense"})
            yield ask(404, json={**good, "member": {"id": NOBODY}})
            yield ask(201)
            yield ask(200)
            yield ask(422, json={**good, "occurred_at": "2026-11-21T10:00:00Z"})
        case "tell_referral":
            yield ask(404, json={**good, "code": "nobody-has-it"})
            yield ask(409, json={**good, "friend": {"id": world.values["other_id"]}})
            yield ask(201)
            yield ask(200)
        case "set_birthday":
            yield ask(422, json={**good, "consent": False})
            yield ask(204)
        case "forget_birthday":
            yield ask(204)
        case "block_member":
            yield ask(200)
            yield ask(409)
        case "allow_review" | "refuse_review":
            yield ask(200)
            yield ask(409)
        case "undo_review":
            yield ask(409)  # nothing was decided yet
            decide_review(
                rt, world.shop.program_id, world.values["review_id"], allow=True, reason="known", actor="Ada"
            )
            yield ask(200)
        case "unblock_member":
            yield ask(409)
            world.app.test_client().post(
                f"/api/v1/members/{world.values['member_id']}/block",
                json={"reason": "for a moment"},
                headers=world.headers("/api/"),
            )
            yield ask(200)
        case _:
            yield ask(200)
