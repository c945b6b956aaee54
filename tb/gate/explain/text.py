"""An explanation for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from tb.engine.explain.clauses import Clause
from tb.engine.explain.flips import Flip
from tb.gate.explain.model import Explanation, RuleResult

_MARGINS = 6  # shown, the nearest ones
_MARKS = {"true": "+", "false": "-", "unknown": "?"}
LEFT = "what is proposed passes it; what the limits that shrink leave of it does not"
_STATUS = {"passed": "+", "failed": "-", "unknown": "?", "not asked": ".", "failed (shadow)": "~", "unknown (shadow)": "~"}


def text(explanation: Explanation, *, depth: int = 6, only_failing: bool = False) -> str:
    """The explanation in lines. `depth` bounds the clause trees; `only_failing` leaves out what passed."""
    return "\n".join([*_head(explanation), *_rules(explanation, depth, only_failing), *_rest(explanation, only_failing)]) + "\n"


def _head(e: Explanation) -> Iterator[str]:
    yield f"{e.id}  {e.headline}"
    policy = f"policy {e.policy_hash[:12]}" if e.policy_hash else ""
    yield f"  {'  '.join(part for part in (e.at, f'strategy {e.strategy}  ({e.place})', policy) if part)}"
    for line in e.outcome:
        yield f"  {line}"
    if e.not_known:
        yield f"  {e.not_known}"
    if e.reason:
        yield f"  because    {e.reason}"
    if e.conviction:
        yield f"  conviction {e.conviction}"
    yield from _legs(e)
    if e.kind == "enter":
        if e.order:
            yield f"  order      {e.order}"
        yield f"  proposed   stop {e.stop}, target {e.target}"
        yield from (f"  managed    {line}" for line in e.management)
        if e.size.words:
            yield f"  size       {e.size.words}: {e.size.proposed} proposed, {e.size.approved} approved"
    yield from (f"  {line}" for line in e.combined)
    if e.decided_by:
        yield f"  decided by {', '.join(e.decided_by)}"
    if e.missing:
        yield f"  missing    {', '.join(e.missing)}"
    if e.size.largest:
        yield f"  would pass at quantity <= {e.size.largest}" if e.size.largest != "none" else "  no size would pass"
    if e.size.next_binding:
        yield f"  next binding: {e.size.next_binding}"
    if e.if_lifted:
        yield f"  without the deciding rules: {e.if_lifted}"


def _legs(e: Explanation) -> Iterator[str]:
    """The legs side by side, this one marked."""
    if not e.legs:
        return
    wide = max(len(leg.instrument) for leg in e.legs)
    yield f"  legs       {'entered' if e.kind == 'enter' else 'left'} together, or not at all"
    for leg in e.legs:
        by = f" by {', '.join(leg.decided_by)}" if leg.decided_by else ""
        sizes = f"{leg.asked} asked, {leg.approved} approved"
        mark = ">" if leg.is_this else " "
        yield f"    {mark} {leg.side:<4} {leg.instrument:<{wide}}  {sizes} at {leg.price}: {leg.verdict}{by}"


def _rules(e: Explanation, depth: int, only_failing: bool) -> Iterator[str]:
    if e.signals:
        yield ""
        yield "signals"
        for said in e.signals:
            words = f": {said.because}" if said.because else ""
            yield f"  {said.name}  {said.says}{words}  ({said.place})"
    if e.tables:
        yield ""
        yield "tables"
        yield from (f"  {said.name}  {said.says}: {said.because}  ({said.place})" for said in e.tables)
    if e.membership is not None:
        yield ""
        yield f"the universe ({e.membership.place})"
        yield from _tree(e.membership, depth, "  ")
        if not only_failing:
            yield from _flips(e.membership_flips, "  ")
    if e.condition is not None:
        yield ""
        yield f"the {'entry' if e.kind == 'enter' else 'exit'} condition ({e.condition.place})"
        yield from _tree(e.condition, depth, "  ")
        if not only_failing:
            yield from _flips(e.condition_flips, "  ")
    yield ""
    passed = sum(rule.status == "passed" for rule in e.rules)
    failed = sum(rule.status == "failed" for rule in e.rules)
    unknown = sum(rule.status == "unknown" for rule in e.rules)
    idle = sum(rule.status == "not asked" for rule in e.rules)
    shadow = sum(rule.status.endswith("(shadow)") for rule in e.rules)
    noted = f", {shadow} not passed in shadow" if shadow else ""
    yield f"constraints: {passed} passed, {failed} failed, {unknown} unknown, {idle} not asked{noted}"
    for rule in sorted(e.rules, key=e.rank):
        if rule.decides or rule.status.startswith(("failed", "unknown")):
            yield from _rule(rule, depth)
    if not only_failing:
        yield from (_one_line(rule) for rule in e.rules if rule.status in {"passed", "not asked"})
    yield from (line for rule in e.rules for line in _exceptions(rule, only_failing))


def _rule(rule: RuleResult, depth: int) -> Iterator[str]:
    noted = f"  {rule.status}" if rule.status.endswith("(shadow)") else ""
    yield f"  {_STATUS[rule.status]} {rule.kind} {rule.name}  otherwise {rule.otherwise}{noted}  ({rule.place})"
    if rule.because:
        yield f"      because {rule.because}"
    if rule.decides_what_is_left:
        yield f"      {LEFT}"
    if rule.missing:
        yield f"      missing: {', '.join(rule.missing)}"
    yield from _tree(rule.condition, depth, "      ")
    yield from _flips(rule.flips, "      ")


def rule_text(explanation: Explanation, name: str, *, depth: int = 6) -> str:
    """Why one constraint fired, or did not: its clauses, and every input that would change its answer.

    A KeyError where there is no such constraint.
    """
    rule = next((rule for rule in explanation.rules if rule.name == name), None)
    if rule is None:
        raise KeyError(name)
    decided = "decided it" if rule.decides else "did not decide it"
    lines = [f"{explanation.id}  {explanation.headline}", f"{rule.name} {rule.status}, and {decided}", *_rule(rule, depth)]
    lines += [f"      flips if {flip_words(flip)}" for flip in rule.flips[4:]]
    lines += _exceptions(rule, only_failing=False)
    return "\n".join(lines) + "\n"


def _exceptions(rule: RuleResult, only_failing: bool) -> Iterator[str]:
    for said in rule.exceptions:
        if said.status == "let it pass" or not only_failing:
            yield f"  ! exception {said.name} {said.words}: {said.status}  ({said.place})"


def _one_line(rule: RuleResult) -> str:
    clause = rule.condition
    while len(clause.parts) == 1 and not clause.value:
        clause = clause.parts[0]
    shown = f"  {clause.value} against {clause.threshold}" if clause.value else f"  {rule.condition.text}"
    used = "" if rule.used is None else f"  {rule.used:.0%} used"
    return f"  {_STATUS[rule.status]} {rule.kind} {rule.name}{shown}{used}"


def _tree(clause: Clause, depth: int, indent: str) -> Iterator[str]:
    shown = ""
    if clause.value:
        apart = f", {clause.distance} apart" if clause.distance else ""
        shown = f"    [{clause.value} against {clause.threshold}{apart}]"
    name = f"{clause.name}: " if clause.name else ""
    yield f"{indent}{_MARKS[clause.truth]} {name}{clause.text}{shown}"
    if depth > 1:
        for part in clause.parts:
            yield from _tree(part, depth - 1, indent + "  ")


def flip_words(flip: Flip) -> str:
    """`close goes from 101 to 100 (-1)`, `close goes just below 101`."""
    if flip.change.startswith("just "):
        return f"{flip.input} goes {flip.change} {flip.value}"
    return f"{flip.input} goes from {flip.value} to {flip.at} ({flip.change})"


def _flips(found: tuple[Flip, ...], indent: str) -> Iterator[str]:
    for flip in found[:4]:
        yield f"{indent}flips if {flip_words(flip)}"


def _rest(e: Explanation, only_failing: bool) -> Iterator[str]:
    if e.margins:
        yield ""
        yield "the verdict changes if"
        for flip in e.margins[:_MARGINS]:
            yield f"  {flip_words(flip)}: {flip.at_point if flip.at_point != flip.inside else flip.outside}"
        more = len(e.margins) - _MARGINS
        if more > 0:
            yield f"  and {more} more, further away"
    if e.near_misses:
        yield ""
        yield "near misses"
        yield from (f"  {line}" for line in e.near_misses)
    if not only_failing:
        yield ""
        yield "values read"
        width = min(max((len(r.name) for r in e.readings), default=0), 48)
        for reading in e.readings:
            row = "" if reading.row is None else f", row {reading.row + 1}"
            age = f", {reading.age} old" if reading.age else ""
            yield f"  {reading.name:<{width}}  {reading.value}  ({reading.source}{row}{age})"
        yield ""
        yield "parameters and limits"
        for origin in e.origins:
            allowed = f", allowed {origin.allowed}" if origin.allowed else ""
            yield f"  {origin.name} = {origin.value}  ({origin.origin}{allowed})"
    if not e.policy_hash:
        return  # nothing was recorded that could be reproduced, as in a test
    yield ""
    yield f"policy {e.policy_hash}"
    yield f"explanation reproduced: {'yes' if e.reproduced else 'NO'}"
    yield from (f"  differs: {line}" for line in e.differences)
