"""The plugin's sentences, read from its PHP and JavaScript, as the gettext files that translators work with.

python -m tests.plugin.words     writes the .pot anew and brings each .po up to date; then translate what is empty
"""

import re
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

PLUGIN = Path(__file__).parents[2] / "connectors/woocommerce/plugin/laurel-loyalty"
LANGUAGES = PLUGIN / "languages"
DOMAIN = "laurel-loyalty"

_SENTENCE = re.compile(r"(?:\b|\.)(?:esc_html__|esc_attr__|__)\(\s*'((?:[^'\\]|\\.)*)'\s*,\s*'([a-z-]+)'")
_BY_CHANCE = (
    '"POT-Creation-Date',
    '"PO-Revision-Date',
    '"Generated-By',
    '"Last-Translator',
    '"Language-Team',
)
_NOTE = re.compile(r"/\* translators: (.*?) \*/")


def sources() -> list[Path]:
    return sorted([*PLUGIN.rglob("*.php"), *PLUGIN.rglob("*.js")])


def found() -> Catalog:
    """Every sentence, with where it stands and what is said of its places."""
    catalog = Catalog(domain=DOMAIN, project="Laurel Loyalty for WooCommerce", version="0.1.0")
    catalog.header_comment = "# The sentences of Laurel Loyalty for WooCommerce. GPL-2.0-or-later."
    catalog.msgid_bugs_address = "https://wordpress.org/support/plugin/laurel-loyalty"
    catalog.fuzzy = False
    for path in sources():
        text = path.read_text()
        name = path.relative_to(PLUGIN).as_posix()
        for match in _SENTENCE.finditer(text):
            assert match[2] == DOMAIN, f"{name}: {match[0]}"
            note = _NOTE.search(" ".join(text[: match.start()].splitlines()[-2:]))
            catalog.add(
                match[1].replace("\\'", "'"),
                locations=[(name, 0)],
                auto_comments=[note[1]] if note else [],
                flags=["php-format"] if "%" in match[1] else [],
            )
    return catalog


def written(catalog: Catalog) -> bytes:
    """The same words give the same bytes: no date, no line numbers."""
    out = BytesIO()
    write_po(out, catalog, omit_header=False, sort_output=True, include_lineno=False, ignore_obsolete=True)
    lines = out.getvalue().decode().replace(", python-format", "").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(_BY_CHANCE)).encode()


def main() -> None:
    (LANGUAGES / f"{DOMAIN}.pot").write_bytes(written(found()))
    for path in sorted(LANGUAGES.glob("*.po")):
        with path.open("rb") as file:
            catalog = read_po(file)
        catalog.update(found(), no_fuzzy_matching=True)  # fresh: the catalogue takes its messages over
        path.write_bytes(written(catalog))


if __name__ == "__main__":
    main()
