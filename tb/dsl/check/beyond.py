"""Words of other languages for what no rule can say: a clock, chance, the network, bars that are not closed, a missing value.

A decision follows from closed bars, the account and the order, so that it can be replayed. Somebody who asks for more is told
why it is not there, and what to write instead. A definition of the same name comes first: only unknown names are looked up.
"""

from __future__ import annotations

_CLOCK = frozenset("now time timenow clock date datetime timestamp current_time utcnow today_date epoch".split())
_CHANCE = frozenset("random rand randint rnd uniform normal gauss choice shuffle seed noise coin".split())
_WORLD = frozenset("http https fetch request download url webhook read_file read_csv load_csv query sql env getenv".split())
_AHEAD = frozenset("future lead next next_close next_open next_bar tomorrow lookahead look_ahead forecast_actual".split())
_FORMING = frozenset(
    "barstate is_confirmed isconfirmed confirmed is_closed bar_closed forming current_bar realtime intrabar".split()
)
_COARSER = frozenset("security request.security informative resample higher_timeframe htf timeframe".split())
_MISSING = frozenset(
    "na nan null nil none None NaN NA missing undefined unknown isna is_na isnan is_nan nz fillna coalesce".split()
)

Told = tuple[str, str, str]  # code, message, hint


def beyond(name: str, *, in_policy: bool) -> Told | None:
    """What is to be said of a name that nothing is called by; None where it is none of these."""
    first = name.split(".", maxsplit=1)[0]
    if name in _COARSER:
        return (
            "TB203",
            f"`{name}` would read a bar of another period before it has closed",
            "write `close@4h`: its last closed bar",
        )
    if first in _AHEAD:
        return "TB201", f"`{name}` would look ahead: only closed bars are visible", "look back with `close[1]`"
    if first in _FORMING:
        return "TB202", f"there is no `{name}`: every bar that a rule sees is closed", "leave it out"
    if first in _MISSING:
        hint = "write `order.stop is not set`" if in_policy else "leave it out: a rule does not fire on what is unknown"
        return "TB120", f"`{name}` is no value: what is missing makes a condition unknown, and is equal to nothing", hint
    if first in _CLOCK:
        hint = "say how old data may be with `data_age`" if in_policy else "write `hour`, `weekday`, or `during SESSION`"
        return "TB209", f"`{name}` asks a clock: decided again later, the answer would be another one", hint
    if first in _CHANCE:
        return "TB209", f"`{name}` is chance: decided again, the answer would be another one", "decide from market data alone"
    if first in _WORLD:
        return (
            "TB209",
            f"`{name}` asks the world outside: decided again, the answer may be another one",
            "record it as market data",
        )
    return None
