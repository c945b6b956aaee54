"""Where a session cannot go on, somebody hears of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tb.cli.run import _end_told
from tb.core.diagnostics import Refused, error
from tb.core.span import whole_file
from tb.runtime.ports.alerts import Alert


class Told(list[Alert]):
    def send(self, alert: Alert) -> None:
        self.append(alert)

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("problem", "why"),
    [
        (ZeroDivisionError("a secret of somebody"), "a mistake of tb (ZeroDivisionError)"),
        (Refused([error("TB861", "inputs cannot be recorded", whole_file(str(Path("x"))), "")]), "inputs cannot be recorded"),
    ],
)
def test_a_session_that_ends_of_itself_is_an_alert(problem: Exception, why: str) -> None:
    told = Told()
    with pytest.raises(type(problem)), _end_told(told):
        raise problem
    (alert,) = told
    assert (alert.what, alert.severity) == ("session", "critical")
    assert alert.words == f"the session has ended: {why}; stops and targets at the venue stay, and nothing else is looked after"


def test_one_that_was_stopped_is_none() -> None:
    told = Told()
    with pytest.raises(KeyboardInterrupt), _end_told(told):
        raise KeyboardInterrupt
    assert told == []
