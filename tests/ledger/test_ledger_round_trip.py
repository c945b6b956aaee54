"""Every record comes back as it went in, for all kinds of records, numbers and text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_samples import TEXTS, decision, fill, latch, order, quiet, run_of, trade

from tb.core.records import Cancel, Decision, Fill, Latch, Mark, Order, PartialExit, Quiet, Trade
from tb.ledger import DecisionLog, open_ledger
from tb.ledger.store import Ledger

exact = st.decimals(allow_nan=False, allow_infinity=False)
real = st.floats(allow_nan=False, allow_infinity=False)
words = st.text(max_size=12)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_/-]{0,10}", fullmatch=True)
counts = st.integers(min_value=0, max_value=2**62)
few = {"max_size": 5}


def changed(made: Any, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(fields).map(lambda values: msgspec.structs.replace(made, **values))


decisions = changed(
    decision(1),
    at=counts,
    kind=st.sampled_from(["enter", "exit"]),
    strategy=words,
    instrument=words,
    verdict=st.sampled_from(["approve", "warn", "shrink", "reject", "pause", "halt"]),
    deciding=st.lists(names, **few).map(tuple),
    proposed=exact,
    approved=exact,
    price=exact,
    stop=st.none() | exact,
    confidence=st.none() | real,
    reason=words,
    failed=st.integers(min_value=0, max_value=2**130),
    facts=st.lists(st.none() | names, **few).map(tuple),
    market=st.lists(st.none() | real, **few).map(tuple),
    ages=st.lists(counts, **few).map(tuple),
    rows=st.lists(st.none() | counts, **few).map(tuple),
)
quiets = changed(
    quiet(1, 2), strategy=words, instrument=st.just("ETH-USD"), first=counts, last=counts, states=st.binary(max_size=40)
)
orders = changed(
    order("o1"),
    id=words,
    quantity=exact,
    stop=st.none() | exact,
    side=st.sampled_from(["buy", "sell"]),
    style=st.sampled_from(["market", "limit", "stop"]),
    price=st.none() | exact,
    expires=st.none() | counts,
    post_only=st.booleans(),
    takes=st.lists(exact, max_size=3).map(tuple),
)
fills = changed(fill("o1"), price=exact, fee=exact, slippage=exact, cause=words)
parts = st.builds(PartialExit, at=counts, row=counts, price=exact, quantity=exact, fee=exact, cause=words)
trades = changed(
    trade(1),
    profit=st.none() | exact,
    r=st.none() | exact,
    best=real,
    worst=real,
    exit_at=st.none() | counts,
    fees=exact,
    exits=st.lists(parts, max_size=3).map(tuple),
    last_stop=st.none() | exact,
    moved_by=st.sampled_from(["", "trailing", "break-even"]),
)
cancels = st.builds(
    Cancel,
    order=words,
    at=counts,
    strategy=words,
    instrument=words,
    side=st.sampled_from(["buy", "sell"]),
    quantity=exact,
    cause=words,
)
latches = changed(latch(1), at=counts, rule=words, until=st.none() | counts, lifted=st.booleans(), by=words, reason=words)
marks = st.builds(Mark, at=counts, equity=exact, exposure=exact, usage=st.dictionaries(words, st.none() | real, max_size=4))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    with open_ledger(tmp_path_factory.mktemp("ledger") / "ledger.db") as opened:
        opened.put_policy(TEXTS)
        yield opened
        assert opened.verify() == []


def same(read: Any, written: Any) -> bool:
    """Equality that tells 1.0 from 1.00 and Decimal from text."""
    return bool(read == written) and repr(read) == repr(written)


@settings(max_examples=60, deadline=None)
@given(st.tuples(decisions, quiets, orders, fills, trades, latches, marks))
def test_records_come_back_exactly(ledger: Ledger, records: tuple[Decision, Quiet, Order, Fill, Trade, Latch, Mark]) -> None:
    d, q, o, f, t, h, m = records
    run = ledger.start_run(run_of(ledger.put_policy(TEXTS), initial_equity=d.price))
    log = DecisionLog()
    ledger.append(run.id, [d, q, o, f], log=log)
    ledger.append(run.id, [t, h, m], log=log)
    assert same(ledger.run(run.id).run, run)
    assert same(list(ledger.decisions(run.id)), [d])
    assert same(ledger.decision(run.id, 1), d)
    assert same(ledger.quiet(run.id, "ETH-USD"), [q])
    assert same(ledger.order(run.id, o.id), o)
    assert same(ledger.fills(run.id), [f])
    assert same(ledger.trades(run.id), [t])
    assert same(ledger.latches(run.id), [h])
    assert ledger.marks(run.id) == [m]
    assert ledger.decision_log_hash(run.id) == log.hexdigest()


@settings(max_examples=30, deadline=None)
@given(cancels)
def test_a_cancel_comes_back_exactly_and_by_its_order(ledger: Ledger, cancel: Cancel) -> None:
    run = ledger.start_run(run_of(ledger.put_policy(TEXTS)))
    ledger.append(run.id, [cancel])
    assert same(ledger.cancels(run.id), [cancel])
    assert same(ledger.cancels(run.id, order=cancel.order), [cancel])
    assert ledger.cancels(run.id, order=cancel.order + "x") == []


@settings(deadline=None)
@given(st.dictionaries(words, st.text(), max_size=4))
def test_policies_come_back_exactly(ledger: Ledger, texts: dict[str, str]) -> None:
    assert ledger.policy(ledger.put_policy(texts)) == texts
