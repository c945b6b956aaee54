"""The addresses that alerts go to, as apprise writes them, one a line. INVARIANT: no text made here holds an address."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tb.core.diagnostics import Refused, error
from tb.core.redaction import register_secret
from tb.core.span import whole_file
from tb.runtime.ports.alerts import Severity

NO_LIBRARY, NO_ADDRESS = "TB880", "TB881"
FASTEST, CONNECT, READ = 1.0, 2.0, 2.5  # seconds: between two messages, to connect, to be answered
_TYPES: dict[Severity, str] = {"info": "info", "warning": "warning", "critical": "failure"}


@dataclass(frozen=True, slots=True)
class Address:
    """One address: `name` is its number and the kind of service, all of it that is ever shown."""

    name: str
    _service: Any = field(repr=False)

    def deliver(self, title: str, body: str, severity: Severity) -> bool:
        """Hands a message to the service; False where it did not take it, some seconds later at most."""
        return bool(self._service.notify(title=title, body=body, notify_type=_TYPES[severity]))


def addresses_of(text: str, place: str) -> list[Address]:
    """The addresses in a text, one a line; blank lines and those that begin with # are passed over.

    `place` says for people where the text was kept. Raises Refused TB880 where apprise is not installed, TB881 for a line that
    is no address, or where there is none.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    for line in lines:
        _register(line)
    if not lines:
        raise _refused(NO_ADDRESS, f"there is no address for alerts in `{place}`")
    return [_address(number, line, place) for number, line in enumerate(lines, 1)]


def _address(number: int, line: str, place: str) -> Address:
    apprise = _apprise()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of modules that one of its many services loads
        service = apprise.Apprise.instantiate(line, suppress_exceptions=True)
    if service is None:
        raise _refused(NO_ADDRESS, f"line {number} of `{place}` is no address that alerts can go to")
    # a second alert must not wait for longer than an alert may take
    service.request_rate_per_sec = min(service.request_rate_per_sec, FASTEST)
    service.socket_connect_timeout = min(service.socket_connect_timeout or CONNECT, CONNECT)
    service.socket_read_timeout = min(service.socket_read_timeout or READ, READ)
    return Address(f"{number} ({_kind(service)})", service)


def _kind(service: Any) -> str:
    return str(service.service_name or type(service).__name__).lower()


def _apprise() -> Any:
    try:
        import apprise
    except ImportError:
        hint = "install the extra `live`: `pip install 'tb[live]'`"
        raise Refused([error(NO_LIBRARY, "alerts need a library that is not installed", whole_file("tb.yaml"), hint)]) from None
    logging.getLogger("apprise").propagate = False  # its messages name hosts and paths; what fails is told here, by number
    return apprise


def _register(line: str) -> None:
    """An address is a secret, and so is whatever in it may be a token."""
    register_secret(line)
    for part in re.split(r"[/:@?&=#,\s]+", line.partition("://")[2]):
        if len(part) >= 8 and part not in _HARMLESS and not re.fullmatch(r"[\w-]+(\.[\w-]+)*\.[a-z]{2,}|[\d.]+", part):
            register_secret(part)
            register_secret(unquote(part))


_HARMLESS: Sequence[str] = ("localhost", "notify", "webhook", "webhooks", "messages", "services")


def _refused(code: str, message: str) -> Refused:
    hint = (
        "write addresses as apprise does, one a line, as in `mailto://user:password@example.org`; `tb alerts test` tries them"
    )
    return Refused([error(code, message, whole_file("tb.yaml"), hint)])
