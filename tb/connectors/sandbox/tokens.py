"""Whether a request proves that it comes from the holder of a key: JSON web tokens, and the old scheme where it is allowed.

A token is good where its signature is that of the named key, `kid` and `sub` name the key, it began and has not ended, lasts
two minutes at most, and its `uri` names method, host and path of the request (tokens of the stream have none). Accepted
issuers and audiences are those of the official SDK and of ccxt; both spell `uri` or `uris`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tb.connectors.sandbox.keys import Key

LIFE = 120  # seconds
LEEWAY = 5
_NONCE = re.compile(r"[0-9a-fA-F]{16,64}", re.ASCII)  # ccxt writes a random number: 32 digits less its leading zeros
_SCHEME = re.compile(r"^(\w+ )https?://")
# issuer -> audience it comes with; None: it comes without one
_AUDIENCES: dict[str, tuple[Any, ...]] = {
    "cdp": (None, ["cdp_service"]),
    "coinbase-cloud": (None, ["retail_rest_api_proxy"]),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a request its proof speaks of. `path` has no query."""

    method: str
    host: str
    path: str
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


def proven(asked: Asked, keys: Sequence[Key], now: float) -> str:
    """Why a request is not authorised; empty where it is. `now` is in seconds."""
    authorization = asked.headers.get("authorization", "")
    if authorization.startswith("Bearer "):
        return token_fault(authorization.removeprefix("Bearer "), keys, now, f"{asked.method} {asked.host}{asked.path}")
    if "cb-access-key" in asked.headers:
        return _old_scheme(asked, keys, now)
    return "no token"


def token_fault(token: str, keys: Sequence[Key], now: float, uri: str | None) -> str:
    """Why a token does not hold; empty where it does. `uri` is what it has to be for, None for the stream."""
    import jwt

    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        return "the token cannot be read"
    key = next((key for key in keys if key.name == header.get("kid") and key.kind == header.get("alg")), None)
    if key is None or key.public is None:
        return "unknown key or algorithm"
    if not isinstance(header.get("nonce"), str) or not _NONCE.fullmatch(header["nonce"]):
        return "the header has no nonce"
    options: jwt.types.Options = {  # times and audience are looked at below, by the given clock
        "verify_exp": False,
        "verify_nbf": False,
        "verify_iat": False,
        "verify_aud": False,
        "require": ["sub", "iss", "exp"],
    }
    try:
        claims = jwt.decode(token, key.public, algorithms=[key.kind], options=options)
    except jwt.InvalidTokenError as problem:
        return f"the token does not hold: {type(problem).__name__}"
    return _claims_fault(claims, key, now) or _uri_fault(claims, uri)


def _claims_fault(claims: Mapping[str, Any], key: Key, now: float) -> str:
    began = claims.get("nbf", claims.get("iat"))
    ends = claims.get("exp")
    if claims.get("sub") != key.name:
        return "`sub` is not the key"
    if claims.get("iss") not in _AUDIENCES or claims.get("aud") not in _AUDIENCES[claims["iss"]]:
        return "unknown issuer or audience"
    if not isinstance(began, int) or not isinstance(ends, int):
        return "`nbf` and `exp` are whole seconds"
    if began > now + LEEWAY:
        return "the token is not good yet"
    if ends <= now - LEEWAY:
        return "the token has expired"
    return "the token lasts too long" if ends - began > LIFE + LEEWAY else ""


def _uri_fault(claims: Mapping[str, Any], uri: str | None) -> str:
    named = [claims["uri"]] if "uri" in claims else claims.get("uris", [])
    if uri is None:
        return "" if not named else "a token of the stream has no `uri`"
    if not isinstance(named, list) or not all(isinstance(one, str) for one in named):
        return "`uri` is text"
    # ccxt keeps the scheme in the claim where its address has another than https
    return "" if uri in [_SCHEME.sub(r"\1", one) for one in named] else "`uri` names another request"


def _old_scheme(asked: Asked, keys: Sequence[Key], now: float) -> str:
    key = next((key for key in keys if key.kind == "HMAC" and key.name == asked.headers["cb-access-key"]), None)
    if key is None:
        return "unknown key"
    stamp = asked.headers.get("cb-access-timestamp", "")
    if not stamp.isdigit() or abs(int(stamp) - now) > 30:
        return "the timestamp is not now"
    signed = f"{stamp}{asked.method}{asked.path}".encode() + asked.body
    right = hmac.new(key.secret.encode(), signed, hashlib.sha256).hexdigest()
    return "" if hmac.compare_digest(right, asked.headers.get("cb-access-sign", "")) else "the signature is wrong"


def told_token(authorization: str) -> dict[str, Any]:
    """Header and claims of a token for the record of requests, without its signature; empty where it has none."""
    import jwt

    try:
        token = authorization.removeprefix("Bearer ")
        return {
            "header": jwt.get_unverified_header(token),
            "claims": jwt.decode(token, options={"verify_signature": False}),
        }
    except jwt.InvalidTokenError:
        return {}
