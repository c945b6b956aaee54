"""A running session fed bar by bar decides what a replay over the same bars decides, byte for byte."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from running_sessions import THE_END, fed, opening_of, whole
from small_projects import Collected, bars, compiled, flat, market, run, strategy
from small_runs import Drawn, Written, markets, projects

from tb.core.diagnostics import Refused
from tb.core.records import Cancel, Decision, Fill, Latch, Order, Quiet, Trade

TOLD = (Decision, Order, Cancel, Fill, Trade, Latch, Quiet)


def told(memory: Collected) -> list[object]:
    """Without what is taken back because the session stops: a replay just ends."""
    records = [record for record in memory.records if isinstance(record, TOLD)]
    return [record for record in records if not (isinstance(record, Cancel) and record.cause == THE_END)]


@given(written=projects(), drawn=markets())
@how(max_examples=60, deadline=None)
def test_a_session_fed_bar_by_bar_decides_what_a_replay_does(written: Written, drawn: Drawn) -> None:
    project = compiled(written.rules, written.policy, venue=written.venue, timezone=written.timezone)
    replayed = run(project, drawn.market)
    stepper, memory = fed(project, opening_of(drawn.market), whole(drawn.market))
    assert told(memory) == told(replayed.records)
    assert stepper.recorder.log.hexdigest() == replayed.outcome.decision_log_hash
    assert stepper.session.account.equity() == replayed.outcome.final_equity


@given(written=projects(), drawn=markets(), share=st.floats(0, 1), kept=st.floats(0, 1))
@how(max_examples=40, deadline=None)
def test_a_session_cut_anywhere_goes_on_as_if_nothing_had_been(
    written: Written, drawn: Drawn, share: float, kept: float
) -> None:
    project = compiled(written.rules, written.policy, venue=written.venue, timezone=written.timezone)
    opening, inputs = opening_of(drawn.market), whole(drawn.market)
    never_cut, expected = fed(project, opening, inputs)
    cut = round(share * len(inputs))
    before, memory = fed(project, opening, inputs[:cut])
    after_last = before.recorder.log.hexdigest()
    # the ledger took any number of the groups of the last input, each whole
    del memory.records[round(len(memory.records) * kept) :]
    resumed, memory = fed(project, opening, inputs[:cut], memory)
    assert resumed.recorder.log.hexdigest() == after_last
    for given_ in inputs[cut:]:
        resumed.take(given_)
    assert memory.records == expected.records
    assert resumed.recorder.log.hexdigest() == never_cut.recorder.log.hexdigest()


def test_a_ledger_that_says_something_else_is_not_gone_on_with() -> None:
    project = compiled(strategy())
    data = market(bars("BTC-USD", [flat(100, 1), flat(101, 1), flat(102, 1)]))
    _, memory = fed(project, opening_of(data), whole(data))
    place, decision = next((at, r) for at, r in enumerate(memory.records) if isinstance(r, Decision))
    memory.records[place] = msgspec.structs.replace(decision, approved=decision.approved * 2)
    with pytest.raises(Refused) as refused:
        fed(project, opening_of(data), whole(data), memory)
    assert refused.value.findings[0].code == "TB862"
    assert "a decision differs" in refused.value.findings[0].message


@pytest.mark.parametrize("resting", [False, True])
def test_a_session_of_instruments_of_which_only_some_have_quotes_decides_what_a_replay_does(resting: bool) -> None:
    rules = strategy("close > close[1] and spread < 1%", members="BTC-USD, ETH-USD", more=("hold at most 3h",))
    if resting:
        rules = rules.replace("    size", "    order limit at mid, valid 3h\n    size")
    policy = "limit c abs(order.price / mid - 1) <= 2%\nforbid wide when spread > 60bps\n"
    project = compiled(rules, policy, venue="{fee: 0%, slippage: 0%, spread: 10bps, depth: 1B USD}")
    rows = [flat(100 + at % 3, 1) for at in range(12)]
    quotes = [(99.9 + at % 3, 100.1 + at % 3) for at in range(12)]
    data = market(bars("BTC-USD", rows, quotes=quotes), bars("ETH-USD", rows))
    replayed = run(project, data)
    assert {one.instrument for one in replayed.records.records if isinstance(one, Order)} == {"BTC-USD", "ETH-USD"}
    _, memory = fed(project, opening_of(data), whole(data))
    assert told(memory) == told(replayed.records)
