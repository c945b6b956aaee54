"""The parts of a table's column: values that are all alike to its cells.

A number falls into the points that cells name and the stretches between them, within what the value can be; `regime`, `tier` or
a signal into its names; a condition into yes and no. Thresholds are compared exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor, isfinite

from tb.analysis.ranges import is_whole, of_float, shown
from tb.core.units import Kind
from tb.dsl import checked, checked_cases
from tb.dsl.check.literals import fold
from tb.engine.graph import Node

_ANOTHER = "another"
_LENGTHS = frozenset({Kind.BARS, Kind.DURATION})


@dataclass(frozen=True, slots=True)
class Part:
    """A name, or the numbers between `low` and `high` (None: open). The ends belong to it only where they are one point.

    `sample` is one of its values.
    """

    sample: Fraction | str
    low: Fraction | None = None
    high: Fraction | None = None

    @property
    def is_point(self) -> bool:
        return self.low is not None and self.low == self.high


def parts_of(program: checked.Program, table: checked_cases.Table, at: int, node: Node | None) -> tuple[Part, ...] | None:
    """The parts of a column, in order; None where a bound is no constant. `node` computes the column, None for names."""
    column = table.columns[at]
    cells = [row.cells[at] for row in table.rows if row.cells and row.cells[at] is not None]
    conditions = [part for cell in cells if cell is not None for part in _clauses(cell)]
    if column.value is None:
        return tuple(Part(name) for name in _names(program, column.text, conditions))
    if column.value.unit.kind is Kind.TRUTH:
        return Part("yes"), Part("no")
    if column.value.unit.kind in {Kind.TEXT, Kind.INSTRUMENT}:
        known = ["buy", "sell"] if column.text == "order.side" else [*_words(conditions), _ANOTHER]
        return tuple(Part(name) for name in dict.fromkeys(known))
    assert node is not None
    points = set()
    for clause in conditions:
        assert isinstance(clause, checked.Comparison)
        bound = fold(clause.right)
        kinds = {clause.right.unit.kind, column.value.unit.kind}
        if bound is None or not isinstance(bound.value, Decimal) or kinds == _LENGTHS:
            return None
        points.add(Fraction(bound.value))
    return tuple(_stretches(sorted(points), node))


def _clauses(cell: checked.Expr) -> Iterator[checked.Expr]:
    match cell:
        case checked.Logic(items=items):
            for item in items:
                yield from _clauses(item)
        case checked.Not(value=inner):
            yield from _clauses(inner)
        case _:
            yield cell


def _names(program: checked.Program, column: str, conditions: list[checked.Expr]) -> tuple[str, ...]:
    if column == "regime":
        return tuple(case.name for case in program.regime)
    if column != "tier":
        return ("long", "short", "neutral")
    asked = _words(conditions)
    universes = [[tier.name for tier in universe.tiers] for universe in program.universes.values()]
    return tuple(dict.fromkeys(name for tiers in universes if set(tiers) & set(asked) for name in tiers)) or (_ANOTHER,)


def _words(conditions: list[checked.Expr]) -> list[str]:
    found = []
    for clause in conditions:
        match clause:
            case checked.RegimeIs(case=name) | checked.TierIs(tier=name) | checked.OneOf(list_name=name):
                found.append(name)
            case checked.Comparison(right=checked.Const(value=str(name))):
                found.append(name)
            case _:
                pass
    return found


def _stretches(points: list[Fraction], node: Node) -> Iterator[Part]:
    """The points and what lies between, below and above them, as far as the node's values go."""
    ends = (None if end is None or not isfinite(end) else of_float(float(end)) for end in (node.low, node.high))
    lowest, highest = ends
    inner = [p for p in points if (lowest is None or p >= lowest) and (highest is None or p <= highest)]
    edges: list[Fraction | None] = [lowest, *inner, highest]
    for at, (low, high) in enumerate(pairwise(edges)):
        sample = _between(low, high, with_low=at == 0, with_high=at == len(edges) - 2, whole=is_whole(node))
        if sample is not None:
            yield Part(sample, low, high)
        if at < len(inner) and (not is_whole(node) or inner[at].denominator == 1):
            yield Part(inner[at], inner[at], inner[at])


def _between(low: Fraction | None, high: Fraction | None, *, with_low: bool, with_high: bool, whole: bool) -> Fraction | None:
    """A value between two ends; an end itself counts where the values of the column end with it and no cell names it."""
    if low is not None and high is not None and low >= high:
        return None
    if not whole:
        if low is None:
            return Fraction(0) if high is None else high - 1
        return low + 1 if high is None else (low + high) / 2
    first = None if low is None else Fraction(ceil(low) if with_low else floor(low) + 1)
    last = None if high is None else Fraction(floor(high) if with_high else ceil(high) - 1)
    if first is None:
        return Fraction(0) if last is None else last
    return first if last is None or first <= last else None


def holds(column: checked_cases.Column, cell: checked.Expr, sample: object) -> bool:
    """Whether a cell is true of the values of a part."""
    if column.value is not None and column.value.unit.kind is Kind.TRUTH:
        return (cell == column.value) == (sample == "yes")
    return _holds(cell, sample)


def _holds(cell: checked.Expr, sample: object) -> bool:
    match cell:
        case checked.Not(value=inner):
            return not _holds(inner, sample)
        case checked.Logic(items=items):
            return all(_holds(item, sample) for item in items)
        case checked.RegimeIs(case=name) | checked.TierIs(tier=name) | checked.SignalIs(direction=name):
            return sample == name
        case checked.OneOf(list_name=name):
            return sample == name
        case checked.Comparison(operator=operator, right=right):
            bound = fold(right)
            assert bound is not None
            if isinstance(bound.value, str) or not isinstance(sample, Fraction):
                return (sample == bound.value) == (operator == "eq")
            there = Fraction(bound.value)
            ways = {"lt": sample < there, "le": sample <= there, "gt": sample > there, "ge": sample >= there}
            return {**ways, "eq": sample == there, "ne": sample != there}[operator]
        case _:
            raise AssertionError(f"a cell is no {type(cell).__name__}")


def said(column: checked_cases.Column, parts: tuple[Part, ...], first: int, last: int) -> str:
    """From one part of a column to another, as a condition would say it; empty where these are all."""
    low, high = parts[first], parts[last]
    if first == 0 and last == len(parts) - 1:
        return ""
    if isinstance(low.sample, str):
        if column.value is None or column.value.unit.kind is not Kind.TRUTH:
            return f"{column.text} is {low.sample}"
        return column.text if low.sample == "yes" else f"not ({column.text})" if " " in column.text else f"not {column.text}"
    assert column.value is not None
    unit = column.value.unit
    if low.is_point and first == last:
        return f"{column.text} at {shown(low.low or Fraction(0), unit)}"
    ends = []
    if first > 0 and low.low is not None:
        ends.append(f"{column.text} {'>=' if low.is_point else '>'} {shown(low.low, unit)}")
    if last < len(parts) - 1 and high.high is not None:
        ends.append(f"{column.text} {'<=' if high.is_point else '<'} {shown(high.high, unit)}")
    return " and ".join(ends)
