"""Has a number moved? Not whether it is right: whether it is the one that was released."""

import json

import numpy as np
import pytest

from golden.make import GOLDEN, HOURS, NAMES, numbers, scenarios

SAVED = json.loads(GOLDEN.read_text("utf-8"))
NEAR = 1e-6


def test_the_file_holds_what_is_compared():
    assert SAVED["hours"] == list(HOURS)
    assert set(SAVED["runs"]) == set(scenarios())
    assert all(set(run) == set(NAMES) for run in SAVED["runs"].values())


@pytest.mark.parametrize("name", scenarios())
def test_no_number_has_moved(name):
    found = numbers(scenarios()[name])
    moved = {}
    for quantity, saved in SAVED["runs"][name].items():
        scale = np.abs(saved).max()
        gap = float(np.abs(np.subtract(found[quantity], saved)).max() / (scale or 1.0))
        if gap > NEAR:
            moved[quantity] = gap
    assert moved == {}, "if this was meant, run tests/golden/make.py and tell the changelog"
