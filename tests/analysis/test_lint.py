"""What the linter does around its rules: order, echoes of mistakes, suppressions, and projects of some size."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from lint_samples import STANDARD, UNFORMATTED, findings_of

from tb.analysis.lint import DataSpan, unasked
from tb.analysis.lint import lint as lint_all
from tb.core.diagnostics import Diagnostic, Severity, in_order
from tb.core.render import plain
from tb.dsl.parse import parse

UNIVERSE = "universe u\n  tier core BTC-USD, ETH-USD\n\n"
STRATEGY = (
    'strategy s on u every 1h\n  enter long when {}\n    size 5% of equity\n    stop 8% below entry\n    because "it rises"\n'
)


def lint(*args: Any, **more: Any) -> list[Diagnostic]:
    """Without a look at the layout, which these programs do not care for."""
    return lint_all(*args, levels={UNFORMATTED: None}, **more)


def codes(text: str) -> list[str]:
    return [finding.code for finding in findings_of(text)]


def project(*, triggers: int, constraints: int) -> str:
    """Rules and constraints by the hundred, all different and all sound."""
    parts = [UNIVERSE]
    for n in range(triggers):
        parts.append(f"let strength_{n} = rsi(close, {n + 5}) - {n % 7}\n")
        when = f"strength_{n} > {40 + n % 20} and (volume > mean(volume, {n + 2}) or hour in 8..20)"
        when += f" and close > ema(close, {n + 3})"
        parts.append(f'trigger t_{n}\n  when {when}\n  because "{{strength_{n}:.0f}}"\n')
        parts.append(STRATEGY.format(f"t_{n} and change(close, {n + 1}) > {n % 5}%").replace("strategy s", f"strategy s_{n}"))
    parts.append("--- policy/limits.tb\n" + STANDARD)
    parts += [
        f"require l_{n}  entries({n + 2}h) < {n + 5} and loss({n + 1}h) <= {n + 1}% of equity\n" for n in range(constraints - 6)
    ]
    return "\n".join(parts)


def test_a_project_of_hundreds_of_rules_is_looked_at_whole() -> None:
    quiet: dict[str, Severity | None] = {"TB403": None}  # its thresholds repeat
    assert findings_of(project(triggers=100, constraints=100), levels=quiet) == []
    wrong = project(triggers=100, constraints=100).replace("strength_99 > 59", "strength_99 > 59 and strength_99 < 50")
    assert [finding.code for finding in findings_of(wrong, levels=quiet)] == ["TB104"]


def test_findings_come_in_order_and_once() -> None:
    text = UNIVERSE + STRATEGY.format("rsi(close, 14) > 120 and volume >= 0") + "let spare = close\n"
    second = STRATEGY.format("rsi(close, 14) > 120").replace("strategy s", "strategy other")
    found = findings_of(text + second)
    assert found == in_order(found)
    assert [finding.code for finding in found] == ["TB106", "TB105", "TB509", "TB106"]


def test_the_same_clause_in_a_trigger_of_two_strategies_is_said_once() -> None:
    trigger = "trigger hot\n  when rsi(close, 14) > 120\n\n"
    two = STRATEGY.format("hot") + STRATEGY.format("hot").replace("strategy s", "strategy other").replace(
        "every 1h", "every 4h"
    )
    assert codes(UNIVERSE + trigger + two) == ["TB106"]


def test_nothing_is_judged_twice_where_a_file_does_not_parse() -> None:
    text = "let strength = rsi(close, 14\n\n" + UNIVERSE + STRATEGY.format("strength > 70")
    assert codes(text) == ["TB009"]
    assert "TB102" in codes("let strength = rsi(close, 14)\n\n" + UNIVERSE + STRATEGY.format("strengt > 70"))


def test_a_name_that_is_unknown_is_said_beside_a_mistake_elsewhere() -> None:
    text = "let strength = rsi(close, 14\n\n" + UNIVERSE + STRATEGY.format("weakness > 70")
    assert codes(text) == ["TB009", "TB102"]


def test_a_limit_that_could_not_be_read_is_not_said_to_be_missing() -> None:
    policy = STANDARD + "limit position  after.exposure(order.instrument) <= limits.max_position_pct of equity\n"
    text = UNIVERSE + STRATEGY.format("close > close[1]") + "--- policy/limits.tb\n" + policy
    assert codes(text) == ["TB060"]
    assert codes(text + "--- limits\nmax_position_pct: 5\n") == ["TB624"]


def test_without_a_policy_everything_is_missing() -> None:
    file, _ = parse("rules/r.tb", UNIVERSE + STRATEGY.format("close > close[1]"), is_policy=False)
    found = lint([file])
    assert [finding.code for finding in found] == ["TB207", "TB303", "TB305", "TB306", "TB307", "TB308"]
    assert {finding.span.file for finding in found} == {"policy"}


def test_without_a_strategy_nothing_is_missing() -> None:
    assert lint([parse("policy/p.tb", "limit day  entries(today) < 10\n", is_policy=True)[0]]) == []
    assert lint([]) == []


def test_parameters_are_judged_with_the_values_of_the_settings() -> None:
    text = "param level = 70\n" + UNIVERSE + STRATEGY.format("rsi(close, 14) > level")
    files = [parse("rules/r.tb", text, is_policy=False)[0], parse("policy/p.tb", STANDARD, is_policy=True)[0]]
    assert lint(files) == []
    assert [finding.code for finding in lint(files, overrides={"level": "130"})] == ["TB106"]
    assert [finding.code for finding in lint(files, overrides={"levle": "60"})] == ["TB402"]


def test_limits_are_judged_with_their_values() -> None:
    policy = STANDARD.replace("drawdown <= 10%", "drawdown <= limits.max_drawdown_pct")
    text = UNIVERSE + STRATEGY.format("close > close[1]") + "--- policy/limits.tb\n" + policy + "--- limits\nmax_drawdown_pct: "
    assert codes(text + "10%\n") == []
    assert codes(text + "100%\n") == ["TB105"]


def test_what_was_not_looked_at_is_said() -> None:
    assert len(unasked(None, None)) == 2
    assert unasked(DataSpan(3_600_000, {"BTC-USD": 5}), lambda symbol: None) == ()


def test_data_of_other_instruments_says_nothing() -> None:
    file, _ = parse("rules/r.tb", UNIVERSE + STRATEGY.format("close > sma(close, 50)"), is_policy=False)
    policy, _ = parse("policy/p.tb", STANDARD, is_policy=True)
    assert lint([file, policy], data=DataSpan(3_600_000, {"SOL-USD": 5})) == []
    assert [f.code for f in lint([file, policy], data=DataSpan(3_600_000, {"BTC-USD": 49}))] == ["TB205"]
    assert lint([file, policy], data=DataSpan(3_600_000, {"BTC-USD": 50})) == []


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# tb: ignore TB301 because the venue holds the stop", ["TB501"]),
        ("# tb: ignore TB301, TB501 because it is an experiment", []),
        ("# TB: IGNORE tb301 BECAUSE it is an experiment", ["TB501"]),
        ("# tb: ignore TB301", ["TB510", "TB301", "TB501"]),
        ("# tb: ignore TB301 because", ["TB510", "TB301", "TB501"]),
        ("# tb: ignore TB301 because ...", ["TB510", "TB301", "TB501"]),
        ("# tb: ignore TB301 the venue holds it", ["TB510", "TB301", "TB501"]),
        ("# tb: ignore", ["TB510", "TB301", "TB501"]),
        ("# tb: ignore all because I say so", ["TB510", "TB301", "TB501"]),
        ("# tb: ignore TB104 because of nothing", ["TB514", "TB301", "TB501"]),
        ("# tb: ignore TB999 because of nothing", ["TB514", "TB301", "TB501"]),
        ("# tb: skip TB301 because of nothing", ["TB514", "TB301", "TB501"]),
        ("# a comment about tb: ignore it", ["TB301", "TB501"]),
    ],
)
def test_a_comment_hides_what_it_names_if_it_says_why(comment: str, expected: list[str]) -> None:
    text = f"{UNIVERSE}strategy s on u every 1h\n  {comment}\n  enter long when close > close[1]\n    size 5% of equity\n"
    assert codes(text) == expected


def test_a_comment_hides_on_its_own_line_alone() -> None:
    first = "enter long when close > close[1]  # tb: ignore TB301 because the venue holds the stop\n    size 5% of equity\n"
    second = 'enter long when close > open\n    size 5% of equity\n    because "rises"\n'
    text = f'{UNIVERSE}strategy s on u every 1h\n  "Buys."\n  {first}  {second}'
    assert [(finding.code, finding.span.line) for finding in findings_of(text)] == [("TB301", 8)]


def test_a_comment_does_not_complain_of_a_rule_that_is_off() -> None:
    text = UNIVERSE + "# tb: ignore TB509 because it is used next week\nlet spare = close\n" + STRATEGY.format("close > open")
    assert findings_of(text) == []
    assert findings_of(text, levels={"TB509": None}) == []
    assert [f.code for f in findings_of(text.replace("let spare", "let unused"), levels={"TB509": Severity.ERROR})] == []


def test_a_mistake_in_a_comment_is_said_where_rules_cannot_run() -> None:
    assert codes(UNIVERSE + STRATEGY.format("clsoe > 5  # tb: ignore TB301")) == ["TB102", "TB510"]


def test_the_other_clause_is_pointed_at() -> None:
    trigger = "trigger hot\n  when rsi(close, 14) > 70 and volume > 0\n\n"
    (finding,) = findings_of(UNIVERSE + trigger + STRATEGY.format("hot and rsi(close, 14) < 30"))
    assert finding.code == "TB104"
    assert [(label.span.line, label.span.column) for label in finding.labels] == [(5, 8), (8, 27)]


def test_a_pip_that_is_known_to_be_none_counts_as_unknown() -> None:
    text = "universe fx\n  tier core EUR_USD\n\n" + STRATEGY.format("close > high[1] + 2 pips").replace("on u", "on fx")
    file, policy = parse("rules/r.tb", text, is_policy=False)[0], parse("policy/p.tb", STANDARD, is_policy=True)[0]

    class Spec:
        pip: Decimal | None = None
        max_quantity: Decimal | None = Decimal(1)

    assert [f.code for f in lint([file, policy], instruments=lambda symbol: Spec())] == ["TB121"]
    assert lint([file, policy]) == []


def test_one_line_for_each_finding() -> None:
    said = plain(findings_of(UNIVERSE + STRATEGY.format("hour in 20..8\n    and close > open")))
    place = "rules/program.tb:5:19: error[TB104]"
    assert said == f"{place}: `hour in 20..8` can never be true; hint: correct its bounds, or drop it"
