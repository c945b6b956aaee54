"""Declarations: from the grammar's tree to `tb.dsl.syntax`.

Guarantees: the lines of a block may stand in any order and each at most as often as it means something; a missing or
repeated line is a mistake with the edit that mends it, and then the declaration is left out by the caller.
"""

from __future__ import annotations

from collections.abc import Callable

from lark import Token, Tree

from tb.core.span import Span
from tb.dsl import syntax
from tb.dsl.build_expression import build_duration, build_expression, build_number, build_text
from tb.dsl.build_market import build_feed, build_score, build_session, build_signal, build_table
from tb.dsl.build_policy import build_advisor, build_allocate, build_book, build_council, build_exception
from tb.dsl.build_strategy import build_strategy
from tb.dsl.build_tests import build_prove, build_test
from tb.dsl.build_words import because_of, build_name, children_of, doc_of, once, span_of
from tb.dsl.reading import Node, Reading, first_token
from tb.dsl.syntax import Declaration, Expr


def build_declaration(tree: Node, reading: Reading) -> Declaration | None:
    """None where the mistakes added to `reading` leave nothing to build. Raises TooDeep."""
    return _BUILDERS[str(tree.data)](tree, reading)


def _use(tree: Node, reading: Reading) -> Declaration:
    words = [child for list_ in children_of(tree, "picked") for child in list_.children if child.type == "WORD"]
    for index, word in enumerate(words):
        if word in words[:index]:
            reading.mistake("TB018", f"`{word}` is named twice", reading.span(word), "remove one of the two")
    picked = {str(word): reading.span(word) for word in reversed(words)}
    names = tuple(dict.fromkeys(str(word) for word in words))
    return syntax.Use(str(tree.children[1]), names, span_of(tree, reading), tuple(picked[name] for name in names))


def _param(tree: Node, reading: Reading) -> Declaration:
    children = tree.children
    low = high = step = None
    doc: str | None = None
    for child in children[4:]:
        if isinstance(child, Tree) and child.data == "range":
            low, high = build_expression(child.children[1], reading), build_expression(child.children[3], reading)
        elif isinstance(child, Tree):
            step = build_expression(child.children[1], reading)
        elif child.type == "TEXT":
            doc = build_text(child, reading).value
    name, value = build_name(children[1], reading), build_expression(children[3], reading)
    return syntax.Param(name, value, low, high, step, doc, span_of(tree, reading))


def _parameter_rule(tree: Node, reading: Reading) -> Declaration:
    return syntax.ParamRequire(build_expression(tree.children[1], reading), span_of(tree, reading))


def _symbols(tree: Node, reading: Reading) -> tuple[syntax.Symbol, ...]:
    found: list[syntax.Symbol] = []
    for child in tree.children:
        if isinstance(child, Token) and child.type == "SYMBOL":
            symbol = syntax.Symbol(str(child), reading.span(child))
            if symbol in found:
                reading.mistake("TB018", f"`{child}` is listed twice", symbol.span, "remove one of the two")
            found.append(symbol)
    return tuple(found)


def _group(tree: Node, reading: Reading) -> Declaration:
    return syntax.Group(build_name(tree.children[1], reading), _symbols(tree.children[3], reading), span_of(tree, reading))


def _let(tree: Node, reading: Reading) -> Declaration:
    name, value = build_name(tree.children[1], reading), build_expression(tree.children[-2], reading)
    given = next(children_of(tree, "parameters"), None)
    if given is None:
        return syntax.Let(name, value, span_of(tree, reading))
    words = [child for child in given.children if child.type == "WORD"]
    parameters = tuple(build_name(word, reading) for word in words)
    for index, word in enumerate(words):
        if word in words[:index]:
            reading.mistake("TB018", f"`{word}` is given twice", reading.span(word), "rename one of the two")
    return syntax.Function(name, parameters, value, span_of(tree, reading))


