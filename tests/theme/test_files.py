"""The theme app extension's files by Shopify's rules, as far as a file can show that it keeps them.

Source: shopify.dev, "Configure theme app extensions" (file structure, limits), "Input settings", "Section schema".
"""

import gzip
import json
import re
import tomllib
from typing import Any

import pytest

from app.domain.words import LANGUAGES
from tests.theme.liquid import BLOCKS, EXTENSION, render, schema, source, words

KB = 1024
LIQUID = sorted(EXTENSION.rglob("*.liquid"))
OTHERS = [language for language in LANGUAGES if language != "en"]
ALLOWED: dict[str, set[str]] = {
    "header": {"content"},
    "paragraph": {"content"},
    "text": {"id", "label", "info", "default", "placeholder"},
    "select": {"id", "label", "info", "default", "options"},
    "range": {"id", "label", "info", "default", "min", "max", "step", "unit"},
    "number": {"id", "label", "info", "default", "placeholder"},
    "color": {"id", "label", "info", "default"},
    "product": {"id", "label", "info", "autofill"},
}
"""The types of setting that we use -> what else Shopify lets them say."""


def settings(block: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = schema(block)["settings"]
    return found


def asked_for(text: str) -> set[str]:
    """The keys that a block or snippet wants translated."""
    return set(re.findall(r"'([a-z_]+\.[a-z_]+)' \| t\b", text))


def test_it_is_a_theme_extension_with_shopifys_folders() -> None:
    assert tomllib.loads((EXTENSION / "shopify.extension.toml").read_text())["type"] == "theme"
    assert {path.name for path in EXTENSION.iterdir() if path.is_dir()} == {
        "assets",
        "blocks",
        "locales",
        "snippets",
    }
    assert not [
        path
        for folder in EXTENSION.iterdir()
        if folder.is_dir()
        for path in folder.iterdir()
        if path.is_dir()
    ]


def test_it_keeps_to_the_limits() -> None:
    assert sum(path.stat().st_size for path in LIQUID) <= 100 * KB
    for path in (EXTENSION / "assets").iterdir():
        limit = {".js": 10, ".css": 100}[path.suffix]
        assert len(gzip.compress(path.read_bytes(), mtime=0)) <= limit * KB, path.name
    assert len(BLOCKS) <= 30


@pytest.mark.parametrize("path", LIQUID, ids=lambda path: path.stem)
def test_nothing_that_a_strict_policy_or_a_reviewer_refuses(path: Any) -> None:
    text = path.read_text("utf-8")
    for wrong in (
        "<script",
        "<style",
        "<link",
        " style=",
        "http://",
        "https://",
        "javascript:",
        "{% include",
    ):
        assert wrong not in text, wrong
    assert not re.search(r"\son[a-z]+\s*=", text)


@pytest.mark.parametrize("script", ["laurel-loyalty.js", "laurel-places.js"])
def test_a_script_names_no_server_and_reads_no_markup(script: str) -> None:
    text = (EXTENSION / "assets" / script).read_text("utf-8")
    for wrong in ("http://", "https://", "innerHTML", "insertAdjacentHTML", "eval(", "document.write"):
        assert wrong not in text, wrong


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_renders_and_every_text_of_the_page_is_escaped(block: str) -> None:
    hostile = '"><script>alert(1)</script>'
    typed = {each["id"]: hostile for each in settings(block) if each["type"] == "text"}
    product = {
        "id": 11,
        "variants": [{"id": 21, "price": 1000}],
        "selected_or_first_available_variant": {"id": 21},
    }
    html = render(block, settings={**typed, "product": product})
    assert 'data-laurel="' in html
    assert "<script" not in html
    assert "{{" not in html
    assert "{%" not in html


@pytest.mark.parametrize("block", BLOCKS)
def test_a_schema_is_one_that_shopify_takes(block: str) -> None:
    told = schema(block)
    assert set(told) <= {
        "name",
        "target",
        "javascript",
        "stylesheet",
        "settings",
        "enabled_on",
        "disabled_on",
    }
    assert told["target"] == ("body" if block == "launcher" else "section")
    for kind in ("javascript", "stylesheet"):
        assert (EXTENSION / "assets" / told[kind]).is_file()
    ids = [each["id"] for each in settings(block) if "id" in each]
    assert len(ids) == len(set(ids))
    for each in settings(block):
        kind = each["type"]
        assert set(each) - {"type"} <= ALLOWED[kind], each
        assert ("content" in each) if kind in ("header", "paragraph") else {"id", "label"} <= set(each)
        assert re.fullmatch(r"[a-z][a-z_]*", each.get("id", "x"))
        if "default" in each:
            assert each["default"] != "", "Shopify refuses an empty default"
        if kind == "range":
            steps = (each["max"] - each["min"]) / each["step"]
            assert steps == int(steps) <= 100
            assert each["min"] <= each["default"] <= each["max"]
            assert len(each["unit"]) <= 3
        if kind == "select":
            values = [option["value"] for option in each["options"]]
            assert each["default"] in values
            assert len(values) == len(set(values))
            assert all(values)


@pytest.mark.parametrize("block", BLOCKS)
def test_every_setting_is_used(block: str) -> None:
    body = source(block).partition("{% schema %}")[0]
    for each in settings(block):
        assert "id" not in each or f"block.settings.{each['id']}" in body, each["id"]


def test_every_word_is_there_and_none_is_left_over() -> None:
    shown = set().union(*(asked_for(path.read_text("utf-8")) for path in LIQUID))
    assert shown == set(words("en"))
    edited = {key for block in BLOCKS for key in re.findall(r'"t:([a-z_.]+)"', source(block))}
    assert edited == set(words("en", ".schema"))


@pytest.mark.parametrize("kind", ["", ".schema"])
@pytest.mark.parametrize("language", OTHERS)
def test_a_language_says_everything_that_english_says(language: str, kind: str) -> None:
    english, told = words("en", kind), words(language, kind)
    assert set(told) == set(english)
    for key, text in told.items():
        assert text.strip() == text != ""
        assert text.count("%s") == english[key].count("%s"), key
        assert "{{" not in text
        assert key == "settings.position" or text != english[key], key


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_of_blocks_fit_the_editor(language: str) -> None:
    for block in BLOCKS:
        name = words(language, ".schema")[schema(block)["name"].removeprefix("t:")]
        assert len(name) <= 25, name


def test_no_language_is_there_without_the_others() -> None:
    names = {path.name for path in (EXTENSION / "locales").iterdir()}
    files = ["en.default", *OTHERS]
    assert names == {f"{name}{kind}.json" for name in files for kind in ("", ".schema")}
    for path in (EXTENSION / "locales").iterdir():
        json.loads(path.read_text("utf-8"))
