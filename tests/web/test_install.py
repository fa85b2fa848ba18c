"""A merchant connects a shop in the browser: the stand-in shop at one end, our pages at the other."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from app.db import shops
from app.domain.errors import Refused
from app.services.invite_shop import invite_shop, spend_invitation
from app.services.runtime import Runtime
from app.web import create_app
from sandbox.hosts import HostMap
from sandbox.woocommerce import Shop
from sandbox.woocommerce import create_app as serve
from tests.conftest import NOW, Clock, make_program, unique


@dataclass
class Merchant:
    """A browser, the shop it administers, and Laurel, each reached by the others without a network."""

    rt: Runtime
    shop: Shop
    hosts: HostMap
    browser: FlaskClient
    host: str

    def begin(self, **form: str) -> str:
        """Fill the form; the address that we are sent to."""
        answer = self.browser.post("/install/woocommerce", data={"url": self.host, **form})
        assert answer.status_code == 303
        return answer.headers["Location"]

    def approve(self, consent: str) -> httpx.Response:
        """Press “Approve” on the shop's own page, which posts us the keys first; its answer leads back to us."""
        with self.hosts.client() as client:
            query = urlsplit(consent).query
            return client.get(f"https://{self.host}/wc-auth/v1/access_granted/?{query}&wc_auth_nonce=x")

    def serve_anew(self, rt: Runtime) -> None:
        """Laurel's process is another one, with this runtime's keys; the browser keeps its cookies."""
        self.rt = replace(rt, http=self.hosts)
        app = create_app(self.rt)
        self.hosts.hosts["laurel.example"] = app
        self.browser.application = app

    def come_back(self, answer: httpx.Response, browser: FlaskClient | None = None) -> TestResponse:
        back = urlsplit(answer.headers["Location"])
        return (browser or self.browser).get(f"{back.path}?{back.query}", headers={"Accept": "text/html"})


@pytest.fixture
def merchant(rt: Runtime) -> Merchant:
    return make_merchant(rt)


def make_merchant(rt: Runtime) -> Merchant:
    host = f"{unique('shop')}.example"
    hosts = HostMap()
    ours = replace(rt, http=hosts)
    app = create_app(ours)
    shop = Shop(clock=lambda: NOW, url=f"https://{host}", client=hosts.client(), name=unique("Fern"))
    hosts.hosts.update({host: serve(shop), "laurel.example": app})
    return Merchant(ours, shop, hosts, app.test_client(), host)


def shop_of(merchant: Merchant) -> tuple[int, shops.ShopRow] | None:
    with merchant.rt.db.outside() as connection:
        found = connection.execute(
            text("SELECT program_id, target_id FROM directory WHERE kind = 'shop_ref' AND key = :key"),
            {"key": f"woocommerce https://{merchant.host}"},
        ).first()
    if found is None:
        return None
    with merchant.rt.db.begin(found.program_id) as session:
        return found.program_id, shops.get_shop(session, found.target_id)


def waiting_jobs(merchant: Merchant) -> int:
    with merchant.rt.db.outside() as connection:
        return int(
            connection.execute(
                text(
                    "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'set_up_shop' AND args->>'program_id' = :p"
                ),
                {"p": str((shop_of(merchant) or (0,))[0])},
            ).scalar_one()
        )


def post_keys(merchant: Merchant, state: str, **changes: str) -> TestResponse:
    key = merchant.shop.api_key()
    told = {
        "key_id": key.id,
        "user_id": state,
        "consumer_key": key.consumer_key,
        "consumer_secret": key.consumer_secret,
        "key_permissions": "read_write",
    }
    return merchant.browser.application.test_client().post(  # without the browser's cookie: a server
        "/install/woocommerce/callback", data=json.dumps({**told, **changes}), content_type="application/json"
    )


def state_of(consent: str) -> str:
    return parse_qs(urlsplit(consent).query)["user_id"][0]


def test_a_merchant_agrees_and_the_shop_is_connected_with_a_program_of_its_own(merchant: Merchant) -> None:
    page = merchant.browser.get("/install/woocommerce", headers={"Accept": "text/html"})
    assert 'name="url"' in page.text
    answer = merchant.come_back(merchant.approve(merchant.begin()))
    assert answer.status_code == 200
    assert "is connected" in answer.text
    found = shop_of(merchant)
    assert found is not None
    program_id, shop = found
    assert (shop.state, shop.currency, shop.timezone) == ("connected", "USD", "America/Los_Angeles")
    with merchant.rt.db.begin(program_id) as session:
        credentials = shops.get_secrets(session, merchant.rt.vault, shop.shop_id).credentials
    assert credentials["consumer_key"].startswith("ck_")
    assert waiting_jobs(merchant) == 1
    for secret in credentials.values():
        assert secret not in answer.text


