"""What the venue demands of orders in each instrument: asked for at first, then every `rules_every`.

INVARIANT: rules that the venue has not confirmed for `rules_stale` are not known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tb.runtime.gateway.terms import Terms
from tb.runtime.ports.exchange import Exchange, NoAnswer, Rules


class Demands:
    """`heard` is called whenever the venue has answered."""

    def __init__(self, exchange: Exchange, terms: Terms, now: Callable[[], int], heard: Callable[[], None]) -> None:
        self._exchange, self._terms, self._now, self._heard = exchange, terms, now, heard
        self._rules: dict[str, tuple[Rules, int]] = {}
        self._next = 0
        self._again: dict[str, int] = {}  # when an instrument without rules is asked for again
        self._gone: set[str] = set()  # those that the venue had, and does not name any more

    def of(self, instrument: str) -> Rules | None:
        """None where the venue has not said so for too long."""
        if instrument not in self._rules and self._now() >= self._again.get(instrument, 0):
            self._again[instrument] = self._now() + self._terms.look_after
            self.refresh([instrument])
        known = self._rules.get(instrument)
        return (
            None if known is None or instrument in self._gone or self._now() - known[1] >= self._terms.rules_stale else known[0]
        )

    def known(self) -> dict[str, Rules]:
        """The last that was said of each instrument, however old."""
        return {instrument: rules for instrument, (rules, _) in self._rules.items()}

    def refresh(self, instruments: Sequence[str]) -> bool:
        """Asks for the rules of instruments; says whether the venue answered."""
        found = self._exchange.rules(instruments)
        if isinstance(found, NoAnswer):
            return False
        self._heard()
        for instrument in instruments:
            if instrument in found:
                self._rules[instrument] = (found[instrument], self._now())
                self._gone.discard(instrument)
            elif instrument in self._rules:
                self._gone.add(instrument)  # what was bought and sold of it counts on
                self._rules[instrument] = (self._rules[instrument][0], self._now())
        return True

    def refresh_due(self) -> None:
        now, every = self._now(), self._terms.rules_every
        due = [name for name, (_, at) in self._rules.items() if now - at >= every]
        if due and now >= self._next:
            self._next = now + self._terms.look_after
            self.refresh(list(self._rules))
