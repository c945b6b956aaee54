"""The page: head, key figures, then one section for each question a reader asks of a run.

The file loads nothing: style sheet and script stand in it and are named by their hashes in its content security policy, which
lets nothing else run. Without the script only the read-out under the pointer is missing.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from importlib import resources

from tb.core.records import Decision, Latch, Run, Trade
from tb.core.time import show_duration
from tb.replay.curve import Points, curve
from tb.replay.figures import Metric, Metrics
from tb.replay.metrics_policy import stoppages
from tb.replay.report import listing, wording
from tb.replay.report.chart import Span
from tb.replay.report.equity import equity_section
from tb.replay.report.policy import limits_section, rules_section, stops_section
from tb.replay.report.prices import prices_section
from tb.replay.report.table import tone
from tb.replay.report.thinning import Bars
from tb.replay.report.wording import fixed, instant, text

KEY_FIGURES = (
    "total_return",
    "final_equity",
    "max_drawdown",
    "sharpe",
    "trades",
    "win_rate",
    "profit_factor",
    "expectancy_r",
    "proposals",
    "rejected",
)
SIGNED = frozenset({"total_return", "sharpe", "expectancy_r"})  # coloured by their sign
# marks of a price chart, twice: a chart full of trades gets the small ones
SHAPES = (
    '<svg class="shapes" width="0" height="0" aria-hidden="true"><defs>'
    '<path id="up" d="M0-6L5.5 4.5H-5.5Z"/><path id="down" d="M0 6L5.5-4.5H-5.5Z"/><path id="out" d="M0-4L4 0L0 4L-4 0Z"/>'
    '<path id="up-small" d="M0-4.5L4 3H-4Z"/><path id="down-small" d="M0 4.5L4-3H-4Z"/>'
    '<path id="out-small" d="M0-2.5L2.5 0L0 2.5L-2.5 0Z"/>'
    "</defs></svg>"
)
PRICE_LEGEND = (
    '<p class="legend"><svg class="sample" viewBox="-7 -7 14 14"><use href="#up"/></svg>long entry '
    '<svg class="sample" viewBox="-7 -7 14 14"><use href="#down"/></svg>short entry '
    '<svg class="sample" viewBox="-7 -7 14 14"><use href="#out"/></svg>exit '
    '<span class="key gain"></span>made money <span class="key loss"></span>lost money '
    '<span class="key open"></span>still open</p>'
)


def render_report(
    *,
    run: Run,
    summary: Mapping[str, object],
    metrics: Metrics,
    equity: Points,
    trades: Sequence[Trade],
    decisions: Sequence[Decision],
    latches: Sequence[Latch],
    bars: Mapping[str, Bars],
    notes: Sequence[str],
) -> str:
    """The report of `run` as one HTML document.

    `equity` is (instant, marked equity) within the run, ascending; `decisions` are the refused ones; `bars` holds for each
    instrument times (ms, ascending), open, high, low and close of equal length, NaN where unknown, drawn in the order given;
    `notes` are sentences shown at the top. Whatever text is among these is shown as text. Equal arguments give equal bytes.
    Raises ValueError where `measure` does.
    """
    line = curve(equity, run.initial_equity, run.first, run.last)
    span = Span(run.first, run.last)
    stops = stoppages(latches, run.last)
    currency = run.currency
    sections = (
        ("equity", "Equity", "Equity", equity_section(line, span, stops, currency)),
        ("months", "Months", "Monthly returns", listing.months_section(metrics.monthly)),
        ("prices", "Prices", "Trades on price", PRICE_LEGEND + prices_section(bars, trades, span, currency)),
        ("limits", "Limits", "Use of each limit", _limits(metrics)),
        ("refusals", "Refusals", "Refusals by rule", rules_section(metrics.rules, currency)),
        ("stops", "Stops", "Pauses and halts", stops_section(stops, span)),
        ("metrics", "Metrics", "Metrics", listing.figures_section(metrics, currency)),
        ("drawdowns", "Drawdowns", "Deepest drawdowns", listing.drawdowns_section(metrics.drawdowns, run.last, currency)),
        ("breakdown", "Sources", "Where it came from", listing.breakdown_section(metrics.breakdowns, currency)),
        ("trades", "Trades", "Trades", listing.trades_section(trades, run.id, currency)),
        ("refused", "Refused", "Refused entries", listing.refusals_section(decisions, run.id)),
        ("run", "Run", "How this run was made", _making(run, summary)),
        ("definitions", "Definitions", "Definitions", listing.definitions_section(metrics, currency)),
    )
    links = "".join(f'<a href="#{name}">{text(short)}</a>' for name, short, _, _ in sections)
    body = "".join(
        f'<section class="card" id="{name}"><h2>{text(title)}</h2>{inner}</section>' for name, _, title, inner in sections
    )
    main = f"{_head(run, notes, bars)}{_tiles(metrics, currency)}<nav>{links}</nav>{body}"
    title = f"{run.id}: {'simulation' if _simulated(run) else run.mode}"
    return document(title, span, f"{SHAPES}<main>{main}</main>")


def document(title: str, span: Span, body: str) -> str:
    """A page that loads nothing, with the style and the script of all reports; `body` is finished HTML."""
    style = _part("report.css")
    script = _part("report.js")
    rules = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{rules}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{text(title)} · tb report</title>\n<style>{style}</style>\n</head>\n"
        f'<body data-first="{span.first}" data-last="{span.last}">\n{body}\n<script>{script}</script>\n</body>\n</html>\n'
    )


def _part(name: str) -> str:
    return resources.files("tb.replay.report").joinpath(name).read_text(encoding="utf-8")


def _hash(part: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()


def _simulated(run: Run) -> bool:
    return run.mode != "live"


def _head(run: Run, notes: Sequence[str], bars: Mapping[str, Bars]) -> str:
    badge = (
        '<span class="badge">SIMULATION</span>' if _simulated(run) else f'<span class="badge">{text(run.mode.upper())}</span>'
    )
    names = ", ".join(run.instruments)
    facts = {
        "period": f"{instant(run.first)} to {instant(run.last)} UTC",
        "data": f"{text(run.data)}, {show_duration(run.period)} bars",
        "instruments": text(names),
        "policy": f'<code title="{text(run.policy_hash)}">{text(run.policy_hash[:16])}</code>',
        "initial equity": wording.money(run.initial_equity, run.currency),
    }
    items = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts.items())
    told = "".join(f"<li>{text(note)}</li>" for note in notes)
    remarks = f'<ul class="notes">{told}</ul>' if told else ""
    return f"<header><h1>Run {text(run.id)} {badge}</h1><dl>{items}</dl>{remarks}</header>"


def _tiles(metrics: Metrics, currency: str) -> str:
    return f'<div class="tiles">{"".join(_tile(metrics[name], currency) for name in KEY_FIGURES)}</div>'


def _tile(metric: Metric, currency: str) -> str:
    kind = tone(metric.value) if metric.name in SIGNED else ""
    reason = f"<small>{text(metric.note)}</small>" if metric.value is None else ""
    return (
        f'<div class="tile" title="{text(metric.definition)}"><span>{text(metric.label)}</span>'
        f'<b class="{kind}">{wording.metric(metric, currency)}</b>{reason}</div>'
    )


def _limits(metrics: Metrics) -> str:
    known = max((use.known + use.unknown for use in metrics.limits), default=0)
    note = f"share of each limit in use at {fixed(known, 0)} recorded marks; the line is the limit" if known else ""
    return (f'<p class="note">{note}</p>' if note else "") + limits_section(metrics.limits)


def _making(run: Run, summary: Mapping[str, object]) -> str:
    origin: dict[str, object] = {
        "mode": run.mode,
        "started": f"{instant(run.started)} UTC",
        "data": run.data,
        "data hash": run.data_hash,
        "policy hash": run.policy_hash,
        "version": run.version,
        "initial equity": Decimal(run.initial_equity),
        **{name: run.config[name] for name in sorted(run.config) if name != "data_path"},
    }
    told = {name: _summed(name, value) for name, value in summary.items()}
    return f'<div class="pairs">{listing.names_section(told)}{listing.names_section(origin)}</div>'


def _summed(name: str, value: object) -> object:
    """A value of the summary for reading: amounts stand there as exact text, ratios as fractions."""
    if name in {"total_return", "max_drawdown"} and isinstance(value, float):
        return f"{value * 100.0:.2f}%".replace("-", wording.MINUS)
    if isinstance(value, str) and re.fullmatch(r"-?\d+\.\d{3,}", value):
        return Decimal(value).quantize(Decimal("0.01"))
    return value
