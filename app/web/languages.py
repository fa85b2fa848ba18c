"""In which language somebody wants to read."""

from functools import lru_cache

from flask import request
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from app.domain.words import LANGUAGES, known_language

_LONGEST = 500  # letters of a header that are looked at; no browser lists so many


def language() -> str | None:
    """Of a shopper: what the page says (`lang`), else the browser; None: none of ours, so the program's own."""
    return known_language(request.args.get("lang")) or _accepted()


def reader() -> str:
    """Of whoever asks the API: `Accept-Language`, else English."""
    return _accepted() or "en"


def _accepted() -> str | None:
    header: str | None = request.environ.get("HTTP_ACCEPT_LANGUAGE")
    return _first_of_ours(header[:_LONGEST]) if header else None


@lru_cache(maxsize=1024)
def _first_of_ours(header: str) -> str | None:
    # By hand, since a browser's "de-AT" is our "de". Remembered: browsers say one of few things, with every request.
    accepted = parse_accept_header(header, LanguageAccept)
    asked = (known_language(tag) for tag, quality in accepted if quality > 0)
    return next((one for one in asked if one in LANGUAGES), None)
