"""What advisors, council and allocation said of a proposal: in words, and whether it follows from what was recorded."""

from __future__ import annotations

from decimal import Decimal

from tb.core.encode import plain
from tb.core.records import Advice, Decision
from tb.core.time import show_duration
from tb.core.units import NUMBER, RATIO
from tb.dsl.checked_capital import Allocation, Council
from tb.engine.derived import allocation as share_of
from tb.engine.derived import kelly
from tb.engine.explain.words import describe, show_value
from tb.engine.instant import Exact
from tb.engine.plan import Plan
from tb.gate.gate import Gate


def combined(plan: Plan, gate: Gate, decision: Decision, inputs: tuple[Exact, ...]) -> tuple[str, ...]:
    """A line for each who had a say, in their order."""
    council, allocation = plan.program.capital.council, plan.program.capital.allocation
    lines = [_advice(said) for said in decision.advice]
    lines += [_council(council, decision)] if council is not None and decision.votes else []
    if allocation is not None and decision.kind == "enter":
        lines.append(f"allocate   {allocated(gate, inputs)}")
        lines += [f"           {line}" for line in _shared(allocation, decision)]
    return tuple(lines)


def _advice(said: Advice) -> str:
    """`advisor    news_review moves it by -0.1 ("rumours"), 800ms, cost 0.02`."""
    moved = f"moves it by {said.adjust:+f}" if said.adjust else ""
    words = {
        "agree": "leaves it as it is",
        "adjust": moved,
        "veto": "is taken to veto it" if said.why else "vetoes it",
        "abstain": "abstains",
    }[said.outcome]
    why = f": {said.why}" if said.why else ""
    note = f' ("{said.note}")' if said.note else ""
    took = f", answered in {show_duration(said.latency)}" if said.latency is not None else ""
    cost = f", cost {plain(said.cost)}" if said.cost else ""
    return f"advisor    {said.advisor} {words}{why}{note}{took}{cost}"


def _compare_advice(plan: Plan, gate: Gate, decision: Decision, inputs: tuple[Exact, ...], differences: list[str]) -> None:
    """Who was asked, in the order of the policy; nobody after a veto, and nothing beyond what each may do."""
    advisors = plan.program.capital.advisors if decision.kind == "enter" else ()
    asked = [said.advisor for said in decision.advice]
    vetoes = [said.advisor for said in decision.advice if said.outcome == "veto"]
    wanted = [advisor.name for advisor in advisors]
    if vetoes:
        wanted = wanted[: wanted.index(vetoes[0]) + 1] if vetoes[0] in wanted else []
    if asked != wanted:
        differences.append(f"advice of {', '.join(asked) or 'nobody'}, asked {', '.join(wanted) or 'nobody'}")
    known = {advisor.name: advisor for advisor in advisors}
    for said in decision.advice:
        advisor = known.get(said.advisor)
        if advisor is None:
            continue
        if abs(said.adjust) > (advisor.adjust or 0) or bool(said.adjust) != (said.outcome == "adjust"):
            differences.append(f"`{said.advisor}` cannot move it by {said.adjust}")
        if said.outcome == "veto" and not advisor.veto:
            differences.append(f"`{said.advisor}` has no veto")
    if gate.reads("order.vetoed_by") and (vetoes[0] if vetoes else None) != inputs[gate.leaf("order.vetoed_by")]:
        differences.append(f"veto: {vetoes[0] if vetoes else None} by the advice, another among its facts")


def _council(council: Council, decision: Decision) -> str:
    share = council.share_for(decision.votes)
    needed = f"{'more than ' if council.is_strict else ''}{show_value(council.share, RATIO)} needed"
    said = []
    for vote in decision.votes:
        how = f" ({vote.how})" if vote.how else ""
        said.append(f"{vote.strategy} {plain(council.weight(vote.strategy))} {vote.says}{how}")
    return f"council    {show_value(share, RATIO)} for it, {needed}: {', '.join(said)}"


