"""Market nodes of many instruments, carried from one step to the next.

1. Instruments with the same needs are a group (`tb.engine.layout`); their new bars come in blocks (`tb.engine.blocks`).
2. In each step nodes are computed in graph order, each for all instruments of a block at once: what is read
   (`tb.engine.reading`), operations of one instant (`tb.engine.vector`), functions by their kernels (`tb.vocabulary.run`);
   comparisons and logic in one pass for each condition (`tb.engine.conditions`), whose parts are no nodes to compute.
3. What looks back finds earlier values in a `History`; recursive functions, `for`, `within` and `@period` carry a state.
4. Functions of fields alone are begun first (`begin`), beside all else where the caller lets them: so a step may begin before
   the rest of the one before it is computed (`finish`).
5. The values of the wanted nodes are kept; everything else is forgotten once nothing reads it any more.

INVARIANT: the values do not depend on how bars are cut into steps, nor on which instruments are computed together, bit for
bit; a value at an instant depends on bars closed at or before that instant alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tb.engine.averages import Relation
from tb.engine.bars import RECORDED
from tb.engine.blocks import Block, Table, blocks
from tb.engine.conditions import Ago, Condition, conditions_of
from tb.engine.graph import Node, RuleGraph
from tb.engine.history import History, Reach
from tb.engine.layout import Call, Group, Layout, call_of, ending
from tb.engine.markets import Markets
from tb.engine.reading import read
from tb.engine.tiers import is_tier, tier_column
from tb.engine.vector import lasting, not_yet, pointwise
from tb.vocabulary.catalogue import FUNCTIONS
from tb.vocabulary.run import Together, together
from tb.vocabulary.run import relation as relation_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Place = tuple[int, int]  # a group, and a node in it
Looked = tuple[int, int, int]  # a group, a node, and the period it is looked at in
Keep = Callable[[Group, Node, int], History | None]
Task = Callable[[], object]
# begins some independent tasks, and gives what does the rest of them, waits for all, and raises what one of them did
Beside = Callable[[Sequence[Task]], Task]
WORTH = 8192  # values of a call; with fewer, handing it to another thread takes longer than it does
PACE = 30  # values that a window could add while a recursive function takes one
READ = frozenset({"field", "pips", "depth", "during", "since_open", "to_close", "feed", "feed_age"})


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A step that has begun: the blocks of its new bars, all and by group, and the most bars of an instrument by period. `wait`
    does and awaits what is under way."""

    blocks: tuple[Block, ...]
    by_group: Mapping[int, list[Block]]
    most: Mapping[int, int]
    wait: Task


