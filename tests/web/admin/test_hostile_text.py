"""Whatever a shop, a shopper or a colleague wrote is text on every page there is, and nothing more.

First every column of text is planted as it is (`tests.web.planted`), then each string comes in by the ways that there
are. One browser sees all pages: the admin's, the shop's own page with the whole panel, and what anybody may open.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import cycle
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from playwright.sync_api import Browser, Page

from app.db import freezes, reconciliations, shops
from app.db.reconciliations import Repair
from app.domain.orders import OrderLine
from app.domain.program import default_document
from app.domain.staff import Role
from app.services.adjust import adjust
from app.services.ask_counting import ask_counting
from app.services.ask_preview import ask_preview
from app.services.block_member import block_member, unblock_member
from app.services.create_api_key import create_api_key
from app.services.decide_review import decide_review
from app.services.enrol_customer import enrol_customer
from app.services.find_member import ById
from app.services.find_merges import join_members
from app.services.give_tier import give_tier
from app.services.invite_staff import invite_staff
from app.services.lift_freeze import lift_freeze
from app.services.record_activity import Told, record_activity
from app.services.refer_friend import refer_friend, referral_code
from app.services.undo_activity import undo_activity
from tests.conftest import NOW, Mails, unique
from tests.services.books import suspect
from tests.services.crowd import BIRTHDAY, REFERRAL, SIGN_UP, VISIT
from tests.web.admin.desk import Desk, World, fill, order
from tests.web.admin.test_policies import address, routes
from tests.web.hostile_text import STRINGS, grown, unguarded
from tests.web.planted import SCRIPT, plant

pytestmark = pytest.mark.browser

MEMBER = "mara.lindqvist@mail.test"
# Planted columns that some page shows, each with its own name before the script: those that are not planted any more
# would prove nothing. What else is planted no page shows today.
SEEN = frozenset(
    {
        *(
            "entries.facts",
            "freezes.problems",
            "inbox.order_ref",
            "inbox.reason",
            "inbox.topic",
            "merges.actor",
        ),
        *("orders.facts", "orders.snapshot", "orders.unreadable", "previews.problem", "repairs.detail"),
        *("privacy_requests.request_ref", "program_versions.note", "program_versions.published_by"),
        *("redemptions.code", "redemptions.message", "redemptions.reward", "review_acts.actor"),
        *("review_acts.reason", "shops.access_problem", "shops.name", "shops.webhooks", "tier_floors.actor"),
        "tier_floors.reason",
    }
)


def hostile_document() -> dict[str, Any]:
    told = default_document(STRINGS[1], "EUR", "UTC")
    for level, text in zip(told["tiers"]["levels"], STRINGS[4:], strict=False):
        level["name"] = text
    for reward, text in zip(told["rewards"], STRINGS[8:], strict=False):
        reward["title"] = text
    told["activities"] = [
        {**one, "name": text} for one, text in zip((SIGN_UP, BIRTHDAY, VISIT), STRINGS[14:], strict=False)
    ]
    told["referral"] = REFERRAL
    return told


def befall(desk: Desk, world: World) -> None:
    """What `fill` leaves out: a row in every table that a page shows words of."""
    rt, program_id = desk.rt, desk.program_id
    one, two, three, four = (desk.member(str(ref)) for ref in range(900, 904))
    visit = Told(
        who=ById(world.member), activity_key="visit", request_key="v", actor="api:the till", detail=SCRIPT
    )
    done = record_activity(rt, program_id, visit)
    undo_activity(rt, program_id, done.activity_id, reason="No visit.", actor="ada")
    record_activity(rt, program_id, replace(visit, request_key="w"))
    block_member(rt, program_id, one, reason="Bought from himself.", actor="ada")
    unblock_member(rt, program_id, one, reason="He did not.", actor="ada")
    block_member(rt, program_id, one, reason="He did.", actor="ada")
    for member_id in (world.member, two):
        give_tier(
            rt, program_id, member_id, "gold", until=None, reason="A friend.", actor="ada", request_key="t"
        )
    join_members(rt, program_id, three, four, actor="ada")
    decide_review(rt, program_id, world.review, allow=True, reason="Her own shop.", actor="ada")
    suspect(rt, program_id, world.other)
    friend = enrol_customer(rt, program_id, desk.shop_id, "77", asked=True)
    assert friend is not None
    assert friend.member_id is not None
    code = referral_code(rt, program_id, world.member)
    refer_friend(rt, program_id, code, ById(friend.member_id), actor="ada")
    ask_preview(rt, program_id, json.dumps(hostile_document()) + SCRIPT, note=STRINGS[0], based_on=1)
    ask_counting(rt, program_id, desk.shop_id, counts_from=NOW, counts_test_orders=True)
    create_api_key(rt, program_id, "The till")
    with rt.db.begin(program_id) as session:
        freezes.begin(session, [("account:1", "points", "is 3, its entries give 4")], now=rt.now())
        shops.update_shop(session, desk.shop_id, access_problem="Its keys were revoked.")
        failing = reconciliations.start_run(
            session, desk.shop_id, "changed", since=NOW, until=NOW, now=rt.now()
        )
        reconciliations.end_run(session, failing, problem="No answer.", now=rt.now())


@pytest.fixture
def hostile(served: Desk, broom: psycopg.Connection) -> World:
    """Each string in each field: of a name, an address, a number, a product, a reason, as long as they fit."""
    desk = replace(served, document=hostile_document())
    served.program_id, served.shop_id, served.shop_key = desk.program_id, desk.shop_id, desk.shop_key
    world = fill(served)
    befall(served, world)
    planted = plant(broom, served.program_id)
    assert planted >= SEEN
    served.know("7614320911", f"identities.name {SCRIPT}", MEMBER, verified=True)
    served.rt.shop_memory.forget()
    texts = cycle(STRINGS)
    for number, text in enumerate(STRINGS):
        ref = f"x{number}"
        lines = (OrderLine(line_ref="1", vendor=text, goods_minor=3000),)
        bought = order(
            ref, "30.00", text[:60], at=NOW - timedelta(days=1), order_ref=f"90{number}", lines=lines
        )
        served.see(bought)
        served.know(ref, text, f"{next(texts)}@mail.test")
        served.fail_delivery(text.encode(), next(texts))
        adjust(
            served.rt,
            served.program_id,
            world.member,
            1,
            reason=text,
            actor=next(texts),
            request_key=unique("k"),
        )
        served.compare(Repair(subject=f"code:{text}", cause="code_absent", detail=next(texts)))
        invite_staff(
            served.rt, served.program_id, email=f"{unique('p')}@shop.test", name=text[:80], role=Role.STAFF
        )
    return world


def test_text_stays_text_on_every_page(
    browser: Browser, served: Desk, hostile: World, mails: Mails, broom: psycopg.Connection
) -> None:
    context = unguarded(browser)
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.dismiss())
    strangers: list[str] = []
    page.on("request", lambda one: strangers.append(one.url) if _is_strange(one.url, served) else None)
    found: list[tuple[str, str]] = []
    told = ""

    def look(path: str) -> None:
        nonlocal told
        found.extend((path, one) for one in grown(page))
        told += whole_text(page)

    def visit(paths: Iterable[str]) -> None:
        for path in paths:
            answer = page.goto(served.rt.public_url + path)
            assert answer is not None
            assert answer.status < 500, path
            look(path)

    invited = invite_staff(
        served.rt, served.program_id, email=f"{unique('ada')}@shop.test", name=STRINGS[0], role=Role.OWNER
    )
    page.goto(invited.link)
    look("/admin/sign-in/…")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile("/admin/$"))
    visit(paths(served, hostile, broom))
    open_again(served)
    visit(open_to_all(served))
    page.goto(link_for_member(served, mails))
    look("/my/…/sign-in/…")
    page.locator("form button").click()
    page.get_by_role("tab").first.wait_for()
    for tab in page.get_by_role("tab").all():
        tab.click()
        for summary in page.locator("summary:visible").all():
            summary.click()
        look(f"/my/… {tab.inner_text()}")
    context.close()
    assert found == []
    assert strangers == []
    assert len({text for text in STRINGS if text in told}) >= len(STRINGS) - 2  # two may be shown otherwise
    assert {name for name in SEEN | {"identities.name"} if name not in told} == set()


def open_again(desk: Desk) -> None:
    """A frozen program and a shop that lets us in no more show shoppers no rewards."""
    lift_freeze(desk.rt, desk.program_id, by="ada", reason=STRINGS[0], as_found=True)
    with desk.rt.db.begin(desk.program_id) as session:
        shops.update_shop(session, desk.shop_id, access_problem=None)


def _is_strange(url: str, desk: Desk) -> bool:
    return not url.startswith((desk.rt.public_url + "/", "data:", "blob:"))


def open_to_all(desk: Desk) -> list[str]:
    """What anybody may open, with a script in each place where an address has room for one, as far as it is a page."""
    evil = quote(SCRIPT, safe="")
    client = desk.app.test_client()
    found = []
    for rule in desk.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule.startswith("/admin"):
            continue
        for platform in ("woocommerce", "shopify") if "<platform>" in rule.rule else ("",):
            here = rule.rule.replace("<shop_key>", desk.shop_key).replace("<platform>", platform)
            path = re.sub(r"<int:\w+>", "1", here)
            path = re.sub(r"<(\w+:)?\w+>", evil, path)
            asked = "&".join(
                f"{name}={evil}" for name in ("url", "shop", "state", "error", "invitation", "q", "success")
            )
            answer = client.get(
                f"{path}?{asked}", base_url=desk.rt.public_url, headers={"Accept": "text/html"}
            )
            if answer.content_type.startswith("text/html"):
                found.append(f"{path}?{asked}")
    assert {one.split("/")[1].partition("?")[0] for one in found} >= {"my", "confirm", "install", "page"}
    return [*found, f"/admin/{evil}", f"/{evil}", f"/my/{evil}/", f"/admin/sign-in/{evil}"]


def link_for_member(desk: Desk, mails: Mails) -> str:
    """As it was mailed to whoever asked for it at the shop's page."""
    desk.app.test_client().post(
        f"/my/{desk.shop_key}/sign-in",
        data={"email": MEMBER},
        headers={"Origin": desk.rt.public_url},
        base_url=desk.rt.public_url,
        buffered=True,
    )
    found = re.search(r"http://\S+/sign-in/[\w-]+", mails.sent[-1][2])
    assert found is not None
    return found[0]


