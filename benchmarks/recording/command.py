"""`python -m benchmarks ledger`: events a second, verification and recovery, in a file and on a PostgreSQL server.

Each figure is printed once it is known; what is being done, and how far it is, goes to standard error.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import NamedTuple

from benchmarks.recording.events import MIXES, size
from benchmarks.recording.measuring import Amount, flush, measure
from tb.ledger import Database, Place

ADDRESS = "TB_BENCHMARK_LEDGER"
MILLION = 1_000_000


class Row(NamedTuple):
    """How a figure is shown; `bar` is what it should be at least, or at most where it is a time for a million events."""

    title: str
    form: str
    bar: str = ""


ROWS = {
    "bare": Row("its driver alone, commits of one row/s", "{:,.0f}"),
    "grouped": Row("in groups of 1,000, events/s", "{:,.0f}", "40,000 at least"),
    "grouped_cpu": Row("  of the processor, us each", "{:.1f}"),
    "single": Row("one by one, events/s", "{:,.0f}", "3,000 at least"),
    "single_cpu": Row("  of the processor, us each", "{:.0f}"),
    "single_p50": Row("  half of them within, ms", "{:.2f}"),
    "single_p99": Row("  p99, ms", "{:.2f}"),
    "entries": Row("entries with those, start and end", "{:,.0f}"),
    "recovered": Row("recovered after kill -9, s", "{:.2f}", "under 5"),
    "verified": Row("verified, a process for each core, s", "{:.2f}", "under 10"),
    "verified_cpu": Row("  of the processor, s", "{:.2f}"),
    "verified_alone": Row("verified by one process, s", "{:.2f}"),
}
_FOR_A_MILLION = {"recovered", "verified"}


class Progress:
    """One line on standard error that is written over at a terminal, or a line for each tenth elsewhere."""

    def __init__(self) -> None:
        self.before, self.tenth, self.is_terminal = "", 0, sys.stderr.isatty()

    def __call__(self, about: str, done: int, total: int) -> None:
        tenth = 10 * done // max(1, total)
        if (about, tenth) == (self.before, self.tenth):
            return
        self.before, self.tenth = about, tenth
        begin, end = ("\r\033[K", "") if self.is_terminal else ("", "\n")
        print(f"{begin}  {about} {done:,} of {total:,}", end=end, file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self.is_terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks ledger", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    parser.add_argument("--events", type=int, default=MILLION, help="how many events are recorded in groups")
    parser.add_argument("--singles", type=int, default=5_000, help="how many one by one")
    parser.add_argument(
        "--mix", choices=[*MIXES, "both"], default="both", help="decisions alone (the longest records), or a session's"
    )
    parser.add_argument("--no-server", action="store_true", help="leave out PostgreSQL")
    parser.add_argument("--alone", action="store_true", help="verify by one process as well")
    parser.add_argument("--folder", type=Path, help="where the ledgers are made (default: the system's temporary folder)")
    chosen = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="tb-ledger-", dir=chosen.folder) as name:
        folder = Path(name)
        flushed = flush(folder)
        if not chosen.json:
            about = f"{os.cpu_count()} cores at load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}"
            print(f"{about}; 4 KB are flushed in {flushed:.2f} ms", flush=True)
        found = {
            mix: _measured(folder, Amount(chosen.events, chosen.singles, mix, chosen.alone), chosen.no_server, chosen.json)
            for mix in (MIXES if chosen.mix == "both" else [chosen.mix])
        }
    if chosen.json:
        print(json.dumps({"events": chosen.events, "flush_ms": flushed, "measured": found}, indent=2))
    return 0


def _measured(folder: Path, amount: Amount, without_server: bool, quiet: bool) -> dict[str, dict[str, float] | str]:
    """SQLite, then PostgreSQL, or why it was not measured."""
    found: dict[str, dict[str, float] | str] = {"SQLite": _told("SQLite", folder / f"{amount.mix}.db", amount, quiet)}
    for file in folder.glob(f"{amount.mix}.db*"):
        file.unlink()
    if not without_server:
        servers = _servers()
        try:
            with _database(servers) as database:
                found["PostgreSQL"] = _told("PostgreSQL", database, amount, quiet)
        except servers.Missing as missing:
            found["PostgreSQL"] = str(missing)
            if not quiet:
                print(f"\nPostgreSQL: {missing}", flush=True)
    return found


def _told(where: str, place: Place, amount: Amount, quiet: bool) -> dict[str, float]:
    """The figures of one ledger, printed as they come."""
    about = "decisions alone" if amount.mix == "decisions" else "the mix of a session"
    if not quiet:
        print(f"\n{where}: {amount.events:,} events, {about}, {size(amount.mix):,.0f} bytes each", flush=True)
    found: dict[str, float] = {}
    progress = Progress()

    def tell(name: str, value: float) -> None:
        found[name] = value
        progress.clear()
        if not quiet:
            row = ROWS[name]
            bar = row.bar if name not in _FOR_A_MILLION or amount.events == MILLION else f"{row.bar} for a million"
            print(f"  {row.title:38}{row.form.format(value):>12}" + f"  ({bar})" * bool(bar), flush=True)

    measure(place, amount, tell, progress)
    return found


@contextmanager
def _database(servers: ModuleType) -> Iterator[Database]:
    with ExitStack() as stack:
        server = stack.enter_context(servers.running(fsync=True))
        os.environ[ADDRESS] = server.schema_address()
        yield Database(ADDRESS)


def _servers() -> ModuleType:
    """The server that the tests start."""
    path = Path(__file__).resolve().parents[2] / "tests" / "ledger" / "postgres_server.py"
    spec = importlib.util.spec_from_file_location("postgres_server", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
