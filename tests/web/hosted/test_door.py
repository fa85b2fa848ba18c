"""Who gets in at a shop's page, and who does not: each link once, each cookie only as long as it should be."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from flask import Flask

from app.domain.errors import Retryable
from app.services.erase_customer import erase_customer
from app.services.runtime import Runtime
from app.web import create_app
from app.web.hosted.door import MAILS
from app.web.hosted.guard import COOKIE, MARK
from tests.conftest import Clock, Mails, make_program
from tests.services.books import publish
from tests.services.crowd import REFERRAL, VISIT
from tests.web.hosted.visitors import OURS, links, signed_in, visit, with_cookie
from tests.web.shoppers import Storefront, make_storefront

ADA = "ada@example.test"


@pytest.fixture
def ada(storefront: Storefront) -> int:
    """A member with 120 points, whose address is proven. Returns her identity."""
    storefront.member("7", points=120)
    return storefront.know("7", ADA, verified=True)


def test_from_the_address_to_the_points(app: Flask, storefront: Storefront, mails: Mails, ada: int) -> None:
    visitor = visit(app, storefront)
    assert visitor.me().get_json()["signed_in"] is False
    assert "Look into your mail" in visitor.ask(" Ada@Example.test ").text
    (link,) = links(mails)
    assert mails.sent[0][0] == ADA
    for _ in range(3):  # a mail scanner may look as often as it likes
        assert "Welcome" in visitor.client.get(link, base_url=OURS).text
    done = visitor.enter(link)
    assert (done.status_code, done.headers["Location"]) == (303, visitor.home)
    assert visitor.points == 120
    assert visitor.get("api/rewards").get_json()["rewards"][0]["state"] == "ready"


def test_the_cookie_is_the_pages_own_and_out_of_reach_of_scripts(
    app: Flask, storefront: Storefront, mails: Mails, ada: int
) -> None:
    visitor = visit(app, storefront)
    visitor.ask(ADA)
    told = {
        one.partition("=")[0]: one for one in visitor.enter(links(mails)[0]).headers.getlist("Set-Cookie")
    }
    assert set(told) == {COOKIE, MARK}  # none of Flask's own
    for one in told.values():
        assert all(part in one for part in ("; Secure", "; SameSite=Strict", f"; Path={visitor.home}"))
        assert "Domain" not in one
    assert "HttpOnly" in told[COOKIE]
    assert "HttpOnly" not in told[MARK]
    mark = visitor.cookie(MARK)
    assert mark is not None
    assert mark not in (visitor.cookie(COOKIE) or "")  # it opens nothing and tells nothing


def test_a_link_works_once_even_for_two_at_the_same_moment(
    app: Flask, storefront: Storefront, mails: Mails, ada: int
) -> None:
    visit(app, storefront).ask(ADA)
    together = threading.Barrier(8)

    def enter(_: int) -> int:
        visitor = visit(app, storefront)
        together.wait()
        return visitor.enter(links(mails)[0]).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(enter, range(8))) == [303, *[410] * 7]
    late = visit(app, storefront)
    assert late.client.get(links(mails)[0], base_url=OURS).status_code == 410
    assert late.me().get_json()["member"] is None


def test_a_link_is_over_after_half_an_hour(
    app: Flask, storefront: Storefront, mails: Mails, ada: int, clock: Clock
) -> None:
    visitor = visit(app, storefront)
    visitor.ask(ADA)
    clock.forward(minutes=31)
    assert visitor.enter(links(mails)[0]).status_code == 410
    assert visitor.cookie(COOKIE) is None


@pytest.mark.parametrize(
    "email", ["nobody@example.test", "", "x", "ada@example.test\r\nBcc: x@y.z", "a" * 400]
)
def test_whether_an_address_is_known_is_not_told(
    app: Flask, storefront: Storefront, mails: Mails, ada: int, email: str
) -> None:
    known, unknown = visit(app, storefront).ask(ADA), visit(app, storefront).ask(email)
    assert (known.status_code, known.text) == (unknown.status_code, unknown.text)
    assert {name for name, _ in known.headers} == {name for name, _ in unknown.headers}
    assert [to for to, _, _ in mails.sent] == [ADA]


def test_the_mail_goes_out_after_the_answer(rt: Runtime, storefront: Storefront, ada: int) -> None:
    """So that its time tells nothing either."""
    order: list[str] = []
    app = create_app(replace(rt, send_mail=lambda to, subject, text: order.append("mail")))
    chunks = app.test_client().open(
        f"/my/{storefront.shop.key}/sign-in", method="POST", data={"email": ADA}, base_url=OURS,
        headers={"Origin": OURS}, buffered=False,
    )  # fmt: skip
    assert b"".join(chunks.iter_encoded())
    order.append("answer")
    chunks.close()
    assert order == ["answer", "mail"]


def test_one_mail_a_minute_however_often_it_is_asked_for(
    app: Flask, storefront: Storefront, mails: Mails, ada: int, clock: Clock
) -> None:
    asked = [visit(app, storefront).ask(ADA).status_code for _ in range(5)]
    assert asked == [200, 200, 200, 429, 429]  # for an address, known or not
    assert len(mails.sent) == 1
    clock.forward(seconds=61)
    visit(app, storefront).ask(ADA)
    assert len(mails.sent) == 2


def test_many_addresses_from_one_place_are_refused(app: Flask, storefront: Storefront) -> None:
    visitor = visit(app, storefront)
    asked = [visitor.ask(f"somebody{number}@example.test").status_code for number in range(25)]
    assert asked == [*[200] * 20, *[429] * 5]


def test_a_mail_that_did_not_go_out_may_be_tried_at_once(
    rt: Runtime, storefront: Storefront, mails: Mails, ada: int
) -> None:
    def broken(to: str, subject: str, text: str) -> None:
        raise Retryable("mail.example: 451")

    assert visit(create_app(replace(rt, send_mail=broken)), storefront).ask(ADA).status_code == 200
    kept = "SELECT count(*) FROM directory WHERE kind = 'member_sign_in' AND program_id = :program_id OR NOT :fenced"
    assert storefront.scalar(f"{kept} AND {{fence}}", fenced=True) == 0
    visit(create_app(rt), storefront).ask(ADA)
    assert len(mails.sent) == 1


def test_an_address_that_nobody_proved_does_not_sign_in_and_is_asked_to_be_proven(
    app: Flask, storefront: Storefront, mails: Mails
) -> None:
    """A shop that takes any address of its customers must not let them into somebody else's account."""
    storefront.member("7", points=120)
    storefront.know("7", ADA)
    visitor = visit(app, storefront)
    said = visitor.ask(ADA).text
    assert said == visitor.ask("nobody@example.test").text
    assert links(mails) == []
    ((to, _, text),) = mails.sent
    assert to == ADA
    assert "If you made that account yourself" in text
    proof = text.partition(OURS)[2].split()[0]
    done = visitor.client.post(proof, base_url=OURS)
    assert f'href="{OURS}{visitor.home}"' in done.text
    visitor.ask(ADA)
    assert visitor.enter(links(mails)[0]).status_code == 303
    assert visitor.points == 120


