"""Bad input: each gives a message that names file, line or row, the right exit code, and loses nothing."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from cli_commands import Run

Edit = tuple[str, str, str]  # file, what stands there, what is put in its place

# what is done to a project, and what a replay of it has to say
PROJECTS: dict[str, tuple[tuple[Edit, ...], str]] = {
    "malformed rule": (
        (("rules/momentum.tb", "enter long when volume_spike and trend > 0%", "enter long when volume_spike and and"),),
        r"rules/momentum\.tb:12:\d+: error\[TB00\d\]: expected a value after `and`",
    ),
    "two files with mistakes": (
        (("rules/momentum.tb", "trend > 0%", "trend >"), ("policy/limits.tb", "after.gross <=", "after.gross <")),
        r"rules/momentum\.tb:\d+:\d+: error\[TB\d+\]",
    ),
    "unknown unit": (
        (("rules/momentum.tb", "hold at most 5d", "hold at most 5 fortnights"),),
        r"rules/momentum\.tb:\d+:\d+: error\[TB\d+\].*fortnights",
    ),
    "unit mismatch": (
        (("rules/momentum.tb", "trend > 0%", "trend > 5 USD"),),
        r"rules/momentum\.tb:\d+:\d+: error\[TB101\]",
    ),
    "unknown name": (
        (("rules/momentum.tb", "trend > 0%", "tred > 0%"),),
        r"rules/momentum\.tb:\d+:\d+: error\[TB102\].*did you mean `trend`",
    ),
    "parameter outside its range": (
        (("rules/triggers.tb", "= 1.8", "= 9.8"),),
        r"rules/triggers\.tb:3:\d+: error\[TB401\]",
    ),
    "parameter outside its range in the settings": (
        (("tb.yaml", "ledger:", "parameters:\n  spike: 9\n\nledger:"),),
        r"error\[TB401\].*`?9`?",
    ),
    "unknown limit": (
        (("policy/limits.yaml", "max_spread: 60bps", "max_sprad: 60bps"),),
        r"policy/limits\.yaml:12:1: error\[TB622\]: unknown limit `max_sprad`; hint: did you mean `max_spread`",
    ),
    "missing limit": (
        (("policy/limits.yaml", "max_spread: 60bps\n", ""),),
        r"policy/limits\.tb:\d+:\d+: error\[TB060\].*max_spread",
    ),
    "limit without its unit": (
        (("policy/limits.yaml", "max_position_pct: 5%", "max_position_pct: 5"),),
        r"policy/limits\.yaml:2:\d+: error\[TB624\]",
    ),
    "limits that are no YAML": (
        (("policy/limits.yaml", "max_spread: 60bps", "max_spread: [60bps"),),
        r"policy/limits\.yaml:12:\d+: error\[TB620\]",
    ),
    "unknown setting": (
        (("tb.yaml", "ledger:", "legder:"),),
        r"tb\.yaml:\d+:1: error\[TB602\].*did you mean `ledger`",
    ),
    "instrument without a lot": (
        (("tb.yaml", "  default: {tick: 0.01, lot: 0.0001, minimum: 10 USD, max_quantity: 100}\n", ""),),
        r"tb\.yaml:1:1: error\[TB609\]: `BTC-USD` is traded, and `tb\.yaml` does not say its tick and lot",
    ),
    "instrument in another currency": (
        (
            ("tb.yaml", "currency: USD", "currency: EUR"),
            ("tb.yaml", "10_000 USD", "10_000 EUR"),
            ("tb.yaml", "10 USD,", "10 EUR,"),
            ("tb.yaml", "250k USD", "250k EUR"),
            ("policy/limits.yaml", "2_500 USD", "2_500 EUR"),
        ),
        r"tb\.yaml:1:1: error\[TB606\]: `BTC-USD` is priced in USD, and the account is in EUR",
    ),
    "period shorter than the data's": (
        (("rules/momentum.tb", "every 1h", "every 15m"),),
        r"rules/momentum\.tb:\d+:1: error\[TB211\]: `momentum` runs every 15m, which is shorter than the bars of 1h",
    ),
    "period that is no multiple": (
        (("rules/momentum.tb", "every 1h", "every 90m"),),
        r"rules/momentum\.tb:\d+:1: error\[TB211\]: `momentum` runs every 90m, which is not a whole number of the bars of 1h",
    ),
    "period inside a rule": (
        (("rules/triggers.tb", "close > close[1]", "close > close[1]@15m"),),
        r"rules/triggers\.tb:\d+:\d+: error\[TB211\]: a rule reads bars of 15m, which is shorter than the bars of 1h",
    ),
    "universe without data": (
        (("rules/momentum.tb", "BTC-USD, ETH-USD", "ADA-USD"), ("rules/momentum.tb", "SOL-USD", "XRP-USD")),
        r"error\[TB656\]: no strategy covers anything in `.*`: the data has `BTC-USD`, `ETH-USD`, `SOL-USD`",
    ),
}


def snapshot(folder: Path) -> dict[str, str]:
    """The content of every file, but for what SQLite keeps beside a ledger while it is read."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


