"""A commit whose answer is lost on its way: what was written is known to be, and is never written twice."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial

import postgres_server
import pytest
from ledger_samples import TEXTS, decision, mark, order, run_of

from tb.core.diagnostics import Refused
from tb.core.records import Record
from tb.ledger import Database, DecisionLog, Group, open_ledger
from tb.ledger.store import Ledger

COMMIT = b"COMMIT\0"  # the statement, and what the server says when it is done


class Proxy:
    """Stands in front of the server. It can lose the answer to the next COMMIT, or that COMMIT, and take no more callers."""

    def __init__(self, port: int) -> None:
        self.port, self.loses, self.lost = port, "", 0
        self.shuts = self.is_shut = False  # whether it takes no more callers from then on, and from now on
        self.listens = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> tuple[str, int]:
        name: tuple[str, int] = self.listens.getsockname()
        return name

    def close(self) -> None:
        self.listens.shutdown(socket.SHUT_RDWR)
        self.listens.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listens.accept()
            except OSError:
                return
            if self.is_shut:
                client.close()
            else:
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self.port)) as server, selectors.DefaultSelector() as waiting:
            waiting.register(client, selectors.EVENT_READ)
            waiting.register(server, selectors.EVENT_READ)
            is_losing = False
            while True:
                for key, _ in waiting.select():
                    data = key.fileobj.recv(1 << 16)  # type: ignore[union-attr]
                    if not data:
                        return
                    if key.fileobj is client:
                        if self.loses and COMMIT in data:
                            loses, self.loses = self.loses, ""
                            self.lost, self.is_shut = self.lost + 1, self.shuts
                            if loses == "commit":
                                return
                            is_losing = True
                        server.sendall(data)
                    elif not is_losing:
                        client.sendall(data)
                    elif COMMIT in data:  # done, says the server, and nobody hears it
                        return


@pytest.fixture
def proxy(server: postgres_server.Server) -> Iterator[Proxy]:
    made = Proxy(server.port)
    yield made
    made.close()


@pytest.fixture
def place(proxy: Proxy, server: postgres_server.Server, monkeypatch: pytest.MonkeyPatch) -> Database:
    address = server.schema_address().replace(f":{server.port}/", f":{proxy.address[1]}/")
    monkeypatch.setenv("TB_BEHIND", address + "&sslmode=disable&gssencmode=disable")
    return Database("TB_BEHIND")


@pytest.fixture
def ledger(place: Database) -> Iterator[Ledger]:
    with open_ledger(place, wait=5.0) as opened:
        opened.start_run(run_of(opened.put_policy(TEXTS)))
        yield opened


def many(first: int, count: int) -> list[Record]:
    return [
        record for seq in range(first, first + count) for record in (decision(seq), order(f"o{seq}", decision=seq), mark(seq))
    ]


def refused_by(ask: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        ask()
    return refused.value.findings[0].code


@pytest.mark.parametrize("count", [1, 20])
def test_a_group_whose_confirmation_is_lost_is_found_at_once(ledger: Ledger, proxy: Proxy, count: int) -> None:
    log, beside = DecisionLog(), DecisionLog()
    proxy.loses = "answer"
    ledger.append("r1", many(1, count), log=log)
    assert proxy.lost == 1
    assert list(ledger.records("r1")) == many(1, count)
    ledger.append("r1", many(count + 1, 1), log=log)
    for record in many(1, count + 1):
        beside.add(record)
    assert list(ledger.records("r1")) == many(1, count + 1)
    assert log.hexdigest() == beside.hexdigest()
    ledger.finish_run("r1", {"decision_log_hash": log.hexdigest()})
    assert ledger.verify() == []


@pytest.mark.parametrize("count", [1, 20])
@pytest.mark.parametrize(("loses", "is_there"), [("answer", True), ("commit", False)])
def test_a_group_that_is_handed_in_again_after_the_server_was_gone_is_written_once(
    ledger: Ledger, proxy: Proxy, count: int, loses: str, is_there: bool
) -> None:
    log = DecisionLog()
    proxy.loses, proxy.shuts = loses, True
    waiting = many(1, count)
    assert refused_by(lambda: ledger.append("r1", waiting, log=log)) == "TB886"
    assert refused_by(lambda: ledger.append("r1", waiting, log=log)) == "TB886"
    proxy.is_shut = False
    before = ledger.head().seq
    assert before == 1 + (len(waiting) if is_there else 0)
    waiting += many(count + 1, 1)  # as a session hands in what waited and what came since
    ledger.append("r1", waiting, log=log)
    ledger.append("r1", [mark(99)], log=log)
    assert list(ledger.records("r1")) == [*waiting, mark(99)]
    ledger.finish_run("r1", {"decision_log_hash": log.hexdigest()})
    assert ledger.verify() == []


@pytest.mark.parametrize("loses", ["answer", "commit"])
def test_the_second_try_may_be_lost_as_well(ledger: Ledger, proxy: Proxy, loses: str) -> None:
    log, waiting = DecisionLog(), many(1, 1)
    for first, how in ((2, "answer"), (3, loses)):
        proxy.loses, proxy.shuts = how, True
        assert refused_by(partial(ledger.append, "r1", waiting, log=log)) == "TB886"
        proxy.is_shut = False
        waiting = waiting + many(first, 1)
    ledger.append("r1", waiting, log=log)
    assert list(ledger.records("r1")) == waiting == many(1, 3)
    ledger.finish_run("r1", {"decision_log_hash": log.hexdigest()})
    assert ledger.verify() == []


def test_another_group_in_its_place_is_refused_once(ledger: Ledger, proxy: Proxy) -> None:
    proxy.loses, proxy.shuts = "answer", True
    assert refused_by(lambda: ledger.append("r1", [mark(1)])) == "TB886"
    proxy.is_shut = False
    other = ledger.start_run(run_of(ledger.put_policy(TEXTS))).id  # what is not of the run goes on
    ledger.append(other, [mark(1)])
    assert refused_by(lambda: ledger.append("r1", [mark(2)])) == "TB716"
    assert list(ledger.records("r1")) == [mark(1)]
    ledger.append("r1", [mark(2)])
    assert list(ledger.records("r1")) == [mark(1), mark(2)]
    assert ledger.verify() == []


def test_groups_in_columns_and_the_end_of_a_run_are_written_once(ledger: Ledger, proxy: Proxy) -> None:
    log = DecisionLog()
    proxy.loses, proxy.shuts = "answer", True
    group = Group(1, many(1, 3))
    assert refused_by(lambda: ledger.append_group("r1", group, log=log)) == "TB886"
    proxy.is_shut = False
    ledger.append_group("r1", group, log=log)
    assert list(ledger.records("r1")) == many(1, 3)
    proxy.loses, proxy.shuts = "answer", True
    end = {"decision_log_hash": log.hexdigest()}
    assert refused_by(lambda: ledger.finish_run("r1", end)) == "TB886"
    proxy.is_shut = False
    ledger.finish_run("r1", end)
    with pytest.raises(ValueError, match="finished"):
        ledger.finish_run("r1", end)
    assert ledger.verify() == []


def test_a_held_account_whose_confirmation_is_lost_knows_its_group_and_is_not_held_any_more(
    ledger: Ledger, proxy: Proxy
) -> None:
    ledger.hold("desk")
    proxy.loses = "answer"
    ledger.append("r1", [mark(1)])
    assert proxy.lost == 1
    assert refused_by(lambda: ledger.append("r1", [mark(2)])) == "TB888"
    assert list(ledger.records("r1")) == [mark(1)]
