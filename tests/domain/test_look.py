"""From one colour all the others, and whatever it is, everything can be read. Contrast is worked out here by floats,
after WCAG 2.2, apart from the code under test."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.look import (
    LAUREL,
    LAURELS_OWN,
    Accents,
    Font,
    Look,
    Position,
    accents_of,
    decode_look,
    reaches,
)

SURFACES = {"light": "#ffffff", "dark": "#161c19"}
SUNKEN = {"light": "#eef2f0", "dark": "#1f2723"}

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def light(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((light(one), light(other)))
    return (lighter + 0.05) / (darker + 0.05)


def oklab(colour: str) -> tuple[float, float, float]:
    """Source: Björn Ottosson, "A perceptual color space for image processing", 2020."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    x, y, z = (
        (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3),
        (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3),
        (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3),
    )
    return (
        0.2104542553 * x + 0.7936177850 * y - 0.0040720468 * z,
        1.9779984951 * x - 2.4285922050 * y + 0.4505937099 * z,
        0.0259040371 * x + 0.7827717662 * y - 0.8086757660 * z,
    )


def soft(accent: str, surface: str) -> str:
    """The style sheet's `--accent-soft`: 9 % of the accent's text colour in the surface, mixed in oklab."""
    lightness, a, b = (s + (t - s) * 0.09 for t, s in zip(oklab(accent), oklab(surface), strict=True))
    x = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    y = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    z = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * x - 3.3077115913 * y + 0.2309699292 * z,
        -1.2684380046 * x + 2.6097574011 * y - 0.3413193965 * z,
        -0.0041960863 * x - 0.7034186147 * y + 1.7076147010 * z,
    )
    cut = (min(max(part, 0), 1) for part in linear)
    coded = (p * 12.92 if p <= 0.0031308 else 1.055 * p ** (1 / 2.4) - 0.055 for p in cut)
    return "#" + "".join(f"{round(255 * part):02x}" for part in coded)


def all_readable(found: Accents) -> None:
    for theme, surface in SURFACES.items():
        fill, on, text = (getattr(pair, theme) for pair in (found.fill, found.on_fill, found.text))
        assert contrast(on, fill) >= 4.5, (theme, on, fill)
        for ground in (surface, SUNKEN[theme], soft(text, surface)):
            assert contrast(text, ground) >= 4.5, (theme, text, ground)


@pytest.mark.parametrize(
    ("colour", "fill", "on_fill", "text"),
    [
        # Where black and white are the page's own colour they change places: a grey looks switched off.
        ("#ffffff", ("#000000", "#ffffff"), ("#ffffff", "#10130f"), ("#000000", "#ffffff")),
        ("#000000", ("#000000", "#ffffff"), ("#ffffff", "#10130f"), ("#000000", "#ffffff")),
        ("#2b2b33", ("#2b2b33", "#ffffff"), ("#ffffff", "#10130f"), ("#2b2b33", "#ffffff")),
        # A hue is kept: navy on dark pages is a lighter blue.
        ("#001f5b", ("#001f5b", "#52678f"), ("#ffffff", "#ffffff"), ("#001f5b", "#8593b0")),
        ("#fff3b0", ("#ebe0a2", "#fff3b0"), ("#10130f", "#10130f"), ("#6b664a", "#fff3b0")),
        # Yellow stays yellow under dark letters; yellow letters on white are darkened.
        ("#ffd400", ("#ffd400", "#ffd400"), ("#10130f", "#10130f"), ("#7a6600", "#ffd400")),
        # Where the softer black is not enough, black itself.
        ("#777777", ("#777777", "#777777"), ("#000000", "#000000"), ("#696969", "#929292")),
        # Laurel's own was chosen by eye.
        (LAUREL, ("#1b6b4c", "#63c79a"), ("#ffffff", "#06281a"), ("#1b6b4c", "#7bd3aa")),
    ],
)
def test_one_colour_gives_all_the_others(
    colour: str, fill: tuple[str, str], on_fill: tuple[str, str], text: tuple[str, str]
) -> None:
    found = accents_of(colour)
    assert (found.fill.light, found.fill.dark) == fill
    assert (found.on_fill.light, found.on_fill.dark) == on_fill
    assert (found.text.light, found.text.dark) == text
    all_readable(found)


@given(colours)
def test_whatever_the_colour_everything_can_be_read(colour: str) -> None:
    all_readable(accents_of(colour))


@pytest.mark.parametrize("grey", range(256))
def test_no_grey_falls_between_black_and_white(grey: int) -> None:
    all_readable(accents_of(f"#{grey:02x}{grey:02x}{grey:02x}"))


@given(colours, colours)
def test_contrast_in_whole_numbers_is_contrast(one: str, other: str) -> None:
    exact = contrast(one, other)
    for tenths in range(10, 211, 5):
        if abs(exact - tenths / 10) > 1e-6:
            assert reaches(one, other, tenths) == (exact >= tenths / 10)


def test_a_document_says_what_it_wants_and_no_more() -> None:
    assert decode_look({}) == LAURELS_OWN == Look(accent=LAUREL, radius=10)
    told = {"accent": "#FFD400", "radius": 0, "position": "start", "font": "shop"}
    assert decode_look(told) == Look(accent="#ffd400", radius=0, position=Position.START, font=Font.SHOP)
