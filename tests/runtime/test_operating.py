"""What the operator says takes effect at the next cycle, is recorded, and outlives the session."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from small_projects import START, bars, compiled, flat, market, strategy

from tb.core.records import Cancel, Decision, Latch, Record
from tb.core.time import HOUR
from tb.replay.run import gates_of, markets_of
from tb.replay.venue import SimulatedVenue
from tb.runtime.drafts import Ready
from tb.runtime.latches import Latches
from tb.runtime.operating import Operating
from tb.runtime.operator import Inbox, KillFile, Word
from tb.runtime.rates import Rates
from tb.runtime.session import Session
from tb.runtime.view import RecordedView, columns_of

POLICY = "limit deep drawdown <= 10%  otherwise halt\n"


class Kept(list[Record]):
    def record(self, records: list[Record]) -> None:
        self.extend(records)


@dataclass
class Desk:
    """A session with the operator's files beside it."""

    session: Session
    kept: Kept
    operating: Operating
    acted: list[Word]

    def verdict(self, hour: int) -> str:
        """What the gate says to an entry after that many hours."""
        at = START + hour * HOUR
        self.operating.heed(at)
        self.session.step(at, [Ready(0, 0, "BTC-USD", hour - 1)])
        return next(record for record in reversed(self.kept) if isinstance(record, Decision)).verdict

    @property
    def latches(self) -> list[tuple[str, bool, str, str]]:
        return [(one.rule, one.lifted, one.by, one.reason) for one in self.kept if isinstance(one, Latch)]


def desk(folder: Path, latches: Latches | None = None) -> Desk:
    project = compiled(strategy(size="1% of equity"), POLICY)
    data = market(bars("BTC-USD", [flat(100)] * 6))
    markets, rates, kept = markets_of(project.plan, data, project.settings), Rates(project.settings, data.bars), Kept()
    session = Session(
        run="r1",
        plan=project.plan,
        settings=project.settings,
        view=RecordedView(project.plan.graph, markets, columns_of(project.plan, markets, chunk=100), rates),
        venue=SimulatedVenue(project.settings, data.bars, rates),
        recorder=kept,
        policy_hash="0" * 64,
        gates=gates_of(project.plan),
        latches=latches,
    )
    acted: list[Word] = []
    acts = {"flatten": lambda word, at: acted.append(word)}
    return Desk(session, kept, Operating(session, Inbox(folder), KillFile(folder / "KILL"), acts), acted)


def test_a_halt_stops_entries_until_a_person_lifts_it(tmp_path: Path) -> None:
    here = desk(tmp_path)
    here.operating.inbox.put("halt", at=START, by="ann", reason="prices look wrong")
    assert here.verdict(1) == "halt"
    assert here.operating.inbox.waiting() == []
    here.operating.inbox.put("resume", at=START, by="bob", reason="they were right")
    assert here.verdict(2) == "approve"
    assert here.latches == [("operator", False, "ann", "prices look wrong"), ("operator", True, "bob", "they were right")]


def test_a_halt_cancels_the_entries_on_their_way(tmp_path: Path) -> None:
    here = desk(tmp_path)
    assert here.verdict(1) == "approve"
    assert here.session.waiting
    here.operating.inbox.put("halt", at=START, by="ann", reason="x")
    here.operating.heed(START + HOUR)
    assert not here.session.waiting
    assert [one.cause for one in here.kept if isinstance(one, Cancel)] == ["halt operator"]


def test_the_kill_file_halts_and_its_removal_does_not_resume(tmp_path: Path) -> None:
    here = desk(tmp_path)
    here.operating.kill.path.touch()
    assert here.verdict(1) == "halt"
    here.operating.kill.path.unlink()
    assert here.verdict(2) == "halt"
    assert here.latches == [("operator", False, "kill file", "the kill file exists")]
    here.operating.inbox.put("resume", at=START, by="ann", reason="x")
    assert here.verdict(3) == "approve"


def test_while_the_kill_file_stands_nobody_resumes(tmp_path: Path) -> None:
    here = desk(tmp_path)
    here.operating.kill.path.touch()
    here.operating.inbox.put("resume", at=START, by="ann", reason="x")
    assert here.verdict(1) == "halt"
    assert here.verdict(2) == "halt"


def test_a_halt_outlives_the_session(tmp_path: Path) -> None:
    here = desk(tmp_path)
    here.operating.inbox.put("halt", at=START, by="ann", reason="x")
    here.operating.heed(START)
    later = desk(tmp_path, Latches.restore(one for one in here.kept if isinstance(one, Latch)))
    assert later.verdict(1) == "halt"
    later.operating.inbox.put("resume", at=START, by="ann", reason="y")
    assert later.verdict(2) == "approve"


def test_resuming_lifts_the_halts_of_limits_too_and_measures_drawdown_anew(tmp_path: Path) -> None:
    deep = Latch(at=START, rule="deep", verdict="halt", until=None, lifted=False, by="policy", reason="11%")
    here = desk(tmp_path, Latches.restore([deep]))
    here.session.account.high_water = here.session.account.cash * 2
    assert here.verdict(1) == "halt"
    here.operating.inbox.put("resume", at=START, by="ann", reason="new capital")
    here.operating.heed(START + HOUR)
    assert here.session.account.high_water == here.session.account.equity()
    assert here.verdict(2) == "approve"
    assert here.latches[-1] == ("deep", True, "ann", "new capital")


def test_orders_that_cannot_be_read_halt(tmp_path: Path) -> None:
    here = desk(tmp_path)
    here.operating.inbox.put("resume", at=START, by="ann", reason="x")
    next((tmp_path / "orders").glob("*.json")).write_bytes(b"{")
    assert here.verdict(1) == "halt"
    assert here.latches[0][:3] == ("operator", False, "kill file")


def test_an_order_that_fails_waits_for_the_next_cycle(tmp_path: Path) -> None:
    here = desk(tmp_path)

    def fails(word: Word, at: int) -> None:
        raise OSError("no connection")

    here.operating.acts = {"flatten": fails}
    word = here.operating.inbox.put("flatten", at=START, by="ann", reason="x")
    with pytest.raises(OSError, match="no connection"):
        here.operating.heed(START)
    assert here.operating.inbox.waiting() == [word]
    here.operating.acts = {"flatten": lambda word, at: here.acted.append(word)}
    assert here.operating.heed(START) == (word,)
    assert here.acted == [word]
    assert here.operating.inbox.waiting() == []
