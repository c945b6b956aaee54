"""What is wrong with one data file, counted in rows as people count them.

A file can have thousands of bad rows; at most twenty findings of each severity are kept, the earliest rows, and the rest is
counted. Row 1 is the first row of data. For a CSV file the line is named too, and is where the finding points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tb.core.diagnostics import Diagnostic, Severity
from tb.core.span import Span, whole_file

MORE = "TB658"
_MOST = 20

Mask = NDArray[np.bool_]


@dataclass(slots=True)
class FileFindings:
    """Collects the findings of one file; `lines` is the line of each row in a CSV file, None for Parquet."""

    file: str
    lines: NDArray[np.int64] | None = None
    _kept: list[tuple[Severity, int, Diagnostic]] = field(default_factory=list)
    _counts: dict[Severity, int] = field(default_factory=dict)

    @property
    def has_errors(self) -> bool:
        return bool(self._counts.get(Severity.ERROR))

    def add(self, code: str, message: str, hint: str = "", *, severity: Severity = Severity.ERROR) -> None:
        """A finding about the file as a whole."""
        self._counts[severity] = self._counts.get(severity, 0) + 1
        self._kept.append((severity, -1, Diagnostic(code, severity, message, whole_file(self.file), hint)))

    def add_rows(
        self, code: str, bad: Mask, say: Callable[[int], str], hint: str = "", *, severity: Severity = Severity.ERROR
    ) -> None:
        """A finding for each row that is bad; `say` gets the row, from 0, and says what is wrong with it."""
        rows = np.flatnonzero(bad)
        self._counts[severity] = self._counts.get(severity, 0) + len(rows)
        for row in rows[:_MOST].tolist():
            line = row + 1 if self.lines is None else int(self.lines[row])
            message = f"{self.place(row)}: {say(row)}"
            self._kept.append((severity, row, Diagnostic(code, severity, message, Span(self.file, line, 1, line, 1), hint)))

    def place(self, row: int) -> str:
        """`row 17`, of a CSV file `row 17 (line 18)`."""
        return f"row {row + 1}" if self.lines is None else f"row {row + 1} (line {int(self.lines[row])})"

    def all(self) -> list[Diagnostic]:
        """The findings about the file, then the earliest of those about rows; the last one says how many are left out."""
        result = []
        for severity in sorted(self._counts, reverse=True):
            found = sorted(
                (item for item in self._kept if item[0] is severity), key=lambda item: (item[1], item[2].code, item[2].message)
            )
            shown = [finding for _, _, finding in found[:_MOST]]
            if left := self._counts[severity] - len(shown):
                what = "problems" if severity is Severity.ERROR else "warnings"
                last = shown[-1].span
                shown.append(Diagnostic(MORE, severity, f"and {left} more {what} in this file", last))
            result += shown
        return result
