"""Hypothesis strategies for syntactically valid trees: `expressions()`, `declarations()`, `programs()`.

What they make would parse from its canonical text; whether it makes sense to the checker is another matter.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from tb.core.span import Span
from tb.dsl import syntax
from tb.dsl.build_calendar import WEEK
from tb.dsl.numbers import spell_number
from tb.dsl.words import FEED_KINDS

HERE = Span("generated", 1, 1, 1, 1)

NAMES = st.sampled_from(
    ["close", "volume", "fast", "slow", "trend", "spike", "equity", "x", "mid", "andy", "order_age", "iffy"]
)
MODULES = st.sampled_from(["close", "fast", "x", "std.triggers", "std.controls", "std.x"])
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
        st.builds(syntax.During, WORDS, here),
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
    listed = members.map(lambda some: (some, None)) | EXPRESSIONS.map(lambda where: ((), where))
    return st.builds(
        lambda name, chosen, weight, hold: syntax.Tier(name, *chosen, weight[0], weight[1], hold, HERE),
        NAMES,
        listed,
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


def _some_levels() -> st.SearchStrategy[syntax.ExitLevel]:
    distance = st.builds(syntax.Distance, EXPRESSIONS, st.sampled_from(["above", "below"]), HERE_ALWAYS)
    return distance | st.builds(syntax.AtPrice, EXPRESSIONS, HERE_ALWAYS)


def _levels() -> st.SearchStrategy[syntax.ExitLevel | None]:
    return st.none() | _some_levels()


def _by_conviction() -> st.SearchStrategy[syntax.ConvictionSize]:
    end, share = numbers(st.none()), numbers(st.just("%")) | NAMES.map(lambda text: syntax.Name((text,), HERE))
    return st.builds(syntax.ConvictionSize, end, end, st.booleans(), share, share, EXPRESSIONS, HERE_ALWAYS)


def _orders() -> st.SearchStrategy[syntax.Order]:
    valid = st.none() | durations()
    return st.one_of(
        st.just(syntax.Order("market", None, None, False, HERE)),
        st.builds(syntax.Order, st.just("limit"), EXPRESSIONS, valid, st.booleans(), HERE_ALWAYS),
        st.builds(syntax.Order, st.just("stop"), EXPRESSIONS, valid, st.just(False), HERE_ALWAYS),
    )


def _takes() -> st.SearchStrategy[syntax.Take]:
    share = numbers(st.just("%")) | names()
    level = _some_levels().filter(_is_no_multiple) | IN_R
    return st.builds(syntax.Take, share, level, HERE_ALWAYS)


def _is_no_multiple(level: syntax.ExitLevel) -> bool:
    """`take 50% at 1R` says a multiple of the risk, never a price."""
    return not (isinstance(level, syntax.AtPrice) and isinstance(level.price, syntax.Number) and level.price.unit == "R")


PROFITS = numbers(st.sampled_from(["R", "%"]))
IN_R = numbers(st.just("R")).map(lambda multiple: syntax.InR(multiple, HERE))


def _enters() -> st.SearchStrategy[syntax.Enter]:
    sizes = _sizes().map(lambda cases: (cases, None)) | _by_conviction().map(lambda size: ((), size))
    return st.builds(
        lambda direction, when, size, order, stop, even, trail, takes, target, because: syntax.Enter(
            direction, when, *size, order, stop, even, trail, takes, target, because, HERE
        ),
        DIRECTIONS,
        EXPRESSIONS,
        sizes,
        st.none() | _orders(),
        _levels(),
        st.none() | st.builds(syntax.BreakEven, PROFITS, HERE_ALWAYS),
        st.none() | st.builds(syntax.Trailing, EXPRESSIONS, st.none() | PROFITS, HERE_ALWAYS),
        st.lists(_takes(), max_size=2).map(tuple),
        _levels() | IN_R,
        BECAUSE,
    )


@st.composite
def _leg_enters(draw: st.DrawFn) -> syntax.LegEnter:
    instrument = SYMBOLS | st.sampled_from(["spot", "perp"]).map(lambda role: syntax.Name((role,), HERE))
    legs = [syntax.Leg(draw(SIDES), draw(instrument), draw(EXPRESSIONS), None, HERE)]
    for _ in range(draw(st.integers(1, 2))):
        size, same = draw(EXPRESSIONS.map(lambda one: (one, None)) | st.sampled_from([(None, "quantity"), (None, "money")]))
        legs.append(syntax.Leg(draw(SIDES), draw(instrument), size, same, HERE))
    return syntax.LegEnter(draw(EXPRESSIONS), tuple(legs), draw(BECAUSE), HERE)


def _quotes() -> st.SearchStrategy[syntax.Quote]:
    skew = st.none() | st.builds(syntax.Skew, EXPRESSIONS, HERE_ALWAYS)
    only = st.none() | EXPRESSIONS
    return st.builds(syntax.Quote, EXPRESSIONS, EXPRESSIONS, _sizes(), skew, only, BECAUSE, HERE_ALWAYS)


DIRECTIONS = st.sampled_from(["long", "short"])
SIDES = st.sampled_from(["buy", "sell"])


def _strategies() -> st.SearchStrategy[syntax.Strategy]:
    exits = st.lists(st.builds(syntax.ExitWhen, EXPRESSIONS, BECAUSE, HERE_ALWAYS), max_size=2).map(tuple)
    cool = st.builds(syntax.CoolDown, durations(), st.sampled_from(["exit", "loss", "stop"]), HERE_ALWAYS)
    return st.builds(
        syntax.Strategy,
        NAMES,
        NAMES,
        periods(),
        st.lists(_enters(), min_size=1, max_size=2).map(tuple),
        st.lists(_leg_enters(), max_size=1).map(tuple),
        st.lists(_quotes(), max_size=1).map(tuple),
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


def _signals() -> st.SearchStrategy[syntax.Signal]:
    case = st.builds(syntax.SignalCase, DIRECTIONS, EXPRESSIONS, EXPRESSIONS, BECAUSE, HERE_ALWAYS)
    return st.builds(syntax.Signal, NAMES, st.lists(case, min_size=1, max_size=2).map(tuple), DOCS, HERE_ALWAYS)


def _scores() -> st.SearchStrategy[syntax.Score]:
    plain = numbers(st.none())
    line = st.builds(syntax.Points, st.sampled_from("+-"), plain, EXPRESSIONS, HERE_ALWAYS)
    return st.builds(syntax.Score, NAMES, plain, st.lists(line, min_size=1, max_size=3).map(tuple), DOCS, HERE_ALWAYS)


def _feeds() -> st.SearchStrategy[syntax.Feed]:
    bounds = st.just((None, None)) | st.tuples(EXPRESSIONS, EXPRESSIONS)
    return st.builds(
        lambda name, kind, bound, per, every, stale, doc: syntax.Feed(name, kind, *bound, per, every, stale, doc, HERE),
        NAMES,
        st.sampled_from(FEED_KINDS),
        bounds,
        st.booleans(),
        st.none() | periods(),
        periods(),
        DOCS,
    )


DATES = st.dates(date(1990, 1, 1), date(2060, 1, 1)).map(lambda day: syntax.Date(day, HERE))
CLOCKS = st.times().map(lambda clock: syntax.Clock(clock.replace(second=0, microsecond=0), HERE))
INSTANTS = st.builds(syntax.Instant, DATES, st.none() | CLOCKS, HERE_ALWAYS)


@st.composite
def _sessions(draw: st.DrawFn) -> syntax.Session:
    start, end = draw(st.lists(CLOCKS, min_size=2, max_size=2, unique_by=lambda clock: clock.value))
    chosen = draw(st.sets(st.sampled_from(WEEK), min_size=1))
    days = draw(st.sampled_from([WEEK, WEEK[:5], WEEK[5:], tuple(day for day in WEEK if day in chosen)]))
    zone = draw(st.sampled_from(["UTC", "Europe/London", "America/New_York", "America/Port-au-Prince"]))
    return syntax.Session(draw(NAMES), start, end, zone, days, tuple(draw(st.lists(DATES, max_size=8))), HERE)


@st.composite
def _tables(draw: st.DrawFn) -> syntax.Table:
    columns = tuple(draw(st.lists(EXPRESSIONS, min_size=1, max_size=3)))
    cell: st.SearchStrategy[syntax.Cell] = st.one_of(
        st.just(syntax.AnyCell(HERE)),
        st.builds(syntax.CompareCell, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), EXPRESSIONS, HERE_ALWAYS),
        st.builds(syntax.RangeCell, EXPRESSIONS, EXPRESSIONS, HERE_ALWAYS),
        st.builds(syntax.EqualCell, EXPRESSIONS, st.booleans(), HERE_ALWAYS),
    )
    cells = st.lists(cell, min_size=len(columns), max_size=len(columns)).map(tuple)
    rows = draw(st.lists(st.builds(syntax.TableRow, cells, EXPRESSIONS, HERE_ALWAYS), min_size=1, max_size=3))
    last = draw(st.just([]) | EXPRESSIONS.map(lambda outcome: [syntax.TableRow((), outcome, HERE)]))
    return syntax.Table(draw(NAMES), columns, draw(NAMES), (*rows, *last), draw(DOCS), HERE)


@st.composite
def _exceptions(draw: st.DrawFn) -> syntax.LimitException:
    loosens, when = draw(st.booleans()), draw(st.none() | EXPRESSIONS)
    owner, until, because = draw(st.tuples(TEXTS, DATES, TEXTS) if loosens else st.tuples(BECAUSE, st.none() | DATES, BECAUSE))
    return syntax.LimitException(draw(NAMES), draw(NAMES), loosens, draw(EXPRESSIONS), when, owner, until, because, HERE)


@st.composite
def _advisors(draw: st.DrawFn) -> syntax.Advisor:
    adjust = draw(st.none() | EXPRESSIONS)
    calls, per = draw(st.just((None, None)) | st.tuples(COUNTS, st.sampled_from(["minute", "hour", "day"])))
    cost, late = draw(st.none() | numbers(st.just("USD"))), draw(st.sampled_from(["abstain", "veto"]))
    veto = adjust is None or draw(st.booleans())
    return syntax.Advisor(draw(NAMES), adjust, veto, calls, per, cost, draw(periods()), late, draw(DOCS), HERE)


COUNTS = st.integers(1, 9999).map(lambda count: syntax.Number(Decimal(count), None, str(count), HERE))
SHARES = numbers(st.just("%"))


def _capital() -> st.SearchStrategy[syntax.Declaration]:
    plain = numbers(st.none())
    several = st.lists(NAMES, min_size=1, max_size=8, unique=True).map(tuple)
    votes = st.lists(
        st.builds(syntax.Vote, NAMES, plain, HERE_ALWAYS), min_size=1, max_size=8, unique_by=lambda vote: vote.strategy
    )
    return st.one_of(
        st.builds(syntax.Book, NAMES, SHARES, several, st.none() | plain, HERE_ALWAYS),
        st.builds(syntax.Council, votes.map(tuple), st.sampled_from([">=", ">"]), SHARES, HERE_ALWAYS),
        st.builds(syntax.Allocate, plain, COUNTS, st.none() | SHARES, st.none() | plain, HERE_ALWAYS),
    )


@st.composite
def _bars(draw: st.DrawFn) -> syntax.Bars:
    plain = numbers(st.none())
    value, times = st.none() | plain, st.integers(1, 1000)
    columns = draw(st.just(()) | st.just(("open", "high", "low", "close", "volume")))
    if columns:
        values = st.lists(value, min_size=len(columns), max_size=len(columns)).map(tuple)
        row = st.builds(syntax.BarRow, values, st.none(), times, st.none(), HERE_ALWAYS)
    else:
        volume = st.none() | plain
        row = st.builds(syntax.BarRow, st.tuples(value), st.none(), times, volume, HERE_ALWAYS)
        row |= st.builds(syntax.BarRow, st.tuples(plain), plain, times, volume, HERE_ALWAYS)
    rows = draw(st.lists(row, min_size=1, max_size=3))
    return syntax.Bars(draw(SYMBOLS), draw(periods()), draw(st.none() | INSTANTS), columns, tuple(rows), HERE)


@st.composite
def _expectations(draw: st.DrawFn) -> syntax.Expectation:
    by, price = draw(st.none() | NAMES), st.none() | EXPRESSIONS
    match draw(st.sampled_from(["no", "that", "approve", "shrink", "other"])):
        case "no":
            return syntax.ExpectNoProposal(by, HERE)
        case "that":
            level = draw(st.just((None, None)) | st.tuples(st.sampled_from([">=", "<"]), numbers(st.none())))
            return syntax.ExpectThat(draw(EXPRESSIONS), *level, HERE)
        case "approve":
            side, symbol = draw(st.just((None, None)) | st.tuples(SIDES, SYMBOLS))
            return syntax.ExpectVerdict("approve", side, symbol, None, by, None, None, HERE)
        case "shrink":
            to = draw(st.none() | numbers(st.just("BTC")))
            return syntax.ExpectVerdict("shrink", None, None, to, by, draw(price), draw(price), HERE)
        case _:
            verdict = draw(st.sampled_from(["warn", "reject", "pause", "halt"]))
            return syntax.ExpectVerdict(verdict, None, None, None, by, draw(price), draw(price), HERE)


def _tests() -> st.SearchStrategy[syntax.Test]:
    price = st.none() | EXPRESSIONS
    fact = st.builds(syntax.Fact, names() | _calls(ATOMS), EXPRESSIONS, HERE_ALWAYS)
    given_ = st.builds(syntax.Given, st.lists(fact, min_size=1, max_size=3).map(tuple), HERE_ALWAYS)
    plain, dashed = numbers(st.none()), st.sampled_from(["BTC-USD", "EUR_USD"]).map(lambda name: syntax.Symbol(name, HERE))
    proposes = st.builds(syntax.Proposes, NAMES, SIDES, plain, dashed, price, price, price, HERE_ALWAYS)
    recorded = st.builds(syntax.Recorded, TEXTS, st.none() | INSTANTS, st.none() | INSTANTS, HERE_ALWAYS)
    return st.builds(
        syntax.Test,
        VALUES,
        st.lists(given_, max_size=2).map(tuple),
        st.lists(_bars(), max_size=2).map(tuple),
        st.none() | recorded,
        st.none() | proposes,
        st.lists(_expectations(), min_size=1, max_size=3).map(tuple),
        HERE_ALWAYS,
    )


def _claims() -> st.SearchStrategy[syntax.Prove]:
    claim = st.builds(syntax.OrdersHave, st.sampled_from(["approved", "reducing"]), EXPRESSIONS, HERE_ALWAYS) | st.builds(
        syntax.ReducingApproved, st.booleans(), HERE_ALWAYS
    )
    return st.builds(syntax.Prove, VALUES, claim, HERE_ALWAYS)


LEVELS = st.sampled_from([None, "warn", "shadow"])


def declarations(*, is_policy: bool) -> st.SearchStrategy[syntax.Declaration]:
    """Any declaration that such a file may hold."""
    tail = (_verdicts(), st.booleans(), LEVELS, BECAUSE, HERE_ALWAYS)
    require: st.SearchStrategy[syntax.Declaration] = (
        st.builds(syntax.Require, NAMES, EXPRESSIONS, *tail)
        if is_policy
        else st.builds(syntax.ParamRequire, EXPRESSIONS, HERE_ALWAYS)
    )
    members = st.lists(SYMBOLS, min_size=1, max_size=6, unique_by=lambda one: one.symbol).map(tuple)
    return st.one_of(
        st.builds(syntax.Use, MODULES, st.lists(NAMES, max_size=3, unique=True).map(tuple), HERE_ALWAYS),
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
        st.builds(
            syntax.Function, NAMES, st.lists(NAMES, min_size=1, max_size=3, unique=True).map(tuple), EXPRESSIONS, HERE_ALWAYS
        ),
        _tables(),
        _feeds(),
        _sessions(),
        _signals(),
        _scores(),
        _exceptions(),
        _capital(),
        _advisors(),
        _tests(),
        _claims(),
        st.builds(syntax.Trigger, NAMES, EXPRESSIONS, st.none() | _confidences(), BECAUSE, DOCS, HERE_ALWAYS),
        _strategies(),
        st.builds(syntax.Limit, NAMES, EXPRESSIONS, *tail),
        st.builds(syntax.Forbid, NAMES, EXPRESSIONS, *tail),
        st.builds(syntax.Pause, NAMES, durations(), st.integers(1, 9), st.none(), LEVELS, BECAUSE, HERE_ALWAYS),
        st.builds(syntax.Pause, NAMES, durations(), st.none(), EXPRESSIONS, LEVELS, BECAUSE, HERE_ALWAYS),
        st.builds(syntax.Warn, NAMES, EXPRESSIONS, BECAUSE, HERE_ALWAYS),
    )


@st.composite
def programs(draw: st.DrawFn, max_declarations: int = 5) -> syntax.File:
    """A whole file of rules or policy, without comments and places."""
    is_policy = draw(st.booleans())
    doc = draw(DOCS)
    body = draw(st.lists(declarations(is_policy=is_policy), max_size=max_declarations))
    return syntax.File("generated.tb", is_policy, doc, tuple(body), (), "")
