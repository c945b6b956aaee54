"""Generated records of every kind, for the tests of the ledger."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec
from hypothesis import strategies as st
from ledger_samples import decision, fill, latch, order, quiet, trade

from tb.core.records import Advice, Ballot, Cancel, Curve, Handling, LegOrder, Likeness, Mark, PartialExit, Round, Together

exact = st.decimals(allow_nan=False, allow_infinity=False)
real = st.floats(allow_nan=False, allow_infinity=False)
# a server keeps no name with a character of code 0
words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_/-]{0,10}", fullmatch=True)
counts = st.integers(min_value=0, max_value=2**62)
few = {"max_size": 5}


def changed(made: Any, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(fields).map(lambda values: msgspec.structs.replace(made, **values))


decisions = changed(
    decision(1),
    at=counts,
    kind=st.sampled_from(["enter", "exit"]),
    strategy=words,
    instrument=words,
    verdict=st.sampled_from(["approve", "warn", "shrink", "reject", "pause", "halt"]),
    deciding=st.lists(names, **few).map(tuple),
    proposed=exact,
    approved=exact,
    price=exact,
    stop=st.none() | exact,
    confidence=st.none() | real,
    reason=words,
    failed=st.integers(min_value=0, max_value=2**130),
    facts=st.lists(st.none() | names, **few).map(tuple),
    market=st.lists(st.none() | real, **few).map(tuple),
    ages=st.lists(counts, **few).map(tuple),
    rows=st.lists(st.none() | counts, **few).map(tuple),
)
quiets = changed(
    quiet(1, 2),
    strategy=words,
    instrument=st.just("ETH-USD"),
    first=counts,
    last=counts,
    states=st.binary(max_size=40).map(zlib.compress),
)
orders = changed(
    order("o1"),
    id=words,
    quantity=exact,
    stop=st.none() | exact,
    side=st.sampled_from(["buy", "sell"]),
    style=st.sampled_from(["market", "limit", "stop"]),
    price=st.none() | exact,
    expires=st.none() | counts,
    post_only=st.booleans(),
    takes=st.lists(exact, max_size=3).map(tuple),
)
fills = changed(fill("o1"), price=exact, fee=exact, slippage=exact, cause=words)
parts = st.builds(PartialExit, at=counts, row=counts, price=exact, quantity=exact, fee=exact, cause=words)
trades = changed(
    trade(1),
    profit=st.none() | exact,
    r=st.none() | exact,
    best=real,
    worst=real,
    exit_at=st.none() | counts,
    fees=exact,
    exits=st.lists(parts, max_size=3).map(tuple),
    last_stop=st.none() | exact,
    moved_by=st.sampled_from(["", "trailing", "break-even"]),
)
cancels = st.builds(
    Cancel,
    order=words,
    at=counts,
    strategy=words,
    instrument=words,
    side=st.sampled_from(["buy", "sell"]),
    quantity=exact,
    cause=words,
)
latches = changed(latch(1), at=counts, rule=words, until=st.none() | counts, lifted=st.booleans(), by=words, reason=words)
marks = st.builds(Mark, at=counts, equity=exact, exposure=exact, usage=st.dictionaries(words, st.none() | real, max_size=4))

handlings = st.builds(
    Handling,
    at=counts,
    what=st.sampled_from(["refused", "sent", "breaker"]),
    instrument=words,
    order=words,
    client=words,
    status=words,
    words=words,
    details=st.dictionaries(words, words, max_size=3),
)
curves = st.builds(Curve, first=counts, last=counts, rows=counts, points=st.binary(max_size=40))
verdicts = st.sampled_from(["approve", "warn", "shrink", "reject", "pause", "halt"])
sides = st.sampled_from(["buy", "sell"])
ballots = st.builds(Ballot, strategy=words, says=st.sampled_from(["for", "against", "nothing"]), how=words)
outcomes = st.sampled_from(["agree", "adjust", "veto", "abstain"])
advice = st.builds(
    Advice,
    advisor=words,
    outcome=outcomes,
    why=words,
    adjust=exact,
    note=words,
    latency=st.none() | counts,
    cost=st.none() | exact,
)
rounds = st.builds(
    Round,
    quantities=st.lists(exact, **few).map(tuple),
    verdicts=st.lists(verdicts, **few).map(tuple),
    deciding=st.lists(st.lists(names, **few).map(tuple), **few).map(tuple),
    allowed=st.lists(exact, **few).map(tuple),
    facts=st.lists(st.none() | words, **few).map(tuple),
)
legs = st.builds(LegOrder, instrument=words, side=sides, price=st.none() | exact, approved=exact)
together = st.builds(
    Together,
    place=counts,
    asset=words,
    looked_at=words,
    legs=st.lists(legs, max_size=2).map(tuple),
    rounds=st.lists(rounds, max_size=2).map(tuple),
)
# what few decisions have, and what decisions of one shape have in different numbers
rich_decisions = st.builds(
    lambda made, more: msgspec.structs.replace(made, **more),
    decisions,
    st.fixed_dictionaries(
        {},
        optional={
            "shadowed": st.lists(names, **few).map(tuple),
            "takes": st.lists(exact, **few).map(tuple),
            "conviction": st.none() | real,
            "feeds": st.lists(st.tuples(counts, st.none() | counts), **few).map(tuple),
            "votes": st.lists(ballots, max_size=2).map(tuple),
            "inventory": st.none() | exact,
            "crossing": st.none() | exact,
            "together": st.none() | together,
            "likeness": st.lists(st.builds(Likeness, instrument=words, correlation=st.none() | real), max_size=2).map(tuple),
            "advice": st.lists(advice, max_size=2).map(tuple),
        },
    ),
)
anything = st.one_of(rich_decisions, quiets, orders, fills, trades, cancels, latches, marks, curves, handlings)