def paths(desk: Desk, world: World, broom: psycopg.Connection) -> list[str]:
    """Every page there is, from the map of addresses, and what is asked for in them."""
    own = {
        f"{name}_id": _newest(broom, table, desk)
        for name, table in (
            *(
                ("adjustment", "adjustments"),
                ("grant", "tier_floors"),
                ("merge", "merges"),
                ("staff", "staff"),
            ),
            *(("preview", "previews"), ("review", "reviews")),
        )
    }
    plain = [
        address(rule, desk, world, **own)
        for _, method, rule in routes(desk.app)
        if method == "GET" and not rule.endswith(".json")  # a file, kept and not shown
    ]
    asked = [
        f"/admin/members?q={text}" for text in ("<svg onload=window.laurelRan=1>", '"><script>x</script>')
    ]
    return [
        *plain,
        *asked,
        *(f"/admin/members/{desk.member(ref)}" for ref in ("900", "901", "902")),  # blocked, gold, joined
        *(f"/admin/{what}?q={quote(SCRIPT)}" for what in ("orders", "redemptions")),
        "/admin/deliveries?show=waiting",
        f"/admin/orders/{desk.shop_key}/901",
    ]


def _newest(broom: psycopg.Connection, table: str, desk: Desk) -> int:
    row = broom.execute(f"SELECT max(id) FROM {table} WHERE program_id = %s", [desk.program_id]).fetchone()
    assert row is not None
    return int(row[0])


def whole_text(page: Page) -> str:
    text: str = page.evaluate(
        """() => {
          const texts = [document.documentElement.innerText]
          const look = root => {
            texts.push(root.textContent)
            for (const one of root.querySelectorAll('*')) {
              for (const a of one.attributes) texts.push(a.value)
              if (one.shadowRoot) look(one.shadowRoot)
            }
          }
          look(document)
          return texts.join('\\n')
        }"""
    )
    return text
