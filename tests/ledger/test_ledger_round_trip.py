"""Every record comes back as it went in, for all kinds of records, numbers and text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_records import cancels, decisions, fills, latches, marks, orders, quiets, trades, words
from ledger_samples import TEXTS, run_of

from tb.core.records import Cancel, Decision, Fill, Latch, Mark, Order, Quiet, Trade
from tb.ledger import DecisionLog, Place, open_ledger
from tb.ledger.store import Ledger


@pytest.fixture(scope="module")
def ledger(new_place: Callable[[], Place]) -> Iterator[Ledger]:
    with open_ledger(new_place()) as opened:
        opened.put_policy(TEXTS)
        yield opened
        assert opened.verify() == []


def same(read: Any, written: Any) -> bool:
    """Equality that tells 1.0 from 1.00 and Decimal from text."""
    return bool(read == written) and repr(read) == repr(written)


@settings(max_examples=25, deadline=None)
@given(st.tuples(decisions, quiets, orders, fills, trades, latches, marks))
def test_records_come_back_exactly(ledger: Ledger, records: tuple[Decision, Quiet, Order, Fill, Trade, Latch, Mark]) -> None:
    d, q, o, f, t, h, m = records
    run = ledger.start_run(run_of(ledger.put_policy(TEXTS), initial_equity=d.price))
    log = DecisionLog()
    ledger.append(run.id, [d, q, o, f], log=log)
    ledger.append(run.id, [t, h, m], log=log)
    spanned = msgspec.structs.replace(run, first=min(run.first, m.at), last=max(run.last, m.at))
    assert same(ledger.run(run.id).run, spanned)
    assert same(list(ledger.decisions(run.id)), [d])
    assert same(ledger.decision(run.id, 1), d)
    assert same(ledger.quiet(run.id, "ETH-USD"), [q])
    assert same(ledger.order(run.id, o.id), o)
    assert same(ledger.fills(run.id), [f])
    assert same(ledger.trades(run.id), [t])
    assert same(ledger.latches(run.id), [h])
    assert ledger.marks(run.id) == [m]
    assert ledger.decision_log_hash(run.id) == log.hexdigest()


@settings(max_examples=15, deadline=None)
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
