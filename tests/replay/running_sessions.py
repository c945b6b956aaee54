"""Sessions fed bar by bar, as a running one is, from small markets; kept in memory."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from small_projects import Collected

from tb.core.records import Record
from tb.ledger import DecisionLog
from tb.replay.data import Market
from tb.replay.paper import PaperVenue
from tb.runtime.policy import Compiled
from tb.runtime.ports.feed import Bar
from tb.runtime.running.building import build
from tb.runtime.running.inputs import Close, History, Input, Opening, Stop
from tb.runtime.running.recording import LiveRecorder
from tb.runtime.running.stepper import Stepper

THE_END = "the end"


@dataclass
class Memory(Collected):
    """A ledger in memory that can refuse."""

    refusal: Exception | None = None
    appended: list[int] = field(default_factory=list)

    def append(self, run: str, records: Sequence[Record], *, log: DecisionLog | None = None) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.appended.append(len(records))
        self.records += records
        if log is not None:
            for record in records:
                log.add(record)


def number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def bar_at(data: Market, symbol: str, place: int) -> Bar:
    one = data.bars[symbol]
    columns = (one.open, one.high, one.low, one.close, one.volume)
    quote = (None, None) if one.bid is None or one.ask is None else (number(one.bid[place]), number(one.ask[place]))
    return Bar(int(one.time[place]), *(number(column[place]) for column in columns), *quote)


def opening_of(data: Market, mode: str = "paper") -> Opening:
    quoted = tuple(sorted(symbol for symbol, one in data.bars.items() if one.bid is not None))
    return Opening(
        run="r1",
        mode=mode,
        policy_hash="0" * 64,
        instruments=tuple(data.bars),
        period=data.period,
        has_quotes=bool(quoted),
        quoted=quoted,
        source=data.folder,
    )


def closes_of(data: Market) -> Iterator[Close]:
    """Every instant from the first close to the last, with the bars that close at it."""
    places = {(symbol, int(at)): place for symbol, one in data.bars.items() for place, at in enumerate(one.closes)}
    for at in range(data.first, data.last + 1, data.period):
        found = {symbol: bar_at(data, symbol, places[symbol, at]) for symbol in data.bars if (symbol, at) in places}
        yield Close(at=at, bars=found)


def history_of(data: Market) -> History:
    return History(
        bars={symbol: tuple(bar_at(data, symbol, place) for place in range(len(one))) for symbol, one in data.bars.items()}
    )


def stepper_of(project: Compiled, opening: Opening, recorder: LiveRecorder) -> Stepper:
    return build(
        opening,
        project.plan,
        project.settings,
        venue_of=lambda market: PaperVenue(project.settings, market),
        recorder=recorder,
    )


def fed(project: Compiled, opening: Opening, inputs: Iterable[Input], kept: Memory | None = None) -> tuple[Stepper, Memory]:
    """A session after these inputs, and all its records."""
    memory = Memory() if kept is None else kept
    recorder = LiveRecorder(opening.run, memory, iter(list(memory.records)) if kept is not None else None)
    stepper = stepper_of(project, opening, recorder)
    for given in inputs:
        stepper.take(given)
    return stepper, memory


def whole(data: Market) -> list[Input]:
    """The inputs of a session over all of a market."""
    return [*closes_of(data), Stop(at=data.last, cause=THE_END)]
