"""What rules see beside single conditions: signals, scores, feeds, sessions and decision tables."""

from __future__ import annotations

from lark import Token, Tree

from tb.core.diagnostics import did_you_mean
from tb.dsl import syntax
from tb.dsl.build_calendar import WEEK, build_clock, build_date, build_days
from tb.dsl.build_expression import build_duration, build_expression, build_number, build_text
from tb.dsl.build_words import because_of, build_name, children_of, doc_of, once, span_of
from tb.dsl.reading import Node, Reading
from tb.dsl.words import FEED_KINDS


def build_signal(tree: Node, reading: Reading) -> syntax.Declaration:
    name = build_name(tree.children[1], reading)
    what = f"signal `{name}`"
    cases = tuple(
        found for case in children_of(tree, "signal_case") if (found := _signal_case(case, what, reading)) is not None
    )
    if not any(children_of(tree, "signal_case")):
        hint = "add `long when CONDITION conviction 5` below it"
        reading.missing("TB019", f"{what} never says long or short", reading.span(*tree.children[:2]), hint)
    return syntax.Signal(name, cases, doc_of(tree, what, reading), span_of(tree, reading))


def _signal_case(tree: Node, what: str, reading: Reading) -> syntax.SignalCase | None:
    direction = str(tree.children[0])
    what = f"`{direction}` of {what}"
    conviction, because = once(tree, "conviction", "conviction", what, reading), because_of(tree, what, reading)
    when = build_expression(tree.children[2], reading)
    if conviction is None:
        hint = "add `conviction 5` after the condition: 1 is a hunch, 10 is sure"
        reading.missing("TB019", f"{what} has no conviction", span_of(tree, reading), hint)
        return None
    level = build_expression(conviction.children[1], reading)
    return syntax.SignalCase(direction, when, level, because, span_of(tree, reading))


def build_score(tree: Node, reading: Reading) -> syntax.Declaration:
    name = build_name(tree.children[1], reading)
    what = f"score `{name}`"
    lines = tuple(_points(line, reading) for line in children_of(tree, "points"))
    if not lines:
        reading.missing(
            "TB019", f"{what} gives no points", reading.span(*tree.children[:2]), "add `+3 when CONDITION` below it"
        )
    out_of = _plain(tree.children[3], "of 10", reading)
    return syntax.Score(name, out_of, lines, doc_of(tree, what, reading), span_of(tree, reading))


def _points(tree: Node, reading: Reading) -> syntax.Points:
    sign, points = str(tree.children[0]), _plain(tree.children[1], f"{tree.children[0]}3 when CONDITION", reading)
    return syntax.Points(sign, points, build_expression(tree.children[3], reading), span_of(tree, reading))


def _plain(token: Node, example: str, reading: Reading) -> syntax.Number:
    number = build_number(token, reading)
    if number.unit is not None:
        reading.mistake("TB012", f"points have no unit, `{number.text}` has one", number.span, f"write `{example}`")
    return number


def build_feed(tree: Node, reading: Reading) -> syntax.Declaration | None:
    name = build_name(tree.children[1], reading)
    what, kind = f"feed `{name}`", tree.children[3]
    if str(kind) not in FEED_KINDS:
        hint = did_you_mean(str(kind), FEED_KINDS) or "write " + ", ".join(f"`{one}`" for one in FEED_KINDS)
        reading.mistake("TB002", f"`{kind}` is no kind of value a feed can have", reading.span(kind), hint)
    bounds, every = once(tree, "range", "in", what, reading), once(tree, "feed_every", "every", what, reading)
    per, stale = (
        once(tree, "per_instrument", "per instrument", what, reading),
        once(tree, "stale", "stale after", what, reading),
    )
    doc = next((child for child in tree.children if isinstance(child, Token) and child.type == "TEXT"), None)
    if stale is None:
        hint = "add `, stale after 2d`: an old value then counts as unknown"
        reading.missing("TB019", f"{what} never gets stale", span_of(tree, reading), hint)
        return None
    return syntax.Feed(
        name=name,
        kind=str(kind),
        low=build_expression(bounds.children[1], reading) if bounds else None,
        high=build_expression(bounds.children[3], reading) if bounds else None,
        per_instrument=per is not None,
        every=build_duration(every.children[1], reading, bars=False) if every else None,
        stale_after=build_duration(stale.children[2], reading, bars=False),
        doc=build_text(doc, reading).value if doc is not None else None,
        span=span_of(tree, reading),
    )


