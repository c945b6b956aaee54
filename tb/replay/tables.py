"""A file of market data as a table, or the reason, in words for people, why it is none.

A Parquet file keeps its types. In a CSV file the first line names the columns, every other line has as many values, and all of
them stay text, None where nothing stands.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tb.replay.findings import FileFindings

if TYPE_CHECKING:
    import polars as pl

UNREADABLE = "TB644"
COLUMNS = "TB645"
NO_ROWS = "TB646"
RAGGED = "TB659"

EMPTY_WORDS = ("", "NA", "N/A", "null", "NULL", "None", "nan", "NaN")


class _Line(NamedTuple):
    number: int  # in the file, from 1
    text: str


def read_table(path: Path, findings: FileFindings) -> pl.DataFrame | None:
    try:
        data = path.read_bytes()
    except OSError as problem:
        reason = (
            "permission denied" if isinstance(problem, PermissionError) else (problem.strerror or "no reason given").lower()
        )
        findings.add(UNREADABLE, f"the file cannot be read: {reason}")
        return None
    if not data.strip():
        findings.add(NO_ROWS, "the file is empty", "remove the file, or fill it")
        return None
    return _parquet(data, findings) if path.suffix.lower() == ".parquet" else _csv(data, findings)


def _parquet(data: bytes, findings: FileFindings) -> pl.DataFrame | None:
    import polars as pl

    if not data.startswith(b"PAR1"):
        hint = "rename it to end in `.csv`" if b"," in data[:200] and b"\0" not in data[:200] else "write it as Parquet"
        findings.add(UNREADABLE, "this is not a Parquet file", hint)
        return None
    if not data.endswith(b"PAR1") or len(data) < 12:
        findings.add(UNREADABLE, "the Parquet file is cut off: its end is missing", "copy or download it again")
        return None
    try:
        return pl.read_parquet(io.BytesIO(data))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError, OverflowError):
        findings.add(UNREADABLE, "the Parquet file is damaged", "copy or download it again")
        return None


def _csv(data: bytes, findings: FileFindings) -> pl.DataFrame | None:
    import polars as pl

    text = _text(data, findings)
    lines = _lines(text, findings) if text is not None else None
    if lines is None:
        return None
    names = [name.strip() for name in lines[0].text.split(",")]
    if len(names) == 1 and (separator := next((mark for mark in ";\t|" if mark in names[0]), None)):
        shown = "tabs" if separator == "\t" else f"`{separator}`"
        findings.add(COLUMNS, f"the columns are divided by {shown}", "divide them by `,`")
    for name in sorted({name for name in names if names.count(name) > 1}):
        findings.add(COLUMNS, f"the column `{name}` is there twice", "remove one of them")
    rows = lines[1:]
    findings.lines = np.array([line.number for line in rows], dtype=np.int64)
    counts = [line.text.count(",") + 1 for line in rows]
    uneven = np.array(counts, dtype=np.int64) != len(names)
    findings.add_rows(RAGGED, uneven, lambda row: f"{counts[row]} values, and the first line names {len(names)} columns")
    if findings.has_errors:
        return None
    if not rows:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    # what is not there is told from what is wrong later, so everything is text here
    body = "\n".join(line.text for line in rows).encode()
    frame = pl.read_csv(io.BytesIO(body), has_header=False, new_columns=names, infer_schema=False, quote_char=None)
    words = pl.all().str.strip_chars()
    return frame.select(pl.when(words.is_in(EMPTY_WORDS)).then(None).otherwise(words).name.keep())


def _text(data: bytes, findings: FileFindings) -> str | None:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        findings.add(UNREADABLE, f"line {line} is not UTF-8 text", "save the file as UTF-8")
        return None
    if "\0" in text:
        findings.add(UNREADABLE, "this is not a CSV file: it has zero bytes", "write it as text")
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _lines(text: str, findings: FileFindings) -> list[_Line] | None:
    """The lines that are not blank, without quotes."""
    if '"' not in text:
        return [_Line(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    reader = csv.reader(io.StringIO(text))
    try:
        rows = [(reader.line_num, row) for row in reader if any(row)]
    except csv.Error:
        findings.add(UNREADABLE, f"line {reader.line_num} has a quote that does not fit", "write values without quotes")
        return None
    for number, row in rows:
        if any("," in value or "\n" in value for value in row):
            findings.add(UNREADABLE, f"line {number} has a value with a `,` or a line end in it", "write numbers as `1234.5`")
            return None
    return [_Line(number, ",".join(row)) for number, row in rows]
