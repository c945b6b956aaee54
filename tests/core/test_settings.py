"""The settings of a project: what they mean, and the exact words for everything that can be wrong with them."""

from __future__ import annotations

from decimal import Decimal

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tb.core.amount import parse_amount
from tb.core.diagnostics import Severity
from tb.core.live_settings import Live, SecretName
from tb.core.render import human
from tb.core.settings import InstrumentSpec, Settings, Venue, parse_settings, quote_currency, settings_schema
from tb.core.units import BARS, DURATION, NUMBER, RATIO, R, Unit, money
from tb.core.yaml_source import parse_yaml

GOOD = """\
name: trader247
rules: rules            # folder of rule files
account:
  currency: USD
  equity: 10_000 USD
  timezone: UTC
instruments:
  default:  {tick: 0.01, lot: 0.00000001, minimum: 1 USD}
  DOGE-USD: {tick: 0.000001, lot: 1, max_quantity: 1000000}
  EUR_USD:  {tick: 0.00001, lot: 1, pip: 0.0001, fee: 0bps, spread: 1bps}
venue:
  fee: 60bps
  slippage: 5bps
  spread: 10bps
  depth: 250k USD
restricted: [LUNA-USD]
replay:
  halts_lifted_after: 7d
  data: sample
lint: {levels: {TB509: off, TB105: error}}
parameters: {spike: 1.6, distance: 8%}
"""


def good(text: str = GOOD) -> Settings:
    settings, findings = parse_settings("tb.yaml", text)
    assert findings == []
    assert settings is not None
    return settings


def said(text: str) -> list[str]:
    """Every finding as `line:column code message | hint`."""
    _, findings = parse_settings("tb.yaml", text)
    return [f"{f.span.line}:{f.span.column} {f.code} {f.message}" + (f" | {f.hint}" if f.hint else "") for f in findings]


def test_settings_are_exact() -> None:
    settings = good()
    assert (settings.name, settings.rules, settings.policy, settings.ledger) == (
        "trader247",
        "rules",
        "policy",
        ".tb/ledger.sqlite",
    )
    assert (settings.account.currency, settings.account.equity, settings.account.timezone.key) == ("USD", Decimal(10000), "UTC")
    assert settings.venue == Venue(Decimal("0.006"), Decimal("0.0005"), Decimal("0.001"), Decimal(250_000))
    assert settings.restricted == ("LUNA-USD",)
    assert (settings.halts_lifted_after, settings.data) == (7 * 86_400_000, "sample")
    assert {code: level.severity for code, level in settings.lint_levels.items()} == {"TB509": None, "TB105": Severity.ERROR}
    assert {name: value.text for name, value in settings.parameters.items()} == {"spike": "1.6", "distance": "8%"}
    assert str(settings.parameters["distance"].span) == "tb.yaml:21:36"


def test_an_instrument_takes_from_default_what_it_does_not_give() -> None:
    settings = good()
    assert settings.instrument("BTC-USD") == InstrumentSpec(Decimal("0.01"), Decimal("0.00000001"), Decimal(1))
    assert settings.instrument("DOGE-USD") == InstrumentSpec(
        Decimal("0.000001"), Decimal(1), Decimal(1), max_quantity=Decimal(1_000_000)
    )
    assert settings.instrument("EUR_USD") == InstrumentSpec(Decimal("0.00001"), Decimal(1), Decimal(1), pip=Decimal("0.0001"))
    assert settings.venue_for("BTC-USD") == settings.venue
    assert settings.venue_for("EUR_USD") == Venue(Decimal(0), Decimal("0.0005"), Decimal("0.0001"), Decimal(250_000))


def test_without_a_default_other_instruments_are_unknown() -> None:
    text = GOOD.replace("  default:  {tick: 0.01, lot: 0.00000001, minimum: 1 USD}\n", "")
    assert good(text).instrument("BTC-USD") is None
    assert good(text).instrument("DOGE-USD") is not None


