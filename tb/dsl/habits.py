"""What people write by habit where the language says it otherwise: each looks at one stumble and knows it, or passes.

They are asked in the order of `HABITS`, from the most to the least certain; a habit answers (code, message, hint).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable

from lark import Token

from tb.dsl.expected import keywords
from tb.dsl.reading import first_token, shown
from tb.dsl.stumble import Stumble
from tb.dsl.words import CLAUSES, FOREIGN, LINES, OPERATORS

Told = tuple[str, str, str] | None

_AFTER_NAMES = frozenset({"EQUAL", "COLON", "_NL", "ON", "EVERY", "FOR", "WHEN", "OF", "TO", "NUMBER"})


def _equals(stumble: Stumble) -> Told:
    if stumble.token.type == "EQUAL" and "COMPARE" in stumble.accepted:
        return "TB011", "a single `=` does not compare", "write `==`"
    if "EQUAL" in stumble.accepted and stumble.token == "==":
        return "TB011", "`==` compares, it does not give a value", "write `=`"
    if stumble.token == "=" and stumble.previous_type() == "EQUAL" and "==" in stumble.line_text():
        return "TB011", "`==` compares, it does not give a value", "write `=`"
    return None


def _chain(stumble: Stumble) -> Told:
    if stumble.token.type != "COMPARE" or "COMPARE" in stumble.accepted or len(stumble.values) < 3:
        return None
    first = stumble.values[-2]
    if not (isinstance(first, Token) and first.type == "COMPARE"):
        return None
    line, here = stumble.line_text(), stumble.index()
    left_side = first_token(stumble.values[-3])
    if left_side.line != stumble.token.line:
        return "TB013", "comparisons do not chain", "write two comparisons joined by `and`"
    left = line[(left_side.column or 1) - 1 : (first.column or 1) - 1].strip()
    inner = line[first.column - 1 + len(first) : here].strip() if first.column else ""
    right = _end_of_comparison(line[here + len(stumble.token) :])
    written = f"{left} {first} {inner} and {inner} {stumble.token} {right}"
    return "TB013", "comparisons do not chain", f"write `{shown(written, 100)}`"


def _end_of_comparison(rest: str) -> str:
    depth = 0
    for index, character in enumerate(rest):
        depth += (character in "([") - (character in ")]")
        if depth < 0 or (
            depth == 0 and (character == "," or re.match(r"\s(and|or|for|within|otherwise|on|because)\b", rest[index:]))
        ):
            return rest[:index].strip()
    return rest.strip()


def _policy_require(stumble: Stumble) -> Told:
    if stumble.first_word() != "require":
        return None
    if stumble.previous(2) == "require" and stumble.previous_type() == "WORD" and stumble.expects_value():
        hint = f"write `require NAME {shown(stumble.line_text().strip().removeprefix('require'), 80)}`, with a name of your own"
        return "TB002", "this `require` has no name", hint
    if stumble.previous(2) == "require" and stumble.token.type in ("NAME", "WORD") and "WORD" not in stumble.accepted:
        hint = "in a rule file write `require fast < slow` between parameters; constraints on orders belong in a policy file"
        return "TB001", f"`{stumble.word()}` cannot stand after `{stumble.previous()}`", hint
    return None


def _nameless(stumble: Stumble) -> Told:
    """`limit drawdown <= 10%`: the name is missing, so the grammar took the first word of the condition for it."""
    keyword = stumble.previous(2)
    if (
        keyword in ("limit", "require")
        and stumble.previous_type() == "WORD"
        and stumble.expects_value()
        and not stumble.at_end()
    ):
        condition = stumble.line_text().strip().removeprefix(keyword).strip()
        return (
            "TB002",
            f"this `{keyword}` has no name",
            f"write `{keyword} NAME {shown(condition, 80)}`, with a name of your own",
        )
    if keyword in ("forbid", "warn") and stumble.previous() == "when" and stumble.accepted == {"WHEN"}:
        rest = stumble.line_text()[stumble.index() :].strip()
        return (
            "TB002",
            f"this `{keyword}` has no name",
            f"write `{keyword} NAME when {shown(rest, 80)}`, with a name of your own",
        )
    return None


def _universe(stumble: Stumble) -> Told:
    """`strategy x on BTC-USD`."""
    if stumble.first_word() != "strategy" or stumble.previous(2) != "on" or stumble.token != "-":
        return None
    rest = re.match(r"(?:[-_/][A-Z0-9]+)+", stumble.line_text()[stumble.index() :])
    if rest is None or not stumble.previous().isupper():
        return None
    instrument = stumble.previous() + rest[0]
    hint = f"write `universe mine` with `tier core {instrument}` below it, and `on mine` here"
    return "TB002", f"a strategy runs on a universe, and `{instrument}` is an instrument", hint


def _dotted(stumble: Stumble) -> Told:
    if stumble.token == "-" and stumble.previous_type() == "WORD" and stumble.accepted <= _AFTER_NAMES:
        dashed = re.match(r"(?:-[A-Za-z0-9_]+)+", stumble.line_text()[stumble.index() :])
        meant = (stumble.previous() + (dashed[0] if dashed else "")).replace("-", "_").lower()
        return "TB017", "a name has no `-`", f"write `{shown(meant)}`"
    if stumble.token.type == "PART" and stumble.previous_type() == "WORD":
        meant = f"{stumble.previous()}_{str(stumble.token)[1:]}"
        return "TB017", "a name that is defined has no dots", f"write `{meant}`"
    return None


def _colon(stumble: Stumble) -> Told:
    if stumble.token.type == "COLON":
        return "TB001", f"`:` cannot stand {stumble.after()}", "remove it"
    if stumble.token.type == "EQUAL" and "COLON" in stumble.accepted:
        return "TB002", f"expected `:` {stumble.after()}, not `=`", "write `:`"
    return None


def _line_below(stumble: Stumble) -> Told:
    """`trigger x when ...` on one line."""
    if stumble.accepted == {"_NL"} and stumble.previous(2) == "trigger" and not stumble.at_end():
        rest = stumble.line_text()[stumble.index() :].strip()
        if not rest.startswith(("when ", "because ", "confidence ")):
            rest = f"when {rest}"
        return (
            "TB002",
            f"expected the end of the line {stumble.after()}, not {stumble.found()}",
            f"write `{shown(rest, 80)}` on the next line, indented",
        )
    return None


def _range(stumble: Stumble) -> Told:
    """`weight 5%-40%`."""
    if stumble.token == "-" and "RANGE" in stumble.accepted:
        return "TB002", f"expected `..` {stumble.after()}, not `-`", "write a range with two dots, as in `5%..40%`"
    return None


def _distance(stumble: Stumble) -> Told:
    """`stop 8% under entry`, `stop 8%` with nothing after it is told elsewhere."""
    if stumble.first_word() not in ("stop", "target") or not {"ABOVE", "BELOW"} <= stumble.accepted or stumble.at_end():
        return None
    side = {"under": "below", "beneath": "below", "over": "above"}.get(str(stumble.token))
    head = stumble.line_text()[: stumble.index()].strip()
    side = side or _near(str(stumble.token), ["above", "below"])
    hint = f"write `{head} {side} entry`" if side else f"write `{head} below entry` or `{head} above entry`"
    return "TB002", f"expected `below` or `above` {stumble.after()}, not {stumble.found()}", hint


def _crosses(stumble: Stumble) -> Told:
    """`crosses ema(close, 20)`."""
    if stumble.previous() != "crosses" or stumble.accepted != {"ABOVE", "BELOW"} or stumble.at_end():
        return None
    level = _end_of_comparison(stumble.line_text()[stumble.index() :])
    side = {"over": "above", "up": "above", "under": "below", "down": "below"}.get(str(stumble.token))
    if side is not None:
        level = level[len(stumble.token) :].strip()
    elif not stumble.token[0].isalnum() or not level:
        return None
    written = [f"`{shown(f'crosses {one} {level}'.strip(), 80)}`" for one in ([side] if side else ["above", "below"])]
    hint = f"write {' or '.join(written)}"
    return "TB002", f"expected `above` or `below` after `crosses`, not {stumble.found()}", hint


_PERIODS = {"minute": "1m", "hour": "1h", "hourly": "1h", "day": "1d", "daily": "1d", "week": "1w", "weekly": "1w"}


def _every(stumble: Stumble) -> Told:
    """`every hour`."""
    period = _PERIODS.get(str(stumble.token))
    if period is None or stumble.previous() != "every" or "NUMBER" not in stumble.accepted:
        return None
    return "TB002", f"expected a period such as `1h` after `every`, not `{stumble.word()}`", f"write `every {period}`"


def _order_clause(stumble: Stumble) -> Told:
    """`order limit at X valid 6h`."""
    if stumble.first_word() != "order" or str(stumble.token) not in ("valid", "post") or "COMMA" not in stumble.accepted:
        return None
    line, here = stumble.line_text(), stumble.index()
    written = f"{line[:here].strip()}, {line[here:].strip()}"
    return "TB002", f"expected `,` {stumble.after()}, not `{stumble.word()}`", f"write `{shown(written, 80)}`"


_SIDES = {"buy": "buy", "buys": "buy", "bought": "buy", "sell": "sell", "sells": "sell", "sold": "sell"}


def _proposes(stumble: Stumble) -> Told:
    """`when mine buys 0.001 BTC-USD`."""
    side = _SIDES.get(str(stumble.token))
    if side is None or stumble.first_word() != "when":
        return None
    line, here = stumble.line_text(), stumble.index()
    head, tail = line[:here].strip(), line[here + len(stumble.token) :].strip()
    if stumble.accepted == {"PROPOSES"}:
        written = f"{head} proposes {side} {tail}"
        return "TB002", f"expected `proposes` {stumble.after()}, not `{stumble.word()}`", f"write `{shown(written, 80)}`"
    if stumble.accepted == {"BUY", "SELL"}:
        return "TB002", f"expected `buy` or `sell` {stumble.after()}, not `{stumble.word()}`", f"write `{side}`"
    return None


def _foreign(stumble: Stumble) -> Told:
    word = stumble.word()
    if word in ("else", "then") and "OTHERWISE" in stumble.accepted:
        return "TB015", f"`{word}` is no word of this language", "write `otherwise`"
    if word == "if" and "WHEN" in stumble.accepted:
        head, tail = stumble.line_text()[: stumble.index()].strip(), stumble.line_text()[stumble.index() + 2 :].strip()
        return "TB002", f"expected `when` {stumble.after()}, not `if`", f"write `{shown(f'{head} when {tail}', 80)}`"
    if word == "if" and not stumble.expects_value():
        return "TB015", "`if` stands only in a `size`", "join conditions with `and` or `or`"
    if word in FOREIGN and not stumble.at_end():
        return "TB015", f"`{word}` is no word of this language", FOREIGN[word]
    return None


def _unit(stumble: Stumble) -> Told:
    """`3 hors`: a number followed by a word that means nothing there."""
    if stumble.token.type not in ("NAME", "WORD", "SYMBOL") or stumble.previous_type() != "NUMBER" or stumble.starts_line():
        return None
    word = stumble.word()
    if len(stumble.accepted) == 1 and keywords(stumble.accepted):
        return None  # one word can stand here, and it is no unit
    if word in CLAUSES or word in OPERATORS or _near(word, keywords(stumble.accepted)):
        return None
    near = difflib.get_close_matches(word, ["bars", "bar", "pips", "hours", "minutes", "days", "percent"], n=1, cutoff=0.7)
    unit = {"hours": "h", "minutes": "m", "days": "d", "percent": "%"}.get(near[0], near[0]) if near else ""
    if unit:
        spaced = " " if unit in ("bars", "bar", "pips") else ""
        return "TB012", f"unknown unit `{word}`", f"write `{stumble.previous()}{spaced}{unit}`"
    if word.isupper():
        return None
    return "TB012", f"`{word}` is neither a unit nor a word that can stand after `{stumble.previous()}`", _units_hint()


def _units_hint() -> str:
    return "units are `%` `bps` `s` `m` `h` `d` `w` `bars` `pips` `R` `k` `M` `B` and currencies such as `USD`"


def _instrument(stumble: Stumble) -> Told:
    word = stumble.found().strip("`")
    if (
        stumble.previous_type() == "SYMBOL"
        and "COMMA" in stumble.accepted
        and re.fullmatch(r"[A-Z0-9]+(?:[-_/][A-Z0-9]+)*", word)
    ):
        return "TB002", f"expected `,` {stumble.after()}, not `{word}`", f"write `{stumble.previous()}, {word}`"
    match = re.match(r"[A-Za-z0-9]+(?:[-_/][A-Za-z0-9]+)+", stumble.line_text()[stumble.index() :])
    if match and "SYMBOL" in stumble.accepted and not stumble.expects_value():
        return "TB023", f"`{match[0]}` is no instrument: instruments are written in capitals", f"write `{match[0].upper()}`"
    return None


def _shouted_function(stumble: Stumble) -> Told:
    if stumble.token.type == "LPAR" and stumble.previous_type() == "SYMBOL":
        return (
            "TB001",
            f"`{stumble.previous()}` stands in capitals, which are for instruments",
            f"write `{stumble.previous().lower()}(`",
        )
    return None


def _text_without_because(stumble: Stumble) -> Told:
    if stumble.token.type == "TEXT" and "BECAUSE" in stumble.accepted:
        return "TB002", "a reason stands after `because`", f"write `because {shown(str(stumble.token))}`"
    if stumble.previous() == "because" and "TEXT" in stumble.accepted:
        rest = stumble.line_text()[stumble.index() :].strip()
        return "TB002", "a reason is a text in double quotes", f'write `because "{shown(rest, 80) or "..."}"`'
    return None


def _hold(stumble: Stumble) -> Told:
    if (stumble.previous() == "hold" and stumble.accepted == {"AT"}) or stumble.accepted == {"MOST"}:
        wanted = "at most" if stumble.accepted == {"AT"} else "most"
        rest = re.sub(r"^(for|at|max|least|up to|<=)\s*", "", stumble.line_text()[stumble.index() :].strip())
        not_found = "" if stumble.at_end() else f", not {stumble.found()}"
        return "TB002", f"expected `{wanted}` {stumble.after()}{not_found}", f"write `hold at most {shown(rest) or '72h'}`"
    return None


def _enter(stumble: Stumble) -> Told:
    if {"LONG", "SHORT"} <= stumble.accepted and stumble.previous() == "enter":
        word = {"buy": "long", "sell": "short", "up": "long", "down": "short"}.get(str(stumble.token))
        word = word or _near(str(stumble.token), ["long", "short"])
        hint = f"write `enter {word}`" if word else "write `enter long when ...` or `enter short when ...`"
        return (
            "TB002",
            f"expected `long` or `short` after `enter`{'' if stumble.at_end() else f', not {stumble.found()}'}",
            hint,
        )
    return None


def _table(stumble: Stumble) -> Told:
    """A table without rows, a line of it without columns."""
    if not stumble.at_end():
        return None
    if {"ANY", "OTHERWISE"} <= stumble.accepted:
        return "TB019", "the table has no rows", "write them below its columns, as in `< 1% | 5%`"
    if "BAR" in stumble.accepted and "|" not in stumble.line_text():
        line = shown(stumble.line_text().strip(), 80)
        return "TB002", "a line of a table has two cells at least", f"write `{line} | RESULT`"
    return None


def _quote(stumble: Stumble) -> Told:
    if stumble.first_word() == "quote" and stumble.at_end() and "COMMA" in stumble.accepted:
        line = shown(stumble.line_text().strip(), 80)
        return "TB002", "a quote has two sides, this one has no ask", f"write `{line}, ask PRICE`"
    return None


def _instant(stumble: Stumble) -> Told:
    """`given instant = 2024-03-05 23:00`."""
    if stumble.first_word() != "given" or stumble.at_end():
        return None
    line, here = stumble.line_text(), stumble.index()
    day = re.search(r"[0-9]{4}-[0-9]{2}-[0-9]{2}$", line[:here].rstrip())
    clock = re.match(r"[0-9]{2}:[0-9]{2}\b", line[here:])
    if day is None or clock is None:
        return None
    return "TB001", "an instant stands in double quotes", f'write `"{day[0]} {clock[0]}"`'


def _given(stumble: Stumble) -> Told:
    if stumble.first_word() != "given" or "EQUAL" not in stumble.accepted:
        return None
    line, here = stumble.line_text(), stumble.index()
    written = " ".join(f"{line[:here]} = {line[here:]}".split())
    hint = f"write `{shown(written, 80)}`" if not stumble.at_end() else f"write `{shown(line.strip(), 70)} = VALUE`"
    return "TB002", f"expected `=` {stumble.after()}", hint


_VERDICTS = ["approve", "warn", "shrink", "reject", "pause", "halt"]


def _expect(stumble: Stumble) -> Told:
    if stumble.first_word() != "expect":
        return None
    said = stumble.previous()
    if stumble.previous(2) == "expect" and said not in _VERDICTS and str(stumble.token) in ("by", "to", "clause"):
        near = _near(said, _VERDICTS)
        hint = f"did you mean `{near}`?" if near else "write " + ", ".join(f"`{verdict}`" for verdict in _VERDICTS)
        return "TB002", f"`{said}` is no verdict", hint
    if said in _VERDICTS and "BY" in stumble.accepted and stumble.token.type in ("NAME", "WORD"):
        line, here = stumble.line_text(), stumble.index()
        rest = line[here:].strip()
        if str(stumble.token) in _SIDES and " by " not in rest:
            return "TB001", f"{stumble.found()} cannot stand {stumble.after()}", f"write `{shown(line[:here].strip(), 80)}`"
        rule = rest.split(" by ", 1)[-1].strip()  # `expect shrink buy BTC-USD by narrow`: what the order is, is said above
        return "TB002", f"expected `by` {stumble.after()}", f"write `{shown(f'{line[:here].strip()} by {rule}', 80)}`"
    if stumble.token == "margin" and "WITH" in stumble.accepted:
        return "TB002", f"expected `with` {stumble.after()}, not `margin`", "write `with margin 20bps`"
    return None


def _points(stumble: Stumble) -> Told:
    """`3 when x` in a score."""
    if {"PLUS", "MINUS"} <= stumble.accepted and stumble.starts_line() and stumble.token.type == "NUMBER":
        line = stumble.line_text().strip()
        return "TB002", "points begin with `+` or `-`", f"write `+{shown(line, 80)}`"
    return None


def _verdict(stumble: Stumble) -> Told:
    """`otherwise warn`: what a constraint does, and how much of it is only said, are two things."""
    if stumble.token == "warn" and {"SHRINK", "HALT"} <= stumble.accepted and stumble.previous() == "otherwise":
        return "TB002", "a constraint that only warns says so with its level", "write `level warn`"
    if stumble.accepted == {"WARN"} and stumble.previous() == "level":
        hint = "write `level warn`, or `shadow` to only record"
        return "TB002", f"expected `warn` after `level`{'' if stumble.at_end() else f', not {stumble.found()}'}", hint
    return None


def _misplaced_line(stumble: Stumble) -> Told:
    """A line that belongs to another block, or a word near one that could stand here."""
    word = stumble.word()
    if stumble.words and word in _ALL_LINES and stumble.first_word() == word and not stumble.expects_value():
        if word == "leg":
            return "TB001", "`leg` cannot stand here", "legs stand under `enter when CONDITION`, without `long` or `short`"
        blocks = [block for block in _LINE_BLOCKS if word in LINES[block]]
        if blocks and stumble.starts_line():
            where = " or ".join(f"`{block}`" for block in blocks)
            return "TB001", f"`{word}` cannot stand here", f"it belongs under {where}, indented one step more than that line"
    near = _near(word, keywords(stumble.accepted)) if stumble.token.type in ("NAME", "WORD", "SYMBOL") else ""
    if near and near != word:
        return "TB002", f"`{word}` means nothing here", f"did you mean `{near}`?"
    return None


def _bare_condition(stumble: Stumble) -> Told:
    """A line of a block that is nothing but a comparison, where a line with `when` could stand."""
    line = stumble.line_text().strip()
    if stumble.starts_line() and "WHEN" in stumble.accepted and re.search(r"[<>]|==|!=|\b(crosses|in|is|for|within)\b", line):
        return "TB002", f"expected `when` here, not {stumble.found()}", f"write `when {shown(line, 80)}`"
    return None


_LINE_BLOCKS = tuple(block for block in LINES if block != "tail")
_ALL_LINES = frozenset(word for block in _LINE_BLOCKS for word in LINES[block])


def _near(word: str, accepted: list[str]) -> str:
    known = [one for one in accepted if one.isalpha() and len(one) > 1]
    if word.lower() in known:
        return word.lower()
    near = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.7)
    return near[0] if near else ""


HABITS: tuple[Callable[[Stumble], Told], ...] = (
    _equals,
    _chain,
    _policy_require,
    _nameless,
    _universe,
    _dotted,
    _colon,
    _line_below,
    _range,
    _distance,
    _crosses,
    _every,
    _order_clause,
    _proposes,
    _instant,
    _instrument,
    _shouted_function,
    _text_without_because,
    _hold,
    _enter,
    _table,
    _quote,
    _given,
    _expect,
    _points,
    _verdict,
    _misplaced_line,
    _bare_condition,
    _foreign,
    _unit,
)
