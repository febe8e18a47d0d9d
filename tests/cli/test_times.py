"""Output times: what was asked for, and by default fine after events and coarse between."""

import numpy as np
import pytest

from cli.texts import SINGLE_IV, changed
from ketasim.config import loads


def times(text):
    return np.array(loads(text).scenario.times)


def test_every_is_kept_exactly_and_the_end_is_shown():
    found = times(changed('"7 d"', '"24 h"\nevery = "7 h"'))
    assert found.tolist() == [0.0, 7.0, 14.0, 21.0, 24.0]


def test_default_is_fine_after_each_dose_and_coarse_between():
    course = '{ every = "3 d", times = 2 }'
    found = times(changed('at = "0 h"', f"at = {course}"))
    gaps = np.diff(found)
    assert gaps[found[1:] <= 6.0].max() < 0.04
    second = (found[1:] > 72.0) & (found[1:] <= 78.0)
    assert gaps[second].max() < 0.04
    assert gaps.max() == pytest.approx(1.0)
    assert {24.0, 168.0} <= set(found.tolist())


def test_a_bolus_at_zero_is_seen_from_before():
    bolus = changed('duration = "40 min"\n', "")
    assert times(bolus)[0] < 0.0
    assert times(SINGLE_IV)[0] == 0.0


def test_listed_times_are_kept():
    found = times(changed('until = "7 d"', 'times = ["0 h", "30 min", "1 d"]'))
    assert found.tolist() == [0.0, 0.5, 24.0]


def test_short_names_are_resolved():
    text = changed('"7 d"', '"7 d"\nobservables = ["mtor", "spines", "spines.density"]')
    assert loads(text).scenario.record == ("translation.mtorc1", "spines.density")


@pytest.mark.parametrize(
    ("target", "block", "level"),
    [("ampa.antagonist", 0.95, 0.95), ("body.cyp_activity", 0.75, 0.25), ("mtorc1", 1.0, 1.0)],
)
def test_block_is_a_share_of_what_works_untouched(target, block, level):
    held = f'[[intervention]]\ntarget = "{target}"\nblock = {block}\nuntil = "1 d"\n'
    (event,) = loads("schema = 1\n" + held).scenario.protocol.events
    assert event.value == level
