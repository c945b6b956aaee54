"""The settings of a project: the text of `tb.yaml` in, settings and findings out.

The shape is checked against `settings.schema.json`, then the meaning: currencies agree, folders lie in the project, every
instrument has a tick and a lot. There are settings only where there is no error. Numbers are exact.
"""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo, available_timezones

from tb.core.amount import parse_amount
from tb.core.diagnostics import Diagnostic, Severity, did_you_mean, error, has_errors, in_order
from tb.core.live_settings import Live, SecretName
from tb.core.schema import Codes, Schema, check_schema, dotted, load_schema
from tb.core.span import Span, whole_file
from tb.core.time import HOUR
from tb.core.units import Kind
from tb.core.yaml_source import Mapping, Node, Path, Scalar, key_span, node_at, parse_yaml

SYNTAX = "TB600"
DUPLICATE = "TB601"
CODES = Codes(unknown_key="TB602", missing_key="TB603", wrong_value="TB604")
OUT_OF_RANGE = "TB605"
OTHER_CURRENCY = "TB606"
DERIVATIVES = frozenset({"PERP", "SWAP"})  # the last part of a name that says what it is, not what it is priced in
UNKNOWN_ZONE = "TB607"
OUTSIDE = "TB608"
INCOMPLETE = "TB609"
NO_RATE = "TB614"

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class InstrumentSpec:
    """What the venue demands of orders in an instrument.

    `tick` is the step of the price, `lot` the step of the quantity, `minimum_notional` the smallest value of an order in the
    account's currency, `pip` a pip in price, `max_quantity` the largest quantity of one order, `margin` the share
    of its value that a position binds; None where there is none.
    """

    tick: Decimal
    lot: Decimal
    minimum_notional: Decimal = _NOTHING
    pip: Decimal | None = None
    max_quantity: Decimal | None = None
    margin: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Venue:
    """What the simulated venue charges: ratios as fractions, `depth` in the account's currency; None is unknown."""

    fee: Decimal
    slippage: Decimal
    spread: Decimal | None = None
    depth: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """`equity` is what a replay starts with, in `currency`; a trading day begins at midnight of `timezone`."""

    currency: str
    equity: Decimal
    timezone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Conversion:
    """What turns prices in one currency into the account's: the price of `instrument`, or where `inverse`, 1 over it."""

    instrument: str
    inverse: bool


@dataclass(frozen=True, slots=True)
class Override:
    """The value that the settings give to a parameter, as it would stand in a rule, and where they do."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Level:
    """The severity that the settings give to a lint rule, or to a category of them; None is off."""

    severity: Severity | None
    span: Span


@dataclass(frozen=True, slots=True)
class Settings:
    """A project's settings. Paths are relative to the project's root, with `/`; durations are in ms."""

    file: str
    name: str
    rules: str
    policy: str
    ledger: str
    account: Account
    instruments: Table[str, InstrumentSpec]  # as named, already merged over `default`; `default` too if it is complete
    venue: Venue
    venue_of: Table[str, Venue]  # of the instruments that give their own
    restricted: tuple[str, ...]
    data: str | None
    feeds: str | None
    feed_files: Table[str, str]
    advice_files: dict[str, str]
    halts_lifted_after: int | None
    lint_levels: Table[str, Level]
    lint_budget: int | None
    parameters: Table[str, Override]
    rates: Table[str, Conversion]  # by currency
    rates_stale_after: int
    live: Live

    def instrument(self, symbol: str) -> InstrumentSpec | None:
        """What the venue demands for this instrument: its own entry over `default`; None where there is neither."""
        return self.instruments.get(symbol) or self.instruments.get("default")

    def conversion(self, symbol: str) -> Conversion | None:
        """What converts the prices of an instrument; None where they are in the account's currency, or where nothing does."""
        return self.rates.get(quote_currency(symbol) or "")

    def is_foreign(self, symbol: str) -> bool:
        """Whether an instrument is priced in another currency than the account's."""
        return is_foreign(symbol, self.account.currency)

    def venue_for(self, symbol: str) -> Venue:
        """What the simulated venue charges for this instrument."""
        return self.venue_of.get(symbol) or self.venue_of.get("default") or self.venue


