"""A plain HTML table. Cells arrive as finished HTML: whoever writes one escapes it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from tb.replay.report.wording import text


def tone(value: float | None) -> str:
    """A class for a signed amount."""
    return "" if value is None or value == 0 else "gain" if value > 0 else "loss"


def coloured(value: float | None, shown: str) -> str:
    return f'<span class="{tone(value)}">{shown}</span>' if tone(value) else shown


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Collection[int] = (), kind: str = "", tall: bool = False
) -> str:
    """`numbers` are the columns set to the right; `kind` is a class for the style sheet.

    Wide tables scroll in their frame; those that may be long do so when `tall`, with their heads in place."""
    sides = [' class="n"' if column in numbers else "" for column in range(len(heads))]
    top = "".join(f'<th scope="col"{side}>{text(head)}</th>' for head, side in zip(heads, sides, strict=True))
    body = "".join(f"<tr>{_cells(row, sides)}</tr>" for row in rows)
    style = f' class="{kind}"' if kind else ""
    frame = "scroll tall" if tall else "scroll"
    return f'<div class="{frame}"><table{style}><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _cells(row: Sequence[str], sides: Sequence[str]) -> str:
    return "".join(f"<td{side}>{cell}</td>" for cell, side in zip(row, sides, strict=True))