class Evaluator:
    """The nodes of a layout, as far as the bars given to `step` go.

    Of `markets` all but its bars is read, anew in each step. A step takes up to `room` bars of an instrument without moving
    what is remembered of earlier ones every time; more are taken too. `keep` makes what the values of a wanted node are kept
    in: of a group, the node, and how many earlier values others look back at; None where nothing is kept beyond the step.
    `beside` is how independent calls of a step are made; None: one after the other, each when its node is computed.
    """

    def __init__(
        self, graph: RuleGraph, layout: Layout, markets: Markets, *, room: int, keep: Keep, beside: Beside | None = None
    ) -> None:
        self.graph = graph
        self.layout = layout
        self.markets = markets
        self._wanted = tuple(frozenset(ids) for ids in layout.wanted)
        nodes = [node for node, _ in layout.order]
        self._conditions = conditions_of(graph, nodes, frozenset[int]().union(*self._wanted))
        self._order = tuple((node, groups) for node, groups in layout.order if node.id not in self._conditions.inner)
        self._ending = ending([node for node, _ in self._order], self._conditions.reads)
        self.kept: dict[Place, History] = {}  # the values of the wanted nodes
        self._histories: dict[Looked, History] = {}
        self._leads: dict[Looked, int] = {}
        self._numbers: dict[int, int] = {}  # of function calls, by each node that reads an output of one
        self._calls: dict[Place, Together] = {}  # by group and number
        self._lasting: dict[Place, Ints] = {}
        self._carried: dict[Place, Floats] = {}
        self._constants: dict[int, Floats] = {}  # in the shape that was asked for last
        calls: dict[Call, int] = {}
        for node, _ in self._order:
            if node.op == "apply":
                self._numbers[node.id] = calls.setdefault(call_of(node), len(calls))
        self._beside = beside
        for node, groups in self._order:
            for group in groups:
                self._prepare(node, group)
        self._relations = self._relations_of_groups()
        for group in layout.groups:
            for id_ in layout.wanted[group.index]:
                place = (group.index, id_, graph[id_].period)
                kept = keep(group, graph[id_], self._leads.get(place, 0))
                if kept is not None:
                    self.kept[group.index, id_] = self._histories[place] = kept
                    self._leads.pop(place, None)
        self._first = () if beside is None else self._calls_of_fields()
        self._read, self._written = self._looked_at_first()
        for place, lead in self._leads.items():
            size, is_first = len(layout.groups[place[0]].symbols), place in self._read or place in self._written
            self._histories[place] = History(size, lead, room, offset=place[1], takes_turns=is_first)
        self._rest = tuple(place for place in self._histories if place not in self._read and place not in self._written)
        self._wait: Task = _nothing

    def _prepare(self, node: Node, group: Group) -> None:
        """What a node carries of a group before its first bar."""
        size = len(group.symbols)
        match node.op:
            case "apply" if (group.index, self._numbers[node.id]) not in self._calls:
                constants = tuple(float(c) for c in node.consts[2:] if c is not None)
                call = together(FUNCTIONS[str(node.consts[0])], constants, size)
                self._calls[group.index, self._numbers[node.id]] = call
                if not call.function.is_recursive:
                    for arg in node.args:
                        self._look_back(group, arg, node.period, call.before)
            case "shift":
                self._look_back(group, node.args[0], node.period, int(node.consts[0] or 0))
            case "every" | "some":
                self._lasting[group.index, node.id] = not_yet(size)
            case "at":
                self._carried[group.index, node.id] = np.full(size, np.nan)

    def _look_back(self, group: Group, arg: int, period: int, lead: int) -> None:
        place = (group.index, arg, period)
        self._leads[place] = max(lead, self._leads.get(place, 0))

    def _relations_of_groups(self) -> tuple[tuple[Relation, int, Group], ...]:
        """The relations of averages that are needed of each group, and of how many bars before the new ones, too."""
        found: list[tuple[Relation, int, Group]] = []
        related = self._conditions.related
        for relation, back in related.deepest.items():
            users = {id_ for id_, (one, _) in related.compared.items() if one == relation}
            for group in self.layout.groups:
                if users & {*group.nodes}:
                    found.append((relation, back, group))
                    lead = max(relation.windows) - 1 + back
                    self._look_back(group, relation.of, self.graph[relation.of].period, lead)
        return tuple(found)

    def _calls_of_fields(self) -> tuple[tuple[Node, Group], ...]:
        """One node of each call whose arguments are there without any other, those that take longest first."""
        found: dict[Place, tuple[Node, Group]] = {}
        for node, groups in self._order:
            if node.op == "apply" and all(self.graph[arg].op in {"field", "const"} for arg in node.args):
                found.update(((group.index, self._numbers[node.id]), (node, group)) for group in groups)
        took = {place: PACE if self._calls[place].function.is_recursive else self._calls[place].before for place in found}
        return tuple(found[place] for place in sorted(found, key=lambda place: -took[place]))

    def _looked_at_first(self) -> tuple[tuple[Looked, ...], tuple[Looked, ...]]:
        """The histories that take their next values when a step begins: what calls of fields read, and write (`_space`)."""
        read, written = dict[Looked, None](), dict[Looked, None]()
        if self._beside is not None:
            read.update(((group.index, one.of, self.graph[one.of].period), None) for one, _, group in self._relations)
        for node, group in self._first:
            function = self._calls[group.index, self._numbers[node.id]].function
            if not function.is_recursive:
                read.update(((group.index, arg, node.period), None) for arg in node.args)
            if len(group.symbols) == len(function.outputs) == 1:
                written[group.index, node.id, node.period] = None
        return tuple(read), tuple(place for place in written if place in self._histories or place in self._leads)

    def step(self, tables: Mapping[int, Table]) -> tuple[Block, ...]:
        """Takes the new bars of every period, and gives their blocks with the values of the wanted nodes."""
        return self.finish(self.begin(tables))

    def begin(self, tables: Mapping[int, Table]) -> Step:
        """Takes the new bars of every period. The step before this one may still have to be finished, none before that."""
        found = tuple(blocks(self.layout, tables))
        by_group: dict[int, list[Block]] = {}
        for block in found:
            by_group.setdefault(block.group.index, []).append(block)
        most = {period: int(table.counts.max(initial=0)) for period, table in tables.items()}
        self._make_room(self._read, most)
        with np.errstate(all="ignore"):
            self._read_fields(by_group)
            self._wait()  # what is under way is what its calls go on from
            self._make_room(self._written, most)
            if self._beside is not None and (self._first or self._relations):
                self._wait = self._beside(self._tasks(by_group))
        return Step(found, by_group, most, self._wait)

    def finish(self, step: Step) -> tuple[Block, ...]:
        """The blocks of a step with the values of the wanted nodes. Steps are finished in the order in which they began."""
        step.wait()
        self._make_room(self._rest, step.most)
        with np.errstate(all="ignore"):
            for node, groups in self._order:
                for group in groups:
                    for block in step.by_group.get(group.index, ()):
                        self._compute(node, block, step.by_group)
                for id_ in self._ending.get(node.id, ()):
                    for block in step.blocks:
                        if id_ not in self._wanted[block.group.index]:
                            block.values.pop(id_, None)
                            block.truths.pop(id_, None)
        return step.blocks

    def _make_room(self, places: Sequence[Looked], most: Mapping[int, int]) -> None:
        for place in places:
            self._histories[place].begin(most[place[2]])

    def _read_fields(self, by_group: Mapping[int, list[Block]]) -> None:
        """What the calls of fields and relations take."""
        for relation, _, group in self._relations if self._beside is not None else ():
            node = self.graph[relation.of]
            for block in by_group.get(group.index, ()):
                if block.shape(node.period)[1]:
                    self._compute(node, block, by_group)
                    self._reach(node.id, block, node.period, block.shape(node.period))
        for node, group in self._first:
            is_recursive = self._calls[group.index, self._numbers[node.id]].function.is_recursive
            for block in by_group.get(group.index, ()):
                shape = block.shape(node.period)
                for arg in node.args if shape[1] else ():
                    if self.graph[arg].op != "const":
                        self._compute(self.graph[arg], block, by_group)
                    if not is_recursive:
                        self._reach(arg, block, node.period, shape)

    def _tasks(self, by_group: Mapping[int, list[Block]]) -> list[Task]:
        """The calls of fields and relations: what they give is there when it is needed. Short ones are made at once."""
        calls: list[tuple[int, Task]] = []
        for node, group in self._first:
            for block in by_group.get(group.index, ()):
                shape = block.shape(node.period)
                if shape[1]:
                    calls.append((shape[0] * shape[1], self._call(node, block, shape)))
        for relation, back, group in self._relations:
            for block in by_group.get(group.index, ()):
                shape = block.shape(self.graph[relation.of].period)
                if shape[1]:
                    calls.append((shape[0] * shape[1], self._relating(relation, back, block, shape)))
        for values, call in calls:
            if values < WORTH:
                call()
        return [call for values, call in calls if values >= WORTH]

    def _relating(self, relation: Relation, back: int, block: Block, shape: tuple[int, int]) -> Task:
        """What is left to do for a relation once its field is there."""
        reach = self._reach(relation.of, block, self.graph[relation.of].period, shape)
        given = reach.values, block.places, reach.ends_of(block.places), relation.windows, back + shape[1]

        def relate() -> None:
            block.relations[relation] = relation_of(*given)

        return relate

    def _compute(self, node: Node, block: Block, by_group: Mapping[int, list[Block]]) -> None:
        shape = block.shape(node.period)
        if node.id in block.values:
            return
        condition = self._conditions.found.get(node.id)
        if condition is not None:
            self._judge(node, condition, block, shape)
            return
        # a bar of another period may have closed where none of this one has: `@period` has to see it
        is_empty = not shape[1] and node.op != "at"
        block.values[node.id] = np.empty(shape) if is_empty else self._values(node, block, shape, by_group)
        if shape[1] and (block.group.index, node.id) in self.kept:
            self._reach(node.id, block, node.period, shape)

    def _values(self, node: Node, block: Block, shape: tuple[int, int], by_group: Mapping[int, list[Block]]) -> Floats:
        place = (block.group.index, node.id)
        match node.op:
            case op if op in READ or (op == "tier_is" and not node.args):
                return read(node, block, self.markets)
            case "tier":
                return tier_column(node, block.symbols, [self._argument(a, block, shape) for a in node.args], shape)
            case "tier_is":
                return is_tier(node, self.graph[node.args[0]], self._argument(node.args[0], block, shape))
            case "apply":
                return self._outputs(node, block, shape)[:, int(node.consts[1] or 0), :]
            case "shift":
                reach = self._reach(node.args[0], block, node.period, shape)
                return reach.before(block.rows, shape[1], int(node.consts[0] or 0))
            case "every" | "some":
                ago = self._lasting[place][:, block.places]
                found = lasting(node.op, self._argument(node.args[0], block, shape), int(node.consts[0] or 0), ago)
                self._lasting[place][:, block.places] = ago
                return found
            case "of":
                return self._of(node, block, shape, by_group)
            case "at":
                carried = self._carried[place]
                found, carried[block.places] = _last_closed(
                    block.stacks[node.period].closes,
                    block.stacks[self.graph[node.args[0]].period].closes,
                    block.values[node.args[0]],
                    carried[block.places],
                )
                return found
            case _:
                return pointwise(node.op, node.consts, [self._argument(a, block, shape) for a in node.args], shape)

    def _judge(self, node: Node, condition: Condition, block: Block, shape: tuple[int, int]) -> None:
        """A condition, in bytes; as values where it is kept or something else reads it."""
        is_kept = (block.group.index, node.id) in self.kept
        truths = block.truths[node.id] = np.empty(shape, dtype=np.uint8)
        if is_kept or condition.is_read:
            block.values[node.id] = np.empty(shape)
        if shape[1]:
            values = [np.ascontiguousarray(self._argument(id_, block, shape)) for id_ in condition.values]
            given = [self._truths(which, block, shape) for which in condition.truths]
            condition.steps.run(values, given, truths, block.values.get(node.id))
            if is_kept:
                self._reach(node.id, block, node.period, shape)

    def _truths(self, which: int | Ago, block: Block, shape: tuple[int, int]) -> NDArray[np.uint8]:
        """What a condition takes in bytes: the truths of another, or a relation as it was some bars ago."""
        if isinstance(which, int):
            return block.truths[which]
        relation, ago = which
        if relation not in block.relations:
            self._relating(relation, self._conditions.related.deepest[relation], block, shape)()
        end = block.relations[relation].shape[1] - ago
        return np.ascontiguousarray(block.relations[relation][:, end - shape[1] : end])

    def _argument(self, id_: int, block: Block, shape: tuple[int, int]) -> Floats:
        if id_ in block.values:
            return block.values[id_]
        found = self._constants.get(id_)
        if found is None or found.shape != shape:
            node = self.graph[id_]
            assert node.op == "const", f"node {id_}, {node.op}, was not computed before it was read"
            value = node.consts[0]
            found = np.broadcast_to(float(value) if isinstance(value, Decimal) else np.nan, shape)
            self._constants[id_] = found
        return found

    def _reach(self, id_: int, block: Block, period: int, shape: tuple[int, int]) -> Reach:
        """The history of an argument, with its values of this step."""
        found = block.reached.get((id_, period))
        if found is None:
            history = self._histories[block.group.index, id_, period]
            found = self._in_place(id_, block, period, history.lead + shape[1])
            if found is None:
                history.extend(block.rows, self._argument(id_, block, shape))
                found = history.reach()
            block.reached[id_, period] = found
        return found

    def _in_place(self, id_: int, block: Block, period: int, least: int) -> Reach | None:
        """A recorded column of a single instrument from where it lies: once there are enough bars before, nothing is copied."""
        node = self.graph[id_]
        if node.op != "field" or node.period != period or (block.group.index, id_) in self.kept:
            return None
        reach = block.stacks[period].reach(str(node.consts[0])) if node.consts[0] in RECORDED else None
        return reach if reach is not None and reach.end is not None and reach.end >= least else None

    def _outputs(self, node: Node, block: Block, shape: tuple[int, int]) -> Floats:
        """All outputs of a function call [k, o, n], computed once for all nodes that read one of them."""
        number = self._numbers[node.id]
        if number not in block.outputs:
            self._call(node, block, shape)()
        return block.outputs[number]

    def _call(self, node: Node, block: Block, shape: tuple[int, int]) -> Task:
        """What is left to do for the outputs of a function call once its arguments are there."""
        number = self._numbers[node.id]
        call = self._calls[block.group.index, number]
        if call.function.is_recursive:
            inputs = [np.require(self._argument(a, block, shape), np.float64, ["C", "W"]) for a in node.args]
            ends = [np.full(shape[0], shape[1])] * len(inputs)
            rows = np.arange(shape[0])
        else:
            reaches = [self._reach(a, block, node.period, shape) for a in node.args]
            inputs = [reach.values for reach in reaches]
            ends = [reach.ends_of(block.places) for reach in reaches]
            rows = block.places
        into = self._space(node, block, shape[1])
        outputs = call.room(shape[0], shape[1]) if into is None else into
        block.outputs[number] = outputs
        return partial(call.run, block.places, inputs, rows, ends, shape[1], outputs)

    def _space(self, node: Node, block: Block, bars: int) -> Floats | None:
        """Where the only output of a single instrument is kept, if it is: it is written there at once, and nowhere else."""
        history = self._histories.get((block.group.index, node.id, node.period))
        if history is None or block.rows is not None:
            return None
        if len(self._calls[block.group.index, self._numbers[node.id]].function.outputs) > 1:
            return None
        space = history.claim(bars)
        if space is None:
            return None
        block.reached[node.id, node.period] = history.reach()
        return space.reshape(1, 1, bars)

    def _of(self, node: Node, block: Block, shape: tuple[int, int], by_group: Mapping[int, list[Block]]) -> Floats:
        """The other instrument's value at its bar that closed at the same instant; unknown where it has none."""
        index, row = self.layout.places.get(str(node.consts[0]), (-1, -1))
        for other in by_group.get(index, ()):
            at = np.flatnonzero(other.places == row)
            if len(at) and other.stacks[node.period].bars:
                closes = other.stacks[node.period].closes[at[0]]
                return _same_instant(block.stacks[node.period].closes, closes, other.values[node.args[0]][at[0]])
        return np.full(shape, np.nan)


def _nothing() -> None:
    """Nothing is under way."""


def _same_instant(mine: Ints, theirs: Ints, values: Floats) -> Floats:
    at = np.minimum(np.searchsorted(theirs, mine), len(theirs) - 1)
    return np.where(theirs[at] == mine, values[at], np.nan)


def _last_closed(mine: Ints, theirs: Ints, values: Floats, carried: Floats) -> tuple[Floats, Floats]:
    """The value of the last bar of another period that closed by then, and what to carry into the next chunk: all [k, ...]."""
    joined = np.concatenate([carried[:, None], values], axis=1)
    if (mine == mine[:1]).all() and (theirs == theirs[:1]).all():
        return joined[:, np.searchsorted(theirs[0], mine[0], side="right")], joined[:, -1]
    found = np.empty(mine.shape)
    for row in range(len(mine)):
        found[row] = joined[row, np.searchsorted(theirs[row], mine[row], side="right")]
    return found, joined[:, -1]
