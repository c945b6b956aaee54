"""Programs of tests/language/replay: rules, policy, a tiny market and what must happen, in one file.

Sections begin with `=== `: `settings` (name: value), `rules`, `policy`, `limits`, one for each instrument, and last
`expected`. A row is open, high, low, close and volume of one hour; `-` is an hour without a bar, `?` a value that is not
known. `feed NAME` is the file of a feed, where `+5h` is five hours into the data.
The setting `explain: 2` adds decision d2 as `tb explain` shows it, `explain: 2 with constraints` with the constraints, too.
`TB_RECORD=1` writes what happens now; the difference is then reviewed like code.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import pytest
from small_projects import NAN, START, Replayed, bars, compiled, market, run

from tb.core.encode import plain
from tb.core.records import Cancel, Decision, Fill, Latch
from tb.core.time import HOUR, MINUTE, show_instant
from tb.gate.explain.text import text as text_of
from tb.replay.data import Market
from tb.replay.feeds import FeedPlaces
from tb.replay.recordings import with_recordings
from tb.runtime.policy import Compiled

FOLDER = Path(__file__).resolve().parent.parent / "language" / "replay"
PROGRAMS = sorted(FOLDER.glob("*.txt"))
EXPECTED = "=== expected\n"


def sections(text: str) -> dict[str, str]:
    found = {}
    for part in text.split("=== ")[1:]:
        name, _, body = part.partition("\n")
        found[name.strip()] = body.strip("\n") + "\n"
    return found


def row(line: str) -> tuple[float, ...] | None:
    return None if line.strip() == "-" else tuple(NAN if word == "?" else float(word) for word in line.split())


def settings_of(text: str) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in sections(text).get("settings", "").splitlines())


def replayed(text: str) -> Replayed:
    found = sections(text)
    here = settings_of(text)
    found.pop("settings", None)
    here.pop("explain", None)
    rules, policy, limits = found.pop("rules"), found.pop("policy"), found.pop("limits", "")
    found.pop("expected", None)
    feeds = {name.removeprefix("feed "): found.pop(name) for name in list(found) if name.startswith("feed ")}
    series = [bars(name, [row(line) for line in body.splitlines() if line]) for name, body in found.items()]
    project = compiled(rules, policy, limits=limits, **here)
    return run(project, with_feeds(market(*series), project, feeds))


def with_feeds(data: Market, project: Compiled, feeds: dict[str, str]) -> Market:
    """The market with feeds read from files, where `+5h` is five hours into the data."""
    with tempfile.TemporaryDirectory() as folder:
        for name, body in feeds.items():
            text = re.sub(r"\+(\d+)h", lambda found: show_instant(START + int(found[1]) * HOUR), body)
            (Path(folder) / f"{name}.csv").write_text(text, encoding="utf-8")
        return with_recordings(data, project.plan, FeedPlaces(Path(folder)))


def told(done: Replayed) -> str:
    """What happened, a line each, by the hour of the data."""
    lines = [line for record in done.records.records if (line := one(done, record))]
    outcome = done.outcome
    equity = "unknown" if outcome.final_equity is None else plain(outcome.final_equity)
    return "\n".join([*lines, f"in the end {equity} USD, {outcome.open_positions} open"]) + "\n"


def explained(done: Replayed, seq: int, *, whole: bool) -> str:
    """The explanation of one decision down to its constraints, which other tests hold."""
    text = text_of(done.explained(done.decisions[seq - 1])).split("\nvalues read")[0]
    return "\n" + (text if whole else text.split("\nconstraints:")[0]).rstrip() + "\n"


def one(done: Replayed, record: object) -> str:
    match record:
        case Decision():
            what = f"d{record.seq} {record.kind} {record.strategy}: {record.side} {plain(record.proposed)} {record.instrument}"
            price = "?" if record.price is None else plain(record.price)
            levels = [f"{n} {plain(v)}" for n, v in (("stop", record.stop), ("target", record.target)) if v is not None]
            by = f" by {', '.join(record.deciding)}" if record.deciding else ""
            size = f" {plain(record.approved)}" if record.verdict == "shrink" else ""
            missing = done.explained(record, deep=False).missing
            unknown = f" (unknown: {', '.join(missing)})" if missing else ""
            why = f'; "{record.reason}"' if record.reason else ""
            noted = f" (shadow: {', '.join(record.shadowed)})" if record.shadowed else ""
            judged = f"{record.verdict}{size}{by}{unknown}{noted}"
            return f"{hour(record.at)} {' '.join([what, 'at', price, *levels])} -> {judged}{why}"
        case Fill():
            fee = f", fee {plain(record.fee)}" if record.fee else ""
            what = f"{record.side} {plain(record.quantity)} {record.instrument} at {plain(record.price)}"
            return f"{hour(record.at)}   {record.cause}: {what}{fee}"
        case Cancel():
            what = f"{record.side} {plain(record.quantity)} {record.instrument}"
            return f"{hour(record.at)}   cancelled ({record.cause}): {what}"
        case Latch():
            ends = "" if record.until is None else f" until {hour(record.until)}"
            what = f"{record.verdict} {record.rule}{f' of {record.book}' if record.book else ''}"
            return f"{hour(record.at)}   {what} {'ends' if record.lifted else 'begins'}{ends}, {record.by}"
        case _:
            return ""


def hour(at: int) -> str:
    minutes = (at - START) % HOUR // MINUTE
    return f"{(at - START) // HOUR:>3}h" + (f"{minutes:02d}" if minutes else "")


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_what_a_program_does(program: Path) -> None:
    text = program.read_text(encoding="utf-8")
    done = replayed(text)
    happened = told(done)
    if "explain" in settings_of(text):
        seq, _, more = settings_of(text)["explain"].partition(" with ")
        happened += explained(done, int(seq), whole=more == "constraints")
    if os.environ.get("TB_RECORD"):
        text = text.split(EXPECTED)[0] + EXPECTED + happened
        program.write_text(text, encoding="utf-8")
    assert happened == text.split(EXPECTED)[1]
    for decision in done.decisions:
        assert done.explained(decision).reproduced


def test_there_are_programs() -> None:
    assert len(PROGRAMS) >= 6
