"""`laurel`, the command line. Each group of commands has its module; this is the list of them.

Exit codes: 0 done, 1 something is wrong or was refused, 2 used wrongly (settings that are missing included).
"""

import click

from app.bootstrap import collect_seldom
from app.cli import checking, connecting, members, packing, people, programs, proving, running


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="laurel", message="%(version)s")
def main() -> None:
    """Laurel: points, tiers and rewards for shops, one balance for each customer."""
    collect_seldom()


for command in (
    running.demo,
    running.serve,
    running.worker,
    running.migrate,
    connecting.connect,
    members.members,
    members.redeem,
    programs.program,
    checking.reconcile,
    checking.profiles,
    proving.audit,
    proving.unfreeze,
    proving.replay,
    checking.doctor,
    proving.backup,
    proving.restore,
    people.api_key,
    people.staff,
    people.keys,
    people.invite,
    packing.plugin,
):
    main.add_command(command)

__all__ = ["main"]
