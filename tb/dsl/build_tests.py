"""Tests and claims: what is given, what happens, what is expected; what every order must have."""

from __future__ import annotations

from lark import Token, Tree

from tb.dsl import syntax
from tb.dsl.build_calendar import build_instant
from tb.dsl.build_expression import build_duration, build_expression, build_number, build_text
from tb.dsl.build_words import children_of, once, span_of
from tb.dsl.reading import Node, Reading
from tb.dsl.syntax import Expr

_GIVEN = syntax.Name | syntax.Call | syntax.Of | syntax.AtMoment | syntax.Shift | syntax.AtPeriod | syntax.Part
MOST_BARS = 1_000_000  # in one row: more is a slip of the keyboard


def build_test(tree: Node, reading: Reading) -> syntax.Declaration:
    head = reading.span(*tree.children[:2])
    name = build_text(tree.children[1], reading).value
    what = f"test `{name}`"
    data, proposes = once(tree, "data", "data", what, reading), once(tree, "proposes", "when", what, reading)
    expects = tuple(_expect(line.children[1], reading) for line in children_of(tree, "expect"))
    if not expects:
        reading.missing("TB019", f"{what} expects nothing", head, "add `expect reject by NAME`, or what else should happen")
    return syntax.Test(
        name=name,
        given=tuple(_given(line, reading) for line in children_of(tree, "given")),
        bars=tuple(_bars(block, reading) for block in children_of(tree, "bars")),
        recorded=_recorded(data, reading) if data else None,
        proposes=_proposes(proposes, reading) if proposes else None,
        expects=expects,
        span=span_of(tree, reading),
    )


def _given(tree: Node, reading: Reading) -> syntax.Given:
    return syntax.Given(tuple(_fact(fact, reading) for fact in children_of(tree, "fact")), span_of(tree, reading))


def _fact(tree: Node, reading: Reading) -> syntax.Fact:
    what = build_expression(tree.children[0], reading)
    if not isinstance(what, _GIVEN):
        hint = "write the name of a fact, as in `given spread = 80bps`"
        reading.mistake("TB002", "only a fact or a value can be given", what.span, hint)
    return syntax.Fact(what, build_expression(tree.children[2], reading), span_of(tree, reading))


def _bars(tree: Node, reading: Reading) -> syntax.Bars:
    children = tree.children
    start, columns = next(children_of(tree, "from"), None), next(children_of(tree, "columns"), None)
    names = tuple(str(word) for word in columns.children[:-1]) if columns else ()
    for index, word in enumerate(names):
        if columns and word in names[:index]:
            reading.mistake("TB018", f"the column `{word}` stands twice", reading.span(columns.children[index]), "remove one")
    return syntax.Bars(
        instrument=syntax.Symbol(str(children[1]), reading.span(children[1])),
        period=build_duration(children[2], reading, bars=False),
        start=build_instant(start, reading) if start else None,
        columns=names,
        rows=tuple(_bar(row, names, reading) for row in children_of(tree, "bar")),
        span=span_of(tree, reading),
    )


def _bar(tree: Node, columns: tuple[str, ...], reading: Reading) -> syntax.BarRow:
    tokens = [child for child in tree.children if isinstance(child, Token) and child.type in ("NUMBER", "UNKNOWN")]
    ramp = any(isinstance(child, Token) and child.type == "RANGE" for child in tree.children)
    times, volume = next(children_of(tree, "times"), None), next(children_of(tree, "volume"), None)
    values = [build_number(token, reading) if token.type == "NUMBER" else None for token in tokens]
    span = span_of(tree, reading)
    wanted = 2 if ramp else len(columns) or 1
    if len(values) != wanted or (columns and (ramp or volume)):
        said = f"the row has {len(values)} values, its columns are {', '.join(f'`{name}`' for name in columns)}"
        message = said if columns else "a row of bars without columns has one value, the close"
        hint = "give each column its value" if columns else "name the columns in a line above: `open high low close volume`"
        reading.mistake("TB033", message, span, hint)
    return syntax.BarRow(
        values=(values[0],) if ramp else tuple(values),
        goes_to=values[1] if ramp else None,
        times=_times(times.children[1], reading) if times else 1,
        volume=build_number(volume.children[1], reading) if volume else None,
        span=span,
    )


