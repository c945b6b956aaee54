"""One ledger, measured: recorded by a session that is killed, recovered from, verified."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tb.core.records import Latch, Mark, Trade
from tb.ledger import Place, open_ledger

TIMES = 3  # of which the median is taken


@dataclass(frozen=True, slots=True)
class Measured:
    """Events a second, microseconds of the processor for each, ms, seconds; None where it was not measured."""

    grouped: float
    grouped_cpu: float
    single: float | None
    single_cpu: float | None
    single_p99: float | None
    recovered: float
    verified: float
    verified_cpu: float
    verified_alone: float
    entries: int


def measure(place: Place, count: int, mix: str, singles: int) -> Measured:
    """Writes, kills the writer, and measures what follows."""
    command = [sys.executable, "-m", "benchmarks.recording.writer", str(place), str(count), mix, str(singles)]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as writer:
        assert writer.stdout is not None
        line = writer.stdout.readline()
        writer.kill()
    if not line:
        raise RuntimeError("the writer ended without its figures; its own words stand above")
    told = json.loads(line)
    run, log = told.pop("run"), told.pop("log")
    recovered = recover(place)  # once: the next would not find what the killed writer left
    with open_ledger(place) as ledger:
        ledger.finish_run(run, {"decision_log_hash": log})
        entries = ledger.head().seq
        together = [_timed(ledger.verify) for _ in range(TIMES)]
        alone, _ = _timed(lambda: ledger.verify(processes=1))
    return Measured(
        **told,
        recovered=recovered,
        verified=statistics.median(wall for wall, _ in together),
        verified_cpu=statistics.median(cpu for _, cpu in together),
        verified_alone=alone,
        entries=entries,
    )


def recover(place: Place) -> float:
    """Seconds until a new process would know where the session stood: run, head, last mark, open trades, what is latched."""
    begun = time.perf_counter()
    with open_ledger(place) as ledger:
        head, latest = ledger.head(), ledger.latest_run()
        assert latest is not None
        marks: list[Mark] = ledger.marks(latest.run.id)
        still_open: list[Trade] = [trade for trade in ledger.trades(latest.run.id) if trade.exit_at is None]
        latched: list[Latch] = ledger.active_latches(latest.run.id, marks[-1].at if marks else 0)
        assert head.seq > 0
        assert latest.unfinished or still_open is not None or latched is not None
    return time.perf_counter() - begun


def _cpu() -> float:
    return sum(
        found.ru_utime + found.ru_stime for found in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _timed(verify: Callable[[], Sequence[object]]) -> tuple[float, float]:
    processor, begun = _cpu(), time.perf_counter()
    findings = verify()
    if findings:
        raise RuntimeError(f"the ledger does not hold: {findings[0]}")
    return time.perf_counter() - begun, _cpu() - processor


def flush(folder: Path) -> float:
    """Milliseconds that the disk takes to write 4 KB and flush them: what no single event can be quicker than."""
    path, each = folder / "flush", []
    file = os.open(path, os.O_CREAT | os.O_WRONLY)
    try:
        for _ in range(200):
            begun = time.perf_counter()
            os.write(file, bytes(4096))
            os.fdatasync(file)
            each.append((time.perf_counter() - begun) * 1000)
    finally:
        os.close(file)
        path.unlink()
    return statistics.median(each)
