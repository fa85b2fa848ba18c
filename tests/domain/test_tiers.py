from datetime import datetime

from app.domain.spending import SpendFact, qualifying
from app.domain.tiers import TierFloor, tier_at
from tests.factories import PROGRAM, after


def fact(ref: str, days: float, minor: int, **changes: object) -> SpendFact:
    values = {
        "order_key": (1, ref),
        "counted_at": after(days=days),
        "goods_minor": minor,
        "refunds": (),
        "void_at": None,
        **changes,
    }
    return SpendFact(**values)  # type: ignore[arg-type]


def spend(facts: list[SpendFact], at: datetime, before: tuple[int, str] | None = None) -> int:
    return qualifying(facts, program=PROGRAM, at=at, before=before)[0].spend_minor


def test_only_what_counted_before_counts() -> None:
    facts = [fact("a", 1, 100), fact("b", 3, 200)]
    assert [spend(facts, after(days=day)) for day in (0, 2, 4)] == [0, 100, 300]


def test_an_order_never_counts_for_its_own_tier() -> None:
    assert spend([fact("a", 1, 100)], after(days=1), before=(1, "a")) == 0


def test_ties_are_broken_by_shop_and_order() -> None:
    facts = [fact("a", 1, 100), fact("c", 1, 400)]
    assert spend(facts, after(days=1), before=(1, "b")) == 100


def test_the_window_is_twelve_months() -> None:
    assert spend([fact("a", -366, 100), fact("b", -364, 200)], after()) == 200


def test_refunds_and_cancellations_count_from_their_own_moment() -> None:
    facts = [fact("a", 1, 100, refunds=((after(days=5), 40),)), fact("b", 1, 500, void_at=after(days=6))]
    assert [spend(facts, after(days=day)) for day in (2, 5.5, 7)] == [600, 560, 60]


def test_a_recorded_tier_is_a_floor_for_its_time() -> None:
    floor = TierFloor(tier_key="gold", from_at=after(days=1), until_at=after(days=2))
    tiers = [tier_at([], [floor], program=PROGRAM, at=after(days=day)).key for day in (0, 1.5, 3)]
    assert tiers == ["member", "gold", "member"]


def test_a_recorded_tier_never_lowers() -> None:
    floor = TierFloor(tier_key="silver", from_at=after(days=-1), until_at=None)
    assert tier_at([fact("a", 1, 250_000)], [floor], program=PROGRAM, at=after(days=2)).key == "gold"
