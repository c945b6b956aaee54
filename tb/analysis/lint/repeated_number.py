"""TB403: the same number, with the same unit, is the threshold of three or more comparisons of a file.

Whoever changes one of them has to find the others, or find out that they meant something else. 0 and 1 are no such numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass

from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Label, Severity
from tb.dsl import syntax

CODE = "TB403"
TIMES = 3


def check(subject: Subject) -> Iterable[Diagnostic]:
    for file in subject.files:
        found: dict[syntax.Number, list[syntax.Number]] = {}
        for number in _thresholds(tuple(node for node in file.declarations if not isinstance(node, syntax.Test))):
            if number.value not in {0, 1}:
                found.setdefault(number, []).append(number)
        for number, places in found.items():
            if len(places) >= TIMES:
                labels = tuple(Label(place.span, "here, too") for place in places[1:])
                name = f"param level = {number.text}"
                message = f"`{number.text}` is the threshold of {len(places)} comparisons in this file"
                hint = f"name it: `{name}`, and write the name in its place"
                if file.is_policy:
                    hint = (
                        f"name it in limits.yaml: `level: {number.text}` under `custom`, and write `limits.level` in its place"
                    )
                yield Diagnostic(CODE, Severity.HINT, message, places[0].span, hint, labels)


def _thresholds(item: object) -> Iterator[syntax.Number]:
    """Numbers that something else is compared with, in the order of the text."""
    if isinstance(item, syntax.Compare):
        sides = (item.left, item.right)
        numbers = [side for side in sides if isinstance(side, syntax.Number)]
        if len(numbers) == 1:
            yield from numbers
    if isinstance(item, tuple):
        for part in item:
            yield from _thresholds(part)
    elif is_dataclass(item) and not isinstance(item, type):
        for each in fields(item):
            if each.name != "span":
                yield from _thresholds(getattr(item, each.name))


RULE = Rule(CODE, "magic-number", "parameters", "text", Severity.HINT, check)
