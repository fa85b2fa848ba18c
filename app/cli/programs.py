"""`laurel program …`: the rules as a document, its versions, and what differs between them."""

import getpass
import json
from pathlib import Path
from typing import Any

import click

from app.cli.common import (
    SomethingWrong,
    UsedWrongly,
    example,
    json_option,
    moment,
    program_option,
    progress,
    runtime,
    sentences,
    show_json,
)
from app.cli.simulating import simulate
from app.services.align_tiers import align_tiers
from app.services.check_document import WrongDocument, check_document
from app.services.diff_documents import diff_documents
from app.services.find_program import find_program
from app.services.preview_program import preview_program
from app.services.publish_program import (
    get_version,
    list_versions,
    publish_program,
    roll_back,
)
from app.services.runtime import Runtime
from app.services.start_from_template import TEMPLATES, start_from_template
from app.services.tier_moves import TierMoves

file_argument = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group()
def program() -> None:
    """The program's rules: one document; each publishing makes a version that never changes."""


program.add_command(simulate)


@program.command()
@click.option("--version", type=click.IntRange(1), help="The live one otherwise.")
@click.option("--versions", "listed", is_flag=True, help="List them all.")
@click.option(
    "--template",
    type=click.Choice([*TEMPLATES]),
    help="A program to start from, in the name and currency of the live one: "
    + "; ".join(f"{one.key}: {one.title}" for one in TEMPLATES.values())
    + ".",
)
@program_option
@json_option
@sentences
@example("laurel program show > rules.json")
def show(
    version: int | None, listed: bool, template: str | None, program_key: str | None, as_json: bool
) -> None:
    """Print the document as it is published, ready to be edited and published again; or a template of one."""
    with runtime("program") as rt:
        program_id = find_program(rt, program_key)
        if not listed:
            live = get_version(rt, program_id, version).document
            show_json(start_from_template(template, like=live) if template else live)
            if template and TEMPLATES[template].next_step:
                click.echo(TEMPLATES[template].next_step, err=True)
            return
        known = list_versions(rt, program_id)
    if as_json:
        show_json(
            [
                {"version": v.version, "published_at": v.published_at, "by": v.published_by, "note": v.note}
                for v in known
            ]
        )
        return
    for one in known:
        click.echo(f"{one.version:4d}  {moment(one.published_at)}  {one.published_by}  {one.note}")


@program.command()
@file_argument
@sentences
@example("laurel program validate rules.json")
def validate(file: Path) -> None:
    """Say everything that is wrong with a document, without a database."""
    _check(_read(file))
    click.echo("The document is right.")


@program.command()
@file_argument
@click.option(
    "--version", type=click.IntRange(1), help="Compare with this version; with the live one otherwise."
)
@click.option("--moves", is_flag=True, help="Say, too, who would come to another tier. Nothing is changed.")
@program_option
@json_option
@sentences
@example("laurel program diff rules.json --moves")
def diff(file: Path, version: int | None, moves: bool, program_key: str | None, as_json: bool) -> None:
    """Say what publishing FILE would change, a line each."""
    document = _read(file)
    if moves and version is not None:
        raise UsedWrongly("Who moves is told against the live version: leave --version out.")
    with runtime("program") as rt:
        program_id = find_program(rt, program_key)
        changes = diff_documents(get_version(rt, program_id, version).document, document)
        found = _moves(rt, program_id, document) if moves else ()
    if as_json:
        show_json({"changes": changes, "moves": found} if moves else changes)
        return
    if not changes:
        click.echo("Nothing differs.")
    for change in changes:
        click.echo(str(change))
    for one in found:
        click.echo(
            f"{one.name}: {one.up} up and {one.moved} of a removed tier at once, {one.down} down in the end"
        )
    if moves and not found:
        click.echo("Nobody would change tier by it.")


@program.command()
@file_argument
@click.option("--note", default="", help="What changes, for whoever reads the versions later.")
@program_option
@sentences
@example('laurel program publish rules.json --note "Gold from 1,500"')
def publish(file: Path, note: str, program_key: str | None) -> None:
    """Make FILE the live version. Orders that were counted keep their terms."""
    document = _read(file)
    _check(document)
    with runtime("program") as rt:
        program_id = find_program(rt, program_key)
        version = publish_program(rt, program_id, document, by=_me(), note=note)
        click.echo(f"Version {version} is live.")
        _align(rt, program_id)


@program.command()
@click.argument("version", type=click.IntRange(1))
@program_option
@sentences
@example("laurel program rollback 3")
def rollback(version: int, program_key: str | None) -> None:
    """Publish an older VERSION's document again, as a new version."""
    with runtime("program") as rt:
        program_id = find_program(rt, program_key)
        new = roll_back(rt, program_id, version, by=_me())
        click.echo(f"Version {new} is live; it says what version {version} said.")
        _align(rt, program_id)


def _read(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text())
    except (ValueError, RecursionError) as error:
        raise UsedWrongly(f"{file} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise UsedWrongly(f"{file} is not a program's document: it must be an object.")
    return document


def _check(document: dict[str, Any]) -> None:
    try:
        check_document(document)
    except WrongDocument as wrong:
        raise _wrong(wrong) from wrong


def _wrong(wrong: WrongDocument) -> SomethingWrong:
    return SomethingWrong("\n".join(f"{field}: {fault}" for field, fault in wrong.faults))


def _moves(rt: Runtime, program_id: int, document: dict[str, Any]) -> tuple[TierMoves, ...]:
    """Counted as publishing counts, in a transaction that is rolled back."""
    _check(document)
    try:
        with progress("Members") as watch:
            return preview_program(rt, program_id, document, watch).tiers
    except WrongDocument as wrong:
        raise _wrong(wrong) from wrong


def _align(rt: Runtime, program_id: int) -> None:
    """Bring members in line at once; broken off, a worker goes on where it was."""
    with progress("Members") as watch:
        moved = align_tiers(rt, program_id, watch)
    if moved:
        click.echo(f"{moved} members came to another tier.")


def _me() -> str:
    return f"cli:{getpass.getuser()}"
