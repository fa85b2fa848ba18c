"""A member's card: shown to its member, found by staff and by the merchant's systems, and no key to anything."""

import re

import pytest
from flask import Flask

from app.domain.staff import Role
from app.services.create_api_key import create_api_key
from app.services.erase_member import erase_member
from app.services.export_member import export_member
from app.services.find_by_card import find_by_card
from app.services.find_merges import join_members
from app.services.member_card import Card, member_card, replace_card
from app.services.runtime import Runtime
from tests.conftest import make_program
from tests.web.admin.desk import Desk
from tests.web.hosted.visitors import with_cookie
from tests.web.shoppers import Storefront, make_storefront


@pytest.fixture
def desk(rt: Runtime, app: Flask) -> Desk:
    return Desk(rt, app)


def grid(card: Card) -> list[str]:
    """The drawn path, as rows of # and spaces."""
    rows = [[" "] * card.size for _ in range(card.size)]
    for x, y, run in re.findall(r"M(\d+) (\d+)\.5h(\d+)", card.path):
        rows[int(y)][int(x) : int(x) + int(run)] = "#" * int(run)
    return ["".join(row) for row in rows]


def test_a_card_stays_the_same_until_another_is_asked_for(storefront: Storefront) -> None:
    rt, program_id, ada = storefront.rt, storefront.program_id, storefront.member("7")
    first = member_card(rt, program_id, ada)
    assert re.fullmatch("([0-9A-HJKMNP-TV-Z]{4} ?){3}", first.code)
    assert member_card(rt, program_id, ada) == first
    second = replace_card(rt, program_id, ada)
    assert second.code != first.code
    assert member_card(rt, program_id, ada) == second
    assert find_by_card(rt, program_id, second.code) == ada
    told = storefront.client.get(
        f"/api/v1/members/by-card/{first.code}", headers={"Authorization": f"Bearer {key(rt, program_id)}"}
    )
    assert told.status_code == 404


def test_the_drawing_is_the_code_as_a_reader_sees_it(storefront: Storefront) -> None:
    card = member_card(storefront.rt, storefront.program_id, storefront.member("7"))
    rows = grid(card)
    corner = ["#######", "#     #", "# ### #", "# ### #", "# ### #", "#     #", "#######"]
    assert card.size == 21  # the smallest there is: read from further away
    assert [row[:7] for row in rows[:7]] == corner
    assert [row[-7:] for row in rows[:7]] == corner
    assert [row[:7] for row in rows[-7:]] == corner


def test_nothing_in_the_database_is_a_card(storefront: Storefront) -> None:
    card = member_card(storefront.rt, storefront.program_id, storefront.member("7"))
    row = str(storefront.scalar("SELECT to_jsonb(m) FROM members m WHERE {fence:m}"))
    assert card.code.replace(" ", "") not in row.upper()


@pytest.mark.parametrize("typed", ["{0}", "{0} ", "-{0}-", "lower", "hyphens", "plain", "as it looks"])
def test_a_card_is_found_however_it_was_typed(storefront: Storefront, typed: str) -> None:
    rt, program_id, ada = storefront.rt, storefront.program_id, storefront.member("7")
    code = member_card(rt, program_id, ada).code
    said = {
        "lower": code.lower(),
        "hyphens": code.replace(" ", "-"),
        "plain": code.replace(" ", ""),
        "as it looks": code.replace("0", "O").replace("1", "l"),
    }.get(typed, typed.format(code))
    assert find_by_card(rt, program_id, said) == ada


def key(rt: Runtime, program_id: int) -> str:
    return create_api_key(rt, program_id, "till").token


def test_the_api_finds_the_member_and_nobody_of_another_program(storefront: Storefront) -> None:
    rt = storefront.rt
    ada = storefront.member("7", points=120)
    code = member_card(rt, storefront.program_id, ada).code
    path = f"/api/v1/members/by-card/{code}"
    own = {"Authorization": f"Bearer {key(rt, storefront.program_id)}"}
    found = storefront.client.get(path, headers=own).get_json()
    assert (found["id"], found["balance"]["available"]) == (ada, 120)
    other = make_program(rt)
    stranger = {"Authorization": f"Bearer {key(rt, other)}"}
    told = storefront.client.get(path, headers=stranger)
    assert (told.status_code, told.get_json()["code"]) == (404, "unknown_card")
    assert storefront.client.get(path).status_code == 401
    # Nor does the same member's number in another program give the same card.
    assert len({member_card(rt, storefront.program_id, ada).code, _same_place(rt, storefront)}) == 2


def _same_place(rt: Runtime, storefront: Storefront) -> str:
    other = make_storefront(rt, storefront.client, make_program(rt))
    return member_card(rt, other.program_id, other.member("7")).code


def test_a_card_is_no_proof_of_who_asks(app: Flask, storefront: Storefront) -> None:
    """A photograph of it signs nobody in, and spends nothing."""
    code = member_card(storefront.rt, storefront.program_id, storefront.member("7", points=120)).code
    for proof in (code, code.replace(" ", "")):
        headers = {"Authorization": f"Bearer {proof}"}
        for path in ("/storefront/v1/me", "/api/v1/members"):
            told = storefront.client.get(path, query_string={"key": storefront.shop.key}, headers=headers)
            assert told.status_code == 401
        told = with_cookie(app, storefront, "api/me", proof.replace(" ", ""))
        assert told.status_code == 401


def test_whoever_was_merged_is_found_by_both_cards(storefront: Storefront) -> None:
    rt, program_id = storefront.rt, storefront.program_id
    one, other = storefront.member("7"), storefront.member("8")
    cards = [member_card(rt, program_id, member_id).code for member_id in (one, other)]
    winner = join_members(rt, program_id, one, other, actor="Ada").winner_id
    assert [find_by_card(rt, program_id, code) for code in cards] == [winner, winner]
    assert member_card(rt, program_id, other) == member_card(rt, program_id, winner)


def test_an_erased_members_card_is_nobodys_and_they_were_told_it_before(
    storefront: Storefront, desk: Desk
) -> None:
    rt, program_id, ada = storefront.rt, storefront.program_id, storefront.member("7")
    code = member_card(rt, program_id, ada).code
    assert export_member(rt, program_id, ada)["card"] == code
    erase_member(rt, program_id, ada)
    told = storefront.client.get(
        f"/api/v1/members/by-card/{code}", headers={"Authorization": f"Bearer {key(rt, program_id)}"}
    )
    assert told.status_code == 404
    assert export_member(rt, program_id, ada)["card"] is None


def test_staff_opens_the_member_and_a_viewer_may_not_look(desk: Desk) -> None:
    rt = desk.rt
    shop = make_storefront(rt, desk.app.test_client(), desk.program_id)
    ada = shop.member("7", points=120)
    code = member_card(rt, desk.program_id, ada).code
    staff = desk.as_(Role.STAFF)
    page = staff.client.get("/admin/card")
    assert "camera=(self)" in page.headers["Permissions-Policy"]
    assert "camera=()" in staff.client.get("/admin/members").headers["Permissions-Policy"]
    token = staff.token("/admin/card")
    done = staff.client.post("/admin/card", data={"csrf_token": token, "code": code.lower()})
    assert (done.status_code, done.headers["Location"]) == (303, f"/admin/members/{ada}")
    wrong = staff.client.post("/admin/card", data={"csrf_token": token, "code": "<b>0000 0000 0000"})
    assert (wrong.status_code, "nobody’s card" in wrong.text, "<b>" in wrong.text) == (404, True, False)
    assert desk.as_(Role.VIEWER).client.get("/admin/card").status_code == 403
