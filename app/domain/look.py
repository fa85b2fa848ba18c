"""The merchant's look: one colour, and every accent that follows from it for light and dark.

Contrast is WCAG 2.2's, worked out in whole numbers: what can be read is decided by a rule, never by a rounding.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

_WHOLE = 10**9  # the luminance of white
_STEPS = 50  # between a colour and black or white
WHITE, BLACK = "#ffffff", "#000000"
_INK = "#10130f"  # black's side of text on a fill, where it can be read; softer than black
# The grounds of the widget's style sheet, and the deepest tint of each that text in the accent stands on.
_LIGHT, _DARK = "#ffffff", "#161c19"
_LIGHT_TINT, _DARK_TINT = "#e9ecea", "#222b27"
_TEXT = 46  # tenths: 4.5 and a little, for the tint is mixed by the browser
_ON_FILL = 45
_GREY = 24  # how far the channels of a colour without a hue lie apart, at most
_SEEN_LIGHT, _SEEN_DARK = 13, 30  # how far a fill stands out from its ground


class Position(StrEnum):
    END = "end"
    START = "start"


class Font(StrEnum):
    SYSTEM = "system"  # the reader's own
    SHOP = "shop"  # that of the page around it


@dataclass(frozen=True, slots=True)
class Pair:
    """A colour on light ground and on dark, each "#rrggbb"."""

    light: str
    dark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accents:
    """`fill`: of buttons; `on_fill`: what is written on it; `text`: as text, icon and bar. Text reaches 4.5:1."""

    fill: Pair
    on_fill: Pair
    text: Pair


LAUREL = "#1b6b4c"
# Chosen by eye, with more contrast than the rule asks for; whatever else is derived.
_LAURELS = Accents(fill=Pair(LAUREL, "#63c79a"), on_fill=Pair(WHITE, "#06281a"), text=Pair(LAUREL, "#7bd3aa"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a program says of how it looks; without a word, Laurel's own."""

    accent: str = LAUREL
    radius: int = 10  # of a button's corners, in pixels
    position: Position = Position.END  # of the launcher, in reading direction
    font: Font = Font.SYSTEM

    @property
    def accents(self) -> Accents:
        return accents_of(self.accent)


LAURELS_OWN = Look()


def decode_look(told: Mapping[str, Any]) -> Look:
    plain = LAURELS_OWN
    return Look(
        accent=told.get("accent", plain.accent).lower(),
        radius=told.get("radius", plain.radius),
        position=Position(told.get("position", plain.position)),
        font=Font(told.get("font", plain.font)),
    )


@lru_cache(maxsize=1024)
def accents_of(colour: str) -> Accents:
    """All accents of the one colour, "#rrggbb", on which nothing may be unreadable: no colour is refused."""
    if colour == LAUREL:
        return _LAURELS
    light_fill, light_text = _shades(colour, BLACK, _LIGHT, _SEEN_LIGHT, _LIGHT_TINT)
    dark_fill, dark_text = _shades(colour, WHITE, _DARK, _SEEN_DARK, _DARK_TINT)
    return Accents(
        fill=Pair(light_fill, dark_fill),
        on_fill=Pair(_upon(light_fill), _upon(dark_fill)),
        text=Pair(light_text, dark_text),
    )


def reaches(one: str, other: str, tenths: int) -> bool:
    """Whether two colours have at least that contrast; 45 is 4.5:1."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return 10 * (20 * lighter + _WHOLE) >= tenths * (20 * darker + _WHOLE)


def _shades(colour: str, end: str, ground: str, seen: int, tint: str) -> tuple[str, str]:
    """Fill and text on that ground."""
    # A black shop's button on a dark page is white, and a white one's on a light page black: in between lies a grey
    # that looks as if the button were switched off.
    if _is_grey(colour) and not reaches(colour, ground, seen):
        return end, end
    return _until(colour, end, ground, seen), _until(colour, end, tint, _TEXT)


def _is_grey(colour: str) -> bool:
    return max(_parts(colour)) - min(_parts(colour)) <= _GREY


def _upon(fill: str) -> str:
    # One of the two ends always does: below a luminance of 0.183 white, above 0.175 black.
    return next(ink for ink in (WHITE, _INK, BLACK) if ink == BLACK or reaches(ink, fill, _ON_FILL))


def _until(colour: str, end: str, ground: str, tenths: int) -> str:
    """The colour, moved towards `end` only as far as it takes."""
    moved = (_mixed(colour, end, step) for step in range(_STEPS + 1))
    return next((one for one in moved if reaches(one, ground, tenths)), end)


def _mixed(colour: str, end: str, step: int) -> str:
    parts = zip(_parts(colour), _parts(end), strict=True)
    return "#" + "".join(
        f"{here + ((there - here) * step * 2 + _STEPS) // (2 * _STEPS):02x}" for here, there in parts
    )


def _luminance(colour: str) -> int:
    red, green, blue = (_LINEAR[part] for part in _parts(colour))
    return (2126 * red + 7152 * green + 722 * blue) // 10_000


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _linear(part: int) -> int:
    """A channel of 0 to 255 as light, of `_WHOLE`."""
    if part <= 10:  # 0.04045 of 255
        return part * _WHOLE * 100 // (255 * 1292)
    # ((part/255 + 0.055) / 1.055) ** 2.4, as the fifth root of the twelfth power of 1000 × the fraction's two sides.
    return _fifth_root(_WHOLE**5 * (1000 * part + 14_025) ** 12 // 269_025**12)


def _fifth_root(value: int) -> int:
    """Rounded down."""
    low, high = 0, _WHOLE
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**5 <= value else (low, middle - 1)
    return low


_LINEAR = tuple(_linear(part) for part in range(256))