@pytest.mark.parametrize("case", PROJECTS)
def test_a_project_with_mistakes_is_refused(run: Run, with_ledger: Path, case: str) -> None:
    edits, says = PROJECTS[case]
    for file, before, after in edits:
        path = with_ledger / file
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after), encoding="utf-8")
    then = snapshot(with_ledger)
    answer = run("replay", "--project", with_ledger, "--data", with_ledger / "data")
    assert (answer.code, answer.out) == (3, "")
    assert re.search(says, answer.err), answer.err
    as_json = run("replay", "--project", with_ledger, "--data", with_ledger / "data", "--json")
    assert as_json.code == 3
    assert any(finding["severity"] == "error" for finding in as_json.json["findings"])
    assert snapshot(with_ledger) == then


def test_limits_that_could_not_be_read_are_not_said_to_be_missing(run: Run, project: Path) -> None:
    path = project / "policy/limits.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("max_spread: 60bps", "max_spread 60bps"), encoding="utf-8")
    answer = run("lint", "--project", project)
    assert answer.code != 0
    assert "TB620" in answer.err + answer.out
    assert "TB060" not in answer.err + answer.out


def test_every_file_with_a_mistake_is_named_at_once(run: Run, project: Path) -> None:
    for file in ("rules/momentum.tb", "rules/triggers.tb", "policy/limits.tb"):
        path = project / file
        path.write_text(path.read_text().replace("when", "whne").replace("limit ", "limt "))
    (project / "policy" / "limits.yaml").write_text("max_sprad: 60bps\n")
    found = run("lint", "--project", project, "--json")
    assert found.code == 1
    files = {finding["file"] for finding in found.json["findings"]}
    assert files == {"rules/momentum.tb", "rules/triggers.tb", "policy/limits.tb", "policy/limits.yaml"}


Change = Callable[[pl.DataFrame], pl.DataFrame]


def at(row: int, column: str, value: float) -> Change:
    """The value in a row counted from 1."""
    return lambda frame: frame.with_columns(
        pl.when(pl.int_range(pl.len()) == row - 1).then(pl.lit(value)).otherwise(pl.col(column)).alias(column)
    )


DATA: dict[str, tuple[Change, str]] = {
    "missing column": (lambda frame: frame.drop("volume"), r"ETH-USD\.csv:1:1: error\[TB645\].*`volume`"),
    "negative price": (at(7, "low", -1.0), r"ETH-USD\.csv:8:1: error\[TB649\]: row 7 \(line 8\): `low` is -1"),
    "zero price": (at(7, "close", 0.0), r"ETH-USD\.csv:8:1: error\[TB649\]: row 7 \(line 8\): `close` is 0"),
    "negative volume": (at(7, "volume", -2.0), r"ETH-USD\.csv:8:1: error\[TB649\]: row 7 \(line 8\): `volume` is -2"),
    "infinite price": (at(9, "high", float("inf")), r"ETH-USD\.csv:10:1: error\[TB6\d\d\]: row 9 \(line 10\)"),
    "high below low": (at(5, "high", 1.0), r"ETH-USD\.csv:6:1: error\[TB650\]: row 5 \(line 6\): `high` 1 is lower than `low`"),
    "duplicate time": (lambda f: pl.concat([f[:9], f[8:]]), r"ETH-USD\.csv:11:1: error\[TB651\]: row 10 \(line 11\).*twice"),
    "unordered times": (
        lambda f: pl.concat([f[:9], f[10:11], f[9:10], f[11:]]),
        r"ETH-USD\.csv:12:1: error\[TB651\]: row 11 \(line 12\).*stands after",
    ),
    "mixed periods": (lambda f: f.gather_every(4), r"ETH-USD\.csv:1:1: error\[TB653\]: bars of 4h"),
    "off the grid": (
        lambda f: pl.concat([f[:5], f[5:6].with_columns(pl.col("time").dt.offset_by("7m")), f[6:]]),
        r"ETH-USD\.csv:7:1: error\[TB652\]: row 6 \(line 7\)",
    ),
    "no rows": (lambda frame: frame.head(0), r"ETH-USD\.csv:1:1: error\[TB646\]"),
}


