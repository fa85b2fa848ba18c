"""How it behaves in a shop's page: no shift, no script from data, every reader, every direction, little weight."""

import gzip
import json
import re
import threading
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from babel import Locale
from playwright.sync_api import Page, expect

from app.domain.look import accents_of
from app.domain.money import Money
from app.domain.words import LANGUAGES
from app.services.wording import words_in
from app.web.widget_files import FOLDER
from tests.domain.test_look import contrast
from tests.gallery.looking import spilled
from tests.web.widget.conftest import PHONE
from tests.web.widget.steps import ask_for, launcher, open_panel, order, tab, visit
from tests.web.widget.stub import FILES, Answer, Stub, eur, make_redemption, problem

AXE = Path(__file__).parents[1] / "vendor" / "axe.min.js"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
XSS = '<img src=x onerror="window.hacked=1">\u202e"\'</script><script>window.hacked=1</script>'
SOURCES = {file.name: file.read_text() for file in FOLDER.glob("*.js")}
FIRST_PAINT = ["laurel.js", "client.js", "friend.js", "parts.js", "store.js", "style.js", "words.js"]

on_a_phone = pytest.mark.parametrize("context", [{"viewport": PHONE, "has_touch": True}], indirect=True)

AS_HEX = """window.asHex = (colour) => {
  const pixel = new OffscreenCanvas(1, 1).getContext("2d");
  pixel.fillStyle = colour;
  pixel.fillRect(0, 0, 1, 1);
  const parts = [...pixel.getImageData(0, 0, 1, 1).data].slice(0, 3);
  return "#" + parts.map((part) => part.toString(16).padStart(2, "0")).join("");
}"""

