"""The app's icon, in a merchant's colours. Home screens take no SVG, so it is drawn as PNG from the mark's outline.

What takes time, how much of each pixel the mark covers, is worked out once a size, when first asked for; a colour is
then a palette of 256 steps in front of it, so that asking for many colours costs nothing.
"""

import re
import struct
import zlib
from functools import lru_cache
from pathlib import Path

_SVG = Path(__file__).parent.parent / "static" / "page" / "icon.svg"
_FILL = re.compile(r'fill="#[0-9a-f]{6}"')  # the ground's, then the mark's
_FINE = 4  # lines looked at in each row of pixels
_STEPS = 12  # straight pieces for each curve

Point = tuple[float, float]
Colour = tuple[int, int, int]


def icon_svg(ground: str, ink: str) -> bytes:
    """The same as SVG, for browsers' tabs. Colours are "#rrggbb"."""
    colours = iter((ground, ink))
    return _FILL.sub(lambda _: f'fill="{next(colours)}"', _SVG.read_text()).encode()


def icon_png(size: int, margin: int, ground: str, ink: str) -> bytes:
    """The mark on its ground, `size` pixels a side; within `margin` pixels of each edge stands nothing but ground."""
    header = struct.pack(">IIBBBBB", size, size, 8, 3, 0, 0, 0)  # 8 bits a pixel, each a place in the palette
    parts = (
        (b"IHDR", header),
        (b"PLTE", _palette(_colour(ground), _colour(ink))),
        (b"IDAT", _drawn(size, margin)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in parts)


def _palette(ground: Colour, ink: Colour) -> bytes:
    return bytes(
        round(below + (above - below) * step / 255)
        for step in range(256)
        for below, above in zip(ground, ink, strict=True)
    )


@lru_cache
def _drawn(size: int, margin: int) -> bytes:
    """How much of each pixel the mark covers, of 255, row by row and packed."""
    box = size - 2 * margin
    path = " ".join(re.findall(r'<path[^>]* d="([^"]+)"', _SVG.read_text()))
    outline = [[(margin + x * box / 24, margin + y * box / 24) for x, y in loop] for loop in _loops(path)]
    rows = (_row(_covered(outline, y, size)) for y in range(size))
    return zlib.compress(b"".join(b"\0" + row for row in rows), 9)


def _loops(path: str) -> list[list[Point]]:
    """The outline as straight pieces. It is written in M, C and Z alone, absolute."""
    loops: list[list[Point]] = []
    for letter, numbers in re.findall(r"([MC])([^MCZ]*)", path):
        found = [float(one) for one in re.findall(r"-?\d+(?:\.\d+)?", numbers)]
        points = list(zip(found[::2], found[1::2], strict=True))
        if letter == "M":
            loops.append(points)
            continue
        for at in range(0, len(points), 3):
            loops[-1] += _curve(loops[-1][-1], *points[at : at + 3])
    return loops


def _curve(a: Point, b: Point, c: Point, d: Point) -> list[Point]:
    found = []
    for step in range(1, _STEPS + 1):
        t = step / _STEPS
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        corners = (a, b, c, d)
        x = sum(weight * corner[0] for weight, corner in zip(weights, corners, strict=True))
        y = sum(weight * corner[1] for weight, corner in zip(weights, corners, strict=True))
        found.append((x, y))
    return found


def _covered(outline: list[list[Point]], row: int, size: int) -> list[float]:
    """How much of each pixel of the row is inside, 0 to 1."""
    cover = [0.0] * size
    for fine in range(_FINE):
        y = row + (fine + 0.5) / _FINE
        for loop in outline:
            crossings = sorted(
                x1 + (y - y1) * (x2 - x1) / (y2 - y1)
                for (x1, y1), (x2, y2) in zip(loop, loop[1:] + loop[:1], strict=True)
                if (y1 <= y) != (y2 <= y)
            )
            for begin, end in zip(crossings[::2], crossings[1::2], strict=True):
                for x in range(max(int(begin), 0), min(int(end) + 1, size)):
                    cover[x] += max(min(end, x + 1) - max(begin, x), 0) / _FINE
    return cover


def _row(cover: list[float]) -> bytes:
    return bytes(round(255 * min(share, 1)) for share in cover)


def _colour(text: str) -> Colour:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
