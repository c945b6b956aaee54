"""Which constraints of a policy leave nothing for which others: whatever an order is, what passes one passes the other, too.

A constraint that may stand in for another judges at least the orders that it judges, and its verdict is at least as strict.
This has to hold in each period that the policy is built for, since `2 bars` differ with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tb.analysis.implied import Implications, shared
from tb.core.records import LATTICE
from tb.engine.plan import ConstraintPlan, PolicyPlan

_SHRINK = LATTICE.index("shrink")


@dataclass(frozen=True, slots=True)
class Covered:
    """`one` decides nothing beside `by`. `equal`: nor the other way round. `stricter`: the verdict of `by` is another one."""

    one: ConstraintPlan
    by: ConstraintPlan
    equal: bool
    stricter: bool


def covered(policies: Sequence[PolicyPlan], own: Sequence[str], implications: Implications) -> Iterator[Covered]:
    """Each constraint of the files `own` that another one covers, once: with one that is equal to it where there is one."""
    pairs: set[tuple[int, int]] | None = None
    for policy in policies:
        found = set(_pairs(policy, own, implications))
        pairs = found if pairs is None else pairs & found
    if not pairs:
        return
    constraints = policies[0].constraints
    for one in range(len(constraints)):
        covers = [by for by in range(len(constraints)) if (by, one) in pairs]
        equal = [by for by in covers if (one, by) in pairs]
        earlier = [by for by in equal if constraints[by].span < constraints[one].span]
        proper = [by for by in covers if by not in equal]
        if earlier or proper:
            by = (earlier or proper)[0]
            stricter = constraints[by].acts != constraints[one].acts
            yield Covered(constraints[one], constraints[by], by in equal, stricter)


def _pairs(policy: PolicyPlan, own: Sequence[str], implications: Implications) -> Iterator[tuple[int, int]]:
    """Numbers of constraints, the first of which leaves nothing for the second."""
    judging = [(at, c) for at, c in enumerate(policy.constraints) if c.acts is not None and c.span.file in own]
    near = shared(implications, [c.node for _, c in judging])
    for at, one in judging:
        if implications.contradictions.never(one.node, False):
            continue  # it never binds, which is said of it alone
        for by, other in judging:
            if by == at or not (one.node == other.node or other.node in near[one.node]):
                continue
            if stands_in(other, one) and implications.implies(other.node, one.node):
                yield by, at


def stands_in(by: ConstraintPlan, one: ConstraintPlan) -> bool:
    """Whether what `by` does with an order is at least what `one` would."""
    if any(not exemption.said.loosens for exemption in by.exemptions):
        return False  # an exception that tightens is there for a while, the limit it is about for good
    if one.every_order and not by.every_order:
        return False
    if one.latches and not one.reads_order and not (by.latches and not by.reads_order):
        return False  # it is watched when nothing is ordered, too
    assert by.acts is not None
    assert one.acts is not None
    strict, strict_by = LATTICE.index(one.acts), LATTICE.index(by.acts)
    if strict_by != strict:
        return strict_by > strict and strict_by != _SHRINK
    if one.acts == "pause":
        return (by.lasts or 0) >= (one.lasts or 0)
    return one.acts != "halt" or one.until_tomorrow or not by.until_tomorrow
