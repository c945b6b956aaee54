"""Books: parts of the capital, each with its strategies and what it may hold at most.

Together they have at most the whole capital. Where there are books every strategy belongs to exactly one, so that nothing
trades capital that nobody has given it. What a book may hold becomes a constraint like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from tb.core.diagnostics import Label, did_you_mean
from tb.core.encode import plain
from tb.core.span import Span
from tb.core.units import NUMBER, TEXT, TRUTH, money
from tb.dsl import checked, syntax
from tb.dsl.check.scope import Scope
from tb.dsl.checked_capital import Book

_ALL = Decimal(1)


def books(scope: Scope, nodes: Sequence[syntax.Book], strategies: Sequence[syntax.Strategy]) -> None:
    """Checks the books of a project together and keeps them. A policy that is read without rules names strategies freely."""
    known = [strategy.name for strategy in strategies]
    taken: dict[str, syntax.Book] = {}
    for node in nodes:
        for name in node.strategies:
            _strategy(scope, node, name, known, taken)
        share = _share(scope, node)
        leverage = _leverage(scope, node)
        if node.name not in scope.books:
            scope.books[node.name] = Book(node.name, share, node.strategies, leverage, node.span)
    total = sum((book.share for book in scope.books.values()), Decimal(0))
    if total > _ALL:
        hint = f"take {plain((total - _ALL) * 100)}% away from one of them"
        scope.report("TB073", f"the books have {plain(total * 100)}% of capital together", nodes[-1].span, hint)
    for strategy in strategies if nodes else ():
        if strategy.name not in taken:
            hint = f"add it to one: `book {nodes[0].name} ... strategies {', '.join([*nodes[0].strategies, strategy.name])}`"
            scope.report("TB073", f"`{strategy.name}` belongs to no book, and so has no capital", strategy.span, hint)


def _strategy(scope: Scope, node: syntax.Book, name: str, known: list[str], taken: dict[str, syntax.Book]) -> None:
    if known and name not in known:
        hint = did_you_mean(name, known) or f"name strategies: {', '.join(f'`{k}`' for k in known)}"
        scope.report("TB102", f"there is no strategy `{name}`", node.span, hint)
    elif name in taken:
        labels = (Label(taken[name].span, "it belongs to this book"),)
        where = "twice to this book" if taken[name] is node else f"to `{taken[name].name}` already"
        scope.report("TB073", f"`{name}` belongs {where}", node.span, f"remove `{name}` from one of the two", labels)
    taken.setdefault(name, node)


def _share(scope: Scope, node: syntax.Book) -> Decimal:
    share = node.capital.value / 100 if node.capital.unit == "%" else node.capital.value / 10_000
    if not 0 < share <= _ALL:
        message = f"`{node.capital.text}` is no share of capital"
        scope.report("TB073", message, node.capital.span, "write a share above 0% and up to 100%")
    return share


def _leverage(scope: Scope, node: syntax.Book) -> Decimal:
    if node.leverage is None:
        return _ALL
    if node.leverage.value <= 0:
        hint = "write `leverage at most 1`, or leave it out: a book holds at most its equity then"
        scope.report("TB073", f"`{node.leverage.text}` is no leverage", node.leverage.span, hint)
    return node.leverage.value


def constraints(found: Iterable[Book], currency: str) -> tuple[checked.Constraint, ...]:
    """For each book: what it holds, all positions added up, is at most so many times its equity (else shrinks)."""
    return tuple(_constraint(book, currency) for book in found)


def _constraint(book: Book, currency: str) -> checked.Constraint:
    span = book.span
    held = checked.FactRef("after.gross of book", "", money(currency), span)
    passes = checked.Comparison("le", held, _bound(book.leverage, currency, span), TRUTH, span)
    place = checked.FactRef("order.book", "", TEXT, span)
    elsewhere = checked.Comparison("ne", place, checked.Const(book.name, TEXT, book.name, None, span), TRUTH, span)
    condition = checked.Logic("or", (elsewhere, passes), TRUTH, span)
    because = f"leverage of book {book.name}"
    return checked.Constraint(f"{book.name} leverage", "limit", condition, "shrink", None, False, False, because, span)


def _bound(leverage: Decimal, currency: str, span: Span) -> checked.Expr:
    equity = checked.FactRef("equity of book", "", money(currency), span)
    if leverage == _ALL:
        return equity
    times = checked.Const(leverage, NUMBER, plain(leverage), None, span)
    return checked.Pointwise("mul", (times, equity), money(currency), span)
