"""Latin hypercubes of any number of points, none of which is held in memory.

Each column visits its n slices in an order that is computed from the seed and the member: a Feistel
network permutes the numbers of so many bits, and is walked until it is back below n.

References
----------
Luby and Rackoff 1988, 10.1137/0217022; Black and Rogaway 2002, 10.1007/3-540-45760-7_9.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Words = NDArray[np.uint64]
ROUNDS = 3  # of each half; four in all would do
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))  # Stafford's 13th variant
_INSIDE = 1.0 - 2.0**-53  # the largest share below 1


def slices(seed: int, n: int, width: int) -> Callable[[int, int], Words]:
    """Return what gives, for some members, the slice (0 to n - 1) of each column they are in.

    In every column each of the ``n`` members has a slice of its own; shape (stop - start, width).
    """
    bits = max(2, (n - 1).bit_length())
    low = np.uint64(bits // 2)
    masks = (np.uint64((1 << (bits - bits // 2)) - 1), np.uint64((1 << (bits // 2)) - 1))
    words = np.random.SeedSequence([seed, n]).generate_state(2 * ROUNDS * width, np.uint64)
    keys: Words = words.astype(np.uint64).reshape(2 * ROUNDS, width)

    def encrypted(at: Words, key: Words) -> Words:
        """Return where numbers of so many bits go; ``key`` (2 * ROUNDS, ...) one a number."""
        high, rest = at >> low, at & masks[1]
        for k in range(0, 2 * ROUNDS, 2):
            high = high ^ (_mixed(rest + key[k]) & masks[0])
            rest = rest ^ (_mixed(high + key[k + 1]) & masks[1])
        return (high << low) | rest

    def found(start: int, stop: int) -> Words:
        members = np.arange(start, stop, dtype=np.uint64)[:, None]
        every: Words = np.repeat(members, width, axis=1)
        at = encrypted(every, keys[:, None, :])
        while (outside := at >= np.uint64(n)).any():
            at[outside] = encrypted(at[outside], keys[:, np.nonzero(outside)[1]])
        return at

    return found


def _mixed(words: Words) -> Words:
    """Return words in which every bit hangs on every bit given."""
    words = (words ^ (words >> np.uint64(30))) * _MIX[0]
    words = (words ^ (words >> np.uint64(27))) * _MIX[1]
    return words ^ (words >> np.uint64(31))


def within(which: Words, shares: Array, n: int) -> Array:
    """Return points (0 to 1) at some shares of their slices."""
    found: Array = np.minimum((which.astype(np.float64) + shares) / n, _INSIDE)
    return found
