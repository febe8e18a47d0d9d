"""The model card and the calibration behind the ledger are those of this model."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ketasim.config.findings import load_checks
from ketasim.models.antidepressant import antidepressant
from ketasim.studies.findings.calibration import problem

ROOT = Path(__file__).parents[2]
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
    task = problem(antidepressant(), load_checks())
    assert list(task.names) == RECORD["names"]
    best = min(fit["objective"] for fit in RECORD["fits"])
    own = float((task.residuals(task.ledger[None, :])[0] ** 2).sum())
    assert own <= 1.02 * best


def test_a_fit_from_elsewhere_does_not_leave_the_bounds():
    low, high = problem(antidepressant(), load_checks()[:2]).bounds
    for fit in RECORD["fits"]:
        point = np.log([fit["values"][name] for name in RECORD["names"]])
        assert ((point >= low - 1e-9) & (point <= high + 1e-9)).all()
