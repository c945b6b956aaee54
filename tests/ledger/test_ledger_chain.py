"""Hashes, stated byte by byte, and what importing the room costs."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zlib
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_records import latches, quiets, rich_decisions
from ledger_samples import decision, latch, order, quiet, refusal

from tb.core.records import Decision, Latch
from tb.ledger import BLOCK, DecisionLog, Group, entry_hash, policy_hash
from tb.ledger.columns import Schema


def test_entry_hash_is_the_stated_encoding() -> None:
    stated = bytes(31) + b"\x07" + b"\x00\x00\x00\x04Mark" + b"\x00\x00\x00\x02r1" + b"\x00" * 7 + b"\x02{}"
    assert entry_hash(bytes(31) + b"\x07", "Mark", "r1", b"{}") == hashlib.sha256(stated).digest()


def test_policy_hash_is_that_of_sorted_compact_json() -> None:
    stated = json.dumps({"a": "1", "b": "é\n"}, separators=(",", ":"), ensure_ascii=False).encode()
    assert policy_hash({"b": "é\n", "a": "1"}) == hashlib.sha256(stated).hexdigest()


def test_decision_log_is_the_stated_encoding() -> None:
    log = DecisionLog()
    assert log.hexdigest() == hashlib.sha256(b"").hexdigest()
    records = [latch(1), decision(1), order("o"), latch(2), refusal(2, strategy="other"), decision(3)]
    for record in records:
        log.add(record)
    tables = {
        "latches": Schema(Latch).encode([latch(1), latch(2)]),
        "momentum": Schema(Decision).encode([decision(1), decision(3)]),
        "other": Schema(Decision).encode([refusal(2, strategy="other")]),
    }
    block = msgspec.msgpack.encode([[[0, 2], tables["latches"]], [[1, 4], tables["momentum"]], [[3], tables["other"]]])
    assert log.hexdigest() == hashlib.sha256(len(block).to_bytes(8, "big") + block).hexdigest()


def test_a_full_block_is_hashed_by_itself() -> None:
    log, ends = DecisionLog(), hashlib.sha256()
    made = [decision(i) for i in range(1, BLOCK + 3)]
    for record in made:
        log.add(record)
    for part in (made[:BLOCK], made[BLOCK:]):
        block = msgspec.msgpack.encode([[list(range(len(part))), Schema(Decision).encode(part)]])
        ends.update(len(block).to_bytes(8, "big") + block)
    assert log.hexdigest() == ends.hexdigest()


@settings(max_examples=40, deadline=None)
@given(st.lists(rich_decisions | quiets | latches, max_size=6), st.lists(rich_decisions | quiets | latches, max_size=6))
def test_different_logs_have_different_digests(one: list[Any], other: list[Any]) -> None:
    logs = DecisionLog(), DecisionLog()
    for log, records in zip(logs, (one, other), strict=True):
        for record in records:
            log.add(record)
    assert (logs[0].hexdigest() == logs[1].hexdigest()) is (repr(one) == repr(other))


parts = st.tuples(st.text(max_size=4), st.text(max_size=4), st.binary(max_size=4))


@settings(max_examples=40, deadline=None)
@given(parts, parts)
def test_parts_of_an_entry_cannot_flow_into_each_other(one: tuple[str, str, bytes], other: tuple[str, str, bytes]) -> None:
    assert (entry_hash(bytes(32), *one) == entry_hash(bytes(32), *other)) is (one == other)


def test_importing_the_room_loads_no_database_library() -> None:
    code = "import sys, tb.ledger; print([m for m in ('sqlalchemy', 'sqlmodel', 'pydantic', 'sqlite3') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_states_are_hashed_unpacked() -> None:
    """Another build of zlib packs into other bytes; the decision log is the same."""
    logs = DecisionLog(), DecisionLog(), DecisionLog()
    states = bytes(range(6)) * 50
    for log, packed in zip(logs, (zlib.compress(states, 1), zlib.compress(states, 9), zlib.compress(states[1:])), strict=True):
        log.take(Group(1, [quiet(1, 300, states=packed)]))
    assert zlib.compress(states, 1) != zlib.compress(states, 9)
    assert logs[0].hexdigest() == logs[1].hexdigest() != logs[2].hexdigest()
    with pytest.raises(ValueError, match="cannot be unpacked"):
        DecisionLog().add(quiet(1, 2, states=b"\x00\xff"))
