"""How a run stands, from what it recorded: positions, working orders, stops and targets at the venue, use of the limits, halts,
the last decisions.

Reads the ledger alone, so it works beside a session that runs and after one that was killed. What was not recorded is not
guessed: prices of positions are those of the last mark, whose instant is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tb.core.records import Decision, Latch, Order, Run, Trade
from tb.ledger.runs import RunInfo
from tb.ledger.store import Ledger
from tb.runtime.at_venue import Bare, Guard, bare, protection
from tb.runtime.running.taking_over import VENUE, live_runs

LAST = 10  # decisions that are told


@dataclass(frozen=True, slots=True)
class Use:
    """The used share of a limit when it was last recorded; None where it was not known."""

    limit: str
    share: float | None
    at: int


@dataclass(frozen=True, slots=True)
class Overview:
    """`equity` and `exposure` in the account's currency, as of `at`; None before the first mark. `since` counts the fills
    after it."""

    run: Run
    is_over: bool
    at: int | None
    equity: Decimal | None
    exposure: Decimal | None
    since: int
    positions: tuple[Trade, ...]
    working: tuple[Order, ...]
    guards: tuple[Guard, ...]  # stops and targets that rest at the venue of a live account
    bare: tuple[Bare, ...]  # what should have some there, and has not
    uses: tuple[Use, ...]  # the fullest first
    halts: tuple[Latch, ...]
    last: tuple[Decision, ...]  # the newest first
    decisions: int
    refused: int
    trades: int
    profit: Decimal  # of closed trades


def overview(ledger: Ledger, info: RunInfo, *, last: int = LAST) -> Overview:
    """Raises Refused as the ledger does."""
    run = info.run
    marks, trades, decisions = ledger.marks(run.id), ledger.trades(run.id), list(ledger.decisions(run.id))
    closed = [trade for trade in trades if trade.exit_at is not None]
    uses: dict[str, Use] = {}
    for mark in marks:
        for name, share in mark.usage.items():
            uses[name] = Use(name, share, mark.at)
    mark_at = marks[-1] if marks else None
    latches = ledger.latches(run.id)  # people halt and resume between two closes
    times = [*(one.at for one in marks), *(one.at for one in decisions[-1:]), *(one.at for one in latches)]
    positions = tuple(trade for trade in trades if trade.exit_at is None)
    guards = _guards(ledger, run, positions)
    return Overview(
        run=run,
        is_over=not info.unfinished,
        at=None if mark_at is None else mark_at.at,
        equity=None if mark_at is None else mark_at.equity,
        exposure=None if mark_at is None else mark_at.exposure,
        since=sum(mark_at is None or fill.at > mark_at.at for fill in ledger.fills(run.id)),
        positions=positions,
        working=_working(ledger, run.id),
        guards=guards,
        bare=bare(positions, guards) if run.mode == "live" else (),
        uses=tuple(sorted(uses.values(), key=_fullest)),
        halts=tuple(ledger.active_latches(run.id, max(times))) if times else (),
        last=tuple(reversed(decisions[-last:])),
        decisions=len(decisions),
        refused=sum(not decision.approved for decision in decisions),
        trades=len(closed),
        profit=sum((trade.profit for trade in closed if trade.profit is not None), Decimal(0)),
    )


def _fullest(use: Use) -> tuple[bool, float, str]:
    """What is not known comes first: it denies."""
    return use.share is not None, -(use.share or 0.0), use.limit


def _guards(ledger: Ledger, run: Run, positions: tuple[Trade, ...]) -> tuple[Guard, ...]:
    """Only at a venue are stops and targets orders; an earlier run of the account may have sent them."""
    if run.mode != "live":
        return ()
    runs = [one.id for one in live_runs(ledger, run.config.get(VENUE))]
    runs = runs[: runs.index(run.id) + 1]
    handlings = (one for name in runs for one in ledger.handlings(name))
    return protection(handlings, (one for name in runs for one in ledger.orders(name)), positions)


def _working(ledger: Ledger, run: str) -> tuple[Order, ...]:
    """Orders that neither filled whole nor ended."""
    filled: dict[str, Decimal] = {}
    for fill in ledger.fills(run):
        filled[fill.order] = filled.get(fill.order, Decimal(0)) + fill.quantity
    over = {cancel.order for cancel in ledger.cancels(run)}
    return tuple(
        order for order in ledger.orders(run) if order.id not in over and filled.get(order.id, Decimal(0)) < order.quantity
    )
