"""The price of each instrument with the trades made in it: where each began and ended, and whether it paid."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from tb.core.records import Trade
from tb.replay.report.chart import Readout, Span, chart, path, percent
from tb.replay.report.scales import Scale, scale
from tb.replay.report.thinning import Band, Bars, bands
from tb.replay.report.wording import fixed, instant, money, price, quantity, ratio, text

MOST_DRAWN = 1500  # trades drawn for one instrument
MOST_NAMED = 250  # up to here every mark says what it is
OPEN_AT_FIRST = 8  # charts unfolded without a click


def prices_section(bars: Mapping[str, Bars], trades: Sequence[Trade], span: Span, currency: str) -> str:
    made: dict[str, list[Trade]] = {}
    for trade in trades:
        made.setdefault(trade.instrument, []).append(trade)
    return "".join(
        _instrument(name, columns, made.get(name, []), span, currency, unfolded=number < OPEN_AT_FIRST)
        for number, (name, columns) in enumerate(bars.items())
    )


def _instrument(name: str, bars: Bars, trades: list[Trade], span: Span, currency: str, *, unfolded: bool) -> str:
    pieces = bands(bars, span)
    if not pieces:
        return f'<p class="empty">{text(name)}: no bars within the run</p>'
    every = [band for piece in pieces for band in piece]
    ends = [min(band.low for band in every), max(band.high for band in every)]
    axis = scale(ends, may_be_logarithmic=True)
    shown = trades[-MOST_DRAWN:]
    digits = max((len(price(value).partition(".")[2].rstrip("0")) for value in axis.ticks()), default=0)
    drawn = chart(
        f"price of {name} with {len(trades)} trades",
        240,
        span,
        axis,
        lambda value: fixed(value, digits),
        drawing=_outline(pieces, span, axis) + _ties(shown, span, axis),
        marks=_marks(shown, span, axis, currency),
        readout=Readout([(band.at, band.close) for band in every], name),
    )
    heading = _heading(name, trades, len(shown), axis, currency)
    return f'<details class="price"{" open" if unfolded else ""}>{heading}{drawn}</details>'


def _heading(name: str, trades: list[Trade], drawn: int, axis: Scale, currency: str) -> str:
    closed = [trade for trade in trades if trade.profit is not None]
    parts = [f"{len(trades):,} trades" if len(trades) != 1 else "1 trade"]
    if closed:
        profit = sum((trade.profit or Decimal(0) for trade in closed), Decimal(0))
        won = sum(trade.profit is not None and trade.profit > 0 for trade in closed)
        tone = "gain" if profit > 0 else "loss" if profit < 0 else "even"
        parts += [f"{ratio(won / len(closed), 0)} won", f'<b class="{tone}">{money(profit, currency, signed=True)}</b>']
    if drawn < len(trades):
        parts.append(f"the last {drawn:,} drawn")
    if axis.logarithmic:
        parts.append("logarithmic")
    return f"<summary><strong>{text(name)}</strong><span>{' · '.join(parts)}</span></summary>"


def _outline(pieces: Sequence[Sequence[Band]], span: Span, axis: Scale) -> str:
    """A band from low to high with the closes on it; gaps in the bars stay gaps."""
    band, line = "", ""
    for piece in pieces:
        x = [span.place(item.at) for item in piece]
        upper = [(place, axis.place(item.high)) for place, item in zip(x, piece, strict=True)]
        lower = [(place, axis.place(item.low)) for place, item in zip(x, piece, strict=True)]
        band += path([*upper, *reversed(lower)]) + "Z"
        line += path((place, axis.place(item.close)) for place, item in zip(x, piece, strict=True))
    return f'<path class="band" d="{band}"/><path class="line thin" d="{line}"/>'


def _tone(trade: Trade) -> str:
    if trade.profit is None:
        return "open"
    return "gain" if trade.profit > 0 else "loss" if trade.profit < 0 else "even"


def _ties(trades: Iterable[Trade], span: Span, axis: Scale) -> str:
    """A line from each entry to its exit, as one path for each tone."""
    parts = {"gain": "", "loss": "", "even": ""}
    for trade in trades:
        if trade.exit_at is not None and trade.exit_price is not None and trade.profit is not None:
            parts[_tone(trade)] += path(
                [
                    (span.place(trade.entry_at), axis.place(float(trade.entry_price))),
                    (span.place(trade.exit_at), axis.place(float(trade.exit_price))),
                ]
            )
    return "".join(f'<path class="tie {tone}" d="{data}"/>' for tone, data in parts.items() if data)


def _marks(trades: Sequence[Trade], span: Span, axis: Scale, currency: str) -> str:
    """Triangles at entries (up: long, down: short), diamonds at exits and where parts left, coloured by what the trade made,
    later ones on top."""
    small, is_named = "-small" if len(trades) > 120 else "", len(trades) <= MOST_NAMED
    groups = []
    for tone, alike in itertools.groupby(trades, _tone):
        uses = "".join(_uses(trade, span, axis, small, _title(trade, currency) if is_named else "") for trade in alike)
        groups.append(f'<g class="mark {tone}">{uses}</g>')
    return "".join(groups)


def _uses(trade: Trade, span: Span, axis: Scale, size: str, title: str) -> str:
    spots = [("up" if trade.side == "long" else "down", trade.entry_at, trade.entry_price)]
    if trade.exits:
        spots += [("out", part.at, part.price) for part in trade.exits]
    elif trade.exit_at is not None and trade.exit_price is not None:
        spots.append(("out", trade.exit_at, trade.exit_price))
    shown = ""
    for name, at, value in spots:
        x, y = percent(span.place(at)), percent(1.0 - axis.place(float(value)))
        place = f'<use href="#{name}{size}" x="{x}" y="{y}"'
        shown += f"{place}><title>{title}</title></use>" if title else f"{place}/>"
    return shown


def _title(trade: Trade, currency: str) -> str:
    opened = f"t{trade.seq} {trade.side} {quantity(trade.quantity)} at {price(trade.entry_price)}, {instant(trade.entry_at)}"
    if trade.exit_at is None:
        return f"{opened}; still open"
    closed = f"{text(trade.cause)} at {price(trade.exit_price)}, {instant(trade.exit_at)}"
    return f"{opened}; {closed}; {money(trade.profit, currency, signed=True)}"
