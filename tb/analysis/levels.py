"""How much a finding counts in this project: `lint.levels` in tb.yaml, by the code of a rule or by its category.

A code says more than its category, so it wins. Only rules of the linter have a level: what gives a file its meaning is an
error whatever the settings say, and a level for it is a mistake that is pointed out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import get_args

from tb.analysis.subject import Category, Rule
from tb.analysis.suppression import NO_EFFECT, NO_REASON
from tb.core.codes import CODES
from tb.core.diagnostics import Diagnostic, Severity, did_you_mean, warning
from tb.core.span import Span

NO_RULE = "TB610"
CATEGORIES: tuple[Category, ...] = get_args(Category)
COMMENTS: Mapping[str, Category] = {NO_REASON: "hygiene", NO_EFFECT: "hygiene"}  # found while reading `# tb: ignore`


def by_code(levels: Mapping[str, Severity | None], rules: Iterable[Rule]) -> dict[str, Severity | None]:
    """The level of each code that has one. `levels` names codes and categories; None is off."""
    known: dict[str, Category] = {**{rule.code: rule.category for rule in rules}, **COMMENTS}
    of_categories = {code: levels[category] for code, category in known.items() if category in levels}
    return {**of_categories, **{code: level for code, level in levels.items() if code in known}}


def of_no_rule(places: Mapping[str, Span], rules: Iterable[Rule]) -> list[Diagnostic]:
    """What is to be said of levels that change nothing. `places` is where the settings name each code or category."""
    known = [*(rule.code for rule in rules), *COMMENTS]
    found = []
    for name, place in places.items():
        if name in CATEGORIES or name in known:
            continue
        if name in CODES:
            found.append(warning(NO_RULE, f"`{name}` is no rule of the linter: it always counts as it is", place, "remove it"))
        else:
            hint = did_you_mean(name, known) or "see docs/lint/README.md for the rules there are"
            found.append(warning(NO_RULE, f"there is no lint rule `{name}`", place, hint))
    return found
