"""How a program looks to shoppers, in plain sentences; and what was mended so that it can be read. English, as the
admin is."""

from collections.abc import Iterator

from app.domain.look import LAUREL, WHITE, Font, Look, Position
from app.services.describe_rules import RuleWords

_POSITION = {
    Position.END: "right, and in Arabic left",
    Position.START: "left, and in Arabic right",
}
_FONT = {
    Font.SYSTEM: "the reader’s own",
    Font.SHOP: "that of the shop’s page",
}


def describe_look(look: Look) -> list[RuleWords]:
    """Colour, corners, place and font, one each."""
    return [
        RuleWords("look", "Colour", look.accent),
        RuleWords("look", "Corners", f"{look.radius} px" if look.radius else "square"),
        RuleWords("look", "Button on the shops’ pages", _POSITION[look.position]),
        RuleWords("look", "Font", _FONT[look.font]),
    ]


def mended(look: Look) -> list[str]:
    """What is drawn otherwise than asked, and why; empty: the colour serves everywhere."""
    return [] if look.accent == LAUREL else list(_mended(look))


def _mended(look: Look) -> Iterator[str]:
    colour, accents = look.accent, look.accents
    if accents.fill.light != colour:
        yield f"On white, a button of {colour} would not be seen: it is {accents.fill.light} there."
    if accents.fill.dark != colour:
        yield f"On dark pages, a button of {colour} would hardly be seen: it is {accents.fill.dark} there."
    if accents.on_fill.light != WHITE:
        yield "White could not be read on the button, so what is written on it is dark."
    if accents.text.light != colour:
        yield f"As text and icon on white, {colour} is too light to be read: {accents.text.light} is used."
    if accents.text.dark != colour:
        yield f"As text and icon on dark pages, {colour} is too dark to be read: {accents.text.dark} is used."