def pair_of(symbol: str) -> tuple[str, str] | None:
    """What an instrument is of and what it is priced in: `EUR` and `USD` of `EUR_USD`; None where its name does not say."""
    parts = symbol.replace("_", "-").replace("/", "-").split("-")
    return (parts[0], parts[1]) if len(parts) == 2 and parts[1] not in DERIVATIVES else None


@cache
def quote_currency(symbol: str) -> str | None:
    """The currency an instrument is priced in: `USD` of `BTC-USD`, of `EUR_USD` and of `BTC-USD-PERP`; None where its name does
    not say, as in `BTC-PERP`. Such an instrument is taken to be priced in the account's currency."""
    parts = [part for part in symbol.replace("_", "-").replace("/", "-").split("-") if part not in DERIVATIVES]
    return parts[-1] if len(parts) > 1 else None


def is_foreign(symbol: str, currency: str) -> bool:
    """Whether an instrument is priced in another currency than this one."""
    return quote_currency(symbol) not in {None, currency}


def settings_schema() -> Schema:
    """The published JSON Schema of `tb.yaml`."""
    return load_schema("tb.core", "settings.schema.json")


def parse_settings(file: str, text: str) -> tuple[Settings | None, list[Diagnostic]]:
    """The settings that a text holds, None where it has errors, and its findings in order of place."""
    root, findings = parse_yaml(file, text, syntax=SYNTAX, duplicate=DUPLICATE)
    if root is None:
        if not findings:
            findings = [error(CODES.missing_key, "the settings are empty", whole_file(file), "start with `name: my-project`")]
        return None, findings
    findings += check_schema(root, settings_schema(), CODES)
    if has_errors(findings):
        return None, in_order(findings)
    reading = _Reading(file, root)
    settings = reading.settings()
    return (None if has_errors(reading.findings) else settings), in_order(reading.findings)