def test_a_default_may_charge_too() -> None:
    text = GOOD.replace("minimum: 1 USD}", "minimum: 1 USD, fee: 1bps, slippage: 2bps}")
    assert good(text).venue_for("BTC-USD").fee == Decimal("0.0001")
    assert good(text).venue_for("EUR_USD") == Venue(Decimal(0), Decimal("0.0002"), Decimal("0.0001"), Decimal(250_000))


def test_what_is_left_out_is_unknown_and_not_zero() -> None:
    text = GOOD.replace("  spread: 10bps\n  depth: 250k USD\n", "").replace(
        "replay:\n  halts_lifted_after: 7d\n  data: sample\n", ""
    )
    settings = good(text)
    assert (settings.venue.spread, settings.venue.depth, settings.halts_lifted_after, settings.data) == (None, None, None, None)


def test_the_quote_currency_is_the_last_part_that_names_one() -> None:
    assert [quote_currency(symbol) for symbol in ("BTC-USD", "EUR_USD", "BTC-EUR")] == ["USD", "USD", "EUR"]
    assert [quote_currency(symbol) for symbol in ("ETH-USDT-SWAP", "BTC/USD-PERP", "BTC-PERP")] == ["USDT", "USD", None]


BAD = [
    # missing units, wrong units
    ("fee: 60bps", "fee: 60", "12:8 TB604 `venue.fee` must be a ratio with `%` or `bps`, not `60` | write `60bps`"),
    ("fee: 60bps", "fee: 0.006", "12:8 TB604 `venue.fee` must be a ratio with `%` or `bps`, not `0.006` | write `0.6%`"),
    ("fee: 60bps", "fee: 0.4", "12:8 TB604 `venue.fee` must be a ratio with `%` or `bps`, not `0.4` | write `0.4%`"),
    ("fee: 60bps", "fee: 1 USD", "12:8 TB604 `venue.fee` must be a ratio with `%` or `bps`, not `1 USD` | such as `60bps`"),
    ("fee: 60bps", "fee: -1bps", "12:8 TB604 `venue.fee` must be a ratio with `%` or `bps`, not `-1bps` | such as `60bps`"),
    ("10_000 USD", "10_000", "5:11 TB604 `account.equity` must be money with its currency, not `10_000` | write `10_000 USD`"),
    (
        "minimum: 1 USD",
        "minimum: 1",
        "8:52 TB604 `instruments.default.minimum` must be money with its currency, not `1` | write `1 USD`",
    ),
    ("7d", "7", "18:23 TB604 `replay.halts_lifted_after` must be a duration with its unit, not `7` | write `7d`"),
    (
        "tick: 0.01",
        "tick: 1bps",
        "8:20 TB604 `instruments.default.tick` must be a number greater than 0, not the text `1bps` | such as `0.01`",
    ),
    (
        "tick: 0.01",
        "tick: '0.01'",
        "8:20 TB604 `instruments.default.tick` must be a number greater than 0, not the text `0.01` | remove the quotes",
    ),
    # out of range
    (
        "tick: 0.01",
        "tick: 0",
        "8:20 TB604 `instruments.default.tick` must be a number greater than 0, not `0` | such as `0.01`",
    ),
    ("fee: 60bps", "fee: 60%", "12:8 TB605 `venue.fee` is `60%`, more than 10% | check the unit: 1% is 100bps"),
    ("10_000 USD", "0 USD", "5:11 TB605 `account.equity` must be greater than 0 | such as `10_000 USD`"),
    (
        "7d",
        "0d",
        "18:23 TB605 `replay.halts_lifted_after` must be greater than 0 and a whole number of milliseconds | such as `7d`",
    ),
    # currencies and zones
    (
        "minimum: 1 USD",
        "minimum: 1 EUR",
        "8:52 TB606 `instruments.default.minimum` is in EUR, and the account in USD | give it in USD",
    ),
    ("10_000 USD", "10_000 EUR", "5:11 TB606 `account.equity` is in EUR, and the account in USD | give it in USD"),
    (
        "currency: USD",
        "currency: usd",
        "4:13 TB604 `account.currency` must be a currency in capitals, not `usd` | such as `USD`",
    ),
    ("UTC", "New York", "6:13 TB607 `New York` is not a time zone | did you mean `America/New_York`?"),
    ("UTC", "Europe/Londn", "6:13 TB607 `Europe/Londn` is not a time zone | did you mean `Europe/London`?"),
    ("UTC", "../../etc", "6:13 TB607 `../../etc` is not a time zone | such as `UTC` or `America/New_York`"),
    # keys
    (
        "slippage: 5bps",
        "slippage: 5bps\n  slipage: 5bps",
        "14:3 TB602 unknown key `slipage` in `venue` | did you mean `slippage`?",
    ),
    ("lint:", "linter: 1\nlint:", "20:1 TB602 unknown key `linter` | did you mean `lint`?"),
    ("  fee: 60bps\n", "", "11:1 TB603 `venue.fee` is missing | add `fee: 60bps`"),
    ("name: trader247\n", "", "1:1 TB603 `name` is missing | add `name: trader247`"),
    ("  spread: 10bps\n", "  spread: 10bps\n  fee: 1bps\n", "15:3 TB601 `fee` is given twice | keep one of them"),
    ("DOGE-USD", "doge/usd", "9:3 TB602 unknown key `doge/usd` in `instruments` | write `DOGE-USD`"),
    ("spike: 1.6", "Spike: 1.6", "21:14 TB602 unknown key `Spike` in `parameters` | write `spike`"),
    ("TB509", "tb509", "20:17 TB602 unknown key `tb509` in `lint.levels` | write `TB509`"),
    # shapes
    ("name: trader247", "name:", "1:1 TB604 `name` has no value | such as `trader247`"),
    ("name: trader247", "name: 247", "1:7 TB604 `name` must be a name, not `247` | such as `trader247`"),
    (
        "[LUNA-USD]",
        "LUNA-USD",
        "16:13 TB604 `restricted` must be a list of instruments, as in `[LUNA-USD, FTT-USD]`, not `LUNA-USD`",
    ),
    (
        "[LUNA-USD]",
        "[LUNA-USD, luna]",
        (
            "16:24 TB604 `restricted[2]` must be an instrument such as `BTC-USD` or `EUR_USD`, in capitals, not `luna`"
            " | such as `BTC-USD`"
        ),
    ),
    ("[LUNA-USD]", "[A-USD, A-USD]", "16:13 TB604 `restricted` names something twice | remove the repetition"),
    (
        "off,",
        "silent,",
        "20:24 TB604 `lint.levels.TB509` must be `error`, `warning`, `hint` or `off`, not `silent` | such as `off`",
    ),
    (
        "spike: 1.6",
        "spike: [1]",
        ("21:21 TB604 `parameters.spike` must be a number with its unit, as in a rule, not a list | such as `1.6`"),
    ),
    (
        "{levels: {TB509: off, TB105: error}}",
        "[]",
        "20:7 TB604 `lint` must be keys and values, as in `levels: {TB509: off}`, not a list",
    ),
    # the project
    (
        "rules: rules",
        "rules: ../rules",
        "2:8 TB608 `rules` must be a folder inside the project, not `../rules` | write `rules`",
    ),
    ("rules: rules", "rules: /rules", "2:8 TB608 `rules` must be a folder inside the project, not `/rules` | write `rules`"),
    ("rules: rules", "rules: .", "2:8 TB608 `rules` must be a folder inside the project, not `.` | write `rules`"),
    ("tick: 0.000001, lot: 1,", "lot: 1,", None),  # default has a tick
    (
        "default:  {tick: 0.01, lot: 0.00000001, minimum: 1 USD}\n  DOGE-USD: {tick: 0.000001, ",
        "DOGE-USD: {",
        "8:3 TB609 `DOGE-USD` has no `tick`, and neither has `default` | add `tick: 0.01` to it",
    ),
]


