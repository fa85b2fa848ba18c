"""What staff and shoppers are told of members: figures that agree with the ledger, and a fixed number of queries."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection

from app.db import statements
from app.db.statements import Result
from app.domain.errors import Refused
from app.domain.ledger import Book, Draft, EntryKind
from app.domain.money import Money
from app.domain.offering import reward_title
from app.domain.program import Rate
from app.domain.rewards import RewardKind
from app.services.describe_member import Due, balance_of, describe_member
from app.services.describe_order import describe_order
from app.services.describe_shopfront import describe_shopfront
from app.services.erase_customer import erase_customer
from app.services.find_member import ByCustomer, ByEmail, ById, find_member
from app.services.find_redemptions import find_redemptions
from app.services.list_members import list_members
from app.services.list_rewards import list_rewards
from app.services.member_entries import member_entries
from app.services.merge_members import merge_members
from app.services.redeem import RedeemRequest, redeem
from app.services.runtime import Runtime
from app.services.shopper_history import shopper_history
from app.services.wording import ENGLISH, earn_words, money_words
from tests.conftest import NOW, make_program
from tests.factories import START, after, eur, make_order
from tests.web.shoppers import Storefront, make_storefront


@pytest.fixture
def shop(rt: Runtime, program_id: int) -> Storefront:
    return make_storefront(rt, FlaskClient(None), program_id)


def merge(shop: Storefront, one: int, other: int) -> None:
    with shop.rt.db.begin(shop.program_id) as session:
        merge_members(session, shop.rt.vault, one, other, cause="staff", actor="Ada", now=NOW)


@contextmanager
def counted(shop: Storefront) -> Iterator[list[str]]:
    """The statements that run meanwhile."""
    said: list[str] = []
    run = statements.run

    def noting(connection: Connection, sql: str, params: Mapping[str, Any]) -> Result:
        said.append(sql)
        return run(connection, sql, params)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statements, "run", noting)
        yield said


# --- Finding -----------------------------------------------------------------------------------------------


def test_people_are_found_by_id_customer_and_address(shop: Storefront) -> None:
    member_id = shop.member("7")
    shop.know("7", "ada@example.test")
    for who in (ById(member_id), ByCustomer(shop.shop.key, "7"), ByEmail(" ADA@example.test")):
        assert find_member(shop.rt, shop.program_id, who) == member_id
    for nobody in (
        ById(member_id + 10**6),
        ByCustomer("x", "7"),
        ByCustomer(shop.shop.key, "8"),
        ByEmail("e@e.e"),
    ):
        assert find_member(shop.rt, shop.program_id, nobody) is None


def test_who_was_erased_is_found_by_nothing_but_the_number(rt: Runtime, shop: Storefront) -> None:
    member_id = shop.member("7")
    identity = shop.know("7", "ada@example.test")
    with rt.db.begin(shop.program_id) as session:
        erase_customer(session, rt.vault, shop.shop.shop_id, "7", email=None, now=NOW)
    for who in (
        ByCustomer(shop.shop.key, "7"),
        ByCustomer(shop.shop.key, f"erased:{identity}"),
        ByEmail("ada@example.test"),
    ):
        assert find_member(rt, shop.program_id, who) is None
    assert find_member(rt, shop.program_id, ById(member_id)) == member_id


def test_merges_are_followed_to_the_end(shop: Storefront) -> None:
    first, second, third = (shop.member(str(number)) for number in (1, 2, 3))
    merge(shop, second, third)
    merge(shop, first, second)
    assert find_member(shop.rt, shop.program_id, ById(third)) == first
    assert find_member(shop.rt, shop.program_id, ByCustomer(shop.shop.key, "3")) == first
    assert describe_member(shop.rt, shop.program_id, third).member_id == first


def test_whoever_proved_an_address_comes_first(rt: Runtime, shop: Storefront) -> None:
    shop.member("1")
    shop.know("1", "ada@example.test")
    proven = shop.member("2")
    shop.know("2", "ada@example.test", verified=True)
    assert find_member(rt, shop.program_id, ByEmail("ada@example.test")) == proven
    both = list_members(rt, shop.program_id, search="ada@example.test").members
    assert both[0].member_id == proven
    assert len(both) == 2


@pytest.mark.parametrize("search", ["#1001", "1001", "7", "{shop}:7", " ada@example.test "])
def test_staff_search_by_whatever_they_have(rt: Runtime, shop: Storefront, search: str) -> None:
    shop.see(make_order(order_ref="555", placed_at=after(days=1)))
    shop.know("7", "ada@example.test")
    shop.member("8")
    found = list_members(rt, shop.program_id, search=search.replace("{shop}", shop.shop.key))
    assert [one.member_id for one in found.members] == [shop.member("7")]


def test_another_programs_people_are_not_found(rt: Runtime, shop: Storefront) -> None:
    member_id = shop.member("7")
    shop.know("7", "ada@example.test")
    shop.see(make_order())
    other = make_program(rt)
    for who in (ById(member_id), ByCustomer(shop.shop.key, "7"), ByEmail("ada@example.test")):
        assert find_member(rt, other, who) is None
    for search in ("", "#1001", "7", f"{shop.shop.key}:7", "ada@example.test"):
        assert list_members(rt, other, search=search).members == ()
    for code, read in (
        ("unknown_member", lambda: describe_member(rt, other, member_id)),
        ("unknown_member", lambda: member_entries(rt, other, member_id)),
        ("unknown_member", lambda: list_rewards(rt, other, member_id=member_id)),
        ("unknown_order", lambda: describe_order(rt, other, shop.shop.key, "1001")),
        ("unknown_shop", lambda: describe_shopfront(rt, other, shop.shop.shop_id)),
    ):
        with pytest.raises(Refused) as refused:
            read()
        assert refused.value.code == code
    assert shopper_history(rt, other, member_id).items == ()
    assert find_redemptions(rt, other, member_id) == []


def test_a_long_list_takes_no_more_queries_than_a_short_one(rt: Runtime, shop: Storefront) -> None:
    def queries(read: Any) -> int:
        with counted(shop) as said:
            read()
        return len(said)

    shop.member("1", points=5)
    reads = [
        lambda: list_members(rt, shop.program_id),
        lambda: list_members(rt, shop.program_id, search="1001"),
        lambda: member_entries(rt, shop.program_id, shop.member("1")),
        lambda: shopper_history(rt, shop.program_id, shop.member("1")),
        lambda: find_redemptions(rt, shop.program_id, shop.member("1")),
        lambda: describe_order(rt, shop.program_id, shop.shop.key, "1001"),
    ]
    shop.see(make_order(customer_ref="1"))
    shop.see(make_order(order_ref="1002", customer_ref="1", state="open", paid_at=None))
    short = [queries(read) for read in reads]
    for number in range(2, 9):
        shop.member(str(number), points=number)
        shop.see(make_order(order_ref=f"a{number}", customer_ref="1"))
        shop.see(make_order(order_ref=f"b{number}", customer_ref="1", state="open", paid_at=None))
        shop.give(shop.member("1"), number)
    assert [queries(read) for read in reads] == short


def test_staff_reads_what_was_bought_with_the_symbol_of_its_currency(rt: Runtime, shop: Storefront) -> None:
    member_id = shop.member("1", points=120)
    request = RedeemRequest(
        program_id=shop.program_id,
        member_id=member_id,
        shop_id=shop.shop.shop_id,
        reward_key="amount-5",
        request_key="click-1",
        actor="shopper",
    )
    redeem(rt, request)
    bought, given = member_entries(rt, shop.program_id, member_id).entries
    assert (bought.title, bought.sentence) == ("€5.00 off", "100 points for “€5.00 off”.")
    assert given.title == "Given by staff"


# --- Figures -----------------------------------------------------------------------------------------------


def lot(points: int, *, hold: int = 0, days: int | None = None, source: str) -> Draft:
    expires = None if days is None else after(days=days)
    return Draft(EntryKind.EARN, points, source, 0, START, after(days=hold), expires, source)


def test_pending_and_expiring_name_the_soonest_moment_in_one_sum() -> None:
    book = Book((1, 1))
    book.credit(lot(10, hold=5, days=40, source="order:1"), now=START)
    book.credit(lot(20, hold=5, days=40, source="order:2"), now=START)
    book.credit(lot(40, hold=9, days=90, source="order:3"), now=START)
    book.credit(lot(80, source="order:4"), now=START)
    told = balance_of(book, START)
    assert (told.available, told.pending, told.deficit) == (80, 70, 0)
    assert told.pending_next == Due(30, after(days=5))
    assert told.expiring == Due(30, after(days=40))
    later = balance_of(book, after(days=9))
    assert (later.available, later.pending, later.pending_next) == (150, 0, None)


def test_a_deficit_is_filled_by_what_becomes_available() -> None:
    book = Book((1, 1))
    book.credit(lot(50, source="order:1"), now=START)
    book.redeem(Draft(EntryKind.REDEEM, -50, "redemption:1", 0, START), now=START)
    book.take_back(Draft(EntryKind.EARN_REVERSAL, -50, "order:1", 1, START, origin="order:1"), now=START)
    book.credit(lot(80, hold=3, source="order:2"), now=START)
    told = balance_of(book, START)
    assert (told.available, told.pending, told.deficit) == (-50, 80, 50)
    later = balance_of(book, after(days=3))
    assert (later.available, later.pending, later.deficit) == (30, 0, 0)


def test_the_way_to_the_next_tier_looks_back_a_year(rt: Runtime, shop: Storefront) -> None:
    with rt.db.begin(shop.program_id) as session:
        session.run("UPDATE shops SET counts_from = :at WHERE {fence}", at=NOW - timedelta(days=900))
    for ref, ago, goods in (("old", 400, "300.00"), ("new", 10, "120.00")):
        at = NOW - timedelta(days=ago)
        shop.see(make_order(order_ref=ref, goods=eur(goods), placed_at=at, paid_at=at, updated_at=at))
    told = describe_member(rt, shop.program_id, shop.member("7"))
    assert told.next_tier is not None
    assert (told.next_tier.tier.key, str(told.next_tier.spent), str(told.next_tier.missing)) == (
        "silver",
        "120.00",
        "380.00",
    )
    assert told.lifetime_points == 420


def test_what_points_are_worth_is_the_most_one_can_have_off(rt: Runtime, shop: Storefront) -> None:
    front = describe_shopfront(rt, shop.program_id, shop.shop.shop_id)
    assert front.worth(99, "member") is None
    assert front.worth(-5, "member") is None
    assert front.worth(1254, "member") == Money(6000, "EUR")


# --- Words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("money", "said"),
    [
        (Money(500, "EUR"), "€5.00"),
        (Money(123456, "USD"), "$1,234.56"),
        (Money(3000, "JPY"), "¥3,000"),
        (Money(1250, "KWD"), "KWD\u00a01.250"),
        (Money(100050, "IQD"), "IQD\u00a0100.050"),
        (Money(1, "HUF"), "HUF\u00a00.01"),
    ],
)
def test_money_has_the_currencys_own_decimals(money: Money, said: str) -> None:
    assert money_words(money) == said


def test_rewards_are_called_what_they_are() -> None:
    assert reward_title("Mug", RewardKind.AMOUNT, amount=eur("5.00"), percent=None, words=ENGLISH) == "Mug"
    assert reward_title("", RewardKind.AMOUNT, amount=eur("5.00"), percent=None, words=ENGLISH) == "€5.00 off"
    assert reward_title("", RewardKind.PERCENT, amount=None, percent=10, words=ENGLISH) == "10\u00a0% off"
    assert (
        reward_title("", RewardKind.FREE_SHIPPING, amount=None, percent=None, words=ENGLISH)
        == "Free shipping"
    )
    assert earn_words(Rate(3, 1000), "EUR", ENGLISH) == "3 points for every €10.00"
