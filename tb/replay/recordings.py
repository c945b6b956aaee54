"""What was recorded beside the bars and belongs to a run: the feeds that its rules read, and funding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tb.core.diagnostics import Refused, Severity
from tb.core.settings import Settings
from tb.replay.feeds import FeedPlaces, hash_of, load_feeds
from tb.replay.funding import load_funding

if TYPE_CHECKING:
    from tb.dsl.checked import Feed
    from tb.engine.plan import Plan
    from tb.replay.data import Market

FOLDER = "feeds"  # inside the folder of the bars


def feed_places(settings: Settings, data: Path, root: Path, folder: Path | None = None) -> FeedPlaces:
    """Where feeds are: in the folder named, else in the one of the settings, else in `feeds` beside the bars."""
    if folder is None:
        folder = data / FOLDER if settings.feeds is None else root / settings.feeds
    return FeedPlaces(folder, settings.feed_files)


def with_recordings(market: Market, plan: Plan, places: FeedPlaces) -> Market:
    """The market with the feeds that the plan reads, and the funding of the instruments that it trades or reads.

    Raises Refused with all findings where a file of theirs cannot be used.
    """
    declared = _read_feeds(plan)
    loaded = load_feeds(declared, places, market.bars)
    folders = dict.fromkeys((Path(market.folder), places.folder))
    funding, told = load_funding(folders, _funded(plan, market))
    findings = [*loaded.findings, *told]
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise Refused(findings)
    if not declared and not funding:
        return market
    rows = {**loaded.rows, **{("funding of", symbol): one.rows for symbol, one in funding.items()}}
    known = hash_of(rows, market.last)
    return replace(market, warnings=(*market.warnings, *findings), feeds=loaded.rows, feeds_hash=known, funding=funding)


def config_of(market: Market, places: FeedPlaces) -> Mapping[str, str]:
    """What a run notes, so that the same feeds can be found again; nothing where it reads none."""
    return {"feeds_path": str(places.folder.resolve()), "feeds_hash": market.feeds_hash} if market.feeds_hash else {}


def _read_feeds(plan: Plan) -> list[Feed]:
    read = {str(node.consts[0]) for node in plan.graph.nodes if node.op in {"feed", "feed_age"}}
    return [feed for name, feed in plan.program.feeds.items() if name in read]


def _funded(plan: Plan, market: Market) -> Iterable[str]:
    """The instruments whose funding counts: those that may be held, and all where rules read it or tiers discover."""
    reads = any(node.op == "field" and str(node.consts[0]).startswith("funding_") for node in plan.graph.nodes)
    if reads or any(universe.discovers for universe in plan.program.universes.values()):
        return market.bars
    traded = plan.instruments()
    return [symbol for symbol in market.bars if symbol in traded]
