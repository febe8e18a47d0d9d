"""Loop gains, rest and return, on models small enough to know the answer."""

import numpy as np
import pytest

import ketasim as ks
from ketasim.core.declare import Flow, Mechanism, Parameter, State
from ketasim.core.evidence import assumed
from ketasim.core.model import Model
from ketasim.core.system import System
from ketasim.errors import ConfigError
from ketasim.models.antidepressant import antidepressant
from ketasim.studies.course import decides, fast_then_slow
from ketasim.studies.findings.robustness import anywhere, believed
from ketasim.studies.rest import Answers, impossible, loops, members
from ketasim.studies.returns import _lasts, left_alone

WHY = assumed("a toy")
MODEL = antidepressant()
DOSE = ks.infusion("0.5 mg/kg", over="40 min")


def fed(other, k, gain):
    """Made in proportion to a power of the other."""
    return k * other**gain


def lost(own, k):
    """Lost in proportion to itself."""
    return k * own


def moved(own, k):
    """Moved in proportion to itself."""
    return k * own


def ring(gain=0.8, bounds=(0.5, 1.5), back=1.0):
    """Return two states that feed each other, with a gain of ``gain * back``."""
    mechanism = Mechanism(
        name="toy",
        story="Two states feed each other.",
        states=(
            State("one", 1.0, "1", "one"),
            State("two", 1.0, "1", "the other"),
        ),
        parameters=(
            Parameter("k", 0.5, "1/h", (0.1, 2.0), WHY, "pace of both"),
            Parameter("gain", gain, "1", bounds, WHY, "how one answers the other"),
            Parameter("back", back, "1", (back, back), WHY, "how the other answers"),
        ),
        flows=(
            Flow(fed, into="one", using={"other": "two"}),
            Flow(lost, out_of="one", using={"own": "one"}),
            Flow(fed, into="two", using={"other": "one", "gain": "back"}),
            Flow(lost, out_of="two", using={"own": "two"}),
        ),
    )
    return Model((mechanism,), name="toy")


def test_a_ring_has_the_gain_it_was_given():
    model = ring()
    (found,), together = loops(model, members(model, anywhere(model, 50)))
    assert found.states == ("toy.one", "toy.two")
    assert found.gain == pytest.approx(0.8)
    assert together.own == pytest.approx(np.sqrt(0.8))
    assert 1.3 < found.drawn <= found.largest == pytest.approx(1.5)
    assert found.ceiling >= found.drawn
    assert not found.safe
    assert found.worst == ("toy.gain",)


def test_within_narrower_bounds_it_is_safe():
    model = ring(bounds=(0.5, 0.9))
    (found,), together = loops(model, members(model, anywhere(model, 50)))
    assert found.safe
    assert together.drawn < 1.0
    assert found.largest == pytest.approx(0.9)


def test_a_ring_of_negative_gain_pushes_back():
    model = ring(back=-1.0)
    (found,), together = loops(model, members(model, anywhere(model, 20)))
    assert found.pushes_back
    assert found.gain == pytest.approx(-0.8)
    assert together.drawn == 0.0


def pool():
    """Return three states that pass on what there is."""
    names = ("one", "two", "three")
    return Mechanism(
        name="toy",
        story="What there is goes round.",
        states=tuple(State(name, 1.0, "1", name) for name in names),
        parameters=(Parameter("k", 0.5, "1/h", (0.1, 2.0), WHY, "pace"),),
        flows=tuple(
            Flow(moved, into=b, out_of=a, using={"own": a})
            for a, b in zip(names, (*names[1:], names[0]), strict=True)
        ),
        conserved=(names,),
    )


def test_what_is_only_moved_is_not_fed_back():
    model = Model((pool(),), name="toy")
    found, together = loops(model, members(model, anywhere(model, 10)))
    assert found
    assert all(one.safe and one.pushes_back for one in found)
    assert together.away < 1.0


def test_answers_and_losses_are_those_of_the_jacobian():
    system = System(MODEL)
    values = system.prepare(system.default_parameters, system.neutral_knobs)
    rest = system.rest(values)
    slopes = system.flow_slopes(values, rest)
    n = len(rest)
    found = np.zeros((n + 1, n))
    for (into, out_of), row in zip(system.ends, slopes, strict=True):
        found[into] += row
        found[out_of] -= row
    assert np.abs(found[:n] - system.jacobian(values, rest)).max() < 1e-12


def test_every_state_lasts_as_long_as_its_ledger_says():
    lifetimes = Answers(MODEL).lifetimes(System(MODEL).default_parameters)
    paces = {"bdnf.store", "translation.proteins", "translation.arc", "stress.load"} & set(
        lifetimes
    )
    assert "translation.arc" in paces
    arc = next(1.0 / MODEL.value(n) for n in MODEL.parameters if n == "translation.k_arc")
    assert lifetimes["translation.arc"] == pytest.approx(arc)


