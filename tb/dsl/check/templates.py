"""The `because` texts: what their holes mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tb.core.diagnostics import did_you_mean
from tb.core.units import Kind
from tb.dsl import checked, syntax
from tb.dsl.check import units
from tb.dsl.template import Hole, parse_template

if TYPE_CHECKING:
    from tb.dsl.check.expressions import Expressions


def template(using: Expressions, text: syntax.Text | None) -> checked.Template:
    """The checked pieces of a text; `{surge.because}` stands for the own text of that trigger or signal."""
    if text is None:
        return ()
    pieces, findings = parse_template(text)
    using.scope.findings.extend(findings)
    return tuple(piece if isinstance(piece, str) else _hole(using, piece) for piece in pieces)


def _hole(using: Expressions, hole: Hole) -> checked.Hole:
    match hole.expression:
        case syntax.Name(parts=(name, "because")):
            if name in using.scope.pending:
                using.settle(name)
            if name in using.scope.broken:
                return checked.Hole(None, name, hole.spec, hole.span)
            if name in using.scope.signals and using.scope.visible(name, using.file, using.in_policy):
                return checked.Hole(None, name, hole.spec, hole.span)
            if name not in using.scope.triggers or not using.scope.visible(name, using.file, using.in_policy):
                seen = [
                    t
                    for t in (*using.scope.triggers, *using.scope.signals)
                    if using.scope.visible(t, using.file, using.in_policy)
                ]
                hint = using.scope.elsewhere(name, using.file) or did_you_mean(name, seen)
                using.refuse("TB102", f"there is no trigger or signal `{name}` here", hole.span, hint)
            return checked.Hole(None, name, hole.spec, hole.span)
        case expression:
            value = using.check(expression)
            if value.unit.kind in {Kind.TEXT, Kind.LIST, Kind.INSTRUMENT, Kind.SIGNAL}:
                using.refuse(
                    "TB101", f"{units.phrase(value.unit)} cannot be shown here", hole.span, "show a number or a condition"
                )
            return checked.Hole(value, None, hole.spec, hole.span)
