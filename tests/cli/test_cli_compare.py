"""`tb compare` over runs of one project that differ in one thing each, its output as recorded beside."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from cli_commands import Run
from several_runs import same_as_recorded

CASES = {
    "two": ("r1", "r3"),
    "many": ("r1", "r2", "r3", "r4", "r5"),
    "uneven": ("r1", "r7"),
    "all": ("r1", "r4", "--all"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_text_fits_and_is_as_recorded(run: Run, several: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    answer = run("compare", *CASES[case], "--project", several)
    assert (answer.code, answer.err) == (0, "")
    same_as_recorded(f"compare-{case}", answer.out, several)
    assert [line for line in answer.out.splitlines() if len(line) > 80] == []


def test_values_are_those_of_the_runs_and_differences_are_to_the_first(run: Run, several: Path) -> None:
    found = run("compare", "r1", "r4", "r3", "--project", several, "--json").json
    rows = {row["name"]: row for row in found["rows"]}
    summaries = {one["id"]: one["summary"] for one in run("runs", "--project", several, "--json").json}
    finals = [float(summaries[name]["final_equity"]) for name in ("r1", "r4", "r3")]
    row = rows["final_equity"]
    assert row["values"] == pytest.approx(finals)
    assert row["differences"] == [None, pytest.approx(finals[1] - finals[0]), pytest.approx(finals[2] - finals[0])]
    assert row["best"] == [finals.index(max(finals))]
    assert rows["fees"]["best"] == [rows["fees"]["values"].index(min(rows["fees"]["values"]))]
    assert rows["initial_equity"]["best"] == rows["proposals"]["best"] == []  # no side of these is better
    assert rows["rejected"]["values"] == [summaries[name]["rejected"] for name in ("r1", "r4", "r3")]
    assert found["warnings"] == []


def test_what_differs_is_told_against_the_first(run: Run, several: Path) -> None:
    found = run("compare", "r1", "r2", "r4", "--project", several, "--json").json
    first, same, other = (one["against_first"] for one in found["runs"])
    assert first == []
    assert all(aspect["same"] for aspect in same)
    changes = [(change["what"], change["a"], change["b"]) for aspect in other for change in aspect["changes"]]
    assert changes == [("venue.fee", "40bps", "10bps")]
    assert "r2 against r1: made of the same" in run("compare", "r1", "r2", "--project", several).out


def test_runs_that_cannot_be_compared_are_told_so(run: Run, several: Path) -> None:
    warnings = run("compare", "r1", "r3", "r7", "--project", several, "--json").json["warnings"]
    assert [warning.partition(":")[0] for warning in warnings] == ["not the same span", "not the same data"]
    assert "2024-01-01 to 2024-02-10 (r1, r3), 2024-01-10 to 2024-02-10 (r7)" in warnings[0]


def test_other_capital_is_a_warning_and_curves_become_returns(run: Run, several: Path, project: Path, tmp_path: Path) -> None:
    settings = project / "tb.yaml"
    settings.write_text(settings.read_text().replace("equity: 10_000 USD", "equity: 20_000 USD"))
    assert run("replay", "--project", project, "--data", project / "data").code == 0
    ledgers = ("--ledger", several / ".tb" / "ledger.sqlite", "--ledger", project / ".tb" / "ledger.sqlite")
    page = tmp_path / "page.html"
    found = run("compare", "r1", "r1", *ledgers, "--html", page, "--json")
    assert [one["label"] for one in found.json["runs"]] == ["A:r1", "B:r1"]
    assert found.json["warnings"] == ["not the same capital: 10,000.00 USD (A:r1), 20,000.00 USD (B:r1)"]
    assert "return since the start of each run" in page.read_text(encoding="utf-8")


class Page(HTMLParser):
    """Lines of charts and words; complains about tags that do not close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.lines: list[str] = []
        self.words: list[str] = []
        self.places: set[str] = set()
        self.links: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in {"meta", "br"}:
            self.open.append(tag)
        if found.get("id"):
            self.places.add(found["id"] or "")
        if tag == "a":
            self.links.add(found["href"] or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "path":
            self.lines.append(dict(attrs)["class"] or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_lays_the_curves_over_each_other(run: Run, several: Path, tmp_path: Path) -> None:
    page = tmp_path / "deep" / "page.html"
    answer = run("compare", "r1", "r3", "r7", "--project", several, "--html", page)
    assert answer.code == 0
    assert answer.err == f"written: {page}\n"
    text = page.read_text(encoding="utf-8")
    found = Page(text)
    assert found.open == []
    for name in ("line s1", "line s2", "line s3"):  # the table of runs, the legend, equity and drawdown
        assert found.lines.count(name) == 4
    assert {link.removeprefix("#") for link in found.links} <= found.places
    words = " ".join(" ".join(found.words).split())
    assert "not the same span" in words
    for told in ("Sharpe", "policy/limits.yaml: max_gross_pct", "marked equity, USD"):
        assert told in words
    assert "http" not in re.sub(r"http-equiv|http://www\.w3\.org/2000/svg", "", text)
    again = tmp_path / "again.html"
    run("compare", "r1", "r3", "r7", "--project", several, "--html", again)
    assert again.read_text(encoding="utf-8") == text


def test_bad_input_is_told(run: Run, several: Path, tmp_path: Path) -> None:
    assert "name two runs or more" in run("compare", "r1", "--project", several).err
    missing = run("compare", "r1", "r99", "--project", several)
    assert (missing.code, "there is no run `r99`" in missing.err) == (3, True)
    other = tmp_path / "other.sqlite"
    shutil.copy(several / ".tb" / "ledger.sqlite", other)
    uneven = run("compare", "r1", "r2", "r3", "--ledger", other, "--ledger", other, "--project", several)
    assert (uneven.code, "name one ledger, or 3" in uneven.err) == (2, True)
    taken = run("compare", "r1", "r2", "--html", several, "--project", several)
    assert (taken.code, "cannot be written" in taken.err) == (3, True)
