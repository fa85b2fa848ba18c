"""What may come in, field by field. Unknown fields of a body are refused: a slip is no wish."""

from apiflask import Schema
from apiflask.fields import Boolean, Integer, String
from apiflask.validators import Length, Range, Regexp
from marshmallow import RAISE

from app.domain.ledger import MAX_POINTS
from app.services.adjust import MAX_REASON
from app.services.redeem import MAX_KEY
from app.web.api.blueprint import LARGEST_ID

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
