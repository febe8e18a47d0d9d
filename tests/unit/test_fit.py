"""Does a fit find what is there, say what it cannot, and survive what goes wrong?"""

import json
from dataclasses import dataclass, field, replace
from math import inf, log, nan, sqrt

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import norm

from ketasim.engines.status import Status
from ketasim.errors import KetasimError, SolverError
from ketasim.models.antidepressant import antidepressant
from ketasim.readouts import parse
from ketasim.results.files import Rows
from ketasim.results.problems import StoreError
from ketasim.studies.designs.distributions import Distribution
from ketasim.studies.findings.observed import Direction, Number, Readings, deviance, seen
from ketasim.studies.findings.predict import Prediction
from ketasim.studies.fit.data import Assay, Data, Point
from ketasim.studies.fit.likelihood import Free, Problem
from ketasim.studies.fit.profiles import limit, profiles
from ketasim.studies.fit.search import descend, multistart, start_points
from ketasim.verbs.fit import Fit, fit
from ketasim.verbs.posterior import posterior

MODEL = antidepressant()
READOUT = parse("spines.density@1h", MODEL)
NAMES = ("disposition.k_gut", "disposition.k_nose", "disposition.k_site", "disposition.k_tissue")
COLUMNS = [list(MODEL.parameters).index(name) for name in NAMES]


@dataclass
class Stub:
    """Stands for the engine: ``formula`` of named values (n, n_free) gives (n, n_points)."""

    formula: object
    k: int
    failing: object = None
    rtol: float = 1e-7
    asked: list = field(default_factory=list)
    limits: object = None

    def predict(self, draws):
        values = draws[:, COLUMNS[: self.k]]
        self.asked.append(len(values))
        status = np.zeros(len(values), dtype=np.int8)
        if self.failing is not None:
            status[self.failing(values)] = Status.MAX_STEPS
        found = np.where(status[:, None] == 0, self.formula(values), np.nan)
        return [Prediction(found.T, np.repeat(status[None, :], found.shape[1], axis=0))]


def toy(
    formula, seen, *, k=1, error=1.0, failing=None, censored=(), assay=None, within=(0.01, 100.0)
):
    """Return a problem of ``k`` numbers whose runs are a formula."""
    assay = assay or Assay("a")
    errors = np.broadcast_to(error, len(seen))
    ways = censored or (0,) * len(seen)
    points = tuple(
        Point(i, "arm", assay.name, READOUT, 1.0, float(v), float(e), c)
        for i, (v, e, c) in enumerate(zip(seen, errors, ways, strict=True))
    )
    data = Data("toy.csv", points, {"arm": None}, {assay.name: assay})
    free = tuple(
        Free(name, Distribution("loguniform", *within, MODEL.unit(name)), 1.0)
        for name in NAMES[:k]
    )  # fmt: skip
    return Problem(MODEL, (data,), (), free, Stub(formula, k, failing))


def decay(values):
    """Return a level that falls: two numbers, eight times."""
    times = np.linspace(0.0, 3.0, 8)
    return values[:, :1] * np.exp(-values[:, 1:2] * times)


def test_residuals_are_signed_roots_of_what_the_likelihood_loses():
    one = Readings(np.array([2.0, 2.0, 2.0]), np.array([0.5, 0.5, 0.5]), np.array([0, -1, 1]))
    predicted = np.array([[1.2, 2.9, 1.4]])
    found = one.residuals(predicted)[0]
    assert found[0] == pytest.approx(-1.6)
    assert found[1] > 0.0 > found[2]
    assert -0.5 * found[1] ** 2 == pytest.approx(norm.logcdf((2.0 - 2.9) / 0.5))
    assert -0.5 * found[2] ** 2 == pytest.approx(norm.logcdf((1.4 - 2.0) / 0.5))


