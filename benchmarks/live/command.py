"""`python -m benchmarks live`: one step of a thousand instruments under a hundred nodes, and a fresh clone's first replay."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict

from benchmarks.live import starting, stepping


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks live", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    parser.add_argument("--instruments", type=int, default=1_000, help="how many instruments close a bar at once")
    parser.add_argument("--nodes", type=int, default=100, help="about how many market nodes the rules have")
    parser.add_argument("--steps", type=int, default=40, help="how many steps are timed")
    parser.add_argument("--no-start", action="store_true", help="leave out the fresh clone")
    chosen = parser.parse_args(arguments)
    step = stepping.measure(chosen.instruments, chosen.nodes, chosen.steps)
    if chosen.json:
        start = None if chosen.no_start else starting.measure()
        print(json.dumps({"step": asdict(step), "start": None if start is None else asdict(start)}, indent=2))
        return 0
    print(f"{os.cpu_count()} cores at load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}\n")
    print(f"one step of {step.instruments:,} instruments, {step.nodes} nodes, nothing proposed:")
    print(f"  p50 {step.p50:.1f} ms, p99 {step.p99:.1f} ms; of the processor {step.cpu:.1f} ms")
    print("  by themselves took most: " + ", ".join(f"{name} {share:.0%}" for name, share in step.where.items()))
    if not chosen.no_start:
        start = starting.measure()
        print(f"\n`tb replay` of a fresh clone over {start.data}:")
        print(f"  first  {start.first:7.2f} s, of the processor {start.first_cpu:.2f} s")
        print(f"  second {start.second:7.2f} s, of the processor {start.second_cpu:.2f} s")
        print(f"  compiling {start.kernels} kernels took {start.compiling:.2f} s of the first")
    return 0
