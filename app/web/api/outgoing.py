"""What goes out, field by field; views hand over what services gave them, and nothing else of it is shown."""

from typing import Any

from apiflask import Schema
from apiflask.fields import AwareDateTime, Boolean, Dict, Enum, Integer, List, Nested, Raw, String

from app.domain.ledger import EntryKind
from app.domain.orders import OrderState
from app.domain.redeeming import RedemptionState
from app.domain.rewards import RewardKind
from app.domain.tier_rules import Measure
from app.services.list_rewards import RewardState


class Here(Nested):
    """An object of its own in the answer that stands flat in what is answered with."""

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        return obj


class MoneyOut(Schema):
    minor = Integer(required=True, metadata={"description": "smallest units: cents, yen, fils"})
    currency = String(required=True)


def _unit() -> String:
    return String(
        required=True,
        metadata={"description": "what is counted: points, or the currency whose smallest unit it is"},
    )


class DueOut(Schema):
    points = Integer(required=True)
    at = AwareDateTime(required=True)


class BalanceOut(Schema):
    available = Integer(
        required=True, metadata={"description": "can be spent; below 0 after a take-back of spent points"}
    )
    pending = Integer(required=True)
    deficit = Integer(required=True)
    pending_next = Nested(DueOut, required=True, allow_none=True)
    expiring = Nested(DueOut, required=True, allow_none=True)


class TierOut(Schema):
    key = String(required=True, attribute="tier.key")
    name = String(required=True, attribute="tier.name")
    earn_percent = Integer(required=True, attribute="tier.earn_percent")
    since = AwareDateTime(required=True, allow_none=True, attribute="tier_since")


class NextTierOut(Schema):
    key = String(required=True, attribute="tier.key")
    name = String(required=True, attribute="tier.name")
    measure = Enum(
        Measure, by_value=True, required=True, metadata={"description": "the one that is nearest to it"}
    )
    needed = Integer(required=True, metadata={"description": "minor units, points or orders"})
    reached = Integer(required=True)
    threshold = Nested(
        MoneyOut, required=True, allow_none=True, metadata={"description": "null unless by spend"}
    )
    spent = Nested(MoneyOut, required=True, allow_none=True)
    missing = Nested(MoneyOut, required=True, allow_none=True)


class IdentityOut(Schema):
    shop = String(required=True, attribute="shop_key")
    customer_ref = String(required=True, allow_none=True, metadata={"description": "null: erased"})
    email_verified = Boolean(required=True)


class MemberOut(Schema):
    id = Integer(required=True, attribute="member_id")
    joined_at = AwareDateTime(required=True)
    erased_at = AwareDateTime(required=True, allow_none=True)
    blocked_at = AwareDateTime(
        required=True,
        allow_none=True,
        metadata={"description": "since when they earn nothing and cannot spend"},
    )
    held_at = AwareDateTime(
        required=True,
        allow_none=True,
        metadata={"description": "since when their points wait for staff to look at something"},
    )
    unit = _unit()
    balance = Nested(BalanceOut, required=True)
    lifetime_points = Integer(
        required=True,
        metadata={"description": "earned less reversals, pending included; never lowered by spending"},
    )
    tier = Here(TierOut, required=True)
    next_tier = Nested(NextTierOut, required=True, allow_none=True)
    identities = List(Nested(IdentityOut), required=True)


class ListedMember(MemberOut):
    """The same in a list. A class of its own, since the description would otherwise hold two of one name."""


class MembersOut(Schema):
    members = List(Nested(ListedMember), required=True)
    next = Integer(required=True, allow_none=True)


class ReviewActOut(Schema):
    act = String(required=True, metadata={"enum": ["allowed", "refused", "undone"]})
    actor = String(required=True)
    reason = String(required=True)
    at = AwareDateTime(required=True)


class ReviewOut(Schema):
    id = Integer(required=True, attribute="review_id")
    member_id = Integer(required=True, attribute="member.member_id")
    opened_at = AwareDateTime(required=True)
    held_at = AwareDateTime(
        required=True,
        allow_none=True,
        metadata={"description": "since when points wait; null: only watched"},
    )
    decision = String(required=True, allow_none=True, metadata={"enum": ["allowed", "refused", None]})
    decided_at = AwareDateTime(required=True, allow_none=True)
    sentences = List(String(), required=True, metadata={"description": "what was noticed"})
    acts = List(Nested(ReviewActOut), required=True)


