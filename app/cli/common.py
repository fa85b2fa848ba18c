"""What all commands share: the runtime, errors as sentences and exit codes, `--program`, `--json`, progress."""

import dataclasses
import functools
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from enum import Enum
from importlib import import_module
from typing import Any, ParamSpec, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import SQLAlchemyError

from app import logs
from app.bootstrap import build
from app.db.embedded import EmbeddedError
from app.db.migrating import CannotMigrate, GuardsMissing
from app.db.sealing import CannotOpen
from app.domain.errors import Refused, Retryable
from app.services.runtime import Runtime
from app.settings import Settings, SettingsError

P = ParamSpec("P")
R = TypeVar("R")

WRONG = 1
USED_WRONGLY = 2


class SomethingWrong(click.ClickException):
    """Said on stderr; exit code 1."""

    exit_code = WRONG


class UsedWrongly(click.ClickException):
    exit_code = USED_WRONGLY


def example(text: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Add an example to a command's help."""

    def added(command: Callable[P, R]) -> Callable[P, R]:
        lines = "\n".join(f"  {line}" for line in text.strip().splitlines())
        command.__doc__ = f"{command.__doc__}\n\n\b\nExample:\n{lines}"
        return command

    return added


def sentences(command: Callable[P, R]) -> Callable[P, R]:
    """Errors on purpose become one sentence and an exit code; a bug keeps its traceback."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except SettingsError as error:
            raise UsedWrongly(str(error)) from error
        except Refused as error:
            if error.code == "bad_request":
                raise UsedWrongly(error.detail) from error
            raise SomethingWrong(error.detail) from error
        except Retryable as error:
            raise SomethingWrong(f"{error.detail}. It may work later.") from error
        except (GuardsMissing, CannotMigrate, EmbeddedError, CannotOpen) as error:
            raise SomethingWrong(str(error)) from error
        except SQLAlchemyError as error:
            raise SomethingWrong(f"The database cannot be used: {type(error).__name__}.") from error

    return run


@contextmanager
def runtime(command: str) -> Iterator[Runtime]:
    """The runtime for `laurel <command>`; its pool is closed at the end."""
    logs.configure(level=logging.WARNING)
    rt = build(Settings.from_env(command))
    try:
        yield rt
    finally:
        rt.db.close()


program_option = click.option(
    "--program", "program_key", metavar="KEY", help="Which program; not needed where there is one."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print data for programs, not for people.")


def show_json(data: Any) -> None:
    click.echo(json.dumps(plain(data), indent=2, ensure_ascii=False, sort_keys=True))


def plain(value: Any) -> Any:
    """`value` as JSON can say it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value) if field.repr
        }
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return value


def moment(value: datetime | None) -> str:
    return f"{value:%Y-%m-%d %H:%M}" if value else "–"


@contextmanager
def progress(what: str, *, quiet: bool = False) -> Iterator[Callable[[int, int | None], None]]:
    """A bar on stderr: tell it (done, of how many; None: nobody knows)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def lazy(name: str) -> Any:
    """`app.services.<name>.<name>`. Raises: SomethingWrong while this version has no such thing."""
    try:
        return getattr(import_module(f"app.services.{name}"), name)
    except ModuleNotFoundError as error:
        raise SomethingWrong(f"This version cannot do that yet ({name}).") from error
