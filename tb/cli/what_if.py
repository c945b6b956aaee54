"""`tb explain ID --what-if NAME=VALUE`: the decision with some inputs changed, beside the one that was recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from tb.core.diagnostics import Refused, did_you_mean

if TYPE_CHECKING:
    from tb.core.amount import Amount
    from tb.core.records import Decision
    from tb.dsl.checked import Param
    from tb.engine.instant import Exact
    from tb.gate.explain.what_if import Change, ChangedClause, WhatIf
    from tb.gate.gate import Gate
    from tb.runtime.policy import Compiled

OPTION = "--what-if"


@dataclass(frozen=True, slots=True)
class Assignment:
    """`spread=90bps`, taken apart at its last `=`: no value has one, and a name may, as `(close >= low) for 3 bars`."""

    name: str
    value: str


def assignments(texts: Sequence[str]) -> tuple[Assignment, ...]:
    """What is to be changed, each name once."""
    found: dict[str, Assignment] = {}
    for text in texts:
        name, equals, value = text.rpartition("=")
        name, value = " ".join(name.split()), value.strip()
        if equals and not name:
            raise click.UsageError(f"{OPTION}: `{text}` names nothing to change; write `spread=90bps`")
        if not equals or not value:
            raise click.UsageError(f"{OPTION}: `{text}` says no value; write `{text.strip(' =') or 'spread'}=90bps`")
        if name in found:
            raise click.UsageError(f"{OPTION}: `{name}` is given twice")
        found[name] = Assignment(name, value)
    return tuple(found.values())


def answer(
    compiled: Compiled, gate: Gate, decision: Decision, wanted: Sequence[Assignment], *, policy_hash: str, run: str
) -> WhatIf:
    """The recorded decision and the one under the changes. Raises click.UsageError, with what can be changed."""
    import msgspec

    from tb.gate.explain import explain
    from tb.gate.explain.build import explain_evaluated
    from tb.gate.explain.inputs import Unsettable, change_of, settable
    from tb.gate.explain.what_if import Inputs, compare, judge_again

    plan, settings = compiled.plan, compiled.settings
    recorded = explain(plan, gate, settings, decision, policy_hash=policy_hash, run=run)
    numbers = [one for one in wanted if _is_number(compiled, one.name)]
    changes = [_number_change(compiled, one) for one in numbers]
    then_compiled, then_gate, then_record = compiled, gate, decision
    if numbers:
        then_compiled, then_gate, then_record = _under(compiled, gate, decision, numbers)
    able = settable(then_compiled.plan, then_gate, then_compiled.settings, then_record)
    market: dict[int, float | None] = {}
    facts: dict[int, Exact] = {}
    for one in wanted:
        if one in numbers:
            continue
        try:
            changed = change_of(able, one.name, one.value, settings.account.currency)
        except Unsettable as problem:
            raise click.UsageError(f"{OPTION}: {problem}") from None
        changes.append(changed.said)
        market.update(changed.market)
        facts.update(changed.facts)
    then, evaluated = judge_again(then_compiled.plan, then_gate, then_compiled.settings, then_record, Inputs(market, facts))
    explained = explain_evaluated(
        then_compiled.plan, then_gate, then_compiled.settings, then, evaluated, policy_hash="", run=run
    )
    doubts = tuple(line for line in evaluated.differences if line.startswith("the interpreter says"))
    explained = msgspec.structs.replace(explained, reproduced=not doubts, differences=doubts)
    leaves = (*then_gate.policy.leaves, *(() if evaluated.entry is None else evaluated.entry.leaves))
    notes = (*_notes(compiled, decision, numbers), *_as_recorded(then_compiled, leaves, market))
    return compare(changes, recorded, explained, notes)


def _is_number(compiled: Compiled, name: str) -> bool:
    """Whether a name is a parameter or a limit: what the policy says, rather than what it read."""
    return name.startswith("limits.") or name in compiled.plan.program.params


def _number_change(compiled: Compiled, one: Assignment) -> Change:
    from tb.gate.explain.what_if import Change

    program = compiled.plan.program
    if one.name in program.params:
        return Change(name=one.name, was=program.params[one.name].text, now=one.value)
    limit = compiled.project.limits.get(one.name.removeprefix("limits."))
    if limit is None:
        near = did_you_mean(one.name, [f"limits.{name}" for name in compiled.project.limits.names])
        have = ", ".join(f"`limits.{name}`" for name in compiled.project.limits.names)
        raise click.UsageError(
            f"{OPTION}: there is no `{one.name}`; {near or f'there are {have}' if have else 'no limits are set'}"
        )
    return Change(name=one.name, was=limit.text, now=one.value)


def _under(
    compiled: Compiled, gate: Gate, decision: Decision, numbers: Sequence[Assignment]
) -> tuple[Compiled, Gate, Decision]:
    """The policy with other parameters and limits, and the record as that policy reads it."""
    from tb.engine.explain.words import describe
    from tb.gate.explain.what_if import carried
    from tb.runtime.policy import gates_of

    other = _compiled_with(compiled, numbers)
    new = gates_of(other.plan)[other.plan.strategy(decision.strategy).period]
    brought = carried(compiled.plan, gate, decision, other.plan, new)
    if isinstance(brought, tuple):
        named = ", ".join(f"`{describe(other.plan.graph, leaf)}`" for leaf in brought)
        what = ", ".join(f"`{one.name}`" for one in numbers)
        raise click.UsageError(
            f"{OPTION}: {what} decides what is computed from the bars, and the record does not hold {named}; replay with it "
            f"instead: `parameters:` in `tb.yaml`"
        )
    return other, new, brought


def _compiled_with(compiled: Compiled, numbers: Sequence[Assignment]) -> Compiled:
    """The same texts with other numbers; the compiler checks their units and ranges."""
    from tb.core.amount import parse_amount
    from tb.core.settings import Override
    from tb.core.span import whole_file
    from tb.gate.limits import Limits
    from tb.runtime.policy import compile_project

    project, here = compiled.project, whole_file(OPTION)
    parameters, limits = dict(project.settings.parameters), dict(project.limits.by_name)
    for one in numbers:
        name = one.name.removeprefix("limits.")
        amount, param = parse_amount(one.value), compiled.plan.program.params.get(one.name)
        if param is not None:
            _check_parameter(param, one, amount)
            parameters[one.name] = Override(one.value, here)
            continue
        old = limits[name]
        if amount is None or amount.unit != old.unit:
            raise click.UsageError(f"{OPTION}: `{one.name}` is a {old.unit}, as `{old.text}`, not `{one.value}`")
        limits[name] = replace(old, value=amount.value, text=one.value)
    settings = replace(project.settings, parameters=parameters)
    changed = replace(project, settings=settings, limits=Limits(project.limits.file, limits), warnings=())
    try:
        return compile_project(changed)
    except Refused as refused:
        finding = refused.findings[0]
        hint = f"; {finding.hint}" if finding.hint else ""
        raise click.UsageError(f"{OPTION}: {finding.message}{hint}") from None


def _check_parameter(param: Param, one: Assignment, amount: Amount | None) -> None:
    """What the compiler would say of a value in `tb.yaml`, said of one that was written here."""
    from tb.core.amount import parse_amount
    from tb.core.units import Kind
    from tb.engine.explain.words import show_value

    usual = parse_amount(param.text)
    is_length = amount is not None and amount.unit.kind in {Kind.BARS, Kind.DURATION}  # one of these may stand for the other
    if usual is not None and (amount is None or (amount.unit != usual.unit and not is_length)):
        raise click.UsageError(f"{OPTION}: `{one.name}` is a {param.unit}, as `{param.text}`, not `{one.value}`")
    if (
        amount is None
        or param.low is None
        or param.high is None
        or amount.unit != param.unit
        or param.low <= amount.value <= param.high
    ):
        return
    allowed = f"{show_value(param.low, param.unit)}..{show_value(param.high, param.unit)}"
    raise click.UsageError(f"{OPTION}: `{one.name}` is outside its range {allowed}; choose a value inside, or widen the range")


def _notes(compiled: Compiled, decision: Decision, numbers: Sequence[Assignment]) -> Iterator[str]:
    if decision.together is not None:
        yield "the legs keep the sizes and prices that were recorded, and this one is judged alone"
    if numbers and decision.kind == "enter":
        yield "what came before, and so what is held, stays as it was; a replay tells what other numbers make of it"


def _as_recorded(compiled: Compiled, leaves: Iterable[int], changed: Mapping[int, float | None]) -> Iterator[str]:
    """What else was computed from an input that is changed: the record has its value, not the bars that it follows from."""
    from tb.engine.explain.words import describe

    graph = compiled.plan.graph

    def follows(leaf: int, node: int) -> bool:
        """Whether it reads that value: not the one of bars before, nor that of another instrument."""
        return leaf == node or (graph[leaf].op not in {"shift", "of"} and any(follows(arg, node) for arg in graph[leaf].args))

    for node in changed:
        others = [leaf for leaf in dict.fromkeys(leaves) if leaf not in changed and follows(leaf, node)]
        if others:
            named = ", ".join(f"`{describe(graph, leaf)}`" for leaf in others)
            yield f"what also follows from `{describe(graph, node)}` stays as it was recorded: {named}"


def text(found: WhatIf) -> str:
    """The answer for a terminal."""
    was, now = found.recorded, found.then
    lines = [f"{was.id}  {was.headline}", f"  {was.at}  strategy {was.strategy}  ({was.place})", ""]
    wide = max(len(change.name) for change in found.changes)
    lines += [f"  what if {change.name:<{wide}} = {change.now}  (was {change.was})" for change in found.changes]
    lines += ["", f"  recorded   {_verdict(was.verdict, was.decided_by)}: {was.headline}"]
    if found.holds == "true":
        lines.append(f"  then       {_verdict(now.verdict, now.decided_by)}: {now.headline}")
    else:
        what = "would be false" if found.holds == "false" else "could not be known"
        of = "entry" if was.kind == "enter" else "exit"
        lines.append(f"  then       nothing would be proposed: the {of} condition {what}")
        lines.append(f"             (the order itself: {_verdict(now.verdict, now.decided_by)})")
    for name, before, after in (
        ("reason", was.reason, now.reason),
        ("stop", was.stop, now.stop),
        ("target", was.target, now.target),
    ):
        if before != after:
            lines.append(f"  {name:<10} {after or 'none'}  (was {before or 'none'})")
    if now.size.largest and now.size.largest != was.size.largest:
        lines.append(
            f"  would pass at quantity <= {now.size.largest}" if now.size.largest != "none" else "  no size would pass"
        )
    if now.size.next_binding and now.size.next_binding != was.size.next_binding:
        lines.append(f"  next binding: {now.size.next_binding}")
    lines += ["", *_changes(found)]
    lines += [f"note: {note}" for note in found.notes]
    return "\n".join(lines) + "\n"


def _verdict(verdict: str, names: Sequence[str]) -> str:
    return f"{verdict} by {', '.join(names)}" if names else verdict


def _changes(found: WhatIf) -> Iterator[str]:
    if not found.condition and not found.rules:
        yield "no clause came out otherwise"
    if found.condition:
        yield "the condition"
        yield from map(_clause, found.condition)
    for rule in found.rules:
        yield f"{rule.kind} {rule.name}  {rule.was} -> {rule.now}  ({rule.place})"
        yield from map(_clause, rule.clauses)


def _clause(changed: ChangedClause) -> str:
    shown = f"    [{changed.value} against {changed.threshold}]" if changed.value else ""
    return f"  {changed.was} -> {changed.now}  {changed.clause}{shown}  ({changed.place})"
