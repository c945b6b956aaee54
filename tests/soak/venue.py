"""Lives a trading day of gateway and adapter at the sandbox under every fault of it alone, and under pairs of them.

    python tests/soak/venue.py [--pairs N] [--seed N]      # N pairs, drawn by the seed (default: all)

Everything goes over loopback as it would to the venue. Over the whole day the venue may not be exposed beyond what the policy
allows in the worst case, no order may arrive twice, and nothing be held without a stop for longer than stated and proof
takes; in the end both sides agree on what is held, filled and paid. Prints its figures; ends with 1 where something is wrong.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), *(str(ROOT / "tests" / room) for room in ("replay", "runtime"))]

from sandbox_day import FAULTS, MOMENTS, MOST, a_day, live  # noqa: E402

Case = tuple[tuple[str, str], ...]  # fault and moment


def lived(case: Case) -> tuple[list[str], int, float, int, int]:
    """What was wrong, the longest time without a stop (ms), the most exposed, requests, and how often faults struck."""
    chosen: dict[str, list] = {}  # type: ignore[type-arg]
    for fault, moment in case:
        chosen.setdefault(moment, []).extend(FAULTS[fault])
    with tempfile.TemporaryDirectory(prefix="venue") as folder, a_day(Path(folder)) as day:
        live(day, chosen)
        state = day.sandbox.state()
        bare = max(((one["to"] or state["now"]) - one["from"] for one in state["unprotected"]), default=0)
        worst = float(state["worst_exposure"].get("USD", {"with_orders": "0"})["with_orders"])
        return list(day.wrong()), bare, worst, state["requests"], len(state["faults"]["struck"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    dice = random.Random(chosen.seed)
    pairs = [((one, dice.choice(MOMENTS)), (other, dice.choice(MOMENTS))) for one, other in itertools.combinations(FAULTS, 2)]
    dice.shuffle(pairs)
    alone = [((fault, moment),) for fault in FAULTS for moment in MOMENTS]
    cases: list[Case] = [*alone, *pairs[: chosen.pairs]]
    begin, wrong, bare, worst, asked, struck = time.monotonic(), 0, 0, 0.0, 0, 0
    for number, case in enumerate(cases, 1):
        found, longest, most, requests, times = lived(case)
        bare, worst, asked, struck = max(bare, longest), max(worst, most), asked + requests, struck + times
        if found:
            wrong += 1
            print(" + ".join(f"{fault} {moment}" for fault, moment in case), *found, sep="\n    ", flush=True)
        if number % 50 == 0:
            print(f"{number} of {len(cases)} days, {wrong} wrong, {time.monotonic() - begin:,.0f} s", flush=True)
    print(f"{len(FAULTS)} faults: {len(alone)} days alone, {len(cases) - len(alone)} in pairs, {wrong} wrong")
    print(f"{asked:,} requests, {struck:,} faults struck, {time.monotonic() - begin:,.0f} s")
    print(f"most exposed in the worst case {worst:,.2f} USD, {MOST:,} allowed; longest without a stop {bare / 1_000:g} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
