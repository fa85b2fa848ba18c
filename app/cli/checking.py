"""Commands that compare, prove, save and bring back. Exit code 1: something was found wrong."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import click

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
from app.db.embedded import EmbeddedError
from app.db.migrating import CannotMigrate, GuardsMissing
from app.db.reconciliations import KINDS, kinds_of
from app.db.sealing import CannotOpen
from app.domain.errors import PutOff
from app.domain.profiles import ProfilePart
from app.services.describe_profiles import describe_profiles
from app.services.diagnose import diagnose
from app.services.find_program import find_program
from app.services.find_shop import find_shop
from app.services.find_words import program_words
from app.services.look_outside import look_outside
from app.services.reconcile_run import Progress
from app.services.reconcile_shop import Reconciled, reconcile_shop
from app.services.show_profiles import show_profiles
from app.settings import Settings, SettingsError


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
        words = program_words(rt, program_id)
        for kind in kinds or kinds_of(shop):
            with progress(kind, quiet=as_json) as bar:

                def watch(seen: Progress, bar: Any = bar) -> None:
                    bar(seen.looked_at, seen.total)

                wish = partial(
                    reconcile_shop, rt, program_id, shop.shop_id, kind, since=start, everything=everything
                )
                done.append(_patiently(partial(wish, watch=watch)))
    if as_json:
        show_json(done)
    else:
        for one in done:
            click.echo(
                f"{one.kind}: looked at {one.looked_at}, {len(one.repairs)} differed, "
                f"{'+' if one.points > 0 else ''}{words.points(one.points)}"
            )
            for repair in one.repairs:
                click.echo(f"  {repair.subject}  {repair.cause}  {repair.detail}")
    if any(one.amiss for one in done):
        raise SystemExit(WRONG)


def _patiently(reconcile: Callable[[], Reconciled]) -> Reconciled:
    """A person waits here: what is put off goes on by itself, where it was."""
    while True:
        try:
            return reconcile()
        except PutOff as later:
            time.sleep(later.wait_s)


@click.command()
@click.option("--shop", "shop_key", help="Not needed where there is one.")
@click.option("--fields/--no-fields", default=None, help="Points and level as fields of the customer.")
@click.option("--tags/--no-tags", default=None, help="The level as a tag of the customer.")
@program_option
@json_option
@sentences
@example("laurel profiles --shop acme --no-tags")
def profiles(
    shop_key: str | None, fields: bool | None, tags: bool | None, program_key: str | None, as_json: bool
) -> None:
    """What stands of members at the shop's own customers; without an option, only say it."""
    with runtime("profiles") as rt:
        program_id = find_program(rt, program_key)
        shop = find_shop(rt, program_id, shop_key)
        if fields is not None or tags is not None:
            wanted = {ProfilePart.FIELDS: fields, ProfilePart.TAGS: tags}
            parts = frozenset(
                part
                for part, said in wanted.items()
                if (part in shop.profile_parts if said is None else said)
            )
            show_profiles(rt, program_id, shop.shop_id, parts)
        found = describe_profiles(rt, program_id, shop.shop_id)
    if as_json:
        show_json(found)
    elif not found.offered:
        click.echo("The shop's platform does not offer this.")
    else:
        for part in sorted(found.offered):
            click.echo(f"{part.value}: {'shown' if part in found.shown else 'not shown'}")
        click.echo(f"at {found.customers} customers, {found.waiting} of them to be written now")
        if found.problem:
            click.echo(f"nothing is written for now: {found.problem}")


@click.command()
@click.option(
    "--here", is_flag=True, help="Ask nobody else: neither shops, nor PUBLIC_URL, nor the mail server."
)
@json_option
@sentences
@example("laurel doctor")
def doctor(here: bool, as_json: bool) -> None:
    """Look at settings, database, keys, clocks, queues, shops, certificates, mail and disk; say what to do about each."""
    found: list[dict[str, str | None]] = []
    try:
        Settings.from_env("serve")
        found.append({"name": "settings", "problem": None})
    except SettingsError as error:
        found += [{"name": "settings", "problem": problem} for problem in error.problems]
    try:
        with runtime("doctor") as rt:
            checks = diagnose(rt)
            if not here and not any(one.name == "database" and one.problem for one in checks):
                checks += look_outside(rt)
            found += [{"name": check.name, "problem": check.problem} for check in checks]
    except (EmbeddedError, GuardsMissing, CannotMigrate) as error:
        found.append({"name": "database", "problem": str(error)})
    except CannotOpen as error:  # the installation's own keys: nothing else can be looked at without them
        found.append(
            {"name": "keys", "problem": f"{error}: put the key that is missing back into LAUREL_KEYS"}
        )
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
