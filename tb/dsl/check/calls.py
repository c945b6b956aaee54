"""Calls: functions of the vocabulary, functions of one instant, facts with arguments, and `depth`.

Arguments are matched by place and by name, defaults filled in, constants folded, bounds held.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tb.core.diagnostics import did_you_mean, respelling
from tb.core.encode import plain
from tb.core.span import Span
from tb.core.units import ANY, NUMBER, RATIO, Kind, money
from tb.dsl import checked, syntax
from tb.dsl.check import annual, functions, sessions, signals, units
from tb.dsl.check.beyond import beyond
from tb.dsl.check.literals import fold
from tb.vocabulary import facts
from tb.vocabulary.catalogue import FUNCTIONS
from tb.vocabulary.facts import FACTS, INTERNAL, OF_BOOK, Argument
from tb.vocabulary.fields import FIELDS
from tb.vocabulary.function import Function, Parameter
from tb.vocabulary.other_names import said_as
from tb.vocabulary.pointwise import POINTWISE

if TYPE_CHECKING:
    from tb.dsl.check.expressions import Expressions

_WINDOW_KINDS = {Kind.NUMBER, Kind.ANY, Kind.BARS, Kind.DURATION}


def call(using: Expressions, node: syntax.Call) -> checked.Expr:
    name = node.name.text
    if name in using.scope.broken and name in using.scope.defined:
        return checked.Const("?", ANY, "?", None, node.span)
    if name in FUNCTIONS:
        return _apply(using, node, FUNCTIONS[name], 0)
    if name in POINTWISE:
        return _pointwise(using, node)
    if name == "depth":
        return _depth(using, node)
    if name == "annualised":
        return annual.annualised(using, node)
    if name in sessions.CLOCKS:
        return sessions.session_time(using, node)
    if name == "agree":
        return signals.agree(using, node)
    if name in FACTS and FACTS[name].arguments and (using.trusted or name not in INTERNAL):
        return _fact(using, node)
    if name in FIELDS or (name in FACTS and name not in INTERNAL):
        return using.refuse("TB051", f"`{name}` takes no arguments", node.span, f"write `{name}`")
    in_place = functions.call(using, node)
    if in_place is not None:
        return in_place
    with_arguments = [fact for fact, spec in FACTS.items() if spec.arguments and using.in_policy and fact not in INTERNAL]
    if name in using.scope.functions:
        return using.unknown(node.name)
    told = beyond(name, in_policy=using.in_policy)
    if told is not None:
        return using.refuse(told[0], told[1], node.name.span, told[2])
    elsewhere = said_as(name, {known: function.example for known, function in FUNCTIONS.items()})
    if elsewhere is not None:
        return using.refuse("TB102", f"there is no function `{name}`", node.name.span, f"write it as in `{elsewhere}`")
    own = [known for known in using.scope.functions if using.scope.visible(known, using.file, using.in_policy)]
    known = [*FUNCTIONS, *POINTWISE, "depth", "agree", "annualised", *sessions.CLOCKS, *own, *with_arguments]
    hint = did_you_mean(name, known) or "see docs/language.md for the functions there are"
    edits = respelling(name, known, node.name.span)
    return using.refuse("TB102", f"there is no function `{name}`", node.name.span, hint, edits)


def part(using: Expressions, node: syntax.Part) -> checked.Expr:
    """`macd(close).signal`."""
    if isinstance(node.value, syntax.Call) and node.value.name.text in FUNCTIONS:
        function = FUNCTIONS[node.value.name.text]
        if node.name in function.outputs:
            return _apply(using, node.value, function, function.outputs.index(node.name))
        names = ", ".join(f"`{output}`" for output in function.outputs)
        hint = did_you_mean(node.name, function.outputs) or f"it has {names}"
        return using.refuse("TB056", f"`{function.name}` has no part `{node.name}`", node.span, hint)
    if isinstance(node.value, syntax.Call):  # a function misspelt: that is what is to be said, not that it has no parts
        value = call(using, node.value)
        if isinstance(value, checked.Const) and value.unit == ANY and value.value == "?":
            return value
    return using.refuse("TB056", f"this has no part `{node.name}`", node.span, "only functions with several results have parts")


def _apply(using: Expressions, node: syntax.Call, function: Function, output: int) -> checked.Expr:
    given = _match(using, node, function)
    if given is None:
        return checked.Const("?", ANY, "?", None, node.span)
    constants: list[checked.Const] = []
    series: list[checked.Expr] = []
    for parameter in function.parameters:
        value = given.get(parameter.name)
        if parameter.is_constant:
            found = _constant(using, function, parameter, value, node)
            if found is None:
                return checked.Const("?", ANY, "?", None, node.span)
            constants.append(found)
            continue
        argument = using.check(value) if value is not None else _default_series(parameter, node)
        wanted = parameter.kinds
        if wanted and argument.unit.kind not in {*wanted, Kind.ANY}:
            words = " or ".join(kind.value for kind in wanted)
            return using.refuse(
                "TB101",
                f"`{function.name}` needs a {words} here, not {units.phrase(argument.unit)}",
                argument.span,
                f"as in `{function.example}`",
            )
        if not wanted and argument.unit.kind not in units.NUMERIC:
            return using.refuse(
                "TB101",
                f"`{function.name}` needs a number, not {units.phrase(argument.unit)}",
                argument.span,
                f"as in `{function.example}`",
            )
        if not _changes(using, function, argument):
            return checked.Const("?", ANY, "?", None, node.span)
        series.append(argument)
    unit = function.unit([argument.unit for argument in series])
    return checked.Apply(function.name, tuple(constants), tuple(series), output, unit, node.span)


def _changes(using: Expressions, function: Function, argument: checked.Expr) -> bool:
    """Refuses a number where values over time are meant, as in `rsi(14)`."""
    if using.excused(argument):
        return True
    folded = fold(argument)
    if folded is not None:
        message = f"`{function.name}` needs a series here, and `{folded.text}` never changes"
        using.refuse("TB051", message, argument.span, f"as in `{function.example}`")
        return False
    return using.has_history(argument)


def _match(using: Expressions, node: syntax.Call, function: Function) -> dict[str, syntax.Expr] | None:
    names = [parameter.name for parameter in function.parameters]
    if len(node.arguments) > len(names):
        takes = f"takes {len(names)} argument{'s' if len(names) != 1 else ''}, not {len(node.arguments)}"
        using.refuse("TB051", f"`{function.name}` {takes}", node.span, f"as in `{function.example}`")
        return None
    given = dict(zip(names, node.arguments, strict=False))
    for name, value in node.named:
        if name not in names or name in given:
            wrong = "is given twice" if name in given else "is not one of its arguments"
            hint = did_you_mean(name, names) or f"it has {', '.join(f'`{known}`' for known in names)}"
            using.refuse("TB051", f"`{name}` {wrong}", node.span, hint)
            return None
        given[name] = value
    for parameter in function.parameters:
        if parameter.name not in given and parameter.default is None:
            using.refuse("TB051", f"`{function.name}` needs its `{parameter.name}`", node.span, f"as in `{function.example}`")
            return None
    return given


def _constant(
    using: Expressions, function: Function, parameter: Parameter, value: syntax.Expr | None, node: syntax.Call
) -> checked.Const | None:
    if value is None:
        default = Decimal(str(parameter.default))
        return checked.Const(default, NUMBER, plain(default), None, node.span)
    argument = using.check(value)
    found = fold(argument)
    if found is None or isinstance(found.value, str):
        if not using.excused(argument):
            hint = "use a number or a parameter"
            using.refuse("TB052", f"`{parameter.name}` of `{function.name}` must be known before the run", argument.span, hint)
        return None
    allowed = _WINDOW_KINDS if parameter.is_window else {Kind.NUMBER, Kind.ANY, Kind.RATIO}
    if found.unit.kind not in allowed:
        hint = "write a number of bars or a duration" if parameter.is_window else "write a plain number"
        using.refuse(
            "TB101", f"`{parameter.name}` of `{function.name}` cannot be {units.phrase(found.unit)}", argument.span, hint
        )
        return None
    low, high = parameter.low, parameter.high
    if found.unit.kind is Kind.DURATION:
        if found.value >= 1:
            return found
        low, high = 1, None
    is_whole = found.value == found.value.to_integral_value()
    if (low is not None and found.value < Decimal(str(low))) or (high is not None and found.value > Decimal(str(high))):
        bounds = f"at least {low:g}" if high is None else f"between {low or 0:g} and {high:g}"
        using.refuse(
            "TB059", f"`{parameter.name}` of `{function.name}` must be {bounds}", argument.span, f"as in `{function.example}`"
        )
        return None
    if parameter.is_window and not is_whole:
        using.refuse(
            "TB059", f"`{parameter.name}` of `{function.name}` must be whole", argument.span, f"as in `{function.example}`"
        )
        return None
    return found


def _default_series(parameter: Parameter, node: syntax.Call) -> checked.Expr:
    name = str(parameter.default)
    return checked.Field(name, FIELDS[name].unit, node.span)


def _pointwise(using: Expressions, node: syntax.Call) -> checked.Expr:
    entry = POINTWISE[node.name.text]
    count = len(node.arguments)
    if node.named or count < entry.arity or (count > entry.arity and not entry.is_variadic):
        takes = f"{entry.arity} or more arguments" if entry.is_variadic else f"{entry.arity} argument"
        return using.refuse("TB051", f"`{entry.name}` takes {takes}", node.span, f"as in `{entry.example}`")
    arguments = tuple(using.check(argument) for argument in node.arguments)
    for argument in arguments:
        if argument.unit.kind not in (set(entry.kinds) | {Kind.ANY} if entry.kinds else units.NUMERIC):
            message = f"`{entry.name}` needs a number, not {units.phrase(argument.unit)}"
            return using.refuse("TB101", message, argument.span, f"as in `{entry.example}`")
    first = next((argument for argument in arguments if argument.unit.kind is not Kind.ANY), arguments[0])
    for other in arguments:
        if units.meet(first.unit, other.unit) is None:
            hint = units.mismatch_hint(first, other, using.scope.currency)
            message = f"{units.phrase(first.unit)} and {units.phrase(other.unit)} do not compare"
            return using.refuse("TB101", message, other.span, hint)
    unit = entry.unit([argument.unit for argument in arguments])
    return checked.Pointwise(entry.name, arguments, unit, node.span)


def _depth(using: Expressions, node: syntax.Call) -> checked.Expr:
    argument = using.check(node.arguments[0]) if len(node.arguments) == 1 and not node.named else None
    if argument is not None and using.excused(argument):
        return argument
    found = fold(argument) if argument is not None else None
    if found is None or found.unit != RATIO or isinstance(found.value, str) or found.value <= 0:
        return using.refuse("TB051", "`depth` needs a distance from the mid", node.span, "write `depth(10bps)`")
    return checked.Depth(found.value, money(using.scope.currency), node.span)


def _fact(using: Expressions, node: syntax.Call) -> checked.Expr:
    name = node.name.text
    kind = FACTS[name].arguments[0]
    example = f"{name}(today)" if kind is Argument.WINDOW else f"{name}(order.instrument)"
    if len(node.arguments) != 1 or node.named:
        return using.refuse("TB051", f"`{name}` takes one argument: {kind.value}", node.span, f"write `{example}`")
    argument, before = node.arguments[0], len(using.scope.findings)
    word = _window(using, argument) if kind is Argument.WINDOW else _scope(using, argument)
    given = using.arguments.get(argument.text) if isinstance(argument, syntax.Name) else None
    if word is None and ((given is not None and using.excused(given)) or len(using.scope.findings) > before):
        return checked.Const("?", ANY, "?", None, node.span)
    if word is None:
        return using.refuse("TB051", f"`{name}` needs {kind.value}", node.span, f"write `{example}`")
    return using.fact(name, word, node.span)


def of_book(using: Expressions, node: syntax.Of) -> checked.Expr:
    """`equity of book`: a fact about the book of the order's strategy."""
    value = using.check(node.value)
    if using.excused(value):
        return value
    if not isinstance(value, checked.FactRef) or value.name not in OF_BOOK:
        what = f"`{value.name}`" if isinstance(value, checked.FactRef) else "this"
        hint = "write a fact of the account before it, as in `equity of book` or `loss(today) of book`"
        return using.refuse("TB053", f"{what} is not known of a book", node.span, hint)
    if not using.scope.books:
        hint = "add `book NAME 100% of capital strategies ...`, or remove `of book`"
        return using.refuse("TB077", "there are no books", node.span, hint)
    return using.fact(facts.of_book(value.name), value.argument, node.span)


