"""Advisors: asked within their budgets, bent within their bounds, never the origin of an order; all of it in the record."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_capital import PLACE, half_a_year
from small_projects import START, Replayed, bars, compiled, flat, market, run, strategy

from tb.core.diagnostics import Refused
from tb.core.records import Advice, Decision
from tb.core.span import Span
from tb.core.time import HOUR, MINUTE, show_instant
from tb.dsl.checked_capital import Advisor
from tb.gate.explain import html, text
from tb.replay.advice import advice_places, load_advice
from tb.runtime.advice import Asking, taken
from tb.runtime.policy import compile_project, project_of
from tb.runtime.ports import Answer, Question
from tb.runtime.project import load_project

D = Decimal
HERE = Span("policy/p.tb", 1, 1, 1, 1)
POLICY = """advisor news
  may adjust conviction by at most 0.15
  may veto
  at most {budget}answer within 5s otherwise {late}
"""
CONFIDENT = "trigger up\n  when volume > 0\n  confidence 0.6\n\n" + strategy("up", members="BTC-USD, ETH-USD, SOL-USD")


HALF = D("0.5")


class Script:
    """Answers by instrument; None for those that are not in it."""

    def __init__(self, cost: D | None = HALF, **answers: Answer) -> None:
        self.answers, self.price, self.asked = answers, cost, 0

    def cost(self, question: Question) -> D | None:
        return self.price

    def ask(self, question: Question, within: int) -> Answer | None:
        self.asked += 1
        return self.answers.get(question.instrument.split("-")[0])


def answer(adjust: str | None = None, *, veto: bool = False, latency: int | None = 800, problem: str = "") -> Answer:
    return Answer(adjust=None if adjust is None else D(adjust), veto=veto, note="rumours", latency=latency, problem=problem)


def three(
    source: Script | None, *, budget: str = "", late: str = "abstain", policy: str = "", rules: str = CONFIDENT
) -> Replayed:
    data = market(*(bars(f"{name}-USD", [flat(100, 1)]) for name in ("BTC", "ETH", "SOL")))
    texts = POLICY.format(budget=budget, late=late).replace("at most answer", "answer") + policy
    done = run(compiled(rules, texts), data, adviser=source)
    for decision in done.decisions:
        found = done.explained(decision)
        assert found.reproduced, found.differences
    return done


def test_an_adjustment_moves_confidence_and_with_it_the_order_of_proposals() -> None:
    done = three(Script(BTC=answer("-0.1"), ETH=answer("0.15"), SOL=answer()))
    assert [(d.instrument, d.confidence) for d in done.decisions] == [("ETH-USD", 0.75), ("SOL-USD", 0.6), ("BTC-USD", 0.5)]
    assert [d.advice[0].outcome for d in done.decisions] == ["adjust", "agree", "adjust"]
    found = done.explained(done.decisions[2])
    assert found.combined == ('advisor    news moves it by -0.1 ("rumours"), answered in 800ms, cost 0.5',)
    assert found.combined[0] in text(found)
    assert "news moves it by -0.1" in html(found)


def test_policy_reads_the_confidence_that_advice_left() -> None:
    done = three(Script(BTC=answer("-0.1")), policy="require sure order.confidence >= 0.6\n")
    assert {d.instrument: d.deciding for d in done.decisions} == {"BTC-USD": ("sure",), "ETH-USD": (), "SOL-USD": ()}


def test_a_veto_removes_and_is_explained_with_what_stands_without_it() -> None:
    done = three(Script(BTC=answer(veto=True)))
    decision = next(d for d in done.decisions if d.instrument == "BTC-USD")
    assert (decision.verdict, decision.deciding, decision.approved) == ("reject", ("news",), 0)
    found = done.explained(decision)
    assert found.if_lifted == "approve"
    assert "news vetoes it" in text(found)
    assert len(done.orders) == 2


@pytest.mark.parametrize("late", ["abstain", "veto"])
@pytest.mark.parametrize(
    ("said", "why"),
    [
        (answer("0.1", latency=5_001), "late"),
        (answer("0.1", latency=None), "late"),
        (answer("0.1", problem="`x` is no number"), "`x` is no number"),
        (None, "no answer"),
    ],
)
def test_no_answer_in_time_is_what_the_policy_says(said: Answer | None, why: str, late: str) -> None:
    done = three(Script(**({} if said is None else {"BTC": said})), late=late)
    decision = next(d for d in done.decisions if d.instrument == "BTC-USD")
    assert (decision.advice[0].outcome, decision.advice[0].why, decision.confidence) == (late, why, 0.6)
    assert (decision.approved == 0) == (late == "veto")


def test_an_answer_at_the_last_moment_counts() -> None:
    done = three(Script(BTC=answer("0.1", latency=5_000)))
    assert next(d for d in done.decisions if d.instrument == "BTC-USD").confidence == 0.7


@pytest.mark.parametrize(
    ("budget", "cost", "asked", "why"),
    [
        ("2 calls per hour, ", D("0.5"), 2, "over its budget of calls"),
        ("1 USD per cycle, ", D("0.5"), 2, "over its budget of cost"),
        ("0.99 USD per cycle, ", D("0.5"), 1, "over its budget of cost"),
        ("1 USD per cycle, ", None, 0, "what a call costs is not known"),
    ],
)
@pytest.mark.parametrize("late", ["abstain", "veto"])
def test_beyond_its_budget_nobody_is_asked(budget: str, cost: D | None, asked: int, why: str, late: str) -> None:
    source = Script(cost, BTC=answer(), ETH=answer(), SOL=answer())
    done = three(source, budget=budget, late=late)
    assert source.asked == asked
    silent = [d for d in done.decisions if d.advice[0].why]
    assert [d.advice[0].why for d in silent] == [why] * (3 - asked)
    assert all((d.approved == 0) == (late == "veto") for d in silent)


def test_calls_are_counted_in_a_window_that_leaves_out_its_far_end() -> None:
    source = Script(BTC=answer())
    rules = "trigger up\n  when volume > 0\n  confidence 0.6\n\n" + strategy("up", size="0.00001% of equity")
    policy = POLICY.format(budget="1 calls per hour, ", late="abstain")
    rows = [flat(100, 1)] * 4
    done = run(compiled(rules, policy), market(bars("BTC-USD", rows, period=30 * MINUTE)), adviser=source)
    every_hour = [(d.at - START) // MINUTE for d in done.decisions]
    assert (every_hour, source.asked) == ([60, 120], 2)


@pytest.mark.parametrize("cost", ["-1", "-0.01", "NaN", "sNaN", "-Infinity", "Infinity"])
@pytest.mark.parametrize("budget", ["1 USD per cycle, ", ""])
def test_a_cost_that_cannot_be_is_not_known_and_fills_up_no_budget(cost: str, budget: str) -> None:
    source = Script(D(cost), BTC=answer(), ETH=answer(), SOL=answer())
    done = three(source, budget=budget)
    assert source.asked == (0 if budget else 3)
    assert {d.advice[0].why for d in done.decisions} == {"what a call costs is not known" if budget else ""}
    assert {d.advice[0].cost for d in done.decisions} == {None}


COSTS = st.one_of(
    st.none(), st.decimals(-3, 3, places=2), st.sampled_from([D("NaN"), D("sNaN"), D("Infinity"), D("-Infinity")])
)


@given(st.lists(COSTS, max_size=12))
def test_what_is_spent_never_shrinks_within_its_window(costs: list[D | None]) -> None:
    source = Script()
    limited = replace(advisor(), cost=D(2))
    asking = Asking((limited,), source)
    before = D(0)
    for cost in costs:
        source.price = cost
        asking._ask(limited, asked())
        now = asking.spent.get("news", D(0))
        assert before <= now <= 2
        before = now


def test_nobody_to_ask_is_no_answer() -> None:
    assert {d.verdict for d in three(None, late="veto").decisions} == {"reject"}
    assert {d.verdict for d in three(None).decisions} == {"approve"}


def advisor(*, adjust: str | None = "0.15", veto: bool = True, late: str = "abstain") -> Advisor:
    bound = None if adjust is None else D(adjust)
    return Advisor("news", bound, veto, None, HOUR, None, 5_000, late, "", HERE)


@given(st.decimals(-2, 2, places=3), st.booleans(), st.booleans(), st.sampled_from([None, "0.15", "1"]))
def test_whatever_it_says_it_stays_within_what_it_may_do(adjust: D, veto: bool, may_veto: bool, bound: str | None) -> None:
    one = advisor(adjust=bound, veto=may_veto)
    said = taken(one, Answer(adjust=adjust, veto=veto, note="", latency=1), None)
    assert abs(said.adjust) <= D(bound or 0)
    assert (said.outcome == "veto") == (veto and may_veto)
    if veto and not may_veto:
        assert "a veto it may not have" in said.why
    if adjust and bound is None and said.outcome != "veto":
        assert "an adjustment it may not make" in said.why


def test_a_size_by_conviction_follows_the_conviction_that_advice_left() -> None:
    rules = 'signal dip\n  long when volume > 0  conviction 5  because "a dip"\n\n' + strategy(
        "dip is long", size="conviction 1..10 as 1%..10% of equity", members="BTC-USD, ETH-USD"
    )
    data = market(*(bars(f"{name}-USD", [flat(100, 1)]) for name in ("BTC", "ETH")))
    done = run(
        compiled(rules, POLICY.format(budget="", late="abstain").replace("at most answer", "answer")),
        data,
        adviser=Script(BTC=answer("-0.1")),
    )
    found = {d.instrument: (d.conviction, d.proposed) for d in done.decisions}
    # a tenth of the scale from 1 to 10 is 0.9
    assert found == {"BTC-USD": (4.1, D("4.1")), "ETH-USD": (5.0, D(5))}
    assert all(done.explained(d).reproduced for d in done.decisions)


@pytest.mark.parametrize(
    "change",
    [
        {"adjust": D("0.2")},
        {"adjust": D(0)},
        {"advisor": "desk"},
        {"outcome": "veto"},
        {"outcome": "agree"},
    ],
)
def test_changed_advice_is_a_difference(change: dict[str, object]) -> None:
    done = three(Script(BTC=answer("-0.1"), ETH=answer("-0.1"), SOL=answer("-0.1")))
    decision = done.decisions[0]
    changed = (msgspec.structs.replace(decision.advice[0], **change),)
    assert not done.explained(msgspec.structs.replace(decision, advice=changed)).reproduced
    assert not done.explained(msgspec.structs.replace(decision, advice=())).reproduced


def test_advice_makes_no_order() -> None:
    rows = [flat(100)] * 3
    done = run(
        compiled(strategy(), POLICY.format(budget="", late="veto").replace("at most answer", "answer")),
        market(bars("BTC-USD", rows)),
        adviser=Script(BTC=answer("0.15")),
    )
    assert done.decisions == []


# --- recorded answers ---------------------------------------------------------------------------------------------------

AT = show_instant(START + HOUR)


def asked(instrument: str = "BTC-USD", at: int = START + HOUR, who: str = "s") -> Question:
    return Question(at, "news", who, instrument, "buy", 0.6, None, "")


def recorded(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", f"time,instrument,strategy,adjust,veto,note,latency,cost\n{AT},BTC-USD,s,-0.1,no,rumours,900ms,0.02\n"),
        (
            "a.jsonl",
            (
                f'{{"time": "{AT}", "instrument": "BTC-USD", "adjust": -0.1, "veto": false, '
                '"note": "rumours", "latency": 0.9, "cost": "0.02"}\n'
            ),
        ),
    ],
)
def test_rows_are_answers(tmp_path: Path, name: str, content: str) -> None:
    source = load_advice({"news": recorded(tmp_path, name, content)})
    found = source.ask(asked(), 5_000)
    assert found == Answer(adjust=D("-0.1"), veto=False, note="rumours", latency=900)
    assert source.cost(asked()) == D("0.02")
    assert source.ask(asked("ETH-USD"), 5_000) is None
    assert source.ask(asked(at=START), 5_000) is None
    assert len(source.hashes["news"]) == 64


@pytest.mark.parametrize(
    ("latency", "ms"), [("5", 5_000), ("5.0001", 5_001), ("5000.1ms", 5_001), ("-1", None), ("1e40", None), ("1e999999", None)]
)
def test_how_long_an_answer_took_is_never_less_than_it_says(tmp_path: Path, latency: str, ms: int | None) -> None:
    content = f"time,adjust,latency\n{AT},0.1,{latency}\n"
    found = load_advice({"news": recorded(tmp_path, "a.csv", content)}).ask(asked(), 5_000)
    assert found is not None
    assert found.latency == ms
    assert taken(advisor(), found, None).why == ("" if ms == 5_000 else "late")


@pytest.mark.parametrize(
    ("column", "value"), [("adjust", "nan"), ("adjust", "much"), ("veto", "maybe"), ("adjust", "1e999999")]
)
def test_what_cannot_be_read_of_an_answer_makes_it_none(tmp_path: Path, column: str, value: str) -> None:
    row = {"adjust": "0.1", "veto": "no", column: value}
    content = f"time,adjust,veto,latency\n{AT},{row['adjust']},{row['veto']},1\n"
    found = load_advice({"news": recorded(tmp_path, "a.csv", content)}).ask(asked(), 5_000)
    assert found is not None
    said = taken(advisor(late="veto"), found, None)
    assert said.adjust in {0, D("0.15")}
    assert said.outcome == "veto" or (column == "adjust" and value == "1e999999")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "time,adjust\nsoon,0.1\n", "`soon` is no time"),
        ("a.csv", f"time,adjust\n{AT},0.1\n{AT},0.2\n", "a second answer to the same question"),
        ("a.csv", "when,adjust\n", "`when` is no column of answers"),
        ("a.csv", "adjust\n0.1\n", "the column `time` is missing"),
        ("a.jsonl", "{", "this line is no answer"),
        ("a.jsonl", "[1]", "this line is no answer"),
    ],
)
def test_a_file_that_does_not_say_what_it_answers_is_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(Refused) as refused:
        load_advice({"news": recorded(tmp_path, name, content)})
    assert [finding.message for finding in refused.value.findings] == [message]
    assert all(finding.code == "TB079" and finding.hint for finding in refused.value.findings)


@pytest.mark.parametrize("cost", ["-0.02", "-1e9", "NaN", "inf", "free", ""])
def test_a_recorded_cost_that_cannot_be_is_not_known(tmp_path: Path, cost: str) -> None:
    found = load_advice({"news": recorded(tmp_path, "a.csv", f"time,adjust,latency,cost\n{AT},0.1,1s,{cost}\n")})
    assert found.cost(asked()) is None
    assert found.ask(asked(), 5_000) is not None


def test_a_file_that_is_not_there_is_refused_with_the_edit(tmp_path: Path) -> None:
    places = advice_places([advisor()], {}, tmp_path)
    assert places == {"news": tmp_path / "advice" / "news.csv"}
    assert advice_places([advisor()], {"news": "x/y.jsonl"}, tmp_path) == {"news": tmp_path / "x" / "y.jsonl"}
    with pytest.raises(Refused) as refused:
        load_advice(places)
    assert "advice: {news: PATH}" in refused.value.findings[0].hint


def test_on_recorded_markets_a_script_bends_and_vetoes(root: Path, recorded_data: Path, tmp_path: Path) -> None:
    data = half_a_year(recorded_data)
    policy = POLICY.format(budget="60 calls per hour, 2 USD per cycle, ", late="abstain")
    project = compile_project(project_of({**load_project(root).texts, PLACE: policy}, root))
    plain = [d for d in run(project, data).decisions if d.kind == "enter"]
    rows = ["time,instrument,strategy,adjust,veto,note,latency,cost"]
    for at, decision in enumerate(plain):
        veto, adjust, latency = at % 7 == 0, ("-0.1", "0.1", "0.4")[at % 3], ("1s", "1s", "9s")[at % 5 % 3]
        word = "yes" if veto else "no"
        rows.append(
            f"{show_instant(decision.at)},{decision.instrument},{decision.strategy},{adjust},{word},read,{latency},0.01"
        )
    source = load_advice({"news": recorded(tmp_path, "news.csv", "\n".join(rows) + "\n")})
    done, again = run(project, data, adviser=source), run(project, data, adviser=source)
    assert done.outcome.decision_log_hash == again.outcome.decision_log_hash
    entries = [d for d in done.decisions if d.kind == "enter"]
    outcomes = {d.advice[0].outcome for d in entries}
    assert outcomes == {"adjust", "veto", "abstain"}
    assert {"late", "cut from 0.4"} <= {d.advice[0].why for d in entries}
    for decision in entries[:: len(entries) // 25]:
        found = done.explained(decision, deep=False)
        assert found.reproduced, found.differences
    for decision in entries:
        assert not (decision.advice[0].outcome == "veto" and decision.approved)
    vetoed = next(d for d in entries if d.deciding == ("news",))
    assert "news vetoes it" in text(done.explained(vetoed))
    assert isinstance(vetoed, Decision)
    assert isinstance(vetoed.advice[0], Advice)
