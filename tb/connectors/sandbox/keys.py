"""Keys of a sandbox: made when it starts, known to nobody else, good for nothing else.

A key file is JSON as the venue hands it out (`name`, `privateKey`), for its owner alone (mode 600). A file that no sandbox
wrote is never overwritten. INVARIANT: no secret is part of a key's `repr`.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tb.core.diagnostics import Refused, error
from tb.core.span import whole_file

NOT_OURS = "TB820"
UNWRITABLE = "TB821"
NOTE = "made by tb sandbox, of no use elsewhere"

Kind = Literal["ES256", "EdDSA", "HMAC"]
KINDS: tuple[Kind, ...] = ("ES256", "EdDSA", "HMAC")


@dataclass(frozen=True, slots=True)
class Key:
    """`secret` is the private key as PEM, or the shared secret of the old scheme; `public` verifies what it signed."""

    name: str
    kind: Kind
    secret: str = field(repr=False)
    public: Any = field(repr=False, default=None, compare=False)


def make_key(kind: Kind) -> Key:
    """A new key."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    if kind == "HMAC":
        return Key(secrets.token_hex(16), kind, base64.b64encode(secrets.token_bytes(48)).decode())
    name = f"organizations/{uuid.uuid4()}/apiKeys/{uuid.uuid4()}"
    if kind == "ES256":
        curve = ec.generate_private_key(ec.SECP256R1())
        text = curve.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        return Key(name, kind, text.decode(), curve.public_key())
    edwards = ed25519.Ed25519PrivateKey.generate()
    text = edwards.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Key(name, kind, text.decode(), edwards.public_key())


def write_key(key: Key, path: Path) -> None:
    """Writes the key file. Raises Refused where the file is there and no sandbox wrote it, or it cannot be written."""
    try:
        if path.exists() and not _is_ours(path):
            message = f"`{path}` is there, and no sandbox wrote it"
            raise Refused([error(NOT_OURS, message, whole_file(str(path)), "name another file: a key in it would be lost")])
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"name": key.name, "privateKey": key.secret, "note": NOTE}, file, indent=2)
        draft.replace(path)
    except OSError as problem:
        message = f"`{path}` cannot be written: {(problem.strerror or 'the file system refused').lower()}"
        hint = "name a file in a folder that you may write"
        raise Refused([error(UNWRITABLE, message, whole_file(str(path)), hint)]) from problem


def _is_ours(path: Path) -> bool:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("note") == NOTE
