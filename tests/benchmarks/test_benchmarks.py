"""The benchmarks run, on tiny sizes and without their peers: their own side, and what they hold the peers against."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import environment
from benchmarks.__main__ import COMMANDS
from benchmarks.deciding import command as decisions
from benchmarks.deciding.inputs import draw
from benchmarks.deciding.policy import comparisons
from benchmarks.deciding.replaying import replayed
from benchmarks.gateway import command as gateway
from benchmarks.live import command as live
from benchmarks.parity import ours
from benchmarks.parity.command import arrays
from benchmarks.parity.comparing import agree, compare, matched
from benchmarks.parity.conventions import PEERS, REASONS, TB, Conventions, Levels, apart, walk
from benchmarks.parity.ours import Trade, Trades
from benchmarks.parity.strategies import CASH, RECORDED, STRATEGIES, Place, scaled
from benchmarks.recording import command as recording
from benchmarks.yardstick import command as yardstick
from benchmarks.yardstick.market import Case, read, write
from tb.replay.data import Market, load_market

FLAT = {name: np.full(12, 100.0) for name in ("open", "high", "low", "close")}
NEVER = np.zeros(12, dtype=bool)


def bars(**changes: dict[int, float]) -> dict[str, Any]:
    """Twelve bars at 100, an hour each, but for what is said; `time` counts hours that are left out before a bar."""
    found: dict[str, Any] = {name: values.copy() for name, values in FLAT.items()}
    found["time"] = 3_600_000 * np.arange(12, dtype=np.int64)
    for name, at in changes.items():
        for bar, value in at.items():
            if name == "time":
                found["time"][bar:] += int(3_600_000 * value)
            else:
                found[name][bar] = value
    return found


def told(**sides: list[int]) -> dict[str, Any]:
    """Signals at these bars, the same from exact averages."""
    found = {}
    for side in ("long_in", "long_out", "short_in", "short_out"):
        values = NEVER.copy()
        values[sides.get(side, [])] = True
        found[side] = found[f"exact_{side}"] = values
    return found


LEVELS = Levels(stop=200, target=500, hold=None, share=None, units=10)
PLAIN = Conventions()


def only(trades: Trades) -> Trade:
    (one,) = trades.closed
    return one


# --- the plain walk: every line by hand ----------------------------------------------------------------------------------


def test_an_entry_fills_at_the_next_open_and_its_stop_counts_in_that_bar() -> None:
    found = only(walk(bars(open={4: 101.0}, low={4: 98.9}), told(long_in=[3]), LEVELS, PLAIN))
    assert (found.entry, found.exit, found.bought) == (4, 4, 101.0)
    assert found.sold == pytest.approx(101.0 * 0.98)
    assert found.result == pytest.approx(10 * (found.sold - 101.0) - 0.001 * 10 * (101.0 + found.sold))


def test_a_gap_beyond_a_level_fills_at_the_open_and_the_stop_comes_first() -> None:
    gapped = walk(bars(open={5: 97.0}, low={5: 96.0}), told(long_in=[3]), LEVELS, PLAIN)
    assert only(gapped).sold == 97.0
    both = walk(bars(high={5: 106.0}, low={5: 97.0}), told(long_in=[3]), LEVELS, PLAIN)
    assert only(both).sold == pytest.approx(98.0)
    short = walk(bars(low={6: 94.0}), told(short_in=[3]), LEVELS, PLAIN)
    assert (only(short).sign, only(short).exit, only(short).sold) == (-1, 6, pytest.approx(95.0))


def test_an_exit_signal_fills_at_the_next_open_and_before_the_stop_of_that_bar() -> None:
    found = only(walk(bars(open={7: 99.5}, low={7: 90.0}), told(long_in=[3], long_out=[6]), LEVELS, PLAIN))
    assert (found.exit, found.sold) == (7, 99.5)


def test_a_position_held_for_four_bars_leaves_at_the_open_of_the_fifth() -> None:
    levels = Levels(None, None, hold=4, share=None, units=10)
    assert only(walk(bars(), told(long_in=[3]), levels, PLAIN)).exit == 8
    gap = bars(time={6: 2})
    assert only(walk(gap, told(long_in=[3]), levels, PLAIN)).exit == 8
    assert only(walk(gap, told(long_in=[3]), levels, Conventions(time_passes_in_gaps=True))).exit == 7


def test_each_convention_changes_what_it_says() -> None:
    gap, signals = bars(time={4: 3}, low={8: 90.0}), told(long_in=[3])
    assert len(walk(gap, signals, LEVELS, PLAIN).closed) == 1
    assert walk(gap, signals, LEVELS, Conventions(entries_expire=True)).closed == ()

    touched, exact = bars(open={4: 1.1}, close={3: 1.1}, high={4: 1.155}, low={4: 1.1}), Conventions(exact_levels=True)
    assert 1.1 * 1.05 > 1.155  # in binary floats, by one unit in the last place
    assert walk(touched, signals, LEVELS, exact).closed[0].exit == 4
    assert walk(touched, signals, LEVELS, PLAIN).closed[0].exit == 5

    again, twice = bars(low={5: 90.0, 8: 90.0}), told(long_in=[3, 5])
    assert len(walk(again, twice, LEVELS, PLAIN).closed) == 2
    assert len(walk(again, twice, LEVELS, Conventions(one_order_a_bar=True)).closed) == 1

    leap = bars(open={4: 110.0}, low={8: 90.0})
    assert len(walk(leap, signals, LEVELS, PLAIN).closed) == 1
    assert walk(leap, signals, LEVELS, Conventions(levels_around_close=True)).closed == ()

    signals["exact_long_in"] = NEVER
    assert walk(gap, signals, LEVELS, Conventions(exact_averages=True)).closed == ()


def test_every_convention_has_its_reason() -> None:
    named = {name for peer in PEERS.values() for name in apart(TB, peer)}
    assert named == set(REASONS)


# --- comparing -----------------------------------------------------------------------------------------------------------


def test_a_difference_is_explained_only_by_the_convention_that_makes_it() -> None:
    market, signals = bars(time={4: 3}, low={8: 90.0}), told(long_in=[3])
    mine, theirs = (walk(market, signals, LEVELS, of) for of in (TB, PEERS["vectorbt"]))
    row = compare("any", "any", "vectorbt", mine, theirs, market, signals, LEVELS)
    assert (row.ours, row.theirs, row.equal) == (0, 1, 0)
    assert row.explained == ("entries_expire",)
    assert row.unexplained == ""
    assert row.first.startswith("none | long 10 bar 4")


def test_a_trade_that_no_convention_makes_is_unexplained() -> None:
    market, signals = bars(low={8: 90.0}), told(long_in=[3])
    right = walk(market, signals, LEVELS, TB)
    wrong = Trades((Trade(4, 8, 1, 100.0, 98.1, 10.0, right.closed[0].result),), 0)
    row = compare("any", "any", "vectorbt", right, wrong, market, signals, LEVELS)
    assert "vectorbt is not what its conventions make" in row.unexplained
    assert matched(right, wrong)[0] == 0
    assert "tb is not" in compare("any", "any", "vectorbt", wrong, right, market, signals, LEVELS).unexplained


@pytest.mark.skipif(not (RECORDED / "fx_1h").is_dir(), reason="needs the recorded markets in ../shared/data")
def test_tb_makes_the_trades_of_its_conventions_on_recorded_bars(tmp_path: Path) -> None:
    """Signals come from tb's own kernels here: those of the peers need their environment."""
    place = Place("fx_1h", "EUR_USD", 15)
    market = _cut(load_market(RECORDED / place.folder, instruments=[place.symbol]), 3_000)
    arrays(market, place.symbol, tmp_path / "bars.npz")
    strategy = next(one for one in STRATEGIES if one.name == "SMA cross")
    found = ours.trades(strategy, place, market, 1_000)
    assert len(found.closed) > 10
    with np.load(tmp_path / "bars.npz") as held:
        close = held["close"]
        quick, slow = (np.convolve(close, np.ones(n) / n, "valid")[50 - n :] for n in (20, 50))
        crossing = np.r_[np.zeros(50, dtype=bool), (quick[1:] > slow[1:]) & (quick[:-1] <= slow[:-1])]
        signals = {
            f"{exact}{side}": NEVER for exact in ("", "exact_") for side in ("long_in", "long_out", "short_in", "short_out")
        }
        signals = {name: np.zeros(len(close), dtype=bool) for name in signals} | {"exact_long_in": crossing}
        levels = Levels(scaled(strategy.stop, place), scaled(strategy.target, place), None, None, 1_000)
        assert agree(found, walk(held, signals, levels, TB))


