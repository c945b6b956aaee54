"""tb's side of the yardstick, in a process of its own: request and answer as in `benchmarks/peers`.

In: {"market", "records": whether every decision goes into a ledger on disk, else nothing is recorded at all, "fast", "slow",
"runs"}. The rules are compiled
and the bars read before the clock starts, as the peers' libraries and arrays are; all market columns, decisions, fills and
records are inside."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from benchmarks.peers.timing import measure
from benchmarks.replays import play
from benchmarks.yardstick.market import SYMBOL, read
from tb.ledger import open_ledger
from tb.replay.run import Outcome
from tb.runtime.policy import Compiled, compile_project
from tb.runtime.project import load_project

SETTINGS = """name: yardstick
account: {currency: USD, equity: 100_000_000 USD}
instruments: {default: {tick: 0.01, lot: 0.00000001, minimum: 1 USD}}
venue: {fee: 10bps, slippage: 0bps, spread: 0bps}
"""
RULES = """universe market
  tier all {symbol}

strategy cross on market every 5m
  enter long when sma(close, {fast}) crosses above sma(close, {slow}) and rsi(close, 14) < 70
    size   5% of equity
    stop   2% below entry
    target 5% above entry
"""
POLICY = "limit share  after.exposure(order.instrument) <= 5.01% of equity  otherwise shrink\n"


def project(folder: Path, fast: int, slow: int) -> Compiled:
    """The yardstick's strategy under a limit that it keeps to."""
    for name in ("rules", "policy"):
        (folder / name).mkdir(parents=True)
    (folder / "tb.yaml").write_text(SETTINGS)
    (folder / "rules" / "cross.tb").write_text(RULES.format(symbol=SYMBOL, fast=fast, slow=slow))
    (folder / "policy" / "limits.tb").write_text(POLICY)
    return compile_project(load_project(folder))


def recorded(path: Path) -> int:
    """How many closed trades the ledger has of its run, counted as a reader of it would."""
    with open_ledger(path) as ledger:
        return sum(one.exit_at is not None for one in ledger.trades("r1"))


def main() -> None:
    asked = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compiled = project(folder / "project", asked["fast"], asked["slow"])
        market = read(Path(asked["market"]))
        ledgers = iter(range(1_000))

        def run() -> tuple[int, float]:
            path = folder / f"{next(ledgers)}.sqlite" if asked["records"] else None
            outcome: Outcome = play(compiled, market, path, keep=asked["records"])
            return outcome.counts["trades"] - outcome.open_positions, float(outcome.final_equity or 0)

        found = measure(run, asked["runs"])
        if asked["records"]:
            found["in_ledger"] = recorded(folder / "0.sqlite")
            found["disk"] = sum(file.stat().st_size for file in folder.glob("0.sqlite*")) / 1e6
    print(json.dumps(found))


if __name__ == "__main__":
    main()
