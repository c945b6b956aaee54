"""TB319: an instrument that is priced in another currency than the account, where limits count in the account's."""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.subject import Rule, Subject, named
from tb.core.diagnostics import Diagnostic, Severity, warning
from tb.core.settings import quote_currency

CODE = "TB319"


def check(subject: Subject) -> Iterable[Diagnostic]:
    account = subject.program.currency
    used = dict.fromkeys(strategy.universe for strategy in subject.program.strategies.values())
    for universe in (subject.program.universes[name] for name in used):
        for tier in universe.tiers:
            others = [symbol for symbol in tier.members if quote_currency(symbol) not in {account, None}]
            if others:
                message = (
                    f"{named(others)} {'is' if len(others) == 1 else 'are'} priced in another currency than the limits count in"
                )
                yield warning(
                    CODE, message, subject.head(tier.span), f"trade what is priced in {account}: nothing is converted"
                )


RULE = Rule(CODE, "other-currency", "risk", "types", Severity.WARNING, check)
