"""The report as a document: complete, self-contained, the same each time, and unmoved by hostile names."""

from __future__ import annotations

import base64
import hashlib
import re
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb.core.records import Decision, Latch, Mark, Run, Trade
from tb.core.time import DAY, HOUR
from tb.replay.curve import Curve
from tb.replay.figures import Meaning, Missing, figure
from tb.replay.metrics import measure
from tb.replay.report import render_report, wording
from tb.replay.report.chart import Span
from tb.replay.report.equity import drawdown_chart
from tb.replay.report.scales import Scale, instants, scale
from tb.replay.report.thinning import bands, thin

START = 1_704_067_200_000  # 2024-01-01 00:00 UTC
BARS = 2_000
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>\u202e\x00\ud800&lt;\u2028'
VOID = {"meta", "br", "img", "link", "input"}


class Document(HTMLParser):
    """Tags, attributes and text of a page; complains about tags that do not close."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.unclosed: list[str] = []
        self.inside: dict[str, list[str]] = {"style": [], "script": []}
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.unclosed.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.unclosed.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.unclosed and self.unclosed[-1] in self.inside:
            self.inside[self.unclosed[-1]].append(data)
        else:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def columns(count: int = BARS, level: float = 100.0) -> Any:
    times = START + np.arange(count, dtype=np.int64) * HOUR
    close = level * (1.0 + 0.2 * np.sin(np.arange(count) / 100.0))
    return times, close, close * 1.01, close * 0.99, close


def trade(seq: int, name: str, profit: str | None, **changes: Any) -> Trade:
    values: dict[str, Any] = {
        "seq": seq,
        "strategy": name,
        "instrument": "BTC-USD",
        "side": "long",
        "decision": seq,
        "entry_at": START + seq * DAY,
        "entry_row": 0,
        "entry_price": Decimal("101.2300"),
        "quantity": Decimal("1.50"),
        "stop": Decimal(95),
        "target": None,
        "exit_at": None if profit is None else START + seq * DAY + 26 * HOUR,
        "exit_row": None,
        "exit_price": None if profit is None else Decimal(104),
        "cause": None if profit is None else name,
        "fees": Decimal("0.5"),
        "profit": None if profit is None else Decimal(profit),
        "r": None if profit is None else Decimal(profit) / 10,
        "best": 0.04,
        "worst": 0.02,
    }
    return Trade(**(values | changes))


def refusal(seq: int, name: str) -> Decision:
    return Decision(
        seq=seq,
        at=START + seq * HOUR,
        kind="enter",
        strategy=name,
        enter=0,
        instrument="BTC-USD",
        side="buy",
        row=seq,
        verdict="reject",
        deciding=(name,),
        proposed=Decimal(2),
        approved=Decimal(0),
        price=Decimal(100),
        stop=None,
        target=None,
        confidence=None,
        reason=name,
        failed=1,
        unknown=0,
        facts=(),
        market=(),
        ages=(),
        rows=(),
    )


def page(name: str = "momentum", *, empty: bool = False, **changes: Any) -> str:
    """A report in which `name` stands wherever a user's text may stand."""
    last = START + BARS * HOUR
    made = (
        [] if empty else [*(trade(i + 1, name, str(30 - 25 * (i % 2))) for i in range(3)), trade(99, name, None, side="short")]
    )
    refused = [] if empty else [refusal(i + 1, name) for i in range(2)]
    latches = (
        [] if empty else [Latch(at=START + DAY, rule=name, verdict="halt", until=None, lifted=False, by=name, reason=name)]
    )
    marks = (
        [] if empty else [Mark(at=START + DAY, equity=Decimal(1010), exposure=Decimal(100), usage={name: 0.5, "gross": 1.2})]
    )
    equity = [] if empty else [(START + i * DAY, 1000 + 10 * (i % 7) + i) for i in range(1, 80)]
    values: dict[str, Any] = {
        "run": Run(
            id="r2",
            mode="replay",
            started=START,
            policy_hash="3f9c" * 16,
            data=name,
            data_hash="ab" * 32,
            first=START,
            last=last,
            instruments=("BTC-USD", name),
            period=HOUR,
            initial_equity=Decimal(1000),
            currency="USD",
            config={name: name},
            version="0.1.0",
        ),
        "summary": {"bars": 214321, "elapsed_s": 2.3456789, name: name, "parts": [name, 1]},
        "metrics": measure(
            equity=equity,
            trades=made,
            fills=(),
            decisions=refused,
            initial_equity=Decimal(1000),
            marks=marks,
            latches=latches,
            first=START,
            last=last,
        ),
        "equity": equity,
        "trades": made,
        "decisions": refused,
        "latches": latches,
        "bars": {} if empty else {"BTC-USD": columns(), name: columns(level=0.001)},
        "notes": [] if empty else [name],
    }
    return render_report(**(values | changes))


