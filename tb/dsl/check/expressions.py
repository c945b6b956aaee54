"""Expressions: names resolved, units checked, sugar removed.

`Expressions.check` turns one syntax expression into one checked expression. A mistake is reported where it stands and the
result gets the unit ANY, so that one mistake is reported once and everything beside it is still looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import assert_never

from tb.core.diagnostics import Edit, did_you_mean, respelling
from tb.core.span import Span
from tb.core.units import ANY, LIST, TEXT, TRUTH, Kind, Unit
from tb.dsl import checked, syntax
from tb.dsl.check import calls, conviction, feeds, functions, library, sessions, signals, units, words
from tb.dsl.check.beyond import beyond
from tb.dsl.check.instruments import spelt_otherwise
from tb.dsl.check.literals import constant, fold
from tb.dsl.check.scope import Scope
from tb.dsl.check.walk import expand, is_excused
from tb.vocabulary.catalogue import FUNCTIONS
from tb.vocabulary.facts import FACTS, INTERNAL, unit_of
from tb.vocabulary.fields import FIELDS
from tb.vocabulary.look_back import LONGEST_WINDOW
from tb.vocabulary.pointwise import POINTWISE
from tb.vocabulary.std import TEXTS

COMPARE = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}
_ARITHMETIC = {"+": "add", "-": "sub", "*": "mul", "/": "div"}
_SHARES = {Kind.NUMBER, Kind.MONEY}  # beside ratios, what people write before `of` and mean as a share


@dataclass(slots=True)
class Expressions:
    """Checks expressions of one file. `settle` checks a pending definition when its name is used before its turn.

    `arguments` are those of the function that is put in place, by the names its definition gives them; `files` holds the
    checkers of all files, since a function means what it means where it is defined.
    """

    scope: Scope
    file: str
    in_policy: bool
    settle: Callable[[str], None]
    trusted: bool = False  # the rules every project has: may read internal facts
    assets: tuple[str, ...] = ()
    arguments: Mapping[str, checked.Expr] = field(default_factory=dict)
    files: Mapping[str, Expressions] = field(default_factory=dict)
    in_tests: bool = False  # a file of tests, which defines nothing and brings nothing

    # --- entry points ----------------------------------------------------------------------------------------------

    def condition(self, node: syntax.Expr) -> checked.Expr:
        """An expression that must be true or false."""
        value = self.check(node)
        if value.unit.kind is not Kind.TRUTH and not self.excused(value):
            self.scope.report(
                "TB054",
                f"a condition is needed here, this is {units.phrase(value.unit)}",
                value.span,
                conviction.hint_for(value) or "compare it with something, as in `... > 0`",
            )
        return value

    def excused(self, value: checked.Expr) -> bool:
        """Whether a mistake in it was reported already."""
        return is_excused(value, self.scope.broken)

    def check(self, node: syntax.Expr) -> checked.Expr:
        match node:
            case syntax.Number():
                return constant(node, self.scope.currency, self.assets)
            case syntax.Text():
                return checked.Const(node.value, TEXT, f'"{node.value}"', None, node.span)
            case syntax.Name():
                return self._name(node)
            case syntax.Symbol():
                return checked.Const(node.symbol, Unit(Kind.INSTRUMENT), node.symbol, None, node.span)
            case syntax.Call():
                return calls.call(self, node)
            case syntax.Part():
                return calls.part(self, node)
            case syntax.Shift():
                return self._shift(node)
            case syntax.AtPeriod():
                return self._on_period(node)
            case syntax.Of():
                return self._of(node)
            case syntax.AtMoment():
                return self._moment(node)
            case syntax.Unary():
                return self._unary(node)
            case syntax.Binary():
                return self._logic(node) if node.operator in {"and", "or"} else self._arithmetic(node)
            case syntax.Compare():
                return self.compare(COMPARE[node.operator], self.check(node.left), self.check(node.right), node.span)
            case syntax.Between():
                value = self.check(node.value)
                low = self.compare("ge", value, self.check(node.low), node.span)
                high = self.compare("le", value, self.check(node.high), node.span)
                return checked.Logic("and", (low, high), TRUTH, node.span)
            case syntax.Member():
                return words.member(self, node)
            case syntax.Is():
                return words.is_word(self, node)
            case syntax.Crosses():
                return self._crosses(node)
            case syntax.ForBars():
                return self._lasting(node.condition, node.length, True, node.span)
            case syntax.WithinBars():
                return self._lasting(node.condition, node.length, False, node.span)
            case syntax.During():
                return sessions.during(self, node)
            case _:
                assert_never(node)

    def refuse(self, code: str, message: str, span: Span, hint: str = "", edits: tuple[Edit, ...] = ()) -> checked.Expr:
        """Reports, and stands in for what could not be read."""
        self.scope.report(code, message, span, hint, edits=edits)
        return checked.Const("?", ANY, "?", None, span)

    # --- names -----------------------------------------------------------------------------------------------------

    def _name(self, node: syntax.Name) -> checked.Expr:
        name, scope = node.text, self.scope
        if name in self.arguments:
            return self.arguments[name]
        if name in scope.broken:
            return checked.Ref(name, "let", ANY, node.span)
        if node.parts[0] == "limits" and len(node.parts) == 2:
            return self._limit(node)
        asked = signals.part(self, node)
        if asked is not None:
            return asked
        if self.in_policy and name in FACTS and (self.trusted or name not in INTERNAL):
            return calls.bare_fact(self, name, node.span)
        if name in FIELDS:
            return checked.Field(name, FIELDS[name].unit, node.span)
        if not scope.visible(name, self.file, self.in_policy):
            return self.unknown(node)
        if name in scope.params:
            param = scope.params[name]
            return checked.Const(param.value, param.unit, param.text, f"param {name}", node.span)
        if name in scope.pending:
            self.settle(name)
        if name in scope.broken:
            return checked.Ref(name, "let", ANY, node.span)
        if name in scope.lets:
            return checked.Ref(name, "let", scope.lets[name].value.unit, node.span)
        if name in scope.triggers:
            return checked.Ref(name, "trigger", TRUTH, node.span)
        if name in scope.functions:
            example = functions.example(scope.functions[name])
            return self.refuse("TB051", f"`{name}` needs its arguments", node.span, example)
        if name in scope.sessions:
            return self.refuse("TB053", f"`{name}` is a session, not a value", node.span, f"write `during {name}`")
        if name in scope.feeds:
            return feeds.read(scope.feeds[name], "value", node.span)
        if name in scope.groups:
            return checked.Const(name, LIST, name, None, node.span)
        return self.refuse(
            "TB053", f"`{name}` is not a value", node.span, "use the name of a `let`, of a trigger, or of a parameter above"
        )

    def _limit(self, node: syntax.Name) -> checked.Expr:
        name = node.parts[1]
        limit = self.scope.limits.get(name)
        if limit is None:
            near = did_you_mean(name, self.scope.limits)
            hint = near or f"add `{name}:` to policy/limits.yaml"
            return self.refuse("TB060", f"the limit `{name}` is not set", node.span, hint)
        self.scope.limits_used[name] = limit.text
        return checked.Const(limit.value, limit.unit, limit.text, f"limits.{name}", node.span)

    def unknown(self, node: syntax.Name) -> checked.Expr:
        name, scope = node.text, self.scope
        if name in FUNCTIONS or name in POINTWISE:
            example = FUNCTIONS[name].example if name in FUNCTIONS else f"{name}(close)"
            return self.refuse("TB051", f"`{name}` needs its arguments", node.span, f"write `{example}`")
        if name in scope.defined and not scope.visible(name, self.file, self.in_policy):
            where = "policy files read only what policy files define"
            if not self.in_policy:
                home, is_policy = scope.defined[name]
                where = f"it is defined in {home.file}: add {scope.use_of(name)}"
                where = "rule files cannot read policy" if is_policy else where
            return self.refuse("TB053", f"`{name}` cannot be used here", node.span, where)
        if name in FACTS and not self.in_policy:
            return self.refuse("TB053", f"`{name}` belongs to policy files", node.span, "a strategy reads market data only")
        told = beyond(name, in_policy=self.in_policy)
        if told is not None:
            return self.refuse(told[0], told[1], node.span, told[2])
        known = [*FIELDS, *FUNCTIONS, *POINTWISE, *(FACTS.keys() - INTERNAL if self.in_policy else ())]
        near = scope.nearest(name, known, self.file, self.in_policy)
        if name == "tier" and self.in_policy:
            near = "write `order.tier is core`"
        there = (
            ""
            if self.in_policy
            else library.home_of(name, [other for other, (at, _) in scope.defined.items() if at.file not in TEXTS])
        )
        there += " to a rule file" if there.startswith(library.BRINGS) and self.in_tests else ""
        hint = there or near or ("" if "." in name else f"define it: `let {name} = ...`")
        edits = respelling(name, scope.readable(known, self.file, self.in_policy), node.span) if near and not there else ()
        return self.refuse("TB102", f"nothing is called `{name}`", node.span, hint, edits)

    def fact(self, name: str, argument: str, span: Span) -> checked.Expr:
        """A fact, where facts may be read."""
        if not self.in_policy:
            hint = "a strategy reads market data only; put this into a policy file"
            return self.refuse("TB053", f"`{name}` belongs to policy files", span, hint)
        return checked.FactRef(name, argument, unit_of(FACTS[name], self.scope.currency), span)

    def instrument(self, node: syntax.Expr) -> str | None:
        """The instrument that is written there, or that an argument stands for."""
        match node:
            case syntax.Symbol(symbol=symbol):
                return symbol
            case syntax.Name() if node.text in self.arguments:
                given = self.arguments[node.text]
                known = isinstance(given, checked.Const) and given.unit.kind is Kind.INSTRUMENT
                return str(given.value) if known and isinstance(given, checked.Const) else None
            case _:
                return None

    def sees_group(self, name: str) -> bool:
        return name in self.scope.groups and self.scope.visible(name, self.file, self.in_policy)

    # --- looking elsewhere -----------------------------------------------------------------------------------------

    def has_history(self, value: checked.Expr) -> bool:
        """Refuses to look into the past, or at another instrument, of what the account or the order says now."""
        for part in expand(value, self.scope.lets, self.scope.triggers) if self.in_policy else ():
            if isinstance(part, checked.FactRef):
                hint = "only market data can be looked back at; compare the fact itself"
                self.refuse("TB053", f"`{part.name}` is known at this instant only", value.span, hint)
                return False
        return True

    def _on_period(self, node: syntax.AtPeriod) -> checked.Expr:
        value, period = self.check(node.value), constant(node.period, self.scope.currency)
        if not isinstance(period, checked.Const) or not _is_length(period):
            return self.refuse("TB062", f"`{node.period.text}` is not a period", node.span, "write a duration: `@1h`")
        if not self.has_history(value):
            return checked.Const("?", ANY, "?", None, node.span)
        return checked.OnPeriod(value, int(Decimal(period.value)), value.unit, node.span)

    def _shift(self, node: syntax.Shift) -> checked.Expr:
        value, back = self.check(node.value), self.check(node.bars)
        bars = fold(back)
        if self.excused(back) or not self.has_history(value):
            return checked.Const("?", ANY, "?", None, node.span)
        if bars is None or isinstance(bars.value, str) or bars.unit.kind not in {Kind.NUMBER, Kind.ANY, Kind.BARS}:
            return self.refuse("TB055", "how far to look back must be a whole number of bars", node.span, "write `close[1]`")
        if not 0 <= bars.value <= LONGEST_WINDOW or bars.value != int(bars.value):
            hint = "only closed bars are visible; look back with `x[1]`"
            if bars.value > LONGEST_WINDOW:
                hint = f"look back {LONGEST_WINDOW} bars at most"
            return self.refuse("TB055", f"`[{bars.text}]` is not a whole number of closed bars", node.span, hint)
        return checked.Shift(value, int(bars.value), value.unit, node.span)

    def _means_instrument(self, value: checked.Expr, whole: syntax.Name) -> bool:
        """A series of something that nothing is called: `change(close) of bitcoin`, where a share would be a number."""
        name = whole.text
        is_known = name in self.scope.defined or name in FIELDS or name in FACTS or name in FUNCTIONS or "." in name
        return not is_known and fold(value) is None

    def _of(self, node: syntax.Of) -> checked.Expr:
        age = feeds.age(self, node)
        if age is not None:
            return age
        symbol = self.instrument(node.whole)
        if symbol is not None:
            meant = spelt_otherwise(symbol, self.scope)
            if meant is not None:
                hint = f"did you mean `{meant}`?"
                return self.refuse("TB102", f"there is no instrument `{symbol}`", node.whole.span, hint)
            value = self.check(node.value)
            if not self.has_history(value):
                return checked.Const("?", ANY, "?", None, node.span)
            return checked.OfInstrument(value, symbol, units.retagged(value.unit, symbol), node.span)
        if self.in_policy and isinstance(node.whole, syntax.Name) and node.whole.parts == ("book",):
            return calls.of_book(self, node)
        is_given = isinstance(node.whole, syntax.Name) and node.whole.text in self.arguments
        if isinstance(node.whole, syntax.Name) and not is_given and self.scope.is_leg(node.whole.text, self.in_policy):
            value, leg = self.check(node.value), node.whole.text
            return checked.OfLeg(value, leg, units.retagged(value.unit, leg), node.span)
        share = self.check(node.value)
        if (
            isinstance(node.whole, syntax.Name)
            and not is_given
            and (not (units.as_ratio(share.unit) or share.unit.kind in _SHARES) or self._means_instrument(share, node.whole))
        ):
            meant = spelt_otherwise(node.whole.text, self.scope)
            hint = "write it as the data does: `close of BTC-USD`" if meant is None else f"did you mean `{meant}`?"
            if node.whole.text in self.scope.books:
                hint = "write `of book`: a constraint is asked about the book of the order"
            return self.refuse("TB102", f"there is no instrument `{node.whole.text}`", node.whole.span, hint)
        whole = self.check(node.whole)
        if self.excused(share) or self.excused(whole):
            return checked.Const("?", ANY, "?", None, node.span)
        unit = units.multiplied(share.unit, whole.unit, self.scope.currency)
        if unit is None or not (units.as_ratio(share.unit) or share.unit.kind is Kind.NUMBER):
            hint = "write a share of something: `5% of equity`"
            if isinstance(share, checked.Const) and share.unit.kind is Kind.MONEY:
                hint = "an amount of money stands alone; a share is written `5% of equity`"
            return self.refuse(
                "TB101", f"{units.phrase(share.unit)} of {units.phrase(whole.unit)} means nothing", node.span, hint
            )
        if share.unit.kind is Kind.NUMBER:
            return self.refuse("TB101", "a share needs a percent sign", node.span, self._share_hint(share))
        return checked.Pointwise("mul", (share, whole), unit, node.span)

    @staticmethod
    def _share_hint(share: checked.Expr) -> str:
        return f"write `{share.text}% of ...`" if isinstance(share, checked.Const) else "write `5% of ...`"

    def _moment(self, node: syntax.AtMoment) -> checked.Expr:
        if isinstance(node.value, syntax.Name) and node.value.text == "equity" and node.moment == "day_start":
            return self.fact("equity at day_start", "", node.span)
        if isinstance(node.value, syntax.Of):
            inner = syntax.AtMoment(node.value.whole, node.moment, node.span)
            return self._of(syntax.Of(node.value.value, inner, node.span))
        return self.refuse("TB053", f"nothing is known at `{node.moment}` of this", node.span, "write `equity at day_start`")

    # --- arithmetic and comparison ---------------------------------------------------------------------------------

    def _unary(self, node: syntax.Unary) -> checked.Expr:
        if node.operator == "not":
            return checked.Not(self.condition(node.operand), TRUTH, node.span)
        value = self.check(node.operand)
        if value.unit.kind not in units.NUMERIC:
            return self.refuse("TB101", f"{units.phrase(value.unit)} has no negative", node.span, "use a number")
        result = checked.Pointwise("neg", (value,), value.unit, node.span)
        folded = fold(result)
        if folded is not None and isinstance(value, checked.Const):
            text = folded.text if value.origin else f"-{value.text}"
            return checked.Const(folded.value, folded.unit, text, folded.origin, node.span)
        return result

    def _arithmetic(self, node: syntax.Binary) -> checked.Expr:
        left, right = self.check(node.left), self.check(node.right)
        match node.operator:
            case "*":
                unit = units.multiplied(left.unit, right.unit, self.scope.currency)
            case "/":
                unit = units.divided(left.unit, right.unit)
            case _:
                unit = units.added(left, right)
        if unit is None or not {left.unit.kind, right.unit.kind} <= units.NUMERIC:
            hint = units.mismatch_hint(left, right, self.scope.currency)
            if node.operator == "*" and left.unit.kind is right.unit.kind:
                hint = "multiply by a plain number, a share or a quantity"
            verbs = {"+": "added to", "-": "reduced by", "*": "multiplied by", "/": "divided by"}[node.operator]
            return self.refuse(
                "TB101", f"{units.phrase(left.unit)} cannot be {verbs} {units.phrase(right.unit)}", node.span, hint
            )
        return checked.Pointwise(_ARITHMETIC[node.operator], (left, right), unit, node.span)

    def compare(self, operator: str, left: checked.Expr, right: checked.Expr, span: Span) -> checked.Expr:
        """The comparison of two values; refused where their units do not meet."""
        if self.excused(left) or self.excused(right):
            return checked.Const("?", ANY, "?", None, span)
        kinds = {left.unit.kind, right.unit.kind}
        ordered = operator not in {"eq", "ne"}
        if units.meet(left.unit, right.unit) is None or (Kind.ANY in kinds and not kinds <= units.NUMERIC):
            hint = conviction.hint_for(left) or conviction.hint_for(right)
            hint = hint or units.mismatch_hint(left, right, self.scope.currency)
            message = f"{units.phrase(left.unit)} cannot be compared with {units.phrase(right.unit)}"
            return self.refuse("TB101", message, span, hint)
        if ordered and not kinds <= units.NUMERIC:
            return self.refuse("TB101", f"{units.phrase(left.unit)} has no order", span, "use `is`, `is not`, `and`, `or`")
        return checked.Comparison(operator, left, right, TRUTH, span)

    def _logic(self, node: syntax.Binary) -> checked.Expr:
        items: list[checked.Expr] = []
        for side in (node.left, node.right):
            value = self.condition(side)
            same = isinstance(value, checked.Logic) and value.operator == node.operator and isinstance(side, syntax.Binary)
            items.extend(value.items if same and isinstance(value, checked.Logic) else (value,))
        return checked.Logic(node.operator, tuple(items), TRUTH, node.span)

    def _crosses(self, node: syntax.Crosses) -> checked.Expr:
        left, right = self.check(node.left), self.check(node.right)
        now, before = ("gt", "le") if node.direction == "above" else ("lt", "ge")
        earlier_left = checked.Shift(left, 1, left.unit, left.span)
        is_fixed = fold(right) is not None
        earlier_right = right if is_fixed else checked.Shift(right, 1, right.unit, right.span)
        here = self.compare(now, left, right, node.span)
        if here.unit.kind is Kind.ANY or not (self.has_history(left) and self.has_history(right)):
            return checked.Const("?", ANY, "?", None, node.span)
        there = self.compare(before, earlier_left, earlier_right, node.span)
        return checked.Logic("and", (here, there), TRUTH, node.span)

    def _lasting(self, condition: syntax.Expr, length: syntax.Expr, every: bool, span: Span) -> checked.Expr:
        value, long = self.condition(condition), self.check(length)
        folded = fold(long)
        if self.excused(long) or not self.has_history(value):
            return checked.Const("?", ANY, "?", None, span)
        is_count = folded is not None and folded.unit.kind in {Kind.NUMBER, Kind.BARS} and isinstance(folded.value, Decimal)
        if folded is None or not (is_count or _is_length(folded)):
            return self.refuse("TB055", "how long must be a number of bars or a duration", span, "write `for 3 bars`")
        count = Decimal(folded.value)
        if is_count and not (1 <= count <= LONGEST_WINDOW and count == int(count)):
            hint = f"write a whole number from 1 to {LONGEST_WINDOW}, as in `for 3 bars`"
            return self.refuse("TB055", f"`{folded.text}` is not a whole number of bars", span, hint)
        return checked.Lasting(value, folded, every, TRUTH, span)


def _is_length(value: checked.Const) -> bool:
    """A duration of at least a millisecond, in whole ones."""
    length = value.value
    return value.unit.kind is Kind.DURATION and isinstance(length, Decimal) and length >= 1 and length == int(length)
