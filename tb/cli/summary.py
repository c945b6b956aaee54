"""What a replay came to: as one JSON object, as the summary that the ledger keeps, and as text for people."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tb.cli.output import paint
from tb.cli.watching import STATES, Watched
from tb.core.diagnostics import Diagnostic
from tb.core.records import Run
from tb.core.time import show_duration, show_instant
from tb.ledger import Place
from tb.replay.curve import curve, drawdowns
from tb.replay.figures import Stoppage
from tb.replay.metrics_policy import stoppages
from tb.replay.run import Outcome

UNKNOWN = 2


@dataclass(slots=True)
class Played:
    """One replay. `ledger` is None where nothing was recorded, `elapsed` in seconds."""

    run: Run
    outcome: Outcome
    watched: Watched
    warnings: tuple[Diagnostic, ...]
    ledger: Place | None = None
    elapsed: float = 0.0
    covered: tuple[str, ...] = ()
    _deepest: float | None = None

    @property
    def halts(self) -> tuple[Stoppage, ...]:
        return tuple(s for s in stoppages(self.watched.latches, self.run.last) if s.verdict == "halt")

    @property
    def total_return(self) -> float | None:
        final = self.outcome.final_equity
        return None if final is None else float(final / self.run.initial_equity - 1)

    @property
    def max_drawdown(self) -> float:
        """The deepest fall of marked equity below an earlier peak, as a ratio."""
        if self._deepest is None:
            line = curve(self.watched.equity, self.run.initial_equity, self.run.first, self.run.last)
            self._deepest = max((fall.depth for fall in drawdowns(line)), default=0.0)
        return self._deepest

    def record(self) -> dict[str, object]:
        """What the ledger keeps as the summary of the run; nothing in it depends on how fast the machine was."""
        counts = self.outcome.counts
        return {
            "bars": self.outcome.bars,
            "instruments": list(self.outcome.instruments),
            "decisions": counts["decisions"],
            "proposals": counts["proposals"],
            "approved": counts["approved"],
            "shrunk": counts["shrunk"],
            "rejected": counts["rejected"],
            "exits": counts["exits"],
            "trades": counts["trades"],
            "open_positions": self.outcome.open_positions,
            "final_equity": self.outcome.final_equity,
            "total_return": self.total_return,
            "max_drawdown": self.max_drawdown,
            "halts": len(self.halts),
            "halted_by": self.outcome.halted_by,
            **({} if self.outcome.interrupted is None else {"interrupted": show_instant(self.outcome.interrupted)}),
            "no_trade_reason": no_trade_reason(self),
            "decision_log_hash": self.outcome.decision_log_hash,
        }


def facts_of(played: Played) -> dict[str, Any]:
    """The summary for programs. Times in ISO UTC, ratios as fractions, money in the account's currency."""
    run = played.run
    return {
        "run": run.id if played.ledger is not None else None,
        **played.record(),
        "initial_equity": run.initial_equity,
        "currency": run.currency,
        "halts": [_halt(stop) for stop in played.halts],
        "first": show_instant(run.first),
        "last": show_instant(run.last),
        "period": show_duration(run.period),
        "data": run.data,
        "data_hash": run.data_hash,
        "policy_hash": run.policy_hash,
        "not_filled": dict(sorted(played.watched.not_filled.items())),
        "shut_out": {
            name: {"since": show_instant(out.since), "trades": out.trades, "entries": out.entries}
            for name, out in sorted(played.watched.shut_outs.found.items())
        },
        "ledger": None if played.ledger is None else str(played.ledger),
        "warnings": [f"{finding.span}: {finding.message}" for finding in played.warnings],
        "elapsed_s": round(played.elapsed, 3),
        "bars_per_s": round(played.outcome.bars / played.elapsed) if played.elapsed else None,
        "decisions_per_s": round(played.outcome.counts["decisions"] / played.elapsed) if played.elapsed else None,
    }


def _halt(stop: Stoppage) -> dict[str, Any]:
    return {
        "rule": stop.rule,
        "from": show_instant(stop.start),
        "to": None if stop.ongoing else show_instant(stop.end),
        "lifted_by": stop.lifted_by or None,
        "reason": stop.reason,
    }


def no_trade_reason(played: Played) -> str | None:
    """Why there was no trade at all, in one sentence; None where there was one."""
    counts = played.outcome.counts
    if counts["trades"]:
        return None
    if not counts["proposals"]:
        return _why_no_proposal(played.watched.states)
    if counts["rejected"] == counts["proposals"]:
        told = f"{_unknown(played.watched)}; " if played.watched.unknown else ""
        return f"every proposal was refused: {told}{_refusals(played.watched)}"
    unfilled = played.watched.not_filled
    approved = f"{unfilled.total():,} entries were approved and none of them filled: {_most(unfilled, len(unfilled))}"
    refused = f"; {counts['rejected']:,} proposals were refused: {_refusals(played.watched)}" if counts["rejected"] else ""
    return approved + refused


def _why_no_proposal(states: dict[str, Counter[int]]) -> str:
    if not states:
        return "no strategy covers an instrument of the data"
    parts = []
    for strategy, bars in states.items():
        told = ", ".join(f"{STATES[state]} at {count:,}" for state, count in sorted(bars.items()))
        parts.append(f"{strategy}: {told} of {bars.total():,} bars")
    more = "; unknown at every bar: the data is shorter than what the rules look back, or lacks a value they need"
    is_unknown = all(set(bars) == {UNKNOWN} for bars in states.values())
    return f"no entry condition was true at any bar ({'; '.join(parts)}){more if is_unknown else ''}"


