"""Tiny projects from text and tiny markets from rows, for tests that check a run by hand.

`compiled` makes a project of rule and policy text, `bars` and `market` make the data, `run` replays them and collects every
record. A row is `(open, high, low, close)` or with a volume; None is a bar that is not there, NaN a value that is not known.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from tb.core.records import Cancel, Decision, Fill, Latch, Mark, Order, Quiet, Record, Trade
from tb.core.time import HOUR, parse_instant
from tb.engine.bars import Bars
from tb.gate.explain import Explanation, explain
from tb.ledger import DecisionLog, Group
from tb.replay.data import Market
from tb.replay.run import Outcome, replay_market
from tb.runtime.policy import Compiled, compile_project, gates_of, project_of

NAN = math.nan
START = parse_instant("2024-01-01") or 0
Row = Sequence[float] | None

PLAIN_POLICY = "limit gross  after.gross <= 1000% of equity\n"


def settings_text(
    *,
    equity: str = "10_000 USD",
    timezone: str = "UTC",
    instruments: str = "default: {tick: 0.01, lot: 0.001, minimum: 1 USD}",
    venue: str = "{fee: 0%, slippage: 0%, spread: 0%, depth: 1B USD}",
    restricted: str = "[]",
    lifted_after: str = "",
    rates: str = "{}",
    rates_stale_after: str = "1h",
) -> str:
    replaying = f"replay: {{halts_lifted_after: {lifted_after}}}\n" if lifted_after else ""
    places = "".join(f"  {line}\n" for line in instruments.splitlines())
    converted = f"rates: {rates}\nrates_stale_after: {rates_stale_after}\n"
    return (
        f"name: small\nrules: rules\npolicy: policy\naccount: {{currency: USD, equity: {equity}, timezone: {timezone}}}\n"
        f"instruments:\n{places}venue: {venue}\n{converted}restricted: {restricted}\n{replaying}"
    )


def compiled(rules: str, policy: str = PLAIN_POLICY, *, limits: str = "", **settings: str) -> Compiled:
    """A project of one rule file and one policy file."""
    texts = {"tb.yaml": settings_text(**settings), "rules/rules.tb": rules, "policy/policy.tb": policy}
    if limits:
        texts["policy/limits.yaml"] = limits
    return compile_project(project_of(texts, Path()))


def bars(
    symbol: str,
    rows: Iterable[Row],
    *,
    start: int = START,
    period: int = HOUR,
    quotes: Sequence[tuple[float, float]] | None = None,
) -> Bars:
    """Bars from rows, one period after the other from `start`. `quotes` are bid and ask for each bar that is there."""
    here = [(start + at * period, row) for at, row in enumerate(rows) if row is not None]
    columns = np.array([[*row, 0.0][:5] if len(row) < 5 else list(row) for _, row in here], dtype=np.float64).reshape(-1, 5)
    sides = None if quotes is None else np.array(quotes, dtype=np.float64).reshape(-1, 2)
    return Bars(
        symbol=symbol,
        period=period,
        time=np.array([time for time, _ in here], dtype=np.int64),
        open=columns[:, 0].copy(),
        high=columns[:, 1].copy(),
        low=columns[:, 2].copy(),
        close=columns[:, 3].copy(),
        volume=columns[:, 4].copy(),
        bid=None if sides is None else sides[:, 0].copy(),
        ask=None if sides is None else sides[:, 1].copy(),
        source=f"{symbol}.csv",
        rows=np.arange(len(here), dtype=np.int64),
    )


def flat(price: float, volume: float = 0.0) -> tuple[float, float, float, float, float]:
    """A bar in which nothing moves."""
    return price, price, price, price, volume


def market(*series: Bars) -> Market:
    ordered = {one.symbol: one for one in sorted(series, key=lambda one: one.symbol)}
    return Market("made by hand", ordered, series[0].period, (), "0" * 64)


def cut(whole: Market, last: int) -> Market:
    """The market without bars that close after an instant."""
    kept = {symbol: one.part(0, int(one.closes.searchsorted(last, side="right"))) for symbol, one in whole.bars.items()}
    return replace(whole, bars={s: b for s, b in kept.items() if len(b)}, warnings=())


def between(whole: Market, first: int, last: int) -> Market:
    """The bars that close after `first` and not after `last`."""
    kept = {}
    for symbol, one in whole.bars.items():
        start, stop = (int(one.closes.searchsorted(at, side="right")) for at in (first, last))
        kept[symbol] = one.part(start, stop)
    return replace(whole, bars={s: b for s, b in kept.items() if len(b)}, warnings=())


@dataclass
class Collected:
    """Stands in for a ledger: keeps the records in their order."""

    records: list[Record] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)

    def append_group(self, run: str, *groups: Group, log: DecisionLog | None = None) -> None:
        for group in groups:
            self.records += group.records
            self.groups.append(group)
            if log is not None:
                log.take(group)

    def of(self, kind: type) -> list:  # type: ignore[type-arg]
        return [record for record in self.records if isinstance(record, kind)]


@dataclass(frozen=True, repr=False)
class Replayed:
    compiled: Compiled
    market: Market
    outcome: Outcome
    records: Collected

    def __repr__(self) -> str:
        return f"Replayed({self.outcome.decision_log_hash})"

    @property
    def decisions(self) -> list[Decision]:
        return self.records.of(Decision)

    @property
    def orders(self) -> list[Order]:
        return self.records.of(Order)

    @property
    def fills(self) -> list[Fill]:
        return self.records.of(Fill)

    @property
    def cancels(self) -> list[Cancel]:
        return self.records.of(Cancel)

    @property
    def latches(self) -> list[Latch]:
        return self.records.of(Latch)

    @property
    def marks(self) -> list[Mark]:
        return self.records.of(Mark)

    @property
    def quiet(self) -> list[Quiet]:
        return self.records.of(Quiet)

    @property
    def trades(self) -> list[Trade]:
        """Each as it was recorded last."""
        last: dict[int, Trade] = {}
        for trade in self.records.of(Trade):
            last[trade.seq] = trade
        return list(last.values())

    def explained(self, decision: Decision, *, deep: bool = True) -> Explanation:
        gate = gates_of(self.compiled.plan)[self.compiled.plan.strategy(decision.strategy).period]
        return explain(self.compiled.plan, gate, self.compiled.settings, decision, policy_hash="0" * 64, deep=deep)


def run(project: Compiled, data: Market, **options: int) -> Replayed:
    """Replays the project over the market."""
    collected = Collected()
    outcome = replay_market(
        run="r1",
        plan=project.plan,
        settings=project.settings,
        market=data,
        policy_hash="0" * 64,
        ledger=collected,  # type: ignore[arg-type]
        **options,
    )
    return Replayed(project, data, outcome, collected)


def strategy(
    when: str = "volume > 0",
    *,
    name: str = "s",
    direction: str = "long",
    size: str = "10% of equity",
    stop: str = "10% below entry",
    target: str = "",
    more: Mapping[str, str] | Sequence[str] = (),
    period: str = "1h",
    members: str = "BTC-USD",
    universe: bool = True,
) -> str:
    """One strategy over one universe `u` of a tier `t`."""
    place = f"universe u on venue\n  tier t {members}\n\n" if universe else ""
    lines = [f"strategy {name} on u every {period}", f"  enter {direction} when {when}", f"    size {size}"]
    lines += [f"    stop {stop}"] if stop else []
    lines += [f"    target {target}"] if target else []
    lines += [f"  {line}" for line in more]
    return place + "\n".join(lines) + "\n"
