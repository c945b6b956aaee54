"""Coinbase Advanced Trade as an `Exchange`: `connect` gives the adapter, `credentials_of` and `credentials_in` its key."""

from __future__ import annotations

from tb.connectors.coinbase.candles import GRANULARITIES
from tb.connectors.coinbase.credentials import Credentials, credentials_in, credentials_of
from tb.connectors.coinbase.exchange import Coinbase, connect

__all__ = ["GRANULARITIES", "Coinbase", "Credentials", "connect", "credentials_in", "credentials_of"]
