"""`python -m benchmarks decisions`: one policy of 10, 30 and 100 constraints, in tb and other engines, on the same orders.

1. tb and every engine judge the same orders (`inputs`) under the same policy (`policy`), each naming all constraints that fail.
2. Any verdict or name that differs stops the benchmark: it ends with 1 and says the order.
3. Then each decision is timed by itself, in passes over all orders, which are made anew before each pass, with new numbers. tb
   computes the facts from account, order and market inside the clock, and makes the decision's record; the others get facts
   that are there, and keep nothing. A replay encodes and chains records many at a time, as groups are full: each decision is
   told with its share of that (`recorded`), and without (`until told`), which is what its order waits for. A live session does
   it for each by itself (`in rows`). `in a replay` is another measure: a market replayed under the same policy (`replaying`),
   its wall over its decisions.
4. All that is done twice: on one account that stays as it is, and on another one before every order (`new account`), so that
   all that is worked out about it is worked out anew inside the clock.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from statistics import median
from typing import Any

from benchmarks import environment
from benchmarks.deciding.inputs import Input, draw
from benchmarks.deciding.policy import comparisons, plan_of
from benchmarks.deciding.replaying import Replayed, replayed
from benchmarks.decisions import AGES, LOT, READ, REASON, record
from benchmarks.peers.timing import each_takes
from benchmarks.policies import INSTRUMENTS
from tb.cli import GARBAGE
from tb.core.encode import canonical
from tb.gate.facts import Moment
from tb.gate.gate import Gate
from tb.gate.reading import Read, Reading
from tb.ledger import GENESIS, Grouping, entry_hash
from tb.ledger.segments import SEGMENT, Group
from tb.runtime.promised import Store

SIZES = (10, 30, 100)
REPLAYS = 5
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
    """The constraints that tb says fail, and its times: of the verdict alone, and with its record, in columns and in rows."""
    built = plan_of(constraints)
    (policy,) = built.policies.values()
    gate = Gate(built.graph, policy)
    markets = readers(gate, orders)
    failed = []
    for one, values in zip(orders, markets, strict=True):
        judgement = gate.judge(one.moment, values, LOT)
        assert not judgement.unknown, (judgement, one.facts)
        failed.append(failing(judgement.failed))
    recorder = _Recorder(gate, orders, markets)
    found = []
    for name, decide in (
        ("until told", recorder.in_columns),
        ("recorded in rows", recorder.in_rows),
        ("verdict alone", recorder.no),
    ):
        wall, cpu = (recorder.passes(decide, runs, clock) for clock in (time.perf_counter_ns, time.process_time_ns))
        if decide == recorder.in_columns:
            with_share = ([each + share for each in times] for times, share in zip((wall, cpu), recorder.share(), strict=True))
            found.append(timing("recorded", constraints, *with_share, failed))
        found.append(timing(name, constraints, wall, cpu, failed))
    return failed, found


def made_anew(moment: Moment) -> Moment:
    """The same moment with an order that was made just now."""
    order = moment.proposal
    numbers = {name: Decimal(str(getattr(order, name))) for name in ("quantity", "price", "stop", "target")}
    return replace(moment, proposal=replace(order, **numbers))


class _Timed(Grouping):
    """Notes what the records of a group took, each its share, from when it is full until it is chained."""

    __slots__ = ("took",)

    def __init__(self, hand_on: Callable[[Group], None]) -> None:
        super().__init__(hand_on)
        self.took: list[tuple[float, float]] = []  # on the wall and of the processor

    def close(self) -> None:
        wall, cpu, first = time.perf_counter_ns(), time.process_time_ns(), self._next
        super().close()
        count = self._next - first
        if count:
            self.took.append(((time.perf_counter_ns() - wall) / 1_000 / count, (time.process_time_ns() - cpu) / 1_000 / count))


class _Recorder:
    """Judges orders and keeps their records as a replay does, in columns, or as a live session does, each by itself."""

    def __init__(self, gate: Gate, orders: Sequence[Input], markets: Sequence[Callable[[int], float | None]]) -> None:
        self._gate, self._orders, self._markets = gate, orders, markets
        drawn = random.Random(3)
        self._read = [tuple(drawn.uniform(1, 1_000) for _ in range(15)) for _ in orders]
        self._rows = [(36_421 + at,) * 15 for at in range(len(orders))]
        self._link, self._grouping = GENESIS, _Timed(self._close)
        self._stores = dict[Reading, Store]()
        self._moments, self._market = [one.moment for one in orders], list(markets)

    def passes(self, decide: Callable[[int], None], runs: int, clock: Callable[[], int]) -> list[float]:
        """Microseconds of each decision by that clock, so many times over all orders."""
        took: list[float] = []
        for _ in range(runs):
            self._make_anew()
            took += each_takes(decide, len(self._orders), 1, clock)
        return took

    def _make_anew(self) -> None:
        """All orders, and what changes before one that has an account of its own: a new price of something held."""
        for at, one in enumerate(self._orders):
            account = one.moment.account
            if account is not self._orders[at - 1].moment.account:
                account.mark(INSTRUMENTS[0], Decimal(str(account.marks[INSTRUMENTS[0]])))  # as much as before, another number
            self._moments[at], self._market[at] = made_anew(one.moment), self._markets[at]

    def no(self, at: int) -> None:
        self._gate.judge(self._moments[at], self._market[at], LOT)

    def in_columns(self, at: int) -> None:
        """Hands over what a replay's session does: the same record, made when somebody reads it."""
        moment = self._moments[at]
        judgement = self._gate.judge(moment, self._market[at], LOT)
        snapshot, rows = judgement.snapshot, self._rows[at]
        assert type(snapshot) is Read
        store = self._stores.get(snapshot.reading)
        if store is None:
            store = self._stores[snapshot.reading] = Store(("buyer", 0, "enter"), snapshot.reading, len(READ))
        told = store.tell(
            at + 1, moment.at, moment.proposal, rows[0], judgement, snapshot.raw, REASON, self._read[at], AGES, rows
        )
        self._grouping.take((told,))

    def in_rows(self, at: int) -> None:
        moment = self._moments[at]
        judgement = self._gate.judge(moment, self._market[at], LOT)
        made = record(judgement, moment, at + 1, self._read[at], 36_421 + at)
        self._link = entry_hash(self._link, "Decision", "r1", canonical(made))

    def _close(self, group: Group) -> None:
        """A group is full: its records are encoded in columns, and chained."""
        for segment in group.segments:
            self._link = entry_hash(self._link, SEGMENT, "r1", segment.payload(group.first))

    def share(self) -> tuple[float, float]:
        """Microseconds of a record for what is done when its group is full, on the wall and of the processor."""
        self._grouping.close()
        wall, cpu = zip(*self._grouping.took, strict=True)
        return median(wall), median(cpu)


