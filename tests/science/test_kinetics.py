"""Do the published kinetics hold, and is every confirmed row of them here?"""

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

import ketasim as ks
from ketasim.testing import mass_balance
from science.subjects import IP, MODEL, run

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "scripts"))
import kinetics  # noqa: E402

CARRIERS = [one for one in MODEL.states if one.partition(".")[0] in MODEL.carriers]
LEDGER = [one for one in MODEL.parameters if one.partition(".")[0] in MODEL.carriers]
ROUTES = ("iv", "im", "sc", "ip", "intranasal", "oral")


def cells():
    lines = kinetics.TABLE.read_text("utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def test_what_carries_the_drug_stays_small():
    assert len(LEDGER) <= 45
    assert len(CARRIERS) <= 32


def test_whole_curves_and_single_rows_are_in_the_table():
    found = {one["row"] for one in cells() if one["kind"] != "unconfirmed"}
    curves = {f"C{i}" for i in (*range(213, 258), *range(276, 298), *range(300, 306))}
    single = {f"K{i:03}" for i in (1, 2, 3, 4, 5, 6, 7, *range(9, 16), 17, 35, 36, 37, 38, 39)}
    assert curves | single | {f"C{i}" for i in range(308, 337)} <= found
    assert {"K122", "K123", "K128", "K129", "K165", "K166", "S002", "S043", "S140"} <= found


@pytest.mark.parametrize("drug", ["ketamine", "norketamine", "2s6s-hnk", "2r6r-hnk"])
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("drops", [0.0, 1.0])
def test_every_micromole_is_found_again(drug, route, drops):
    dose = ks.dose("10 mg", route=route, drug=drug) + ks.hold("body.nasal_drops", drops)
    one = run(MODEL, ks.human(), dose, (0.0, 0.5, 6.0, 48.0))
    assert mass_balance(one.model, one.schedule, one.times, one.states) < 1e-9
    given = sum(one.states[i, 1] for i, name in enumerate(MODEL.states) if name in CARRIERS)
    assert given > 1.0


def test_ketamine_leaves_mice_in_minutes():
    found = run(MODEL, ks.mouse(), IP, (0.0, 0.25, 1.0), names=("plasma.arterial",)).observed
    early, late = found["plasma.arterial"][1:]
    assert 9.0 < 45.0 * np.log(2) / np.log(early / late) < 19.0


@pytest.mark.slow
def test_four_in_five_of_the_confirmed_rows_are_met():
    table = kinetics.rows()
    found = table.asked.predict(table.asked.guess[None, :])[0][0]
    confirmed = table.column("kind") != "unconfirmed"
    assert confirmed.sum() == 161
    assert table.met(found)[confirmed].mean() >= 0.8
    dynamic = table.column("kind") == ""
    assert table.met(found)[dynamic].mean() >= 0.8
