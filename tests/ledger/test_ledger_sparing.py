"""Decisions that are read sparingly: the same decisions, rows and bytes of the decision log, and the same refusals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ledger_records import anything, rich_decisions
from ledger_samples import decision, latch, quiet

from tb.core.encode import canonical
from tb.core.records import Decision
from tb.ledger import sparing
from tb.ledger.log import BLOCK, Blocks, DecisionLog
from tb.ledger.projection import SHAPES
from tb.ledger.segments import DECISIVE, segments_of

_whole = msgspec.json.Decoder(Decision).decode


def read_whole(payloads: list[bytes]) -> list[Decision]:
    return [one if isinstance(one, Decision) else sparing.whole(one) for one in sparing.read(payloads)]


@pytest.mark.parametrize(
    "text", ["0", "12", "0.10", "-3.00", "0.000001", "1000000000000000000000.1", "10", "0.5", "-0", "0.00"]
)
def test_what_is_written_as_usual_is_read_sparingly(text: str) -> None:
    made = decision(1, price=Decimal(text))
    (found,) = sparing.read([canonical(made)])
    assert type(found) is sparing.Sparing
    assert sparing.whole(found) == made
    assert str(sparing.whole(found).price) == text


@pytest.mark.parametrize("text", ["1E+3", "1E-7", "NaN", "Infinity", "0E-8"])
def test_what_is_written_otherwise_is_read_whole(text: str) -> None:
    made = decision(1, price=Decimal(text), proposed=Decimal("7.0"))
    (found,) = sparing.read([canonical(made)])
    assert canonical(found) == canonical(made)
    assert type(found) is Decision


@settings(max_examples=300)
@given(st.lists(st.text("0123456789.-+eE _;٣", max_size=8) | st.decimals(places=6).map(str), max_size=4))
@example(["00"])
@example(["-01.5"])
@example(["0.0000001"])
@example(["1;2"])
@example(["1.2.3", "4"])
@example([""])
@example(["5."])
@example([".5"])
@example(["1-2"])
@example(["--1"])
@example(["-"])
@example(["."])
def test_texts_that_are_called_exact_are_what_their_decimals_are_written_as(texts: list[str]) -> None:
    if sparing.are_exact(texts):
        assert [str(Decimal(text)) for text in texts] == texts


@settings(max_examples=60)
@given(st.lists(rich_decisions, min_size=1, max_size=6))
def test_every_decision_is_read_as_its_decoder_reads_it(made: list[Decision]) -> None:
    payloads = list(map(canonical, made))
    found = sparing.read(payloads)
    assert read_whole(payloads) == list(map(_whole, payloads))
    rows = [sparing.row_of(one) if type(one) is sparing.Sparing else SHAPES["Decision"].columns(one) for one in found]
    assert rows == [SHAPES["Decision"].columns(one) for one in made]


@settings(max_examples=60)
@given(st.lists(anything, min_size=1, max_size=20), st.integers(0, 20))
def test_the_decision_log_is_the_same(records: list[Any], first: int) -> None:
    decisive = [one for one in records if type(one) in DECISIVE]
    log, beside = DecisionLog(), DecisionLog()
    for place, one in enumerate(decisive):
        beside.add(one)
        is_read = type(one) is Decision and place >= first  # those before are whole, as where a stretch begins
        log.add(sparing.read([canonical(one)])[0] if is_read else one)
    assert log.hexdigest() == beside.hexdigest()


def test_blocks_of_several_strategies_and_kinds_are_the_same() -> None:
    made: list[Any] = []
    for seq in range(1, BLOCK + 9):
        one = decision(seq, strategy="ab"[seq % 2], enter=seq % 3, rows=(seq % 5, None), approved=Decimal(seq % 2))
        made += [one, quiet(seq, seq), latch(seq)] if not seq % 100 else [one]
    blocks: list[list[bytes]] = [[], []]
    for found, is_read in ((blocks[0], False), (blocks[1], True)):
        log = Blocks(found.append)
        for one in made:
            log.add(sparing.read([canonical(one)])[0] if is_read and type(one) is Decision else one)
        log.close()
    assert blocks[0] == blocks[1]
    assert len(blocks[0]) == 2
    read = sparing.read([canonical(one) for one in made if type(one) is Decision])
    assert {type(one) for one in read} == {sparing.Sparing}
    assert [one.table for one in sparing.log_segments(read)] == [
        one.table for one in segments_of([one for one in made if type(one) is Decision])
    ]


GOOD = canonical(decision(1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"ages":[0,', b'"ages":["0",'),
        (b'"ages":[0,', b'"ages":[0.5,'),
        (b'"rows":[7,', b'"rows":[7,,'),
        (b'"rows":[7,', b'"rows":[true,'),
        (b'"proposed":"0.010"', b'"proposed":"0,010"'),
        (b'"proposed":"0.010"', b'"proposed":null'),
        (b'"proposed":"0.010"', b'"proposed":""'),
        (b'"type":"Decision"', b'"type":"Order"'),
        (b'"seq":1,', b""),
        (b'"seq":1,', b'"seq":1'),
        (b'"verdict":"approve"', b'"verdict":"perhaps"'),
        (b'"facts":["1E+3"', b'"facts":[1'),
    ],
)
def test_what_does_not_read_as_a_decision_is_refused(old: bytes, new: bytes) -> None:
    assert old in GOOD
    for payloads in ([GOOD.replace(old, new)], [GOOD, GOOD.replace(old, new)]):
        with pytest.raises(msgspec.MsgspecError):
            sparing.read(payloads)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"proposed":"0.010"', b'"proposed":0.010'),
        (b'"proposed":"0.010"', b'"proposed":" 0.010"'),
        (b'"proposed":"0.010"', b'"proposed":"+0.010"'),
        (b'"seq":1,', b'"seq":1,"more":[1],'),
        (b'"type":"Decision",', b""),
        (b'"ages":[0,', b'"ages":[ 0,'),
    ],
)
def test_what_a_decoder_reads_though_it_is_not_canonical_is_read_the_same(old: bytes, new: bytes) -> None:
    assert old in GOOD
    odd = GOOD.replace(old, new)
    assert read_whole([odd, GOOD]) == [_whole(odd), _whole(GOOD)]