def test_whoever_never_joined_gets_no_proof_mailed(app: Flask, storefront: Storefront, mails: Mails) -> None:
    storefront.know("7", ADA)
    visit(app, storefront).ask(ADA)
    assert mails.sent == []


def test_another_shops_page_of_the_program_sends_to_the_one_that_knows_the_address(
    rt: Runtime, app: Flask, storefront: Storefront, mails: Mails, ada: int
) -> None:
    second = make_storefront(rt, storefront.client, storefront.program_id)
    visit(app, second).ask(ADA)
    (link,) = links(mails)
    assert link.startswith(f"/my/{storefront.shop.key}/")
    other = link.replace(storefront.shop.key, second.shop.key)
    assert visit(app, second).enter(other).status_code == 410
    visitor = visit(app, storefront)
    assert visitor.enter(link).status_code == 303  # which was not used up by the wrong page
    assert visitor.points == 120


def test_another_programs_link_and_cookie_open_nothing(
    rt: Runtime, app: Flask, storefront: Storefront, mails: Mails, ada: int
) -> None:
    stranger = make_storefront(rt, storefront.client, make_program(rt))
    stranger.member("7", points=5000)
    stranger.know("7", ADA, verified=True)
    visit(app, storefront).ask(ADA)
    link = links(mails)[0].replace(storefront.shop.key, stranger.shop.key)
    assert visit(app, stranger).enter(link).status_code == 410
    visitor = signed_in(app, stranger, mails, ADA)
    assert visitor.points == 5000
    thief = visit(app, storefront)
    thief.client.set_cookie(
        COOKIE, visitor.cookie(COOKIE) or "", domain="laurel.example", path=thief.home, secure=True
    )
    assert thief.me().status_code == 401