def agree(name: str, facts: Sequence[object], expected: Sequence[Sequence[int]], found: Sequence[Sequence[int] | None]) -> None:
    """Raises Mismatch at the first order on which two differ; None says that something failed, but not what."""
    for at, (mine, theirs) in enumerate(zip(expected, found, strict=True)):
        if bool(mine) != (theirs is None or bool(theirs)) or (theirs is not None and list(mine) != list(theirs)):
            raise Mismatch(f"order {at}: tb says {mine} fail, {name} says {theirs}; facts {json.dumps(facts[at])}")


def measure(sizes: Sequence[int], count: int, runs: int, *, alone: bool) -> list[Timing]:
    found = []
    for size in sizes:
        for suffix, orders in (("", draw(count)), (", new account", draw(count, of_one_account=False))):
            expected, mine = ours(size, orders, 25 * runs)
            found += [replace(one, name=f"tb, {one.name}{suffix}") for one in mine]
            for name, times in () if alone else ENGINES.items():
                print(f"{name}, {size} constraints{suffix}", file=sys.stderr, flush=True)
                facts = [one.facts for one in orders]
                asked = {"engine": name, "constraints": comparisons(size), "facts": facts}
                answer: Any = environment.ask("decide.py", asked | {"runs": 1 if suffix else times * runs})
                agree(name, facts, expected, answer["failed"])
                if not suffix:
                    found.append(timing(name, size, answer["wall"], answer["cpu"], expected))
    return found


