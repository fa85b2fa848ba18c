"""What is shown of a member: everything that moved points, and nothing personal unasked."""

import pytest

from app.db import members
from app.domain.errors import Refused
from app.services.runtime import Runtime
from app.services.show_member import show_member
from tests.conftest import Clock
from tests.services.histories import History, make_history


@pytest.fixture
def past(rt: Runtime, clock: Clock) -> History:
    past = make_history(rt, clock)
    past.buy("7", "a", "150.00")
    past.redeem(past.member("7"))
    key = (past.shop.shop.shop_id, "7")
    with rt.db.begin(past.program_id) as session:
        members.put_personal(
            session,
            rt.vault,
            members.find_identities(session, [key])[key],
            email="Ada@example.test",
            email_verified=True,
            name="Ada",
            now=rt.now(),
        )
    return past


def test_found_by_id_by_the_shops_number_and_by_address(past: History) -> None:
    refs = (str(past.member("7")), f"{past.shop.shop.key}:7", "ada@EXAMPLE.test")
    for ref in refs:
        shown = show_member(past.rt, past.program_id, ref)
        assert (shown.member.balance.available, shown.member.lifetime_points) == (50, 150)
        assert [one.entry.points for one in shown.entries] == [-100, 150]
        assert all(one.sentence for one in shown.entries)


def test_addresses_and_names_only_where_they_are_asked_for(past: History) -> None:
    (bare,) = show_member(past.rt, past.program_id, str(past.member("7"))).member.identities
    assert (bare.customer_ref, bare.email, bare.name) == ("7", None, None)
    (full,) = show_member(past.rt, past.program_id, str(past.member("7")), personal=True).member.identities
    assert (full.email, full.name) == ("Ada@example.test", "Ada")


@pytest.mark.parametrize(
    ("ref", "code"),
    [("999999999", "unknown_member"), ("no-shop:7", "unknown_member"), ("ada", "bad_request")],
)
def test_what_means_nobody_is_said_so(past: History, ref: str, code: str) -> None:
    with pytest.raises(Refused, match=code):
        show_member(past.rt, past.program_id, ref)
