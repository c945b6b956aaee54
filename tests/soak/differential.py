"""Compares the fast path with the reference interpreter on generated programs and inputs, value by value.

    python tests/soak/differential.py [--comparisons 10000000] [--workers 2] [--seed 1] [--kinds gates verdicts]

Six kinds of comparison, each counted by itself:
- columns: the value of one market node at one bar, computed in columns of chunks of a drawn size, against the interpreter's;
- verdicts: one constraint on one drawn set of inputs, by the generated decision function, against the interpreter's; the same
  from intervals of floats, as far as these are certain, and from the exact function of the rest (`certain` counts the former);
- gates: one constraint on one drawn moment in the life of an account, by a gate that keeps what it read before, against what is
  read and interpreted anew; a size that shrinks against a search that computes each step exactly;
- records: one record of a replay that skips from event to event, against one that steps every bar;
- courses: the same for plain plans over longer markets, where a replay passes over whole trades (`passed` counts them);
- wholes: whole projects with all that people write in them: stepping, courses, chunks, cuts, sessions, explanations.

A mismatch is printed with its seed and program, and the command ends with 1. The same seed and workers compare the same things.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
import zlib
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), *(str(ROOT / "tests" / room) for room in ("engine", "gate", "replay"))]

import policies  # noqa: E402
import programs  # noqa: E402
import pytest  # noqa: E402
from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from moments import Life  # noqa: E402
from small_projects import run  # noqa: E402
from small_runs import (  # noqa: E402
    Drawn,
    Written,
    projects,
)
from small_runs import markets as drawn_markets  # noqa: E402
from stepping import stepped  # noqa: E402
from test_course import projects as plain_projects  # noqa: E402
from test_course import walk  # noqa: E402
from test_course_past import projects as limited_projects  # noqa: E402
from whole_runs import Played  # noqa: E402

from tb.core.records import Cancel, Decision, Fill, Latch, Order, Quiet, Trade  # noqa: E402
from tb.engine.columns import evaluate  # noqa: E402
from tb.engine.decide import generate  # noqa: E402
from tb.engine.graph import RuleGraph  # noqa: E402
from tb.engine.instant import Exact  # noqa: E402
from tb.engine.interpret import Histories, judge  # noqa: E402
from tb.engine.plan import PolicyPlan  # noqa: E402
from tb.engine.surely import Rest, Surely  # noqa: E402
from tb.gate.gate import Gate  # noqa: E402
from tb.replay.course import passing  # noqa: E402
from tb.replay.course.passage import Passage  # noqa: E402

LOT = Decimal("0.01")
KINDS = ("columns", "verdicts", "gates", "records", "courses", "wholes")
ROUND = 40  # examples of each kind between two lines of progress
TOLD = Decision | Order | Cancel | Fill | Trade | Latch


def columns(data: st.DataObject, found: Counter[str]) -> None:
    """Every market node of a drawn program at every bar of drawn markets."""
    text = data.draw(programs.rules())
    plan = programs.planned(text)
    markets = data.draw(programs.markets(plan, bars=data.draw(st.sampled_from([60, 200]))))
    nodes = [node.id for node in plan.graph.nodes if node.stage == "market"]
    chunk = data.draw(st.sampled_from([1, 2, 3, 7, 50, 1000]))
    reference = Histories(plan.graph, markets)
    fast = evaluate(plan.graph, dict.fromkeys(markets.base, nodes), markets, chunk=chunk)
    for symbol in markets.base:
        for node in nodes:
            expected = reference.history(node, symbol)
            assert programs.same_bits(fast[node, symbol], expected), f"node {node} of {symbol}, chunk {chunk}\n{text}"
            found["columns"] += len(expected)


def verdicts(data: st.DataObject, found: Counter[str]) -> None:
    """Drawn inputs of a drawn policy."""
    lines = data.draw(policies.constraints())
    plan = policies.plan_of(lines)
    policy = policies.policy_of(plan)
    decide = generate(plan.graph, policy).judge
    order, some = data.draw(st.permutations(policy.leaves)), data.draw(st.sets(st.sampled_from(policy.leaves)))
    seldom = data.draw(st.sets(st.sampled_from(policy.leaves)))
    surely, rest = Surely(plan.graph, policy, order, some, seldom), Rest(plan.graph, policy, decide)
    for _ in range(20):
        inputs = data.draw(policies.vectors(plan.graph, policy))
        expected, text = judge(plan.graph, policy, inputs), "\n".join([*lines, repr(inputs)])
        assert decide(inputs) == expected, text
        surely.give(inputs)
        failed, unknown, still_open = told = surely.masks()
        assert (failed, unknown) == tuple(mask & ~still_open for mask in expected), text
        assert rest.masks(told, inputs) == expected, text
        found["verdicts"] += len(policy.constraints)
        found["certain"] += len(policy.constraints) - still_open.bit_count()


def gates(data: st.DataObject, found: Counter[str]) -> None:
    """A drawn policy in a random life: every bit, every input, and every size."""
    lines = data.draw(policies.constraints())
    plan = policies.plan_of(lines)
    policy = policies.policy_of(plan)
    gate, life = Gate(plan.graph, policy), Life(Random(data.draw(st.integers(0, 2**62))), has_odd=data.draw(st.booleans()))
    shrinking = [c for c in policy.constraints if c.acts == "shrink"]
    for _ in range(60):
        life.live()
        moment, market = life.moment(), life.market()
        inputs, text = gate.inputs(moment, market), "\n".join(lines)
        try:
            expected = judge(plan.graph, policy, inputs)
        except InvalidOperation:  # a NaN is compared, which is no order at all
            with suppress(InvalidOperation):
                assert gate.judge(moment, market, LOT).approved is None, text
            continue
        said = gate.judge(moment, market, LOT)
        applies = gate.applies(moment.proposal.adds_risk)
        assert repr(said.inputs) == repr(tuple(inputs)), text
        assert (said.failed, said.unknown) == tuple(mask & applies for mask in expected), f"{text}\n{inputs!r}"
        assert said == gate.decide(inputs, moment.proposal.adds_risk, moment.proposal.quantity, LOT), f"{text}\n{inputs!r}"
        if said.verdict == "shrink":
            asked = tuple(c for c in shrinking if c.every_order or moment.proposal.adds_risk)
            found_ = largest(plan.graph, replace(policy, constraints=asked), gate, inputs)
            assert said.quantity == found_, f"{text}\n{inputs!r}"
            found["sizes"] += 1
        found["gates"] += len(policy.constraints)


def largest(graph: RuleGraph, shrinking: PolicyPlan, gate: Gate, inputs: Sequence[Exact]) -> Decimal:
    """The size that the gate's search finds, each step of it interpreted."""
    quantity = inputs[gate.leaf("order.quantity")]
    assert isinstance(quantity, Decimal)
    low, high = 0, int((quantity / LOT).to_integral_value(ROUND_CEILING))
    while high - low > 1:
        middle = (low + high) // 2
        passes = judge(graph, shrinking, gate.with_quantity(inputs, LOT * middle)) == (0, 0)
        low, high = (middle, high) if passes else (low, middle)
    return LOT * low