@pytest.mark.parametrize(("old", "new", "message"), BAD)
def test_a_mistake_is_named_with_its_line_and_the_edit(old: str, new: str, message: str | None) -> None:
    assert GOOD.count(old) >= 1
    assert said(GOOD.replace(old, new, 1)) == ([] if message is None else [message])


YAML = [
    ("", "1:1 TB603 the settings are empty | start with `name: my-project`"),
    ("# nothing yet\n", "1:1 TB603 the settings are empty | start with `name: my-project`"),
    ("a: 1\n\tb: 2\n", "2:1 TB600 a tab cannot indent YAML | indent with spaces"),
    ("a: @x\n", "1:4 TB600 a value cannot start with `@` | put the value in quotes"),
    ("a: `x`\n", "1:4 TB600 a value cannot start with a backtick | put the value in quotes"),
    ("a: b: c\n", "1:5 TB600 a `:` does not fit here | put the value in quotes, or check the indentation"),
    ("a: 1\nfoo\nb: 2\n", "2:1 TB600 a key without `: value` | write `key: value`"),
    (" a: 1\nb: 2\n", "2:1 TB600 this does not fit the indentation of the lines above | line the keys up"),
    ("a: [1, 2\n", "1:9 TB600 the bracket is not closed before this | add `]` or a `,`"),
    ("a: {x: 1\nb: 2\n", "2:2 TB600 the bracket is not closed before this | add `}` or a `,`"),
    ("a: [1]]\n", "1:7 TB600 `]` closes or divides nothing | remove it, or put the value in quotes"),
    ("a: 'foo\n", "1:4 TB600 the quoted text is not closed | add the closing quote"),
    ("a: - 1\n", "1:4 TB600 a list cannot start on the line of its key | write it as `[a, b]`"),
    ("a: \x07\n", "1:4 TB600 the character U+0007 cannot stand in YAML | remove it"),
    ("a: *x\n", "1:4 TB600 anchors (`&name`) and references (`*name`) are not read here | write the value out"),
    ("a: !!python/object:os.system x\n", "1:4 TB600 tags (`!name`) are not read here | write the value alone"),
    ("---\na: 1\n---\nb: 2\n", "3:1 TB600 a second document starts here, and only one is read | remove the `---`"),
    ("? [a]\n: 1\n", "1:3 TB600 a key must be one word, not a list or a mapping"),
    ("[" * 5000, "1:22 TB600 nested deeper than 20 levels"),
    ("- a\n- b\n", "1:1 TB604 the file must be the settings of a tb project (tb.yaml), not a list"),
]