def compare(plan: Plan, gate: Gate, decision: Decision, inputs: tuple[Exact, ...], differences: list[str]) -> None:
    """Names what does not follow: votes of others than those asked, a share that the votes do not give."""
    council = plan.program.capital.council
    asked: tuple[str, ...] = ()
    if council is not None and decision.kind == "enter" and decision.strategy in council.members:
        known = {strategy.name: strategy for strategy in plan.strategies}
        asked = tuple(m for m in council.members if m in known and known[m].covers(decision.instrument))
    if tuple(vote.strategy for vote in decision.votes) != asked:
        differences.append(f"votes of {', '.join(v.strategy for v in decision.votes) or 'nobody'}, asked {', '.join(asked)}")
    if any(vote.strategy == decision.strategy and vote.says != "for" for vote in decision.votes):
        differences.append(f"`{decision.strategy}` is not for its own proposal")
    share: Decimal | None = council.share_for(decision.votes) if council is not None and asked else None
    _compare_advice(plan, gate, decision, inputs, differences)
    _compare_allocation(plan, gate, decision, inputs, differences)
    if gate.reads("votes_for") and share != inputs[gate.leaf("votes_for")]:
        differences.append(f"weight for the order: {share} by the votes, {inputs[gate.leaf('votes_for')]} among its facts")


_ALLOTTED = ("kelly.trades", "kelly.needed", "kelly.wins", "kelly.gain", "kelly.loss", "kelly.fraction", "kelly.most")


def allocated(gate: Gate, inputs: tuple[Exact, ...]) -> str:
    """What the trades came to and what follows: wins, payoff, Kelly's share, the allocation."""
    read = [inputs[gate.leaf(name)] for name in _ALLOTTED]
    known = [value for value in read if isinstance(value, Decimal)]
    if len(known) != len(read):
        leaves = [gate.policy.leaves[gate.leaf(name)] for name in _ALLOTTED]
        missing = [describe(gate.graph, leaf) for leaf, value in zip(leaves, read, strict=True) if value is None]
        return f"unknown: {', '.join(missing)}"
    trades, needed, wins, gain, loss, fraction, most = known
    if trades < needed:
        return f"{trades} of {needed} trades closed: the size rule, at most {show_value(most, RATIO)} of equity"
    share = kelly(trades, wins, gain, loss)
    payoff = show_value(gain / loss, NUMBER) if loss else "no loss"
    won = f"{wins} of {trades} trades won, mean gain {show_value(gain, RATIO)}, mean loss {show_value(loss, RATIO)}"
    follows = f"Kelly {show_value(share, NUMBER)} x {plain(fraction)}, at most {show_value(most, RATIO)}"
    return f"{won} (payoff {payoff}): {follows}: {show_value(share_of(*known), RATIO)} of equity"


def _shared(allocation: Allocation, decision: Decision) -> list[str]:
    alike = [like for like in decision.likeness if allocation.is_one(like.correlation)]
    if not alike:
        return []
    named = [f"{like.instrument} (correlation {_correlation(like.correlation)})" for like in alike]
    return [f"shared with {', '.join(named)}"]


def _correlation(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"


def _compare_allocation(plan: Plan, gate: Gate, decision: Decision, inputs: tuple[Exact, ...], differences: list[str]) -> None:
    """What the policy says of the allocation must be among the facts, and every instrument that may share must be named."""
    allocation = plan.program.capital.allocation
    is_asked = allocation is not None and decision.kind == "enter"
    strategy = next((strategy for strategy in plan.strategies if strategy.name == decision.strategy), None)
    others = [] if strategy is None or not is_asked else [s for s in strategy.correlations if s != decision.instrument]
    if [like.instrument for like in decision.likeness] != others:
        differences.append(f"likeness of {len(decision.likeness)} instruments recorded, asked of {len(others)}")
    if any(like.correlation is not None and not -1 <= like.correlation <= 1 for like in decision.likeness):
        differences.append("a correlation lies outside of -1 to 1")
    if allocation is None or not is_asked:
        return
    said = {
        "kelly.needed": Decimal(allocation.trades),
        "kelly.fraction": allocation.fraction,
        "kelly.most": allocation.most_each,
    }
    for name, value in said.items():
        if inputs[gate.leaf(name)] != value:
            differences.append(f"{name}: {value} by the policy, {inputs[gate.leaf(name)]} among its facts")
