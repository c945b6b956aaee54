"""A session that records and is then killed: `python -m benchmarks.recording.writer PLACE EVENTS MIX SINGLES`.

It prints lines of JSON: how much is recorded, every now and then, at last its rates. Then it waits.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from benchmarks.recording.events import TEXTS, events, run_of
from tb.core.records import Record
from tb.ledger import DecisionLog, open_ledger, place_of
from tb.ledger.store import Ledger

GROUP, PARTS = 1_000, 10  # events in a group; stretches over which the median is taken


def _timed(ledger: Ledger, run: str, log: DecisionLog, records: list[list[Record]]) -> tuple[float, float, list[float]]:
    """Seconds on the wall and of the processor, and those of each group. Making the records is not in it."""
    each = []
    processor, begun = time.process_time(), time.perf_counter()
    for group in records:
        before = time.perf_counter()
        ledger.append(run, group, log=log)
        each.append(time.perf_counter() - before)
    return time.perf_counter() - begun, time.process_time() - processor, each


def _groups(source: Iterator[Record], count: int, size: int) -> list[list[Record]]:
    return [group for _ in range(0, count, size) if (group := list(islice(source, min(size, count))))]


def record(ledger: Ledger, count: int, mix: str, singles: int) -> dict[str, object]:
    """Records so many events in groups, and `singles` one by one in between."""
    run, log, source = ledger.start_run(run_of(ledger.put_policy(TEXTS))).id, DecisionLog(), events(mix)
    part = max(1, count // PARTS)
    grouped, alone, latencies = [], [], list[float]()
    for number in range(PARTS):
        print(json.dumps({"done": number * part}), flush=True)
        wall, cpu, _each = _timed(ledger, run, log, _groups(source, part, GROUP))
        grouped.append((part / wall, cpu / part * 1e6))
        if singles:
            wall, cpu, each = _timed(ledger, run, log, _groups(source, max(1, singles // PARTS), 1))
            alone.append((len(each) / wall, cpu / len(each) * 1e6))
            latencies += each
    found: dict[str, object] = {
        "run": run,
        "log": log.hexdigest(),
        "grouped": statistics.median(rate for rate, _ in grouped),
        "grouped_cpu": statistics.median(cpu for _, cpu in grouped),
    }
    if alone:
        latencies.sort()
        found |= {
            "single": statistics.median(rate for rate, _ in alone),
            "single_cpu": statistics.median(cpu for _, cpu in alone),
            "single_p50": statistics.median(latencies) * 1000,
            "single_p99": latencies[int(len(latencies) * 0.99)] * 1000,
        }
    return found


def main() -> None:
    place, count, mix, singles = place_of(sys.argv[1], Path()), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    gc.freeze()
    with open_ledger(place, wait=30.0) as ledger:
        print(json.dumps(record(ledger, count, mix, singles)), flush=True)
        sys.stdin.read()  # until it is killed


if __name__ == "__main__":
    main()
