"""JSON from a shop into msgspec structs, second chance included. What a field means is the connector's business."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn, TypeVar

import msgspec

from app.domain.errors import Refused

T = TypeVar("T")

_YEARS = range(1900, 3000)

# PostgreSQL's text takes neither NUL nor half a surrogate pair; shoppers' notes and names have held both.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def decode(body: bytes | msgspec.Raw, kind: type[T]) -> T:
    """`body` as `kind`, a msgspec struct of the fields we read.

    A body that msgspec refuses is read once more by `json`, what cannot be stored replaced by U+FFFD.

    Raises: Refused("not_understood") with the field's path; Refused("unparsable") if it is no JSON at all.
    """
    try:
        if b"\\u0000" not in bytes(body):
            return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return msgspec.convert(_read_leniently(bytes(body)), type=kind)
    except msgspec.ValidationError as error:
        raise Refused("not_understood", str(error)) from error


def split_list(body: bytes) -> list[msgspec.Raw]:
    """The members of a JSON list, each still to be decoded, so that one odd member does not spoil the others.

    Raises: Refused as `decode` does.
    """
    try:
        return msgspec.json.decode(body, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        members = decode(body, list[Any])
    return [msgspec.Raw(msgspec.json.encode(member)) for member in members]


def in_utc(moment: datetime) -> datetime:
    """`moment`, which knows its zone, in UTC.

    Raises: Refused("not_a_time") for one so far off that it is a slip, and that no calendar could count on from.
    """
    if moment.year not in _YEARS:
        raise Refused("not_a_time", f"A time in the year {moment.year} is none of an order.")
    return moment.astimezone(UTC)


def _read_leniently(body: bytes) -> object:
    try:
        text = body.decode("utf-8-sig", "replace")
        return _clean(json.loads(text, strict=False, parse_float=Decimal, parse_constant=_no_number))
    except (ValueError, InvalidOperation, RecursionError) as error:
        # Not the decoder's own words: they may quote the body.
        raise Refused("unparsable", f"The body is not JSON ({type(error).__name__}).") from None


def _clean(value: object) -> object:
    match value:
        case str():
            return _UNSTORABLE.sub("\ufffd", value)
        case list():
            return [_clean(member) for member in value]
        case dict():
            return {_UNSTORABLE.sub("\ufffd", key): _clean(member) for key, member in value.items()}
        case _:
            return value


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
