"""Makes the adapter of the venue that the settings name, with its key from where they say it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tb.core.diagnostics import Refused, error
from tb.core.span import whole_file

if TYPE_CHECKING:
    from tb.connectors.coinbase import Coinbase, Credentials
    from tb.core.live_settings import SecretName
    from tb.core.settings import Settings

NO_VENUE = "TB854"
AUTHORITIES = "SSL_CERT_FILE"  # certificates to trust in place of the system's, as a sandbox makes them


def venue_of(settings: Settings, *, with_key: bool = True) -> Coinbase:
    """The venue's adapter; nothing is asked yet. Raises Refused TB854 where the settings name no venue or no key, and as the
    key's reader does."""
    from tb.cli.running import WallClock
    from tb.connectors.coinbase.exchange import MARKET, REST, USER, connect
    from tb.runtime.running.timekeeping import unturned

    live = settings.live
    _named(settings)
    return connect(
        key_of(settings) if with_key else None,
        base_url=live.url or REST,
        market_url=live.market_url or MARKET,
        user_url=live.user_url or USER,
        timeout=live.answer_within / 1000,
        authorities=os.environ.get(AUTHORITIES),
        clock=unturned(WallClock()),
    )


def alert_addresses(name: SecretName) -> str:
    """The addresses for alerts, one a line. Raises Refused TB850 where there are none."""
    from tb.runtime.secrets import read_secret

    holds = "the addresses as apprise writes them, one a line"
    return read_secret(name, "the list of addresses for alerts", holds=holds).reveal()


def _named(settings: Settings) -> None:
    if settings.live.venue is None:
        raise _refused(
            "`tb.yaml` names no venue",
            "add `live: {venue: coinbase, credentials: 'env:COINBASE_KEY'}`; `tb run --data` needs none",
        )


def key_of(settings: Settings) -> Credentials:
    """The venue's key: the secret is the key file's text, or its path. Raises Refused TB854 where the settings name no venue or
    no key, and as the key's reader does."""
    from tb.connectors.coinbase.credentials import credentials_from, credentials_in
    from tb.runtime.secrets import read_secret

    _named(settings)
    name = settings.live.credentials
    if name is None:
        raise _refused("`tb.yaml` does not say where the venue's key is", "add `credentials: 'env:COINBASE_KEY'` to `live`")
    holds = "the path of the key file that the venue gave out, or its text"
    text = read_secret(name, "the venue's key", holds=holds).reveal()
    return (
        credentials_from(text, source=str(name))
        if text.lstrip().startswith("{")
        else credentials_in(Path(text), source=str(name))
    )


def _refused(message: str, hint: str) -> Refused:
    return Refused([error(NO_VENUE, message, whole_file("tb.yaml"), hint)])
