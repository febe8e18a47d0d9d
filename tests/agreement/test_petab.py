"""PEtab problems: petab's linter, the way back, and the same objective in other engines."""

import logging
import re
import shlex
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import ketasim as ks
from ketasim.cli.main import group
from ketasim.config.findings import as_data, load_findings
from ketasim.core.schedule import dose_into, windows
from ketasim.core.system import System
from ketasim.errors import ConfigError, MissingExtra
from ketasim.export import petab as out
from ketasim.export.peers import FIRST_STEP
from ketasim.studies.fit.likelihood import problem

# petab 0.8 still speaks pandas 2
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")
MODEL = ks.models.antidepressant()
FREE = {
    "plasma": [
        "pk_s.clearance_70",
        "pk_r.clearance_70",
        "disposition.v_slow_70",
        "disposition.to_norketamine",
    ],
    "spines": ["spines.reached", "spines.k_retire"],
    "own": {
        "pk_s.clearance_70": "lognormal(90, 1.3) L/h",
        "nmda.k_s": "normal(0.3, 0.1, 0.2, 0.6) uM",
        "trkb.internal_ratio": "uniform(4, 10)",
        "bdnf.k_decay": None,
    },
}
OWN = """\
# arm before = ketamine_nbqx; subject.species=rat
# arm settled = human_depressed_iv
# arm slice = slice_bath
# assay blot: scale, free
# assay both: scale, offset, free
# assay logs: log-normal
time [h],readout,value,error,unit,arm,assay
1,ampa.current,1.1,0.1,1,before,current
2,(ampa.current@t - ampa.current.start) * 2,0.2,0.1,1,before,formula
0.5,bdnf.free,60,9,,before,blot
1.5,bdnf.free,50,9,,before,blot
24,spines.density@t / spines.density.start,1.2,0.1,1,settled,ratio
48,spines.density@t / spines.density.start,1.3,0.1,1,settled,ratio
3,outcome.score,20,3,points,settled,score
0.7,pk_s.plasma,0.25,0.025,uM,settled,logs
1,pk_s.plasma,160,16,nM,settled,logs
0.5,ampa.current,0.9,0.1,1,slice,both
1,ampa.current,0.8,0.1,1,slice,both
"""


@pytest.fixture(scope="module", autouse=True)
def _petab():
    """Leave out what asks petab where it is not installed, with a sentence."""
    pytest.importorskip("petab.v2", reason="PEtab needs petab 0.8: pip install ketasim[petab]")


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Return a CSV with everything that PEtab has a place for."""
    place = tmp_path_factory.mktemp("own") / "own.csv"
    place.write_text(OWN, encoding="utf-8")
    return place


@pytest.fixture(scope="module", params=["plasma", "spines", "own"])
def written(request, own, tmp_path_factory):
    """Return the data, what is free, and the problem as it was written."""
    data = own if request.param == "own" else request.param
    free = FREE[request.param]
    place = ks.save_petab(tmp_path_factory.mktemp(request.param), data=data, free=free)
    return ks.load_data(data), free, place


def objective(data, free):
    """Return our log-likelihood of the data at the ledger's values and the first guesses."""
    asked = problem(MODEL, free, data=[data], profiled=False)
    found = asked.at(asked.guess[None, :])
    pulls = sum(one.pull(asked.guess[:1]) is not None for one in asked.free)
    own = found.residuals[0, : found.residuals.shape[1] - pulls]
    return float(-0.5 * (own**2).sum() + asked.constant)


def test_petab_finds_no_fault(written):
    assert out.faults(written[2]) == []


