"""Codes, both ways: every usable code of ours at the shop was paid for, every code paid for is at the shop."""

from collections.abc import Sequence
from datetime import timedelta

from app.db import jobs, shop_codes, shops
from app.db.reconciliations import Repair
from app.db.session import Session
from app.db.shop_codes import SoldCode
from app.domain.errors import AccessLost, Refused
from app.domain.money import Money, exponent
from app.domain.pacing import Urgency
from app.domain.rewards import RewardKind
from app.services.causes import Cause
from app.services.reconcile_run import Run
from app.services.shop_client import open_shop
from app.services.wording import money_words
from connectors.base import FoundCode

TAG_PREFIX = "laurel-"
FIRST_DAYS = timedelta(days=7)  # in which orphans are only told: a restore or a move may explain them
_PAID_FOR = ("requested", "issued", "cancelling")
_FOUND = {
    Cause.CODE_ABSENT: "not to be found at the shop",
    Cause.CODE_REVIVED: "usable once more",
    Cause.CODE_BALANCE: "worth something else at the shop than what is left of it",
}


def reconcile_codes(run: Run) -> None:
    """Raises: AccessLost, Retryable, Refused; what was withdrawn by then is written down."""
    live, spent = _listed_codes(run)
    with run.rt.db.begin(run.program_id) as session:
        sold = shop_codes.find_sold(session, run.shop_id, [one.code.casefold() for one in live])
        orphans = [one for one in live if _is_orphan(sold.get(one.code.casefold()))]
        _look_into(run, session, live, spent, sold)
        _tell_overdrawn(run, session)
        run.look(session, len(live))
    # After the listing: withdrawing while it is paged would push others past the edge of a page.
    for code in orphans:
        _end_orphan(run, code)
    with run.rt.db.begin(run.program_id) as session:
        shops.update_shop(session, run.shop_id, codes_checked_at=run.started_at)


def _listed_codes(run: Run) -> tuple[list[FoundCode], set[str]]:
    """The usable codes, and the names (case-folded) of those whose last use was made."""
    live: list[FoundCode] = []
    spent: set[str] = set()
    cursor: str | None = None
    while True:
        # Of use only as a whole, and begun anew if it is put off: so nearer to the edge than other comparisons.
        with open_shop(run.rt, run.program_id, run.shop_id, Urgency.ORDERS) as client:
            found, cursor = client.our_codes(TAG_PREFIX, cursor)
        live += [one for one in found if one.live]
        spent |= {one.code.casefold() for one in found if one.uses_left == 0}
        if cursor is None:
            return live, spent


def _is_orphan(sold: SoldCode | None) -> bool:
    """Nobody paid for it, or the points went back: a redemption is written before its code is made."""
    return sold is None or (sold.state not in _PAID_FOR and sold.state != "used")


def _look_into(
    run: Run, session: Session, live: Sequence[FoundCode], spent: set[str], sold: dict[str, SoldCode]
) -> None:
    """Codes that should be at the shop and are not, used ones that can be used again, balances that are not what is left:
    one job each."""
    there = {one.code.casefold() for one in live}
    issued = shop_codes.find_issued(session, run.shop_id, before=run.started_at, now=run.rt.now())
    unseen = [one for one in issued if one.code_key not in there]
    off = [one for code in live if (one := sold.get(code.code.casefold())) is not None and _is_off(one, code)]
    revived = [one for one in sold.values() if one.state == "used"]
    wanted = [
        {"shop_id": run.shop_id, "redemption_id": one.redemption_id} for one in (*unseen, *off, *revived)
    ]
    jobs.enqueue_all(session, "check_code", wanted)
    named = {
        Cause.CODE_ABSENT: [one for one in unseen if not _is_explained(one, spent)],
        Cause.CODE_REVIVED: revived,
        Cause.CODE_BALANCE: off,
    }
    repairs = [
        Repair(
            subject=f"redemption:{one.redemption_id}",
            cause=cause.value,
            detail=f"its code is {_FOUND[cause]}: it is looked into",
        )
        for cause, found in named.items()
        for one in found
    ]
    run.repaired(session, repairs)


def _is_explained(absent: SoldCode, spent: set[str]) -> bool:
    """Gift cards stand in no list of codes, and how much is left of one is only known by looking. A balance whose last
    use was made waits to be brought to the next: its order is on its way to us, or we are on ours to the shop."""
    if absent.balance is not None:
        return absent.code_key in spent
    return absent.kind is RewardKind.GIFT_CARD


def _is_off(one: SoldCode, found: FoundCode) -> bool:
    """Whether a balance is otherwise than the shop was told, and nothing is on its way."""
    if one.balance is None or one.state != "issued" or not one.is_told:
        return False
    try:
        worth = Money.parse(found.value or "", one.balance.currency)
    except Refused:
        return True
    # A shop may tell hundredths of a currency that has thousandths.
    differs = abs((worth - one.balance).minor) * 100 >= 10 ** exponent(worth.currency)
    return differs or found.uses_left != 1


def _tell_overdrawn(run: Run, session: Session) -> None:
    """Two orders came through with one balance, or the shop let one have more: told once, for people to look at."""
    found = shop_codes.find_overdrawn(session, run.shop_id, since=run.shop.codes_checked_at)
    repairs = [
        Repair(
            subject=f"redemption:{one.redemption_id}",
            cause=Cause.CODE_OVERDRAWN.value,
            detail=f"orders took {money_words(one.by)} more of it than there was",
        )
        for one in found
    ]
    run.repaired(session, repairs)


def _end_orphan(run: Run, code: FoundCode) -> None:
    ended = _ended(run, code)
    if ended is None:
        return
    cause, detail = ended
    repair = Repair(subject=f"code:{code.code_ref}", cause=cause.value, detail=detail)
    with run.rt.db.begin(run.program_id) as session:
        run.repaired(session, [repair])


def _ended(run: Run, code: FoundCode) -> tuple[Cause, str] | None:
    """Withdraw an orphan if it is surely ours. The code itself is worth money: its end is enough to know it by.

    None: it was withdrawn since it was listed, by a redemption that was just then given up.
    """
    shown = f"a usable code …{code.code[-4:]} that nobody paid for"
    if code.tag != run.rt.tag:
        return Cause.CODE_OF_OTHER, f"{shown} was made by another or an older installation ({code.tag})"
    if run.started_at - run.shop.connected_at <= FIRST_DAYS:
        return Cause.CODE_ORPHAN_KEPT, f"{shown}: it stays for the shop's first {FIRST_DAYS.days} days"
    try:
        with open_shop(run.rt, run.program_id, run.shop_id) as client:
            seen = client.find_code(code.code)
            if seen is None or not seen.live:
                return None
            client.withdraw_code(code.code, run.rt.tag)
    except AccessLost:
        raise
    except Refused as refused:
        return Cause.CODE_ORPHAN_KEPT, f"{shown} could not be withdrawn: {refused.detail}"
    return Cause.CODE_ORPHAN, f"{shown} was withdrawn"
