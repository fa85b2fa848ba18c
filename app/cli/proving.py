"""Commands about what is true and what is kept: audit, replay, backup, restore. Exit code 1: something is wrong."""

import getpass
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from app.bootstrap import clock, open_place
from app.cli.common import (
    WRONG,
    example,
    json_option,
    program_option,
    progress,
    runtime,
    sentences,
    show_json,
)
from app.db.sealing import KeyRing
from app.services.audit import Audit
from app.services.audit import audit as audit_program
from app.services.backup import backup as save
from app.services.find_program import find_program, list_programs
from app.services.findings import Problem, Watch
from app.services.lift_freeze import find_freeze, lift_freeze
from app.services.replay import Replayed
from app.services.replay import replay as replay_program
from app.services.restore import restore as bring_back
from app.services.runtime import Runtime
from app.settings import Settings


@click.command()
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]),
    help="The digest of what was recorded up to this moment (UTC), to compare with one that was kept.",
)
@program_option
@json_option
@sentences
@example("laurel audit --program sprig >> digests.txt")
def audit(until: datetime | None, program_key: str | None, as_json: bool) -> None:
    """Check every chain and balance; print one digest a program, to keep elsewhere."""
    moment = until.replace(tzinfo=UTC) if until else None

    def check(rt: Runtime, program_id: int, bar: Watch) -> Audit:
        return audit_program(rt, program_id, bar, until=moment)

    found = _each(program_key, as_json, "Audit", check)
    if not as_json:
        now = f"{moment or clock():%Y-%m-%d %H:%M:%S} UTC"
        for key, one in found.items():
            click.echo(f"{key}  {one.digest}  {now}  {one.counts.get('entries', 0)} entries")
        for key, one in found.items():
            if one.frozen_at is not None:
                click.echo(
                    f"{key}  nothing can be spent since {one.frozen_at:%Y-%m-%d %H:%M} UTC: see `laurel unfreeze`"
                )
    _tell({key: one.problems for key, one in found.items()}, as_json)
    if any(one.frozen_at for one in found.values()):
        raise SystemExit(WRONG)


@click.command()
@click.option("--reason", help="What was found out, and done. Without it, only what was found is told.")
@click.option("--as-found", is_flag=True, help="Even if it is still so: it may stay as it was found.")
@program_option
@sentences
@example('laurel unfreeze --program sprig --reason "Restored from the backup of Monday"')
def unfreeze(reason: str | None, as_found: bool, program_key: str | None) -> None:
    """Let members spend again, after the hourly audit found something that cannot be. It is looked at again first."""
    with runtime("audit") as rt:
        program_id = find_program(rt, program_key)
        if reason is not None:
            lift_freeze(rt, program_id, by=f"cli:{getpass.getuser()}", reason=reason, as_found=as_found)
            click.echo("Members can spend again.")
            return
        found = find_freeze(rt, program_id)
    if found is None:
        click.echo("Members can spend: there is nothing to lift.")
        return
    click.echo(f"Nothing can be spent since {found.at:%Y-%m-%d %H:%M} UTC.")
    for subject, what, detail in found.problems:
        click.echo(f"{subject}: {detail} ({what})")
    raise SystemExit(WRONG)


@click.command()
@program_option
@json_option
@sentences
@example("laurel replay --json")
def replay(program_key: str | None, as_json: bool) -> None:
    """Count everything again in memory from what the shops said, and compare. Nothing is written."""
    found: Mapping[str, Replayed] = _each(program_key, as_json, "Replay", replay_program)
    if not as_json:
        for key, one in found.items():
            click.echo(f"{key}  {one.accounts} accounts counted anew, {len(one.differences)} differences")
    _tell({key: one.differences for key, one in found.items()}, as_json)


def _each(
    program_key: str | None, as_json: bool, title: str, check: Callable[[Runtime, int, Watch], Any]
) -> dict[str, Any]:
    """What `check` says of the program, or of each, by key; printed if data is wanted."""
    found = {}
    with runtime("audit") as rt:
        chosen = (
            {program_key: find_program(rt, program_key)} if program_key is not None else list_programs(rt)
        )
        for key, program_id in chosen.items():
            with progress(f"{title} {key}", quiet=as_json) as bar:
                found[str(key)] = check(rt, program_id, bar)
    if as_json:
        show_json(found)
    return found


def _tell(problems: Mapping[str, list[Problem]], as_json: bool) -> None:
    if not as_json:
        for key, ours in problems.items():
            for problem in ours:
                click.echo(f"{key}  {problem}")
    if any(problems.values()):
        raise SystemExit(WRONG)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@sentences
@example("laurel backup /backups/laurel-2026-11-21.backup")
def backup(file: Path) -> None:
    """Write everything into FILE. LAUREL_KEYS are not in it: keep them apart."""
    place = open_place(Settings.from_env("backup"))
    with progress("Backup") as bar:
        said = save(place, file, now=clock(), progress=bar)
    for one in said.programs.values():
        click.echo(f"{one.key}  {one.digest}")
    click.echo(
        f"Written: {file}. Without LAUREL_KEYS, which are not in it, it is worth little: keep them too."
    )


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Even though there are programs here already: they are replaced.")
@json_option
@sentences
@example("laurel restore /backups/laurel-2026-11-21.backup")
def restore(file: Path, force: bool, as_json: bool) -> None:
    """Make the database what FILE holds, check it, and say what to do next."""
    settings = Settings.from_env("restore")
    with progress("Restore", quiet=as_json) as bar:
        done = bring_back(
            open_place(settings), file, ring=KeyRing(settings.keys), now=clock(), force=force, progress=bar
        )
    if as_json:
        show_json(
            {
                "installation_id": done.installation_id,
                "erased": done.erased,
                "audits": done.audits,
                "next_steps": done.next_steps,
            }
        )
    else:
        click.echo(f"Restored as of {done.manifest.made_at:%Y-%m-%d %H:%M:%S} UTC.")
        if done.erased:
            click.echo(f"{done.erased} customers who asked for it since were erased again.")
        for key, one in done.audits.items():
            click.echo(f"{key}  {one.digest}  {one.counts.get('entries', 0)} entries")
        click.echo("\n".join(f"- {step}" for step in done.next_steps))
    _tell({key: one.problems for key, one in done.audits.items()}, as_json)