@pytest.mark.parametrize("log_errors", [False, True])
def test_residuals_are_finite_whatever_is_predicted(log_errors):
    one = Readings(np.array([2.0] * 3), np.array([0.5] * 3), np.array([0, -1, 1]), log_errors)
    for value in (0.0, -1.0, nan, inf, -inf, 1e300):
        assert np.isfinite(one.residuals(np.full((1, 3), value))).all()


@pytest.mark.parametrize(
    ("observed", "chance"),
    [(Number(1.0, 0.3), 0.05), (Direction("up", 0.2), 0.02), (Direction("down", 0.2), 0.1),
     (Direction("none", 0.2), 0.02)],
)  # fmt: skip
def test_a_finding_loses_what_its_likelihood_does(observed, chance):
    predicted = np.array([-0.5, 0.0, 0.1, 0.9, 1.0, 4.0, nan])
    found = observed.likelihood(np.full(7, seen(observed)), predicted, chance)
    lost = deviance(observed, predicted, chance)
    assert np.isfinite(lost).all()
    ratio = np.exp(-0.5 * lost**2)
    assert ratio / ratio.max() == pytest.approx(found / found.max(), rel=1e-6)


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("offset", [True, False])
def test_the_best_scale_and_offset_are_the_best(scale, offset):
    rng = np.random.default_rng(1)
    model = rng.uniform(1.0, 3.0, (1, 9))
    one = Readings(0.7 + 2.0 * model[0] + rng.normal(0, 0.1, 9), rng.uniform(0.1, 0.5, 9),
                   np.zeros(9, dtype=int))  # fmt: skip

    def loss(x):
        a, b = x[0] if offset else 0.0, x[1] if scale else 1.0
        return float((one.residuals(a + b * model) ** 2).sum())

    a, b = one.best(model, scale=scale, offset=offset)
    reached = loss((a[0, 0], b[0, 0]))
    assert reached == pytest.approx(minimize(loss, (0.0, 1.0), tol=1e-12).fun, rel=1e-6)


def test_the_best_scale_of_logarithms_is_the_best():
    rng = np.random.default_rng(2)
    model = rng.uniform(1.0, 3.0, (1, 9))
    one = Readings(3.0 * model[0] * np.exp(rng.normal(0, 0.1, 9)), rng.uniform(0.1, 0.5, 9),
                   np.zeros(9, dtype=int), log=True)  # fmt: skip
    _, b = one.best(model, scale=True, offset=False)
    losses = [float((one.residuals(s * b[0, 0] * model) ** 2).sum()) for s in (0.99, 1.0, 1.01)]
    assert losses[1] < min(losses[0], losses[2])


def test_the_log_likelihood_is_that_of_the_errors():
    asked = toy(decay, [3.0, 2.0, 1.4, 1.0, 0.7, 0.4, 0.3, 0.2], k=2, error=0.2)
    z = np.array([[0.3, -0.4], [-1.0, 0.2]])
    values = asked.values(asked.from_normal(z))
    shown = [p.value for p in asked.observations]
    exact = norm.logpdf(shown, decay(values), 0.2).sum(axis=1)
    assert asked.log_likelihood(z) == pytest.approx(exact)


def test_the_log_likelihood_of_logarithms_and_of_what_is_hidden():
    assay = Assay("a", "log-normal")
    asked = toy(decay, [3.0, 2.0, 1.4, 1.0, 0.7, 0.4, 0.3, 0.2], k=2, error=0.2, assay=assay,
                censored=(0,) * 7 + (-1,))  # fmt: skip
    z = np.array([[0.3, -0.4]])
    value = decay(asked.values(asked.from_normal(z)))[0]
    shown = np.array([p.value for p in asked.observations])
    spread = np.sqrt(np.log1p((0.2 / shown) ** 2))
    exact = (norm.logpdf(np.log(shown), np.log(value), spread) - np.log(shown))[:7].sum()
    exact += norm.logcdf((log(0.2) - log(value[7])) / spread[7])
    assert asked.log_likelihood(z)[0] == pytest.approx(exact)