class _Reading:
    """Turns a tree that fits the schema into settings, and collects what the schema cannot say."""

    def __init__(self, file: str, root: Node) -> None:
        self.file = file
        self.root = root
        self.currency = ""
        self.findings: list[Diagnostic] = []

    def settings(self) -> Settings | None:
        self.currency = self.text(("account", "currency")) or ""
        equity, zone = self.money(("account", "equity"), is_positive=True), self.zone(("account", "timezone"))
        venue = self.venue(("venue",), None)
        entries = self.entries(("instruments",))
        if equity is None or zone is None:
            return None
        return Settings(
            file=self.file,
            name=self.text(("name",)) or "",
            rules=self.folder(("rules",), "rules"),
            policy=self.folder(("policy",), "policy"),
            ledger=self.text(("ledger",)) or ".tb/ledger.sqlite",
            account=Account(self.currency, equity, zone),
            instruments=self.instruments(entries),
            venue=venue,
            venue_of=self.venues(entries, venue),
            restricted=self.words(("restricted",)),
            data=self.text(("replay", "data")),
            feeds=self.text(("replay", "feeds")),
            advice_files={name: value.text for name, value in self.scalars(("advice",))},
            feed_files={name: value.text for name, value in self.scalars(("feeds",))},
            halts_lifted_after=self.duration(("replay", "halts_lifted_after")),
            lint_levels={code: Level(_severity(value), value.span) for code, value in self.scalars(("lint", "levels"))},
            lint_budget=self.count(("lint", "budget")),
            rates=self.rates(),
            rates_stale_after=self.duration(("rates_stale_after",)) or HOUR,
            parameters={name: Override(value.text, value.span) for name, value in self.scalars(("parameters",))},
            live=self.live(),
        )

    def live(self) -> Live:
        """What the section `live` says, the rest as by default."""
        plain = Live()
        return Live(
            venue=self.text(("live", "venue")),
            read_only=self.truth(("live", "read_only"), plain.read_only),
            credentials=self.secret(("live", "credentials")),
            pin=self.secret(("live", "pin")),
            alerts=self.secret(("live", "alerts")),
            url=self.text(("live", "url")),
            market_url=self.text(("live", "market_url")),
            user_url=self.text(("live", "user_url")),
            state=self.text(("live", "state")) or plain.state,
            kill_file=self.text(("live", "kill_file")) or plain.kill_file,
            answer_within=self.duration(("live", "answer_within")) or plain.answer_within,
            protect_within=self.duration(("live", "protect_within")) or plain.protect_within,
            clock_skew=self.duration(("live", "clock_skew")) or plain.clock_skew,
            tolerance=plain.tolerance if (ratio := self.ratio(("live", "tolerance"), "10%")) is None else ratio,
            metrics_port=self.count(("live", "metrics_port")),
            cancel_on_disconnect=self.truth(("live", "cancel_on_disconnect"), plain.cancel_on_disconnect),
        )

    def truth(self, path: Path, default: bool) -> bool:
        node = self.at(path)
        return node.value is True if isinstance(node, Scalar) else default

    def secret(self, path: Path) -> SecretName | None:
        """Where a secret is kept."""
        text = self.text(path)
        return None if text is None else SecretName(*text.split(":", 1))

    def rates(self) -> dict[str, Conversion]:
        """What converts each currency; an instrument that is not of both currencies converts nothing."""
        found = {}
        for currency, value in self.scalars(("rates",)):
            pair = pair_of(value.text)
            if currency == self.currency:
                message = f"`{currency}` is the account's currency: nothing is to be converted"
                self.findings.append(error(NO_RATE, message, key_span(self.root, ("rates", currency)), "take it out"))
            elif pair not in {(currency, self.currency), (self.currency, currency)}:
                message = f"`{value.text}` does not say what `{currency}` is worth in `{self.currency}`"
                hint = f"name the instrument `{currency}_{self.currency}` or `{self.currency}_{currency}` of the data"
                self.findings.append(error(NO_RATE, message, value.span, hint))
            else:
                found[currency] = Conversion(value.text, pair == (self.currency, currency))
        return found

    def instruments(self, names: tuple[str, ...]) -> dict[str, InstrumentSpec]:
        specs = {}
        for name in names:
            tick, lot = self.own_or_default(name, "tick"), self.own_or_default(name, "lot")
            if tick is None or lot is None:
                missing = "tick" if tick is None else "lot"
                if name != "default":
                    message = f"`{name}` has no `{missing}`, and neither has `default`"
                    hint = f"add `{missing}: 0.01` to it" if missing == "tick" else f"add `{missing}: 0.0001` to it"
                    self.findings.append(error(INCOMPLETE, message, key_span(self.root, ("instruments", name)), hint))
                continue
            minimum = self.first_of(name, "minimum")
            specs[name] = InstrumentSpec(
                tick=tick,
                lot=lot,
                minimum_notional=(self.money(minimum) if minimum else None) or _NOTHING,
                pip=self.own_or_default(name, "pip"),
                max_quantity=self.own_or_default(name, "max_quantity"),
                margin=None if (margin := self.first_of(name, "margin")) is None else self.ratio(margin, "100%"),
            )
        return specs

    def venues(self, names: tuple[str, ...], venue: Venue) -> dict[str, Venue]:
        own = {"fee", "slippage", "spread", "depth"}
        common = self.venue(("instruments", "default"), venue)
        venues = {name: self.venue(("instruments", name), common) for name in names if own & set(self.keys(name))}
        return {**({"default": common} if common != venue else {}), **venues}

    def venue(self, path: Path, under: Venue | None) -> Venue:
        fee, slippage = self.ratio((*path, "fee"), "10%"), self.ratio((*path, "slippage"), "10%")
        spread, depth = self.ratio((*path, "spread"), "100%"), self.money((*path, "depth"))
        if under is None:
            return Venue(fee or _NOTHING, slippage or _NOTHING, spread, depth)
        return Venue(
            fee=under.fee if fee is None else fee,
            slippage=under.slippage if slippage is None else slippage,
            spread=under.spread if spread is None else spread,
            depth=under.depth if depth is None else depth,
        )

    def entries(self, path: Path) -> tuple[str, ...]:
        node = self.at(path)
        return tuple(entry.key for entry in node.entries) if isinstance(node, Mapping) else ()

    def keys(self, instrument: str) -> tuple[str, ...]:
        return self.entries(("instruments", instrument))

    def scalars(self, path: Path) -> list[tuple[str, Scalar]]:
        found = ((key, self.at((*path, key))) for key in self.entries(path))
        return [(key, value) for key, value in found if isinstance(value, Scalar)]

    def first_of(self, instrument: str, key: str) -> Path | None:
        """Where an instrument's own key stands, or else that of `default`."""
        paths: tuple[Path, ...] = (("instruments", instrument, key), ("instruments", "default", key))
        return next((path for path in paths if self.at(path) is not None), None)

    def own_or_default(self, instrument: str, key: str) -> Decimal | None:
        path = self.first_of(instrument, key)
        node = self.at(path) if path else None
        return Decimal(str(node.value)) if isinstance(node, Scalar) else None

    def at(self, path: Path) -> Node | None:
        try:
            return node_at(self.root, path)
        except KeyError:
            return None

    def text(self, path: Path) -> str | None:
        node = self.at(path)
        return node.text if isinstance(node, Scalar) else None

    def count(self, path: Path) -> int | None:
        node = self.at(path)
        return int(Decimal(str(node.value))) if isinstance(node, Scalar) else None

    def words(self, path: Path) -> tuple[str, ...]:
        node = self.at(path)
        return tuple(item.text for item in getattr(node, "items", ()) if isinstance(item, Scalar))

    def ratio(self, path: Path, most: str) -> Decimal | None:
        node = self.at(path)
        if not isinstance(node, Scalar) or (amount := parse_amount(node.text)) is None:
            return None
        limit = parse_amount(most)
        if limit is not None and amount.value > limit.value:
            message = f"`{dotted(path)}` is `{node.text}`, more than {most}"
            self.findings.append(error(OUT_OF_RANGE, message, node.span, "check the unit: 1% is 100bps"))
        return amount.value

    def money(self, path: Path, *, is_positive: bool = False) -> Decimal | None:
        node = self.at(path)
        if not isinstance(node, Scalar) or (amount := parse_amount(node.text)) is None:
            return None
        if amount.unit.kind is Kind.MONEY and amount.unit.tag != self.currency:
            message = f"`{dotted(path)}` is in {amount.unit.tag}, and the account in {self.currency}"
            self.findings.append(error(OTHER_CURRENCY, message, node.span, f"give it in {self.currency}"))
        if is_positive and amount.value <= 0:
            message = f"`{dotted(path)}` must be greater than 0"
            self.findings.append(error(OUT_OF_RANGE, message, node.span, f"such as `10_000 {self.currency}`"))
        return amount.value

    def duration(self, path: Path) -> int | None:
        node = self.at(path)
        if not isinstance(node, Scalar):
            return None
        amount = parse_amount(node.text)
        if amount is None or amount.value <= 0:
            message = f"`{dotted(path)}` must be greater than 0 and a whole number of milliseconds"
            self.findings.append(error(OUT_OF_RANGE, message, node.span, "such as `7d`"))
            return None
        return int(amount.value)

    def zone(self, path: Path) -> ZoneInfo | None:
        name = self.text(path) or "UTC"
        try:
            return ZoneInfo(name)
        except (ValueError, OSError, KeyError):  # an unknown key, a path in disguise, a folder of zones
            pass
        node, zones = self.at(path), available_timezones()
        span = node.span if node is not None else key_span(self.root, path[:1])
        message, hint = f"`{name}` is not a time zone", did_you_mean(name, zones) or "such as `UTC` or `America/New_York`"
        if not zones:
            message, hint = f"the time zone `{name}` is unknown: this machine has no time zone data", "install `tzdata`"
        elif near := {zone.rpartition("/")[2]: zone for zone in sorted(zones)}.get(name.replace(" ", "_")):
            hint = f"did you mean `{near}`?"
        self.findings.append(error(UNKNOWN_ZONE, message, span, hint))
        return None

    def folder(self, path: Path, default: str) -> str:
        node = self.at(path)
        text = node.text if isinstance(node, Scalar) else default
        folder = PurePosixPath(text)
        if node is not None and (folder.is_absolute() or ".." in folder.parts or "\\" in text or ":" in text or text == "."):
            message = f"`{dotted(path)}` must be a folder inside the project, not `{text}`"
            self.findings.append(error(OUTSIDE, message, node.span, f"write `{default}`"))
        return str(folder)


def _severity(value: Scalar) -> Severity | None:
    return {"error": Severity.ERROR, "warning": Severity.WARNING, "hint": Severity.HINT}.get(value.text)
