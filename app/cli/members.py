"""`laurel members …` and `laurel redeem`."""

import getpass
import secrets
from datetime import datetime

import click

from app.cli.common import (
    SomethingWrong,
    example,
    json_option,
    moment,
    program_option,
    runtime,
    sentences,
    show_json,
)
from app.domain.errors import Refused
from app.domain.words import Words
from app.services.adjust import adjust as adjust_points
from app.services.await_code import await_code
from app.services.block_member import block_member, unblock_member
from app.services.decide_review import decide_review, undo_review
from app.services.describe_activities import describe_activities, describe_activity
from app.services.describe_member import describe_member
from app.services.find_member import find_member
from app.services.find_program import find_program
from app.services.find_shop import find_shop
from app.services.find_words import program_words
from app.services.give_tier import give_tier, take_tier_back
from app.services.list_reviews import list_reviews
from app.services.redeem import RedeemRequest
from app.services.redeem import redeem as redeem_points
from app.services.runtime import Runtime
from app.services.show_member import show_member, who_is
from app.services.undo_activity import undo_activity


@click.group()
def members() -> None:
    """Look after members. WHO is our id, <shop>:<customer> as the shop numbers them, or an e-mail address."""


@members.command()
@click.argument("who")
@click.option(
    "--entries", "count", type=click.IntRange(0, 1000), default=20, show_default=True, help="How many."
)
@click.option("--personal", is_flag=True, help="With addresses and names.")
@program_option
@json_option
@sentences
@example("laurel members show acme:1207 --json")
def show(who: str, count: int, personal: bool, program_key: str | None, as_json: bool) -> None:
    """Balance, tier, identities and the last entries, each with its explanation."""
    with runtime("members") as rt:
        program_id = find_program(rt, program_key)
        shown = show_member(rt, program_id, who, personal=personal, entries=count)
        words = program_words(rt, program_id)
    if as_json:
        show_json(shown)
        return
    view, entries = shown.member, shown.entries
    balance = view.balance
    click.echo(f"Member {view.member_id}, {view.tier.name}, since {moment(view.joined_at)}")
    click.echo(
        f"{words.points(balance.available)} available, {words.amount(balance.pending)} pending, "
        f"{words.amount(view.lifetime_points)} earned in all"
    )
    if view.blocked_at is not None:
        click.echo(f"Blocked since {moment(view.blocked_at)}: earns nothing and cannot spend")
    if view.held_at is not None:
        click.echo(
            f"Being checked since {moment(view.held_at)}: cannot spend until `laurel members review` decides"
        )
    for one in view.identities:
        proven = " (proven)" if one.email_verified else ""
        click.echo(f"  {one.shop_key}:{one.customer_ref or 'erased'}  {one.email or ''}{proven}".rstrip())
    for entry in entries:
        click.echo(
            f"{moment(entry.entry.recorded_at)}  {_signed(words, entry.entry.points):>8}  {entry.sentence}"
        )


@members.command(context_settings={"ignore_unknown_options": True})
@click.argument("who")
@click.argument("points", type=int)
@click.option("--reason", required=True, help="Why; the member may ask.")
@click.option("--key", help="Done once under this key, however often it is asked.")
@program_option
@json_option
@sentences
@example('laurel members adjust acme:1207 -40 --reason "Two mugs came back broken"')
def adjust(
    who: str, points: int, reason: str, key: str | None, program_key: str | None, as_json: bool
) -> None:
    """Give or take points. Never below 0."""
    with runtime("members") as rt:
        program_id = find_program(rt, program_key)
        member_id = _member(rt, program_id, who)
        done = adjust_points(
            rt,
            program_id,
            member_id,
            points,
            reason=reason,
            actor=_actor(),
            request_key=key or secrets.token_hex(16),
        )
        balance = describe_member(rt, program_id, done.account_id).balance
        words = program_words(rt, program_id)
    if as_json:
        show_json({"adjustment": done, "balance": balance})
    else:
        click.echo(
            f"{'+' if done.points > 0 else ''}{words.points(done.points)}; "
            f"member {done.account_id} has {words.amount(balance.available)} available now."
        )


