"""Searches that ask together: each gets its own rows, errors reach all, none waits in vain."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from ketasim.studies.fit.together import Together


def squares(sizes):
    def evaluate(points):
        sizes.append(len(points))
        return points**2, np.arange(len(points), dtype=np.int8)

    return evaluate


def test_points_of_those_who_wait_are_one_batch_and_each_gets_its_own_rows():
    sizes, begun = [], Barrier(4)
    together = Together(squares(sizes))

    def one(i):
        with together.search() as ask:
            begun.wait()
            return [ask(np.full((i + 1, 2), 10.0 * k + i))[0] for k in range(5)]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(one, range(4)))
    for i, rows in enumerate(found):
        for k, row in enumerate(rows):
            assert np.array_equal(row, np.full((i + 1, 2), (10.0 * k + i) ** 2))
    assert sizes == [10] * 5


def test_one_that_leaves_keeps_nobody_waiting():
    sizes, begun = [], Barrier(3)
    together = Together(squares(sizes))

    def one(i):
        with together.search() as ask:
            begun.wait()
            for _ in range(i):
                ask(np.ones((1, 1)))
        return i

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(one, (0, 1, 7))) == [0, 1, 7]
    assert sum(sizes) == 8
    assert together.searching == 0


def test_an_error_reaches_everybody_who_waits():
    begun = Barrier(2)

    def evaluate(points):
        raise ValueError(f"{len(points)} points")

    together = Together(evaluate)

    def one(_):
        with together.search() as ask:
            begun.wait()
            with pytest.raises(ValueError, match="2 points"):
                ask(np.ones((1, 1)))
        return True

    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(one, range(2)))
