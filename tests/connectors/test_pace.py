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


def test_each_rank_leaves_room_for_those_above() -> None:
    clock = Clock()
    pace = Pace((3, 4, 5), clock=clock, pause=clock.pause)
    assert [pace.take(0) for _ in range(3)] == [None] * 3
    assert (pace.take(0.5), pace.take(0, 1), pace.take(0.5, 1)) == (1000, None, 1000)
    assert (pace.take(0, 2), pace.take(0, 2)) == (None, 1000)
    assert clock.waited == []
    assert pace.take(2) is None
    assert clock.now == SECOND


def test_a_hold_keeps_back_what_is_ordinary() -> None:
    clock = Clock()
    pace = Pace((3, 5), clock=clock, pause=clock.pause)
    pace.hold(3000)
    pace.hold(1000)
    assert (pace.take(1), pace.take(1, 1)) == (3000, None)
    assert pace.take(3) is None
    assert clock.now == 3 * SECOND


@given(st.lists(st.tuples(st.integers(0, 400_000_000), st.integers(0, 2)), max_size=60))
def test_no_second_has_more_than_allowed(asked: list[tuple[int, int]]) -> None:
    clock = Clock()
    pace = Pace((3, 4, 6), clock=clock, pause=clock.pause)
    given_at: list[tuple[int, int]] = []
    for gap, rank in asked:
        clock.now += gap
        if pace.take(0.3, rank) is None:
            given_at.append((clock.now, rank))
    for end, _ in given_at:
        ranks = [rank for at, rank in given_at if end - SECOND < at <= end]
        assert len(ranks) <= 6
        # whatever else was asked: above each rank there is room left
        assert sum(rank == 0 for rank in ranks) <= 3
        assert sum(rank < 2 for rank in ranks) <= 4
