"""What refused entries would have come to, in figures: together, and by the constraint that refused them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tb.replay import statistic
from tb.replay.figures import Group, Meaning, Missing, figure
from tb.replay.what_if import WhatIf

ALONE = (
    "each followed by itself to its stop, target, exit or the end of the data, at the size proposed, after fees and slippage"
)
MEANINGS = {
    "refused_followed": Meaning("Followed", "count", f"refused entries of which it can be told: {ALONE}"),
    "refused_left_out": Meaning("Left out", "count", "refused entries that cannot be followed"),
    "refused_profit": Meaning(
        "What-if profit",
        "money",
        f"sum of what refused entries would have made, {ALONE}; an entry refused bar after bar counts each time",
    ),
    "refused_win_rate": Meaning("What-if win rate", "ratio", "share of the followed with a profit above zero"),
    "refused_expectancy": Meaning("What-if expectancy", "money", "mean profit of the followed"),
    "refused_expectancy_r": Meaning("What-if expectancy in R", "R", "mean profit of the followed in multiples of their risk"),
}


def refused(found: WhatIf) -> Group:
    """The figures of refused entries; missing with the reason where none could be followed."""
    profits = [float(one.profit) for one in found.followed]
    risks = [float(one.r) for one in found.followed if one.r is not None]
    none = None if profits else Missing(found.absent or ("none can be followed" if found.left_out else "no entry was refused"))
    values: dict[str, float | Missing] = {
        "refused_followed": Missing(found.absent) if found.absent else float(len(profits)),
        "refused_left_out": Missing(found.absent) if found.absent else float(found.left_out.total()),
        "refused_profit": none or math.fsum(profits),
        "refused_win_rate": none or sum(profit > 0.0 for profit in profits) / len(profits),
        "refused_expectancy": none or statistic.mean(profits),
        "refused_expectancy_r": none or (statistic.mean(risks) if risks else Missing("none had a stop")),
    }
    open_ = sum(one.cause == "end of data" for one in found.followed)
    notes = {
        "refused_left_out": ", ".join(f"{reason} {count:,}" for reason, count in sorted(found.left_out.items())),
        "refused_profit": f"{open_:,} of {len(profits):,} still open at the end, valued at the last close" if open_ else "",
    }
    metrics = tuple(figure(MEANINGS, name, value, notes.get(name, "")) for name, value in values.items())
    return Group(name="refused", label="Refused entries, had they gone", metrics=metrics)


def by_rule(found: WhatIf) -> Mapping[str, float]:
    """What the refusals of each constraint would have made; one refused by two counts for both."""
    totals: dict[str, list[float]] = {}
    for one in found.followed:
        for name in dict.fromkeys(one.decision.deciding):
            totals.setdefault(name, []).append(float(one.profit))
    return {name: math.fsum(profits) for name, profits in totals.items()}
