"""Schedules whose best is known on paper: one compartment, boluses, limits and quadratic costs."""

import numpy as np
import pytest
from scipy.optimize import minimize

from ketasim.core.declare import Flow, Inlet, Mechanism, Parameter, Quantity, State, Substance
from ketasim.core.evidence import assumed
from ketasim.core.model import Model
from ketasim.core.protocol import Protocol
from ketasim.core.scenario import Scenario, Subject
from ketasim.engines.contract import Settings
from ketasim.studies.designs.design import of_values
from ketasim.studies.schedules.choose import choose
from ketasim.studies.schedules.cohort import Cohort
from ketasim.studies.schedules.front import marked
from ketasim.studies.schedules.goals import read_goal, tail
from ketasim.studies.schedules.kept import Kept
from ketasim.studies.schedules.plan import Plan, Spread
from ketasim.studies.schedules.runs import Problem, Runs
from ketasim.studies.schedules.slopes import shifted

WHY = assumed("a toy")
END, RATE, COST = 48.0, 0.2, 0.25  # [h], [1/h], [1/umol]
MASS = 1e-3  # mg of a umol


def leave(amount, k):
    """Drug leaves in proportion to what is there."""
    return k * amount


def gain(amount, cost):
    """What a course is worth: its height, less half of its square."""
    return amount - cost * amount * amount / 2


def ill(amount):
    """Drug keeps illness down."""
    return 10 - amount


def model():
    body = Mechanism(
        name="body",
        story="One compartment, whose worth has a best height.",
        states=(State("amount", 0.0, "umol", "drug"),),
        parameters=(
            Parameter("k", RATE, "1/h", (0.01, 2.0), WHY, "elimination"),
            Parameter("cost", COST, "1/umol", (0.0, 1.0), WHY, "cost of a square"),
        ),
        quantities=(
            Quantity(gain, "umol", "worth of a height"),
            Quantity(ill, "umol", "how ill one is"),
        ),
        flows=(Flow(leave, out_of="amount"),),
        inlets=(Inlet("toyamine", "iv", "amount"),),
    )
    return Model((body,), (Substance("toyamine", 1.0, (("toyamine", 1.0),), "a toy"),), name="toy")


MODEL = model()
SCENARIO = Scenario(MODEL, Protocol(), (0.0, END), Subject("cell", 1.0))


def cohort(rates=(RATE,), weights=None):
    rows = np.array(rates)[:, None]
    counts = np.ones(len(rows)) if weights is None else np.array(weights)
    return Cohort(of_values(("body.k",), ("1/h",), rows), counts)


def goal(text, sign, **more):
    return read_goal(text, MODEL, where="goal", sign=sign, span=(0.0, END), dose_unit="mg", **more)


def chosen(plan, wishes, limits=(), patients=None, points=5, starts=2, engine="reference"):
    problem = Problem(SCENARIO, (plan,), wishes, tuple(limits), patients or cohort())
    settings = Settings(engine, rtol=1e-8, threads=1)
    return choose(
        problem, settings, Kept(), starts=starts, seed=1, few=50, points=points, tell=lambda _: None
    )


def boluses(n, gap, most=10.0, low=0.0):
    return Plan(
        "toyamine", "iv", n, Spread("dose", low * MASS, most * MASS, "mg"),
        Spread("gap", *gap, "h"), Spread("duration", 0.0, 0.0, "h", "same"),
    )  # fmt: skip


def amounts(found):
    return found.searched.plan.visits_of(found.point).amounts[0] / MASS


def test_most_area_under_a_ceiling_is_a_loading_dose_and_what_was_lost_since():
    """Whatever is lost between two doses is all that the second may give back."""
    limit = goal("body.amount.peak", 1.0, limit="4 umol", each_visit=True)
    found = chosen(boluses(5, (6.0, 6.0)), (goal("body.amount.auc", -1.0),), (limit,))
    lost = 4.0 * (1.0 - np.exp(-RATE * 6.0))
    np.testing.assert_allclose(amounts(found), [4.0, lost, lost, lost, lost], rtol=5e-3)
    assert found.searched.best.is_allowed


def worth(rate, first, second, gap):
    """Return the integral of the worth of two boluses, in closed form."""
    left = END - gap
    area = (first * (1 - np.exp(-rate * END)) + second * (1 - np.exp(-rate * left))) / rate
    later = first * np.exp(-rate * gap) + second
    square = first**2 * (1 - np.exp(-2 * rate * gap)) + later**2 * (1 - np.exp(-2 * rate * left))
    return area - COST * square / (4 * rate)


def by_hand(value, start=(5.0, 5.0, 20.0)):
    bounds = [(0.0, 10.0), (0.0, 10.0), (2.0, 40.0)]
    found = minimize(lambda x: -value(*x), start, bounds=bounds, method="L-BFGS-B", tol=1e-12)
    return found.x, -found.fun


