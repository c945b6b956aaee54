"""What Coinbase is asked without changing anything: rules, executions, balances, bars, quotes, time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from coinbase_answers import NOW, account, candle, fill, order, product
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from scripted_venue import PREFIX, Asked, Venue, serving

from tb.connectors.coinbase import Coinbase, Credentials, connect
from tb.core.diagnostics import Refused
from tb.core.time import HOUR, MINUTE
from tb.runtime.ports.exchange import Balance, Candle, NoAnswer, Quoted, Rules, VenueFill

D = Decimal
FILLS, BATCH = "/orders/historical/fills", "/orders/historical/batch"


def test_the_rules_of_products(venue: Venue, adapter: Coinbase) -> None:
    venue.on("/products", (200, {"products": [product(), product(product_id="ETH-USD", base_min_size="", quote_min_size="0")]}))
    found = adapter.rules(["BTC-USD", "GONE-USD"])
    assert found == {
        "BTC-USD": Rules(
            "BTC-USD", "BTC", "USD", D("0.01"), D("0.00000001"), D("0.00000001"), D(3400), D(1), D(150_000_000), "open"
        )
    }
    names = [("product_ids", "BTC-USD"), ("product_ids", "GONE-USD")]
    assert venue.asked[-1].query == [*names, ("get_tradability_status", "true")]
    other = adapter.rules(["ETH-USD"])
    assert not isinstance(other, NoAnswer)
    assert (other["ETH-USD"].min_quantity, other["ETH-USD"].min_notional) == (None, None)


@pytest.mark.parametrize(
    ("mark", "status"),
    [
        ({"trading_disabled": True}, "closed"),
        ({"view_only": True}, "closed"),
        ({"is_disabled": True}, "closed"),
        ({"status": "delisted"}, "closed"),
        ({"cancel_only": True, "post_only": True}, "cancel only"),
        ({"auction_mode": True}, "cancel only"),
        ({"post_only": True, "limit_only": True}, "post only"),
        ({"limit_only": True}, "limit only"),
    ],
)
def test_whether_a_product_trades(venue: Venue, adapter: Coinbase, mark: dict[str, Any], status: str) -> None:
    venue.on("/products", (200, {"products": [product(**mark)]}))
    found = adapter.rules(["BTC-USD"])
    assert not isinstance(found, NoAnswer)
    assert found["BTC-USD"].status == status


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"price_increment": ""}, "price_increment"),
        ({"base_increment": "0"}, "base_increment"),
        ({"base_increment": "NaN"}, "base_increment"),
        ({"cancel_only": None}, "cancel_only"),
        ({"status": ""}, "status"),
        ({"base_max_size": "much"}, "base_max_size"),
    ],
)
def test_rules_that_lack_something_are_no_answer(venue: Venue, adapter: Coinbase, changed: dict[str, Any], named: str) -> None:
    venue.on("/products", (200, {"products": [product(**changed)]}))
    answer = adapter.rules(["BTC-USD"])
    assert isinstance(answer, NoAnswer)
    assert f"`{named}`" in answer.why


def test_a_product_that_the_venue_does_not_know_is_left_out(venue: Venue, adapter: Coinbase) -> None:
    venue.on("/products", (400, {"error": "INVALID_ARGUMENT", "message": "one of them"}))
    venue.on("/products/BTC-USD", (200, product()))
    found = adapter.rules(["BTC-USD", "GONE-USD"])
    assert not isinstance(found, NoAnswer)
    assert list(found) == ["BTC-USD"]


def test_executions_oldest_first_with_our_ids(venue: Venue, adapter: Coinbase) -> None:
    later = fill(entry_id="e-2", trade_time="2026-01-02T03:02:00.000000001Z", order_id="v-2", side="SELL")
    early = fill(entry_id="e-0", trade_time="2026-01-02T03:00:59.999Z")
    venue.on(FILLS, (200, {"fills": [later], "cursor": "a"}), (200, {"fills": [fill(), early], "cursor": ""}))
    venue.on(BATCH, (200, {"orders": [order()], "has_next": False, "cursor": ""}))
    since = 1_767_322_860_000
    found = adapter.fills(since)
    assert found == (
        VenueFill("e-1", "c-1", "v-1", "BTC-USD", "buy", D("0.2"), D("59999.12"), D("12.000000005"), since + 123),
        VenueFill("e-2", "", "v-2", "BTC-USD", "sell", D("0.2"), D("59999.12"), D("12.000000005"), since + 60_000),
    )
    asked = [(asked.path, asked.query) for asked in venue.asked]
    start = ("start_sequence_timestamp", "2026-01-02T02:56:00.000Z")
    assert asked == [(FILLS, [start]), (FILLS, [start, ("cursor", "a")]), (BATCH, [("order_ids", "v-1"), ("order_ids", "v-2")])]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"trade_type": "REVERSAL"}, "trade_type"),
        ({"size": "0"}, "size"),
        ({"price": "NaN"}, "price"),
        ({"commission": None}, "commission"),
        ({"trade_time": ""}, "trade_time"),
    ],
)
def test_an_execution_that_lacks_something_is_no_answer(
    venue: Venue, adapter: Coinbase, changed: dict[str, Any], named: str
) -> None:
    venue.on(FILLS, (200, {"fills": [fill(**changed)], "cursor": ""}))
    answer = adapter.fills(0)
    assert isinstance(answer, NoAnswer)
    assert f"`{named}`" in answer.why


def test_no_executions_is_an_answer_and_an_unknown_order_is_none(venue: Venue, adapter: Coinbase) -> None:
    venue.on(FILLS, (200, {"fills": [], "cursor": ""}), (200, {"fills": [fill()], "cursor": ""}))
    assert adapter.fills(0) == ()
    venue.on(BATCH, (503, {}))
    assert isinstance(adapter.fills(0), NoAnswer)


def test_an_execution_sized_in_money_is_turned_into_a_quantity(venue: Venue, adapter: Coinbase) -> None:
    venue.on(FILLS, (200, {"fills": [fill(size_in_quote=True, size="100", price="3")], "cursor": ""}))
    venue.on(BATCH, (200, {"orders": [], "has_next": False}))
    found = adapter.fills(0)
    assert isinstance(found, tuple)
    assert found[0].quantity == D("33.33333333")


def test_balances_of_all_pages_without_what_cannot_be_traded(venue: Venue, adapter: Coinbase) -> None:
    vault = account("BTC", "9", "0", type="ACCOUNT_TYPE_VAULT")
    shut = account("BTC", "9", "0", active=False)
    first = {"accounts": [account("USD", "100.01", "5"), vault, shut], "has_next": True, "cursor": "a"}
    second = {"accounts": [account("BTC", "0.1", "0"), account("BTC", "0.2", "0.3")], "has_next": False, "cursor": ""}
    venue.on("/accounts", (200, first), (200, second))
    assert adapter.balances() == (Balance("BTC", D("0.3"), D("0.3")), Balance("USD", D("100.01"), D(5)))
    wrong = account("USD", "1", "0", available_balance={"value": "1", "currency": "EUR"})
    for bad in (wrong, account("USD", "NaN", "0"), account("USD", "-1", "0"), account("USD", "1", "0", hold=None)):
        venue.on("/accounts", (200, {"accounts": [bad], "has_next": False}))
        assert isinstance(adapter.balances(), NoAnswer)


def test_the_clock(venue: Venue, adapter: Coinbase) -> None:
    assert adapter.clock() == NOW
    assert "authorization" not in venue.asked[-1].headers
    venue.on("/time", (200, {"iso": "x"}))
    assert adapter.clock() == NoAnswer("clock: `epochMillis` is missing")


def hourly(asked: Asked) -> tuple[int, Any]:
    """A candle for each hour asked for, newest first, none at the tenth hour of the day, and one too many."""
    query = dict(asked.query)
    first, last = int(query["start"]), int(query["end"])
    starts = [start for start in range(first - 3600, last + 7200, 3600) if start // 3600 % 24 != 10]
    assert (last - first) // 3600 < 300
    return 200, {"candles": [candle(start) for start in reversed(starts)]}


def test_candles_of_several_pages_closed_ones_alone(venue: Venue, adapter: Coinbase) -> None:
    venue.on("/products/BTC-USD/candles", hourly)
    first = NOW // HOUR * HOUR - 700 * HOUR
    found = adapter.candles("BTC-USD", HOUR, first + 1, NOW + 10 * HOUR)
    assert isinstance(found, tuple)
    starts = [at for at in range(first + HOUR, NOW // HOUR * HOUR, HOUR) if at // HOUR % 24 != 10]
    assert [bar.start for bar in found] == starts
    assert found[0] == Candle(starts[0], D("11.000000000000000001"), D("12.3"), D("10.1"), D(12), D("5.5"))
    assert len(venue.of("/products/BTC-USD/candles")) == 3
    assert dict(venue.asked[-1].query)["granularity"] == "ONE_HOUR"


@pytest.mark.parametrize(
    "changed",
    [
        {"start": "3601"},
        {"start": ""},
        {"open": "NaN"},
        {"low": "0"},
        {"high": "11"},
        {"close": "99"},
        {"volume": "-1"},
        {"volume": None},
    ],
)
def test_a_candle_that_cannot_be_is_no_answer(venue: Venue, adapter: Coinbase, changed: dict[str, Any]) -> None:
    venue.on("/products/BTC-USD/candles", (200, {"candles": [candle(3600, **changed)]}))
    assert isinstance(adapter.candles("BTC-USD", HOUR, 0, 10 * HOUR), NoAnswer)


def test_candles_without_a_trade_twice_or_of_an_unknown_period(venue: Venue, adapter: Coinbase) -> None:
    path = "/products/BTC-USD/candles"
    venue.on(path, (200, {"candles": [candle(3600), candle(3600), candle(7200, volume="0")]}))
    found = adapter.candles("BTC-USD", HOUR, 0, 10 * HOUR)
    assert isinstance(found, tuple)
    assert [bar.start for bar in found] == [HOUR]
    venue.on(path, (200, {"candles": [candle(3600), candle(3600, volume="6")]}))
    assert isinstance(adapter.candles("BTC-USD", HOUR, 0, 10 * HOUR), NoAnswer)
    asked = len(venue.asked)
    odd = adapter.candles("BTC-USD", 7 * MINUTE, 0, HOUR)
    assert isinstance(odd, NoAnswer)
    assert "1m, 5m" in odd.why
    assert len(venue.asked) == asked


def price_book(name: str, bid: str, ask: str) -> dict[str, Any]:
    level = {"size": "1"}
    bids = [{"price": bid, **level}] if bid else []
    asks = [{"price": ask, **level}] if ask else []
    return {"product_id": name, "bids": bids, "asks": asks, "time": "2026-01-02T03:04:04.999999Z"}


def test_quotes_as_they_are(venue: Venue, adapter: Coinbase) -> None:
    books = [price_book("ETH-USD", "11", "10"), price_book("BTC-USD", "9", "10"), price_book("LTC-USD", "", "10")]
    venue.on("/best_bid_ask", (200, {"pricebooks": books}))
    assert adapter.quotes(["BTC-USD", "ETH-USD", "LTC-USD"]) == (
        Quoted("BTC-USD", D(9), D(10), NOW - 1, NOW),
        Quoted("ETH-USD", D(11), D(10), NOW - 1, NOW),
    )
    venue.on("/best_bid_ask", (200, {"pricebooks": [price_book("BTC-USD", "NaN", "10")]}))
    assert isinstance(adapter.quotes(["BTC-USD"]), NoAnswer)


def test_quotes_and_orders_of_two_names_of_one_book(venue: Venue, adapter: Coinbase) -> None:
    both = [product(), product(product_id="BTC-USDC", alias="BTC-USD", alias_to=[])]
    venue.on("/products", (200, {"products": both}))
    venue.on("/best_bid_ask", (200, {"pricebooks": [price_book("BTC-USD", "9", "10")]}))
    venue.on(BATCH, (200, {"orders": [], "has_next": False}))
    adapter.rules(["BTC-USD", "BTC-USDC"])
    assert adapter.quotes(["BTC-USDC"]) == (Quoted("BTC-USDC", D(9), D(10), NOW - 1, NOW),)
    assert adapter.find("c-1", "BTC-USDC", NOW) is None
    assert venue.asked[-1].query[:2] == [("product_ids", "BTC-USDC"), ("product_ids", "BTC-USD")]


def test_without_a_key_what_is_public_is_asked_and_nothing_else(venue: Venue) -> None:
    adapter = connect(None, base_url=venue.url)
    venue.on("/market/products", (200, {"products": [product()]}))
    venue.on("/market/products/BTC-USD/candles", (200, {"candles": [candle(3600)]}))
    venue.on("/market/product_book", (200, {"pricebook": price_book("BTC-USD", "9", "10")}))
    for answer in (adapter.rules(["BTC-USD"]), adapter.candles("BTC-USD", HOUR, 0, 5 * HOUR), adapter.quotes(["BTC-USD"])):
        assert not isinstance(answer, NoAnswer)
        assert len(answer) == 1
    assert all("authorization" not in asked.headers for asked in venue.asked)
    asked = len(venue.asked)
    assert adapter.balances() == NoAnswer("GET /accounts was not sent: it needs a key", undone=True)
    assert len(venue.asked) == asked
    adapter.close()


def authority(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine, and its key."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "venue")])
    now = datetime.now(UTC)
    import ipaddress

    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    paths = folder / "venue.pem", folder / "venue.key"
    paths[0].write_bytes(made.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


def test_over_tls_with_an_authority_of_ones_own_and_not_without(tmp_path: Path, credentials: Credentials) -> None:
    certificate = authority(tmp_path)
    with serving(Venue(), certificate) as venue:
        venue.on("/time", (200, {"epochMillis": str(NOW)}))
        trusting = connect(credentials, base_url=venue.url, authorities=str(certificate[0]))
        assert trusting.clock() == NOW
        wary = connect(credentials, base_url=venue.url)
        assert wary.clock() == NoAnswer("GET /time: no connection", undone=True)
        trusting.close()
        wary.close()


@pytest.mark.parametrize(
    "bad",
    [
        {"base_url": "http://api.example.com"},
        {"base_url": "api.example.com"},
        {"user_url": "ws://example.com"},
        {"market_url": "https://example.com"},
        {"base_url": "https://user:word@example.com"},
    ],
)
def test_a_key_goes_over_no_open_line(credentials: Credentials, bad: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        connect(credentials, **bad)
    assert [finding.code for finding in refused.value.findings] == ["TB801"]
    assert "word" not in repr(refused.value.findings)
    assert PREFIX not in repr(refused.value)
