"""The part of `tb.yaml` about trading for real: which venue, where secrets are, what keeps it safe.

INVARIANT: a secret never stands in the settings. They name where it is: `env:NAME`, an environment variable, or
`keyring:SERVICE/NAME`, an entry of the system's keyring.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class SecretName:
    """Where a secret is kept: `place` is `env` or `keyring`; `name` that of the variable, or `SERVICE/NAME`."""

    place: str
    name: str

    def __str__(self) -> str:
        return f"{self.place}:{self.name}"


@dataclass(frozen=True, slots=True)
class Live:
    """Paths are relative to the project's root; durations are in ms, `tolerance` is a ratio.

    `read_only` keeps every order from a venue. `state` is the folder of the journal, the breaker and the operator's orders;
    while the `kill_file` exists nothing new is entered. `protect_within` is how long a position may be without its stop,
    `answer_within` how long a request may take, `clock_skew` how far the clocks may be apart, `tolerance` how far what is
    held may be from what the venue says.
    """

    venue: str | None = None
    read_only: bool = True
    credentials: SecretName | None = None
    pin: SecretName | None = None
    alerts: SecretName | None = None
    url: str | None = None
    market_url: str | None = None
    user_url: str | None = None
    state: str = ".tb/live"
    kill_file: str = ".tb/KILL"
    answer_within: int = 5_000
    protect_within: int = 10_000
    clock_skew: int = 1_000
    tolerance: Decimal = Decimal("0.001")
    metrics_port: int | None = None
    cancel_on_disconnect: bool = True
