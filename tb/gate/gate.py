"""judge: one proposal against every constraint, in the light of those approved before it.

1. The leaves of the policy are read (`tb.gate.reading`): market values exactly as their shortest text, facts from account and
   order.
2. Which constraints fail and which cannot be known is asked of intervals of floats first (`tb.engine.surely`), and where these
   are not certain of one generated function over exact numbers.
3. The strictest verdict wins: approve < warn < shrink < reject < pause < halt. What cannot be known rejects (a `warn`, and a
   constraint at `level warn`, warns). A `shadow` constraint is judged and named, and changes nothing.
4. Shrink finds the largest whole number of lots that every shrinking limit lets pass which applies to the order, and judges
   that size in full.

INVARIANT: `Approved` is built here and nowhere else, and only for an order that passed every constraint that applies to it.
Reducing orders answer only to constraints that say `on every order`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from functools import cached_property
from typing import Any

import msgspec

from tb.core.records import LATTICE, Verdict
from tb.engine.decide import Generated, generate
from tb.engine.explain.words import show_value
from tb.engine.graph import RuleGraph
from tb.engine.instant import Exact, exact
from tb.engine.leaves import leaves_of
from tb.engine.plan import ConstraintPlan, PolicyPlan
from tb.engine.surely import SURE, Growing, Masks, Rest, bits_of
from tb.gate.facts import READERS, Moment, Reader
from tb.gate.reading import Given, MarketReader, Read, Reading, Snapshot, Texts


class Approved:
    """Permission to send one order of this quantity. The gateway takes nothing else.

    It cannot be made by calling it, changed, copied with another quantity or subclassed: `Gate` gives it, and `closing`.
    """

    __slots__ = ("quantity",)
    quantity: Decimal

    def __init__(self, *_: object, **__: object) -> None:
        raise TypeError("only the gate approves an order")

    def __init_subclass__(cls) -> None:
        raise TypeError("only the gate approves an order")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"what was approved cannot be changed: {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"what was approved cannot be changed: {name}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Approved) and self.quantity == other.quantity

    __hash__ = None  # type: ignore[assignment]  # equal ones are two permissions

    def __repr__(self) -> str:
        return f"Approved({self.quantity})"


_new, _write = object.__new__, vars(Approved)["quantity"].__set__  # past what forbids it to others


def _approve(quantity: Decimal) -> Approved:
    approved = _new(Approved)
    _write(approved, quantity)
    return approved


def closing(quantity: Decimal, *, held: Decimal) -> Approved:
    """Permission to close what an approved entry began: by its stop or target, or because these cannot be placed.

    The entry was approved with its protection, so no constraint is asked again. Raises `ValueError` for more than is held: such
    an order would add risk.
    """
    if not Decimal(0) < quantity <= held:
        raise ValueError(f"{quantity} cannot be closed of {held}")
    return _approve(quantity)


class Judgement(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What the gate says. `snapshot` has the leaves for the proposed quantity; masks count from bit 0.

    `failed` and `unknown` hold the bits of constraints that apply to this order, for the proposed quantity. `shadowed` names
    the `shadow` constraints that would apply and did not pass.
    """

    verdict: Verdict
    deciding: tuple[str, ...]
    failed: int
    unknown: int
    snapshot: Snapshot
    approved: Approved | None
    latches: tuple[ConstraintPlan, ...]
    shadowed: tuple[str, ...] = ()

    @property
    def quantity(self) -> Decimal:
        return self.approved.quantity if self.approved is not None else NOTHING

    @property
    def inputs(self) -> tuple[Exact, ...]:
        """The leaves in the plan's order."""
        return self.snapshot.inputs

    @property
    def texts(self) -> Texts:
        """The same as records store them."""
        return self.snapshot.texts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Judgement) and self._said() == other._said()

    __hash__ = None  # type: ignore[assignment]  # an approval has none

    def _said(self) -> tuple[object, ...]:
        masks = self.failed, self.unknown
        return self.verdict, self.deciding, masks, self.inputs, self.approved, self.latches, self.shadowed


PASSED: Masks = (0, 0)
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Broken:
    """A watched constraint that fails: why, in words, and measured over bound where it has these sides."""

    constraint: ConstraintPlan
    words: str
    used: float | None


