"""What is told to a store becomes the bytes of the records that would have been made, and these records."""

from __future__ import annotations

import math
import struct
import sys
from decimal import Decimal
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).resolve().parent.parent / "engine"))
sys.path.append(str(Path(__file__).resolve().parent.parent / "gate"))
sys.path.append(str(Path(__file__).resolve().parent.parent / "replay"))
import policies
import programs
from moments import EVERYTHING, Life
from small_projects import bars, compiled, market, run, strategy

from tb.core.records import Decision, Latch
from tb.gate.gate import Gate, Judgement
from tb.gate.leaves_source import Source
from tb.gate.proposal import Proposal
from tb.gate.reading import Read
from tb.ledger import Grouping
from tb.ledger.promises import Promised
from tb.ledger.segments import Group
from tb.runtime import session as sessions
from tb.runtime import told as tellers
from tb.runtime.promised import Promising, Store
from tb.runtime.told import IS_COMPILED

ODD = (None, math.nan, math.inf, 0.0, -0.0, 1e16, 3e-9, 12.5)


def record_of(
    seq: int, at: int, order: Proposal, judgement: Judgement, market: tuple[float | None, ...], row: int, reason: str
) -> Decision:
    return Decision(
        seq,
        at,
        "enter",
        order.strategy,
        0,
        order.instrument,
        "buy" if order.sign > 0 else "sell",
        row,
        judgement.verdict,
        judgement.deciding,
        order.quantity,
        judgement.quantity,
        order.price,
        order.stop,
        order.target,
        order.confidence,
        reason,
        judgement.failed,
        judgement.unknown,
        judgement.texts,
        tuple(value if value is not None and math.isfinite(value) else None for value in market),
        (0, 5),
        (row, None),
    )


def payloads(group: Group) -> list[tuple[str, bytes]]:
    return [(segment.kind, segment.payload(group.first)) for segment in group.segments]


def shown(group: Group) -> list[str]:
    return list(map(repr, group.records))


TELLERS = [
    pytest.param(True, id="plain"),
    pytest.param(False, id="compiled", marks=pytest.mark.skipif(not IS_COMPILED, reason="telling.c is not compiled")),
]


@pytest.mark.parametrize("is_plain", TELLERS)
@given(data=st.data())
@programs.examples(40)
def test_a_store_gives_the_bytes_of_the_records(is_plain: bool, data: st.DataObject) -> None:
    plan = policies.plan_of(data.draw(st.just(EVERYTHING) | policies.constraints()))
    gate = Gate(plan.graph, policies.policy_of(plan))
    source = Random(data.draw(st.integers(0, 10**9)))
    life, store = Life(source), None
    records: list[object] = []
    told: list[object] = []
    is_calm = source.random() < 0.5
    for seq in range(1, source.choice((2, 20, 70))):
        if not is_calm or source.random() < 0.2:
            life.live()
        moment, values = life.moment(), life.market()
        judgement = gate.judge(moment, values, Decimal("0.01"))
        assert isinstance(judgement.snapshot, Read)
        store = store or Store(("trend", 0, "enter"), judgement.snapshot.reading, 2, is_plain=is_plain)
        odd = source.random() < 0.2
        read = tuple(source.choice(ODD) if odd else source.uniform(-9, 9) for _ in range(2))
        reason, row = source.choice(("up", "down")), source.choice((3, 70_000))
        made = record_of(seq, moment.at, moment.proposal, judgement, read, row, reason)
        records.append(made)
        if source.random() < 0.1 and not is_calm:  # some are recorded as they are
            told.append(made)
        else:
            raw = judgement.snapshot.raw
            told.append(store.tell(seq, moment.at, moment.proposal, row, judgement, raw, reason, read, (0, 5), (row, None)))
        if source.random() < 0.1:
            latch = Latch(at=seq, rule="a", verdict="halt", until=None, lifted=False, by="", reason="")
            records.append(latch)
            told.append(latch)
    expected, found = Group(1, records), Group(1, told)  # type: ignore[arg-type]
    assert payloads(found) == payloads(expected)
    assert found.decision_numbers == expected.decision_numbers
    assert shown(found) == shown(expected)


