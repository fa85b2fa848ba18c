"""What may come in, field by field. Unknown fields of a body are refused: a slip is no wish."""

from datetime import datetime

from apiflask import Schema
from apiflask.fields import AwareDateTime, Boolean, Date, Integer, Nested, String
from apiflask.validators import Length, Range, Regexp
from marshmallow import RAISE

from app.domain.ledger import MAX_POINTS
from app.services.adjust import MAX_REASON
from app.services.record_activity import MAX_DETAIL
from app.services.redeem import MAX_KEY
from app.web.api.blueprint import LARGEST_ID

EARLIEST, LATEST = 2000, 2999

_WORD = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
_REF = r"^[a-z0-9][a-z0-9-]*:[A-Za-z0-9][A-Za-z0-9_.-]*$"


class Strict(Schema):
    """What comes in as a body."""

    class Meta:
        unknown = RAISE


class Text(String):
    """A string, and nothing that is only turned into one."""

    def _deserialize(self, value: object, attr: str | None, data: object, **kwargs: object) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        return str(super()._deserialize(value, attr, data, **kwargs))


class Flag(Boolean):
    """true or false, and nothing that is only taken for one."""

    def _deserialize(self, value: object, attr: str | None, data: object, **kwargs: object) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Moment(AwareDateTime):
    """A moment with its zone, in years that a program may have seen."""

    def _deserialize(self, value: object, attr: str | None, data: object, **kwargs: object) -> datetime:
        found = super()._deserialize(value, attr, data, **kwargs)
        if not EARLIEST <= found.year <= LATEST:
            raise self.make_error("invalid", input=value, obj_type="datetime")
        return found


class KeyIn(Schema):
    idempotency_key = Text(
        required=True,
        data_key="Idempotency-Key",
        validate=[Length(1, MAX_KEY), Regexp(r"^[!-~]([ -~]*[!-~])?$")],
        metadata={"description": "Yours for this one act; the same again is the same act, done once."},
    )


class MembersQuery(Schema):
    ref = Text(
        validate=[Length(max=200), Regexp(_REF)],
        metadata={"description": "<shop_key>:<customer ref>, as the shop calls its customer"},
    )
    email = Text(
        validate=[Length(3, 320), Regexp(r"^[^@\s]+@[^@\s]+$")],
        metadata={"description": "an address that a shop told us"},
    )
    cursor = Integer(
        load_default=0, validate=Range(0, LARGEST_ID), metadata={"description": "`next` of the page before"}
    )
    limit = Integer(load_default=50, validate=Range(1, 200))


class EntriesQuery(Schema):
    cursor = Integer(
        load_default=None,
        validate=Range(1, 2**31 - 1),
        metadata={"description": "`next` of the page before"},
    )
    limit = Integer(load_default=50, validate=Range(1, 200))


class RewardsQuery(Schema):
    shop = Text(validate=[Length(max=100), Regexp(_WORD)], metadata={"description": "shop key: its money"})
    member = Integer(validate=Range(1, LARGEST_ID), metadata={"description": "how far each is from them"})


class AdjustmentIn(Strict):
    points = Integer(
        required=True,
        strict=True,
        validate=Range(-MAX_POINTS, MAX_POINTS),
        metadata={"description": "to give, or below 0 to take; not 0"},
    )
    reason = Text(
        required=True,
        validate=[Length(1, MAX_REASON), Regexp(r"\S")],
        metadata={"description": "why, for the staff"},
    )


class TierIn(Strict):
    tier = Text(required=True, validate=[Length(1, 40)], metadata={"description": "key of a tier"})
    until = Date(
        load_default=None,
        allow_none=True,
        metadata={"description": "the last day of it, in the program's time zone; null: without an end"},
    )
    reason = Text(
        required=True,
        validate=[Length(1, MAX_REASON), Regexp(r"\S")],
        metadata={"description": "why, for the staff"},
    )


class MergeIn(Strict):
    other = Integer(
        required=True,
        strict=True,
        validate=Range(1, LARGEST_ID),
        metadata={"description": "id of the member who is the same person"},
    )


class HandOverIn(Strict):
    undo = Boolean(load_default=False, metadata={"description": "it was not handed over after all"})


class RedemptionIn(Strict):
    reward = Text(required=True, validate=[Length(1, 200)], metadata={"description": "key of a reward"})
    points = Integer(
        strict=True,
        validate=Range(1, MAX_POINTS),
        metadata={"description": "how many, of a reward in steps; of any other its cost, or left out"},
    )
    shop = Text(
        validate=[Length(max=100), Regexp(_WORD)],
        metadata={
            "description": "key of the shop where the code will be used; needed if the member has several"
        },
    )


class PersonIn(Strict):
    """One of them."""

    id = Integer(strict=True, validate=Range(1, LARGEST_ID), metadata={"description": "ours"})
    ref = Text(
        validate=[Length(max=200), Regexp(_REF)],
        metadata={"description": "<shop_key>:<customer ref>, as the shop calls its customer"},
    )
    email = Text(
        validate=[Length(3, 320), Regexp(r"^[^@\s]+@[^@\s]+$")],
        metadata={"description": "an address that a shop told us"},
    )


class FriendIn(PersonIn):
    """The same. A class of its own, since the description would otherwise hold two of one name."""


class ActivityIn(Strict):
    member = Nested(PersonIn, required=True)
    activity = Text(
        required=True, validate=[Length(1, 60)], metadata={"description": "key of one of the program's"}
    )
    key = Text(
        required=True,
        validate=[Length(1, MAX_KEY), Regexp(r"\S")],
        metadata={"description": "yours for this one act; the same again is the same act, done once"},
    )
    occurred_at = Moment(metadata={"description": "with its zone; left out: now"})
    detail = Text(
        validate=[Length(1, MAX_DETAIL)],
        metadata={"description": "in your words; sealed, and erased with the person"},
    )


class ActivitiesQuery(Schema):
    cursor = Integer(
        load_default=None,
        validate=Range(1, LARGEST_ID),
        metadata={"description": "`next` of the page before"},
    )
    limit = Integer(load_default=50, validate=Range(1, 200))


class ReasonIn(Strict):
    reason = Text(
        required=True,
        validate=[Length(1, MAX_REASON), Regexp(r"\S")],
        metadata={"description": "why, for the staff"},
    )


class ReferralIn(Strict):
    code = Text(required=True, validate=[Length(1, 60)], metadata={"description": "of who brings the friend"})
    friend = Nested(FriendIn, required=True)


class BirthdayIn(Strict):
    birthday = Text(
        required=True,
        validate=[Regexp(r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")],
        metadata={"description": "MM-DD; the year is not needed"},
    )
    consent = Flag(required=True, metadata={"description": "the member agreed to it"})
