"""What the closed trades of one run say: how often, how much, how sure, how long, and what they cost.

Trades still open are counted and otherwise left out. Money is summed in Decimal. Sources: Tharp 2006 (R, expectancy, SQN);
Kelly 1956.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tb.core.records import Fill, Trade
from tb.replay import statistic
from tb.replay.curve import Curve
from tb.replay.figures import Breakdown, Group, Meaning, Metric, Missing, Row, figure

MEANINGS = {
    "trades": Meaning("Closed trades", "count", "positions entered and left within the run"),
    "open_trades": Meaning("Open at the end", "count", "positions not left when the run ended; in no other trade metric"),
    "win_rate": Meaning("Win rate", "ratio", "share of trades with a profit above zero after fees"),
    "profit_factor": Meaning("Profit factor", "number", "sum of all profits / sum of all losses, after fees"),
    "payoff": Meaning("Payoff", "number", "mean profit of winners / mean loss of losers"),
    "average_win": Meaning("Average win", "money", "mean profit of the trades with a profit above zero"),
    "average_loss": Meaning("Average loss", "money", "mean of the trades with a profit below zero"),
    "best_trade": Meaning("Best trade", "money", "largest profit of one trade"),
    "worst_trade": Meaning("Worst trade", "money", "smallest profit of one trade"),
    "expectancy": Meaning("Expectancy", "money", "mean profit of a trade after fees"),
    "expectancy_r": Meaning("Expectancy in R", "R", "mean profit of a trade in multiples of its initial risk"),
    "expectancy_ratio": Meaning("Expectancy ratio", "number", "(1 + payoff) x win rate - 1"),
    "sqn": Meaning("SQN", "number", "sqrt(trades) x mean R / standard deviation (n - 1) of R; reliable from 30 trades on"),
    "kelly": Meaning("Kelly fraction", "ratio", "win rate - (1 - win rate) / payoff; zero or below: no edge to size by"),
    "p_value": Meaning(
        "p-value",
        "number",
        "two-sided Student t test that mean R is zero (the mean return on notional where not every trade had a stop): "
        "chance of a mean this far from zero without an edge",
    ),
    "average_duration": Meaning("Average duration", "duration", "mean time from entry to exit"),
    "median_duration": Meaning("Median duration", "duration", "median time from entry to exit"),
    "winner_duration": Meaning("Winners held", "duration", "mean time from entry to exit of the winners"),
    "loser_duration": Meaning("Losers held", "duration", "mean time from entry to exit of the losers"),
    "winning_streak": Meaning("Winning streak", "count", "most winners in a row, in order of their exits"),
    "losing_streak": Meaning("Losing streak", "count", "most losers in a row, in order of their exits"),
    "mfe": Meaning("Average MFE", "ratio", "mean of each trade's best excursion from its entry price, whatever came of it"),
    "mae": Meaning("Average MAE", "ratio", "mean of each trade's worst excursion from its entry price"),
    "edge_ratio": Meaning("Edge ratio", "number", "average MFE / average MAE"),
    "fees": Meaning("Fees", "money", "all fees of all fills"),
    "slippage": Meaning(
        "Slippage", "money", "difference between the fills' prices and the undisturbed ones x quantity; positive: it cost"
    ),
    "entry_shortfall": Meaning(
        "Entry shortfall", "bps", "entry price against the price at the decision, weighted by notional; positive: it cost"
    ),
    "turnover": Meaning("Turnover", "number", "notional of all fills / mean equity at daily closes"),
    "exposure_time": Meaning("Time in the market", "ratio", "share of the run's time with at least one open position"),
}
NO_TRADES = Missing("no closed trades")


@dataclass(frozen=True, slots=True)
class Closed:
    """The closed trades in order of their exits, with their profits in account currency."""

    trades: tuple[Trade, ...]
    profits: tuple[float, ...]
    wins: tuple[float, ...]
    losses: tuple[float, ...]
    risks: tuple[float, ...]  # R of those that had a stop
    unfinished: int


def closed_of(trades: Iterable[Trade]) -> Closed:
    everything = list(trades)
    done = [trade for trade in everything if trade.exit_at is not None and trade.profit is not None]
    done.sort(key=lambda trade: (trade.exit_at or 0, trade.seq))
    profits = tuple(float(trade.profit or 0) for trade in done)
    return Closed(
        trades=tuple(done),
        profits=profits,
        wins=tuple(p for p in profits if p > 0.0),
        losses=tuple(p for p in profits if p < 0.0),
        risks=tuple(float(trade.r) for trade in done if trade.r is not None),
        unfinished=len(everything) - len(done),
    )


def success(closed: Closed) -> Group:
    n, wins, losses, profits = len(closed.trades), closed.wins, closed.losses, closed.profits
    no_wins, no_losses = Missing("no winning trade"), Missing("no losing trade")
    none = NO_TRADES if n == 0 else None
    rate = len(wins) / n if n else 0.0
    pay = payoff(closed)
    values: dict[str, float | Missing] = {
        "trades": float(n),
        "open_trades": float(closed.unfinished),
        "win_rate": none or rate,
        "profit_factor": none or (math.fsum(wins) / -math.fsum(losses) if losses else no_losses),
        "payoff": none or pay,
        "average_win": none or (statistic.mean(wins) if wins else no_wins),
        "average_loss": none or (statistic.mean(losses) if losses else no_losses),
        "best_trade": none or max(profits),
        "worst_trade": none or min(profits),
        "expectancy": none or statistic.mean(profits),
        "expectancy_ratio": none or (pay if isinstance(pay, Missing) else (1.0 + pay) * rate - 1.0),
    }
    found = [figure(MEANINGS, name, value) for name, value in values.items()]
    found += [*_in_risk(closed), _kelly(closed, pay), _p_value(closed)]
    return Group(name="trades", label="Trades", metrics=tuple(found))


def payoff(closed: Closed) -> float | Missing:
    """Mean win / mean loss; without winners it is 0, without losers it cannot be given."""
    if not closed.losses:
        return Missing("no losing trade")
    return statistic.mean(closed.wins) / -statistic.mean(closed.losses) if closed.wins else 0.0


def _in_risk(closed: Closed) -> list[Metric]:
    risks, n = closed.risks, len(closed.trades)
    note = f"over the {len(risks)} of {n} trades that had a stop" if len(risks) < n else ""
    if not risks:
        absent = NO_TRADES if n == 0 else Missing("no trade had a stop")
        return [figure(MEANINGS, "expectancy_r", absent), figure(MEANINGS, "sqn", absent)]
    sqn: float | Missing = Missing("needs at least two trades")
    if len(risks) > 1:
        spread = statistic.deviation(risks)
        sqn = math.sqrt(len(risks)) * statistic.mean(risks) / spread if spread > 0.0 else Missing("R does not vary")
    few = "unreliable under 30 trades" if len(risks) < 30 else ""
    rank = "" if isinstance(sqn, Missing) else f"{band(sqn)} on Tharp's scale"
    remarks = "; ".join(part for part in (rank, few, note) if part)
    return [figure(MEANINGS, "expectancy_r", statistic.mean(risks), note), figure(MEANINGS, "sqn", sqn, remarks)]


def band(sqn: float) -> str:
    """Tharp's word for a system quality number."""
    steps = ((1.6, "poor"), (2.0, "below average"), (2.5, "average"), (3.0, "good"), (5.0, "excellent"), (7.0, "superb"))
    return next((word for bound, word in steps if sqn < bound), "holy grail")