# the document


def test_the_page_is_whole_and_says_what_it_is() -> None:
    document = Document(page())
    assert document.unclosed == []
    assert document.tags[0] == "html"
    for phrase in ("Run r2", "SIMULATION", "2024-01-01 00:00 to 2024-03-24 08:00 UTC", "3f9c3f9c3f9c3f9c", "tb explain r2.t99"):
        assert phrase in document.text
    for phrase in ("214,321", "101.23", "1 d 2 h", "+30.00 USD", "p95", "120.0%", "Jan", "in force at the end", "still open"):
        assert phrase in document.text, phrase
    ids = [value for _, name, value in document.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    links = [value[1:] for tag, name, value in document.attributes if tag in ("a", "use") and name == "href"]
    assert links
    assert set(links) <= set(ids)


def test_every_metric_stands_in_it_with_its_definition() -> None:
    metrics = measure(equity=(), trades=(), fills=(), decisions=(), initial_equity=Decimal(1000), first=START, last=START + DAY)
    document = Document(page(metrics=metrics))
    titles = [value for _, name, value in document.attributes if name == "title"]
    for metric in metrics.each():
        assert metric.definition in titles
        assert metric.definition in document.text
        assert metric.note in document.text
    assert "needs at least two days" in document.text


def test_it_loads_nothing_and_runs_nothing_but_its_own_script() -> None:
    source = page()
    document = Document(source)
    for tag, name, value in document.attributes:
        assert name not in {"src", "srcset", "style", "action", "data", "poster"}, (tag, name)
        assert not name.startswith("on"), (tag, name)
        assert name != "href" or value.startswith("#"), (tag, name, value)
    assert document.tags.count("script") == document.tags.count("style") == 1
    assert not re.search(r"url\(|@import|fetch\(|XMLHttp|eval\(|innerHTML", source)
    assert "http" not in source.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    policy = next(value for tag, name, value in document.attributes if tag == "meta" and "default-src" in value)
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256("".join(document.inside[kind]).encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_the_same_records_give_the_same_bytes() -> None:
    assert page() == page()


def test_no_noise_of_floating_point_and_nothing_that_is_not_a_number() -> None:
    words = Document(page()).text
    assert not re.search(r"\d\.\d{9,}|\d[eE][+-]\d|\bnan\b|\binf\b|\bNone\b", words)


def test_an_empty_run_says_so_everywhere() -> None:
    document = Document(page(empty=True))
    for phrase in (
        "no trades",
        "no entry was refused",
        "no pause and no halt",
        "no limit was measured",
        "no constraint refused",
    ):
        assert phrase in document.text
    assert document.unclosed == []


def test_a_live_run_is_not_called_a_simulation() -> None:
    run = Run(
        id="r1",
        mode="live",
        started=START,
        policy_hash="a",
        data="d",
        data_hash="b",
        first=START,
        last=START + BARS * HOUR,
        instruments=(),
        period=HOUR,
        initial_equity=Decimal(1000),
        currency="USD",
        config={},
        version="0.1.0",
    )
    assert "SIMULATION" not in page(run=run)
    assert "LIVE" in Document(page(run=run)).text


# text from users


def test_hostile_text_stays_text() -> None:
    plain, hostile = Document(page("momentum")), Document(page(HOSTILE))
    assert hostile.tags == plain.tags
    assert [(tag, name) for tag, name, _ in hostile.attributes] == [(tag, name) for tag, name, _ in plain.attributes]
    assert "<script>alert(1)</script>" in hostile.text
    source = page(HOSTILE)
    assert not re.search("[\u202e\x00\ud800\u2028]", source)
    assert source.encode("utf-8")


@given(st.text())
def test_any_text_is_escaped(value: str) -> None:
    shown = wording.text(value)
    assert not re.search(r"[<>\"']", shown)
    assert shown.encode("utf-8").decode("utf-8") == shown


# size


def test_long_histories_stay_small() -> None:
    length = 36_000
    bars = {f"I-{i}": columns(length) for i in range(6)}
    many = [
        trade(i, "momentum", str(i % 9 - 4), instrument=f"I-{i % 6}", entry_at=START + i * HOUR, exit_at=START + (i + 5) * HOUR)
        for i in range(12_000)
    ]
    equity = [(START + i * HOUR, 1000 + i % 50) for i in range(length)]
    run = Run(
        id="r1",
        mode="replay",
        started=START,
        policy_hash="a",
        data="d",
        data_hash="b",
        first=START,
        last=START + length * HOUR,
        instruments=tuple(bars),
        period=HOUR,
        initial_equity=Decimal(1000),
        currency="USD",
        config={},
        version="0.1.0",
    )
    source = page(run=run, bars=bars, trades=many, equity=equity)
    assert len(source.encode()) < 3_000_000
    assert "the last 1,500 drawn" in source
    assert "the last 200 of 12,000" in source


# thinning and scales


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400), st.integers(2, 40))
def test_thinning_keeps_the_extremes_the_ends_and_the_order(values: list[float], stretches: int) -> None:
    points = list(enumerate(values))
    kept = thin(points, 0, len(points), stretches)
    assert set(kept) <= set(points)
    assert kept == sorted(kept)
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert (min(v for _, v in kept), max(v for _, v in kept)) == (min(values), max(values))
    assert len(kept) <= 2 * stretches + 2


