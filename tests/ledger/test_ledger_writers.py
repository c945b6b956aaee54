"""Two processes that write at once, and writers killed in the middle of a group."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

from ledger_samples import TEXTS, decision, order, run_of

from tb.ledger import BLOCK, Place, open_ledger

SIZE = 200  # decisions in a group
GROUPS = 8  # that each of two writers writes at once
KILLED = 4  # writers, one after the other


def said(place: Place) -> str:
    """A place as a writer process is told it."""
    return f"Path({str(place)!r})" if isinstance(place, Path) else repr(place)


def start_writer(place: Place, groups: int) -> subprocess.Popen[str]:
    return start(f"write_groups({said(place)}, {groups}, {SIZE})")


def start(call: str) -> subprocess.Popen[str]:
    code = f"from ledger_samples import *; {call}"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)


def test_two_processes_never_fork_the_chain(place: Place) -> None:
    path = place
    writers = [start_writer(path, GROUPS), start_writer(path, GROUPS)]  # they also race to create the file
    told = [writer.communicate()[0].split() for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert {lines[0] for lines in told} == {"r1", "r2"}
    with open_ledger(path, read_only=True) as ledger:
        assert ledger.verify() == []
        assert ledger.head().seq == 2 * (GROUPS * SIZE + 2)
        for run in ("r1", "r2"):
            assert [d.seq for d in ledger.decisions(run)] == list(range(1, GROUPS * SIZE + 1))
            assert not ledger.run(run).unfinished
    if isinstance(place, Path):
        assert [p.name for p in place.parent.iterdir() if not p.name.startswith("ledger.db")] == []  # no draft is left


def test_a_killed_writer_leaves_a_sound_ledger(place: Place) -> None:
    path = place
    chance = random.Random(5)
    on_disk: dict[str, int] = {}
    for _ in range(KILLED):
        writer = start_writer(path, 10_000)
        assert writer.stdout is not None
        run = writer.stdout.readline().strip()
        told = 0
        for _ in range(chance.randint(0, 4)):
            told = int(writer.stdout.readline())
        try:
            writer.wait(chance.uniform(0.0, 0.02))  # somewhere inside of the groups that follow
        except subprocess.TimeoutExpired:
            writer.kill()
        rest = writer.communicate()[0].split()
        on_disk[run] = int(rest[-1]) if rest else told
    assert list(on_disk) == [f"r{number}" for number in range(1, KILLED + 1)]
    with open_ledger(path) as ledger:
        assert ledger.verify() == []
        for run, told in on_disk.items():
            info = ledger.run(run)
            kept = [d.seq for d in ledger.decisions(run)]
            assert info.unfinished
            assert kept == list(range(1, len(kept) + 1))
            assert (len(kept) % SIZE, len(kept) // SIZE - told in (0, 1)) == (
                0,
                True,
            )  # whole groups, none that was confirmed is lost
        assert ledger.start_run(run_of(ledger.put_policy(TEXTS))).id == f"r{KILLED + 1}"
        ledger.append(f"r{KILLED + 1}", [decision(1)])
        assert ledger.verify() == []


def test_a_killed_run_in_columns_keeps_its_whole_groups(place: Place) -> None:
    path = place
    chance = random.Random(7)
    on_disk: dict[str, int] = {}
    for _ in range(2):
        writer = start(f"write_columns({said(path)}, 10_000_000)")
        assert writer.stdout is not None
        run = writer.stdout.readline().strip()
        told = 0
        for _ in range(chance.randint(0, 4)):
            told = int(writer.stdout.readline())
        try:
            writer.wait(chance.uniform(0.0, 0.02))
        except subprocess.TimeoutExpired:
            writer.kill()
        rest = writer.communicate()[0].split()
        on_disk[run] = int(rest[-1]) if rest else told
    with open_ledger(path) as ledger:
        assert ledger.verify() == []
        for run, told in on_disk.items():
            kept = list(ledger.records(run))
            assert ledger.run(run).unfinished
            # whole groups, each of which ends with the last decision of its block; none that was confirmed is lost
            assert len(kept) == 0 or (len(kept) + 1) % (2 * BLOCK) == 0
            assert len(kept) - told in ((0, 2 * BLOCK) if told else (0, 2 * BLOCK - 1))
            made = [one for seq in range(1, len(kept) // 2 + 2) for one in (decision(seq), order(f"o{seq}", decision=seq))]
            assert kept == made[: len(kept)]
