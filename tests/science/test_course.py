"""Does one dose act fast, and then slowly, in the order that was published?"""

import numpy as np
import pytest

import ketasim as ks
from ketasim.testing import COURSE_NAMES, COURSE_TIMES, course_faults
from science.subjects import DOSES, MODEL, STRESS

pytestmark = pytest.mark.science


def course(model, subject, protocol):
    scenario = ks.Scenario(model, protocol, COURSE_TIMES, subject=subject, record=COURSE_NAMES)
    return ks.simulate(scenario)


@pytest.mark.parametrize("context", [ks.Protocol(), STRESS], ids=["healthy", "stressed"])
@pytest.mark.parametrize("who", DOSES)
def test_the_course_is_fast_then_slow(who, context):
    subject, dose = DOSES[who]
    assert course_faults(course(MODEL, subject, dose + context)) == ()


SLOW_CLEARANCE = {
    **{f"{one}.clearance_70": "3 L/h" for one in ("pk_s", "pk_r")},
    **{f"disposition.q_{one}_70": "0.1 L/h" for one in ("fast", "slow")},
    "circuit.k_adapt": "0.01 1/h",
}
NO_RECEPTORS = {"ampa.reached": "1.001", "ampa.brake_eef2": "0", "ampa.slots": "0"}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"drivers.disinhibition": "0"}, "glutamate is up within the hour"),
        (SLOW_CLEARANCE, "glutamate is back"),
        ({"spines.k_mature": "9 1/h"}, "less than a tenth"),
        ({"spines.k_mature": "0.05 1/h"}, "more than half at 24 h"),
        ({"spines.k_retire": "0.0005 1/h"}, "gone by four weeks"),
        (NO_RECEPTORS, "within six hours, before the spines"),
        ({"drivers.memory": "0", "ampa.k_remove": "0.4 1/h"}, "kept at 24 h"),
        ({"translation.k_mtorc1": "0.1 1/h"}, "mTORC1 is back"),
    ],
)  # fmt: skip
def test_another_course_is_noticed(values, said):
    found = course_faults(course(MODEL.with_values(values), *DOSES["human"]))
    assert any(said in sentence for sentence in found), found


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("glutamate.relative", "translation.mtorc1", "glutamate peaks before"),
        ("trkb.signal", "translation.proteins", "TrkB and mTORC1 peak before"),
        ("translation.proteins", "spines.density", "proteins peak before spines"),
    ],
)
def test_another_order_is_noticed(one, other, said):
    run = course(MODEL, *DOSES["human"])
    swapped = run.assign({one: run[other], other: run[one]})
    assert any(said in sentence for sentence in course_faults(swapped))


def test_a_run_too_short_for_four_weeks_is_not_judged_on_them():
    slow = MODEL.with_values({"spines.k_retire": "0.0005 1/h"})
    run = course(slow, *DOSES["human"])
    assert course_faults(run.sel(time=slice(0, 336))) == ()


def test_receptors_lead_and_spines_keep_what_they_won():
    subject, dose = DOSES["mouse"]
    times = (0.0, 3.0, 6.0, 24.0, 72.0, 168.0)
    names = ("ampa.number", "outcome.function", "spines.density")
    run = ks.simulate(ks.Scenario(MODEL, dose, times, subject=subject, record=names))
    receptors, function, spines = (run[name].to_numpy()[0] for name in names)
    assert receptors[1] - 1.0 > 20 * (spines[1] - 1.0), "receptors alone carry the first hours"
    assert spines[4] - 1.0 > receptors[4] - 1.0, "spines carry the third day"
    assert function[5] > 1.0


def test_a_larger_dose_surges_more_until_it_silences_pyramidal_cells():
    peaks = []
    for amount in (0.3, 1.0, 3.0, 10.0, 200.0):
        dose = ks.dose(f"{amount} mg/kg", route="ip")
        scenario = ks.Scenario(
            MODEL,
            dose,
            ks.hours(0, 4, every=0.05),
            subject=ks.rat(),
            record=("glutamate.relative",),
        )
        peaks.append(float(ks.simulate(scenario)["glutamate.relative"].max()))
    assert np.all(np.diff(peaks[:4]) > 0.0)
    assert peaks[4] < 0.9 * peaks[3], "an inverted U"
