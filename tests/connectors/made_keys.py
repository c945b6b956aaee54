"""Ed25519 keys made for one test, and the words of a secret that must not be seen anywhere."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


def ed25519_raw() -> tuple[bytes, bytes]:
    """Seed and public key."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes_raw(), key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def ed25519_pem(seed: bytes) -> str:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def secret_words(secret: str) -> list[str]:
    """Every piece of eight characters of the lines that are secret."""
    lines = [line for line in secret.splitlines() if not line.startswith("-----")]
    return [line[start : start + 8] for line in lines for start in range(0, max(1, len(line) - 7), 4) if len(line) >= 8]
