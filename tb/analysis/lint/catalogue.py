"""Every lint rule, in the order of its code. A new check is a new module beside this one and a line here."""

from __future__ import annotations

from tb.analysis.lint import (
    always_true,
    boundary_point,
    conflicting_effects,
    contradictory_condition,
    duplicate_rule,
    exit_blocked,
    float_equality,
    impossible_threshold,
    invisible_character,
    look_back_beyond_data,
    missing_halt,
    missing_order_rate,
    missing_order_value,
    missing_price_collar,
    missing_stop,
    no_reason_text,
    overridden_rule,
    shadowed_rule,
    short_cool_down,
    stale_data_unguarded,
    unbounded_size,
    unformatted,
    unknown_pip,
    unreachable_case,
    unused_definition,
)
from tb.analysis.subject import Rule

_MODULES = (
    contradictory_condition,
    always_true,
    impossible_threshold,
    unreachable_case,
    shadowed_rule,
    overridden_rule,
    conflicting_effects,
    duplicate_rule,
    boundary_point,
    float_equality,
    unknown_pip,
    look_back_beyond_data,
    stale_data_unguarded,
    missing_stop,
    unbounded_size,
    missing_order_value,
    missing_price_collar,
    missing_order_rate,
    missing_halt,
    exit_blocked,
    short_cool_down,
    no_reason_text,
    unformatted,
    unused_definition,
    invisible_character,
)

RULES: tuple[Rule, ...] = tuple(module.RULE for module in _MODULES)
