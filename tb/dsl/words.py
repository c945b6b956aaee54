"""The words of the language by what they are for: which are reserved, which begin a declaration, a line or an operator.

The tables are the one source for messages and for the check of names; the grammar repeats the words where they stand.
"""

from __future__ import annotations

DECLARATIONS = (
    "use",
    "param",
    "require",
    "group",
    "universe",
    "regime",
    "let",
    "table",
    "feed",
    "session",
    "trigger",
    "signal",
    "score",
    "strategy",
    "limit",
    "forbid",
    "pause",
    "warn",
    "exception",
    "book",
    "council",
    "allocate",
    "advisor",
    "test",
    "prove",
)

FEED_KINDS = ("number", "ratio", "price", "money", "quantity", "truth", "text")

# The first words of the lines of a block.
LINES: dict[str, tuple[str, ...]] = {
    "trigger": ("when", "confidence", "because"),
    "signal": ("long", "short"),
    "strategy": ("enter", "quote", "exit", "hold", "cool"),
    "enter": ("size", "order", "stop", "take", "target", "leg", "because"),
    "quote": ("skew",),
    "universe": ("tier", "only"),
    "advisor": ("may", "answer"),
    "exception": ("loosens", "tightens"),
    "test": ("given", "bars", "data", "expect"),
    "tail": ("otherwise", "on", "level", "shadow", "because"),
}

# What a line looks like whose words stand in one order only, for the hint where one of them is missing.
EXAMPLES = {
    "allocate": "allocate kelly fraction 0.25 over 50 trades, at most 15% each",
    "answer": "answer within 5s otherwise abstain",
    "bars": "bars BTC-USD 1h",
    "book": "book low_risk 70% of capital strategies momentum, combined",
    "council": "council momentum 2, combined 1 approve when weight for >= 60%",
    "data": 'data "data/crash" from 2026-01-05 to 2026-01-06',
    "feed": "feed fear_greed: number in 0..100 every 1d, stale after 2d",
    "leg": "leg sell perp same quantity",
    "may": "may adjust conviction by at most 0.15",
    "order": "order limit at mid, valid 5m, post only",
    "prove": 'prove "NAME" every approved order has CONDITION',
    "quote": "quote bid mid - half_spread, ask mid + half_spread",
    "score": "score confluence of 10",
    "session": "session london: 08:00..16:30 Europe/London on weekdays",
    "skew": "skew by position, at most 0.5 of half_spread",
    "take": "take 50% at 1R",
    "test": 'test "NAME"',
}

OPERATORS = frozenset({"and", "or", "not", "in", "is", "of", "at", "for", "within", "crosses", "above", "below", "during"})

CLAUSES = frozenset(
    {
        "when",
        "otherwise",
        "because",
        "if",
        "as",
        "goes",
        "on",
        "every",
        "step",
        "tier",
        "weight",
        "only",
        "hold",
        "cool",
        "enter",
        "exit",
        "long",
        "short",
        "size",
        "risking",
        "stop",
        "target",
        "confidence",
        "set",
        "until",
        "tomorrow",
        "bar",
        "bars",
        "pip",
        "pips",
        "bps",
        "reject",
        "shrink",
        "halt",
        # where these can begin, a value can too: a definition of that name could not be read there
        "any",
        "approve",
        "conviction",
        "leverage",
        "no",
        "same",
        "to",
        "trailing",
        "yes",
    }
)

# Namespaces of facts: a definition under one of these names could never be reached.
NAMESPACES = frozenset({"order", "after", "limits"})

RESERVED: frozenset[str] = frozenset(DECLARATIONS) | OPERATORS | CLAUSES | (NAMESPACES - {"position"}) | {"true", "false"}

# Words of programming languages that people try, and what to write instead.
FOREIGN = {
    "elif": "write one line for each case, the last with `otherwise`",
    "else": "write one line for each case, the last with `otherwise`",
    "endif": "blocks end where the indentation ends",
    "end": "blocks end where the indentation ends",
    "then": "what follows a condition stands on the lines below it",
    "while": "rules have no loops: every rule is looked at on each bar",
    "do": "rules have no loops: every rule is looked at on each bar",
    "loop": "rules have no loops: every rule is looked at on each bar",
    "def": "name a value with `let NAME = VALUE`",
    "function": "name a value with `let NAME = VALUE`",
    "lambda": "name a value with `let NAME = VALUE`",
    "class": "name a value with `let NAME = VALUE`",
    "return": "name a value with `let NAME = VALUE`",
    "var": "write `let NAME = VALUE`",
    "const": "write `let NAME = VALUE`",
    "set": "write `let NAME = VALUE`",
    "define": "write `let NAME = VALUE`",
    "import": "write `use NAME` to read the definitions of another rule file",
    "include": "write `use NAME` to read the definitions of another rule file",
    "from": "write `use NAME` to read the definitions of another rule file",
    "rule": "write `trigger NAME` for a condition or `strategy NAME on UNIVERSE every 1h` for what trades",
    "xor": "write `(a and not b) or (b and not a)`",
    "buy": "write `enter long when CONDITION` inside a strategy",
    "sell": "write `enter short when CONDITION` or `exit when CONDITION` inside a strategy",
    "deny": "write `forbid NAME when CONDITION`",
    "reject": "write `forbid NAME when CONDITION`",
    "block": "write `forbid NAME when CONDITION`",
    "allow": "everything is allowed that no `limit`, `forbid` or `require` refuses",
    "unless": "write `when not (CONDITION)`",
}

# Units that people write, and the unit of the language.
UNITS = {
    **dict.fromkeys(("pct", "percent", "per_cent", "pc", "percents"), "%"),
    **dict.fromkeys(("bp", "bip", "bips", "basis", "basispoints", "BPS", "Bps"), "bps"),
    **dict.fromkeys(("sec", "secs", "second", "seconds", "S"), "s"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("hr", "hrs", "hour", "hours", "H"), "h"),
    **dict.fromkeys(("day", "days", "D"), "d"),
    **dict.fromkeys(("week", "weeks", "wk", "wks", "W"), "w"),
    **dict.fromkeys(("candle", "candles", "Bars", "BARS"), "bars"),
    **dict.fromkeys(("points", "PIPS", "Pips"), "pips"),
    **dict.fromkeys(("r", "risk"), "R"),
    **dict.fromkeys(("K", "thousand"), "k"),
    **dict.fromkeys(("mil", "million", "mm", "MM", "mio"), "M"),
    **dict.fromkeys(("b", "bn", "billion", "G"), "B"),
    **dict.fromkeys(("usd", "dollar", "dollars", "Usd"), "USD"),
    **dict.fromkeys(("eur", "euro", "euros"), "EUR"),
    **dict.fromkeys(("h", "m", "s", "d", "w", "k"), ""),  # right, but set apart from the number
    **dict.fromkeys(("M", "B", "R"), ""),
}
SPACED_UNITS = frozenset({"bars", "pips", "USD", "EUR"})
