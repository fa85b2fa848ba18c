"""What activities are worth as things stand: their rules, what was fixed, who is one person, what the friend bought.

Read from what is stored and nothing else, so that replay finds the same.
"""

from collections.abc import Iterable, Mapping, Sequence

from app.db import activities, members, orders
from app.db.activities import ActivityRow, ReferralRow
from app.db.auditing import find_merged_into
from app.db.orders import OrderRow
from app.db.programs import Versions
from app.db.session import Session
from app.domain.activities import Side
from app.domain.awarding import (
    Brought,
    FirstOrder,
    Withheld,
    target_for_activity,
    target_for_referral,
)
from app.domain.earning import PointsTarget, counted_at


def activity_targets(
    session: Session, rows: Sequence[ActivityRow], versions: Mapping[int, Versions]
) -> dict[int, PointsTarget]:
    """Activity -> its target. A fixed number of queries. Raises: IndexError, KeyError for terms that are not there."""
    plain = [row for row in rows if row.referral_id is None]
    doubled = _doubled(session, [row for row in plain if row.slot is not None])
    brought = find_brought(session, sorted({row.referral_id for row in rows if row.referral_id}), versions)
    found: dict[int, PointsTarget] = {}
    for row in plain:
        program = versions[row.program_id].get(row.version)
        rule = program.activity(row.key)
        if rule is None:
            raise KeyError(row.key)
        zero = _fixed(row) or (Withheld.ONCE if row.activity_id in doubled else None)
        found[row.activity_id] = target_for_activity(rule, program, occurred_at=row.occurred_at, zero=zero)
    for row in rows:
        if row.referral_id is not None:
            program = versions[row.program_id].get(row.version)
            found[row.activity_id] = target_for_referral(
                Side(row.kind), program, brought[row.referral_id], zero=_fixed(row)
            )
    return found


def find_brought(
    session: Session, referral_ids: Sequence[int], versions: Mapping[int, Versions]
) -> dict[int, Brought]:
    """Referral -> how it stands now."""
    known = activities.find_referrals(session, referral_ids)
    if not known:
        return {}
    people = {one for row in known.values() for one in (row.referrer_id, row.friend_id)}
    winners = members.find_winners(session, sorted(people))
    friends = sorted({winners.get(row.friend_id, row.friend_id) for row in known.values()})
    first = _first_referrals(session, friends)
    bought = orders.find_first_counted(session, friends)
    return {
        row.referral_id: _brought(row, winners, first, bought, versions[row.program_id])
        for row in known.values()
    }


def persons(session: Session, roots: Iterable[int]) -> dict[int, int]:
    """Account -> the open one it counts as, of these open ones and all that were merged into them."""
    wanted = sorted(set(roots))
    merged = find_merged_into(session, wanted)
    return {one: root for root in wanted for one in (root, *merged.get(root, ()))}


def _fixed(row: ActivityRow) -> Withheld | None:
    return Withheld.TAKEN_BACK if row.taken_back_at is not None else row.zero


def _doubled(session: Session, rows: Sequence[ActivityRow]) -> set[int]:
    """Those whose person had the same before: of two accounts made one, the older award stays."""
    if not rows:
        return set()
    ids = sorted({row.member_id for row in rows})
    winners = members.find_winners(session, ids)
    root = persons(session, {winners.get(one, one) for one in ids})
    holders: dict[tuple[int, str], int] = {}
    for activity_id, member_id, slot in activities.find_slots(session, sorted(root)):
        holders.setdefault((root[member_id], slot), activity_id)
    return {
        row.activity_id
        for row in rows
        if row.slot is not None
        and holders.get((root[row.member_id], row.slot), row.activity_id) != row.activity_id
    }


def _first_referrals(session: Session, friends: Sequence[int]) -> dict[int, int]:
    """Friend's open account -> the referral that brought them; later ones are the same person's."""
    root = persons(session, friends)
    first: dict[int, int] = {}
    for one in activities.find_referrals_to(session, sorted(root)):
        first.setdefault(root[one.friend_id], one.referral_id)
    return first


def _brought(
    row: ReferralRow,
    winners: Mapping[int, int],
    first: Mapping[int, int],
    bought: Mapping[int, OrderRow],
    versions: Versions,
) -> Brought:
    referrer, friend = (winners.get(one, one) for one in (row.referrer_id, row.friend_id))
    order = bought.get(friend)
    return Brought(
        at=row.at,
        same_person=referrer == friend,
        doubled=first.get(friend) != row.referral_id,
        order=None if order is None else _first_order(order, versions),
    )


def _first_order(row: OrderRow, versions: Versions) -> FirstOrder:
    order = row.order
    assert order is not None
    assert row.terms_version is not None  # it was counted
    program = versions.get(row.terms_version)
    return FirstOrder(
        number=order.number,
        placed_at=order.placed_at,
        counts_at=counted_at(order, program) if row.excluded is None else None,
        blocked=row.known is not None and row.known.blocked,
        left=program.worth(order.goods - order.goods_refunded),
        hold_days=program.hold_days,
    )
