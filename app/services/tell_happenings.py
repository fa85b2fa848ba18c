"""What happened to members begins the automations that their shop's merchant built on it: told once, or not at all.

The platform knows no key to tell the same thing by twice. So what is about to be told is taken first, and that is
committed: what surely did not arrive waits again, what may have arrived is not repeated.
"""

from collections.abc import Mapping, Sequence

import structlog

from app.db import happenings, members, profiles, programs, redemptions
from app.db.happenings import HappeningRow
from app.db.profiles import Standing
from app.db.redemptions import RedemptionRow
from app.db.session import Session
from app.domain.errors import AccessLost, Refused, Retryable
from app.domain.program import Program
from app.domain.redeeming import RedemptionState
from app.domain.triggers import FRESH, Happening, Trigger, points_earned, reward_redeemed, tier_changed
from app.services.runtime import Runtime
from app.services.shop_client import open_shop

_AT_ONCE = 10
_PARTS = 20  # a job; then others that wait for the shop have their turn
_STANDS = frozenset({RedemptionState.ISSUED, RedemptionState.USED})

log = structlog.get_logger()

Part = Mapping[int, Happening]
"""By its row's id, in the order in which it happened."""


def tell_happenings(rt: Runtime, program_id: int, shop_id: int) -> int:
    """Returns how many were told. What is older than `FRESH`, or of nobody whom the shop has, is told to nobody.

    Raises: Refused("not_callable"), AccessLost, Retryable.
    """
    told = 0
    for n in range(_PARTS):
        # The first goes alone: if the shop does not answer, one is lost and not ten.
        part = _take(rt, program_id, shop_id, limit=_AT_ONCE if n else 1)
        if part is None:
            return told
        if part:
            told += _tell(rt, program_id, shop_id, part)
    with rt.db.begin(program_id) as session:
        happenings.enqueue_telling(session, shop_id)
    return told


def _take(rt: Runtime, program_id: int, shop_id: int, *, limit: int) -> Part | None:
    """The next to be told; what nobody needs to hear of goes at once. None: nothing is due."""
    with rt.db.begin(program_id) as session:
        rows = happenings.take(session, shop_id, now=rt.now(), limit=limit)
        if not rows:
            return None
        part = _Facts(rt, session, shop_id, rows).part()
        happenings.drop(session, [row.happening_id for row in rows if row.happening_id not in part])
    return part


def _tell(rt: Runtime, program_id: int, shop_id: int, part: Part) -> int:
    try:
        with open_shop(rt, program_id, shop_id) as client:
            refusals = client.tell(list(part.values()))
    except Retryable as error:
        with rt.db.begin(program_id) as session:
            if error.maybe_applied:
                happenings.note_lost(session, shop_id, part)
                log.warning("happenings_lost", shop_id=shop_id, count=len(part), detail=error.detail)
            else:
                happenings.put_back(session, shop_id, part)
        raise
    except Refused as refused:
        is_shut = isinstance(refused, AccessLost) or refused.code == "not_callable"
        with rt.db.begin(program_id) as session:
            if is_shut:
                happenings.put_back(session, shop_id, part)
            else:
                happenings.note_refused(session, shop_id, dict.fromkeys(part, refused.detail))
        if is_shut:
            raise
        log.warning("happenings_refused", shop_id=shop_id, count=len(part), detail=refused.detail)
        return 0
    why = {one: reason for one, reason in zip(part, refusals, strict=True) if reason is not None}
    with rt.db.begin(program_id) as session:
        happenings.note_told(session, shop_id, part.keys() - why.keys(), now=rt.now())
        happenings.note_refused(session, shop_id, why)
    if why:
        log.warning("happenings_refused", shop_id=shop_id, count=len(why), detail=next(iter(why.values())))
    return len(part) - len(why)


class _Facts:
    """What is known now of those to whom it happened: looked up for all rows together."""

    def __init__(self, rt: Runtime, session: Session, shop_id: int, rows: Sequence[HappeningRow]) -> None:
        self._rows = [row for row in rows if row.in_use and row.happened_at >= rt.now() - FRESH]
        ids = {row.member_id for row in self._rows}
        self._winners = members.find_winners(session, sorted(ids))
        self._customers = happenings.find_customers(session, shop_id, ids | set(self._winners.values()))
        self._standings: Mapping[str, Standing] = profiles.find_standings(
            session, shop_id, list(self._customers.values()), now=rt.now()
        )
        bought = [row.redemption_id for row in self._rows if row.redemption_id]
        self._bought: Mapping[int, RedemptionRow] = {
            one.redemption_id: one
            for one in redemptions.find_redemptions_where(session, "r.id = ANY(:ids)", ids=bought)
        }
        self._bound = happenings.find_bound(session, [one.identity_id for one in self._bought.values()])
        self._live: Program = programs.load_versions(session)[session.program_id].live

    def part(self) -> Part:
        told = {row.happening_id: self._happening(row) for row in self._rows}
        return {row_id: one for row_id, one in told.items() if one is not None}

    def _happening(self, row: HappeningRow) -> Happening | None:
        """None: there is nobody to tell of it, or nothing left to tell."""
        customer = self._customers.get(self._winners.get(row.member_id, row.member_id))
        if customer is None:
            return None
        match row.trigger:
            case Trigger.POINTS_EARNED:
                return self._earned(row, customer)
            case Trigger.TIER_CHANGED:
                return self._moved(row, customer)
            case Trigger.REWARD_REDEEMED:
                return self._redeemed(row)

    def _earned(self, row: HappeningRow, customer: str) -> Happening | None:
        standing = self._standings.get(customer)
        if standing is None or row.points <= 0:  # taken back within the minute
            return None
        return points_earned(
            customer,
            points=row.points,
            available=standing.points - standing.pending,
            pending=standing.pending,
            tier_key=standing.tier_key,
        )

    def _moved(self, row: HappeningRow, customer: str) -> Happening | None:
        before, after = row.from_key or "", row.to_key or ""
        if before == after:  # there and back within the minute
            return None
        return tier_changed(
            customer,
            tier_key=after,
            name=self._live.tier(after).name,
            before=before,
            is_up=self._live.rank(after) > self._live.rank(before),
        )

    def _redeemed(self, row: HappeningRow) -> Happening | None:
        bought = self._bought.get(row.redemption_id)
        customer = self._bound.get(bought.identity_id) if bought else None
        if bought is None or customer is None or bought.state not in _STANDS:  # cancelled meanwhile
            return None
        return reward_redeemed(
            customer,  # of several the one that the code is bound to
            reward_key=bought.bought.key,
            name=bought.bought.title,
            cost=bought.bought.cost,
            code=bought.code if bought.bought.has_code else "",
        )