def records(written: Written, drawn: Drawn, found: Counter[str]) -> None:
    """A drawn project on drawn markets."""
    fast, slow = run(written.compiled, drawn.market).records, stepped(written.compiled, drawn.market)
    told = [[record for record in kept.records if isinstance(record, TOLD)] for kept in (fast, slow)]
    assert told[0] == told[1], f"{written}\n{drawn}"
    states = [{(q.strategy, q.instrument): zlib.decompress(q.states) for q in kept.of(Quiet)} for kept in (fast, slow)]
    assert states[0] == states[1], f"{written}\n{drawn}"
    found["records"] += len(told[1]) + sum(map(len, states[1].values()))


def courses(data: st.DataObject, found: Counter[str]) -> None:
    """A plain plan over a walk with jumps, holes and unknown values, passed over in courses of a drawn length; half of them
    under limits that read the account's past."""
    written = data.draw(st.one_of(plain_projects(), limited_projects()))
    project, symbols = written.compiled(), sum(symbol in written.rules for symbol in ("BTC-USD", "ETH-USD")) or 1
    of, hours = data.draw(st.integers(0, 1 << 30)), data.draw(st.sampled_from((300, 900, 2_500)))
    holes, unknown = data.draw(st.sampled_from((0.0, 0.0, 0.03))), data.draw(st.sampled_from((0.0, 0.0, 0.01)))
    market = walk(of, hours, symbols, holes=holes, unknown=unknown, decimals=data.draw(st.sampled_from((0, 1, 2, 2, 5))))
    drawn_from = {"WORTH": (1,), "PATIENT": (1, 1, 1_024), "FEW": (2, 64), "MOST": (3, 40, 1 << 15)}
    chosen = {name: data.draw(st.sampled_from(of)) for name, of in drawn_from.items()}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in chosen.items():
            patch.setattr(passing, name, value)
        leave = passing.Course._leave_behind

        def counted(course: passing.Course, passage: Passage, *more: int | None) -> None:
            found["passed"] += len(passage)
            found["refused"] += len(passage) - len(passage.which)
            leave(course, passage, *more)  # type: ignore[arg-type]

        patch.setattr(passing.Course, "_leave_behind", counted)
        fast = list(run(project, market).records.records)
    slow = stepped(project, market, interpreted=False).records
    told = [[repr(record) for record in kept if isinstance(record, TOLD)] for kept in (fast, slow)]
    drawn = f"seed {of}, {hours} hours, {holes} holes, {unknown} unknown, {chosen}\n{written}"
    assert told[0] == told[1], f"{drawn}\n{next((pair for pair in zip(*told, strict=False) if pair[0] != pair[1]), None)}"
    states = [
        {(q.strategy, q.instrument): zlib.decompress(q.states) for q in kept if isinstance(q, Quiet)} for kept in (fast, slow)
    ]
    assert states[0] == states[1], drawn
    found["courses"] += len(told[1]) + sum(map(len, states[1].values()))


