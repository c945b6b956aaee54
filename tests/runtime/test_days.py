"""The equity a day's loss is measured from: what a hole lost belongs to the day after it."""

from __future__ import annotations

import pytest
from small_projects import NAN, START, Replayed, bars, compiled, flat, market, run, strategy

from tb.core.time import DAY, HOUR

HALT = "limit daily_loss  loss(today) <= 2% of equity at day_start  otherwise halt until tomorrow\n"


def held(period: str, stop: str = "80% below entry") -> str:
    return strategy(size="90% of equity", stop=stop).replace("every 1h", f"every {period}")


def halts(done: Replayed) -> list[tuple[int, int]]:
    """Instants at which `daily_loss` halted, and until when, in ms from the start."""
    return [(h.at - START, (h.until or 0) - START) for h in done.latches if h.rule == "daily_loss" and not h.lifted]


def test_daily_bars_see_the_loss_of_each_day() -> None:
    falling = [flat(100, 1)] + [(p, p, p * 0.93, p * 0.93, 1) for p in (100.0, 93.0, 86.49)] + [flat(80.4357, 1)] * 2
    done = run(compiled(held("1d"), HALT), market(bars("BTC-USD", falling, period=DAY)))
    assert halts(done) == [(2 * DAY, 3 * DAY), (3 * DAY, 4 * DAY), (4 * DAY, 5 * DAY)]


def test_daily_bars_see_what_a_stop_lost() -> None:
    rows = [flat(100, 1), (100, 100, 90, 90, 1), flat(90, 1), flat(90, 1)]
    done = run(compiled(held("1d", "5% below entry"), HALT), market(bars("BTC-USD", rows, period=DAY)))
    assert halts(done) == [(2 * DAY, 3 * DAY)]
    assert [(d.at - START) // DAY for d in done.decisions if d.verdict == "halt"] == [2]
    assert [(d.at - START) // DAY for d in done.decisions if d.approved] == [1, 3]


@pytest.mark.parametrize("first", [0, 1, 5])
def test_a_gap_over_midnight_counts_in_the_day_after_it(first: int) -> None:
    """A position over a weekend: no bars from 22:00 until some hours after the second midnight."""
    rows = [*[flat(100, 1)] * 22, *[None] * (26 + first), (93, 93, 93, 93, 1), flat(93, 1)]
    done = run(compiled(held("1h"), HALT), market(bars("BTC-USD", rows)))
    seen = 2 * DAY + (first + 1) * HOUR
    assert halts(done) == [(seen, 3 * DAY)]


def test_a_gap_over_midnight_counts_when_its_open_takes_the_stop() -> None:
    rows = [*[flat(100, 1)] * 22, *[None] * 26, flat(93, 1), flat(93, 1)]
    done = run(compiled(held("1h", "3% below entry"), HALT), market(bars("BTC-USD", rows)))
    assert halts(done) == [(2 * DAY + HOUR, 3 * DAY)]


@pytest.mark.parametrize("before", [1, 5, 23])
def test_a_hole_that_ends_exactly_at_midnight_counts_in_the_day_that_begins(before: int) -> None:
    rows = [*[flat(100, 1)] * (24 - before - 1), *[None] * before, flat(93, 1), flat(93, 1)]
    rows = [*[flat(100, 1)] * 24, *rows]
    done = run(compiled(held("1h"), HALT), market(bars("BTC-USD", rows)))
    assert halts(done) == [(2 * DAY, 3 * DAY)]


def test_what_the_last_bar_before_midnight_loses_belongs_to_the_day_that_ends() -> None:
    rows = [*[flat(100, 1)] * 23, (100, 100, 93, 93, 1), *[flat(93, 1)] * 3]
    assert halts(run(compiled(held("1h"), HALT), market(bars("BTC-USD", rows)))) == []
    rows = [*[flat(100, 1)] * 24, (100, 100, 93, 93, 1), flat(93, 1)]
    assert halts(run(compiled(held("1h"), HALT), market(bars("BTC-USD", rows)))) == [(DAY + HOUR, 2 * DAY)]


def test_midnight_is_that_of_the_account() -> None:
    rows = [*[flat(100, 1)] * 4, *[None] * 3, flat(93, 1), flat(93, 1)]  # midnight in New York is 05:00 UTC
    done = run(compiled(held("1h"), HALT, timezone="America/New_York"), market(bars("BTC-USD", rows)))
    assert halts(done) == [(8 * HOUR, DAY + 5 * HOUR)]


def test_an_unknown_close_after_the_gap_denies_and_the_next_known_one_sees_the_loss() -> None:
    rows = [*[flat(100, 1)] * 22, *[None] * 4, (93, 93, 93, NAN, 1), flat(93, 1), flat(93, 1)]
    done = run(compiled(held("1h"), HALT), market(bars("BTC-USD", rows)))
    assert halts(done)[-1] == (DAY + 4 * HOUR, 2 * DAY)


def test_a_book_measures_its_own_loss_over_a_gap() -> None:
    policy = (
        "book mine  50% of capital  strategies s, leverage at most 2\n"
        "limit daily_loss  loss(today) of book <= 2% of equity at day_start of book  otherwise halt until tomorrow\n"
    )
    rows = [*[flat(100, 1)] * 22, *[None] * 4, flat(93, 1), flat(93, 1)]
    done = run(compiled(held("1h"), policy), market(bars("BTC-USD", rows)))
    assert halts(done) == [(DAY + 3 * HOUR, 2 * DAY)]
    assert {h.book for h in done.latches} == {"mine"}
