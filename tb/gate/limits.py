"""The numbers of a policy: the text of `policy/limits.yaml` in, limits with their units and findings out.

The shape is checked against `limits.schema.json`, which names the usual limits and the unit of each, so that a misspelt
limit, or a bare `5` where `5%` was meant, is found here. A limit that a rule asks for and the file lacks is found where the
rule asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from tb.core.amount import parse_amount
from tb.core.diagnostics import Diagnostic, error, in_order
from tb.core.schema import Codes, Schema, check_schema, load_schema
from tb.core.span import Span
from tb.core.units import Kind, Unit
from tb.core.yaml_source import Entry, Mapping, Node, Scalar, parse_yaml

SYNTAX = "TB620"
DUPLICATE = "TB621"
# the schema requires no limit, so none can be missing here
CODES = Codes(unknown_key="TB622", missing_key="TB622", wrong_value="TB624")
OUT_OF_RANGE = "TB625"
TAKEN = "TB626"

_MOST_RATIO = Decimal(10)  # 1000%


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit in base units: a ratio as a fraction, money in its currency, a duration in ms. `text` is what was written."""

    name: str
    value: Decimal
    unit: Unit
    text: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits of a project, standard and custom, by name in the order of the file."""

    file: str
    by_name: dict[str, Limit]

    def get(self, name: str) -> Limit | None:
        return self.by_name.get(name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.by_name)

    def __iter__(self) -> Iterator[Limit]:
        return iter(self.by_name.values())

    def __len__(self) -> int:
        return len(self.by_name)


def limits_schema() -> Schema:
    """The published JSON Schema of `policy/limits.yaml`."""
    return load_schema("tb.gate", "limits.schema.json")


def standard_names() -> tuple[str, ...]:
    """The names that the schema knows, in its order."""
    return tuple(name for name in limits_schema()["properties"] if name != "custom")


def parse_limits(path: str, text: str) -> tuple[Limits, list[Diagnostic]]:
    """The limits that a text holds, without those that have an error, and its findings in order of place.

    An empty file has no limits and no findings. Where a finding is an error the project is refused; the sound limits are there
    so that the rest of it can still be checked.
    """
    root, findings = parse_yaml(path, text, syntax=SYNTAX, duplicate=DUPLICATE)
    if root is None:
        return Limits(path, {}), findings
    findings += _point_to_custom(check_schema(root, limits_schema(), CODES))
    unsound = {finding.span for finding in findings}
    by_name: dict[str, Limit] = {}
    for entry, is_custom in _entries(root):
        if entry.key_span in unsound or entry.value.span in unsound:
            continue
        if is_custom and entry.key in standard_names():
            message = f"`{entry.key}` is a standard limit and cannot be a custom one"
            findings.append(error(TAKEN, message, entry.key_span, "write it outside `custom`"))
        elif isinstance(entry.value, Scalar):
            _add(entry.key, entry.value, by_name, findings)
    return Limits(path, by_name), in_order(findings)


def _add(name: str, value: Scalar, by_name: dict[str, Limit], findings: list[Diagnostic]) -> None:
    amount = parse_amount(value.text)
    if amount is None:
        message = f"`{name}` is `{value.text}`, which is too long or not a whole number of milliseconds"
        findings.append(error(OUT_OF_RANGE, message, value.span, "write it with fewer digits"))
    elif amount.unit.kind is Kind.RATIO and amount.value > _MOST_RATIO:
        message = f"`{name}` is `{value.text}`, more than 1000%"
        findings.append(error(OUT_OF_RANGE, message, value.span, "check the unit: 1% is 100bps"))
    else:
        by_name[name] = Limit(name, amount.value, amount.unit, value.text, value.span)


def _entries(root: Node) -> list[tuple[Entry, bool]]:
    entries: list[tuple[Entry, bool]] = []
    for entry in root.entries if isinstance(root, Mapping) else ():
        if entry.key == "custom" and isinstance(entry.value, Mapping):
            entries += [(own, True) for own in entry.value.entries]
        else:
            entries.append((entry, False))
    return entries


def _point_to_custom(findings: list[Diagnostic]) -> list[Diagnostic]:
    """A name that resembles no standard limit is likely meant as one of the user's own: say where these stand."""
    pointed = []
    for finding in findings:
        if finding.code == CODES.unknown_key and "` in `" not in finding.message:
            name = finding.message.split("`")[1]
            hint = finding.hint if finding.hint.startswith("did you mean") else "put a limit of your own under `custom:`"
            finding = error(finding.code, f"unknown limit `{name}`", finding.span, hint)
        pointed.append(finding)
    return pointed
