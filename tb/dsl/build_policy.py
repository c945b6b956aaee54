"""What policy says beside constraints: exceptions, books, the council, the allocator and advisors."""

from __future__ import annotations

from lark import Token, Tree

from tb.dsl import syntax
from tb.dsl.build_calendar import build_date
from tb.dsl.build_expression import build_duration, build_expression, build_number, build_text
from tb.dsl.build_words import because_of, build_name, children_of, doc_of, once, span_of
from tb.dsl.reading import Node, Reading

_PERIODS = ("minute", "hour", "day")


def build_exception(tree: Node, reading: Reading) -> syntax.Declaration:
    name = build_name(tree.children[1], reading)
    what = f"exception `{name}`"
    change = once(tree, "change", "loosens or tightens", what, reading) or next(children_of(tree, "change"))
    loosens = str(change.children[0]) == "loosens"
    when, owner = once(change, "when_part", "when", what, reading), once(change, "owner", "owner", what, reading)
    until, because = once(change, "until", "until", what, reading), because_of(change, what, reading)
    if loosens:
        _demand(what, {'owner "NAME"': owner, "until 2026-12-31": until, 'because "..."': because}, change, reading)
    return syntax.LimitException(
        name=name,
        constraint=str(tree.children[3]),
        loosens=loosens,
        bound=build_expression(change.children[2], reading),
        when=build_expression(when.children[1], reading) if when else None,
        owner=build_text(owner.children[1], reading) if owner else None,
        until=build_date(until.children[1], reading) if until else None,
        because=because,
        span=span_of(tree, reading),
    )


def _demand(what: str, parts: dict[str, object], change: Node, reading: Reading) -> None:
    missing = [written for written, found in parts.items() if found is None]
    if missing:
        lacks = " and ".join(f"`{written.split()[0]}`" for written in missing)
        message = f"{what} loosens a limit and has no {lacks}"
        reading.missing("TB312", message, span_of(change, reading), f"add `{' '.join(missing)}`")


def build_book(tree: Node, reading: Reading) -> syntax.Declaration:
    children = tree.children
    leverage = next(children_of(tree, "leverage"), None)
    names = [child for child in children[6:] if isinstance(child, Token) and child.type == "WORD"]
    for again in (name for index, name in enumerate(names) if name in names[:index]):
        reading.mistake("TB018", f"`{again}` is listed twice", reading.span(again), "remove one of the two")
    return syntax.Book(
        name=build_name(children[1], reading),
        capital=_share(children[2], reading),
        strategies=tuple(str(name) for name in names),
        leverage=_plain(leverage.children[3], reading) if leverage else None,
        span=span_of(tree, reading),
    )


def build_council(tree: Node, reading: Reading) -> syntax.Declaration:
    votes = tuple(
        syntax.Vote(str(vote.children[0]), _plain(vote.children[1], reading), span_of(vote, reading))
        for vote in children_of(tree, "vote")
    )
    for index, vote in enumerate(votes):
        if vote.strategy in [earlier.strategy for earlier in votes[:index]]:
            reading.mistake("TB018", f"`{vote.strategy}` votes twice", vote.span, "remove one of the two")
    operator = next(child for child in tree.children if isinstance(child, Token) and child.type == "COMPARE")
    if str(operator) not in (">=", ">"):
        message = f"`{operator}` would approve when few are for it"
        reading.mistake("TB011", message, reading.span(operator), "write `>=` or `>`")
    share = next(child for child in tree.children if isinstance(child, Token) and child.type == "NUMBER")
    return syntax.Council(votes, str(operator), _share(share, reading), span_of(tree, reading))


def build_allocate(tree: Node, reading: Reading) -> syntax.Declaration:
    children = tree.children
    most = once(tree, "most_each", "at most", "`allocate`", reading)
    correlated = once(tree, "correlated", "correlation above", "`allocate`", reading)
    return syntax.Allocate(
        fraction=_plain(children[3], reading),
        trades=_count(children[5], "trades", "over 50 trades", reading),
        most_each=_share(most.children[2], reading) if most else None,
        correlation=_plain(correlated.children[2], reading) if correlated else None,
        span=span_of(tree, reading),
    )


def build_advisor(tree: Node, reading: Reading) -> syntax.Declaration | None:
    name = build_name(tree.children[1], reading)
    what, head = f"advisor `{name}`", reading.span(*tree.children[:2])
    adjust, veto = once(tree, "adjust", "may adjust", what, reading), once(tree, "veto", "may veto", what, reading)
    budget = Tree("budget", [part for line in children_of(tree, "budget") for part in line.children])
    calls, cost = once(budget, "calls", "calls", what, reading), once(budget, "cost", "per cycle", what, reading)
    answer = once(budget, "answer", "answer within", what, reading)
    if adjust is None and veto is None:
        hint = "add `may veto`, or `may adjust conviction by at most 0.15`"
        reading.missing("TB019", f"{what} may do nothing", head, hint)
    if answer is None:
        hint = "add `answer within 5s otherwise abstain` below it"
        reading.missing("TB019", f"{what} may take any time to answer", head, hint)
        return None
    return syntax.Advisor(
        name=name,
        adjust=build_expression(adjust.children[6], reading) if adjust else None,
        veto=veto is not None,
        calls=_count(calls.children[0], "calls", "60 calls per hour", reading) if calls else None,
        per=_period(calls.children[3], reading) if calls else None,
        cost=build_number(cost.children[0], reading) if cost else None,
        within=build_duration(answer.children[2], reading, bars=False),
        late=str(answer.children[4]),
        doc=doc_of(tree, what, reading),
        span=span_of(tree, reading),
    )


def _period(token: Node, reading: Reading) -> str:
    if str(token) not in _PERIODS:
        hint = "write `per minute`, `per hour` or `per day`"
        reading.mistake("TB002", f"`per {token}` is no budget for calls", reading.span(token), hint)
    return str(token)


def _share(token: Node, reading: Reading) -> syntax.Number:
    number = build_number(token, reading)
    if number.unit not in ("%", "bps"):
        hint = f"write `{number.text}%`" if number.unit is None else "write `60%`"
        reading.mistake("TB012", f"a share is a percentage, `{number.text}` is none", number.span, hint)
    return number


def _plain(token: Node, reading: Reading) -> syntax.Number:
    number = build_number(token, reading)
    if number.unit is not None:
        reading.mistake("TB012", f"a plain number stands here, `{number.text}` has a unit", number.span, "remove the unit")
    return number


def _count(token: Node, what: str, example: str, reading: Reading) -> syntax.Number:
    number = build_number(token, reading)
    if number.unit is not None or number.value != number.value.to_integral_value() or number.value < 1:
        hint = f"write a whole number, as in `{example}`"
        reading.mistake("TB012", f"`{number.text}` is no number of {what}", number.span, hint)
    return number
