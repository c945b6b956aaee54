"""Cuts recorded markets at many random instants and replays what is left: no decision before the cut may change.

    python tests/soak/truncation.py [--instants 200] [--data ../shared/data/crypto_1h] [--seed 1]

Uses the default project. Takes minutes; the ordinary tests do a few instants on a shorter span.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "replay")]

from small_projects import cut, run  # noqa: E402

from tb.core.time import show_instant  # noqa: E402
from tb.replay.data import load_market  # noqa: E402
from tb.runtime.policy import compile_project  # noqa: E402
from tb.runtime.project import load_project  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instants", type=int, default=200)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "crypto_1h")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    project, market = compile_project(load_project(ROOT)), load_market(wanted.data)
    whole = run(project, market).decisions
    print(f"{len(whole)} decisions on {market.rows} bars; cutting {wanted.instants} times", flush=True)
    closes = sorted({int(close) for bars in market.bars.values() for close in bars.closes})
    began, draw = time.monotonic(), random.Random(wanted.seed)
    for count, instant in enumerate(sorted(draw.sample(closes, wanted.instants)), start=1):
        left = run(project, cut(market, instant)).decisions
        expected = [decision for decision in whole if decision.at <= instant]
        if left != expected:
            first = next((a for a, b in zip(left, expected, strict=False) if a != b), None)
            print(f"cut at {show_instant(instant)}: {len(left)} decisions, {len(expected)} expected; first other: {first}")
            return 1
        if count % 20 == 0:
            print(f"{count} cuts, {time.monotonic() - began:.0f} s", flush=True)
    print("no earlier decision changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