def test_what_was_told_and_not_recorded_is_found_out() -> None:
    plan = policies.plan_of(EVERYTHING)
    gate, life = Gate(plan.graph, policies.policy_of(plan)), Life(Random(1))
    moment = life.moment()
    judgement = gate.judge(moment, life.market(), None)
    assert isinstance(judgement.snapshot, Read)
    store = Store(("trend", 0, "enter"), judgement.snapshot.reading, 0)
    told = [store.tell(seq, moment.at, moment.proposal, 0, judgement, judgement.snapshot.raw, "", (), (), ()) for seq in (1, 2)]
    with pytest.raises(ValueError, match="of decisions of trend 2 were told and 1 recorded"):
        Group(1, told[:1])


@pytest.mark.parametrize("is_plain", TELLERS)
def test_what_fails_has_told_nothing(is_plain: bool) -> None:
    plan = policies.plan_of(EVERYTHING)
    gate, life = Gate(plan.graph, policies.policy_of(plan)), Life(Random(3))
    moment = life.moment()
    judgement = gate.judge(moment, life.market(), None)
    assert isinstance(judgement.snapshot, Read)
    store = Store(("trend", 0, "enter"), judgement.snapshot.reading, 1, is_plain=is_plain)

    def tell(seq: object, order: object = moment.proposal, raw: object = judgement.snapshot.raw) -> Promised:
        return store.tell(seq, moment.at, order, 0, judgement, raw, "up", (1.5,), (), ())

    raw = list(judgement.snapshot.raw)
    at = raw.index(next(part for part in raw if isinstance(part, str) and part.startswith("[")))
    found = [tell(1)]
    without_a_sign = SimpleNamespace(
        instrument="BTC-USD", confidence=None, quantity=Decimal(1), price=None, stop=None, target=None
    )
    for failing in (
        lambda: tell(None),
        lambda: tell(2**64),
        lambda: tell(2, without_a_sign),
        lambda: tell(2, raw=(*raw[:at], None, *raw[at + 1 :])),
        lambda: tell(2, raw=tuple(raw[1:])),
    ):
        with pytest.raises((AttributeError, TypeError, ValueError, OverflowError, struct.error)):
            failing()
    found.append(tell(3))
    assert [(record.seq, record.side) for record in Group(1, found).records] == [  # type: ignore[union-attr]
        (seq, "buy" if moment.proposal.sign > 0 else "sell") for seq in (1, 3)
    ]


@pytest.mark.parametrize("is_plain", TELLERS)
def test_whole_numbers_are_told_to_the_last_digit(is_plain: bool) -> None:
    source, order = Source([("order.strategy", ""), ("instant", ""), ("data_age", "")]), Life(Random(5)).proposal()
    entry = SimpleNamespace(told="", texts=[], terms=SimpleNamespace(texts=[]))
    wholes = [(2**53 + 1, None), (-(2**62) - 1, 0), (7, 7)]
    store = Store(("trend", 0, "enter"), SimpleNamespace(source=source), 1, is_plain=is_plain)  # type: ignore[arg-type]
    for seq, (instant, age) in enumerate(wholes, 1):
        store.tell(seq, 7, order, 0, None, ("trend", instant, age, "[]", entry, tellers.SURE), "up", (None,), (), ())
    with pytest.raises((TypeError, struct.error)):
        store.tell(4, 7, order, 0, None, ("trend", 2.5, 0, "[]", entry, tellers.SURE), "up", (1.0,), (), ())
    assert [record.facts for record in store.promised.cut().records()] == [
        ("trend", str(instant), None if age is None else str(age)) for instant, age in wholes
    ]


