"""The nodes of the constraints of a policy, for the orders of one period, and what each of them reads."""

from __future__ import annotations

from tb.core.span import Span
from tb.dsl import checked
from tb.engine.build import Builder, Context
from tb.engine.graph import RuleGraph
from tb.engine.plan import ConstraintPlan, ExemptionPlan


def program_span(program: checked.Program) -> Span:
    return program.constraints[0].span if program.constraints else Span("std/venue.tb", 1, 1, 1, 1)


def constraints(builder: Builder, program: checked.Program, period: int) -> tuple[ConstraintPlan, ...]:
    return tuple(_constraint(builder, c, Context(period, "", True)) for c in program.constraints)


def _constraint(builder: Builder, c: checked.Constraint, context: Context) -> ConstraintPlan:
    passes = builder.expression(c.passes, context)
    exemptions = tuple(_exemption(builder, e, context) for e in c.exemptions)
    node = builder.eased(passes, [(e.applies, e.passes) for e in exemptions if e.said.loosens], c.span)
    is_upper = c.kind == "limit" and isinstance(c.passes, checked.Comparison) and c.passes.operator in {"lt", "le"}
    return ConstraintPlan(
        c.name,
        c.kind,
        node,
        c.verdict,
        c.lasts,
        c.until_tomorrow,
        c.every_order,
        c.latches,
        True,
        c.because,
        c.span,
        c.level,
        passes if is_upper else None,
        exemptions,
    )


def _exemption(builder: Builder, said: checked.Exemption, context: Context) -> ExemptionPlan:
    applies = None if said.applies is None else builder.expression(said.applies, context)
    return ExemptionPlan(said, applies, builder.expression(said.passes, context))


def mark_order(graph: RuleGraph, constraint: ConstraintPlan) -> ConstraintPlan:
    """Whether a constraint reads the order or its instrument; one that does not can be watched without an order."""
    reads = reads_book = False
    for id_ in graph.reach((constraint.node,)):
        node = graph[id_]
        if node.stage == "market" or (node.op == "fact" and _is_of_order(str(node.consts[0]), str(node.consts[1]))):
            reads = True
        if node.op == "fact" and _is_of_book(str(node.consts[0])):
            reads_book = True
    fields = {name: getattr(constraint, name) for name in ConstraintPlan.__dataclass_fields__}
    return ConstraintPlan(**{**fields, "reads_order": reads, "reads_book": reads_book})


_OF_ORDER = ("order.", "scope.", "book.", "strategy.", "parent.", "venue.", "votes_for", "kelly.", "allocation.")


def _is_of_order(name: str, argument: str) -> bool:
    if name == "order.book":
        return False
    if name.startswith(_OF_ORDER) or name in {"data_age", "self_match"}:
        return True
    return "order.instrument" in argument


def _is_of_book(name: str) -> bool:
    return name == "order.book" or name.endswith(" of book")
