"""Hypothesis strategies for syntactically valid trees: `expressions()`, `declarations()`, `programs()`.

What they make would parse from its canonical text; whether it makes sense to the checker is another matter.
"""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from tb.core.span import Span
from tb.dsl import syntax
from tb.dsl.numbers import spell_number

HERE = Span("generated", 1, 1, 1, 1)

NAMES = st.sampled_from(
    ["close", "volume", "fast", "slow", "trend", "spike", "equity", "x", "mid", "andy", "order_age", "iffy"]
)
DOTTED = st.sampled_from(["order.stop", "limits.max_position_pct", "after.gross", "spike.because", "order.price", "x.y.z"])
WORDS = st.sampled_from(["core", "set", "crash", "rotational", "day_start"])
SYMBOLS = st.sampled_from(["BTC-USD", "EUR_USD", "ETH-PERP", "BTC/USD", "AAPL", "BTC-27JUN25"]).map(
    lambda symbol: syntax.Symbol(symbol, HERE)
)
VALUES = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\u2028\u2029"), max_size=20)
TEXTS = VALUES.map(lambda value: syntax.Text(value, HERE))
UNITS = st.sampled_from([None, None, "%", "bps", "s", "m", "h", "d", "w", "bars", "R", "pips", "USD", "USD/BTC", "BTC"])


@st.composite
def numbers(draw: st.DrawFn, units: st.SearchStrategy[str | None] = UNITS) -> syntax.Number:
    unit = draw(units)
    digits = draw(st.sampled_from(["0", "1", "5", "1.5", "60_000", "0.01", "100", "2.50"]) | st.integers(0, 10**9).map(str))
    plain = unit is None or (unit[0].isupper() and unit != "R")
    magnitude = draw(st.sampled_from(["", "", "k", "M", "B"])) if plain else ""
    scale = {"": 1, "k": 1000, "M": 10**6, "B": 10**9}[magnitude]
    value = Decimal(digits.replace("_", "")) * scale
    return syntax.Number(value, unit, spell_number(digits, magnitude, unit, value), HERE)


def periods() -> st.SearchStrategy[syntax.Number]:
    return numbers(st.sampled_from(["s", "m", "h", "d", "w"]))


def durations() -> st.SearchStrategy[syntax.Number]:
    return numbers(st.sampled_from(["s", "m", "h", "d", "w", "bars"]))


def names() -> st.SearchStrategy[syntax.Name]:
    return (NAMES | DOTTED).map(lambda text: syntax.Name(tuple(text.split(".")), HERE))


ATOMS = numbers() | names() | TEXTS


def _calls(inner: st.SearchStrategy[syntax.Expr]) -> st.SearchStrategy[syntax.Expr]:
    named = st.lists(st.tuples(NAMES, inner), max_size=2, unique_by=lambda pair: pair[0]).map(tuple)
    arguments = st.lists(inner | SYMBOLS, max_size=3).map(tuple)
    return st.builds(syntax.Call, names(), arguments, named, st.just(HERE))


def _not_ahead(bars: syntax.Expr) -> syntax.Expr:
    """`x[-n]` would look ahead, which the parser refuses."""
    return _not_ahead(bars.operand) if isinstance(bars, syntax.Unary) else bars


def _series(inner: st.SearchStrategy[syntax.Expr]) -> st.SearchStrategy[syntax.Expr]:
    here = st.just(HERE)
    back = inner.map(_not_ahead)
    return st.one_of(
        st.builds(syntax.Part, inner, WORDS, here),
        st.builds(syntax.Shift, inner, back, here),
        st.builds(syntax.AtPeriod, inner, periods(), here),
        st.builds(syntax.Of, inner, inner | SYMBOLS, here),
        st.builds(syntax.AtMoment, inner, WORDS, here),
        st.builds(syntax.Unary, st.sampled_from(["-", "not"]), inner, here),
        st.builds(syntax.Binary, st.sampled_from(["+", "-", "*", "/", "and", "or", "and"]), inner, inner, here),
    )


