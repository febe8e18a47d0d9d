"""A single run on the ensemble engine is the reference's run."""

import numpy as np
import pytest

import ketasim as ks
from ketasim.errors import ConfigError

MODEL = ks.models.antidepressant()
PROTOCOLS = {
    "infusion": ks.infusion("0.5 mg/kg", over="40 min"),
    "stressed": ks.bolus("0.3 mg/kg") + ks.hold("stress.stressor", 1.0, start="always"),
    "last": ks.dose("5 mg/kg", route="im") + ks.bolus("1 mg/kg", at="12 h"),
}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_both_engines_draw_the_same_curves(name):
    scene = ks.Scenario(MODEL, PROTOCOLS[name], ks.hours(0, 12, every=0.25), ks.human())
    ours, theirs = (ks.simulate(scene, engine=e, rtol=1e-8) for e in ("ensemble", "reference"))
    for one in scene.recorded:
        size = max(float(np.abs(theirs[one]).max()), 1e-6)
        assert float(np.abs(ours[one] - theirs[one]).max()) < 1e-6 * size, one
    assert ours.attrs["engine"] == "ensemble"
    assert ours.attrs["delivered_mg"] == pytest.approx(ours.attrs["prescribed_mg"], rel=1e-9)


def test_an_engine_that_does_not_exist_is_refused():
    scene = ks.Scenario(MODEL, ks.Protocol(), ks.hours(0, 1, every=0.5), ks.human())
    with pytest.raises(ConfigError, match='Did you mean "ensemble"'):
        ks.simulate(scene, engine="ensembel")