@members.command()
@click.argument("who")
@click.option("--reason", required=True, help="Why; it is kept.")
@program_option
@sentences
@example('laurel members block acme:1207 --reason "Orders that are never paid"')
def block(who: str, reason: str, program_key: str | None) -> None:
    """WHO earns nothing from now on and cannot spend; what they have stays."""
    with runtime("members") as rt:
        program_id = find_program(rt, program_key)
        blocked = block_member(rt, program_id, _member(rt, program_id, who), reason=reason, actor=_actor())
    click.echo(f"Member {blocked} is blocked: they earn nothing from now on and cannot spend.")


@members.command()
@click.argument("who")
@click.option("--reason", required=True, help="Why; it is kept.")
@program_option
@sentences
@example('laurel members unblock acme:1207 --reason "It was a mix-up"')
def unblock(who: str, reason: str, program_key: str | None) -> None:
    """WHO earns and spends again from now on; what happened meanwhile is not paid afterwards."""
    with runtime("members") as rt:
        program_id = find_program(rt, program_key)
        free = unblock_member(rt, program_id, _member(rt, program_id, who), reason=reason, actor=_actor())
    click.echo(f"Member {free} earns and spends again.")


@members.command()
@click.argument("who")
@click.option("--tier", "tier_key", required=True, metavar="KEY", help="At least this one.")
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day of it; without an end otherwise."
)
@click.option("--reason", required=True, help="Why; the member may ask.")
@click.option("--key", help="Done once under this key, however often it is asked.")
@program_option
@json_option
@sentences
@example('laurel members tier acme:1207 --tier gold --until 2027-01-31 --reason "Press"')
def tier(
    who: str,
    tier_key: str,
    until: datetime | None,
    reason: str,
    key: str | None,
    program_key: str | None,
    as_json: bool,
) -> None:
    """Give a tier for a time, whatever the orders say. The only way to one by invitation."""
    with runtime("members") as rt:
        program_id = find_program(rt, program_key)
        given = give_tier(
            rt,
            program_id,
            _member(rt, program_id, who),
            tier_key,
            until=until.date() if until else None,
            reason=reason,
            actor=f"cli:{getpass.getuser()}",
            request_key=key or secrets.token_hex(16),
        )
    if as_json:
        show_json(given)
        return
    end = f"until the end of {until:%Y-%m-%d}" if until else "without an end"
    click.echo(
        f"Member {given.member_id} has {given.tier_name} {end}. "
        f"To take it back: laurel members tier-undo {given.grant_id}"
    )


@members.command("tier-undo")
@click.argument("grant", type=click.IntRange(1))
@program_option
@json_option
@sentences
@example("laurel members tier-undo 12")
def tier_undo(grant: int, program_key: str | None, as_json: bool) -> None:
    """Take back tier number GRANT that was given; the next review brings the member down."""
    with runtime("members") as rt:
        ended = take_tier_back(rt, find_program(rt, program_key), grant, actor=f"cli:{getpass.getuser()}")
    if as_json:
        show_json(ended)
    else:
        click.echo(f"{ended.tier_name} of member {ended.member_id} is taken back: the next review decides.")


@members.command()
@click.argument("who")
@click.option("--cursor", type=click.IntRange(1), help="Those before this activity.")
@program_option
@json_option
@sentences
@example("laurel members activities acme:1207")
def activities(who: str, cursor: int | None, program_key: str | None, as_json: bool) -> None:
    """What a member did without an order, newest first, each with its number and what it gave, or why nothing."""
    with runtime("members") as rt:
        program_id = find_program(rt, program_key)
        page = describe_activities(rt, program_id, _member(rt, program_id, who), cursor=cursor)
    if as_json:
        show_json(page)
        return
    for one in page.activities:
        back = f"  taken back: {one.taken_back_reason}" if one.taken_back_reason else ""
        click.echo(f"{one.activity_id:>8}  {moment(one.occurred_at)}  {one.key}  {one.sentence}{back}")
    if not page.activities:
        click.echo("None.")
    if page.next:
        click.echo(f"More: --cursor {page.next}")


@members.command("activity-undo")
@click.argument("activity", type=click.IntRange(1))
@click.option("--reason", required=True, help="Why, for the member who may ask.")
@program_option
@json_option
@sentences
@example('laurel members activity-undo 12 --reason "The review was an advertisement"')
def activity_undo(activity: int, reason: str, program_key: str | None, as_json: bool) -> None:
    """Take back activity number ACTIVITY and what it gave, even if that was spent. Of a referral: on both sides."""
    with runtime("members") as rt:
        program_id = find_program(rt, program_key)
        undo_activity(rt, program_id, activity, reason=reason, actor=f"cli:{getpass.getuser()}")
        done = describe_activity(rt, program_id, activity)
    if as_json:
        show_json(done)
    else:
        click.echo(f"Activity {done.activity_id} of member {done.member_id} is taken back. {done.sentence}")


