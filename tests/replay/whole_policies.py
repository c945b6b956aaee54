"""Policy files of whole projects: every kind of constraint, controls of the library, exceptions, books, votes, shares, advice.

`~` in a template is what happens otherwise, `~~` the same of a limit that may shrink.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from whole_words import Words

OF_ORDERS = """
limit placed after.exposure(order.instrument) <= [12%|4%|200%] of equity~~
limit gross after.gross <= [20%|100%|900%] of equity~~
limit net after.net <= [15%|300%] of equity~~
limit coined after.exposure(coins) <= [15% of equity|2k USD|400% of equity]~~
limit cluster after.exposure(group of order.instrument) <= [25%|400%] of equity~~
limit value order.notional <= [900 USD|2k USD|20M USD]~~
limit risk order.risk <= [1%|30bps|60%] of equity~~
limit near_it abs(order.price / {mid|close|sma(close, 5)} - 1) <= [2%|30bps|9%]~
limit some after.open_positions <= [2|1]~
limit fewer order.quantity <= [0.5|20|1_000_000] * order.minimum / order.price~~
limit poor equity >= [9_950|10] USD~
limit funds cash >= [95%|-500%] of equity~
limit paid order.fee <= [1 USD|0.2% of order.notional|1% of order.notional]~~
limit free order.margin <= margin_free~~
limit by_market order.notional <= [volume_usd(5)|depth(10bps)|0.5 * volume_usd(3)|500% of equity + volume_usd(5)]~~
limit steep abs(change(close, 3)) <= [1%|9%]~
limit ticked order.price >= [10|1] * order.tick~
limit sized order.intended >= [2%|1%] of equity~
require paid_for reward_risk >= [1.4|0.01]~
require stopped order.stop is set~
require stop_near order.stop is not set or order.stop_gap <= 5% of order.price~
require grid order.off_tick == 0~
require fresh data_age <= [90m|2 bars]~
require market GOOD~
require whole_risk order.stop is set and order.risk > 0 USD or (CONDITION)~
forbid heated when BAD~
forbid both_hot when order.side is {buy|sell} and (BAD)~
forbid known when order.instrument == SYMBOL and (BAD)~
forbid listed when order.instrument in restricted~
forbid of_one when order.strategy is STRATEGY and (BAD)~
warn odd when CONDITION
warn large when order.notional > {500 USD|9% of equity}
""".strip().splitlines()
OF_HISTORY = """
limit trades entries(today) < [1|3|40]~
limit hourly entries({1h|4h|90m}) < [1|2|9]~
limit rate orders({2h|10s}) < [2|9] on every order
limit daily loss(today) <= [0.3%|2%|20%] of equity at day_start~
limit lately loss(6h) <= [0.3%|1%|20%] of equity~
limit deep drawdown <= [0.5%|3%|60%]~
limit spent committed(today) + order.notional <= [2k|9k|900M] USD~~
limit unstopped stops_in_a_row < [2|50]~
limit asked proposals(2h) <= [1|3|9]~
limit told messages({3h|today}) <= [2|6|90]~
limit own strategy.open_positions < [1|2]~
limit waiting working_orders < [1|2]~
limit owned exposure(order.instrument) <= 10% of equity~
limit day_equity equity >= [99%|60%] of equity at day_start~
require unbeaten losses_in_a_row < [2|3|50]~
require rested since_last_loss is not set or since_last_loss >= [1d|1m]~
forbid again when duplicates({1h|6h}) > 0~
warn busy when entries(today) >= {1|2}
""".strip().splitlines()
LATCHING = """
pause streak for 5h after 2 losses in a row
pause slowly for 4h when loss(5h) > {20|80} USD
pause wildly for {90m|6h} when CONDITION
forbid own_pause when CONDITION otherwise pause for 2h
pause broke for 2h when cash < {9_950 USD|300 USD}
limit rich equity >= {9_950 USD|300 USD} otherwise {halt|pause for 3h|halt until tomorrow}
limit kept order.notional <= 300% of equity on every order
forbid never_out when CONDITION on every order
""".strip().splitlines()
# controls of the library, with the limits that they need
CONTROLS = """
position: max_position_pct [12%|200%]
gross_exposure: max_gross_pct [50%|900%]
net_exposure: max_net_pct [30%|900%]
collar: price_collar_pct 2%, price_window 4h, price_window_pct [4%|9%]
min_reward_risk: min_reward_risk [1|0.1]
risk_per_trade: max_risk_pct [1%|50%]
max_order_value: max_order_value [1_500 USD|90M USD]
max_spread: max_spread [60bps|5%]
market_data: max_data_age 2h, max_price_jump [3%|9%]
min_depth: depth_distance 10bps, min_depth_multiple [2|0.1]
max_leverage: max_leverage [2|20]
max_slippage: max_slippage [25bps|5%]
sane_levels:
well_formed:
on_the_grid:
instrument_known:
cash_available:
restricted_list:
self_trade:
circuit_breaker:
venue_open:
""".strip().splitlines()
CONTROLS_OF_HISTORY = """
trades_per_day: max_trades_per_day [3|90]
trades_per_hour: max_trades_per_hour [1|9]
cool_down: losses_before_pause [2|90], pause_after_losses 6h
cool_down_stops: stops_before_pause [2|90], pause_after_stops 1d
credit: max_daily_credit [5k USD|900M USD]
strategy_credit: max_daily_credit_per_strategy [2k USD|900M USD]
duplicate_order: duplicate_window 3h
order_rate: max_orders_per_10s [2|9], max_proposals_per_10s [5|9]
""".strip().splitlines()
CONTROLS_THAT_LATCH = ["daily_loss: max_daily_loss_pct 1%", "max_drawdown: max_drawdown_pct 4%"]
# lines that constraints may read, and these
NAMED = (
    ("session hours: {06:00..23:00|20:00..09:00} ZONE", "forbid closed when not during hours~"),
    ("let gearing = after.gross / equity", "limit gear gearing <= [20%|5]~~"),
    ("table most\n  hour | result\n  < 12 | 40%\n  otherwise | 10%", "limit by_hour after.gross <= most of equity~~"),
    ("table most\n  drawdown | result\n  < 1% | 40%\n  otherwise | 10%", "limit by_fall after.gross <= most of equity~~"),
    ("feed fear: number in 0..100 every 2h, stale after 6h", "forbid greedy when fear > 60~"),
)
MEASURED = {"placed": "% of equity", "gross": "% of equity", "risk": "% of equity", "value": " USD"}  # of exceptions


@dataclass
class Policies:
    """`confident` is whether the rules have a trigger, `lists` whether all tiers list their instruments."""

    words: Words
    confident: bool
    lists: bool
    limits: dict[str, str] = field(default_factory=dict)

    def lines(self) -> list[str]:
        words = self.words
        lines = [*(self._controls() if words.may(0.4) else []), f"group coins: {', '.join(words.symbols[:2])}"]
        found = [*OF_ORDERS, *(OF_HISTORY if words.may(0.25 if words.tame else 0.35) else ())]
        found += [] if words.plain else LATCHING
        found += ["require confident order.confidence >= [0.6|0.1]~"] if self.confident else []
        found += ["forbid wrong_tier when order.tier is TIER~"] if len(words.tiers) > 1 else []
        for text, reads in (words.source.choice(NAMED),) if words.may(0.6) else ():
            if "drawdown" not in text or not words.tame:
                lines.append(words.written(text.replace("ZONE", words.zone)))
                found += [reads] * 6
        chosen = [self._constraint(template) for template in dict.fromkeys(words.some(found, 5 if words.tame else 9))]
        lines += chosen or ["limit widest after.gross <= 500% of equity"]
        for line in chosen:
            lines += self._exceptions(line)
        return lines if words.plain else [*lines, *self._capital()]

    def _constraint(self, template: str) -> str:
        said = self.words.written(template)
        return said.replace("~~", self._otherwise(True)).replace("~", self._otherwise(False))

    def _otherwise(self, shrinks: bool) -> str:
        words = self.words
        said = ["", "", "", " otherwise reject", *([" otherwise shrink"] * (3 if shrinks else 0))]
        said += [] if words.plain else [" otherwise pause for 3h", " otherwise halt until tomorrow", " otherwise halt"]
        return words.pick(*said) + words.pick("", "", "", "", " level warn", " shadow")

    def _exceptions(self, line: str) -> list[str]:
        words, name, lines = self.words, line.split()[1], []
        if name not in MEASURED or words.may(0.5):
            return lines
        if words.may(0.5):
            lines += [f"exception wide_{name} to {name}", f"  loosens to 5_000{MEASURED[name]}"]
            lines[-1] += f" when {words.condition(0)}" if words.may(0.5) else ""
            lines[-1] += f' owner "desk" until {words.pick("2024-03-12", "2099-12-31")} because "a reason"'
        if words.may(0.5):
            lines += [f"exception tight_{name} to {name}", f"  tightens to 0.3{MEASURED[name]}"]
            lines[-1] += f' when {words.bad()} owner "desk"'
        return lines

    def _controls(self) -> list[str]:
        words = self.words
        found = CONTROLS + (CONTROLS_OF_HISTORY if words.may(0.4) else [])
        found += [] if words.plain else CONTROLS_THAT_LATCH
        chosen = words.some(found, 6)
        for control in chosen:
            for limit in filter(None, words.written(control.partition(":")[2]).split(",")):
                name, _, value = limit.strip().partition(" ")
                self.limits[name] = value
        return [f"use std.controls: {', '.join(control.partition(':')[0] for control in chosen)}"] if chosen else []

    def _capital(self) -> list[str]:
        words, names, lines = self.words, self.words.strategies, []
        if words.may(0.25):
            half = max(1, len(names) // 2)
            for name, share, of in (("calm", "60%", names[:half]), ("wild", "30%", names[half:])):
                lines += (
                    [f"book {name} {share} of capital strategies {', '.join(of)}{words.pick('', ', leverage at most 2')}"]
                    if of
                    else []
                )
            of_book = "loss(today) of book <= 1% of equity at day_start of book otherwise halt until tomorrow"
            lines += ["limit of_book after.gross of book <= 60% of equity of book otherwise shrink"] * words.may(0.5)
            lines += [f"limit day_book {of_book}"] * words.may(0.5)
        if len(names) > 1 and words.may(0.25):
            votes = ", ".join(f"{name} {weight}" for weight, name in enumerate(names, 1))
            lines += [f"council {votes} approve when weight for {words.pick('>= 50%', '> 30%')}"]
        if words.may(0.2):
            more = ["", ", at most 15% each", *[", correlation above 0.8 counts as one"] * self.lists]
            lines += [f"allocate kelly fraction {words.pick('0.25', '0.5')} over 5 trades{words.pick(*more)}"]
        if words.may(0.12):
            lines += ["advisor news", "  may adjust conviction by at most 0.2", "  may veto"]
            lines += [f"  at most 9 calls per hour, answer within 5s otherwise {words.pick('abstain', 'veto')}"]
        return lines
