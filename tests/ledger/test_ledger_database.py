"""A ledger on a server: what is refused, that its address is shown nowhere, and what a server that goes away leaves behind."""

from __future__ import annotations

import logging
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import postgres_server
import pytest
from ledger_samples import TEXTS, closed, decision, fill, latch, mark, one_of_each, order, quiet, run_of, trade
from sqlalchemy import Select
from tampering import alter, behind_its_back

from tb.core.diagnostics import Refused
from tb.core.records import Record
from tb.core.redaction import forget_secrets, redacted
from tb.ledger import Database, Place, open_ledger, queries
from tb.ledger.postgres import FEW


@pytest.fixture
def database(new_database: Callable[[], Database]) -> Database:
    return new_database()


@pytest.fixture
def mortal(server: postgres_server.Server) -> Iterator[postgres_server.Server]:
    """The server, which a test may stop: it runs again afterwards."""
    yield server
    if not server.is_running:
        server.start()


def refused_by(place: Database, **how: bool) -> tuple[str, str]:
    """Code and message of a refusal; nothing of the password is in it or in its traceback."""
    with pytest.raises(Refused) as refused:
        open_ledger(place, wait=1.0, **how)
    (found,) = refused.value.findings
    told = "".join(traceback.format_exception(refused.value)) + repr(refused.value) + found.hint + str(found.span)
    assert postgres_server.PASSWORD not in told
    assert "hunter2" not in told
    assert found.span.file == str(place)
    return found.code, found.message


def test_a_ledger_is_made_only_when_asked(database: Database) -> None:
    assert refused_by(database, create=False) == ("TB701", "there is no ledger here yet")
    assert refused_by(database, read_only=True) == ("TB701", "there is no ledger here yet")
    open_ledger(database).close()
    with open_ledger(database, create=False) as ledger:
        assert ledger.runs() == []


@pytest.mark.parametrize(
    ("address", "code", "message"),
    [
        ("", "TB884", "the address of the ledger's database is not in `env:DESK_DB`"),
        ("  ", "TB884", "the address of the ledger's database is not in `env:DESK_DB`"),
        ("postgres//tb:hunter2@h/db", "TB884", "what `env:DESK_DB` holds is no address of a database"),
        ("host=h passwort=hunter2", "TB884", "what `env:DESK_DB` holds is no address of a database"),
        ("postgresql://tb:hunter2@[::1/db", "TB884", "what `env:DESK_DB` holds is no address of a database"),
        ("postgresql://tb:hunter2@127.0.0.1:1/db", "TB886", "the database of the ledger does not answer"),
        ("postgresql://tb:hunter2@127.0.0.1:port/db", "TB886", "the database of the ledger does not answer"),
        ("host=127.0.0.1 port=1 password=hunter2", "TB886", "the database of the ledger does not answer"),
    ],
)
def test_an_address_that_leads_nowhere_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, address: str, code: str, message: str
) -> None:
    pytest.importorskip("psycopg")
    monkeypatch.setenv("DESK_DB", address)
    assert refused_by(Database("DESK_DB")) == (code, message)
    forget_secrets()


