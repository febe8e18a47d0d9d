import numpy as np
import pytest

from ketasim.errors import ConfigError, UnitError
from ketasim.studies.readouts import Readout

TIMES = np.array([0.0, 1.0, 2.0, 4.0])
VALUES = np.array([[0.0, 2.0, 1.0, 0.0], [3.0, 3.0, 1.0, 1.0]])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a.b.at(30 min)", [1.0, 3.0]),
        ("a.b.peak", [2.0, 3.0]),
        ("a.b.trough", [0.0, 1.0]),
        ("a.b.t_peak", [1.0, 0.0]),
        ("a.b.t_trough", [0.0, 2.0]),
        ("a.b.auc(0 h, 4 h)", [3.5, 7.0]),
        ("a.b.auc(30 min, 1 h)", [0.75, 1.5]),
        ("a.b.t_half", [0.5, 1.5]),
        ("a.b.time_to(1)", [0.5, 2.0]),
        ("a.b.time_to_fall(1)", [np.nan, 1.5]),
        ("a.b.above(1.2)", [1.2, 1.9]),
    ],
)
def test_each_reducer_on_a_course_done_by_hand(text, wanted):
    found = Readout.parse(text).reduce(TIMES, VALUES)
    np.testing.assert_allclose(found, wanted, atol=1e-12)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("peak", "write name.reducer"),
        ("a.b.peek", 'Did you mean "peak"?'),
        ("a.b.at(3)", "a unit is needed"),
        ("a.b.at(3 uM)", "a time"),
        ("a.b.auc(0 h)", "takes 2 argument(s)"),
        ("a.b.above(x)", "is not a number"),
    ],
)
def test_what_is_no_read_out_is_refused(text, told):
    with pytest.raises((ConfigError, UnitError)) as caught:
        Readout.parse(text)
    assert told in str(caught.value)
