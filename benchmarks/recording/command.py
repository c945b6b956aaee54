"""`python -m benchmarks ledger`: events a second, verification and recovery, in a file and on a PostgreSQL server."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from benchmarks.recording.events import MIXES, size
from benchmarks.recording.measuring import Measured, flush, measure
from tb.ledger import Database

ADDRESS = "TB_BENCHMARK_LEDGER"
ROWS = (
    ("in groups of 1,000, events/s", "grouped", "{:,.0f}"),
    ("  of the processor, us each", "grouped_cpu", "{:.1f}"),
    ("one by one, events/s", "single", "{:,.0f}"),
    ("  of the processor, us each", "single_cpu", "{:.0f}"),
    ("  p99, ms", "single_p99", "{:.2f}"),
    ("recovered after kill -9, s", "recovered", "{:.2f}"),
    ("verified, a process for each core, s", "verified", "{:.2f}"),
    ("  of the processor, s", "verified_cpu", "{:.2f}"),
    ("verified by one process, s", "verified_alone", "{:.2f}"),
)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks ledger", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    parser.add_argument("--events", type=int, default=1_000_000, help="how many events are recorded in groups")
    parser.add_argument("--singles", type=int, default=5_000, help="how many one by one")
    parser.add_argument(
        "--mix", choices=[*MIXES, "both"], default="both", help="decisions alone (the longest records), or a session's"
    )
    parser.add_argument("--no-server", action="store_true", help="leave out PostgreSQL")
    parser.add_argument("--folder", type=Path, help="where the ledgers are made (default: the system's temporary folder)")
    chosen = parser.parse_args(arguments)
    mixes = list(MIXES) if chosen.mix == "both" else [chosen.mix]
    with TemporaryDirectory(prefix="tb-ledger-", dir=chosen.folder) as name:
        folder = Path(name)
        flushed = flush(folder)
        found = {mix: _measured(folder, mix, chosen.events, chosen.singles, with_server=not chosen.no_server) for mix in mixes}
    if chosen.json:
        said = {
            mix: {where: one if isinstance(one, str) else asdict(one) for where, one in of.items()} for mix, of in found.items()
        }
        print(json.dumps({"events": chosen.events, "flush_ms": flushed, "measured": said}, indent=2))
        return 0
    load = os.getloadavg()[0]
    print(
        f"{os.cpu_count()} cores at load {load:.1f}, Python {platform.python_version()}; 4 KB are flushed in {flushed:.2f} ms"
    )
    for mix, of in found.items():
        _print(mix, chosen.events, of)
    return 0


def _measured(folder: Path, mix: str, count: int, singles: int, *, with_server: bool) -> dict[str, Measured | str]:
    """SQLite, then PostgreSQL, or why it was not measured."""
    path = folder / f"{mix}.db"
    found: dict[str, Measured | str] = {"SQLite": measure(path, count, mix, singles)}
    for file in folder.glob(f"{path.name}*"):
        file.unlink()
    if with_server:
        servers = _servers()
        with ExitStack() as stack:
            try:
                server = stack.enter_context(servers.running(fsync=True))
            except servers.Missing as missing:
                return {**found, "PostgreSQL": str(missing)}
            os.environ[ADDRESS] = server.schema_address()
            found["PostgreSQL"] = measure(Database(ADDRESS), count, mix, singles)
    return found


def _servers() -> ModuleType:
    """The server that the tests start."""
    path = Path(__file__).resolve().parents[2] / "tests" / "ledger" / "postgres_server.py"
    spec = importlib.util.spec_from_file_location("postgres_server", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _print(mix: str, count: int, found: dict[str, Measured | str]) -> None:
    about = "decisions alone" if mix == "decisions" else "the mix of a session"
    print(f"\n{count:,} events, {about}, {size(mix):,.0f} bytes each")
    print(f"  {'':38}" + "".join(f"{where:>14}" for where in found))
    for title, name, form in ROWS:
        cells = []
        for one in found.values():
            value = None if isinstance(one, str) else getattr(one, name)
            cells.append("-" if value is None else form.format(value))
        print(f"  {title:38}" + "".join(f"{cell:>14}" for cell in cells))
    for where, one in found.items():
        if isinstance(one, str):
            print(f"  {where}: {one}")
