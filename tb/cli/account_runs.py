"""Where records of a live account stand that its newest run has from earlier ones.

All live runs of a ledger at one venue are of one account: decisions, trades and orders are numbered through all of them, and a
position that one run opened may be closed in another, which has its trade but not the decision behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tb.core.diagnostics import Refused

if TYPE_CHECKING:
    from tb.core.records import Decision, Run, Trade
    from tb.ledger.store import Ledger


def runs_of_account(ledger: Ledger, run: Run) -> list[Run]:
    """The live runs of the account of a run, first to last; of any other run, itself."""
    from tb.runtime.running.taking_over import VENUE, live_runs

    return live_runs(ledger, run.config.get(VENUE)) if run.mode == "live" else [run]


def earlier(ledger: Ledger, run: Run) -> list[Run]:
    """The runs of its account before it, the newest first."""
    runs = runs_of_account(ledger, run)
    return runs[: [one.id for one in runs].index(run.id)][::-1]


def decision_of(ledger: Ledger, run: Run, seq: int, strategy: str, instrument: str) -> tuple[Run, Decision]:
    """The decision of that number that a trade or an order of a run came of, and the run that took it: itself, or one before.

    Raises Refused TB714 where none of them has it."""
    missing: Refused | None = None
    for one in (run, *earlier(ledger, run)):
        try:
            found = ledger.decision(one.id, seq)
        except Refused as refused:
            missing = missing or refused
            continue
        if (found.strategy, found.instrument) == (strategy, instrument):
            return one, found
    raise missing or ValueError(f"decision d{seq} is about something else")


def newest_trades(ledger: Ledger, run: Run, strategy: str, instrument: str | None = None) -> list[tuple[str, Trade]]:
    """The trades of a strategy from a run on, each as the last run that has it knows it, with the name of that."""
    runs = runs_of_account(ledger, run)
    found: dict[int, tuple[str, Trade]] = {}
    for one in runs[[other.id for other in runs].index(run.id) :]:
        for trade in ledger.trades(one.id, instrument=instrument, strategy=strategy):
            found[trade.seq] = (one.id, trade)
    return list(found.values())
