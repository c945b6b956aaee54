"""The checker takes whatever parses: it never raises, and what it lets pass can be planned and judged."""

from __future__ import annotations

from decimal import Decimal

import generate
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tb.core.codes import CODES
from tb.core.diagnostics import Diagnostic, has_errors
from tb.dsl import checked, syntax
from tb.dsl.check import check
from tb.dsl.format import format_file
from tb.dsl.parse import parse
from tb.engine.decide import generate as decision_function
from tb.engine.planning import plan

UNIVERSE = "universe majors on exchange\n  tier core BTC-USD, ETH-USD\n"
STRATEGY = "strategy s on majors every 1h\n  enter long when {}\n    size 5% of equity\n"

# made once: the strategy of a declaration is large
RULES, POLICY = (st.lists(generate.declarations(is_policy=is_policy), max_size=4) for is_policy in (False, True))
ANYTHING = st.tuples(st.just(False), RULES) | st.tuples(st.just(True), POLICY)


def run(rules: str = "", policy: str = "", **parameters: str) -> tuple[checked.Program | None, list[Diagnostic]]:
    files = [parse("rules/r.tb", rules, is_policy=False), parse("policy/p.tb", policy, is_policy=True)]
    assert [*files[0][1], *files[1][1]] == []
    return check([file for file, _ in files], overrides=parameters)


def told(findings: list[Diagnostic]) -> list[str]:
    return [f"{found.span.file} {found.code} {found.message}" for found in findings]


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@given(ANYTHING)
@settings(max_examples=60)
def test_whatever_parses_is_checked_without_an_accident(body: tuple[bool, list[syntax.Declaration]]) -> None:
    is_policy, declarations = body
    written = syntax.File("written.tb", is_policy, None, tuple(declarations), (), "")
    file, mistakes = parse(f"{'policy' if is_policy else 'rules'}/generated.tb", format_file(written), is_policy=is_policy)
    assert mistakes == []
    program, findings = check([file])
    assert (program is None) == has_errors(findings)
    assert all(found.code in CODES and found.message for found in findings)
    if program is not None:
        made = plan(program)
        assert all(decision_function(made.graph, policy).source for policy in made.policies.values())


def test_nothing_to_check_is_the_rules_every_project_has() -> None:
    program, findings = check([])
    assert findings == []
    assert program is not None
    assert [c.name for c in program.constraints][:2] == ["not_halted", "not_paused"]
    assert {c.span.file for c in program.constraints} == {"std/venue.tb"}


def test_mistakes_of_all_files_are_told_in_one_run() -> None:
    _, findings = run("let a = clsoe\nlet b = opne\n", "limit c order.notionl <= 5 USD\nforbid d when sprad > 1%\n")
    assert [(found.span.file, found.span.line) for found in findings] == [
        ("rules/r.tb", 1),
        ("rules/r.tb", 2),
        ("policy/p.tb", 1),
        ("policy/p.tb", 2),
    ]


def test_a_parameter_of_the_settings_counts_within_its_range() -> None:
    rules = UNIVERSE + "param fast = 20 in 5..50\n" + STRATEGY.format("close > sma(close, fast)")
    program, findings = run(rules, fast="50")
    assert findings == []
    assert program is not None
    assert (program.params["fast"].value, program.params["fast"].origin) == (Decimal(50), "tb.yaml")
    assert told(run(rules, fast="51")[1]) == [
        "rules/r.tb TB401 `fast` is outside its range 5..50: tb.yaml sets 51",
    ]
    assert told(run(rules, fast="5%")[1]) == ["rules/r.tb TB101 tb.yaml sets it to a ratio, its range is a number"]
    assert told(run(rules, fats="5")[1]) == ["tb.yaml TB402 tb.yaml sets the parameter `fats`, which no rule has"]
    assert [found.code for found in run(rules, fast="5 +")[1]] == ["TB002"]


def test_a_requirement_between_parameters_holds_for_the_values_they_have() -> None:
    rules = "param fast = 20 in 5..200\nparam slow = 100\nrequire fast < slow\n"
    assert run(rules)[1] == []
    assert told(run(rules, fast="100")[1]) == ["rules/r.tb TB406 the parameters break this: fast = 100, slow = 100"]


def test_names_are_seen_where_they_may_be_used() -> None:
    files = {
        "rules/a.tb": "use b\nlet one = two\n",
        "rules/b.tb": "let two = close\nlet three = hidden\n",
        "rules/c.tb": "let hidden = close\nlet four = one\n",
        "policy/p.tb": "let five = six\nlet six = spread\nlet seven = two\n",
    }
    parsed = [parse(path, text, is_policy=path.startswith("policy"))[0] for path, text in files.items()]
    _, findings = check(parsed)
    assert sorted(told(findings)) == [
        "policy/p.tb TB053 `two` cannot be used here",
        "rules/b.tb TB053 `hidden` cannot be used here",
        "rules/c.tb TB053 `one` cannot be used here",
    ]


def test_a_name_of_the_account_may_be_defined_in_rules_where_it_means_nothing_else() -> None:
    program, findings = run(UNIVERSE + "let net = close / open\n" + STRATEGY.format("net > 1"))
    assert findings == []
    assert program is not None


def test_a_quantity_of_a_traded_instrument_is_one_everywhere() -> None:
    rules = UNIVERSE + "let lot = 0.5 BTC\nlet much = volume > 0.5 BTC\n" + STRATEGY.format("volume > lot and much")
    assert run(rules)[1] == []


def test_a_parameter_that_names_itself_is_refused() -> None:
    assert told(run("param a = a + 1\n")[1]) == ["rules/r.tb TB053 `a` is not a value"]


@pytest.mark.parametrize(
    "condition",
    ["close", "0", "0 * close", "zero", "close > open and 0", "not zero"],
)
def test_a_number_is_no_condition_and_zero_is_a_number(condition: str) -> None:
    _, findings = run(UNIVERSE + "let zero = 0\n" + STRATEGY.format(condition))
    assert [found.code for found in findings] == ["TB054"]


@pytest.mark.parametrize(
    "condition",
    ["0 < equity", "equity >= 0 USD", "equity > 0", "0 == order.notional"],
)
def test_zero_needs_no_unit(condition: str) -> None:
    assert run("", f"require r {condition}\n")[1] == []


def test_crosses_and_ranges_lose_their_sugar() -> None:
    rules = UNIVERSE + "let a = close crosses above 5 * open\nlet b = rsi(close, 3) in 30..70\n"
    plain = UNIVERSE + (
        "let a = close > 5 * open and close[1] <= (5 * open)[1]\nlet b = rsi(close, 3) >= 30 and rsi(close, 3) <= 70\n"
    )
    one, other = run(rules)[0], run(plain)[0]
    assert one is not None
    assert other is not None
    assert {name: let.value for name, let in one.lets.items()} == {name: let.value for name, let in other.lets.items()}