class ListedReview(ReviewOut):
    """The same in a list, as with `ListedMember`."""


class ReviewsOut(Schema):
    reviews = List(Nested(ListedReview), required=True)


class CountedOut(Schema):
    label = String(required=True)
    value = String(required=True)


class ExplanationOut(Schema):
    sentence = String(required=True, metadata={"description": "a plain sum, or why there is none"})
    facts = Dict(
        keys=String(), values=Raw(), required=True, metadata={"description": "as stored, never changed"}
    )
    counted = List(
        Nested(CountedOut),
        required=True,
        metadata={"description": "rule, program version, inputs, rounding, one by one"},
    )


class EntryOut(Schema):
    member_id = Integer(required=True, metadata={"description": "whose chain it stands in"})
    seq = Integer(required=True, attribute="entry.seq")
    kind = Enum(EntryKind, by_value=True, required=True, attribute="entry.kind")
    points = Integer(required=True, attribute="entry.points")
    source = String(required=True, attribute="entry.source")
    occurred_at = AwareDateTime(required=True, attribute="entry.occurred_at")
    recorded_at = AwareDateTime(required=True, attribute="entry.recorded_at")
    available_at = AwareDateTime(required=True, attribute="entry.available_at")
    expires_at = AwareDateTime(required=True, allow_none=True, attribute="entry.expires_at")
    reason = String(required=True, allow_none=True, metadata={"description": "of an adjustment"})
    actor = String(required=True, allow_none=True, metadata={"description": "of an adjustment: who"})
    explanation = Here(ExplanationOut, required=True)


class EntriesOut(Schema):
    unit = _unit()
    entries = List(Nested(EntryOut), required=True)
    next = Integer(required=True, allow_none=True)


class ActivityOut(Schema):
    id = Integer(required=True, attribute="activity_id")
    member_id = Integer(required=True)
    activity = String(required=True, attribute="key", metadata={"description": "key of the rule"})
    kind = String(required=True)
    points = Integer(required=True, metadata={"description": "what it is worth now"})
    zero = String(
        required=True, allow_none=True, metadata={"description": "why nothing, a stable word; null: it earns"}
    )
    occurred_at = AwareDateTime(required=True)
    taken_back_at = AwareDateTime(required=True, allow_none=True)
    taken_back_reason = String(required=True, allow_none=True)
    entries = List(Nested(EntryOut), required=True)
    explanation = Here(ExplanationOut, required=True)


class ListedActivity(ActivityOut):
    """The same in a list."""


class ActivitiesOut(Schema):
    activities = List(Nested(ListedActivity), required=True)
    next = Integer(required=True, allow_none=True)


class ReferralCodeOut(Schema):
    code = String(required=True)


class ReferralOut(Schema):
    id = Integer(required=True, attribute="referral_id")
    friend_id = Integer(required=True)


class AdjustmentOut(Schema):
    id = Integer(required=True, attribute="adjustment_id")
    member_id = Integer(required=True, attribute="account_id")
    points = Integer(required=True)


class GivenTierOut(Schema):
    id = Integer(required=True, attribute="grant_id")
    member_id = Integer(required=True)
    tier = String(required=True, attribute="tier_key")
    from_at = AwareDateTime(required=True)
    until_at = AwareDateTime(
        required=True, allow_none=True, metadata={"description": "the first moment after it"}
    )
    reason = String(required=True)
    actor = String(required=True)
    ended_at = AwareDateTime(
        required=True, allow_none=True, metadata={"description": "taken back before its time"}
    )


class MergeOut(Schema):
    id = Integer(required=True, attribute="merge_id")
    member_id = Integer(
        required=True, attribute="winner_id", metadata={"description": "the winner: who both are now"}
    )
    merged_id = Integer(required=True, attribute="loser_id", metadata={"description": "the other account"})


class RedemptionOut(Schema):
    id = Integer(required=True, attribute="redemption_id")
    member_id = Integer(required=True)
    state = Enum(RedemptionState, by_value=True, required=True)
    code = String(
        required=True,
        allow_none=True,
        metadata={"description": "null until the shop has it, and for what has none"},
    )
    shop = String(required=True, attribute="shop_key")
    reward = String(required=True, attribute="bought.key")
    title = String(required=True, attribute="bought.title")
    cost = Integer(required=True, attribute="bought.cost")
    returned = Integer(required=True, metadata={"description": "points given back"})
    amount = Nested(MoneyOut, required=True, allow_none=True, attribute="bought.amount")
    left = Nested(
        MoneyOut,
        required=True,
        allow_none=True,
        metadata={"description": "of money that is used bit by bit, as far as is known; null: used at once"},
    )
    requested_at = AwareDateTime(required=True)
    issued_at = AwareDateTime(required=True, allow_none=True)
    expires_at = AwareDateTime(required=True)
    closed_at = AwareDateTime(required=True, allow_none=True)
    message = String(required=True, allow_none=True)