def test_the_way_back_gives_the_same_points_arms_and_priors(written):
    data, free, place = written
    back = ks.load_petab(place)
    mine = sorted(data.points, key=lambda p: (p.arm, p.text, p.time))
    theirs = sorted(back.data.points, key=lambda p: (p.arm, p.text, p.time))
    for a, b in zip(mine, theirs, strict=True):
        assert (a.arm, a.text, a.time) == (b.arm, b.text, b.time)
        assert (a.value, a.error) == pytest.approx((b.value, b.error), rel=1e-12)
        assert a.readout.node == b.readout.node
        assert data.assays[a.assay].model == back.data.assays[b.assay].model
        assert data.assays[a.assay].scale == back.data.assays[b.assay].scale
        assert data.assays[a.assay].offset == back.data.assays[b.assay].offset
    for name, arm in data.arms.items():
        end = max(one.time for one in data.points if one.arm == name)
        a, b = (one.scenario(MODEL, begin=0.0, end=end) for one in (arm, back.data.arms[name]))
        ours, again = a.schedule, b.schedule
        for part in ("edges", "rates", "boluses", "knobs", "before"):
            np.testing.assert_allclose(getattr(ours, part), getattr(again, part), rtol=1e-12)
        assert ours.settled == again.settled
        np.testing.assert_allclose(*(System(s.resolved_model).default_parameters for s in (a, b)))
    mine = {one.name: one for one in problem(MODEL, free, data=[data]).free}
    for name, prior in back.free.items():
        low, high = mine[name].prior.reach  # where a fit searches, and PEtab's bounds
        want = replace(mine[name].prior, low=low, high=high)
        share = np.array([0.1, 0.5, 0.9])
        np.testing.assert_allclose(prior.at(share), want.at(share), rtol=1e-9)
        assert back.values[name] == pytest.approx(mine[name].guess)
    assert set(back.free) == set(free)


def test_data_that_came_back_have_the_same_objective(written):
    data, free, place = written
    again = ks.load_data(place)
    assert objective(again, free) == pytest.approx(objective(data, free), rel=1e-9)


def by_roadrunner(place, experiments):
    """Return the log-likelihood of some experiments, simulated by libRoadRunner.

    petab itself turns periods into initial assignments and events.
    """
    libsbml = import_module("libsbml")
    v2 = out.library()
    theirs = v2.Problem.from_yaml(place)
    convert = import_module("petab.v2.converters").ExperimentsToSbmlConverter
    text = convert(theirs).convert().model.to_sbml_str()
    seen = {one.id: one for one in theirs.observables}
    nominal = {one.id: one.nominal_value for one in theirs.parameters}
    total = 0.0
    for own in experiments:
        document = libsbml.readSBMLFromString(text)
        model = document.getModel()
        model.getParameter(convert.get_experiment_indicator(own)).setValue(1.0)
        for name, value in nominal.items():
            if model.getParameter(name) is not None:
                model.getParameter(name).setValue(value)
        engine = import_module("roadrunner").RoadRunner(libsbml.writeSBMLToString(document))
        engine.integrator.relative_tolerance = 1e-10
        engine.integrator.absolute_tolerance = 1e-13
        engine.integrator.initial_time_step = FIRST_STEP
        engine.integrator.maximum_num_steps = 100_000
        rows = [m for m in theirs.measurements if m.experiment_id == own]
        times = sorted({0.0, *(m.time for m in rows)})
        symbols = sorted({str(s) for m in rows for s in seen[m.observable_id].formula.free_symbols})
        inside = [s for s in symbols if model.getParameter(s) is not None]
        engine.timeCourseSelections = ["time", *inside]
        found = engine.simulate(times=times)
        for m in rows:
            at = dict(zip(inside, found[times.index(m.time), 1:], strict=True))
            one = seen[m.observable_id]
            value = float(one.formula.subs({s: at[str(s)] for s in one.formula.free_symbols}))
            sigma = float(m.noise_parameters[0])
            logs = one.noise_distribution.value == "log-normal"
            left = np.log(m.measurement / value) if logs else m.measurement - value
            total -= 0.5 * (left / sigma) ** 2 + np.log(sigma * np.sqrt(2.0 * np.pi))
            total -= np.log(m.measurement) if logs else 0.0
    return total


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["plasma", "spines"])
def test_libroadrunner_reproduces_the_objective(name, tmp_path):
    pytest.importorskip("roadrunner", reason="libRoadRunner is not installed")
    pytest.importorskip("sbmlmath", reason="petab turns experiments into events with sbmlmath")
    place = ks.save_petab(tmp_path, data=name, free=FREE[name])
    data = ks.load_data(name)
    mine = objective(data, FREE[name])
    assert by_roadrunner(place, list(data.arms)) == pytest.approx(mine, abs=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["plasma", "spines", "own"])
