"""The numbers of a policy: exact, with their units, and refused in clear words where a unit or a name is wrong."""

from __future__ import annotations

from decimal import Decimal

import jsonschema
import pytest

from tb.core.units import BARS, DURATION, NUMBER, RATIO, R, money
from tb.gate.limits import limits_schema, parse_limits, standard_names

GOOD = """\
# hard limits of the desk
max_position_pct: 5%
max_order_value: 500 USD
max_trades_per_day: 10
max_data_age: 2 bars
pause_after_losses: 60m
min_reward_risk: 2.5
custom:
  max_funding: 3bps
  edge: 1.5
  giveback: 2R
"""


def said(text: str) -> list[str]:
    _, findings = parse_limits("policy/limits.yaml", text)
    assert all(finding.span.file == "policy/limits.yaml" for finding in findings)
    return [f"{f.span.line}:{f.span.column} {f.code} {f.message}" + (f" | {f.hint}" if f.hint else "") for f in findings]


def test_limits_are_exact_and_carry_their_units() -> None:
    limits, findings = parse_limits("policy/limits.yaml", GOOD)
    assert findings == []
    assert [(limit.name, limit.value, limit.unit, limit.text) for limit in limits] == [
        ("max_position_pct", Decimal("0.05"), RATIO, "5%"),
        ("max_order_value", Decimal(500), money("USD"), "500 USD"),
        ("max_trades_per_day", Decimal(10), NUMBER, "10"),
        ("max_data_age", Decimal(2), BARS, "2 bars"),
        ("pause_after_losses", Decimal(3_600_000), DURATION, "60m"),
        ("min_reward_risk", Decimal("2.5"), NUMBER, "2.5"),
        ("max_funding", Decimal("0.0003"), RATIO, "3bps"),
        ("edge", Decimal("1.5"), NUMBER, "1.5"),
        ("giveback", Decimal(2), R, "2R"),
    ]


def test_a_limit_is_found_by_name_and_knows_its_place() -> None:
    limits, _ = parse_limits("policy/limits.yaml", GOOD)
    limit = limits.get("max_funding")
    assert limit is not None
    assert str(limit.span) == "policy/limits.yaml:9:16"
    assert limits.get("max_hold") is None
    assert limits.names[:2] == ("max_position_pct", "max_order_value")


@pytest.mark.parametrize("text", ["", "# no limits yet\n", "---\n"])
def test_an_empty_file_has_no_limits(text: str) -> None:
    limits, findings = parse_limits("policy/limits.yaml", text)
    assert (len(limits), findings) == (0, [])


