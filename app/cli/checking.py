"""Commands that compare, prove, save and bring back. Exit code 1: something was found wrong."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from app.cli.common import (
    WRONG,
    SomethingWrong,
    example,
    json_option,
    lazy,
    program_option,
    progress,
    runtime,
    sentences,
    show_json,
)
from app.db.embedded import EmbeddedError
from app.db.migrating import GuardsMissing
from app.db.reconciliations import KINDS
from app.services.audit import audit as audit_program
from app.services.diagnose import diagnose
from app.services.find_program import find_program, list_programs
from app.services.find_shop import find_shop
from app.services.findings import Problem, Watch
from app.services.reconcile_run import Progress
from app.services.reconcile_shop import reconcile_shop
from app.services.replay import replay as replay_program
from app.services.runtime import Runtime
from app.settings import Settings, SettingsError

T = TypeVar("T")


@click.command()
@click.option("--shop", "shop_key", help="Not needed where there is one.")
@click.option("--kind", "kinds", type=click.Choice(list(KINDS)), multiple=True, help="All of them otherwise.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Orders changed since this day (UTC).")
@click.option("--everything", is_flag=True, help="All orders, from where the shop's orders count.")
@program_option
@json_option
@sentences
@example("laurel reconcile --shop acme --kind changed --everything")
def reconcile(
    shop_key: str | None,
    kinds: tuple[str, ...],
    since: datetime | None,
    everything: bool,
    program_key: str | None,
    as_json: bool,
) -> None:
    """Compare a shop with what we hold, put right what differs, and say what it was."""
    start = since.replace(tzinfo=UTC) if since else None
    done = []
    with runtime("reconcile") as rt:
        program_id = find_program(rt, program_key)
        shop = find_shop(rt, program_id, shop_key)
        for kind in kinds or KINDS:
            with progress(kind, quiet=as_json) as bar:

                def watch(seen: Progress, bar: Any = bar) -> None:
                    bar(seen.looked_at, seen.total)

                done.append(
                    reconcile_shop(
                        rt, program_id, shop.shop_id, kind, since=start, everything=everything, watch=watch
                    )
                )
    if as_json:
        show_json(done)
    else:
        for one in done:
            click.echo(
                f"{one.kind}: looked at {one.looked_at}, {len(one.repairs)} differed, {one.points:+d} points"
            )
            for repair in one.repairs:
                click.echo(f"  {repair.subject}  {repair.cause}  {repair.detail}")
    if any(one.amiss for one in done):
        raise SystemExit(WRONG)


@click.command()
@program_option
@json_option
@sentences
@example("laurel audit --program sprig >> digests.txt")
def audit(program_key: str | None, as_json: bool) -> None:
    """Check every chain and balance; print one digest a program, to keep elsewhere."""
    found = _each(program_key, "Audit", audit_program, quiet=as_json)
    if as_json:
        show_json(found)
    else:
        for key, one in found.items():
            _tell(f"{key}  {one.digest}", one.problems)
    if any(one.problems for one in found.values()):
        raise SystemExit(WRONG)


@click.command()
@program_option
@json_option
@sentences
@example("laurel replay --json")
def replay(program_key: str | None, as_json: bool) -> None:
    """Count everything again in memory from what the shops said, and compare. Nothing is written."""
    found = _each(program_key, "Replay", replay_program, quiet=as_json)
    if as_json:
        show_json(found)
    else:
        for key, one in found.items():
            _tell(f"{key}  {one.accounts} accounts, {len(one.differences)} differences", one.differences)
    if any(one.differences for one in found.values()):
        raise SystemExit(WRONG)


def _each(
    program_key: str | None, what: str, prove: Callable[[Runtime, int, Watch], T], *, quiet: bool
) -> dict[str, T]:
    """What `prove` says of that program, or of every one, by its key."""
    found: dict[str, T] = {}
    with runtime("audit") as rt:
        chosen = {program_key: find_program(rt, program_key)} if program_key else list_programs(rt)
        for key, program_id in chosen.items():
            with progress(f"{what} {key}", quiet=quiet) as bar:
                found[key] = prove(rt, program_id, bar)
    return found


def _tell(line: str, problems: Sequence[Problem]) -> None:
    click.echo(line)
    for problem in problems:
        click.echo(f"  {problem}")


@click.command()
@json_option
@sentences
@example("laurel doctor")
def doctor(as_json: bool) -> None:
    """Look at settings, database, keys, clock, queues, shops and disk; say what to do about each that is wrong."""
    found: list[dict[str, str | None]] = []
    try:
        Settings.from_env("serve")
        found.append({"name": "settings", "problem": None})
    except SettingsError as error:
        found += [{"name": "settings", "problem": problem} for problem in error.problems]
    try:
        with runtime("doctor") as rt:
            found += [{"name": check.name, "problem": check.problem} for check in diagnose(rt)]
    except (EmbeddedError, GuardsMissing) as error:
        found.append({"name": "database", "problem": str(error)})
    except SettingsError:
        pass  # said already
    if as_json:
        show_json(found)
    else:
        for one in found:
            click.echo(
                f"ok    {one['name']}" if not one["problem"] else f"wrong {one['name']}: {one['problem']}"
            )
    if any(one["problem"] for one in found):
        raise SystemExit(WRONG)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@sentences
@example("laurel backup /backups/laurel-2026-11-21.dump")
def backup(file: Path) -> None:
    """Write everything into FILE. LAUREL_KEYS are not in it: keep them apart."""
    save = lazy("backup")
    with runtime("backup") as rt, progress("Backup"):
        save(rt, file)
    click.echo(f"Written: {file}")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@sentences
@example("laurel restore /backups/laurel-2026-11-21.dump")
def restore(file: Path, yes: bool) -> None:
    """Replace everything by what FILE holds."""
    bring_back = lazy("restore")
    if not yes and not click.confirm("Everything that is there now will be gone. Go on?", err=True):
        raise SomethingWrong("Nothing was done.")
    with runtime("restore") as rt, progress("Restore"):
        bring_back(rt, file)
    click.echo("Restored. Run `laurel doctor`, then start `laurel serve` and `laurel worker`.")