def test_amici_reproduces_the_objective(name, own, tmp_path):
    pytest.importorskip(
        "amici",
        reason='AMICI is not installed: pip install "ketasim[amici]" (built here; needs a C++ '
        "compiler)",
    )
    data = own if name == "own" else name
    place = ks.save_petab(tmp_path / "problem", data=data, free=FREE[name])
    importer = import_module("amici.importers.petab").PetabImporter
    theirs = out.library().Problem.from_yaml(place)
    made = importer(theirs, output_dir=tmp_path / "amici", verbose=logging.ERROR)
    simulator = made.create_simulator(force_import=True)
    simulator.solver.set_relative_tolerance(1e-10)
    simulator.solver.set_absolute_tolerance(1e-13)
    found = simulator.simulate(dict(zip(theirs.x_free_ids, theirs.x_nominal_free, strict=True)))
    assert found.llh == pytest.approx(objective(ks.load_data(data), FREE[name]), abs=1e-4)


def csv(tmp_path, rows, *lines):
    place = tmp_path / "own.csv"
    head = "time [h],readout,value,error,unit,arm"
    place.write_text("\n".join([*lines, head, *rows]) + "\n", encoding="utf-8")
    return place


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("1,outcome.mood,<0.5,0.1,1,rat_10", "known only to lie beyond"),
        (",spines.density.peak,1.2,0.1,1,rat_10", "at the time of a measurement"),
        ("3,spines.density@t / spines.density@1h,1.2,0.1,1,rat_10", "at the time of a measurement"),
    ],
)
def test_what_petab_has_no_place_for_is_refused(row, told, tmp_path):
    with pytest.raises(ConfigError, match=told):
        ks.save_petab(tmp_path / "p", data=csv(tmp_path, [row]), free=["spines.k_retire"])


def test_an_arm_that_sets_what_is_estimated_is_refused(tmp_path):
    place = csv(
        tmp_path, ["1,outcome.mood,0.5,0.1,1,a"], "# arm a = rat_10; spines.k_retire=0.012 1/h"
    )
    with pytest.raises(ConfigError, match=r"sets spines\.k_retire"):
        ks.save_petab(tmp_path / "p", data=place, free=["spines.k_retire"])


def changed(tmp_path, table, before, after):
    """Return a problem with one text of one table changed."""
    place = ks.save_petab(tmp_path / "p", data="spines", free=FREE["spines"])
    file = place.parent / out.FILES[table]
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")
    return place


@pytest.mark.parametrize(
    ("table", "before", "after", "told"),
    [
        ("condition", "pk_s__peritoneum", "pk_s__belly", "pk_s__belly"),
        ("condition", "pk_s__peritoneum", "spines__stable", "no drug by any route"),
        ("parameter", "spines__k_retire", "spines__k_retired", "spines__k_retired"),
        ("parameter", "log-uniform", "laplace", "no prior laplace"),
        ("measurement", "0.0434000000000000", "k", "must be a number"),
        ("observable", "\tnormal\t", "\tlaplace\t", "no error model laplace"),
    ],
)
def test_what_is_not_ours_is_refused_with_its_table(table, before, after, told, tmp_path):
    with pytest.raises(ConfigError, match=told):
        ks.load_petab(changed(tmp_path, table, before, after))


def test_a_formula_of_others_is_read_over_our_names(tmp_path):
    place = changed(
        tmp_path, "observable", "spines__density/start__spines__density - 1.0",
        "2*spines__density + spines__labile_rest",
    )  # fmt: skip
    point = ks.load_petab(place).data.points[0]
    assert point.text == "2.0*spines.density@t + parameter(spines.labile_rest)"


