"""Do slopes of a schedule taken back through runs agree with differences of runs?"""

import numpy as np
import pytest

from ketasim.config.schedules import load_schedule
from ketasim.engines.contract import Settings
from ketasim.studies.schedules import slopes
from ketasim.studies.schedules.runs import Runs

POINT = 0.25 + 0.5 * np.random.default_rng(3).uniform(size=14)
pytestmark = pytest.mark.slow


def runs_of(sets=(), rtol=1e-9):
    question = load_schedule("iv_eight_weeks", sets=["cohort.patients=3", *sets])
    problem = question.problem
    settings = Settings("ensemble", rtol=rtol, threads=1)
    return Runs(problem, problem.plans[0], problem.cohort, settings)


def by_hand(runs, step=1e-4):
    # A time below a level has kinks where a dose meets the level; wider steps cross them.
    moved = step * np.eye(len(POINT))
    ends = runs.at(np.vstack([POINT + moved, POINT - moved])).outputs
    return ((ends[: len(POINT)] - ends[len(POINT) :]) / (2.0 * step)).T


@pytest.mark.parametrize(
    "wish",
    [
        "outcome.score.mean(0 d, 56 d)", "outcome.score@28d", "spines.density.auc",
        "outcome.score.below(26 points, 0 d, 56 d)",
    ],
)  # fmt: skip
def test_doses_gaps_and_duration_in_reverse_mode(wish):
    runs = runs_of([f'objective=[{{minimise = "{wish}"}}]'])
    goal, counts = runs.problem.objectives[0], runs.at(POINT[None, :]).counts[0, 0]
    assert slopes.can_reverse(runs, goal, POINT)
    found, want = slopes.by_reverse(runs, POINT, goal, counts), by_hand(runs)[0]
    np.testing.assert_allclose(found, want, atol=2e-4 * np.abs(want).max(), rtol=0.0)


def test_all_outputs_at_the_tolerance_of_a_search():
    runs = runs_of(rtol=None)
    found, want = slopes.slopes(runs, POINT), by_hand(runs)
    for k, row in enumerate(want):
        np.testing.assert_allclose(found[k], row, atol=2e-2 * np.abs(row).max(), rtol=0.0)
    np.testing.assert_allclose(found[0], want[0], atol=1e-3 * np.abs(want[0]).max(), rtol=0.0)


def test_with_doses_already_given_and_a_taper():
    """An infusion of the file may run while that of a visit does; only the visit is moved."""
    question = load_schedule(
        "maintenance",
        sets=["cohort.patients=2", "uncertainty.draws=1", "output.until=70 d", "schedule.visits=4",
              'dosing[0].at="28.01 d"', "schedule.usual.visits=4",
              'objective=[{minimise = "outcome.score.mean(0 d, 70 d)"}]'],
    )  # fmt: skip
    problem = question.problem
    runs = Runs(problem, problem.plans[0], problem.cohort, Settings("ensemble", rtol=1e-9))
    point = np.array([0.5, 0.4, 0.5, 0.4])
    counts = runs.at(point[None, :]).counts[0, 0]
    found = slopes.by_reverse(runs, point, problem.objectives[0], counts)
    step = 1e-3 * np.eye(4)
    ends = runs.at(np.vstack([point + step, point - step])).outputs[:, 0]
    want = (ends[:4] - ends[4:]) / 2e-3
    np.testing.assert_allclose(found, want, atol=5e-4 * np.abs(want).max(), rtol=0.0)
