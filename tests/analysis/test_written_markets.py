"""Tests in the language over recorded data and several instruments, and orders that are judged at the last bar of some."""

from __future__ import annotations

from pathlib import Path

from written_tests import POLICY, order, run

from tb.analysis.testing import Report
from tb.analysis.testing.text import text

ORDER = "  when   momentum proposes buy 1 BTC-USD at 500 USD stop 450 USD target 600 USD\n"
CALM = "".join(line for line in POLICY.splitlines(keepends=True) if "rsi" not in line)


def recorded(folder: Path, symbol: str, closes: list[float]) -> None:
    rows = ["time,open,high,low,close,volume"]
    for hour, close in enumerate(closes):
        before = closes[max(hour - 1, 0)]
        rows.append(
            f"2026-01-05T{hour:02}:00Z,{before},{max(before, close)},{min(before, close)},{close},{10 * (1 + hour // 6 * 5)}"
        )
    folder.mkdir(exist_ok=True)
    (folder / f"{symbol}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def test_recorded_data_is_played_to_the_end_that_is_named(tmp_path: Path) -> None:
    recorded(tmp_path / "data", "BTC-USD", [100, 101, 102, 103, 104, 105, 107, 107])
    spike = 'test "a"\n  data   "data" to 2026-01-05 07:00\n  expect approve buy BTC-USD by momentum\n  expect surge\n'
    report = run(spike, policy=CALM, root=tmp_path)
    assert report.passed, text(report)
    later = run(spike.replace(" to 2026-01-05 07:00", ""), policy=CALM, root=tmp_path)
    assert [failure.actual for failure in later.results[0].failures] == ["no proposal", "false"]
    missing = run(spike.replace('"data"', '"none"'), policy=CALM, root=tmp_path)
    assert missing.results[0].status == "error"
    assert "none" in missing.results[0].failures[0].actual


def test_a_condition_says_of_which_instrument(tmp_path: Path) -> None:
    for symbol in ("BTC-USD", "ETH-USD"):
        recorded(tmp_path / "data", symbol, [100, 101, 102, 103, 104, 105, 107])
    vague = run('test "a"\n  data   "data"\n  expect surge\n', policy=CALM, root=tmp_path)
    (failure,) = vague.results[0].failures
    assert (vague.results[0].status, failure.hint) == ("error", "say of which: `expect (surge) of BTC-USD`")
    assert run('test "a"\n  data   "data"\n  expect (surge) of ETH-USD\n', policy=CALM, root=tmp_path).passed


def test_a_condition_that_names_its_instruments_needs_no_other(tmp_path: Path) -> None:
    for symbol in ("BTC-USD", "ETH-USD"):
        recorded(tmp_path / "data", symbol, [100, 101, 102, 103, 104, 105, 107])
    for said in (
        "change(close, 2) of ETH-USD > 0%",
        "(change(close, 2) > 0%) of BTC-USD",
        "(close[1] of ETH-USD) < close of ETH-USD",
    ):
        assert run(f'test "a"\n  data   "data"\n  expect {said}\n', policy=CALM, root=tmp_path).passed
    half = "change(close, 2) of BTC-USD >= change(close, 2)"
    (failure,) = run(f'test "a"\n  data   "data"\n  expect {half}\n', policy=CALM, root=tmp_path).results[0].failures
    assert failure.hint == f"say of which: `expect ({half}) of ETH-USD`"
    assert run(f'test "a"\n  data   "data"\n  expect ({half}) of ETH-USD\n', policy=CALM, root=tmp_path).passed


def test_bars_have_to_give_what_strategies_read() -> None:
    report = run('test "a"\n  bars BTC-USD 4h\n    100 x 3 volume 10\n  expect no proposal\n', policy=CALM)
    (failure,) = report.results[0].failures
    assert failure.actual == "`momentum` reads bars of 1h, which bars of 4h cannot give"
    assert failure.hint == "give bars of 1h"


def test_an_order_is_judged_at_the_last_bar() -> None:
    bars = "  bars BTC-USD 1h\n    400..500 x 20\n"
    hot = run(f'test "a"\n{bars}{ORDER}  expect reject by heated with margin 15\n')
    assert hot.passed, text(hot)
    calm = run(f'test "a"\n{bars}    490\n    480\n    470\n    500\n{ORDER}  expect approve\n')
    assert calm.passed, text(calm)
    given = run(f'test "a"\n  given  rsi(close, 14) = 50\n{bars}{ORDER}  expect approve\n')
    assert given.passed, text(given)


def test_the_instant_decides_what_the_calendar_says() -> None:
    policy = CALM + "forbid late when hour >= 22\nforbid sunday when weekday == 6\n"
    unknown = run(order("reject by late").replace("  given  rsi(close, 14) = 50\n", ""), policy=policy)
    assert unknown.passed, text(unknown)
    cases = {"2026-03-02 21:59": "approve", "2026-03-02 22:00": "reject by late", "2026-03-01 10:00": "reject by sunday"}
    for at, verdict in cases.items():
        found = run(order(verdict, f'instant = "{at}"').replace("  given  rsi(close, 14) = 50\n", ""), policy=policy)
        assert found.passed, text(found)


def test_an_exception_holds_to_its_last_day() -> None:
    policy = CALM + ('exception desk to collar\n  loosens to 8% owner "desk" until 2026-03-01 because "index"\n')
    facts = 'mid = 480 USD, instant = "{}"'
    for at, verdict in {"2026-03-01 23:59": "approve", "2026-03-02": "reject by collar"}.items():
        found = run(order(verdict, facts.format(at)).replace("  given  rsi(close, 14) = 50\n", ""), policy=policy)
        assert found.passed, text(found)
    never = run(order("reject by collar", "mid = 480 USD").replace("  given  rsi(close, 14) = 50\n", ""), policy=policy)
    assert never.passed, text(never)


# --- no proposal, where one could have been -------------------------------------------------------------------------------

RAMP = "  bars BTC-USD 1h\n    100..101 x {} volume 10\n"
LONG = """
universe majors
  tier core   BTC-USD, ETH-USD

strategy slow on majors every 1h
  enter long when close < sma(close, 100)
    size 5% of equity

strategy quick on majors every 1h
  enter long when close < open
    size 5% of equity
"""


def silent(bars: int, expect: str = "no proposal by slow", rows: str = "", rules: str = LONG) -> Report:
    return run(f'test "a"\n{RAMP.format(bars)}{rows}  expect {expect}\n', rules=rules, policy=CALM)


def test_no_proposal_fails_where_the_condition_was_never_known() -> None:
    (failure,) = silent(20).results[0].failures
    assert failure.actual == (
        "no entry condition of `slow` is known: `sma(close, 100)` is not ready: it looks back 99 bars, 19 have closed before"
    )
    assert failure.hint == "give more bars, or say that you mean it: `expect CONDITION is unknown`"
    (failure,) = silent(99).results[0].failures
    assert "98 have closed before" in failure.actual
    assert silent(100).passed


def test_a_strategy_that_is_not_ready_is_not_hidden_behind_one_that_is() -> None:
    (failure,) = silent(20, "no proposal").results[0].failures
    assert failure.actual.startswith("no entry condition of `slow` is known")
    assert failure.hint.endswith("is unknown`, or name the strategy: `expect no proposal by quick`")
    assert silent(20, "no proposal by quick").passed
    assert silent(100, "no proposal").passed


def test_what_a_test_writes_as_unknown_is_meant() -> None:
    assert silent(20, rows="    unknown volume 10\n").passed
    assert silent(120, rows="    unknown volume 10\n").passed


def test_that_something_is_unknown_can_be_expected() -> None:
    for known, expect in ((20, "sma(close, 100)"), (20, "(close < sma(close, 100))"), (20, "(close[30] > close)")):
        assert silent(known, f"{expect} is unknown").passed
        (failure,) = silent(150, f"{expect} is unknown").results[0].failures
        assert failure.actual.startswith("it is ")
    assert silent(20, "sma(close, 100) is unknown\n  expect no proposal").passed
    order_ = run(order("rsi(close, 14) is unknown").replace("  given  rsi(close, 14) = 50\n", ""))
    assert order_.passed, text(order_)
    assert not run(order("equity is unknown")).passed


def test_one_known_condition_is_enough_and_a_false_part_makes_it_known() -> None:
    both = LONG.replace(
        "    size 5% of equity\n", "    size 5% of equity\n  enter short when close < 0.9 * open\n    size 5%\n", 1
    )
    assert silent(20, rules=both.replace("size 5%\n", "size 5% of equity\n")).passed
    assert silent(20, rules=LONG.replace("close < sma", "close < open and close < sma")).passed


def test_a_strategy_of_longer_bars_has_to_see_one_close() -> None:
    four = LONG.replace("slow on majors every 1h", "slow on majors every 4h").replace("100)", "2)")
    (failure,) = silent(9, rules=four).results[0].failures
    assert failure.actual == "no entry condition of `slow` is known: no bar of 4h of BTC-USD closes at the last bar"
    assert failure.hint == "let the bars end where one of 4h does"
    assert silent(12, rules=four).passed


def test_an_instrument_that_no_strategy_trades_has_no_proposal() -> None:
    assert run('test "a"\n  bars SOL-USD 1h\n    100 x 3\n  expect no proposal\n', rules=LONG, policy=CALM).passed
