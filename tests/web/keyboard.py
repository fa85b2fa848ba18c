"""What a person without a mouse comes by, and axe-core."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = (Path(__file__).parent / "vendor/axe.min.js").read_text()
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "preload": False,
}
FOCUSED = """() => {
  let e = document.activeElement;
  while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
  if (!e || e === document.body) return null;
  const outlined = (one) => {
    const style = getComputedStyle(one);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
  };
  const label = e.getAttribute("aria-label") ?? e.labels?.[0]?.textContent ?? "";
  const seen = outlined(e) || (e.closest("label") && outlined(e.closest("label"))); // a choice shows it around its word
  const box = e.getBoundingClientRect();
  const shown = box.width > 0 && box.bottom > 0 && box.top < innerHeight;
  return [(label || e.textContent || e.name).trim(), seen && shown];
}"""


def focused(page: Page) -> str:
    """The name of what has the focus; "" for nothing. It must be seen that it has it."""
    found: tuple[str, bool] | None = page.evaluate(FOCUSED)
    assert found is None or found[1], f"nobody sees that {found[0]!r} has the focus"
    return found[0] if found else ""


def tab_to(page: Page, name: str, key: str = "Tab") -> list[str]:
    """Tab until that has the focus. Returns what was passed on the way, and it."""
    passed: list[str] = []
    for _ in range(60):
        page.keyboard.press(key)
        passed.append(focused(page))
        if passed[-1] == name:
            return passed
    raise AssertionError(f"{name!r} is not reached, only {passed}")


def violations(page: Page, within: str = "body") -> list[tuple[str, str]]:
    page.evaluate(AXE)
    result: dict[str, Any] = page.evaluate("([within, rules]) => axe.run(within, rules)", [within, RULES])
    return [(one["id"], node["html"][:200]) for one in result["violations"] for node in one["nodes"]]
