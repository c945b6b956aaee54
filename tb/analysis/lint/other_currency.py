"""TB319: an instrument that is priced in another currency than the account, where limits count in the account's."""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.subject import Rule, Subject, named
from tb.core.diagnostics import Diagnostic, Severity, warning
from tb.core.settings import quote_currency

CODE = "TB319"


def check(subject: Subject) -> Iterable[Diagnostic]:
    account = subject.program.currency
    known = {account, None, *subject.program.rates}
    used = dict.fromkeys(strategy.universe for strategy in subject.program.strategies.values())
    for universe in (subject.program.universes[name] for name in used):
        for tier in universe.tiers:
            others = [symbol for symbol in tier.members if quote_currency(symbol) not in known]
            if others:
                message = (
                    f"{named(others)} {'is' if len(others) == 1 else 'are'} priced in another currency than the limits count in"
                )
                currency = quote_currency(others[0])
                pairs = f"`{currency}: {currency}_{account}` or `{currency}: {account}_{currency}`"
                hint = f"say what converts it under `rates` in `tb.yaml`: {pairs}"
                yield warning(CODE, message, subject.head(tier.span), hint)


RULE = Rule(CODE, "other-currency", "risk", "types", Severity.WARNING, check)
