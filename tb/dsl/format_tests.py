"""Tests and claims as rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from tb.dsl import syntax
from tb.dsl.format_expression import SHARE, SUM, spell, spell_text
from tb.dsl.format_row import LEVEL, STEP, Row, condition_row, filled_row, first_code_line, header, row


def test_rows(test: syntax.Test, source: list[str]) -> Iterator[Row]:
    yield header(test.span, f"test {spell_text(test.name)}")
    for given in test.given:
        facts = [f"{spell(fact.what, SHARE)} = {spell(fact.value)}," for fact in given.facts]
        yield filled_row(STEP, given.span, ("given ",), [*facts[:-1], facts[-1][:-1]], kind="")
    for bars in test.bars:
        yield from _bars(bars, source)
    if test.recorded is not None:
        recorded = test.recorded
        ends = _instants(("from", recorded.start), ("to", recorded.end))
        yield row(STEP, recorded.span, f"{'data'.ljust(LEVEL)}{spell_text(recorded.path.value)}{ends}")
    if test.proposes is not None:
        yield row(STEP, test.proposes.span, "when".ljust(LEVEL) + _proposes(test.proposes))
    for expectation in test.expects:
        yield row(STEP, expectation.span, "expect".ljust(LEVEL) + spell_expectation(expectation))


def _instants(*ends: tuple[str, syntax.Instant | None]) -> str:
    said = ""
    for word, end in ends:
        if end is not None:
            clock = f" {end.clock.value:%H:%M}" if end.clock is not None else ""
            said += f" {word} {end.day.value.isoformat()}{clock}"
    return said


def _bars(bars: syntax.Bars, source: list[str]) -> Iterator[Row]:
    start = _instants(("from", bars.start))
    first = bars.instrument.span
    yield row(STEP, first, f"{'bars'.ljust(LEVEL)}{bars.instrument.symbol} {bars.period.text}{start}")
    if bars.columns:
        line = first_code_line(source, first.line)
        yield Row(2 * STEP, (*bars.columns, ""), "bars", start=line, end=line)
    for bar in bars.rows:
        values = [value.text if value is not None else "unknown" for value in bar.values]
        if bar.goes_to is not None:
            values = [f"{values[0]}..{bar.goes_to.text}"]
        times = f"x {bar.times}" if bar.times > 1 or bar.goes_to is not None else ""
        volume = f"volume {bar.volume.text}" if bar.volume is not None else ""
        yield row(2 * STEP, bar.span, *values, times, volume, kind="bars" if bars.columns else "closes")


def _proposes(proposes: syntax.Proposes) -> str:
    words = f"{proposes.strategy} proposes {proposes.side} {proposes.quantity.text} {proposes.instrument.symbol}"
    for word, price in (("at", proposes.price), ("stop", proposes.stop), ("target", proposes.target)):
        words += f" {word} {spell(price, SUM)}" if price is not None else ""
    return words


def spell_expectation(expectation: syntax.Expectation) -> str:
    """What an `expect` line says after its first word, in the one layout."""
    match expectation:
        case syntax.ExpectNoProposal(by=by):
            return f"no proposal{_by(by)}"
        case syntax.ExpectThat(condition=condition, operator=operator, confidence=confidence):
            level = f" with confidence {operator} {confidence.text}" if confidence is not None else ""
            return spell(condition) + level
        case syntax.ExpectVerdict():
            words = expectation.verdict
            if expectation.side is not None and expectation.instrument is not None:
                words += f" {expectation.side} {expectation.instrument.symbol}"
            words += f" to {expectation.to.text}" if expectation.to is not None else ""
            words += _by(expectation.by)
            words += f" clause {spell(expectation.clause)}" if expectation.clause is not None else ""
            return words + (f" with margin {spell(expectation.margin, SUM)}" if expectation.margin is not None else "")
        case _ as never:
            assert_never(never)


def _by(name: str | None) -> str:
    if name is None:
        return ""
    return f" by {name}" if name.isidentifier() else f" by {spell_text(name)}"


def prove_row(prove: syntax.Prove) -> Row:
    head = f"prove {spell_text(prove.name)}"
    match prove.claim:
        case syntax.OrdersHave(orders=orders, condition=condition):
            return condition_row(0, prove.span, (head, f"every {orders} order has "), condition, kind="prove")
        case syntax.ReducingApproved(unless_halted=unless_halted):
            unless = " unless halted" if unless_halted else ""
            return row(0, prove.span, head, f"every reducing order is approved{unless}", kind="prove")
        case _ as never:
            assert_never(never)
