"""Writes `docs/errors.md` from the table of codes: `python docs/generate.py`, or `--check` to only compare.

A test holds the page equal to the table, so the page is never edited by hand.
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from tb.core.codes import CODES, Code, range_of

PAGE = Path(__file__).resolve().parent / "errors.md"

HEAD = """# Messages

Every message of tb carries a code. This page says what each code means and shows the hint that comes with it. It is written
from the table in `tb/core/codes.py` by `python docs/generate.py`.
"""


def entry(row: Code) -> str:
    return f"### {row.code} {row.title}\n\n*{row.severity}*. {row.meaning}\n\nhint: {row.example_hint}\n"


def errors_page() -> str:
    rows = sorted(CODES.values(), key=lambda row: row.code)
    parts = [HEAD]
    for title, group in groupby(rows, key=lambda row: range_of(row.code)):
        parts.append(f"## {title}\n")
        parts += [entry(row) for row in group]
    return "\n".join(parts)


def main(arguments: list[str]) -> int:
    page = errors_page()
    if "--check" in arguments:
        is_current = PAGE.exists() and PAGE.read_text(encoding="utf-8") == page
        print("docs/errors.md is up to date" if is_current else "docs/errors.md is out of date: run python docs/generate.py")
        return 0 if is_current else 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
