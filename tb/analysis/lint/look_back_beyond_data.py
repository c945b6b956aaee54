"""TB205: a rule that needs more closed bars before its first value than the data holds.

An error where no instrument of a strategy has enough of them, so that the rule stays unknown for the whole run; a warning where
some have. Needs to know the data; without it nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tb.analysis.subject import DataSpan, Rule, Subject, named
from tb.core.diagnostics import Diagnostic, Severity, error, warning
from tb.core.time import show_duration
from tb.engine.graph import Node
from tb.engine.plan import StrategyPlan

CODE = "TB205"


def check(subject: Subject) -> Iterable[Diagnostic]:
    if subject.data is None:
        return
    short: dict[int, dict[str, int]] = {}  # node -> the bars there are, of instruments that have too few
    enough: set[int] = set()
    for strategy in subject.plan.strategies:
        for node, symbol in _evaluated(subject, strategy):
            bars = _bars(subject.data, symbol, node.period)
            if bars is None:
                continue
            if node.look_back + 1 > bars:
                short.setdefault(node.id, {})[symbol] = bars
            else:
                enough.add(node.id)
    for id_, bars_of in short.items():
        node = subject.graph[id_]
        if any(_covers(short, subject.graph[argument], bars_of) for argument in node.args):
            continue  # said where it comes from
        for place in subject.places(node):
            most, symbol = max((bars, symbol) for symbol, bars in bars_of.items())
            said = f"`{subject.words(place)}` needs {node.look_back + 1} bars of {show_duration(node.period)}"
            hint = "shorten the window, or give more data"
            if id_ in enough:
                yield warning(CODE, f"{said}, and there are at most {most} of {named(bars_of)}", place, hint)
            else:
                yield error(CODE, f"{said}, and the data has {most} of `{symbol}`", place, hint)


def _covers(short: Mapping[int, Mapping[str, int]], argument: Node, bars_of: Mapping[str, int]) -> bool:
    """Whether the same is said of an argument; one that is read elsewhere (`of`, `@4h`) is short on bars of its own."""
    if argument.op in {"of", "at"}:
        return argument.args[0] in short
    return set(short.get(argument.id, ())) >= set(bars_of)


def _evaluated(subject: Subject, strategy: StrategyPlan) -> Iterator[tuple[Node, str]]:
    """Every market node of a strategy with each instrument whose bars it is computed on."""
    seen: set[tuple[int, str]] = set()
    stack = [(root, symbol) for symbol in strategy.members for root in strategy.reads(symbol)]
    while stack:
        pair = stack.pop()
        if pair in seen:
            continue
        seen.add(pair)
        node, symbol = subject.graph[pair[0]], pair[1]
        if node.stage != "market":
            continue
        if node.op == "of":
            # the look-back is that of the other instrument's bars
            stack += [(argument, str(node.consts[0])) for argument in node.args]
            continue
        if node.op != "at":
            yield node, symbol
        stack += [(argument, symbol) for argument in node.args]


def _bars(data: DataSpan, symbol: str, period: int) -> int | None:
    """How many bars of a period the data makes for an instrument, at most; None where it has none of the instrument."""
    bars = data.bars.get(symbol)
    return None if bars is None or period < data.period else bars * data.period // period


RULE = Rule(CODE, "look-back-beyond-data", "time", "data", Severity.ERROR, check)
