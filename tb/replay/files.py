"""Which file of a data folder holds which instrument's bars or quotes.

Files that are neither Parquet nor CSV are nobody's business here. A Parquet or CSV file whose name is not an instrument's is a
refusal, unless instruments were named: then only their files count.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tb.core.diagnostics import Diagnostic, Refused, did_you_mean, error
from tb.core.span import whole_file

NO_FOLDER = "TB640"
NO_DATA = "TB641"
NOT_AN_INSTRUMENT = "TB642"
TWO_FILES = "TB643"
NOT_PRESENT = "TB656"

SYMBOL = r"[A-Z0-9]{1,20}[-_][A-Z0-9]{1,20}"
_NAME = re.compile(rf"(?P<symbol>{SYMBOL})(?:\.(?P<kind>trade|quote))?\.(?:parquet|csv)", re.ASCII)
_FUNDING = re.compile(rf"{SYMBOL}\.funding(?:_[0-9]+[smhdw])?\.(?:parquet|csv)", re.ASCII)  # tb.replay.funding


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one instrument: bars, quotes, or both."""

    bars: Path | None
    quotes: Path | None


def find_files(folder: Path, instruments: Sequence[str] | None) -> dict[str, Files]:
    """The files of each instrument asked for, of all where None. Raises Refused with all findings."""
    names = [name for name in _names(folder) if not _FUNDING.fullmatch(name)]
    if instruments is not None and not instruments:
        raise Refused(
            [error(NOT_PRESENT, "no instrument is asked for", whole_file(str(folder)), "name one, or none to use all")]
        )
    asked = None if instruments is None else set(instruments)
    findings: list[Diagnostic] = []
    found: dict[tuple[str, str], list[str]] = {}
    for name in names:
        match = _NAME.fullmatch(name)
        if match is None and asked is None:
            findings.append(_misnamed(folder, name))
        elif match is not None and (asked is None or match["symbol"] in asked):
            kind = "quotes" if match["kind"] == "quote" else "bars"
            found.setdefault((match["symbol"], kind), []).append(name)
    for (symbol, kind), same in found.items():
        if len(same) > 1:
            message = f"`{same[0]}` and `{same[1]}` both hold {kind} of `{symbol}`"
            findings.append(error(TWO_FILES, message, whole_file(str(folder / same[1])), "keep one of them"))
    findings += _not_present(folder, names, asked or set(), {symbol for symbol, _ in found})
    if findings:
        raise Refused(findings)
    return {
        symbol: Files(*(folder / found[symbol, kind][0] if (symbol, kind) in found else None for kind in ("bars", "quotes")))
        for symbol in sorted({symbol for symbol, _ in found})
    }


def _names(folder: Path) -> list[str]:
    place, hint = whole_file(str(folder)), "name a folder with files such as `BTC-USD.parquet` or `BTC-USD.csv`"
    if not folder.is_dir():
        message = f"`{folder}` is a file, not a folder" if folder.exists() else f"the folder `{folder}` does not exist"
        raise Refused([error(NO_FOLDER, message, place, hint)])
    try:
        files = sorted(file.name for file in folder.iterdir() if not file.name.startswith("."))
    except OSError as problem:
        message = f"the folder `{folder}` cannot be read: {(problem.strerror or 'no reason given').lower()}"
        raise Refused([error(NO_FOLDER, message, place)]) from problem
    names = [name for name in files if name.lower().endswith((".parquet", ".csv"))]
    if not names:
        what = "is empty" if not files else "has no `.parquet` or `.csv` file"
        raise Refused([error(NO_DATA, f"the folder `{folder}` {what}", place, hint)])
    return names


def _misnamed(folder: Path, name: str) -> Diagnostic:
    stem, _, ending = name.rpartition(".")
    better = f"{re.sub(r'[/ ]', '-', stem).upper()}.{ending.lower()}"
    better = better.replace(".TRADE.", ".trade.").replace(".QUOTE.", ".quote.")
    rename = f"rename it to `{better}`" if better != name and _NAME.fullmatch(better) else ""
    hint = rename or "name bars `BTC-USD.parquet` and quotes `BTC-USD.quote.parquet`, or move the file away"
    return error(NOT_AN_INSTRUMENT, f"the name of `{name}` is not that of an instrument", whole_file(str(folder / name)), hint)


def _not_present(folder: Path, names: list[str], asked: set[str], present: set[str]) -> list[Diagnostic]:
    there = sorted({match["symbol"] for name in names if (match := _NAME.fullmatch(name))})
    known = "the folder has " + ", ".join(f"`{symbol}`" for symbol in there) if there else "the folder has no instruments"
    return [
        error(
            NOT_PRESENT, f"no data of `{symbol}` in `{folder}`", whole_file(str(folder)), did_you_mean(symbol, there) or known
        )
        for symbol in sorted(asked - present)
    ]
