"""Milliseconds of processor time per function: `python -m benchmarks.kernels [NAME ...] [--json]`.

1. 1,000,000 bars of a random walk, in chunks as a replay evaluates them, with default constants, or 20 where there is none.
2. The middle of some runs; the first call, which compiles the kernel or loads it from the cache on disk, is timed apart.
3. One bar of 1,000 instruments at once, as a live step evaluates it.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from statistics import median

import numpy as np

from tb.engine.columns import CHUNK
from tb.vocabulary.catalogue import FUNCTIONS
from tb.vocabulary.function import Constants, Function
from tb.vocabulary.run import Array, Carry, evaluate, together

BARS = 1_000_000
INSTRUMENTS = 1_000
USUAL = 20.0


@dataclass(frozen=True)
class Timing:
    """Milliseconds: the first call, a million bars, one bar of each of a thousand instruments."""

    name: str
    family: str
    constants: Constants
    first: float
    million: float
    live: float


def constants_of(function: Function) -> Constants:
    return tuple(USUAL if p.default is None else float(p.default) for p in function.constants)


def bars(length: int) -> dict[str, Array]:
    rng = np.random.default_rng(3)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.001, length)))
    first = close * np.exp(rng.normal(0.0, 0.0005, length))
    return {
        "open": first,
        "high": np.maximum(first, close) * 1.0002,
        "low": np.minimum(first, close) * 0.9998,
        "close": close,
        "volume": rng.lognormal(3.0, 1.0, length),
        "day_number": np.arange(length) // 1440 + 19_000.0,
        "funding_paid": np.where(np.arange(length) % 480 == 479, 1e-4, 0.0),
    }


def inputs_of(function: Function, market: dict[str, Array]) -> Array:
    truths = (market["close"] > market["open"]).astype(np.float64)
    series = [
        truths if "condition" in p.name else market[name] for p, name in zip(function.series, ("close", "volume"), strict=False)
    ]
    return np.array([*(market[name] for name in function.implicit), *series])


def through(function: Function, constants: Constants, inputs: Array) -> None:
    carried: Carry | None = None
    for start in range(0, inputs.shape[1], CHUNK):
        _, carried = evaluate(function, constants, inputs[:, start : start + CHUNK], carried)


def milliseconds(began: int) -> float:
    return (time.process_time_ns() - began) / 1e6


def measure(function: Function, market: dict[str, Array], runs: int) -> Timing:
    constants, inputs = constants_of(function), inputs_of(function, market)
    began = time.process_time_ns()
    evaluate(function, constants, inputs[:, :CHUNK], None)
    first = milliseconds(began)
    million, live = [], []
    many = together(function, constants, INSTRUMENTS)
    whose, ends = np.arange(INSTRUMENTS), [np.full(INSTRUMENTS, many.before + 1)] * len(inputs)
    newest = [np.tile(row[CHUNK - many.before - 1 : CHUNK], (INSTRUMENTS, 1)) for row in inputs]
    many.run(whose, newest, whose, ends, 1)  # loads the loop over instruments, once for all functions
    for _ in range(runs):
        began = time.process_time_ns()
        through(function, constants, inputs)
        million.append(milliseconds(began))
        began = time.process_time_ns()
        many.run(whose, newest, whose, ends, 1)
        live.append(milliseconds(began))
    return Timing(function.name, function.family, constants, first, median(million), median(live))


def show(timings: list[Timing]) -> None:
    print(f"milliseconds; {BARS:,} bars in chunks of {CHUNK:,}, and one bar of {INSTRUMENTS:,} instruments")
    print(f"  {'function':<30}{'family':<18}{'first call':>12}{'bars':>10}{'live step':>12}")
    for one in timings:
        written = f"{one.name}({', '.join(f'{c:g}' for c in one.constants)})"
        print(f"  {written:<30}{one.family:<18}{one.first:12.1f}{one.million:10.1f}{one.live:12.2f}")
    middle, firsts = median(one.million for one in timings), sum(one.first for one in timings) / 1000
    live = median(one.live for one in timings)
    print(f"  {len(timings)} functions, {middle:.1f} ms and {live:.2f} ms the middle ones; {firsts:.1f} s of first calls")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernels", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="the functions to time; all where none is named")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    parser.add_argument("--runs", type=int, default=3, help="how often each is timed; the middle one is shown")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.names if name not in FUNCTIONS]
    if unknown:
        parser.error(f"there is no function `{unknown[0]}`")
    market = bars(BARS)
    named = [function for name, function in FUNCTIONS.items() if not chosen.names or name in chosen.names]
    timings = [measure(function, market, chosen.runs) for function in named]
    if chosen.json:
        print(json.dumps([asdict(one) for one in timings], indent=2))
    else:
        show(timings)


if __name__ == "__main__":
    main()
