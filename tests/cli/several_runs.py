"""A project that was replayed several times, each time with one thing changed, for commands that set runs side by side."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
from cli_commands import invoke

RUNS = {
    "r1": "as it was",
    "r2": "the same again",
    "r3": "a lower limit in policy/limits.yaml",
    "r4": "another fee in tb.yaml",
    "r5": "another value of a parameter in the rules",
    "r6": "one close of the data moved",
    "r7": "a part of the data",
}
MOVED = 300  # the row of BTC-USD whose close is moved


def replayed(recorded: Path, folder: Path) -> Path:
    """The project in `folder`, with the runs of `RUNS` in its ledger and its texts as they were."""
    shutil.copytree(recorded, folder, ignore=shutil.ignore_patterns(".tb"))
    data, other = folder / "data", folder / "other"
    shutil.copytree(data, other)
    prices = pl.read_parquet(data / "BTC-USD.parquet")
    is_moved = pl.int_range(pl.len()) == MOVED
    close = pl.when(is_moved).then((pl.col("low") + pl.col("high")) / 2).otherwise(pl.col("close")).alias("close")
    prices.with_columns(close).write_parquet(other / "BTC-USD.parquet")
    changes = {
        "r3": ("policy/limits.yaml", "max_gross_pct: 20%", "max_gross_pct: 6%"),
        "r4": ("tb.yaml", "fee: 40bps", "fee: 10bps"),
        "r5": ("rules/triggers.tb", "param spike = 1.8", "param spike = 2.4"),
    }
    for run in RUNS:
        path, old, new = changes.get(run, ("tb.yaml", "", ""))
        text = (folder / path).read_text(encoding="utf-8")
        assert old in text
        (folder / path).write_text(text.replace(old, new) if old else text, encoding="utf-8")
        where = other if run == "r6" else data
        part = ("--from", "2024-01-10", "--instruments", "BTC-USD,ETH-USD") if run == "r7" else ()
        answer = invoke("replay", "--project", folder, "--data", where, "--json", *part)
        assert answer.code == 0, answer.err
        assert answer.json["run"] == run
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def same_as_recorded(name: str, printed: str, folder: Path) -> None:
    """What a command printed against what stands in tests/cli/outputs; `TB_RECORD=1` writes it anew, to be reviewed."""
    import os

    said = printed.replace(str(folder), "FOLDER")
    path = Path(__file__).resolve().parent / "outputs" / f"{name}.txt"
    if os.environ.get("TB_RECORD"):
        path.write_text(said, encoding="utf-8")
    assert said == path.read_text(encoding="utf-8")