# Shifts that did not follow the reader's own act; what moves inside of fixed parts counts too.
WATCH_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    window.shifts.push([entry.value, ...entry.sources.map((s) => s.node?.outerHTML?.slice(0, 80))]);
  }
}).observe({ type: 'layout-shift', buffered: true });
"""


def violations(page: Page) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    result: dict[str, Any] = page.evaluate("(rules) => axe.run('laurel-widget', rules)", RULES)
    return [
        f"{v['id']}: {node['target']} {node['html'][:120]}"
        for v in result["violations"]
        for node in v["nodes"]
    ]


def sideways(page: Page) -> list[str]:
    """What is wider than its place: the page, the panel, or its body."""
    script = """() => [document.documentElement,
      ...document.querySelector('laurel-widget').shadowRoot.querySelectorAll('.lw-panel, .lw-body')]
      .filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.className || e.tagName)"""
    found: list[str] = page.evaluate(script)
    return found


@pytest.mark.browser
def test_nothing_moves_from_first_byte_to_code(page: Page, stub: Stub) -> None:
    page.add_init_script(WATCH_SHIFTS)
    gate = threading.Event()
    stub.answer("GET", "rewards", Answer(body={"rewards": stub.rewards}, gate=gate))
    stub.answer("POST", "redemptions", Answer(status=202, body=make_redemption("requested")))
    stub.answer("GET", "redemptions/r_1", Answer(body=make_redemption()))
    panel = open_panel(page, stub)
    expect(panel.locator(".lw-wait").first).to_be_visible()
    gate.set()
    expect(panel).to_contain_text("Ready for you")
    order(page)
    stub.member["balance"]["available"] = 1154
    expect(panel.locator("code")).to_have_text("FERN-7KQ2-M9XD")
    expect(launcher(page)).to_have_text("1,154 points")
    assert page.evaluate("shifts") == []


@pytest.mark.browser
def test_inline_the_place_is_kept_while_loading(page: Page, stub: Stub) -> None:
    page.add_init_script(WATCH_SHIFTS)
    gate = threading.Event()
    stub.page["mode"] = "inline"
    stub.answer("GET", "me", Answer(body=stub.me, gate=gate))
    visit(page, stub)
    expect(page.locator(".lw-wait").first).to_be_visible()
    below = page.locator("#below").bounding_box()
    gate.set()
    expect(page.get_by_role("button", name="Get €5.00 off")).to_be_visible()
    assert page.locator("#below").bounding_box() == below
    assert page.evaluate("shifts") == []


@pytest.mark.browser
def test_nothing_but_the_entry_is_asked_for_before_the_page_is_idle(page: Page, stub: Stub) -> None:
    files: list[str] = []
    page.on("request", lambda request: files.append(urlsplit(request.url).path))
    page.add_init_script("window.idle = []; window.requestIdleCallback = (work) => window.idle.push(work)")
    visit(page, stub)
    page.evaluate(
        "() => new Promise((done) => { const look = () => idle.length ? done() : setTimeout(look, 9); look(); })"
    )
    assert stub.requests == []
    assert [one for one in files if one.startswith("/widget/")] == ["/widget/laurel.js"]
    page.evaluate("idle[0]()")
    expect(launcher(page)).to_have_text("1,254 points")


@pytest.mark.browser
def test_the_panel_is_read_only_when_somebody_comes_near(page: Page, stub: Stub) -> None:
    files: list[str] = []
    page.on("request", lambda request: files.append(request.url.rsplit("/", 1)[-1]))
    visit(page, stub)
    expect(launcher(page)).to_be_visible()
    assert "panel.js" not in files
    with page.expect_response("**/panel.js"):
        launcher(page).hover()


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("then", ["element.open()", "element.remove()"])
def test_opening_takes_its_time_and_bears_what_happens_meanwhile(
    page: Page, stub: Stub, width: int, then: str
) -> None:
    """A second click, and a page that takes the element out, while the panel is on its way."""
    page.set_viewport_size({"width": width, "height": 800})
    visit(page, stub)
    launcher(page).hover()
    expect(launcher(page)).to_be_visible()
    opening = f"Promise.all([element.open(), {then}]).then(() => 'well', String)"
    assert (
        page.evaluate(
            f"() => {{ const element = document.querySelector('laurel-widget'); return {opening}; }}"
        )
        == "well"
    )
    expect(page.get_by_role("dialog")).to_have_count(1 if "open" in then else 0)


@pytest.mark.browser
def test_data_is_never_markup(page: Page, stub: Stub) -> None:
    stub.me["program"].update(name=XSS, earn_sentence=XSS, points_name={"one": XSS, "other": XSS})
    for tier in [*stub.me["program"]["tiers"], stub.member["tier"], stub.member["next_tier"]]:
        tier["name"] = XSS
    stub.member["name"] = XSS
    for reward in stub.rewards:
        reward.update(title=XSS, reason=XSS)
    for item in stub.history:
        item.update(title=XSS, sentence=XSS, facts=[{"label": XSS, "value": XSS}])
    stub.me["look"]["accent"]["light"] = "red;} * { display: none"
    code = make_redemption(code=XSS, reward={"key": "x", "title": XSS, "kind": XSS})
    stub.redemptions = [code]
    stub.answer("POST", "redemptions", problem(409, XSS, XSS, XSS))
    panel = open_panel(page, stub)
    expect(panel.get_by_role("heading", level=2)).to_have_text(f"{XSS}")
    tab(page, "Ways to earn")
    tab(page, "History")
    panel.get_by_text("How it was counted").first.click()
    tab(page, "Rewards")
    panel.get_by_role("button", name=re.compile("^Show the code")).click()
    expect(panel.locator("code")).to_have_text(XSS)
    panel.get_by_role("button", name="Back", exact=True).click()
    panel.get_by_role("button", name=re.compile("^Get ")).first.click()
    panel.get_by_role("button", name="Get the code").click()
    expect(panel.get_by_role("alert")).to_contain_text("<img src=x")
    assert page.evaluate("window.hacked") is None
    assert (
        page.evaluate(
            "document.querySelector('laurel-widget').shadowRoot.querySelectorAll('img, script').length"
        )
        == 0
    )


@pytest.mark.browser
def test_everything_is_done_with_the_keyboard_alone(page: Page, stub: Stub) -> None:
    stub.answer("POST", "redemptions", Answer(status=201, body=make_redemption()))
    visit(page, stub)
    expect(launcher(page)).to_be_visible()
    launcher(page).focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog")
    expect(panel.get_by_role("heading", level=2)).to_be_focused()
    expect(page.get_by_role("tab", name="Rewards")).to_be_visible()  # all parts are laid out
    page.keyboard.press("Tab")
    expect(panel.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Tab")
    expect(panel.get_by_role("group", name="Your points")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("tab", name="Rewards")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Ways to earn")).to_be_focused()
    expect(panel).to_contain_text("1 point for every €1.00")
    page.keyboard.press("End")
    expect(page.get_by_role("tab", name="History")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Rewards")).to_be_focused()
    expect(panel.get_by_role("button", name="Get €5.00 off")).to_be_visible()  # the list has been read
    page.keyboard.press("Tab")
    expect(panel.get_by_role("button", name="Get €5.00 off")).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("heading", level=2)).to_be_focused()
    for _ in range(4):
        page.keyboard.press("Tab")
    expect(panel.get_by_role("button", name="Get the code")).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel.locator("code")).to_have_text("FERN-7KQ2-M9XD")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(launcher(page)).to_be_focused()
    expect(launcher(page)).to_have_attribute("aria-expanded", "false")


@pytest.mark.browser
def test_beside_the_panel_the_page_stays_in_use(page: Page, stub: Stub) -> None:
    panel = open_panel(page, stub)
    page.get_by_role("button", name="Add to basket").click()
    page.keyboard.press("Escape")
    expect(panel).to_be_visible()


@pytest.mark.browser
@on_a_phone
def test_on_a_phone_it_is_a_sheet_over_the_dimmed_page(page: Page, stub: Stub) -> None:
    panel = open_panel(page, stub)
    box = panel.bounding_box()
    assert box is not None
    assert (box["x"], box["width"], box["y"] + box["height"]) == (0, PHONE["width"], PHONE["height"])
    assert page.evaluate(
        "document.querySelector('laurel-widget').shadowRoot.querySelector('dialog').matches(':modal')"
    )
    assert sideways(page) == []
    page.mouse.click(180, 15)
    expect(panel).to_be_hidden()
    expect(launcher(page)).to_be_focused()


@pytest.mark.browser
@on_a_phone
@pytest.mark.parametrize("name", ["Rewards", "Ways to earn", "History"])
def test_large_text_on_a_small_screen_never_scrolls_sideways(page: Page, stub: Stub, name: str) -> None:
    stub.page_class = "large"
    panel = open_panel(page, stub)
    expect(panel).to_contain_text("Ready for you")
    tab(page, name)
    assert sideways(page) == []
    size = panel.locator(".lw-body").evaluate("(e) => parseFloat(getComputedStyle(e).fontSize)")
    assert size == 28


@pytest.mark.browser
@on_a_phone
def test_large_text_fits_each_step_of_redeeming(page: Page, stub: Stub) -> None:
    stub.page_class = "large"
    stub.page["apply-url"] = "/discount/{code}"
    stub.answer("POST", "redemptions", Answer(status=201, body=make_redemption()))
    panel = open_panel(page, stub)
    ask_for(page)
    assert sideways(page) == []
    panel.get_by_role("button", name="Get the code").click()
    expect(panel).to_contain_text("is ready")
    assert sideways(page) == []


@pytest.mark.browser
@on_a_phone
@pytest.mark.parametrize("lang", ["de", "es", "ru"])
def test_no_text_leaves_its_place(page: Page, stub: Stub, lang: str) -> None:
    stub.page.update(mode="page", lang=lang)
    stub.redemptions = [make_redemption()]
    stub.rewards[1]["minimum_spend"] = eur(1200000)
    visit(page, stub)
    expect(page.locator("[data-key='get shipping']")).to_be_visible()
    for at in range(3):
        page.get_by_role("tab").nth(at).click()
        expect(page.get_by_role("tabpanel").locator("li:not([aria-hidden] *)").first).to_be_visible()
        assert spilled(page) == []


@pytest.mark.browser
@on_a_phone
def test_everything_to_press_is_44_pixels(page: Page, stub: Stub) -> None:
    stub.redemptions = [make_redemption()]
    open_panel(page, stub)
    small = """() => [...document.querySelector('laurel-widget').shadowRoot.querySelectorAll('button, a, summary')]
      .map((e) => [e.getAttribute('aria-label') ?? e.textContent, e.getBoundingClientRect()])
      .filter(([, box]) => box.height > 0 && box.height < 44).map(([name]) => name)"""
    assert page.evaluate(small) == []
    tab(page, "History")
    expect(page.get_by_text("How it was counted")).to_be_visible()
    assert page.evaluate(small) == []


@pytest.mark.browser
def test_arabic_reads_from_right_to_left(page: Page, stub: Stub) -> None:
    stub.page["lang"] = "ar"
    visit(page, stub)
    launcher(page).click()
    panel = page.get_by_role("dialog")
    expect(panel).to_have_css("direction", "rtl")
    expect(panel).to_contain_text("1,254 نقطة")
    tabs = page.get_by_role("tab")
    first, second = tabs.nth(0).bounding_box(), tabs.nth(1).bounding_box()
    assert first is not None
    assert second is not None
    assert first["x"] > second["x"]
    tabs.nth(0).focus()
    page.keyboard.press("ArrowLeft")
    expect(tabs.nth(1)).to_be_focused()
    box = panel.bounding_box()
    assert box is not None
    assert box["x"] < 100  # the end of the line is on the left
    assert stub.requests[0].query["lang"] == "ar"


@pytest.mark.browser
def test_the_side_is_the_merchants_unless_the_page_says_otherwise(page: Page, stub: Stub) -> None:
    stub.me["look"]["position"] = "start"
    panel = open_panel(page, stub)
    box = panel.bounding_box()
    assert box is not None
    assert box["x"] == 16
    stub.page["position"] = "end"
    box = open_panel(page, stub).bounding_box()
    assert box is not None
    assert box["x"] + box["width"] == 1280 - 16


@pytest.mark.browser
def test_german_numbers_money_and_dates_follow_the_locale(page: Page, stub: Stub) -> None:
    stub.page["lang"] = "de_DE"
    panel = open_panel(page, stub)
    for text in ("1.254 Punkte", "62,00\u00a0€", "verfügbar am 5. Dezember", "sammelt 125\u00a0%"):
        expect(panel).to_contain_text(text)


WRITTEN = """async ([at, codes]) => {
  const { loadWords } = await import(at);
  const euros = (minor) => ({ minor, currency: "EUR" });
  return Promise.all(codes.map(async (code) => {
    const words = await loadWords(code);
    const all = (n) => [words.number(n), words.money(euros(100 * n)), words.percent(n)];
    return [...[0, 999, 1234, 12345, 1234567].flatMap(all), words.day("2026-11-05T12:00:00Z", { year: true })];
  }));
}"""


@pytest.mark.browser
def test_server_and_widget_write_numbers_money_and_days_alike(page: Page, stub: Stub) -> None:
    visit(page, stub)
    written = page.evaluate(WRITTEN, [f"/widget/{FILES.digest}/words.js", list(LANGUAGES)])
    for code, ours in zip(LANGUAGES, written, strict=True):
        formats = words_in(code).formats
        servers = [
            text
            for n in (0, 999, 1234, 12345, 1234567)
            for text in (formats.number(n), formats.money(Money(100 * n, "EUR")), formats.percent(str(n)))
        ]
        days = formats.day(date(2026, 11, 5))
        assert [bare(text) for text in ours] == [bare(text) for text in (*servers, days)], code


def bare(text: str) -> str:
    """Without marks of direction, and with one width of no-break space: in those the browser's data differ."""
    return re.sub("[\u200e\u200f\u061c]", "", text).replace("\u202f", "\u00a0").replace(" ", "\u00a0")


