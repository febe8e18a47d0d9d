"""The model card and the calibration behind the ledger are those of this model."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ketasim.models.antidepressant import antidepressant

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import calibrate  # noqa: E402
from asked import target  # noqa: E402

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


def test_a_fit_from_elsewhere_does_not_leave_the_bounds():
    parameters = antidepressant().parameters
    for fit in RECORD["fits"]:
        for name, value in fit["values"].items():
            low, high = parameters[name].bounds
            assert low <= value <= high, name