@pytest.mark.parametrize(("text", "message"), YAML)
def test_what_is_not_yaml_is_said_in_our_words(text: str, message: str) -> None:
    assert said(text) == [message]


def test_all_mistakes_are_named_in_one_run_in_the_order_of_the_file() -> None:
    text = GOOD.replace("10_000 USD", "10_000").replace("fee: 60bps", "fees: 60bps").replace("[LUNA-USD]", "7")
    assert [line.split(" ")[0] for line in said(text)] == ["5:11", "11:1", "12:3", "16:13"]


def test_a_key_given_twice_shows_where_it_stood_first() -> None:
    _, findings = parse_settings("tb.yaml", GOOD.replace("rules: rules", "name: other"))
    assert [str(label.span) for label in findings[0].labels] == ["tb.yaml:1:1"]


@given(st.text(alphabet="ab:-{}[]'\"#&*!|>%@`,\n\t 1.", max_size=40))
def test_no_text_is_too_strange(text: str) -> None:
    settings, findings = parse_settings("tb.yaml", text)
    assert settings is None
    assert findings
    for finding in findings:
        assert finding.span.line <= text.count("\n") + 1
        assert not any(word in finding.message for word in ("token", "scalar", "node", "None", "Traceback", "yaml."))


def test_the_published_schema_is_one_and_its_examples_fit() -> None:
    schema = settings_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(GOOD.replace("off", "'off'")), schema)
    for name, part in schema["properties"].items():
        for example in part.get("examples", []):
            jsonschema.validate(example, {"$defs": schema["$defs"], **part})
        assert part["description"], name


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("5%", "0.05", RATIO),
        ("60bps", "0.006", RATIO),
        ("250k USD", "250000", money("USD")),
        ("1.5M EUR", "1500000", money("EUR")),
        ("10_000 USD", "10000", money("USD")),
        ("72h", "259200000", DURATION),
        ("1.5m", "90000", DURATION),
        ("2 bars", "2", BARS),
        ("1 bar", "1", BARS),
        ("2.5R", "2.5", R),
        ("20", "20", NUMBER),
        ("-3%", "-0.03", RATIO),
        ("5M", "5000000", NUMBER),
    ],
)
def test_an_amount_is_exact_and_in_base_units(text: str, value: str, unit: Unit) -> None:
    amount = parse_amount(text)
    assert amount is not None
    assert (amount.value, amount.unit, amount.text) == (Decimal(value), unit, text)