class Gate:
    """Judges for one period. Built once; what it keeps of one order for the next changes no answer. With `patience` it may
    answer exactly so often, which takes longer, before something is compiled (`tb.engine.surely`)."""

    def __init__(self, graph: RuleGraph, policy: PolicyPlan, *, patience: int = 0) -> None:
        self.graph = graph
        self.policy = policy
        self.generated = generate(graph, policy)
        self._judge = self.generated.judge
        self._measure = self.generated.measure
        self._patience = patience
        self._leaves = [self._leaf(leaf) for leaf in policy.leaves]
        self._rest = Rest(graph, policy, self._judge)
        self._readers = [(_no_fact, leaf) if isinstance(leaf, int) else (READERS[leaf[0]], leaf[1]) for leaf in self._leaves]
        self._quantity = next(
            at
            for at, leaf in enumerate(policy.leaves)
            if graph[leaf].op == "fact" and graph[leaf].consts[0] == "order.quantity"
        )
        self._all = _bits(policy, lambda c: c.acts is not None)
        self._every = _bits(policy, lambda c: c.acts is not None and c.every_order)
        self._acts = [_acts_of(constraint) for constraint in policy.constraints]
        self._latching = _bits(policy, lambda c: c.latches)
        self._shadows = _bits(policy, lambda c: c.acts is None)
        self._shadows_every = _bits(policy, lambda c: c.acts is None and c.every_order)
        self.watched = _watched(graph, policy)
        self._watching = _readers_of(graph, self.watched)
        self._stopping = _about_account(graph, policy, [c for c in policy.constraints if c.acts in {"pause", "halt"}])
        self._standing = _readers_of(graph, self._stopping)

    # what many sessions never ask is made when it is asked first

    @cached_property
    def _reading(self) -> Reading:
        return Reading(self.graph, self.policy, self._leaves, self._patience)

    @cached_property
    def _ask(self) -> Callable[[Moment, MarketReader], Any]:
        return self._reading.ask

    @cached_property
    def _sizes(self) -> Growing | None:
        return self._growing([c for c in self.policy.constraints if c.acts == "shrink"])

    @cached_property
    def _sizes_to_close(self) -> Growing | None:
        return self._growing([c for c in self.policy.constraints if c.acts == "shrink" and c.every_order])

    def _growing(self, shrinking: list[ConstraintPlan]) -> Growing | None:
        """Some shrinking constraints, asked at many sizes; None where there are none."""
        policy = _subset(self.policy, shrinking)
        return Growing(self.graph, policy, self._quantity, patience=self._patience) if shrinking else None

    @cached_property
    def _of_account(self) -> Generated:
        return generate(self.graph, _subset(self.policy, [c for c in self.policy.constraints if not c.reads_order]))

    @cached_property
    def _watch(self) -> Generated:
        return generate(self.graph, self.watched)

    @cached_property
    def _stands(self) -> Generated:
        return generate(self.graph, self._stopping)

    def _leaf(self, leaf: int) -> tuple[str, str] | int:
        node = self.graph[leaf]
        return leaf if node.stage == "market" else (str(node.consts[0]), str(node.consts[1]))

    def judge(self, moment: Moment, market: MarketReader, lot: Decimal | None) -> Judgement:
        """The verdict on one proposal. `market` gives a market leaf's value at the instant; `lot` is the instrument's grid."""
        proposal = moment.proposal
        raw = self._ask(moment, market)
        if raw is None:
            return self.decide(self.inputs(moment, market), proposal.adds_risk, proposal.quantity, lot)
        told, snapshot = raw[-1], Read(self._reading, raw)
        if told is SURE:
            approved = _new(Approved)
            _write(approved, proposal.quantity)
            return Judgement("approve", (), 0, 0, snapshot, approved, ())
        masks = self._rest.masks(told, snapshot.inputs) if told[2] else told[:2]
        return self._said(masks, snapshot, proposal.adds_risk, proposal.quantity, lot)

    def inputs(self, moment: Moment, market: MarketReader) -> list[Exact]:
        """What the decision function reads, in its order."""
        return [exact(market(leaf)) if isinstance(leaf, int) else reader(moment, leaf) for reader, leaf in self._readers]

    def decide(self, inputs: Sequence[Exact], adds_risk: bool, quantity: Decimal, lot: Decimal | None) -> Judgement:
        """The verdict that follows from a snapshot alone: explanations and what-if questions come through here too."""
        return self._said(self._judge(inputs), Given(inputs), adds_risk, quantity, lot)

    def _said(self, masks: Masks, snapshot: Snapshot, adds_risk: bool, quantity: Decimal, lot: Decimal | None) -> Judgement:
        if masks == PASSED:
            return Judgement("approve", (), 0, 0, snapshot, _approve(quantity), ())
        judgement = self._act(snapshot, masks, adds_risk, quantity, lot)
        shadowed = self.shadowed(masks, adds_risk)
        return msgspec.structs.replace(judgement, shadowed=shadowed) if shadowed else judgement

    def _act(self, snapshot: Snapshot, masks: Masks, adds_risk: bool, quantity: Decimal, lot: Decimal | None) -> Judgement:
        applies = self.applies(adds_risk)
        failed, unknown = (mask & applies for mask in masks)
        verdict, deciding = self._strictest(failed, unknown)
        latches = tuple([self.policy.constraints[bit] for bit in bits_of(failed & self._latching)])
        if verdict in {"approve", "warn"}:
            return Judgement(verdict, deciding, failed, unknown, snapshot, _approve(quantity), latches)
        if verdict == "shrink":
            sizes = self._sizes if adds_risk else self._sizes_to_close
            smaller = None if sizes is None else self._largest(sizes, snapshot.inputs, quantity, lot)
            if smaller is not None:
                then_failed, then_unknown = self._judge(self.with_quantity(snapshot.inputs, smaller))
                rest, names = self._strictest(then_failed & applies, then_unknown & applies)
                if rest in {"approve", "warn"}:
                    return Judgement("shrink", deciding, failed, unknown, snapshot, _approve(smaller), latches)
                deciding = tuple(dict.fromkeys([*deciding, *names]))
            return Judgement("reject", deciding, failed, unknown, snapshot, None, latches)
        return Judgement(verdict, deciding, failed, unknown, snapshot, None, latches)

    def watch(self, moment: Moment) -> tuple[Broken, ...]:
        """The latching constraints that fail now, without any order: about the account alone, or about the moment's book."""
        if not self.watched.constraints:
            return ()
        inputs = [reader(moment, argument) for reader, argument in self._watching]
        failed, _ = self._watch.judge(inputs)
        if not failed:
            return ()
        sides = dict(zip(self._watch.measured, self._watch.measure(inputs), strict=True))
        of_book = moment.book is not None
        broken = [c for bit, c in enumerate(self.watched.constraints) if failed >> bit & 1 and c.reads_book == of_book]
        return tuple(self._broken(constraint, *sides.get(constraint.name, (None, None))) for constraint in broken)

    def standing(self, moment: Moment) -> tuple[ConstraintPlan, ...]:
        """The constraints about the account alone whose pause or halt every entry would meet now."""
        failed, _ = self._stands.judge([reader(moment, argument) for reader, argument in self._standing])
        return tuple(c for bit, c in enumerate(self._stopping.constraints) if failed >> bit & 1)

    def _broken(self, constraint: ConstraintPlan, measured: Exact, bound: Exact) -> Broken:
        if not isinstance(measured, Decimal) or not isinstance(bound, Decimal):
            return Broken(constraint, f"{constraint.name} was broken", None)
        unit = self.graph[self.graph[constraint.node].args[0]].unit
        words = f"{constraint.name}: {show_value(measured, unit)} against {show_value(bound, unit)}"
        return Broken(constraint, words, float(measured / bound) if bound else None)

    def applies(self, adds_risk: bool) -> int:
        """The bits of the constraints that an order answers to."""
        return self._all if adds_risk else self._every

    def shadowed(self, masks: tuple[int, int], adds_risk: bool) -> tuple[str, ...]:
        """Names of the `shadow` constraints that would have applied and did not pass, from the masks of a judgement."""
        struck = (masks[0] | masks[1]) & (self._shadows if adds_risk else self._shadows_every)
        return tuple(c.name for bit, c in enumerate(self.policy.constraints) if struck >> bit & 1) if struck else ()

    def with_quantity(self, inputs: Sequence[Exact], quantity: Decimal) -> list[Exact]:
        """The same snapshot for an order of another quantity."""
        changed = list(inputs)
        changed[self._quantity] = quantity
        return changed

    def reads(self, fact: str) -> bool:
        """Whether a fact without argument is among the inputs."""
        return (fact, "") in self._leaves

    def leaf(self, fact: str) -> int:
        """The position of a fact without argument among the inputs."""
        return self._leaves.index((fact, ""))

    def without(self, judgement: Judgement, lifted: frozenset[str]) -> tuple[Verdict, tuple[str, ...]]:
        """The verdict on the proposed size, and its rules, if the lifted constraints did not exist."""
        kept = sum(1 << bit for bit, c in enumerate(self.policy.constraints) if c.name not in lifted)
        return self._strictest(judgement.failed & kept, judgement.unknown & kept)

    def usage(self, inputs: Sequence[Exact], quantity: Decimal) -> dict[str, float | None]:
        """How much of each upper limit is used with an order of that quantity: measured over bound, None where unknown."""
        return _used(self.generated.measured, self._measure(self.with_quantity(inputs, quantity)))

    def account_usage(self, inputs: Sequence[Exact]) -> dict[str, float | None]:
        """The use of those limits that do not depend on the order: true whether or not it was approved."""
        return _used(self._of_account.measured, self._of_account.measure(inputs))

    def _strictest(self, failed: int, unknown: int) -> tuple[Verdict, tuple[str, ...]]:
        found: dict[Verdict, list[str]] = {}
        for bit in bits_of(failed | unknown):
            name, fails, is_unknown = self._acts[bit]
            acts = fails if failed >> bit & 1 else is_unknown
            if acts is not None:
                found.setdefault(acts, []).append(name)
        if not found:
            return "approve", ()
        verdict = max(found, key=LATTICE.index)
        return verdict, tuple(found[verdict])

    def _largest(self, sizes: Growing, inputs: Sequence[Exact], quantity: Decimal, lot: Decimal | None) -> Decimal | None:
        """The largest multiple of the lot below the quantity that every shrinking limit lets pass that applies to the order."""
        if lot is None or lot <= 0 or not quantity.is_finite():
            return None
        low, high = 0, int((quantity / lot).to_integral_value(ROUND_CEILING))  # the proposal itself is known to fail
        with sizes.asked(lambda lots: self.with_quantity(inputs, lot * lots), lot) as passes:
            while high - low > 1:
                middle = (low + high) // 2
                if passes(middle):
                    low = middle
                else:
                    high = middle
        return lot * low if low else None