@pytest.mark.browser
def test_a_language_without_words_falls_back_to_english(page: Page, stub: Stub) -> None:
    stub.page["lang"] = "eo"
    visit(page, stub)
    expect(launcher(page)).to_have_text("1,254 points")


@pytest.mark.browser
def test_the_merchants_colours_and_radius_reach_every_part(page: Page, stub: Stub) -> None:
    stub.me["look"].update(accent={"light": "#5a31f4", "dark": "#b3a0ff"}, radius=18)
    open_panel(page, stub)
    expect(launcher(page)).to_have_css("background-color", "rgb(90, 49, 244)")
    get = page.get_by_role("button", name="Get €5.00 off")
    expect(get).to_have_css("border-radius", "18px")
    page.evaluate("document.documentElement.classList.add('dark')")
    expect(launcher(page)).to_have_css("background-color", "rgb(179, 160, 255)")


@pytest.mark.browser
def test_hovered_focused_and_busy_buttons_can_be_read_in_every_colour(page: Page, stub: Stub) -> None:
    gate = threading.Event()
    stub.answer("POST", "redemptions", Answer(body=make_redemption(), gate=gate))
    panel = open_panel(page, stub)
    ask_for(page)
    button = panel.get_by_role("button", name="Get the code")
    widget = page.locator("laurel-widget")
    styles = "(e) => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor].map(asHex)"
    page.evaluate(AS_HEX)

    def seen() -> list[tuple[str, str]]:
        found = []
        for colour in ("#777777", "#0078d4", "#e4405f", "#00875a", "#ffd400", "#1b6b4c"):
            accents = accents_of(colour)
            for theme in ("light", "dark"):
                pairs = (
                    ("--accent", accents.fill),
                    ("--on-accent", accents.on_fill),
                    ("--accent-text", accents.text),
                )
                told = {name: getattr(pair, theme) for name, pair in pairs} | {"color-scheme": theme}
                widget.evaluate(
                    "(e, told) => Object.entries(told).forEach((one) => e.style.setProperty(...one))", told
                )
                text, ground = button.evaluate(styles)
                if contrast(text, ground) < 4.5:
                    found.append((colour, theme))
        return found

    button.evaluate("(e) => { e.style.transition = 'none'; }")
    button.hover()
    button.focus()
    assert seen() == []
    button.evaluate("(e) => e.click()")
    button = panel.locator("[aria-disabled=true]")
    expect(button).to_be_visible()
    assert seen() == []
    gate.set()
    expect(panel.locator("code")).to_be_visible()