@pytest.mark.parametrize(
    "text", ["", "USD", "5 usd", "1e5", "5 %%", "1,000 USD", "0.0001s", "9" * 40, "nan", "inf", "5_%", "1__0"]
)
def test_what_is_no_amount_gives_none(text: str) -> None:
    assert parse_amount(text) is None


def test_words_of_yaml_1_1_stay_words() -> None:
    node, findings = parse_yaml(
        "t", "{a: off, b: yes, c: 1:30, d: 2024-01-01, e: 0x10, f: 1_000, g: .5}", syntax="S", duplicate="D"
    )
    assert findings == []
    values = {entry.key: getattr(entry.value, "value", None) for entry in getattr(node, "entries", ())}
    assert values == {"a": "off", "b": "yes", "c": "1:30", "d": "2024-01-01", "e": "0x10", "f": 1000, "g": ".5"}


# trading for real


def test_live_settings_default_to_what_sends_nothing() -> None:
    live = good().live
    assert live == Live()
    assert live.read_only
    assert (live.venue, live.credentials, live.pin, live.kill_file) == (None, None, None, ".tb/KILL")


def test_live_settings_name_where_secrets_are() -> None:
    live = good(
        GOOD + "live: {venue: coinbase, read_only: false, credentials: 'env:COINBASE_KEY', pin: 'keyring:tb/pin', "
        "url: 'https://127.0.0.1:8443', answer_within: 2s, protect_within: 5s, tolerance: 25bps, metrics_port: 9464}\n"
    ).live
    assert (live.venue, live.read_only) == ("coinbase", False)
    assert live.credentials == SecretName("env", "COINBASE_KEY")
    assert live.pin == SecretName("keyring", "tb/pin")
    assert (live.answer_within, live.protect_within, live.clock_skew) == (2_000, 5_000, 1_000)
    assert (live.tolerance, live.metrics_port) == (Decimal("0.0025"), 9464)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("read_only: no way", "`live.read_only` must be `true` or `false`"),
        ("credentials: organizations/1/apiKeys/2", "`live.credentials` must be the place of a secret"),
        ("pin: '4711'", "`live.pin` must be the place of a secret"),
        ("url: 'https://me:secret@host'", "`live.url` must be an address"),
        ("tolerance: 20%", "`live.tolerance` is `20%`, more than 10%"),
        ("venue: kraken", "`live.venue` must be the name of a venue"),
        ("armed: true", "unknown key `armed` in `live`"),
    ],
)
def test_what_is_wrong_in_live_settings_is_told_in_words(entry: str, message: str) -> None:
    found = said(GOOD + f"live: {{{entry}}}\n")
    assert len(found) == 1, found
    assert message in found[0]


@pytest.mark.parametrize("entry", ["pin: 'seeded-4711'", "credentials: seeded-4711", "url: 'https://me:seeded-4711@host'"])
def test_a_secret_that_was_typed_into_the_settings_is_not_repeated(entry: str) -> None:
    _, findings = parse_settings("tb.yaml", GOOD + f"live:\n  {entry}\n")
    assert findings
    assert "seeded-4711" not in human(findings, {"tb.yaml": GOOD + f"live:\n  {entry}\n"})
