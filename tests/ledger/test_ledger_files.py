"""Files that are no ledger, are damaged, or are out of reach: each is refused with its reason, and none is changed."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from ledger_samples import TEXTS, decision, run_of, sample_ledger
from sqlalchemy import create_engine

from tb.core.diagnostics import Diagnostic, Refused
from tb.ledger import open_ledger
from tb.ledger.tables import LedgerTable


def refusal_of(path: Path, *, create: bool = True, read_only: bool = False, wait: float = 0.05) -> Diagnostic:
    with pytest.raises(Refused) as refused:
        open_ledger(path, create=create, read_only=read_only, wait=wait)
    (found,) = refused.value.findings
    assert found.span.file == str(path)
    assert found.hint
    return found


def test_a_missing_ledger_is_made_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "a" / "ledger.db"
    assert refusal_of(path, create=False).code == "TB701"
    assert refusal_of(path, read_only=True).code == "TB701"
    assert list(tmp_path.iterdir()) == []
    open_ledger(path).close()
    assert [p.name for p in path.parent.iterdir()] == ["ledger.db"]
    open_ledger(path, create=False).close()


@pytest.mark.parametrize("text", ["x", "limit gross after.gross <= 100% of equity\n", "# long\n" * 4000])
def test_a_text_file_is_not_a_ledger(tmp_path: Path, text: str) -> None:
    path = tmp_path / "limits.tb"
    path.write_text(text)
    for read_only in (False, True):
        assert refusal_of(path, read_only=read_only).code == "TB702"
    assert path.read_text() == text


def test_another_database_is_not_a_ledger(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE meta (x)")
    before = path.read_bytes()
    found = refusal_of(path)
    assert (found.code, found.message) == ("TB702", "the file is a database, but not a ledger")
    assert path.read_bytes() == before


@pytest.mark.parametrize("kept", [0, 1, 50, 100, 4096, 8192, 8193, 40_000])
def test_a_truncated_ledger_is_refused(sample_file: Path, kept: int) -> None:
    whole = sample_file.read_bytes()
    assert kept < len(whole)
    sample_file.write_bytes(whole[:kept])
    for read_only in (False, True):
        assert refusal_of(sample_file, read_only=read_only).code in {"TB702", "TB703"}
    assert sample_file.read_bytes() == whole[:kept]


def test_a_damaged_page_is_found_by_verify(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with open_ledger(path) as ledger:
        run = ledger.start_run(run_of(ledger.put_policy(TEXTS))).id
        ledger.append(run, [decision(i) for i in range(1, 400)])
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 8192 * 8192
    content[middle : middle + 8192] = bytes(8192)
    path.write_bytes(content)
    with open_ledger(path) as ledger:
        codes = [d.code for d in ledger.verify()]
    assert "TB703" in codes or "TB710" in codes


def test_another_schema_version_is_refused(sample_file: Path) -> None:
    with closing(sqlite3.connect(sample_file)) as connection:
        connection.execute("UPDATE meta SET version = 7")
        connection.commit()
    found = refusal_of(sample_file)
    assert (found.code, found.message) == ("TB704", "the ledger has schema version 7, this tb reads version 5")


@pytest.mark.parametrize(
    ("statement", "code", "message"),
    [
        ("DROP TABLE fills", "TB703", "the ledger has lost its table `fills`"),
        ("ALTER TABLE meta RENAME version TO age", "TB703", "the ledger is damaged or truncated"),
        ("DELETE FROM meta", "TB703", "the ledger's note of its own head is gone or altered"),
        ("UPDATE meta SET id = 1000001", "TB703", "the ledger's note of its own head is gone or altered"),
        (
            "INSERT INTO meta SELECT 2, version, head_seq, head_hash FROM meta",
            "TB703",
            "the ledger's note of its own head is gone or altered",
        ),
    ],
)
def test_an_altered_schema_is_refused(sample_file: Path, statement: str, code: str, message: str) -> None:
    with closing(sqlite3.connect(sample_file)) as connection:
        connection.execute(statement)
        connection.commit()
    found = refusal_of(sample_file)
    assert (found.code, found.message) == (code, message)


def test_a_ledger_locked_by_another_writer(sample_file: Path) -> None:
    with open_ledger(sample_file, wait=0.05) as ledger, closing(sqlite3.connect(sample_file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        found = refusal_of(sample_file)
        assert (found.code, found.message) == ("TB705", "the ledger is locked by another writer")
        for write in (
            lambda: ledger.append("r2", [decision(7)]),
            lambda: ledger.put_policy({}),
            lambda: ledger.finish_run("r2", {}),
        ):
            with pytest.raises(Refused) as refused:
                write()
            assert refused.value.findings[0].code == "TB705"
        assert len(ledger.runs()) == 2  # reading goes on
        with open_ledger(sample_file, read_only=True) as reader:
            assert reader.verify() == []
        other.execute("ROLLBACK")
        ledger.append("r2", [decision(7)])
        assert ledger.verify() == []


def test_a_folder_and_a_path_through_a_file_cannot_be_opened(tmp_path: Path) -> None:
    assert refusal_of(tmp_path).code == "TB706"
    (tmp_path / "file").write_text("x")
    assert refusal_of(tmp_path / "file" / "ledger.db").code == "TB706"


def test_an_empty_log_that_a_reader_left_is_no_obstacle(sample_file: Path) -> None:
    with open_ledger(sample_file, read_only=True) as ledger:
        assert ledger.verify() == []
    sample_file.unlink()
    with open_ledger(sample_file) as ledger:
        assert (ledger.runs(), ledger.verify()) == ([], [])


def test_a_log_without_its_ledger_is_not_taken_into_a_new_one(sample_file: Path) -> None:
    killed = "from ledger_samples import *; import os, sys; ledger = open_ledger(Path(sys.argv[1]))"
    killed += "; ledger.append('r2', [mark(9)]); os._exit(0)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    subprocess.run([sys.executable, "-c", killed, str(sample_file)], check=True, env=environment)
    log = sample_file.with_name(sample_file.name + "-wal")
    assert log.exists()
    sample_file.rename(sample_file.with_name("kept.db"))
    assert refusal_of(sample_file).message == "the ledger is gone, only the log beside it is left"
    sample_file.with_name("kept.db").rename(sample_file)
    with open_ledger(sample_file) as ledger:
        assert (len(ledger.marks("r2")), ledger.verify()) == (2, [])


def test_without_permission_the_ledger_is_refused_or_only_read(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    path = folder / "ledger.db"
    sample_ledger(path)
    path.chmod(0o444)
    folder.chmod(0o555)
    try:
        if os.access(path, os.W_OK):
            pytest.skip("permissions do not bind the superuser")
        assert refusal_of(path).code == "TB706"
        assert refusal_of(folder / "new.db").code == "TB706"
        with open_ledger(path, read_only=True) as ledger:
            assert ledger.verify() == []
        path.chmod(0)
        assert refusal_of(path, read_only=True).code == "TB706"
    finally:
        folder.chmod(0o755)


def test_a_new_ledger_has_the_tables_that_are_declared(tmp_path: Path) -> None:
    path, declared = tmp_path / "ledger.db", create_engine(f"sqlite:///{tmp_path / 'declared.db'}")
    open_ledger(path).close()
    assert [p.name for p in tmp_path.iterdir()] == ["ledger.db"]
    LedgerTable.metadata.create_all(declared)
    declared.dispose()
    with closing(sqlite3.connect(path)) as ours, closing(sqlite3.connect(tmp_path / "declared.db")) as theirs:
        assert ours.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert ours.execute("PRAGMA page_size").fetchone() == (8192,)
        statement = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
        assert ours.execute(statement).fetchall() == theirs.execute(statement).fetchall() != []
