"""Many instruments, random prices, random faults and random deaths of the process, episode after episode, for a stated time."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

from crashing import MEMORY
from fake_exchange import Truth, rules_for
from faulting import FAULTS, TERMS, Watch, heal
from gateway_world import START, World
from small_projects import strategy

from tb.core.time import HOUR
from tb.runtime.drafts import Ready

D = Decimal
HOURS = 60  # of an episode
TURNS = 8  # in an hour
LEFT_OUT = frozenset({"clock jumps"})  # it moves the time at which things are measured


def episode(folder: Path, symbols: tuple[str, ...], chance: random.Random, counts: Counter[str], until: float) -> list[str]:
    """One account from its first order to its last; returns what was wrong."""
    rules = strategy(size="2% of equity", stop="10% below entry", target="20% above entry", members=", ".join(symbols))
    resting = strategy(name="resting", universe=False, size="2% of equity", stop="10% below entry", target="15% above entry")
    resting = resting.replace("    size", "    order limit at close * 0.99, valid 3h\n    size")
    truth = Truth(START + HOUR, prices=dict.fromkeys(symbols, D(100)), rules_={one: rules_for(one) for one in symbols})
    truth.totals = {"USD": D(10000)} | {one.split("-", maxsplit=1)[0]: D(0) for one in symbols}
    made = World(
        folder,
        truth,
        rules=f"{rules}  hold at most 5h\n\n{resting}",
        policy="limit gross  after.gross <= 50% of equity\n",
        terms=TERMS,
        symbols=symbols,
        hours=HOURS + 10,
    ).start()
    made.recovered()
    watch = Watch(made, most=D(6000))
    for hour in range(1, HOURS):
        _an_hour(watch, hour, chance, counts)
        if watch.wrong or time.monotonic() > until:
            break
    heal(watch.made)
    for _ in range(40):
        _turn(watch)
    counts["orders"] += len(truth.arrived)
    counts["fills"] += len(truth.executions)
    counts["episodes"] += 1
    counts["longest without protection, ms"] = max(counts["longest without protection, ms"], watch.longest_bare)
    counts["most exposed, USD"] = max(counts["most exposed, USD"], int(watch.most_exposed))
    return list(watch.end())


def _turn(watch: Watch) -> None:
    watch.made.turn(1000)
    if not watch.made.gateway.is_recovered:
        watch.made.recovery.run()
    watch.look()


def _an_hour(watch: Watch, hour: int, chance: random.Random, counts: Counter[str]) -> None:
    made, truth = watch.made, watch.made.truth
    later = max(0, START + hour * HOUR + 1000 - truth.time)
    truth.time += later
    watch.bare_since = {symbol: since + later for symbol, since in watch.bare_since.items()}
    made.turn(0)
    if chance.random() < 0.3:
        heal(made)
    for name in chance.sample(sorted(set(FAULTS) - LEFT_OUT), chance.choice([0, 1, 1, 2, 3])):
        FAULTS[name](made) if name != "product halted" else None
        counts["faults"] += 1
    chosen = chance.sample(made.symbols, min(6, len(made.symbols)))
    ready = [Ready(number, 0, symbol, hour - 1) for number, symbol in enumerate(chosen)]
    made.session.step(
        START + hour * HOUR, [Ready(one.row % 1 + at % 2, 0, one.symbol, one.row) for at, one in enumerate(ready)]
    )
    watch.look()
    for _ in range(TURNS):
        if chance.random() < 0.5:
            symbol = chance.choice(made.symbols)
            truth.move(symbol, (truth.prices[symbol] * D(str(chance.uniform(0.93, 1.07)))).quantize(D("0.01")))
        if chance.random() < 0.3:
            truth.fill_up_to("buy", D(str(round(chance.uniform(0.1, 1), 2))))
        if chance.random() < 0.02:
            made = watch.made = died(made)
            counts["deaths"] += 1
        counts["turns"] += 1
        _turn(watch)


def died(made: World) -> World:
    """The process is gone without a word, and another one starts: what was not yet recorded is lost with it."""
    made.kept.refuses = None
    os.close(made.journal._handle)
    made.journal.close = lambda: None  # type: ignore[method-assign]
    later = made.again()
    later.recovered(list(later.kept))
    return later


def soak(minutes: float, instruments: int, seed: int) -> int:
    """Runs episodes for so long; prints figures every minute and in the end. 1 where something was wrong."""
    symbols = tuple(f"S{number:02}-USD" for number in range(instruments))
    begin, counts, printed = time.monotonic(), Counter[str](), time.monotonic()
    number = 0
    while time.monotonic() - begin < minutes * 60:
        number += 1
        with tempfile.TemporaryDirectory(prefix="soak", dir=MEMORY) as folder:
            wrong = episode(Path(folder), symbols, random.Random(seed * 1000 + number), counts, begin + minutes * 60)
        if wrong:
            print(f"episode {number} of seed {seed}:", *wrong[:5], sep="\n    ")
            return 1
        if time.monotonic() - printed > 60:
            printed = time.monotonic()
            print(_figures(counts, begin), flush=True)
    print(_figures(counts, begin), "nothing wrong", sep=", ")
    return 0


def _figures(counts: Counter[str], begin: float) -> str:
    return f"{time.monotonic() - begin:,.0f} s: " + ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items()))
