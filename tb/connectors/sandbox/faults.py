"""Faults on command: what is armed, when it strikes, and what struck so far.

A fault strikes the next `times` occasions (0: until it is cleared), after passing `after` of them, each with `chance` where
that is given. Where `on` is given only those count that are of this kind of request, product or channel, whichever the
occasion is of. Same seed, same commands and same occasions: same strikes.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tb.core.diagnostics import did_you_mean

# name -> what it does; docs/sandbox.md says more
FAULTS: dict[str, str] = {
    "drop-request": "closes the connection before anything is done",
    "drop-reply": "does what was asked and closes the connection without a reply",
    "reply-twice": "sends the answer twice, one after the other",
    "answer-twice": "tells everything twice: user messages, and rows of lists of orders and fills",
    "unauthorized": "answers 401 to a good token",
    "too-many": "answers 429",
    "server-error": "answers 503 and does nothing",
    "error-after": "does what was asked and answers 502",
    "vague": "does what was asked and says no, without a reason",
    "garbled": "does what was asked and answers with text that is no JSON",
    "truncated": "does what was asked and ends the connection in the middle of the answer",
    "slow": "does what was asked and answers `seconds` later",
    "reject": "refuses an order",
    "fail-later": "takes an order up and fails it then",
    "reject-attached": "fails the bracket attached to an order",
    "partial-fill": "fills a part; of an order at market the rest is cancelled, of others it comes later",
    "late-fill": "confirms a cancel of an order that fills instead",
    "fill-after-cancelled": "shows an order as cancelled that fills a second later",
    "reject-cancel": "refuses a cancel",
    "gap": "loses messages of the stream, whose sequence numbers are counted on",
    "repeat": "sends a message of the stream twice, with one sequence number",
    "stale-quotes": "keeps quotes, and their time, as they were",
    "crossed-quotes": "puts the bid above the ask",
    "silent": "sends nothing on the stream, heartbeats included",
    "disconnect": "cuts the stream without a word",
    "clock-jump": "moves the venue's clock by `seconds`, at once",
    "refuse-stream": "refuses a connection to the stream",
}
KINDS = ("", "orders", "cancel", "edit", "preview", "reads", "user-stream", "market-stream")
CHANNELS = ("user", "ticker", "ticker_batch", "level2", "market_trades", "candles", "status", "heartbeats", "subscriptions")


@dataclass(frozen=True, slots=True)
class Fault:
    """One command. `seconds` is a delay or jump, `share` the part of a partial fill (None: by chance)."""

    name: str
    times: int = 1
    on: str = ""
    after: int = 0
    chance: float | None = None
    seconds: float = 5.0
    share: float | None = None


@dataclass(slots=True)
class _Armed:
    fault: Fault
    passed: int = 0
    struck: int = 0

    @property
    def is_spent(self) -> bool:
        return bool(self.fault.times) and self.struck >= self.fault.times


@dataclass(slots=True)
class Faults:
    """What is armed. `struck` tells what happened, in order."""

    seed: int = 0
    struck: list[dict[str, Any]] = field(default_factory=list)
    dice: random.Random = field(init=False)
    _armed: list[_Armed] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(f"faults {self.seed}")

    def arm(self, fault: Fault) -> None:
        self._armed.append(_Armed(fault))

    def clear(self, name: str = "") -> None:
        """Disarms the faults of that name, all where it is empty."""
        self._armed = [armed for armed in self._armed if name and armed.fault.name != name]

    def take(self, name: str, *on: str, at: int) -> Fault | None:
        """The fault that strikes at this occasion, which counts as struck; None where none does. `on` are the names that it
        goes by: kind of request, product, channel."""
        for armed in self._armed:
            fault = armed.fault
            if fault.name != name or armed.is_spent or (fault.on and fault.on not in on):
                continue
            armed.passed += 1
            if armed.passed <= fault.after or (fault.chance is not None and self.dice.random() >= fault.chance):
                continue
            armed.struck += 1
            self.struck.append({"fault": name, "on": " ".join(on), "at": at})
            return fault
        return None

    @property
    def armed(self) -> list[dict[str, Any]]:
        """What can still strike: name, kind of request, and how often it will yet (0: until cleared)."""
        return [
            {"fault": one.fault.name, "on": one.fault.on, "left": one.fault.times and one.fault.times - one.struck}
            for one in self._armed
            if not one.is_spent
        ]


def read_fault(given: Any) -> Fault | str:
    """A fault from a mapping as in a command or a file, or what is wrong with it."""
    if not isinstance(given, Mapping):
        return "a fault is a mapping with its name under `fault`"
    name = given.get("fault")
    if name not in FAULTS:
        return f"there is no fault `{name}`; {did_you_mean(str(name), FAULTS) or 'faults are ' + ', '.join(FAULTS)}"
    fields = {key: value for key, value in given.items() if key != "fault"}
    kinds: dict[str, tuple[type, ...]] = {
        "times": (int,),
        "on": (str,),
        "after": (int,),
        "chance": (int, float),
        "seconds": (int, float),
        "share": (int, float),
    }
    for key, value in fields.items():
        if key not in kinds:
            return f"a fault has no `{key}`; it has {', '.join(kinds)}"
        if not isinstance(value, kinds[key]) or isinstance(value, bool):
            return f"`{key}` of `{name}` cannot be `{value}`"
    on = fields.get("on", "")
    if on not in (*KINDS, *CHANNELS) and not (on.isupper() and "-" in on):
        return f"`on` cannot be `{on}`; it is a product, or one of {', '.join((*KINDS[1:], *CHANNELS))}"
    if fields.get("times", 1) < 0 or fields.get("after", 0) < 0:
        return "`times` and `after` are not negative"
    for key in ("chance", "share"):
        if key in fields and not 0 < fields[key] <= 1:
            return f"`{key}` lies above 0 and is at most 1"
    return Fault(name, **fields)
