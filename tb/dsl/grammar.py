"""The parser of `grammar.lark`, ready once and only when a text is to be read.

Working the grammar out takes a third of a second, so the result is kept beside it as `grammar.table.json`, written by
`python docs/generate.py`. A table that was made from another grammar or by another version of the parser library is left
aside and the grammar is worked out anew: slower, never different.
"""

from __future__ import annotations

import functools
import hashlib
import json
from importlib import resources
from typing import Any

import lark
from lark import Lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

from tb.dsl.layout import Layout

GRAMMAR = resources.files("tb.dsl").joinpath("grammar.lark").read_text(encoding="utf-8")  # part of the program, not input
TABLE = "grammar.table.json"


def fingerprint() -> str:
    """What a table must have been made from."""
    return hashlib.sha256(f"{lark.__version__}\n{GRAMMAR}".encode()).hexdigest()


def work_out() -> Lark:
    """The parser, from the grammar itself."""
    return Lark(
        GRAMMAR,
        parser="lalr",
        lexer="contextual",
        start=["rules_file", "policy_file", "expression"],
        postlex=Layout(),
        keep_all_tokens=True,
        maybe_placeholders=False,
    )


def table_text() -> str:
    """The table, as it is kept."""
    data, memo = work_out().memo_serialize([TerminalDef, Rule])
    data["options"]["postlex"] = None  # an object of this program, handed over when the table is read
    return json.dumps({"fingerprint": fingerprint(), "data": data, "memo": memo}, separators=(",", ":"), sort_keys=True) + "\n"


def _numbered(value: Any) -> Any:
    """What was written, with the numbers among the keys as numbers again."""
    if isinstance(value, dict):
        return {int(key) if key.isdigit() else key: _numbered(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_numbered(inner) for inner in value]
    return value


def kept_table() -> dict[str, Any] | None:
    """The table that comes with the package, if it fits the grammar."""
    try:
        text = resources.files("tb.dsl").joinpath(TABLE).read_text(encoding="utf-8")
    except FileNotFoundError:  # while the table is being made
        return None
    kept: dict[str, Any] = json.loads(text)
    return _numbered(kept) if kept.get("fingerprint") == fingerprint() else None


@functools.cache
def grammar() -> Lark:
    """The parser."""
    kept = kept_table()
    if kept is None:
        return work_out()
    parser: Lark = Lark._load_from_dict(kept["data"], kept["memo"], postlex=Layout())  # type: ignore[no-untyped-call]
    return parser
