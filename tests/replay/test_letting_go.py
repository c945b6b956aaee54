"""A replay lets go of columns and bars when it ends, without waiting for the garbage collector: memory is that of one run."""

from __future__ import annotations

import gc
import weakref

import pytest
from small_projects import bars, compiled, flat, market, strategy

from tb.replay import run as replaying
from tb.replay.run import replay_market
from tb.runtime.session import Session


def test_what_a_replay_made_goes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[weakref.ref[Session]] = []

    class Watched(Session):
        def __init__(self, **given: object) -> None:
            super().__init__(**given)  # type: ignore[arg-type]
            made.append(weakref.ref(self))

    monkeypatch.setattr(replaying, "Session", Watched)
    project, data = compiled(strategy()), market(bars("BTC-USD", [flat(100, 1)] * 5))
    gc.disable()
    try:
        outcome = replay_market(run="r1", plan=project.plan, settings=project.settings, market=data, policy_hash="0" * 64)
        assert outcome.counts["trades"] == 1
        assert [session() for session in made] == [None]
    finally:
        gc.enable()
