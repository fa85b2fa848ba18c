"""Staff and people: merges and their undo, erasure, blocks, adjustments, tiers by hand, activities, friends, versions."""

from datetime import timedelta
from functools import partial
from typing import Any

from app.services.adjust import adjust
from app.services.block_member import block_member, unblock_member
from app.services.erase_member import erase_member
from app.services.find_member import ById
from app.services.find_merges import join_members, part_members
from app.services.give_tier import give_tier, take_tier_back
from app.services.prove_email import prove_email
from app.services.publish_program import publish_program
from app.services.record_activity import Told, record_activity
from app.services.refer_friend import refer_friend, referral_code
from tests.campaign.acts_codes import ask
from tests.campaign.documents import change_document
from tests.campaign.world import World


def members(world: World) -> list[int]:
    rows = world.eye.rows(
        "SELECT m.id FROM members m JOIN accounts a ON a.id = m.id WHERE a.closed_at IS NULL "
        "AND m.program_id = %(program)s ORDER BY m.id",
        program=world.program_in_mind(),
    )
    return [row[0] for row in rows]


def key(world: World, what: str) -> str:
    world.intents.add(f"{what}-{len(world.intents) + 1}")
    return f"{what}-{len(world.intents)}"


def adjust_points(world: World) -> None:
    if not (known := members(world)):
        return
    one, points = world.random.choice(known), world.random.choice((-80, -10, 150, 500))
    request = key(world, "adjust")
    world.note(f"adjust member {one} by {points}")
    for _ in range(world.random.choice((1, 1, 2))):
        ask(
            world,
            lambda: adjust(
                world.rt, world.program_id, one, points, reason="so", actor="ada", request_key=request
            ),
        )


def visit(world: World) -> None:
    if not (known := members(world)):
        return
    told = Told(
        who=ById(world.random.choice(known)),
        activity_key="visit",
        request_key=key(world, "visit"),
        actor="api:till",
    )
    world.note(f"visit of {told.who}")
    for _ in range(world.random.choice((1, 2))):
        ask(world, lambda: record_activity(world.rt, world.program_id, told))


def bring_a_friend(world: World) -> None:
    if len(known := members(world)) < 2:
        return
    referrer, friend = world.random.sample(known, 2)
    world.note(f"member {referrer} brings {friend}")

    def bring() -> None:
        code = referral_code(world.rt, world.program_id, referrer)
        refer_friend(world.rt, world.program_id, code, ById(friend), actor="api:till")

    ask(world, bring)


def merge(world: World) -> None:
    if len(known := members(world)) < 3:
        return
    one, other = world.random.sample(known, 2)
    world.note(f"staff merges {one} and {other}")
    ask(world, lambda: join_members(world.rt, world.program_id, one, other, actor="ada"))


def undo_merge(world: World) -> None:
    rows = world.eye.rows("SELECT id FROM merges WHERE undone_at IS NULL ORDER BY id DESC LIMIT 3")
    if rows:
        merge_id = world.random.choice(rows)[0]
        world.note(f"merge {merge_id} is undone")
        ask(world, lambda: part_members(world.rt, world.program_id, merge_id))


def shop_merges(world: World) -> None:
    """The platform makes two of its customers one."""
    stand = world.stands["shopify"]
    known = [one for one in world.people if "shopify" in one.accounts]
    known = [one for one in known if one.accounts["shopify"].id in stand.store.customers]
    if len(known) < 3 or "shopify" in world.away:
        return
    one, other = world.random.sample(known, 2)
    kept, gone = one.accounts["shopify"], other.accounts["shopify"]
    if kept is gone:
        return
    try:
        stand.store.merge_customers(kept, gone)
    except ValueError as refused:
        world.counts.refused[f"the shop merges: {refused}"] += 1
        return
    other.accounts["shopify"] = kept
    if ("shopify", str(gone.id)) in world.erased:  # what they bought stays nobody's
        world.erased.add(("shopify", str(kept.id)))
    world.note(f"the shop merges customer {gone.id} into {kept.id}")


