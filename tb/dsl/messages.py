"""A word where the grammar has no place for it, told in the words of a trader, with the edit that mends it.

Guarantees: no name of a terminal or rule of the grammar ever reaches a message.
"""

from __future__ import annotations

from typing import Any

from lark import Token
from lark.exceptions import UnexpectedInput, UnexpectedToken

from tb.core.diagnostics import Diagnostic, error
from tb.core.span import Span
from tb.dsl.expected import expected_words, keywords
from tb.dsl.habits import HABITS
from tb.dsl.reading import Reading, last_token
from tb.dsl.stumble import Stumble
from tb.dsl.words import CLAUSES, EXAMPLES, OPERATORS


def explain(bad: UnexpectedInput, lines: list[str], reading: Reading) -> Diagnostic:
    """The one diagnostic for the place where the grammar stumbled."""
    if not isinstance(bad, UnexpectedToken) or not isinstance(bad.token, Token):
        line, column = max(1, int(getattr(bad, "line", 1))), max(1, int(getattr(bad, "column", 1)))
        span = reading.span(Token("OTHER", " ", 0, line, column, line, column + 1, 1))
        return error("TB010", "this character means nothing here", span, "remove it")
    stumble = _stumble(bad, lines, reading)
    for habit in HABITS:
        found = habit(stumble)
        if found is not None:
            code, message, hint = found
            return error(code, message, stumble.span, hint)
    return _expected(stumble)


def _stumble(bad: Any, lines: list[str], reading: Reading) -> Stumble:
    parser = bad.interactive_parser
    values = list(parser.parser_state.value_stack)
    accepted = frozenset(parser.accepts()) - {"$END"}
    # what may stand here too and nobody misses: `during` where any value can, the values of a function after its name
    accepted -= {"DURING"} if "NAME" in accepted else {"LPAR"} if accepted == {"EQUAL", "LPAR"} else set()
    token: Token = bad.token
    previous = [_last(value) for value in values]
    words = [word for word in previous if word is not None and not word.type.startswith("_")]
    at = _span(token, words, reading)
    return Stumble(token, accepted, tuple(values), tuple(words), lines, at)


def _last(value: Any) -> Token | None:
    try:
        return last_token(value)
    except (StopIteration, IndexError):
        return None


def _span(token: Token, words: list[Token], reading: Reading) -> Span:
    """The word itself; for a line that ends too early, the place right after its last word."""
    if token.type not in ("_NL", "$END", "_DEDENT"):
        if token.type == "_INDENT":
            line = (token.end_line or 1) + reading.line - 1
            return Span(reading.file, line, 1, line, (token.end_column or 1))
        return reading.span(token)
    if not words:
        return reading.span(token)
    end = reading.span(words[-1])
    if words[-1].type == "COMMA":  # a comma takes the line ends after it along
        return Span(reading.file, end.line, end.column + 1, end.line, end.column + 2)
    return Span(reading.file, end.end_line, end.end_column, end.end_line, end.end_column + 1)


def _expected(stumble: Stumble) -> Diagnostic:
    """The general case: what could stand here, after what."""
    after = stumble.after()
    if stumble.token.type == "_INDENT":
        return _indented(stumble)
    if stumble.accepted == {"_INDENT"}:
        head = stumble.line_text().strip()
        hint = "write what belongs to it on the lines below, indented by two spaces"
        return error("TB007", f"nothing stands below `{head}`", stumble.span, hint)
    wanted = expected_words(stumble)
    if stumble.expects_operator() and not keywords(stumble.accepted - _OPERATORS):
        message = f"{stumble.found()} cannot stand {after}"
        return error("TB001", message, stumble.span, _joining_hint(stumble))
    if not wanted:
        return error("TB001", f"{stumble.found()} cannot stand {after}", stumble.span, _inserting_hint(stumble) or "remove it")
    if stumble.expects_operator():
        return error("TB001", f"{stumble.found()} cannot stand {after}", stumble.span, f"what can follow is {wanted}")
    message = (
        f"expected {wanted} {after}"
        if stumble.token.type in ("_NL", "$END")
        else f"expected {wanted} {after}, not {stumble.found()}"
    )
    return error("TB002", message, stumble.span, _inserting_hint(stumble))


_LAST_WORDS = frozenset({"entry", "tomorrow", "order", "row", "down"})


def _is_stray(stumble: Stumble) -> bool:
    """Whether the word stands in the place of the missing one, rather than after it."""
    if stumble.at_end():
        return False
    word = str(stumble.token)
    last = bool(stumble.accepted & {"ENTRY", "TOMORROW", "ORDER", "ROW", "MOST", "PROPOSAL"})
    return (
        word in CLAUSES or word in OPERATORS or (last and word.isidentifier()) or not (word[0].isalnum() or word[0] in '_("-')
    )


_OPERATORS = frozenset(  # what can follow any value: not worth naming in a message
    "OR AND NOT IN IS OF AT FOR WITHIN CROSSES COMPARE PLUS MINUS TIMES OVER LSQB PART RANGE AT_SIGN LPAR RPAR COMMA".split()
)


def _indented(stumble: Stumble) -> Diagnostic:
    message = "the line is indented, but nothing can stand below the line before it"
    hint = "indent it like the line before; a line continues in parentheses, after a comma, and before `and` or `or`"
    return error("TB006", message, stumble.span, hint)


def _joining_hint(stumble: Stumble) -> str:
    if stumble.token.type in ("NAME", "WORD", "NUMBER", "SYMBOL", "LPAR", "TEXT"):
        return "join the two with an operator, `and` or `or`, or remove one"
    return "remove it"


def _inserting_hint(stumble: Stumble) -> str:
    """The whole line with the one missing word put in, where only one word can stand here."""
    words = keywords(stumble.accepted)
    if stumble.first_word() in EXAMPLES:
        return f"write it as in `{EXAMPLES[stumble.first_word()]}`"
    if stumble.accepted == {"_NL"}:
        return "remove it, or begin a new line with it"
    if len(stumble.accepted) != 1 or len(words) != 1:
        return ""
    line, at = stumble.line_text(), stumble.index()
    head, tail = line[:at].strip(), line[at:].strip()
    if _is_stray(stumble):
        tail = tail[len(stumble.token) :].strip()
    more = "..." if stumble.at_end() and words[0] not in _LAST_WORDS else ""
    written = " ".join(f"{head}{'' if words[0] == ':' else ' '}{words[0]} {tail} {more}".split())
    return f"write `{written}`" if len(written) <= 80 else f"write `{words[0]}` here"