def _cut(market: Market, count: int) -> Market:
    (symbol, held), *_ = market.bars.items()
    return Market(market.folder, {symbol: held.part(0, count)}, market.period, (), "")


# --- the yardstick -------------------------------------------------------------------------------------------------------


def test_the_yardstick_makes_the_trades_of_a_plain_walk(tmp_path: Path) -> None:
    write(Case(4_000), tmp_path / "market.npz")
    market = read(tmp_path / "market.npz")
    assert market.rows == 4_000
    again = tmp_path / "again.npz"
    write(Case(4_000), again)
    assert np.array_equal(read(again).bars["BTC-USD"].close, market.bars["BTC-USD"].close)
    recorded, bare = yardstick.measure(Case(4_000), yardstick.CONTENDERS[:2], 1)
    assert recorded.trades == recorded.in_ledger == bare.trades > 10
    assert recorded.equity == bare.equity != CASH


def test_yardstick_alone_prints_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert yardstick.main(["--alone", "--bars", "2000", "--runs", "1"]) == 0
    shown = capsys.readouterr().out
    assert "tb, every decision on disk" in shown
    assert "vectorbt " not in shown.splitlines()[3]


# --- decisions -----------------------------------------------------------------------------------------------------------

OPERATORS = {"<=": "__le__", ">=": "__ge__", "<": "__lt__", ">": "__gt__", "==": "__eq__"}