def build_session(tree: Node, reading: Reading) -> syntax.Declaration:
    children = tree.children
    start, end = build_clock(children[3], reading), build_clock(children[5], reading)
    if start.value == end.value:
        span = start.span.to(end.span)
        reading.mistake("TB032", "the session ends when it starts", span, "write two different times of day")
    days: tuple[str, ...] = WEEK
    closed: tuple[syntax.Date, ...] = ()
    for child in children[7:]:
        if isinstance(child, Tree) and child.data == "days":
            days = build_days([one for one in child.children[1:] if _is(one, "WORD")], reading)
        elif isinstance(child, Tree):
            closed = tuple(build_date(one, reading) for one in child.children[1:] if _is(one, "DATE"))
    name = build_name(children[1], reading)
    return syntax.Session(name, start, end, str(children[6]), days, closed, span_of(tree, reading))


def build_table(tree: Node, reading: Reading) -> syntax.Declaration | None:
    name = build_name(tree.children[1], reading)
    what = f"table `{name}`"
    head = next(children_of(tree, "head"))
    *columns, outcome = (build_expression(cell, reading) for cell in head.children if not _is(cell, "BAR", "_NL"))
    rows = tuple(_row(row, len(columns), reading) for row in children_of(tree, "row"))
    for row in rows[:-1]:
        if not row.cells:
            hint = "move it to the end of the table"
            reading.mistake("TB029", "`otherwise` stands before other rows, which could never hold", row.span, hint)
    doc = doc_of(tree, what, reading)
    if not isinstance(outcome, syntax.Name) or len(outcome.parts) > 1:
        hint = "end the head with one word, as in `regime | trend > 0 | share`"
        reading.mistake("TB002", f"the last column of {what} needs a name for what the table gives", outcome.span, hint)
        return None
    return syntax.Table(name, tuple(columns), outcome.text, rows, doc, span_of(tree, reading))


def _row(tree: Node, columns: int, reading: Reading) -> syntax.TableRow:
    *nodes, last = (child for child in tree.children if not _is(child, "BAR", "_NL"))
    span = span_of(tree, reading)
    if nodes and _is(nodes[0], "OTHERWISE"):
        return syntax.TableRow((), build_expression(last, reading), span)
    cells, outcome = tuple(_cell(node, reading) for node in nodes), _cell(last, reading)
    if len(cells) != columns:
        wanted = f"{columns} conditions and a result" if columns > 1 else "one condition and a result"
        hint = f"write {wanted} with `|` between, and `any` where a column does not matter"
        reading.mistake("TB033", f"the row has {len(cells) + 1} cells, the head {columns + 1}", span, hint)
    if not isinstance(outcome, syntax.EqualCell) or outcome.negated:
        reading.mistake("TB033", "the last cell of a row is the result, not a condition", outcome.span, "write a value there")
        return syntax.TableRow(cells, syntax.Name(("x",), outcome.span), span)
    return syntax.TableRow(cells, outcome.value, span)


def _cell(tree: Node, reading: Reading) -> syntax.Cell:
    children, span = tree.children, span_of(tree, reading)
    if _is(children[0], "ANY"):
        return syntax.AnyCell(span)
    if _is(children[0], "COMPARE"):
        return syntax.CompareCell(str(children[0]), build_expression(children[1], reading), span)
    if len(children) == 3:
        return syntax.RangeCell(build_expression(children[0], reading), build_expression(children[2], reading), span)
    return syntax.EqualCell(build_expression(children[-1], reading), len(children) == 2, span)


def _is(node: Node, *kinds: str) -> bool:
    return isinstance(node, Token) and node.type in kinds
