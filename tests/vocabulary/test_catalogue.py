"""The tables: complete, consistent, and light to import."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest
from vocabulary_samples import ALL, RECURSIVE, name_of, usual_constants

from tb.core.units import ANY, NUMBER, PRICE, QUANTITY, QUOTIENT, RATIO, Unit, money
from tb.vocabulary import catalogue, unit_rules
from tb.vocabulary.catalogue import FUNCTIONS, lookup
from tb.vocabulary.fields import FIELDS
from tb.vocabulary.function import Function
from tb.vocabulary.kernels import load, load_pointwise
from tb.vocabulary.pointwise import POINTWISE

ENDLESS = ("obv", "ad", "nvi", "pvi", "pvt", "day_vwap", "streak", "psar")  # what they remember has no weight that fades


def test_names_are_unique_and_no_name_means_two_things() -> None:
    written = [f.name for table in catalogue._TABLES for f in table.FUNCTIONS]
    assert len(written) == len(set(written)) == len(FUNCTIONS)
    assert not set(FUNCTIONS) & set(POINTWISE)
    assert not (set(FUNCTIONS) | set(POINTWISE)) & set(FIELDS)


def test_lookup() -> None:
    assert lookup("sma") is FUNCTIONS["sma"]
    assert lookup("smaa") is None


def test_the_catalogue_loads_nothing_heavy() -> None:
    code = (
        "import sys, tb.vocabulary.catalogue, tb.vocabulary.pointwise, tb.vocabulary.fields, tb.vocabulary.kernels;"
        "print(*sorted({'numpy', 'numba', 'polars'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("function", ALL, ids=name_of)
def test_entries_are_consistent(function: Function) -> None:
    assert set(function.implicit) <= set(FIELDS)
    assert function.implicit or function.series
    assert [*function.series, *function.constants] == list(function.parameters), "series arguments come first"
    assert len(set(function.outputs)) == len(function.outputs)
    assert function.example.find(f"{function.name}(") >= 0
    for text in (function.doc, function.source):
        assert text
        assert not text.endswith(".")
    required = [p.default is None for p in function.parameters]
    assert required == sorted(required, reverse=True), "arguments that may be left out come last"
    for parameter in function.constants:
        assert parameter.low is not None
        assert parameter.high is not None
        assert parameter.low >= (1 if parameter.is_window else 0)
        assert parameter.default is None or parameter.low <= float(parameter.default) <= parameter.high


@pytest.mark.parametrize("function", ALL, ids=name_of)
def test_kernels_take_the_four_arrays(function: Function) -> None:
    kernel = load(function)
    names = [name.lstrip("_") for name in inspect.signature(kernel.py_func).parameters]  # type: ignore[attr-defined]
    assert names == ["state", "constants", "inputs", "outputs"]
    assert load(function) is kernel


def test_pointwise_kernels_take_two_arrays() -> None:
    for function in POINTWISE.values():
        assert [*inspect.signature(load_pointwise(function).py_func).parameters] == ["inputs", "output"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("function", RECURSIVE, ids=name_of)
def test_recursive_functions_say_how_long_they_remember(function: Function) -> None:
    constants = usual_constants(function)
    assert function.state is not None
    assert function.state(constants) > 0
    if function.name in ENDLESS:
        assert function.unstable is None
    else:
        assert function.unstable is not None
        assert function.unstable(constants) > function.window(constants)


@pytest.mark.parametrize(
    ("name", "units", "expected"),
    [
        ("sma", [PRICE], PRICE),
        ("ema", [QUANTITY], QUANTITY),
        ("macd", [PRICE], PRICE),
        ("mean", [Unit(PRICE.kind, "BTC-USD")], Unit(PRICE.kind, "BTC-USD")),
        ("rsi", [PRICE], NUMBER),
        ("change", [PRICE], RATIO),
        ("zscore", [QUANTITY], NUMBER),
        ("slope", [PRICE], PRICE),
        ("percentile", [PRICE], RATIO),
        ("correlation", [PRICE, QUANTITY], NUMBER),
        ("atr", [], PRICE),
        ("adx", [], NUMBER),
        ("obv", [], QUANTITY),
        ("volume_usd", [], money("USD")),
    ],
)
def test_units(name: str, units: list[Unit], expected: Unit) -> None:
    assert FUNCTIONS[name].unit(units) == expected


def test_the_literal_zero_takes_the_unit_of_its_neighbour() -> None:
    assert POINTWISE["max"].unit([ANY, PRICE]) == PRICE
    assert unit_rules.same([ANY]) == ANY
    assert POINTWISE["log"].unit([QUOTIENT]) == NUMBER


def test_fields() -> None:
    assert [name for name, field in FIELDS.items() if field.is_calendar] == [
        *("hour", "weekday", "minute_of_hour", "minute_of_day", "day_of_month", "day_of_year", "week_of_year", "month_of_year"),
        "day_number",
    ]
    assert all(name == field.name for name, field in FIELDS.items())
    assert FIELDS["close"].unit == PRICE
    assert FIELDS["volume"].unit == QUANTITY
    assert FIELDS["spread"].unit == RATIO
