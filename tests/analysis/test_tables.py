"""What is said of decision tables is true: compared with trying every hour of every day of the week."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
from lint_samples import findings_of

from tb.core.diagnostics import Diagnostic

HOURS, DAYS = range(24), range(7)
RESULTS = ("1%", "2%", "3%")
Span = tuple[int, int] | None
Row = tuple[Span, Span, str]


def spans(last: int) -> st.SearchStrategy[Span]:
    numbers = st.integers(0, last)
    return st.none() | st.tuples(numbers, numbers).map(lambda pair: (min(pair), max(pair)))


ROWS = st.lists(st.tuples(spans(23), spans(6), st.sampled_from(RESULTS)), min_size=1, max_size=5)


def written(rows: list[Row]) -> str:
    def cell(span: Span) -> str:
        return "any" if span is None else f"{span[0]}..{span[1]}"

    lines = [f"  {cell(hours)} | {cell(days)} | {result}" for hours, days, result in rows]
    head = "universe u\n  tier t BTC-USD\n\ntable share\n  hour | weekday | result\n"
    return (
        head + "\n".join(lines) + "\n\nstrategy s on u every 1h\n  enter long when close > close[1]\n    size share of equity\n"
        '    stop 8% below entry\n    because "up"\n'
    )


def fits(row: Row, hour: int, day: int) -> bool:
    return all(span is None or span[0] <= at <= span[1] for span, at in zip(row[:2], (hour, day), strict=True))


def of(code: str, findings: list[Diagnostic]) -> list[Diagnostic]:
    return [finding for finding in findings if finding.code == code]


@settings(max_examples=60)
@given(ROWS)
def test_gaps_unreached_rows_and_idle_columns_are_those_that_trying_finds(rows: list[Row]) -> None:
    findings = findings_of(written(rows))
    found = {case: [at for at, row in enumerate(rows) if fits(row, *case)] for case in product(HOURS, DAYS)}
    result = {case: rows[fitting[0]][2] if fitting else None for case, fitting in found.items()}
    ends_in_any = any(row[:2] == (None, None) for row in rows)
    assert bool(of("TB112", findings)) == (None in result.values() and not ends_in_any)

    first = {fitting[0] for fitting in found.values() if fitting}
    unreached = {at for at in range(len(rows)) if at not in first and rows[at][:2] != (None, None)}
    assert {finding.span.line - 6 for finding in of("TB107", findings)} == unreached

    idle_hour = all(len({result[hour, day] for hour in HOURS}) == 1 for day in DAYS)
    idle_day = all(len({result[hour, day] for day in DAYS}) == 1 for hour in HOURS)
    assert [("`hour`" in f.message, "`weekday`" in f.message) for f in of("TB114", findings)] == [
        pair for pair, idle in (((True, False), idle_hour), ((False, True), idle_day)) if idle
    ]


@settings(max_examples=60)
@given(ROWS)
def test_overlaps_are_those_of_rows_that_share_more_than_an_edge(rows: list[Row]) -> None:
    said = {finding.span.line - 6 for finding in of("TB113", findings_of(written(rows)))}
    sets = [frozenset(case for case in product(HOURS, DAYS) if fits(row, *case)) for row in rows]
    for below, row in enumerate(rows):
        partial = [
            above
            for above in range(below)
            if rows[above][2] != row[2] and sets[above] & sets[below] not in (frozenset(), sets[above], sets[below])
        ]
        if below in said:
            assert partial
        wide = [
            above for above in partial if all(len({case[axis] for case in sets[above] & sets[below]}) > 2 for axis in (0, 1))
        ]
        if wide:
            assert below in said
