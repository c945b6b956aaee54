"""Writes what the documentation takes from the code: `python docs/generate.py`, or `--check` to only compare.

`errors.md` is written whole, from the table of codes, and so are the pages of lint rules in `lint/`, from the programs that
test them; the programs are copied into the package for `tb lint --explain`. `language.md` is written by hand except between
lines `<!-- generated: NAME -->` and `<!-- end -->`, which hold a table of the vocabulary or a copy of a file of the package.
Tests hold both pages equal to the code, so what is generated is never edited by hand. The parser's table is written where the
grammar has changed since it was made.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from importlib import resources
from itertools import groupby
from pathlib import Path
from typing import Any

from tb.analysis.pages import EXAMPLES, Example, index, page
from tb.core.codes import CODES, Code, range_of
from tb.core.settings import settings_schema
from tb.core.units import Unit
from tb.dsl import syntax
from tb.dsl.check import brought_by
from tb.dsl.grammar import TABLE, kept_table, table_text
from tb.dsl.names import names_in
from tb.dsl.parse import parse
from tb.gate.limits import limits_schema
from tb.replay.conventions import UNITS, conventions
from tb.replay.metrics import measure
from tb.replay.what_if import WhatIf
from tb.vocabulary import look_back, unit_rules
from tb.vocabulary.catalogue import FUNCTIONS
from tb.vocabulary.controls import CONTROLS
from tb.vocabulary.facts import FACTS, INTERNAL, FactSpec
from tb.vocabulary.fields import FIELDS
from tb.vocabulary.function import Function, Parameter
from tb.vocabulary.pointwise import POINTWISE
from tb.vocabulary.std import CONTROLS as CONTROLS_FILE
from tb.vocabulary.std import TRIGGERS as TRIGGERS_FILE
from tb.vocabulary.std import VENUE, Standard

HERE = Path(__file__).resolve().parent

HEAD = """# Messages

Every message of tb carries a code. This page says what each code means and shows the hint that comes with it. It is written
from the table in `tb/core/codes.py` by `python docs/generate.py`.
"""

# errors.md


def entry(row: Code) -> str:
    return f"### {row.code} {row.title}\n\n*{row.severity}*. {row.meaning}\n\nhint: {row.example_hint}\n"


def errors_page() -> str:
    rows = sorted(CODES.values(), key=lambda row: row.code)
    parts = [HEAD]
    for title, group in groupby(rows, key=lambda row: range_of(row.code)):
        parts.append(f"## {title}\n")
        parts += [entry(row) for row in group]
    return "\n".join(parts)


# metrics.md

METRICS = """# Metrics

What `tb report`, `tb compare` and their JSON say of a run, and how each is defined. Written from the code by
`python docs/generate.py`. Tests compare them with empyrical, quantstats and scipy wherever these define the same, and by a
stated formula where they define it otherwise (`tests/replay/test_peer_metrics.py`; `make peers` asks the libraries again).

## What all have in common
"""


def metrics_page() -> str:
    """Every metric by its group, as a run without a record has them."""
    found = measure(
        equity=(), trades=(), fills=(), decisions=(), initial_equity=Decimal(1), benchmark=(), what_if=WhatIf(absent="no run")
    )
    parts = [METRICS, *(f"- {sentence}" for sentence in conventions()), ""]
    for group in found.groups:
        rows = [(metric.label, f"`{metric.name}`", metric.unit, metric.definition) for metric in group.metrics]
        parts += [f"## {group.label}", "", table(("metric", "in JSON", "unit", "definition"), rows), ""]
    units = [(f"`{unit}`", told) for unit, told in UNITS.items()]
    parts += ["## Units", "", table(("unit", "is"), units), "", NOT_THERE]
    return "\n".join(parts)


NOT_THERE = """## What is elsewhere, or not there

- Use of each limit (95 % quantile and maximum over the recorded marks) and refusals by rule (with the share of refused or
  shrunk entries in which a rule decided, what it kept back, and what its refusals would have made) are tables of their own.
- The benchmark is chosen with `--benchmark SYMBOL`; without it, its group is not there.
- Parity of two runs is told by `tb parity`, not by the report of one.
- Decisions a second are a matter of the machine, and nothing of it enters a record: `tb replay --json` tells them of the run
  that it makes.
