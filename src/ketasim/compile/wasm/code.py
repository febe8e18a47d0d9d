"""The encoding of WebAssembly: numbers, instructions, sections.

Opcodes as in the WebAssembly core specification, version 1.0.
"""

import struct
from collections.abc import Sequence

F64, I64, I32 = 0x7C, 0x7E, 0x7F  # kinds of value
ADD, SUB, MUL, DIV = b"\xa0", b"\xa1", b"\xa2", b"\xa3"
ABS, NEG, SQRT, MIN, MAX = b"\x99", b"\x9a", b"\x9f", b"\xa4", b"\xa5"
LESS, GREATER, AT_LEAST, SELECT = b"\x63", b"\x64", b"\x66", b"\x1b"
BITS, REAL = b"\xbd", b"\xbf"  # a double as a whole number of 64 bits, and back
WHOLE_ADD, WHOLE_SUB, SHIFT_LEFT, SHIFT_RIGHT = b"\x7c", b"\x7d", b"\x86", b"\x87"
INDEX_ADD, INDEX_BELOW = b"\x6a", b"\x49"
LOOP, BRANCH_IF, END = b"\x03\x40", b"\x0d", b"\x0b"


def unsigned(n: int) -> bytes:
    """Return a whole number >= 0 as LEB128."""
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes([*out, n])


def signed(n: int) -> bytes:
    """Return a whole number as signed LEB128."""
    out = bytearray()
    while not -0x40 <= n < 0x40:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes([*out, n & 0x7F])


def number(value: float) -> bytes:
    """Return the instruction that pushes a double."""
    return b"\x44" + struct.pack("<d", value)


def index(value: int) -> bytes:
    """Return the instruction that pushes a whole number of 32 bits."""
    return b"\x41" + signed(value)


def whole(value: int) -> bytes:
    """Return the instruction that pushes 64 bits, given as a number >= 0."""
    return b"\x42" + signed(value - (1 << 64) if value >> 63 else value)


def get(local: int) -> bytes:
    """Return the instruction that pushes a local."""
    return b"\x20" + unsigned(local)


def put(local: int) -> bytes:
    """Return the instruction that pops into a local."""
    return b"\x21" + unsigned(local)


def keep(local: int) -> bytes:
    """Return the instruction that copies what was pushed last into a local."""
    return b"\x22" + unsigned(local)


def call(function: int) -> bytes:
    """Return the instruction that calls a function by number."""
    return b"\x10" + unsigned(function)


def load(place: int) -> bytes:
    """Return the instruction that loads a double, ``place`` doubles after the address pushed."""
    return b"\x2b\x03" + unsigned(8 * place)


def store(place: int) -> bytes:
    """Return the instruction that stores a double, ``place`` doubles after the address pushed."""
    return b"\x39\x03" + unsigned(8 * place)


def vector(items: Sequence[bytes]) -> bytes:
    """Return items with their count before them."""
    return unsigned(len(items)) + b"".join(items)


def name(text: str) -> bytes:
    """Return a name."""
    raw = text.encode()
    return unsigned(len(raw)) + raw


def section(kind: int, body: bytes) -> bytes:
    """Return a section of a module."""
    return bytes([kind]) + unsigned(len(body)) + body


def function(code: bytes, *, indices: int = 0, reals: int = 0, wholes: int = 0) -> bytes:
    """Return a function's body with so many locals of each kind, in this order."""
    kinds = ((indices, I32), (reals, F64), (wholes, I64))
    held = [unsigned(count) + bytes([kind]) for count, kind in kinds if count]
    body = vector(held) + code + END
    return unsigned(len(body)) + body
