"""An address is proven by the link that we mailed, followed and confirmed by a person; then what waits is theirs."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.domain.errors import Refused, Retryable
from app.services.due_email_proofs import due_email_proofs
from app.services.erase_customer import erase_customer
from app.services.runtime import Runtime
from app.services.send_email_proof import send_email_proof
from app.web import create_app
from tests.conftest import NOW, Clock, Mails, make_program
from tests.factories import eur, make_order
from tests.services.books import publish
from tests.services.jobs import run_jobs
from tests.web.shoppers import Storefront, make_storefront
from tests.web.test_storefront import HOSTILE, YESTERDAY, placed

ADDRESS = "ada@example.test"


@pytest.fixture
def ada(storefront: Storefront) -> int:
    """A member with an address, and a guest's order behind it. Returns her identity."""
    storefront.member("7")
    guest = placed(YESTERDAY, customer_ref=None, email=ADDRESS)
    storefront.see(make_order(goods=eur("40.00"), **guest))
    return storefront.know("7", ADDRESS)


def link(mails: Mails) -> str:
    found = re.search(r"https://laurel\.example(/confirm/\S+)", mails.sent[-1][2])
    assert found is not None
    return found[1]


def available(storefront: Storefront, customer: str = "7") -> int:
    return int(storefront.get("me", customer).get_json()["member"]["balance"]["available"])


def test_where_no_mail_is_sent_nobody_is_offered_a_link(rt: Runtime, program_id: int, mails: Mails) -> None:
    silent = replace(rt, sends_mail=False)
    storefront = make_storefront(silent, create_app(silent).test_client(), program_id)
    guest = placed(YESTERDAY, customer_ref=None, email=ADDRESS)
    storefront.see(make_order(goods=eur("40.00"), **guest))
    storefront.know("7", ADDRESS)
    first, again = (storefront.get("me").get_json()["member"]["email_proof"] for _ in range(2))
    assert (first, again) == (None, None)  # joining and coming back are two ways through the code


def test_from_the_widget_to_the_points(storefront: Storefront, mails: Mails, ada: int) -> None:
    assert storefront.get("me").get_json()["member"]["email_proof"] == "wanted"
    asked = storefront.post("email-proof")
    assert (asked.status_code, asked.get_json()) == (202, {"email_proof": "sent"})
    to, subject, text = mails.sent[-1]
    assert to == ADDRESS
    assert storefront.shop.key in subject
    assert "until 24 November 2026, 12:00." in text
    assert storefront.get("me").get_json()["member"]["email_proof"] == "sent"
    client = storefront.client
    assert "Is this your e-mail address?" in client.get(link(mails)).text
    assert available(storefront) == 0
    done = client.post(link(mails))
    assert (done.status_code, "is confirmed" in done.text) == (200, True)
    assert available(storefront) == 40
    assert storefront.get("me").get_json()["member"]["email_proof"] is None


def test_looking_at_the_link_confirms_nothing(storefront: Storefront, mails: Mails, ada: int) -> None:
    storefront.post("email-proof")
    for method in ("GET", "HEAD", "OPTIONS"):
        storefront.client.open(link(mails), method=method)
    assert storefront.scalar("SELECT email_verified FROM identities WHERE {fence}") is False
    assert available(storefront) == 0


def test_the_page_tells_and_loads_nothing(storefront: Storefront, mails: Mails, ada: int) -> None:
    storefront.set_shop(name=HOSTILE)
    storefront.post("email-proof")
    page = storefront.client.get(link(mails), headers={"Accept": "text/html"})
    assert "<script>" not in page.text
    assert "<img" not in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "private, no-store"
    assert link(mails).rpartition("/")[2] not in page.text


def test_a_link_works_once(app: Flask, storefront: Storefront, mails: Mails, ada: int) -> None:
    storefront.post("email-proof")
    together = threading.Barrier(8)

    def follow(_: int) -> int:
        client = app.test_client()
        together.wait()
        return client.post(link(mails)).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(follow, range(8))) == [200] + [410] * 7
    assert storefront.client.get(link(mails)).status_code == 410


def test_a_link_ends_after_two_days(storefront: Storefront, mails: Mails, ada: int, clock: Clock) -> None:
    storefront.post("email-proof")
    clock.forward(hours=48, seconds=1)
    assert storefront.client.post(link(mails)).status_code == 410
    assert storefront.get("me").get_json()["member"]["email_proof"] == "wanted"


