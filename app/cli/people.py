"""API keys, staff, invitations of shops, and the installation's own keys. Secrets are printed once."""

import click

from app.cli.common import (
    SomethingWrong,
    example,
    json_option,
    plain,
    program_option,
    progress,
    runtime,
    sentences,
    show_json,
)
from app.domain.staff import Role
from app.services.create_api_key import create_api_key
from app.services.find_program import find_program
from app.services.invite_shop import invite_shop
from app.services.invite_staff import invite_staff
from app.services.rotate_keys import rotate_keys


@click.group("api-key")
def api_key() -> None:
    """Keys for a merchant's own systems."""


@api_key.command("create")
@click.argument("name")
@program_option
@json_option
@sentences
@example('laurel api-key create "till in the shop"')
def create_key(name: str, program_key: str | None, as_json: bool) -> None:
    """Make a key and print it, this once."""
    with runtime("api-key") as rt:
        made = create_api_key(rt, find_program(rt, program_key), name)
    if as_json:
        show_json({**plain(made), "token": made.token})
    else:
        click.echo(made.token)


@click.group()
def staff() -> None:
    """People who run a program."""


@staff.command("invite")
@click.argument("email")
@click.option("--name", default="", help="As colleagues see it; the address otherwise.")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default="owner",
    show_default=True,
    help="What they may do.",
)
@program_option
@sentences
@example("laurel staff invite ada@shop.example --role owner")
def invite_person(email: str, name: str, role: str, program_key: str | None) -> None:
    """Print a link that signs this person in, once, within a week."""
    with runtime("staff") as rt:
        done = invite_staff(
            rt, find_program(rt, program_key), email=email, name=name or email, role=Role(role)
        )
    click.echo(done.link)


@click.command()
@click.argument("platform")
@program_option
@sentences
@example("laurel invite woocommerce --program sprig")
def invite(platform: str, program_key: str | None) -> None:
    """Print a link by which another shop joins the program; its owner reads the program's name and agrees."""
    with runtime("staff") as rt:
        click.echo(invite_shop(rt, find_program(rt, program_key), platform).link)


@click.group()
def keys() -> None:
    """The installation's own keys."""


@keys.command()
@sentences
@example('LAUREL_KEYS="new old" laurel keys rotate   # then LAUREL_KEYS=new')
def rotate() -> None:
    """Seal everything anew under the first of LAUREL_KEYS; afterwards the others can go."""
    with runtime("keys") as rt, progress("Shops") as bar:
        done = rotate_keys(rt, watch=lambda count: bar(count, None))
        left = rotate_keys(rt)
    if left.data_keys or left.shop_secrets:
        raise SomethingWrong(
            "Something was sealed under an older key meanwhile: restart all processes, run it again."
        )
    click.echo(f"{done.data_keys} data keys and {done.shop_secrets} secrets of shops are sealed anew.")
