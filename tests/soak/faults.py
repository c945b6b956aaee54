"""Lives a trading day under every fault alone and under every pair of faults; or for a time under random ones.

    python tests/soak/faults.py [--workers 2]                                every fault and pair, at every pair of moments
    python tests/soak/faults.py --random [--minutes 30] [--instruments 50]   random faults, crashes among them

After every turn the venue may not be exposed beyond what the policy allows in the worst case, nothing may have been sent
twice, and nothing be held without its stop for longer than stated, counted from when the venue last failed to answer. Once
the faults are over, everything held, filled and paid is the same here and there, and recorded. The command prints its figures
and ends with 1 where something is wrong."""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), *(str(ROOT / "tests" / room) for room in ("replay", "runtime"))]

from crashing import MEMORY  # noqa: E402
from faulting import FAULTS, MOMENTS, MOST, TERMS, day  # noqa: E402

Case = tuple[tuple[str, str], ...]  # fault and moment


def cases() -> list[Case]:
    """Every fault at every moment, and every pair of faults at every pair of moments."""
    found: list[Case] = [((fault, moment),) for fault in FAULTS for moment in MOMENTS]
    for one, other in itertools.combinations(FAULTS, 2):
        found += [((one, first), (other, second)) for first in MOMENTS for second in MOMENTS]
    return found


def lived(case: Case) -> tuple[Case, list[str], int, Decimal, int]:
    """What was wrong, the longest time without protection, the most that was exposed, and how many orders were sent."""
    chosen: dict[str, list] = {}  # type: ignore[type-arg]
    for fault, moment in case:
        chosen.setdefault(moment, []).append(FAULTS[fault])
    with tempfile.TemporaryDirectory(prefix="faults", dir=MEMORY) as folder:
        watch = day(Path(folder), chosen)
        return case, list(watch.end()), watch.longest_bare, watch.most_exposed, len(watch.made.truth.arrived)


def all_cases(workers: int) -> int:
    begin, wrong, bare, exposed, sent = time.monotonic(), 0, 0, Decimal(0), 0
    work = cases()
    with ProcessPoolExecutor(workers) as pool:
        for done, (case, found, longest, most, orders) in enumerate(pool.map(lived, work, chunksize=20), 1):
            bare, exposed, sent = max(bare, longest), max(exposed, most), sent + orders
            if found:
                wrong += 1
                print(" + ".join(f"{fault} {moment} it" for fault, moment in case), *found[:3], sep="\n    ", flush=True)
            if done % 500 == 0:
                print(f"{done:,} of {len(work):,} cases, {wrong} wrong, {time.monotonic() - begin:,.0f} s", flush=True)
    alone = len(FAULTS) * len(MOMENTS)
    print(f"{len(FAULTS)} faults: {alone} cases alone, {len(work) - alone:,} in pairs, {sent:,} orders, {wrong} cases wrong")
    print(f"most exposed in the worst case {exposed:,.2f} USD of {MOST:,} allowed and what prices moved since")
    print(f"longest without protection {bare / 1000:g} s, stated {TERMS.protect_within / 1000:g} s and what proof takes")
    print(f"{time.monotonic() - begin:,.0f} s")
    return 1 if wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--random", action="store_true")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--instruments", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    if not chosen.random:
        return all_cases(chosen.workers)
    from random_faults import soak

    return soak(chosen.minutes, chosen.instruments, chosen.seed)


if __name__ == "__main__":
    sys.exit(main())