def test_bands_keep_highs_lows_and_gaps() -> None:
    times, opened, high, low, close = columns(5_000)
    high[1234], low[4321], close[7] = 999.0, 0.5, np.nan
    keep = np.r_[0:2000, 3000:5000]
    span = Span(START, START + 5_000 * HOUR)
    first, second = bands(tuple(column[keep] for column in (times, opened, high, low, close)), span)
    assert max(band.high for band in first) == 999.0
    assert min(band.low for band in second) == 0.5
    assert first[-1].at == START + 1999 * HOUR
    assert second[-1].at == START + 4999 * HOUR
    assert len(first) + len(second) <= 600


def test_bars_outside_the_run_or_unknown_are_not_drawn() -> None:
    times, opened, high, low, close = columns(10)
    assert bands((times, opened, high, low, close), Span(START + DAY, START + 2 * DAY)) == []
    assert bands((times, opened, high, low, close * np.nan), Span(START, START + DAY)) == []
    as_dates = times.astype("datetime64[ms]").astype("datetime64[us]")
    assert bands((as_dates, opened, high, low, close), Span(START, START + DAY))[0][0].at == START


@given(st.floats(-1e9, 1e9), st.floats(0.0, 1e9))
def test_ticks_lie_within_their_scale(low: float, length: float) -> None:
    axis = scale([low, low + length])
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 12
    room = (axis.high - axis.low) * 1e-6
    assert all(axis.low - room <= tick <= axis.high + room for tick in ticks)
    assert all(0.0 <= axis.place(tick) <= 1.0 for tick in ticks)


@given(st.floats(1e-6, 1e6), st.floats(5.1, 1e6))
def test_prices_that_grow_a_lot_get_a_logarithmic_scale(low: float, growth: float) -> None:
    axis = scale([low, low * growth], may_be_logarithmic=True)
    assert axis.logarithmic
    assert len(axis.ticks()) >= 2
    assert axis.place(low) < axis.place(low * 2.0) < axis.place(low * growth)


