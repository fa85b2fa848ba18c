"""The blocks rendered as a shop's page carries them: python-liquid, with Shopify's objects and filters stood in for."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from liquid import DictLoader, Environment

EXTENSION = Path(__file__).parents[2] / "connectors/shopify/extensions/laurel-loyalty"
BLOCKS = sorted(path.stem for path in (EXTENSION / "blocks").glob("*.liquid"))
_SCHEMA = re.compile(r"\{%-?\s*schema\s*-?%\}(.*?)\{%-?\s*endschema\s*-?%\}", re.DOTALL)


def source(block: str) -> str:
    return (EXTENSION / "blocks" / f"{block}.liquid").read_text("utf-8")


def schema(block: str) -> Any:
    (text,) = _SCHEMA.findall(source(block))
    return json.loads(text)


@cache
def words(language: str, kind: str = "") -> Mapping[str, str]:
    """ "laurel.earn" -> its sentence; `kind` ".schema" for the editor's."""
    told = json.loads((EXTENSION / "locales" / f"{_file(language)}{kind}.json").read_text("utf-8"))
    return {f"{group}.{key}": text for group, keys in told.items() for key, text in keys.items()}


def _file(language: str) -> str:
    return "en.default" if language == "en" else language


def render(
    block: str, *, language: str = "en", settings: Mapping[str, Any] | None = None, **objects: Any
) -> str:
    """The block's HTML, its settings as the editor first sets them unless `settings` says otherwise."""
    templates = {path.stem: path.read_text("utf-8") for path in (EXTENSION / "snippets").glob("*.liquid")}
    environment = Environment(loader=DictLoader(templates))
    environment.add_filter("t", lambda key: words(language)[key])
    chosen = {each["id"]: each.get("default", "") for each in schema(block)["settings"] if "id" in each}
    template = environment.from_string(_SCHEMA.sub("", source(block)))
    return template.render(
        **{
            "block": {"settings": {**chosen, **(settings or {})}, "shopify_attributes": ""},
            "request": {"locale": {"iso_code": language}},
            "routes": {
                "account_login_url": "/account/login",
                "account_register_url": "/account/register",
                "cart_url": "/cart",
            },
            "shop": {"currency": "USD"},
            "cart": {"currency": {"iso_code": "USD"}, "taxes_included": False, "items": []},
            "customer": None,
            **objects,
        }
    )