def test_a_wrong_password_user_or_database_is_not_let_in(
    server: postgres_server.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = server.address
    for wrong in (right.replace(postgres_server.PASSWORD, "hunter2"), right.replace("tb:", "nobody:"), right + "_gone"):
        monkeypatch.setenv("DESK_DB", wrong)
        code, message = refused_by(Database("DESK_DB"))
        assert (code, message) in {
            ("TB706", "the server does not let this user in"),
            ("TB886", "the database of the ledger does not answer"),
        }


def test_the_password_is_registered_and_no_text_of_a_ledger_holds_the_address(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), open_ledger(database) as ledger:
        run = ledger.start_run(run_of(ledger.put_policy(TEXTS))).id
        ledger.append(run, one_of_each())
        assert ledger.verify() == []
        shown = f"{ledger.path!r} {ledger.path} {ledger._engine!r} {ledger._open_engine().url}"
    assert postgres_server.PASSWORD not in shown + caplog.text
    assert redacted(f"failed at {database.address()}!") == "failed at [redacted]!"
    assert postgres_server.PASSWORD not in redacted(f"word {postgres_server.PASSWORD}")


def test_another_database_is_not_a_ledger(database: Database) -> None:
    with behind_its_back(database) as run:
        run("CREATE TABLE meta (x integer)")
    assert refused_by(database) == ("TB702", "the database is one, but not a ledger")


@pytest.mark.parametrize(
    ("statement", "code", "message"),
    [
        ("UPDATE meta SET version = 99", "TB704", "the ledger has schema version 99"),
        ("DELETE FROM meta", "TB703", "the ledger's note of its own head is gone or altered"),
        ("DROP TABLE fills", "TB703", "the ledger has lost its table `fills`"),
        ("ALTER TABLE meta RENAME version TO age", "TB703", "the ledger is damaged or truncated"),
    ],
)
def test_an_altered_schema_is_refused(database: Database, statement: str, code: str, message: str) -> None:
    open_ledger(database).close()
    with behind_its_back(database) as run:
        run(statement)
    found = refused_by(database)
    assert found[0] == code
    assert found[1].startswith(message)


def test_a_writer_in_the_middle_of_a_group_is_waited_for_and_readers_go_on(database: Database) -> None:
    with open_ledger(database, wait=0.05) as ledger:
        run = ledger.start_run(run_of(ledger.put_policy(TEXTS))).id
        with behind_its_back(database) as other:
            other("LOCK TABLE meta IN EXCLUSIVE MODE")
            for write in (lambda: ledger.append(run, [decision(1)]), lambda: ledger.put_policy({})):
                with pytest.raises(Refused) as refused:
                    write()
                assert refused.value.findings[0].code == "TB705"
            assert len(ledger.runs()) == 1
            with open_ledger(database, read_only=True) as reader:
                assert reader.verify() == []
        ledger.append(run, [decision(1)])
        assert ledger.verify() == []


def test_a_name_that_no_server_keeps_is_refused_before_anything_is_written(database: Database) -> None:
    with open_ledger(database) as ledger:
        run = ledger.start_run(run_of(ledger.put_policy(TEXTS))).id
        for wrong in (decision(2, instrument="BTC\0USD"), order("o\0"), decision(3, at=2**63)):
            with pytest.raises(ValueError, match="not written"):
                ledger.append(run, [decision(1), wrong])
        assert list(ledger.records(run)) == []
        ledger.append(run, [decision(1, reason="code 0 in a text: \0")])
        assert ledger.decision(run, 1).reason.endswith("\0")
        assert ledger.verify() == []


def test_a_server_that_goes_away_loses_nothing(mortal: postgres_server.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_DB", mortal.schema_address())
    place = Database("DESK_DB")
    with open_ledger(place, wait=1.0) as ledger:
        run = ledger.start_run(run_of(ledger.put_policy(TEXTS))).id
        ledger.append(run, [decision(1)])
        mortal.stop()
        for ask in (lambda: ledger.append(run, [decision(2)]), ledger.runs, ledger.head):
            with pytest.raises(Refused) as refused:
                ask()
            assert refused.value.findings[0].code == "TB886"
        assert refused_by(place) == ("TB886", "the database of the ledger does not answer")
        mortal.start()
        ledger.append(run, [decision(2)])
        assert [d.seq for d in ledger.decisions(run)] == [1, 2]
        assert ledger.verify() == []


def test_the_driver_is_loaded_only_where_a_server_is_asked(tmp_path: Path) -> None:
    code = "import sys; from tb.ledger import open_ledger; from pathlib import Path; open_ledger(Path(sys.argv[1])).close()"
    code += "; print('psycopg' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "l.db")], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_without_the_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_DB", "postgresql://tb@127.0.0.1:1/db")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Refused) as refused:
        open_ledger(Database("DESK_DB"))
    (found,) = refused.value.findings
    assert (found.code, found.hint) == ("TB885", "install the extra `postgres`: `pip install 'tb[postgres]'`")


