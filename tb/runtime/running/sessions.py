"""Sessions on disk: begun, gone on with after a cut, taken again.

The folder of a session, which its run names, stands beside its ledger: its inputs, and its bars as files that other commands
read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from tb.core.diagnostics import Refused, error
from tb.core.records import Record, Run
from tb.core.span import whole_file
from tb.core.time import show_instant
from tb.ledger import Place, RunInfo
from tb.runtime.ports.feed import Bar
from tb.runtime.running.inputs import DAMAGED, NAME, Close, History, Input, Opening, read_inputs
from tb.runtime.running.recording import Keeps

MODES = ("dry-run", "paper", "live")
OTHER_POLICY = "TB863"


class SessionLedger(Keeps, Protocol):
    """A ledger, as far as sessions are begun and found in it."""

    def runs(self) -> list[RunInfo]: ...

    def records(self, run: str) -> Iterator[Record]: ...

    def start_run(self, run: Run) -> Run: ...


def new_folder(root: Path, ledger: Place, mode: str, started: int) -> Path:
    """Where the inputs of a new session are to be: beside the ledger, in the project where that is in a database."""
    beside = ledger if isinstance(ledger, Path) else root / ".tb" / "ledger"
    return (beside.parent / f"{beside.stem}.sessions" / f"{mode}-{started}").resolve()


def folder_of(run: Run) -> Path:
    """Where the inputs of a session are. Raises Refused TB860 where a run is no session, or they are gone."""
    folder = Path(run.config.get("inputs", ""))
    if run.mode not in MODES or not (folder / NAME).is_file():
        gone = f"the inputs of run {run.id} are not in `{folder}` any more"
        message = gone if run.mode in MODES else f"run {run.id} is no session of `tb run`"
        hint = "restore the folder from a backup, or start a new session with `tb run --new`"
        raise Refused([error(DAMAGED, message, whole_file(str(folder)), hint)])
    return folder


def unfinished(ledger: SessionLedger, mode: str) -> Run | None:
    """The newest session of a mode, where it can be gone on with; None where there is none, or it is over."""
    newest = next((info for info in reversed(ledger.runs()) if info.run.mode == mode), None)
    return newest.run if newest is not None and newest.unfinished else None


def opened(folder: Path) -> tuple[Opening, Iterator[Input]]:
    """How a session was opened, and the inputs that came then. Raises Refused TB860."""
    inputs = read_inputs(folder / NAME)
    first = next(inputs, None)
    if not isinstance(first, Opening):
        message = "the inputs of this session do not say how it was opened"
        hint = "restore the folder from a backup, or start a new session with `tb run --new`"
        raise Refused([error(DAMAGED, message, whole_file(str(folder / NAME)), hint)])
    return first, inputs


def same_policy(opening: Opening, policy_hash: str, path: Path) -> None:
    """Raises Refused TB863 where the policy has changed since the session began."""
    if opening.policy_hash != policy_hash:
        message = f"session {opening.run} began under policy {opening.policy_hash[:12]}, and this is {policy_hash[:12]}"
        hint = "go back to its policy (`tb ledger` keeps it), or start a new session with `tb run --new`"
        raise Refused([error(OTHER_POLICY, message, whole_file(str(path)), hint)])


def bars_of(inputs: Iterable[Input]) -> dict[str, tuple[Bar, ...]]:
    """All bars that came to a session, by instrument and in order."""
    found: dict[str, list[Bar]] = {}
    for given in inputs:
        if isinstance(given, History):
            for symbol, bars in given.bars.items():
                found.setdefault(symbol, []).extend(bars)
        elif isinstance(given, Close):
            for symbol, bar in given.bars.items():
                found.setdefault(symbol, []).append(bar)
    return {symbol: tuple(bars) for symbol, bars in found.items()}


class BarFiles:
    """The bars of a session as `SYMBOL.csv` files, such as `tb replay --data` reads. They follow from the inputs: what is lost
    of them is written again when the session goes on."""

    def __init__(self, folder: Path, instruments: Sequence[str], *, quoted: Collection[str]) -> None:
        self.folder = folder
        self._columns = {
            symbol: ("open", "high", "low", "close", "volume", *(("bid", "ask") if symbol in quoted else ()))
            for symbol in instruments
        }
        self._lines: dict[str, list[str]] = {
            symbol: [",".join(("time", *columns)) + "\n"] for symbol, columns in self._columns.items()
        }
        self._begun: set[str] = set()

    def take(self, given: Input) -> None:
        match given:
            case History():
                for symbol, bars in given.bars.items():
                    self._lines[symbol] += [self._line(symbol, bar) for bar in bars]
            case Close():
                for symbol, bar in given.bars.items():
                    self._lines[symbol].append(self._line(symbol, bar))
            case _:
                pass

    def _line(self, symbol: str, bar: Bar) -> str:
        values = (getattr(bar, name) for name in self._columns[symbol])
        return ",".join((show_instant(bar.start), *("" if value is None else repr(float(value)) for value in values))) + "\n"

    def write(self) -> str:
        """Writes what came since the last time; says what went wrong, empty where nothing did. An instrument without a bar has
        no file."""
        for symbol, lines in self._lines.items():
            if len(lines) < (1 if symbol in self._begun else 2):
                continue
            try:
                with (self.folder / f"{symbol.replace('/', '_')}.csv").open("a" if symbol in self._begun else "w") as file:
                    file.writelines(lines)
            except OSError as problem:
                return f"bars cannot be written: {(problem.strerror or 'the file system refused').lower()}"
            self._begun.add(symbol)
            self._lines[symbol] = []
        return ""