def _unknown(watched: Watched) -> str:
    """What of refused orders was not known: it comes before the rules, as these cannot judge such an order."""
    return ", ".join(f"{what} not known in {count:,}" for what, count in sorted(watched.unknown.items(), key=_most_first))


def _most_first(counted: tuple[str, int]) -> tuple[int, str]:
    return -counted[1], counted[0]


def _refusals(watched: Watched) -> str:
    said = ", ".join(f"{count:,} by {rule}" for rule, count in sorted(watched.refusals.items(), key=_most_first))
    return said + _by_several(watched)


def _by_several(watched: Watched) -> str:
    """That the counts of rules add up to more than what was refused, where they do."""
    twice = watched.refusals.total() > watched.refused
    return " (one may be refused by several)" if twice else ""


# for people


def money(amount: Decimal | None, currency: str) -> str:
    return "unknown" if amount is None else f"{amount:,.2f} {currency}"


def ratio(value: float | None) -> str:
    return "unknown" if value is None else f"{value:+z.2%}"


def as_text(played: Played) -> str:
    """The summary for people, and what to do next."""
    return "\n".join([*_head(played), "", *_result(played), "", *_next(played)])


def _head(played: Played) -> Iterator[str]:
    run, outcome = played.run, played.outcome
    name = f"run {run.id}" if played.ledger is not None else "replay, not recorded"
    ended = "" if outcome.interrupted is None else f", interrupted at {show_instant(outcome.interrupted)}"
    yield paint(f"{name}: simulation on recorded bars{ended}", bold=True)
    yield f"  data          {run.data}: {', '.join(outcome.instruments)}"
    last = run.last if outcome.interrupted is None else outcome.interrupted
    span = f"{show_instant(run.first)} to {show_instant(last)}"
    yield f"  bars          {outcome.bars:,} of {show_duration(run.period)}, {span}"
    yield f"  policy        {run.policy_hash[:16]}"
    yield f"  decision log  {outcome.decision_log_hash[:16]}"


def _result(played: Played) -> Iterator[str]:
    run, outcome, counts = played.run, played.outcome, played.outcome.counts
    yield (
        f"  proposals     {counts['proposals']:,}: {counts['approved']:,} approved, {counts['shrunk']:,} shrunk, "
        f"{counts['rejected']:,} refused"
    )
    if played.watched.unknown:
        named = f"; `tb explain {run.id}.d{played.watched.first_unknown}` names the input" if played.ledger is not None else ""
        yield f"  not known     {_unknown(played.watched)}{named}"
    if played.watched.refusals:
        yield f"  refused by    {_most(played.watched.refusals)}{_by_several(played.watched)}"
    if unfilled := played.watched.not_filled:
        yield f"  not filled    {unfilled.total():,}: {_most(unfilled, len(unfilled))}"
    for name, out in sorted(played.watched.shut_outs.found.items()):
        yield (
            f"  shut out      {name} since {show_instant(out.since)}, {out.entries:,} entries: its last {out.trades} trades "
            "leave it no share by Kelly, and without entries that stays so"
        )
    still = f", {outcome.open_positions} still open" if outcome.open_positions else ""
    yield f"  trades        {counts['trades']:,}{still}"
    if (why := no_trade_reason(played)) is not None:
        yield from textwrap.wrap(f"  no trades     {why}", 100, subsequent_indent=" " * 16, break_on_hyphens=False)
    yield f"  equity        {money(run.initial_equity, run.currency)} -> {money(outcome.final_equity, run.currency)}"
    deepest = f"{-played.max_drawdown:.2%}" if played.max_drawdown >= 0.00005 else "0.00%"
    yield f"  return        {_toned(played.total_return)}, deepest drawdown {deepest}"
    if played.halts:
        yield f"  halts         {len(played.halts)}: {_counted(stop.rule for stop in played.halts)}"
    if lifted := sum(latch.lifted and latch.by == "simulated operator" for latch in played.watched.latches):
        times = "once" if lifted == 1 else f"{lifted} times"
        yield f"                lifted {times} by a simulated operator; the drawdown limit starts anew each time"
    if outcome.halted_by:
        yield paint(f"  halted        {outcome.halted_by}", fg="red")
    speed = outcome.bars / played.elapsed if played.elapsed else 0.0
    yield f"  took          {played.elapsed:.2f} s, {speed:,.0f} bars/s"


def _most(refusals: Counter[str], rules: int = 4) -> str:
    ordered = sorted(refusals.items(), key=_most_first)
    shown = ", ".join(f"{rule} {count:,}" for rule, count in ordered[:rules])
    more = len(ordered) - rules
    return shown + (f" and {more} more {'rule' if more == 1 else 'rules'}" if more > 0 else "")


def _counted(rules: Iterator[str]) -> str:
    return ", ".join(f"{rule} {count}" for rule, count in sorted(Counter(rules).items()))


def _toned(value: float | None) -> str:
    return paint(ratio(value), fg="green" if value is not None and value >= 0 else "red")


def _next(played: Played) -> Sequence[str]:
    if played.ledger is None:
        return ["nothing was recorded; leave out --no-ledger to explain and report it"]
    run, counts = played.run.id, played.outcome.counts
    lines = ["next"]
    if counts["trades"]:
        lines += [f"  tb trades {run}", f"  tb explain {run}.t1"]
    elif counts["proposals"]:
        refused = " --refused" if counts["rejected"] == counts["proposals"] else ""
        lines += [f"  tb decisions {run}{refused}", f"  tb explain {run}.d1"]
    else:
        covered = [symbol for symbol in played.covered if symbol in played.outcome.instruments]
        symbol, at = (covered or played.outcome.instruments)[0], show_instant(played.run.last)
        lines += [f"  tb why-not --run {run}", f"  tb why-not {symbol} --at {at}"]
    return [*lines, f"  tb report {run}"]
