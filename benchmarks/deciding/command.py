"""`python -m benchmarks decisions`: one policy of 10, 30 and 100 constraints, in tb and other engines, on the same orders.

1. tb and every engine judge the same orders (`inputs`) under the same policy (`policy`), each naming all constraints that fail.
2. Any verdict or name that differs stops the benchmark: it ends with 1 and says the order.
3. Then each decision is timed by itself. tb computes the facts from account, order and market inside the clock, and makes,
   encodes and chains the decision's record; the others get facts that are there, and keep nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from benchmarks import environment
from benchmarks.deciding.inputs import Input, draw
from benchmarks.deciding.policy import comparisons, plan_of
from benchmarks.decisions import LOT, record
from benchmarks.peers.timing import each_takes
from tb.core.encode import canonical
from tb.gate.gate import Gate
from tb.ledger import GENESIS, entry_hash

SIZES = (10, 30, 100)
ENGINES = {"cedarpy": 5, "zen-engine": 5, "rule-engine": 1, "cel-python": 1, "cel": 5, "cel, one condition": 5}  # runs over all


@dataclass(frozen=True)
class Timing:
    """Microseconds of a decision: `wall` is the middle one on the wall, the others are of the processor, which programs beside
    this one disturb less: of all orders `p50` and `p99`, and the middle of those that are refused."""

    name: str
    constraints: int
    wall: float
    p50: float
    p99: float
    refused: float


class Mismatch(Exception):
    """Two engines say different things about an order; the text says which and what."""


def timing(name: str, constraints: int, wall: Sequence[float], cpu: Sequence[float], failed: Sequence[Sequence[int]]) -> Timing:
    refused = [each for at, each in enumerate(cpu) if failed[at % len(failed)]]
    p99 = sorted(cpu)[len(cpu) * 99 // 100]
    return Timing(name, constraints, median(wall), median(cpu), p99, median(refused) if refused else 0.0)


def readers(gate: Gate, orders: Sequence[Input]) -> list[Callable[[int], float | None]]:
    """For each order what tells the gate its market values, by leaf."""
    names = {}
    for leaf in gate.policy.market:
        node = gate.graph[leaf]
        names[leaf] = node.op if node.op == "depth" else str(node.consts[0])
    return [{leaf: one.market[name] for leaf, name in names.items()}.get for one in orders]


def failing(mask: int) -> list[int]:
    return [at for at in range(mask.bit_length()) if mask >> at & 1]


def ours(constraints: int, orders: Sequence[Input], runs: int) -> tuple[list[list[int]], list[Timing]]:
    """The constraints that tb says fail, and its times: of the verdict alone, and with its record."""
    built = plan_of(constraints)
    (policy,) = built.policies.values()
    gate = Gate(built.graph, policy)
    markets = readers(gate, orders)
    failed = []
    for one, values in zip(orders, markets, strict=True):
        judgement = gate.judge(one.moment, values, LOT)
        assert not judgement.unknown, (judgement, one.facts)
        failed.append(failing(judgement.failed))
    link = GENESIS

    def verdict(at: int) -> None:
        gate.judge(orders[at].moment, markets[at], LOT)

    def recorded(at: int) -> None:
        nonlocal link
        judgement = gate.judge(orders[at].moment, markets[at], LOT)
        link = entry_hash(link, "Decision", "r1", canonical(record(judgement, orders[at].moment, at + 1)))

    found = []
    for name, decide in (("tb, recorded", recorded), ("tb, verdict alone", verdict)):
        wall, cpu = (each_takes(decide, len(orders), runs, clock) for clock in (time.perf_counter_ns, time.process_time_ns))
        found.append(timing(name, constraints, wall, cpu, failed))
    return failed, found


def agree(name: str, orders: Sequence[Input], expected: Sequence[Sequence[int]], found: Sequence[Sequence[int] | None]) -> None:
    """Raises Mismatch at the first order on which two differ; None says that something failed, but not what."""
    for at, (mine, theirs) in enumerate(zip(expected, found, strict=True)):
        if bool(mine) != (theirs is None or bool(theirs)) or (theirs is not None and list(mine) != list(theirs)):
            raise Mismatch(f"order {at}: tb says {mine} fail, {name} says {theirs}; facts {json.dumps(orders[at].facts)}")


def measure(sizes: Sequence[int], count: int, runs: int, *, alone: bool) -> list[Timing]:
    orders = draw(count)
    found = []
    for size in sizes:
        expected, mine = ours(size, orders, 5 * runs)
        found += mine
        for name, times in () if alone else ENGINES.items():
            print(f"{name}, {size} constraints", file=sys.stderr, flush=True)
            asked = {"engine": name, "constraints": comparisons(size), "facts": [one.facts for one in orders]}
            answer: Any = environment.ask("decide.py", asked | {"runs": times * runs})
            agree(name, orders, expected, answer["failed"])
            found.append(timing(name, size, answer["wall"], answer["cpu"], expected))
    return found


def show(found: Sequence[Timing], refused: int, count: int) -> None:
    versions = environment.versions()
    named = ("cedarpy", "zen-engine", "rule-engine", "cel-python", "common-expression-language")
    print(f"{os.cpu_count()} cores at load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}; ", end="")
    print(", ".join(f"{name} {versions[name]}" for name in named))
    print(f"{count:,} random orders, {refused} of them refused under 100 constraints; microseconds of a decision\n")
    sizes = sorted({one.constraints for one in found})
    print(f"{'constraints':<20}" + "".join(f"{size:>9}{'':27}" for size in sizes))
    print(f"{'':<20}" + "".join(f"{'wall':>9}{'cpu p50':>9}{'p99':>9}{'refused':>9}" for _ in sizes))
    for name in dict.fromkeys(one.name for one in found):
        mine = {one.constraints: one for one in found if one.name == name}
        cells = [(mine[size].wall, mine[size].p50, mine[size].p99, mine[size].refused) for size in sizes]
        print(f"{name:<20}" + "".join(f"{each:9.1f}" if each < 10_000 else f"{each:9.0f}" for row in cells for each in row))
    print(
        "\nall verdicts are equal, and all name the same constraints; `cel` is common-expression-language, `one condition` says"
    )
    print(
        "no names. tb computes its facts inside the clock and, recorded, encodes and chains them; the others are given theirs"
    )


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks decisions", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    parser.add_argument("--orders", type=int, default=500, help="how many random orders (default: 500)")
    parser.add_argument("--runs", type=int, default=1, help="how often each is judged, times a few for the quick engines")
    parser.add_argument("--alone", action="store_true", help="tb only: nothing is installed")
    chosen = parser.parse_args(arguments)
    try:
        found = measure(SIZES, chosen.orders, chosen.runs, alone=chosen.alone)
    except Mismatch as mismatch:
        print(mismatch, file=sys.stderr)
        return 1
    if chosen.json:
        print(json.dumps([asdict(one) for one in found], indent=2))
    else:
        refused = sum(bool(each) for each in ours(SIZES[-1], draw(chosen.orders), 1)[0])
        show(found, refused, chosen.orders)
    return 0
