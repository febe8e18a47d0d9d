"""Does the exported file simulate in independent engines as it does here?"""

import os
import re
import subprocess
import sys

import pytest

import ketasim as ks
from agreement.random_scenarios import scenario
from ketasim.config import load
from ketasim.errors import MissingExtra
from ketasim.export import peers, sbml, validate
from ketasim.export.document import sbml as document

pytest.importorskip("libsbml", reason="needs python-libsbml: SBML is not checked here")

RUNS = dict(peers.engines())
FEW, ALL = range(3), range(50)


def engine(name):
    """Return an engine's way to run, or skip the test with its sentence."""
    run = RUNS[name]
    if isinstance(run, MissingExtra):
        pytest.skip(f"agreement with {name} is not tested: {run}")
    return run


def agrees(asked, name):
    found = peers.compare(asked, sbml(asked), engine(name))
    assert found.points > 50
    assert found.agrees, found
    assert abs(found.delivered - 1.0) < 1e-6
    return found


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("seed", FEW)
def test_a_random_scenario_agrees(seed, name):
    agrees(scenario(seed), name)


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("seed", ALL)
def test_every_random_scenario_agrees(seed, name):
    agrees(scenario(seed), name)


@pytest.mark.slow
@pytest.mark.parametrize("seed", ALL)
def test_every_random_scenario_is_valid_with_units(seed):
    verdict = validate(sbml(scenario(seed)))
    assert (verdict.errors, verdict.units, verdict.others) == ((), (), ())


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("config", ["human_healthy_iv", "human_depressed_iv"])
def test_the_default_model_agrees_tightly(config, name):
    found = agrees(load(config).scenario, name)
    assert found.sizewise < 1e-7


@pytest.mark.parametrize("name", RUNS)
def test_repeated_short_infusions_all_arrive(name):
    protocol = ks.repeat(ks.infusion("0.5 mg/kg", over="1 s"), times=20, every="5 h")
    asked = ks.Scenario(
        ks.models.antidepressant(), protocol, ks.hours(0, 100, every=0.5), subject=ks.human()
    )
    agrees(asked, name)


@pytest.mark.parametrize("name", RUNS)
def test_a_lost_dose_would_be_seen(name):
    asked = load("human_healthy_iv").scenario
    text = sbml(asked)
    lost = re.sub(r"<event .*?</event>", "", text, count=1, flags=re.DOTALL)
    assert lost != text
    found = peers.compare(asked, lost, engine(name))
    assert not found.agrees
    assert found.delivered < 0.9
    assert "DISAGREES" in str(found)


@pytest.mark.parametrize("name", RUNS)
def test_a_law_written_wrong_would_be_seen(name):
    asked = load("human_healthy_iv").scenario
    text = document(asked)
    changed = text.replace("<ci>positive_power</ci>", "<times />")
    assert changed != text
    assert not peers.compare(asked, changed, engine(name)).agrees


def test_the_check_names_engine_points_and_largest_difference():
    found = peers.check(load("human_healthy_iv", sets=["output.until=1 d"]).scenario)
    assert len(found) == sum(not isinstance(run, MissingExtra) for run in RUNS.values())
    for one in found:
        assert re.fullmatch(r"(roadrunner|COPASI) [\d.]+ max rel diff \de-\d\d", str(one))
        assert len(one.where) == 3


def test_copasi_leaves_the_locale_alone():
    engine("COPASI")
    code = (
        "import locale; locale.setlocale(locale.LC_ALL, ''); "
        "from ketasim.export import peers; peers.copasi(); "
        "print(locale.setlocale(locale.LC_CTYPE))"
    )
    env = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=env, check=True)
    assert done.stdout.split() == [b"C.UTF-8"]
