"""The decision tables that an entry or exit read: each with its value and the row that gave it."""

from __future__ import annotations

from collections.abc import Mapping

from tb.engine.explain.tables import tables_below
from tb.engine.explain.words import show_value
from tb.engine.graph import RuleGraph
from tb.engine.instant import Exact
from tb.engine.plan import EnterPlan, ExitPlan, roots_of
from tb.gate.explain.model import Said


def tables(graph: RuleGraph, entry: EnterPlan | ExitPlan, market: Mapping[int, Exact | float]) -> tuple[Said, ...]:
    """One for each table, in the order in which condition, words, size and levels read them."""
    return tuple(
        Said(
            name=f"table {row.table.consts[0]}",
            says=show_value(market[row.table.id], row.table.unit),
            because=str(row).replace(f" of table {row.table.consts[0]}", ""),
            place=f"{row.place.file}:{row.place.line}",
        )
        for row in tables_below(graph, roots_of(entry), market, inside=True)
    )