def test_standard_normal_coordinates_are_the_priors():
    asked = toy(decay, [1.0] * 8, k=2, within=(0.1, 10.0))
    values = asked.values(asked.from_normal(np.array([[0.0, -8.0], [8.0, 0.0]])))
    assert values[:, 0] == pytest.approx([1.0, 10.0])
    assert values[:, 1] == pytest.approx([0.1, 1.0])


def test_a_search_finds_the_truth_again():
    truth = np.array([[3.0, 0.8]])
    asked = toy(decay, decay(truth)[0], k=2, error=0.1)
    found = multistart(asked, starts=6, seed=1)
    assert found.again == 6
    assert asked.values(np.array(found.best.point)) == pytest.approx(truth[0], rel=1e-4)
    assert found.best.gradient < 0.1


def test_a_search_with_hidden_values_ends_where_another_minimiser_does():
    asked = toy(decay, [3.0, 1.9, 1.3, 1.0, 0.5, 0.5, 0.5, 0.5], k=2, error=0.2,
                censored=(0, 0, 0, 0, -1, -1, -1, -1))  # fmt: skip
    best = multistart(asked, starts=4).best
    other = minimize(lambda x: float(asked.at(x[None, :]).losses[0]), [0.5, 0.0],
                     method="L-BFGS-B")  # fmt: skip
    assert best.loss == pytest.approx(other.fun, abs=1e-4)
    assert best.point == pytest.approx(other.x, abs=1e-2)


def test_a_start_depends_on_the_seed_and_its_number_alone():
    asked = toy(decay, [1.0] * 8, k=2)
    assert start_points(asked, 9, 3)[:4] == pytest.approx(start_points(asked, 4, 3))
    assert (start_points(asked, 4, 3)[1:] != start_points(asked, 4, 4)[1:]).all()


def test_no_step_is_taken_to_where_a_run_fails_and_that_is_counted():
    asked = toy(decay, decay(np.array([[3.0, 0.8]]))[0], k=2, error=0.1,
                failing=lambda v: v[:, 1] > 0.82)  # fmt: skip
    found = multistart(asked, starts=12, seed=2)
    assert len(found.starts) == 12
    failed = [one for one in found.starts if not one.usable]
    begun = asked.values(np.array([one.begun for one in found.starts]))
    assert [one.start for one in failed] == np.flatnonzero(begun[:, 1] > 0.82).tolist()
    assert all("more steps than the limit" in one.told for one in failed)
    assert all(one.not_computed == 1 for one in failed)
    assert sum(one.not_computed for one in found.starts if one.usable) > 0
    assert asked.values(np.array(found.best.point)) == pytest.approx([3.0, 0.8], rel=1e-3)


def test_where_every_start_fails_the_sentence_says_so():
    asked = toy(decay, [1.0] * 8, k=2, failing=lambda v: v[:, 0] > 0.0)
    found = multistart(asked, starts=3)
    assert [one.status for one in found.starts] == ["failed"] * 3
    with pytest.raises(SolverError, match="every start failed; the first: its first point"):
        _ = Fit(asked, found).best
    assert asked.log_likelihood(np.zeros((2, 2))).tolist() == [-inf, -inf]


@pytest.mark.parametrize("failing", [lambda v: v[:, 0] > 1.0, lambda v: v[:, 0] < 1.0])
def test_one_side_serves_a_slope_where_the_other_fails(failing):
    asked = toy(decay, [1.0] * 8, k=2, failing=failing)
    slopes, failed = asked.slopes(np.zeros((1, 2)))
    whole, none = replace(asked, predictor=Stub(decay, 2)).slopes(np.zeros((1, 2)))
    assert (failed[0], none[0]) == (1, 0)
    assert slopes == pytest.approx(whole, rel=5e-3, abs=5e-3)


@pytest.fixture
def store(tmp_path):
    """Return a maker of stores at one place."""
    return lambda **made: Rows(tmp_path / "starts.jsonl", {"seed": "1", **made})


