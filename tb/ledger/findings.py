"""What the ledger has to say to people, and the translation of a database's refusals into it.

Codes: TB701 missing, TB702 not a ledger, TB703 damaged file, TB704 other schema version, TB705 locked by another writer,
TB706 cannot be opened or written, TB707 unknown run, TB708 policy missing, TB709 policy altered, TB710 chain broken,
TB711 tail missing, TB712 query table disagrees with its entry, TB713 decision log differs, TB714 no such decision, trade
or order, TB715 entry outside of its run, TB716 a group that was not confirmed is there.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from tb.core.diagnostics import Diagnostic, Refused, did_you_mean, error
from tb.core.span import whole_file
from tb.ledger.place import Place

_NOT_KEPT = frozenset({"22003", "22021", "22P05"})  # what a server cannot keep
RESTORE = "restore the file from a backup, or keep it as evidence and start a new ledger; nothing in it was changed"


def finding(path: Place, code: str, message: str, hint: str) -> Diagnostic:
    """An error about a ledger file as a whole."""
    return error(code, message, whole_file(str(path)), hint)


def refused(path: Place, code: str, message: str, hint: str) -> Refused:
    return Refused([finding(path, code, message, hint)])


def unknown_run(path: Place, run: str, known: Iterable[str]) -> Refused:
    names = list(known)
    near = did_you_mean(run, names)
    some = f"`{names[0]}` to `{names[-1]}`" if names[1:] else f"`{names[0]}`" if names else ""
    have = f"the ledger has {some}" if names else "the ledger has no run yet: `tb replay` makes one"
    return refused(path, "TB707", f"there is no run `{run}`", near or have)


def _says(problem: BaseException) -> tuple[str, str, str]:
    """Code, message and hint for what SQLite refused."""
    code = getattr(problem, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return (
                "TB705",
                "the ledger is locked by another writer",
                "wait until the other run has ended, or end it; what only reads, as `tb explain` does, need not wait",
            )
        case sqlite3.SQLITE_NOTADB:
            return "TB702", "the file is not a ledger", "name another file, or move this one away to start a new ledger"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return (
                "TB706",
                "the ledger cannot be written: permission denied",
                "let this user write the file and its folder",
            )
        case sqlite3.SQLITE_CANTOPEN:
            return (
                "TB706",
                "the ledger cannot be opened",
                "check that it is a file which this user may read",
            )
        case sqlite3.SQLITE_FULL:
            return "TB706", "the disk is full; the last group was not written", "free some space and run again"
        case sqlite3.SQLITE_IOERR:
            return "TB706", "the disk refused to read or write the ledger", "check the disk and the space that is left on it"
        case _:
            return "TB703", "the ledger is damaged or truncated", RESTORE


def _server_says(state: str | None) -> tuple[str, str, str]:
    """The same for a server, by its five letters (https://www.postgresql.org/docs/current/errcodes-appendix.html)."""
    match (state or "")[:2], state:
        case _, "55P03" | "40P01":
            return (
                "TB705",
                "the ledger is locked by another writer",
                "wait until the other run has ended, or end it; what only reads, as `tb explain` does, need not wait",
            )
        case "53", "53100":
            return "TB706", "the server's disk is full; the last group was not written", "free some space and run again"
        case (("28" | "3D" | "3F"), _):
            hint = "check user, password and the name of the database in the address"
            return "TB706", "the server does not let this user in", hint
        case _, "42501" | "25006":
            hint = "let this user create and write tables in the schema of the ledger"
            return "TB706", "the ledger cannot be written: permission denied", hint
        case (("XX" | "42" | "22"), _):
            return "TB703", "the ledger is damaged or truncated", RESTORE
        case (("" | "08" | "57" | "53"), _):
            hint = "check that the server runs and can be reached from here; nothing that was recorded is lost"
            return "TB886", "the database of the ledger does not answer", hint
        case _:
            return "TB706", f"the server refused (its code is {state})", "look into the server's log"


def database_errors() -> tuple[type[Exception], ...]:
    """What a database raises: bare, or through SQLAlchemy; the driver of a server only where somebody has loaded it."""
    driver = sys.modules.get("psycopg")
    return (DBAPIError, sqlite3.Error) if driver is None else (DBAPIError, sqlite3.Error, driver.Error)


def _inner(problem: BaseException) -> BaseException:
    return problem.orig if isinstance(problem, DBAPIError) and problem.orig is not None else problem


def damage(path: Place, problem: BaseException) -> Diagnostic:
    """The finding for an error of a database, whether raised bare or through SQLAlchemy."""
    inner = _inner(problem)
    says = _says(inner) if isinstance(inner, sqlite3.Error) else _server_says(getattr(inner, "sqlstate", None))
    return finding(path, *says)


@contextmanager
def refusing(path: Place) -> Iterator[None]:
    """Turns errors of a database into `Refused`. A broken constraint is a caller's bug (a number used twice): `ValueError`.

    What SQLite calls a plain error is a bug of tb and passes through, unless a table or column is gone from the file. The words
    of a server's driver may hold its address: they go no further, not even as the cause.
    """
    try:
        yield
    except database_errors() as problem:
        inner = _inner(problem)
        if isinstance(inner, sqlite3.Error):
            if isinstance(inner, sqlite3.IntegrityError):
                raise ValueError(f"the group was not written: {inner}") from problem
            if getattr(inner, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR and "no such" not in str(inner):
                raise
            raise Refused([damage(path, problem)]) from problem
        state = getattr(inner, "sqlstate", None) or ""
        if state.startswith("23"):
            raise ValueError("the group was not written: a number in it is used already") from None
        if state in _NOT_KEPT or (not state and type(inner).__name__ == "DataError"):
            raise ValueError(
                "the group was not written: a number beyond 64 bits, or a name with a character of code 0"
            ) from None
        raise Refused([damage(path, problem)]) from None