def test_the_keys_wait_for_the_browser_that_began_and_are_answered_200(merchant: Merchant) -> None:
    answer = merchant.approve(merchant.begin())
    assert answer.status_code == 302
    assert shop_of(merchant) is None
    with merchant.rt.db.outside() as connection:
        held = connection.execute(
            text("SELECT string_agg(details::text, ' ') FROM directory WHERE kind = 'nonce'")
        )
        assert "cs_" not in str(held.scalar())


def test_another_browser_cannot_finish_but_the_first_still_can(merchant: Merchant) -> None:
    answer = merchant.approve(merchant.begin())
    stranger = merchant.browser.application.test_client()
    assert merchant.come_back(answer, stranger).status_code == 403
    assert shop_of(merchant) is None
    assert merchant.come_back(answer).status_code == 200


def test_the_way_back_works_once(merchant: Merchant) -> None:
    answer = merchant.approve(merchant.begin())
    assert merchant.come_back(answer).status_code == 200
    again = merchant.come_back(answer)
    assert (again.status_code, "Start again" in again.text) == (410, True)


def test_a_second_post_of_keys_is_refused(merchant: Merchant) -> None:
    consent = merchant.begin()
    assert post_keys(merchant, state_of(consent)).status_code == 200
    assert post_keys(merchant, state_of(consent)).status_code == 410


def test_it_takes_ten_minutes_at_most(merchant: Merchant, clock: Clock) -> None:
    consent = merchant.begin()
    clock.forward(minutes=10, seconds=1)
    assert post_keys(merchant, state_of(consent)).status_code == 410


def test_a_state_that_we_never_gave_out_is_refused(merchant: Merchant) -> None:
    assert post_keys(merchant, "a-state-of-somebody-else").status_code == 410
    assert shop_of(merchant) is None


def test_keys_that_the_shop_does_not_know_are_refused(merchant: Merchant) -> None:
    consent = merchant.begin()
    posted = post_keys(merchant, state_of(consent), consumer_key="ck_" + "0" * 40)
    assert posted.status_code == 422
    back = f"/install/woocommerce/callback?success=1&user_id={state_of(consent)}"
    assert merchant.browser.get(back).status_code == 410
    assert shop_of(merchant) is None


def test_keys_that_may_only_read_are_refused(merchant: Merchant) -> None:
    posted = post_keys(merchant, state_of(merchant.begin()), key_permissions="read")
    assert posted.status_code == 422


def test_coming_back_before_the_keys_says_what_to_do(merchant: Merchant) -> None:
    state = state_of(merchant.begin())
    answer = merchant.browser.get(
        f"/install/woocommerce/callback?success=1&user_id={state}", headers={"Accept": "text/html"}
    )
    assert (answer.status_code, "did not reach us" in answer.text) == (422, True)


def test_a_merchant_who_denies_is_told_that_nothing_was_connected(merchant: Merchant) -> None:
    state = state_of(merchant.begin())
    answer = merchant.browser.get(f"/install/woocommerce/callback?success=0&user_id={state}")
    assert (answer.status_code, "nothing was connected" in answer.text) == (200, True)
    assert post_keys(merchant, state).status_code == 410


def test_a_merchant_who_came_from_the_shop_is_back_there(merchant: Merchant) -> None:
    page = f"https://{merchant.host}/wp-admin/admin.php?page=laurel"
    begun = merchant.browser.get(
        "/install/woocommerce", query_string={"url": f"https://{merchant.host}", "back": page}
    )
    answer = merchant.come_back(merchant.approve(begun.headers["Location"]))
    assert (answer.status_code, answer.headers["Location"]) == (303, page)
    assert shop_of(merchant) is not None


def test_a_merchant_from_the_shop_who_denies_is_back_there_too_and_it_is_said(merchant: Merchant) -> None:
    page = f"https://{merchant.host}/wp-admin/admin.php"
    for back, expected in (
        (f"{page}?page=laurel", f"{page}?page=laurel&laurel=denied"),
        (page, f"{page}?laurel=denied"),
    ):
        state = state_of(merchant.begin(back=back))
        answer = merchant.browser.get(f"/install/woocommerce/callback?success=0&user_id={state}")
        assert (answer.status_code, answer.headers["Location"]) == (303, expected)
        assert post_keys(merchant, state).status_code == 410


@pytest.mark.parametrize("page", ["https://evil.example/", "//evil.example", "https://{host}.evil.example/"])
def test_nobody_is_sent_on_to_another_site(merchant: Merchant, page: str) -> None:
    answer = merchant.come_back(merchant.approve(merchant.begin(back=page.replace("{host}", merchant.host))))
    assert (answer.status_code, "is connected" in answer.text) == (200, True)


