"""A YAML tree against a published JSON Schema, with findings in the words of the person who wrote the YAML.

The schema says what a value must be in its `title` ("a ratio with `%` or `bps`") and shows one in its `examples`; the findings
are made of these, so the schema that editors use and the messages of tb cannot differ.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping as Table
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from tb.core.diagnostics import Diagnostic, did_you_mean, error
from tb.core.encode import plain
from tb.core.span import whole_file
from tb.core.yaml_source import Items, Mapping, Node, Path, Scalar, key_span, node_at, to_plain

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

Schema = Table[str, Any]


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of the findings about one kind of file."""

    unknown_key: str
    missing_key: str
    wrong_value: str


@cache
def load_schema(package: str, name: str) -> Schema:
    """A schema that the package carries. It is part of the program, like a module, and is read once."""
    schema: Schema = json.loads(resources.files(package).joinpath(name).read_text(encoding="utf-8"))
    return schema


def check_schema(node: Node, schema: Schema, codes: Codes) -> list[Diagnostic]:
    """Everything in the tree that the schema does not allow: unknown and missing keys, and values of the wrong shape."""
    from jsonschema import Draft202012Validator

    findings: list[Diagnostic] = []
    seen: set[Path] = set()
    for problem in Draft202012Validator(schema).iter_errors(to_plain(node)):
        path: Path = tuple(problem.absolute_path)
        match problem.validator:
            case "additionalProperties":
                findings.extend(_unknown_keys(node, path, problem, codes))
            case "required":
                findings.extend(_missing_keys(node, path, problem, schema, codes))
            case _ if path not in seen:
                seen.add(path)
                findings.append(_wrong_value(node, path, problem, schema, codes))
            case _:
                pass
    # of two missing keys jsonschema makes two problems that each name both
    return list(dict.fromkeys(findings))


def described(schema: Schema, path: Path) -> dict[str, Any]:
    """What the schema says about the value at a path; a definition's own words yield to those of the place that uses it."""
    here = _resolved(schema, schema)
    for step in path:
        if isinstance(step, int):
            here = _resolved(schema, here.get("items", {}))
            continue
        options = [here.get("properties", {}).get(step)]
        options += [inner for pattern, inner in here.get("patternProperties", {}).items() if re.search(pattern, step)]
        options.append(here.get("additionalProperties"))
        here = _resolved(schema, next((option for option in options if isinstance(option, dict)), {}))
    return here


def _resolved(schema: Schema, part: Schema) -> dict[str, Any]:
    reference = part.get("$ref")
    if reference is None:
        return dict(part)
    return {**_resolved(schema, schema["$defs"][reference.rpartition("/")[2]]), **part}


def _unknown_keys(node: Node, path: Path, problem: ValidationError, codes: Codes) -> list[Diagnostic]:
    part: Any = problem.schema
    known, patterns = part.get("properties", {}), part.get("patternProperties", {})
    findings = []
    instance: Any = problem.instance
    for key in instance:
        if key in known or any(re.search(pattern, key) for pattern in patterns):
            continue
        place = key_span(node, (*path, key))
        inside = f" in `{dotted(path)}`" if path else ""
        hint = did_you_mean(key, known)
        if patterns and not hint:
            upper, lower = key.upper().replace("/", "-"), re.sub(r"\W", "_", key.lower())
            fits = [word for word in (upper, lower) if any(re.search(pattern, word) for pattern in patterns)]
            hint = f"write `{fits[0]}`" if fits else ""
        hint = hint or ("known are " + ", ".join(f"`{word}`" for word in known) if known else "")
        findings.append(error(codes.unknown_key, f"unknown key `{key}`{inside}", place, hint))
    return findings


def _missing_keys(node: Node, path: Path, problem: ValidationError, schema: Schema, codes: Codes) -> list[Diagnostic]:
    findings = []
    required: Any = problem.validator_value
    present: Any = problem.instance
    for key in required:
        if key in present:
            continue
        about = described(schema, (*path, key))
        example = (about.get("examples") or [None])[0]
        hint = (
            f"add `{key}: {example}`" if isinstance(example, str | int | float) else f"add `{key}:`, {about.get('title', '')}"
        )
        message = f"`{dotted((*path, key))}` is missing"
        findings.append(error(codes.missing_key, message, key_span(node, path), hint))
    return findings


def _wrong_value(node: Node, path: Path, problem: ValidationError, schema: Schema, codes: Codes) -> Diagnostic:
    about, value = described(schema, path), node_at(node, path)
    name = f"`{dotted(path)}`" if path else "the file"
    if problem.validator == "uniqueItems":
        return error(codes.wrong_value, f"{name} names something twice", value.span, "remove the repetition")
    if problem.validator in {"minProperties", "minItems"}:
        return error(codes.wrong_value, f"{name} is empty", key_span(node, path), _such_as(about))
    if isinstance(value, Scalar) and value.value is None:
        return error(codes.wrong_value, f"{name} has no value", key_span(node, path), _such_as(about))
    expected = about.get("title", "something else")
    if about.get("writeOnly"):  # it may be the secret itself: neither it nor its line is shown
        message = f"{name} must be {expected}, and line {value.span.line} says something else"
        return error(
            codes.wrong_value, message, whole_file(value.span.file), f"{_such_as(about)}; what stood there counts as known"
        )
    is_text = isinstance(value, Scalar) and isinstance(value.value, str) and about.get("type") in ("number", "integer")
    message = f"{name} must be {expected}, not {'the text ' if is_text else ''}{show(value)}"
    return error(codes.wrong_value, message, value.span, _edit(value, about))


_MOST_AS_FRACTION = Decimal("0.02")


def _edit(value: Node, about: Schema) -> str:
    """The value with the unit it lacks, where it is a bare number; else an example."""
    examples = about.get("examples") or [None]
    if (
        isinstance(value, Scalar)
        and isinstance(value.value, int | Decimal)
        and not isinstance(value.value, bool)
        and value.value >= 0
        and about.get("type") == "string"
        and isinstance(examples[0], str)
        and (found := re.match(r"[\d_.]+[kMB]?(.*)", examples[0]))
    ):
        if found[1] == "bps" and _MOST_AS_FRACTION <= value.value < 1:  # costs are small: percent was meant
            return f"write `{value.text}%`"
        if found[1] in {"%", "bps"} and 0 < value.value < 1:  # a fraction was meant
            return f"write `{plain(Decimal(value.value) * 100)}%`"
        return f"write `{value.text}{found[1]}`"
    if isinstance(value, Scalar) and about.get("type") in ("number", "integer") and re.fullmatch(r"\d+(\.\d+)?", value.text):
        return "remove the quotes" if isinstance(value.value, str) else _such_as(about)
    return _such_as(about)


def _such_as(about: Schema) -> str:
    example = (about.get("examples") or [None])[0]
    return f"such as `{example}`" if isinstance(example, str | int | float) else ""


def dotted(path: Path) -> str:
    """`venue.fee`, `restricted[2]`: a path as people name it, list positions from 1."""
    text = ""
    for step in path:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def show(value: Node) -> str:
    """A value as a message quotes it."""
    match value:
        case Scalar():
            return f"`{value.text}`" if len(value.text) <= 60 else f"`{value.text[:57]}...`"
        case Mapping():
            return "keys and values"
        case Items():
            return "a list"
