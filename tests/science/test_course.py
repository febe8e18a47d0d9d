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


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"drivers.disinhibition": "0"}, "glutamate is up within the hour"),
        ({"pk_s.clearance_70": "3 L/h", "pk_r.clearance_70": "3 L/h"}, "glutamate is back"),
        ({"spines.k_assembly": "9 1/h", "spines.k_filopodia": "9 1/h"}, "less than a tenth"),
        ({"spines.k_filopodia": "0.03 1/h"}, "more than half at 24 h"),
        ({"spines.k_retire": "0.001 1/h"}, "gone by four weeks"),
        ({"outcome.weight_fast": "0"}, "within six hours, before the spines"),
        ({"outcome.weight_slow": "0.01"}, "kept at 24 h"),
        ({"translation.k_mtorc1": "0.1 1/h"}, "mTORC1 is back"),
    ],
)
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
    slow = MODEL.with_values({"spines.k_retire": "0.001 1/h"})
    run = course(slow, *DOSES["human"])
    assert course_faults(run.sel(time=slice(0, 336))) == ()


def test_the_fast_limb_leads_and_spines_keep_what_it_won():
    subject, dose = DOSES["mouse"]
    times = (0.0, 3.0, 6.0, 24.0, 168.0)
    names = ("outcome.fast", "outcome.function", "spines.density")
    run = ks.simulate(ks.Scenario(MODEL, dose, times, subject=subject, record=names))
    fast, function, spines = (run[name].to_numpy()[0] for name in names)
    slow = MODEL.value("outcome.weight_slow") * (spines - 1.0)
    assert fast[1] > 10 * fast[3]
    assert slow[1] < 0.02 * (function[1] - 1.0)
    assert slow[3] > 0.9 * (function[3] - 1.0)
    assert function[4] > 1.0


def test_a_larger_dose_surges_more_until_it_silences_pyramidal_cells():
    peaks = []
    for amount in (1.0, 3.0, 10.0, 30.0, 200.0):
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
    assert peaks[4] < peaks[3], "an inverted U"