def _kelly(closed: Closed, pay: float | Missing) -> Metric:
    if not closed.trades or isinstance(pay, Missing):
        return figure(MEANINGS, "kelly", NO_TRADES if not closed.trades else Missing("no losing trade"))
    if pay == 0.0:
        return figure(MEANINGS, "kelly", Missing("no winning trade"))
    rate = len(closed.wins) / len(closed.trades)
    return figure(MEANINGS, "kelly", rate - (1.0 - rate) / pay)


def _p_value(closed: Closed) -> Metric:
    """On R where every trade has it, else on the return of each trade on its own notional."""
    whole = len(closed.risks) == len(closed.trades)
    sample = closed.risks if whole else tuple(_yield(trade) for trade in closed.trades)
    if len(sample) < 2:
        return figure(MEANINGS, "p_value", Missing("needs at least two trades"))
    spread = statistic.deviation(sample)
    if spread == 0.0:
        return figure(MEANINGS, "p_value", Missing("trades do not vary"))
    t = statistic.mean(sample) / (spread / math.sqrt(len(sample)))
    note = "of mean R" if whole else "of the mean return on notional, as not every trade had a stop"
    return figure(MEANINGS, "p_value", statistic.student(t, len(sample) - 1), note)


def _yield(trade: Trade) -> float:
    notional = abs(trade.entry_price * trade.quantity * (trade.rate or 1))
    return float((trade.profit or Decimal(0)) / notional) if notional else 0.0


