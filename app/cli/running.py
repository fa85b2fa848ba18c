"""Commands that run something: the demo, the servers, the migration."""

import logging
import os
from importlib import import_module

import click

from app import bootstrap, logs
from app.cli.common import SomethingWrong, example, sentences
from app.db.migrating import migrate as migrate_database
from app.settings import Settings


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@sentences
@example("laurel demo")
def demo(args: tuple[str, ...]) -> None:
    """Try it: shops with customers and orders, the admin and the shopper's page, on this machine."""
    try:
        main = import_module("sandbox.demo").main
    except ModuleNotFoundError as error:
        raise SomethingWrong("The demo is not part of this installation.") from error
    raise SystemExit(main(list(args)) or 0)


@click.command()
@click.option(
    "--workers", type=click.IntRange(1, 64), help="Processes; as many as there are processors, at most 4."
)
@click.option(
    "--threads", type=click.IntRange(1, 256), default=16, show_default=True, help="In each process."
)
@click.option("--host", default="0.0.0.0", show_default=True, help="Address to listen on.")  # noqa: S104
@sentences
@example("PUBLIC_URL=https://points.example.com laurel serve")
def serve(workers: int | None, threads: int, host: str) -> None:
    """Answer webhooks, shoppers and staff, on PORT (8000). Run at least one `laurel worker` beside it."""
    from granian import Granian
    from granian.constants import Interfaces

    logs.configure()
    settings = Settings.from_env("serve")
    # Before any process is started: what is wrong is said once, and the database is there for all of them.
    rt = bootstrap.build(settings)
    bootstrap.refuse_unguarded(rt)
    rt.db.close()
    Granian(
        "app.wsgi:app",
        address=host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=workers or min(os.cpu_count() or 1, 4),
        blocking_threads=threads,
        backpressure=threads * 8,
        respawn_failed_workers=True,
        log_enabled=True,
        log_access=False,
        websockets=False,
    ).serve()


@click.command()
@click.option(
    "--shop-calls",
    type=click.IntRange(1, 100),
    default=8,
    show_default=True,
    help="Calls to shops at a time.",
)
@sentences
@example("laurel worker")
def worker(shop_calls: int) -> None:
    """Settle deliveries, compare with shops, make codes, send mail. Any number may run, on any machines."""
    from app import worker as process

    logs.configure()
    process.run(Settings.from_env("worker"), shop_calls=shop_calls)


@click.command()
@click.option(
    "--to", metavar="REVISION", default="head", help="Stop there, or go back there before an older version."
)
@sentences
@example("DATABASE_OWNER_URL=postgresql://laurel_owner@db/laurel laurel migrate")
def migrate(to: str) -> None:
    """Make or upgrade the tables, and grant the app's role its rights. The old version may go on running."""
    logs.configure(level=logging.WARNING)
    urls = bootstrap.open_database(Settings.from_env("migrate"))
    click.echo(f"The database is at revision {migrate_database(urls.owner, urls.app, to=to)}.")
