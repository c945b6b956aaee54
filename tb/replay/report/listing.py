"""The tables of a report: figures with their definitions, months, drawdowns, trades and refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tb.core.records import Decision, Trade
from tb.replay.conventions import conventions
from tb.replay.figures import Breakdown, Drawdown, Group, Metric, Metrics, Month
from tb.replay.report import wording
from tb.replay.report.table import coloured, table
from tb.replay.report.wording import NONE, day, duration, fixed, instant, money, price, quantity, ratio, text

TRADES, REFUSALS = 200, 100  # rows shown, the last ones
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HEAT = (0.005, 0.02, 0.05, 0.1)  # from here on a month is coloured 1, 2, 3, 4 deep


def figures_section(metrics: Metrics, currency: str) -> str:
    return f'<div class="groups">{"".join(_group(group, currency) for group in metrics.groups)}</div>'


def _group(group: Group, currency: str) -> str:
    rows = "".join(_figure(metric, currency) for metric in group.metrics)
    return f'<section class="group"><h3>{text(group.label)}</h3><table>{rows}</table></section>'


def _figure(metric: Metric, currency: str) -> str:
    shown = wording.metric(metric, currency)
    note = f'<small class="note">{text(metric.note)}</small>' if metric.note else ""
    kind = "n faint" if metric.value is None else "n"
    return (
        f'<tr><th scope="row"><a class="term" href="#def-{text(metric.name)}" title="{text(metric.definition)}">'
        f'{text(metric.label)}</a>{note}</th><td class="{kind}">{shown}</td></tr>'
    )


def definitions_section(metrics: Metrics, currency: str) -> str:
    """What every figure means, in the order in which they stand, after what all have in common."""
    shared = "".join(f"<li>{text(sentence)}</li>" for sentence in conventions(metrics.days_per_year, currency))
    parts = "".join(
        f'<dt id="def-{text(metric.name)}">{text(metric.label)}</dt><dd>{text(metric.definition)}</dd>'
        for metric in metrics.each()
    )
    return f'<ul class="conventions">{shared}</ul><dl class="definitions">{parts}</dl>'


def months_section(months: Sequence[Month]) -> str:
    """Years down, months across, coloured by return; the year's return chains its months."""
    if not months:
        return '<p class="empty">no month</p>'
    years: dict[int, dict[int, Month]] = {}
    for month in months:
        years.setdefault(month.year, {})[month.month] = month
    rows = [[str(year), *(_heat(found.get(number)) for number in range(1, 13)), _year(found)] for year, found in years.items()]
    return table(("year", *MONTHS, "total"), rows, numbers=range(1, 14), kind="heat")


def _heat(month: Month | None) -> str:
    if month is None:
        return ""
    if month.value is None:
        return NONE
    depth = sum(abs(month.value) >= bound for bound in HEAT)
    kind = "even" if depth == 0 else f"{'up' if month.value > 0 else 'down'}{depth}"
    return f'<span class="{kind}">{ratio(month.value, 1)}</span>'


def _year(months: Mapping[int, Month]) -> str:
    grown = 1.0
    for month in months.values():
        if month.value is None:
            return NONE
        grown *= 1.0 + month.value
    return f"<b>{coloured(grown - 1.0, ratio(grown - 1.0, 1))}</b>"


def drawdowns_section(falls: Sequence[Drawdown], last: int, currency: str) -> str:
    if not falls:
        return '<p class="empty">equity never fell below an earlier peak</p>'
    rows = [
        [
            coloured(-1.0, ratio(-fall.depth)),
            money(-fall.money, currency),
            day(fall.peak),
            day(fall.trough),
            day(fall.recovered) if fall.recovered is not None else "not recovered",
            duration((fall.recovered if fall.recovered is not None else last) - fall.peak),
        ]
        for fall in falls
    ]
    return table(("depth", "money", "peak", "lowest", "recovered", "length"), rows, numbers=(0, 1, 5))


