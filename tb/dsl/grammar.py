"""The parser made from `grammar.lark`, once, and only when a text is to be read."""

from __future__ import annotations

import functools
from importlib import resources

from lark import Lark

from tb.dsl.layout import Layout

GRAMMAR = resources.files("tb.dsl").joinpath("grammar.lark").read_text(encoding="utf-8")  # part of the program, not input


@functools.cache
def grammar() -> Lark:
    return Lark(
        GRAMMAR,
        parser="lalr",
        lexer="contextual",
        start=["rules_file", "policy_file", "expression"],
        postlex=Layout(),
        keep_all_tokens=True,
        maybe_placeholders=False,
    )
