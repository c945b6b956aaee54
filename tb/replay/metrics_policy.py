"""What the policy did in one run: verdicts, refusals by constraint, use of each limit, and the time trading stood still.

Entries only; exits are counted apart, because constraints judge them only where they say `on every order`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import Decimal

from tb.core.records import Decision, Latch, Mark
from tb.replay import statistic
from tb.replay.curve import Curve
from tb.replay.figures import Group, LimitUse, Meaning, Missing, RuleUse, Stoppage, figure
from tb.replay.metrics_trades import covered

MEANINGS = {
    "proposals": Meaning("Proposals", "count", "entries that strategies proposed"),
    "approved": Meaning("Approved", "count", "entries approved at the proposed quantity, those with a warning included"),
    "warned": Meaning("Warned", "count", "entries approved with a warning"),
    "shrunk": Meaning("Shrunk", "count", "entries approved at a smaller quantity"),
    "rejected": Meaning("Rejected", "count", "entries refused, by whatever verdict; their approved quantity is zero"),
    "refusal_rate": Meaning("Refusal rate", "ratio", "refused entries / proposals"),
    "unknown_refusals": Meaning("Refused as unknown", "count", "refused entries of which a constraint could not be evaluated"),
    "exits": Meaning("Exit orders", "count", "exits decided"),
    "exits_refused": Meaning("Exits refused", "count", "exits that a constraint `on every order` refused"),
    "blocked_notional": Meaning(
        "Blocked notional", "money", "(proposed - approved quantity) x price at the decision, over all entries"
    ),
    "approved_notional": Meaning("Approved notional", "money", "approved quantity x price at the decision, over all entries"),
    "binding_share": Meaning("Binding share", "ratio", "entries that a constraint refused or shrank / proposals"),
    "pauses": Meaning("Pauses", "count", "stretches with a pause in force; one set again meanwhile extends the stretch"),
    "halts": Meaning("Halts", "count", "stretches with a halt in force; one set again meanwhile extends the stretch"),
    "stopped_time": Meaning("Time stopped", "ratio", "share of the run's time with a pause or halt in force"),
    "peak_exposure": Meaning("Peak gross exposure", "ratio", "largest gross exposure / equity over the recorded marks"),
    "mean_exposure": Meaning(
        "Gross exposure when open", "ratio", "mean of gross exposure / equity over the marks with an open position"
    ),
}


@dataclass(slots=True)
class RuleTally:
    refused: int = 0
    shrunk: int = 0
    warned: int = 0
    shadowed: int = 0
    blocked: Decimal = Decimal(0)


@dataclass(slots=True)
class Tally:
    """Counts over one pass of the decisions; they may come from a generator over a large ledger."""

    proposals: int = 0
    approved: int = 0
    warned: int = 0
    shrunk: int = 0
    refused: int = 0
    unknown: int = 0
    exits: int = 0
    exits_refused: int = 0
    unpriced: int = 0  # entries without a price at the decision: in no notional
    blocked: Decimal = Decimal(0)
    passed: Decimal = Decimal(0)
    rules: dict[str, RuleTally] = field(default_factory=dict)
    prices: dict[int, Decimal] = field(
        default_factory=dict
    )  # expected price by number of the decision, where a trade came of it


def tally_of(decisions: Iterable[Decision], traded: AbstractSet[int]) -> Tally:
    """Counts of all decisions. `traded` names those whose expected price is to be kept."""
    tally = Tally()
    for decision in decisions:
        if decision.kind == "exit":
            tally.exits += 1
            tally.exits_refused += decision.approved == 0
            continue
        if decision.seq in traded and decision.price is not None:
            tally.prices[decision.seq] = decision.price
        _count(tally, decision)
    return tally


def _count(tally: Tally, decision: Decision) -> None:
    refused = decision.approved <= 0
    shrunk = not refused and decision.approved < decision.proposed
    price = (decision.price or Decimal(0)) * (decision.rate or 1)
    blocked = (decision.proposed - decision.approved) * price
    tally.proposals += 1
    tally.refused += refused
    tally.shrunk += shrunk
    tally.approved += not (refused or shrunk)
    tally.warned += not refused and decision.verdict == "warn"
    tally.unknown += refused and decision.unknown != 0
    tally.blocked += blocked
    tally.passed += decision.approved * price
    tally.unpriced += decision.price is None
    for name in dict.fromkeys(decision.deciding):
        rule = tally.rules.setdefault(name, RuleTally())
        rule.refused += refused
        rule.shrunk += shrunk
        rule.warned += not refused and decision.verdict == "warn"
        rule.blocked += blocked
    for name in decision.shadowed:
        tally.rules.setdefault(name, RuleTally()).shadowed += 1


def verdicts(tally: Tally) -> Group:
    none = Missing("no proposals") if tally.proposals == 0 else None
    values: dict[str, float | Missing] = {
        "proposals": float(tally.proposals),
        "approved": float(tally.approved),
        "warned": float(tally.warned),
        "shrunk": float(tally.shrunk),
        "rejected": float(tally.refused),
        "refusal_rate": none or tally.refused / tally.proposals,
        "binding_share": none or (tally.refused + tally.shrunk) / tally.proposals,
        "unknown_refusals": float(tally.unknown),
        "blocked_notional": float(tally.blocked),
        "approved_notional": float(tally.passed),
        "exits": float(tally.exits),
        "exits_refused": float(tally.exits_refused),
    }
    unpriced = f"without {tally.unpriced} entries of unknown price" if tally.unpriced else ""
    found = tuple(
        figure(MEANINGS, name, value, unpriced if name.endswith("_notional") else "") for name, value in values.items()
    )
    return Group(name="policy", label="Policy", metrics=found)


def rules(tally: Tally, made: Mapping[str, float]) -> tuple[RuleUse, ...]:
    """Constraints that decided at least one entry, or would have in shadow; the most refusals first.

    `made` is what the refusals of each would have made."""
    bound = tally.refused + tally.shrunk
    found = [
        RuleUse(
            rule=name,
            refused=rule.refused,
            shrunk=rule.shrunk,
            warned=rule.warned,
            shadowed=rule.shadowed,
            binding=(rule.refused + rule.shrunk) / bound if bound else None,
            blocked=float(rule.blocked),
            what_if=made.get(name),
        )
        for name, rule in tally.rules.items()
        if rule.refused or rule.shrunk or rule.warned or rule.shadowed
    ]
    return tuple(sorted(found, key=lambda use: (-use.refused, -use.shrunk, use.rule)))


def limits(marks: Sequence[Mark]) -> tuple[LimitUse, ...]:
    """Highest and 95 % quantile of the used share of each limit, in the order in which limits first appear."""
    samples: dict[str, list[float | None]] = {}
    for mark in marks:
        for name, used in mark.usage.items():
            samples.setdefault(name, []).append(used)
    found = []
    for name, values in samples.items():
        known = [value for value in values if value is not None and abs(value) < float("inf")]
        found.append(
            LimitUse(
                limit=name,
                highest=max(known) if known else None,
                p95=statistic.quantile(known, 0.95) if known else None,
                known=len(known),
                unknown=len(values) - len(known),
            )
        )
    return tuple(found)


def stoppages(latches: Iterable[Latch], last: int) -> tuple[Stoppage, ...]:
    """Stretches in which a pause or halt was in force. One set again while in force extends the stretch."""
    found: list[Stoppage] = []
    active: dict[str, Latch] = {}  # by rule: when it started, until when it holds
    for latch in latches:
        running = active.pop(latch.rule, None)
        if running is not None and running.until is not None and running.until <= latch.at:
            found.append(_stoppage(running, running.until, last, ""))
            running = None
        if not latch.lifted:
            active[latch.rule] = latch if running is None else _extended(running, latch)
        elif running is not None:
            found.append(_stoppage(running, latch.at, last, latch.by))
    found += [_stoppage(latch, latch.until, last, "") for latch in active.values()]
    return tuple(sorted(found, key=lambda stop: (stop.start, stop.rule)))


def _extended(running: Latch, latch: Latch) -> Latch:
    until = None if running.until is None or latch.until is None else max(running.until, latch.until)
    verdict = "halt" if "halt" in (running.verdict, latch.verdict) else latch.verdict
    return Latch(
        at=running.at, rule=latch.rule, verdict=verdict, until=until, lifted=False, by=running.by, reason=running.reason
    )


def _stoppage(latch: Latch, end: int | None, last: int, by: str) -> Stoppage:
    ongoing = end is None or end > last
    stop = last if end is None else min(end, last)
    return Stoppage(
        rule=latch.rule,
        verdict=latch.verdict,
        start=latch.at,
        end=max(stop, latch.at),
        ongoing=ongoing,
        lifted_by=by,
        reason=latch.reason,
    )


def standing(marks: Sequence[Mark], stops: Sequence[Stoppage], line: Curve) -> Group:
    """Pauses, halts and exposure."""
    shares = [float(mark.exposure / mark.equity) for mark in marks if mark.equity > 0]
    opened = [share for share in shares if share > 0.0]
    length = line.last - line.first
    stopped = covered(((stop.start, stop.end) for stop in stops), line.first, line.last)
    values: dict[str, float | Missing] = {
        "pauses": float(sum(stop.verdict == "pause" for stop in stops)),
        "halts": float(sum(stop.verdict == "halt" for stop in stops)),
        "stopped_time": stopped / length if length else Missing("the run has no length"),
        "peak_exposure": max(shares) if shares else Missing("no marks were recorded"),
        "mean_exposure": statistic.mean(opened) if opened else Missing("no mark with an open position"),
    }
    found = tuple(figure(MEANINGS, name, value) for name, value in values.items())
    return Group(name="standing", label="Stops and exposure", metrics=found)
