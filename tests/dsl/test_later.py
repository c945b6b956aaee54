"""What is parsed and not evaluated yet is refused by name. A line goes on the day its construct is evaluated."""

from __future__ import annotations

import pytest

from tb.dsl.check import check
from tb.dsl.parse import parse

UNIVERSE = "universe u\n  tier core BTC-USD\n"
STRATEGY = (
    UNIVERSE + "strategy s on u every 1h\n  enter long when close > open\n    size 5% of equity\n    stop 8% below entry\n"
)

RULES = {
    STRATEGY + "    stop trailing 3%\n": "`stop trailing`",
    STRATEGY + "    stop to entry after 1R\n": "`stop to entry`",
    STRATEGY + "    take 50% at 1R\n": "`take`",
}
POLICY = {
    'prove "p" every reducing order is approved\n': "`prove`",
}


@pytest.mark.parametrize(
    ("text", "what", "is_policy"),
    [(text, what, is_policy) for is_policy, texts in ((False, RULES), (True, POLICY)) for text, what in texts.items()],
)
def test_nothing_that_is_not_evaluated_passes(text: str, what: str, is_policy: bool) -> None:
    file, mistakes = parse("policy/p.tb" if is_policy else "rules/r.tb", text, is_policy=is_policy)
    assert mistakes == []
    program, findings = check([file])
    assert program is None
    assert [found.message for found in findings if found.code == "TB004"] == [f"{what} is not evaluated yet"]
