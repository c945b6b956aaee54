"""What could stand at a place, in the words of the language."""

from __future__ import annotations

from collections.abc import Iterable

from tb.dsl.grammar import grammar
from tb.dsl.stumble import Stumble

_VALUES = frozenset({"NAME", "NUMBER", "LPAR", "SYMBOL", "TEXT", "MINUS", "NOT"})
_OPERATORS = frozenset(
    {
        "OR",
        "AND",
        "NOT",
        "PLUS",
        "MINUS",
        "TIMES",
        "OVER",
        "COMPARE",
        "LSQB",
        "PART",
        "IN",
        "IS",
        "OF",
        "AT",
        "FOR",
        "WITHIN",
        "CROSSES",
        "AT_SIGN",
        "LPAR",
        "RPAR",
        "RSQB",
        "COMMA",
        "RANGE",
    }
)
_WORDS = {
    "is": "a word such as `set`",
    "not": "a word such as `set`",
    "at": "a moment such as `day_start`",
}
_CALENDAR = {
    "CLOCK": "a time of day such as `08:00`",
    "ZONE": "a time zone such as `Europe/London`",
    "DATE": "a day such as `2026-12-31`",
}
_NUMBERS = {
    "every": "a period such as `1h`",
    "most": "a duration such as `72h`",
    "down": "a duration such as `4h`",
    "for": "a duration such as `60m` or `3 bars`",
    "within": "a duration such as `6h` or `3 bars`",
    "@": "a period such as `4h`",
    "weight": "a weight such as `5%..40%`",
    "after": "a count, as in `after 3 losses in a row`",
}


def keywords(accepted: Iterable[str]) -> list[str]:
    """The words and signs among the terminals that are spelled in one way only, in alphabetical order."""
    found = []
    for name in accepted:
        if name.startswith("$") or name in ("_INDENT", "_DEDENT"):
            continue
        pattern = grammar().get_terminal(name).pattern
        if pattern.type == "str":
            found.append(str(pattern.value))
        elif name == "COMMA":
            found.append(",")
    return sorted(found)


def expected_words(stumble: Stumble) -> str:
    """`a value`, `a name`, `` `when` or `otherwise` ``; empty where nothing can stand here."""
    accepted = set(stumble.accepted)
    said: list[str] = []
    if stumble.expects_value():
        said.append("a condition" if stumble.previous() == "when" else "a value")
        accepted -= _VALUES
    elif stumble.expects_operator():
        accepted -= _OPERATORS
    if "WORD" in accepted:
        said.append(_WORDS.get(stumble.previous(), "a name"))
    if "SYMBOL" in accepted:
        said.append("an instrument such as `BTC-USD`")
    said.extend(words for kind, words in _CALENDAR.items() if kind in accepted)
    if "NUMBER" in accepted:
        said.append(_NUMBERS.get(stumble.previous(), "a number"))
    if "NAME" in accepted:
        said.append("a name")
    if "TEXT" in accepted:
        said.append("a text in double quotes")
    said.extend(f"`{word}`" for word in keywords(accepted))
    if "_NL" in accepted and len(said) < 3:
        said.append("the end of the line")
    said = list(dict.fromkeys(said))
    return said[0] if len(said) == 1 else ", ".join(said[:-1]) + " or " + said[-1] if said else ""
