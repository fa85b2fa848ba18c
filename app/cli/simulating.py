"""`laurel program simulate`: a draft on past orders, beside what is live."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from app.cli.common import (
    SomethingWrong,
    UsedWrongly,
    example,
    json_option,
    program_option,
    progress,
    runtime,
    sentences,
    show_json,
)
from app.cli.simulation_table import simulation_lines
from app.domain.errors import Refused
from app.domain.money import Money, exponent
from app.domain.past import looks_closer
from app.domain.program import Program, decode, default_document
from app.domain.redeemers import ASSUMED, CHEAPEST, Behaviour
from app.domain.simulation import Assumptions
from app.services.check_document import WrongDocument
from app.services.describe_simulation import simulation_data
from app.services.find_program import find_program
from app.services.find_shop import find_shop
from app.services.fit_redeeming import Fitted, fit_redeeming
from app.services.left_out import LeftOuts
from app.services.past_orders_of_shops import past_orders_of_shops
from app.services.publish_program import live_program, read_document
from app.services.read_past_orders import CDNOW, CDNOW_FILE, read_past_orders
from app.services.simulate_program import Read, simulate_program

DAY = click.DateTime(["%Y-%m-%d"])
REDEEM_HELP = "share=40 or share=30..50 (percent), delay=14 (days), reward=KEY or reward=cheapest."
AGAINST_HELP = (
    "Compare with this document, `default` or `none`; otherwise with the live version, if there is one."
)
DEFAULT, NONE = "default", "none"
_SHIPPING = 5  # whole units of the currency


@dataclass(frozen=True, slots=True)
class _Where:
    """Where past orders come from, and what is live there."""

    read: Callable[
        [Program, Program | None, str], Read
    ]  # draft, what is beside it, currency of rows that name none
    live: Program | None
    fit: Callable[[Program], Fitted | None]


@click.command()
@click.argument("draft")
@click.option("--orders", metavar="FILE", help="A CSV file, or `cdnow`: the history that comes with Laurel.")
@click.option(
    "--shop", "shop_keys", metavar="KEY", multiple=True, help="Orders that Laurel holds; may be repeated."
)
@click.option("--against", metavar="FILE", help=AGAINST_HELP)
@click.option("--from", "from_day", type=DAY, help="As if the program had begun on this day.")
@click.option("--to", "to_day", type=DAY, help="The last day that is looked at.")
@click.option("--redeem", "redeeming", metavar="NAME=VALUE", multiple=True, help=REDEEM_HELP)
@click.option("--shipping-cost", metavar="AMOUNT", help="What a free shipping costs; 5.00 otherwise.")
@click.option("--gift-cost", metavar="AMOUNT", help="What a free product or a perk costs; 0 otherwise.")
@click.option("--currency", metavar="CODE", help="Of rows that name none, and of the document `default`.")
@program_option
@json_option
@sentences
@example(
    "laurel program simulate default --orders cdnow\n"
    "laurel program simulate rules.json --shop acme --redeem share=30..50"
)
def simulate(
    draft: str,
    orders: str | None,
    shop_keys: tuple[str, ...],
    against: str | None,
    from_day: datetime | None,
    to_day: datetime | None,
    redeeming: tuple[str, ...],
    shipping_cost: str | None,
    gift_cost: str | None,
    currency: str | None,
    program_key: str | None,
    as_json: bool,
) -> None:
    """Try DRAFT, a document's file or `default`, on past orders: what it gives, costs and owes, month by month.

    Nothing is written, and nothing that is live counts otherwise for it.
    """
    if bool(orders) == bool(shop_keys):
        raise UsedWrongly("Say which past orders: either --orders FILE (or `cdnow`), or --shop KEY.")
    if from_day is not None and to_day is not None and to_day < from_day:
        raise UsedWrongly(f"--to {to_day:%Y-%m-%d} is before --from {from_day:%Y-%m-%d}.")
    if currency is not None:
        _require_currency(currency)
    with _where(orders, shop_keys, program_key) as where:
        money = currency or (where.live.currency if where.live else "USD")
        program = _program(draft, money, where.live)
        beside = _beside(against, money, where.live)
        fitted = None if redeeming else where.fit(program)
        behaviour = _behaviour(redeeming, program, fitted)
        read = where.read(program, beside, currency or program.currency)
        with progress("reading", quiet=as_json) as bar:
            done = simulate_program(
                read,
                (program, _assumptions(program, behaviour, shipping_cost, gift_cost)),
                None
                if beside is None
                else (beside, _assumptions(beside, behaviour, shipping_cost, gift_cost)),
                from_day=_day(from_day),
                to_day=_day(to_day),
                watch=lambda what, count, total: bar(count, total),
            )
    if as_json:
        show_json(simulation_data(done, fitted))
    else:
        for line in simulation_lines(done, fitted):
            click.echo(line)


# --- What was asked for ------------------------------------------------------------------------------------


@contextmanager
def _where(orders: str | None, shop_keys: Sequence[str], program_key: str | None) -> Iterator[_Where]:
    """A file needs no database, unless a program is named to be compared with."""
    if orders is not None and program_key is None:
        yield _Where(lambda draft, _, currency: _file(orders, draft, currency), None, lambda draft: None)
        return
    with runtime("program") as rt:
        program_id = find_program(rt, program_key)
        live = live_program(rt, program_id)
        shop_ids = [find_shop(rt, program_id, key).shop_id for key in shop_keys]
        with rt.db.snapshot(program_id) as session:

            def held(draft: Program, beside: Program | None, currency: str) -> Read:
                whole = any(looks_closer(one) for one in (draft, beside) if one is not None)
                return lambda left_out: past_orders_of_shops(
                    session, shop_ids, whole=whole, left_out=left_out
                )

            yield _Where(
                (lambda draft, _, currency: _file(orders, draft, currency)) if orders is not None else held,
                live,
                lambda draft: fit_redeeming(rt, program_id, live, draft),
            )


def _file(name: str, draft: Program, currency: str) -> Read:
    path = CDNOW_FILE if name == CDNOW else Path(name)
    if not path.is_file():
        raise UsedWrongly(f"There is no file {name}. The history that comes with Laurel is called `{CDNOW}`.")

    def read(left_out: LeftOuts) -> Any:
        return read_past_orders(path, currency=currency, zone=draft.zone, left_out=left_out)

    return read


def _program(name: str, currency: str, live: Program | None) -> Program:
    if name == DEFAULT:
        return decode(default_document("Default", currency, live.timezone if live else "UTC"), 0)
    path = Path(name)
    if not path.is_file():
        raise UsedWrongly(
            f"There is no file {name}. `{DEFAULT}` is the document that a new program begins with."
        )
    try:
        return decode(read_document(path.read_text(encoding="utf-8")), 0)
    except WrongDocument as wrong:
        raise SomethingWrong("\n".join(f"{field}: {fault}" for field, fault in wrong.faults)) from wrong
    except (OSError, UnicodeDecodeError) as error:
        raise UsedWrongly(f"{name} cannot be read: {error}") from error


def _beside(name: str | None, currency: str, live: Program | None) -> Program | None:
    if name is None:
        return live
    return None if name == NONE else _program(name, currency, live)


def _behaviour(options: Sequence[str], draft: Program, fitted: Fitted | None) -> Behaviour:
    behaviour = fitted.behaviour if fitted else ASSUMED
    for option in options:
        name, _, value = option.partition("=")
        if name == "share":
            behaviour = _share(behaviour, value)
        elif name == "delay" and value.isascii() and value.isdecimal() and len(value) <= 4:
            behaviour = replace(behaviour, delay_days=int(value))
        elif name == "reward" and (value == CHEAPEST or draft.reward(value) is not None):
            behaviour = replace(behaviour, reward=value)
        else:
            keys = ", ".join(["cheapest", *(reward.key for reward in draft.rewards)])
            raise UsedWrongly(
                f"--redeem {option}: allowed are share=40 or share=30..50 (percent), delay=14 (days, at most 9999), "
                f"reward= and one of {keys}."
            )
    return behaviour


def _share(behaviour: Behaviour, text: str) -> Behaviour:
    low, dots, high = text.replace("%", "").partition("..")
    ends = [int(end) for end in (low, high if dots else low) if re.fullmatch(r"[0-9]{1,3}", end)]
    if len(ends) != 2 or not 0 <= ends[0] <= ends[1] <= 100:
        raise UsedWrongly(f"--redeem share={text}: allowed are 0 to 100 percent, as 40 or as 30..50.")
    middle = (ends[0] + ends[1]) * 10 // 2
    return replace(behaviour, share=middle, share_low=ends[0] * 10, share_high=ends[1] * 10)


def _assumptions(
    program: Program, behaviour: Behaviour, shipping: str | None, gift: str | None
) -> Assumptions:
    """The reward that is redeemed is the draft's; beside it, the cheapest where there is none of that name."""
    if behaviour.reward != CHEAPEST and program.reward(behaviour.reward) is None:
        behaviour = replace(behaviour, reward=CHEAPEST)
    return Assumptions(
        behaviour=behaviour,
        shipping_minor=_cost("--shipping-cost", shipping or str(_SHIPPING), program),
        gift_minor=_cost("--gift-cost", gift or "0", program),
    )


def _cost(option: str, amount: str, program: Program) -> int:
    try:
        return Money.parse(amount, program.currency).minor
    except Refused as refused:
        raise UsedWrongly(f"{option}: {refused.detail}") from refused


def _require_currency(code: str) -> None:
    try:
        exponent(code)
    except Refused as refused:
        raise UsedWrongly(f"--currency: {refused.detail}") from refused


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()
