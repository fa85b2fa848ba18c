"""What a member bought: the open ones, the last closed ones, or one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db import members, redemptions, shops
from app.db.redemptions import RedemptionRow
from app.db.session import Session
from app.domain.errors import Refused
from app.domain.money import Money
from app.domain.program import UnusedCodes
from app.domain.redeeming import OPEN, Bought, RedemptionState, points_for_rest
from app.domain.rewards import RewardKind
from app.domain.words import Words
from app.services.runtime import Runtime

CLOSED_SHOWN = 20
_WITH_CODE = frozenset({RedemptionState.ISSUED, RedemptionState.USED})


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionView:
    redemption_id: int
    member_id: int  # whose it is now
    shop_key: str
    bought: Bought
    state: RedemptionState
    code: str | None  # None until the shop has it, once it is dead, and for what has none
    requested_at: datetime
    issued_at: datetime | None
    expires_at: datetime
    closed_at: datetime | None
    returned: int  # points given back
    left: Money | None  # of money that is used bit by bit, as far as we know
    message: str | None

    @property
    def is_ready(self) -> bool:
        """What was bought is the member's: its code can be used, or it was paid out."""
        return self.state in _WITH_CODE

    @property
    def is_partly_used(self) -> bool:
        return self.left is not None and self.left.minor > 0 and self.left != self.bought.amount

    @property
    def points_back(self) -> int:
        """What comes back if it is withdrawn now, as far as we know."""
        return points_for_rest(self.bought, self.left)

    @property
    def returns_unused(self) -> bool:
        return self.bought.unused is UnusedCodes.RETURN


def find_redemptions(rt: Runtime, program_id: int, member_id: int) -> list[RedemptionView]:
    """All that are open and the last closed ones, newest first; those of accounts merged into the member's too."""
    with rt.db.begin(program_id) as session:
        ids = session.rows(
            "WITH RECURSIVE theirs(id, depth) AS (SELECT CAST(:member AS bigint), 0 UNION ALL "
            "SELECT a.id, t.depth + 1 FROM accounts a JOIN theirs t ON a.merged_into = t.id "
            "WHERE {fence:a} AND t.depth < 100), "
            "ours AS (SELECT r.id, r.state, row_number() OVER (PARTITION BY r.state = ANY(:open) ORDER BY r.id DESC) "
            "AS place FROM redemptions r WHERE {fence:r} AND r.account_id IN (SELECT id FROM theirs)) "
            "SELECT id FROM ours WHERE state = ANY(:open) OR place <= :limit ORDER BY id DESC",
            member=member_id,
            open=[state.value for state in OPEN],
            limit=CLOSED_SHOWN,
        )
        rows = redemptions.find_redemptions_where(session, "r.id = ANY(:ids)", ids=[row.id for row in ids])
        return describe_redemptions(session, list(reversed(rows)))


def find_redemption(
    rt: Runtime, program_id: int, redemption_id: int, *, member_id: int | None = None
) -> RedemptionView:
    """That one; with `member_id` only if it is theirs. Raises: Refused("unknown_redemption")."""
    with rt.db.begin(program_id) as session:
        view = describe_redemptions(session, [redemptions.get_redemption(session, redemption_id)])[0]
    if member_id is not None and view.member_id != member_id:
        raise Refused("unknown_redemption", "There is no such redemption.")
    return view


def became_words(view: RedemptionView, words: Words) -> str | None:
    """What a shopper is told beside the state: from the facts, so in any language. `message` is for the staff."""
    match view.state:
        case RedemptionState.REQUESTED if view.message:
            return words.say("became.waits")
        case RedemptionState.CANCELLED | RedemptionState.EXPIRED | RedemptionState.FAILED if view.returned:
            return words.say("became.back", units=view.returned, points=words.points(view.returned))
        case RedemptionState.EXPIRED:
            return words.say("became.late")
        case RedemptionState.USED if view.bought.kind is RewardKind.GIFT_CARD:
            return words.say("became.spent")
        case _:
            return None


def describe_redemptions(session: Session, rows: Sequence[RedemptionRow]) -> list[RedemptionView]:
    if not rows:
        return []
    winners = members.find_winners(session, sorted({row.account_id for row in rows}))
    keys = {shop.shop_id: shop.key for shop in shops.find_shops(session).values()}
    return [_view(row, winners.get(row.account_id, row.account_id), keys[row.shop_id]) for row in rows]


def _view(row: RedemptionRow, member_id: int, shop_key: str) -> RedemptionView:
    return RedemptionView(
        redemption_id=row.redemption_id,
        member_id=member_id,
        shop_key=shop_key,
        bought=row.bought,
        state=row.state,
        code=row.code if row.state in _WITH_CODE and row.bought.has_code else None,
        requested_at=row.requested_at,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        closed_at=row.closed_at,
        returned=row.returned,
        left=None if row.left is None else Money(max(row.left.minor, 0), row.left.currency),
        message=row.message,
    )
