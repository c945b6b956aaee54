"""`tb lint --data`: a folder of bars, or a run of the ledger."""

from __future__ import annotations

from pathlib import Path

from cli_commands import Run


def codes(run: Run, project: Path, *words: str | Path) -> dict[str, list[str]]:
    """The messages of each code."""
    found: dict[str, list[str]] = {}
    for finding in run("lint", "--project", project, *words, "--json").json["findings"]:
        found.setdefault(finding["code"], []).append(finding["message"])
    return found


def test_a_run_shows_which_limits_never_came_near(run: Run, with_ledger: Path) -> None:
    found = codes(run, with_ledger, "--data", "r1")
    assert any(message.startswith("`order_value` never came near in r1: at most ") for message in found["TB309"])
    assert not any(message.startswith("`position` ") for message in found["TB309"])  # 5 % of equity, and sizes of 4 %
    assert found["TB405"] == [found["TB405"][0]]
    assert "reads 3 parameters that can be searched" in found["TB405"][0]
    assert codes(run, with_ledger) == {}


def test_what_reads_differently_today_is_not_judged_by_an_old_run(run: Run, with_ledger: Path) -> None:
    limits = with_ledger / "policy" / "limits.yaml"
    limits.write_text(limits.read_text().replace("max_order_value: 2_500 USD", "max_order_value: 2_400 USD"))
    assert not any("`order_value`" in message for message in codes(run, with_ledger, "--data", "r1").get("TB309", []))


def test_a_limit_that_refused_everything(run: Run, with_ledger: Path) -> None:
    limits = with_ledger / "policy" / "limits.yaml"
    limits.write_text(limits.read_text().replace("max_spread: 60bps", "max_spread: 1bps"))
    assert run("replay", "--project", with_ledger, "--data", with_ledger / "data").code == 0
    (said,) = codes(run, with_ledger, "--data", "r3")["TB310"]
    assert said.startswith("`wide` refused all ")


def test_what_a_run_shows_can_be_hidden_and_stays_hidden_without_the_run(run: Run, with_ledger: Path) -> None:
    limits = with_ledger / "policy" / "limits.tb"
    hidden = "# tb: ignore TB309 because it is for a day that this data does not hold\nlimit   order_value"
    limits.write_text(limits.read_text().replace("limit   order_value", hidden))
    assert not any("`order_value`" in message for message in codes(run, with_ledger, "--data", "r1")["TB309"])
    assert codes(run, with_ledger) == {}


def test_a_folder_is_data_and_no_run(run: Run, project: Path) -> None:
    found = codes(run, project, "--data", project / "data")
    assert not {"TB309", "TB310", "TB405"} & found.keys()
    assert run("lint", "--project", project, "--data", "r7").code != 0


def test_data_too_short_to_forget_its_start(run: Run, project: Path) -> None:
    import polars as pl

    for file in (project / "data").glob("*.parquet"):
        pl.read_parquet(file).head(220).write_parquet(file)
    found = codes(run, project, "--data", project / "data")
    assert any("`ema(close, slow)` depends on where the data begins" in message for message in found["TB206"])


def test_a_baseline_keeps_what_only_a_run_can_show(run: Run, with_ledger: Path) -> None:
    assert run("lint", "--project", with_ledger, "--data", "r1", "--write-baseline").code == 0
    kept = (with_ledger / "tb-lint-baseline.json").read_text()
    assert "TB309" in kept
    assert run("lint", "--project", with_ledger, "--strict").code == 0
    assert (with_ledger / "tb-lint-baseline.json").read_text() == kept
    assert run("lint", "--project", with_ledger, "--data", "r1", "--strict").code == 0


def test_a_budget_in_the_settings(run: Run, project: Path) -> None:
    settings = project / "tb.yaml"
    text = settings.read_text()
    settings.write_text(text + "\nlint:\n  budget: 100\n")
    assert "and its budget is 100" in codes(run, project)["TB506"][0]
    settings.write_text(text + "\nlint:\n  budget: 0\n")
    assert "TB604" in codes(run, project)


def test_costs_of_the_venue_are_compared_with_targets(run: Run, project: Path) -> None:
    settings = project / "tb.yaml"
    settings.write_text(settings.read_text().replace("fee: 40bps", "fee: 5%"))
    (said,) = codes(run, project)["TB316"]
    assert said.endswith("costs 10.2%")
