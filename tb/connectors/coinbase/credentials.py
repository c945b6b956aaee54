"""A key of Coinbase: read once, checked, and never shown.

    ES256    an elliptic curve key on P-256 as PEM (`BEGIN EC PRIVATE KEY`, or PKCS8), also with its line ends written as `\\n`
    EdDSA    an Ed25519 key as PKCS8 PEM, or as base64 of its seed of 32 bytes, or of seed and public key, 64 bytes
    HMAC     the old kind of key and secret, only where that is asked for

INVARIANT: no text of a key is in the `repr`, in a finding, or in an exception; it is registered as a secret, so that no log
shows it; a key cannot be pickled.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn

from tb.core.diagnostics import Refused, error
from tb.core.redaction import register_secret
from tb.core.span import whole_file

BAD_KEY = "TB800"

Scheme = Literal["ES256", "EdDSA", "HMAC"]
FORMS = "an EC key on P-256 or an Ed25519 key as PEM, or an Ed25519 key as base64 of 32 or 64 bytes"


class Sealed:
    """Holds the private part of a key; shows nothing of it, and does not leave the process."""

    __slots__ = ("_content",)

    def __init__(self, content: Any) -> None:
        self._content = content

    def open(self) -> Any:
        return self._content

    def __repr__(self) -> str:
        return "<sealed>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not stored")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key's name (its id), how it signs, and the key itself, sealed."""

    name: str = field(repr=False)
    scheme: Scheme
    key: Sealed = field(repr=False, compare=False)


def credentials_of(name: str, secret: str, *, legacy: bool = False, source: str = "the key") -> Credentials:
    """A key from its name and its secret part; `source` says in findings where it came from. Raises Refused (TB800)."""
    if not name.strip():
        raise _refused(source, "the name of the key is empty", "give the name as the venue shows it: `organizations/...`")
    register_secret(secret)
    text = secret.strip().strip("\"'").replace("\\r", "").replace("\\n", "\n").strip()
    register_secret(text)
    if not text:
        raise _refused(source, "the secret part of the key is empty", f"give {FORMS}")
    if legacy:
        return Credentials(name.strip(), "HMAC", Sealed(text.encode()))
    if "-----BEGIN" in text:
        return _from_pem(name.strip(), text, source)
    return Credentials(name.strip(), "EdDSA", Sealed(_from_base64(text, source)))


def credentials_in(path: Path, *, source: str | None = None) -> Credentials:
    """A key from the JSON file that the venue lets one download: `name` or `id`, and `privateKey`. Raises Refused (TB800).

    `source` is what findings say in place of the path, which may be a key that somebody put where its path belongs.
    """
    place = source or str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        why = (problem.strerror or "no reason given").lower()
        raise _refused(place, f"the key file cannot be read: {why}", "name the JSON file of the key") from None
    except ValueError:
        raise _refused(place, "the key file is not JSON", "use the file as the venue gave it") from None
    return credentials_from(text, source=place)


def credentials_from(text: str, *, source: str) -> Credentials:
    """A key from the text of such a file; `source` says in findings where it came from. Raises Refused (TB800)."""
    try:
        content = json.loads(text)
    except ValueError:
        raise _refused(source, "the key file is not JSON", "use the file as the venue gave it") from None
    found = content if isinstance(content, dict) else {}
    name, secret = found.get("name") or found.get("id"), found.get("privateKey")
    if not isinstance(name, str) or not isinstance(secret, str):
        lacking = "`name` or `id`" if not isinstance(name, str) else "`privateKey`"
        raise _refused(source, f"the key file has no text {lacking}", "use the file as the venue gave it")
    return credentials_of(name, secret, source=source)


def _from_pem(name: str, text: str, source: str) -> Credentials:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(_unfolded(text).encode(), password=None)
    except TypeError:
        raise _refused(source, "the key is locked with a password", "store it without one, or unlock it first") from None
    except (ValueError, UnsupportedAlgorithm, UnicodeError):
        raise _refused(source, "the key has the form of PEM, and cannot be read", f"give {FORMS}, whole") from None
    if isinstance(key, Ed25519PrivateKey):
        return Credentials(name, "EdDSA", Sealed(key))
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return Credentials(name, "ES256", Sealed(key))
    raise _refused(source, "the key is of a kind that the venue does not take", f"give {FORMS}")


def _unfolded(text: str) -> str:
    """PEM with its header, body and footer on lines of their own: some stores make one line of it."""
    lines = text.replace("\r", "").split("\n")
    if len(lines) > 1:
        return "\n".join(line.strip() for line in lines) + "\n"
    head, _, rest = text.partition("-----BEGIN")[2].partition("-----")
    body, _, _ = rest.partition("-----END")
    return f"-----BEGIN{head}-----\n{''.join(body.split())}\n-----END{head}-----\n"


def _from_base64(text: str, source: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    try:
        raw = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise _refused(source, "the key is neither PEM nor base64", f"give {FORMS}") from None
    if len(raw) not in {32, 64}:
        raise _refused(source, f"the key is {len(raw)} bytes long", "an Ed25519 key has 32 bytes, or 64 with its public part")
    key = Ed25519PrivateKey.from_private_bytes(raw[:32])
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    if raw[32:] not in {b"", public}:
        raise _refused(source, "the two halves of the key do not belong together", "copy the whole key again")
    return key


def _refused(source: str, message: str, hint: str) -> Refused:
    return Refused([error(BAD_KEY, message, whole_file(source), hint)])
