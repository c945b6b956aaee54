"""Programs for the linter as they stand in `tests/language/lint`: several files in one.

A line `--- policy/limits.tb` begins the next file; what stands before the first is `rules/program.tb`. `--- limits`, `--- data`
and `--- instruments` hold lines of `name value`: limits as in limits.yaml, a period and the bars of each instrument, and
`key=value` of each instrument; `--- zone` holds the zone of the account, `--- budget` that of the plan. `--- costs` are as
`--- instruments`. `--- bars` give a period and closes of each instrument, as `BTC-USD 100x30 200x90`; `--- run` what a run of
this very policy showed: `use LIMIT SHARE INSTANT TIMES`, `judged CONSTRAINT ORDERS REFUSED`, `trades STRATEGY NUMBER`.
A program without a policy is judged under STANDARD, which has nothing to complain about. How a program is laid out counts only
where its first line says `# layout counts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np

from tb.analysis.lint import DataSpan, lint
from tb.analysis.observed import Judged, Observed, Use
from tb.core.diagnostics import Diagnostic, Severity
from tb.core.time import parse_duration, parse_instant
from tb.dsl.parse import parse
from tb.engine.bars import Bars
from tb.engine.markets import Assumptions, Markets
from tb.gate.limits import Limits, parse_limits

UNFORMATTED = "TB508"
STANDARD = """\
limit   order_value     order.notional <= 10k USD
limit   collar          abs(order.price / mid - 1) <= 2%
limit   orders_rate     orders(10s) <= 20                 on every order
limit   entries_rate    entries(1h) <= 10
limit   drawdown_limit  drawdown <= 10%                   otherwise halt
require fresh_data      data_age <= 2 bars
"""


@dataclass(frozen=True)
class Known:
    """What a program says of an instrument."""

    pip: Decimal | None = None
    max_quantity: Decimal | None = None


@dataclass(frozen=True)
class Charged:
    """What a program says that the venue charges."""

    fee: Decimal = Decimal(0)
    slippage: Decimal = Decimal(0)
    spread: Decimal | None = None


def findings_of(text: str, *, levels: dict[str, Severity | None] | None = None) -> list[Diagnostic]:
    """What the linter says of a program."""
    parts = split(text)
    limits, found = Limits("policy/limits.yaml", {}), []
    if "limits" in parts:
        limits, found = parse_limits("policy/limits.yaml", parts.pop("limits"))
    charged = _costs(parts.pop("costs")) if "costs" in parts else None
    markets = _markets(parts.pop("bars")) if "bars" in parts else None
    observed = _run(parts.pop("run")) if "run" in parts else None
    budget = int(parts.pop("budget")) if "budget" in parts else None
    data = _data(parts.pop("data")) if "data" in parts else None
    known = _instruments(parts.pop("instruments")) if "instruments" in parts else None
    zone = ZoneInfo(parts.pop("zone").strip() if "zone" in parts else "UTC")
    if not any(path.startswith("policy/") for path in parts):
        parts["policy/standard.tb"] = STANDARD
    files = []
    for path, part in parts.items():
        file, mistakes = parse(path, part, is_policy=path.startswith("policy/"))
        files.append(file)
        found += mistakes
    if not text.startswith("# layout counts"):
        levels = {UNFORMATTED: None, **(levels or {})}
    return lint(
        files,
        findings=found,
        limits=limits.by_name,
        levels=levels,
        data=data,
        zone=zone,
        instruments=None if known is None else known.get,
        costs=None if charged is None else charged.get,
        markets=None if markets is None else lambda plan: markets,
        observed=observed,
        budget=budget,
    )


def split(text: str) -> dict[str, str]:
    """The parts of a program by name; lines of a file keep their numbers."""
    parts: dict[str, list[str]] = {"rules/program.tb": []}
    name = "rules/program.tb"
    for line in text.splitlines():
        if line.startswith("--- "):
            name = line.removeprefix("--- ").strip()
            parts[name] = []
        else:
            parts[name].append(line)
    return {name: "\n".join(lines) + "\n" for name, lines in parts.items()}


def _instruments(text: str) -> dict[str, Known]:
    rows = (line.split() for line in text.splitlines() if line)
    return {name: Known(**{key: Decimal(value) for key, value in (pair.split("=") for pair in pairs)}) for name, *pairs in rows}


def _costs(text: str) -> dict[str, Charged]:
    rows = (line.split() for line in text.splitlines() if line)
    return {
        name: Charged(**{key: Decimal(value) for key, value in (pair.split("=") for pair in pairs)}) for name, *pairs in rows
    }


def _markets(text: str) -> Markets:
    first, *rest = (line.split() for line in text.splitlines() if line)
    period = parse_duration(first[1])
    assert period is not None
    made = {}
    for symbol, *runs in rest:
        closes = np.concatenate([np.full(int(times), float(price)) for price, times in (run.split("x") for run in runs)])
        rows = np.arange(len(closes), dtype=np.int64)
        made[symbol] = Bars(symbol, period, rows * period, closes, closes, closes, closes, closes, None, None, symbol, rows)
    return Markets(made, Assumptions(), {})


def _run(text: str) -> Observed:
    rows = [line.split() for line in text.splitlines() if line]
    uses = {row[1]: Use(float(row[2]), parse_instant(row[3]) or 0, int(row[4])) for row in rows if row[0] == "use"}
    judged = {row[1]: Judged(int(row[2]), int(row[3])) for row in rows if row[0] == "judged"}
    return Observed("r1", uses, judged, {row[1]: int(row[2]) for row in rows if row[0] == "trades"})


def _data(text: str) -> DataSpan:
    first, *rest = (line.split() for line in text.splitlines() if line)
    period = parse_duration(first[1])
    assert period is not None
    return DataSpan(period, {symbol: int(bars) for symbol, bars in rest})
