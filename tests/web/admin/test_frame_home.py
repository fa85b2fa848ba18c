"""A merchant opens Laurel in Shopify's admin: the first time it is installed, and then the program's pages are there."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.db import directory, shops
from app.db.directory import Kind
from app.db.shops import ShopRow
from app.domain.staff import Role
from app.services.list_staff import list_staff
from app.services.runtime import Runtime
from app.web import create_app
from sandbox.hosts import HostMap
from sandbox.shopify import Shop
from sandbox.shopify import create_app as serve
from sandbox.shopify.state import Installation
from tests.conftest import NOW, SHOPIFY_SECRET, Clock, unique

EXCHANGE = "/admin/oauth/access_token"


@dataclass
class Opening:
    """The frame in a shop's admin, Laurel, and the shop's API."""

    rt: Runtime
    shop: Shop
    hosts: HostMap
    frame: FlaskClient

    def open(self, url: str = "") -> TestResponse:
        told = urlsplit(url or self.shop.open_app_url())
        return self.frame.get(f"{told.path}?{told.query}", headers={"Accept": "text/html"})

    def exchanges(self) -> int:
        return sum(EXCHANGE in url for _, url in self.hosts.calls)

    def row(self) -> ShopRow:
        with self.rt.db.outside() as connection:
            key = f"shopify {self.shop.domain}"
            found = directory.find(connection, Kind.SHOP_REF, key, now=self.rt.now())
        assert found is not None
        with self.rt.db.begin(found.program_id) as session:
            return shops.get_shop(session, found.target_id)


@pytest.fixture
def opening(rt: Runtime, clock: Clock) -> Iterator[Opening]:
    hosts = HostMap()
    local = replace(rt, http=hosts)
    laurel = create_app(local)
    app = Installation(
        client_id="laurel-app", secrets=[SHOPIFY_SECRET], app_url="https://laurel.example/install/shopify"
    )
    shop = Shop(clock=clock, app=app, client=hosts.client(), handle=unique("fern"), name=unique("Fern"))
    hosts.hosts.update({shop.domain: serve(shop), "laurel.example": laurel})
    with time_machine.travel(NOW, tick=False):
        yield Opening(local, shop, hosts, laurel.test_client(use_cookies=False))


def test_it_is_installed_once_and_then_opened(opening: Opening) -> None:
    for _ in range(2):
        answer = opening.open()
        assert answer.status_code == 303
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        to = urlsplit(answer.headers["Location"])
        assert to.path == f"/install/shopify/{opening.shop.domain}/admin/"
        assert "<h1>Home</h1>" in opening.open(answer.headers["Location"]).text
    assert opening.exchanges() == 1
    people = list_staff(opening.rt, opening.row().program_id)
    assert [one.role for one in people] == [Role.OWNER]  # whoever installed it


def test_a_page_deep_inside_is_opened_as_it_is(opening: Opening) -> None:
    opening.open()
    deep = opening.shop.open_app_url(f"/{opening.shop.domain}/admin/program")
    assert opening.open(deep).status_code == 200


def test_without_a_token_it_goes_for_one_and_comes_back(opening: Opening) -> None:
    away = opening.open(f"https://laurel.example/install/shopify?shop={opening.shop.domain}&host=YWRtaW4")
    page = opening.open(away.headers["Location"])
    assert page.status_code == 200
    assert page.headers["Content-Security-Policy"].startswith(
        f"frame-ancestors https://{opening.shop.domain} "
    )
    back = parse_qs(urlsplit(away.headers["Location"]).query)["shopify-reload"][0]
    assert opening.open(f"{back}&id_token={opening.shop.id_token()}").status_code == 303


def test_lost_access_is_mended_by_opening_it(opening: Opening) -> None:
    opening.open()
    row = opening.row()
    with opening.rt.db.begin(row.program_id) as session:
        shops.update_shop(session, row.shop_id, access_problem="The refresh token has ended.")
    opening.open()
    assert opening.row().access_problem is None
    assert opening.exchanges() == 2


def test_it_comes_back_after_it_was_uninstalled(opening: Opening) -> None:
    opening.open()
    row = opening.row()
    with opening.rt.db.begin(row.program_id) as session:
        shops.update_shop(session, row.shop_id, state="uninstalled", credentials=None)
    home = opening.open()
    assert (opening.row().state, opening.exchanges()) == ("connected", 2)
    assert opening.open(home.headers["Location"]).status_code == 200
    assert len(list_staff(opening.rt, row.program_id)) == 1


def test_what_goes_wrong_is_said_in_the_frame(opening: Opening) -> None:
    wrong = opening.shop.id_token(iss="https://other.myshopify.com/admin")
    url = f"https://laurel.example/install/shopify?shop={opening.shop.domain}&id_token={wrong}"
    answer = opening.open(url)
    assert answer.status_code == 401
    assert f"frame-ancestors https://{opening.shop.domain} " in answer.headers["Content-Security-Policy"]
    nobody = opening.open("https://laurel.example/install/shopify?shop=evil.example")
    assert "frame-ancestors 'none'" in nobody.headers["Content-Security-Policy"]


def test_a_way_back_is_into_the_frame_or_none(opening: Opening) -> None:
    """Elsewhere the token in the address would be written down, or be somebody else's."""
    for back in (
        "/admin/",
        "/",
        "/install/shopifyx",
        "/install/woocommerce",
        "//evil.example",
        "/install/shopify\\x",
    ):
        answer = opening.frame.get(
            "/install/shopify/callback", query_string={"shop": opening.shop.domain, "shopify-reload": back}
        )
        assert answer.status_code == 400, back
