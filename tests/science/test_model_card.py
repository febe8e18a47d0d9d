"""The model card and the calibration behind the ledger are those of this model."""

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import ketasim as ks
from ketasim.models.antidepressant import antidepressant
from ketasim.studies.fit.likelihood import problem

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import calibrate  # noqa: E402
import kinetics  # noqa: E402
from asked import ends, target  # noqa: E402
from descent import best  # noqa: E402

RECORD = json.loads((ROOT / "docs" / "calibration.json").read_text(encoding="utf-8"))
pytestmark = pytest.mark.science


def test_the_card_is_what_the_model_says_now():
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "model_card.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_ledger_carries_the_best_fit():
    model = antidepressant()
    best = next(fit for fit in RECORD["fits"] if fit["start"] == RECORD["best"])
    assert sum(best["loss"].values()) == min(sum(fit["loss"].values()) for fit in RECORD["fits"])
    for name, value in best["values"].items():
        # The last steps of the search gain next to nothing along flat directions.
        assert model.parameters[name].value == pytest.approx(value, rel=0.02), name


def test_the_record_says_what_the_ledger_loses():
    model = antidepressant()
    judged, beside = calibrate.findings(model)
    asked = target(model, findings=[*judged, *beside], weight=calibrate.WEIGHT)
    now = calibrate.lost(asked, asked.start)
    best = min(sum(fit["loss"].values()) for fit in RECORD["fits"])
    assert sum(now.values()) <= 1.02 * best
    low, high = asked.said
    within = (asked.start > low - 0.01) & (asked.start < high + 0.01)
    assert within[calibrate.moving(asked)].all()
    assert np.isfinite(asked.said).any()


def test_a_fit_leaves_neither_the_bounds_nor_what_sources_say():
    parameters = antidepressant().parameters
    for fit in RECORD["fits"]:
        for name, value in fit["values"].items():
            low, high = parameters[name].bounds
            assert low <= value <= high, name
            said = parameters[name].grounds.seen
            if said is not None and max(low, said.low) < min(high, said.high):
                assert said.low * (1 - 1e-9) <= value <= said.high * (1 + 1e-9), name


def test_a_search_goes_where_bounds_and_sources_agree():
    wanted = {
        "disposition.k_gut": (0.7, 2.94),  # bounds 0.7 to 8
        "glutamate.part": (0.1, 0.5),  # said: 0 to 0.5, bounds 0.1 to 0.5
        "nmda.k_exchange": (432.0, 1152.0),  # bounds 400 to 1200, outwards of what is said
        "circuit.regained": antidepressant().parameters["circuit.regained"].bounds,  # nothing said
    }
    asked = problem(antidepressant(), list(wanted), data=[ks.load_data(kinetics.TABLE)])
    for one, low, high in zip(asked.free, *ends(asked), strict=True):
        assert (one.value(low), one.value(high)) == pytest.approx(wanted[one.name]), one.name


def test_a_search_keeps_to_bounds_that_do_not_reach_what_sources_say():
    asked = problem(antidepressant(), ["nmda.k_exchange"], data=[ks.load_data(kinetics.TABLE)])
    own = replace(asked.free[0], prior=replace(asked.free[0].prior, a=30.0, b=300.0))
    low, high = ends(replace(asked, free=(own,)))
    assert (*own.value(low), *own.value(high)) == pytest.approx((30.0, 300.0))


@dataclass(frozen=True)
class Bowl:
    """Data that ask for 3 and 3, a tenth either way, beside a prior around 0."""

    most: float = 1e3
    start: tuple[float, ...] = (0.0, 0.0)

    def residuals(self, z):
        return 10.0 * (z - 3.0)

    def losses(self, z):
        return (self.residuals(z) ** 2).sum(axis=1)


def test_a_descent_stops_at_the_ends_that_it_is_given():
    start = np.array(Bowl.start)
    assert best(Bowl(), start)[0] == pytest.approx([3.0 / 1.01] * 2, abs=1e-3)
    ends_of = np.array([[-1.0, -1.0], [1.0, np.inf]])
    assert best(Bowl(), start, ends=ends_of)[0] == pytest.approx([1.0, 3.0 / 1.01], abs=1e-3)
    outside = np.array([3.0, 3.0]) / 1.01  # the best point, from which every step within leads up
    assert best(Bowl(), outside, ends=ends_of)[0] == pytest.approx([1.0, 3.0 / 1.01], abs=1e-3)
    only = np.array([False, True])
    assert best(Bowl(), start, only, ends=ends_of)[0] == pytest.approx([0.0, 3.0 / 1.01], abs=1e-3)
