"""Finding members, and everything about one of them."""

from datetime import timedelta
from itertools import groupby

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue

from app.services.describe_member import MemberView, describe_member
from app.services.find_merges import find_merges
from app.services.find_redemptions import find_redemptions
from app.services.give_tier import list_given_tiers
from app.services.list_members import list_members
from app.services.list_shops import list_shops
from app.services.member_entries import EntryView, member_entries
from app.services.member_lots import member_lots
from app.services.overview import worth_at_most
from app.services.publish_program import live_program
from app.web.admin import words
from app.web.admin.answers import is_fragment
from app.web.admin.guard import blueprint, program_id
from app.web.here import runtime

LISTED = 20
SHOWN = 20


def number_of(name: str) -> int | None:
    """A whole number of the query, or None: whatever else stands there is as good as nothing."""
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def member_name(member: MemberView) -> str:
    """The person's name, else their address, else their number."""
    for one in member.identities:
        if one.name:
            return one.name
    for one in member.identities:
        if one.email:
            return one.email
    return f"Erased member {member.member_id}" if member.erased_at else f"Member {member.member_id}"


def member_email(member: MemberView) -> str | None:
    return next((one.email for one in member.identities if one.email), None)


@blueprint.get("/members")
def members() -> ResponseReturnValue:
    page = _list()
    if is_fragment():
        return render_template("admin/members_rows.html", **page)
    return render_template("admin/members.html", **page, member=None)


@blueprint.get("/members/<int:member_id>")
def member(member_id: int) -> ResponseReturnValue:
    rt = runtime()
    found = describe_member(rt, program_id(), member_id)
    history = member_entries(rt, program_id(), found.member_id, cursor=number_of("before"), limit=SHOWN)
    program = live_program(rt, program_id())
    ranks = {tier.key: place for place, tier in enumerate(program.tiers)}
    return render_template(
        "admin/member.html",
        **_list(),
        member=found,
        history=history,
        months=_by_month(history.entries),
        lots=member_lots(rt, program_id(), found.member_id),
        codes=find_redemptions(rt, program_id(), found.member_id),
        given_tiers=list_given_tiers(rt, program_id(), found.member_id),
        moment_before=timedelta(microseconds=1),  # what ends with a day is shown by that day
        merges=find_merges(rt, program_id(), found.member_id),
        shop_names={one.key: one.name for one in list_shops(rt, program_id())},
        worth=worth_at_most(program, found.balance.available),
        sprig=min(ranks.get(found.tier.key, 0) + 1, 3),
        counted_over=words.counted_over(program),
        earlier=number_of("before") is not None,
    )


@blueprint.get("/members/<int:member_id>/entries")
def entries(member_id: int) -> ResponseReturnValue:
    """Earlier entries, to be put below those that are shown."""
    history = member_entries(runtime(), program_id(), member_id, cursor=number_of("before"), limit=SHOWN)
    return render_template(
        "admin/member_entries.html", history=history, months=_by_month(history.entries), member_id=member_id
    )


def _list() -> dict[str, object]:
    search = request.args.get("q", "").strip()[:300]
    page = list_members(runtime(), program_id(), search=search, cursor=number_of("after") or 0, limit=LISTED)
    return {"found": page.members, "next": page.next, "q": search}


def _by_month(entries: tuple[EntryView, ...]) -> list[tuple[str, list[EntryView]]]:
    return [
        (name, list(part))
        for name, part in groupby(entries, key=lambda view: words.month(view.entry.occurred_at))
    ]


def register(app: Flask) -> None:
    app.jinja_env.filters.update(member_name=member_name, member_email=member_email)