@pytest.mark.parametrize(
    ("rates", "over"),
    [((RATE,), "mean"), ((0.1, 0.2, 0.4), "mean"), ((0.1, 0.2, 0.4), "worst 34 %")],
)
def test_doses_and_the_gap_of_a_quadratic_cost(rates, over):
    """Two doses and the time between them, for one patient, for three, for the worst of three."""

    def value(first, second, gap):
        each = np.array([worth(rate, first, second, gap) for rate in rates])
        share = 1.0 if over == "mean" else 0.34
        return tail(each, np.ones(len(each)), share, -1.0)[0]

    want, best = by_hand(value)
    wish = goal("body.gain.auc", -1.0, over=over)
    found = chosen(boluses(2, (2.0, 40.0)), (wish,), patients=cohort(rates))
    assert found.searched.best.value == pytest.approx(best, rel=1e-4)
    plan = found.searched.plan
    gap = np.diff(plan.visits_of(found.point).starts[0])[0]
    np.testing.assert_allclose([*amounts(found), gap], want, rtol=2e-2)


def test_a_total_is_shared_out_evenly_where_doses_do_not_meet():
    wish = goal("body.gain.auc", -1.0)
    limit = goal("total", 1.0, limit=f"{6.0 * MASS} mg")
    quick = cohort((5.0,))
    found = chosen(boluses(4, (8.0, 8.0)), (wish,), (limit,), patients=quick)
    np.testing.assert_allclose(amounts(found), 1.5, rtol=1e-2)
    assert amounts(found).sum() == pytest.approx(6.0, rel=1e-3)


def test_a_front_of_worth_and_total_is_the_parabola_on_paper():
    """Of n doses that do not meet, the worth of a total D is (D - cost D^2 / 4 n) / k, nearly."""
    rate, n = 5.0, 3
    wishes = goal("body.gain.auc", -1.0), goal("total", 1.0)
    found = chosen(
        boluses(n, (12.0, 12.0), low=0.2), wishes, patients=cohort((rate,)), points=6
    )  # fmt: skip
    on_paper = [(x / MASS - COST * (x / MASS) ** 2 / (4 * n)) / rate for _, x in
                (one.values for one in found.front)]  # fmt: skip
    np.testing.assert_allclose([one.values[0] for one in found.front], on_paper, rtol=2e-3)
    totals = [one.values[1] / MASS for one in found.front]
    assert totals[0] == pytest.approx(n * 2.0 / COST, rel=3e-2)  # each dose at its own best
    assert totals[-1] == pytest.approx(n * 0.2, rel=1e-3)
    assert all(one.is_best for one in marked(found.front, (-1.0, 1.0)))


@pytest.mark.parametrize("hours", [0.0, 0.5])
def test_the_peak_of_each_visit_is_that_of_its_own_dose(hours):
    """Also where schedules that are moved a little are run beside: no visit sees the next dose."""
    plan = Plan(
        "toyamine", "iv", 3, Spread("dose", 1.0 * MASS, 5.0 * MASS, "mg"),
        Spread("gap", 10.0, 20.0, "h"), Spread("duration", hours, hours, "h", "same"),
    )  # fmt: skip
    limit = goal("body.amount.peak", 1.0, limit="4 umol", each_visit=True)
    problem = Problem(SCENARIO, (plan,), (goal("body.amount.auc", -1.0),), (limit,), cohort())
    runs = Runs(problem, plan, problem.cohort, Settings("reference", rtol=1e-9, threads=1))
    point = np.array([0.0, 0.25, 1.0, 0.5, 0.0])  # 1, 2 and 5 umol, 15 and 10 h apart
    found = runs.at(np.vstack([point, shifted(point)])).outputs[:, 1:]
    lost = (1.0 - np.exp(-RATE * hours)) / (RATE * hours) if hours else 1.0
    peaks = [1.0 * lost]
    for amount, gap in ((2.0, 15.0), (5.0, 10.0)):
        peaks.append(peaks[-1] * np.exp(-RATE * gap) + amount * lost)
    np.testing.assert_allclose(found[0], peaks, rtol=1e-5)
    np.testing.assert_allclose(found[1], [peaks[0] * 1.008, *peaks[1:]], rtol=1e-3)


def test_the_latest_relapse_is_bought_by_the_last_dose():
    """Illness returns when 2 umol are left: all that may be given is given last."""
    wish = goal("relapse(body.ill, 8 umol, 10 h)", -1.0)
    limit = goal("total", 1.0, limit=f"{9.0 * MASS} mg")
    found = chosen(boluses(2, (8.0, 8.0), low=1.0), (wish,), (limit,))
    np.testing.assert_allclose(amounts(found), [1.0, 8.0], rtol=1e-2)
    left = np.exp(-RATE * 8.0) + 8.0
    want = 8.0 + np.log(left / 2.0) / RATE - 10.0
    assert found.searched.best.value == pytest.approx(want, rel=2e-3)


@pytest.mark.slow
def test_the_compiled_engine_finds_the_same():
    limit = goal("body.amount.peak", 1.0, limit="4 umol", each_visit=True)
    found = chosen(
        boluses(5, (6.0, 6.0)), (goal("body.amount.auc", -1.0),), (limit,), engine="ensemble"
    )  # fmt: skip
    lost = 4.0 * (1.0 - np.exp(-RATE * 6.0))
    np.testing.assert_allclose(amounts(found), [4.0, lost, lost, lost, lost], rtol=5e-3)