def _times(token: Node, reading: Reading) -> int:
    number = build_number(token, reading)
    whole = number.unit is None and number.value == number.value.to_integral_value()
    if not whole or not 1 <= number.value <= MOST_BARS:
        reading.mistake("TB012", f"`{number.text}` is no number of bars", number.span, "write a whole number, as in `100 x 24`")
        return 1
    return int(number.value)


def _recorded(tree: Node, reading: Reading) -> syntax.Recorded:
    start, end = next(children_of(tree, "from"), None), next(children_of(tree, "to"), None)
    return syntax.Recorded(
        path=build_text(tree.children[1], reading),
        start=build_instant(start, reading) if start else None,
        end=build_instant(end, reading) if end else None,
        span=span_of(tree, reading),
    )


def _proposes(tree: Node, reading: Reading) -> syntax.Proposes:
    children = tree.children
    quantity, instrument = build_number(children[4], reading), children[5]
    if isinstance(instrument, Token) and instrument.type == "SYMBOL":
        symbol = syntax.Symbol(str(instrument), reading.span(instrument))
    elif quantity.unit is not None and quantity.unit.isupper() and len(quantity.unit) > 1:  # `10 AAPL` is read as one word
        symbol = syntax.Symbol(quantity.unit, quantity.span)
        plain = quantity.text.removesuffix(quantity.unit).rstrip()
        quantity = syntax.Number(quantity.value, None, plain, quantity.span)
    else:
        hint = f"write `{children[3]} {quantity.text} BTC-USD`"
        reading.mistake("TB002", "the proposal names no instrument", quantity.span, hint)
        symbol = syntax.Symbol("X", quantity.span)
    return syntax.Proposes(
        strategy=str(children[1]),
        side=str(children[3]),
        quantity=quantity,
        instrument=symbol,
        price=_said(tree, "price_at", 1, reading),
        stop=_said(tree, "price_stop", 1, reading),
        target=_said(tree, "price_target", 1, reading),
        span=span_of(tree, reading),
    )


def _said(tree: Node, rule: str, at: int, reading: Reading) -> Expr | None:
    part = next(children_of(tree, rule), None)
    return build_expression(part.children[at], reading) if part else None


def _expect(tree: Node, reading: Reading) -> syntax.Expectation:
    by, span = once(tree, "decided_by", "by", "`expect`", reading), span_of(tree, reading)
    name = _named(by.children[1], reading) if by else None
    match tree.data:
        case "expect_none":
            return syntax.ExpectNoProposal(name, span)
        case "expect_that":
            condition = build_expression(tree.children[0], reading)
            if len(tree.children) == 1:
                return syntax.ExpectThat(condition, None, None, span)
            return syntax.ExpectThat(condition, str(tree.children[3]), build_number(tree.children[4], reading), span)
        case _:
            return _verdict(tree, name, reading)


def _named(token: Node, reading: Reading) -> str:
    """The name of a rule, quoted where it is more than one word: the weights of a tier are called `majors.core weight`."""
    return build_text(token, reading).value if token.type == "TEXT" else str(token)


def _verdict(tree: Node, by: str | None, reading: Reading) -> syntax.ExpectVerdict:
    words = {child.type: child for child in tree.children if isinstance(child, Token)}
    side, symbol, to = words.get("BUY") or words.get("SELL"), words.get("SYMBOL"), words.get("NUMBER")
    for rule, said in (("clause", "clause"), ("margin", "with margin")):
        once(tree, rule, said, "`expect`", reading)
    return syntax.ExpectVerdict(
        verdict=str(tree.children[0]),
        side=str(side) if side else None,
        instrument=syntax.Symbol(str(symbol), reading.span(symbol)) if symbol else None,
        to=build_number(to, reading) if to else None,
        by=by,
        clause=_said(tree, "clause", 1, reading),
        margin=_said(tree, "margin", 2, reading),
        span=span_of(tree, reading),
    )


def build_prove(tree: Node, reading: Reading) -> syntax.Declaration:
    claim = next(child for child in tree.children if isinstance(child, Tree))
    span = span_of(claim, reading)
    built: syntax.OrdersHave | syntax.ReducingApproved
    if claim.data == "orders_have":
        built = syntax.OrdersHave(str(claim.children[0]), build_expression(claim.children[3], reading), span)
    else:
        built = syntax.ReducingApproved(any(children_of(claim, "unless_halted")), span)
    return syntax.Prove(build_text(tree.children[1], reading).value, built, span_of(tree, reading))
