"""What is parsed and not evaluated yet is refused by name. A line goes on the day its construct is evaluated."""

from __future__ import annotations

import pytest

from tb.dsl.check import check
from tb.dsl.parse import parse

POLICY = {
    'prove "p" every reducing order is approved\n': "`prove`",
}


@pytest.mark.parametrize(("text", "what"), POLICY.items())
def test_nothing_that_is_not_evaluated_passes(text: str, what: str) -> None:
    file, mistakes = parse("policy/p.tb", text, is_policy=True)
    assert mistakes == []
    program, findings = check([file])
    assert program is None
    assert [found.message for found in findings if found.code == "TB004"] == [f"{what} is not evaluated yet"]
