"""What the sandbox trades: recorded bars of a folder, and what the project says of instruments, fees and the account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tb.cli.opening import settings_of
from tb.cli.output import show_findings

if TYPE_CHECKING:
    from tb.connectors.sandbox.faults import Fault
    from tb.connectors.sandbox.product import Product
    from tb.connectors.sandbox.recording import Series
    from tb.core.settings import InstrumentSpec, Settings

SETTINGS_FILE = "tb.yaml"
UNREADABLE = "TB823"


def settings_if_any(project: Path) -> Settings | None:
    """The settings of a project; None where the folder has none."""
    return settings_of(project) if (project / SETTINGS_FILE).exists() else None


def data_folder(settings: Settings | None, project: Path, data: Path | None) -> Path:
    if data is not None:
        return data
    if settings is not None and settings.data is not None:
        return project / settings.data
    raise click.UsageError("say which prices to play: `--data PATH`, or `data:` under `replay:` in `tb.yaml`")


def recorded_series(
    folder: Path, instruments: Sequence[str] | None, first: int | None, last: int | None, root: Path
) -> dict[str, Series]:
    """The bars of each instrument. Raises Refused."""
    from tb.connectors.sandbox.recording import Columns, Series
    from tb.replay.data import load_market

    market = load_market(folder, instruments=instruments, first=first, last=last)
    show_findings(market.warnings, root, {})
    found = {}
    for symbol, bars in market.bars.items():
        quoted = None if bars.bid is None or bars.ask is None else (bars.bid.tolist(), bars.ask.tolist())
        columns = Columns(
            bars.time.tolist(),
            bars.open.tolist(),
            bars.high.tolist(),
            bars.low.tolist(),
            bars.close.tolist(),
            bars.volume.tolist(),
            *(quoted or (None, None)),
        )
        found[symbol] = Series(symbol, bars.period, columns)
    return {symbol: series for symbol, series in found.items() if len(series)}


def products_for(symbols: Sequence[str], settings: Settings | None) -> dict[str, Product]:
    """What the project's settings say that the venue demands; usual steps where they say nothing."""
    from tb.connectors.sandbox.product import product_named

    specs = {symbol: None if settings is None else settings.instrument(symbol) for symbol in symbols}
    return {symbol: product_named(symbol) if spec is None else _product(symbol, spec) for symbol, spec in specs.items()}


def _product(symbol: str, spec: InstrumentSpec) -> Product:
    from dataclasses import replace

    from tb.connectors.sandbox.product import product_named

    return replace(
        product_named(symbol),
        tick=spec.tick,
        lot=spec.lot,
        base_min=spec.lot,
        base_max=spec.max_quantity if spec.max_quantity is not None else Decimal(1_000_000_000),
        quote_min=spec.minimum_notional,
    )


def costs(settings: Settings | None) -> dict[str, Any]:
    """Fees, spread and depth as the project's simulated venue has them; the server's own where it says nothing."""
    if settings is None:
        return {}
    venue = settings.venue
    said = {"taker": venue.fee, "maker": venue.fee, "spread": venue.spread, "depth": venue.depth}
    return {name: value for name, value in said.items() if value is not None}


def balances_of(words: Sequence[str], settings: Settings | None) -> dict[str, Decimal]:
    """What the account begins with: what was asked for, else the project's equity, else 10,000 USD."""
    found: dict[str, Decimal] = {}
    for text in words:
        number, _, currency = text.strip().partition(" ")
        try:
            amount = Decimal(number.replace("_", "").replace(",", ""))
        except ArithmeticError:
            amount = Decimal("NaN")
        if not amount.is_finite() or amount < 0 or not (currency.isalnum() and currency.isupper()):
            raise click.BadParameter(f"`{text}` is not a balance; write `10_000 USD`", param_hint="--balance")
        found[currency] = amount
    if found:
        return found
    return {"USD": Decimal(10_000)} if settings is None else {settings.account.currency: settings.account.equity}


def faults_in(path: Path) -> list[Fault]:
    """The faults of a YAML file, a list of mappings. Raises Refused with all that is wrong."""
    import yaml

    from tb.connectors.sandbox.faults import read_fault
    from tb.core.diagnostics import Refused, error
    from tb.core.span import whole_file

    def refused(words: Sequence[str]) -> Refused:
        hint = "write `- {fault: drop-reply, times: 2, on: orders}`, one a line"
        return Refused([error(UNREADABLE, word, whole_file(str(path)), hint) for word in words])

    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except OSError as problem:
        raise refused([f"`{path}` cannot be read: {(problem.strerror or 'no reason given').lower()}"]) from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise refused([f"`{path}` is not YAML"]) from None
    rows: Sequence[Any] = given if isinstance(given, list) else [given]
    # YAML reads a bare `on` as true
    read = [
        read_fault({"on" if key is True else key: row[key] for key in row} if isinstance(row, dict) else row) for row in rows
    ]
    wrong = [f"fault {number}: {one}" for number, one in enumerate(read, 1) if isinstance(one, str)]
    if wrong:
        raise refused(wrong)
    return [one for one in read if not isinstance(one, str)]


def shifted(series: Mapping[str, Series], start: int, now: int) -> dict[str, Series]:
    """The same bars at other times, moved by whole bars, so that those of `start` lie at `now`."""
    from dataclasses import replace

    period = next(iter(series.values())).period
    return {symbol: replace(one, shift=(now - start) // period * period) for symbol, one in series.items()}
