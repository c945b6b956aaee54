"""The controls of the library: what `use std.controls: NAME` brings, and what it needs of the project.

A control is one constraint or several; it is brought whole or not at all. A test holds that every constraint of
`std/controls.tb` belongs to one control, and that none of the catalogue is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Control:
    """`number` and `code` are those of the catalogue of hard pre-trade controls.

    `constraints` are the names it has in `std/controls.tb`; `needs` declarations that the project has to write, by name, each
    as an example.
    """

    number: int
    code: str
    name: str
    constraints: tuple[str, ...]
    needs: Mapping[str, str]


_HOURS = "session trading_hours: 09:30..16:00 America/New_York on weekdays"
_BLACKOUT = "session blackout_hours: 13:00..14:00 UTC on Wed"


def _control(number: int, code: str, name: str, *others: str, needs: Mapping[str, str] | None = None) -> Control:
    return Control(number, code, name, (name, *others), needs or {})


_CONTROLS = (
    _control(1, "WELL_FORMED", "well_formed"),
    _control(2, "INSTRUMENT_KNOWN", "instrument_known"),
    _control(3, "TICK_LOT", "on_the_grid"),
    _control(4, "MIN_NOTIONAL", "min_order_value"),
    _control(5, "MAX_ORDER_QTY", "max_quantity"),
    _control(6, "MAX_ORDER_NOTIONAL", "max_order_value"),
    _control(7, "PRICE_COLLAR", "collar", "collar_over_time"),
    _control(8, "STOP_SIDE_SANITY", "sane_levels"),
    _control(9, "MARKET_DATA_FRESH", "market_data"),
    _control(10, "SPREAD_MAX", "max_spread"),
    _control(10, "DEPTH_MIN", "min_depth"),
    _control(10, "SLIPPAGE_MAX", "max_slippage"),
    _control(11, "MAX_POSITION", "position"),
    _control(11, "MAX_POSITION", "position_value"),
    _control(12, "MAX_OPEN_POSITIONS", "max_positions"),
    _control(12, "MAX_OPEN_POSITIONS", "strategy_positions"),
    _control(12, "MAX_OPEN_ORDERS", "max_working_orders"),
    _control(13, "GROSS_EXPOSURE", "gross_exposure"),
    _control(14, "NET_EXPOSURE", "net_exposure"),
    _control(15, "GROUP_EXPOSURE", "group_exposure"),
    _control(16, "LEVERAGE_MAX", "max_leverage"),
    _control(16, "MARGIN_FREE", "margin"),
    _control(17, "CREDIT_LIMIT", "credit"),
    _control(17, "CREDIT_LIMIT", "strategy_credit"),
    _control(18, "CASH_AVAILABLE", "cash_available"),
    _control(19, "DAILY_LOSS", "daily_loss"),
    _control(20, "MAX_DRAWDOWN", "max_drawdown"),
    _control(21, "RISK_PER_TRADE", "risk_per_trade"),
    _control(22, "MIN_REWARD_RISK", "min_reward_risk"),
    _control(23, "OCO_REQUIRED", "protected"),
    _control(24, "ORDER_RATE", "order_rate", "order_rate_halt"),
    _control(25, "TRADES_PER_HOUR", "trades_per_hour"),
    _control(25, "TRADES_PER_DAY", "trades_per_day"),
    _control(26, "DUPLICATE_ORDER", "duplicate_order"),
    _control(27, "REPEATED_EXECUTION", "repeated_execution"),
    _control(28, "PARENT_CHILD_BOUND", "parent_bound"),
    _control(29, "COOLDOWN", "cool_down"),
    _control(29, "COOLDOWN", "cool_down_stops"),
    _control(29, "COOLDOWN", "cool_down_rejects"),
    _control(30, "SELF_TRADE_PREVENTION", "self_trade"),
    _control(31, "RESTRICTED_LIST", "restricted_list"),
    _control(31, "PERMITTED_LIST", "permitted_list", needs={"permitted": "group permitted: BTC-USD, ETH-USD"}),
    _control(32, "SESSION_OPEN", "session_open", needs={"trading_hours": _HOURS}),
    _control(32, "BLACKOUT", "blackout", needs={"blackout_hours": _BLACKOUT}),
    _control(32, "VENUE_STATUS", "venue_open"),
    _control(33, "CIRCUIT_BREAKER", "circuit_breaker"),
    _control(34, "RECONCILED", "reconciled"),
)
CONTROLS: Mapping[str, Control] = {control.name: control for control in _CONTROLS}
