"""Complaints 23 to 33 of users of other loyalty products: currencies, days, and programs that could not be changed."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.domain.earning import lot_expiry
from app.domain.money import Money
from app.domain.program import decode, default_document
from app.services.expire_codes import expire_codes
from app.services.preview_program import preview_program
from app.services.publish_program import publish_program
from app.services.runtime import Runtime
from app.services.shop_client import open_shop as open_shop_client
from tests.complaints.till import Till
from tests.conftest import NOW, Clock, make_program
from tests.factories import eur, make_order
from tests.services.books import read_until
from tests.services.jobs import run_jobs
from tests.services.test_settle_orders import Shop


def paid(ref: str, goods: Money, *, days: float = 0, customer_ref: str = "7") -> Any:
    moment = NOW + timedelta(days=days)
    times = {"placed_at": moment, "paid_at": moment, "updated_at": moment}
    return make_order(order_ref=ref, number=f"#{ref}", goods=goods, customer_ref=customer_ref, **times)


def open_shop(rt: Runtime, **changes: Any) -> Shop:
    return Shop(rt, make_program(rt, document=default_document("Sprig", "EUR", "UTC") | changes))


def change(shop: Shop, **changes: Any) -> None:
    """Published by the merchant, and everybody is brought in line."""
    document = document_of(shop) | changes
    publish_program(shop.rt, shop.program_id, document, by="owner")
    run_jobs(shop.rt, shop.program_id)


def document_of(shop: Shop) -> dict[str, Any]:
    with shop.rt.db.begin(shop.program_id) as session:
        found = session.scalar(
            "SELECT document FROM program_versions WHERE {fence} ORDER BY version DESC LIMIT 1"
        )
    return dict(found)


def tiers(shop: Shop) -> dict[str, str]:
    with shop.rt.db.begin(shop.program_id) as session:
        rows = session.rows(
            "SELECT i.customer_ref, m.tier_key FROM identities i JOIN members m ON {fence:m} "
            "AND m.program_id = i.program_id AND m.id = i.member_id WHERE {fence:i}"
        )
    return {row.customer_ref: row.tier_key for row in rows}


def level(key: str, percent: int = 100, **reached: Any) -> dict[str, Any]:
    return {"key": key, "name": key.title(), "earn_percent": percent, **reached}


YEN = {"JPY": {"spend_minor": 100, "program_minor": 65}}


def test_complaint_23_another_currency_has_its_own_rate_not_seventeen_times_the_points(rt: Runtime) -> None:
    """100 yen are a point where 100 cents are one: 1,650 yen are 16 points, not 1,650."""
    shop = open_shop(rt, currencies=YEN)
    shop.see(paid("1", Money(1650, "JPY")), paid("2", eur("16.50")))
    assert shop.points() == 32


def test_complaint_23_what_is_shown_is_what_can_be_spent(till: Till) -> None:
    till.buy("120.00")
    assert till.available == 120
    till.work()
    assert till.available == 120


def test_complaint_24_an_amount_is_never_taken_for_the_shops_own_money(rt: Runtime) -> None:
    """Without a rate the order waits, with that reason; it is counted as soon as there is one."""
    shop = open_shop(rt)
    shop.see(paid("1", Money(1650, "JPY")))
    assert shop.points() == 0
    change(shop, currencies=YEN)
    assert shop.points() == 16


def test_complaint_25_thresholds_and_rewards_do_not_drift_between_currencies(rt: Runtime) -> None:
    """What an order in yen is worth for tiers is what the document says, to the unit, on every day."""
    shop = open_shop(rt, currencies=YEN)
    shop.see(paid("1", Money(76_923, "JPY")))  # 76,923 × 65 / 100 = 49,999.95: a cent below 500.00
    assert tiers(shop) == {"7": "member"}
    shop.see(paid("2", Money(1, "JPY")), paid("3", Money(2, "JPY")))  # 0 and 1 cent
    assert tiers(shop) == {"7": "silver"}


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles", "Europe/Berlin"])
def test_complaint_26_points_end_at_the_end_of_the_shops_own_day(zone: str) -> None:
    document = default_document("Sprig", "EUR", zone) | {"expiry": {"kind": "after_days", "days": 30}}
    earned = datetime(2026, 3, 1, 23, 59, tzinfo=ZoneInfo(zone))
    ends = lot_expiry(decode(document, 1), earned)
    assert ends == datetime(2026, 4, 1, tzinfo=ZoneInfo(zone))


def test_complaint_26_nothing_is_booked_in_the_future(till: Till) -> None:
    till.buy("120.00")
    till.redeem()
    now = till.rt.now()
    with till.rt.db.begin(till.stand.program_id) as session:
        assert (
            session.scalar("SELECT count(*) FROM entries WHERE {fence} AND recorded_at > :now", now=now) == 0
        )


def test_complaint_28_what_tiers_count_can_be_changed_any_day_and_there_may_be_many(rt: Runtime) -> None:
    shop = open_shop(rt)
    shop.see(*(paid(str(ref), eur("5.00")) for ref in range(3)), paid("9", eur("600.00"), customer_ref="8"))
    assert tiers(shop) == {"7": "member", "8": "silver"}
    levels = [level("member", from_minor=0), *(level(f"l{n}", from_orders=n) for n in range(1, 12))]
    change(shop, tiers={"months": 12, "grace_days": 0, "levels": levels})
    assert tiers(shop)["7"] == "l3"


def test_complaint_29_moving_a_threshold_loses_no_tier_and_no_point(rt: Runtime) -> None:
    """Who had Silver by the old rule keeps it as long as the old rule would have given it."""
    shop = open_shop(rt)
    shop.see(paid("1", eur("600.00")))
    levels = [level("member", from_minor=0), level("silver", 125, from_minor=90_000)]
    before = shop.points()
    change(shop, tiers={"months": 12, "grace_days": 0, "levels": levels})
    assert (tiers(shop)["7"], shop.points()) == ("silver", before)


def test_complaint_30_orders_from_before_count_for_tiers_at_once(rt: Runtime) -> None:
    """No deactivating and recalculating: the preview says who moves, publishing moves them."""
    shop = open_shop(rt)
    shop.see(*(paid(str(ref), eur("90.00"), days=-ref) for ref in range(5)))
    assert tiers(shop) == {"7": "member"}
    levels = [level("member", from_minor=0), level("silver", 125, from_minor=30_000)]
    told = preview_program(
        rt, shop.program_id, document_of(shop) | {"tiers": {"months": 12, "grace_days": 0, "levels": levels}}
    )
    assert [(one.name, one.up) for one in told.tiers] == [("Silver", 1)]
    change(shop, tiers={"months": 12, "grace_days": 0, "levels": levels})
    assert tiers(shop) == {"7": "silver"}


def test_complaint_31_one_point_for_every_ten_is_possible_and_exact(rt: Runtime) -> None:
    document = default_document("Sprig", "EUR", "UTC")
    document["earn"] |= {"points": 1, "spend_minor": 1000}
    shop = Shop(rt, make_program(rt, document=document))
    shop.see(paid("1", eur("9.99")), paid("2", eur("29.99")))
    assert shop.points() == 2


def test_complaint_31_several_rules_never_double_by_accident(rt: Runtime) -> None:
    """Two campaigns and a tier at once: the document says how they stack, and the explanation which held."""
    campaigns = [{"key": key, "name": key.title(), "percent": 200} for key in ("june", "vip")]
    document = default_document("Sprig", "EUR", "UTC")
    document["earn"] |= {"campaigns": campaigns, "stacking": "highest"}
    shop = Shop(rt, make_program(rt, document=document))
    shop.see(paid("1", eur("10.00")))
    assert shop.points() == 20


def test_complaint_32_a_reward_is_cancelled_by_a_click_and_not_by_a_fake_order(till: Till) -> None:
    till.buy("120.00")
    row = till.redeem()
    till.work()
    till.cancel(till.row(row))
    till.work(hours=0.1)
    assert (till.row(row).state, till.available, till.usable(row)) == ("cancelled", 120, 0)


def test_complaint_33_unused_rewards_end_and_their_points_come_back(till: Till, clock: Clock) -> None:
    till.buy("120.00")
    row = till.redeem()
    till.work()
    assert till.available == 20
    for _ in range(2):  # credentials live on as long as they are used
        clock.forward(days=45.5)
        with open_shop_client(till.rt, till.stand.program_id, till.stand.shop.shop_id) as client:
            client.shop_facts()
    read_until(till.rt, till.stand.program_id, till.stand.shop.shop_id, clock.at)
    assert expire_codes(till.rt, till.stand.program_id) == 1
    till.work(hours=1)
    assert (till.row(row).state, till.available) == ("expired", 120)