def inside(sizes: Sequence[int], bars: int, sample: int, *, alone: bool) -> list[Replayed]:
    """Decisions inside of a replay; the others judge some of the very same orders."""
    found = []
    for size in sizes:
        found.append(one := replayed(size, bars=bars, sample=sample, runs=REPLAYS))
        for name in () if alone else ENGINES:
            print(f"{name}, {len(one.facts)} orders of a replay, {size} constraints", file=sys.stderr, flush=True)
            asked = {"engine": name, "constraints": comparisons(size), "facts": one.facts, "runs": 1}
            answer: Any = environment.ask("decide.py", asked)
            agree(name, one.facts, one.failed, answer["failed"])
    return found


def show_inside(found: Sequence[Replayed], bars: int) -> None:
    print(f"\nin a replay of {bars:,} bars, the least of {REPLAYS}: its wall over its decisions, a mean and not each by itself")
    rows = {
        "tb, in a replay, recorded on disk": [one.recorded for one in found],
        "tb, the same, nothing kept": [one.bare for one in found],
        "tb, the difference: its records": [one.recorded - one.bare for one in found],
    }
    print(f"{'constraints':<34}" + "".join(f"{one.constraints:>9}" for one in found))
    for name, values in rows.items():
        print(f"{name:<34}" + "".join(f"{value:9.1f}" for value in values))
    counted = {"decisions": [one.decisions for one in found], "of these refused": [one.refused for one in found]}
    for name, counts in counted.items():
        print(f"{name:<34}" + "".join(f"{count:9,}" for count in counts))
    print(
        "\nthe market's columns, fills, trades and the curve are inside as well; a replay judges many orders at a time where\n"
        "nothing else can happen between them, and a session cannot"
    )


def show(found: Sequence[Timing], refused: int, count: int) -> None:
    versions = environment.versions()
    named = ("cedarpy", "zen-engine", "rule-engine", "cel-python", "common-expression-language")
    print(f"{os.cpu_count()} cores at load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}; ", end="")
    print(", ".join(f"{name} {versions[name]}" for name in named))
    print(f"{count:,} random orders, {refused} of them refused under 100 constraints; microseconds of a decision\n")
    sizes = sorted({one.constraints for one in found})
    print(f"{'constraints':<34}" + "".join(f"{size:>9}{'':27}" for size in sizes))
    print(f"{'':<34}" + "".join(f"{'wall':>9}{'cpu p50':>9}{'p99':>9}{'refused':>9}" for _ in sizes))
    for name in dict.fromkeys(one.name for one in found):
        mine = {one.constraints: one for one in found if one.name == name}
        cells = [(mine[size].wall, mine[size].p50, mine[size].p99, mine[size].refused) for size in sizes]
        print(f"{name:<34}" + "".join(f"{each:9.1f}" if each < 10_000 else f"{each:9.0f}" for row in cells for each in row))
    print(
        "\nall verdicts are equal, and all name the same constraints; `cel` is common-expression-language, `one condition` says"
    )
    print(
        "no names. tb computes its facts inside the clock and, recorded, encodes and chains them; the others get theirs.\n"
        "`until told`: what the order waits for, while its record is encoded with others. `new account`: before the order\n"
        "the account changed, else it is as it was for the order before"
    )


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks decisions", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    parser.add_argument("--orders", type=int, default=500, help="how many random orders (default: 500)")
    parser.add_argument("--runs", type=int, default=1, help="how often each is judged, times a few for the quick engines")
    parser.add_argument("--bars", type=int, default=1_000_000, help="of the market that is replayed (default: 1,000,000)")
    parser.add_argument("--alone", action="store_true", help="tb only: nothing is installed")
    chosen = parser.parse_args(arguments)
    gc.set_threshold(*GARBAGE)  # as in tb's own commands
    try:
        found = measure(SIZES, chosen.orders, chosen.runs, alone=chosen.alone)
        replays = inside(SIZES, chosen.bars, chosen.orders // 5, alone=chosen.alone)
    except Mismatch as mismatch:
        print(mismatch, file=sys.stderr)
        return 1
    if chosen.json:
        told = [{**asdict(one), "name": "tb, in a replay", "facts": len(one.facts), "failed": None} for one in replays]
        print(json.dumps([asdict(one) for one in found] + told, indent=2))
    else:
        refused = sum(bool(each) for each in ours(SIZES[-1], draw(chosen.orders), 1)[0])
        show(found, refused, chosen.orders)
        show_inside(replays, chosen.bars)
    return 0
