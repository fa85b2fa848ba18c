"""Whatever a shop, a shopper or a colleague wrote is text on every page of the admin, and nothing more."""

import re
from dataclasses import replace
from datetime import timedelta
from itertools import cycle
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from app.db import shops
from app.db.reconciliations import Repair
from app.domain.orders import OrderLine
from app.domain.program import default_document
from app.domain.staff import Role
from app.services.adjust import adjust
from app.services.invite_staff import invite_staff
from tests.conftest import NOW, unique
from tests.web.admin.desk import Desk, World, fill, order
from tests.web.admin.test_policies import address, routes
from tests.web.hostile_text import STRINGS, grown, unguarded

pytestmark = pytest.mark.browser


def hostile_document() -> dict[str, Any]:
    told = default_document(STRINGS[1], "EUR", "UTC")
    for level, text in zip(told["tiers"]["levels"], STRINGS[4:], strict=False):
        level["name"] = text
    for reward, text in zip(told["rewards"], STRINGS[8:], strict=False):
        reward["title"] = text
    return told


@pytest.fixture
def hostile(served: Desk) -> World:
    """Each string in each field: of a name, an address, a number, a product, a reason, as long as they fit."""
    desk = replace(served, document=hostile_document())
    served.program_id, served.shop_id, served.shop_key = desk.program_id, desk.shop_id, desk.shop_key
    world = fill(served)
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
    with served.rt.db.begin(served.program_id) as session:
        shops.update_shop(session, served.shop_id, name=STRINGS[5], access_problem=STRINGS[4])
    return world


def test_text_stays_text_on_every_page(browser: Browser, served: Desk, hostile: World) -> None:
    context = unguarded(browser)
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.dismiss())
    invited = invite_staff(
        served.rt, served.program_id, email=f"{unique('ada')}@shop.test", name=STRINGS[0], role=Role.OWNER
    )
    page.goto(invited.link)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile("/admin/$"))
    found: list[tuple[str, str]] = []
    shown: set[str] = set()
    for path in paths(served, hostile):
        page.goto(served.rt.public_url + path)
        found += [(path, one) for one in grown(page)]
        shown |= {text for text in STRINGS if text in whole_text(page)}
    context.close()
    assert found == []
    assert len(shown) >= len(STRINGS) - 2  # an address and a mark of direction may be shown otherwise


def paths(desk: Desk, world: World) -> list[str]:
    """Every page there is, from the map of addresses, and what is asked for in them."""
    plain = [
        address(rule, desk, world)
        for _, method, rule in routes(desk.app)
        if method == "GET" and not rule.endswith(".json")  # a file, kept and not shown
    ]
    asked = [
        f"/admin/members?q={text}" for text in ("<svg onload=window.laurelRan=1>", '"><script>x</script>')
    ]
    return [
        *plain,
        *asked,
        f"/admin/members/{world.member}",
        "/admin/deliveries?show=waiting",
        f"/admin/orders/{desk.shop_key}/901",
    ]


def whole_text(page: Page) -> str:
    text: str = page.evaluate(
        "() => document.documentElement.innerText + [...document.querySelectorAll('*')]"
        ".flatMap(one => [...one.attributes].map(a => a.value)).join('\\n')"
    )
    return text
