"""Kills a process with a gateway at every point that it passes, and starts another one over what is left.

    python tests/soak/crashes.py [--how exit,kill,power] [--only NAME] [--twice] [--workers 2]

Points are: before, inside and after every write of the journal and the breaker, before and after every one of the nine steps,
every call of the venue and every write to the ledger. After each crash the next process recovers and does the interrupted
action again; then nothing may have been sent twice, no fill be missing, and positions, cash, protection, breaker and halts
must be as the venue and the history say. `exit` dies by `os._exit`, `kill` by SIGKILL, `power` also loses what was not
synced. `--twice` lets the next process die as well, at every ninth point of its own. Every point takes some 50 ms; the
command ends with 1 where something is wrong."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), *(str(ROOT / "tests" / room) for room in ("replay", "runtime"))]

from crash_scenarios import SCENARIOS  # noqa: E402
from crashing import HOWS, crashed, wrongs  # noqa: E402


@dataclass
class Found:
    name: str
    how: str
    points: int
    second: int
    wrong: list[str]


def explored(number: int, how: str, twice: bool) -> Found:
    """One scenario, died at every point in one way."""
    scenario = SCENARIOS[number]
    whole, _, _ = crashed(scenario, 0, how)
    assert whole.report is not None
    names = whole.report["names"]
    found = Found(scenario.name, how, len(names), 0, [f"without a crash: {words}" for words in wrongs(scenario, whole)])
    for at in range(1, len(names) + 1):
        for again in _agains(twice):
            _, after, died = crashed(scenario, at, how, again)
            assert after is not None
            found.second += died == 2
            found.wrong += [f"point {at} ({names[at - 1]}), then {again}: {words}" for words in wrongs(scenario, after)]
            if again and died < 2:
                break  # the second process came to its end before that point
    return found


def _agains(twice: bool) -> Iterator[int]:
    yield 0
    if twice:
        yield from range(5, 400, 9)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--how", default=",".join(HOWS))
    parser.add_argument("--only", default="", help="scenarios with this in their name")
    parser.add_argument("--twice", action="store_true")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    numbers = [number for number, one in enumerate(SCENARIOS) if chosen.only in one.name]
    work = [(number, how, chosen.twice) for how in chosen.how.split(",") for number in numbers]
    begin, points, second, wrong = time.monotonic(), 0, 0, 0
    with ProcessPoolExecutor(chosen.workers) as pool:
        for found in pool.map(explored, *zip(*work, strict=True)):
            points, second, wrong = points + found.points, second + found.second, wrong + len(found.wrong)
            print(f"{found.how}: {found.name}: {found.points} crash points, {len(found.wrong)} wrong", flush=True)
            for words in found.wrong[:5]:
                print(f"    {words}")
    after = f", {second:,} of them with a second crash" if second else ""
    print(f"{points:,} crash points{after}, {wrong} wrong, {time.monotonic() - begin:,.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
