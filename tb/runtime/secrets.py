"""Secrets: read where the settings say they are, never shown, never written.

1. `read_secret` takes one from the environment or the system's keyring (extra `live`).
2. A `Secret` shows nothing of itself in any text made of it; `reveal` is the one way to what it holds.
3. The operator's PIN is kept as a hash by scrypt (RFC 7914) with a salt of its own; `is_pin` compares in constant time.

INVARIANT: no error raised here holds a secret or a part of one, and whatever is read here is taken out of every log.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Mapping
from typing import NoReturn

from tb.core.diagnostics import Refused, error
from tb.core.live_settings import SecretName
from tb.core.redaction import register_secret
from tb.core.span import whole_file

MISSING = "TB850"
NO_HASH = "TB851"
NO_KEYRING = "TB852"

SHORTEST_PIN = 6
_N, _R, _P, _SALT, _LENGTH = 1 << 15, 8, 1, 16, 32  # 32 MB of memory and some 0.1 s for each guess
_MOST_MEMORY = 256 << 20
_SCHEME = "scrypt"


class Secret:
    """A text that nobody sees by accident."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        return self.__text

    def __repr__(self) -> str:
        return "Secret(...)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written")


def read_secret(name: SecretName, what: str, environment: Mapping[str, str] | None = None, *, holds: str = "") -> Secret:
    """The secret kept under a name. Raises Refused TB850 where there is none, TB852 where the keyring cannot be asked.

    `what` says for people what it is: `the operator's PIN hash`; `holds` what to put there: `what `tb pin set` prints`.
    """
    variables = os.environ if environment is None else environment
    found = variables.get(name.name) if name.place == "env" else _from_keyring(name)
    if not found or not found.strip():
        to = f" to {holds}" if holds else ""
        stored = f"store {holds or 'it'} in the keyring as `{name.name}`"
        hint = f"set the variable `{name.name}`{to}" if name.place == "env" else stored
        raise Refused([error(MISSING, f"{what} is not in `{name}`", whole_file("tb.yaml"), hint)])
    register_secret(found)
    return Secret(found.strip())


def _from_keyring(name: SecretName) -> str | None:
    service, _, user = name.name.partition("/")
    keyring, errors = _keyring(name)
    try:
        found: str | None = keyring.get_password(service, user)
    except errors.KeyringError as problem:
        raise _no_keyring(name, type(problem).__name__) from None
    return found


def store_in_keyring(name: SecretName, text: str) -> None:
    """Puts a text into the system's keyring. Raises Refused TB852 where there is none."""
    service, _, user = name.name.partition("/")
    keyring, errors = _keyring(name)
    try:
        keyring.set_password(service, user, text)
    except errors.KeyringError as problem:
        raise _no_keyring(name, type(problem).__name__) from None


def _keyring(name: SecretName):  # type: ignore[no-untyped-def]  # two modules of a library that is an extra
    try:
        import keyring
        from keyring import errors
    except ImportError:
        raise _no_keyring(name, "the extra `live` is not installed") from None
    return keyring, errors


def _no_keyring(name: SecretName, why: str) -> Refused:
    hint = "install `tb[live]` and a keyring, or name an environment variable: `env:NAME`"
    return Refused([error(NO_KEYRING, f"the keyring does not answer for `{name}`: {why}", whole_file("tb.yaml"), hint)])


def hash_pin(pin: str, salt: bytes) -> str:
    """The hash of a PIN as it is kept: scheme, costs, salt and hash. Raises ValueError for a PIN that is too short."""
    if len(pin) < SHORTEST_PIN:
        raise ValueError(f"a PIN has at least {SHORTEST_PIN} characters")
    made = hashlib.scrypt(pin.encode(), salt=salt, n=_N, r=_R, p=_P, maxmem=_MOST_MEMORY, dklen=_LENGTH)
    return f"{_SCHEME}:{_N}:{_R}:{_P}:{_text(salt)}:{_text(made)}"


def new_salt() -> bytes:
    return os.urandom(_SALT)


def is_pin(pin: str, kept: Secret) -> bool:
    """Whether a PIN is the one whose hash is kept. Raises Refused TB851 where what is kept is no hash."""
    parts = kept.reveal().split(":")
    try:
        scheme, (n, r, p), salt, expected = parts[0], map(int, parts[1:4]), _bytes(parts[4]), _bytes(parts[5])
        if scheme != _SCHEME or len(parts) != 6 or len(expected) != _LENGTH or len(salt) < _SALT or n < _N or r < 8 or p < 1:
            raise ValueError
        made = hashlib.scrypt(pin.encode(), salt=salt, n=n, r=r, p=p, maxmem=_MOST_MEMORY, dklen=_LENGTH)
    except (ValueError, IndexError, binascii.Error):
        message = "what is kept as the PIN's hash is none that `tb pin` makes"
        raise Refused([error(NO_HASH, message, whole_file("tb.yaml"), "make it anew with `tb pin set`")]) from None
    return hmac.compare_digest(made, expected)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