@pytest.mark.parametrize("cookie", ["x" * 43, "é", ""])
def test_a_cookie_that_is_no_good_is_not_taken_for_a_stranger(
    app: Flask, storefront: Storefront, cookie: str
) -> None:
    told = with_cookie(app, storefront, "api/me", cookie)
    assert (told.status_code, told.get_json()["code"]) == (401, "unproven")


def test_a_cookie_stolen_before_is_worth_nothing_after_sign_out(
    app: Flask, storefront: Storefront, mails: Mails, ada: int
) -> None:
    visitor = signed_in(app, storefront, mails, ADA)
    stolen = visitor.cookie(COOKIE)
    done = visitor.post("sign-out")
    assert (done.status_code, done.headers["Location"]) == (303, visitor.home)
    assert (visitor.cookie(COOKIE), visitor.cookie(MARK)) == (None, None)
    assert visitor.me().get_json()["member"] is None
    assert stolen is not None
    assert with_cookie(app, storefront, "api/me", stolen).status_code == 401


def test_signing_out_everywhere_ends_every_device_and_every_link(
    rt: Runtime, app: Flask, storefront: Storefront, mails: Mails, ada: int, clock: Clock
) -> None:
    second = make_storefront(rt, storefront.client, storefront.program_id)
    here = signed_in(app, storefront, mails, ADA)
    second.know("9", ADA, verified=True)
    with rt.db.begin(storefront.program_id) as session:
        session.run("UPDATE identities SET member_id = (SELECT member_id FROM identities WHERE {fence} AND id = :id) "
                    "WHERE {fence} AND shop_id = :shop", id=ada, shop=second.shop.shop_id)  # fmt: skip
    there = signed_in(app, second, mails, ADA)
    clock.forward(minutes=2)
    phone = signed_in(app, storefront, mails, ADA)
    clock.forward(minutes=2)
    visit(app, storefront).ask(ADA)
    assert (here.points, there.points, phone.points) == (120, 120, 120)
    here.post("sign-out", data={"everywhere": "yes"})
    assert [one.me().status_code for one in (there, phone)] == [401, 401]
    assert visit(app, storefront).enter(links(mails)[-1]).status_code == 410


def test_signing_out_at_another_programs_page_ends_nothing_here(
    rt: Runtime, app: Flask, storefront: Storefront, mails: Mails, ada: int
) -> None:
    stranger = make_storefront(rt, storefront.client, make_program(rt))
    visitor = signed_in(app, storefront, mails, ADA)
    cookie = visitor.cookie(COOKIE) or ""
    told = with_cookie(app, stranger, "sign-out", cookie, method="POST", data={"everywhere": "yes"})
    assert told.status_code == 303
    assert visitor.points == 120


def test_a_session_ends_a_month_after_the_last_visit_and_half_a_year_after_the_first(
    app: Flask, storefront: Storefront, mails: Mails, ada: int, clock: Clock
) -> None:
    visitor = signed_in(app, storefront, mails, ADA)
    for _ in range(7):
        clock.forward(days=25)
        assert visitor.me().status_code == 200
    clock.forward(days=6)
    assert visitor.me().status_code == 401
    visitor = signed_in(app, storefront, mails, ADA)
    clock.forward(days=31)
    assert visitor.me().status_code == 401


