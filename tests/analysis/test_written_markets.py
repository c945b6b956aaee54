"""Tests in the language over recorded data and several instruments, and orders that are judged at the last bar of some."""

from __future__ import annotations

from pathlib import Path

from written_tests import POLICY, order, run

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
