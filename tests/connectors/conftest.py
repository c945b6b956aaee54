"""Keys made for one test, a scripted venue, and an adapter that talks to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from coinbase_answers import NOW
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from scripted_venue import Venue, serving

from tb.connectors.coinbase import Coinbase, Credentials, connect, credentials_of

KEY_NAME = "organizations/1/apiKeys/2"


@pytest.fixture(scope="session")
def pem() -> str:
    key = generate_private_key(SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


@pytest.fixture(scope="session")
def credentials(pem: str) -> Credentials:
    return credentials_of(KEY_NAME, pem)


@pytest.fixture
def venue() -> Iterator[Venue]:
    with serving(Venue()) as running:
        running.on("/time", (200, {"iso": "2026-01-02T03:04:05Z", "epochSeconds": str(NOW // 1000), "epochMillis": str(NOW)}))
        yield running


@pytest.fixture
def adapter(venue: Venue, credentials: Credentials) -> Iterator[Coinbase]:
    made = connect(credentials, base_url=venue.url, market_url=venue.ws, user_url=venue.ws, timeout=5, clock=lambda: NOW)
    yield made
    made.close()
