"""Much at once goes straight into the file: a replay's megabytes are written once, not into a log and from there once more.

A ledger is in WAL mode, so that nobody waits for anybody. Who has it to himself may leave that mode for a while (`leave_log`),
and comes back to it when his run is over (`take_log`). Nobody else is in the way meanwhile: a connection of somebody else, be
it idle, keeps the log from being left, and whoever connects to a ledger without its log gives it back first (`require_log`),
between two groups of the writer, who goes on in the log then. What a killed writer left comes back to it that way, too: the
group that it was in the middle of is taken back, all before it is there.

Each group is on the disk when it is written, at any synchronous but OFF: what stands in the file already and changes is kept
in a journal beside it until the group is flushed.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

MUCH = 1 << 20  # bytes of a hand-over from which on it pays: leaving the log and coming back cost what writing so many does
_IS_LEDGER = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('entries', 'segments')"
_PAGES = -100  # kB of pages that are held meanwhile: what is written once is not looked at again
PATIENCE = 60_000  # ms to wait for somebody who began to read in the very moment in which the log was left


def leave_log(driver: Any) -> tuple[int, int] | None:
    """Leaves the log, where nobody else has the ledger open, and says how the connection was set until then: how long it waited
    for others, in ms, and how many pages it held. Outside of a transaction."""
    if not _changed(driver, "DELETE"):
        return None
    before = [driver.execute(f"PRAGMA {name}").fetchone()[0] for name in ("busy_timeout", "cache_size")]
    _set(driver, PATIENCE, _PAGES)
    return before[0], before[1]


def take_log(driver: Any, before: tuple[int, int]) -> None:
    """Comes back to the log. Where somebody reads without it just now, it is left to whoever connects next."""
    _set(driver, *before)
    _changed(driver, "WAL")


def _set(driver: Any, wait: int, pages: int) -> None:
    driver.execute(f"PRAGMA busy_timeout = {wait}")
    driver.execute(f"PRAGMA cache_size = {pages}")


def require_log(driver: Any, path: Path, wait: float, *, is_reader: bool) -> None:
    """Gives the log back to a ledger that is without it. A reader's connection cannot: another does, where this user may write.

    What is wrong with the file, or is no ledger, is left to the first question that is asked of it.
    """
    with suppress(sqlite3.Error):
        if driver.execute("PRAGMA journal_mode").fetchone() == ("wal",):
            return
    with suppress(sqlite3.Error):
        if not is_reader:
            _give_back(driver)
            return
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=wait)) as writer:
            _give_back(writer)


def _give_back(driver: Any) -> None:
    if driver.execute(_IS_LEDGER).fetchone() == (2,):
        _changed(driver, "WAL")


def has_journal(path: Path) -> bool:
    """Whether a group is in the middle of being written without the log, or its writer was killed then."""
    journal = path.with_name(path.name + "-journal")
    return journal.exists() and journal.stat().st_size > 0


def _changed(driver: Any, mode: str) -> bool:
    """Whether the ledger is in that mode now; false where somebody else keeps it from changing."""
    try:
        return bool(driver.execute(f"PRAGMA journal_mode = {mode}").fetchone()[0] == mode.lower())
    except sqlite3.OperationalError as problem:
        if problem.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return False
        raise
