"""The `order_configuration` of a request, read into terms that orders are matched by.

A shape that the wire does not know, a number that is none, or a field that is missing is a `Malformed`, with the words in which
the venue would say so. Numbers are text on the wire; a JSON number is malformed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from tb.core.time import parse_instant

Force = Literal["GOOD_UNTIL_CANCELLED", "GOOD_UNTIL_DATE_TIME", "IMMEDIATE_OR_CANCEL", "FILL_OR_KILL"]
Type = Literal["MARKET", "LIMIT", "STOP_LIMIT", "BRACKET"]

# shape -> what it is, how long it works, fields it must have, fields it may have
_GTC, _GTD, _IOC, _FOK = "GOOD_UNTIL_CANCELLED", "GOOD_UNTIL_DATE_TIME", "IMMEDIATE_OR_CANCEL", "FILL_OR_KILL"
_LIMIT, _STOP = ("base_size", "limit_price"), ("base_size", "limit_price", "stop_price", "stop_direction")
_BRACKET = ("limit_price", "stop_trigger_price")
SHAPES: dict[str, tuple[Type, str, tuple[str, ...], tuple[str, ...]]] = {
    "market_market_ioc": ("MARKET", _IOC, (), ("base_size", "quote_size")),
    "sor_limit_ioc": ("LIMIT", _IOC, _LIMIT, ()),
    "limit_limit_gtc": ("LIMIT", _GTC, _LIMIT, ("post_only",)),
    "limit_limit_gtd": ("LIMIT", _GTD, (*_LIMIT, "end_time"), ("post_only",)),
    "limit_limit_fok": ("LIMIT", _FOK, _LIMIT, ()),
    "stop_limit_stop_limit_gtc": ("STOP_LIMIT", _GTC, _STOP, ()),
    "stop_limit_stop_limit_gtd": ("STOP_LIMIT", _GTD, (*_STOP, "end_time"), ()),
    "trigger_bracket_gtc": ("BRACKET", _GTC, _BRACKET, ("base_size",)),
    "trigger_bracket_gtd": ("BRACKET", _GTD, (*_BRACKET, "end_time"), ("base_size",)),
}
_NUMBER = re.compile(r"\d{1,20}(\.\d{1,20})?", re.ASCII)
_FRACTION = re.compile(r"(\.\d{1,3})\d*")


class Malformed(Exception):
    """A request that cannot be read; the text is what the venue answers."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order asks for. `size` is in base, `funds` in quote: a market order gives one, an attached order neither."""

    shape: str
    type: Type
    force: str
    size: Decimal | None = None
    funds: Decimal | None = None
    limit: Decimal | None = None
    stop: Decimal | None = None
    stops_up: bool = False
    expires: int | None = None
    post_only: bool = False


def read_terms(configuration: Any, *, attached: bool = False) -> Terms:
    """The terms of a configuration with exactly one shape. Raises Malformed. `attached` ones take their size from elsewhere."""
    if not isinstance(configuration, Mapping) or len(configuration) != 1:
        raise Malformed("order_configuration must hold exactly one order type")
    shape, fields = next(iter(configuration.items()))
    if shape not in SHAPES or not isinstance(fields, Mapping):
        raise Malformed(f"unsupported order configuration {shape}")
    type_, force, needed, possible = SHAPES[shape]
    if missing := [name for name in needed if name not in fields]:
        raise Malformed(f"{shape} needs {missing[0]}")
    if unknown := [name for name in fields if name not in (*needed, *possible)]:
        raise Malformed(f'unknown field "{unknown[0]}" in {shape}')
    sizes = [name for name in ("base_size", "quote_size") if name in fields]
    if len(sizes) != (0 if attached else 1):
        raise Malformed("an attached order takes its size from its parent" if attached else f"{shape} needs one size")
    direction = fields.get("stop_direction")
    if direction not in {None, "STOP_DIRECTION_STOP_UP", "STOP_DIRECTION_STOP_DOWN"}:
        raise Malformed("invalid stop_direction")
    post_only = fields.get("post_only", False)
    if not isinstance(post_only, bool):
        raise Malformed("post_only must be a boolean")
    return Terms(
        shape=shape,
        type=type_,
        force=force,
        size=_number(fields, "base_size"),
        funds=_number(fields, "quote_size"),
        limit=_number(fields, "limit_price"),
        stop=_number(fields, "stop_trigger_price" if type_ == "BRACKET" else "stop_price"),
        stops_up=direction == "STOP_DIRECTION_STOP_UP",
        expires=_instant(fields, "end_time"),
        post_only=post_only,
    )


def _number(fields: Mapping[str, Any], name: str) -> Decimal | None:
    if name not in fields:
        return None
    return read_number(fields[name], name)


def read_number(value: Any, name: str) -> Decimal:
    """A positive number, or zero, that stands as text. Raises Malformed."""
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise Malformed(f"invalid {name}")
    return Decimal(value)


def _instant(fields: Mapping[str, Any], name: str) -> int | None:
    return read_instant(fields[name], name) if name in fields else None


def read_instant(value: Any, name: str) -> int:
    """An RFC 3339 instant as ms; digits finer than that are dropped. Raises Malformed."""
    found = parse_instant(_FRACTION.sub(r"\1", value)) if isinstance(value, str) and "T" in value else None
    if found is None:
        raise Malformed(f"invalid {name}")
    return found
