"""A feed that can be late, silent or wrong, a clock that can be turned, and a loop around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from running_sessions import Memory, opening_of, stepper_of

from tb.core.time import HOUR
from tb.replay.data import Market
from tb.replay.playback import Playback
from tb.runtime.operator import Inbox, KillFile
from tb.runtime.policy import Compiled
from tb.runtime.ports.alerts import Alert
from tb.runtime.ports.exchange import NoAnswer
from tb.runtime.ports.feed import Bar, Meanwhile, go_on
from tb.runtime.running.cycle import Cycle
from tb.runtime.running.inputs import Journal
from tb.runtime.running.loop import Loop, Waits
from tb.runtime.running.recording import LiveRecorder
from tb.runtime.running.timekeeping import Timekeeping


@dataclass
class FakeClock:
    """`turned` is how far somebody has turned the wall's clock, `turns` when they do: steady time to ms."""

    start: int
    passed: int = 0
    turned: int = 0
    turns: dict[int, int] = field(default_factory=dict)

    def now(self) -> int:
        return self.start + self.passed + self.turned

    def steady(self) -> int:
        return self.passed

    def wait(self, span: int) -> None:
        self.passed += span
        for at in [at for at in self.turns if at <= self.passed]:
            self.turned += self.turns.pop(at)


class FakeFeed(Playback):
    """`silent` are closes at which it does not answer, `missing` bars that are not there, `wrong` bars that come instead,
    `delays` how much later than its close a bar is there."""

    def __init__(self, market: Market, clock: FakeClock) -> None:
        super().__init__(market)
        self.clock = clock
        self.silent: set[int] = set()
        self.missing: set[tuple[str, int]] = set()
        self.wrong: dict[tuple[str, int], Bar] = {}
        self.delays: dict[int, int] = {}
        self.theirs: int | None = None
        self.asked: list[tuple[str, ...]] = []

    def closed(  # type: ignore[override]
        self, instruments: Sequence[str], period: int, start: int, meanwhile: Meanwhile = go_on
    ) -> Mapping[str, Bar] | NoAnswer:
        self.asked.append(tuple(instruments))
        close = start + period
        if close in self.silent:
            return NoAnswer("the line is dead")
        if self.clock.start + self.clock.passed < close + self.delays.get(close, 0):
            return {}
        found = dict(super().closed(instruments, period, start))
        found = {symbol: bar for symbol, bar in found.items() if (symbol, close) not in self.missing}
        return {symbol: self.wrong.get((symbol, close), bar) for symbol, bar in found.items()}

    def time(self) -> int | None:
        return self.theirs


@dataclass
class Told:
    alerts: list[Alert] = field(default_factory=list)

    def send(self, alert: Alert) -> None:
        self.alerts.append(alert)

    def close(self) -> None: ...

    def words(self, what: str) -> list[str]:
        return [alert.words for alert in self.alerts if alert.what == what]


@dataclass
class Running:
    loop: Loop
    feed: FakeFeed
    clock: FakeClock
    memory: Memory
    told: Told
    cycles: list[Cycle]
    folder: Path


def running(project: Compiled, data: Market, folder: Path, *, mode: str = "paper") -> Running:
    """A loop over a market from before its first close to its last."""
    clock = FakeClock(data.first - HOUR)
    feed, memory, told, cycles = FakeFeed(data, clock), Memory(), Told(), list[Cycle]()
    opening = opening_of(data, mode)
    journal = Journal(folder)
    journal.open()
    journal.write(opening)
    loop = Loop(
        stepper_of(project, opening, LiveRecorder("r1", memory)),
        feed,
        journal,
        Timekeeping(clock, 1_000, HOUR),
        warm_up=100 * HOUR,
        ends=data.last,
        waits=Waits(look=HOUR // 4),
        inbox=Inbox(folder),
        kill=KillFile(folder / "KILL"),
        alerts=told,
        tell=cycles.append,
    )
    return Running(loop, feed, clock, memory, told, cycles, folder)