BAD = [
    ("5%", "5", "2:19 TB624 `max_position_pct` must be a ratio with `%` or `bps`, not `5` | write `5%`"),
    ("5%", "0.05", "2:19 TB624 `max_position_pct` must be a ratio with `%` or `bps`, not `0.05` | write `5%`"),
    ("5%", "-5%", "2:19 TB624 `max_position_pct` must be a ratio with `%` or `bps`, not `-5%` | such as `5%`"),
    ("5%", "5 USD", "2:19 TB624 `max_position_pct` must be a ratio with `%` or `bps`, not `5 USD` | such as `5%`"),
    ("5%", "5000%", "2:19 TB625 `max_position_pct` is `5000%`, more than 1000% | check the unit: 1% is 100bps"),
    ("5%", "", "2:1 TB624 `max_position_pct` has no value | such as `5%`"),
    ("5%", "[5%]", "2:19 TB624 `max_position_pct` must be a ratio with `%` or `bps`, not a list | such as `5%`"),
    ("5%", ".nan", "2:19 TB624 `max_position_pct` must be a ratio with `%` or `bps`, not `.nan` | such as `5%`"),
    ("500 USD", "500", "3:18 TB624 `max_order_value` must be money with its currency, not `500` | write `500 USD`"),
    ("500 USD", "500 usd", "3:18 TB624 `max_order_value` must be money with its currency, not `500 usd` | such as `500 USD`"),
    ("10\n", "10.5\n", "4:21 TB624 `max_trades_per_day` must be a whole number without a unit, not `10.5` | such as `10`"),
    ("10\n", "-1\n", "4:21 TB624 `max_trades_per_day` must be a whole number without a unit, not `-1` | such as `10`"),
    (
        "10\n",
        "'10'\n",
        "4:21 TB624 `max_trades_per_day` must be a whole number without a unit, not the text `10` | remove the quotes",
    ),
    ("10\n", "true\n", "4:21 TB624 `max_trades_per_day` must be a whole number without a unit, not `true` | such as `10`"),
    ("2 bars", "2", "5:15 TB624 `max_data_age` must be a duration or a count of bars, not `2` | write `2h`"),
    ("60m", "60", "6:21 TB624 `pause_after_losses` must be a duration with its unit, not `60` | write `60m`"),
    (
        "60m",
        "0.0001s",
        (
            "6:21 TB625 `pause_after_losses` is `0.0001s`, which is too long or not a whole number of milliseconds"
            " | write it with fewer digits"
        ),
    ),
    ("max_position_pct", "max_postion_pct", "2:1 TB622 unknown limit `max_postion_pct` | did you mean `max_position_pct`?"),
    ("max_position_pct", "zeal", "2:1 TB622 unknown limit `zeal` | put a limit of your own under `custom:`"),
    (
        "max_funding",
        "max_hold",
        "9:3 TB626 `max_hold` is a standard limit and cannot be a custom one | write it outside `custom`",
    ),
    ("max_funding", "max-funding", "9:3 TB622 unknown key `max-funding` in `custom` | write `max_funding`"),
    (
        "3bps",
        "{a: 1}",
        "9:16 TB624 `custom.max_funding` must be a number, or an amount with its unit, not keys and values | such as `5%`",
    ),
    (
        "3bps",
        "3 pips",
        "9:16 TB624 `custom.max_funding` must be a number, or an amount with its unit, not `3 pips` | such as `5%`",
    ),
    ("min_reward_risk: 2.5", "max_position_pct: 2%", "7:1 TB621 `max_position_pct` is given twice | keep one of them"),
    ("min_reward_risk: 2.5", "min_reward_risk 2.5", "7:1 TB620 a key without `: value` | write `key: value`"),
    (
        "min_reward_risk: 2.5",
        "min_confidence: 60",
        "7:17 TB624 `min_confidence` must be a number from 0 to 1, without a unit, not `60` | such as `0.6`",
    ),
]


@pytest.mark.parametrize(("old", "new", "message"), BAD)
def test_a_mistake_is_named_with_its_line_and_the_edit(old: str, new: str, message: str) -> None:
    assert GOOD.count(old) >= 1
    assert said(GOOD.replace(old, new, 1)) == [message]


def test_what_is_no_mapping_is_refused() -> None:
    wrong = "1:1 TB624 the file must be limits with values, as in `max_position_pct: 5%`, not "
    assert said("- max_hold\n") == [wrong + "a list"]
    assert said("max_hold 5\n") == [wrong + "`max_hold 5`"]


def test_a_bad_limit_leaves_the_others() -> None:
    limits, findings = parse_limits("policy/limits.yaml", GOOD.replace("5%", "5").replace("60m", "60"))
    assert len(findings) == 2
    assert limits.names == ("max_order_value", "max_trades_per_day", "max_data_age", "min_reward_risk", "max_funding", "edge",
                            "giveback")  # fmt: skip


def test_the_published_schema_is_one_and_every_example_is_a_limit() -> None:
    schema = limits_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    examples = {name: schema["properties"][name]["examples"][0] for name in standard_names()}
    jsonschema.validate(examples, schema)
    limits, findings = parse_limits("limits.yaml", "".join(f"{name}: {value}\n" for name, value in examples.items()))
    assert findings == []
    assert limits.names == standard_names()
    assert all(schema["properties"][name]["description"] for name in standard_names())