@pytest.mark.parametrize("token", ["x", "A" * 43, "%00", "..", "A" * 5000])
def test_a_made_up_link_is_no_link(client: FlaskClient, token: str) -> None:
    for answer in (client.get(f"/confirm/{token}"), client.post(f"/confirm/{token}")):
        assert answer.status_code in (404, 410)


def test_a_link_proves_only_the_address_it_was_mailed_to(
    storefront: Storefront, mails: Mails, ada: int
) -> None:
    """Else: have a link sent to yourself, change your address at the shop to somebody else's, and follow it."""
    storefront.know("7", "eve@example.test")
    storefront.post("email-proof")
    storefront.know("7", ADDRESS)
    assert storefront.client.post(link(mails)).status_code == 410
    assert available(storefront) == 0


def test_the_address_comes_from_the_shop_and_never_from_the_page(
    storefront: Storefront, mails: Mails, ada: int
) -> None:
    storefront.post("email-proof", {"email": "eve@example.test", "to": "eve@example.test"})
    assert [to for to, _, _ in mails.sent] == [ADDRESS]


def test_at_most_one_mail_an_hour(storefront: Storefront, mails: Mails, ada: int, clock: Clock) -> None:
    assert storefront.post("email-proof").status_code == 202
    again = storefront.post("email-proof")
    assert (again.status_code, again.get_json()["code"], len(mails.sent)) == (429, "too_many", 1)
    assert int(again.headers["Retry-After"]) > 0
    clock.forward(hours=1)
    assert storefront.post("email-proof").status_code == 202
    assert len(mails.sent) == 2


def test_sixteen_clicks_are_one_mail(app: Flask, storefront: Storefront, mails: Mails, ada: int) -> None:
    together = threading.Barrier(16)

    def click(_: int) -> int:
        mine = Storefront(storefront.rt, app.test_client(), storefront.program_id, storefront.shop)
        together.wait()
        return mine.post("email-proof").status_code

    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(click, range(16))) == [202] + [429] * 15
    assert len(mails.sent) == 1


def test_nothing_to_prove_is_said(storefront: Storefront, mails: Mails) -> None:
    storefront.member("7")
    assert storefront.post("email-proof").get_json()["code"] == "nothing_to_prove"
    storefront.know("7", ADDRESS, verified=True)
    assert storefront.post("email-proof").get_json()["code"] == "nothing_to_prove"
    assert mails.sent == []


def test_a_mail_that_could_not_be_sent_does_not_count(
    storefront: Storefront, rt: Runtime, mails: Mails, ada: int
) -> None:
    def broken(to: str, subject: str, text: str) -> None:
        raise Retryable("smtp.example: no answer")

    with pytest.raises(Retryable):
        send_email_proof(replace(rt, send_mail=broken), storefront.program_id, ada, language="en")
    assert send_email_proof(rt, storefront.program_id, ada, language="en")
    assert len(mails.sent) == 1


def test_without_mail_the_page_says_so_and_names_no_setting(
    storefront: Storefront, rt: Runtime, ada: int
) -> None:
    def none(to: str, subject: str, text: str) -> None:
        raise Refused("no_mail", "This installation sends no mail: set SMTP_URL.")

    quiet = replace(rt, send_mail=none)
    shop = replace(storefront, rt=quiet, client=create_app(quiet).test_client())
    answer = shop.post("email-proof")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "no_mail")
    assert "SMTP" not in answer.text
    assert shop.get("me").get_json()["member"]["email_proof"] == "wanted"


def test_a_shops_name_breaks_no_mail(storefront: Storefront, mails: Mails, ada: int) -> None:
    storefront.set_shop(name="Fern\r\nBcc: eve@example.test\n & Field")
    storefront.post("email-proof")
    assert mails.sent[0][1] == "Confirm your e-mail address for Fern Bcc: eve@example.test & Field"


def test_proving_joins_the_members_of_one_address(
    rt: Runtime, client: FlaskClient, storefront: Storefront, mails: Mails
) -> None:
    """One balance over two shops: the other proved it by its platform, this one by our link."""
    other = make_storefront(rt, client, storefront.program_id, platform="shopify")
    other.member("1", points=100)
    other.know("1", ADDRESS, verified=True)
    storefront.member("7", points=20)
    storefront.know("7", ADDRESS)
    assert available(storefront) == 20
    storefront.post("email-proof")
    client.post(link(mails))
    assert available(storefront) == available(other, "1") == 120


# --- Without being asked -----------------------------------------------------------------------------------


