"""Client order ids: the same order always goes out under the same id, so that a venue refuses it the second time.

The id of a session's order is a hash of (run, policy, strategy, instrument, instant, leg) already (`tb.runtime.judged`); what
is sent because of it adds which of its requests this is: `order`, `protection 1`, `closing 2`."""

from __future__ import annotations

from tb.core.encode import canonical, digest


def client_id(order: str, leg: str) -> str:
    """128 bits of SHA-256 in the shape of a UUID, which is what venues take."""
    found = digest(canonical([order, leg]))
    return "-".join((found[:8], found[8:12], found[12:16], found[16:20], found[20:32]))
