"""The one encoder whose bytes are hashed.

Encoders differ on 1e16, 1e-7 and non-ASCII text, so everything that enters a hash goes through `canonical`: compact JSON,
fields in the order of their declaration, Decimals as text, NaN as null, mappings by sorted key.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

_encoder = msgspec.json.Encoder(order="deterministic", decimal_format="string")
T = TypeVar("T")


def canonical(value: Any) -> bytes:
    """The bytes of a record, the same on every machine and in every run."""
    return _encoder.encode(value)


def decode(data: bytes, kind: type[T]) -> T:
    """The record that `canonical` wrote; raises `msgspec.ValidationError` for anything else."""
    return msgspec.json.decode(data, type=kind)


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def plain(number: Decimal) -> str:
    """A Decimal without exponent and trailing zeros: `0.5`, `12000`, `0`."""
    if number == 0:
        return "0"
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
