"""`python -m benchmarks [--json] [--runs N] [--profile]`: replay speed, time per decision, lint, and where the time goes."""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import platform
import pstats
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks import decisions, linting, replays
from tb.replay.data import load_market
from tb.runtime.policy import compile_project
from tb.runtime.project import load_project

SIZES = (10, 30, 100)
OTHERS = "beside this there are `parity`, `yardstick`, `decisions`, `live` and `gateway`; each says with --help what it does"


def machine() -> dict[str, str]:
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.release()}",
        "load": f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def show(facts: dict[str, str], speed: replays.Speed, timings: list[decisions.Timing]) -> None:
    print(f"{facts['processor']}, {facts['cores']} cores at load {facts['load']}, {facts['python']}, {facts['system']}\n")
    print(f"replay of the default project: {speed.data}, {speed.bars:,} bars, {speed.decisions:,} decisions")
    rows = (
        ("rules and policy compiled", speed.compile, 0),
        ("data read and checked", speed.load, 0),
        ("replay without ledger", speed.replay, speed.bars),
        ("replay with ledger", speed.replay_with_ledger, speed.bars),
        ("`tb replay`, start to end", speed.command, speed.bars),
        ("`tb --help`", speed.help, 0),
    )
    print(f"  {'':<28}{'middle':>10}{'best':>10}{'middle':>18}{'best':>18}")
    for name, seconds, bars in rows:
        both = (seconds.middle, seconds.best)
        rates = "".join(f"{bars / each:11,.0f} bars/s" for each in both) if bars else ""
        print(f"  {name:<28}" + "".join(f"{each:8.3f} s" for each in both) + rates)
    print("\none decision, in microseconds; its record built, encoded and chained")
    head = ("constraints", "verdict", "p50", "p99", "facts", "judge", "record", "disk, groups", "disk, single")
    print("  " + "".join(f"{name:>13}" for name in head))
    for one in timings:
        shares = [f"{one.shares[part]:.0%}" for part in ("facts", "judge", "record")]
        cells = [str(one.constraints), one.verdict, f"{one.p50:.0f}", f"{one.p99:.0f}", *shares]
        cells += [f"{one.disk_in_groups:.0f}", f"{one.disk_one_by_one:.0f}"]
        print("  " + "".join(f"{cell:>13}" for cell in cells))
    print("  shares of the middle decision; p99 is other programs' time where the machine is busy")
    print("  disk: the ledger's time for one decision, encoding and chain included, in columns as in a replay, and one by one")


def profile(folder: Path) -> None:
    """Where a replay with ledger spends its time."""
    data = replays.RECORDED if replays.RECORDED.is_dir() else folder / "sample"
    compiled, market = compile_project(load_project(replays.ROOT)), load_market(data)
    watched = cProfile.Profile()
    watched.runcall(replays.play, compiled, market, folder / "profiled.sqlite")
    pstats.Stats(watched).strip_dirs().sort_stats("tottime").print_stats(25)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, epilog=OTHERS)
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    parser.add_argument("--runs", type=int, default=3, help="how often each replay is timed; the middle one is shown")
    parser.add_argument("--decisions", type=int, default=4_000, help="how many decisions are timed")
    parser.add_argument("--profile", action="store_true", help="show where a replay spends its time as well")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        speed = replays.measure(folder, runs=chosen.runs)
        timings = [decisions.measure(size, folder, decisions=chosen.decisions) for size in SIZES]
        timings += [decisions.measure(size, folder, decisions=chosen.decisions // 4, shrinks=True) for size in SIZES]
        lint = linting.measure(folder, runs=chosen.runs)
        if chosen.json:
            found = {"machine": machine(), "replay": asdict(speed), "decisions": [asdict(one) for one in timings]}
            found["lint"] = asdict(lint)
            print(json.dumps(found, indent=2))
        else:
            show(machine(), speed, timings)
            linting.show(lint)
        if chosen.profile:
            profile(folder)
    return 0
