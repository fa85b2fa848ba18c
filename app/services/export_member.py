"""Everything that is stored about one person, as plain data: to be handed over when they ask."""

from datetime import datetime
from typing import Any

from app.db import birthdays, blocks, members, reviews
from app.db.activities import ActivityRow, detail_place, find_activities_of
from app.db.orders import find_orders_where
from app.domain.explaining import activity_sentence
from app.services.describe_member import describe_member
from app.services.describe_signals import noticed
from app.services.find_redemptions import find_redemptions
from app.services.find_words import find_words
from app.services.member_card import card_code
from app.services.member_entries import member_entries
from app.services.runtime import Runtime

_AT_ONCE = 500


def export_member(rt: Runtime, program_id: int, member_id: int) -> dict[str, Any]:
    """Who they are at which shop, tier, every entry with its reason, orders, codes. Raises: Refused("unknown_member")."""
    member = describe_member(rt, program_id, member_id)
    return {
        "made_at": _iso(rt.now()),
        "member": member.member_id,
        "joined_at": _iso(member.joined_at),
        "tier": member.tier.name,
        "balance": {"available": member.balance.available, "pending": member.balance.pending},
        "lifetime_points": member.lifetime_points,
        "identities": [
            {
                "shop": one.shop_key,
                "customer": one.customer_ref,
                "email": one.email,
                "email_verified": one.email_verified,
                "name": one.name,
            }
            for one in member.identities
        ],
        "entries": _entries(rt, program_id, member.member_id),
        "orders": _orders(rt, program_id, member.member_id),
        **_told(rt, program_id, member.member_id),
        "redemptions": [
            {
                "reward": one.bought.title,
                "points": one.bought.cost,
                "state": one.state.value,
                "code": one.code,
                "shop": one.shop_key,
                "left": None if one.left is None else f"{one.left} {one.left.currency}",
                "requested_at": _iso(one.requested_at),
                "expires_at": _iso(one.expires_at),
            }
            for one in find_redemptions(rt, program_id, member.member_id)
        ],
    }


def _entries(rt: Runtime, program_id: int, member_id: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: int | None = None
    while True:
        page = member_entries(rt, program_id, member_id, cursor=cursor, limit=_AT_ONCE)
        found += [
            {
                "number": view.entry.seq,
                "kind": view.entry.kind.value,
                "points": view.entry.points,
                "occurred_at": _iso(view.entry.occurred_at),
                "available_at": _iso(view.entry.available_at),
                "expires_at": _iso(view.entry.expires_at),
                "because": view.sentence,
            }
            for view in page.entries
        ]
        cursor = page.next
        if cursor is None:
            return found


def _orders(rt: Runtime, program_id: int, member_id: int) -> list[dict[str, Any]]:
    with rt.db.begin(program_id) as session:
        rows = find_orders_where(session, "o.member_id = :member", member=member_id)
    return [
        {
            "number": row.order.number,
            "placed_at": _iso(row.order.placed_at),
            "state": row.order.state.value,
            "goods": str(row.order.goods),
            "goods_refunded": str(row.order.goods_refunded),
            "currency": row.order.goods.currency,
            "points": row.target_points,
        }
        for row in rows
        if row.order is not None
    ]


def _told(rt: Runtime, program_id: int, member_id: int) -> dict[str, Any]:
    """What they did beside ordering, whom they brought or who brought them, their birthday, blocks and reviews."""
    with rt.db.begin(program_id) as session:
        ours = members.find_merged(session, member_id)
        blocked = blocks.find_blocks(session, [member_id]).get(member_id, ())
        return {
            "birthday": birthdays.find_birthday(session, rt.vault, ours),
            "referral_code": members.find_referral_code(session, member_id),
            "card": card_code(rt, session, member_id),
            "activities": [
                {
                    "activity": row.key,
                    "kind": row.kind,
                    "occurred_at": _iso(row.occurred_at),
                    "points": row.target_points,
                    "because": activity_sentence(row.facts, words=find_words(session)),
                    "detail": _opened(rt, row),
                    "taken_back_at": _iso(row.taken_back_at),
                }
                for row in find_activities_of(session, ours)
            ],
            "blocks": [
                {"at": _iso(one.at), "reason": one.reason, "lifted_at": _iso(one.lifted_at)}
                for one in blocked
            ],
            "reviews": [
                {
                    "opened_at": _iso(one.opened_at),
                    "held_at": _iso(one.held_at),
                    "because": list(noticed(one.signals)),
                    "decision": one.decision,
                    "decided_at": _iso(one.decided_at),
                }
                for one in reviews.find_of_member(session, member_id)
            ],
        }


def _opened(rt: Runtime, row: ActivityRow) -> str | None:
    if row.detail is None:
        return None
    return rt.vault.data.open(row.detail, detail_place(row.program_id, row.activity_id)).decode()


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
