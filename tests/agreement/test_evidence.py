"""Is the evidence of a hypothesis what two other methods say, on a problem made small?"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from ketasim.config.findings import load_findings, reference_effect
from ketasim.models import antidepressant
from ketasim.models.rivals import DISINHIBITION
from ketasim.studies.findings.predict import computed
from ketasim.studies.judge.guide import fit
from ketasim.studies.judge.likelihood import by_paper
from ketasim.studies.judge.prepare import Runs, question, space, with_number
from ketasim.studies.posterior.evidence import bridge, replicate

pytestmark = pytest.mark.slow
NAMES = ("nbqx_effect", "effect_3h", "effect_week", "spines_24h", "bdnf_rat_10")
FREE = ("spines.k_mature", "bdnf.reached", "outcome.by_spines")


@pytest.fixture(scope="module")
def small():
    """A hypothesis with its gain and a few uncertain numbers, by five findings."""
    model = antidepressant()
    findings = [one for one in load_findings() if one.name in NAMES]
    reference = with_number(reference_effect("mouse"), model)
    asked = question([*findings, reference], model)
    whole = space(DISINHIBITION, model, prior_width=0.25, free=True)
    few = [name for name in whole.priors if name in FREE] or list(whole.priors)[:3]
    where = replace(whole, priors={name: whole.priors[name] for name in few})
    keep = np.ones(len(asked.findings), dtype=bool)
    return where, Runs(where, asked.machine), asked.data(keep, len(findings))


def likelihood(small):
    _, runs, data = small

    def answer(at):
        values, status = runs.ask(at)
        fine = computed(status).all(axis=0)
        return np.where(fine, by_paper(data, values).sum(axis=0), -np.inf)

    return answer


def test_sampling_with_a_guide_bridging_and_nesting_agree(small):
    dynesty = pytest.importorskip("dynesty", reason="dynesty is not installed (ketasim[fit]).")
    where, runs, data = small
    answer = likelihood(small)
    answer(np.random.default_rng(1).standard_normal((128, where.n_dim)))
    guide = fit(*runs.known(np.arange(len(runs.values[0]))))
    found = replicate(
        answer, where.n_dim, replicates=3, particles=128,
        guide=lambda at: guide.log_likelihood(data, at), guide_particles=1024, most_moves=1,
    )  # fmt: skip
    assert found.spread < 0.5
    assert bridge(answer, found.draws)[0] == pytest.approx(found.log_evidence, abs=0.3)
    sampler = dynesty.NestedSampler(
        lambda z: float(answer(z[None])[0]), norm.ppf, where.n_dim, nlive=60,
        rstate=np.random.default_rng(2),
    )  # fmt: skip
    sampler.run_nested(dlogz=0.3, print_progress=False)
    assert float(sampler.results.logz[-1]) == pytest.approx(found.log_evidence, abs=1.0)