@pytest.mark.parametrize(
    ("deepest", "shown"),
    [
        (-0.11, ["\N{MINUS SIGN}10.0%", "\N{MINUS SIGN}7.5%", "\N{MINUS SIGN}5.0%", "\N{MINUS SIGN}2.5%", "0.0%"]),
        (-0.045, ["\N{MINUS SIGN}4%", "\N{MINUS SIGN}3%", "\N{MINUS SIGN}2%", "\N{MINUS SIGN}1%", "0%"]),
        (-0.0011, ["\N{MINUS SIGN}0.100%", "\N{MINUS SIGN}0.075%", "\N{MINUS SIGN}0.050%", "\N{MINUS SIGN}0.025%", "0.000%"]),
    ],
)
def test_the_axis_of_drawdowns_says_what_stands_there(deepest: float, shown: list[str]) -> None:
    line = Curve((START, START + HOUR), (100.0, 100.0 * (1.0 + deepest)))
    page = drawdown_chart(line, Span(START, START + HOUR))
    assert [words for words in Document(page).words if words.endswith("%")] == shown


def test_outside_values_stick_to_the_ends() -> None:
    assert [Scale(0.0, 10.0).place(value) for value in (-5.0, 0.0, 2.5, 10.0, 99.0)] == [0.0, 0.0, 0.25, 1.0, 1.0]
    assert Scale(1.0, 10.0, logarithmic=True).place(-1.0) == 0.0


@given(st.integers(0, 10**12), st.integers(1, 10**12))
def test_instants_lie_in_their_span_and_are_few(first: int, length: int) -> None:
    ticks = instants(first, first + length)
    assert len(ticks) <= 11
    assert all(first <= tick.at <= first + length for tick in ticks)


def test_instants_of_some_years() -> None:
    labels = [tick.label for tick in instants(START, START + 1500 * DAY)]
    assert labels == [
        "Jan 2024",
        "Jul 2024",
        "Jan 2025",
        "Jul 2025",
        "Jan 2026",
        "Jul 2026",
        "Jan 2027",
        "Jul 2027",
        "Jan 2028",
    ]
    assert [tick.is_minor for tick in instants(START, START + 1500 * DAY)][:3] == [False, True, False]


# wording


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (wording.money(1234.5, "USD"), "1,234.50 USD"),
        (wording.money(Decimal("-0.5"), "USD", signed=True), "−0.50 USD"),
        (wording.money(Decimal("0.01234"), "USD"), "0.012 USD"),
        (wording.money(0.1 + 0.2, "<b>"), "0.30 &lt;b&gt;"),
        (wording.money(None, "USD"), "n/a"),
        (wording.ratio(-0.00001), "0.00%"),
        (wording.ratio(0.1234, signed=True), "+12.34%"),
        (wording.price(Decimal("64210.350000")), "64,210.35"),
        (wording.price(Decimal("64210.3")), "64,210.30"),
        (wording.price(Decimal("0.07123450000001")), "0.0712345"),
        (wording.price(1.08123), "1.08123"),
        (wording.price(Decimal(0)), "0"),
        (wording.quantity(Decimal("0.50000000")), "0.5"),
        (wording.quantity(Decimal("12000")), "12,000"),
        (wording.duration(0), "0 s"),
        (wording.duration(40_000), "40 s"),
        (wording.duration(5 * HOUR + 20 * 60_000), "5 h 20 min"),
        (wording.duration(1043 * DAY), "1,043 d"),
        (wording.duration(DAY + 5_000), "1 d"),
        (wording.anything(91368.0512), "91,368.0512"),
        (wording.anything({"a": [1000, True]}), "a 1,000, yes"),
        (wording.instant(START + 90_000), "2024-01-01 00:01:30"),
    ],
)
def test_values_as_people_read_them(shown: str, expected: str) -> None:
    assert shown == expected


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [
        ("ratio", 0.05, "5.00%"),
        ("money", 10.0, "10.00 USD"),
        ("count", 1234.0, "1,234"),
        ("R", -0.5, "−0.50 R"),
        ("bps", 2.94, "2.9 bps"),
        ("duration", float(2 * HOUR), "2 h"),
        ("number", 1.5, "1.50"),
        ("number", 0.0123, "0.0123"),
        ("number", 1e-9, "&lt; 0.0001"),
        ("number", 0.0, "0.00"),
    ],
)
def test_metrics_in_their_units(unit: Any, value: float, expected: str) -> None:
    meanings = {"x": Meaning("X", unit, "x")}
    assert wording.metric(figure(meanings, "x", value), "USD") == expected
    assert wording.metric(figure(meanings, "x", Missing("no trade")), "USD") == "n/a"
