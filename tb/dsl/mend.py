"""Words and signs that the language does not have: what is wrong with each, and what was probably meant.

Every function adds one mistake to the reading and returns the text to read on with, so that the rest of the line and of
the declaration is still checked.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from tb.core.diagnostics import did_you_mean
from tb.core.span import Span
from tb.dsl.reading import Reading, shown
from tb.dsl.words import SPACED_UNITS, UNITS

KNOWN_UNITS = ("%", "bps", "s", "m", "h", "d", "w", "bar", "bars", "pip", "pips", "R", "k", "M", "B")
UNIT_LIST = "units are `%` `bps` `s` `m` `h` `d` `w` `bars` `pips` `R` `k` `M` `B` and currencies such as `USD`"

# Signs of other languages: what to write, and a word on why where the sign alone does not say it.
FOREIGN_SIGNS = {
    "&&": ("and", "write `and`"),
    "&": ("and", "write `and`"),
    "||": ("or", "write `or`"),
    "|": ("or", "write `or`"),
    "!": ("not ", "write `not`"),
    "~": ("not ", "write `not`"),
    "=>": (">=", "write `>=`"),
    "=<": ("<=", "write `<=`"),
    "<>": ("!=", "write `!=`"),
    "===": ("==", "write `==`"),
    "!==": ("!=", "write `!=`"),
    "**": ("*", "there is no power: write `x * x`"),
    "^": ("*", "there is no power: write `x * x`"),
    ":=": ("=", "write `=`"),
    "->": ("", "remove it"),
    "//": ("/", "a comment begins with `#`"),
    "/*": ("", "a comment begins with `#`"),
    "*/": ("", "a comment begins with `#`"),
    "...": ("..", "write a range with two dots, as in `40..60`"),
    ";": ("", "remove it: one line says one thing"),
    "{": ("", "remove it: what belongs together is indented"),
    "}": ("", "remove it: what belongs together is indented"),
    "%": ("", "a percent sign stands right after its number, as in `5%`"),
    ".": ("", "remove it"),
    "\\": ("", "remove it: a line continues after a comma, in parentheses, and before `and` or `or`"),
    "$": ("", "write money with its currency, as in `100 USD`"),
    "€": ("", "write money with its currency, as in `100 EUR`"),
    "£": ("", "write money with its currency, as in `100 GBP`"),
    "`": ("", "remove it"),
    "?": ("", "remove it"),
}

# Characters that look like one of the language's, and that character.
LOOK_ALIKES = {
    **dict.fromkeys("“”„‟«»″＂", '"'),
    **dict.fromkeys("‘’‚‛′", "'"),
    **dict.fromkeys("–—−‐‑‒―﹣－", "-"),
    **dict.fromkeys("×∗⋅·∙", "*"),
    **dict.fromkeys("÷∕⁄", "/"),
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "≪": "<",
    "≫": ">",
    "…": "..",
    "‥": "..",
    "∧": "and",
    "∨": "or",
    "¬": "not ",
    "٪": "%",
    "‚": ",",
    "，": ",",
}

_LETTERS = str.maketrans(
    "аеорсухіјѕԁһкмтвнАВЕКМНОРСТХУІЈЅαορνιτκχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aeopcyxijsdhkmtbhABEKMHOPCTXYIJSaopvitkxABEZHIKMNOPTYX"
)
_EXPONENT = re.compile(r"(\d+(?:\.\d+)?)[eE]\+?(\d{1,2})")
_LEADING = re.compile(r"[0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?")


def mend_sign(sign: str, span: Span, reading: Reading) -> str:
    """A sign of another language."""
    replacement, hint = FOREIGN_SIGNS[sign]
    reading.mistake("TB011", f"`{sign}` means nothing here", span, hint)
    return f" {replacement} " if replacement in ("and", "or") else replacement


def mend_character(character: str, span: Span, reading: Reading) -> str:
    """A character that no word of the language has."""
    plain = LOOK_ALIKES.get(character) or unicodedata.normalize("NFKC", character)
    if len(plain) > 1 and character not in LOOK_ALIKES:
        plain = character
    name = f"U+{ord(character):04X}"
    if character.isspace() or not character.isprintable():
        reading.mistake("TB010", f"an invisible character ({name}) stands here", span, "replace it with a plain space")
        return " "
    if plain.isascii() and plain != character and plain.isprintable() and plain.strip():
        alike = len(plain.strip()) == 1
        message = f"`{character}` ({name}) " + (f"only looks like `{plain}`" if alike else "means nothing here")
        reading.mistake("TB010", message, span, f"write `{plain.strip()}`")
        return plain if plain not in "\"'" else " "
    reading.mistake("TB010", f"`{character}` ({name}) means nothing here", span, "remove it")
    return " "


def mend_word(word: str, span: Span, reading: Reading) -> str:
    """A word with letters outside a to z."""
    plain = word.translate(_LETTERS)
    if plain.isascii():
        reading.mistake(
            "TB010",
            f"`{shown(word)}` holds letters of another alphabet that only look like ours",
            span,
            f"write `{shown(plain)}`",
        )
        return plain
    folded = unicodedata.normalize("NFKD", word.replace("ß", "ss")).encode("ascii", "ignore").decode()
    folded = re.sub(r"\W", "", folded)
    usable = bool(folded) and not folded[0].isdigit()
    hint = f"write `{shown(folded)}`" if usable else "write it with the letters a to z"
    reading.mistake("TB010", f"`{shown(word)}` has other letters than a to z, digits and `_`", span, hint)
    return folded if usable else "x"


def mend_text(text: str, span: Span, reading: Reading) -> str:
    """A text without its closing quote, with quotes of another kind, or with a `\\` that means nothing."""
    inner = text[1:-1] if len(text) > 1 and (text[-1] == text[0] or text[-1] in "”»’") else text[1:]
    plain = re.sub(r'\\(?!["\\])|(?<!\\)"', "", inner).rstrip("\\")
    if text[0] == '"' and text.endswith('"') and len(text) > 1:
        bad = re.search(r'\\[^"\\]', text)
        what = bad[0] if bad else "\\"
        hint = "write `\\\\` for a backslash" if what != "\\n" else "a text stands on one line"
        reading.mistake("TB024", f"`{what}` means nothing in a text", span, hint)
    elif text[0] == '"':
        reading.mistake("TB008", "this text is not closed on its line", span, 'add `"` at its end')
    elif text[0] == "'":
        reading.mistake("TB010", "a text stands in double quotes", span, f'write `"{shown(plain)}"`')
    else:
        reading.mistake("TB010", f"`{text[0]}` only looks like a quote", span, f'write `"{shown(plain)}"`')
    return f'"{plain}"'


def mend_number(word: str, span: Span, reading: Reading) -> str:
    """Digits that run into something: an unknown unit, an exponent, a misplaced `_` or dot."""
    if word.startswith("."):
        reading.mistake("TB012", f"`{shown(word)}` is no number", span, f"write `0{word}`")
        return "0" + word
    match = _LEADING.match(word)
    digits, unit = (match[0], word[match.end() :]) if match else ("0", word)
    exponent = _EXPONENT.fullmatch(word)
    if exponent:
        written = format(Decimal(word), "f")
        reading.mistake("TB012", f"`{shown(word)}` is no number: there are no exponents", span, f"write `{shown(written)}`")
        return digits
    if unit.startswith(("_", ".")) or not unit:
        better = re.sub("_+", "_", word).rstrip("_.")
        hint = (
            f"write `{shown(better)}`" if _LEADING.fullmatch(better) else "a number has one point, and `_` between digits only"
        )
        reading.mistake("TB012", f"`{shown(word)}` is no number", span, hint)
        return digits
    return mend_unit(digits, unit, span, reading)


def mend_instant(word: str, span: Span, reading: Reading, *, quoted: bool) -> str:
    """`2023-01-12T18:00`: the language writes days and times apart, and an instant that is given in quotes."""
    meant = f"{word[:10]} {word[11:16]}"
    meant = f'"{meant}"' if quoted else meant
    message = "an instant stands in double quotes" if quoted else "a space stands between a day and its time"
    reading.mistake("TB012", message, span, f"write `{meant}`")
    return meant


def mend_hour(word: str, behind: str, span: Span, reading: Reading) -> str:
    """`8am`, `4pm`, and `8:30am`, whose minutes alone are `word`."""
    digits, half = word[:-2], word[-2:].lower()
    if behind or not digits.isdigit() or not 1 <= int(digits) <= 12:
        reading.mistake("TB012", f"`{half}` is no unit: a day has 24 hours", span, "write a time of day as in `16:30`")
        return digits
    hour = int(digits) % 12 + (12 if half == "pm" else 0)
    hint = f"write `{hour}` to compare with `hour`, and `{hour:02d}:00` for a time of day"
    reading.mistake("TB012", f"`{half}` is no unit: a day has 24 hours", span, hint)
    return str(hour)


def mend_name(word: str, span: Span, reading: Reading) -> str:
    """`let 2fast = ...`: a name that begins with a digit."""
    better = f"{word.lstrip('0123456789._') or 'x'}{word[: len(word) - len(word.lstrip('0123456789'))]}"
    hint = f"write `{shown(better)}`" if better.isascii() and better.isidentifier() else "write another name"
    reading.mistake("TB017", f"`{shown(word)}` cannot be a name: names begin with a small letter", span, hint)
    return "x"


def mend_unit(digits: str, unit: str, span: Span, reading: Reading) -> str:
    """A number with a unit that the language does not have or that is set apart from it."""
    if unit in KNOWN_UNITS:
        meant = spell(digits, unit)
        reading.mistake("TB012", f"the unit `{unit}` stands right after its number", span, f"write `{meant}`")
        return meant
    known = UNITS.get(unit) or UNITS.get(unit.lower())
    currency = len(unit) > 1 and unit.isupper() and unit.isalpha()
    meant = spell(digits, known) if known else f"{digits} {unit}" if currency else ""
    if currency and not known:
        reading.mistake("TB012", f"a space stands between a number and its currency `{unit}`", span, f"write `{meant}`")
        return meant
    hint = f"write `{shown(meant)}`" if meant else did_you_mean(unit[:40], KNOWN_UNITS) or UNIT_LIST
    reading.mistake("TB012", f"unknown unit `{shown(unit)}`", span, hint)
    return meant or digits


def spell(digits: str, unit: str) -> str:
    return f"{digits} {unit}" if unit in SPACED_UNITS else digits + unit