def test_no_rule_for_hovering_or_focus_changes_the_ground_under_the_accents_text() -> None:
    files = [FOLDER / "style.js", FOLDER / "panel-style.js"]
    files += [FOLDER.parent / "page/page.css", FOLDER.parent / "admin/admin.css"]
    rules = [
        rule
        for file in files
        for rule in re.findall(r"([^{}]*:(?:hover|focus)[^{}]*)\{([^{}]*)\}", file.read_text())
    ]
    assert len(rules) > 10
    grounds = {ground for _, body in rules for ground in re.findall(r"background(?:-color)?: ([^;]+);", body)}
    assert grounds <= {"var(--sunken)", "var(--canvas)"}


@pytest.mark.browser
def test_the_theme_is_the_pages_and_can_be_forced(page: Page, stub: Stub) -> None:
    panel = open_panel(page, stub)
    expect(panel).to_have_css("background-color", "rgb(255, 255, 255)")
    stub.page_class = "dark"
    expect(open_panel(page, stub)).to_have_css("background-color", "rgb(22, 28, 25)")
    stub.page["theme"] = "light"
    expect(open_panel(page, stub)).to_have_css("background-color", "rgb(255, 255, 255)")


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_a_members_panel(page: Page, stub: Stub, theme: str) -> None:
    stub.page["theme"] = theme
    stub.redemptions = [make_redemption()]
    stub.member["email_proof"] = "wanted"
    stub.answer("POST", "redemptions", Answer(status=201, body=make_redemption()))
    stub.me["program"]["referral"] = True
    panel = open_panel(page, stub)
    for name in ("Rewards", "Ways to earn", "History"):
        tab(page, name)
        expect(panel.get_by_role("tabpanel").get_by_role("listitem").first).to_be_visible()
        assert violations(page) == []
    tab(page, "Rewards")
    ask_for(page)
    assert violations(page) == []
    panel.get_by_role("button", name="Get the code").click()
    expect(panel).to_contain_text("is ready")
    assert violations(page) == []


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_where_things_are_not_ready(page: Page, stub: Stub, theme: str) -> None:
    stub.page.update({"theme": theme, "signin-url": "/login", "join-url": "/join"})
    member = stub.member
    stub.me.update(member=None, signed_in=False)
    open_panel(page, stub)
    assert violations(page) == []
    stub.me.update(member=member, signed_in=True)
    stub.answer("POST", "redemptions", Answer(status=202, body=make_redemption("requested")))
    stub.answer("GET", "redemptions/r_1", Answer(body=make_redemption("failed")))
    panel = open_panel(page, stub)
    order(page)
    expect(panel).to_contain_text("Making your code")
    assert violations(page) == []
    expect(panel.get_by_role("alert")).to_be_visible()
    assert violations(page) == []
    stub.down()
    panel = open_panel(page, stub)
    expect(panel).to_contain_text("cannot be read right now")
    assert violations(page) == []
    stub.always("GET", "me", problem(401, "token_expired"))
    expect(open_panel(page, stub)).to_contain_text("Your sign-in has run out")
    assert violations(page) == []