def test_whoever_is_erased_is_signed_out_and_no_link_is_kept(
    rt: Runtime, app: Flask, storefront: Storefront, mails: Mails, ada: int
) -> None:
    visitor = signed_in(app, storefront, mails, ADA)
    with rt.db.begin(storefront.program_id) as session:
        erase_customer(session, rt.vault, storefront.shop.shop_id, "7", email=ADA, now=rt.now())
    assert visitor.me().status_code == 401
    assert storefront.scalar("SELECT count(*) FROM directory WHERE {fence} AND target_id = :id", id=ada) == 0


@pytest.mark.parametrize("change", ["another address", "the proof is gone", "made one with another"])
def test_a_session_is_good_only_while_the_address_is_the_proven_one(
    rt: Runtime, app: Flask, storefront: Storefront, mails: Mails, ada: int, change: str
) -> None:
    visitor = signed_in(app, storefront, mails, ADA)
    match change:
        case "another address":
            storefront.know("7", "eve@example.test", verified=True)
        case "the proof is gone":
            storefront.know("7", None)
        case _:
            with rt.db.begin(storefront.program_id) as session:
                session.run(
                    "UPDATE identities SET gone_at = :now WHERE {fence} AND id = :id", id=ada, now=rt.now()
                )
    assert visitor.me().status_code == 401


def test_a_shop_that_left_has_no_page(app: Flask, storefront: Storefront, mails: Mails, ada: int) -> None:
    visitor = signed_in(app, storefront, mails, ADA)
    storefront.set_shop(state="uninstalled")
    for path in ("", "sign-in", "manifest.webmanifest", "worker.js", "api/me", "api/card"):
        assert visitor.get(path).status_code == 404, path
    assert visitor.ask(ADA).status_code == 404
    assert visit(app, storefront).client.get("/my/no-such-shop/", base_url=OURS).status_code == 404


ACTS = (
    "sign-in",
    "sign-out",
    "api/join",
    "api/redemptions",
    "api/card",
    "api/referral-code",
    "api/email-proof",
)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://laurel.example.evil.example", None]
)
def test_no_other_page_acts_for_whoever_is_signed_in(
    app: Flask, storefront: Storefront, mails: Mails, ada: int, origin: str | None
) -> None:
    visitor = signed_in(app, storefront, mails, ADA)
    for act in ACTS:
        told = visitor.post(act, origin=origin, json={"reward": "amount-5", "request_key": "k"})
        assert told.status_code == 403, act
    assert visitor.points == 120
    told = visitor.post("api/card", origin=None, headers={"Sec-Fetch-Site": "same-origin"})
    assert told.status_code == 201  # a browser that says it the other way


def test_a_page_that_lets_nobody_in_still_says_what_the_program_gives(
    app: Flask, storefront: Storefront
) -> None:
    told = visit(app, storefront).get()
    for text in ("1 point for every €1.00", "Silver", "€500.00", "€5.00 off", "100 points", "Free shipping"):
        assert text in told.text
    assert "noindex" in told.headers["X-Robots-Tag"]


def test_the_page_is_the_same_for_everybody(
    app: Flask, storefront: Storefront, mails: Mails, ada: int
) -> None:
    """It is kept on devices, so nothing of anybody's may stand in it."""
    visitor = signed_in(app, storefront, mails, ADA)
    assert visitor.get().text == visit(app, storefront).get().text
    assert visitor.get("worker.js").text == visit(app, storefront).get("worker.js").text


def test_without_its_slash_the_page_leads_to_itself(app: Flask, storefront: Storefront) -> None:
    """Else a worker or a cookie of one shop would be good for others whose keys begin the same."""
    told = app.test_client().get(f"/my/{storefront.shop.key}?lang=de", base_url=OURS)
    assert (told.status_code, told.headers["Location"]) == (308, f"/my/{storefront.shop.key}/?lang=de")


