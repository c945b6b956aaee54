"""What one cycle came to, and why nothing was traded where nothing was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tb.core.records import Decision, Fill, Latch, Order, Record, Trade
from tb.runtime.entry_states import BUSY, COOLING, FALSE, HELD_BACK, OUTSIDE, UNKNOWN
from tb.runtime.running.inputs import Close
from tb.runtime.running.stepper import Stepper

_STATES = {
    FALSE: "no signal",
    UNKNOWN: "not known yet",
    OUTSIDE: "outside of the universe",
    BUSY: "held or on its way already",
    COOLING: "cooling down",
    HELD_BACK: "held back",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why nothing was traded: a `code` for programs, `words` for people. The codes: `held_back`, `halted`, `paused`, `refused`,
    `not_due`, `cooling_down`, `busy`, `not_ready`, `outside_universe`, `no_signal`."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Cycle:
    """One close: what came, what was decided, how things stand. Money in the account's currency, None where it is not known."""

    at: int
    came: int  # when the bars were there, by our clock
    bars: int
    missing: tuple[str, ...]
    held: str
    decisions: int
    approved: int
    refused: int
    entries: int  # orders
    exits: int
    fills: int
    closed: int  # trades
    positions: int
    waiting: int
    equity: Decimal | None
    exposure: Decimal | None
    no_trade_reason: Reason | None
    latches: tuple[Latch, ...]  # set or lifted


def cycle_of(close: Close, stepper: Stepper, told: Sequence[Record], *, withheld: str = "") -> Cycle:
    """The summary of a step, from what it recorded."""
    session = stepper.session
    decisions = [record for record in told if isinstance(record, Decision)]
    orders = [record for record in told if isinstance(record, Order)]
    entries = sum(order.kind == "entry" for order in orders)
    closed = [record for record in told if isinstance(record, Trade) and record.exit_at is not None]
    held = close.held or withheld
    return Cycle(
        at=close.at,
        came=close.came,
        bars=len(close.bars),
        missing=tuple(symbol for symbol in stepper.market.series if symbol not in close.bars),
        held=held,
        decisions=len(decisions),
        approved=sum(decision.approved != 0 for decision in decisions),
        refused=sum(decision.approved == 0 for decision in decisions),
        entries=entries,
        exits=len(orders) - entries,
        fills=sum(isinstance(record, Fill) for record in told),
        closed=len({trade.seq for trade in closed}),
        positions=len(session.positions),
        waiting=len(session.waiting),
        equity=session.account.equity(),
        exposure=session.account.gross(),
        no_trade_reason=None if entries and not held else _why_none(held, stepper, decisions),
        latches=tuple(record for record in told if isinstance(record, Latch)),
    )


def _why_none(held: str, stepper: Stepper, decisions: Sequence[Decision]) -> Reason:
    """The first of these that is so: held back, halted or paused, refused, and else what kept the conditions from proposing."""
    if held:
        return Reason("held_back", held)
    latches, refused = stepper.session.latches, [d for d in decisions if d.kind == "enter" and not d.approved]
    for verdict, code in (("halt", "halted"), ("pause", "paused")):
        if (words := latches.words(verdict)) is not None:
            return Reason(code, f"{verdict}: {words}")
    if refused:
        rules = Counter(rule for decision in refused for rule in decision.deciding)
        named = ", ".join(rule if count == len(refused) else f"{rule} ({count})" for rule, count in rules.most_common())
        return Reason("refused", f"{len(refused)} refused by {named or 'what they lack'}")
    return _of_states(Counter(stepper.entries.newest.values()))


def _of_states(states: Counter[int]) -> Reason:
    if not states:
        return Reason("not_due", "no bar of any strategy closed")
    words = ", ".join(f"{states[state]} {said}" for state, said in _STATES.items() if states[state])
    for state, code in ((COOLING, "cooling_down"), (BUSY, "busy")):
        if states[state]:
            return Reason(code, words)
    if states[UNKNOWN] == sum(states.values()):
        return Reason("not_ready", words)
    if states[OUTSIDE] == sum(states.values()):
        return Reason("outside_universe", words)
    return Reason("no_signal", words)