def test_a_search_goes_on_where_it_was_killed(store):
    asked = toy(decay, decay(np.array([[3.0, 0.8]]))[0] + 0.1, k=2, error=0.1)
    whole = multistart(asked, starts=8, seed=5)
    first = store()
    multistart(asked, starts=5, seed=5, rows=first)
    text = first.path.read_bytes()
    first.path.write_bytes(text[: text.rindex(b'"begun"')])  # died in the middle of a row
    second = store()
    assert len(second.found) == 4
    assert multistart(asked, starts=8, seed=5, rows=second) == whole
    again = toy(decay, decay(np.array([[3.0, 0.8]]))[0] + 0.1, k=2, error=0.1)
    assert multistart(again, starts=8, seed=5, rows=store()) == whole
    assert again.predictor.asked == []


def test_a_store_of_another_fit_is_refused(store):
    store()
    with pytest.raises(StoreError, match=r"made with seed 1; now 2\. Mixing would be wrong"):
        store(seed="2")


def test_every_row_of_a_store_is_plain_json(store):
    asked = toy(decay, [1.0] * 8, k=2, failing=lambda v: v[:, 0] > 1.0)
    rows = store()
    multistart(asked, starts=12, rows=rows)
    lines = rows.path.read_text().splitlines()
    assert len(lines) == 13
    assert {json.loads(one)["start"] for one in lines[1:]} == set(range(12))
    assert {json.loads(one)["loss"] is None for one in lines[1:]} == {True, False}


def profiled(asked, **more):
    """Search, and follow every number."""
    best = multistart(asked, starts=4).best
    return {p.name: p for p in profiles(asked, np.array(best.point), best.loss, **more)}


@pytest.mark.parametrize("level", [0.68, 0.9, 0.95])
def test_an_interval_of_a_line_is_the_exact_one(level):
    asked = toy(lambda v: np.log(v[:, [0, 0, 0, 0]]), [0.9, 1.1, 1.3, 0.7], error=0.4)
    one = profiled(asked, level=level)[NAMES[0]]
    half = sqrt(limit(level)) * 0.4 / 2.0
    assert one.verdict == "identified"
    assert [log(one.low), log(one.high)] == pytest.approx([1.0 - half, 1.0 + half], abs=2e-3)
    assert min(one.rise) == 0.0


def test_what_trades_what_is_flat_and_what_is_known_are_told_apart():
    asked = toy(lambda v: np.stack([v[:, 0] * v[:, 1], v[:, 2], v[:, 2] * 2.0], axis=1),
                [1.0, 1.0, 2.0], k=4, error=0.1)  # fmt: skip
    found = profiled(asked)
    verdicts = [found[name].verdict for name in NAMES]
    assert verdicts == ["trades", "trades", "identified", "flat"]
    assert f"trades with {NAMES[1]}:" in found[NAMES[0]].words
    assert f"trades with {NAMES[0]}:" in found[NAMES[1]].words
    assert found[NAMES[3]].low is None is found[NAMES[3]].high


def test_a_number_that_saturates_is_bounded_on_one_side():
    asked = toy(lambda v: v[:, [0, 0]] / (1.0 + v[:, [0, 0]]), [0.99, 1.01], error=0.05)
    one = profiled(asked)[NAMES[0]]
    assert one.verdict == "bounded below"
    assert one.words.startswith(f"bounded below: at least {one.low:.4g} 1/h")
    assert one.high is None


def test_a_profile_that_meets_failures_is_not_a_verdict():
    asked = toy(lambda v: np.log(v[:, [0, 0]]), [0.0, 0.0], error=1.0,
                failing=lambda v: v[:, 0] > 1.3)  # fmt: skip
    best = np.array([0.0])
    (one,) = profiles(asked, best, float(asked.at(best[None, :]).losses[0]))
    assert one.verdict == "not computed"
    assert "more steps than the limit" in one.words
    assert one.low is not None
    assert one.high is None


