"""What a step orders is sent when it is over, so that all its decisions rest on one account."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tb.core.records import Order
from tb.gate.gate import closing
from tb.runtime.running.stepper import Sending

ONE = Decimal(1)


class Venue:
    """Keeps what reaches it."""

    def __init__(self) -> None:
        self.got: list[Any] = []

    def submit(self, approved: Any, order: Order) -> None:
        self.got.append(order.id)

    def submit_together(self, legs: Any) -> None:
        self.got.append(tuple(order.id for _, order in legs))

    def cancel(self, order: str) -> bool:
        self.got.append(f"cancel {order}")
        return False


class Recorder:
    """Records that can be written, or not."""

    can = True

    def flush(self) -> bool:
        return self.can


def order(name: str, kind: Any = "entry") -> Order:
    return Order(
        id=name,
        decision=1,
        at=0,
        strategy="s",
        instrument="BTC-USD",
        side="buy",
        quantity=ONE,
        kind=kind,
        stop=None,
        target=None,
    )


APPROVED = closing(ONE, held=ONE)


@pytest.fixture
def sending() -> Sending:
    return Sending(Venue(), Recorder())  # type: ignore[arg-type]


def test_nothing_goes_out_before_the_step_is_over_and_then_in_its_order(sending: Sending) -> None:
    sending.submit(APPROVED, order("exit", "exit"))
    sending.submit_together([(APPROVED, order("a")), (APPROVED, order("b"))])
    sending.submit(APPROVED, order("c"))
    assert sending.venue.got == []  # type: ignore[attr-defined]
    sending.release()
    assert sending.venue.got == ["exit", ("a", "b"), "c"]  # type: ignore[attr-defined]
    sending.release()
    assert len(sending.venue.got) == 3  # type: ignore[attr-defined]


def test_what_is_taken_back_before_it_went_out_never_does(sending: Sending) -> None:
    sending.submit(APPROVED, order("a"))
    sending.submit_together([(APPROVED, order("b")), (APPROVED, order("c"))])
    sending.submit(APPROVED, order("d"))
    assert sending.cancel("a")
    assert sending.cancel("c")  # a leg with all others
    sending.release()
    assert sending.venue.got == ["d"]  # type: ignore[attr-defined]
    assert not sending.cancel("d")
    assert sending.venue.got == ["d", "cancel d"]  # type: ignore[attr-defined]


def test_what_is_not_recorded_goes_out_only_where_it_closes(sending: Sending) -> None:
    sending.recorder.can = False  # type: ignore[attr-defined]
    sending.submit(APPROVED, order("entry"))
    sending.submit(APPROVED, order("exit", "exit"))
    sending.release()
    assert sending.venue.got == ["exit"]  # type: ignore[attr-defined]
    assert [one.id for one in sending.withheld] == ["entry"]


def test_an_order_whose_sending_fails_is_not_sent_again(sending: Sending) -> None:
    class Breaks(Venue):
        def submit(self, approved: Any, order: Order) -> None:
            super().submit(approved, order)
            raise RuntimeError("it may have arrived")

    sending.venue = Breaks()  # type: ignore[assignment]
    sending.submit(APPROVED, order("a"))
    sending.submit(APPROVED, order("b"))
    with pytest.raises(RuntimeError):
        sending.release()
    with pytest.raises(RuntimeError):
        sending.release()
    sending.release()
    assert sending.venue.got == ["a", "b"]  # type: ignore[attr-defined]
