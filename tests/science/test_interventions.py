"""Do the interventions that abolish the effect abolish it, and the others spare it?

Each effect is drug minus control under the same intervention, after chronic stress in mice, as a
share of ketamine's own.
"""

import numpy as np
import pytest

import ketasim as ks
from science.subjects import IP, MODEL, STRESS, run

pytestmark = pytest.mark.science
TIMES = (*np.arange(-1.0, 6.0, 0.05), 24.0)
NAMES = (
    "outcome.function",
    "spines.density",
    "translation.mtorc1",
    "bdnf.extracellular",
    "glutamate.relative",
)
LIMIT = 0.2


def effects(*holds, dose=IP, model=MODEL):
    """Return peak effects within 6 h, and effects at 24 h, of a dose over no dose."""
    context = sum(holds, STRESS)
    drugged = run(model, ks.mouse(), context + dose, TIMES, names=NAMES).observed
    control = run(model, ks.mouse(), context, TIMES, names=NAMES).observed
    change = {name: drugged[name] - control[name] for name in NAMES}
    found = {f"{name} peak": float(one[:-1].max()) for name, one in change.items()}
    return found | {f"{name} 24 h": float(one[-1]) for name, one in change.items()}


@pytest.fixture(scope="module")
def ketamine():
    return effects()


def share(found, ketamine, name):
    return found[name] / ketamine[name]


def always(knob, value=1.0):
    return ks.hold(knob, value, start="always")


def window(knob, value=1.0, until="12 h"):
    return ks.hold(knob, value, start="-30 min", until=until)


EARLY = ("bdnf.extracellular peak", "translation.mtorc1 peak")
LASTING = ("outcome.function 24 h", "spines.density 24 h")


def test_ketamine_alone_works(ketamine):
    assert ketamine["glutamate.relative peak"] > 0.1
    assert ketamine["translation.mtorc1 peak"] > 0.5
    assert ketamine["spines.density 24 h"] > 0.05
    assert ketamine["outcome.function 24 h"] > 0.05


@pytest.mark.parametrize(
    ("hold", "abolished"),
    [
        (window("ampa.antagonist", until="6 h"), (*EARLY, *LASTING)),
        (window("bdnf.antibody", 0.95), ("translation.mtorc1 peak", *LASTING)),
        (window("trkb.block"), ("translation.mtorc1 peak", *LASTING)),
        (window("bdnf.lvdcc_block"), ("bdnf.extracellular peak", *LASTING)),
        (window("translation.rapamycin"), ("translation.mtorc1 peak", *LASTING)),
        (window("translation.anisomycin", until="23 h"), ("spines.density 24 h",)),
        (window("circuit.gaba_agonist", until="6 h"), ("bdnf.extracellular peak", *LASTING)),
        (window("circuit.silencing", until="6 h"), ("glutamate.relative peak", *LASTING)),
        (always("nmda.interneuron_knockout"), ("glutamate.relative peak", *LASTING)),
    ],
    ids=lambda one: one.events[0].knob if hasattr(one, "events") else "",
)  # fmt: skip
def test_it_is_abolished(hold, abolished, ketamine):
    found = effects(hold)
    left = {name: share(found, ketamine, name) for name in abolished}
    assert max(left.values()) <= LIMIT, left


@pytest.mark.parametrize("subunit", ["glun2b", "glun2d"])
def test_knocking_out_one_subunit_on_interneurons_takes_part_of_the_loss_of_drive(subunit):
    # Published: nothing is left. The share of the current that a subunit carries takes some of it.
    name, times = "nmda.interneuron_loss", np.linspace(0.0, 4.0, 81)
    knockout = always(f"nmda.interneuron_{subunit}_knockout")
    lost = [
        run(MODEL, ks.mouse(), one, times, names=(name,)).observed[name].max()
        for one in (IP, IP + knockout)
    ]
    assert 0.2 < lost[1] / lost[0] < 0.9


@pytest.mark.parametrize(
    "hold",
    [
        always("nmda.pyramidal_knockout"),
        always("nmda.pyramidal_glun2b_knockout"),
        window("bdnf.transcription_block"),
        always("nmda.resting_off"),
        always("nmda.trapping_off"),
    ],
    ids=lambda one: one.events[0].knob,
)
def test_it_is_spared(hold, ketamine):
    found = effects(hold)
    for name in LASTING:
        assert share(found, ketamine, name) > 0.7, name


def test_systemic_rapamycin_spares_what_does_not_reach_the_brain(ketamine):
    local = effects(window("translation.rapamycin"))
    outside = effects(
        window("translation.rapamycin_systemic"),
        model=MODEL.with_values({"translation.penetration": "0.1"}),
    )
    assert share(local, ketamine, LASTING[1]) <= LIMIT
    assert share(outside, ketamine, LASTING[1]) > 0.5


@pytest.mark.parametrize(
    ("knob", "value"),
    [
        ("ampa.potentiator", 0.05),
        ("translation.gsk3_inhibitor", 1.0),
        ("glutamate.mglu23_antagonist", 0.5),
    ],
)
def test_a_small_dose_is_lifted(knob, value):
    small = ks.dose("1 mg/kg", route="ip")
    alone = effects(dose=small)
    helped = effects(window(knob, value, until="4 h"), dose=small)
    assert helped["spines.density 24 h"] > 1.2 * alone["spines.density 24 h"]  # what lasts
    assert helped["translation.mtorc1 peak"] > alone["translation.mtorc1 peak"]


def test_erasing_new_spines_takes_the_lasting_effect_and_not_the_fast_one(ketamine):
    erased = effects(ks.hold("spines.photo_erasure", "1 1/h", start="12 h", until="24 h"))
    assert share(erased, ketamine, "outcome.function peak") > 0.99
    assert share(erased, ketamine, "outcome.function 24 h") < 0.5


def test_an_intervention_before_and_over_again_changes_nothing(ketamine):
    gone = effects(ks.hold("ampa.antagonist", 1.0, start="-30 h", until="-26 h"))
    assert share(gone, ketamine, "spines.density 24 h") == pytest.approx(1.0, abs=0.05)
