"""Does the sampler give known posteriors and evidences, and say when it cannot?"""

import numpy as np
import pytest
from scipy.integrate import dblquad
from scipy.stats import norm

from ketasim.errors import ConfigError, ModelError
from ketasim.results.problems import StoreError
from ketasim.studies.posterior.evidence import bridge, replicate
from ketasim.studies.posterior.kept import Kept
from ketasim.studies.posterior.smc import sample

SEEN, ERROR = 1.0, 0.4


def gaussian(z):
    return norm.logpdf(z, SEEN, ERROR).sum(axis=1)


def exact(d):
    return d * float(norm.logpdf(SEEN, 0.0, np.sqrt(1.0 + ERROR**2)))


def banana(z):
    return norm.logpdf(z[:, 1] - 1.5 * (z[:, 0] ** 2 - 1.0), 0.0, 0.3) + norm.logpdf(
        z[:, 0], 0.5, 1.0
    )


def exact_banana():
    def density(y, x):
        at = np.array([[x, y]])
        return float(np.exp(banana(at)[0] + norm.logpdf(at).sum()))

    return float(np.log(dblquad(density, -5.0, 5.0, -9.0, 9.0, epsabs=1e-8)[0]))


@pytest.mark.parametrize("d", [1, 8, 30])
def test_evidence_and_moments_of_a_gaussian_are_exact(d):
    found = replicate(gaussian, d, replicates=3, particles=512)
    assert found.log_evidence == pytest.approx(exact(d), abs=0.3)
    assert found.spread < 0.5
    shrunk = 1.0 / (1.0 + ERROR**2)
    assert found.draws.mean(axis=0) == pytest.approx(np.full(d, shrunk), abs=0.08)
    assert found.draws.var(axis=0) == pytest.approx(np.full(d, 1.0 - shrunk), rel=0.35)
    assert not found.missing


def test_evidence_is_not_pushed_one_way_by_the_cloud_fitting_itself():
    each = np.array([sample(gaussian, 30, particles=256, seed=k).log_evidence for k in range(10)])
    assert abs(each.mean() - exact(30)) < 0.35


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_a_guide_costs_few_looks_and_moves_no_answer(share):
    def guide(z):
        return share * gaussian(z) + 0.3 * np.sin(z[:, 0])

    found = [sample(gaussian, 8, particles=256, seed=k, guide=guide) for k in range(4)]
    assert np.mean([one.log_evidence for one in found]) == pytest.approx(exact(8), abs=0.25)
    draws = np.concatenate([one.draws for one in found])
    assert draws.mean(axis=0) == pytest.approx(np.full(8, 1.0 / 1.16), abs=0.08)
    assert found[0].log_likelihoods == pytest.approx(gaussian(found[0].draws))
    plain = sample(gaussian, 8, particles=256)
    assert found[0].evaluations < plain.evaluations


def test_a_banana():
    found = replicate(banana, 2, replicates=4, particles=512)
    assert found.log_evidence == pytest.approx(exact_banana(), abs=0.15)
    assert (found.draws[:, 0] < -0.3).mean() > 0.1  # both arms


def test_points_that_are_impossible_count_in_the_evidence():
    def half(z):
        return np.where(z[:, 0] > 0.0, 0.0, -np.inf)

    found = sample(half, 3, particles=2048)
    assert found.log_evidence == pytest.approx(np.log(0.5), abs=0.05)
    assert (found.draws[:, 0] > 0.0).all()


def test_bridge_sampling_agrees_and_uses_draws_alone():
    found = replicate(gaussian, 8, replicates=2, particles=1024)
    value, error = bridge(gaussian, found.draws)
    assert value == pytest.approx(exact(8), abs=0.1)
    assert 0.0 < error < 0.1
    assert bridge(lambda z: gaussian(z) + 7.0, found.draws)[0] == pytest.approx(value + 7.0)


