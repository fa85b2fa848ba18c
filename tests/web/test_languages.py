"""Who reads gets their language: shoppers by their page, else their browser, else the program's; the API as it asks."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.domain.program import default_document
from app.domain.words import END_OF_ISOLATE, ISOLATE, LANGUAGES
from app.services.create_api_key import create_api_key
from app.services.runtime import Runtime
from app.services.wording import words_in
from tests.conftest import NOW, unique
from tests.factories import eur, make_order
from tests.services.books import publish
from tests.services.jobs import run_jobs
from tests.web.shoppers import Storefront

PROJECT = Path(__file__).parents[2]
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


def refusal(storefront: Storefront, body: dict[str, Any], **query: str) -> tuple[str, str]:
    """Title and detail of what is refused, no-break spaces made plain."""
    answer = storefront.client.post(
        "/storefront/v1/redemptions",
        query_string={"key": storefront.shop.key, **query},
        headers={"Authorization": f"Bearer {storefront.token()}", "Idempotency-Key": unique("k")},
        json=body,
    ).get_json()
    return answer["title"].replace("\u00a0", " "), answer["detail"].replace("\u00a0", " ")


def test_a_refusal_is_told_in_the_language_of_the_page(storefront: Storefront, rt: Runtime) -> None:
    storefront.member(points=40)
    gold = {"key": "tea", "title": "Tee", "kind": "perk", "cost": 10, "tier": "gold"}
    publish(rt, storefront.program_id, rewards=[*default_document("x", "EUR", "UTC")["rewards"], gold])
    assert refusal(storefront, {"reward": "amount-5"}, lang="de") == (
        "Das ist mehr, als du hast",
        "100 Punkte werden gebraucht, 40 sind da.",
    )
    assert refusal(storefront, {"reward": "tea"}, lang="fr")[1] == "Disponible à partir du niveau Gold."
    assert refusal(storefront, {"reward": "none"}, lang="pl") == (
        "Tej nagrody już nie ma",
        "Tej nagrody już nie ma. Nic nie pobrano.",
    )
    assert refusal(storefront, {"reward": "amount-5", "points": 7}, lang="es")[1].startswith(
        "Esta recompensa"
    )
    title, detail = refusal(storefront, {"reward": "amount-5"}, lang="ar")
    assert (title, ISOLATE in detail) == ("هذا أكثر مما لديك", True)
    publish(rt, storefront.program_id, language="et")  # for those whose own is none of ours
    assert refusal(storefront, {"reward": "none"}, lang="pt")[0] == "Seda preemiat enam ei ole"
    unproven = storefront.get("rewards", None, lang="ru").get_json()
    assert unproven["detail"] == "Войдите в магазин снова или обновите страницу."


CODES = re.compile(r'Refused\(\s*"([a-z_]+)"')
FOR_DEVELOPERS = {
    "invalid", "bad_request", "bad_key", "key_reused", "key_mismatch", "unknown_currency", "not_an_amount",
    "inexact_amount", "unknown_redemption", "not_found",
}  # fmt: skip
IN_THE_READERS_WORDS = {
    "insufficient_points",
    "bad_points",
}  # by `quote`, as is whatever stands in a reward's way


@pytest.mark.parametrize("code", LANGUAGES)
def test_whatever_a_shopper_is_refused_is_in_the_catalogue(code: str) -> None:
    """Read from the sources, so that a new refusal is not forgotten."""
    sources = ("app/web/storefront", "app/services/redeem.py", "app/services/prove_shopper.py", "app/domain/redeeming.py",
               "app/services/refer_friend.py", "app/services/send_email_proof.py")  # fmt: skip
    files = [
        file
        for one in sources
        for file in ([PROJECT / one] if one.endswith(".py") else (PROJECT / one).glob("*.py"))
    ]
    raised = {found for file in files for found in CODES.findall(file.read_text())}
    assert len(raised) > 20
    said = words_in(code)
    for refused in raised - FOR_DEVELOPERS - IN_THE_READERS_WORDS:
        assert said.find(f"refused.{refused}"), refused


def test_what_became_of_a_code_is_told_in_any_language(
    storefront: Storefront, rt: Runtime, no_wait: None
) -> None:
    storefront.member(points=500)
    bought = storefront.post("redemptions", {"reward": "amount-5"}, key="k-1").get_json()
    at = f"redemptions/{bought['id']}"
    assert storefront.get(at, lang="de").get_json()["detail"] is None
    storefront.post(f"{at}/cancel")
    run_jobs(rt, storefront.program_id)
    told = storefront.get(at, lang="de").get_json()
    assert (told["state"], told["detail"]) == ("cancelled", "100 Punkte sind wieder da.")
    assert storefront.get(at).get_json()["detail"] == "Your 100 points are back."


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
