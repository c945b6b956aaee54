"""Never more requests in a second than allowed, and always room for what is urgent. On a clock of its own."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from tb.connectors.pace import SECOND, Pace


@dataclass
class Clock:
    """Time passes when somebody waits."""

    now: int = 0
    waited: list[float] = field(default_factory=list)

    def __call__(self) -> int:
        return self.now

    def pause(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += max(1, round(seconds * SECOND))


def test_what_is_ordinary_waits_and_what_is_urgent_goes() -> None:
    clock = Clock()
    pace = Pace(5, kept=2, clock=clock, pause=clock.pause)
    assert [pace.take(0) for _ in range(3)] == [None] * 3
    assert pace.take(0.5) == 1000
    assert [pace.take(0, urgent=True) for _ in range(2)] == [None] * 2
    assert pace.take(0, urgent=True) == 1000
    assert clock.waited == []
    assert pace.take(2) is None
    assert clock.now == SECOND


def test_a_hold_keeps_back_what_is_ordinary() -> None:
    clock = Clock()
    pace = Pace(5, kept=2, clock=clock, pause=clock.pause)
    pace.hold(3000)
    pace.hold(1000)
    assert (pace.take(1), pace.take(1, urgent=True)) == (3000, None)
    assert pace.take(3) is None
    assert clock.now == 3 * SECOND


@given(st.lists(st.tuples(st.integers(0, 400_000_000), st.booleans()), max_size=60))
def test_no_second_has_more_than_allowed(asked: list[tuple[int, bool]]) -> None:
    clock = Clock()
    pace = Pace(6, kept=2, clock=clock, pause=clock.pause)
    given_at: list[tuple[int, bool]] = []
    for gap, urgent in asked:
        clock.now += gap
        if pace.take(0.3, urgent=urgent) is None:
            given_at.append((clock.now, urgent))
    for end, _ in given_at:
        within = [urgent for at, urgent in given_at if end - SECOND < at <= end]
        assert len(within) <= 6
        # whatever else was asked, four ordinary ones at most, so that an urgent one finds room
        assert sum(not urgent for urgent in within) <= 4
