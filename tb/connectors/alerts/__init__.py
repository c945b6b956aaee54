"""Alerts to people: by mail, chat, push or any address that apprise knows.

`alerts_to` starts a thread for each address; `try_addresses` sends one alert to each now. Addresses hold tokens: they come from
the environment or the keyring, are registered as secrets, and are never shown; messages number them instead.
"""

from __future__ import annotations

from tb.connectors.alerts.addresses import Address, addresses_of
from tb.connectors.alerts.sending import Sending, alerts_to, try_addresses

__all__ = ["Address", "Sending", "addresses_of", "alerts_to", "try_addresses"]