def breakdown_section(parts: Sequence[Breakdown], currency: str) -> str:
    shown = []
    for part in parts:
        rows = [
            [
                text(row.name),
                fixed(row.trades, 0),
                ratio(row.wins / row.trades, 0),
                NONE if row.mean_r is None else f"{fixed(row.mean_r, 2, signed=True)} R",
                coloured(row.profit, money(row.profit, currency, signed=True)),
            ]
            for row in part.rows
        ]
        if rows:
            shown.append(table((part.label.lower(), "trades", "won", "mean R", "profit"), rows, numbers=(1, 2, 3, 4)))
    return f'<div class="pairs">{"".join(shown)}</div>' if shown else '<p class="empty">no closed trades</p>'


def trades_section(trades: Sequence[Trade], run: str, currency: str) -> str:
    if not trades:
        return '<p class="empty">no trades</p>'
    shown = trades[-TRADES:]
    heads = (
        "id",
        "opened",
        "closed",
        "held",
        "instrument",
        "strategy",
        "side",
        "quantity",
        "entry",
        "exit",
        "cause",
        "R",
        "profit",
    )
    note = f"<code>tb explain {text(run)}.t{shown[-1].seq}</code> says why a trade was made"
    if len(shown) < len(trades):
        note = f"the last {len(shown)} of {len(trades):,}; {note}"
    rows = [_trade(trade, currency) for trade in reversed(shown)]
    return f'<p class="note">{note}</p>{table(heads, rows, numbers=(3, 7, 8, 9, 11, 12), tall=True)}'


def _trade(trade: Trade, currency: str) -> list[str]:
    profit = None if trade.profit is None else float(trade.profit)
    r = None if trade.r is None else float(trade.r)
    return [
        f"<code>t{trade.seq}</code>",
        instant(trade.entry_at),
        "open" if trade.exit_at is None else instant(trade.exit_at),
        NONE if trade.exit_at is None else duration(trade.exit_at - trade.entry_at),
        text(trade.instrument),
        text(trade.strategy),
        trade.side,
        quantity(trade.quantity),
        price(trade.entry_price),
        NONE if trade.exit_price is None else price(trade.exit_price),
        text(trade.cause or ""),
        NONE if r is None else coloured(r, fixed(r, 2, signed=True)),
        coloured(profit, money(trade.profit, currency, signed=True)),
    ]


def refusals_section(refused: Sequence[Decision], run: str) -> str:
    if not refused:
        return '<p class="empty">no entry was refused</p>'
    shown = refused[-REFUSALS:]
    note = f"<code>tb explain {text(run)}.d{shown[-1].seq}</code> says which clause decided and how far away it was"
    if len(shown) < len(refused):
        note = f"the last {len(shown)} of {len(refused):,}; {note}"
    heads = ("id", "at", "instrument", "strategy", "order", "verdict", "by", "reason of the strategy")
    rows = [
        [
            f"<code>d{decision.seq}</code>",
            instant(decision.at),
            text(decision.instrument),
            text(decision.strategy),
            _order(decision),
            f'<span class="tag {decision.verdict}">{decision.verdict}</span>',
            ", ".join(f'<span class="rule">{text(name)}</span>' for name in decision.deciding),
            text(decision.reason),
        ]
        for decision in reversed(shown)
    ]
    return f'<p class="note">{note}</p>{table(heads, rows, tall=True)}'


def _order(decision: Decision) -> str:
    at = "an unknown price" if decision.price is None else price(decision.price)
    return f"{decision.side} {quantity(decision.proposed)} at {at}"


def names_section(values: Mapping[str, object]) -> str:
    """A summary or a configuration: names and values as they are."""
    rows = "".join(
        f'<tr><th scope="row">{text(str(name).replace("_", " "))}</th><td>{wording.anything(value)}</td></tr>'
        for name, value in values.items()
    )
    return f'<div class="scroll"><table class="names">{rows}</table></div>'
