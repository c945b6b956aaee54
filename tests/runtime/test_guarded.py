"""Whatever an adapter raises is no answer; nothing of what it was given is passed on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tb.runtime.guarded import Guarded
from tb.runtime.ports.exchange import Exchange, Heartbeat, Lost, NoAnswer, OrderState, Request

D = Decimal
STATE = OrderState("c1", "v1", "BTC-USD", "buy", D(1), D(0), None, D(0), "open", 0)
CALLS: dict[str, tuple[Any, ...]] = {
    "rules": (["BTC-USD"],),
    "place": (Request("c1", "BTC-USD", "buy", D(1), "market"),),
    "amend": (STATE, D(1), D(1)),
    "cancel": (STATE,),
    "find": ("c1", "BTC-USD", 0),
    "open_orders": (),
    "fills": (0,),
    "balances": (),
    "clock": (),
    "candles": ("BTC-USD", 60_000, 0, 1),
    "quotes": (["BTC-USD"],),
}


class Broken:
    """Raises in every method, with a secret in its words."""

    name = "venue"

    def __getattr__(self, method: str) -> Any:
        def raises(*_: object) -> None:
            raise KeyError("seeded-4711")

        return raises


class Sound:
    """Answers every question with what it was asked."""

    name = "venue"

    def __getattr__(self, method: str) -> Any:
        return lambda *given: (method, *given)


def test_every_method_of_the_port_is_guarded() -> None:
    methods = {name for name in vars(Exchange) if not name.startswith("_")} - {"name"}
    assert methods == {*CALLS, "events", "close"}
    assert methods <= set(vars(Guarded))


@pytest.mark.parametrize("method", CALLS)
def test_what_raises_is_no_answer(method: str) -> None:
    told: list[str] = []
    guarded = Guarded(Broken(), now=lambda: 7, told=told.append)
    for _ in range(3):
        found = getattr(guarded, method)(*CALLS[method])
        assert found == NoAnswer(f"the adapter of venue failed in `{method}`: KeyError")
    assert told == [f"the adapter of venue failed in `{method}`: KeyError"]


def test_where_events_fail_both_channels_are_lost() -> None:
    guarded = Guarded(Broken(), now=lambda: 7, told=lambda words: None)
    why = "the adapter of venue failed in `events`: KeyError"
    assert guarded.events() == (Lost("orders", why, 7, "away"), Lost("market", why, 7, "away"))
    guarded.close()


@pytest.mark.parametrize("method", CALLS)
def test_answers_pass_as_they_are(method: str) -> None:
    assert getattr(Guarded(Sound(), now=lambda: 7, told=print), method)(*CALLS[method]) == (method, *CALLS[method])  # type: ignore[arg-type]


def test_events_pass_as_they_are() -> None:
    class Beats(Sound):
        def events(self) -> tuple[Heartbeat, ...]:
            return (Heartbeat(3),)

    assert Guarded(Beats(), now=lambda: 7, told=print).events() == (Heartbeat(3),)  # type: ignore[arg-type]