def wholes(seed_: int, bars: int, tame: bool, found: Counter[str]) -> None:
    """A whole project in every other way of running it."""
    played = Played(seed_, 4 * bars if tame else bars, tame)
    found["wholes"] += played.courses_change_nothing() if tame else played.steps_alike(interpreted=bars < 70)
    if bars < 150:
        found["wholes"] += played.chunks_change_nothing() + played.a_cut_changes_nothing_before_it()
        found["wholes"] += played.a_session_decides_alike() + played.explanations_reproduce()


def compared(of: int, kinds: Sequence[str] = KINDS) -> tuple[Counter[str], str]:
    """One round with its seed: what was compared, and what did not agree, empty where all did."""
    found: Counter[str] = Counter()
    how = settings(
        max_examples=ROUND, database=None, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
    )

    @seed(of)
    @how
    @given(st.data())
    def market_stage(data: st.DataObject) -> None:
        columns(data, found)

    @seed(of)
    @how
    @given(st.data())
    def decision_stage(data: st.DataObject) -> None:
        verdicts(data, found)

    @seed(of)
    @how
    @given(st.data())
    def whole_gates(data: st.DataObject) -> None:
        gates(data, found)

    @seed(of)
    @how
    @given(projects(), drawn_markets())
    def whole_runs(written: Written, drawn: Drawn) -> None:
        records(written, drawn, found)

    @seed(of)
    @how
    @given(st.data())
    def whole_courses(data: st.DataObject) -> None:
        courses(data, found)

    @seed(of)
    @how
    @given(st.integers(0, 1 << 60), st.sampled_from((60, 120, 120, 300)), st.booleans())
    def whole_projects(seed_: int, bars: int, tame: bool) -> None:
        wholes(seed_, bars, tame, found)

    each = (market_stage, decision_stage, whole_gates, whole_runs, whole_courses, whole_projects)
    stages = dict(zip(KINDS, each, strict=True))
    for kind in (stages[name] for name in kinds):
        try:
            kind()
        except Exception:  # whatever it is, it is what the soak looks for: told with the seed that gives it again
            return found, f"seed {of}, {kind.__name__}\n{traceback.format_exc()}"
    return found, ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--comparisons", type=int, default=10_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    chosen = parser.parse_args()
    total: Counter[str] = Counter()
    begin, next_seed = time.monotonic(), chosen.seed * 1_000_000
    with ProcessPoolExecutor(chosen.workers) as pool:
        while sum(total[kind] for kind in KINDS) < chosen.comparisons:
            seeds = range(next_seed, next_seed + chosen.workers)
            next_seed += chosen.workers
            for found, wrong in pool.map(partial(compared, kinds=chosen.kinds), seeds):
                total += found
                if wrong:
                    print(wrong)
                    return 1
            done, shares = sum(total[kind] for kind in KINDS), ", ".join(f"{count:,} {kind}" for kind, count in total.items())
            print(f"{done:,} comparisons ({shares}), {time.monotonic() - begin:,.0f} s, no mismatch", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
