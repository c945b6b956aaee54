"""What JSON tells of money, prices and quantities is text: a reader that makes floats of numbers loses no digit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_commands import Run

EXACT = frozenset(
    "equity final_equity initial_equity exposure quantity price entry_price exit_price stop target last_stop profit fees fee "
    "slippage proposed approved r available records rebuilt average".split()
)
COUNTED = {"replay": {"approved", "proposed"}}  # of a summary these are counts


def numbers(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from numbers(one, key)
    elif isinstance(value, list):
        for one in value:
            yield from numbers(one, name)
    elif name in EXACT and isinstance(value, int | float) and not isinstance(value, bool):
        yield name, value


@pytest.mark.parametrize(
    "asked",
    [
        ("trades", "r1"),
        ("decisions", "r1"),
        ("status", "r1"),
        ("parity", "r1", "r2"),
        ("explain", "t1"),
        ("explain", "t1", "--what-if", "spread=90bps"),
        ("why-not", "BTC-USD", "--at", "2024-01-20T12:00"),
        ("why-not", "BTC-USD", "--since", "2024-01-20"),
    ],
)
def test_no_money_price_or_quantity_is_a_number(recorded: Path, run: Run, asked: tuple[str, ...]) -> None:
    answer = run(*asked, "--project", recorded, "--json")
    assert answer.code == 0, answer.err
    assert list(numbers(answer.json)) == []


def test_a_replay_tells_its_equity_as_text(project: Path, run: Run) -> None:
    answer = run("replay", "--project", project, "--data", project / "data", "--json")
    assert {name for name, _ in numbers(answer.json)} <= COUNTED["replay"]
    assert isinstance(answer.json["final_equity"], str)