def test_few_records_are_written_as_many_are_and_as_in_a_file(database: Database, tmp_path: Path) -> None:
    with open_ledger(database) as ledger, open_ledger(tmp_path / "ledger.db") as file:
        runs = [one.start_run(run_of(one.put_policy(TEXTS))).id for one in (ledger, file)]
        assert runs == ["r1", "r1"]
        seq = 0
        for count in (1, 2, FEW // 2, FEW // 2 + 1, FEW, FEW + 1, 3 * FEW):
            made = [record for at in range(seq + 1, seq + count + 1) for record in some_of(at)][:count]
            seq += count
            for one in (ledger, file):
                one.append("r1", made)
        assert ledger.head() == file.head()
        assert list(ledger.records("r1")) == list(file.records("r1"))
        before = ledger.head()
        for count in (2, 3 * FEW):  # the last number was used already
            for one in (ledger, file):
                with pytest.raises(ValueError, match="the group was not written"):
                    one.append("r1", [*(mark(at) for at in range(count)), decision(1)])
        assert ledger.head() == file.head() == before
        assert ledger.verify() == []


def some_of(seq: int) -> list[Record]:
    return [decision(seq), latch(seq), order(f"o{seq}", decision=seq), fill(f"o{seq}"), trade(seq), mark(seq), quiet(seq, seq)]


def test_a_head_that_is_gone_while_the_ledger_is_open_refuses_writes(place: Place) -> None:
    with open_ledger(place) as ledger:
        run = ledger.start_run(run_of(ledger.put_policy(TEXTS))).id
        alter(place, "DELETE FROM meta")
        for ask in (lambda: ledger.append(run, [decision(1)]), lambda: ledger.finish_run(run, {}), ledger.head):
            with pytest.raises(Refused) as refused:
                ask()
            assert refused.value.findings[0].code == "TB703"


QUESTIONS: dict[str, Callable[[str], Select[Any]]] = {
    "trades": lambda run: queries.trades(run, None, None),
    "open trades": lambda run: queries.trades(run, None, None, is_open=True),
    "trades of a strategy": lambda run: queries.trades(run, "BTC-USD", "momentum"),
    "marks": queries.marks,
    "last mark": lambda run: queries.marks(run, 1),
    "orders": lambda run: queries.orders(run, None, None),
    "latches": queries.latches,
}


def test_a_question_looks_at_each_row_a_few_times_though_the_server_knows_nothing_of_the_tables(database: Database) -> None:
    """It has statistics only some time after many rows came, and takes them for few until then."""
    count = 400
    with open_ledger(database) as ledger:
        run = ledger.start_run(run_of(ledger.put_policy(TEXTS))).id
        opened = [trade(count + 1), latch(1)]
        for seq in range(1, count + 1):
            ledger.append(run, [order(f"o{seq}", decision=seq), trade(seq), closed(seq), mark(seq)] + opened * (seq == count))
        for name, question in QUESTIONS.items():
            with ledger._reading() as connection:
                asked = question(run).compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
                # as it is asked: through a cursor, for which a server plans otherwise
                plan = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) DECLARE one CURSOR FOR {asked}").scalar()
            assert plan is not None
            assert looked_at(plan[0]["Plan"]) <= 20 * count, name
        assert len(ledger.trades(run)) == count + 1
        assert ledger.trades(run, is_open=True) == [trade(count + 1)]


def looked_at(node: dict[str, Any]) -> float:
    """Rows that a plan's steps gave and left out, every time they were asked."""
    each = node["Actual Rows"] + sum(value for name, value in node.items() if name.startswith("Rows Removed"))
    return float(each * node["Actual Loops"]) + sum(map(looked_at, node.get("Plans", ())))
