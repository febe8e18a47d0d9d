"""``ketasim gradient``: what is printed, what is written, and what is refused."""

import csv
import json

import pytest
from click.testing import CliRunner

from ketasim.cli.main import group
from ketasim.errors import KetasimError


def typed(*words):
    return CliRunner().invoke(group, [*words], catch_exceptions=False)


def test_it_prints_the_largest_first_and_writes_picture_table_and_json(tmp_path):
    out = tmp_path / "out"
    done = typed(
        "gradient", "human_healthy_iv", "--readout", "spines.density.peak",
        "--readout", "plasma.venous.auc", "--top", "3", "-o", str(out),
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "dosing[0].amount" in done.output
    assert "names move it, the first 3 shown" in done.output
    assert (out / "gradient.png").stat().st_size > 10_000
    table = (out / "gradient.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(table.splitlines()))
    told = json.loads((out / "gradient.json").read_text(encoding="utf-8"))
    assert len(rows) == len(told["rows"]) > 300
    dose = [r for r in rows if r["by"] == "dosing[0].amount" and "auc" in r["readout"]]
    assert float(dose[0]["elasticity"]) == pytest.approx(1.0, abs=1e-6)  # kinetics are linear


def test_an_unknown_name_and_a_moment_are_refused(tmp_path):
    for name, told in (("nmda.kx", "no such parameter"), ("dosing[0].at", "moments move steps")):
        with pytest.raises(KetasimError, match=told):
            typed(
                "gradient", "human_healthy_iv", "--readout", "spines.density.peak", "--by", name,
                "-o", str(tmp_path),
            )  # fmt: skip