def _conditions(inner: st.SearchStrategy[syntax.Expr]) -> st.SearchStrategy[syntax.Expr]:
    here, negated = st.just(HERE), st.booleans()
    length = durations() | names()
    return st.one_of(
        st.builds(syntax.Compare, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), inner, inner | SYMBOLS, here),
        st.builds(syntax.Between, inner, inner, inner, here),
        st.builds(syntax.Member, inner | SYMBOLS, names(), negated, here),
        st.builds(syntax.Is, inner, WORDS, negated, here),
        st.builds(syntax.Crosses, inner, st.sampled_from(["above", "below"]), inner, here),
        st.builds(syntax.ForBars, inner, length, here),
        st.builds(syntax.WithinBars, inner, length, here),
    )


def expressions(max_leaves: int = 12) -> st.SearchStrategy[syntax.Expr]:
    """Any expression, of every kind of node."""
    return st.recursive(ATOMS, lambda inner: _calls(inner) | _series(inner) | _conditions(inner), max_leaves=max_leaves)


EXPRESSIONS = expressions(8)
BECAUSE = st.none() | TEXTS
DOCS = st.none() | VALUES
HERE_ALWAYS = st.just(HERE)


def _tiers() -> st.SearchStrategy[syntax.Tier]:
    members = st.lists(SYMBOLS, min_size=1, max_size=6, unique_by=lambda one: one.symbol).map(tuple)
    weights = st.just((None, None)) | st.tuples(numbers(st.just("%")), numbers(st.just("%")))
    return st.builds(
        lambda name, listed, weight, hold: syntax.Tier(name, listed, weight[0], weight[1], hold, HERE),
        NAMES,
        members,
        weights,
        st.none() | durations(),
    )


def _regimes() -> st.SearchStrategy[syntax.Regime]:
    cases = st.lists(st.builds(syntax.RegimeCase, NAMES, EXPRESSIONS, HERE_ALWAYS), min_size=1, max_size=3)
    last = st.just([]) | st.just([syntax.RegimeCase("chop", None, HERE)])
    return st.builds(lambda some, final: syntax.Regime((*some, *final), HERE), cases, last)


def _confidences() -> st.SearchStrategy[syntax.Confidence]:
    plain = numbers(st.none())
    lone = plain.map(lambda level: syntax.Confidence(level, level, None, None, None, HERE))
    return lone | st.builds(syntax.Confidence, plain, plain, EXPRESSIONS, plain, plain, HERE_ALWAYS)


@st.composite
def _sizes(draw: st.DrawFn) -> tuple[syntax.SizeCase, ...]:
    cases = draw(
        st.lists(st.builds(syntax.SizeCase, EXPRESSIONS, st.booleans(), EXPRESSIONS, st.just(False), HERE_ALWAYS), max_size=3)
    )
    last = draw(st.builds(syntax.SizeCase, EXPRESSIONS, st.booleans(), st.none(), st.just(bool(cases)), HERE_ALWAYS))
    return (*cases, *draw(st.sampled_from([(), (last,)])))


def _levels() -> st.SearchStrategy[syntax.ExitLevel | None]:
    distance = st.builds(syntax.Distance, EXPRESSIONS, st.sampled_from(["above", "below"]), HERE_ALWAYS)
    return st.none() | distance | st.builds(syntax.AtPrice, EXPRESSIONS, HERE_ALWAYS)


def _enters() -> st.SearchStrategy[syntax.Enter]:
    target = _levels() | numbers(st.just("R")).map(lambda multiple: syntax.InR(multiple, HERE))
    direction = st.sampled_from(["long", "short"])
    return st.builds(syntax.Enter, direction, EXPRESSIONS, _sizes(), _levels(), target, BECAUSE, HERE_ALWAYS)


