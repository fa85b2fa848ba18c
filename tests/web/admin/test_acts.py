"""Each act: what it does, what it says, how it is undone; and hostile text everywhere."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from app.db import freezes
from app.domain.staff import Role
from app.services.drain_inbox import drain_inbox
from app.services.invite_shop import find_invitation, joins_by_link
from app.services.publish_program import list_versions, publish_program
from tests.conftest import NOW, Clock, Mails, make_program, unique
from tests.services.books import publish
from tests.services.jobs import run_jobs
from tests.web.admin.desk import Desk, World, order

LINK = re.compile(r"/admin/sign-in/[\w-]{43}")
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "{{7*7}}<svg/onload=alert(1)>",
    "</textarea><script>alert(1)</script>",
)


def _from(day: str) -> dict[str, Any]:
    return {"from": day}  # a word of Python's


# --- What the audit stops ----------------------------------------------------------------------------------


def freeze(desk: Desk) -> None:
    with desk.rt.db.begin(desk.program_id) as session:
        found = [("account:7", "points", "<b>905</b> points are stored, the entries give 900")]
        freezes.begin(session, found, now=desk.rt.now())


def test_every_page_says_that_points_cannot_be_spent_and_an_owner_lets_them(desk: Desk, world: World) -> None:
    assert "Points cannot be spent" not in desk.owner.get("/admin/")
    freeze(desk)
    for path in ("/admin/", "/admin/members", f"/admin/members/{world.member}"):
        assert "Points cannot be spent" in desk.as_(Role.VIEWER).get(path)
    page = desk.as_(Role.STAFF).get("/admin/freeze")
    assert "&lt;b&gt;905&lt;/b&gt; points are stored" in page
    assert "/admin/freeze/lift" not in page
    desk.as_(Role.STAFF).get("/admin/freeze/lift", 403)
    desk.owner.post("/admin/freeze/lift", 422, of="/admin/freeze/lift", reason="  ")
    desk.owner.post("/admin/freeze/lift", of="/admin/freeze/lift", reason="Restored the row")
    assert "Points cannot be spent" not in desk.owner.get("/admin/members")
    with desk.rt.db.begin(desk.program_id) as session:
        row = session.first("SELECT lifted_by, reason FROM freezes WHERE {fence}")
    assert row is not None
    assert tuple(row) == ("Ada owner", "Restored the row")
    desk.owner.get("/admin/freeze/lift", 404)


# --- Connecting --------------------------------------------------------------------------------------------


def test_an_owner_makes_a_link_by_which_one_more_shop_joins_this_program(desk: Desk) -> None:
    assert "Connect another shop" in desk.owner.get("/admin/shops")
    assert "Connect another shop" not in desk.as_(Role.STAFF).get("/admin/shops")
    page = desk.owner.post("/admin/connect", 200, platform="woocommerce").text
    assert "until 29 November 2026, 12:00" in page
    found = re.search(r"/install/woocommerce\?invitation=([\w-]{43})", page)
    assert found is not None
    assert find_invitation(desk.rt, found[1]).program_id == desk.program_id
    for _ in range(2):  # looking does not use it up
        assert "Join the program" in desk.app.test_client().get(found[0]).text


def test_no_link_is_made_that_leads_nowhere(desk: Desk) -> None:
    page = desk.owner.get("/admin/connect")
    for connector in desk.rt.connectors.values():
        assert connector.title in page
        offered = f'value="{connector.name}"' in page
        assert offered is joins_by_link(connector)
        assert (f"laurel connect {connector.name} --program" in page) is not offered
        desk.owner.post("/admin/connect", 200 if offered else 422, platform=connector.name)
    for platform in ("", "nothing"):
        desk.owner.post("/admin/connect", 422, platform=platform)


def test_a_program_without_a_shop_says_how_to_connect_one(desk: Desk) -> None:
    with desk.rt.db.begin(desk.program_id) as session:
        session.run("DELETE FROM shops WHERE {fence}")
    page = desk.owner.get("/admin/shops")
    assert 'href="/admin/connect"' in page
    assert all(connector.title in page for connector in desk.rt.connectors.values())
    assert 'href="/admin/connect"' not in desk.as_(Role.VIEWER).get("/admin/shops")


# --- Signing in --------------------------------------------------------------------------------------------


def test_a_link_signs_in_once_and_looking_does_not_use_it(desk: Desk, mails: Mails) -> None:
    desk.owner.post("/admin/staff/invite", 200, email="Bo@Shop.Test", name="Bo", role="viewer")
    to, _, text = mails.sent[-1]
    found = LINK.search(text)
    assert found is not None
    assert to == "bo@shop.test"
    client = desk.app.test_client()
    for _ in range(3):
        assert client.get(found[0]).status_code == 200
    visitor = type(desk.owner)(client)
    visitor.post(found[0], of=found[0])
    assert "Bo" in visitor.get("/admin/")
    assert desk.app.test_client().get(found[0]).status_code == 410


def test_a_link_ends_after_seven_days(desk: Desk, clock: Clock, mails: Mails) -> None:
    desk.owner.post("/admin/staff/invite", 200, email="bo@shop.test", name="Bo", role="staff")
    found = LINK.search(mails.sent[-1][2])
    assert found is not None
    clock.forward(days=7, seconds=1)
    assert desk.app.test_client().get(found[0]).status_code == 410


def test_asking_for_a_link_says_the_same_to_everybody(desk: Desk, mails: Mails, clock: Clock) -> None:
    known = f"{unique('bo')}@shop.test"
    desk.owner.post("/admin/staff/invite", 200, email=known, name="Bo", role="staff")
    sent = len(mails.sent)
    clock.forward(minutes=2)
    stranger = type(desk.owner)(desk.app.test_client())
    pages = []
    for email in (known, f"{known.upper()} ", "nobody@shop.test", "", "x" * 400):
        response = stranger.post("/admin/sign-in", 200, of="/admin/sign-in", email=email)
        pages.append(re.sub(r"nonce=\S+|value=\S+", "", response.text))
        response.close()
    assert len(set(pages)) == 1
    assert [to for to, _, _ in mails.sent[sent:]] == [known]  # and not twice within a minute


def test_after_signing_in_the_page_that_was_wanted_opens(desk: Desk, mails: Mails) -> None:
    desk.owner.post("/admin/staff/invite", 200, email="bo@shop.test", name="Bo", role="staff")
    found = LINK.search(mails.sent[-1][2])
    assert found is not None
    visitor = type(desk.owner)(desk.app.test_client())
    visitor.get("/admin/orders?show=held", 303)
    assert visitor.post(found[0], of=found[0]).headers["Location"] == "/admin/orders?show=held"


def test_sign_in_is_limited_by_address(desk: Desk) -> None:
    client = desk.app.test_client()
    statuses = [client.post("/admin/sign-in").status_code for _ in range(30)]
    assert statuses[0] == 400
    assert statuses[-1] == 429


def test_a_program_without_a_shop_says_what_to_do_first(desk: Desk) -> None:
    desk.program_id = make_program(desk.rt)
    page = desk.owner.get("/admin/")
    assert "Connect a shop" in page
    assert "Connect your first shop" in desk.owner.get("/admin/shops")


# --- Members -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["7@mail.test", "7", "#77", "77"])
def test_a_member_is_found(desk: Desk, what: str) -> None:
    desk.see(order("7", "40.00", "#77", at=NOW - timedelta(days=1)))
    desk.know("7", "Mara Lindqvist", "7@mail.test")
    page = desk.owner.get("/admin/members", query_string={"q": what})
    assert "Mara Lindqvist" in page
    assert "No member for" in desk.owner.get("/admin/members?q=unknown@mail.test")


def test_points_are_given_with_a_reason_and_undone_by_the_opposite(desk: Desk) -> None:
    member = desk.shopper("7", "40.00")
    staff = desk.as_(Role.STAFF)
    path = f"/admin/members/{member}/adjust"
    after = staff.get(f"{path}/after?points=1,000&direction=add", headers={"HX-Request": "true"})
    assert "1,040" in after
    fields: dict[str, Any] = {"points": "1,000", "reason": "Goodwill", "key": "k"}
    staff.post(path, **fields)
    staff.post(path, **fields)  # the same click twice
    assert desk.points(member) == 1040
    page = staff.get(f"/admin/members/{member}")
    undo = re.search(r'action="(/admin/adjustments/\d+/undo)"', page)
    assert "Goodwill" in page
    assert undo is not None
    staff.post(undo[1])
    staff.post(undo[1])
    assert desk.points(member) == 40
    assert "Undone: Goodwill" in staff.get(f"/admin/members/{member}")


def test_a_tier_is_given_until_a_day_and_taken_back(desk: Desk) -> None:
    member = desk.shopper("7", "40.00")
    staff = desk.as_(Role.STAFF)
    path = f"/admin/members/{member}/tier"
    assert "Last day" in staff.get(path)
    assert (
        "That day is over" in staff.post(path, 422, tier="gold", until="2020-01-01", reason="x", key="k").text
    )
    assert "Write a day" in staff.post(path, 422, tier="gold", until="soon", reason="x", key="k").text
    assert "Write a few words" in staff.post(path, 422, tier="gold", until="", reason=" ", key="k").text
    fields: dict[str, Any] = {"tier": "gold", "until": "2026-12-24", "reason": "Press", "key": "k"}
    staff.post(path, **fields)
    staff.post(path, **fields)  # the same click twice
    page = staff.get(f"/admin/members/{member}")
    assert "until 24 December 2026" in page
    assert page.count("Press") == 1
    undo = re.search(r'action="(/admin/given-tiers/\d+/undo)"', page)
    assert undo is not None
    staff.post(undo[1])
    assert "Taken back" in staff.get(f"/admin/members/{member}")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"points": "", "reason": "x"}, "whole number"),
        ({"points": "1.5", "reason": "x"}, "whole number"),
        ({"points": "-5", "reason": "x"}, "whole number"),
        ({"points": "99999999999999", "reason": "x"}, "whole number"),
        ({"points": "5", "reason": "  "}, "Write a few words"),
        ({"points": "41", "reason": "x", "direction": "take"}, "more than is available: 40 points"),
    ],
)
def test_a_wrong_adjustment_says_what_is_wrong_at_its_field(
    desk: Desk, fields: dict[str, Any], said: str
) -> None:
    member = desk.shopper("7", "40.00")
    page = desk.owner.post(f"/admin/members/{member}/adjust", 422, **fields).text
    assert said in page
    assert 'aria-invalid="true"' in page
    assert desk.points(member) == 40


def test_two_members_are_joined_and_parted(desk: Desk) -> None:
    one, other = desk.shopper("7", "40.00"), desk.shopper("8", "10.00")
    staff = desk.as_(Role.STAFF)
    assert "50 points" in staff.get(f"/admin/members/{one}/join?with=8@mail.test")
    assert "no other member" in staff.get(f"/admin/members/{one}/join?with=7@mail.test", 422)
    to = staff.post(f"/admin/members/{one}/join", other=str(other)).headers["Location"]
    page = staff.get(to)
    undo = re.search(r'action="(/admin/joins/\d+/undo)"', page)
    assert desk.points(min(one, other)) == 50
    assert undo is not None
    staff.post(undo[1])
    assert (desk.points(one), desk.points(other)) == (40, 10)


def test_a_member_is_forgotten_for_good(desk: Desk) -> None:
    member = desk.shopper("7", "40.00")
    desk.as_(Role.STAFF).get(f"/admin/members/{member}/erase", 403)
    assert "cannot be undone" in desk.owner.post(f"/admin/members/{member}/erase", 422).text
    desk.owner.post(f"/admin/members/{member}/erase", sure="yes")
    page = desk.owner.get(f"/admin/members/{member}")
    assert "Mara" not in desk.owner.get(f"/admin/members/{member}")
    assert "Erased" in page
    assert "Wants to be forgotten" in desk.owner.get("/admin/privacy")


def test_what_is_stored_of_a_person_is_handed_over(desk: Desk, world: World) -> None:
    response = desk.owner.client.get(f"/admin/members/{world.member}/data.json")
    data = json.loads(response.text)
    assert "attachment" in response.headers["Content-Disposition"]
    assert data["identities"][0]["email"] == "mara.lindqvist@mail.test"
    assert sum(one["points"] for one in data["entries"]) == data["balance"]["available"] == 905
    desk.owner.post(f"/admin/privacy/{world.request}/done")
    assert "Handed over" not in desk.owner.get("/admin/privacy")


# --- Codes, deliveries, shops ------------------------------------------------------------------------------


def test_a_perk_is_handed_over_and_was_not_after_all(desk: Desk, world: World) -> None:
    shop = desk.shop_key
    tea = {"key": "tea", "title": "Tea", "kind": "perk", "cost": 10, "stock": 3, "shops": [shop]}
    most = {"key": "most", "kind": "percent", "cost": 10, "percent": 10, "maximum_minor": 100}
    publish(desk.rt, desk.program_id, rewards=[tea, most])
    bought = desk.buy(desk.shopper("77", "100.00"), "tea")
    staff = desk.as_(Role.STAFF)
    assert "Handed over" in staff.get("/admin/redemptions?show=open")
    staff.post(f"/admin/redemptions/{bought}/hand-over")
    page = staff.get("/admin/redemptions?show=used")
    assert "Not handed over" in page
    staff.post(f"/admin/redemptions/{bought}/hand-over", undo="yes")
    assert "Tea" in staff.get("/admin/redemptions?show=open")
    rewards = staff.get("/admin/rewards")
    assert f"only at {shop}, 3 in all" in rewards
    assert "2 left" in rewards
    assert "Not to be had" in rewards  # this shop's platform has no maximum
    assert "Tea" in staff.get("/admin/program")
    assert "It is not to be handed over any more." in staff.get(f"/admin/redemptions/{bought}/cancel")


def test_of_a_balance_staff_see_what_is_left_and_what_comes_back(desk: Desk) -> None:
    credit = {"key": "credit", "kind": "store_credit", "cost": 10, "amount_minor": 500}
    publish(desk.rt, desk.program_id, rewards=[credit])
    member = desk.shopper("77", "100.00")
    bought = desk.buy(member, "credit")
    with desk.rt.db.begin(desk.program_id) as session:
        session.run(
            "UPDATE redemptions SET state = 'issued', left_minor = 350, issued_at = requested_at WHERE {fence} "
            "AND id = :id",
            id=bought,
        )
    staff = desk.as_(Role.STAFF)
    assert "€3.50 of €5.00 left" in staff.get("/admin/redemptions?show=open")
    assert "€3.50 of €5.00 left" in staff.get(f"/admin/members/{member}")
    assert "7 points come back" in staff.get(f"/admin/redemptions/{bought}/cancel")


def test_a_code_is_cancelled(desk: Desk, world: World) -> None:
    staff = desk.as_(Role.STAFF)
    assert "100 points come back" in staff.get(f"/admin/redemptions/{world.redemption}/cancel")
    staff.post(f"/admin/redemptions/{world.redemption}/cancel")
    assert "Being withdrawn" in staff.get("/admin/redemptions?show=open")


def test_failed_deliveries_are_replayed_one_or_all_with_progress(desk: Desk) -> None:
    first, second = desk.fail_delivery(b'{"id": 1}'), desk.fail_delivery(b'{"id": 2}')
    staff = desk.as_(Role.STAFF)
    assert "24.9O" in staff.get("/admin/deliveries")
    to = staff.post("/admin/deliveries/replay", id=str(first)).headers["Location"]
    page = staff.get(to)
    poll = re.search(r'hx-get="(/admin/deliveries/progress[^"]+)"', page)
    assert "Replaying 1 delivery" in page
    assert poll is not None
    drain_inbox(desk.rt)
    ended = poll[1].replace("&amp;", "&")
    assert "1 failed again" in staff.get(ended, 286)
    assert (
        staff.post("/admin/deliveries/replay", all="yes")
        .headers["Location"]
        .startswith("/admin/deliveries?replayed=2")
    )
    assert "Choose at least one" in staff.post("/admin/deliveries/replay", 422).text
    assert second


def test_what_a_shop_sent_is_text_for_owners_only(desk: Desk) -> None:
    number = desk.fail_delivery(b'{"note": "<script>alert(1)</script>"}')
    path = f"/admin/deliveries/{NOW.date()}/{number}/body"
    desk.as_(Role.STAFF).get(path, 403)
    page = desk.owner.get(path)
    assert "&lt;script&gt;" in page
    assert "<script>" not in page


def test_comparing_now_shows_how_far_it_is(desk: Desk) -> None:
    staff = desk.as_(Role.STAFF)
    to = staff.post(f"/admin/shops/{desk.shop_key}/reconcile").headers["Location"]
    page = staff.get(to.partition("#")[0])
    assert "0 of 4 done" in page
    desk.compare()
    poll = re.search(r'hx-get="(/admin/shops/[^"]+/progress[^"]+)"', page)
    assert poll is not None
    assert "1 of 4 done" in staff.get(poll[1].replace("&amp;", "&"))


def test_counting_from_another_day_is_shown_before_it_is_done(desk: Desk) -> None:
    member = desk.shopper("7", "40.00")
    with desk.rt.db.begin(desk.program_id) as session:
        session.run("UPDATE shops SET state = 'unchecked' WHERE {fence}")  # nothing to be asked at the shop
    path = f"/admin/shops/{desk.shop_key}/counting"
    desk.as_(Role.STAFF).get(path, 403)
    asked = desk.owner.post(f"{path}/preview", of=path, **_from(NOW.date().isoformat())).headers["Location"]
    page = desk.owner.get(asked)
    assert "as soon as a worker is free" in page
    poll = re.search(rf'hx-get="({path}/preview/\d+)"', page)
    assert poll is not None
    assert desk.points(member) == 40
    run_jobs(desk.rt, desk.program_id)
    for page in (desk.owner.get(asked), desk.owner.get(poll[1])):
        assert "−40 points" in page
        assert "hx-trigger" not in page.partition('id="cost"')[2]
    assert desk.points(member) == 40
    desk.owner.post(path, **_from(NOW.date().isoformat()))
    assert f"{NOW.day} November 2026, 00:00" in desk.owner.get(f"/admin/shops/{desk.shop_key}")
    assert "Choose a day" in desk.owner.post(f"{path}/preview", 422, of=path, **_from("never")).text
    desk.owner.get(f"{path}?preview=999999", 404)


def test_a_shop_that_lets_us_in_no_more_says_how_to_reconnect(desk: Desk) -> None:
    with desk.rt.db.begin(desk.program_id) as session:
        session.run("UPDATE shops SET access_problem = 'The key was revoked.' WHERE {fence}")
    page = desk.owner.get(f"/admin/shops/{desk.shop_key}")
    assert "The key was revoked." in page
    assert "connect" in page
    assert "lets us in no more" in desk.owner.get("/admin/")


# --- Program and staff -------------------------------------------------------------------------------------


def test_a_program_is_checked_compared_and_published(desk: Desk) -> None:
    document = json.loads(json.dumps(list_versions(desk.rt, desk.program_id)[0].document))
    wrong = {**document, "currency": "EURO", "codes": {"days": 0, "unused": "burn"}}
    page = desk.owner.post("/admin/program/check", 422, document=json.dumps(wrong), based_on="1").text
    assert all(field in page for field in ("currency", "codes.days", "codes.unused"))
    assert "line 1" in desk.owner.post("/admin/program/check", 422, document="{", based_on="1").text
    document["rewards"][0]["cost"] = 120
    page = preview(desk, document, note="Dearer")
    assert "rewards.amount-5.cost" in page
    assert 'value="Dearer"' in page
    assert ">Publish</button>" in page
    desk.as_(Role.STAFF).post("/admin/program/publish", 403, document=json.dumps(document))
    desk.owner.post("/admin/program/publish", document=json.dumps(document), based_on="1", note="Dearer")
    program = desk.owner.get("/admin/program")
    assert "120 points" in program
    assert "Dearer" in program
    late = desk.owner.post("/admin/program/publish", 422, document=json.dumps(document), based_on="1").text
    assert "published meanwhile" in late
    assert "100" in desk.owner.get("/admin/program/edit?from=1")


def preview(desk: Desk, document: dict[str, Any], note: str = "") -> str:
    """The page of what publishing would do, once the job is done."""
    text = json.dumps(document)
    asked = desk.owner.post("/admin/program/check", document=text, based_on="1", note=note)
    run_jobs(desk.rt, desk.program_id)
    return desk.owner.get(asked.location)


def test_who_would_change_tier_is_worked_out_by_a_job(desk: Desk) -> None:
    desk.shopper("7", "600.00")
    document = json.loads(json.dumps(list_versions(desk.rt, desk.program_id)[0].document))
    document["tiers"]["levels"][2]["from_minor"] = 55_000
    asked = desk.owner.post("/admin/program/check", document=json.dumps(document), based_on="1").location
    waiting = desk.owner.get(asked)
    assert "as soon as a worker is free" in waiting
    assert ">Publish</button>" not in waiting  # first it is shown, then done
    assert f'hx-get="{asked}/progress"' in desk.owner.get(f"{asked}/progress")
    run_jobs(desk.rt, desk.program_id)
    told = desk.owner.get(f"{asked}/progress")
    assert "1 member up to <b>Gold</b>, at once." in told
    assert "hx-get" not in told
    publish_program(desk.rt, desk.program_id, document, by="somebody else")
    assert "Version 2 was published meanwhile" in desk.owner.get(asked)
    same = preview(desk, document)
    assert "it is the same as the live version" in same
    assert ">Publish</button>" not in same


def test_a_preview_can_be_stopped_and_is_stopped_by_the_next(desk: Desk) -> None:
    document = json.loads(json.dumps(list_versions(desk.rt, desk.program_id)[0].document))
    document["rewards"][0]["cost"] = 120
    text = json.dumps(document)
    first = desk.owner.post("/admin/program/check", document=text, based_on="1").location
    desk.owner.post(f"{first}/stop")
    assert "It was stopped." in desk.owner.get(first)
    second = desk.owner.post("/admin/program/check", document=text, based_on="1").location
    number = second.rpartition("/")[2]
    third = desk.owner.post("/admin/program/check", document=text, based_on="1", preview=number).location
    run_jobs(desk.rt, desk.program_id)
    assert "It was stopped." in desk.owner.get(first)
    assert "It was stopped." in desk.owner.get(second)
    assert "1 change" in desk.owner.get(third)


def test_a_currency_with_points_stays(desk: Desk) -> None:
    desk.shopper("7", "40.00")
    document = {**list_versions(desk.rt, desk.program_id)[0].document, "currency": "USD"}
    page = desk.owner.post("/admin/program/check", 422, document=json.dumps(document), based_on="1").text
    assert "keeps its currency" in page


def test_the_last_owner_cannot_be_removed_or_made_less(desk: Desk) -> None:
    desk.owner.get("/admin/")
    with desk.rt.db.begin(desk.program_id) as session:
        row = session.first("SELECT id, email FROM staff WHERE {fence}")
    assert row is not None
    assert "only owner" in desk.owner.post(f"/admin/staff/{row.id}/remove", 422).text
    page = desk.owner.post("/admin/staff/invite", 422, email=row.email, name="Ada", role="viewer").text
    assert "only owner" in page


@pytest.mark.parametrize(
    ("email", "name"), [("no address", "Bo"), ("bo@shop.test", ""), ("a@b\r\nBcc: x@y", "Bo")]
)
def test_a_wrong_invitation_invites_nobody(desk: Desk, mails: Mails, email: str, name: str) -> None:
    desk.owner.get("/admin/")
    sent = len(mails.sent)
    desk.owner.post("/admin/staff/invite", 422, email=email, name=name, role="staff")
    assert len(mails.sent) == sent


# --- Hostile text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_shown_as_text_wherever_it_comes_from(desk: Desk, text: str) -> None:
    desk.see(order("7", "40.00", text, at=NOW - timedelta(days=1), order_ref="77"))
    desk.know("7", text, "7@mail.test")
    member = desk.member("7")
    desk.fail_delivery(text.encode(), reason=text)
    with desk.rt.db.begin(desk.program_id) as session:
        session.run("UPDATE shops SET name = :text, access_problem = :text WHERE {fence}", text=text)
    owner = desk.owner
    owner.post(f"/admin/members/{member}/adjust", points="5", reason=text)
    owner.post("/admin/staff/invite", 200, email="bo@shop.test", name=text, role="viewer")
    pages = [
        "/admin/", "/admin/members", f"/admin/members/{member}", f"/admin/members/{member}/adjust",
        f"/admin/members/{member}/erase", "/admin/orders", f"/admin/orders/{desk.shop_key}/77", "/admin/deliveries",
        "/admin/shops", f"/admin/shops/{desk.shop_key}", "/admin/staff",
    ]  # fmt: skip
    for path in pages:
        page = owner.get(path)
        assert text not in page, path
    for path in ("/admin/members", "/admin/orders", "/admin/redemptions"):
        assert text not in owner.get(path, query_string={"q": text})
    page = owner.post("/admin/program/check", 422, document=text, based_on="1", note=text).text
    assert text not in page


# --- Members to look at ------------------------------------------------------------------------------------------


def test_what_was_noticed_is_shown_decided_and_taken_back(desk: Desk, world: World) -> None:
    page = desk.as_(Role.VIEWER).get("/admin/reviews")
    assert "41 activities that earned within 24 hours. More than 40 are looked at." in page
    assert "Points wait" in page
    assert "/allow" not in page  # a viewer decides nothing
    path = f"/admin/reviews/{world.review}"
    assert "Being checked" in desk.owner.get(f"/admin/members/{world.other}")
    desk.owner.post(f"{path}/refuse", 422, of=f"{path}/refuse", reason=" ")
    desk.owner.post(f"{path}/refuse", of=f"{path}/refuse", reason=HOSTILE[0])
    assert "Blocked" in desk.owner.get(f"/admin/members/{world.other}")
    page = desk.owner.get("/admin/reviews")
    assert HOSTILE[0] not in page
    assert "Refused" in page
    desk.owner.post(f"{path}/undo", of=f"{path}/undo", reason="The wrong one")
    desk.owner.post(f"{path}/allow", of=f"{path}/allow", reason="Runs a tea house")
    page = desk.owner.get("/admin/reviews")
    assert all(word in page for word in ("Allowed", "Taken back", "Runs a tea house", "Ada owner"))
    assert "Being checked" not in desk.owner.get(f"/admin/members/{world.other}")
    desk.owner.get(f"{path}/nonsense", 404)


def test_the_queue_is_empty_and_says_what_it_is_for(desk: Desk) -> None:
    assert "Nobody to look at" in desk.owner.get("/admin/reviews")
