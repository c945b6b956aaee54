"""One ledger, measured: recorded by a session that is killed, recovered from, verified. Figures are told as they are known."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.recording.events import size
from tb.core.records import Latch, Mark, Trade
from tb.ledger import Database, Place, open_ledger
from tb.ledger.postgres import connect

Tell = Callable[[str, float], None]  # takes a figure by its name
Progress = Callable[[str, int, int], None]  # takes what is being done, how much of it is done, and how much there is


@dataclass(frozen=True, slots=True)
class Amount:
    """How much is recorded, of which mix; `is_alone` where the walk of one process is measured, too."""

    events: int
    singles: int
    mix: str
    is_alone: bool = False


def measure(place: Place, amount: Amount, tell: Tell, progress: Progress) -> None:
    """Writes, kills the writer, and measures what follows."""
    if isinstance(place, Database) and amount.singles:
        tell("bare", commits(place, amount))
    run, log = _written(place, amount, tell, progress)
    tell("recovered", recover(place))  # once: the next would not find what the killed writer left
    with open_ledger(place) as ledger:
        ledger.finish_run(run, {"decision_log_hash": log})
        tell("entries", ledger.head().seq)
        for name, processes in (("verified", None), ("verified_alone", 1))[: 1 + amount.is_alone]:
            processor, begun = _cpu(), time.perf_counter()
            findings = ledger.verify(lambda done, total: progress("verified", done, total), processes=processes)
            if findings:
                raise RuntimeError(f"the ledger does not hold: {findings[0]}")
            tell(name, time.perf_counter() - begun)
            if processes is None:
                tell("verified_cpu", _cpu() - processor)


def _written(place: Place, amount: Amount, tell: Tell, progress: Progress) -> tuple[str, str]:
    """What a session writes until it is killed: its run, and the digest of its decision log."""
    command = [sys.executable, "-m", "benchmarks.recording.writer", str(place), str(amount.events), amount.mix]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [*command, str(amount.singles)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
    ) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            said = json.loads(line)
            if "done" in said:
                progress("recorded", said["done"], amount.events)
                continue
            writer.kill()
            run, log = said.pop("run"), said.pop("log")
            for name, value in said.items():
                tell(name, value)
            return run, log
    raise RuntimeError("the writer ended without its figures; its own words stand above")


def commits(place: Database, amount: Amount) -> float:
    """Commits of one row a second that the server takes and flushes, by its driver alone: no event is recorded quicker."""
    row = bytes(round(size(amount.mix)))
    with connect(place, 5.0) as connection:
        connection.execute("CREATE TABLE bare (number bigint, payload bytea)")
        begun = time.perf_counter()
        for number in range(amount.singles):
            connection.execute("INSERT INTO bare VALUES (%s, %s)", (number, row))
        taken = time.perf_counter() - begun
        connection.execute("DROP TABLE bare")
    return amount.singles / taken


def recover(place: Place) -> float:
    """Seconds until a new process would know where the session stood: run, head, last mark, open trades, what is latched."""
    begun = time.perf_counter()
    with open_ledger(place) as ledger:
        head, latest = ledger.head(), ledger.latest_run()
        assert latest is not None
        marks: list[Mark] = ledger.marks(latest.run.id, last=1)
        still_open: list[Trade] = ledger.trades(latest.run.id, is_open=True)
        latched: list[Latch] = ledger.active_latches(latest.run.id, marks[-1].at if marks else 0)
        assert latest.unfinished
        assert head.seq > len(marks) + len(still_open) + len(latched)
    return time.perf_counter() - begun


def _cpu() -> float:
    return sum(
        found.ru_utime + found.ru_stime for found in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


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
