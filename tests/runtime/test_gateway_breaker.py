"""The breaker: on disk before it counts, stricter where anything is in doubt, and closed by nobody but a named person."""

from __future__ import annotations

from pathlib import Path

import pytest

from tb.core.diagnostics import Refused
from tb.runtime.gateway.breaker import Breaker, Change


def begun(folder: Path) -> Breaker:
    breaker = Breaker(folder / "breaker")
    breaker.begin(1)
    return breaker


def test_it_stays_as_it_was_over_restarts(tmp_path: Path) -> None:
    begun(tmp_path).open(2, "gateway", "the account differs")
    later = Breaker(tmp_path / "breaker")
    later.begin(3)  # changes nothing
    assert (later.state, later.now().by, later.now().reason) == ("open", "gateway", "the account differs")


def test_it_only_becomes_stricter_by_itself(tmp_path: Path) -> None:
    breaker = begun(tmp_path)
    assert breaker.drain(2, "gateway", "x")
    assert not breaker.drain(3, "gateway", "y")
    assert breaker.open(4, "gateway", "z")
    assert not breaker.drain(5, "gateway", "x")
    assert [change.state for change in breaker.history()] == ["closed", "draining", "open"]


def test_a_person_with_a_reason_makes_an_open_one_half_open_and_a_proof_closes_it(tmp_path: Path) -> None:
    breaker = begun(tmp_path)
    assert not breaker.prove(2, "x")
    breaker.open(2, "gateway", "x")
    for by, reason in (("", "why"), ("ann", " ")):
        with pytest.raises(Refused) as caught:
            breaker.close(3, by, reason)
        assert caught.value.findings[0].code == "TB833"
    assert breaker.state == "open"
    assert breaker.close(3, "ann", "looked at it") == "half open"
    assert breaker.prove(4, "went well")
    assert (breaker.state, breaker.now().by) == ("closed", "tb")
    breaker.drain(5, "gateway", "x")
    assert breaker.close(6, "ann", "done") == "closed"


@pytest.mark.parametrize("damage", ["missing", "changed", "cut", "empty"])
def test_what_cannot_be_read_is_open(tmp_path: Path, damage: str) -> None:
    breaker, path = begun(tmp_path), tmp_path / "breaker"
    breaker.drain(2, "gateway", "x")
    data = path.read_bytes()
    match damage:
        case "missing":
            path.unlink()
        case "changed":
            path.write_bytes(data.replace(b"draining", b"closed"))
        case "cut":
            path.write_bytes(data.splitlines(keepends=True)[1])
        case _:
            path.write_bytes(b"")
    assert breaker.state == "open"
    assert Breaker(path).state == "open"


def test_a_torn_last_line_is_no_change(tmp_path: Path) -> None:
    begun(tmp_path).drain(2, "gateway", "x")
    path = tmp_path / "breaker"
    data = path.read_bytes()
    path.write_bytes(data[:-5])
    breaker = Breaker(path)
    assert breaker.state == "closed"
    breaker.drain(3, "gateway", "y")
    assert [change.reason for change in Breaker(path).history()] == ["the account is new", "y"]
    path.write_bytes(data[:20])  # even the first line of a new account
    breaker = Breaker(path)
    assert breaker.state == "open"
    breaker.begin(1)
    assert breaker.state == "closed"


def test_another_process_is_noticed(tmp_path: Path) -> None:
    told: list[Change] = []
    one = Breaker(tmp_path / "breaker", told=told.append)
    one.begin(1)
    Breaker(tmp_path / "breaker").open(2, "ann", "stop")
    assert one.state == "open"
    assert [(change.state, change.by) for change in told] == [("closed", "tb"), ("open", "ann")]


def test_where_it_cannot_be_written_it_holds_in_memory(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    breaker = begun(folder)
    path = folder / "breaker"
    path.unlink()
    path.mkdir()
    assert breaker.state == "open"  # it cannot be read
    path.rmdir()
    fresh = begun(folder)
    fresh.path = tmp_path / "file" / "breaker"
    (tmp_path / "file").write_text("no folder")
    fresh._held = None
    assert fresh.state == "open"