def test_nested_sampling_agrees_in_few_dimensions():
    dynesty = pytest.importorskip("dynesty", reason="dynesty is not installed (ketasim[fit]).")
    sampler = dynesty.NestedSampler(
        lambda z: float(banana(z[None])[0]), norm.ppf, 2, nlive=200, rstate=np.random.default_rng(1)
    )
    sampler.run_nested(dlogz=0.1, print_progress=False)
    own = replicate(banana, 2, replicates=3, particles=512)
    assert own.log_evidence == pytest.approx(float(sampler.results.logz[-1]), abs=0.5)


def test_the_seed_decides():
    one, same, other = (sample(gaussian, 5, particles=64, seed=s) for s in (1, 1, 2))
    assert np.array_equal(one.draws, same.draws)
    assert one.log_evidence == same.log_evidence
    assert one.log_evidence != other.log_evidence


def test_few_draws_are_no_result():
    found = sample(gaussian, 30, particles=16)
    assert "more particles are needed" in found.missing[0]


def test_stages_say_how_it_went():
    told = []
    found = sample(gaussian, 5, particles=128, progress=told.append)
    assert len(told) == len(found.stages)
    powers = [one.power for one in found.stages]
    assert powers == sorted(powers)
    assert powers[-1] == 1.0
    assert all(0.5 < one.ess <= 1.0 and one.unique <= 128 for one in found.stages)
    assert found.effective <= 128.0


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda z: np.full(len(z), np.nan), "NaN or \\+inf at 64 of 64 points"),
        (lambda z: np.zeros((len(z), 2)), "shape \\(64, 2\\) for 64 points"),
        (lambda z: np.full(len(z), -np.inf), "nothing is possible"),
    ],
)
def test_a_likelihood_that_is_none_is_refused(answer, said):
    with pytest.raises(ModelError, match=said):
        sample(answer, 3, particles=64)


def test_arguments_out_of_range_are_refused():
    with pytest.raises(ConfigError, match="particles = 3: from 16 to 8,192"):
        sample(gaussian, 3, particles=3)
    with pytest.raises(ConfigError, match="n_dim = 0"):
        sample(gaussian, 0)
    with pytest.raises(ConfigError, match="keep = 1"):
        sample(gaussian, 3, keep=1)
    with pytest.raises(ConfigError, match="replicates = 0"):
        replicate(gaussian, 3, replicates=0)
    with pytest.raises(ConfigError, match="needs 32"):
        bridge(gaussian, np.zeros((4, 2)))


class Killed(Exception):
    """Stands for a signal that ends a process."""


@pytest.mark.parametrize(
    ("guided", "calls"), [(False, 1), (False, 12), (True, 0), (True, 1), (False, 10_000)]
)
def test_a_run_that_was_killed_goes_on_to_the_same_numbers(guided, calls, tmp_path):
    guide = (lambda z: 0.3 * gaussian(z)) if guided else None
    whole = sample(gaussian, 6, particles=128, guide=guide)
    kept, left = Kept(tmp_path / "run.npz", {"what": "a test"}), [calls]

    def dying(z):
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return gaussian(z)

    stopped = False
    try:
        sample(dying, 6, particles=128, guide=guide, kept=kept)
    except Killed:
        stopped = True
    assert stopped == (calls < 100)
    before = kept.load()
    counted = []
    again = sample(gaussian, 6, particles=128, guide=guide, kept=kept, progress=counted.append)
    assert np.array_equal(again.draws, whole.draws)
    assert np.array_equal(again.log_likelihoods, whole.log_likelihoods)
    assert (again.log_evidence, again.stages, again.effective, again.evaluations) == (
        whole.log_evidence, whole.stages, whole.effective, whole.evaluations)  # fmt: skip
    done = 0 if before is None else len(before[1]["stages"])
    made = [line for line in counted if not line.endswith(", kept")]
    assert len(made) == len(whole.stages) - done  # nothing kept was made again


def test_what_was_kept_of_another_run_is_refused(tmp_path):
    sample(gaussian, 2, particles=32, kept=Kept(tmp_path / "run.npz", {"seed": "1"}))
    with pytest.raises(StoreError, match="Mixing would be wrong"):
        Kept(tmp_path / "run.npz", {"seed": "2"}).load()
    (tmp_path / "run.npz").write_bytes(b"no")
    with pytest.raises(StoreError, match="damaged"):
        Kept(tmp_path / "run.npz").load()
