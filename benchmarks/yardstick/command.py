"""`python -m benchmarks yardstick`: one strategy over a seeded market, in tb and elsewhere, side by side in one run.

SMA 20/50 cross with RSI(14) < 70 at entry, 2 % stop, 5 % target, 5 % of equity, 0.1 % fee, fills at the next open.

Every contender runs in a process of its own, several times; the medians are shown. Outside the clock for everybody: starting
Python, importing libraries, and reading the bars (arrays that are already there). Inside: indicators, signals, fills and
trades, and for tb the decisions and the ledger. The first call stands apart, since it compiles or loads what was compiled.
`cpu` is the processor time of all threads, which other programs on the machine disturb less than the time on the wall."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import environment
from benchmarks.yardstick.market import Case, write

ROOT = Path(__file__).resolve().parents[2]
BARS = 1_000_000
GROWTH = (100_000, 300_000, 1_000_000, 2_000_000, 5_000_000)
PACED = 300_000
# windows of the averages and volatility of a bar: from few trades to many on so many bars
PACES = ((100, 250, 0.009), (40, 100, 0.009), (20, 50, 0.009), (10, 25, 0.009), (5, 12, 0.012))


@dataclass(frozen=True)
class Contender:
    """Who runs: a script of the peers with what it is asked beside the market, or tb (`script` empty)."""

    name: str
    script: str
    asked: dict[str, object]
    slow: bool = False  # takes seconds for each run: fewer of them, and none in the growth


CONTENDERS = (
    Contender("tb, every decision on disk", "", {"records": True}),
    Contender("tb, nothing kept", "", {"records": False}),
    Contender("vectorbt", "yard_vectorbt.py", {"engine": "numba"}),
    Contender("vectorbt, its Rust engine", "yard_vectorbt.py", {"engine": "rust"}),
    Contender("compiled loop (numba)", "yard_loops.py", {"which": "numba"}),
    Contender("NumPy and Python", "yard_loops.py", {"which": "numpy"}),
    Contender("backtesting.py", "yard_backtesting.py", {}, slow=True),
)


@dataclass(frozen=True)
class Result:
    """Seconds are medians of the calls after the `first`; memory in MB, `loaded` before the first call; `in_ledger`: trades
    read.
    """

    name: str
    bars: int
    wall: float
    cpu: float
    first: float
    peak: float
    loaded: float
    trades: int
    equity: float
    in_ledger: int | None
    disk: float | None


def run(contender: Contender, case: Case, market: Path, runs: int) -> Result:
    """One contender on one market, in a process of its own."""
    asked = {"market": str(market), "fast": case.fast, "slow": case.slow, "runs": min(runs, 2) if contender.slow else runs}
    asked |= contender.asked
    found: Any = environment.ask(contender.script, asked) if contender.script else _ours(asked)
    return Result(
        name=contender.name,
        bars=case.bars,
        wall=median(found["wall"]),
        cpu=median(found["cpu"]),
        first=found["first"],
        peak=found["peak"],
        loaded=found["loaded"],
        trades=found["trades"],
        equity=found["equity"],
        in_ledger=found.get("in_ledger"),
        disk=found.get("disk"),
    )


def _ours(asked: dict[str, object]) -> object:
    command = [sys.executable, "-m", "benchmarks.yardstick.ours"]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise environment.Failed(f"`{' '.join(command[1:])}` ended with {done.returncode}:\n{done.stderr[-4_000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def measure(case: Case, contenders: Sequence[Contender], runs: int) -> list[Result]:
    """All of them on one market."""
    results = []
    with tempfile.TemporaryDirectory() as name:
        market = Path(name) / "market.npz"
        write(case, market)
        for one in contenders:
            print(f"{one.name}, {case.bars:,} bars, averages of {case.fast} and {case.slow}", file=sys.stderr, flush=True)
            results.append(run(one, case, market, runs))
    return results


def growth(runs: int, most: int) -> dict[str, list[Result]]:
    """The quick ones over more and more bars, and over more and more trades on the same number of bars."""
    quick = [one for one in CONTENDERS if not one.slow]
    bars, trades = [], []
    for count in GROWTH:
        if count <= most:
            bars += measure(Case(count), quick, runs)
    for fast, slow, volatility in PACES:
        case = replace(Case(min(PACED, most)), fast=fast, slow=slow, volatility=volatility)
        trades += measure(case, quick, runs)
    return {"bars": bars, "trades": trades}


def show(results: Sequence[Result]) -> None:
    head = ("wall", "cpu", "first", "peak MB", "libraries", "trades", "equity at the end")
    print(f"{results[0].bars:,} bars\n{'':<28}" + "".join(f"{name:>11}" for name in head[:-1]) + f"{head[-1]:>20}")
    for one in results:
        seconds = "".join(f"{value:9.3f} s" for value in (one.wall, one.cpu, one.first))
        print(f"{one.name:<28}{seconds}{one.peak:11.0f}{one.loaded:11.0f}{one.trades:11,}{one.equity:20,.0f}")
    by_name = {one.name: one for one in results}
    ours, theirs = by_name.get(CONTENDERS[0].name), by_name.get("vectorbt")
    if ours is not None and theirs is not None:
        bare = by_name[CONTENDERS[1].name]
        for one, what in ((ours, "\nrecording, tb takes"), (bare, "keeping nothing,")):
            times, on_wall = one.cpu / theirs.cpu, one.wall / theirs.wall
            print(f"{what} {times:.2f} times vectorbt's processor time, {on_wall:.2f} times on the wall")
        print(f"the ledger: {ours.disk:.1f} MB, {ours.in_ledger:,} closed trades read back from it")
    print("trades: a row of vectorbt holds one order, so that an entry at the bar of a stop is lost (see parity);")
    print("equity: backtesting.py buys whole units, and vectorbt sizes at the price paid, the others at the decision's close")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks yardstick", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    parser.add_argument("--bars", type=int, default=BARS, help="how long the market is (default: 1,000,000)")
    parser.add_argument("--runs", type=int, default=5, help="how often each is timed after its first call")
    parser.add_argument("--alone", action="store_true", help="tb only: nothing is installed")
    parser.add_argument(
        "--growth", type=Path, metavar="FILE.svg", help="time over bars and trades as well, drawn into FILE.svg"
    )
    parser.add_argument("--most", type=int, default=GROWTH[-1], help="the longest market of --growth (default: 5,000,000)")
    chosen = parser.parse_args(arguments)
    if not chosen.alone:
        environment.python()
    contenders = [one for one in CONTENDERS if not one.script or not chosen.alone]
    results = measure(Case(chosen.bars), contenders, chosen.runs)
    grown = growth(min(chosen.runs, 3), chosen.most) if chosen.growth and not chosen.alone else {}
    if grown:
        rows = {name: [asdict(one) for one in found] for name, found in grown.items()}
        environment.ask("plot_growth.py", {"growth": rows, "to": str(chosen.growth.resolve())})
    if chosen.json:
        found = {"results": [asdict(one) for one in results]}
        print(json.dumps(found | {name: [asdict(one) for one in rows] for name, rows in grown.items()}, indent=2))
        return 0
    print(f"{os.cpu_count()} cores at load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}, {chosen.runs} runs\n")
    show(results)
    for name, rows in grown.items():
        print(f"\ngrowth with {name}: processor seconds")
        for one in rows:
            print(f"  {one.name:<28}{one.bars:>11,} bars{one.trades:>9,} trades{one.cpu:9.3f} s{one.peak:8.0f} MB")
    return 0
