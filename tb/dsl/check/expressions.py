"""Expressions: names resolved, units checked, sugar removed.

`Expressions.check` turns one syntax expression into one checked expression. A mistake is reported where it stands and the
result gets the unit ANY, so that one mistake is reported once and everything beside it is still looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from tb.core.diagnostics import did_you_mean
from tb.core.span import Span
from tb.core.units import ANY, LIST, TEXT, TRUTH, Kind, Unit
from tb.dsl import checked, syntax
from tb.dsl.check import calls, units
from tb.dsl.check.literals import constant, fold
from tb.dsl.check.scope import Scope
from tb.vocabulary.catalogue import FUNCTIONS
from tb.vocabulary.facts import FACTS, INTERNAL, unit_of
from tb.vocabulary.fields import FIELDS
from tb.vocabulary.pointwise import POINTWISE

_COMPARE = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}
_ARITHMETIC = {"+": "add", "-": "sub", "*": "mul", "/": "div"}


@dataclass(slots=True)
class Expressions:
    """Checks expressions of one file. `settle` checks a pending `let` or trigger when its name is used before its turn."""

    scope: Scope
    file: str
    in_policy: bool
    settle: Callable[[str], None]
    trusted: bool = False  # the rules every project has: may read internal facts
    assets: tuple[str, ...] = ()

    # --- entry points ----------------------------------------------------------------------------------------------

    def condition(self, node: syntax.Expr) -> checked.Expr:
        """An expression that must be true or false."""
        value = self.check(node)
        if value.unit.kind not in {Kind.TRUTH, Kind.ANY}:
            self.scope.report(
                "TB054",
                f"a condition is needed here, this is a {value.unit}",
                value.span,
                "compare it with something, as in `... > 0`",
            )
        return value

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
                value = self.check(node.value)
                period = constant(node.period, self.scope.currency)
                if not isinstance(period, checked.Const) or period.unit.kind is not Kind.DURATION:
                    return self.refuse("TB062", f"`{node.period.text}` is not a period", node.span, "write a duration: `@1h`")
                return checked.OnPeriod(value, int(period.value), value.unit, node.span)
            case syntax.Of():
                return self._of(node)
            case syntax.AtMoment():
                return self._moment(node)
            case syntax.Unary():
                return self._unary(node)
            case syntax.Binary():
                return self._logic(node) if node.operator in {"and", "or"} else self._arithmetic(node)
            case syntax.Compare():
                return self._compare(_COMPARE[node.operator], self.check(node.left), self.check(node.right), node.span)
            case syntax.Between():
                value = self.check(node.value)
                low = self._compare("ge", value, self.check(node.low), node.span)
                high = self._compare("le", value, self.check(node.high), node.span)
                return checked.Logic("and", (low, high), TRUTH, node.span)
            case syntax.Member():
                return self._member(node)
            case syntax.Is():
                return self._is(node)
            case syntax.Crosses():
                return self._crosses(node)
            case syntax.ForBars():
                return self._lasting(node.condition, node.length, True, node.span)
            case syntax.WithinBars():
                return self._lasting(node.condition, node.length, False, node.span)
            case _:
                assert_never(node)

    def refuse(self, code: str, message: str, span: Span, hint: str = "") -> checked.Expr:
        """Reports, and stands in for what could not be read."""
        self.scope.report(code, message, span, hint)
        return checked.Const("?", ANY, "?", None, span)

    # --- names -----------------------------------------------------------------------------------------------------

    def _name(self, node: syntax.Name) -> checked.Expr:
        name, scope = node.text, self.scope
        if node.parts[0] == "limits" and len(node.parts) == 2:
            return self._limit(node)
        if name in FACTS and (name not in FIELDS or self.in_policy) and (self.trusted or name not in INTERNAL):
            return self.fact(name, "", node.span)
        if name in FIELDS:
            return checked.Field(name, FIELDS[name].unit, node.span)
        if not scope.visible(name, self.file, self.in_policy):
            return self._unknown(node)
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
        if name in scope.groups:
            return checked.Const(name, LIST, name, None, node.span)
        return self.refuse("TB053", f"`{name}` is not a value", node.span, "use the name of a `let`, a trigger or a parameter")

    def _limit(self, node: syntax.Name) -> checked.Expr:
        name = node.parts[1]
        limit = self.scope.limits.get(name)
        if limit is None:
            near = did_you_mean(name, self.scope.limits)
            hint = near or f"add `{name}:` to policy/limits.yaml"
            return self.refuse("TB060", f"the limit `{name}` is not set", node.span, hint)
        self.scope.limits_used[name] = None
        return checked.Const(limit.value, limit.unit, limit.text, f"limits.{name}", node.span)

    def _unknown(self, node: syntax.Name) -> checked.Expr:
        name, scope = node.text, self.scope
        if name in FUNCTIONS or name in POINTWISE:
            example = FUNCTIONS[name].example if name in FUNCTIONS else f"{name}(close)"
            return self.refuse("TB051", f"`{name}` needs its arguments", node.span, f"write `{example}`")
        if name in scope.defined and not scope.visible(name, self.file, self.in_policy):
            where = "policy files read only what policy files define"
            if not self.in_policy:
                home, is_policy = scope.defined[name]
                module = home.file.rsplit("/", 1)[-1].removesuffix(".tb")
                where = "rule files cannot read policy" if is_policy else f"it is defined in {home.file}: add `use {module}`"
            return self.refuse("TB053", f"`{name}` cannot be used here", node.span, where)
        if name in FACTS and not self.in_policy:
            return self.refuse("TB053", f"`{name}` belongs to policy files", node.span, "a strategy reads market data only")
        known = [*FIELDS, *FUNCTIONS, *POINTWISE, *(FACTS if self.in_policy else ())]
        near = scope.nearest(name, known, self.file, self.in_policy)
        return self.refuse("TB102", f"nothing is called `{name}`", node.span, near or f"define it: `let {name} = ...`")

    def fact(self, name: str, argument: str, span: Span) -> checked.Expr:
        """A fact, where facts may be read."""
        if not self.in_policy:
            hint = "a strategy reads market data only; put this into a policy file"
            return self.refuse("TB053", f"`{name}` belongs to policy files", span, hint)
        return checked.FactRef(name, argument, unit_of(FACTS[name], self.scope.currency), span)

    # --- looking elsewhere -----------------------------------------------------------------------------------------

    def _shift(self, node: syntax.Shift) -> checked.Expr:
        value, bars = self.check(node.value), fold(self.check(node.bars))
        if bars is None or isinstance(bars.value, str) or bars.unit.kind not in {Kind.NUMBER, Kind.ANY, Kind.BARS}:
            return self.refuse("TB055", "how far to look back must be a whole number of bars", node.span, "write `close[1]`")
        if bars.value < 0 or bars.value != int(bars.value):
            hint = "only closed bars are visible; look back with `x[1]`"
            return self.refuse("TB055", f"`[{bars.text}]` is not a whole number of closed bars", node.span, hint)
        return checked.Shift(value, int(bars.value), value.unit, node.span)

    def _of(self, node: syntax.Of) -> checked.Expr:
        if isinstance(node.whole, syntax.Symbol):
            value = self.check(node.value)
            return checked.OfInstrument(value, node.whole.symbol, units.retagged(value.unit, node.whole.symbol), node.span)
        share, whole = self.check(node.value), self.check(node.whole)
        unit = units.multiplied(share.unit, whole.unit, self.scope.currency)
        if unit is None or not (units.as_ratio(share.unit) or share.unit.kind is Kind.NUMBER):
            hint = "write a share of something: `5% of equity`"
            if isinstance(share, checked.Const) and share.unit.kind is Kind.MONEY:
                hint = "an amount of money stands alone; a share is written `5% of equity`"
            return self.refuse("TB101", f"a {share.unit} of a {whole.unit} means nothing", node.span, hint)
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
            return self.refuse("TB101", f"a {value.unit} has no negative", node.span, "use a number")
        result = checked.Pointwise("neg", (value,), value.unit, node.span)
        folded = fold(result)
        if folded is not None and isinstance(value, checked.Const):
            return checked.Const(folded.value, folded.unit, f"-{value.text}", folded.origin, node.span)
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
            words = {"+": "added to", "-": "taken with", "*": "multiplied by", "/": "divided by"}[node.operator]
            return self.refuse("TB101", f"a {left.unit} cannot be {words} a {right.unit}", node.span, hint)
        return checked.Pointwise(_ARITHMETIC[node.operator], (left, right), unit, node.span)

    def _compare(self, operator: str, left: checked.Expr, right: checked.Expr, span: Span) -> checked.Expr:
        kinds = {left.unit.kind, right.unit.kind}
        ordered = operator not in {"eq", "ne"}
        if units.meet(left.unit, right.unit) is None:
            hint = units.mismatch_hint(left, right, self.scope.currency)
            return self.refuse("TB101", f"a {left.unit} cannot be compared with a {right.unit}", span, hint)
        if ordered and not kinds <= units.NUMERIC:
            return self.refuse("TB101", f"a {left.unit} has no order", span, "use `is`, `is not`, `and`, `or`")
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
        here = self._compare(now, left, right, node.span)
        if here.unit.kind is Kind.ANY:
            return here
        there = self._compare(before, earlier_left, earlier_right, node.span)
        return checked.Logic("and", (here, there), TRUTH, node.span)

    def _lasting(self, condition: syntax.Expr, length: syntax.Expr, every: bool, span: Span) -> checked.Expr:
        value, folded = self.condition(condition), fold(self.check(length))
        allowed = {Kind.NUMBER, Kind.BARS, Kind.DURATION}
        if folded is None or isinstance(folded.value, str) or folded.unit.kind not in allowed or folded.value < 1:
            return self.refuse("TB055", "how long must be a number of bars or a duration", span, "write `for 3 bars`")
        return checked.Lasting(value, folded, every, TRUTH, span)

    # --- words -----------------------------------------------------------------------------------------------------

    def _member(self, node: syntax.Member) -> checked.Expr:
        value = self.check(node.value)
        if isinstance(node.of, syntax.Name) and node.of.text == "restricted" and self.in_policy:
            found: checked.Expr = checked.OneOf(value, None, "restricted", TRUTH, node.span)
        elif isinstance(node.of, syntax.Name) and node.of.text in self.scope.groups:
            group = self.scope.groups[node.of.text]
            found = checked.OneOf(value, group.members, group.name, TRUTH, node.span)
        else:
            name = node.of.text if isinstance(node.of, syntax.Name) else "this"
            near = did_you_mean(name, [*self.scope.groups, "restricted"])
            return self.refuse("TB102", f"`{name}` is not a list of instruments", node.span, near or "name a `group`")
        if value.unit.kind is not Kind.INSTRUMENT:
            return self.refuse(
                "TB101", f"a {value.unit} cannot be in a list of instruments", node.span, "use `order.instrument`"
            )
        return checked.Not(found, TRUTH, node.span) if node.negated else found

    def _is(self, node: syntax.Is) -> checked.Expr:
        found = self._is_plainly(node)
        return checked.Not(found, TRUTH, node.span) if node.negated and found.unit.kind is not Kind.ANY else found

    def _is_plainly(self, node: syntax.Is) -> checked.Expr:
        subject = node.value.text if isinstance(node.value, syntax.Name) else ""
        if subject == "tier" and not self.in_policy:
            tiers = list(dict.fromkeys(tier.name for u in self.scope.universes.values() for tier in u.tiers))
            return self._word(node, tiers, "tier", checked.TierIs)
        if subject == "regime" and not self.in_policy:
            return self._word(node, list(self.scope.regime_names), "regime", checked.RegimeIs)
        value = self.check(node.value)
        if value.unit.kind is Kind.ANY:
            return value
        if node.word == "set" and isinstance(value, checked.FactRef):
            return checked.IsSet(value, TRUTH, node.span)
        if isinstance(value, checked.FactRef) and value.unit.kind in {Kind.TEXT, Kind.INSTRUMENT}:
            if value.name == "order.side" and node.word not in {"buy", "sell"}:
                return self.refuse("TB102", f"`{node.word}` is not a side", node.span, "a side is `buy` or `sell`")
            word = checked.Const(node.word, value.unit, node.word, None, node.span)
            return checked.Comparison("eq", value, word, TRUTH, node.span)
        return self.refuse("TB101", f"a {value.unit} is not `{node.word}`", node.span, "compare it with `==`, `<` or `>`")

    def _word(
        self,
        node: syntax.Is,
        known: list[str],
        what: str,
        make: type[checked.TierIs] | type[checked.RegimeIs],
    ) -> checked.Expr:
        if node.word in known:
            return make(node.word, TRUTH, node.span)
        hint = did_you_mean(node.word, known) or (
            f"one of {', '.join(f'`{k}`' for k in known)}" if known else f"define a {what}"
        )
        return self.refuse("TB061", f"there is no {what} `{node.word}`", node.span, hint)