def _strategies() -> st.SearchStrategy[syntax.Strategy]:
    exits = st.lists(st.builds(syntax.ExitWhen, EXPRESSIONS, BECAUSE, HERE_ALWAYS), max_size=2).map(tuple)
    cool = st.builds(syntax.CoolDown, durations(), st.sampled_from(["exit", "loss", "stop"]), HERE_ALWAYS)
    return st.builds(
        syntax.Strategy,
        NAMES,
        NAMES,
        periods(),
        st.lists(_enters(), min_size=1, max_size=2).map(tuple),
        exits,
        st.none() | durations(),
        st.lists(cool, max_size=2).map(tuple),
        DOCS,
        HERE_ALWAYS,
    )


def _verdicts() -> st.SearchStrategy[syntax.Otherwise | None]:
    plain = st.sampled_from(["reject", "shrink", "halt"]).map(lambda verdict: syntax.Otherwise(verdict, None, False, HERE))
    pause = durations().map(lambda length: syntax.Otherwise("pause", length, False, HERE))
    return st.none() | plain | pause | st.just(syntax.Otherwise("halt", None, True, HERE))


def _params() -> st.SearchStrategy[syntax.Param]:
    bounds = st.just((None, None)) | st.tuples(EXPRESSIONS, EXPRESSIONS)
    return st.builds(
        lambda name, value, bound, step, doc: syntax.Param(name, value, bound[0], bound[1], step, doc, HERE),
        NAMES,
        EXPRESSIONS,
        bounds,
        st.none() | EXPRESSIONS,
        DOCS,
    )


def declarations(*, is_policy: bool) -> st.SearchStrategy[syntax.Declaration]:
    """Any declaration that such a file may hold."""
    tail = (_verdicts(), st.booleans(), BECAUSE, HERE_ALWAYS)
    require: st.SearchStrategy[syntax.Declaration] = (
        st.builds(syntax.Require, NAMES, EXPRESSIONS, *tail)
        if is_policy
        else st.builds(syntax.ParamRequire, EXPRESSIONS, HERE_ALWAYS)
    )
    members = st.lists(SYMBOLS, min_size=1, max_size=6, unique_by=lambda one: one.symbol).map(tuple)
    return st.one_of(
        st.builds(syntax.Use, NAMES, HERE_ALWAYS),
        _params(),
        require,
        st.builds(syntax.Group, NAMES, members, HERE_ALWAYS),
        st.builds(
            syntax.Universe,
            NAMES,
            st.none() | NAMES,
            st.lists(_tiers(), min_size=1, max_size=3).map(tuple),
            st.none() | EXPRESSIONS,
            DOCS,
            HERE_ALWAYS,
        ),
        _regimes(),
        st.builds(syntax.Let, NAMES, EXPRESSIONS, HERE_ALWAYS),
        st.builds(syntax.Trigger, NAMES, EXPRESSIONS, st.none() | _confidences(), BECAUSE, DOCS, HERE_ALWAYS),
        _strategies(),
        st.builds(syntax.Limit, NAMES, EXPRESSIONS, *tail),
        st.builds(syntax.Forbid, NAMES, EXPRESSIONS, *tail),
        st.builds(syntax.Pause, NAMES, durations(), st.integers(1, 9), st.none(), BECAUSE, HERE_ALWAYS),
        st.builds(syntax.Pause, NAMES, durations(), st.none(), EXPRESSIONS, BECAUSE, HERE_ALWAYS),
        st.builds(syntax.Warn, NAMES, EXPRESSIONS, BECAUSE, HERE_ALWAYS),
    )


@st.composite
def programs(draw: st.DrawFn, max_declarations: int = 5) -> syntax.File:
    """A whole file of rules or policy, without comments and places."""
    is_policy = draw(st.booleans())
    doc = draw(DOCS)
    body = draw(st.lists(declarations(is_policy=is_policy), max_size=max_declarations))
    return syntax.File("generated.tb", is_policy, doc, tuple(body), (), "")
