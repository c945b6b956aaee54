from collections.abc import Callable
from typing import Any

WIDEST: int
FORM: int

class Teller:
    def __init__(
        self,
        promised: Any,
        said: Callable[[Any, Any], Any],
        passed: Any,
        sure: Any,
        levels: tuple[str, ...],
        numbers: int,
        words: int,
        whole: int,
        market: int,
        others: int,
        account: int,
        terms: int,
        reals: int,
        proposed: int,
    ) -> None: ...
    def __len__(self) -> int: ...
    def tell(
        self, seq: int, at: int, p: Any, row: int, j: Any, raw: Any, reason: str, market: Any, ages: Any, rows: Any, /
    ) -> Any: ...
    def cut(self) -> tuple[Any, ...]: ...