def test_no_file_and_no_problem_are_told_in_a_sentence(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        ks.load_petab(tmp_path / "none.yaml")
    (tmp_path / "no.yaml").write_text("a: 1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="not a PEtab problem of version 2"):
        ks.load_petab(tmp_path / "no.yaml")


def test_without_petab_a_sentence_says_what_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, "petab", None)
    with pytest.raises(MissingExtra, match=r"pip install \"ketasim\[petab\]\""):
        out.library()


def test_start_is_just_before_time_0_also_of_an_arm_that_began_earlier(own, tmp_path):
    place = ks.save_petab(tmp_path, data=own, free=["spines.k_retire"])
    theirs = out.library().Problem.from_yaml(place)
    changes = {one.id: {str(c.target_id) for c in one.changes} for one in theirs.conditions}
    kept = {
        one.id: [p.time for p in one.periods for c in p.condition_ids
                 if "start__ampa__current" in changes[c]]
        for one in theirs.experiments
    }  # fmt: skip
    assert min(p.time for p in theirs["before"].periods) < 0.0
    assert kept == {"before": [0.0], "settled": [0.0], "slice": [0.0]}


def test_identifiers_are_valid_and_differ():
    found = out.names(["a b", "a.b", "a_b", "1 h", "é"])
    assert len(set(found.values())) == 5
    assert all(one.isidentifier() and one.isascii() for one in found.values())


def test_amounts_in_states_are_a_dose_again():
    dose = dose_into({"pk_s.central": 2.0, "pk_r.central": 2.0}, MODEL, start=1.0, over=0.5)
    assert (dose.drug, dose.route, dose.s_fraction) == ("ketamine", "iv", None)
    uneven = dose_into({"pk_s.central": 3.0, "pk_r.central": 1.0}, MODEL, start=0.0, over=0.0)
    assert uneven.s_fraction == pytest.approx(0.75)
    assert dose_into({"spines.stable": 1.0}, MODEL, start=0.0, over=0.0) is None
    held = list(windows("stress.stressor", [(-np.inf, 1.0), (3.0, 0.0), (5.0, 0.5)], MODEL))
    assert [(one.start, one.stop, one.value) for one in held] == [
        (-np.inf, 3.0, "1.0 1"),
        (5.0, np.inf, "0.5 1"),
    ]


def shown():
    """Return the commands that the page shows, in order."""
    page = (Path(__file__).parents[2] / "docs" / "petab.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def test_the_page_shows_what_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = shown()
    assert len(lines) == 4
    for line in lines:
        done = CliRunner().invoke(group, shlex.split(line)[1:], standalone_mode=False)
        assert done.exception is None, f"{line}: {done.exception}"
        assert done.output


def test_arms_and_priors_that_came_back_are_ready_for_a_fit(tmp_path):
    back = ks.load_petab(ks.save_petab(tmp_path, data="spines", free=FREE["spines"]))
    found = ks.fit(back.data, free=back.free, starts=2, profile=False)
    mine = ks.fit("spines", free=FREE["spines"], starts=2, profile=False)
    assert found.best.loss == pytest.approx(mine.best.loss, rel=1e-6)


def test_a_finding_goes_out_where_it_is_a_number_of_one_arm(tmp_path):
    known = {one.name: one for one in load_findings()}
    own = [as_data(known["mtor_rat_10"]), as_data(known["slice_potentiation"])]
    place = ks.save_petab(tmp_path, data=["spines", *own], free=["spines.k_retire"])
    assert out.faults(place) == []
    back = ks.load_petab(place).data
    values = sorted(one.value for one in back.points)
    wanted = sorted(p.value for one in (ks.load_data("spines"), *own) for p in one.points)
    assert values == pytest.approx(wanted)
    whole = ks.fit(back, free=["spines.k_retire"], starts=1, profile=False).problem
    mine = problem(MODEL, ["spines.k_retire"], data=[ks.load_data("spines"), *own])
    at = mine.guess[None, :]
    assert whole.at(at).losses == pytest.approx(mine.at(at).losses, rel=1e-6)
    with pytest.raises(ConfigError, match="only a number that is read in one arm"):
        as_data(known["a5_modulator"])
