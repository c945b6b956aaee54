"""Hashes, stated byte by byte, and what importing the room costs."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from tb.ledger import DecisionLog, entry_hash, policy_hash


def test_entry_hash_is_the_stated_encoding() -> None:
    stated = bytes(31) + b"\x07" + b"\x00\x00\x00\x04Mark" + b"\x00\x00\x00\x02r1" + b"\x00" * 7 + b"\x02{}"
    assert entry_hash(bytes(31) + b"\x07", "Mark", "r1", b"{}") == hashlib.sha256(stated).digest()


def test_policy_hash_is_that_of_sorted_compact_json() -> None:
    stated = json.dumps({"a": "1", "b": "é\n"}, separators=(",", ":"), ensure_ascii=False).encode()
    assert policy_hash({"b": "é\n", "a": "1"}) == hashlib.sha256(stated).hexdigest()


def test_decision_log_is_the_stated_encoding() -> None:
    log = DecisionLog()
    log.add(b"ab")
    log.add(b"")
    assert log.hexdigest() == hashlib.sha256(b"\0\0\0\0\0\0\0\x02ab" + bytes(8)).hexdigest()


@given(st.lists(st.binary(max_size=12), max_size=6), st.lists(st.binary(max_size=12), max_size=6))
def test_different_logs_have_different_digests(one: list[bytes], other: list[bytes]) -> None:
    logs = DecisionLog(), DecisionLog()
    for log, payloads in zip(logs, (one, other), strict=True):
        for payload in payloads:
            log.add(payload)
    assert (logs[0].hexdigest() == logs[1].hexdigest()) is (one == other)


parts = st.tuples(st.text(max_size=4), st.text(max_size=4), st.binary(max_size=4))


@given(parts, parts)
def test_parts_of_an_entry_cannot_flow_into_each_other(one: tuple[str, str, bytes], other: tuple[str, str, bytes]) -> None:
    assert (entry_hash(bytes(32), *one) == entry_hash(bytes(32), *other)) is (one == other)


def test_importing_the_room_loads_no_database_library() -> None:
    code = "import sys, tb.ledger; print([m for m in ('sqlalchemy', 'sqlmodel', 'pydantic', 'sqlite3') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