@pytest.mark.parametrize("is_plain", TELLERS)
def test_a_policy_that_reads_no_number_of_the_order_has_its_levels_all_the_same(is_plain: bool) -> None:
    source = Source([("order.strategy", ""), ("data_age", "")])
    store = Store(("trend", 0, "enter"), SimpleNamespace(source=source), 0, is_plain=is_plain)  # type: ignore[arg-type]
    order = Life(Random(4)).proposal()
    entry = SimpleNamespace(told="", texts=[], terms=SimpleNamespace(texts=[]))
    raw = ("trend", 60_000, "[]", entry, tellers.SURE)
    for seq in (1, 2):
        store.tell(seq, 7, order, 0, None, raw, "up", (), (), ())
    for record in store.promised.cut().records():
        assert (record.proposed, record.approved) == (order.quantity, order.quantity)
        assert (record.price, record.stop, record.target) == (order.price, order.stop, order.target)
        assert record.facts == ("trend", "60000")


def test_a_store_begins_anew_with_each_group() -> None:
    plan = policies.plan_of(EVERYTHING)
    gate, life, groups = Gate(plan.graph, policies.policy_of(plan)), Life(Random(2)), list[Group]()
    grouping, store = Grouping(groups.append), None
    for seq in range(1, 1_201):
        moment = life.moment()
        judgement = gate.judge(moment, life.market(), Decimal("0.01"))
        assert isinstance(judgement.snapshot, Read)
        store = store or Store(("trend", 0, "enter"), judgement.snapshot.reading, 0)
        grouping.take([store.tell(seq, moment.at, moment.proposal, 0, judgement, judgement.snapshot.raw, "", (), (), ())])
    grouping.close()
    assert [len(group.records) for group in groups] == [512, 512, 176]
    assert [record.seq for group in groups for record in group.records] == [*range(1, 1_201)]  # type: ignore[union-attr]


def test_a_replay_that_promises_records_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    words = strategy(
        "close > close[1]",
        members="BTC-USD, ETH-USD",
        stop="2% below entry",
        size="30% of equity",
        more=["exit when close < close[2]"],
    )
    limits = (
        "limit share after.exposure(order.instrument) <= 10% of equity otherwise shrink\n"
        "limit most after.gross <= 35% of equity\n"
        "limit lost loss(today) <= 2% of equity at day_start otherwise halt until tomorrow\n"
    )
    prices = [100 + at % 7 * 2 - at % 11 for at in range(400)]
    rows = [(price, price + 3, price - 3, price + at % 3 - 1) for at, price in enumerate(prices)]
    data = market(bars("BTC-USD", rows), bars("ETH-USD", rows[3:]))
    project = compiled(words, limits)
    told = list[object]()
    plain = Promising.decision_of

    def noted(self: Promising, *arguments: object, **named: object) -> object:
        told.append(plain(self, *arguments, **named))  # type: ignore[arg-type]
        return told[-1]

    monkeypatch.setattr(Promising, "decision_of", noted)
    promised = run(project, data)
    assert len([one for one in told if type(one) is Promised]) > 50
    monkeypatch.setattr(sessions, "Promising", lambda *_: None)
    made = run(project, data)
    assert made.outcome.decision_log_hash == promised.outcome.decision_log_hash
    assert list(map(payloads, made.records.groups)) == list(map(payloads, promised.records.groups))
    assert {one.verdict for one in promised.decisions} >= {"halt", "shrink", "reject"}


def test_a_shape_too_wide_for_the_compiled_teller_is_told_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = policies.plan_of(EVERYTHING)
    gate, life = Gate(plan.graph, policies.policy_of(plan)), Life(Random(1))
    judgement = gate.judge(life.moment(), life.market(), None)
    assert isinstance(judgement.snapshot, Read)
    shape = Store(("trend", 0, "enter"), judgement.snapshot.reading, 0).shape
    assert tellers.is_quick(shape) == IS_COMPILED
    monkeypatch.setattr(tellers, "telling", SimpleNamespace(WIDEST=3))
    assert not tellers.is_quick(shape)
    store = Store(("trend", 0, "enter"), judgement.snapshot.reading, 0)
    assert isinstance(store._teller, tellers.Plain)
