"""why-not: for each strategy that covers an instrument, the clauses that kept it from proposing at a bar.

The condition is evaluated on the bars, as in the run; where a run is given, what it recorded for that bar is compared and its
decisions at that instant are named. Every failing clause is checked: moved just past its threshold, it holds.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from tb.core.records import Decision, Quiet
from tb.core.time import show_duration, show_instant
from tb.engine.columns import evaluate
from tb.engine.explain.clauses import Clause, blame, clause_tree, flips_when_moved, unknown_leaves
from tb.engine.explain.feeds import why_no_value
from tb.engine.explain.words import describe
from tb.engine.feeds import FEED_OPS, column_of
from tb.engine.funding import Funding
from tb.engine.graph import Node, RuleGraph
from tb.engine.instant import Exact
from tb.engine.interpret import from_leaves
from tb.engine.markets import Markets
from tb.engine.plan import EnterPlan, Plan, StrategyPlan, bound
from tb.runtime.entry_states import BUSY, COOLING, FALSE, HELD_BACK, OUTSIDE, TRUE, UNKNOWN

_RECORDED = frozenset({"open", "high", "low", "close", "volume", "bid", "ask", "mid", "spread"})
_WORDS = {
    FALSE: "the entry condition is false",
    TRUE: "the entry condition is true: it proposed",
    UNKNOWN: "the entry condition cannot be known",
    OUTSIDE: "the instrument is not in the universe",
    BUSY: "the condition is true, but a position, an order or another entry of the strategy stood already",
    COOLING: "the condition is true, but the strategy cools down here",
    HELD_BACK: "the condition is true, but nobody was running then, or nothing new could be risked (`tb run` said why)",
}


_SILENT = frozenset({BUSY, COOLING, HELD_BACK})  # it held, and nothing was proposed


class Failing(msgspec.Struct, frozen=True, kw_only=True):
    """One clause that is not as it would have to be.

    `verified` says that evaluation makes the clause as wanted once its value is moved just past the threshold. `missing` says
    which input is unknown and why.
    """

    clause: str
    place: str
    truth: str
    wanted: str
    value_name: str
    value: str
    threshold_name: str
    threshold: str
    distance: str
    verified: bool
    missing: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of one strategy at that bar. `recorded` is what the run noted, `agrees` whether it equals what is found now."""

    strategy: str
    direction: str
    place: str
    state: str
    failing: tuple[Failing, ...]
    condition: Clause | None
    recorded: str = ""
    agrees: bool = True
    decisions: tuple[str, ...] = ()


