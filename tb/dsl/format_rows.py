"""Declarations as rows of cells: what each line says, before columns are aligned and comments put back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import assert_never

from tb.core.span import Span
from tb.dsl import syntax
from tb.dsl.format_expression import AND, SUM, binding, spell, spell_range, spell_text
from tb.dsl.syntax import Comment, Declaration, Expr

WIDTH = 100  # of a line with one thing to say
TABLE_WIDTH = 128  # of a line in aligned columns
STEP = 2  # of an indented block
DEEPER = 4  # of a line that continues the one before
LEVEL = 7  # `size`, `stop` and `target` stand in a column this wide


@dataclass(slots=True)
class Row:
    """One line to print. `kind` names the columns it may be aligned with; `more` are the lines that continue it.

    `start` and `end` are its lines in the source, 0 where it has none of its own.
    """

    indent: int
    cells: tuple[str, ...]
    kind: str = ""
    more: tuple[str, ...] = ()
    start: int = 0
    end: int = 0
    opens: bool = False  # the first row of a declaration
    block: bool = False  # of a declaration that keeps a blank line before and after it
    above: list[Comment] = field(default_factory=list)
    below: list[Comment] = field(default_factory=list)
    beside: Comment | None = None


def rows_of_file(file: syntax.File, source: list[str]) -> list[Row]:
    rows: list[Row] = []
    if file.doc is not None:
        line = _first_code_line(source, 0)
        rows.append(Row(0, (spell_text(file.doc),), start=line, end=line, opens=True, block=True))
    for declaration in file.declarations:
        own = list(_rows(declaration, source))
        own[0].opens = True
        for row in own:
            row.block = isinstance(declaration, syntax.Universe | syntax.Regime | syntax.Trigger | syntax.Strategy)
        rows.extend(own)
    return rows


def _first_code_line(source: list[str], after: int) -> int:
    """The first line of code below a line; 0 where the tree was not read from a text."""
    for number in range(after + 1, len(source) + 1):
        code = source[number - 1].strip()
        if code and code[0] != "#":
            return number
    return 0


def _rows(declaration: Declaration, source: list[str]) -> Iterator[Row]:
    span = declaration.span
    match declaration:
        case syntax.Use(module=module):
            yield _row(0, span, f"use {module}", kind="use")
        case syntax.Param():
            yield _param(declaration)
        case syntax.ParamRequire(condition=condition):
            yield _condition(0, span, ("require ",), condition)
        case syntax.Group(name=name, members=members):
            yield _filled(0, span, (f"group {name}:",), _listed(members), kind="group")
        case syntax.Let(name=name, value=value):
            yield _condition(0, span, (f"let {name}", "= "), value, kind="let")
        case syntax.Universe():
            yield from _universe(declaration, source)
        case syntax.Regime():
            yield from _regime(declaration)
        case syntax.Trigger():
            yield from _trigger(declaration, source)
        case syntax.Strategy():
            yield from _strategy(declaration, source)
        case syntax.Limit(name=name, condition=condition):
            yield from _constraint(span, f"limit {name}", "", condition, _tail(declaration))
        case syntax.Require(name=name, condition=condition):
            yield from _constraint(span, f"require {name}", "", condition, _tail(declaration))
        case syntax.Forbid(name=name, when=when):
            yield from _constraint(span, f"forbid {name}", "when ", when, _tail(declaration))
        case syntax.Warn(name=name, when=when, because=because):
            yield from _constraint(span, f"warn {name}", "when ", when, _because(because))
        case syntax.Pause():
            yield from _pause(declaration)
        case _ as never:
            assert_never(never)


def _row(indent: int, span: Span | None, *cells: str, kind: str = "", more: tuple[str, ...] = ()) -> Row:
    start, end = (span.line, span.end_line) if span else (0, 0)
    return Row(indent, cells, kind, more, start, end)


def _condition(indent: int, span: Span, cells: tuple[str, ...], condition: Expr, *, kind: str = "", tail: str = "") -> Row:
    """A row whose last cell is a condition after some words; broken before `and` or `or` where it is too long."""
    *head, words = cells
    whole = f"{words}{spell(condition)}"
    used = indent + sum(len(cell) + 1 for cell in head)
    chain = _chain(condition)
    if used + len(whole) <= WIDTH or len(chain) == 1:
        return _row(indent, span, *head, whole, *([tail] if tail else []), kind=kind)
    more = [" " * (indent + DEEPER) + part for part in chain[1:]]
    return _row(indent, span, *head, words + chain[0], kind=kind, more=tuple(more))


def _chain(condition: Expr) -> list[str]:
    """`a and b and c` as `a`, `and b`, `and c`."""
    if not isinstance(condition, syntax.Binary) or condition.operator not in ("and", "or"):
        return [spell(condition)]
    operator, level = condition.operator, binding(condition)
    parts: list[str] = []
    node: Expr = condition
    while isinstance(node, syntax.Binary) and node.operator == operator:
        parts.append(f"{operator} {spell(node.right, level + 1)}")
        node = node.left
    return [spell(node, AND if operator == "and" else level), *reversed(parts)]


def _listed(members: Iterable[syntax.Symbol]) -> list[str]:
    names = [member.symbol for member in members]
    return [f"{name}," for name in names[:-1]] + names[-1:]


def _filled(indent: int, span: Span, head: tuple[str, ...], words: list[str], *, kind: str, tail: str = "") -> Row:
    """A row with a list that breaks after a comma where it is too long."""
    whole = " ".join(words)
    if indent + sum(len(cell) + 2 for cell in head) + len(whole) + len(tail) <= WIDTH:
        return _row(indent, span, *head, whole, *([tail] if tail else []), kind=kind)
    if tail:
        words = [*words[:-1], f"{words[-1]}  {tail}"]
    margin = indent + DEEPER
    lines, room = [""], WIDTH - indent - sum(len(cell) + 2 for cell in head)
    for word in words:
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append("")
            room = WIDTH - margin
        lines[-1] = f"{lines[-1]} {word}".strip()
    return _row(indent, span, *head, lines[0], kind=kind, more=tuple(" " * margin + line for line in lines[1:]))


def _param(param: syntax.Param) -> Row:
    bounds = []
    if param.low is not None and param.high is not None:
        bounds.append(f"in {spell_range(param.low, param.high)}")
    if param.step is not None:
        bounds.append(f"step {spell(param.step, SUM)}")
    doc = spell_text(param.doc) if param.doc is not None else ""
    return _row(0, param.span, f"param {param.name}", f"= {spell(param.value, SUM)}", " ".join(bounds), doc, kind="param")


def _doc(doc: str | None, header: Span, source: list[str]) -> Iterator[Row]:
    if doc is not None:
        line = _first_code_line(source, header.line)
        yield Row(STEP, (spell_text(doc),), start=line, end=line)


def _header(span: Span, text: str) -> Row:
    return Row(0, (text,), start=span.line, end=span.line)


def _universe(universe: syntax.Universe, source: list[str]) -> Iterator[Row]:
    venue = f" on {universe.venue}" if universe.venue else ""
    yield _header(universe.span, f"universe {universe.name}{venue}")
    yield from _doc(universe.doc, universe.span, source)
    for tier in universe.tiers:
        tail = []
        if tier.weight_low is not None and tier.weight_high is not None:
            tail.append(f"weight {spell_range(tier.weight_low, tier.weight_high)}")
        if tier.hold_at_most is not None:
            tail.append(f"hold at most {tier.hold_at_most.text}")
        yield _filled(STEP, tier.span, (f"tier {tier.name}",), _listed(tier.members), kind="tier", tail=", ".join(tail))
    if universe.only_when is not None:
        yield _condition(STEP, universe.only_when.span, ("only when ",), universe.only_when)


def _regime(regime: syntax.Regime) -> Iterator[Row]:
    yield _header(regime.span, "regime")
    for case in regime.cases:
        if case.condition is None:
            yield _row(STEP, case.span, case.name, "otherwise", kind="case")
        else:
            yield _condition(STEP, case.span, (case.name, "when "), case.condition, kind="case")


def _trigger(trigger: syntax.Trigger, source: list[str]) -> Iterator[Row]:
    yield _header(trigger.span, f"trigger {trigger.name}")
    yield from _doc(trigger.doc, trigger.span, source)
    yield _condition(STEP, trigger.when.span, ("when ",), trigger.when)
    level = trigger.confidence
    if level is not None and level.driver is not None and level.start is not None and level.end is not None:
        driver = f"as {spell(level.driver, SUM)} goes {spell_range(level.start, level.end)}"
        yield _row(STEP, level.span, f"confidence {spell_range(level.low, level.high)} {driver}")
    elif level is not None:
        yield _row(STEP, level.span, f"confidence {level.low.text}")
    yield from _because_row(STEP, trigger.because)


def _because(because: syntax.Text | None) -> list[str]:
    return [f"because {spell_text(because.value)}"] if because is not None else []


def _because_row(indent: int, because: syntax.Text | None) -> Iterator[Row]:
    for text in _because(because):
        yield _row(indent, because.span if because else None, text)


def _strategy(strategy: syntax.Strategy, source: list[str]) -> Iterator[Row]:
    yield _header(strategy.span, f"strategy {strategy.name} on {strategy.universe} every {strategy.every.text}")
    yield from _doc(strategy.doc, strategy.span, source)
    for enter in strategy.enters:
        yield from _enter(enter)
    for way_out in strategy.exits:
        yield from _exit(way_out)
    if strategy.hold_at_most is not None:
        yield _row(STEP, strategy.hold_at_most.span, f"hold at most {strategy.hold_at_most.text}")
    for pause in strategy.cool_downs:
        yield _row(STEP, pause.span, f"cool down {pause.length.text} after {pause.after}")


def _enter(enter: syntax.Enter) -> Iterator[Row]:
    header = Span(enter.span.file, enter.span.line, enter.span.column, enter.when.span.end_line, enter.when.span.end_column)
    yield _condition(STEP, header, (f"enter {enter.direction} when ",), enter.when)
    below = 2 * STEP
    for index, case in enumerate(enter.sizes):
        amount = ("risking " if case.risking else "") + spell(case.amount, SUM)
        condition = "otherwise" if case.otherwise else f"if {spell(case.condition)}" if case.condition is not None else ""
        head, indent = ("size".ljust(LEVEL), below) if index == 0 else ("", below + LEVEL)
        yield _row(indent, case.span, head + amount, condition, kind="size")
    for word, level in (("stop", enter.stop), ("target", enter.target)):
        if level is not None:
            yield _row(below, level.span, word.ljust(LEVEL) + _level(level))
    yield from _because_row(below, enter.because)


def _level(level: syntax.ExitLevel) -> str:
    match level:
        case syntax.Distance(amount=amount, side=side):
            return f"{spell(amount, SUM)} {side} entry"
        case syntax.AtPrice(price=price):
            return f"at {spell(price, SUM)}"
        case syntax.InR(multiple=multiple):
            return multiple.text
        case _ as never:
            assert_never(never)


def _tail(constraint: syntax.Limit | syntax.Require | syntax.Forbid) -> list[str]:
    tail = []
    verdict = constraint.otherwise
    if verdict is not None:
        length = f" for {verdict.length.text}" if verdict.length is not None else ""
        until = " until tomorrow" if verdict.until_tomorrow else ""
        tail.append(f"otherwise {verdict.verdict}{length}{until}")
    if constraint.every_order:
        tail.append("on every order")
    return tail + _because(constraint.because)


def _constraint(span: Span, head: str, words: str, condition: Expr, tail: list[str]) -> Iterator[Row]:
    """On one line where it fits; else what follows the condition stands on lines of its own below."""
    whole = "  ".join([head, words + spell(condition), *tail])
    row = _condition(0, span, (head, words), condition, kind="constraint", tail="  ".join(tail))
    if len(whole) <= TABLE_WIDTH and not row.more:
        yield row
        return
    yield _condition(0, span, (head, words), condition, kind="constraint")
    for part in tail:
        yield _row(STEP, None, part)


def _exit(way_out: syntax.ExitWhen) -> Iterator[Row]:
    because = "".join(_because(way_out.because))
    row = _condition(STEP, way_out.span, ("exit when ",), way_out.condition, tail=because)
    if not because or (len(" ".join(row.cells)) + STEP <= WIDTH and not row.more):
        yield row
        return
    yield _condition(STEP, way_out.span, ("exit when ",), way_out.condition)
    yield _row(2 * STEP, None, because)


def _pause(pause: syntax.Pause) -> Iterator[Row]:
    head, length = f"pause {pause.name}", f"for {pause.length.text}"
    if pause.when is not None:
        yield from _constraint(pause.span, head, f"{length} when ", pause.when, _because(pause.because))
        return
    count = f"{pause.losses} {'loss' if pause.losses == 1 else 'losses'}"
    row = _row(0, pause.span, head, f"{length} after {count} in a row", *_because(pause.because), kind="constraint")
    if len("  ".join(row.cells)) <= TABLE_WIDTH:
        yield row
        return
    yield _row(0, pause.span, *row.cells[:2], kind="constraint")
    yield _row(STEP, None, row.cells[2])