def course(closed: Closed) -> Group:
    lengths = [float((trade.exit_at or 0) - trade.entry_at) for trade in closed.trades]
    pairs = list(zip(lengths, closed.profits, strict=True))
    won, lost = [d for d, p in pairs if p > 0.0], [d for d, p in pairs if p < 0.0]
    none = None if lengths else NO_TRADES
    best = statistic.mean([trade.best for trade in closed.trades]) if lengths else 0.0
    worst = statistic.mean([trade.worst for trade in closed.trades]) if lengths else 0.0
    values: dict[str, float | Missing] = {
        "average_duration": none or statistic.mean(lengths),
        "median_duration": none or statistic.quantile(lengths, 0.5),
        "winner_duration": none or (statistic.mean(won) if won else Missing("no winning trade")),
        "loser_duration": none or (statistic.mean(lost) if lost else Missing("no losing trade")),
        "winning_streak": none or float(_streak(closed.profits, lambda p: p > 0.0)),
        "losing_streak": none or float(_streak(closed.profits, lambda p: p < 0.0)),
        "mfe": none or best,
        "mae": none or worst,
        "edge_ratio": none or (best / worst if worst > 0.0 else Missing("no trade went against its entry")),
    }
    found = tuple(figure(MEANINGS, name, value) for name, value in values.items())
    return Group(name="course", label="Course of trades", metrics=found)


def _streak(profits: Sequence[float], holds: Callable[[float], bool]) -> int:
    longest = current = 0
    for profit in profits:
        current = current + 1 if holds(profit) else 0
        longest = max(longest, current)
    return longest


def costs(
    trades: Iterable[Trade], fills: Sequence[Fill], prices: Mapping[int, Decimal], line: Curve, mean_equity: float
) -> Group:
    """Fees, slippage and use of the market; `prices` holds the price expected by each decision that led to a trade."""
    everything = list(trades)
    none = None if fills else Missing("no fills")
    fees = float(sum((fill.fee for fill in fills), Decimal(0)))
    slipped = float(sum((fill.slippage * fill.quantity * (fill.rate or 1) for fill in fills), Decimal(0)))
    traded = float(sum((abs(fill.price * fill.quantity * (fill.rate or 1)) for fill in fills), Decimal(0)))
    values: dict[str, float | Missing] = {
        "fees": fees,
        "slippage": slipped,
        "entry_shortfall": none or _shortfall(everything, prices),
        "turnover": traded / mean_equity if mean_equity > 0.0 else Missing("mean equity is not positive"),
        "exposure_time": _exposed(everything, line),
    }
    found = tuple(figure(MEANINGS, name, value) for name, value in values.items())
    return Group(name="costs", label="Costs and use", metrics=found)


def _shortfall(trades: Sequence[Trade], prices: Mapping[int, Decimal]) -> float | Missing:
    cost = notional = Decimal(0)
    for trade in trades:
        expected = prices.get(trade.decision)
        if expected is not None:
            worse = trade.entry_price - expected if trade.side == "long" else expected - trade.entry_price
            cost += worse * trade.quantity * (trade.rate or 1)
            notional += abs(expected * trade.quantity * (trade.rate or 1))
    return float(cost / notional * 10_000) if notional else Missing("no entry with a recorded decision")


def _exposed(trades: Sequence[Trade], line: Curve) -> float | Missing:
    if line.last == line.first:
        return Missing("the run has no length")
    spans = ((trade.entry_at, trade.exit_at if trade.exit_at is not None else line.last) for trade in trades)
    return covered(spans, line.first, line.last) / (line.last - line.first)


def covered(spans: Iterable[tuple[int, int]], first: int, last: int) -> int:
    """Milliseconds of first..last that lie in at least one span."""
    total, reach = 0, first
    for start, end in sorted(spans):
        begin, stop = max(start, reach), min(end, last)
        if stop > begin:
            total += stop - begin
            reach = stop
    return total


def breakdowns(closed: Closed) -> tuple[Breakdown, ...]:
    """The closed trades by strategy, instrument, side and cause of exit; rows by name."""
    views: tuple[tuple[str, str, Callable[[Trade], str]], ...] = (
        ("strategy", "Strategy", lambda trade: trade.strategy),
        ("instrument", "Instrument", lambda trade: trade.instrument),
        ("side", "Side", lambda trade: trade.side),
        ("cause", "Exit", lambda trade: trade.cause or "not recorded"),
    )
    found = []
    for name, label, key in views:
        parts: dict[str, list[Trade]] = {}
        for trade in closed.trades:
            parts.setdefault(key(trade), []).append(trade)
        rows = tuple(_row(part, members) for part, members in sorted(parts.items()))
        found.append(Breakdown(name=name, label=label, rows=rows))
    return tuple(found)


def _row(name: str, trades: Sequence[Trade]) -> Row:
    risks = [float(trade.r) for trade in trades if trade.r is not None]
    profits = [trade.profit or Decimal(0) for trade in trades]
    return Row(
        name=name,
        trades=len(trades),
        wins=sum(1 for profit in profits if profit > 0),
        profit=float(sum(profits, Decimal(0))),
        mean_r=statistic.mean(risks) if risks else None,
    )
