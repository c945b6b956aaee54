"""A replay lets go of columns and bars when it ends, without waiting for the garbage collector: memory is that of one run."""

from __future__ import annotations

import gc
import weakref

import pytest
from small_projects import bars, compiled, flat, market, strategy

from tb.replay import run as replaying
from tb.replay.run import replay_market
from tb.runtime.session import Session

QUIET = [100.0, 101, 99, 100, 1.0]
PATH = [[*QUIET[:4], 10.0], [100.0, 104, 100, 104, 1.0], [104.0, 104, 100, 100, 1.0], QUIET, QUIET]  # up 4 % and back
TAKES = strategy("volume > 3 * volume[1]", stop="3% below entry", target="3% above entry")


@pytest.mark.parametrize(
    ("words", "rows", "trades"), [(strategy(), [flat(100, 1)] * 5, 1), (TAKES, PATH * 100, 99)], ids=["stepped", "passed over"]
)
def test_what_a_replay_made_goes_with_it(
    monkeypatch: pytest.MonkeyPatch, words: str, rows: list[list[float]], trades: int
) -> None:
    made: list[weakref.ref[Session]] = []

    class Watched(Session):
        def __init__(self, **given: object) -> None:
            super().__init__(**given)  # type: ignore[arg-type]
            made.append(weakref.ref(self))

    monkeypatch.setattr(replaying, "Session", Watched)
    project, data = compiled(words), market(bars("BTC-USD", rows))
    gc.disable()
    try:
        outcome = replay_market(run="r1", plan=project.plan, settings=project.settings, market=data, policy_hash="0" * 64)
        assert outcome.counts["trades"] == trades
        assert [session() for session in made] == [None]
    finally:
        gc.enable()