"""

# the pages of lint rules

PROGRAMS = HERE.parent / "tests" / "language" / "lint"


def lint_examples() -> dict[str, Example]:
    """For each lint rule the shortest of the programs that it finds something in, and of those that it does not."""
    found: dict[str, Example] = {}
    for code in sorted({path.name.split("_")[0] for path in (PROGRAMS / "bad").glob("*.tb")}):
        bad = _shortest("bad", code)
        said = bad.with_suffix(".out").read_text(encoding="utf-8").splitlines()
        of_code = "".join(f"{line}\n" for line in said if f"[{code}]" in line)
        found[code] = Example(avoid=_text(bad), says=of_code, prefer=_text(_shortest("good", code)))
    return found


def _shortest(kind: str, code: str) -> Path:
    return min((PROGRAMS / kind).glob(f"{code}_*.tb"), key=lambda path: (len(_text(path)), path.name))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def examples_text() -> str:
    """The programs as the package carries them."""
    return json.dumps(lint_examples(), indent=1, ensure_ascii=False) + "\n"


def lint_pages() -> dict[str, str]:
    programs = lint_examples()
    return {"lint/README.md": index(programs), **{f"lint/{code}.md": page(code, programs) for code in programs}}


# the generated parts of language.md

_UNIT_WORDS: dict[object, str] = {
    unit_rules.same: "as x",
    unit_rules.number: "number",
    unit_rules.ratio: "ratio",
    unit_rules.price: "price",
    unit_rules.quantity: "quantity",
    unit_rules.us_dollars: "money in USD",
    unit_rules.truth: "truth value",
}
_FIRST_VALUE: dict[object, str] = {
    look_back.one: "1",
    look_back.two: "2",
    look_back.bars: "n",
    look_back.bars_and_previous: "n + 1",
    look_back.hull: "n + √n - 1",
    look_back.bars_and_lag: "n + lag",
    look_back.twice: "2n - 1",
    look_back.chaikin: "n + back",
    look_back.mass_index: "n + 2 smooth - 2",
    look_back.adxr: "3n - 1",
    look_back.ichimoku: "longest window + medium - 1",
    **{look_back.exactly(count): str(count) for count in (2, 3, 11, 12, 13, 14)},
    look_back.longest: "longest window",
    look_back.longest_and_previous: "longest window + 1",
    look_back.stochastic: "n + k + d - 2",
    look_back.stochastic_rsi: "n + length + k + d - 2",
    look_back.second_average: "2n - 1",
    look_back.third_average: "3n - 2",
    look_back.third_average_and_previous: "3n - 1",
    look_back.sixth_average: "6n - 5",
    look_back.led: "n + (n - 1) / 2",
    look_back.detrended: "n, at least n / 2 + 2",
    look_back.coppock: "n + longer change",
    look_back.know_sure: "44 + signal",
    look_back.strength_index: "slow + fast",
    look_back.macd: "slow + signal - 1",
    look_back.adx: "2n",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def functions() -> str:
    parts = []
    for family, group in groupby(FUNCTIONS.values(), key=lambda function: function.family):
        parts.append(f"**{family}**\n")
        rows = [_function_row(function) for function in group]
        parts.append(table(("function", "unit", "range", "first value at bar", "memory", "meaning", "example"), rows) + "\n")
    return "\n".join(parts).rstrip("\n")


def _function_row(function: Function) -> tuple[str, ...]:
    meaning = f"{function.doc} *({function.source})*"
    unit = _UNIT_WORDS[function.unit]
    memory = "window" if not function.is_recursive else "fades" if function.unstable else "all bars"
    return (
        _signature(function),
        unit,
        _ranges(function),
        _FIRST_VALUE[function.window],
        memory,
        meaning,
        f"`{function.example}`",
    )


def _ranges(function: Function) -> str:
    """The bounds of the outputs, once where they are the same for all."""
    if function.ranges is None:
        return _range(function.output_range)
    return ", ".join(f"{name} {_range(one)}" for name, one in zip(function.outputs, function.ranges, strict=True))


def _range(bounds: tuple[float | None, float | None]) -> str:
    low, high = bounds
    if low is None:
        return "" if high is None else f"up to {high:g}"
    return f"from {low:g}" if high is None else f"{low:g} to {high:g}"


def _signature(function: Function) -> str:
    written = ", ".join(map(_argument, function.parameters))
    outputs = "" if function.outputs == ("value",) else f" with {', '.join(f'`.{name}`' for name in function.outputs)}"
    return f"`{function.name}({written})`{outputs}"


def _argument(parameter: Parameter) -> str:
    if parameter.default is None:
        return parameter.name
    default = parameter.default
    return f"{parameter.name}: {default:g}" if isinstance(default, float) else f"{parameter.name}: {default}"


def pointwise() -> str:
    rows = []
    for function in POINTWISE.values():
        arguments = "x, y, ..." if function.is_variadic else "x"
        unit = _UNIT_WORDS[function.unit]
        rows.append((f"`{function.name}({arguments})`", unit, function.doc, f"`{function.example}`"))
    return table(("function", "unit", "meaning", "example"), rows)


def fields() -> str:
    rows = [(f"`{field.name}`", str(field.unit), field.origin.value, field.doc) for field in FIELDS.values()]
    return table(("field", "unit", "from", "meaning"), rows)


def facts() -> str:
    rows = [_fact_row(spec) for spec in FACTS.values() if spec.name not in INTERNAL and not spec.name.endswith(" of book")]
    return table(("fact", "unit", "meaning"), rows)


def _fact_row(spec: FactSpec) -> tuple[str, ...]:
    arguments = {"SCOPE": "SCOPE", "WINDOW": "WINDOW"}
    written = f"{spec.name}({', '.join(arguments[a.name] for a in spec.arguments)})" if spec.arguments else spec.name
    doc = f"{spec.doc}; may be not set" if spec.optional else spec.doc
    return f"`{written}`", _unit(spec.unit), doc


def _unit(unit: Unit | None) -> str:
    return "money" if unit is None else str(unit)


def settings() -> str:
    schema = settings_schema()
    # `default` has the keys that every instrument has
    rows = [row for row in _keys(schema, schema, "") if not row[0].startswith("`instruments.default.")]
    return table(("key", "value", "meaning"), rows)


def limits() -> str:
    schema = limits_schema()
    rows = [row for row in _keys(schema, schema, "") if not row[0].startswith("`custom.")]
    return table(("key", "value", "meaning"), rows)


def _keys(schema: Mapping[str, Any], whole: Mapping[str, Any], path: str) -> list[tuple[str, str, str]]:
    """A row for each key of a JSON Schema, those of nested objects with their path."""
    rows: list[tuple[str, str, str]] = []
    required = schema.get("required", ())
    inner = [*schema.get("properties", {}).items(), *(("*", rule) for rule in schema.get("patternProperties", {}).values())]
    for name, written in inner:
        rule = _resolved(written, whole)
        where = f"{path}{name}"
        if rule.get("type") == "object" and "properties" in rule:
            rows += _keys(rule, whole, f"{where}.")
        elif name != "*" or "title" in rule:
            rows.append((f"`{where}`", _value(rule), _meaning(rule, must=name in required)))
    return rows


def _resolved(rule: dict[str, Any], whole: Mapping[str, Any]) -> dict[str, Any]:
    reference = rule.get("$ref")
    if reference is None:
        return rule
    return {**_resolved(whole["$defs"][reference.rsplit("/", 1)[-1]], whole), **rule}


def _value(rule: dict[str, Any]) -> str:
    title: str = rule.get("title", rule.get("type", ""))
    examples = rule.get("examples", ())
    plain = [example for example in examples if isinstance(example, str | int | float)]
    return f"{title}: `{plain[0]}`" if plain else title


def _meaning(rule: dict[str, Any], *, must: bool) -> str:
    said = [rule.get("description", "")]
    said += ["Must be given."] if must else []
    said += [f"Default: `{rule['default']}`."] if rule.get("default") else []
    return " ".join(part for part in said if part)


def standard() -> str:
    return f"```text\n{VENUE.text.rstrip()}\n```"


def controls() -> str:
    """A row for each control: what it says, what it reads, its limits and its tests."""
    says = _said(CONTROLS_FILE)
    rows = []
    for control in sorted(CONTROLS.values(), key=lambda control: control.number):
        nodes = [says[name][0] for name in control.constraints]
        used = list(dict.fromkeys(name for node in nodes for name in names_in(node)))
        reads = [f"`{name}`" for name in used if name in {**FACTS, **FIELDS} and name not in INTERNAL]
        numbers = [f"`{name.removeprefix('limits.')}`" for name in used if name.startswith("limits.")]
        needs = [f"`{example}`" for example in control.needs.values()]
        tests = f"[tests](../tests/language/controls/{control.name}.tb)"
        words = "<br>".join(f"`{says[name][1]}`" for name in control.constraints)
        rows.append(
            (
                str(control.number),
                control.code,
                f"`{control.name}`",
                words,
                ", ".join(reads),
                ", ".join([*numbers, *needs]),
                tests,
            )
        )
    return table(("#", "code", "name", "says", "reads", "needs", ""), rows)


def triggers() -> str:
    rows = []
    for node, text in _said(TRIGGERS_FILE).values():
        if isinstance(node, syntax.Trigger):
            when = next(line for line in text.split("; ") if line.startswith("when ")).removeprefix("when ")
            brought = ", ".join(f"`{name}`" for name in brought_by("std.triggers", node.name))
            rows.append((f"`{node.name}`", node.doc or "", f"`{when}`", brought))
    return table(("trigger", "meaning", "when", "brings"), rows)


def parameters() -> str:
    rows = []
    for node, text in _said(TRIGGERS_FILE).values():
        if isinstance(node, syntax.Param):
            rows.append((f"`{node.name}`", f"`{text.split('=', 1)[1].split(chr(34))[0].strip()}`", node.doc or ""))
    return table(("parameter", "value", "meaning"), rows)


def _said(standard: Standard) -> dict[str, tuple[syntax.Declaration, str]]:
    """Each declaration of a file of the library by name, with its text on one line."""
    file, _ = parse(standard.path, standard.text, is_policy=standard is CONTROLS_FILE)
    lines = standard.text.split("\n")
    found = {}
    for node in file.declarations:
        own = lines[node.span.line - 1 : node.span.end_line]
        is_block = isinstance(node, syntax.Trigger)
        text = "; ".join(line.strip() for line in own) if is_block else " ".join(" ".join(own).split())
        found[str(getattr(node, "name", ""))] = (node, text.split(" because ")[0] if not is_block else text)
    return found


def grammar() -> str:
    text = resources.files("tb.dsl").joinpath("grammar.lark").read_text(encoding="utf-8")
    return f"```text\n{text.rstrip()}\n```"


PARTS: dict[str, Callable[[], str]] = {
    "functions": functions,
    "pointwise": pointwise,
    "fields": fields,
    "facts": facts,
    "settings": settings,
    "limits": limits,
    "standard": standard,
    "controls": controls,
    "triggers": triggers,
    "parameters": parameters,
    "grammar": grammar,
}

_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def language_page(page: str) -> str:
    """The page with its generated parts as the code has them now; what is written by hand stays."""
    return _PART.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]()}\n\n{found[3]}", page)


def pages() -> dict[str, str]:
    """Every page that has generated parts, by name, as it has to be."""
    language = (HERE / "language.md").read_text(encoding="utf-8")
    library = (HERE / "controls.md").read_text(encoding="utf-8")
    parts = {"language.md": language_page(language), "controls.md": language_page(library)}
    return {"errors.md": errors_page(), "metrics.md": metrics_page(), **parts, **lint_pages()}


def main(arguments: list[str]) -> int:
    is_current = True
    written = {HERE / name: text for name, text in pages().items()}
    written[HERE.parent / "tb" / "analysis" / "lint" / EXAMPLES] = examples_text()
    (HERE / "lint").mkdir(exist_ok=True)
    if kept_table() is None:
        written[HERE.parent / "tb" / "dsl" / TABLE] = table_text()
    for path, text in written.items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if "--check" in arguments:
            is_current = False
            print(f"{path.relative_to(HERE.parent)} is out of date: run python docs/generate.py")
        else:
            path.write_text(text, encoding="utf-8")
    return 0 if is_current else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
