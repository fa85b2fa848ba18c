"""A simulation as a table for people: a month a line, the draft above what it is compared with."""

from collections.abc import Iterator, Sequence

from app.domain.money import Money
from app.domain.program import Program
from app.domain.simulation import Estimate, Month
from app.services.describe_simulation import describe_left_out, describe_simulation
from app.services.fit_redeeming import Fitted
from app.services.left_out import LeftOut
from app.services.simulate_program import Side, Simulated
from app.services.wording import in_unit, words_for

_HEAD = (
    "month| |orders|revenue|given|taken back|redeemed|expired|open|pending|cost|liability|cost %|up|down|members"
).split("|")


def simulation_lines(done: Simulated, fitted: Fitted | None) -> Iterator[str]:
    sides = [("draft", done.draft)] + ([("beside", done.beside)] if done.beside else [])
    span = f"{done.first:%Y-%m-%d} to {done.until:%Y-%m-%d}"
    yield f"{done.orders.orders:,} orders of {done.members:,} customers, {span}."
    for name, side in sides:
        yield f"{name}: {_title(side)}"
    yield ""
    yield from _table(done, sides)
    yield ""
    for name, side in sides:
        yield from _totals(name, side)
    if done.beside is not None:
        yield from _moves(done, done.beside)
    for sentence in describe_simulation(done, fitted):
        yield f"- {sentence}"
    yield from _left_out("", done.left_out)
    for name, side in sides:
        yield from _left_out(f"{name}: ", side.left_out)


def _title(side: Side) -> str:
    program = side.program
    version = f"{program.name}, version {program.version}" if program.version else program.name
    return f"{version}; money in {program.currency}; members of {' / '.join(tier.name for tier in program.tiers)}"


def _table(done: Simulated, sides: Sequence[tuple[str, Side]]) -> Iterator[str]:
    rows = [_HEAD]
    for place, month in enumerate(done.draft.report.months):
        for name, side in sides:
            shown = month.month if name == "draft" else ""
            rows.append([shown, name, *_row(side.report.months[place], side.program)])
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    for row in rows:
        cells = (
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def _row(month: Month, program: Program) -> list[str]:
    currency, words = program.currency, words_for(program)
    units = (
        month.given.expected,
        month.taken_back,
        month.redeemed.expected,
        month.expired.expected,
        month.open_points.expected,
        month.pending.expected,
    )
    return [
        f"{month.orders:,}",
        _money(month.revenue_minor, currency),
        *(words.amount(one) for one in units),
        _money(month.cost_minor.expected, currency),
        _money(month.liability_minor.expected, currency),
        "–" if month.cost_per_10000 is None else _percent(month.cost_per_10000.expected),
        str(month.up),
        str(month.down),
        " / ".join(f"{count:,}" for count in month.tiers),
    ]


def _totals(name: str, side: Side) -> Iterator[str]:
    total, currency, words = side.report.total, side.program.currency, words_for(side.program)
    yield f"In all, {name}:"
    for label, found in (
        ("points given", total.given),
        ("points redeemed", total.redeemed),
        ("points expired", total.expired),
        ("open at the end", total.open_points),
    ):
        low, expected, high = (words.amount(one) for one in (found.low, found.expected, found.high))
        yield f"  {in_unit(label, words):21}{expected} ({low} to {high})"
    for label, money in (("cost", total.cost_minor), ("liability at the end", total.liability_minor)):
        low, expected, high = (_money(one, currency) for one in (money.low, money.expected, money.high))
        yield f"  {label:21}{expected} {currency} ({low} to {high})"
    if total.cost_per_10000 is not None:
        yield f"  {'cost of revenue':21}{_percents(total.cost_per_10000)}"
    yield ""


def _moves(done: Simulated, beside: Side) -> Iterator[str]:
    names = {tier.key: tier.name for side in (beside, done.draft) for tier in side.program.tiers}
    moved = [one for one in done.moves if one.from_key != one.to_key]
    yield "Who ends in another tier by the draft:" if moved else "Everybody ends in the same tier by both."
    for one in moved:
        has, gets = (names.get(key, "no member") for key in (one.from_key, one.to_key))
        yield f"  {one.members:,} from {has} to {gets}, such as {', '.join(one.examples)}"
    yield ""


def _left_out(name: str, left_out: Sequence[LeftOut]) -> Iterator[str]:
    for line in describe_left_out(left_out):
        yield line if line.startswith(" ") else f"- {name}{line}"


def _money(minor: int, currency: str) -> str:
    whole, point, rest = str(Money(abs(minor), currency)).partition(".")
    return f"{'-' if minor < 0 else ''}{int(whole):,}{point}{rest}"


def _percents(per_10000: Estimate) -> str:
    return f"{_percent(per_10000.expected)} % ({_percent(per_10000.low)} to {_percent(per_10000.high)})"


def _percent(per_10000: int) -> str:
    return f"{per_10000 // 100}.{per_10000 % 100:02d}"
