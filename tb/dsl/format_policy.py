"""Constraints, exceptions, capital, votes and advisors as rows."""

from __future__ import annotations

from collections.abc import Iterator

from tb.core.span import Span
from tb.dsl import syntax
from tb.dsl.format_expression import SUM, spell, spell_text
from tb.dsl.format_row import STEP, TABLE_WIDTH, Row, because_of, doc_row, filled_row, header, row, tailed_rows

PolicyRows = syntax.Constraint | syntax.LimitException | syntax.Book | syntax.Council | syntax.Allocate | syntax.Advisor


def policy_rows(declaration: PolicyRows, source: list[str]) -> Iterator[Row]:
    span = declaration.span
    match declaration:
        case syntax.Limit(name=name, condition=condition):
            yield from tailed_rows(0, span, ("limit", name), "", condition, _tail(declaration), kind="constraint")
        case syntax.Require(name=name, condition=condition):
            yield from tailed_rows(0, span, ("require", name), "", condition, _tail(declaration), kind="constraint")
        case syntax.Forbid(name=name, when=when):
            yield from tailed_rows(0, span, ("forbid", name), "when ", when, _tail(declaration), kind="constraint")
        case syntax.Warn(name=name, when=when, because=because):
            yield from tailed_rows(0, span, ("warn", name), "when ", when, because_of(because), kind="constraint")
        case syntax.Pause():
            yield from _pause(declaration)
        case syntax.LimitException():
            yield from _exception(declaration, source)
        case syntax.Book():
            yield _book(declaration)
        case syntax.Council(votes=votes, operator=operator, share=share):
            words = [f"{vote.strategy} {vote.weight.text}," for vote in votes]
            tail = f"approve when weight for {operator} {share.text}"
            yield filled_row(0, span, ("council",), [*words[:-1], words[-1][:-1]], kind="council", tail=tail)
        case syntax.Allocate():
            yield _allocate(declaration)
        case syntax.Advisor():
            yield from _advisor(declaration, source)


def _tail(constraint: syntax.Limit | syntax.Require | syntax.Forbid) -> list[str]:
    tail = []
    verdict = constraint.otherwise
    if verdict is not None:
        length = f" for {verdict.length.text}" if verdict.length is not None else ""
        until = " until tomorrow" if verdict.until_tomorrow else ""
        tail.append(f"otherwise {verdict.verdict}{length}{until}")
    if constraint.every_order:
        tail.append("on every order")
    return tail + _level(constraint.level) + because_of(constraint.because)


def _level(level: str | None) -> list[str]:
    return ["level warn" if level == "warn" else level] if level is not None else []


def _pause(pause: syntax.Pause) -> Iterator[Row]:
    head, length = ("pause", pause.name), f"for {pause.length.text}"
    tail = _level(pause.level) + because_of(pause.because)
    if pause.when is not None:
        yield from tailed_rows(0, pause.span, head, f"{length} when ", pause.when, tail, kind="constraint")
        return
    count = f"{pause.losses} {'loss' if pause.losses == 1 else 'losses'}"
    cells = (*head, f"{length} after {count} in a row")
    if len("  ".join([*cells, *tail])) <= TABLE_WIDTH:
        yield row(0, pause.span, *cells, *(["  ".join(tail)] if tail else []), kind="constraint")
        return
    yield row(0, pause.span, *cells, kind="constraint")
    for part in tail:
        yield row(STEP, None, part)


def _exception(exception: syntax.LimitException, source: list[str]) -> Iterator[Row]:
    yield header(exception.span, f"exception {exception.name} to {exception.constraint}")
    tail = [f"when {spell(exception.when)}"] if exception.when is not None else []
    tail += [f"owner {spell_text(exception.owner.value)}"] if exception.owner is not None else []
    tail += [f"until {exception.until.value.isoformat()}"] if exception.until is not None else []
    tail += because_of(exception.because)
    bound = f"{'loosens' if exception.loosens else 'tightens'} to {spell(exception.bound, SUM)}"
    if STEP + len("  ".join([bound, *tail])) <= TABLE_WIDTH:
        yield row(STEP, exception.bound.span, "  ".join([bound, *tail]))
        return
    yield row(STEP, exception.bound.span, bound)
    for part in tail:
        yield row(2 * STEP, None, part)


def _book(book: syntax.Book) -> Row:
    words = [f"{name}," for name in book.strategies]
    words = [f"strategies {words[0]}", *words[1:]]
    words = [*words, f"leverage at most {book.leverage.text}"] if book.leverage is not None else [*words[:-1], words[-1][:-1]]
    return filled_row(0, book.span, (f"book {book.name}", f"{book.capital.text} of capital"), words, kind="book")


def _allocate(allocate: syntax.Allocate) -> Row:
    words = [f"kelly fraction {allocate.fraction.text} over {allocate.trades.text} trades"]
    words += [f"at most {allocate.most_each.text} each"] if allocate.most_each is not None else []
    words += [f"correlation above {allocate.correlation.text} counts as one"] if allocate.correlation is not None else []
    return row(0, allocate.span, f"allocate {', '.join(words)}")


def _advisor(advisor: syntax.Advisor, source: list[str]) -> Iterator[Row]:
    yield header(advisor.span, f"advisor {advisor.name}")
    yield from doc_row(advisor.doc, advisor.span, source)
    if advisor.adjust is not None:
        yield row(STEP, advisor.adjust.span, f"may adjust conviction by at most {spell(advisor.adjust, SUM)}")
    if advisor.veto:
        yield row(STEP, _said(source, advisor.span, "veto"), "may veto")
    spent = [f"{advisor.calls.text} calls per {advisor.per}"] if advisor.calls is not None else []
    spent += [f"{advisor.cost.text} per cycle"] if advisor.cost is not None else []
    answer = f"answer within {advisor.within.text} otherwise {advisor.late}"
    yield row(STEP, advisor.within.span, f"at most {', '.join([*spent, answer])}" if spent else answer)


def _said(source: list[str], span: Span, word: str) -> Span | None:
    """The line of a block that says no more than that word after its first; None where there is no source."""
    for line in range(span.line + 1, min(span.end_line, len(source)) + 1):
        if source[line - 1].split("#")[0].split()[1:] == [word]:
            return Span(span.file, line, 1, line, 1)
    return None
