"""What all metrics have in common, in sentences: which returns, what is scaled to a year, what is percent, what money."""

from __future__ import annotations

from tb.replay.figures import Unit

UNITS: dict[Unit, str] = {
    "ratio": "percent; in JSON a fraction, 0.05 for 5%",
    "money": "money in the account's currency",
    "number": "a plain number",
    "count": "how many",
    "duration": "time; in JSON milliseconds",
    "R": "multiples of the loss at the stop, as of the entry's fill",
    "bps": "hundredths of a percent",
}
_SCALED = "volatility, downside deviation, Sharpe, Sortino and information ratio"


def conventions(days_per_year: int | None = None, currency: str = "the account's currency") -> tuple[str, ...]:
    """The sentences for a run whose year has that many days; without it, for any run."""
    days, root, weekend = str(days_per_year), f"sqrt({days_per_year})", ""
    if days_per_year is None:
        days, root = "365 (252 where the markets close at weekends)", "sqrt(days of a year)"
        weekend = "; where a year has 252 of them, Saturdays and Sundays are none"
    elif days_per_year < 300:
        weekend = "; Saturdays and Sundays are none"
    yearly = f"a year has {days} daily returns: {_SCALED} are scaled by {root}, alpha by the days"
    return (
        f"daily returns are of marked equity between the closes of UTC days, equity between marks carried forward{weekend}",
        f"{yearly}; CAGR and Calmar grow over 365 days of the calendar; nothing else is scaled to a year",
        "the riskless rate is zero, and so is the target of Sortino, downside deviation and Omega",
        "drawdown, its length and time under water are of every mark, Ulcer index, VaR and CVaR of daily closes",
        "VaR and CVaR are historical, of one day, their losses positive; depths of drawdowns are positive too",
        "what is written in percent is a share of one, and a fraction in JSON: 5% is 0.05",
        f"money is in {currency}; trades are closed positions, their profits after fees and funding",
        "R is profit over the loss at the stop, as of the entry's fill",
        "a value that cannot be computed is n/a with its reason, never zero and never infinite",
    )
