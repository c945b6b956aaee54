"""What can be asked of a ledger, and what it answers to the wrong question."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from ledger_samples import HOUR, TEXTS, closed, decision, fill, latch, mark, one_of_each, order, quiet, refusal, run_of, trade

from tb.core.diagnostics import Refused
from tb.core.records import Mark, Quiet
from tb.ledger import DecisionLog, Place, open_ledger, policy_hash
from tb.ledger.store import Ledger


@pytest.fixture
def ledger(place: Place) -> Iterator[Ledger]:
    with open_ledger(place) as opened:
        yield opened


def started(ledger: Ledger) -> str:
    return ledger.start_run(run_of(ledger.put_policy(TEXTS))).id


def code_of(refused: pytest.ExceptionInfo[Refused]) -> str:
    return refused.value.findings[0].code


def test_runs_are_numbered_and_keep_their_summary(ledger: Ledger) -> None:
    assert ledger.latest_run() is None
    assert ledger.runs() == []
    assert [started(ledger), started(ledger)] == ["r1", "r2"]
    ledger.finish_run("r1", {"final_equity": Decimal("10.10"), "trades": 3})
    assert [(info.run.id, info.summary, info.unfinished) for info in ledger.runs()] == [
        ("r1", {"final_equity": "10.10", "trades": 3}, False),
        ("r2", None, True),
    ]
    latest = ledger.latest_run()
    assert latest is not None
    assert latest.run.id == "r2"
    assert ledger.run("r1").summary == {"final_equity": "10.10", "trades": 3}


def test_the_tenth_run_is_later_than_the_ninth(ledger: Ledger) -> None:
    assert [started(ledger) for _ in range(10)][-1] == "r10"
    latest = ledger.latest_run()
    assert latest is not None
    assert latest.run.id == "r10"


def test_decisions_filter(ledger: Ledger) -> None:
    run = started(ledger)
    made = [
        decision(1),
        refusal(2),
        decision(3, instrument="ETH-USD"),
        decision(4, strategy="reversal", verdict="shrink", approved=Decimal("0.005")),
        refusal(5, instrument="ETH-USD", verdict="halt"),
        decision(6, kind="exit", verdict="warn"),
    ]
    ledger.append(run, made)

    def seqs(**wanted: object) -> list[int]:
        return [d.seq for d in ledger.decisions(run, **wanted)]  # type: ignore[arg-type]

    assert seqs() == [1, 2, 3, 4, 5, 6]
    assert seqs(instrument="ETH-USD") == [3, 5]
    assert seqs(strategy="reversal") == [4]
    assert seqs(verdict="reject") == [2]
    assert seqs(refused_only=True) == [2, 5]
    assert seqs(refused_only=True, instrument="ETH-USD") == [5]
    assert seqs(since=2 * HOUR, until=4 * HOUR) == [2, 3]
    assert seqs(limit=2) == [1, 2]
    assert seqs(limit=0) == []
    assert ledger.decision(run, 5) == made[4]


@pytest.mark.parametrize("count", [999, 1000, 1001, 2500])
def test_decisions_are_paged_without_loss(ledger: Ledger, count: int) -> None:
    run = started(ledger)
    ledger.append(run, [decision(i) for i in range(1, count + 1)])
    assert [d.seq for d in ledger.decisions(run)] == list(range(1, count + 1))
    assert [d.seq for d in ledger.decisions(run, limit=1001)] == list(range(1, min(count, 1001) + 1))


def test_an_iteration_does_not_hold_up_a_writer(ledger: Ledger) -> None:
    run = started(ledger)
    ledger.append(run, [decision(i) for i in range(1, 1500)])
    reading = ledger.decisions(run)
    assert next(reading).seq == 1
    ledger.append(run, [decision(1500)])
    assert [d.seq for d in reading][-1] == 1500


def test_the_latest_entry_of_a_trade_wins(ledger: Ledger) -> None:
    run = started(ledger)
    ledger.append(run, [trade(1), trade(2, instrument="ETH-USD"), closed(1)])
    assert ledger.trades(run) == [closed(1), trade(2, instrument="ETH-USD")]
    assert ledger.trades(run, instrument="ETH-USD") == [trade(2, instrument="ETH-USD")]
    assert ledger.trades(run, strategy="reversal") == []
    assert ledger.trades(run, is_open=True) == [trade(2, instrument="ETH-USD")]
    assert ledger.trades(run, is_open=True, strategy="reversal") == []
    assert ledger.trade(run, 1) == closed(1)


def test_the_last_marks_and_records_of_some_kinds(ledger: Ledger) -> None:
    run, other = started(ledger), started(ledger)
    made = [mark(1), decision(1), mark(3), quiet(2, 3), mark(2)]
    ledger.append(run, made)
    ledger.append(other, [mark(9)])
    assert ledger.marks(run, last=2) == [mark(3), mark(2)]  # as they were written
    assert [ledger.marks(run, last=count) for count in (0, 7)] == [[], ledger.marks(run)]
    assert list(ledger.records(run, kinds={Mark, Quiet})) == [mark(1), mark(3), quiet(2, 3), mark(2)]
    assert list(ledger.records(run, kinds=())) == []


def test_orders_and_fills(ledger: Ledger) -> None:
    run = started(ledger)
    other = started(ledger)
    ledger.append(
        run, [order("a"), order("b", instrument="ETH-USD"), fill("a"), fill("b", instrument="ETH-USD"), fill("a", row=3)]
    )
    ledger.append(other, [order("a")])
    assert [o.id for o in ledger.orders(run)] == ["a", "b"]
    assert [o.id for o in ledger.orders(run, instrument="ETH-USD")] == ["b"]
    assert [f.row for f in ledger.fills(run, order="a")] == [2, 3]
    assert ledger.fills(run, instrument="ETH-USD") == [fill("b", instrument="ETH-USD")]
    assert ledger.fills(other) == []


def test_quiet_stretches_hold_both_ends(ledger: Ledger) -> None:
    run = started(ledger)
    ledger.append(run, [quiet(5, 8), quiet(1, 4), quiet(1, 8, strategy="reversal"), quiet(1, 4, instrument="ETH-USD")])
    assert ledger.quiet(run, "BTC-USD", strategy="momentum") == [quiet(1, 4), quiet(5, 8)]
    assert ledger.quiet(run, "BTC-USD", at=4 * HOUR) == [quiet(1, 4), quiet(1, 8, strategy="reversal")]
    assert ledger.quiet(run, "BTC-USD", strategy="momentum", at=5 * HOUR) == [quiet(5, 8)]
    assert ledger.quiet(run, "BTC-USD", at=9 * HOUR) == []


def test_latches_hold_until_their_end_or_their_lifting(ledger: Ledger) -> None:
    run = started(ledger)
    long = latch(1, rule="losing_streak", verdict="pause", until=5 * HOUR)
    short = latch(2, rule="losing_streak", verdict="pause", until=3 * HOUR)
    halt = latch(2)
    lifting = latch(4, lifted=True, by="ann", reason="reviewed")
    again = latch(6)
    ledger.append(run, [long, short, halt, lifting, again])
    assert ledger.latches(run) == [long, short, halt, lifting, again]
    held = {hour: ledger.active_latches(run, hour * HOUR) for hour in range(8)}
    assert held == {0: [], 1: [long], 2: [long, short, halt], 3: [long, halt], 4: [long], 5: [], 6: [again], 7: [again]}


def test_marks_keep_their_order(ledger: Ledger) -> None:
    run = started(ledger)
    ledger.append(run, [mark(2), mark(1)])
    assert ledger.marks(run) == [mark(2), mark(1)]


def test_the_decision_log_knows_neither_groups_nor_runs(ledger: Ledger) -> None:
    first, second = started(ledger), started(ledger)
    one, other = DecisionLog(), DecisionLog()
    ledger.append(first, one_of_each(), log=one)
    for record in one_of_each():
        ledger.append(second, [record], log=other)
    ledger.append(second, [mark(9), order("o9")], log=other)
    assert one.hexdigest() == other.hexdigest()
    assert ledger.decision_log_hash(first) == ledger.decision_log_hash(second) == one.hexdigest()


def test_a_group_is_written_whole_or_not_at_all(ledger: Ledger) -> None:
    run = started(ledger)
    log = DecisionLog()
    nothing = log.hexdigest()
    ledger.append(run, [], log=log)
    with pytest.raises(ValueError, match="not written"):
        ledger.append(run, [decision(1), mark(1), decision(1)], log=log)
    with pytest.raises(ValueError, match="must be finite"):
        ledger.append(run, [decision(1), trade(1, best=float("nan"))], log=log)
    with pytest.raises(TypeError, match="not a record"):
        ledger.append(run, [decision(1), run_of("")], log=log)  # type: ignore[list-item]
    with pytest.raises(UnicodeEncodeError):
        ledger.append(run, [decision(1), decision(2, reason="\ud800")], log=log)
    assert (list(ledger.decisions(run)), ledger.marks(run), log.hexdigest()) == ([], [], nothing)
    assert (ledger.head().seq, ledger.verify()) == (1, [])
    ledger.append(run, [decision(1)], log=log)
    assert ledger.decision_log_hash(run) == log.hexdigest()


def test_a_finished_run_takes_nothing_more(ledger: Ledger) -> None:
    run = started(ledger)
    ledger.finish_run(run, {})
    with pytest.raises(ValueError, match="finished"):
        ledger.append(run, [decision(1)])
    with pytest.raises(ValueError, match="finished"):
        ledger.finish_run(run, {})


def test_a_run_needs_its_policy(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="store the policy"):
        ledger.start_run(run_of(policy_hash(TEXTS)))
    assert ledger.runs() == []


def test_questions_without_an_answer(ledger: Ledger) -> None:
    with pytest.raises(Refused) as none_yet:
        ledger.run("r1")
    assert none_yet.value.findings[0].hint == "the ledger has no run yet: `tb replay` makes one"
    started(ledger)
    with pytest.raises(Refused) as unknown:
        ledger.run("7")
    assert unknown.value.findings[0].hint == "the ledger has `r1`"
    started(ledger)
    with pytest.raises(Refused) as unknown:
        ledger.decisions("7")  # at the call, not at the first step
    assert (code_of(unknown), unknown.value.findings[0].message) == ("TB707", "there is no run `7`")
    assert unknown.value.findings[0].hint == "the ledger has `r1` to `r2`"
    for ask in (
        lambda: ledger.append("r9", [decision(1)]),
        lambda: ledger.finish_run("r9", {}),
        lambda: ledger.trades("r9"),
        lambda: ledger.decision_log_hash("r9"),
    ):
        with pytest.raises(Refused) as refused:
            ask()
        assert code_of(refused) == "TB707"
    for wanted in (lambda: ledger.decision("r1", 4), lambda: ledger.trade("r1", 4), lambda: ledger.order("r1", "x")):
        with pytest.raises(Refused) as refused:
            wanted()
        assert code_of(refused) == "TB714"
    with pytest.raises(Refused) as refused:
        ledger.policy("f" * 64)
    assert code_of(refused) == "TB708"


def test_a_closed_ledger_says_so(ledger: Ledger) -> None:
    ledger.close()
    ledger.close()
    with pytest.raises(ValueError, match="the ledger is closed"):
        ledger.runs()
