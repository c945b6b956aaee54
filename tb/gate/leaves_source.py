"""The source of functions that read a policy's leaves: from a moment, and from that their exact values and texts.

`ask` takes a moment and the market's reader, writes what the kernel of `tb.engine.intervals` takes into its buffer, and
returns what it read and, last, what is certain of it; `inputs` and `texts` take that. `of_account` reads the leaves of the
account alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Leaf = tuple[str, str] | int  # a fact with its argument, or a node of the market

# how leaves of the order and the instant are read: exact numbers, words, whole numbers; each may be nothing
NUMBERS: Mapping[str, str] = {
    "order.quantity": "p.quantity",
    "order.price": "p.price",
    "order.stop": "p.stop",
    "order.target": "p.target",
    "order.intended": "p.intended",
    "order.hedged": "p.hedged",
    "order.net_share": "p.net_share",
    "order.rate": "p.rate",
    "votes_for": "p.votes_for",
}
WORDS: Mapping[str, str] = {
    "order.strategy": "p.strategy",
    "order.side": "'buy' if p.sign > 0 else 'sell'",
    "order.kind": "p.order.style",
    "order.tier": "p.tier",
    "order.missing": "p.missing",
    "order.vetoed_by": "p.vetoed_by",
    "halted_by": "m.halted_by",
    "paused_by": "m.paused_by",
}
WHOLE: Mapping[str, str] = {"order.sign": "p.sign", "order.legs": "p.legs", "data_age": "m.age", "instant": "m.at"}
# what follows from the instrument and from what a session never changes
TERMS = frozenset(
    "order.instrument order.minimum order.maximum order.tick order.lot order.fee_rate order.margin_rate "
    "restricted scope.inside".split()
)
TERMS_WORDS = frozenset(("order.instrument", "restricted"))
OWN = "order.instrument"  # the scope in which there are no others
OF_ACCOUNT = frozenset(
    "order.opens scope.others exposure gross net open_positions book.long book.short book.gross_others book.open_positions "
    "equity cash drawdown losses_in_a_row working_orders margin_free reserved".split()
) | {"equity at day_start"}
SHARED = TERMS | OF_ACCOUNT
# how those that are asked of most orders are read, `e` being what the account is exposed to; the others as everywhere
QUICKLY: Mapping[Leaf, str] = {
    ("book.long", ""): "None if sides is None else sides[0]",
    ("book.short", ""): "None if sides is None else sides[1]",
    ("book.gross_others", ""): "e.without(symbol)",
    ("open_positions", ""): "Decimal(len(e.held))",
    ("book.open_positions", ""): "Decimal(len(e.engaged))",
    ("equity", ""): "a.equity()",
    ("equity at day_start", ""): "a.equity_at_day_start",
    ("cash", ""): "a.cash",
    ("drawdown", ""): "a.drawdown()",
    ("loss", "today"): "a.loss('today', m.at)",
    ("entries", "today"): "Decimal(len(a.entry_times) - bisect_left(a.entry_times, a.day_starts))",
    ("orders", "today"): "Decimal(len(a.order_times) - bisect_left(a.order_times, a.day_starts))",
    ("losses_in_a_row", ""): "Decimal(a.losses_in_a_row)",
}
COUNTS = frozenset("order.opens open_positions book.open_positions entries orders losses_in_a_row working_orders".split())
OF_THE_DAY = frozenset(("entries", "orders", "loss"))  # shared where their window is the day


class Source:
    """The functions for some leaves. The kernel's order of these: numbers, words, whole numbers, market, others, those of the
    account, and terms, words last.

    `outside` are the places, in bytes, of what is computed from the leaves `needed` for the kernel."""

    def __init__(self, leaves: Sequence[Leaf]) -> None:
        self.leaves = leaves
        self.numbers: list[int] = []
        self.words: list[int] = []
        self.whole: list[int] = []
        self.market: list[int] = []
        self.others: list[int] = []
        self.account: list[int] = []
        self.terms: list[int] = []
        self.outside: list[int] = []
        self.needed: frozenset[int] = frozenset()
        for at, leaf in enumerate(leaves):
            self._among(leaf).append(at)
        self.terms.sort(key=lambda at: self._name(at) in TERMS_WORDS)

    def _among(self, leaf: Leaf) -> list[int]:
        if isinstance(leaf, int):
            return self.market
        name, argument = leaf
        if name in TERMS or leaf == ("scope.others", OWN):
            return self.terms
        if name in OF_ACCOUNT or (name in OF_THE_DAY and argument == "today"):
            return self.account
        return (
            self.numbers if name in NUMBERS else self.words if name in WORDS else self.whole if name in WHOLE else self.others
        )

    @property
    def shared(self) -> list[int]:
        """What orders on the same instrument share while the account is as it was."""
        return [*self.account, *self.terms]

    @property
    def vague(self) -> list[int]:
        """Numbers that need not be counts: whatever else they are, an order is seldom right at a limit."""
        return [*self.numbers, *(at for at in self.account if self._name(at) not in COUNTS)]

    @property
    def order(self) -> list[int]:
        return [*self.numbers, *self.words, *self.whole, *self.market, *self.others, *self.shared]

    def text(self, *, has_fill: bool) -> str:
        """Where it `has_fill`, `tb.gate.filling` reads what is plain."""
        return "\n".join([*self._reads(has_fill), *self._reads_account(), *self._inputs(), *self._texts()]) + "\n"

    def raw(self) -> str:
        """What is read, by name: numbers, words, whole numbers, market values, others; all texts of the numbers in one; the
        shared entry, and what is certain."""
        groups = (("n", self.numbers), ("w", self.words), ("i", self.whole), ("x", self.market), ("g", self.others))
        names = [f"{letter}{at}" for letter, places in groups for at in places]
        return "".join(f"{name}, " for name in names) + "d, s, told"

    def _reads(self, has_fill: bool) -> list[str]:
        parts = ("instrument", "minimum", "maximum", "groups", "restricted", "settings")
        first = "s is None or a is not s.account or a.version != s.version or p.instrument != s.instrument"
        lines = [
            "p, a, s = m.proposal, m.account, now[0]",
            f"if {first} or {' or '.join(f'm.{part} is not s.{part}' for part in parts[1:])}:",
            "    s = renew(m)",
            *(f"n{at} = {NUMBERS[self._name(at)]}" for at in self.numbers),
            *(f"w{at} = {WORDS[self._name(at)]}" for at in self.words),
            *(f"i{at} = {WHOLE[self._name(at)]}" for at in self.whole),
            *(f"x{at} = market({self.leaves[at]})" for at in self.market),
            *(f"g{at} = read_{at}(m, {self._fact(at)[1]!r})" for at in self.others),
            *(self._fills() if has_fill else self._packs()),
            *self._gives_outside(),
            "told = certain() if move() | s.found else SURE",
            f"return {self.raw()},",
        ]
        head = [
            "def ask(m, market):",
            "    try:",
            "        turn = turns.pop()",
            "    except IndexError:",
            "        return None",
        ]
        return [*head, "    try:", *(f"        {line}" for line in lines), "    finally:", "        turns.append(turn)"]

    def _fills(self) -> list[str]:
        """Floats of all that was read, at once; of what is not plain as without it."""
        given = [
            *(f"n{at}" for at in self.numbers),
            *(f"w{at}" for at in self.words),
            *(f"i{at}" for at in self.whole),
            *(f"x{at}" for at in self.market),
            *(f"rounded(g{at})" for at in self.others),
        ]
        return [f"d = fill({', '.join(given)})", "if d is None:", *(f"    {line}" for line in self._packs())]

    def _packs(self) -> list[str]:
        return [
            *self._rounds(),
            "try:",
            f"    pack(buffer, 0, {self._packed('{0}')})",
            "except Unpacked:  # something is nothing",
            f"    pack(buffer, 0, {self._packed('NAN if {0} is None else {0}')})",
        ]

    def _reads_account(self) -> list[str]:
        values = [QUICKLY.get(self.leaves[at], f"read_{at}(m, {self._fact(at)[1]!r})") for at in self.account]
        lines = ["def of_account(m):", "    a, symbol = m.account, m.proposal.instrument"]
        if any("sides" in value or "e." in value for value in values):
            lines += ["    e = a.exposed()", "    sides = e.sides.get(symbol, NEITHER)"]
        names = [f"v{at}" for at in self.account]
        lines += [f"    {name} = {value}" for name, value in zip(names, values, strict=True)]
        told = ",".join(f"{{{name}!s}}" for name in names)
        return [*lines, f'    return [{", ".join(names)}], f"{told}"']

    def _fact(self, at: int) -> tuple[str, str]:
        leaf = self.leaves[at]
        assert not isinstance(leaf, int)
        return leaf

    def _name(self, at: int) -> str:
        return self._fact(at)[0]

    def _rounds(self) -> list[str]:
        """All numbers of the order at once, by their texts."""
        if not self.numbers:
            return ['d = "[]"']
        names, near = [f"n{at}" for at in self.numbers], f"[{', '.join(f'f{at}' for at in self.numbers)}]"
        told = ",".join(f"{{{name}!s}}" for name in names)
        return [
            f'd = f"[{told}]"',
            f"is_told = {' and '.join(f'{name} is not None' for name in names)}",
            "try:",
            f"    {near} = decode(d if is_told else d.replace('None', '0'))",
            "except Unread:",
            f"    {near} = {', '.join(f'rounded({name})' for name in names)},",
            "if not is_told:",
            *(f"    if {name} is None: f{name[1:]} = NAN" for name in names),
        ]

    def _packed(self, number: str) -> str:
        parts = [
            *(f"f{at}" for at in self.numbers),
            *(f"NAN if w{at} is None else 0.0" for at in self.words),
            *(number.format(f"i{at}") for at in self.whole),
            *(number.format(f"x{at}") for at in self.market),
            *(f"rounded(g{at})" for at in self.others),
        ]
        return ", ".join(parts)

    def _gives_outside(self) -> list[str]:
        if not self.outside:
            return []
        values = ", ".join(self._exact(at) if at in self.needed else "None" for at in range(len(self.leaves)))
        given = [f"pack_one(buffer, {place}, rounded(o[{at}]))" for at, place in enumerate(self.outside)]
        return ["v = s.values", f"o = outside(({values},))", *given]

    def _inputs(self) -> list[str]:
        values = "".join(f"{self._exact(at)}, " for at in range(len(self.leaves)))
        return ["def inputs(raw):", f"    {self.raw()}, = raw", "    v = s.values", f"    return ({values})"]

    def _exact(self, at: int) -> str:
        if at in self.numbers:
            return f"n{at}"
        if at in self.words:
            return f"w{at}"
        if at in self.whole:
            return f"None if i{at} is None else Decimal(i{at})"
        if at in self.market:
            return f"exact(x{at})"
        return f"v[{self.shared.index(at)}]" if at in self.shared else f"g{at}"

    def _texts(self) -> list[str]:
        market = "".join(f"x{at}, " for at in self.market)
        values = "".join(f"{self._text(at)}, " for at in range(len(self.leaves)))
        read = [f"    f = texts_of(({market}))"] if self.market else []
        told = [
            "    t = d[1:-1].split(',')",
            "    if 'None' in t:",
            "        t = [None if one == 'None' else one for one in t]",
        ]
        return [
            "def texts(raw):",
            f"    {self.raw()}, = raw",
            "    v = s.texts",
            *(told if self.numbers else []),
            *read,
            f"    return ({values})",
        ]

    def _text(self, at: int) -> str:
        if at in self.numbers:
            return f"t[{self.numbers.index(at)}]"
        if at in self.words:
            return f"w{at}"
        if at in self.market:
            return f"f[{self.market.index(at)}]"
        if at in self.shared:
            return f"v[{self.shared.index(at)}]"
        name = f"i{at}" if at in self.whole else f"g{at}"
        return f"None if {name} is None else str({name})"
