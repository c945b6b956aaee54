"""Declarations as rows of cells: what each line says, before columns are aligned and comments put back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from tb.dsl import syntax
from tb.dsl.format_expression import SUM, spell, spell_range, spell_text
from tb.dsl.format_market import feed_row, score_rows, session_row, signal_rows, table_rows
from tb.dsl.format_policy import policy_rows
from tb.dsl.format_row import (
    STEP,
    Row,
    because_row,
    condition_row,
    doc_row,
    filled_row,
    first_code_line,
    header,
    listed,
    row,
)
from tb.dsl.format_strategy import strategy_rows
from tb.dsl.format_tests import prove_row, test_rows
from tb.dsl.syntax import Declaration

_BLOCKS = (
    syntax.Universe
    | syntax.Regime
    | syntax.Table
    | syntax.Trigger
    | syntax.Signal
    | syntax.Score
    | syntax.Strategy
    | syntax.LimitException
    | syntax.Advisor
    | syntax.Test
)


def rows_of_file(file: syntax.File, source: list[str]) -> list[Row]:
    rows: list[Row] = []
    if file.doc is not None:
        line = first_code_line(source, 0)
        rows.append(Row(0, (spell_text(file.doc),), start=line, end=line, opens=True, block=True))
    for declaration in file.declarations:
        own = list(_rows(declaration, source))
        own[0].opens = True
        for one in own:
            one.block = isinstance(declaration, _BLOCKS)
        rows.extend(own)
    return rows


def _rows(declaration: Declaration, source: list[str]) -> Iterator[Row]:
    span = declaration.span
    match declaration:
        case syntax.Use(module=module, picked=()):
            yield row(0, span, f"use {module}", kind="use")
        case syntax.Use(module=module, picked=picked):
            yield filled_row(0, span, (f"use {module}:",), [*(f"{name}," for name in picked[:-1]), picked[-1]], kind="use")
        case syntax.Param():
            yield _param(declaration)
        case syntax.ParamRequire(condition=condition):
            yield condition_row(0, span, ("require ",), condition)
        case syntax.Group(name=name, members=members):
            yield filled_row(0, span, (f"group {name}:",), listed(members), kind="group")
        case syntax.Let(name=name, value=value):
            yield condition_row(0, span, (f"let {name}", "= "), value, kind="let")
        case syntax.Function(name=name, parameters=parameters, value=value):
            yield condition_row(0, span, (f"let {name}({', '.join(parameters)})", "= "), value, kind="let")
        case syntax.Universe():
            yield from _universe(declaration, source)
        case syntax.Regime():
            yield from _regime(declaration)
        case syntax.Trigger():
            yield from _trigger(declaration, source)
        case syntax.Strategy():
            yield from strategy_rows(declaration, source)
        case syntax.Signal():
            yield from signal_rows(declaration, source)
        case syntax.Score():
            yield from score_rows(declaration, source)
        case syntax.Table():
            yield from table_rows(declaration, source)
        case syntax.Feed():
            yield feed_row(declaration)
        case syntax.Session():
            yield session_row(declaration)
        case syntax.Test():
            yield from test_rows(declaration, source)
        case syntax.Prove():
            yield prove_row(declaration)
        case (
            syntax.Limit()
            | syntax.Forbid()
            | syntax.Require()
            | syntax.Pause()
            | syntax.Warn()
            | syntax.LimitException()
            | syntax.Book()
            | syntax.Council()
            | syntax.Allocate()
            | syntax.Advisor()
        ):
            yield from policy_rows(declaration, source)
        case _ as never:
            assert_never(never)


def _param(param: syntax.Param) -> Row:
    bounds = f"in {spell_range(param.low, param.high)}" if param.low is not None and param.high is not None else ""
    step = f"step {spell(param.step, SUM)}" if param.step is not None else ""
    doc = spell_text(param.doc) if param.doc is not None else ""
    return row(0, param.span, f"param {param.name}", f"= {spell(param.value, SUM)}", bounds, step, doc, kind="param")


def _universe(universe: syntax.Universe, source: list[str]) -> Iterator[Row]:
    venue = f" on {universe.venue}" if universe.venue else ""
    yield header(universe.span, f"universe {universe.name}{venue}")
    yield from doc_row(universe.doc, universe.span, source)
    for tier in universe.tiers:
        tail = []
        if tier.weight_low is not None and tier.weight_high is not None:
            tail.append(f"weight {spell_range(tier.weight_low, tier.weight_high)}")
        if tier.hold_at_most is not None:
            tail.append(f"hold at most {tier.hold_at_most.text}")
        if tier.where is None:
            yield filled_row(STEP, tier.span, (f"tier {tier.name}",), listed(tier.members), kind="tier", tail=", ".join(tail))
        else:
            yield _discovered(tier, tier.where, ", ".join(tail))
    if universe.only_when is not None:
        yield condition_row(STEP, universe.only_when.span, ("only when ",), universe.only_when)


def _discovered(tier: syntax.Tier, where: syntax.Expr, tail: str) -> Row:
    """The weights follow the condition, on its last line where it has several."""
    line = condition_row(STEP, tier.span, (f"tier {tier.name}", "where "), where, kind="tier", tail=tail)
    if line.more and tail:
        line.more = (*line.more[:-1], f"{line.more[-1]}  {tail}")
    return line


def _regime(regime: syntax.Regime) -> Iterator[Row]:
    yield header(regime.span, "regime")
    for case in regime.cases:
        if case.condition is None:
            yield row(STEP, case.span, case.name, "otherwise", kind="case")
        else:
            yield condition_row(STEP, case.span, (case.name, "when "), case.condition, kind="case")


def _trigger(trigger: syntax.Trigger, source: list[str]) -> Iterator[Row]:
    yield header(trigger.span, f"trigger {trigger.name}")
    yield from doc_row(trigger.doc, trigger.span, source)
    yield condition_row(STEP, trigger.when.span, ("when ",), trigger.when)
    level = trigger.confidence
    if level is not None and level.driver is not None and level.start is not None and level.end is not None:
        driver = f"as {spell(level.driver, SUM)} goes {spell_range(level.start, level.end)}"
        yield row(STEP, level.span, f"confidence {spell_range(level.low, level.high)} {driver}")
    elif level is not None:
        yield row(STEP, level.span, f"confidence {level.low.text}")
    yield from because_row(STEP, trigger.because)