def _universe(tree: Node, reading: Reading) -> Declaration:
    venue = next((str(child.children[1]) for child in children_of(tree, "venue")), None)
    name = build_name(tree.children[1], reading)
    what = f"universe `{name}`"
    tiers = tuple(_tier(child, reading) for child in children_of(tree, "tier"))
    conditions = once(tree, "only_when", "only when", what, reading, hint="join the two conditions with `and`")
    only_when = build_expression(conditions.children[2], reading) if conditions else None
    if not tiers:
        reading.missing("TB019", f"{what} has no tier", span_of(tree, reading), "add `tier core BTC-USD, ETH-USD`")
    return syntax.Universe(name, venue, tiers, only_when, doc_of(tree, what, reading), span_of(tree, reading))


def _tier(tree: Node, reading: Reading) -> syntax.Tier:
    low = high = hold = where = None
    symbols: tuple[syntax.Symbol, ...] = ()
    for child in tree.children[2:]:
        if not isinstance(child, Tree):
            continue
        if child.data == "symbols":
            symbols = _symbols(child, reading)
        elif child.data == "where":
            where = build_expression(child.children[1], reading)
        elif child.data == "weight":
            low, high = build_number(child.children[1], reading), build_number(child.children[3], reading)
        else:
            hold = build_duration(child.children[-1], reading)
    return syntax.Tier(build_name(tree.children[1], reading), symbols, where, low, high, hold, span_of(tree, reading))


def _regime(tree: Node, reading: Reading) -> Declaration:
    cases = tuple(_regime_case(child, reading) for child in children_of(tree, "regime_case"))
    for case in cases[:-1]:
        if case.condition is None:
            hint = f"move `{case.name} otherwise` to the end of `regime`"
            reading.mistake("TB029", "`otherwise` stands before other cases, which could never hold", case.span, hint)
    return syntax.Regime(cases, span_of(tree, reading))


def _regime_case(tree: Node, reading: Reading) -> syntax.RegimeCase:
    children = tree.children
    condition = build_expression(children[2], reading) if str(children[1]) == "when" else None
    return syntax.RegimeCase(build_name(children[0], reading), condition, span_of(tree, reading))


def _trigger(tree: Node, reading: Reading) -> Declaration | None:
    name = build_name(tree.children[1], reading)
    what = f"trigger `{name}`"
    span = span_of(tree, reading)
    when = once(tree, "when", "when", what, reading, hint="join the two conditions with `and`")
    confidence = once(tree, "confidence", "confidence", what, reading)
    doc, because = doc_of(tree, what, reading), because_of(tree, what, reading)
    level = _confidence(confidence, reading) if confidence else None
    if when is None:
        reading.missing(
            "TB019", f"{what} has no `when`", reading.span(tree.children[0], tree.children[1]), "add `when CONDITION` below it"
        )
        return None
    return syntax.Trigger(name, build_expression(when.children[1], reading), level, because, doc, span)


def _confidence(tree: Node, reading: Reading) -> syntax.Confidence:
    children, span = tree.children, span_of(tree, reading)
    low = build_number(children[1], reading)
    if len(children) <= 3:
        return syntax.Confidence(low, low, None, None, None, span)
    start, end = build_number(children[7], reading), build_number(children[9], reading)
    return syntax.Confidence(low, build_number(children[3], reading), build_expression(children[5], reading), start, end, span)


class _Tail:
    """`otherwise`, `on every order` and `because`, each at most once."""

    def __init__(self, tree: Node, what: str, reading: Reading) -> None:
        otherwise = once(tree, "otherwise", "otherwise", what, reading)
        every = once(tree, "every_order", "on every order", what, reading)
        level, shadow = once(tree, "level", "level", what, reading), once(tree, "shadow", "shadow", what, reading)
        self.otherwise = _otherwise(otherwise, reading) if otherwise else None
        self.every_order = every is not None
        self.level = "shadow" if shadow else "warn" if level else None
        self.because = because_of(tree, what, reading)
        self.spans: list[Span] = [span_of(child, reading) for child in (otherwise, every) if child is not None]
        self.levels: list[Span] = [span_of(child, reading) for child in (level, shadow) if child is not None]
        for span in self.levels[1:]:
            message = f"{what} cannot warn and only be recorded at once"
            reading.mistake("TB030", message, span, "keep `level warn` or `shadow`")

    def refuse_verdict(self, what: str, does: str, reading: Reading) -> None:
        for span in self.spans:
            reading.mistake("TB030", f"{what} always {does}: nothing else can be said here", span, "remove these words")


