"""The one table of diagnostic codes: what each means, for people who meet it for the first time.

Every code that tb can print stands here once, and every code here is printed somewhere; tests hold both. `docs/errors.md`
is written from this table by `docs/generate.py`. The hint of a finding is made where the finding is made, from the user's
own text; `example_hint` shows its shape.

    TB000-TB049  how a file is written          TB600-TB619  settings (`tb.yaml`)
    TB050-TB099  names and kinds of values      TB620-TB639  limits (`policy/limits.yaml`)
    TB100-TB199  conditions that cannot be meant TB640-TB659  market data
    TB200-TB299  time and look-back             TB660-TB689  project files
    TB300-TB399  completeness of risk limits    TB700-TB719  ledger
    TB400-TB499  parameters                     TB720-TB739  running tests
    TB500-TB599  hygiene of rule files          TB800-TB899  running for real
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tb.core.diagnostics import Severity


@dataclass(frozen=True, slots=True)
class Code:
    """One row: `severity` is what a finding has unless the settings of `tb lint` say otherwise."""

    code: str
    title: str
    meaning: str
    example_hint: str
    severity: Severity = Severity.ERROR


# first code of each range, and what the range is about
RANGES: tuple[tuple[int, str], ...] = (
    (0, "How a file is written"),
    (50, "Names and kinds of values"),
    (100, "Conditions that cannot be meant"),
    (200, "Time and look-back"),
    (300, "Completeness of risk limits"),
    (400, "Parameters"),
    (500, "Hygiene of rule files"),
    (600, "Settings"),
    (620, "Limits"),
    (640, "Market data"),
    (660, "Project files"),
    (700, "Ledger"),
    (720, "Running tests"),
    (800, "Venues"),
    (820, "The sandbox"),
    (830, "The gateway"),
    (850, "Running"),
    (880, "Alerts, metrics and logs"),
)

W = Severity.WARNING

_ROWS: tuple[Code, ...] = (
    Code(
        "TB001",
        "not understood",
        "The text does not follow the language at this place. The message says what was expected here.",
        "write `enter long when CONDITION`",
    ),
    Code(
        "TB002",
        "something is missing here",
        "A line lacks a word, a value or a name that has to stand at this place: `when` before a condition, a name after "
        "`limit`, what a stop is measured from.",
        "write `exit when CONDITION`",
    ),
    Code(
        "TB003",
        "begins no declaration",
        "A line at column 1 begins with a word that begins no declaration: it is misspelt, or belongs under another line.",
        "did you mean `strategy`?",
    ),
    Code(
        "TB004",
        "not supported yet",
        "The language will have this, and this version of tb cannot do it yet.",
        "remove the line",
    ),
    Code(
        "TB005",
        "indented with a tab",
        "Blocks are indented with spaces, so that they look the same in every editor.",
        "indent with spaces, two for each step",
    ),
    Code(
        "TB006",
        "indentation leads nowhere",
        "A line is indented, and nothing above it takes lines at this depth.",
        "begin it at column 1",
    ),
    Code(
        "TB007",
        "nothing stands below",
        "A line that opens a block has nothing indented under it.",
        "write what belongs to it on the lines below, indented by two spaces",
    ),
    Code(
        "TB008",
        "text not closed",
        "A text ends on the line it begins on, with the quote it began with.",
        "add a closing quote at its end",
    ),
    Code(
        "TB009",
        "brackets do not match",
        "A bracket closes nothing, is closed by one of another kind, or is never closed.",
        "remove it, or open it before",
    ),
    Code(
        "TB010",
        "letter that is not of the language",
        "A letter is invisible, or only looks like the one that is meant. Names and signs are plain ones, so that what "
        "is read is what runs.",
        "write the plain letter",
    ),
    Code(
        "TB011",
        "sign means nothing here",
        "The sign belongs to other languages and has no meaning in this one.",
        "write `and` instead of `&&`",
    ),
    Code(
        "TB012",
        "not a number, or not a unit",
        "A number is badly written, has a unit that the language does not know, or has one that makes no sense at this place.",
        "write `5%`",
    ),
    Code(
        "TB013",
        "chained comparison",
        "A comparison compares two values. Three values are two comparisons.",
        "write `a < b and b < c`",
    ),
    Code(
        "TB014",
        "looks ahead",
        "Rules see closed bars only. There is no way to read a bar that lies ahead, because it would not exist yet when "
        "trading.",
        "write `close[1]` for the bar before",
    ),
    Code(
        "TB015",
        "word of another language",
        "The word belongs to programming languages; the language of rules says it otherwise.",
        "write `let NAME = VALUE`",
    ),
    Code(
        "TB016",
        "word of the language used as a name",
        "The word has a meaning in the language, so it cannot name anything else.",
        "choose another name, `my_size` for instance",
    ),
    Code(
        "TB017",
        "not a name",
        "A name begins with a small letter and has letters, digits and `_`; capitals are for instruments.",
        "write `fast_mean`",
    ),
    Code(
        "TB018",
        "said twice",
        "The same thing is said twice in one place, and the two might differ.",
        "keep one of the two",
    ),
    Code(
        "TB019",
        "a part is missing",
        "A declaration lacks a part without which it says nothing: a trigger its `when`, a universe its tier, a strategy "
        "its entry.",
        "add `when CONDITION` below it",
    ),
    Code(
        "TB021",
        "number too long",
        "A number has more digits than can be held exactly.",
        "write fewer digits",
    ),
    Code(
        "TB022",
        "value without a name after one with a name",
        "In a call, values without a name stand first, since their place says what they mean.",
        "move it to the front, or name it",
    ),
    Code(
        "TB023",
        "instrument used as a value",
        "An instrument is not a series of values: say which value of it is meant.",
        "write `close of BTC-USD`",
    ),
    Code(
        "TB024",
        "escape in a text",
        "Texts are taken as they stand; a backslash has no meaning in them.",
        "write the letter itself",
    ),
    Code(
        "TB025",
        "brace in a text",
        "Braces in a text hold a value to show. One stands alone, or holds nothing.",
        "write `{{` or `}}` for a brace",
    ),
    Code(
        "TB026",
        "no way to show a value",
        "What follows the `:` in a hole of a text does not say how a number is shown.",
        "write `.2f` for digits or `.1%` for percent",
    ),
    Code(
        "TB027",
        "doc text is not first",
        "The text that describes a declaration is its first line.",
        "move it to the first line below the name",
    ),
    Code(
        "TB029",
        "`otherwise` in the wrong place",
        "`otherwise` is the last of several cases; cases after it could never hold, and a list of cases without it has a gap.",
        "move it to the end",
    ),
    Code(
        "TB030",
        "words that say nothing here",
        "The constraint has one fixed outcome, so these words cannot change it.",
        "remove these words",
    ),
    Code(
        "TB031",
        "too deeply nested",
        "Brackets and conditions stand so deep inside each other that nobody could review them.",
        "give parts of it names with `let`",
    ),
    Code(
        "TB032",
        "no such day or time",
        "A date that no calendar has, a time that no clock shows, a day of the week that is none, a time zone that is unknown, "
        "or a session that ends when it starts.",
        "write year, month and day, as in `2026-12-31`",
    ),
    Code(
        "TB033",
        "row and columns do not fit",
        "A row of a decision table, or of the bars of a test, has more or fewer cells than there are columns, or its last cell "
        "is a condition where a result has to stand.",
        "write one condition and a result with `|` between, and `any` where a column does not matter",
    ),
    Code(
        "TB050",
        "name defined twice",
        "Two declarations have the same name. A name means one thing in a project, so neither of them is used.",
        "rename one of the two",
    ),
    Code(
        "TB051",
        "arguments do not fit",
        "A function got too few, too many, or the wrong kind of arguments, or none at all.",
        "write `sma(close, 20)`",
    ),
    Code(
        "TB052",
        "not known before the run",
        "This value has to be a number or a parameter, because windows and memory are fixed before the run.",
        "write a number or the name of a `param`",
    ),
    Code(
        "TB053",
        "name cannot be used here",
        "The name exists, but not here: a strategy reads market data only, a constraint reads the account and the order.",
        "use the name of a `let`, a trigger or a parameter",
    ),
    Code(
        "TB054",
        "condition needed",
        "After `when`, `and`, `or`, `not` and `if` stands something that is true or false. This is a value.",
        "compare it: `volume > 0`",
    ),
    Code(
        "TB055",
        "look-back is not a whole number of bars",
        "How far a rule looks back has to be known before the run, as a whole number of closed bars or as a duration.",
        "write `close[1]`",
    ),
    Code(
        "TB056",
        "no such part",
        "Only functions with several results have parts, and each has a name.",
        "write `macd(close).signal`",
    ),
    Code(
        "TB057",
        "declaration is incomplete",
        "A declaration lacks something that it needs to be carried out: an entry its size, a target in R its stop.",
        "add `size 5% of equity`",
    ),
    Code(
        "TB058",
        "constraint cannot do this",
        "The kind of constraint and what it should do do not fit: only a limit has a bound to shrink to, a pause needs a "
        "length.",
        "write `otherwise pause for 60m`",
    ),
    Code(
        "TB059",
        "value out of bounds",
        "The value lies outside what is possible here, or a range has nothing in it.",
        "put the smaller end first",
    ),
    Code(
        "TB060",
        "limit not set",
        "A rule uses `limits.NAME`, and `policy/limits.yaml` has no such limit.",
        "add `max_position_pct: 5%` to `policy/limits.yaml`",
    ),
    Code(
        "TB061",
        "no such tier, regime or session",
        "A condition asks for a tier or regime that the universe or the `regime` block does not define, or for a session that "
        "no declaration does.",
        "did you mean `core`?",
    ),
    Code(
        "TB062",
        "not a period",
        "After `@` and `every` stands a duration, such as `1h`.",
        "write a duration: `@1h`",
    ),
    Code(
        "TB064",
        "stop or target on the wrong side",
        "A stop stands on the losing side of the entry and a target on the winning side; a stop cannot be measured in R, "
        "which it defines.",
        "write `stop 8% below entry`",
    ),
    Code(
        "TB065",
        "no stop to move",
        "A stop that trails from a profit on, or that moves to the entry, is another stop until then: that one has to be said. "
        "A stop that trails at once is one from the start.",
        "add `stop 8% below entry`",
    ),
    Code(
        "TB066",
        "takes do not add up",
        "The takes of an entry are shares of the position as it was entered, together 100% at most, and less where a target "
        "is to close the rest.",
        "make them 100% at most",
    ),
    Code(
        "TB067",
        "not a share of a position",
        "A take lets a share of the position go: a percentage, or a parameter that is one, above 0% and 100% at most.",
        "write `take 50% at 1R`",
    ),
    Code(
        "TB069",
        "legs that do not go together",
        "The legs of an entry are two instruments at least, all named by tier or all by symbol, and the same ones in every "
        "entry of a strategy, so that what it holds can be closed as a whole.",
        "name every leg by its tier, or every leg by its instrument",
    ),
    Code(
        "TB070",
        "no such leg",
        "A leg is a tier of the strategy's universe, or an instrument in it. `of LEG` names a leg of the same strategy, and "
        "`funding_rate` alone is that of the one leg that pays funding.",
        "write `funding_rate of perp`",
    ),
    Code(
        "TB071",
        "quotes that cannot rest",
        "A strategy that quotes has one `quote` with a size that is a share of equity, and no other entries: what its orders "
        "have bought and sold is one position.",
        "add `size 1% of equity`",
    ),
    Code(
        "TB072",
        "not a skew",
        "`skew by position, at most X` moves both prices of a quote against what is held. X is a distance in price.",
        "write `at most 5bps of mid`",
    ),
    Code(
        "TB073",
        "capital does not add up",
        "Books share the capital among strategies: each strategy belongs to exactly one where there are books, and together "
        "they have at most 100%.",
        "take 10% away from one of them",
    ),
    Code(
        "TB074",
        "council cannot vote",
        "A project has one council at most. Each vote has a weight above 0, and a share of the weight above 0% and up to 100% "
        "has to be for an order.",
        "write `council momentum 2, fvg 1  approve when weight for >= 60%`",
    ),
    Code(
        "TB075",
        "allocation cannot be",
        "A project allocates once, by a fraction of Kelly's share from a stated number of trades. Fraction, share and "
        "correlation lie between 0 and 1.",
        "write `allocate kelly fraction 0.25 over 50 trades, at most 15% each`",
    ),
    Code(
        "TB076",
        "advisor cannot do this",
        "What an advisor may do does not fit together: an adjustment is a part of the scale of conviction, a cost is money, "
        "and only who may veto can veto by being late.",
        "write `may adjust conviction by at most 0.15`",
    ),
    Code(
        "TB077",
        "there are no books",
        "A constraint reads what is known of the book of the order, and the project has no books.",
        "add `book NAME 100% of capital strategies ...`, or remove `of book`",
    ),
    Code(
        "TB079",
        "recorded advice cannot be used",
        "The file of an advisor's answers is missing, or it cannot be read what a row is an answer to.",
        "write the instant of the decision, as in `2024-01-05T14:00`",
    ),
    Code(
        "TB080",
        "signals are asked what they say",
        "A signal is neither a number nor a condition. It says long, short or neutral, has a conviction, and words that texts "
        "may show.",
        "write `rsi_reversion is long`, or compare `rsi_reversion.conviction`",
    ),
    Code(
        "TB081",
        "not a conviction",
        "A conviction is a plain number from 1 to 10. Where one is computed and comes to lie outside, the signal is unknown; "
        "one that always lies outside is refused.",
        "write `conviction 7`: 1 is a hunch, 10 is sure",
    ),
    Code(
        "TB082",
        "size by conviction cannot be",
        "A size by conviction rises from a share at one conviction to a share at a higher one, both from 1 to 10, and its "
        "entry names a signal to have a conviction from.",
        "write `size conviction 1..10 as 1%..5% of equity`",
    ),
    Code(
        "TB083",
        "nothing to agree",
        "`agree` counts which of the signals named say one direction. It needs the direction first, then names of signals, "
        "each once.",
        "write `agree(long, rsi_reversion, whale) >= 2`",
    ),
    Code(
        "TB084",
        "cell of a table does not fit",
        "A column of numbers takes values, comparisons and ranges, a condition takes `yes` and `no`, and `regime`, `tier` and "
        "signals take names. The last cell is the result.",
        "write a value, a comparison, or `any`",
    ),
    Code(
        "TB085",
        "feed of this kind means nothing",
        "A price or a quantity belongs to an instrument, so a feed of them has rows of each; words have no order and no unit, "
        "so a feed of words cannot be compared.",
        "add `per instrument`",
    ),
    Code(
        "TB086",
        "only a feed has an age",
        "`age of NAME` asks how long the newest value of a feed has been known.",
        "write `age of fear_greed`",
    ),
    Code(
        "TB087",
        "feed gets stale before its next value",
        "A value counts for a shorter time than passes until the next one can come, so the feed is unknown in between, every "
        "time.",
        "write `stale after 1d` or more",
        W,
    ),
    Code(
        "TB088",
        "legs of instruments that are not listed",
        "Which instruments enter together is told by the lists of tiers. A tier with a condition takes now one, now another.",
        "list the instruments of each tier: `tier perp BTC-PERP, ETH-PERP`",
    ),
    Code(
        "TB089",
        "correlation of instruments that are not listed",
        "An allocation counts instruments as one by how they correlate, which is worked out for those that tiers list. One "
        "that a condition takes would count as unlike all others.",
        "list the instruments of each tier, or remove `correlation above 0.8 counts as one`",
    ),
    Code(
        "TB090",
        "cannot be given",
        "A test gives something that follows from other facts, that the order itself says, or that is no value of its kind. "
        "Giving it would contradict what it follows from.",
        "give what is held of an instrument: `given exposure(BTC-USD) = 500 USD`, negative for a short",
    ),
    Code(
        "TB092",
        "nothing to be seen",
        "A test expects something of an order or a market that does not come up in it: it needs a `when` line, or bars.",
        "add `when STRATEGY proposes buy 0.01 BTC-USD at 60_000 USD`, or `bars BTC-USD 1h`",
    ),
    Code(
        "TB093",
        "bars that cannot be",
        "The bars of a test are none that a market could have shown, or do not fit together.",
        "name columns in the first line: `open high low close volume`",
    ),
    Code(
        "TB094",
        "expects what cannot come",
        "A test names a rule, strategy, instrument or amount that the project does not have, so nothing can come as expected.",
        "did you mean `thin`?",
    ),
    Code(
        "TB095",
        "not in a file of tests",
        "A file under tests/ holds tests alone. A rule or a limit in it would be missing wherever the rules run.",
        "move it to a file under rules/ or policy/",
    ),
    Code(
        "TB096",
        "not in the library",
        "A `use` names what its file does not define, or brings controls without naming them: what binds an account is picked "
        "by name.",
        "write `use std.controls: position, collar`",
    ),
    Code(
        "TB097",
        "control without its limit",
        "A control of the library needs a limit that is not set. Without it the control would bind nothing, so nothing runs.",
        "add `max_position_pct: 5%` to policy/limits.yaml",
    ),
    Code(
        "TB098",
        "control without its list or hours",
        "A control of the library reads a group or a session that the policy has to define: which instruments are permitted, "
        "when the market is open.",
        "add `group permitted: BTC-USD, ETH-USD` to the policy",
    ),
    Code(
        "TB101",
        "unit mismatch",
        "Two values of different units are compared, added or otherwise combined in a way that has no meaning. Units "
        "never convert silently, because a limit of 5 that was meant as 5% is a hundred times too wide.",
        "write `5%` instead of `5`",
    ),
    Code(
        "TB102",
        "unknown name",
        "Nothing has this name: no declaration, market field, fact or function, here or in the files that are used.",
        "did you mean `close`?",
    ),
    Code(
        "TB103",
        "value that may be missing",
        "A constraint reads a value that some orders do not have, without asking whether it is set. What is unknown denies, so "
        "those orders are always refused.",
        "write `order.target is not set or ...`",
    ),
    Code(
        "TB104",
        "contradictory condition",
        "The clauses of a condition cannot all be true at once, so the rule can never fire.",
        "drop one of the two clauses, or widen its bound",
    ),
    Code(
        "TB105",
        "clause is always true",
        "A clause is true for every value that its inputs can have, so it restricts nothing.",
        "drop the clause, or move its threshold into the range",
        W,
    ),
    Code(
        "TB106",
        "threshold out of reach",
        "A comparison is never true, because its threshold lies outside of what the value can be: an RSI is never above 100.",
        "choose a threshold inside of what the value can be",
    ),
    Code(
        "TB107",
        "unreachable case",
        "A case stands below one that already covers it, so it can never hold.",
        "move it up, or drop it",
    ),
    Code(
        "TB108",
        "rule in the shadow of another",
        "Another rule with the same effect holds in every case in which this one does, so it never decides anything.",
        "drop it, or make it the tighter one",
        W,
    ),
    Code(
        "TB109",
        "rule that another one overrides",
        "Every case of a rule is denied by another one: an entry that the policy always refuses, or a mild verdict where a "
        "stricter one always falls.",
        "drop it, or let the two meet",
        W,
    ),
    Code(
        "TB110",
        "rules in conflict",
        "Two rules want opposite things of the same case: constraints that refuse every order between them, a strategy that "
        "would enter long and short at once, or leave where it enters.",
        "let the two exclude each other",
    ),
    Code(
        "TB111",
        "rule said twice",
        "Two rules mean the same, whatever way they are written. One of them will be forgotten at the next change.",
        "remove one of the two",
        W,
    ),
    Code(
        "TB112",
        "decision table has a gap",
        "No row of a decision table fits some values. There the table has no value, and what reads it is unknown.",
        "add a row for it, or end the table with `otherwise | RESULT`",
    ),
    Code(
        "TB113",
        "rows of a decision table overlap",
        "Two rows with different results fit the same values, and neither lies inside the other. The first row decides, so "
        "moving a row changes what is decided.",
        "narrow one of the rows, or write a row for what they share above both",
        W,
    ),
    Code(
        "TB114",
        "column of a decision table changes nothing",
        "Whatever this column says, the other columns decide the result.",
        "remove the column",
        Severity.HINT,
    ),
    Code(
        "TB115",
        "one point left out, or counted twice",
        "Two rules that should meet leave out exactly one value, or both take it: `< 5` and `> 5`, `<= 5` and `>= 5`.",
        "let one of the two include the value: write `>= 5`",
        W,
    ),
    Code(
        "TB116",
        "equality of computed values",
        "A computed market value is compared with `==` or `!=`, to the last digit. It is almost never exactly equal to "
        "anything.",
        "write `>=` or `<=`, or say how near with `in a..b`",
        W,
    ),
    Code(
        "TB117",
        "division by zero",
        "A divisor is 0, or can be. The quotient is unknown then: a rule does not fire, a constraint denies.",
        "ask that it is not 0 first, or divide by `max(x, ...)`",
    ),
    Code(
        "TB118",
        "definition needs itself",
        "Following the definitions leads back to where it started, so none of them has a value.",
        "define it without itself",
    ),
    Code(
        "TB120",
        "comparison with a missing value",
        "A rule compares with a missing value as if it were one. Elsewhere such a comparison is silently false; here what is "
        "missing is unknown, and there is no word for it.",
        "leave it out: a rule does not fire on what is unknown",
    ),
    Code(
        "TB121",
        "pip not known",
        "A rule counts in pips, and an instrument it covers has none, so the rule is unknown there and never fires.",
        "add `pip: 0.0001` to the instrument in `tb.yaml`",
    ),
    Code(
        "TB201",
        "looks ahead by a word",
        "A rule asks for a value that is not there yet when it decides. Only closed bars are visible; `close[-1]` is TB014.",
        "look back with `close[1]`",
    ),
    Code(
        "TB202",
        "asks whether a bar is closed",
        "A rule asks for the state of a bar. Every bar that a rule sees is closed, so nothing it says is taken back later.",
        "leave it out",
    ),
    Code(
        "TB203",
        "reads another period before its close",
        "A rule asks for bars of another period the way other languages do, where the last one may still be forming.",
        "write `close@4h`: its last closed bar",
    ),
    Code(
        "TB205",
        "look-back longer than the data",
        "A rule needs more closed bars before its first value than the data holds, so it stays unknown for the whole run.",
        "shorten the window, or give more data",
    ),
    Code(
        "TB206",
        "depends on where the data begins",
        "A function that carries all of the past with it has not forgotten the first bar of the data at its last one: "
        "with data that begins elsewhere the same rule decides otherwise.",
        "give more data before the first day that counts, or shorten the window",
        W,
    ),
    Code(
        "TB207",
        "old data is not refused",
        "No constraint of the policy bounds the age of the data, so an order may be decided on a market that has moved on.",
        "add `require fresh_data  data_age <= 2 bars`",
        W,
    ),
    Code(
        "TB208",
        "clock time without a zone",
        "Hours count in UTC, while the account or a session counts in another zone: at what time of day the rule holds changes "
        "with the season. An abbreviation such as `EST` is no place, and does not follow its clocks.",
        "write `session desk: 08:00..16:30 Europe/London`, and `during desk`",
        W,
    ),
    Code(
        "TB209",
        "decides by more than data",
        "A rule asks a clock, chance, or the world outside. What it decided could not be decided again, so neither be replayed "
        "nor explained.",
        "decide from market data alone",
    ),
    Code(
        "TB211",
        "period does not fit the data",
        "A strategy runs, or a rule reads bars, of a period that cannot be made of the bars in the data: it is shorter than "
        "they are, or not a whole number of them.",
        "use a multiple of 1h, or data of shorter bars",
    ),
    Code(
        "TB301",
        "entry without a stop",
        "An entry has no protective exit: nothing bounds what the position can lose.",
        "add `stop 8% below entry`",
    ),
    Code(
        "TB302",
        "size without a bound",
        "The size of an entry has no finite upper bound over the declared ranges of its inputs.",
        "name the size as a share: `size 5% of equity`",
    ),
    Code(
        "TB303",
        "no limit on the value of an order",
        "No constraint of the policy bounds the value of a single order, so one wrong size can use the whole account.",
        "add `limit order_value  order.notional <= 10k USD`",
    ),
    Code(
        "TB304",
        "no limit on the quantity of an order",
        "Nothing bounds the quantity of a single order in an instrument: neither a constraint of the policy nor its "
        "`max_quantity` in `tb.yaml`.",
        "add `max_quantity: 100` to `BTC-USD` under `instruments` in tb.yaml",
    ),
    Code(
        "TB305",
        "no price collar",
        "No constraint bounds how far the price of an order may be from the market.",
        "add `limit collar  abs(order.price / mid - 1) <= 2%`",
    ),
    Code(
        "TB306",
        "no limit on the rate of orders",
        "No constraint bounds how many orders may be sent in a stretch of time, so a rule that misfires can send without end.",
        "add `limit orders_rate  orders(10s) <= 20  on every order`",
    ),
    Code(
        "TB307",
        "no throttle on repeated entries",
        "No constraint bounds how often a strategy enters within a window, nor stops it after losses in a row, so one that "
        "keeps doing the same wrong thing does it until the money is gone.",
        "add `limit entries_rate  entries(1h) <= 10`",
    ),
    Code(
        "TB308",
        "nothing stops trading",
        "No constraint of the policy halts trading or bounds the drawdown, so losses can mount without end.",
        "add `limit drawdown_limit  drawdown <= 10%  otherwise halt`",
        W,
    ),
    Code(
        "TB309",
        "limit that never binds",
        "Other limits always bind before it, or no order and no loss of a recorded run came near it: it protects on paper.",
        "tighten it, or write `# tb: ignore TB309 because ...`",
        W,
    ),
    Code(
        "TB310",
        "refuses everything",
        "In a recorded run a constraint refused every order that it judged, so nothing can be traded under it.",
        "`tb decisions r1` lists them, and `tb explain r1.d1` says what it read",
        W,
    ),
    Code(
        "TB311",
        "warns later than it denies",
        "A constraint that only warns is looser than one that denies: where it would warn, the order is refused already.",
        "let `large` warn from 5k USD on, below the limit of 10k USD",
    ),
    Code(
        "TB312",
        "an exception loosens without saying so",
        "An exception makes a limit wider. It may do so only as `loosens`, with the owner who answers for it, the last day it "
        "holds and a reason.",
        'write `loosens to 8% of equity  owner "risk desk"  until 2026-12-31  because "index rebalance"`',
    ),
    Code(
        "TB313",
        "an exit can be blocked",
        "A constraint that judges every order can deny one that reduces risk, so a position might not be closable.",
        "drop `on every order`, or bound something that closing never raises",
    ),
    Code(
        "TB314",
        "limits that decide for each other",
        "Full positions in every instrument exceed the limit on gross exposure: who comes first gets the share.",
        "lower `position` to 4%, or raise `gross` to 120%",
        W,
    ),
    Code(
        "TB315",
        "stop beyond liquidation",
        "At the leverage that the policy allows, a venue closes the position before the stop is reached.",
        "bring the stop nearer than 20%, or allow less leverage",
    ),
    Code(
        "TB316",
        "target within the costs",
        "Reaching the target of an entry pays no more than the fees, slippage and spread of getting in and out.",
        "set the target well beyond 1%, or state lower costs under `venue` in tb.yaml",
        W,
    ),
    Code(
        "TB317",
        "cool-down without effect",
        "A cool-down is shorter than the period of its strategy: it is over before the strategy looks again.",
        "write at least `1h`",
        W,
    ),
    Code(
        "TB318",
        "passes where the stop is missing",
        "A constraint lets an order pass because it has no stop, and no other one asks for it: what is missing passes.",
        "write `order.stop is set and reward_risk >= 2`",
    ),
    Code(
        "TB319",
        "priced in another currency",
        "An instrument is priced in another currency than the account and its limits, and nothing says what that is worth.",
        "say what converts it in `tb.yaml`: `rates: {EUR: EUR_USD}`",
        W,
    ),
    Code(
        "TB401",
        "parameter outside its range",
        "The value of a parameter lies outside the range declared for it.",
        "use a value in 1.2..3.0, or widen the range",
    ),
    Code(
        "TB402",
        "setting for an unknown parameter",
        "`tb.yaml` sets a parameter that no rule has.",
        "did you mean `spike`?",
    ),
    Code(
        "TB403",
        "number said again and again",
        "The same number is the threshold of several comparisons, so whoever changes one has to find the others.",
        "name it: `param level = 70`, and write the name in its place",
        Severity.HINT,
    ),
    Code(
        "TB404",
        "parameter at the end of its range",
        "A parameter stands at an end of its range. If it was chosen by trying, the best value may lie beyond the range.",
        "widen the range of `fast`, or choose a value inside of it",
        Severity.HINT,
    ),
    Code(
        "TB405",
        "too many parameters for the trades",
        "A strategy has more parameters that can be searched than a recorded run has trades to choose them by, so the "
        "best values fit what happened by chance.",
        "fix some of them by dropping `step`, or replay longer data",
        W,
    ),
    Code(
        "TB406",
        "parameters contradict each other",
        "The values of the parameters do not satisfy a `require` between them.",
        "make `fast` smaller than `slow`",
    ),
    Code(
        "TB501",
        "no reason for people",
        "A rule has no `because` and no words of its own: an explanation of its decisions could only repeat its formula.",
        'add `because "volume {relative_volume:.1f}x its mean"`',
        Severity.HINT,
    ),
    Code(
        "TB502",
        "no owner",
        "An exception does not say who answers for it.",
        'add `owner "risk desk"`',
        W,
    ),
    Code(
        "TB503",
        "exception has ended",
        "The last day of an exception is over, so it changes nothing any more. Dead exceptions hide those that hold.",
        "remove it, or have its owner name a new day",
    ),
    Code(
        "TB504",
        "rule without a test",
        "The file has tests, and no test names this constraint or strategy of it: a change of it goes unnoticed.",
        "add a test with `expect reject by thin`",
        Severity.HINT,
    ),
    Code(
        "TB506",
        "plan over its budget",
        "What the rules look at for each bar is more than their budget, so replays and decisions become slow.",
        "shorten the longest windows, or raise `lint.budget` in tb.yaml",
        W,
    ),
    Code(
        "TB508",
        "not in the usual layout",
        "A file is not laid out as `tb fmt` lays it out, so a diff of it shows more than what was changed.",
        "run `tb fmt rules/momentum.tb`",
        Severity.HINT,
    ),
    Code(
        "TB509",
        "defined and never used",
        "Nothing uses this definition.",
        "remove it, or use it",
        W,
    ),
    Code(
        "TB510",
        "suppressed without a reason",
        "A finding is suppressed by a comment that does not say why.",
        "write `# tb: ignore TB509 because it is used from next week`",
    ),
    Code(
        "TB511",
        "invisible character in a comment or text",
        "A character that cannot be seen, or that turns the writing direction, can make a line look like another one.",
        "remove it: what is read should be what runs",
        W,
    ),
    Code(
        "TB514",
        "suppression without effect",
        "A comment asks to ignore a finding that is not there, that has no such code, or that cannot be ignored in one place.",
        "remove the comment",
        W,
    ),
    Code(
        "TB600",
        "settings are not readable as YAML",
        "`tb.yaml` does not have the form of a YAML file at this place.",
        "indent with spaces, and write `key: value`",
    ),
    Code(
        "TB601",
        "setting given twice",
        "The same key stands twice in `tb.yaml`; only one of the two could count.",
        "remove one of the two",
    ),
    Code(
        "TB602",
        "unknown setting",
        "`tb.yaml` has a key that tb does not know. Unknown keys are refused, since a misspelt one would be ignored in "
        "silence.",
        "did you mean `venue`?",
    ),
    Code(
        "TB603",
        "setting missing",
        "`tb.yaml` lacks a key that has no default.",
        "start with `name: my-project`",
    ),
    Code(
        "TB604",
        "setting of the wrong kind",
        "The value of a setting is not of the kind that belongs there.",
        "write a share such as `5bps`",
    ),
    Code(
        "TB605",
        "setting out of range",
        "The value of a setting lies outside what makes sense.",
        "check the unit: 1% is 100bps",
    ),
    Code(
        "TB606",
        "setting in another currency",
        "Amounts in `tb.yaml` are in the currency of the account.",
        "give it in USD",
    ),
    Code(
        "TB607",
        "unknown time zone",
        "The time zone is none that is known by that name.",
        "write `Europe/London`",
    ),
    Code(
        "TB608",
        "path leaves the project",
        "A path in `tb.yaml` leads outside the project's folder.",
        "write `rules`",
    ),
    Code(
        "TB609",
        "instrument not fully described",
        "An instrument in `tb.yaml` lacks something that orders need, such as its tick or lot.",
        "add `tick: 0.01`",
    ),
    Code(
        "TB610",
        "level of no lint rule",
        "`lint.levels` in `tb.yaml` names a code that is no rule of the linter, so its level changes nothing.",
        "did you mean `TB509`?",
        W,
    ),
    Code(
        "TB614",
        "nothing converts a currency",
        "What `rates` in `tb.yaml` names for a currency does not say what it is worth in the account's, or the data lacks it.",
        "write `rates: {EUR: EUR_USD}`, an instrument of the data",
    ),
    Code(
        "TB620",
        "limits are not readable as YAML",
        "`policy/limits.yaml` does not have the form of a YAML file at this place.",
        "indent with spaces, and write `key: value`",
    ),
    Code(
        "TB621",
        "limit given twice",
        "The same limit stands twice in `policy/limits.yaml`; only one of the two could count.",
        "remove one of the two",
    ),
    Code(
        "TB622",
        "unknown limit",
        "`policy/limits.yaml` has a limit that tb does not know. A misspelt limit must not be taken for one that holds.",
        "did you mean `max_position_pct`?",
    ),
    Code(
        "TB624",
        "limit of the wrong kind",
        "The value of a limit is not of the kind that belongs there.",
        "write a share such as `5%`",
    ),
    Code(
        "TB625",
        "limit out of range",
        "The value of a limit lies outside what makes sense.",
        "check the unit: 1% is 100bps",
    ),
    Code(
        "TB626",
        "own limit has a reserved name",
        "A limit under `custom` has the name of one that tb knows.",
        "write it outside `custom`",
    ),
    Code(
        "TB640",
        "no folder of data",
        "The folder of market data is not there, is a file, or cannot be opened.",
        "name a folder with files such as `BTC-USD.parquet` or `BTC-USD.csv`",
    ),
    Code(
        "TB641",
        "no data in the folder",
        "The folder has no file of bars.",
        "name a folder with files such as `BTC-USD.parquet` or `BTC-USD.csv`",
    ),
    Code(
        "TB642",
        "file name is not an instrument",
        "A file of data is named after its instrument, and this name is none.",
        "rename it to `BTC-USD.csv`",
    ),
    Code(
        "TB643",
        "two files for one instrument",
        "Two files hold the same kind of data for the same instrument, and tb does not choose between them.",
        "keep one of them",
    ),
    Code(
        "TB644",
        "data file cannot be read",
        "The file is damaged, is not what its name says, or the system refuses to open it.",
        "export the file again",
    ),
    Code(
        "TB645",
        "columns missing",
        "A file of bars has the columns time, open, high, low, close and volume, each once.",
        "name the columns in the first line",
    ),
    Code(
        "TB646",
        "no rows",
        "The file holds no rows of data.",
        "remove the file, or fill it",
    ),
    Code(
        "TB647",
        "not a value",
        "A cell that should hold a number or a time holds something else.",
        "write a time such as `2024-01-01T05:00Z`",
    ),
    Code(
        "TB648",
        "value missing",
        "A cell is empty or not a number. The value is unknown there, and what needs it does not fire.",
        "fill it, or leave it unknown",
        W,
    ),
    Code(
        "TB649",
        "impossible value",
        "A price is zero or negative, a volume is negative, or a value is infinite.",
        "leave what is not known empty",
    ),
    Code(
        "TB650",
        "open or close outside of the bar",
        "In a bar the high is the highest price and the low the lowest, and this one says otherwise.",
        "check whether the two are swapped",
    ),
    Code(
        "TB651",
        "times not in order",
        "Rows stand in order of time, each time once.",
        "sort the rows by time",
    ),
    Code(
        "TB652",
        "times off the grid",
        "The bars do not start at whole multiples of their period in UTC, or the period cannot be told.",
        "give the start of each bar in UTC",
    ),
    Code(
        "TB653",
        "mixed periods",
        "Bars of different periods stand in one run.",
        "give all files the same period",
    ),
    Code(
        "TB654",
        "quotes do not fit",
        "Quotes are missing for some bars, or are crossed. The spread is unknown there, and limits that need it deny.",
        "give quotes for the same instants",
        W,
    ),
    Code(
        "TB655",
        "bars made from quotes",
        "There are quotes and no bars, so mid prices stand in for bars and the volume is unknown.",
        "add a file of bars",
        W,
    ),
    Code(
        "TB656",
        "no data for an instrument",
        "A rule names an instrument for which there is no file of data.",
        "add `BTC-USD.parquet`, or take it out of the universe",
    ),
    Code(
        "TB657",
        "nothing left of the data",
        "No bar lies between the first and the last instant asked for.",
        "move --from or --to",
    ),
    Code(
        "TB658",
        "more of the same",
        "Only the first findings of a kind are shown for a file; this counts the rest.",
        "mend the first ones and look again",
    ),
    Code(
        "TB659",
        "rows of different lengths",
        "A row has more or fewer values than the first line has names.",
        "give each row one value for each column",
    ),
    Code(
        "TB660",
        "no project here",
        "The folder is no project: it has no `tb.yaml`, or does not exist.",
        "make a project with `tb init`, or name one with `--project`",
    ),
    Code(
        "TB661",
        "folder of the project missing",
        "A folder that the settings name does not exist.",
        "make the folder, or say in `tb.yaml` where it is",
    ),
    Code(
        "TB662",
        "no rule files",
        "A folder that should hold rule files has none.",
        "put a rule file such as `rules/momentum.tb` there",
    ),
    Code(
        "TB663",
        "file cannot be read",
        "The file or folder is there, and the system refuses to read it.",
        "check its permissions",
    ),
    Code(
        "TB664",
        "file is not text",
        "Rule files and settings are UTF-8 text, and this file is not.",
        "save the file as UTF-8",
    ),
    Code(
        "TB665",
        "file too large",
        "The file is far larger than a rule file or settings can be, so it is not read.",
        "move what does not belong to it elsewhere",
    ),
    Code(
        "TB666",
        "file is not read",
        "A file stands where tb looks, under a name that it does not read.",
        "rename it to `limits.yaml`",
    ),
    Code(
        "TB667",
        "file is there already",
        "`tb init` writes new files and overwrites none.",
        "name a folder that is empty or not there yet",
    ),
    Code(
        "TB668",
        "file cannot be written",
        "The file system refused to write a file: permission, disk space, or the folder.",
        "name a folder that you may write",
    ),
    Code(
        "TB669",
        "baseline cannot be read",
        "`tb-lint-baseline.json` is not what `tb lint --write-baseline` writes, so nothing can be told from it.",
        "restore it, or write it anew with `tb lint --write-baseline`",
    ),
    Code(
        "TB670",
        "no rows of a feed",
        "Rules read a feed, and no file holds it, or none of its rows belong to an instrument. It is unknown there: rules that "
        "need it do not fire, constraints that need it deny.",
        "put it at `data/feeds/fear_greed.parquet`",
        W,
    ),
    Code(
        "TB671",
        "rows of a feed not in order",
        "What was known at an instant can only be told where the rows stand in the order in which they became known, each time "
        "once. The same time may stand again where a later `known` says that it was corrected.",
        "sort the rows by time",
    ),
    Code(
        "TB672",
        "value of a feed out of its range",
        "A row says something that the feed cannot say by its own declaration. The feed is unknown from that row to the next.",
        "correct it, or widen the range",
        W,
    ),
    Code(
        "TB673",
        "not funding rates",
        "A file of funding has a row for each funding instant, hours apart. Rows a day apart are means over a day, and a day "
        "is not over when it begins.",
        "read it as a feed: `feed btc_funding: ratio every 1d, stale after 2d`",
    ),
    Code(
        "TB674",
        "days known when they begin",
        "All rows of a feed without a period are at midnight, as dates without an hour are. The value of a day counts from the "
        "beginning of that day, hours before anybody could know it.",
        "write `every 1d` in the feed, or the hour at which a row was published",
        W,
    ),
    Code(
        "TB680",
        "runs without a time in common",
        "Two runs were to be compared over the time that both cover, and there is none.",
        "`tb runs` shows from when to when each run goes",
    ),
    Code(
        "TB681",
        "no data of the benchmark",
        "Returns were to be set against an instrument that is not among the data of the run.",
        "name an instrument of the run, as `--benchmark BTC-USD`",
    ),
    Code(
        "TB701",
        "no ledger yet",
        "The project has no ledger: nothing has been recorded.",
        "run `tb replay` first, or name another project",
    ),
    Code(
        "TB702",
        "not a ledger",
        "The file is not a ledger that tb wrote.",
        "name another file, or move this one away to start a new ledger",
    ),
    Code(
        "TB703",
        "ledger damaged",
        "The ledger is truncated, or a part of it is gone. What can be read is still readable; nothing is added to it.",
        "restore the ledger from a copy",
    ),
    Code(
        "TB704",
        "ledger of another version",
        "The ledger was written by a version of tb whose tables differ from this one's.",
        "use the version that wrote it, or start a new ledger",
    ),
    Code(
        "TB705",
        "ledger locked",
        "Another process is writing to the ledger. An account has one writer.",
        "wait until the other run has finished, or end it",
    ),
    Code(
        "TB706",
        "ledger cannot be opened or written",
        "The file system refused to open, read or write the ledger: permission, disk space, or the folder.",
        "free some space and run again",
    ),
    Code(
        "TB707",
        "no such run",
        "The ledger holds no run of this name.",
        "runs here: r1, r2",
    ),
    Code(
        "TB708",
        "policy missing in the ledger",
        "The ledger names a policy whose text it does not hold, so decisions under it cannot be explained.",
        "see `tb ledger verify`",
    ),
    Code(
        "TB709",
        "policy altered in the ledger",
        "The stored text of a policy is not what its hash says, so it is not the one that decided.",
        "restore the ledger from a copy",
    ),
    Code(
        "TB710",
        "entry altered",
        "An entry is not what was written: its hash, or its order, does not fit the entry before it. What stands before "
        "it is intact.",
        "see `tb ledger verify`, then restore the ledger from a copy",
    ),
    Code(
        "TB711",
        "entries missing at the end",
        "The ledger ends earlier than, or other than, it noted itself. What is there is intact.",
        "restore the ledger from a copy",
    ),
    Code(
        "TB712",
        "tables differ from the entries",
        "The tables that are read for speed do not say what the entries say. The entries count.",
        "rebuild the tables from the entries",
    ),
    Code(
        "TB713",
        "decisions differ from what the run recorded",
        "The decisions of a run do not add up to the hash that the run recorded at its end.",
        "replay it and compare",
    ),
    Code(
        "TB714",
        "no such record",
        "The run has no decision, trade or order of this name.",
        "see `tb decisions` or `tb trades`",
    ),
    Code(
        "TB715",
        "entry in the wrong place",
        "An entry is intact, and stands where tb would not have written it.",
        "restore the ledger from a copy",
    ),
    Code(
        "TB716",
        "a group that was not confirmed is there",
        "The answer of the server to a group was lost, and another group was to take its place. The first was written after "
        "all; nothing more was.",
        "read the run again, and go on after its last record",
    ),
    Code(
        "TB720",
        "no test",
        "There is no test to run, or none of the name that was asked for. A run that tests nothing does not pass.",
        "write one into tests/limits.tb, or take another name",
    ),
    Code(
        "TB723",
        "bars do not fit the rules",
        "A strategy reads bars of a period that the bars of a test cannot give, or a test states what its bars say already.",
        "give bars of 1h",
    ),
    Code(
        "TB724",
        "of which instrument",
        "A test plays the bars of several instruments, and a condition that it expects does not say of which.",
        "write `expect volume_spike of BTC-USD`",
    ),
    Code(
        "TB800",
        "key of the venue",
        "A key for a venue cannot be read, or is of a kind that the venue does not take. Nothing of the key is ever shown.",
        "give an EC key on P-256 or an Ed25519 key, as the venue let you download it",
    ),
    Code(
        "TB801",
        "address of the venue",
        "An address is none of this venue's, or a key would go over an open line to another machine.",
        "use `https://`",
    ),
    Code(
        "TB802",
        "venue does not answer",
        "A venue was asked for recorded bars several times, and did not answer. What came before that is in the file.",
        "run it again later: it goes on where it stopped",
    ),
    Code(
        "TB803",
        "instrument unknown to the venue",
        "The venue does not trade an instrument of this name.",
        "write it as the venue does: `BTC-USD`",
    ),
    Code(
        "TB804",
        "file of something else",
        "Bars would be added to a file that `tb data fetch` did not make, or that holds bars of another venue or period. It "
        "stays as it is.",
        "fetch into another folder, or move the file away",
    ),
    Code(
        "TB805",
        "no closed bar",
        "No bar of the span that was asked for has closed yet.",
        "begin earlier",
    ),
    Code(
        "TB820",
        "file of a key that is not the sandbox's",
        "The file named for the sandbox's key is there and holds something else, which would be lost.",
        "name another file: a key in it would be lost",
    ),
    Code(
        "TB821",
        "key of the sandbox cannot be written",
        "The file system refused to write the key that the sandbox made.",
        "name a file in a folder that you may write",
    ),
    Code(
        "TB822",
        "no sandbox answers",
        "A command for a sandbox that runs found none at its address.",
        "start one with `tb sandbox coinbase`, or name its address with --url",
    ),
    Code(
        "TB823",
        "file of faults",
        "The file of faults cannot be read, or a fault in it is none that the sandbox knows.",
        "write `- {fault: drop-reply, times: 2, on: orders}`, one a line",
    ),
    Code(
        "TB824",
        "port of the sandbox",
        "The port that the sandbox would listen on is taken, or this user may not listen on it.",
        "name another, or 0 for any",
    ),
    Code(
        "TB830",
        "journal damaged",
        "The journal of orders was changed after it was written. What is on its way is not known from it: nothing is sent.",
        "keep it as evidence; compare the orders with the venue's, then start with a new folder",
    ),
    Code(
        "TB831",
        "journal in use",
        "Another process sends orders for this account. Two would not know of each other's orders.",
        "stop the other `tb run`, or give this one a folder of its own",
    ),
    Code(
        "TB832",
        "journal cannot be written",
        "The disk refuses the journal of orders. What is not on disk is not sent.",
        "free some space or mend the disk, then start again: orders that are on their way are looked up first",
    ),
    Code(
        "TB833",
        "breaker cannot be changed",
        "The file of the breaker cannot be written or is damaged, or nobody is named who closes it. It stays as it was.",
        "say who closes it, and why",
    ),
    Code(
        "TB850",
        "no secret where the settings say",
        "A key, a PIN's hash or an address is looked for under the name in `tb.yaml`, in the environment or in the system's "
        "keyring, and nothing is kept there.",
        "set the variable `TB_PIN_HASH`",
    ),
    Code(
        "TB851",
        "not the hash of a PIN",
        "What is kept as the PIN's hash cannot be read as one: no PIN can be checked, and live trading stays off.",
        "make it anew with `tb pin set`",
    ),
    Code(
        "TB852",
        "no keyring",
        "The settings keep a secret in the system's keyring, and it does not answer: none is installed, or it is locked.",
        "name an environment variable: `env:NAME`",
    ),
    Code(
        "TB853",
        "the operator's orders cannot be kept",
        "A halt, a resume or another order of the operator is written to disk before anything is said to be done, and the disk "
        "refuses, or what stands there is not what tb wrote.",
        "free some space, then try again; to stop at once, stop the process",
    ),
    Code(
        "TB854",
        "no venue to connect to",
        "A command that speaks with a venue finds in `tb.yaml` neither its name nor where its key is kept.",
        "add `live: {venue: coinbase, credentials: 'env:COINBASE_KEY'}`",
    ),
    Code(
        "TB855",
        "no time from the venue",
        "`--clock venue` takes the time from a sandbox, and there is none, or it does not answer.",
        "check that the sandbox runs",
    ),
    Code(
        "TB860",
        "the inputs of a session cannot be read",
        "A session of `tb run` goes on, and is replayed, from what came to it. A line of that is not as it was written, or the "
        "folder is gone. A last line that was not finished counts as not there.",
        "restore the folder from a backup, or start a new session with `tb run --new`",
    ),
    Code(
        "TB861",
        "the inputs of a session cannot be written",
        "What comes to a session is on the disk before anything follows from it. The disk refuses, so no session begins.",
        "free some space or let this user write the folder",
    ),
    Code(
        "TB862",
        "a session does not give what the ledger has",
        "A session that goes on is taken again from its inputs first, and everything it decides is compared with the ledger. "
        "They differ: the program, the ledger or the inputs were changed meanwhile.",
        "was tb, the ledger or the folder of its inputs changed? keep both, and start anew with `tb run --new`",
    ),
    Code(
        "TB863",
        "the session is of another policy or of other bars",
        "A session goes on under the policy, on the instruments and with the bars that it began with.",
        "start a new session with `tb run --new`",
    ),
    Code(
        "TB864",
        "live trading is off",
        "Orders go to a venue only where the settings say so: `live.read_only` is false, and `live.pin` says where the hash of "
        "the operator's PIN is kept.",
        "set `live.read_only: false` in tb.yaml once it may trade",
    ),
    Code(
        "TB865",
        "what the account has is not known",
        "A live session begins with what the venue says that the account has, and it does not say.",
        "check network and key, then start again",
    ),
    Code(
        "TB866",
        "not the account that it was",
        "A live session goes on with the halts, the high water and the counts of the account's earlier runs. In another "
        "currency or with days of another time zone they would mean something else; and where the ledger has no earlier run "
        "of an account that orders were sent for, its halts are not known.",
        "set `account.currency` and `account.timezone` as they were, and use the ledger that the account had",
    ),
    Code(
        "TB867",
        "no history to decide on",
        "`tb run --once` decides on what came before the newest close, too. Where the feed does not give it, nothing is "
        "decided: a bar that is not there when a later one is decided on is a gap for good.",
        "try it again later",
    ),
    Code(
        "TB880",
        "alerts need a library that is not installed",
        "Alerts go out through a library that is not part of a plain installation.",
        "install the extra `live`: `pip install 'tb[live]'`",
    ),
    Code(
        "TB881",
        "no address for alerts",
        "What the environment or the keyring holds as addresses for alerts is empty, or has a line that no service is known "
        "for. The line is named by its number: an address is a secret.",
        "write addresses as apprise does, one a line, as in `mailto://user:password@example.org`; `tb alerts test` tries them",
    ),
    Code(
        "TB882",
        "metrics need a library that is not installed",
        "Metrics are counted by a library that is not part of a plain installation.",
        "install the extra `live`: `pip install 'tb[live]'`, or leave `live.metrics_port` out of tb.yaml",
    ),
    Code(
        "TB883",
        "metrics cannot be served",
        "The port for metrics and `/healthz` is taken, or this user may not listen on it.",
        "name another port in `live.metrics_port` of tb.yaml, or end what listens on this one",
    ),
    Code(
        "TB884",
        "no address of the ledger's database",
        "The settings keep the ledger in a PostgreSQL database whose address is in an environment variable. The variable is "
        "not set, or what it holds is no address. An address may hold a password and is never shown.",
        "set `TB_LEDGER` to the address, as in `postgresql://tb@localhost/tb`",
    ),
    Code(
        "TB885",
        "the database needs a library that is not installed",
        "A ledger on PostgreSQL is reached through a driver that is not part of a plain installation.",
        "install the extra `postgres`: `pip install 'tb[postgres]'`",
    ),
    Code(
        "TB886",
        "the ledger's database does not answer",
        "The server cannot be reached, takes no more connections, or went away in the middle. What was recorded before is "
        "there; whether the last group is, the next writer sees.",
        "check that the server runs and can be reached from here; nothing that was recorded is lost",
    ),
    Code(
        "TB887",
        "the account is held by another session",
        "One session at a time trades an account. Another process holds this one, and it lives: a lock ends with its process.",
        "stop process 4711 first; the account is free once it has ended, however it ended",
    ),
    Code(
        "TB888",
        "the account is not held any more",
        "The lock on the account is gone although the session goes on: its file was removed, or the connection to the server "
        "was cut. Nothing more is written, since another session may have begun.",
        "end this session and start it again: another may have begun in the meantime",
    ),
)

CODES: Mapping[str, Code] = MappingProxyType({row.code: row for row in _ROWS})


def range_of(code: str) -> str:
    """What the range that a code stands in is about."""
    number = int(code.removeprefix("TB"))
    return next(title for first, title in reversed(RANGES) if number >= first)