class StepsOut(Schema):
    points = Integer(required=True)
    amount = Nested(MoneyOut, required=True, allow_none=True, metadata={"description": "for so many points"})
    minimum = Integer(required=True)
    maximum = Integer(required=True, allow_none=True, metadata={"description": "null: as many as there are"})


class RewardOut(Schema):
    key = String(required=True)
    title = String(required=True)
    kind = Enum(RewardKind, by_value=True, required=True)
    unit = _unit()
    cost = Integer(required=True)
    state = Enum(RewardState, by_value=True, required=True)
    missing = Integer(required=True)
    reason = String(required=True, allow_none=True)
    amount = Nested(MoneyOut, required=True, allow_none=True)
    percent = Integer(required=True, allow_none=True)
    maximum = Nested(MoneyOut, required=True, allow_none=True, metadata={"description": "of a percentage"})
    steps = Nested(
        StepsOut,
        required=True,
        allow_none=True,
        metadata={"description": "any number of points in whole steps; `cost` is the least"},
    )
    barrier = String(
        required=True,
        allow_none=True,
        metadata={"description": "why it is locked, for programs: tier_too_low, limit_reached, sold_out, …"},
    )
    left = Integer(
        required=True, allow_none=True, metadata={"description": "of a limited stock; null: without end"}
    )
    minimum_spend = Nested(MoneyOut, required=True, allow_none=True)
    tier = String(required=True, allow_none=True, attribute="tier_key")
    valid_days = Integer(required=True)
    returns_unused = Boolean(required=True)


class RewardsOut(Schema):
    rewards = List(Nested(RewardOut), required=True)


class RefundOut(Schema):
    refund_ref = String(required=True)
    goods = Nested(MoneyOut, required=True)
    exact = Boolean(required=True)
    refunded_at = AwareDateTime(required=True, allow_none=True)


class SnapshotOut(Schema):
    order_ref = String(required=True)
    number = String(required=True)
    customer_ref = String(required=True, allow_none=True)
    state = Enum(OrderState, by_value=True, required=True)
    goods = Nested(MoneyOut, required=True)
    refunds = List(Nested(RefundOut), required=True)
    codes_used = List(String(), required=True)
    placed_at = AwareDateTime(required=True)
    paid_at = AwareDateTime(required=True, allow_none=True)
    fulfilled_at = AwareDateTime(required=True, allow_none=True)
    cancelled_at = AwareDateTime(required=True, allow_none=True)
    updated_at = AwareDateTime(required=True)
    test = Boolean(required=True)


class TargetOut(Schema):
    points = Integer(required=True, attribute="target_points")
    program_version = Integer(required=True, allow_none=True, attribute="terms_version")
    tier = String(required=True, allow_none=True, attribute="terms_tier")
    held_reason = String(required=True, allow_none=True)
    excluded = String(required=True, allow_none=True)


class OrderOut(Schema):
    shop = String(required=True, attribute="shop_key")
    order_ref = String(required=True, attribute="snapshot.order_ref")
    member_id = Integer(
        required=True,
        allow_none=True,
        metadata={"description": "null: a guest's, or of somebody who has not joined"},
    )
    snapshot = Nested(SnapshotOut, required=True)
    unit = _unit()
    target = Here(TargetOut, required=True)
    held_points = Integer(required=True, metadata={"description": "what the ledger holds for it"})
    entries = List(Nested(EntryOut), required=True)
    explanation = Here(ExplanationOut, required=True)
    reread_reason = String(required=True, allow_none=True)
    unreadable = String(required=True, allow_none=True)


class ProblemOut(Schema):
    """RFC 9457."""

    type = String(required=True)
    title = String(required=True)
    status = Integer(required=True)
    code = String(required=True, metadata={"description": "stable, for programs"})
    detail = String(required=True, metadata={"description": "for people"})
    instance = String(required=True, metadata={"description": "tell it when you ask us"})
    ref = String(required=True)