def test_nothing_of_anybody_elses_is_loaded_and_nothing_written_into_the_page(
    app: Flask, storefront: Storefront
) -> None:
    for path in ("", "sign-in"):
        told = visit(app, storefront).get(path)
        policy = told.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "<style" not in told.text
        assert " style=" not in told.text
        assert "onclick" not in told.text
        assert "<script>" not in told.text


@pytest.mark.parametrize("language", ["de", "fr", "es", "pl", "et", "ru", "ar"])
def test_page_door_and_mail_are_in_the_readers_language(
    app: Flask, storefront: Storefront, mails: Mails, ada: int, language: str
) -> None:
    visitor = visit(app, storefront)
    for path in ("", "sign-in"):
        text = visitor.get(path, query_string={"lang": language}).text
        assert (
            f'<html lang="{language}"{" dir=" + chr(34) + "rtl" + chr(34) if language == "ar" else ""}>'
            in text
        )
        for english in ("Sign in", "Show card", "Rewards<", "Levels", "E-mail<"):
            assert english not in text, (path, english)
    visitor.post("sign-in", query_string={"lang": language}, data={"email": ADA})
    assert "Hello" not in mails.sent[0][2]
    assert len(links(mails)) == 1


SAID = {
    "de": ("Hier ist nichts", "Einen solchen Shop gibt es hier nicht."),
    "ar": ("لا شيء هنا", "لا يوجد متجر كهذا هنا."),
}


@pytest.mark.parametrize("language", SAID)
def test_what_is_not_there_is_said_in_the_readers_language(
    app: Flask, storefront: Storefront, language: str
) -> None:
    visitor = visit(app, storefront)
    reader = {"Accept-Language": language, "Accept": "text/html"}
    nothing, no_shop = SAID[language]
    told = visitor.get("no/such/page", headers=reader)
    assert (told.status_code, nothing in told.text) == (404, True)
    gone = visitor.client.get("/my/no-such-shop/", base_url=OURS, headers=reader)
    assert (gone.status_code, no_shop in gone.text) == (404, True)
    for answer in (told, gone):
        assert f'<html lang="{language}"' in answer.text
        assert "Not found" not in answer.text
        assert "Number of this message" not in answer.text


def test_a_page_that_is_not_there_is_said_in_the_programs_language_to_whom_speaks_none_of_ours(
    app: Flask, storefront: Storefront, rt: Runtime
) -> None:
    publish(rt, storefront.program_id, language="et")
    told = visit(app, storefront).get("nowhere", headers={"Accept-Language": "pt", "Accept": "text/html"})
    assert "Siin pole midagi" in told.text
    gone = visit(app, storefront).client.get(
        "/my/none/", base_url=OURS, headers={"Accept-Language": "pt", "Accept": "text/html"}
    )
    assert "There is no such shop here." in gone.text


def test_too_many_questions_are_refused_in_the_readers_language(app: Flask, storefront: Storefront) -> None:
    visitor = visit(app, storefront)
    reader = {"Accept-Language": "fr", "Accept": "text/html"}
    answers = [
        visitor.post("sign-in", data={"email": "x@example.test"}, headers=reader) for _ in range(MAILS + 1)
    ]
    assert [one.status_code for one in answers] == [*[200] * MAILS, 429]
    assert "Retry-After" in answers[-1].headers
    assert "C’était très souvent." in answers[-1].text
    assert '<html lang="fr">' in answers[-1].text


def test_other_ways_to_earn_stand_on_the_page_while_they_run(
    rt: Runtime, app: Flask, storefront: Storefront
) -> None:
    mine = {**VISIT, "name": "<i>Come by</i>", "points": 7}
    over = {**VISIT, "key": "old", "name": "Old", "during": {"ends": "2026-01-01T00:00"}}
    publish(rt, storefront.program_id, referral=REFERRAL, activities=[mine, over])
    told = visit(app, storefront).get().text
    assert "&lt;i&gt;Come by&lt;/i&gt;" in told
    assert "7 points" in told
    assert "A friend’s first order" in told
    assert "Old" not in told
    assert visit(app, storefront).me().get_json()["program"]["referral"] is True