@members.command()
@program_option
@json_option
@sentences
@example("laurel members reviews")
def reviews(program_key: str | None, as_json: bool) -> None:
    """Members whom a person should look at, open ones first: what was noticed, and what was decided."""
    with runtime("members") as rt:
        found = list_reviews(rt, find_program(rt, program_key))
    if as_json:
        show_json(found)
        return
    for one in found:
        state = one.decision or ("points wait" if one.held_at else "only watched")
        click.echo(f"{one.review_id:>6}  {moment(one.opened_at)}  member {one.member.member_id}  {state}")
        for line in one.sentences:
            click.echo(f"        {line}")
        for act in one.acts:
            click.echo(f"        {act.act} {moment(act.at)} by {act.actor}: {act.reason}")
    if not found:
        click.echo("Nobody to look at.")


@members.command()
@click.argument("number", type=click.IntRange(1))
@click.argument("decision", type=click.Choice(["allow", "refuse", "undo"]))
@click.option("--reason", required=True, help="What you found out; it is kept.")
@program_option
@sentences
@example('laurel members review 12 allow --reason "Runs a tea house: buys every day"')
def review(number: int, decision: str, reason: str, program_key: str | None) -> None:
    """Decide on review NUMBER: let the member spend, or refuse, which blocks them; or take the decision back."""
    with runtime("members") as rt:
        program_id = find_program(rt, program_key)
        if decision == "undo":
            who = undo_review(rt, program_id, number, reason=reason, actor=_actor())
        else:
            allow = decision == "allow"
            who = decide_review(rt, program_id, number, allow=allow, reason=reason, actor=_actor())
    said = {
        "allow": "can spend.",
        "refuse": "is blocked: they earn nothing from now on and cannot spend. What they have stays.",
        "undo": "is to be looked at again.",
    }
    click.echo(f"Member {who} {said[decision]}")


@click.command()
@click.argument("who")
@click.argument("reward")
@click.option("--shop", "shop_key", help="Where the code will be used; not needed where there is one shop.")
@click.option("--points", type=click.IntRange(1), help="How many, of a reward in steps.")
@click.option("--key", help="Done once under this key, however often it is asked.")
@program_option
@json_option
@sentences
@example("laurel redeem acme:1207 five-off --shop acme")
def redeem(
    who: str,
    reward: str,
    shop_key: str | None,
    points: int | None,
    key: str | None,
    program_key: str | None,
    as_json: bool,
) -> None:
    """Spend a member's points on REWARD. The code is made by `laurel worker`; this waits 3 seconds for it."""
    with runtime("redeem") as rt:
        program_id = find_program(rt, program_key)
        request = RedeemRequest(
            program_id=program_id,
            member_id=_member(rt, program_id, who),
            shop_id=find_shop(rt, program_id, shop_key).shop_id,
            reward_key=reward,
            points=points,
            request_key=key or secrets.token_hex(16),
            actor=_actor(),
        )
        bought = redeem_points(rt, request)
        view = await_code(rt, program_id, bought.redemption_id)
    if as_json:
        show_json(view)
    elif view.code:
        click.echo(f"{view.code}  (good until {moment(view.expires_at)} UTC)")
    elif view.is_ready:
        click.echo(f"{view.bought.title}: the member has it. There is no code to it.")
    elif view.state.value == "requested":
        click.echo("It is paid for; the shop has not made the code yet. `laurel members show` tells.")
    else:
        raise SomethingWrong(view.message or f"The redemption is {view.state.value}.")


def _signed(words: Words, units: int) -> str:
    return f"+{words.amount(units)}" if units > 0 else words.amount(units)


def _actor() -> str:
    return f"cli:{getpass.getuser()}"


def _member(rt: Runtime, program_id: int, text: str) -> int:
    found = find_member(rt, program_id, who_is(text))
    if found is None:
        raise Refused("unknown_member", f"There is no member “{text}” in this program.")
    return found