def test_coming_back_reconnects_the_same_shop(merchant: Merchant) -> None:
    merchant.come_back(merchant.approve(merchant.begin()))
    first = shop_of(merchant)
    answer = merchant.come_back(merchant.approve(merchant.begin()))
    assert "Welcome back" in answer.text
    second = shop_of(merchant)
    assert first is not None
    assert second is not None
    assert (first[0], first[1].shop_id) == (second[0], second[1].shop_id)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1", "localhost", "", "https://a:b@shop.example", "10.0.0.8"]
)
def test_an_address_that_is_no_shop_is_refused(merchant: Merchant, address: str) -> None:
    answer = merchant.browser.post("/install/woocommerce", data={"url": address})
    assert answer.status_code in (400, 422)


def test_a_platform_that_we_do_not_know_is_404(merchant: Merchant) -> None:
    for path in ("/install/nothing", "/install/nothing/callback"):
        assert merchant.browser.get(path).status_code == 404


def test_an_invitation_names_the_program_and_joins_it(merchant: Merchant) -> None:
    program_id = make_program(merchant.rt, currency="USD")
    link = urlsplit(invite_shop(merchant.rt, program_id, "woocommerce").link)
    page = merchant.browser.get(f"{link.path}?{link.query}", headers={"Accept": "text/html"})
    assert "Join the program “Sprig”" in page.text
    assert shop_of(merchant) is None
    token = parse_qs(link.query)["invitation"][0]
    answer = merchant.come_back(merchant.approve(merchant.begin(invitation=token)))
    assert answer.status_code == 200
    found = shop_of(merchant)
    assert found is not None
    assert found[0] == program_id
    assert merchant.browser.get(f"{link.path}?{link.query}").status_code == 410


def test_an_old_invitation_is_refused(merchant: Merchant, clock: Clock) -> None:
    link = urlsplit(invite_shop(merchant.rt, make_program(merchant.rt), "woocommerce").link)
    clock.forward(days=8)
    assert merchant.browser.get(f"{link.path}?{link.query}").status_code == 410


def test_a_shop_of_one_program_cannot_join_another_by_invitation(merchant: Merchant) -> None:
    merchant.come_back(merchant.approve(merchant.begin()))
    before = shop_of(merchant)
    link = urlsplit(invite_shop(merchant.rt, make_program(merchant.rt), "woocommerce").link)
    token = parse_qs(link.query)["invitation"][0]
    answer = merchant.come_back(merchant.approve(merchant.begin(invitation=token)))
    assert answer.status_code == 409
    assert shop_of(merchant) == before


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
)
def test_another_sites_form_agrees_to_nothing(merchant: Merchant, headers: dict[str, str]) -> None:
    answer = merchant.browser.post("/install/woocommerce", data={"url": merchant.host}, headers=headers)
    assert answer.status_code == 403


def test_our_own_form_is_taken(merchant: Merchant) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": "https://laurel.example"}
    answer = merchant.browser.post("/install/woocommerce", data={"url": merchant.host}, headers=headers)
    assert answer.status_code == 303
    cookie = answer.headers["Set-Cookie"]
    assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=Lax", "Path=/install"))


def test_pages_that_need_no_form_are_opened_from_the_shop(merchant: Merchant) -> None:
    answer = merchant.browser.get("/install/shopify", headers={"Accept": "text/html"})
    assert (answer.status_code, "Open the app" in answer.text) == (400, True)


@pytest.mark.race
def test_the_way_back_raced_connects_once(merchant: Merchant) -> None:
    answer = merchant.approve(merchant.begin())
    cookie = merchant.browser.get_cookie("laurel_install", path="/install")
    assert cookie is not None
    back = urlsplit(answer.headers["Location"])

    def come(_: int) -> int:
        client = merchant.browser.application.test_client()
        client.set_cookie("laurel_install", cookie.value, path="/install")
        return client.get(f"{back.path}?{back.query}").status_code

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(come, range(8)))
    assert answers == [200] + [410] * 7


@pytest.mark.race
def test_an_invitation_raced_lets_one_shop_in(merchant: Merchant) -> None:
    program_id = make_program(merchant.rt)
    token = parse_qs(urlsplit(invite_shop(merchant.rt, program_id, "woocommerce").link).query)["invitation"][
        0
    ]
    spent: list[int] = []

    def spend(_: int) -> None:
        with suppress(Refused):
            spent.append(spend_invitation(merchant.rt, merchant.rt.vault.token_hash(token)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(spend, range(8)))
    assert spent == [program_id]
