"""An explanation as one self-contained HTML page: no script, no network, light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tb.engine.explain.clauses import Clause
from tb.engine.explain.flips import Flip
from tb.gate.explain.model import Explanation, RuleResult
from tb.gate.explain.text import LEFT, flip_words

_STYLE = """
:root{color-scheme:light dark;--line:#8884;--good:#1a7f37;--bad:#cf222e;--unsure:#9a6700;--soft:#8882}
body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem;margin:0}h2{font-size:1.05rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}
code,td.n{font-family:ui-monospace,monospace;font-size:.92em}.meta{opacity:.75}
.true::before{content:"\\2713 ";color:var(--good)}.false::before{content:"\\2717 ";color:var(--bad)}
.unknown::before{content:"? ";color:var(--unsure)}
ul{list-style:none;padding-left:1.2rem;margin:.2rem 0;border-left:1px solid var(--line)}
details{border:1px solid var(--line);border-radius:6px;padding:.3rem .7rem;margin:.35rem 0}
details.failed{border-color:var(--bad)}details.unknown{border-color:var(--unsure)}
summary{cursor:pointer}table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.2rem .6rem;border-bottom:1px solid var(--soft)}
.verdict{display:inline-block;padding:.1rem .6rem;border-radius:1rem;background:var(--soft);font-weight:600}
"""


def html(explanation: Explanation) -> str:
    """The page. Whatever text is in the explanation is shown as text."""
    e = explanation
    parts = [
        f"<h1>{escape(e.headline)}</h1>",
        f'<p class="meta">{escape(e.id)} · {escape(e.at)} · strategy {escape(e.strategy)} ({escape(e.place)})</p>',
        f'<p><span class="verdict">{escape(e.verdict)}</span> {escape(", ".join(e.decided_by))}</p>',
        *(f"<p>{escape(line)}</p>" for line in e.outcome),
        f"<p>{escape(e.not_known)}</p>" if e.not_known else "",
        f"<p>{escape(e.reason)}</p>" if e.reason else "",
        *(f"<p>{escape(line)}</p>" for line in e.combined),
        _legs(e),
        _summary(e),
        f"<h2>Universe</h2>{_tree(e.membership)}{_flips(e.membership_flips)}" if e.membership is not None else "",
        f"<h2>Condition</h2>{_tree(e.condition)}{_flips(e.condition_flips)}" if e.condition is not None else "",
        "<h2>Constraints</h2>",
        *(_rule(rule) for rule in sorted(e.rules, key=lambda rule: (*e.rank(rule), rule.status == "passed"))),
        "<h2>Values read</h2>",
        _table(
            ("value", "is", "unit", "from", "age", "row"),
            [(r.name, r.value, r.unit, r.source, r.age, "" if r.row is None else str(r.row + 1)) for r in e.readings],
        ),
        "<h2>Parameters and limits</h2>",
        _table(("name", "value", "set in", "allowed"), [(o.name, o.value, o.origin, o.allowed) for o in e.origins]),
        f'<p class="meta">policy <code>{escape(e.policy_hash)}</code></p>',
        f"<p>explanation reproduced: <strong>{'yes' if e.reproduced else 'NO'}</strong></p>",
        *(f"<p>differs: {escape(line)}</p>" for line in e.differences),
    ]
    meta = f'<meta charset="utf-8"><title>{escape(e.id)}</title><style>{_STYLE}</style>'
    head = f'<!doctype html><html lang="en"><head>{meta}</head>'
    return f"{head}<body>{''.join(parts)}</body></html>\n"


def _legs(e: Explanation) -> str:
    if not e.legs:
        return ""
    head = ("", "side", "instrument", "asked", "approved", "price", "the gate said", "by")
    rows = [
        ("this" if x.is_this else "", x.side, x.instrument, x.asked, x.approved, x.price, x.verdict, ", ".join(x.decided_by))
        for x in e.legs
    ]
    return f"<h2>Legs</h2>{_table(head, rows)}"


def _summary(e: Explanation) -> str:
    rows = [
        ("price", e.price),
        ("stop", e.stop),
        ("target", e.target),
        ("proposed", e.size.proposed),
        ("approved", e.size.approved),
    ]
    rows += [("order", e.order)] if e.order else []
    rows += [("managed", line) for line in e.management]
    rows += [("size rule", e.size.words)] if e.size.words else []
    rows += [("would pass at", e.size.largest)] if e.size.largest else []
    rows += [("next binding", e.size.next_binding)] if e.size.next_binding else []
    rows += [("without the deciding rules", e.if_lifted)] if e.if_lifted else []
    rows += [("missing", ", ".join(e.missing))] if e.missing else []
    rows += [("the verdict changes if", _margin(flip)) for flip in e.margins]
    rows += [("near miss", line) for line in e.near_misses]
    return _table((), rows)


def _margin(flip: Flip) -> str:
    return f"{flip_words(flip)}: {flip.at_point if flip.at_point != flip.inside else flip.outside}"


def _rule(rule: RuleResult) -> str:
    is_open = " open" if rule.decides or rule.status in {"failed", "unknown"} else ""
    used = "" if rule.used is None else f" · {rule.used:.0%} used"
    title = f"{rule.kind} <strong>{escape(rule.name)}</strong> {escape(rule.status)}{used}"
    missing = f"<p>missing: {escape(', '.join(rule.missing))}</p>" if rule.missing else ""
    because = f"<p>{escape(rule.because)}</p>" if rule.because else ""
    place = f'<span class="meta">{escape(rule.place)}, otherwise {escape(rule.otherwise)}</span>'
    excepted = "".join(f"<p>exception {escape(e.name)} {escape(e.words)}: {escape(e.status)}</p>" for e in rule.exceptions)
    left = f"<p>{LEFT}</p>" if rule.decides_what_is_left else ""
    inner = f"{because}{left}{missing}{excepted}{_tree(rule.condition)}{_flips(rule.flips)}"
    look = "shadow" if rule.status.endswith("(shadow)") else rule.status
    return f'<details class="{escape(look)}"{is_open}><summary>{title} {place}</summary>{inner}</details>'


def _tree(clause: Clause) -> str:
    name = f"<em>{escape(clause.name)}</em>: " if clause.name else ""
    shown = ""
    if clause.value:
        apart = f", {clause.distance} apart" if clause.distance else ""
        shown = f' <span class="meta">[{escape(clause.value)} against {escape(clause.threshold)}{escape(apart)}]</span>'
    inner = "".join(_tree(part) for part in clause.parts)
    return f'<ul><li class="{clause.truth}">{name}<code>{escape(clause.text)}</code>{shown}{inner}</li></ul>'


def _flips(found: tuple[Flip, ...]) -> str:
    lines = (f"<li>{escape(flip_words(flip))}</li>" for flip in found[:6])
    body = "".join(lines)
    return f'<p class="meta">flips if</p><ul>{body}</ul>' if body else ""


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    top = f"<tr>{''.join(f'<th>{escape(h)}</th>' for h in head)}</tr>" if head else ""
    body = "".join(f"<tr>{''.join(f'<td class=n>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{top}{body}</table>"
