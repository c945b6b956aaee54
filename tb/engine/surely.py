"""surely: what a policy's constraints say for certain, asked before the exact decision function.

1. `Surely` runs the program of the constraints (`tb.engine.program`) over intervals of floats. What it says of a constraint is
   what the decision function says, or that it does not know.
2. `Rest` asks the exact function of the constraints that are left: often the same few, right at their limits.
3. `Growing` asks about one order at many quantities.

INVARIANT: masks are those of `tb.engine.decide` for the same inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from struct import Struct

from tb.engine import intervals as k
from tb.engine.decide import Judge, Values, generate, values_of
from tb.engine.graph import RuleGraph
from tb.engine.instant import Exact
from tb.engine.plan import PolicyPlan
from tb.engine.program import Program, leaves_under, program_of, rounded
from tb.vocabulary.kernels.compiled import call_of

Masks = tuple[int, int]  # what failed, what is unknown
Told = tuple[int, int, int]  # the same as far as it is certain, and what is not
SURE: Told = (0, 0, 0)
_BITS = 900  # of a number of lots that is looked at as a float
KEPT = 64  # functions of some constraints, at most
_pack_one = Struct("d").pack_into


class Surely:
    """A program in its work space: inputs are written with `give`, or into `buffer`, then judged; those that change `seldom`
    are taken in by `fix`. One thread at a time: whoever pops the one thing in `turn` has it to himself (of two that pop, one
    finds nothing), and puts it back afterwards. With `patience`, for a kernel that is still to be compiled, nothing is certain
    until so many were judged."""

    def __init__(
        self,
        graph: RuleGraph,
        policy: PolicyPlan,
        leaves: Sequence[int],
        vague: Collection[int],
        seldom: Collection[int] = (),
        *,
        patience: int = 0,
    ) -> None:
        program = program_of(graph, policy, leaves, vague, seldom)
        self.inputs, self.outside = program.inputs, program.outside
        self.values_outside = values_of(graph, policy, program.outside)
        self.turn = [True]
        self.buffer = memoryview(program.work[k.GIVEN]).cast("B")
        self._low, self._roots = program.work[k.LOW], program.roots
        self._places = [policy.leaves.index(leaf) for leaf in leaves]
        self._all = Struct(f"{program.inputs}d").pack_into
        waits = _Waiting(program, patience) if patience else None
        self._fix, self.move = _settling(program) if waits is None else (waits.fix, waits.move)
        self.fixed = 0

    def give(self, inputs: Sequence[Exact]) -> None:
        """All inputs, in the order of the policy's leaves."""
        floats = [rounded(inputs[place]) for place in self._places]
        if self.outside:
            floats += map(rounded, self.values_outside(inputs))
        self._all(self.buffer, 0, *floats)
        self.fix()

    def fix(self) -> int:
        """Takes in the inputs that are fixed, and gives what `settle` found of constraints that read no others. `move` gives
        what it finds of the rest."""
        self.fixed = self._fix()
        return self.fixed

    def masks(self) -> Told:
        """What is certain of what was given: the masks of the decision function, and the bits that these say nothing about."""
        return self.certain() if self.move() | self.fixed else SURE

    def certain(self) -> Told:
        """The same, after `fix` and `move`."""
        told = self._low[self._roots]
        bits = (told != k.TRUE).nonzero()[0]
        return _masks(bits.tolist(), told[bits].tolist())

    def taken(self) -> bool | None:
        """The turn, None where another has it."""
        try:
            return self.turn.pop()
        except IndexError:
            return None


Settles = Callable[[], int]


def _settling(program: Program) -> tuple[Settles, Settles]:
    """What settles the fixed part and the moving one."""
    fixed, moving = (call_of(k.settle, part.rows, program.work, part.operations) for part in (program.fixed, program.moving))
    return fixed, moving


