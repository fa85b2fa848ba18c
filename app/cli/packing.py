"""`laurel plugin`: what merchants install in their shop, as the file that they upload there."""

import hashlib
import zipfile
from io import BytesIO
from pathlib import Path

import click
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

import connectors
from app.cli.common import SomethingWrong, UsedWrongly, example, json_option, sentences, show_json

_CONNECTORS = Path(connectors.__file__).parent
_BEGINNING = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
_READABLE = 0o100644 << 16


@click.group()
def plugin() -> None:
    """The plugin that a merchant installs in the shop itself."""


@plugin.command("zip")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Where to write it; into this folder under its own name."
)
@json_option
@sentences
@example("laurel plugin zip --out laurel-loyalty.zip")
def make_zip(out: Path | None, as_json: bool) -> None:
    """Pack it. The same sources give the same bytes, whoever packs them."""
    folder = _folder()
    content = packed(folder)
    where = out or Path(f"{folder.name}.zip")
    try:
        where.write_bytes(content)
    except OSError as error:
        raise UsedWrongly(f"{where} cannot be written: {error.strerror}") from error
    digest = hashlib.sha256(content).hexdigest()
    if as_json:
        show_json({"file": str(where), "bytes": len(content), "sha256": digest})
    else:
        click.echo(f"{where}: {len(content):,} bytes, SHA-256 {digest}")


def packed(folder: Path) -> bytes:
    """The plugin in `folder` as a zip: its files by name, without dates, not compressed (libraries differ in that).

    Words go along as the machine-read files (`.mo`) that WordPress wants, made here of the `.po`.
    """
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in _files(folder)}
    for name in [name for name in files if name.endswith(".po")]:
        files[f"{name.removesuffix('.po')}.mo"] = _compiled(files.pop(name))
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{folder.name}/{name}", _BEGINNING)
            entry.create_system, entry.external_attr = 3, _READABLE
            archive.writestr(entry, content)
    return out.getvalue()


def _folder() -> Path:
    """Raises: SomethingWrong where the sources were installed without it."""
    found = sorted(path.parent for path in _CONNECTORS.glob("*/plugin/*/readme.txt"))
    if len(found) != 1:
        raise SomethingWrong("The plugin's sources are not here: use a checkout of Laurel.")
    return found[0]


def _files(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def _compiled(words: bytes) -> bytes:
    out = BytesIO()
    write_mo(out, read_po(BytesIO(words)))
    return out.getvalue()