def packed(names: list[str]) -> int:
    return sum(len(gzip.compress(FILES.bodies[name], 9)) for name in names)


def test_the_first_paint_weighs_at_most_12_kilobytes() -> None:
    assert packed(FIRST_PAINT) <= 12 * 1024


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_with_one_language_weighs_at_most_30_kilobytes(language: str) -> None:
    scripts = [name for name in FILES.bodies if name.endswith(".js")]
    assert packed([*scripts, f"messages/{language}.json"]) <= 30 * 1024


def test_the_style_weighs_at_most_4_kilobytes() -> None:
    both = [FILES.bodies[name].decode() for name in ("style.js", "panel-style.js")]
    css = "".join(re.findall(r"`\n(.*?)`;", text, re.DOTALL)[0] for text in both)
    assert len(gzip.compress(css.encode(), 9)) <= 4 * 1024


def test_what_is_served_is_the_sources_less_comments_and_indentation() -> None:
    for name, body in FILES.bodies.items():
        kept = [line.strip() for line in body.decode().splitlines() if line.strip()]
        lines = [line.strip() for line in (FOLDER / name).read_text().splitlines() if line.strip()]
        assert [line for line in lines if not line.startswith(("//", "/*", "* ", "*/"))] == kept


def test_the_first_paint_list_is_what_the_entry_imports() -> None:
    imports = re.findall(r'^import .* from "\./(.+)";', SOURCES["laurel.js"], re.MULTILINE)
    assert sorted(["laurel.js", *imports]) == sorted(FIRST_PAINT)