def _otherwise(tree: Node, reading: Reading) -> syntax.Otherwise:
    verdict = str(tree.children[1])
    length = build_duration(tree.children[3], reading) if verdict == "pause" else None
    until = verdict == "halt" and len(tree.children) == 3
    return syntax.Otherwise(verdict, length, until, span_of(tree, reading))


def _limit(tree: Node, reading: Reading) -> Declaration:
    name, condition, tail, span = _constraint(tree, 2, reading)
    return syntax.Limit(name, condition, tail.otherwise, tail.every_order, tail.level, tail.because, span)


def _forbid(tree: Node, reading: Reading) -> Declaration:
    name, condition, tail, span = _constraint(tree, 3, reading)
    return syntax.Forbid(name, condition, tail.otherwise, tail.every_order, tail.level, tail.because, span)


def _require(tree: Node, reading: Reading) -> Declaration:
    name, condition, tail, span = _constraint(tree, 2, reading)
    return syntax.Require(name, condition, tail.otherwise, tail.every_order, tail.level, tail.because, span)


def _warn(tree: Node, reading: Reading) -> Declaration:
    name, condition, tail, span = _constraint(tree, 3, reading)
    tail.spans += tail.levels
    tail.refuse_verdict(f"`warn {name}`", "only warns", reading)
    return syntax.Warn(name, condition, tail.because, span)


def _constraint(tree: Node, at: int, reading: Reading) -> tuple[str, Expr, _Tail, Span]:
    name = build_name(tree.children[1], reading)
    tail = _Tail(tree, f"`{tree.children[0]} {name}`", reading)
    condition = build_expression(tree.children[at], reading)
    _refuse_nameless(tree.children[0], tree.children[1], tree.children[at], reading)
    return name, condition, tail, span_of(tree, reading)


def _refuse_nameless(keyword: Node, name: Node, condition: Node, reading: Reading) -> None:
    """`limit entries(today) < 10` is a limit without a name, not one called `entries`."""
    start = first_token(condition)
    if start.type == "LPAR" and start.start_pos == name.end_pos:
        hint = f"write `{keyword} NAME {name}(...`, with a name of your own"
        reading.mistake("TB002", f"this `{keyword}` has no name", reading.span(keyword, name), hint)


def _pause(tree: Node, reading: Reading) -> Declaration:
    children = tree.children
    name, length = build_name(children[1], reading), build_duration(children[3], reading)
    tail = _Tail(tree, f"`pause {name}`", reading)
    tail.refuse_verdict(f"`pause {name}`", "pauses", reading)
    losses: int | None = None
    when: Expr | None = None
    if str(children[4]) == "when":
        when = build_expression(children[5], reading)
    else:
        count = build_number(children[5], reading)
        whole = count.unit is None and count.value == count.value.to_integral_value()
        if not whole or count.value < 1:
            reading.mistake(
                "TB012",
                f"`{count.text}` is no number of losses",
                count.span,
                "write a whole number, as in `after 3 losses in a row`",
            )
        else:
            losses = int(count.value)
    return syntax.Pause(name, length, losses, when, tail.level, tail.because, span_of(tree, reading))


_BUILDERS: dict[str, Callable[[Node, Reading], Declaration | None]] = {
    "use": _use,
    "param": _param,
    "parameter_rule": _parameter_rule,
    "group": _group,
    "universe": _universe,
    "regime": _regime,
    "let": _let,
    "table": build_table,
    "feed": build_feed,
    "session": build_session,
    "trigger": _trigger,
    "signal": build_signal,
    "score": build_score,
    "strategy": build_strategy,
    "limit": _limit,
    "forbid": _forbid,
    "require": _require,
    "pause": _pause,
    "warn": _warn,
    "exception": build_exception,
    "book": build_book,
    "council": build_council,
    "allocate": build_allocate,
    "advisor": build_advisor,
    "test": build_test,
    "prove": build_prove,
}
