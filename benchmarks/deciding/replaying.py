"""Decisions inside of a replay: a market replayed under the policy of `policy`, every decision recorded in a ledger on disk.

What is told is a mean over the whole replay, not one decision by itself: the wall of the replay over its decisions. That has
the market's columns, the fills, the trades, the curve and the ledger in it; a second number is the difference to the same
replay that keeps nothing, which is what the records cost. Decisions of a replay are judged many at a time where nothing else
can happen between them (`tb.replay.course`), which a live session cannot do.

The facts that others are given of an order are those of its record. Money is cut to millionths.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from benchmarks.deciding.inputs import MILLIONTHS, RESTRICTED
from benchmarks.deciding.policy import LISTED, own
from benchmarks.policies import GROUPS
from benchmarks.replays import play
from benchmarks.yardstick.market import SYMBOL, Case, read, write
from tb.core.records import Decision
from tb.engine.plan import PolicyPlan
from tb.ledger import open_ledger
from tb.runtime.policy import Compiled, compile_project
from tb.runtime.project import load_project

SETTINGS = f"""name: deciding
account: {{currency: USD, equity: 100_000 USD}}
instruments: {{default: {{tick: 0.01, lot: 0.00000001, minimum: 1 USD, max_quantity: 1_000}}}}
venue: {{fee: 0bps, slippage: 0bps, spread: 1bps, depth: 1M USD}}
restricted: [{", ".join(RESTRICTED)}]
"""
# the others of its kind are refused by the limit on rsi: a few
RULES = f"""universe market
  tier all {SYMBOL}

strategy dip on market every 5m
  enter long when sma(close, 20) crosses below sma(close, 50) and rsi(close, 14) < 51
    size   2% of equity
    stop   2% below entry
    target 5% above entry
"""


@dataclass(frozen=True)
class Replayed:
    """Microseconds of the whole replay over its decisions, the least of some runs: `recorded`, and `bare` where nothing is
    kept. `facts` are what others are given of some of its decisions, `failed` the constraints that tb says fail."""

    constraints: int
    decisions: int
    refused: int
    recorded: float
    bare: float
    facts: list[dict[str, object]]
    failed: list[list[int]]


def replayed(constraints: int, *, bars: int, sample: int, runs: int) -> Replayed:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compiled = _project(folder / "project", constraints)
        write(Case(bars), folder / "market.npz")
        market = read(folder / "market.npz")
        play(compiled, market, folder / "first.sqlite")
        recorded, bare = list[float](), list[float]()
        for at in range(runs):
            for kept, ledger in ((recorded, folder / f"{at}.sqlite"), (bare, None)):
                begin = time.perf_counter()
                outcome = play(compiled, market, ledger, keep=ledger is not None)
                kept.append((time.perf_counter() - begin) * 1e6 / outcome.counts["decisions"])
        with open_ledger(folder / "first.sqlite") as ledger:
            told = list(ledger.decisions("r1"))
    (policy,) = compiled.plan.policies.values()
    assert len(policy.constraints) == constraints
    step = max(1, len(told) // sample)
    # all that are refused, and as many of the others as are wanted, from the whole market
    some = [one for at, one in enumerate(told) if one.failed or at % step == 0]
    assert not any(one.unknown for one in told)
    return Replayed(
        constraints,
        len(told),
        sum(one.verdict != "approve" for one in told),
        min(recorded),
        min(bare),
        [_facts(compiled, policy, one) for one in some],
        [[bit for bit in range(constraints) if one.failed >> bit & 1] for one in some],
    )


def _project(folder: Path, constraints: int) -> Compiled:
    for name in ("rules", "policy"):
        (folder / name).mkdir(parents=True)
    (folder / "tb.yaml").write_text(SETTINGS)
    (folder / "rules" / "dip.tb").write_text(RULES)
    policy = GROUPS + LISTED + "".join(f"{text}\n" for text, _ in own(constraints))
    (folder / "policy" / "limits.tb").write_text(policy)
    return compile_project(load_project(folder))


def _facts(compiled: Compiled, policy: PolicyPlan, decision: Decision) -> dict[str, object]:
    """What the others read, from the record: what no constraint of the policy reads is 0."""
    read_ = _read(compiled, policy, decision)

    def money(name: str) -> Decimal:
        return Decimal(read_.get(name) or 0)

    quantity, price, stop, target = (money(f"order.{name}") for name in ("quantity", "price", "stop", "target"))
    mid, notional = money("mid"), quantity * price
    amounts = {
        "quantity": quantity,
        "notional": notional,
        "minimum": money("order.minimum"),
        "maximum": money("order.maximum"),
        "stop_gap": price - stop,
        "target_gap": target - price,
        "exposure": money("scope.others") + max(abs(money("book.long") + notional), abs(money("book.short"))),
        "gross": money("book.gross_others") + max(abs(money("book.long") + notional), abs(money("book.short"))),
        "equity": money("equity"),
        "loss": money("loss"),
        "day_start": money("equity at day_start"),
        "fallen": money("drawdown"),
        "high_water": Decimal(1),  # a drawdown is a share of it
        "mid": mid,
        "above_mid": price - mid,
        "below_mid": mid - price,
        "spread": money("spread"),
        "depth": money("depth"),
        "risk": quantity * (price - stop),
        "rsi": money("rsi"),
    }
    found: dict[str, object] = {name: int(value * MILLIONTHS) for name, value in amounts.items()}
    flags = {name: int(read_.get(fact) is not None) for name, fact in (("halted", "halted_by"), ("paused", "paused_by"))}
    found |= flags | {"missing": int(read_.get("order.missing") is not None)}
    found |= {"entries": int(money("entries")), "data_age": int(money("data_age"))}
    return found | {"instrument": decision.instrument, "restricted": list(RESTRICTED)}


def _read(compiled: Compiled, policy: PolicyPlan, decision: Decision) -> Mapping[str, str | None]:
    """What the record says was read, by the fact's or the function's name."""
    graph, found = compiled.plan.graph, dict[str, str | None]()
    for leaf, text in zip(policy.leaves, decision.facts, strict=True):
        node = graph[leaf]
        found[node.op if node.op == "depth" else str(node.consts[0])] = text
    return found