class _Waiting:
    """Is certain of nothing, which is never wrong, until it was asked so often that compiling the kernel pays.

    INVARIANT: the kernel takes over with a `fix`, since the moving part reads what the fixed one found.
    """

    def __init__(self, program: Program, patience: int) -> None:
        self._program, self._left = program, patience
        self._roots = [part.rows[part.operations :, 4] for part in (program.fixed, program.moving)]
        self._settling: tuple[Settles, Settles] | None = None

    def fix(self) -> int:
        if self._settling is None and self._left <= 0:
            self._settling = _settling(self._program)
        return self._open(0) if self._settling is None else self._settling[0]()

    def move(self) -> int:
        self._left -= 1
        return self._open(1) if self._settling is None else self._settling[1]()

    def _open(self, which: int) -> int:
        self._program.work[k.LOW, self._roots[which]] = k.ANY
        return k.OPEN if len(self._roots[which]) else 0


def _masks(bits: Sequence[int], told: Sequence[float]) -> Told:
    """Of the bits of constraints that are not true for certain, and what these may be."""
    failed = unknown = still_open = 0
    for bit, may in zip(bits, told, strict=True):
        if may == k.FALSE:
            failed |= 1 << bit
        elif may == k.UNKNOWN:
            unknown |= 1 << bit
        else:
            still_open |= 1 << bit
    return failed, unknown, still_open


def bits_of(mask: int) -> list[int]:
    """The numbers of the bits that are set, least first."""
    found = []
    while mask:
        least = mask & -mask
        found.append(least.bit_length() - 1)
        mask ^= least
    return found


class Growing:
    """One policy asked again and again about the same order at another quantity."""

    def __init__(self, graph: RuleGraph, policy: PolicyPlan, quantity: int, *, patience: int = 0) -> None:
        self._judge = generate(graph, policy).judge
        read = {leaf for one in policy.constraints for leaf in leaves_under(graph, policy.leaves, one.node)}
        first, *others = policy.leaves[quantity], *(leaf for leaf in policy.leaves if leaf in read)
        others = [leaf for leaf in others if leaf != first]
        self._surely = Surely(graph, policy, [first, *others], {first}, others, patience=patience)
        self._depends = any(policy.leaves[quantity] in graph.reach((node,)) for node in self._surely.outside)

    @contextmanager
    def asked(self, inputs_at: Callable[[int], Sequence[Exact]], lot: Decimal) -> Iterator[Callable[[int], bool]]:
        """Whether so many lots pass every constraint; `inputs_at` has their inputs. What is not certain is computed exactly,
        and so is everything while another thread asks."""
        surely, step = self._surely, rounded(lot)

        def exactly(lots: int) -> bool:
            return self._judge(inputs_at(lots)) == (0, 0)

        def passes(lots: int) -> bool:
            if lots.bit_length() > _BITS:
                return exactly(lots)
            _pack_one(surely.buffer, 0, step * lots)
            found = surely.move() | surely.fixed
            return not found or (found == k.OPEN and exactly(lots))

        turn = None if self._depends else surely.taken()
        if turn is None:
            yield exactly
            return
        try:
            surely.give(inputs_at(1))
            yield passes
        finally:
            surely.turn.append(turn)


class Rest:
    """The exact function of some of the constraints, for those that are not certain: often the same few, at their limits."""

    def __init__(self, graph: RuleGraph, policy: PolicyPlan, judge: Judge) -> None:
        self._graph, self._policy, self._judge = graph, policy, judge
        self._functions: dict[int, tuple[list[int], Values]] = {}

    def masks(self, told: Told, inputs: Sequence[Exact]) -> Masks:
        """The masks of the decision function, from what was certain."""
        failed, unknown, still_open = told
        if still_open not in self._functions:
            if len(self._functions) == KEPT:
                return self._judge(inputs)
            bits = bits_of(still_open)
            nodes = [self._policy.constraints[bit].node for bit in bits]
            self._functions[still_open] = bits, values_of(self._graph, self._policy, nodes)
        bits, values = self._functions[still_open]
        for bit, passes in zip(bits, values(inputs), strict=True):
            if passes is None:
                unknown |= 1 << bit
            elif not passes:
                failed |= 1 << bit
        return failed, unknown
