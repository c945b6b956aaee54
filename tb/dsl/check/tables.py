"""Decision tables: a head `COLUMN | COLUMN | RESULT` and rows; the first row that fits gives the table its value.

A row becomes one condition, its cells joined by `and`; a table becomes a `let` of its name, with one unit for all results.
"""

from __future__ import annotations

from decimal import Decimal

from tb.core.span import Span
from tb.core.units import ANY, TRUTH, Kind, Unit
from tb.dsl import checked, checked_cases, syntax
from tb.dsl.check import units, words
from tb.dsl.check.expressions import COMPARE, Expressions
from tb.dsl.check.literals import fold
from tb.dsl.check.signals import named
from tb.dsl.format_expression import COMPARISON, SUM, spell, spell_range

_YES, _NO = frozenset({"yes", "true"}), frozenset({"no", "false"})


def table(using: Expressions, node: syntax.Table) -> None:
    """Defines the table."""
    scope = using.scope
    before = len(scope.findings)
    columns = tuple(_column(using, column) for column in node.columns)
    rows = tuple(_row(using, node, columns, row) for row in node.rows)
    unit = _unit(using, rows)
    if len(scope.findings) > before or any(using.excused(row.outcome) for row in rows):
        scope.broken.add(node.name)
    value = checked_cases.Table(node.name, columns, rows, unit, node.span)
    scope.lets[node.name] = checked.Let(node.name, value, node.span)


def _column(using: Expressions, node: syntax.Expr) -> checked_cases.Column:
    text = spell(node, SUM if not isinstance(node, syntax.Compare) else COMPARISON)
    name = node.text if isinstance(node, syntax.Name) else ""
    is_word = name in {"tier", "regime"} and not using.in_policy
    if is_word or (name and named(using, name) is not None):
        return checked_cases.Column(text, None)
    value = using.check(node)
    kinds = units.NUMERIC | {Kind.TRUTH, Kind.TEXT, Kind.INSTRUMENT}
    if not using.excused(value) and value.unit.kind not in kinds:
        message = f"a column cannot be {units.phrase(value.unit)}"
        value = using.refuse("TB084", message, node.span, "write a value or a condition, `regime`, `tier` or a signal")
    return checked_cases.Column(text, value)


def _row(
    using: Expressions, node: syntax.Table, columns: tuple[checked_cases.Column, ...], row: syntax.TableRow
) -> checked_cases.TableRow:
    outcome = _outcome(using, row.outcome)
    pairs = zip(columns, node.columns, row.cells, strict=False)
    cells = tuple(_cell(using, column, written, cell) for column, written, cell in pairs)
    asked = tuple(cell for cell in cells if cell is not None)
    condition = asked[0] if len(asked) == 1 else checked.Logic("and", asked, TRUTH, row.span) if asked else None
    said = [_said(column.text, cell) for column, cell in zip(columns, row.cells, strict=False)]
    shown = " | ".join(filter(None, said)) or "otherwise"
    return checked_cases.TableRow(cells, condition, outcome, f"{shown} -> {spell(row.outcome, SUM)}", row.span)


def _outcome(using: Expressions, node: syntax.Expr) -> checked.Expr:
    if isinstance(node, syntax.Name) and node.text in _YES | _NO:
        return checked.Const(Decimal(int(node.text in _YES)), TRUTH, node.text, None, node.span)
    value = using.check(node)
    if not using.excused(value) and value.unit.kind not in units.NUMERIC | {Kind.TRUTH}:
        message = f"a table gives a number or yes and no, not {units.phrase(value.unit)}"
        return using.refuse("TB084", message, node.span, "write a number with its unit, or `yes` or `no`")
    return value


def _unit(using: Expressions, rows: tuple[checked_cases.TableRow, ...]) -> Unit:
    """The one unit of all results; those that do not meet the first are told."""
    unit = ANY
    for row in rows:
        if using.excused(row.outcome):
            continue
        met = units.meet(unit, row.outcome.unit)
        if met is None:
            message = f"this row gives {units.phrase(row.outcome.unit)}, the rows above {units.phrase(unit)}"
            first = next(other.outcome for other in rows if other.outcome.unit == unit)
            hint = units.mismatch_hint(row.outcome, first, using.scope.currency)
            using.scope.report("TB101", message, row.outcome.span, hint)
            continue
        unit = met
    return unit


def _cell(using: Expressions, column: checked_cases.Column, written: syntax.Expr, cell: syntax.Cell) -> checked.Expr | None:
    """The condition of a cell; None where the column does not matter."""
    match cell:
        case syntax.AnyCell():
            return None
        case syntax.EqualCell(value=value, negated=negated):
            return _equal(using, column, written, value, negated, cell.span)
        case _ if column.value is None or column.value.unit.kind is Kind.TRUTH:
            return _refuse(using, column, cell.span)
        case syntax.CompareCell(operator=operator, value=value):
            return using.compare(COMPARE[operator], column.value, using.check(value), cell.span)
        case syntax.RangeCell(low=low, high=high):
            return _range(using, column.value, using.check(low), using.check(high), cell.span)


def _range(using: Expressions, value: checked.Expr, low: checked.Expr, high: checked.Expr, span: Span) -> checked.Expr:
    ends = [fold(end) for end in (low, high)]
    numbers = [end.value for end in ends if end is not None and isinstance(end.value, Decimal)]
    if len(numbers) == 2 and numbers[0] > numbers[1]:
        return using.refuse("TB084", "nothing lies in this range", span, "put the smaller end first")
    above = using.compare("ge", value, low, span)
    return checked.Logic("and", (above, using.compare("le", value, high, span)), TRUTH, span)


def _equal(
    using: Expressions, column: checked_cases.Column, written: syntax.Expr, value: syntax.Expr, negated: bool, span: Span
) -> checked.Expr:
    word = value.text if isinstance(value, syntax.Name) and len(value.parts) == 1 else ""
    if column.value is not None and using.excused(column.value):
        return column.value
    if column.value is not None and column.value.unit.kind is Kind.TRUTH:
        if word not in _YES | _NO:
            return _refuse(using, column, span)
        answer = (word in _YES) != negated
        return column.value if answer else checked.Not(column.value, TRUTH, span)
    if column.value is None or column.value.unit.kind in {Kind.TEXT, Kind.INSTRUMENT}:
        name = value.symbol if isinstance(value, syntax.Symbol) else word
        return words.is_word(using, syntax.Is(written, name, negated, span)) if name else _refuse(using, column, span)
    return using.compare("ne" if negated else "eq", column.value, using.check(value), span)


def _refuse(using: Expressions, column: checked_cases.Column, span: Span) -> checked.Expr:
    if column.value is None:
        return using.refuse("TB084", f"`{column.text}` is one of several names", span, "write the name, `not NAME`, or `any`")
    if column.value.unit.kind is Kind.TRUTH:
        return using.refuse("TB084", f"`{column.text}` is true or false", span, "write `yes`, `no` or `any`")
    return using.refuse("TB084", f"this cell does not fit `{column.text}`", span, "write a value, a comparison, or `any`")


def _said(column: str, cell: syntax.Cell) -> str:
    """The cell with its column, as a condition would say it."""
    match cell:
        case syntax.AnyCell():
            return ""
        case syntax.CompareCell(operator=operator, value=value):
            return f"{column} {operator} {spell(value, SUM)}"
        case syntax.RangeCell(low=low, high=high):
            return f"{column} in {spell_range(low, high)}"
        case syntax.EqualCell(value=value, negated=negated):
            return f"{column} is {'not ' if negated else ''}{spell(value, SUM)}"