@pytest.fixture(scope="module")
def human():
    return lambda model: ks.Scenario(model, DOSE, (-0.5, 42 * 24.0), ks.human())


def test_draws_rest_and_return(human):
    found = left_alone(MODEL, anywhere(MODEL, 20), human(MODEL))
    assert all(one.possible and one.computed for one in found)
    assert max(one.drift for one in found) < 1e-10
    assert max(one.slowest for one in found) < 0.0


def test_a_state_that_is_not_back_is_named(human):
    slow, value = "disposition.cl_hydroxynorketamine_70", "0.1 L/h"
    model = MODEL.with_values({slow: value})
    (found,) = left_alone(model, ks.designs.grid({slow: [value]}), human(model))
    assert found.late["pk_s.hydroxynorketamine"] > 0.05
    assert found.late[found.slow] > 0.05
    assert found.lifetime > 24 * 42


def test_a_way_back_is_as_slow_as_what_keeps_coming_back():
    """A far compartment that empties within an hour lasts for ten where most comes back."""
    slopes = np.array([[-1.1, 1.0, 0.0], [1.0, -1.0, 0.0], [0.0, 0.0, -5.0]])
    roots, ways = np.linalg.eig(slopes)
    order = np.argsort(-roots)
    lasts = _lasts(roots[order], np.abs(ways[:, order]))
    assert lasts[:2] == pytest.approx([-1.0 / roots.max()] * 2)
    assert lasts[1] > 10.0
    assert lasts[2] == pytest.approx(0.2)


def test_numbers_that_contradict_each_other_have_no_rest(human):
    """More sites cannot be empty under stress than there are: re-formation would run backwards."""
    values = {"spines.lost": 0.9, "spines.labile_rest": 0.5}
    model = MODEL.with_values(values)
    assert impossible(System(model), System(model).default_parameters) == "spines.k_reform"
    assert not impossible(System(MODEL), System(MODEL).default_parameters)
    (found,) = left_alone(model, ks.designs.grid({k: [v] for k, v in values.items()}), human(model))
    assert not found.possible
    assert found.why_not == "spines.k_reform"


def test_wide_draws_rest_exactly_and_are_stable(human):
    found = left_alone(MODEL, anywhere(MODEL, 60, widely=True), human(MODEL))
    fine = [one for one in found if one.possible]
    assert len(fine) > 30
    assert {one.why_not for one in found if not one.possible} == {"spines.k_reform"}
    assert max(one.drift for one in fine) < 1e-9
    assert max(one.slowest for one in fine) < 0.0
    assert all(one.slow and one.lifetime > 0.0 for one in fine if one.late)


def test_draws_leave_what_is_chosen_alone():
    names = believed(MODEL)
    assert "drivers.disinhibition" not in names
    assert "body.weight" not in names
    assert anywhere(MODEL, 3).names == names


def test_the_model_itself_is_fast_and_then_slow():
    value = MODEL.value("spines.k_mature")
    kept = fast_then_slow(MODEL, ks.designs.grid({"spines.k_mature": [f"{value} 1/h"]}))
    assert (kept.draws, kept.computed) == (1, 1)
    assert kept.share == (0.0 if kept.broken else 1.0)


def test_a_table_of_draws_stands_beside_the_bounds(tmp_path):
    name = "spines.k_mature"
    (tmp_path / "draws.csv").write_text(f"{name}\n{MODEL.value(name)}\n9\n")
    found = ks.fast_then_slow(draws=2, posterior=tmp_path / "draws.csv")
    assert list(found.kept) == ["posterior", "ledger", "wide"]
    assert found.kept["posterior"].draws == 2
    assert found.kept["posterior"].computed == 2
    assert "fast then slow" in found.text
    assert found.record["ledger"]["draws"] == 2


def test_the_parameter_that_decides_is_the_one_whose_ranks_differ():
    rng = np.random.default_rng(4)
    drawn = rng.random((200, 5))
    found = decides(drawn, drawn[:, 3] > 0.7)
    assert found[0] == 3
    assert found[1] > 0.7 > found[2]
    assert decides(drawn, drawn[:, 3] > 2.0) is None


def test_rest_is_told():
    found = ks.rest(draws=2)
    assert "Feedback loops" in found.text
    assert found.record["draws"]["ledger"]["possible"] == 2
    assert found.record["draws"]["ledger"]["largest_eigenvalue"] < 0.0
    with pytest.raises(ConfigError, match="draws = 0: must lie between 1 and 10,000"):
        ks.rest(draws=0)
