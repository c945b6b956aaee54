from typing import Any

FORM: int

class Filler:
    def __init__(self, buffer: memoryview, numbers: int, words: int, others: int) -> None: ...
    def fill(self, *given: Any) -> str | None: ...
