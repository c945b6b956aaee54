"""Recorded advice: a file for each advisor, CSV or JSON lines, that answers instead of a model or a person.

A row is an answer: `time` (the instant of the decision), `instrument` and `strategy` (empty: any), `adjust`, `veto` (yes or
no), `note`, `latency` (seconds, or with a unit as in `900ms`), `cost` (in the account's currency). What cannot be read of an
answer makes it no answer; where it cannot be read what a row is about, the file is refused. The first row that fits a question
answers it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from pathlib import Path

from tb.core.diagnostics import Diagnostic, Refused, error
from tb.core.span import Span, whole_file
from tb.core.time import DAY, parse_instant
from tb.dsl.checked_capital import Advisor
from tb.engine.instant import EXACT
from tb.runtime.ports import Answer, Question

CODE = "TB079"
COLUMNS = ("time", "instrument", "strategy", "adjust", "veto", "note", "latency", "cost")
_WORDS = {"": False, "no": False, "false": False, "0": False, "yes": True, "true": True, "1": True}
_UNITS = {"ms": Decimal(1), "s": Decimal(1000), "m": Decimal(60_000)}
Key = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class RecordedAdvice:
    """Answers by advisor. `hashes` are of the files' bytes, by advisor."""

    answers: Mapping[str, Mapping[Key, tuple[Answer, Decimal | None]]]
    hashes: Mapping[str, str]

    def cost(self, question: Question) -> Decimal | None:
        """What was recorded; a question that nobody answered cost nothing."""
        found = self._find(question)
        return Decimal(0) if found is None else found[1]

    def ask(self, question: Question, within: int) -> Answer | None:
        found = self._find(question)
        return None if found is None else found[0]

    def _find(self, question: Question) -> tuple[Answer, Decimal | None] | None:
        own = self.answers.get(question.advisor, {})
        for instrument in (question.instrument, ""):
            for strategy in (question.strategy, ""):
                found = own.get((question.at, instrument, strategy))
                if found is not None:
                    return found
        return None


def load_advice(places: Mapping[str, Path]) -> RecordedAdvice:
    """The recorded answers of each advisor. Raises Refused, with every mistake of every file."""
    answers, hashes, findings = {}, {}, []
    for advisor, place in places.items():
        try:
            content = place.read_bytes()
            text = content.decode("utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            hint = f"record its answers there, or name their file in `tb.yaml`: `advice: {{{advisor}: PATH}}`"
            what = "is no UTF-8 text" if isinstance(problem, UnicodeDecodeError) else "cannot be read"
            findings.append(error(CODE, f"the answers of `{advisor}`: `{place.name}` {what}", whole_file(str(place)), hint))
            continue
        hashes[advisor] = hashlib.sha256(content).hexdigest()
        answers[advisor] = _rows(str(place), text, findings)
    if findings:
        raise Refused(findings)
    return RecordedAdvice(answers, hashes)


def _rows(path: str, text: str, findings: list[Diagnostic]) -> dict[Key, tuple[Answer, Decimal | None]]:
    found: dict[Key, tuple[Answer, Decimal | None]] = {}
    read = _json_lines if path.endswith(".jsonl") else _csv
    for line, row in read(path, text, findings):
        at, span = parse_instant(row.get("time", "")), Span(path, line, 1, line, 1)
        if at is None:
            hint = "write the instant of the decision, as in `2024-01-05T14:00`"
            findings.append(error(CODE, f"`{row.get('time', '')}` is no time", span, hint))
            continue
        key = (at, row.get("instrument", ""), row.get("strategy", ""))
        if key in found:
            findings.append(error(CODE, "a second answer to the same question", span, "keep one of the two rows"))
        cost = _number(row.get("cost", ""))[0]
        found[key] = (_answer(row), None if cost is None or cost < 0 else cost)  # below nothing: not known
    return found


def _csv(path: str, text: str, findings: list[Diagnostic]) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(text))
    names = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = names
    wrong = [name for name in names if name not in COLUMNS]
    if "time" not in names or wrong:
        what = f"`{wrong[0]}` is no column of answers" if wrong else "the column `time` is missing"
        findings.append(error(CODE, what, Span(path, 1, 1, 1, 1), f"the columns are {', '.join(COLUMNS)}"))
        return
    for row in reader:
        yield reader.line_num, {name: (row[name] or "").strip() for name in names}


def _json_lines(path: str, text: str, findings: list[Diagnostic]) -> Iterator[tuple[int, dict[str, str]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
        except ValueError:
            row = None
        if not isinstance(row, dict) or any(name not in COLUMNS for name in row):
            hint = f"write one object a line, with {', '.join(COLUMNS)}"
            findings.append(error(CODE, "this line is no answer", Span(path, number, 1, number, 1), hint))
            continue
        yield number, {name: _word(value) for name, value in row.items()}


def _word(value: object) -> str:
    return "" if value is None else ("yes" if value else "no") if isinstance(value, bool) else str(value).strip()


def _answer(row: Mapping[str, str]) -> Answer:
    adjust, problem = _number(row.get("adjust", ""))
    veto = _WORDS.get(row.get("veto", "").lower())
    if veto is None:
        problem = problem or f"veto `{row.get('veto')}` is neither yes nor no"
    return Answer(
        adjust=adjust,
        veto=bool(veto),
        note=_plain(row.get("note", "")),
        latency=_latency(row.get("latency", "")),
        problem=problem,
    )


def _plain(text: str) -> str:
    """A note as one line of text: it is shown on terminals."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _number(text: str) -> tuple[Decimal | None, str]:
    if not text:
        return None, ""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None, f"`{text}` is no number"
    return (number, "") if number.is_finite() else (None, f"`{text}` is no number")


def _latency(text: str) -> int | None:
    """In ms, rounded up; None where it is not told, or longer than a day: late in any case."""
    unit = next((unit for unit in ("ms", "s", "m") if text.endswith(unit)), "")
    number, problem = _number(text.removesuffix(unit).strip())
    if number is None or problem or number < 0:
        return None
    length = EXACT.multiply(number, _UNITS[unit or "s"])
    return int(length.to_integral_value(ROUND_CEILING)) if length <= DAY else None


def advice_places(advisors: Sequence[Advisor], files: Mapping[str, str], project: Path) -> dict[str, Path]:
    """Where the answers of each advisor are: as the settings say, else `advice/NAME.csv` or, if there is none, `.jsonl`."""
    places = {}
    for advisor in advisors:
        named = files.get(advisor.name)
        usual = project / "advice" / f"{advisor.name}.csv"
        other = usual.with_suffix(".jsonl")
        places[advisor.name] = (
            project / named if named is not None else other if other.exists() and not usual.exists() else usual
        )
    return places
