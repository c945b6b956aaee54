"""How a run stands, by what it recorded: up to the newest record, whatever kind that is."""

from __future__ import annotations

from pathlib import Path

from ledger_samples import HOUR, TEXTS, fill, latch, mark, run_of
from msgspec import structs

from tb.ledger import DecisionLog, open_ledger
from tb.runtime.overview import overview


def test_a_halt_between_two_closes_shows_at_once_and_so_does_its_end(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "ledger.sqlite") as ledger:
        run = ledger.start_run(run_of(ledger.put_policy(TEXTS), mode="live", first=HOUR, last=HOUR)).id
        log = DecisionLog()
        ledger.append(run, [mark(2)], log=log)
        assert overview(ledger, ledger.run(run)).halts == ()
        halted = structs.replace(latch(2), at=2 * HOUR + 60_000, rule="operator")
        ledger.append(run, [halted], log=log)
        assert overview(ledger, ledger.run(run)).halts == (halted,)
        ledger.append(run, [structs.replace(halted, at=2 * HOUR + 90_000, lifted=True)], log=log)
        assert overview(ledger, ledger.run(run)).halts == ()
        assert ledger.run(run).run.last == 2 * HOUR  # the newest close that was marked


def test_fills_after_the_last_mark_are_told(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "ledger.sqlite") as ledger:
        run = ledger.start_run(run_of(ledger.put_policy(TEXTS), mode="live", first=HOUR, last=HOUR)).id
        log = DecisionLog()
        ledger.append(run, [structs.replace(fill("o1"), at=2 * HOUR), mark(2)], log=log)
        assert overview(ledger, ledger.run(run)).since == 0
        ledger.append(run, [structs.replace(fill("o2"), at=2 * HOUR + 2_000)], log=log)
        assert overview(ledger, ledger.run(run)).since == 1