class WhyNot(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one instrument at the newest bar that had closed by the instant asked for."""

    instrument: str
    asked: str
    bar: str
    answers: tuple[Answer, ...]
    stopped_by: str = ""  # the pauses and halts in force then: no entry would have been approved


def why_not(
    plan: Plan, markets: Markets, instrument: str, at: int, *, quiet: Sequence[Quiet] = (), decisions: Sequence[Decision] = ()
) -> WhyNot:
    """Why no strategy traded an instrument at an instant (ms UTC). `quiet` and `decisions` are those of a run, if any."""
    answers: list[Answer] = []
    newest, plan = 0, bound(plan, markets.base)
    for strategy in plan.strategies:
        looked_at = strategy.looked_at(instrument)
        if instrument not in strategy.members or looked_at not in markets.base:
            continue
        if not strategy.entries_of(instrument):
            answers.append(_silent(strategy, f"{instrument} is no leg of it: no other leg is of the same asset"))
            continue
        if not strategy.can_trade(markets.base):
            answers.append(_silent(strategy, "the data lacks another leg of it"))
            continue
        closes = markets.bars(looked_at, strategy.period).closes
        row = int(closes.searchsorted(at, side="right")) - 1
        if row < 0:
            answers.append(_silent(strategy, f"no bar of {show_duration(strategy.period)} had closed by then"))
            continue
        newest = max(newest, int(closes[row]))
        answers += _of_strategy(plan, strategy, markets, instrument, row, quiet, decisions)
    return WhyNot(
        instrument=instrument, asked=show_instant(at), bar=show_instant(newest) if newest else "none", answers=tuple(answers)
    )


def _silent(strategy: StrategyPlan, state: str) -> Answer:
    place = f"{strategy.span.file}:{strategy.span.line}"
    return Answer(strategy=strategy.name, direction="", place=place, state=state, failing=(), condition=None)


def _of_strategy(
    plan: Plan,
    strategy: StrategyPlan,
    markets: Markets,
    instrument: str,
    row: int,
    quiet: Sequence[Quiet],
    decisions: Sequence[Decision],
) -> Iterator[Answer]:
    graph, symbol, membership = plan.graph, strategy.looked_at(instrument), strategy.membership_of(instrument)
    columns = evaluate(graph, {symbol: strategy.reads(symbol)}, markets)
    instant = int(markets.bars(symbol, strategy.period).closes[row])
    for which, enter in enumerate(strategy.entries_of(instrument)):
        leaves: dict[int, Exact | float] = {}
        for leaf in enter.leaves:
            value = columns.at(leaf, symbol, row)
            leaves[leaf] = float("nan") if value is None else value
        roots = [enter.when] if membership is None else [membership, enter.when]
        conditions = () if strategy.tier is None else graph[strategy.tier].args
        values = from_leaves(graph, leaves, [*roots, *conditions])
        state = _state(membership, enter, values)
        recorded = _recorded(quiet, strategy, which, symbol, instant, markets)
        failing = [
            _failing(graph, clause, values, markets, symbol, row)
            for root in roots
            for clause in blame(clause_tree(graph, root, values))
        ]
        at_once = (d for d in decisions if d.at == instant and d.strategy == strategy.name and d.instrument == instrument)
        made = [d for d in at_once if d.kind == "enter" and d.enter == which]  # an exit says nothing of why nothing was entered
        yield Answer(
            strategy=strategy.name,
            direction=enter.direction,
            place=f"{enter.span.file}:{enter.span.line}",
            state=_WORDS[recorded if recorded in _SILENT else state],
            failing=tuple(failing),
            condition=clause_tree(graph, enter.when, values),
            recorded="" if recorded is None else _WORDS[recorded],
            agrees=recorded is None or recorded == state or (state == TRUE and recorded in _SILENT),
            decisions=tuple(_decided(decision) for decision in made),
        )


def _state(membership: int | None, enter: EnterPlan, values: dict[int, Exact | float]) -> int:
    if membership is not None:
        member = values[membership]
        if member != member:  # noqa: PLR0124 - NaN differs from itself
            return UNKNOWN
        if member == 0.0:
            return OUTSIDE
    when = values[enter.when]
    return UNKNOWN if when != when else TRUE if when == 1.0 else FALSE  # noqa: PLR0124


def _recorded(
    quiet: Sequence[Quiet], strategy: StrategyPlan, which: int, symbol: str, instant: int, markets: Markets
) -> int | None:
    for record in quiet:
        if record.strategy != strategy.name or record.instrument != symbol or not record.first <= instant <= record.last:
            continue
        closes = markets.bars(symbol, strategy.period).closes
        first = int(closes.searchsorted(record.first))
        place = int(closes.searchsorted(instant)) - first
        if not 0 <= place < record.rows:
            return None
        return zlib.decompress(record.states)[which * record.rows + place]
    return None


def _failing(
    graph: RuleGraph, clause: Clause, values: dict[int, Exact | float], markets: Markets, symbol: str, row: int
) -> Failing:
    missing = ""
    if clause.truth == "unknown":
        missing = "; ".join(
            _why_unknown(graph, leaf, markets, symbol, row) for leaf in unknown_leaves(graph, clause.at, values)
        )
    return Failing(
        clause=clause.text,
        place=clause.place,
        truth=clause.truth,
        wanted=clause.wanted,
        value_name=clause.value_text or clause.text,
        value=clause.value or clause.truth,
        threshold_name=clause.threshold_text or clause.wanted,
        threshold=clause.threshold or clause.wanted,
        distance=clause.distance,
        verified=flips_when_moved(graph, clause, values),
        missing=missing,
    )


def _why_unknown(graph: RuleGraph, leaf: int, markets: Markets, symbol: str, row: int) -> str:
    return f"`{describe(graph, leaf)}` {_reason(graph, leaf, markets, symbol, row)}"


def _reason(graph: RuleGraph, id_: int, markets: Markets, symbol: str, row: int) -> str:
    """Why a node is unknown at a bar of its own period: what comes after its name."""
    node, bars = graph[id_], markets.bars(symbol, graph[id_].period)
    at = int(bars.closes[row])
    if node.op == "of":
        other = str(node.consts[0])
        if other not in markets.base:
            return f"is missing: there is no data for {other}"
        theirs = markets.bars(other, node.period).closes
        place = int(theirs.searchsorted(at))
        if place == len(theirs) or int(theirs[place]) != at:
            return f"is missing: {other} has no bar that closed at {show_instant(at)}"
        return _reason(graph, node.args[0], markets, other, place)
    if node.op == "at":
        inner = graph[node.args[0]].period
        place = int(markets.bars(symbol, inner).closes.searchsorted(at, side="right")) - 1
        if place < 0:
            return f"is not ready: no bar of {show_duration(inner)} has closed yet"
        return _reason(graph, node.args[0], markets, symbol, place)
    if node.op in FEED_OPS:
        return why_no_value(node, markets.feeds, symbol, at)
    if node.look_back > row:
        return f"is not ready: it looks back {node.look_back} bars, {row} have closed before"
    for below in reversed(graph.reach((id_,))):
        empty = _empty_row(graph, below, markets, symbol, row, node.look_back)
        if empty is not None:
            told = empty if graph[below].op in FEED_OPS else f"is missing{empty}"
            return told if below == id_ else f"is unknown: `{describe(graph, below)}` {told}"
    return "is unknown: a value it needs is unknown, or there is no answer, as after a division by zero"


def _empty_row(graph: RuleGraph, id_: int, markets: Markets, symbol: str, row: int, back: int) -> str | None:
    """The newest empty value of a field within so many bars, said by file and row; None where nothing is empty."""
    node = graph[id_]
    if node.op in FEED_OPS:
        return _empty_feed(node, markets, symbol, row, back)
    if node.op == "depth":
        return ": no depth is recorded or stated" if markets.assumptions.depth_of(symbol) is None else None
    if node.op == "pips":
        return f": no pip of {symbol} is stated" if symbol not in markets.assumptions.pips else None
    if node.op != "field":
        return None
    bars = markets.bars(symbol, node.period)
    name, first = str(node.consts[0]), max(row - back, 0)
    values = markets.read(bars.part(first, row + 1), name)
    empty = np.flatnonzero(np.isnan(values))
    if not len(empty):
        return None
    if name in {"bid", "ask", "spread"} and bars.bid is None and markets.assumptions.spread_of(symbol) is None:
        return ": no quotes are recorded, and no spread is stated"
    if name.startswith("funding_"):
        return _no_funding(markets.funding.get(symbol), int(bars.closes[first + int(empty[-1])]))
    if name not in _RECORDED:
        return f": nothing gives `{name}`"
    # as people count them, and as the warning about it did when the file was read
    return f" in row {int(bars.rows[first + int(empty[-1])]) + 1} of {bars.source}"


def _no_funding(funding: Funding | None, at: int) -> str:
    if funding is None:
        return ": no file of funding holds it"
    place = funding.rows.newest(at)
    if place is None:
        return f": the first funding is at {show_instant(int(funding.rows.known[0]))}"
    said = f"row {int(funding.rows.rows[place]) + 1} of {funding.rows.source}"
    if at - int(funding.rows.known[place]) > funding.period:
        return f": the last funding was at {show_instant(int(funding.rows.known[place]))} ({said})"
    return f" in {said}"


def _empty_feed(node: Node, markets: Markets, symbol: str, row: int, back: int) -> str | None:
    """Why a feed was unknown at the newest bar within so many at which it was; None where it never was."""
    closes = markets.bars(symbol, node.period).closes[max(row - back, 0) : row + 1]
    empty = np.flatnonzero(np.isnan(column_of(node, markets.feeds, symbol, closes)))
    return why_no_value(node, markets.feeds, symbol, int(closes[empty[-1]])) if len(empty) else None


def _decided(decision: Decision) -> str:
    by = f" by {', '.join(decision.deciding)}" if decision.deciding else ""
    return f"d{decision.seq}: {decision.verdict}{by}"


def text(answer: WhyNot) -> str:
    """The answer for a terminal."""
    lines = [f"{answer.instrument} at {answer.asked}  (bar closed {answer.bar})"]
    if answer.stopped_by:
        lines.append(f"  stopped by {answer.stopped_by}: no entry would have been approved, whatever its condition")
    if not answer.answers:
        lines.append("  no strategy covers this instrument, or there is no data for it")
    for one in answer.answers:
        what = f"strategy {one.strategy}, enter {one.direction}" if one.direction else f"strategy {one.strategy}"
        lines += ["", f"{what}  ({one.place})", f"  {one.state}"]
        lines += [f"  decided {decision}" for decision in one.decisions]
        if not one.agrees:
            lines.append(f"  the run recorded something else: {one.recorded}")
        for failing in one.failing:
            mark = "?" if failing.truth == "unknown" else "-"
            lines.append(f"  {mark} {failing.clause}  ({failing.place})")
            if failing.missing:
                lines.append(f"      {failing.missing}")
            elif failing.distance:
                bound = failing.threshold
                if failing.threshold_name not in {bound, bound.replace(",", "")}:
                    bound = f"{failing.threshold_name} at {bound}"
                lines.append(f"      {failing.value_name} is {failing.value}, against {bound}: {failing.distance} away")
            else:
                is_other = failing.wanted == "false" and failing.threshold != "false"
                lines.append(f"      is {failing.value}, would have to be {'another' if is_other else failing.threshold}")
    return "\n".join(lines) + "\n"