def _used(names: Sequence[str], sides: Sequence[tuple[Exact, Exact]]) -> dict[str, float | None]:
    used: dict[str, float | None] = {}
    for name, (measured, bound) in zip(names, sides, strict=True):
        is_known = isinstance(measured, Decimal) and isinstance(bound, Decimal)
        used[name] = float(measured / bound) if is_known and bound else None  # type: ignore[operator]
    return used


def _readers_of(graph: RuleGraph, policy: PolicyPlan) -> list[tuple[Reader, str]]:
    """How the leaves of constraints about the account alone are read, and their arguments."""
    return [(READERS[str(graph[leaf].consts[0])], str(graph[leaf].consts[1])) for leaf in policy.leaves]


def _no_fact(moment: Moment, argument: str) -> Exact:
    raise TypeError(f"{argument} at {moment.at} is no fact but a value of the market")


def _verdict(name: str) -> Verdict:
    return LATTICE[LATTICE.index(name)]


def _acts_of(constraint: ConstraintPlan) -> tuple[str, Verdict | None, Verdict | None]:
    """Its name, and the verdicts where it fails and where it cannot be known; none of what is recorded alone."""
    acts = constraint.acts
    return (
        constraint.name,
        None if acts is None else _verdict(acts),
        None if acts is None else "warn" if acts == "warn" else "reject",
    )


def _bits(policy: PolicyPlan, chosen: Callable[[ConstraintPlan], bool]) -> int:
    return sum(1 << bit for bit, constraint in enumerate(policy.constraints) if chosen(constraint))


def _subset(policy: PolicyPlan, constraints: list[ConstraintPlan]) -> PolicyPlan:
    return replace(policy, constraints=tuple(constraints))


def _watched(graph: RuleGraph, policy: PolicyPlan) -> PolicyPlan:
    return _about_account(graph, policy, [c for c in policy.constraints if c.latches])


def _about_account(graph: RuleGraph, policy: PolicyPlan, constraints: list[ConstraintPlan]) -> PolicyPlan:
    """Those of the constraints that read the account alone, with the leaves that they need."""
    chosen = [c for c in constraints if not c.reads_order]
    leaves = leaves_of(graph, [c.node for c in chosen], in_policy=True)
    return PolicyPlan(policy.period, tuple(chosen), leaves, ())
