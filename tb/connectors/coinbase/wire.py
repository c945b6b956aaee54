"""Reads what the venue wrote, exactly: numbers become Decimal from their text, and what cannot be read is named.

INVARIANT: no float; nothing that is missing, empty, infinite or not a number becomes a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Context, Decimal
from typing import Any

from tb.core.time import parse_instant

_NUMBER = re.compile(r"[+-]?\d{1,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_FRACTION = re.compile(r"(\.\d{3})\d+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXACT = Context(prec=400)  # more digits than two numbers of the wire can make
_FINEST = Decimal("0.00000001")
_SURROGATE = re.compile("[\ud800-\udfff]")
LONGEST = 10_000  # characters of a text
ABSENT: tuple[object, ...] = (None, "")

Fields = Mapping[str, Any]


class Unreadable(Exception):
    """An answer that lacks something; the message names it."""


def read_json(content: bytes | str) -> Any:
    """JSON with its numbers as they stand; raises Unreadable."""
    try:
        return json.loads(content, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as problem:
        raise Unreadable("the answer is not JSON") from problem


def _no_number(word: str) -> Any:
    raise ValueError(f"`{word}` is not a number")


def fields(value: Any, name: str = "the answer") -> Fields:
    """An object of JSON."""
    if not isinstance(value, dict):
        raise Unreadable(f"{_called(name)} is not an object")
    return value


def rows(value: Fields, name: str) -> list[Fields]:
    """A list of objects."""
    found = value.get(name)
    if not isinstance(found, list):
        raise Unreadable(f"`{name}` is {'missing' if found is None else 'not a list'}")
    return [fields(row, name) for row in found]


def part(value: Fields, name: str) -> Fields:
    """An object inside another."""
    if value.get(name) is None:
        raise Unreadable(f"`{name}` is missing")
    return fields(value[name], name)


def text(value: Fields, name: str) -> str:
    """A text that is not empty."""
    found = optional_text(value, name)
    if not found:
        raise Unreadable(f"`{name}` is missing")
    return found


def optional_text(value: Fields, name: str) -> str:
    """A text, empty where there is none."""
    found = value.get(name)
    if found is None:
        return ""
    # half a character, or a book: what could neither be sent back nor be kept
    if not isinstance(found, str) or len(found) > LONGEST or (not found.isascii() and _SURROGATE.search(found)):
        raise Unreadable(f"`{name}` is not a text")
    return found


def truth(value: Fields, name: str) -> bool:
    found = value.get(name)
    if not isinstance(found, bool):
        raise Unreadable(f"`{name}` is {'missing' if found in ABSENT else 'neither true nor false'}")
    return found


def number(value: Fields, name: str) -> Decimal:
    """A number, as the venue wrote it."""
    found = value.get(name)
    if found in ABSENT:
        raise Unreadable(f"`{name}` is missing")
    if isinstance(found, bool) or not isinstance(found, str | int | Decimal) or not _NUMBER.fullmatch(str(found)):
        raise Unreadable(f"`{name}` is not a number")
    return Decimal(str(found))


def optional_number(value: Fields, name: str) -> Decimal | None:
    """A number, None where there is none."""
    return None if value.get(name) in ABSENT else number(value, name)


def not_negative(value: Fields, name: str) -> Decimal:
    found = number(value, name)
    if found < 0:
        raise Unreadable(f"`{name}` is negative")
    return found


def positive(value: Fields, name: str) -> Decimal:
    found = number(value, name)
    if found <= 0:
        raise Unreadable(f"`{name}` is not greater than 0")
    return found


def whole(value: Fields, name: str) -> int:
    found = number(value, name)
    if found != found.to_integral_value():
        raise Unreadable(f"`{name}` is not a whole number")
    return int(found)


def instant(value: Fields, name: str) -> int:
    """An instant in ms; finer parts of a second are cut off."""
    found = parse_instant(_FRACTION.sub(r"\1", text(value, name)))
    if found is None:
        raise Unreadable(f"`{name}` is not a time")
    return found


def optional_instant(value: Fields, name: str) -> int | None:
    return None if value.get(name) in ABSENT else instant(value, name)


def total(first: Decimal, second: Decimal) -> Decimal:
    """The sum, to the last digit."""
    return _EXACT.add(first, second)


def quantity_for(money: Decimal, price: Decimal) -> Decimal:
    """What an amount of money buys at a price above 0, rounded down to eight places: the one number here that is worked out."""
    return _EXACT.divide(money, price).quantize(_FINEST, ROUND_DOWN, _EXACT)


def show_number(value: Decimal) -> str:
    """A number as the venue wants it: without exponent."""
    return format(value, "f")


def show_time(ms: int) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    moment = _EPOCH + timedelta(milliseconds=ms)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def _called(name: str) -> str:
    return name if " " in name else f"`{name}`"
