"""Strategies as rows: entries, legs, quotes, and what ends a position, in their canonical order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from tb.core.span import Span
from tb.dsl import syntax
from tb.dsl.format_expression import SHARE, SUM, spell
from tb.dsl.format_row import LEVEL, STEP, WIDTH, Row, because_of, because_row, condition_row, doc_row, header, row


def strategy_rows(strategy: syntax.Strategy, source: list[str]) -> Iterator[Row]:
    yield header(strategy.span, f"strategy {strategy.name} on {strategy.universe} every {strategy.every.text}")
    yield from doc_row(strategy.doc, strategy.span, source)
    for enter in strategy.enters:
        yield from _enter(enter)
    for entry in strategy.leg_enters:
        yield from _leg_enter(entry)
    for quote in strategy.quotes:
        yield from _quote(quote)
    for way_out in strategy.exits:
        yield from _exit(way_out)
    if strategy.hold_at_most is not None:
        yield row(STEP, strategy.hold_at_most.span, f"hold at most {strategy.hold_at_most.text}")
    for pause in strategy.cool_downs:
        yield row(STEP, pause.span, f"cool down {pause.length.text} after {pause.after}")


def _enter(enter: syntax.Enter) -> Iterator[Row]:
    yield condition_row(STEP, _to(enter.span, enter.when.span), (f"enter {enter.direction} when ",), enter.when)
    below = 2 * STEP
    yield from _sizes(enter.sizes)
    if enter.by_conviction is not None:
        yield row(below, enter.by_conviction.span, "size".ljust(LEVEL) + _by_conviction(enter.by_conviction), kind="size")
    if enter.order is not None:
        yield row(below, enter.order.span, "order".ljust(LEVEL) + _order(enter.order))
    if enter.stop is not None:
        yield row(below, enter.stop.span, "stop".ljust(LEVEL) + _level(enter.stop))
    if enter.break_even is not None:
        yield row(below, enter.break_even.span, f"{'stop'.ljust(LEVEL)}to entry after {enter.break_even.after.text}")
    if enter.trailing is not None:
        after = f" after {enter.trailing.after.text}" if enter.trailing.after is not None else ""
        distance = spell(enter.trailing.distance, SUM)
        yield row(below, enter.trailing.span, f"{'stop'.ljust(LEVEL)}trailing {distance}{after}")
    for take in enter.takes:
        yield row(below, take.span, f"{'take'.ljust(LEVEL)}{spell(take.share)} at {_level(take.level).removeprefix('at ')}")
    if enter.target is not None:
        yield row(below, enter.target.span, "target".ljust(LEVEL) + _level(enter.target))
    yield from because_row(below, enter.because)


def _sizes(sizes: tuple[syntax.SizeCase, ...]) -> Iterator[Row]:
    for index, case in enumerate(sizes):
        amount = ("risking " if case.risking else "") + spell(case.amount, SUM)
        condition = "otherwise" if case.otherwise else f"if {spell(case.condition)}" if case.condition is not None else ""
        head, indent = ("size".ljust(LEVEL), 2 * STEP) if index == 0 else ("", 2 * STEP + LEVEL)
        yield row(indent, case.span, head + amount, condition, kind="size")


def _by_conviction(size: syntax.ConvictionSize) -> str:
    risking = "risking " if size.risking else ""
    share = f"{spell(size.share_low)}..{spell(size.share_high)} of {spell(size.whole, SHARE)}"
    return f"conviction {size.low.text}..{size.high.text} as {risking}{share}"


def _order(order: syntax.Order) -> str:
    price = f" at {spell(order.price, SUM)}" if order.price is not None else ""
    valid = f", valid {order.valid.text}" if order.valid is not None else ""
    return f"{order.kind}{price}{valid}{', post only' if order.post_only else ''}"


def _leg_enter(entry: syntax.LegEnter) -> Iterator[Row]:
    yield condition_row(STEP, _to(entry.span, entry.when.span), ("enter when ",), entry.when)
    for leg in entry.legs:
        instrument = leg.instrument.text if isinstance(leg.instrument, syntax.Name) else leg.instrument.symbol
        amount = spell(leg.size, SUM) if leg.size is not None else f"same {leg.same}"
        yield row(2 * STEP, leg.span, f"leg {leg.side}", instrument, amount, kind="leg")
    yield from because_row(2 * STEP, entry.because)


def _quote(quote: syntax.Quote) -> Iterator[Row]:
    prices = f"quote bid {spell(quote.bid, SUM)}, ask {spell(quote.ask, SUM)}"
    yield row(STEP, _to(quote.span, quote.ask.span), prices)
    yield from _sizes(quote.sizes)
    if quote.skew is not None:
        yield row(2 * STEP, quote.skew.span, f"{'skew'.ljust(LEVEL)}by position, at most {spell(quote.skew.at_most, SUM)}")
    if quote.only_when is not None:
        yield condition_row(2 * STEP, quote.only_when.span, ("only when ",), quote.only_when)
    yield from because_row(2 * STEP, quote.because)


def _to(start: Span, end: Span) -> Span:
    """The lines of what opens a block, without the block."""
    return Span(start.file, start.line, start.column, end.end_line, end.end_column)


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


def _exit(way_out: syntax.ExitWhen) -> Iterator[Row]:
    because = "".join(because_of(way_out.because))
    line = condition_row(STEP, way_out.span, ("exit when ",), way_out.condition, tail=because)
    if not because or (len(" ".join(line.cells)) + STEP <= WIDTH and not line.more):
        yield line
        return
    yield condition_row(STEP, way_out.span, ("exit when ",), way_out.condition)
    yield row(2 * STEP, None, because)
