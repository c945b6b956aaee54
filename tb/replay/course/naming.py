"""Ids of orders and the texts that fills name them by, packed for the ledger: SHA-256 of many short texts in one pass.

Guarantees: an id is that of `tb.replay.course.told.order_id`.
"""

from __future__ import annotations

from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb.ledger.cells import Packed
from tb.replay.course.numbers import Ints
from tb.vocabulary.kernels.compiled import compiled, part

SIZE = 20  # hexadecimal digits of an id
_BLOCK = 64  # bytes that are hashed at once
_MASK = np.uint64(0xFFFF_FFFF)
_WORD = np.uint64(32)
_MOST = 24  # bytes that a number takes at most, and more


def _constants() -> tuple[Any, Any]:
    """The first 32 bits behind the point of the square roots of 8 primes, and of the cube roots of 64 (FIPS 180-4, 4.2.2)."""
    primes = [number for number in range(2, 312) if all(number % of for of in range(2, isqrt(number) + 1))]
    begin = [isqrt(prime << 64) & 0xFFFF_FFFF for prime in primes[:8]]
    rounds = []
    for prime in primes:
        root = round((prime << 96) ** (1 / 3))
        while root**3 > prime << 96:
            root -= 1
        while (root + 1) ** 3 <= prime << 96:
            root += 1
        rounds.append(root & 0xFFFF_FFFF)
    return np.array(begin, dtype=np.uint64), np.array(rounds, dtype=np.uint64)


_BEGIN, _ROUNDS = _constants()


@part
def _turned(word: Any, by: int) -> Any:
    return ((word >> np.uint64(by)) | (word << (_WORD - np.uint64(by)))) & _MASK


@part
def _hash_block(state: Any, data: Any, at: int, words: Any) -> None:
    """Takes 64 bytes more into a state (FIPS 180-4, 6.2.2)."""
    for i in range(16):
        j, word = at + 4 * i, np.uint64(0)
        for k in range(4):
            word = (word << np.uint64(8)) | np.uint64(data[j + k])
        words[i] = word
    for i in range(16, 64):
        near, far = words[i - 2], words[i - 15]
        first = _turned(far, 7) ^ _turned(far, 18) ^ (far >> np.uint64(3))
        second = _turned(near, 17) ^ _turned(near, 19) ^ (near >> np.uint64(10))
        words[i] = (words[i - 16] + first + words[i - 7] + second) & _MASK
    a, b, c, d, e, f, g, h = state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7]
    for i in range(64):
        chosen = (e & f) ^ (~e & g & _MASK)
        one = (h + (_turned(e, 6) ^ _turned(e, 11) ^ _turned(e, 25)) + chosen + _ROUNDS[i] + words[i]) & _MASK
        other = (_turned(a, 2) ^ _turned(a, 13) ^ _turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))
        h, g, f, e, d, c, b, a = g, f, e, (d + one) & _MASK, c, b, a, (one + other) & _MASK
    for i, word in enumerate((a, b, c, d, e, f, g, h)):
        state[i] = (state[i] + word) & _MASK


@part
def _put_number(number: int, out: Any, at: int) -> int:
    """Its digits, and where they end."""
    size, rest = 1, number
    while rest >= 10:
        rest //= 10
        size += 1
    rest = number
    for i in range(size):
        out[at + size - 1 - i] = 48 + rest % 10
        rest //= 10
    return at + size


@compiled
def _hash_all(before: Any, after: Any, numbers: Any, out: Any) -> None:
    """Writes the id of `before`, a number and `after`, for each number, as a text of MessagePack."""
    words, state, begun = np.empty(64, dtype=np.uint64), np.empty(8, dtype=np.uint64), np.empty(8, dtype=np.uint64)
    # element by element: what stretches of arrays are checked for would take longer to compile than all else here
    for i in range(8):
        begun[i] = _BEGIN[i]
    whole = before.shape[0] // _BLOCK * _BLOCK
    for at in range(0, whole, _BLOCK):
        _hash_block(begun, before, at, words)
    rest = before.shape[0] - whole
    data = np.zeros(rest + _MOST + after.shape[0] + 2 * _BLOCK, dtype=np.uint8)
    for i in range(rest):
        data[i] = before[whole + i]
    for k in range(numbers.shape[0]):
        end = _put_number(numbers[k], data, rest)
        for i in range(after.shape[0]):
            data[end + i] = after[i]
        end += after.shape[0]
        size = (end + 9 + _BLOCK - 1) // _BLOCK * _BLOCK
        data[end] = 0x80
        for i in range(end + 1, size):
            data[i] = 0
        bits = 8 * (whole + end)
        for i in range(8):
            data[size - 1 - i] = (bits >> (8 * i)) & 0xFF
        for i in range(8):
            state[i] = begun[i]
        for at in range(0, size, _BLOCK):
            _hash_block(state, data, at, words)
        out[k, 0] = 0xA0 | SIZE
        for i in range(SIZE):
            half = np.int64((state[i // 8] >> np.uint64(28 - 4 * (i % 8))) & np.uint64(15))
            out[k, 1 + i] = 48 + half if half < 10 else 87 + half


@compiled
def _in_turns(ids: Any, of: Any, words: Any, sizes: Any, first: int, out: Any, ends: Any) -> int:
    """Each id, then the text `of[k]` with the number of its trade; returns how many bytes these are."""
    at = 0
    for k in range(ids.shape[0]):
        for i in range(ids.shape[1]):
            out[at + i] = ids[k, i]
        at += ids.shape[1]
        ends[2 * k + 1] = at
        begin, size = at + 1, sizes[of[k]]
        for i in range(size):
            out[begin + i] = words[of[k], i]
        at = _put_number(first + k, out, begin + size)
        out[begin - 1] = 0xA0 | (at - begin)
        ends[2 * k + 2] = at
    return at


def ids_of(before: bytes, after: bytes, numbers: Ints) -> NDArray[np.uint8]:
    """Rows of bytes: the id of `before`, each number (none is negative) and `after`, packed."""
    out = np.empty((len(numbers), 1 + SIZE), dtype=np.uint8)
    first, last = (np.frombuffer(of, dtype=np.uint8).copy() for of in (before, after))
    _hash_all(first, last, np.ascontiguousarray(numbers), out)
    return out


def packed(ids: Any) -> Packed:
    """Such rows as a column."""
    return Packed(ids.tobytes(), ids.shape[1] * np.arange(len(ids) + 1))


def taking_turns_with(ids: Any, of: Any, texts: tuple[str, ...], first: int) -> Packed:
    """Each id and then the text that `of` names by its number, with the number of the trade after it."""
    most = max(map(len, texts))
    words = np.zeros((len(texts), most), dtype=np.uint8)
    for row, text in zip(words, texts, strict=True):
        row[: len(text)] = np.frombuffer(text.encode(), dtype=np.uint8)
    sizes = np.array([len(text) for text in texts], dtype=np.int64)
    out = np.empty(len(ids) * (ids.shape[1] + 1 + most + _MOST), dtype=np.uint8)
    ends = np.zeros(2 * len(ids) + 1, dtype=np.int64)
    size = _in_turns(ids, of, words, sizes, first, out, ends)
    return Packed(out[:size].tobytes(), ends)
