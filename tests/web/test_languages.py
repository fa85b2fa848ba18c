"""Who reads gets their language: shoppers by their page, else their browser, else the program's; the API as it asks."""

from datetime import timedelta

import pytest

from app.domain.words import END_OF_ISOLATE, ISOLATE, LANGUAGES
from app.services.create_api_key import create_api_key
from app.services.runtime import Runtime
from tests.conftest import NOW
from tests.factories import eur, make_order
from tests.services.books import publish
from tests.web.shoppers import Storefront

YESTERDAY = NOW - timedelta(days=1)


def buys(storefront: Storefront) -> None:
    storefront.see(
        make_order(goods=eur("1299.90"), placed_at=YESTERDAY, paid_at=YESTERDAY, updated_at=YESTERDAY)
    )


def test_the_page_says_the_language_of_every_sentence(storefront: Storefront) -> None:
    buys(storefront)
    (item,) = storefront.get("history", lang="de-AT").get_json()["items"]
    assert item["title"] == "Bestellung #1001"
    assert item["sentence"] == "Ware für 1.299,90 × 1 Punkt je 1,00, abgerundet."
    assert item["facts"][0] == {"label": "Bestellung", "value": "#1001"}
    assert item["points_text"].replace("\u00a0", " ") == "1.299 Punkte"
    rewards = storefront.get("rewards", lang="fr").get_json()["rewards"]
    assert [one["title"].replace("\u00a0", " ") for one in rewards] == [
        "5,00 € de réduction",
        "Livraison offerte",
        "10 % de réduction",
    ]
    assert (
        storefront.get("me", lang="ru").get_json()["program"]["earn_sentence"]
        == "1 балл за каждые 1,00\u00a0€"
    )
    arabic = storefront.get("me", lang="ar").get_json()["program"]["earn_sentence"]
    assert (ISOLATE in arabic, END_OF_ISOLATE in arabic) == (True, True)


def test_what_was_bought_keeps_no_language(storefront: Storefront, no_wait: None) -> None:
    storefront.member(points=500)
    bought = storefront.post("redemptions", {"reward": "amount-5"}, key="k-1").get_json()
    assert bought["reward"]["title"] == "€5.00 off"
    (spent, _) = storefront.get("history", lang="es").get_json()["items"]
    assert spent["title"] == "5,00\u00a0€ de descuento"
    assert spent["sentence"] == "100 puntos por «5,00\u00a0€ de descuento». El código se está creando."
    (again,) = storefront.get("redemptions", lang="es").get_json()["redemptions"]
    assert (again["reward"]["title"], again["cost_text"]) == ("5,00\u00a0€ de descuento", "100 puntos")


def test_a_language_that_is_not_ours_gives_the_browsers_then_the_programs(
    storefront: Storefront, rt: Runtime
) -> None:
    def earn_sentence(accepted: str | None = None, **query: str) -> str:
        headers = {"Authorization": f"Bearer {storefront.token()}"}
        if accepted:
            headers["Accept-Language"] = accepted
        told = storefront.client.get(
            "/storefront/v1/me", query_string={"key": storefront.shop.key, **query}, headers=headers
        )
        return str(told.get_json()["program"]["earn_sentence"]).replace("\u00a0", " ")

    publish(rt, storefront.program_id, language="et")
    assert earn_sentence(lang="pt") == "1 punkt iga 1,00 € kohta"
    assert earn_sentence("pt, pl;q=0.8", lang="pt") == "1 punkt za każde 1,00 €"
    assert earn_sentence("pl", lang="de") == "1 Punkt je 1,00 €"
    assert earn_sentence() == "1 punkt iga 1,00 € kohta"


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_api_explains_in_the_language_asked_for(storefront: Storefront, rt: Runtime, code: str) -> None:
    buys(storefront)
    headers = {"Authorization": f"Bearer {create_api_key(rt, storefront.program_id, 'the till').token}"}

    def sentences(headers: dict[str, str]) -> set[str]:
        order = storefront.client.get(
            f"/api/v1/orders/{storefront.shop.key}:1001", headers=headers
        ).get_json()
        at = f"/api/v1/members/{order['member_id']}/entries"
        entries = storefront.client.get(at, headers=headers).get_json()["entries"]
        return {order["explanation"]["sentence"], *(one["explanation"]["sentence"] for one in entries)}

    english, asked = sentences(headers), sentences(headers | {"Accept-Language": code})
    assert (len(asked), asked == english) == (1, code == "en")
