"""Scrambled Sobol' points as SciPy draws them, bit for bit, without importing ``scipy.stats``.

That import takes most of a second, which is longer than a small sweep. The direction numbers are
those that SciPy comes with; where they are not where they have always been, SciPy itself draws.

References
----------
Joe and Kuo 2008, 10.1137/070709359; scrambled as by Matousek 1998, 10.1006/jcom.1998.0487.
"""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Words = NDArray[np.uint32]
BITS = 30
MOST = 2**BITS
_FILE = "stats/_sobol_direction_numbers.npz"


def points(seed: int, width: int, start: int, stop: int) -> Array:
    """Return some points of the scrambled sequence of a seed, shape (stop - start, width)."""
    try:
        shift, directions = _scrambled(seed, width)
    except (OSError, KeyError):  # another SciPy keeps them elsewhere
        return _by_scipy(seed, width, start, stop)
    index = np.arange(start, stop, dtype=np.uint32)
    gray = index ^ (index >> np.uint32(1))
    found = np.broadcast_to(shift, (len(index), width)).copy()
    for bit in range(BITS):
        on = ((gray >> np.uint32(bit)) & np.uint32(1)).astype(bool)
        if on.any():
            found[on] ^= directions[:, bit]
    return found.astype(np.float64) * 2.0**-BITS


def _by_scipy(seed: int, width: int, start: int, stop: int) -> Array:
    from scipy.stats import qmc

    engine = qmc.Sobol(width, rng=np.random.default_rng(seed))
    if start:
        engine.fast_forward(start)
    found: Array = engine.random(stop - start)
    return found


@lru_cache(maxsize=8)
def _scrambled(seed: int, width: int) -> tuple[Words, Words]:
    """Return the first point (width,) and the directions (width, BITS) of a seed's sequence."""
    (source,) = np.random.default_rng(seed).spawn(1)
    powers = (1 << np.arange(BITS)).astype(np.uint32)
    shift = source.integers(2, size=(width, BITS), dtype=np.uint32) @ powers
    triangles = source.integers(2, size=(width, BITS, BITS), dtype=np.uint32)
    rows = np.tril(triangles).astype(np.uint32)
    rows[:, np.arange(BITS), np.arange(BITS)] = 1
    masks = rows @ powers[::-1].copy()  # (width, BITS): of each bit, what it is the parity of
    plain = _directions(width)
    scrambled = np.zeros_like(plain)
    for row in range(BITS):
        parity = np.bitwise_count(masks[:, row, None] & plain) & np.uint8(1)
        scrambled |= parity.astype(np.uint32) << np.uint32(BITS - 1 - row)
    return shift.astype(np.uint32), scrambled


def _directions(width: int) -> Words:
    """Return the directions (width, BITS) of the plain sequence, the highest bit first."""
    home = find_spec("scipy")
    if home is None or home.origin is None:
        raise OSError("SciPy is not there")
    with np.load(Path(home.origin).parent / _FILE, allow_pickle=False) as file:
        polynomials = [int(one) for one in file["poly"][:width]]
        firsts = file["vinit"][:width].astype(np.int64)
    found = np.ones((width, BITS), dtype=np.int64)
    for row, (polynomial, first) in enumerate(zip(polynomials, firsts, strict=True)):
        if row > 0:
            found[row] = _recurrence(polynomial, first.tolist())
    return (found << np.arange(BITS)[::-1]).astype(np.uint32)


def _recurrence(polynomial: int, first: list[int]) -> list[int]:
    degree = polynomial.bit_length() - 1
    found = first[:degree]
    for at in range(degree, BITS):
        new = found[at - degree]
        for k in range(degree):
            if polynomial >> (degree - 1 - k) & 1:
                new ^= found[at - k - 1] << (k + 1)
        found.append(new)
    return found