@pytest.mark.parametrize("case", DATA)
def test_bad_data_is_refused_with_its_row(run: Run, project: Path, frames: dict[str, pl.DataFrame], case: str) -> None:
    change, says = DATA[case]
    (project / "data" / "ETH-USD.parquet").unlink()
    change(frames["ETH-USD"]).write_csv(project / "data" / "ETH-USD.csv", datetime_format="%Y-%m-%dT%H:%M:%SZ")
    answer = run("replay", "--project", project, "--data", project / "data")
    assert (answer.code, answer.out) == (3, "")
    assert re.search(says, answer.err), answer.err
    assert not (project / ".tb").exists()


def test_folders_of_data_that_hold_none(run: Run, project: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    cases = {
        empty: ("TB641", "is empty"),
        tmp_path / "gone": ("TB640", "does not exist"),
        project / "tb.yaml": ("TB640", "is a file, not a folder"),
    }
    for folder, (code, says) in cases.items():
        answer = run("replay", "--project", project, "--data", folder)
        assert answer.code == 3
        assert code in answer.err
        assert says in answer.err


def test_an_unknown_instrument_and_an_empty_span(run: Run, project: Path) -> None:
    replay = ("replay", "--project", project, "--data", project / "data")
    answer = run(*replay, "--instruments", "BTC-USD,ETH-USB")
    assert answer.code == 3
    assert "TB656" in answer.err
    assert "hint: did you mean `ETH-USD`?" in answer.err
    answer = run(*replay, "--from", "2030-01-01")
    assert answer.code == 3
    assert "TB657" in answer.err
    (project / "data" / "notes about eth.csv").write_text("a,b\n1,2\n")
    answer = run(*replay)
    assert answer.code == 3
    assert "TB642" in answer.err


# ledgers


def replay(run: Run, project: Path) -> str:
    answer = run("replay", "--project", project, "--data", project / "data")
    assert answer.code == 3
    assert answer.out == ""
    return answer.err


def test_a_locked_ledger(run: Run, with_ledger: Path) -> None:
    path = with_ledger / ".tb" / "ledger.sqlite"
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        assert "TB705" in replay(run, with_ledger)
        assert run("trades", "--project", with_ledger).code == 0  # reading goes on beside a writer
        other.execute("ROLLBACK")
    finally:
        other.close()
    assert run("replay", "--project", with_ledger, "--data", with_ledger / "data", "--json").json["run"] == "r3"


def test_a_truncated_ledger(run: Run, with_ledger: Path) -> None:
    path = with_ledger / ".tb" / "ledger.sqlite"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    then = snapshot(with_ledger)
    answer = run("ledger", "verify", "--project", with_ledger)
    assert answer.code == 1
    assert "TB703" in answer.err
    assert str(path) in answer.err
    assert "bug" not in replay(run, with_ledger)
    assert snapshot(with_ledger) == then


def test_a_ledger_that_lost_everything(run: Run, with_ledger: Path) -> None:
    path = with_ledger / ".tb" / "ledger.sqlite"
    path.write_bytes(b"")
    for beside in ("-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    assert "TB703" in replay(run, with_ledger)
    assert run("trades", "--project", with_ledger).code == 3
    assert path.read_bytes() == b""


def test_a_tampered_ledger_names_the_entry(run: Run, with_ledger: Path) -> None:
    path = with_ledger / ".tb" / "ledger.sqlite"
    with sqlite3.connect(path) as connection:
        entry, payload = connection.execute(
            "SELECT seq, payload FROM entries "
            "WHERE kind = 'segment' AND instr(payload, CAST('Trade' AS BLOB)) ORDER BY seq LIMIT 1"
        ).fetchone()
        altered = payload.replace(b"long", b"lung")
        connection.execute("UPDATE entries SET payload = ? WHERE seq = ?", (altered, entry))
    connection.close()
    answer = run("ledger", "verify", "--project", with_ledger)
    assert answer.code == 1
    first = answer.err.splitlines()[0]
    assert f"TB710]: the chain breaks at entry {entry} (run r1, " in first
    assert f"entries 1 to {entry - 1} are intact" in first
    as_json = run("ledger", "verify", "--project", with_ledger, "--json")
    assert as_json.code == 1
    assert as_json.json["ok"] is False
    assert as_json.json["findings"][0]["code"] == "TB710"
    answer = run("trades", "r1", "--project", with_ledger)
    assert answer.code == 3
    assert f"entry {entry} was altered and cannot be read" in answer.err


def test_files_that_are_no_ledger(run: Run, project: Path, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("a note of two words, and many more, so that it is longer than a header " * 20)
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE a (b)")
    connection.close()
    for path in (note, other):
        then = path.read_bytes()
        for command in (("ledger", "verify"), ("trades",), ("runs",), ("report",), ("explain", "t1")):
            answer = run(*command, "--project", project, "--ledger", path)
            assert answer.code == 3
            assert "TB702" in answer.err
        assert path.read_bytes() == then
    missing = run("trades", "--project", project)
    assert missing.code == 3
    assert "TB701" in missing.err
    assert not (project / ".tb").exists()


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("trades", "r9"), "TB707"),
        (("decisions", "9"), "TB707"),
        (("report", "r9"), "TB707"),
        (("explain", "r9.t1"), "TB707"),
        (("explain", "t9999"), "TB714"),
        (("explain", "d9999"), "TB714"),
        (("explain", "0123456789abcdef0123"), "TB714"),
        (("explain", "--all", "--run", "r9"), "TB707"),
        (("why-not", "BTC-USD", "--at", "2024-01-15", "--run", "r9"), "TB707"),
    ],
)
def test_records_that_are_not_there(run: Run, recorded: Path, command: tuple[str, ...], code: str) -> None:
    answer = run(*command, "--project", recorded)
    assert (answer.code, answer.out) == (3, "")
    assert code in answer.err
    assert run(*command, "--project", recorded, "--json").json["findings"][0]["code"] == code


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("replay", "--from", "yesterday"), "`yesterday` is not a time"),
        (("replay", "--from", "2024-02-01", "--to", "2024-01-01"), "--from has to be earlier than --to"),
        (("replay",), "say which data to replay"),
        (("replay", "--ledger", "a", "--no-ledger"), "exclude each other"),
        (("replay", "--instruments", " , "), "name one or more"),
        (("trades", "last"), "`last` is not a run"),
        (("explain",), "name one trade, decision or order"),
        (("explain", "t1", "--all"), "name one trade, decision or order"),
        (("explain", "trade one"), "`trade one` is not an id"),
        (("explain", "r1.t1", "--run", "r2"), "`r1.t1` is of run r1"),
        (("explain", "--all", "--why-not", "gross"), "--why-not asks about one decision"),
        (("explain", "d1", "--why-not", "gros"), "did you mean `gross`?"),
        (("explain", "--all", "--format", "dot"), "draws one decision"),
        (("explain", "--all", "--what-if", "spread=1%"), "--what-if asks about one decision"),
        (("explain", "d1", "--what-if", "spread"), "`spread` says no value; write `spread=90bps`"),
        (("explain", "--all", "-o", "x.html"), "`--all` with a file writes JSON"),
        (("why-not", "--at", "2024-01-15"), "name it"),
        (("why-not", "BTC-USD", "--at", "2024-01-15", "--since", "7d"), "--at is one instant"),
        (("why-not", "--from", "2024-02-01", "--to", "2024-01-01"), "--from has to be earlier than --to"),
        (("why-not", "--since", "someday"), "`someday` is none of"),
        (("why-not", "--since", "7d", "--from", "2024-01-15"), "name one"),
        (("why-not", "--strategy", "momentun"), "did you mean `momentum`?"),
        (("why-not", "BTC-USD", "--at", "2024-01-15", "--data", "d", "--run", "r1"), "--data asks the rules as they are now"),
        (("decisions", "--verdict", "maybe"), "maybe"),
        (("graph", "--strategy", "momentun"), "did you mean `momentum`?"),
        (("graph", "--format", "png"), "png"),
        (("fmt", "-", "x.tb"), "`-` stands alone"),
    ],
)
def test_usage_is_explained_with_exit_code_2(run: Run, recorded: Path, command: tuple[str, ...], says: str) -> None:
    answer = run(*command, "--project", recorded)
    assert (answer.code, answer.out) == (2, "")
    assert says in " ".join(answer.err.split())


def test_a_result_that_cannot_be_written(run: Run, with_ledger: Path) -> None:
    blocked = with_ledger / "tb.yaml" / "deep.html"
    for command in (("report",), ("explain", "t1"), ("graph",)):
        answer = run(*command, "--project", with_ledger, "-o", blocked)
        assert (answer.code, answer.out) == (3, "")
        assert "TB668" in answer.err
        assert str(blocked) in answer.err
