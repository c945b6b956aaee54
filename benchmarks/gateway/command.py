"""`python -m benchmarks gateway [--orders 2000] [--folder DIR] [--json]`: the time between the gate's approval and the wire,
and after.

Every order is an entry at market that the venue fills at once, in memory; its stop and target go out behind it. The journal
is on a disk and synced before each of the two. Inside the clock are all nine steps of both orders. Beside it the ways of
writing ahead: a line appended to a file that has its space already, to one that grows, and a row in SQLite (WAL, synchronous
FULL)."""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.gateway.orders import Desk, Spent

SAMPLES = 2000


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks gateway", description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=SAMPLES)
    parser.add_argument("--folder", help="where the journal is written: the disk to measure (default: a temporary one here)")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=chosen.folder or Path.cwd(), prefix=".gateway-") as folder:
        spent = Desk(Path(folder), chosen.orders).measured(chosen.orders)
        ways = {name: _percentiles(way(Path(folder), chosen.orders)) for name, way in WAYS.items()}
    rows = {name: _percentiles(values) for name, values in spent.items()} | ways
    if chosen.json:
        print(json.dumps(rows))
        return 0
    print(f"{chosen.orders:,} entries, each with its protection; milliseconds\n")
    print(f"  {'':<44}{'p50':>9}{'p99':>9}{'most':>9}")
    for name, (middle, high, most) in rows.items():
        print(f"  {name:<44}{middle:9.3f}{high:9.3f}{most:9.3f}")
    return 0


def _percentiles(seconds: Spent) -> tuple[float, float, float]:
    ordered = sorted(seconds)
    return tuple(1000 * ordered[min(len(ordered) - 1, int(len(ordered) * part))] for part in (0.5, 0.99, 1.0))  # type: ignore[return-value]


def _appended(folder: Path, count: int, *, ahead: bool) -> Spent:
    handle = os.open(folder / f"ahead-{ahead}", os.O_WRONLY | os.O_CREAT)
    if ahead:
        os.posix_fallocate(handle, 0, 1 << 24)
    line, found = b"x" * 900, []
    for number in range(count):
        begin = time.perf_counter()
        os.pwrite(handle, line, number * len(line))
        os.fdatasync(handle)
        found.append(time.perf_counter() - begin)
    os.close(handle)
    return found


def _in_sqlite(folder: Path, count: int) -> Spent:
    connection = sqlite3.connect(folder / "sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE journal (number INTEGER PRIMARY KEY, payload BLOB)")
    line, found = b"x" * 900, []
    for _ in range(count):
        begin = time.perf_counter()
        connection.execute("INSERT INTO journal (payload) VALUES (?)", (line,))
        found.append(time.perf_counter() - begin)
    connection.close()
    return found


WAYS: dict[str, Callable[[Path, int], Spent]] = {
    "one entry written ahead: file with space": lambda folder, count: _appended(folder, count, ahead=True),
    "one entry written ahead: file that grows": lambda folder, count: _appended(folder, count, ahead=False),
    "one entry written ahead: SQLite": _in_sqlite,
}
