"""In which language somebody wants to read."""

from flask import request

from app.domain.words import LANGUAGES, known_language


def language() -> str | None:
    """Of a shopper: what the page says (`lang`), else the browser; None: none of ours, so the program's own."""
    return known_language(request.args.get("lang")) or _accepted()


def reader() -> str:
    """Of whoever asks the API: `Accept-Language`, else English."""
    return _accepted() or "en"


def _accepted() -> str | None:
    # By hand, since a browser's "de-AT" is our "de".
    asked = (known_language(tag) for tag, quality in request.accept_languages if quality > 0)
    return next((one for one in asked if one in LANGUAGES), None)
