"""Orders of the operator: none is lost, none is taken twice, and what cannot be read stops."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from tb.core.diagnostics import Refused
from tb.runtime.operator import Inbox, KillFile

AT = 1_704_067_200_000


def test_the_kill_file_stands_whoever_wrote_it(tmp_path: Path) -> None:
    kill = KillFile(tmp_path / "state" / "KILL")
    assert not kill.stands()
    kill.put(AT, "ann", "fat finger")
    assert kill.stands()
    assert kill.words() == "ann: fat finger (since 2024-01-01T00:00Z)"
    assert kill.remove()
    assert not kill.stands()
    assert not kill.remove()
    kill.path.touch()
    assert kill.stands()
    assert kill.words() == "the kill file exists"


def test_anything_at_its_path_stops(tmp_path: Path) -> None:
    folder, link = KillFile(tmp_path / "folder"), KillFile(tmp_path / "link")
    folder.path.mkdir()
    link.path.symlink_to(tmp_path / "nothing")
    assert folder.stands()
    assert link.stands()
    assert folder.words() == "the kill file exists"


def test_where_nobody_can_tell_it_stands(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert KillFile(tmp_path / "file" / "KILL").stands()  # a file is no folder: the answer is neither yes nor no
    assert KillFile(tmp_path / ("x" * 5_000)).stands()


def test_orders_wait_in_their_order_until_they_are_taken(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    assert inbox.waiting() == []
    first = inbox.put("halt", at=AT, by="ann", reason="fat finger")
    second = inbox.put("resume", at=AT + 1, by="bob", reason="looked at it")
    assert [first.number, second.number] == [1, 2]
    assert Inbox(tmp_path).waiting() == [first, second]
    inbox.taken(first)
    assert Inbox(tmp_path).waiting() == [second]
    inbox.taken(second)
    assert inbox.waiting() == []
    assert inbox.put("halt", at=AT, by="ann", reason="again").number == 3


def test_two_operators_never_share_a_number(tmp_path: Path) -> None:
    def give() -> None:
        for _ in range(20):
            Inbox(tmp_path).put("halt", at=AT, by="ann", reason="all at once")

    threads = [threading.Thread(target=give) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [word.number for word in Inbox(tmp_path).waiting()] == list(range(1, 81))


@pytest.mark.parametrize("text", [b"", b"{", b'{"number": 1}', b"\xff\xfe"])
def test_an_order_that_cannot_be_read_is_told(tmp_path: Path, text: bytes) -> None:
    inbox = Inbox(tmp_path)
    inbox.put("resume", at=AT, by="ann", reason="torn")
    (tmp_path / "orders" / "000001-resume.json").write_bytes(text)
    with pytest.raises(Refused) as refused:
        inbox.waiting()
    assert refused.value.findings[0].code == "TB853"


def test_what_the_disk_refuses_is_not_said_to_be_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Refused, match="no space left on device"):
        Inbox(tmp_path).put("resume", at=AT, by="ann", reason="x")
    kill = KillFile(tmp_path / "KILL")
    assert not kill.put(AT, "ann", "x")
    assert kill.stands()  # a halt needs no words
    monkeypatch.undo()
    assert Inbox(tmp_path).waiting() == []
    assert [path.name for path in (tmp_path / "orders").iterdir()] == []


def test_on_a_full_disk_a_halt_or_flatten_is_given_by_its_name_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = Inbox(tmp_path)
    inbox.put("halt", at=AT, by="ann", reason="looking")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert inbox.put("flatten", at=AT, by="ann", reason="leaving").number == 2
    with pytest.raises(Refused, match="no space left on device"):
        inbox.put("resume", at=AT, by="ann", reason="looked")
    monkeypatch.undo()
    halt, flatten = inbox.waiting()
    assert (halt.kind, halt.reason, flatten.kind, flatten.by) == ("halt", "looking", "flatten", "operator")
    assert flatten.reason == "the disk had no room for a reason"
    inbox.taken(flatten)
    assert inbox.waiting() == [halt]


def test_an_empty_order_that_would_let_more_pass_is_a_halt(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    inbox.put("halt", at=AT, by="ann", reason="looking")
    (inbox.folder / "000002-resume.json").touch()
    with pytest.raises(Refused, match="it is not what tb wrote"):
        inbox.waiting()
