"""Strategies: their entries with size, stop and target, and what ends a position."""

from __future__ import annotations

from lark import Token, Tree

from tb.core.span import Span
from tb.dsl import syntax
from tb.dsl.build_expression import build_duration, build_expression, build_number
from tb.dsl.build_words import because_of, build_name, doc_of, once, span_of
from tb.dsl.reading import Node, Reading


def build_strategy(tree: Node, reading: Reading) -> syntax.Strategy:
    children = tree.children
    name = build_name(children[1], reading)
    what = f"strategy `{name}`"
    enters, exits, cool_downs = [], [], []
    for child in children:
        match child:
            case Tree(data="enter"):
                enters.append(_enter(child, reading))
            case Tree(data="exit_when"):
                because = because_of(child, "`exit when`", reading)
                exits.append(syntax.ExitWhen(build_expression(child.children[2], reading), because, span_of(child, reading)))
            case Tree(data="cool_down"):
                length, after = build_duration(child.children[2], reading), str(child.children[4])
                cool_downs.append(syntax.CoolDown(length, after, span_of(child, reading)))
    hold = once(tree, "hold", "hold at most", what, reading)
    held = build_duration(hold.children[3], reading) if hold else None
    every = build_duration(children[5], reading, bars=False)
    if not enters:
        hint = "add `enter long when CONDITION` below it"
        reading.missing("TB019", f"{what} never enters", reading.span(children[0], children[5]), hint)
    return syntax.Strategy(
        name=name,
        universe=str(children[3]),
        every=every,
        enters=tuple(enters),
        exits=tuple(exits),
        hold_at_most=held,
        cool_downs=tuple(cool_downs),
        doc=doc_of(tree, what, reading),
        span=span_of(tree, reading),
    )


def _enter(tree: Node, reading: Reading) -> syntax.Enter:
    children = tree.children
    direction = str(children[1])
    what = f"`enter {direction}`"
    size = once(
        tree, "size", "size", what, reading, hint="write the second case on a line below the first, with `if` and `otherwise`"
    )
    stop, target = once(tree, "stop", "stop", what, reading), once(tree, "target", "target", what, reading)
    return syntax.Enter(
        direction=direction,
        when=build_expression(children[3], reading),
        sizes=_sizes(size, reading) if size else (),
        stop=_level(stop.children[1], "stop", direction, reading) if stop else None,
        target=_level(target.children[1], "target", direction, reading) if target else None,
        because=because_of(tree, what, reading),
        span=span_of(tree, reading),
    )


def _sizes(tree: Node, reading: Reading) -> tuple[syntax.SizeCase, ...]:
    children = tree.children
    cases = tuple(_size_case(child, reading) for child in children if isinstance(child, Tree))
    for case in cases[:-1]:
        if case.condition is None:
            message = "this size always holds, so the cases below it are never reached"
            hint = "move it to the end, with `otherwise`" if case.otherwise else "add `if CONDITION` to it"
            reading.mistake("TB029", message, case.span, hint)
    last = cases[-1]
    if len(cases) > 1 and last.condition is None and not last.otherwise:
        reading.mistake(
            "TB029", "the last of several sizes has neither `if` nor `otherwise`", last.span, "add `otherwise` to it"
        )
    return cases


def _size_case(tree: Node, reading: Reading) -> syntax.SizeCase:
    children = tree.children
    risking = _is_word(children[0], "RISKING")
    rest = children[1:] if risking else children
    amount = build_expression(rest[0], reading)
    condition = build_expression(rest[2], reading) if len(rest) > 2 else None
    otherwise = len(rest) == 2
    return syntax.SizeCase(amount, risking, condition, otherwise, span_of(tree, reading))


def _is_word(node: Node, kind: str) -> bool:
    return isinstance(node, Token) and node.type == kind


def _level(tree: Node, word: str, direction: str, reading: Reading) -> syntax.ExitLevel:
    span = span_of(tree, reading)
    match tree.data:
        case "at_price":
            return syntax.AtPrice(build_expression(tree.children[1], reading), span)
        case "in_r":
            return _multiple(tree.children[0], word, direction, span, reading)
        case _:
            return syntax.Distance(build_expression(tree.children[0], reading), str(tree.children[1]), span)


def _multiple(token: Token, word: str, direction: str, span: Span, reading: Reading) -> syntax.InR:
    number = build_number(token, reading)
    side = "below" if (word == "stop") == (direction == "long") else "above"
    if number.unit != "R":
        hint = f"write `{word} {number.text} {side} entry`, or `{word} at PRICE`"
        reading.mistake("TB002", f"`{word} {number.text}` does not say from where", span, hint)
    elif word == "stop":
        hint = f"write `stop 8% {side} entry`, or `stop at PRICE`"
        reading.mistake("TB002", "a stop cannot be a multiple of R: R is the distance to the stop itself", span, hint)
    return syntax.InR(number, span)
