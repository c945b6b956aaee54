"""What proves to Coinbase who asks: a JSON web token, fresh for each request and each message, or the old signature.

header  alg, kid = the key's name, nonce = 64 hexadecimal digits, typ = JWT
claims  sub = the key's name, iss = cdp, nbf = now, exp = two minutes later,
        uri = `GET host[:port]/path` for a request: no scheme, no query; nothing for a message of a WebSocket
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from tb.connectors.coinbase.credentials import Credentials

LIFETIME = 120  # s


def token(credentials: Credentials, now: int, uri: str | None = None) -> str:
    """A token for one request, or for one message where there is no `uri`. `now` is in s since 1970."""
    import jwt

    claims: dict[str, str | int] = {"sub": credentials.name, "iss": "cdp", "nbf": now, "exp": now + LIFETIME}
    if uri is not None:
        claims["uri"] = uri
    headers = {"kid": credentials.name, "nonce": secrets.token_hex(32)}
    return jwt.encode(claims, credentials.key.open(), algorithm=credentials.scheme, headers=headers)


def proof(credentials: Credentials, now: int, method: str, host: str, path: str, body: bytes) -> dict[str, str]:
    """The headers of a request; `path` is without a query."""
    if credentials.scheme != "HMAC":
        return {"Authorization": f"Bearer {token(credentials, now, f'{method} {host}{path}')}"}
    message = f"{now}{method}{path}".encode() + body
    return {
        "CB-ACCESS-KEY": credentials.name,
        "CB-ACCESS-SIGN": hmac.new(credentials.key.open(), message, hashlib.sha256).hexdigest(),
        "CB-ACCESS-TIMESTAMP": str(now),
    }


def message_proof(credentials: Credentials, now: int, channel: str, products: list[str]) -> dict[str, str]:
    """The fields that make a subscription one of the key's owner."""
    if credentials.scheme != "HMAC":
        return {"jwt": token(credentials, now)}
    message = f"{now}{channel}{','.join(products)}".encode()
    return {
        "api_key": credentials.name,
        "signature": hmac.new(credentials.key.open(), message, hashlib.sha256).hexdigest(),
        "timestamp": str(now),
    }