def passes(comparison: str, facts: dict[str, Any]) -> bool:
    if comparison == "restricted":
        return facts["instrument"] not in facts["restricted"]
    left, operator, right = next(comparison.partition(f" {sign} ") for sign in OPERATORS if f" {sign} " in comparison)
    sides = [_product(side, facts) for side in (left, right)]
    return bool(getattr(sides[0], OPERATORS[operator.strip()])(sides[1]))


def _product(text: str, facts: dict[str, Any]) -> int:
    found = 1
    for word in text.split(" * "):
        found *= int(word) if word.isdigit() else int(facts[word])
    return found


@pytest.mark.parametrize("constraints", [10, 100])
def test_tb_says_what_the_plain_comparisons_say(constraints: int) -> None:
    orders = draw(80)
    failed, _ = decisions.ours(constraints, orders, 1)
    asked = comparisons(constraints)
    assert len(asked) == constraints
    expected = [[at for at, all_ in enumerate(asked) if not all(passes(c, one.facts) for c in all_)] for one in orders]
    assert failed == expected
    assert 0 < sum(map(bool, failed)) < len(orders)


def test_a_verdict_that_differs_stops_the_benchmark() -> None:
    orders = [one.facts for one in draw(2)]
    decisions.agree("right", orders, [[], [3]], [[], [3]])
    decisions.agree("no names", orders, [[], [3]], [[], None])
    for wrong in ([[], [4]], [[], []], [[2], [3]], [None, [3]]):
        with pytest.raises(decisions.Mismatch, match="says"):
            decisions.agree("wrong", orders, [[], [3]], wrong)


def test_decisions_alone_prints_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert decisions.main(["--alone", "--orders", "30", "--bars", "8000"]) == 0
    shown = capsys.readouterr().out
    assert "tb, recorded" in shown
    assert "tb, in a replay, recorded on disk" in shown


@pytest.mark.parametrize("constraints", [10, 30])
def test_the_facts_of_a_replay_are_those_that_its_verdicts_follow_from(constraints: int) -> None:
    found = replayed(constraints, bars=40_000, sample=60, runs=1)
    asked = comparisons(constraints)
    expected = [[at for at, all_ in enumerate(asked) if not all(passes(c, one) for c in all_)] for one in found.facts]
    assert found.failed == expected
    assert len(found.facts) > 50
    assert any(found.failed) == (constraints > 10)


# --- the rest ------------------------------------------------------------------------------------------------------------


def test_live_prints_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert live.main(["--instruments", "3", "--nodes", "20", "--steps", "3", "--no-start", "--json"]) == 0
    step = json.loads(capsys.readouterr().out)["step"]
    assert step["instruments"] == 3
    assert step["nodes"] >= 20


def test_the_lock_pins_everything_with_hashes_and_names_no_registry() -> None:
    wanted = [line for line in (environment.SCRIPTS / "requirements.in").read_text().splitlines() if not line.startswith("#")]
    pinned = environment.versions()
    assert {name.lower() for name in wanted} <= set(pinned)
    text = environment.LOCK.read_text()
    assert "://" not in text
    assert text.count("--hash=sha256:") > len(pinned)


@pytest.mark.parametrize("script", sorted(path.name for path in environment.SCRIPTS.glob("*.py")))
def test_scripts_of_the_peers_do_not_know_tb(script: str) -> None:
    text = (environment.SCRIPTS / script).read_text()
    compile(text, script, "exec")
    assert "import tb" not in text
    assert "from tb" not in text


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_says_what_it_does(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        import_module(COMMANDS[name]).main(["--help"])
    assert ended.value.code == 0
    assert f"python -m benchmarks {name}" in capsys.readouterr().out


def test_gateway_times_orders(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert gateway.main(["--orders", "5", "--folder", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found) == 6
    assert all(0 < middle <= high <= most for middle, high, most in found.values())


@pytest.mark.parametrize("mix", ["session", "decisions"])
def test_the_ledger_is_measured(mix: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    few = ["--events", "2000", "--singles", "20", "--mix", mix, "--no-server", "--folder", str(tmp_path)]
    assert recording.main([*few, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    measured = said["measured"][mix]["SQLite"]
    assert measured["entries"] == 2_000 + 20 + 2  # with those one by one, start and end
    assert all(value > 0 for value in measured.values())
    assert list(tmp_path.iterdir()) == []
    if mix == "session":
        assert recording.main([*few, "--alone"]) == 0
        shown = capsys.readouterr()
        assert "in groups of 1,000, events/s" in shown.out
        assert "verified by one process, s" in shown.out
        assert "recorded 1,000 of 2,000" in shown.err
