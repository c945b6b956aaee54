"""Microseconds per decision: what an order waits for between its proposal and its record.

1. `facts`: the gate reads every leaf of the policy from order, account and market.
2. `judge`: the generated function, the strictest verdict, and the search for a size where a limit shrinks.
3. `record`: the decision's record is built, encoded for good, and hashed onto the entry before.

The three are timed together, decision by decision. Writing to disk is timed apart, in columns as a replay does and one by one,
and so is what a decision needs of the market, which is the same for any number of constraints.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.policies import INSTRUMENTS, plan_of
from tb.core.encode import canonical
from tb.core.records import Decision, Run
from tb.gate.account import Account, Working
from tb.gate.facts import Moment
from tb.gate.gate import Gate, Judgement
from tb.gate.proposal import Proposal
from tb.ledger import GENESIS, DecisionLog, Grouping, entry_hash, open_ledger

HOUR = 3_600_000
NOW = 473_364 * HOUR
LOT = Decimal("0.00000001")


@dataclass(frozen=True)
class Timing:
    """Microseconds per decision. `shares` splits the middle decision into its three parts, as ratios."""

    constraints: int
    verdict: str
    p50: float
    p99: float
    shares: dict[str, float]
    disk_in_groups: float
    disk_one_by_one: float


def account() -> Account:
    """Some weeks old: four positions, two orders on their way, a few hundred entries, thousands of closes noted."""
    found = Account("USD", Decimal("160000"))
    found.high_water = Decimal("161000")
    for at in range(2_000):
        found.history.note(NOW - (2_000 - at) * HOUR, Decimal(160_000 + at % 700))
    for at, symbol in enumerate(INSTRUMENTS[:4]):
        found.fill("buyer", symbol, Decimal(10), Decimal(1_000 + at), Decimal("4"))
        found.marks[symbol] = Decimal(1_010 + at)
    for at, symbol in enumerate(INSTRUMENTS[4:]):
        found.working[f"w{at}"] = Working(f"w{at}", symbol, 1, Decimal(2), Decimal(500), "buyer")
    for at in range(300):
        found.count_order(NOW - (300 - at) * 7 * HOUR, is_entry=at % 2 == 0, strategy="buyer")
    found.begin_day(NOW - NOW % (24 * HOUR), NOW - NOW % (24 * HOUR) + 24 * HOUR)
    return found


def moment(quantity: Decimal) -> Moment:
    proposal = Proposal(
        "buyer",
        "BTC-USD",
        1,
        quantity,
        Decimal("1000.50"),
        Decimal("920.46"),
        Decimal("1150.57"),
        Decimal("2000"),
        0.73,
        "majors.core",
        True,
    )
    groups = {"layer1": INSTRUMENTS[:3] + INSTRUMENTS[4:5], "payments": INSTRUMENTS[3:4] + INSTRUMENTS[5:]}
    return Moment(NOW, proposal, account(), groups, (), Decimal(1), None, 0, None, None)


def market(gate: Gate) -> dict[int, float | None]:
    """A value for each market leaf of the policy."""
    usual = {"mid": 1000.0, "spread": 0.001, "close": 1000.0}
    found: dict[int, float | None] = {}
    for leaf in gate.policy.market:
        node = gate.graph[leaf]
        name = str(node.consts[0])
        found[leaf] = 250_000.0 if node.op == "depth" else usual.get(name, 12.345678)
    return found


READ = tuple(1000.0 + at / 3 for at in range(15))
AGES = (0,) * 15
REASON = "volume 1.8x its mean"


def record(judgement: Judgement, asked: Moment, seq: int, read: tuple[float, ...] = READ, row: int = 36_421) -> Decision:
    """The record a session makes, with fifteen values of the strategy's rules."""
    order = asked.proposal
    return Decision(
        seq,
        asked.at,
        "enter",
        order.strategy,
        0,
        order.instrument,
        "buy",
        row,
        judgement.verdict,
        judgement.deciding,
        order.quantity,
        judgement.quantity,
        order.price,
        order.stop,
        order.target,
        order.confidence,
        REASON,
        judgement.failed,
        judgement.unknown,
        judgement.texts,
        read,
        AGES,
        (row,) * 15,
    )


def measure(constraints: int, folder: Path, *, decisions: int, shrinks: bool = False) -> Timing:
    """Judges the same proposal over and over; `shrinks` makes it too large for one limit."""
    built = plan_of(constraints)
    (policy,) = built.policies.values()
    gate = Gate(built.graph, policy)
    asked = moment(Decimal(60 if shrinks else 2))
    values = market(gate).get
    judgement = gate.judge(asked, values, LOT)
    assert judgement.verdict == ("shrink" if shrinks else "approve"), (judgement.verdict, judgement.deciding)
    whole, deciding, recording = [], [], []
    link, records = GENESIS, []
    for seq in range(1, decisions + 1):
        begin = time.perf_counter_ns()
        judgement = gate.judge(asked, values, LOT)
        judged = time.perf_counter_ns()
        made = record(judgement, asked, seq)
        link = entry_hash(link, "Decision", "r1", canonical(made))
        end = time.perf_counter_ns()
        gate.decide(judgement.inputs, True, asked.proposal.quantity, LOT)
        again = time.perf_counter_ns()
        whole.append(end - begin)
        recording.append(end - judged)
        deciding.append(again - end)
        records.append(made)
    middle = median(whole)
    judge, recorded = median(deciding) / middle, median(recording) / middle
    in_groups, one_by_one = disk(records, folder / f"{constraints}{'s' if shrinks else ''}.sqlite")
    shares = {"facts": max(0.0, 1.0 - judge - recorded), "judge": judge, "record": recorded}
    p99 = sorted(whole)[len(whole) * 99 // 100]
    return Timing(constraints, judgement.verdict, middle / 1_000, p99 / 1_000, shares, in_groups, one_by_one)


def disk(records: list[Decision], path: Path) -> tuple[float, float]:
    """Microseconds per decision that the ledger takes to encode, chain and commit: in columns, and each by itself in a row."""
    run = Run(
        id="",
        mode="replay",
        started=0,
        policy_hash="",
        data="",
        data_hash="",
        first=0,
        last=0,
        instruments=INSTRUMENTS,
        period=HOUR,
        initial_equity=Decimal(100_000),
        currency="USD",
        config={},
        version="benchmark",
    )
    singles = 200
    with open_ledger(path) as ledger:
        policy = ledger.put_policy({"policy/limits.tb": ""})
        name = ledger.start_run(_under(run, policy)).id
        log = DecisionLog()
        begin = time.perf_counter_ns()
        grouping = Grouping(partial(ledger.append_group, name, log=log))
        grouping.take(records)
        grouping.close()
        grouped = time.perf_counter_ns() - begin
        name = ledger.start_run(_under(run, policy)).id
        begin = time.perf_counter_ns()
        for one in records[:singles]:
            ledger.append(name, [one], log=log)
        single = time.perf_counter_ns() - begin
    return grouped / len(records) / 1_000, single / min(singles, len(records)) / 1_000


def _under(run: Run, policy: str) -> Run:
    return msgspec.structs.replace(run, policy_hash=policy)
