"""One request to Coinbase and its answer, or why there is none.

    1. `Pace` gives a permit: cancels and what closes find room                (tb.connectors.pace)
    2. the request is signed with a fresh token                                (tb.connectors.coinbase.tokens)
    3. it is sent once; its answer is read to the end within the time limit
    4. what came is sorted: read, refused by the venue, or no answer; one that was turned away before anybody read it (no
       connection, 401, 429) changed nothing, for sure

INVARIANT: what changes something is sent once, whatever happens. What only reads is asked a second time in one case: the venue
now and then refuses a good token (401). No redirect is followed, nothing is repeated by the library below.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tb.connectors.coinbase.credentials import Credentials
from tb.connectors.coinbase.deadline import Deadline
from tb.connectors.coinbase.tokens import proof
from tb.connectors.coinbase.wire import Unreadable, fields, read_json
from tb.connectors.pace import Pace
from tb.core.diagnostics import Refused, error
from tb.core.span import whole_file
from tb.runtime.ports.exchange import NoAnswer, Refusal

if TYPE_CHECKING:
    import httpx

UNSAFE_ADDRESS = "TB801"
PREFIX = "/api/v3/brokerage"
LARGEST = 64_000_000  # bytes of an answer
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
TOO_MANY, LONGEST_WAIT = 1_000, 60_000  # ms: to wait after 429 where the venue does not say, and the most that is believed

ORDINARY, CLOSING, CANCELLING = 0, 1, 2  # ranks of requests: each leaves room for those after it

Query = Sequence[tuple[str, str]]


class Unanswered(Exception):
    """A request whose outcome is not known. Becomes a `NoAnswer` before it leaves the adapter."""

    def __init__(self, why: str, wait: int | None = None, *, undone: bool = False) -> None:
        super().__init__(why)
        self.answer = NoAnswer(why, wait, undone)


class Declined(Exception):
    """The venue said no. Becomes a `Refusal` for what changes something, a `NoAnswer` for what reads."""

    def __init__(self, code: str, words: str, status: int) -> None:
        super().__init__(words)
        self.refusal = Refusal(code, words)
        self.status = status


@dataclass(slots=True)
class Transport:
    """Where requests go. `clock` is the wall clock, in ms; `timeout` is for one request, in s. Used by several threads."""

    credentials: Credentials | None
    client: httpx.Client
    host: str
    timeout: float
    clock: Callable[[], int]
    private: Pace = field(default_factory=lambda: Pace((20, 25, 30)))
    public: Pace = field(default_factory=lambda: Pace((10,)))

    def get(self, path: str, query: Query = (), *, public: bool = False) -> Mapping[str, Any]:
        """Asks; raises Unanswered or Declined."""
        status, body = self._send("GET", path, query, None, public=public)
        if status == 401 and not public:
            status, body = self._send("GET", path, query, None, public=public)
        return _sorted("GET", path, status, body)

    def post(self, path: str, content: Mapping[str, Any], rank: int = ORDINARY) -> Mapping[str, Any]:
        """Changes something, once; raises Unanswered or Declined."""
        status, body = self._send("POST", path, (), content, rank=rank)
        return _sorted("POST", path, status, body)

    def close(self) -> None:
        self.client.close()

    def _send(
        self,
        method: str,
        path: str,
        query: Query,
        content: Mapping[str, Any] | None,
        *,
        public: bool = False,
        rank: int = ORDINARY,
    ) -> tuple[int, bytes]:
        import httpx

        what = f"{method} {path}"
        if self.credentials is None and not public:
            raise Unanswered(f"{what} was not sent: it needs a key", undone=True)
        lane = self.public if public else self.private
        if (wait := lane.take(self.timeout, rank)) is not None:
            raise Unanswered(f"{what} was not sent: too many requests", wait, undone=True)
        body = b"" if content is None else json.dumps(content, separators=(",", ":")).encode()
        headers = {} if content is None else {"Content-Type": "application/json"}
        if self.credentials is not None and not public:
            headers |= proof(self.credentials, self.clock() // 1000, method, self.host, PREFIX + path, body)
        end = time.monotonic() + self.timeout
        try:
            with (
                Deadline(self.timeout) as deadline,
                self.client.stream(
                    method,
                    PREFIX + path,
                    params=list(query),
                    content=body,
                    headers=headers,
                    extensions={"trace": deadline},
                ) as answer,
            ):
                status, read = answer.status_code, _read(answer, end)
                if status == 429:
                    wait = waiting(answer.headers, self.clock())
                    lane.hold(wait)
                    raise Unanswered(f"{what}: too many requests", wait, undone=True)
                return status, read
        except httpx.HTTPError as problem:
            never = isinstance(problem, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
            raise Unanswered(f"{what}: {_said(problem)}", undone=never) from problem
        except RuntimeError as problem:
            if not self.client.is_closed:
                raise
            raise Unanswered(f"{what}: the adapter was closed") from problem
        except TimeoutError as problem:
            raise Unanswered(f"{what}: the answer did not end within {self.timeout:g} s") from problem


def _read(answer: httpx.Response, end: float) -> bytes:
    """The whole body, however slowly it drips: not beyond the end of the time limit."""
    pieces, length = [], 0
    for piece in answer.iter_bytes():
        length += len(piece)
        if time.monotonic() > end or length > LARGEST:
            raise TimeoutError
        pieces.append(piece)
    return b"".join(pieces)


def _sorted(method: str, path: str, status: int, body: bytes) -> Mapping[str, Any]:
    what = f"{method} {path}"
    try:
        content = fields(read_json(body))
    except Unreadable as problem:
        reason = f"{problem}" if status == 200 else f"status {status}, and {problem}"
        raise Unanswered(f"{what}: {reason}", undone=status == 401) from problem
    if status == 200:
        return content
    code, words = _reason(content)
    said = f"status {status}" + (f", {code}" if code else "") + (f": {words}" if words else "")
    # 401: a good token is refused now and then, so it does not say that the order was bad; 408 and 425 are about time
    if 400 <= status < 500 and status not in {401, 408, 425} and code:
        raise Declined(code, words or said, status)
    raise Unanswered(f"{what}: {said}", undone=status == 401)


def _reason(content: Mapping[str, Any]) -> tuple[str, str]:
    """The code and the words of an answer that says no, each empty where there is none."""
    found: Mapping[str, Any] = content
    errors = content.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        found = errors[0]
    code = next((found[name] for name in ("error", "id", "code") if isinstance(found.get(name), str) and found[name]), "")
    words = [found[name] for name in ("message", "error_details") if isinstance(found.get(name), str) and found[name]]
    return code[:100], "; ".join(dict.fromkeys(words))[:500]


def _said(problem: Exception) -> str:
    """What went wrong, in words without anything of the request."""
    import httpx

    match problem:
        case httpx.ConnectTimeout() | httpx.ConnectError():
            return "no connection"
        case httpx.PoolTimeout():
            return "all connections are in use"
        case httpx.TimeoutException():
            return "no answer in time"
        case httpx.RemoteProtocolError() | httpx.ReadError() | httpx.WriteError():
            return "the connection ended before the answer did"
    return f"no answer that can be read ({type(problem).__name__})"


def waiting(headers: Mapping[str, str], now: int) -> int:
    """The ms to wait that an answer names: `retry-after`, or `x-ratelimit-reset`, in s or as an instant in s."""
    for name in ("retry-after", "x-ratelimit-reset"):
        value = headers.get(name, "").strip()
        if value.isascii() and value.isdigit() and len(value) < 16:
            ms = int(value) * 1000 - (now if int(value) > 1_000_000_000 else 0)
        elif name == "retry-after" and value:
            try:
                ms = int(parsedate_to_datetime(value).timestamp() * 1000) - now
            except (ValueError, OverflowError):
                continue
        else:
            continue
        return min(max(ms, 0), LONGEST_WAIT) or TOO_MANY
    return TOO_MANY


def checked_address(address: str, schemes: tuple[str, str], *, with_key: bool) -> str:
    """The address, without a slash at its end. A key goes over an open line to this machine alone. Raises Refused (TB801)."""
    parts = urlsplit(address)
    open_scheme, safe_scheme = schemes
    if parts.scheme not in schemes or not parts.hostname or parts.query or parts.fragment or parts.username:
        # without what may stand before the host: that would be a name and a password
        shown = f"{parts.scheme}://{parts.hostname or ''}" if parts.scheme else address.rpartition("@")[2]
        message = f"`{shown}` is not an address of this venue that can be used"
        hint = f"write `{safe_scheme}://HOST`, without a name, a query or a fragment"
        raise Refused([error(UNSAFE_ADDRESS, message, whole_file(shown), hint)])
    if with_key and parts.scheme == open_scheme and parts.hostname not in LOOPBACK:
        message = f"a key would go over an open line to `{parts.hostname}`"
        raise Refused([error(UNSAFE_ADDRESS, message, whole_file(parts.hostname), f"use `{safe_scheme}://`")])
    return address.rstrip("/")


def trusted(authorities: str | None) -> ssl.SSLContext:
    """TLS with the system's authorities, or those in a file."""
    return ssl.create_default_context(cafile=authorities)


def open_client(address: str, timeout: float, tls: ssl.SSLContext) -> httpx.Client:
    """The client. Nothing is repeated or followed by itself, and each request has a connection of its own.

    An answer that came twice on a connection that is kept would be taken for that of the next request: `no fills` from before
    for `no fills` now. And a connection that the other side has just given up swallows an order, whose outcome is then unknown.
    """
    import httpx

    return httpx.Client(
        base_url=address,
        timeout=timeout,
        verify=tls,
        follow_redirects=False,
        headers={"User-Agent": "tb", "Accept": "application/json", "Connection": "close"},
        limits=httpx.Limits(max_connections=16, max_keepalive_connections=0),
    )