def erase(world: World) -> None:
    """By the shop's request, or by staff. The person may go on buying."""
    if world.random.random() < 0.5 and "shopify" not in world.away:
        store = world.stands["shopify"].store
        if store.customers:
            customer = world.random.choice(list(store.customers.values()))
            store.redact_customer(customer)
            world.erased.add(("shopify", str(customer.id)))
            world.note(f"the shop asks to erase customer {customer.id}")
    elif known := members(world):
        _staff_erases(world, world.random.choice(known))


def erase_buyer(world: World) -> None:
    """Whoever bought last, whose code may not be made yet."""
    for (one,) in world.eye.rows("SELECT account_id FROM redemptions ORDER BY id DESC LIMIT 1"):
        _staff_erases(world, one)


def _staff_erases(world: World, one: int) -> None:
    rows = world.eye.rows(
        "SELECT s.platform, i.customer_ref FROM identities i JOIN shops s ON s.id = i.shop_id "
        "WHERE i.member_id = %(id)s AND i.program_id <> %(other)s AND i.customer_ref NOT LIKE 'erased:%%'",
        id=one,
        other=world.neighbour,
    )
    theirs = {(row[0], row[1]) for row in rows}
    world.erased |= theirs
    world.note(f"staff erases member {one}")
    if ask(world, lambda: erase_member(world.rt, world.program_id, one)) is not None:
        world.forgotten |= theirs


def block(world: World) -> None:
    if not (known := members(world)):
        return
    blocked = [row[0] for row in world.eye.rows("SELECT member_id FROM blocks WHERE lifted_at IS NULL")]
    if blocked:
        world.note(f"member {blocked[0]} is no longer blocked")
        ask(world, lambda: unblock_member(world.rt, world.program_id, blocked[0], reason="so", actor="ada"))
        return
    one = world.random.choice(known)
    world.note(f"member {one} is blocked")
    ask(world, lambda: block_member(world.rt, world.program_id, one, reason="so", actor="ada"))


def tier_by_hand(world: World) -> None:
    if not (known := members(world)):
        return
    rows = world.eye.rows(
        "SELECT id FROM tier_floors WHERE cause = 'manual' AND ended_at IS NULL ORDER BY id"
    )
    if rows and world.random.random() < 0.4:
        grant = world.random.choice(rows)[0]
        world.note(f"grant {grant} is taken back")
        ask(world, lambda: take_tier_back(world.rt, world.program_id, grant, actor="ada"))
        return
    one, tier = world.random.choice(known), world.random.choice(("silver", "gold"))
    until = (world.clock() + timedelta(days=world.random.choice((5, 60, 300)))).date()
    request = key(world, "tier")
    world.note(f"member {one} is given {tier} until {until}")
    ask(
        world,
        lambda: give_tier(
            world.rt, world.program_id, one, tier, until=until, reason="so", actor="ada", request_key=request
        ),
    )


def publish(world: World) -> None:
    document = change_document(world.documents[-1], world.random)
    before = world.eye.value("SELECT max(version) FROM program_versions")
    world.note(f"a version is published: {_told(document)}")

    def go() -> None:
        # Asked again after a kill: what is live already is no new version.
        if world.eye.value("SELECT max(version) FROM program_versions") == before:
            publish_program(world.rt, world.program_id, document, by="ada")

    ask(world, go)
    if world.eye.value("SELECT max(version) FROM program_versions") > before:
        world.documents.append(document)


def _told(document: dict[str, Any]) -> str:
    return f"{document['earn']} {document['expiry']} {document['refunds']} {document['tiers']['grace_days']}"


def read_mail(world: World) -> None:
    """People follow the links that were mailed to them."""
    letters, world.letters = world.letters, []
    for token in letters:
        if world.random.random() < 0.8:
            world.note("somebody proves an address")
            ask(world, partial(prove_email, world.rt, token))