def bare_fact(using: Expressions, name: str, span: Span) -> checked.Expr:
    """A fact written without arguments."""
    arguments = FACTS[name].arguments
    if arguments:
        example = f"{name}(today)" if arguments[0] is Argument.WINDOW else f"{name}(order.instrument)"
        return using.refuse("TB051", f"`{name}` needs {arguments[0].value}", span, f"write `{example}`")
    return using.fact(name, "", span)


def _window(using: Expressions, argument: syntax.Expr) -> str | None:
    if isinstance(argument, syntax.Name) and argument.text == "today":
        return "today"
    if isinstance(argument, syntax.Number | syntax.Name):
        found = fold(using.check(argument))
        if found is not None and found.unit.kind is Kind.DURATION and isinstance(found.value, Decimal) and found.value > 0:
            return str(int(found.value))
    return None


def _scope(using: Expressions, argument: syntax.Expr) -> str | None:
    match argument:
        case syntax.Symbol(symbol=symbol):
            return symbol
        case syntax.Name(parts=("order", "instrument")):
            return "order.instrument"
        case syntax.Of(value=syntax.Name(parts=("group",)), whole=syntax.Name(parts=("order", "instrument"))):
            return "group of order.instrument"
        case syntax.Name() if argument.text in using.arguments:
            given = using.arguments[argument.text]
            is_order = isinstance(given, checked.FactRef) and given.name == "order.instrument"
            return "order.instrument" if is_order else using.instrument(argument)
        case syntax.Name() if using.sees_group(argument.text):
            return argument.text
        case _:
            return None
