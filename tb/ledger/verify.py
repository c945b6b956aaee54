"""Proves that a ledger still says what was written, or names the first entry that does not.

1. The file: SQLite's own structure check (`_structure`), of a long ledger while it is walked.
2. Policies: each text matches the hash it is stored under (`_policies`).
3. The chain, first entry to last, each step in `tb.ledger.walk`: numbers without holes, each link is the hash of the entry
   before, each hash is that of its content. The walk stops at the first break: what follows it proves nothing.
4. Beside the walk: each entry is inside its run, its payload reads as its kind, its projection row equals what the payload
   says, the numbers of records in columns have no hole and no double, and at the end of a run the recorded
   `decision_log_hash` equals the digest of its decisions.
5. After the walk: rows of projections that belong to no entry, the runs table, the noted head.

A long ledger is walked in stretches side by side (`tb.ledger.together`). Where one of them finds anything, the whole is walked
again from the start, which then says what.

What no check from within can find: somebody who rewrites everything after a point, hashes, projections and head included,
or puts back an older copy of the whole file. Against that, note `Ledger.head()` elsewhere and hand it in as `anchor`.
All is read in one transaction, so a writer may go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from sqlalchemy import Connection, Engine

from tb.core.diagnostics import Diagnostic
from tb.core.encode import digest
from tb.ledger.batches import batches
from tb.ledger.chain import Head
from tb.ledger.findings import RESTORE, damage, database_errors, finding
from tb.ledger.place import Place
from tb.ledger.streaming import Streams
from tb.ledger.tables import Policy
from tb.ledger.together import all_hold, processes_for
from tb.ledger.walk import EVERY, Walk


def _structure(connection: Connection, path: Place) -> list[Diagnostic]:
    if connection.dialect.name != "sqlite":
        return []  # a server keeps its own pages in order, and says so when one cannot be read
    if connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar() == "ok":
        return []
    return [finding(path, "TB703", "the ledger file is damaged", RESTORE)]


def _policies(streams: Streams, path: Place) -> tuple[set[str], list[Diagnostic]]:
    """Names of all stored policies, and findings about those whose text does not match."""
    names: set[str] = set()
    findings = []
    for name, texts in streams.rows(Policy, at_a_time=EVERY):
        names.add(name)
        if not isinstance(texts, bytes) or digest(texts) != name:
            message = f"the stored text of policy `{str(name)[:12]}` is not what its hash says"
            findings.append(finding(path, "TB709", message, f"runs under it cannot be explained; {RESTORE}"))
    return names, findings


def verify(
    engine: Engine,
    path: Place,
    progress: Callable[[int, int], None] | None = None,
    anchor: Head | None = None,
    *,
    processes: int | None = None,
) -> list[Diagnostic]:
    """Findings, the first broken entry before what follows from it; empty where all holds.

    `progress` is called with entries done and entries in all. `processes` is how many walk at once, None: as it is quickest. An
    error of the disk or a damaged page ends the check with TB703 or TB706 in the findings; nothing is raised and nothing is
    changed.
    """
    findings: list[Diagnostic] = []
    walk: Walk | None = None
    try:
        with engine.connect() as connection, connection.begin(), Streams(connection) as streams:
            names, altered = _policies(streams, path)
            total = connection.exec_driver_sql("SELECT max(seq) FROM entries").scalar() or 0
            processes = processes_for(total) if processes is None else processes
            structure = cache(partial(_structure, connection, path))
            is_long = processes > 1 and not altered
            if is_long and all_hold(streams, connection, path, total, anchor, processes, progress, structure):
                return structure()
            walk = Walk(connection, path, streams, names, anchor)
            told = 0
            for batch in batches(streams):
                if not walk.take(batch):
                    break
                if progress is not None and walk.seq >= told + EVERY:
                    told = walk.seq
                    progress(told, total)
            walk.finish()
            findings = walk.findings + altered + structure()
            if progress is not None:
                progress(total, total)
    except database_errors() as problem:
        found = walk.findings if walk is not None else []
        findings = [*found, damage(path, problem)]
    return findings
