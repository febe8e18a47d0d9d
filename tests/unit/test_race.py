"""Does the race between engines give each the tolerance that it is due?"""

import engines
import numpy as np
import pytest
from contenders import Contender


@pytest.fixture(autouse=True)
def right(monkeypatch):
    monkeypatch.setattr(engines, "exact", lambda scene: np.zeros((4, 8, 3)))
    monkeypatch.setattr(engines, "scales", lambda scene: np.ones(8))


def engine(error):
    """Return an engine whose error is a function of its tolerance."""
    return Contender("x", 5, lambda scene, drawn, rtol: error(rtol) + np.zeros((4, 8, 3)))


def test_the_loosest_accurate_tolerance_to_an_eighth_of_a_decade():
    assert engines.accurate(engine(lambda rtol: 1.5 * rtol), "healthy", 1e-5) == pytest.approx(
        (10.0**-5.25, 1.5 * 10.0**-5.25)
    )


def test_one_that_is_accurate_by_luck_does_not_count():
    def lucky(rtol):
        return 0.0 if np.isclose(rtol, 10.0**-4.5) else 1.5 * rtol

    assert engines.accurate(engine(lucky), "healthy", 1e-5)[0] == pytest.approx(10.0**-5.25)


def test_one_at_which_an_engine_gives_up_does_not_count(capsys):
    def fragile(rtol):
        if rtol > 1.1e-6:
            raise RuntimeError("too much work")
        return rtol

    assert engines.accurate(engine(fragile), "healthy", 1e-5)[0] == pytest.approx(1e-6)
    assert "x, healthy, 0.0001: too much work" in capsys.readouterr().out


def test_an_engine_that_is_never_accurate_does_not_enter():
    assert engines.accurate(engine(lambda rtol: 1.0), "healthy", 1e-5)[1] == np.inf