def catalogue(language: str) -> dict[str, Any]:
    words: dict[str, Any] = json.loads(FILES.bodies[f"messages/{language}.json"])
    return words


def forms(sentence: Any) -> dict[str, str]:
    return {"other": sentence} if isinstance(sentence, str) else sentence


def places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_the_widget_speaks_every_language_of_the_server() -> None:
    (listed,) = re.findall(r"const LANGUAGES = (\[.*?\]);", SOURCES["words.js"])
    files = {name.split("/")[1].split(".")[0] for name in FILES.bodies if name.startswith("messages/")}
    assert set(json.loads(listed)) == set(LANGUAGES) == files


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_catalogue_has_the_same_sentences_and_places(language: str) -> None:
    english, translated = catalogue("en"), catalogue(language)
    assert list(translated) == list(english) == sorted(english)
    for key, sentence in translated.items():
        wanted = set().union(*map(places, forms(english[key]).values()))
        for form, text in forms(sentence).items():
            assert places(text) - {"n"} == wanted - {"n"}, (key, form)
        assert {"n"} & places(forms(sentence)["other"]) == {"n"} & wanted, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_that_counts_has_the_plural_forms_of_its_language(language: str) -> None:
    rule = Locale.parse(language).plural_form
    reached = {rule(n) for n in [*range(200), 1_000_000]} | {"other"}
    common = {rule(n) for n in range(1000)} | {
        "other"
    }  # 1,000,000 reads as 1,000 where the number stands outside
    for key, sentence in catalogue(language).items():
        found = set(forms(sentence)) - {"money"}
        assert found == {"other"} or common <= found <= reached, (key, found)
        if "n" in places(forms(sentence)["other"]) and len(found) > 1:
            assert found == reached, (key, found)


@pytest.mark.parametrize("language", ["ru", "ar"])
def test_a_catalogue_in_another_script_has_no_latin_letters(language: str) -> None:
    for key, sentence in catalogue(language).items():
        for text in forms(sentence).values():
            assert not re.search("[A-Za-z]", re.sub(r"\{\w+\}", "", text)), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_for_money_speaks_of_points(language: str) -> None:
    word = {
        "en": "point",
        "de": "punkt",
        "fr": "point",
        "es": "punto",
        "pl": "punkt",
        "et": "punkt",
        "ru": "балл",
        "ar": "نقاط",
    }
    own = {"points", "points_own", "unit"}  # never said where money is counted
    for key, sentence in catalogue(language).items():
        text = forms(sentence).get("money", forms(sentence)["other"])
        assert key in own or word[language] not in re.sub(r"\{\w+\}", "", text).lower(), key


def test_each_sentence_is_used_and_each_used_one_exists() -> None:
    source = "".join(SOURCES.values())
    made_from_parts = re.compile(r"^(tab|code|next_tier|cancelled|expired|failed|used)_")
    unused = [key for key in catalogue("en") if f'"{key}"' not in source and not made_from_parts.match(key)]
    missing = set(re.findall(r'(?:\.t|\.rich|#button)\("(\w+)"', source)) - set(catalogue("en"))
    assert (unused, missing) == ([], set())


def test_the_sources_use_nothing_a_strict_policy_forbids() -> None:
    source = "".join(SOURCES.values())
    assert (
        re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|style=", source
        )
        == []
    )
