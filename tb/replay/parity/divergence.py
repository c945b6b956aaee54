"""diverge: the first decision at which two runs part, with what either run read and which clauses came out differently.

Both decisions are explained from their records, each under the policy that made it, and set side by side. Where only one run
decided, the other's bars say why it did not: its conditions are evaluated at that instant as `tb why-not` does.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import msgspec

from tb.core.encode import plain
from tb.core.records import Decision, Fill, Latch, Quiet, Run, Trade
from tb.core.time import show_instant
from tb.engine.explain.clauses import Clause
from tb.engine.markets import Markets
from tb.gate.explain import Explanation, explain
from tb.gate.explain.model import Reading, RuleResult
from tb.replay.parity.align import ORDER, Differing, How
from tb.replay.parity.naming import Names
from tb.replay.why_not import Answer, why_not
from tb.runtime.policy import Compiled

NONE = ""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One thing with what it is in either run, units included; empty where it is not there."""

    what: str
    a: str
    b: str
    where: str = ""


class ClausePair(msgspec.Struct, frozen=True, kw_only=True):
    """A constraint or clause that came out differently: its text in either run, and both of its sides."""

    name: str
    a: str
    b: str
    place: str
    lines: tuple[Line, ...]


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """`cause` says in a sentence which input differs; `inputs` lists all that do, those of the market first."""

    at: str
    what: str
    how: How
    a: str  # id of the decision, empty where there is none
    b: str
    cause: str
    outcome: tuple[Line, ...]
    inputs: tuple[Line, ...]
    clauses: tuple[ClausePair, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One run, its policy and its records. `markets` is None where its bars cannot be read any more. `ended` is the instant
    that its records end with, of a run that did not go on to the end of its data."""

    label: str
    run: Run
    compiled: Compiled
    names: Names
    trades: Sequence[Trade]
    fills: Sequence[Fill]
    quiet: Sequence[Quiet]
    markets: Markets | None
    ended: int | None = None

    def explained(self, decision: Decision) -> Explanation:
        gate = self.names.gate(decision)
        return explain(
            self.compiled.plan, gate, self.compiled.settings, decision, policy_hash=self.run.policy_hash, run="", deep=False
        )

    def name_of(self, record: Decision | Latch | None) -> str:
        return f"{self.label}.d{record.seq}" if isinstance(record, Decision) else NONE


def diverge(found: Differing, a: Side, b: Side) -> Divergence:
    """What made two records differ, or one of them missing."""
    if isinstance(found.a, Latch) or isinstance(found.b, Latch):
        return _of_latches(found, a, b)
    if found.a is not None and found.b is not None:
        assert isinstance(found.a, Decision)
        assert isinstance(found.b, Decision)
        return _of_decisions(found, found.a, found.b, a, b)
    decision, there, other = (found.a, a, b) if found.a is not None else (found.b, b, a)
    assert isinstance(decision, Decision)
    return _of_one(found, decision, there, other, is_a=found.a is not None)


def _divergence(found: Differing, a: Side, b: Side, what: str, cause: str, **more: tuple[Line, ...]) -> Divergence:
    return Divergence(
        at=show_instant(found.at),
        what=what,
        how=found.how,
        a=a.name_of(found.a),
        b=b.name_of(found.b),
        cause=cause,
        outcome=more.get("outcome", ()),
        inputs=more.get("inputs", ()),
        clauses=(),
    )


def _what(decision: Decision) -> str:
    return f"{decision.strategy} {'enters' if decision.kind == 'enter' else 'leaves'} {decision.instrument}"


# pauses and halts


def _of_latches(found: Differing, a: Side, b: Side) -> Divergence:
    sides = [record if isinstance(record, Latch) else None for record in (found.a, found.b)]
    latch = sides[0] or sides[1]
    assert latch is not None
    what = f"{'lifting of the ' if latch.lifted else ''}{latch.verdict} by {latch.rule}"
    told = [NONE if side is None else f"{side.reason or what}{_until(side)}" for side in sides]
    if found.how in {"only_a", "only_b"}:
        here, there = (a.label, b.label) if found.how == "only_a" else (b.label, a.label)
        cause = f"only {here} has it; in {there} nothing set it" if not latch.lifted else f"only {here} has it, not {there}"
    else:
        cause = f"{', '.join(found.names)} differ"
    return _divergence(found, a, b, what, cause, outcome=(Line(what="pause or halt", a=told[0], b=told[1]),))


def _until(latch: Latch) -> str:
    return NONE if latch.until is None else f", until {show_instant(latch.until)}"


# a decision in both runs


def _of_decisions(found: Differing, one: Decision, other: Decision, a: Side, b: Side) -> Divergence:
    first, second = a.explained(one), b.explained(other)
    inputs = (*_readings(first, second), *_origins(first, second))
    clauses = tuple(_constraints(first, second))
    made = _divergence(
        found,
        a,
        b,
        _what(one),
        _cause(found, inputs, clauses, a, b),
        outcome=tuple(_outcome(one, other, first, second)),
        inputs=inputs,
    )
    return msgspec.structs.replace(made, clauses=clauses)


def _cause(found: Differing, inputs: Sequence[Line], clauses: Sequence[ClausePair], a: Side, b: Side) -> str:
    """The input that differs, told in the order in which one follows from the other: data, numbers, rules, account."""
    if (line := next((line for line in inputs if _kind(line) == "market"), None)) is not None:
        return _differs(line, a, b)
    numbers = [line for line in inputs if line.where in {"parameter", "limit"}]
    of_clauses = (line for pair in clauses for line in numbers if line.what in f"{pair.a} {pair.b}")
    if told := [*of_clauses, *numbers]:
        return _differs(told[0], a, b)
    if (pair := next((pair for pair in clauses if pair.a != pair.b), None)) is not None:
        return f"{pair.name} is another constraint in {b.label} than in {a.label}"
    if inputs:
        return f"{_differs(inputs[0], a, b)}{_earlier(found.at, a, b)}"
    if ORDER in found.names:
        return "the same decisions in another order: what was judged first counts for what came after"
    return f"the same inputs, and not the same {', '.join(found.names)}: the code differs, or a record was altered"


def _kind(line: Line) -> str:
    return line.where if line.where in {"account", "order", "book", "parameter", "limit"} else "market"


def _differs(line: Line, a: Side, b: Side) -> str:
    where = "" if line.where in {"parameter", "limit", ""} else f" ({line.where})"
    return f"{line.what}{where} is {line.a or 'not there'} in {a.label} and {line.b or 'not there'} in {b.label}"


def _earlier(at: int, a: Side, b: Side) -> str:
    """The first fill up to an instant that is not the same: what an account is follows from its fills."""
    for x, y in itertools.zip_longest(*([fill for fill in side.fills if fill.at <= at] for side in (a, b))):
        if x is None or y is None:
            fill, label = (x, a.label) if x is not None else (y, b.label)
            return f", since the fill of {_order(fill)} at {show_instant(fill.at)} is only in {label}"
        if (x.at, _order(x)) != (y.at, _order(y)):
            told = " and ".join(f"{_order(f)} at {show_instant(f.at)} in {s.label}" for f, s in ((x, a), (y, b)))
            return f", since the fills first part: {told}"
        for what in ("price", "fee"):
            values = [getattr(fill, what) for fill in (x, y)]
            if values[0] != values[1]:
                shown = " and ".join(f"{plain(value)} in {side.label}" for value, side in zip(values, (a, b), strict=True))
                return f", since the fill of {_order(x)} at {show_instant(x.at)} had a {what} of {shown}"
    return ""


def _order(fill: Fill) -> str:
    return f"{fill.side} {plain(fill.quantity)} {fill.instrument}"


def _outcome(one: Decision, other: Decision, first: Explanation, second: Explanation) -> Iterator[Line]:
    values = (
        ("verdict", one.verdict, other.verdict),
        ("decided by", ", ".join(one.deciding) or "nothing", ", ".join(other.deciding) or "nothing"),
        ("side", one.side, other.side),
        ("proposed", first.size.proposed, second.size.proposed),
        ("approved", first.size.approved, second.size.approved),
        ("price", first.price, second.price),
        ("stop", first.stop, second.stop),
        ("target", first.target, second.target),
        ("confidence", _number(one.confidence), _number(other.confidence)),
        ("conviction", _number(one.conviction), _number(other.conviction)),
        ("takes", ", ".join(map(plain, one.takes)), ", ".join(map(plain, other.takes))),
        ("advice", _advice(one), _advice(other)),
        (
            "votes",
            ", ".join(f"{v.strategy} {v.says}" for v in one.votes),
            ", ".join(f"{v.strategy} {v.says}" for v in other.votes),
        ),
        ("reason", one.reason, other.reason),
    )
    for what, x, y in values:
        if x != y or what == "verdict":
            yield Line(what=what, a=x, b=y)


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:g}"


def _advice(decision: Decision) -> str:
    return ", ".join(f"{advice.advisor} {advice.outcome} {plain(advice.adjust)}" for advice in decision.advice)


def _readings(first: Explanation, second: Explanation) -> tuple[Line, ...]:
    """What was read and is not the same, the market's values first, then the account's, then the order's."""
    one, other = (_distinct(explanation.readings) for explanation in (first, second))
    found = []
    for key, reading in one.items():
        theirs = other.get(key)
        if theirs is not None and not _equal(reading, theirs):
            shown = (reading.value, theirs.value) if reading.value != theirs.value else (reading.exact, theirs.exact)
            found.append(Line(what=reading.name, a=shown[0], b=shown[1], where=_where(reading)))
    order = {"account": 1, "book": 1, "order": 2}
    return tuple(sorted(found, key=lambda line: order.get(line.where, 0)))


def _equal(a: Reading, b: Reading) -> bool:
    """Whether two values are the same number or the same name; 1.10 is 1.1."""
    if a.exact == b.exact or not (a.exact and b.exact):
        return (a.exact, a.unit) == (b.exact, b.unit)
    try:
        return Decimal(a.exact) == Decimal(b.exact) and a.unit == b.unit
    except InvalidOperation:
        return False


def _where(reading: Reading) -> str:
    return reading.source if reading.row is None else f"{reading.source}, row {reading.row + 1}"


def _distinct(readings: Sequence[Reading]) -> dict[tuple[str, str], Reading]:
    return {(reading.name, reading.source): reading for reading in readings if reading.name != "now"}


def _origins(first: Explanation, second: Explanation) -> tuple[Line, ...]:
    one, other = ({origin.name: origin for origin in explanation.origins} for explanation in (first, second))
    found = []
    for name in dict.fromkeys([*one, *other]):
        x, y = one.get(name), other.get(name)
        values = [NONE if origin is None else origin.value for origin in (x, y)]
        if values[0] != values[1] and x is not None and y is not None:
            where = "limit" if name.startswith("limits.") else "parameter"
            found.append(Line(what=name, a=values[0], b=values[1], where=where))
    return tuple(found)


def _constraints(first: Explanation, second: Explanation) -> Iterator[ClausePair]:
    """Constraints that say something else, came out differently, or decided on other values: those that decided come first."""
    one, other = ({rule.name: rule for rule in e.rules} for e in (first, second))
    names = dict.fromkeys([*one, *other])
    for name in sorted(names, key=lambda name: not any(name in side and side[name].decides for side in (one, other))):
        x, y = one.get(name), other.get(name)
        states = [NONE if rule is None else rule.status for rule in (x, y)]
        texts = [NONE if rule is None else f"{rule.condition.text}, otherwise {rule.otherwise}" for rule in (x, y)]
        sides = tuple(_sides(x, y))
        decided = any(rule is not None and rule.decides for rule in (x, y))
        if states[0] == states[1] and texts[0] == texts[1] and not (decided and any(line.a != line.b for line in sides)):
            continue
        found = x or y
        assert found is not None
        lines = (Line(what="came out as", a=states[0] or "not there", b=states[1] or "not there"), *sides)
        yield ClausePair(name=name, a=texts[0], b=texts[1], place=found.place, lines=lines)


def _sides(x: RuleResult | None, y: RuleResult | None) -> Iterator[Line]:
    """The measured value and the bound of every comparison in either condition."""
    one, other = ([] if rule is None else list(_comparisons(rule.condition)) for rule in (x, y))
    if one and other and len(one) != len(other):
        other = []  # another shape: nothing faces each other
    for at in range(max(len(one), len(other))):
        left, right = (side[at] if at < len(side) else None for side in (one, other))
        for value, words in (("value", "value_text"), ("threshold", "threshold_text")):
            values = [NONE if clause is None else str(getattr(clause, value)) for clause in (left, right)]
            named = next(str(getattr(clause, words)) for clause in (left, right) if clause is not None)
            if named and any(shown != named for shown in values):
                yield Line(what=named, a=values[0], b=values[1])


def _comparisons(clause: Clause) -> Iterator[Clause]:
    if clause.value and clause.threshold:
        yield clause
    else:
        for part in clause.parts:
            yield from _comparisons(part)


# a decision in one run only


def _of_one(found: Differing, decision: Decision, there: Side, other: Side, *, is_a: bool) -> Divergence:
    explanation = there.explained(decision)
    answer = _answer(decision, other)
    said = explanation.headline
    missing = _absent(decision, other) or (answer.state if answer is not None else "it did not propose this")
    outcome = Line(what="decision", a=said if is_a else missing, b=missing if is_a else said)
    clauses = () if answer is None else tuple(_failing(explanation, answer, is_a=is_a))
    inputs = tuple(line for pair in clauses for line in pair.lines if line.a and line.b and line.a != line.b)
    cause = f"in {other.label} {missing}"
    if inputs:
        line = inputs[0]
        labels = (there, other) if is_a else (other, there)
        cause = f"{cause}: {_differs(line, *labels)}"
    elif (new := next((pair for pair in clauses if not (pair.a and pair.b)), None)) is not None:
        cause = f"{cause}: {new.a or new.b} is no clause of it in {there.label}"
    made = _divergence(
        found, *((there, other) if is_a else (other, there)), _what(decision), cause, outcome=(outcome,), inputs=inputs
    )
    return msgspec.structs.replace(made, clauses=clauses)


def _absent(decision: Decision, other: Side) -> str:
    """Why the other run cannot have decided this, as far as its record alone tells; empty where it could."""
    run, plan = other.run, other.compiled.plan
    strategy = next((s for s in plan.strategies if s.name == decision.strategy), None)
    if strategy is None:
        return f"there is no strategy {decision.strategy}"
    if decision.instrument not in run.instruments:
        return f"there is no data of {decision.instrument}"
    if not run.first <= decision.at <= run.last:
        return f"the data goes from {show_instant(run.first)} to {show_instant(run.last)}"
    if other.ended is not None and decision.at > other.ended:
        return f"it was stopped: its records end at {show_instant(other.ended)}"
    if decision.kind == "enter":
        return NONE
    held = [
        trade
        for trade in other.trades
        if (trade.strategy, trade.instrument) == (decision.strategy, decision.instrument)
        and trade.entry_at <= decision.at
        and (trade.exit_at is None or trade.exit_at > decision.at)
    ]
    if not held:
        return f"{decision.strategy} held nothing of {decision.instrument} then"
    return f"it held {plain(held[0].quantity)} {decision.instrument} since {show_instant(held[0].entry_at)} and kept it"


def _answer(decision: Decision, other: Side) -> Answer | None:
    """Why the other run did not enter, from its bars; None where they cannot be read or do not reach there."""
    if decision.kind != "enter" or other.markets is None or _absent(decision, other):
        return None
    found = why_not(other.compiled.plan, other.markets, decision.instrument, decision.at, quiet=other.quiet)
    direction = "long" if decision.side == "buy" else "short"
    of_strategy = [answer for answer in found.answers if answer.strategy == decision.strategy]
    return next((answer for answer in of_strategy if answer.direction == direction), of_strategy[0] if of_strategy else None)


def _failing(explanation: Explanation, answer: Answer, *, is_a: bool) -> Iterator[ClausePair]:
    """The clauses that failed in the other run, with what they came to in this one."""
    roots = [tree for tree in (explanation.membership, explanation.condition) if tree is not None]
    known = [clause for root in roots for clause in _leaves(root)]
    for failing in answer.failing:
        like = next((c for c in known if c.text == failing.clause), None)
        here = (NONE, NONE, NONE) if like is None else (like.text, like.value or like.truth, like.threshold or like.wanted)
        theirs = (failing.clause, failing.missing or failing.value, failing.threshold)
        names = ("", failing.value_name, failing.threshold_name)
        sides = [(x, y) if is_a else (y, x) for x, y in zip(here, theirs, strict=True)]
        lines = [
            Line(what=name, a=a, b=b)
            for name, (a, b) in zip(names[1:], sides[1:], strict=True)
            if name and not (name == a == b)
        ]
        yield ClausePair(name="", a=sides[0][0], b=sides[0][1], place=failing.place, lines=tuple(lines))


def _leaves(clause: Clause) -> Iterator[Clause]:
    yield clause
    for part in clause.parts:
        yield from _leaves(part)
