"""The journal: what is on disk stays, a torn end is cut off, a changed byte is found, and a full disk leaves room for exits."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tb.core.diagnostics import Refused
from tb.runtime.gateway.journal import CHUNK, RESERVE, Journal


def written(path: Path, *payloads: bytes) -> bytes:
    """The bytes of a journal with these entries, without the space taken ahead."""
    journal = Journal(path)
    for payload in payloads:
        journal.has_room(reducing=False)
        journal.write(payload)
    journal.close()
    return path.read_bytes().rstrip(b"\0")


def read(path: Path) -> list[bytes]:
    journal = Journal(path)
    journal.close()
    return journal.entries


def refused(path: Path) -> str:
    with pytest.raises(Refused) as caught:
        Journal(path)
    return caught.value.findings[0].code


def test_entries_come_back_in_order_and_go_on_from_there(tmp_path: Path) -> None:
    path = tmp_path / "a" / "journal"
    written(path, b"one", b"two")
    journal = Journal(path)
    assert (journal.entries, journal.number, journal.torn) == ([b"one", b"two"], 2, False)
    assert journal.write(b"three") == 3
    journal.close()
    assert read(path) == [b"one", b"two", b"three"]


def test_a_torn_last_line_is_cut_off_wherever_it_was_torn(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    whole = written(path, b"one", b"two", b"three")
    begin = whole.rstrip(b"\n").rfind(b"\n") + 1
    for end in range(begin, len(whole)):
        path.write_bytes(whole[:end] + b"\0" * 100)
        journal = Journal(path)
        assert (journal.entries, journal.torn) == ([b"one", b"two"], end > begin)
        assert journal.write(b"again") == 3
        journal.close()
        assert read(path) == [b"one", b"two", b"again"]


def test_a_changed_byte_anywhere_is_found(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    whole = written(path, b"one", b"two")
    for at in range(len(whole) - 1):
        changed = bytearray(whole)
        changed[at] ^= 1
        path.write_bytes(bytes(changed))
        assert refused(path) == "TB830"


@pytest.mark.parametrize("lines", [[1, 2], [0, 2], [0, 2, 1], [0, 0, 1, 2], [0, 1, 2, 1]])
def test_lines_taken_out_doubled_or_exchanged_are_found(tmp_path: Path, lines: list[int]) -> None:
    path = tmp_path / "journal"
    whole = written(path, b"one", b"two", b"three").splitlines(keepends=True)
    path.write_bytes(b"".join(whole[line] for line in lines))
    assert refused(path) == "TB830"


def test_two_processes_cannot_write_one_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    assert refused(tmp_path / "journal") == "TB831"
    journal.close()
    Journal(tmp_path / "journal").close()


def test_on_a_full_disk_the_reserve_is_for_orders_that_reduce_risk(tmp_path: Path) -> None:
    full = False

    def allocate(handle: int, offset: int, size: int) -> None:
        if full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.posix_fallocate(handle, offset, size)

    journal = Journal(tmp_path / "journal", allocate=allocate)
    assert journal.has_room(reducing=False)
    full = True
    entry, count = b"x" * 4096, 0
    while journal.has_room(reducing=False):
        journal.write(entry)
        count += 1
    assert CHUNK - RESERVE - 2 * 4200 < count * 4170 < CHUNK - RESERVE + 4200
    assert journal.has_room(reducing=True)
    journal.write(entry)
    full = False
    assert journal.has_room(reducing=False)
    journal.close()
    assert len(read(tmp_path / "journal")) == count + 1


def test_after_a_failed_write_nothing_more_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "journal")
    journal.write(b"one")

    def fails(handle: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fdatasync", fails)
    for _ in range(2):
        with pytest.raises(Refused, match="cannot be written"):
            journal.write(b"two")
    assert not journal.has_room(reducing=True)
    monkeypatch.undo()
    journal.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=60).filter(lambda one: b"\n" not in one), max_size=8), st.data())
def test_any_prefix_of_the_file_gives_a_prefix_of_the_entries(
    tmp_path: Path, entries: list[bytes], data: st.DataObject
) -> None:
    path = tmp_path / "journal"
    path.unlink(missing_ok=True)
    whole = written(path, *entries)
    end = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:end])
    found = read(path)
    assert found == entries[: len(found)]
    assert len(found) == whole[:end].count(b"\n")


def test_without_room_an_entry_is_refused_and_what_is_believed_is_owed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "journal")
    journal.write(b"one")
    write, room = os.pwrite, [30]

    def full(handle: int, data: bytes, offset: int) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        part, room[0] = data[: room[0]], max(0, room[0] - len(data))
        return write(handle, part, offset)

    monkeypatch.setattr(os, "pwrite", full)
    for payload, believed in ((b"a fill that is long" * 9, True), (b"an order", False), (b"an end", True)):
        with pytest.raises(Refused, match="no space left on device"):
            journal.write(payload, believed=believed)
    assert journal.owes
    assert not journal.failed
    assert not journal.has_room(reducing=False)
    assert journal.has_room(reducing=True)
    assert Journal.payloads(tmp_path / "journal") == [b"one"]  # whoever reads now sees a part of what happened, from its begin
    monkeypatch.undo()
    assert journal.write(b"two") == 4
    assert not journal.owes
    journal.close()
    assert [bytes(one) for one in Journal.payloads(tmp_path / "journal")] == [
        b"one",
        b"a fill that is long" * 9,
        b"an end",
        b"two",
    ]
