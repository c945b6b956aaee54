"""What has to hold of any whole project: each check runs it in another way, and fails with the texts of the project."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

import pytest
from running_sessions import THE_END, fed, opening_of
from running_sessions import whole as inputs_of
from small_projects import Collected, Replayed, cut
from stepping import stepped
from whole_markets import Crowd, market_of
from whole_projects import Whole, whole

from tb.core.records import Cancel, Curve, Decision, Fill, Latch, Order, Quiet, Record, Trade
from tb.replay.course import passing
from tb.replay.data import Market
from tb.replay.run import replay_market
from tb.runtime.policy import Compiled

TOLD = Decision | Order | Cancel | Fill | Trade | Latch


@dataclass(frozen=True)
class Played:
    """A project and a market of one seed. Courses look at every entry, and at so many trades at once."""

    seed: int
    bars: int
    tame: bool = False

    @cached_property
    def written(self) -> Whole:
        return whole(self.seed, tame=self.tame)

    @cached_property
    def compiled(self) -> Compiled:
        return self.written.compiled()

    @cached_property
    def market(self) -> Market:
        return market_of(self.written, self.seed, self.bars)

    @property
    def crowd(self) -> Crowd | None:
        return Crowd(self.seed) if "advisor news" in self.written.policy else None

    @cached_property
    def replayed(self) -> Replayed:
        return self.again(self.market)

    def again(self, market: Market, *, worth: int = 1, **options: int) -> Replayed:
        kept = Collected()
        with pytest.MonkeyPatch.context() as patch:
            most = Random(self.seed).choice((3, 40, 1 << 15))
            for name, value in {"WORTH": worth, "FEW": 2, "MOST": most}.items():
                patch.setattr(passing, name, value)
            outcome = replay_market(
                run="r1",
                plan=self.compiled.plan,
                settings=self.compiled.settings,
                market=market,
                policy_hash="0" * 64,
                ledger=kept,  # type: ignore[arg-type]
                adviser=self.crowd,
                **options,
            )
        return Replayed(self.compiled, market, outcome, kept)

    # --- what has to hold --------------------------------------------------------------------------------------------

    def steps_alike(self, *, interpreted: bool = False) -> int:
        """As when every instant is stepped. Returns how much was compared."""
        slow = stepped(self.compiled, self.market, interpreted=interpreted, adviser=self.crowd)
        mine = self.replayed.records
        self._same(_told(mine.records), _told(slow.records))
        states = [{(q.strategy, q.instrument): zlib.decompress(q.states) for q in kept.of(Quiet)} for kept in (mine, slow)]
        self._same([states[0]], [states[1]])
        return len(_told(slow.records)) + sum(map(len, states[1].values()))

    def courses_change_nothing(self) -> int:
        """As without passing over whole trades: every record, and all that counts."""
        without = self.again(self.market, worth=1 << 40)
        self._same(_written(self.replayed), _written(without))
        self._same([self.replayed.outcome], [without.outcome])
        return len(without.records.records)

    def chunks_change_nothing(self) -> int:
        chunked = self.again(self.market, chunk=Random(self.seed).choice((1, 3, 7, 50)))
        self._same(_written(self.replayed), _written(chunked))
        return len(chunked.records.records)

    def a_cut_changes_nothing_before_it(self, times: int = 2) -> int:
        closes, compared = sorted({int(close) for bars in self.market.bars.values() for close in bars.closes}), 0
        if "  leg " in self.written.rules:  # legs without data are not looked at, and those whose data begins later are
            begun = max(int(bars.closes[0]) for bars in self.market.bars.values())
            closes = [close for close in closes if close >= begun]
        for at in Random(self.seed).sample(closes, min(times, len(closes))):
            early = self.again(cut(self.market, at))
            kept = [
                [r for r in of.records.records if isinstance(r, Decision | Latch) and r.at <= at]
                for of in (self.replayed, early)
            ]
            self._same(*kept)
            compared += len(kept[0])
        return compared

    def a_session_decides_alike(self) -> int:
        """As a session that is fed bar by bar, where it can be: it hears of no feeds, and of quotes for all or none."""
        written, settings = self.written, self.compiled.settings
        have_quotes = {bars.bid is not None for bars in self.market.bars.values()}
        if (
            written.feeds
            or self.crowd
            or self.market.funding
            or settings.halts_lifted_after is not None
            or len(have_quotes) > 1
        ):
            return 0
        _, memory = fed(self.compiled, opening_of(self.market), inputs_of(self.market))
        kept = [record for record in memory.records if not (isinstance(record, Cancel) and record.cause == THE_END)]
        closes = {int(close) for bars in self.market.bars.values() for close in bars.closes}
        if any(isinstance(record, Latch) and not record.lifted and record.at not in closes for record in kept):
            return 0  # looked at where no bar closed, at which a replay has no instant (docs/replay.md)
        # at an instant without any bar a session takes back what expired, a replay at the next: what fills there comes first
        mine = self.replayed.records.records
        self._same(*([repr(r) for r in of if isinstance(r, Decision | Latch)] for of in (kept, mine)))
        self._same(sorted(_told(kept)), sorted(_told(mine)))
        return len(kept)

    def explanations_reproduce(self, count: int = 6) -> int:
        decisions = self.replayed.decisions
        chosen = Random(self.seed).sample(decisions, min(count, len(decisions)))
        for decision in chosen:
            found = self.replayed.explained(decision)
            assert found.reproduced, f"seed {self.seed}: d{decision.seq} {found.differences}\n{self.written}"
        return len(chosen)

    def _same(self, one: Sequence[object], other: Sequence[object]) -> None:
        first = next((pair for pair in zip(one, other, strict=False) if pair[0] != pair[1]), None)
        assert first is None, f"seed {self.seed}, {self.bars} bars, tame {self.tame}: {first}\n{self.written}"
        assert len(one) == len(other), f"seed {self.seed}, {self.bars} bars: {len(one)} and {len(other)}\n{self.written}"


def _told(records: Sequence[Record]) -> list[str]:
    """By what is written of each, so that numbers have the same digits."""
    return [repr(record) for record in records if isinstance(record, TOLD)]


def _written(run: Replayed) -> list[str]:
    """All but curves, of which the last bit may differ."""
    return [repr(record) for record in run.records.records if not isinstance(record, Curve)]
