"""Takes secrets out of text before anybody reads it.

1. What was registered is removed as it is, and as it looks inside of an address or of JSON. Whoever reads a
   secret registers it.
2. What looks like one is removed without: blocks of keys (PEM), tokens of three parts (JWT), the user and password of an
   address, bearer headers, and the value behind a name such as `token`, `secret` or `pin`.

A secret shorter than `SHORTEST` characters is not looked for: it would take ordinary words with it. Nothing here is ever
written anywhere; registered secrets live as long as the process.
"""

from __future__ import annotations

import json
import re
from urllib.parse import quote, quote_plus, unquote

SHORTEST = 4
GONE = "[redacted]"

_SENSITIVE = (
    r"(?:[a-z0-9_.-]{0,40}(?:password|passwd|passphrase|secret|token|api[_-]?key|private[_-]?key|access[_-]?key|authorization|signature"
    r"|credentials?)|[a-z0-9_.]{0,40}[_.-]pin|pin|cb-access-(?:key|sign|passphrase)|pwd)"
)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # a block may have been cut off, or its line ends written as \n
    (re.compile(r"-----BEGIN [A-Z0-9 ]+-----(?:.*?-----END [A-Z0-9 ]+-----|.*)", re.DOTALL), GONE),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?"), GONE),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9+/=_.~-]{8,}"), rf"\1 {GONE}"),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@'\"]+@"), rf"\1{GONE}@"),
    (re.compile(r"\bscrypt:\d+:\d+:\d+:[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+"), GONE),
    (
        re.compile(
            rf"(?i)(?<![a-z0-9])({_SENSITIVE})(['\"]?\s*[=:]\s*)(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|(?!\[redacted\])[^\s,;&'\"}}\)\]]+)"
        ),
        rf"\1\2{GONE}",
    ),
)
_HINTS = re.compile(
    r"-----BEGIN|eyJ|://|(?i:bearer|basic|scrypt|pass|secret|token|key|pin|pwd|authorization|signature|credential)"
)

_known: dict[str, None] = {}  # every form of every secret
_pattern: re.Pattern[str] | None = None


def register_secret(text: str) -> None:
    """From now on this text, and each of its lines, is removed from whatever `redacted` sees."""
    global _pattern  # noqa: PLW0603 -- one registry for the process: a log written anywhere must know every secret
    lines = [line for line in text.splitlines() if not line.startswith("-----")] if "\n" in text else []
    for part in (text, *lines):
        stripped = part.strip()
        if len(stripped) >= SHORTEST:
            escaped = json.dumps(stripped)[1:-1], json.dumps(stripped, ensure_ascii=False)[1:-1]
            for form in (
                stripped,
                unquote(stripped),
                quote(stripped, safe=""),
                quote(stripped),
                quote_plus(stripped),
                *escaped,
            ):
                if len(form) >= SHORTEST:
                    _known[form] = None
    # the longest first: one secret may begin another
    _pattern = re.compile("|".join(re.escape(form) for form in sorted(_known, key=len, reverse=True))) if _known else None


def without_registered(text: str) -> str:
    """The text without registered secrets: for what a program or a person asked for, where nothing may be guessed."""
    return text if _pattern is None else _pattern.sub(GONE, text)


def redacted(text: str) -> str:
    """The text without registered secrets and without what looks like one: for logs, alerts and errors."""
    text = without_registered(text)
    if _HINTS.search(text):
        for pattern, left in _PATTERNS:
            text = pattern.sub(left, text)
    return text


def forget_secrets() -> None:
    """Forgets what was registered; for tests."""
    global _pattern  # noqa: PLW0603
    _known.clear()
    _pattern = None
