"""`python -m benchmarks parity`: the comparison as a table; ends with 1 where a difference is not explained.

1. Each market is read once, by tb's loader, and its arrays are handed to the peers (`np.savez`).
2. tb replays every strategy on every market (`ours`).
3. The peers compute the signals for themselves and trade them (`benchmarks/peers`), all jobs in one process each.
4. `comparing` puts the trades side by side, and `conventions` says what makes the difference.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import environment
from benchmarks.parity import ours
from benchmarks.parity.comparing import Row, compare
from benchmarks.parity.conventions import REASONS, Levels
from benchmarks.parity.ours import Trade, Trades
from benchmarks.parity.strategies import CASH, FEE, PLACES, RECORDED, STRATEGIES, Place, Strategy, scaled
from tb.replay.data import Market, load_market

SCRIPTS = {
    "backtesting.py": ("run_backtesting.py", 1),
    "vectorbt": ("run_vectorbt.py", 2),
    "vectorbt, 1 row": ("run_vectorbt.py", 1),
}
PEERS = ("backtesting.py", "vectorbt")
VALUE = 100_000  # about what a fixed size is worth, in USD


@dataclass(frozen=True)
class Case:
    """One strategy on one market, with tb's trades and what the peers are asked."""

    strategy: Strategy
    place: Place
    levels: Levels
    made: Trades
    arrays: Path
    signals: Path

    def job(self, rows: int = 1) -> dict[str, object]:
        part = {
            name: None if bps is None else bps / 10_000
            for name, bps in (("stop", self.levels.stop), ("target", self.levels.target))
        }
        return {
            "market": str(self.arrays),
            "signals": self.strategy.signals,
            "out": str(self.signals),
            "hold": self.levels.hold,
            "units": self.levels.units,
            "share": self.levels.share,
            "cash": CASH,
            "fee": FEE,
            "rows": rows,
            **part,
        }


def arrays(market: Market, symbol: str, path: Path) -> float:
    """Writes what the peers read of a market; returns its middle price."""
    bars = market.bars[symbol]
    np.savez(path, time=bars.time, open=bars.open, high=bars.high, low=bars.low, close=bars.close)
    return float(np.median(bars.close))


def cases(folder: Path, strategies: Sequence[Strategy], places: Sequence[Place]) -> list[Case]:
    found = []
    for at, place in enumerate(places):
        print(f"tb on {place.folder} {place.symbol}", file=sys.stderr, flush=True)
        market = load_market(RECORDED / place.folder, instruments=[place.symbol])
        path = folder / f"{at}.npz"
        units = int(10 ** round(np.log10(VALUE / arrays(market, place.symbol, path))))
        for which, one in enumerate(strategies):
            levels = Levels(scaled(one.stop, place), scaled(one.target, place), one.hold, one.share, units)
            made = ours.trades(one, place, market, units)
            found.append(Case(one, place, levels, made, path, folder / f"{at}-{which}.npz"))
    return found


def measure(
    strategies: Sequence[Strategy] = STRATEGIES, places: Sequence[Place] = PLACES, peers: Sequence[str] = PEERS
) -> list[Row]:
    """Every strategy on every market against every peer."""
    environment.python()  # installs first, so that a failure to do so costs no work
    with tempfile.TemporaryDirectory() as name:
        run = cases(Path(name), strategies, places)
        environment.ask("run_signals.py", {"jobs": [one.job() for one in run]})
        rows = []
        for peer in peers:
            script, each = SCRIPTS[peer]
            print(f"{peer} on all of them", file=sys.stderr, flush=True)
            answer: Any = environment.ask(script, {"jobs": [one.job(each) for one in run]})
            for one, found in zip(run, answer, strict=True):
                theirs = Trades(tuple(sorted(Trade(*row) for row in found["trades"])), found["open"])
                with np.load(one.arrays) as bars, np.load(one.signals) as signals:
                    where = f"{one.place.folder} {one.place.symbol}"
                    rows.append(compare(one.strategy.name, where, peer, one.made, theirs, bars, signals, one.levels))
    return rows


def show(rows: Sequence[Row]) -> None:
    versions = environment.versions()
    print(f"trades of tb against backtesting.py {versions['backtesting']} and vectorbt {versions['vectorbt']}; equal have the")
    print("same bars, side and units, the same prices (1e-9 of the price) and the same result (1e-9 of the value)\n")
    print(f"{'strategy':<28}{'market':<20}{'peer':<16}{'tb':>6}{'peer':>6}{'equal':>7}  explained by")
    for row in rows:
        said = "UNEXPLAINED" if row.unexplained else ", ".join(row.explained)
        print(f"{row.strategy:<28}{row.market:<20}{row.peer:<16}{row.ours:>6}{row.theirs:>6}{row.equal:>7}  {said}")
        if row.first:
            print(f"{'':<28}first difference, tb | {row.peer}: {row.first}")
        if row.unexplained:
            print(f"{'':<28}{row.unexplained}")
    trades, equal = sum(row.ours for row in rows), sum(row.equal for row in rows)
    print(f"\n{equal:,} of {trades:,} trades of tb are equal to the peer's; what the names say:")
    for name, reason in REASONS.items():
        if any(name in row.explained for row in rows):
            print(f"  {name}: {reason}")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks parity", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    parser.add_argument("--market", metavar="FOLDER", help="only the markets of this folder of ../shared/data, as crypto_1h")
    parser.add_argument("--strategy", metavar="TEXT", help="only strategies with this in their name")
    parser.add_argument(
        "--one-row", action="store_true", help="vectorbt also as it is usually asked, with one row for each bar"
    )
    chosen = parser.parse_args(arguments)
    strategies = [one for one in STRATEGIES if (chosen.strategy or "").lower() in one.name.lower()]
    places = [place for place in PLACES if chosen.market in {None, place.folder}]
    if not strategies:
        parser.error(f"no strategy is called so; there are {', '.join(one.name for one in STRATEGIES)}")
    if not places or not all((RECORDED / place.folder).is_dir() for place in places):
        parser.error("the recorded markets are not there: they are looked for in ../shared/data")
    rows = measure(strategies, places, tuple(SCRIPTS) if chosen.one_row else PEERS)
    if chosen.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        show(rows)
    return 1 if any(row.unexplained for row in rows) else 0
