"""The verdicts of a policy engine on orders, and what each takes: cedarpy, zen-engine, rule-engine, and two of CEL.

In: {"engine", "constraints": [[comparison, ...], ...], "facts": [{name: value}, ...], "runs"}; out: for each order the
numbers of the constraints that fail, and microseconds of each decision, by both clocks. What can be done once for all orders
is done before: texts are parsed and compiled, facts are there. What an engine needs of the facts of one order (a context of
its own kind) is part of that decision. Each is asked for all the constraints that fail, since tb says and records them all;
`cel, one condition` only whether any does."""

import json
import re
import sys
import time

from timing import each_takes

COMPARISON = re.compile(r"\b([a-z_]+)\b")


def conjoined(comparisons, word, restricted):
    """One condition that holds while the constraint passes."""
    return f" {word} ".join(restricted if one == "restricted" else f"({one})" for one in comparisons)


def cedar(constraints):
    import cedarpy

    texts = ["permit(principal, action, resource);"]
    for one in constraints:
        asked = [COMPARISON.sub(r"context.\1", each) if each != "restricted" else each for each in one]
        passes = conjoined(asked, "&&", "!context.restricted.contains(context.instrument)")
        texts.append(f"forbid(principal, action, resource) when {{ !({passes}) }};")
    policies, entities = cedarpy.PolicySet.from_str("\n".join(texts)), cedarpy.Entities.from_json_str("[]")
    names = {"principal": 'Strategy::"buyer"', "action": 'Action::"enter"', "resource": 'Account::"main"'}

    def decide(facts):
        found = cedarpy.is_authorized({**names, "context": facts}, policies, entities)
        assert not found.diagnostics.errors, found.diagnostics.errors
        return [] if found.allowed else sorted(int(one.removeprefix("policy")) - 1 for one in found.diagnostics.reasons)

    return decide


def zen(constraints):
    import zen

    rules = [
        {"_id": f"r{at}", "i": f"not ({conjoined(one, 'and', 'not (instrument in restricted)')})", "o": str(at)}
        for at, one in enumerate(constraints)
    ]
    table = {"hitPolicy": "collect", "inputs": [{"id": "i", "name": "fails"}], "rules": rules}
    table["outputs"] = [{"id": "o", "name": "constraint", "field": "at"}]
    place = {"x": 0, "y": 0}
    nodes = [
        {"id": "in", "type": "inputNode", "name": "order", "position": place},
        {"id": "table", "type": "decisionTableNode", "name": "policy", "position": place, "content": table},
        {"id": "out", "type": "outputNode", "name": "failed", "position": place},
    ]
    pairs = (("in", "table"), ("table", "out"))
    edges = [{"id": f"{a}-{b}", "sourceId": a, "targetId": b, "type": "edge"} for a, b in pairs]
    decision = zen.ZenEngine().create_decision(json.dumps({"nodes": nodes, "edges": edges}))

    def decide(facts):
        return sorted(int(one["at"]) for one in decision.evaluate(facts)["result"])

    return decide


def rules(constraints):
    import rule_engine

    made = [rule_engine.Rule(conjoined(one, "and", "not (instrument in restricted)")) for one in constraints]
    return lambda facts: [at for at, rule in enumerate(made) if not rule.matches(facts)]


def cel_texts(constraints):
    return [conjoined(one, "&&", "!(instrument in restricted)") for one in constraints]


def cel_python(constraints):
    import celpy

    environment = celpy.Environment()
    made = [environment.program(environment.compile(text)) for text in cel_texts(constraints)]

    def decide(facts):
        context = {name: celpy.json_to_cel(value) for name, value in facts.items()}
        return [at for at, program in enumerate(made) if not program.evaluate(context)]

    return decide


def cel(constraints):
    import cel

    made = [cel.compile(text) for text in cel_texts(constraints)]

    def decide(facts):
        context = cel.Context(facts)
        return [at for at, program in enumerate(made) if not program.execute(context)]

    return decide


def cel_whole(constraints):
    import cel

    program = cel.compile(" && ".join(cel_texts(constraints)))
    return lambda facts: [] if program.execute(cel.Context(facts)) else None


ENGINES = {
    "cedarpy": cedar,
    "zen-engine": zen,
    "rule-engine": rules,
    "cel-python": cel_python,
    "cel": cel,
    "cel, one condition": cel_whole,
}

if __name__ == "__main__":
    asked = json.load(sys.stdin)
    decide = ENGINES[asked["engine"]](asked["constraints"])
    failed = [decide(facts) for facts in asked["facts"]]
    wall, cpu = (
        each_takes(lambda at: decide(asked["facts"][at]), len(failed), asked["runs"], clock)
        for clock in (time.perf_counter_ns, time.process_time_ns)
    )
    print(json.dumps({"failed": failed, "wall": wall, "cpu": cpu}))
