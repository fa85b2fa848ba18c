"""What a machine sees in a picture before a person looks at it."""

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from app.domain.words import ENGLISH
from app.web.widget_files import FOLDER

AXE = Path(__file__).parents[1] / "web/vendor/axe.min.js"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}

# Text that is wider than its place: it lies over what stands beside, or is cut off. Also inside of the element.
SPILLED = """() => {
  const all = (root) => [...root.querySelectorAll("*")].flatMap((e) => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]);
  const hidden = (e) => e.closest(".lw-hidden, [aria-hidden=true], svg, head") || !e.checkVisibility();
  return all(document)
    .filter((e) => !hidden(e) && e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1)
    .map((e) => `${e.localName}.${e.className}: ${e.textContent.trim().slice(0, 60)}`);
}"""
_SHARED = {"points", "Points"}  # are French, too
TEXTS = """() => {
  const all = (root) => [...root.querySelectorAll("*")].flatMap((e) => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]);
  const spoken = (e) => [e.getAttribute("aria-label"), e.getAttribute("title"),
    ...[...e.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data)];
  return all(document.body).filter((e) => !e.closest("[aria-hidden=true], script, style, noscript")).flatMap(spoken)
    .filter(Boolean).map((text) => text.trim());
}"""


def spilled(page: Page) -> list[str]:
    found: list[str] = page.evaluate(SPILLED)
    return found


def english(page: Page) -> list[str]:
    """What stands there as our English has it, word for word."""
    texts: list[str] = page.evaluate(TEXTS)
    return sorted({text for text in texts if text in _ENGLISH})


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())
    result: dict[str, Any] = page.evaluate("(rules) => axe.run(document, rules)", RULES)
    nodes = [(one["id"], node["html"][:100]) for one in result["violations"] for node in one["nodes"]]
    return [f"{rule}: {html}" for rule, html in nodes]


def _sentences() -> set[str]:
    widget = json.loads((FOLDER / "messages/en.json").read_text()).values()
    both = [*widget, *ENGLISH.language.messages.values()]
    texts = [text for one in both for text in ([one] if isinstance(one, str) else one.values())]
    return {text for text in texts if re.search("[A-Za-z]{4}", text) and "{" not in text} - _SHARED


_ENGLISH = _sentences()
