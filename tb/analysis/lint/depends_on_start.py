"""TB206: the last value of a recursive function still depends on where the data begins.

`ema`, `rma`, `rsi`, `macd`, `atr`, `adx` and others carry all of the past with them. Each is computed twice at the last bar:
from the first bar of the data, and from as many bars later as it needs before its first value. The two must agree to one
hundredth of a percent of the largest value it had in that stretch. Where the data is long enough for its start to have faded
nothing is computed; nor are sums over all of the past, as `obv`, of which no start fades.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import isnan
from typing import TYPE_CHECKING

from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Severity, warning
from tb.core.time import show_duration
from tb.engine.graph import Node
from tb.vocabulary.catalogue import FUNCTIONS

if TYPE_CHECKING:
    from tb.engine.markets import Markets

CODE = "TB206"
TOLERANCE = 1e-4


def check(subject: Subject) -> Iterable[Diagnostic]:
    markets = subject.markets
    if markets is None:
        return
    worst: dict[int, tuple[float, str, float, float]] = {}
    for node, symbol in _recursive(subject, markets):
        found = _difference(subject, node, symbol, markets)
        if found is not None and found[0] > worst.get(node.id, (TOLERANCE,))[0]:
            worst[node.id] = (found[0], symbol, found[1], found[2])
    for id_, (share, symbol, whole, later) in sorted(worst.items()):
        node = subject.graph[id_]
        for place in subject.places(node):
            later_on = f"{node.look_back} bars of {show_duration(node.period)}"
            message = (
                f"`{subject.words(place)}` depends on where the data begins: it is {whole:.6g} at the last bar of `{symbol}`, "
                f"and {later:.6g} with data that begins {later_on} later, {share:.2%} apart"
            )
            yield warning(CODE, message, place, "give more data before the first day that counts, or shorten the window")


def _recursive(subject: Subject, markets: Markets) -> Iterator[tuple[Node, str]]:
    """Every recursive function that a strategy needs, with an instrument that has data, each pair once."""
    stack = [(node, symbol) for s in subject.plan.strategies for symbol in s.members for node in s.reads(symbol)]
    seen: set[tuple[int, str]] = set()
    while stack:
        id_, symbol = stack.pop()
        node = subject.graph[id_]
        if (id_, symbol) in seen or symbol not in markets.base or node.stage != "market":
            continue
        seen.add((id_, symbol))
        if node.op == "apply" and FUNCTIONS[str(node.consts[0])].is_recursive and _fits(subject, node, markets):
            yield node, symbol
        other = str(node.consts[0]) if node.op == "of" else symbol
        stack += [(argument, other) for argument in node.args]


def _difference(subject: Subject, node: Node, symbol: str, markets: Markets) -> tuple[float, float, float] | None:
    """How far apart the two last values are, as a share of the largest; and both. None where they are not known."""
    from tb.engine.columns import evaluate  # not before there is data: it loads numpy

    bars = markets.bars(symbol, node.period)
    left = len(bars) - node.look_back
    unstable = FUNCTIONS[str(node.consts[0])].unstable
    if left <= node.look_back or unstable is None or left > node.look_back + unstable(_constants(node)):
        return None
    start = int(bars.time[node.look_back])
    values = evaluate(subject.graph, {symbol: (node.id,)}, markets)[node.id, symbol]
    again = evaluate(subject.graph, {symbol: (node.id,)}, _from(markets, start))[node.id, symbol]
    if not len(again) or isnan(whole := float(values[-1])) or isnan(later := float(again[-1])):
        return None
    largest = max(abs(float(value)) for value in values[node.look_back :] if not isnan(value))
    return (abs(whole - later) / largest if largest else 0.0), whole, later


def _fits(subject: Subject, node: Node, markets: Markets) -> bool:
    """Whether bars of every period that a value needs can be made of those in the data."""
    periods = {subject.graph[id_].period for id_ in subject.graph.reach((node.id,))} - {0}
    return all(period % bars.period == 0 for period in periods for bars in markets.base.values())


def _constants(node: Node) -> tuple[float, ...]:
    return tuple(float(c) for c in node.consts[2:] if c is not None)


def _from(markets: Markets, start: int) -> Markets:
    """The same markets, of bars that begin at an instant or after it."""
    base = {symbol: bars.part(int((bars.time < start).sum()), len(bars)) for symbol, bars in markets.base.items()}
    return replace(markets, base=base, _coarse={})


RULE = Rule(CODE, "recursive-indicator-unstable", "time", "data", Severity.WARNING, check)
