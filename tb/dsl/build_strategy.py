"""Strategies: their entries with size, stop and target, and what ends a position."""

from __future__ import annotations

from lark import Token, Tree

from tb.core.span import Span
from tb.dsl import syntax
from tb.dsl.build_expression import build_duration, build_expression, build_number
from tb.dsl.build_words import because_of, build_name, children_of, doc_of, once, span_of
from tb.dsl.reading import Node, Reading

_SECOND_SIZE = "write the second case on a line below the first, with `if` and `otherwise`"


def build_strategy(tree: Node, reading: Reading) -> syntax.Strategy:
    children = tree.children
    name = build_name(children[1], reading)
    what = f"strategy `{name}`"
    enters, leg_enters, quotes, exits, cool_downs = [], [], [], [], []
    for child in children:
        match child:
            case Tree(data="enter"):
                enters.append(_enter(child, reading))
            case Tree(data="leg_enter"):
                leg_enters.append(_leg_enter(child, reading))
            case Tree(data="quote"):
                quotes.append(_quote(child, reading))
            case Tree(data="exit_when"):
                because = because_of(child, "`exit when`", reading)
                exits.append(syntax.ExitWhen(build_expression(child.children[2], reading), because, span_of(child, reading)))
            case Tree(data="cool_down"):
                length, after = build_duration(child.children[2], reading), str(child.children[4])
                cool_downs.append(syntax.CoolDown(length, after, span_of(child, reading)))
    hold = once(tree, "hold", "hold at most", what, reading)
    held = build_duration(hold.children[3], reading) if hold else None
    every = build_duration(children[5], reading, bars=False)
    if not (enters or leg_enters or quotes):
        hint = "add `enter long when CONDITION` below it"
        reading.missing("TB019", f"{what} never enters", reading.span(children[0], children[5]), hint)
    return syntax.Strategy(
        name=name,
        universe=str(children[3]),
        every=every,
        enters=tuple(enters),
        leg_enters=tuple(leg_enters),
        quotes=tuple(quotes),
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
    size = once(tree, "size", "size", what, reading, hint=_SECOND_SIZE)
    conviction = next(children_of(size, "by_conviction"), None) if size else None
    order, trailing = once(tree, "order", "order", what, reading), once(tree, "trailing", "stop trailing", what, reading)
    break_even = once(tree, "break_even", "stop to entry", what, reading)
    stop, target = once(tree, "stop", "stop", what, reading), once(tree, "target", "target", what, reading)
    return syntax.Enter(
        direction=direction,
        when=build_expression(children[3], reading),
        sizes=_sizes(size, reading) if size and conviction is None else (),
        by_conviction=_by_conviction(size, conviction, reading) if size and conviction else None,
        order=_order(order, reading) if order else None,
        stop=_level(stop.children[1], "stop", direction, reading) if stop else None,
        break_even=_break_even(break_even, reading) if break_even else None,
        trailing=_trailing(trailing, reading) if trailing else None,
        takes=tuple(_take(line, reading) for line in children_of(tree, "take")),
        target=_level(target.children[1], "target", direction, reading) if target else None,
        because=because_of(tree, what, reading),
        span=span_of(tree, reading),
    )


def _by_conviction(size: Node, tree: Node, reading: Reading) -> syntax.ConvictionSize:
    for case in children_of(size, "size_case"):
        message, hint = "a size by conviction stands alone", "remove this case, or the size by conviction"
        reading.mistake("TB029", message, span_of(case, reading), hint)
    rest = [child for child in tree.children[5:] if not _is_word(child, "RISKING")]
    return syntax.ConvictionSize(
        low=build_number(tree.children[1], reading),
        high=build_number(tree.children[3], reading),
        risking=_is_word(tree.children[5], "RISKING"),
        share_low=build_expression(rest[0], reading),
        share_high=build_expression(rest[2], reading),
        whole=build_expression(rest[4], reading),
        span=span_of(tree, reading),
    )


def _order(tree: Node, reading: Reading) -> syntax.Order:
    children, span = tree.children, span_of(tree, reading)
    kind = str(children[1])
    valid = once(tree, "valid", "valid", "`order`", reading)
    post = [child for child in children if _is_word(child, "POST")]
    for again in post[1:]:
        reading.mistake("TB018", "`order` says `post only` twice", reading.span(again), "keep one of the two")
    if post and kind != "limit":
        hint = "remove `post only`, or write `order limit at PRICE, post only`"
        reading.mistake("TB030", f"a {kind} order cannot rest in the book as `post only` asks", reading.span(post[0]), hint)
    if valid and kind == "market":
        hint = "remove these words"
        reading.mistake("TB030", "a market order is filled at once: it has no life time", span_of(valid, reading), hint)
    price = build_expression(children[3], reading) if kind != "market" else None
    return syntax.Order(kind, price, build_duration(valid.children[1], reading) if valid else None, bool(post), span)


def _break_even(tree: Node, reading: Reading) -> syntax.BreakEven:
    return syntax.BreakEven(_profit(tree.children[4], "stop to entry", reading), span_of(tree, reading))


def _trailing(tree: Node, reading: Reading) -> syntax.Trailing:
    children = tree.children
    after = _profit(children[4], "stop trailing 3%", reading) if len(children) > 4 and _is_word(children[4], "NUMBER") else None
    return syntax.Trailing(build_expression(children[2], reading), after, span_of(tree, reading))


def _profit(token: Token, words: str, reading: Reading) -> syntax.Number:
    number = build_number(token, reading)
    if number.unit not in ("R", "%", "bps"):
        hint = f"write `{words} after 1R`, or a percentage of the entry price"
        reading.mistake("TB012", f"`{number.text}` is no amount of profit", number.span, hint)
    return number


def _take(tree: Node, reading: Reading) -> syntax.Take:
    share, level = build_expression(tree.children[1], reading), tree.children[3]
    span = span_of(level, reading) if isinstance(level, Tree) else reading.span(level)
    if isinstance(share, syntax.Number) and share.unit not in ("%", "bps"):
        hint = f"write `{share.text}%`" if share.unit is None else "write `take 50% at 1R`"
        reading.mistake("TB012", f"`{share.text}` is no share of a position", share.span, hint)
    if isinstance(level, Tree) and level.data == "distance":
        return syntax.Take(share, _level(level, "take", "", reading), span_of(tree, reading))
    price = build_expression(level, reading)
    at: syntax.ExitLevel = syntax.AtPrice(price, span)
    if isinstance(price, syntax.Number) and price.unit == "R":
        at = syntax.InR(price, span)
    return syntax.Take(share, at, span_of(tree, reading))


def _leg_enter(tree: Node, reading: Reading) -> syntax.LegEnter:
    legs = tuple(_leg(line, reading) for line in children_of(tree, "leg"))
    when, because = build_expression(tree.children[2], reading), because_of(tree, "`enter`", reading)
    head = reading.span(tree.children[0], tree.children[1])
    if len(legs) < 2:
        hint = "add a second `leg`, or write `enter long when ...`"
        reading.missing("TB019", "an entry without `long` or `short` has two legs at least", head, hint)
    if legs and legs[0].same is not None:
        hint = "write its size, as in `leg buy spot 10% of equity`"
        reading.mistake("TB030", f"the first leg cannot have the same {legs[0].same} as the first leg", legs[0].span, hint)
    return syntax.LegEnter(when, legs, because, span_of(tree, reading))


def _leg(tree: Node, reading: Reading) -> syntax.Leg:
    children, of = tree.children, tree.children[2]
    instrument: syntax.Name | syntax.Symbol = syntax.Name((str(of),), reading.span(of))
    if of.type == "SYMBOL":
        instrument = syntax.Symbol(str(of), reading.span(of))
    same = str(children[4]) if _is_word(children[3], "SAME") else None
    size = build_expression(children[3], reading) if same is None else None
    return syntax.Leg(str(children[1]), instrument, size, same, span_of(tree, reading))


def _quote(tree: Node, reading: Reading) -> syntax.Quote:
    size, skew = (
        once(tree, "size", "size", "`quote`", reading, hint=_SECOND_SIZE),
        once(tree, "skew", "skew", "`quote`", reading),
    )
    only = once(tree, "only_when", "only when", "`quote`", reading, hint="join the two conditions with `and`")
    for child in children_of(size, "by_conviction") if size else ():
        message = "a quote has no conviction to be sized by"
        reading.mistake("TB030", message, span_of(child, reading), "write `size 1% of equity`")
        size = None
    return syntax.Quote(
        bid=build_expression(tree.children[2], reading),
        ask=build_expression(tree.children[5], reading),
        sizes=_sizes(size, reading) if size else (),
        skew=syntax.Skew(build_expression(skew.children[6], reading), span_of(skew, reading)) if skew else None,
        only_when=build_expression(only.children[2], reading) if only else None,
        because=because_of(tree, "`quote`", reading),
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
