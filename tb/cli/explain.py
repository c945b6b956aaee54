"""`tb explain`: why a decision came out as it did, from its record and the policy text stored under its hash."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tb.cli.opening import policy_of, reading, record_name, run_of
from tb.cli.options import command, json_option, ledger_option, out_option, project_option, run_name
from tb.cli.output import encode, iso, progress, put, put_json, say, shown_price, write_file
from tb.core.diagnostics import Refused

if TYPE_CHECKING:
    from tb.core.records import Decision, Run, Trade
    from tb.gate.explain import Explanation
    from tb.gate.gate import Gate
    from tb.ledger import Place
    from tb.ledger.store import Ledger
    from tb.runtime.policy import Compiled

NOT_REPRODUCED = 1


@command(
    "explain",
    "tb explain t1                    # the decision behind trade 1 of the latest run",
    "tb explain r2.d12 --only-failing",
    "tb explain t1 --format html -o t1.html",
    "tb explain --all --json          # re-evaluates every decision of the run",
    "tb explain d12 --what-if spread=90bps --what-if 'equity=5_000 USD'",
)
@click.argument("name", metavar="[ID]", required=False)
@click.option("--all", "everything", is_flag=True, help="Every decision of the run: does each explanation reproduce it?")
@click.option("--run", type=run_name, metavar="RUN", help="The run that is meant (default: the latest).")
@click.option("--format", "form", type=click.Choice(["text", "json", "html", "dot"]), help="How to show it (default: text).")
@click.option("--depth", type=click.IntRange(min=1), default=6, metavar="N", help="How deep conditions are taken apart.")
@click.option("--why-not", "rule", metavar="RULE", help="Only this constraint: why it fired or did not, and what flips it.")
@click.option("--what-if", "changes", multiple=True, metavar="NAME=VALUE", help="Judge it again with this input changed.")
@click.option("--only-failing", is_flag=True, help="Leave out what passed.")
@out_option
@ledger_option
@project_option
@json_option
def tb_explain(
    name: str | None,
    everything: bool,
    run: str | None,
    form: str | None,
    depth: int,
    rule: str | None,
    changes: tuple[str, ...],
    only_failing: bool,
    output: Path | None,
    ledger: Place | None,
    project: Path,
    as_json: bool,
) -> None:
    """Explain a trade, a decision or an order.

    ID is t3 for a trade, d12 for a decision, or an order's id; r2.t3 names the run. The decision is evaluated again from
    its record alone. Exit code 1 where that does not give the recorded result.

    With `--what-if` some inputs are changed: facts, market values, parameters (`spike=2`) and limits
    (`limits.max_gross_pct=50%`), by the names that the explanation shows, or `unknown`. The recorded decision and the other one
    stand beside each other, with the clauses that came out otherwise. Nothing is recorded.
    """
    if (name is None) != everything:
        raise click.UsageError("name one trade, decision or order, or say `--all`")
    _check_form(name, form, rule, changes)
    form = "json" if as_json else form or "text"
    with reading(project, ledger) as opened:
        if name is None:
            explained = Explainer(opened, run, project)
            is_reproduced = _explain_all(explained, form, output)
        else:
            of_run, kind, number = record_name(name)
            if run is not None and of_run is not None and run != of_run:
                raise click.UsageError(f"`{name}` is of run {of_run}, and --run says {run}")
            explained = Explainer(opened, of_run or run, project)
            explained, kind, number = explained.of(kind, number, is_named=of_run is not None or run is not None)
            if changes:
                is_reproduced = _tell_what_if(explained, kind, number, changes, form, output)
            else:
                explanation = explained.named(kind, number)
                is_reproduced = explanation.reproduced
                if rule is None:
                    _show(_rendered(explanation, form, depth, only_failing), output)
                else:
                    _show(_alone(explanation, rule, form, depth), output)
    if not is_reproduced:
        raise click.exceptions.Exit(NOT_REPRODUCED)


def _check_form(name: str | None, form: str | None, rule: str | None, changes: tuple[str, ...]) -> None:
    for option, is_given in (("--what-if", bool(changes)), ("--why-not", rule is not None)):
        if is_given and (name is None or form in {"html", "dot"}):
            raise click.UsageError(f"{option} asks about one decision, as text or JSON")
    if changes and rule is not None:
        raise click.UsageError("--what-if and --why-not are two questions: ask one at a time")
    if name is None and form == "dot":
        raise click.UsageError("`--format dot` draws one decision: name it")


class Explainer:
    """Explains records of one run under the policy that the ledger keeps for it."""

    def __init__(self, ledger: Ledger, run: Run | str | None, project: Path) -> None:
        from tb.core.records import Run
        from tb.runtime.policy import gates_of

        self.ledger, self.project = ledger, project
        self.run: Run = run if isinstance(run, Run) else run_of(ledger, run).run
        self.compiled: Compiled = policy_of(ledger, self.run, project)
        self._gates: dict[int, Gate] = gates_of(self.compiled.plan)

    def decision(self, decision: Decision, *, deep: bool = True) -> Explanation:
        from tb.gate.explain import explain

        plan, gate, settings = self.compiled.plan, self.gate(decision), self.compiled.settings
        return explain(plan, gate, settings, decision, policy_hash=self.run.policy_hash, run=self.run.id, deep=deep)

    def gate(self, decision: Decision) -> Gate:
        """The gate that judged a decision."""
        return self._gates[self.compiled.plan.strategy(decision.strategy).period]

    def of(self, kind: str, number: str, *, is_named: bool) -> tuple[Explainer, str, str]:
        """Who explains it, and its kind and number there: a live run has trades and orders of decisions that an earlier run of
        its account took, under the policy of then. A record that the latest run does not have, and whose run is not named, may
        be of an earlier one as well."""
        from tb.cli.account_runs import decision_of, earlier

        runs, missing = [self.run, *([] if is_named else earlier(self.ledger, self.run))], None
        for one in runs:
            try:
                if kind == "d":
                    run, seq = one, self.ledger.decision(one.id, int(number)).seq
                else:
                    found = self.ledger.trade(one.id, int(number)) if kind == "t" else self.ledger.order(one.id, number)
                    run, decision = decision_of(self.ledger, one, found.decision, found.strategy, found.instrument)
                    seq = decision.seq
            except Refused as refused:
                missing = missing or refused
                continue
            if run.id == self.run.id:
                return self, kind, number
            return Explainer(self.ledger, run, self.project), "d", str(seq)
        assert missing is not None
        raise missing

    def behind(self, kind: str, number: str) -> Decision:
        """The decision behind a trade, a decision or an order."""
        name = self.run.id
        match kind:
            case "t":
                seq = self.ledger.trade(name, int(number)).decision
            case "order":
                seq = self.ledger.order(name, number).decision
            case _:
                seq = int(number)
        return self.ledger.decision(name, seq)

    def named(self, kind: str, number: str) -> Explanation:
        """The explanation of the decision behind a trade, a decision or an order, with what became of it."""
        import msgspec

        from tb.cli.account_runs import newest_trades

        decision = self.behind(kind, number)
        trades = newest_trades(self.ledger, self.run, decision.strategy, decision.instrument)
        if kind == "t":
            found = [one for one in trades if one[1].seq == int(number)]
        else:
            found = [one for one in trades if one[1].decision == decision.seq]
            if not found and decision.kind == "exit":
                found = [o for o in trades if o[1].exit_at is not None and o[1].entry_at < decision.at <= o[1].exit_at]
        if not found:
            return msgspec.structs.replace(self.decision(decision), outcome=tuple(self._without_trade(decision)))
        return msgspec.structs.replace(self.decision(decision), outcome=tuple(self._outcome(*found[0])))

    def _without_trade(self, decision: Decision) -> Iterator[str]:
        """What became of an order that no trade came of."""
        for order in self.ledger.orders(self.run.id, instrument=decision.instrument, decision=decision.seq):
            ends = self.ledger.cancels(self.run.id, order=order.id)
            yield from (f"cancelled {iso(end.at)}: {end.cause}" for end in ends)
            if not ends and order.kind == "entry":
                yield "still on its way when the run ended"

    def _outcome(self, run: str, trade: Trade) -> Iterator[str]:
        from tb.core.encode import plain

        opened = f"{trade.side} {plain(trade.quantity)} {trade.instrument} at {shown_price(trade.entry_price)}"
        yield f"trade {run}.t{trade.seq}: {opened}, filled {iso(trade.entry_at)}"
        levels = [
            f"{name} {plain(level)}" for name, level in (("stop", trade.stop), ("target", trade.target)) if level is not None
        ]
        if levels:
            yield f"of the position: {', '.join(levels)}, measured from the price that was paid"
        if trade.last_stop is not None:
            yield f"the stop moved to {plain(trade.last_stop)}, at last by {trade.moved_by}"
        for part in trade.exits:
            yield f"  {iso(part.at)} {plain(part.quantity)} left at {plain(part.price)} by {part.cause}"
        if trade.exit_at is None or trade.exit_price is None or trade.profit is None:
            yield "still open"
            return
        r = "" if trade.r is None else f" ({trade.r:+z.2f}R)"
        by = self._exit_decision(run, trade)
        yield from self._together(trade)
        if trade.funding or trade.unfunded:
            missing = f"; what was due at {trade.unfunded} funding instants is not known" if trade.unfunded else ""
            yield f"funding {trade.funding:+z,.2f} {self.run.currency}, in the profit{missing}"
        yield (
            f"closed {iso(trade.exit_at)} at {plain(trade.exit_price)} by {trade.cause}{by}: "
            f"{trade.profit:+z,.2f} {self.run.currency} after fees{r}"
        )

    def _together(self, trade: Trade) -> Iterator[str]:
        """What the legs of one entry earned together."""
        if trade.together is None:
            return
        from tb.cli.account_runs import newest_trades

        trades = newest_trades(self.ledger, self.run, trade.strategy)
        legs = [(run, other) for run, other in trades if other.together == trade.together]
        profits = [leg.profit for _, leg in legs if leg.profit is not None]
        named = ", ".join(f"{run}.t{leg.seq} {leg.side} {leg.instrument}" for run, leg in legs)
        known = f" {sum(profits):+z,.2f} {self.run.currency}" if len(profits) == len(legs) else " is not known yet"
        yield f"legs {named}: together{known}"

    def _exit_decision(self, run: str, trade: Trade) -> str:
        assert trade.exit_at is not None
        between = self.ledger.decisions(
            run,
            instrument=trade.instrument,
            strategy=trade.strategy,
            since=trade.entry_at,
            until=trade.exit_at + 1,
        )
        exits = [decision.seq for decision in between if decision.kind == "exit" and decision.approved]
        return f" (d{exits[-1]})" if exits and trade.cause in {"exit when", "hold"} else ""


def _rendered(explanation: Explanation, form: str, depth: int, only_failing: bool) -> str:
    from tb.gate import explain

    match form:
        case "json":
            import msgspec

            return msgspec.json.format(encode(explanation), indent=2).decode() + "\n"
        case "html":
            return explain.html(explanation)
        case "dot":
            return explain.dot(explanation, only_failing=only_failing)
        case _:
            return explain.text(explanation, depth=depth, only_failing=only_failing)


def _alone(explanation: Explanation, name: str, form: str, depth: int) -> str:
    """One constraint of a decision."""
    from tb.core.diagnostics import did_you_mean
    from tb.gate.explain import rule_text

    names = [rule.name for rule in explanation.rules]
    if name not in names:
        near = did_you_mean(name, names) or f"it was judged by {', '.join(f'`{one}`' for one in names)}"
        raise click.UsageError(f"--why-not: the decision knew no constraint `{name}`; {near}")
    if form == "json":
        import msgspec

        rule = next(rule for rule in explanation.rules if rule.name == name)
        return msgspec.json.format(encode({"id": explanation.id, "rule": rule}), indent=2).decode() + "\n"
    return rule_text(explanation, name, depth=depth)


def _show(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
        return
    write_file(output, text)
    if str(output) != "-":
        say(f"written: {output}")


def _tell_what_if(
    explained: Explainer, kind: str, number: str, changes: tuple[str, ...], form: str, output: Path | None
) -> bool:
    """Whether the recorded decision was reproduced, so that the other one means something."""
    import msgspec

    from tb.cli.what_if import answer, assignments, text

    decision = explained.behind(kind, number)
    found = answer(
        explained.compiled,
        explained.gate(decision),
        decision,
        assignments(changes),
        policy_hash=explained.run.policy_hash,
        run=explained.run.id,
    )
    _show(msgspec.json.format(encode(found), indent=2).decode() + "\n" if form == "json" else text(found), output)
    return found.recorded.reproduced and found.then.reproduced


def _explain_all(explainer: Explainer, form: str, output: Path | None) -> bool:
    """Whether every decision of the run was reproduced. With a file, every explanation goes into it, in full."""
    if output is not None and form != "json":
        raise click.UsageError("`--all` with a file writes JSON: add `--json`")
    ledger, run = explainer.ledger, explainer.run.id
    counts = {"decisions": 0, "entries": 0, "refusals": 0, "exits": 0}
    differences: dict[str, tuple[str, ...]] = {}
    total = (ledger.run(run).summary or {}).get("decisions")

    def explained() -> Iterator[Explanation]:
        with progress("explain") as told:
            for decision in ledger.decisions(run):
                explanation = explainer.decision(decision, deep=output is not None)
                counts["decisions"] += 1
                counts["exits" if decision.kind == "exit" else "entries" if decision.approved else "refusals"] += 1
                if not explanation.reproduced:
                    differences[explanation.id] = explanation.differences
                if told is not None and isinstance(total, int):
                    told(counts["decisions"], total)
                yield explanation

    if output is None:
        for _ in explained():
            pass
    else:
        write_file(output, _listed(explained()))
    if str(output) != "-":
        trades = len(ledger.trades(run))
        _tell({"run": run, **counts, "trades": trades, "policy_hash": explainer.run.policy_hash}, differences, form)
    return not differences


def _listed(explanations: Iterable[Explanation]) -> Iterator[str]:
    """A JSON list, one explanation after the other: all those of a long run would not fit into memory."""
    opening = "[\n"
    for explanation in explanations:
        yield opening + encode(explanation).decode()
        opening = ",\n"
    yield ("" if opening == ",\n" else opening) + "\n]\n"


def _tell(counted: dict[str, Any], differences: dict[str, tuple[str, ...]], form: str) -> None:
    reproduced = counted["decisions"] - len(differences)
    if form == "json":
        put_json({**counted, "reproduced": reproduced, "all_reproduced": not differences, "differences": differences})
        return
    put(
        f"run {counted['run']}: {reproduced:,} of {counted['decisions']:,} decisions reproduced "
        f"({counted['entries']:,} entries, {counted['refusals']:,} refusals, {counted['exits']:,} exits; "
        f"{counted['trades']:,} trades)"
    )
    for name, lines in differences.items():
        put(f"  {name} NOT reproduced: {'; '.join(lines)}")
