"""Decision tables in explanations: which row fitted, in the words it was written with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tb.core.span import Span
from tb.engine.graph import Node, RuleGraph
from tb.engine.instant import Exact

Values = Mapping[int, Exact | float]


@dataclass(frozen=True, slots=True)
class FittingRow:
    """What a table read: `row` counts from 0 and is None where it is unknown or none fits; `condition` is None for `otherwise`.

    Where a row is unknown, that row stands here with `known` False.
    """

    table: Node
    row: int | None
    words: str
    condition: int | None
    known: bool
    place: Span

    def __str__(self) -> str:
        name = str(self.table.consts[0])
        if self.row is None:
            return f"no row of table {name} fits"
        return f"row {self.row + 1} of table {name}{'' if self.known else ' is unknown'}: {self.words}"


def tables_below(graph: RuleGraph, roots: Iterable[int], values: Values, *, inside: bool = False) -> Iterator[FittingRow]:
    """The tables that the roots read through arithmetic, and with `inside` through conditions too, each once."""
    seen: set[int] = set()
    stack = list(roots)[::-1]
    while stack:
        id_ = stack.pop()
        if id_ in seen or id_ not in values:
            continue
        seen.add(id_)
        node = graph[id_]
        if node.op == "pick":
            yield fitting_row(graph, node, values)
        if inside or node.op in {"neg", "add", "sub", "mul", "div", "abs", "min", "max", "pick"}:
            below = node.args[1:] if node.op == "pick" and not inside else node.args
            stack += reversed(below)


def fitting_row(graph: RuleGraph, table: Node, values: Values) -> FittingRow:
    """The row that gave the table its value."""
    chosen = graph[table.args[0]]
    labels = tuple(str(label) for label in chosen.consts)
    for at, condition in enumerate(chosen.args):
        truth = values.get(condition)
        is_unknown = truth is None or truth != truth  # noqa: PLR0124 - NaN differs from itself
        if is_unknown or truth is True or truth == 1.0:
            return FittingRow(table, at, labels[at], condition, not is_unknown, graph[condition].spans[0])
    last = len(chosen.args)
    if last < len(labels):
        return FittingRow(table, last, labels[last], None, True, chosen.spans[0])
    return FittingRow(table, None, "", None, True, chosen.spans[0])
