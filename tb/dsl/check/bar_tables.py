"""The bars that a test writes down: a table of values that a market could have shown."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from tb.core.diagnostics import did_you_mean
from tb.core.span import Span
from tb.core.time import show_duration
from tb.dsl import checked_tests, syntax
from tb.dsl.check.definitions import duration
from tb.dsl.check.expressions import Expressions

COLUMNS = ("open", "high", "low", "close", "volume", "bid", "ask")
FIRST_BAR = 1_704_067_200_000  # 2024-01-01 in UTC, a Monday: where bars begin if nothing is said
_MINUTE = 60_000


def bar_tables(using: Expressions, nodes: tuple[syntax.Bars, ...]) -> tuple[checked_tests.BarTable, ...]:
    """The tables of one test; what a market cannot show is reported."""
    found = [table for node in nodes if (table := _table(using, node)) is not None]
    for at, table in enumerate(found):
        if table.instrument in [earlier.instrument for earlier in found[:at]]:
            using.scope.report("TB093", f"`{table.instrument}` has two tables of bars", table.span, "join the two")
        if table.period != found[0].period:
            other = show_duration(found[0].period)
            message = f"bars of {show_duration(table.period)} beside bars of {other}"
            using.scope.report("TB093", message, table.span, f"give all bars of a test in one period, such as {other}")
    return tuple(found)


def instant_of(node: syntax.Instant) -> int:
    """An instant as written, in ms UTC."""
    minutes = 0 if node.clock is None else node.clock.value.hour * 60 + node.clock.value.minute
    days = node.day.value.toordinal() - 719_163  # of 1970-01-01
    return (days * 24 * 60 + minutes) * _MINUTE


def _table(using: Expressions, node: syntax.Bars) -> checked_tests.BarTable | None:
    period = duration(using, node.period)
    for name in node.columns:
        if name not in COLUMNS:
            hint = did_you_mean(name, COLUMNS) or f"columns are {', '.join(f'`{column}`' for column in COLUMNS)}"
            using.scope.report("TB093", f"bars have no `{name}`", node.span, hint)
    if node.columns and "close" not in node.columns:
        using.scope.report("TB093", "bars without a `close` tell no price", node.span, "add the column `close`")
    if period is None:
        return None
    start = FIRST_BAR if node.start is None else instant_of(node.start)
    if start % period and node.start is not None:
        hint = f"bars of {node.period.text} begin at multiples of it"
        using.scope.report("TB093", f"no bar of {node.period.text} begins there", node.start.span, hint)
    rows = tuple(_row(using, row, node.columns) for row in node.rows)
    return checked_tests.BarTable(node.instrument.symbol, period, start, node.columns, rows, node.span)


def _row(using: Expressions, row: syntax.BarRow, columns: tuple[str, ...]) -> checked_tests.Row:
    for number in (*row.values, row.goes_to, row.volume):
        if number is not None and number.unit is not None:
            hint = f"write `{number.text.removesuffix(number.unit).rstrip()}`: prices are in the instrument's currency"
            using.scope.report("TB093", f"`{number.text}` has a unit, and bars are plain numbers", number.span, hint)
    values = tuple(None if number is None else number.value for number in row.values)
    named = dict(zip(columns or ("close",), values, strict=False))
    for message, hint in _impossible({**named, **({} if row.volume is None else {"volume": row.volume.value})}):
        using.scope.report("TB093", message, row.span, hint)
    goes_to = None if row.goes_to is None else row.goes_to.value
    if goes_to is not None and row.times < 2:
        using.scope.report("TB093", "a ramp of one bar goes nowhere", row.span, "give it more bars: `100..120 x 20`")
    if goes_to is not None and goes_to <= 0:
        using.scope.report("TB093", "a price is greater than 0", row.span, "end the ramp above 0")
    return checked_tests.Row(values, goes_to, row.times, None if row.volume is None else row.volume.value, row.span)


def _impossible(values: dict[str, Decimal | None]) -> Iterator[tuple[str, str]]:
    """What a market never shows, and the edit."""
    known = {name: value for name, value in values.items() if value is not None}
    if any(value <= 0 for name, value in known.items() if name != "volume"):
        yield "a price is greater than 0", "write a price above 0, or `unknown`"
    if known.get("volume", Decimal(0)) < 0:
        yield "a volume is not below 0", "write 0 or more, or `unknown`"
    prices = [known[name] for name in ("open", "close") if name in known]
    high, low = known.get("high"), known.get("low")
    if high is not None and any(price > high for price in (*prices, *((low,) if low is not None else ()))):
        yield "the high is below another price of the bar", "make it the highest of them"
    if low is not None and any(price < low for price in prices):
        yield "the low is above another price of the bar", "make it the lowest of them"
    if "bid" in known and "ask" in known and known["bid"] > known["ask"]:
        yield "the bid is above the ask", "exchange the two"


def recorded(node: syntax.Recorded, using: Expressions) -> checked_tests.Recorded:
    first = None if node.start is None else instant_of(node.start)
    last = None if node.end is None else instant_of(node.end)
    if first is not None and last is not None and first >= last:
        using.scope.report("TB093", "the data ends before it begins", _ends(node), "let `from` be earlier than `to`")
    return checked_tests.Recorded(node.path.value, first, last, node.span)


def _ends(node: syntax.Recorded) -> Span:
    return node.end.span if node.end is not None else node.span
