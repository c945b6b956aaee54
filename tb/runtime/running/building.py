"""A session with all that is around it, ready for its first input."""

from __future__ import annotations

from collections.abc import Callable

from tb.core.settings import Settings
from tb.engine.plan import Plan, with_data
from tb.runtime.assumptions import assumptions_of
from tb.runtime.policy import gates_of
from tb.runtime.ports import Adviser
from tb.runtime.running.inputs import Opening
from tb.runtime.running.market import LiveMarket
from tb.runtime.running.recording import Records
from tb.runtime.running.stepper import Fills, Sending, Stepper
from tb.runtime.session import Session

VenueOf = Callable[[LiveMarket], Fills]


def build(
    opening: Opening,
    plan: Plan,
    settings: Settings,
    *,
    venue_of: VenueOf,
    recorder: Records,
    adviser: Adviser | None = None,
    run: str | None = None,
) -> Stepper:
    """The stepper of a session as it was opened; `venue_of` makes its venue. `run` is another one that takes its place."""
    plan = with_data(plan, opening.instruments)
    market = LiveMarket(
        plan,
        settings,
        assumptions_of(settings, opening.instruments),
        opening.instruments,
        opening.period,
        quoted=opening.with_quotes(),
    )
    sending = Sending(venue_of(market), recorder)
    session = Session(
        run=opening.run if run is None else run,
        plan=plan,
        settings=settings,
        view=market,
        venue=sending,
        recorder=recorder,
        policy_hash=opening.policy_hash,
        gates=gates_of(plan),
        adviser=adviser,
    )
    return Stepper(session, market, sending, recorder)
