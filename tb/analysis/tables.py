"""Decision tables taken apart: which rows fit where, exactly.

1. A column's values fall into parts (`tb.analysis.table_parts`), all values of a part being alike to every cell of the column.
2. Every choice of one part for each column is a case. In one case each row fits the whole of it or nothing of it.
3. A case that no market can have (`Contradictions`) is left out.

INVARIANT: a case is left out only where it is proved impossible. Where two columns read the same values (`related`), others may
be impossible too without being known to be, so what is said of one case then is not certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from tb.analysis.contradiction import Contradictions
from tb.analysis.subject import Subject
from tb.analysis.table_parts import Part, holds, parts_of, said
from tb.dsl import checked_cases
from tb.engine.build import Builder, Context
from tb.engine.graph import RuleGraph

MOST_CASES = 20_000
_HOUR = 3_600_000
_PRICES = frozenset({"open", "high", "low", "close", "bid", "ask", "mid"})
Case = tuple[int, ...]  # for each column, which of its parts


@dataclass(frozen=True, slots=True)
class Cases:
    """`fitting` gives the rows that fit each possible case, from the top; `parts` are those of each column."""

    columns: tuple[checked_cases.Column, ...]
    parts: tuple[tuple[Part, ...], ...]
    fitting: dict[Case, tuple[int, ...]]
    related: bool

    def words(self, first: Case, last: Case) -> str:
        """The cases from one to another, both with them, as a condition would say it."""
        pairs = zip(self.columns, self.parts, first, last, strict=True)
        found = [said(column, parts, low, high) for column, parts, low, high in pairs]
        return " and ".join(filter(None, found)) or "anything"

    def box(self, start: Case, wanted: frozenset[Case]) -> tuple[Case, Case]:
        """The widest stretch of neighbouring wanted cases from one of them on, grown column by column; names do not grow."""
        low, high = list(start), list(start)
        for at, parts in enumerate(self.parts):
            if isinstance(parts[0].sample, str):
                continue
            while high[at] + 1 < len(parts) and self._all_in(low, high, at, high[at] + 1, wanted):
                high[at] += 1
        return tuple(low), tuple(high)

    def _all_in(self, low: list[int], high: list[int], at: int, part: int, wanted: frozenset[Case]) -> bool:
        spans = [range(a, b + 1) for a, b in zip(low, high, strict=True)]
        spans[at] = range(part, part + 1)
        return all(case in wanted for case in product(*spans))


def inside(low: Case, high: Case) -> frozenset[Case]:
    """Every case of a box."""
    return frozenset(product(*(range(a, b + 1) for a, b in zip(low, high, strict=True))))


def tables_in(subject: Subject) -> tuple[checked_cases.Table, ...]:
    """The tables of the files linted, in the order of their declaration."""
    values = (let.value for let in subject.program.lets.values())
    files = {file.path for file in subject.files}
    return tuple(value for value in values if isinstance(value, checked_cases.Table) and value.span.file in files)


def cases_of(subject: Subject, table: checked_cases.Table) -> Cases | None:
    """The cases of a table; None where a cell's bound is not a constant, or there are more than MOST_CASES."""
    builder, context = Builder(subject.program), _context(subject, table)
    nodes = [None if c.value is None else builder.expression(c.value, context) for c in table.columns]
    cells = [[None if c is None else builder.expression(c, context) for c in row.cells] for row in table.rows]
    graph = builder.graph.freeze()
    split = [parts_of(subject.program, table, at, None if node is None else graph[node]) for at, node in enumerate(nodes)]
    parts = tuple(part for part in split if part is not None)
    if len(parts) < len(split) or prod(map(len, parts)) > MOST_CASES:
        return None
    contradictions = Contradictions(graph, {u.name: tuple(t.name for t in u.tiers) for u in subject.program.universes.values()})
    fitting = {}
    for case in product(*(range(len(each)) for each in parts)):
        samples = [each[at].sample for each, at in zip(parts, case, strict=True)]
        answers = [_answers(table, row, samples) for row in table.rows]
        clauses = {
            (node, answer)
            for row_cells, row_answers in zip(cells, answers, strict=True)
            for node, answer in zip(row_cells, row_answers, strict=True)
            if node is not None
        }
        if not contradictions.never_together(sorted(clauses)):
            fitting[case] = tuple(at for at, answered in enumerate(answers) if all(answered))
    return Cases(table.columns, parts, fitting, _related(graph, cells))


def _context(subject: Subject, table: checked_cases.Table) -> Context:
    """The meaning of the table to the first strategy there is; thresholds do not depend on it."""
    strategy = next(iter(subject.program.strategies.values()), None)
    if strategy is None:
        return Context(_HOUR, next(iter(subject.program.universes), ""), table.span.file in subject.policy_files)
    return Context(strategy.period, strategy.universe, table.span.file in subject.policy_files)


def _answers(table: checked_cases.Table, row: checked_cases.TableRow, samples: Sequence[object]) -> list[bool]:
    """Of each cell of a row; nothing for a row of `otherwise`, which fits."""
    pairs = zip(table.columns, row.cells, samples, strict=False)
    return [cell is None or holds(column, cell, sample) for column, cell, sample in pairs]


def _related(graph: RuleGraph, cells: Sequence[Sequence[int | None]]) -> bool:
    """Whether two columns read one value, or prices both."""
    width = max((len(row) for row in cells), default=0)
    seen: set[object] = set()
    for at in range(width):
        roots = tuple(node for row in cells for node in row[at : at + 1] if node is not None)
        leaves = [graph[id_] for id_ in graph.reach(roots) if not graph[id_].args and graph[id_].op != "const"]
        mine = {"price" if leaf.op == "field" and leaf.consts[0] in _PRICES else leaf.id for leaf in leaves}
        if mine & seen:
            return True
        seen |= mine
    return False