def test_profiles_go_on_where_they_were_killed(tmp_path):
    asked = toy(decay, decay(np.array([[3.0, 0.8]]))[0] + 0.05, k=2, error=0.1)
    best = multistart(asked, starts=2).best
    point = np.array(best.point)
    whole = profiles(asked, point, best.loss)
    path = tmp_path / "profiles.jsonl"
    profiles(asked, point, best.loss, names=NAMES[:1], rows=Rows(path, {}))
    assert profiles(asked, point, best.loss, rows=Rows(path, {})) == whole


def test_a_profile_that_goes_below_the_best_is_told():
    asked = toy(decay, decay(np.array([[3.0, 0.8]]))[0], k=2, error=0.1)
    poor = descend(asked, np.array([1.2, 0.1]), evaluations=1)
    best = np.array(poor.point)
    one = Fit(asked, multistart(asked, starts=1), profiles(asked, best, poor.loss))
    assert min(min(p.rise) for p in one.profiles) == 0.0
    assert one.profiles[0].rise[one.profiles[0].x.index(best[0])] > 1.0
    assert [each.verdict for each in one.profiles] == ["identified", "not computed"]
    assert "elsewhere a better fit was found" in one.profiles[1].words
    lowest = next(each.lowest for each in one.profiles if min(each.rise) == 0.0)
    assert asked.at(np.array([lowest])).losses[0] < poor.loss - 30.0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"free": ["pk_s.clearanc"]}, "pk_s.clearance"),
        ({"free": ["dosing[0].amount = uniform(1, 2) mg/kg"]}, "only parameters of the model"),
        ({"free": ["pk_s.clearance_70 = uniform(1, 2) uM"]}, "no unit of it"),
        ({"free": ["pk_s.clearance_70"], "starts": 0}, "starts = 0"),
        ({"free": ["pk_s.clearance_70"], "level": 1.5}, "level = 1.5"),
        ({"free": ["pk_s.clearance_70"], "data": ()}, "nothing to fit to"),
        ({"free": ["pk_s.clearance_70"], "starts": 1, "profile": ["pk_s.clearance"]}, "not fitted"),
    ],
)
def test_what_cannot_be_fitted_is_refused(words, told):
    with pytest.raises(KetasimError) as error:
        fit(**{"data": "plasma", **words})
    assert told in str(error.value)


def test_a_band_of_what_is_not_there_is_refused_before_the_work():
    with pytest.raises(KetasimError, match=r"Did you mean"):
        posterior("plasma", free=["pk_s.clearance_70"], readouts=["outcome.moood"], particles=8192)


def test_figures_show_every_read_out_seen_also_those_of_no_time(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(
        "# assay blot: scale\ntime [h],readout,value,error,unit,arm,assay\n"
        "24,spines.density@t / spines.density.start,1.2,0.1,1,rat_10,\n"
        ",spines.density.peak,1.3,0.1,1,rat_10,\n"
        "1,bdnf.free,180,20,%,rat_10,blot\n2,bdnf.free,<120,20,%,rat_10,blot\n"
    )
    found = fit(path, free=["spines.reached"], starts=2, profile=False)
    axes = found.figures["data"].axes
    assert [one.get_title(loc="left").replace("\n", " ") for one in axes] == [
        "Spine density, relative to its start", "Spine density, largest value",
        "BDNF that can reach TrkB",
    ]  # fmt: skip
    labels = [[str(line.get_label()) for line in one.get_lines()] for one in axes]
    assert all(any(label.endswith(", seen") for label in each) for each in labels)
    assert "rat_10: bdnf.free, seen, beyond it" in labels[2]
    assert axes[2].get_ylabel() == "blot"
    course = next(one for one in axes[2].get_lines() if one.get_label() == "rat_10: bdnf.free")
    seen_at = found.rows[2]["predicted"]
    assert np.interp(1.0, *course.get_data()) == pytest.approx(seen_at, rel=0.02)
    level = next(one for one in axes[1].get_lines() if one.get_label().endswith(".peak"))
    assert level.get_ydata()[0] == pytest.approx(found.rows[1]["predicted"])