def waiting(storefront: Storefront) -> list[int]:
    """Identities that a job waits for."""
    with storefront.rt.db.outside() as connection:
        rows = connection.exec_driver_sql(
            "SELECT args FROM procrastinate_jobs WHERE task_name = 'send_email_proof' AND status = 'todo'"
        ).all()
    return [row.args["identity_id"] for row in rows if row.args["program_id"] == storefront.program_id]


def test_who_should_prove_an_address_is_written_to_once(
    storefront: Storefront, ada: int, clock: Clock
) -> None:
    assert due_email_proofs(storefront.rt, storefront.program_id) == 1
    due_email_proofs(storefront.rt, storefront.program_id)  # the job still waits: not a second one
    assert waiting(storefront) == [ada]
    assert run_jobs(storefront.rt, storefront.program_id) == ["send_email_proof"]
    clock.forward(days=30)
    assert due_email_proofs(storefront.rt, storefront.program_id) == 0


def test_nobody_is_written_to_without_a_reason(
    rt: Runtime, client: FlaskClient, storefront: Storefront
) -> None:
    storefront.member("7")
    storefront.know("7", ADDRESS)  # nothing waits
    storefront.know("8", "guest@example.test")  # not a member
    storefront.see(make_order(**placed(YESTERDAY, customer_ref=None, email="guest@example.test")))
    storefront.member("9")
    storefront.know("9", "proven@example.test", verified=True)
    elsewhere = make_storefront(rt, client, make_program(rt))
    elsewhere.member("1")
    elsewhere.know("1", ADDRESS, verified=True)  # another program's people are nobody's business
    assert due_email_proofs(rt, storefront.program_id) == 0


def test_a_member_elsewhere_is_a_reason(rt: Runtime, client: FlaskClient, storefront: Storefront) -> None:
    other = make_storefront(rt, client, storefront.program_id)
    for shop in (other, storefront):
        shop.member("7")
        shop.know("7", ADDRESS)
    assert due_email_proofs(rt, storefront.program_id) == 2
    assert storefront.get("me").get_json()["member"]["email_proof"] == "wanted"


def test_who_was_erased_is_not_written_to(storefront: Storefront, mails: Mails, ada: int) -> None:
    storefront.post("email-proof")
    with storefront.rt.db.begin(storefront.program_id) as session:
        erase_customer(session, storefront.rt.vault, storefront.shop.shop_id, "7", email=None, now=NOW)
    assert due_email_proofs(storefront.rt, storefront.program_id) == 0
    assert storefront.client.get(link(mails)).status_code == 410
    assert storefront.client.post(link(mails)).status_code == 410
    assert send_email_proof(storefront.rt, storefront.program_id, ada, language="en") is False


@pytest.mark.parametrize(
    ("language", "mail", "page", "done"),
    [
        (
            "de",
            "bis 24. November 2026, 12:00.",
            "Ist das deine E-Mail-Adresse?",
            "Deine Adresse ist bestätigt",
        ),
        ("ru", "до: 24 ноября 2026", "Это ваш адрес почты?", "Ваш адрес подтверждён"),
        ("ar", "حتى", "هل هذا بريدك الإلكتروني؟", "تم تأكيد بريدك"),
    ],
)
def test_mail_and_page_are_in_the_shoppers_language_and_the_merchants_look(
    storefront: Storefront, mails: Mails, ada: int, language: str, mail: str, page: str, done: str
) -> None:
    publish(storefront.rt, storefront.program_id, look={"accent": "#ffd400"})
    storefront.client.post(
        "/storefront/v1/email-proof",
        query_string={"key": storefront.shop.key, "lang": language},
        json={"shop": storefront.shop.key},
        headers={"Authorization": f"Bearer {storefront.token()}"},
    )
    assert mail in mails.sent[-1][2]
    assert "Hello" not in mails.sent[-1][2]
    reader = {"Accept-Language": language, "Accept": "text/html"}
    shown = storefront.client.get(link(mails), headers=reader).text
    assert page in shown
    assert f'<html lang="{language}"' in shown
    assert "/ffd400-10/look.css" in shown
    assert done in storefront.client.post(link(mails), headers=reader).text
    again = storefront.client.get(link(mails), headers=reader)
    assert again.status_code == 410
    assert "already" not in again.text
    assert f'<html lang="{language}"' in again.text


def test_without_a_language_of_ours_the_mail_is_in_the_programs(
    storefront: Storefront, mails: Mails, ada: int
) -> None:
    publish(storefront.rt, storefront.program_id, language="et")
    storefront.post("email-proof")
    assert mails.sent[-1][1].startswith("Kinnita oma e-posti aadress")
