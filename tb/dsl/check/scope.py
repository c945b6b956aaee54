"""The names a file may use, and the findings collected while using them.

A rule file sees its own definitions, those of the files it names with `use`, and the groups and feeds of policy; policy files
see all of policy and nothing else, so that nothing a strategy's author edits can change a limit. Names are one space: no two
definitions share one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from tb.core.diagnostics import Diagnostic, Edit, Label, did_you_mean, error, warning
from tb.core.span import Span
from tb.core.units import Unit
from tb.dsl import checked, checked_cases, syntax
from tb.dsl.checked_calendar import Session
from tb.dsl.checked_capital import Advisor, Allocation, Book, Council
from tb.vocabulary.std import TEXTS

_Settled = syntax.Let | syntax.Trigger | syntax.Function | syntax.Score | syntax.Signal | syntax.Table


class LimitValue(Protocol):
    """One entry of `policy/limits.yaml`, in base units."""

    @property
    def value(self) -> Decimal: ...
    @property
    def unit(self) -> Unit: ...
    @property
    def text(self) -> str: ...


@dataclass(slots=True)
class Scope:
    """What is defined so far, and what went wrong so far. One for a whole project."""

    currency: str
    limits: Mapping[str, LimitValue]
    findings: list[Diagnostic] = field(default_factory=list)
    params: dict[str, checked.Param] = field(default_factory=dict)
    groups: dict[str, checked.Group] = field(default_factory=dict)
    universes: dict[str, checked.Universe] = field(default_factory=dict)
    regime: tuple[checked.RegimeCase, ...] = ()
    regime_names: tuple[str, ...] = ()
    lets: dict[str, checked.Let] = field(default_factory=dict)
    triggers: dict[str, checked.Trigger] = field(default_factory=dict)
    signals: dict[str, checked_cases.Producer] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    feeds: dict[str, checked.Feed] = field(default_factory=dict)
    functions: dict[str, syntax.Function] = field(default_factory=dict)
    strategies: dict[str, checked.Strategy] = field(default_factory=dict)
    books: dict[str, Book] = field(default_factory=dict)
    council: Council | None = None
    advisors: dict[str, Advisor] = field(default_factory=dict)
    allocation: Allocation | None = None
    constraints: list[checked.Constraint] = field(default_factory=list)
    limits_used: dict[str, str] = field(default_factory=dict)
    defined: dict[str, tuple[Span, bool]] = field(default_factory=dict)  # name -> where, in policy
    uses: dict[str, tuple[str, ...]] = field(default_factory=dict)  # file -> files it names with `use`
    picked: dict[tuple[str, str], frozenset[str] | None] = field(default_factory=dict)  # names it takes of one; None: all
    brought: dict[str, str] = field(default_factory=dict)  # file of the library -> the first `use` line that names it
    pending: dict[str, _Settled] = field(default_factory=dict)  # found, not checked yet
    open: list[str] = field(default_factory=list)  # being checked: a name met again is a cycle
    broken: set[str] = field(default_factory=set)  # definitions with a mistake: their uses stay silent

    def report(
        self,
        code: str,
        message: str,
        span: Span,
        hint: str = "",
        labels: tuple[Label, ...] = (),
        edits: tuple[Edit, ...] = (),
    ) -> None:
        self.findings.append(error(code, message, span, hint, labels, edits))

    def warn(self, code: str, message: str, span: Span, hint: str = "") -> None:
        self.findings.append(warning(code, message, span, hint))

    def define(self, name: str, span: Span, in_policy: bool) -> bool:
        """Claims a name; reports and answers False where it is taken."""
        earlier = self.defined.get(name)
        if earlier is None:
            self.defined[name] = (span, in_policy)
            return True
        labels = (Label(earlier[0], "first defined here"),)
        if earlier[0].file in TEXTS:
            place = f"{earlier[0].file}:{earlier[0].line}"
            bringing = self.brought.get(earlier[0].file)
            hint = "rename yours" + (
                f", or name those you need: `{bringing}: NAME`" if bringing and ":" not in bringing else ""
            )
            by = f"which `{bringing}` brings" if bringing else "which every project has"
            self.report("TB050", f"`{name}` is already defined at {place}, {by}", span, hint, labels)
            self.broken.add(name)  # which of the two is meant by it is not guessed
        else:
            self.report("TB050", f"`{name}` is defined twice", span, "rename one of the two", labels)
        return False

    def visible(self, name: str, file: str, in_policy: bool) -> bool:
        where = self.defined.get(name)
        if where is None:
            return False
        span, is_policy = where
        if in_policy:
            return is_policy
        if is_policy or span.file == file:
            return not is_policy or name in self.groups or name in self.feeds
        picked = self.picked.get((file, span.file))
        return span.file in self.uses.get(file, ()) and (picked is None or name in picked)

    def is_leg(self, word: str, in_policy: bool) -> bool:
        """Whether `x of WORD` means a leg of the strategy that asks: a tier, whose name nothing else has."""
        tiers = {tier.name for universe in self.universes.values() for tier in universe.tiers}
        return not in_policy and word in tiers and word not in self.defined

    def elsewhere(self, name: str, file: str) -> str:
        """The edit that makes a definition of another rule file visible; nothing where there is none."""
        where = self.defined.get(name)
        if where is None or where[1] or where[0].file == file:
            return ""
        return f"it is defined in {where[0].file}: add {self.use_of(name)}"

    def use_of(self, name: str) -> str:
        """The line that makes a definition of another rule file readable."""
        home = self.defined[name][0].file
        module = home.rsplit("/", 1)[-1].removesuffix(".tb")
        return f"`use std.{module}: {name}`" if home.startswith("std/") else f"`use {module}`"

    def nearest(self, name: str, known: list[str], file: str, in_policy: bool) -> str:
        return did_you_mean(name, self.readable(known, file, in_policy))

    def readable(self, known: list[str], file: str, in_policy: bool) -> list[str]:
        """Those names, and what is defined and can be read there."""
        return known + [other for other in self.defined if self.visible(other, file, in_policy)]
