"""Same text, same number: in run, compare, sweep, check, judge, explain and Python.

Two hundred random read-outs of a human under stress who gets ketamine, on random output grids and
beside other read-outs. A number agrees within a millionth of the size of what it measures; any
value of any course within two.
"""

from dataclasses import replace

import numpy as np
import pytest

import ketasim as ks
from ketasim.core.system import System
from ketasim.engines.contract import Batch, Settings
from ketasim.engines.run import run
from ketasim.errors import ConfigError
from ketasim.readouts import KINDS, parse
from ketasim.units import unit

HOURS = 28.0 * 24.0
SETUP = """
schema = 1
[[dosing]]
drug = "ketamine"
amount = "0.5 mg/kg"
route = "iv"
duration = "40 min"
[[intervention]]
target = "stress"
level = 1.0
from = "always"
[output]
from = "-30 min"
until = "28 d"
every = "{every}"
observables = {names}
"""
ARM = """
[arms.a]
subject = "human"
[[arms.a.dosing]]
drug = "ketamine"
amount = "0.5 mg/kg"
route = "iv"
duration = "40 min"
[[arms.a.intervention]]
target = "stress"
level = 1.0
from = "always"
"""
CHECK = """
schema = 1
number = 1
title = "read-outs"
hard = false
rows = []
references = []
"""
MODEL = ks.models.antidepressant()


def setup(every="3 h", names=("spines",)):
    listed = "[" + ", ".join(f'"{name}"' for name in names) + "]"
    return ks.config.loads(SETUP.format(every=every, names=listed))


@pytest.fixture(scope="module")
def courses():
    """Return the names that the drug moves, with the lowest and the highest value of each."""
    SCALES.update(_scales())
    seen = ks.simulate(setup("30 min", MODEL.recordable).scenario, engine="ensemble")
    found = {}
    for name in MODEL.recordable:
        values = seen[name][0].to_numpy()
        size = max(np.abs(values).max(), _declared(name))
        if np.ptp(values) > 1e-3 * size:
            found[name] = float(values.min()), float(values.max())
            WHOLE[name] = values
    WHOLE["time"] = seen["time"].to_numpy()
    return found


WHOLE = {}
SCALES = {}


def moves(courses, name, begin, end):
    """Return whether a course moves by a twentieth of its range in a window."""
    inside = (WHOLE["time"] >= begin) & (WHOLE["time"] <= end)
    low, high = courses[name]
    return inside.sum() > 2 and np.ptp(WHOLE[name][inside]) > 0.05 * (high - low)


def _declared(name):
    """Return the size at which a change of a name matters, in its declared unit.

    A state declares it. Of a quantity it is what it changes by, at most, when a state that it is
    made of changes by its own; tolerances are of states, so that is how exact a quantity can be.
    """
    return SCALES[name] / unit(MODEL.unit(name)).factor


def _scales():
    scenario = setup("3 h", MODEL.recordable).scenario
    system = System(scenario.resolved_model)
    model = scenario.resolved_model
    batch = Batch(
        model, system.default_parameters[None, :], scenario.schedule,
        np.linspace(-0.4, 100.0, 60), tuple(model.states),
    )  # fmt: skip
    states = run(batch, Settings()).values[0]
    values = system.prepare(system.default_parameters, scenario.schedule.before)
    found = dict(zip(model.states, system.scales, strict=True))
    for quantity in model.quantities:
        found[str(quantity.name)] = 0.0
    for i, scale in enumerate(system.scales):
        moved = states.astype(complex)
        moved[i] += 1e-40j * scale
        seen = list(values)
        with np.errstate(all="ignore"):
            system.slopes(seen, moved)
        for quantity in model.quantities:
            change = np.abs(np.imag(seen[system.slots[str(quantity.name)]])) * 1e40
            found[str(quantity.name)] = max(found[str(quantity.name)], float(np.max(change)))
    return found


@pytest.fixture(scope="module")
def asked(courses):
    """Return random read-outs as texts, each with the scale it is to be exact on."""
    rng = np.random.default_rng(20261126)
    kinds = [kind for kind in KINDS if kind not in ("t_peak", "t_trough", "t_change")]
    shorts = {full: short for short, full in MODEL.short_names.items()}
    found = {}
    while len(found) < 200:
        name = str(rng.choice(list(courses)))
        low, high = courses[name]
        kind = str(rng.choice(kinds))
        reducer, units = KINDS[kind], MODEL.unit(name)
        inside = []
        if reducer.argument == "moment":
            inside = [f"{rng.uniform(0.0, 600.0):.3f} h"]
        elif reducer.argument == "level":
            inside = [f"{low + (high - low) * rng.uniform(0.25, 0.75):.6g} {units}"]
        elif reducer.argument == "drop":
            inside = [f"{(high - low) * rng.uniform(0.2, 0.5):.6g} {units}"]
        begin, end = 0.0, HOURS
        if reducer.windowed and rng.random() < 0.5:
            begin, end = sorted(rng.uniform(0.0, 300.0, 2).round(2).tolist())
            inside += [f"{begin} h", f"{end} h"]
            if reducer.measures == "time" and not moves(courses, name, begin, end):
                continue  # where a course stands still, nothing says when
        called = shorts[name] if name in shorts and rng.random() < 0.5 else name
        text = f"{called}.{kind}({', '.join(inside)})" if inside else f"{called}.{kind}"
        size = max(abs(low), abs(high), _declared(name))
        length = max(end - begin, 24.0)
        found[text] = {"value": size, "time": HOURS, "integral": size * length}[reducer.measures]
    return found


def numbers(texts, every="3 h", **how):
    seen = ks.simulate(setup(every).scenario, readouts=named(texts), **how)
    return np.array([seen[f"r{i}"].item() for i in range(len(texts))])


def named(texts):
    return [f"r{i} = {text}" for i, text in enumerate(texts)]


@pytest.fixture(scope="module")
def truth(asked):
    return numbers(list(asked), engine="ensemble", rtol=1e-9)


def agree(found, truth, asked, who):
    for text, value, best in zip(asked, found, truth, strict=True):
        assert np.isnan(value) == np.isnan(best), (who, text, value, best)
        if not np.isnan(best):
            assert abs(value - best) <= 1e-6 * asked[text], (who, text, value, best)


def test_there_is_something_to_agree_on(asked, truth):
    assert len(asked) == 200
    assert np.isfinite(truth).sum() > 150
    assert len({parse(text, MODEL).reductions[0].kind for text in asked}) > 10


@pytest.mark.parametrize("engine", ["reference", "ensemble"])
@pytest.mark.parametrize("every", ["2 min", "47 min", "7 h", "24 h"])
def test_python_on_any_grid(engine, every, asked, truth):
    agree(numbers(list(asked), every, engine=engine), truth, asked, (engine, every))


@pytest.mark.parametrize("engine", ["reference", "ensemble"])
def test_every_course_in_the_hours_of_the_surge(engine, courses):
    # Values between two steps are less exact than those at its ends: docs/decisions/0017.
    scenario = setup("36 s", MODEL.recordable).scenario
    close = replace(scenario, times=tuple(t for t in scenario.times if t <= 6.0))
    found, best = (
        ks.simulate(close, engine=one, rtol=rtol)
        for one, rtol in ((engine, None), ("ensemble", 1e-10))
    )
    far = {
        name: float(np.abs(found[name] - best[name]).max())
        / max(float(np.abs(best[name]).max()), _declared(name))
        for name in courses
    }
    assert max(far.values()) <= 2e-6, max(far, key=far.get)


def test_alone_and_in_company(asked):
    rng = np.random.default_rng(3)
    texts = list(asked)
    whole = numbers(texts, engine="ensemble")
    for text in rng.choice(texts, 20, replace=False):
        alone = numbers([str(text)], f"{rng.integers(2, 1440)} min", engine="ensemble")
        np.testing.assert_array_equal(alone[0], whole[texts.index(text)], err_msg=text)


@pytest.mark.parametrize("every", ["5 min", "24 h"])
def test_sweep(every, asked, truth):
    swept = ks.sweep(
        setup(every).scenario, {"dosing[0].amount": ["0.5 mg/kg"]}, summaries=named(asked)
    )
    agree([swept[f"r{i}"].item() for i in range(len(asked))], truth, asked, "sweep")


@pytest.mark.parametrize("every", ["11 min", "24 h"])
def test_run_and_compare(every, courses, truth):
    names = sorted(courses)
    pair = ks.compare(setup(every, names), setup(every, names))
    kinds = {"start": "baseline", "change": "change", "area": "area", "above_half": "above_half"}
    texts = [f"{name}.{kind}" for name in names for kind in kinds]
    expected = dict(zip(texts, numbers(texts, engine="ensemble", rtol=1e-9), strict=True))
    for one in (ks.run(setup(every, names)), *pair.runs.values()):
        for name in names:
            size = max(*map(abs, courses[name]), _declared(name))
            scales = {"area": size * HOURS, "above_half": HOURS}
            for kind, field in kinds.items():
                gap = abs(getattr(one.readouts[name], field) - expected[f"{name}.{kind}"])
                assert gap <= 1e-6 * scales.get(kind, size), (name, kind)


def test_check(asked, truth, tmp_path):
    measures = [
        f'[[measure]]\nname = "m{i}"\nvalue = "a.{text}"\nunit = "1"\nreported = true\n'
        for i, text in enumerate(asked)
    ]
    (tmp_path / "check.toml").write_text(CHECK + "\n".join(measures) + ARM)
    (verdict,) = ks.check(checks=tmp_path)
    agree(verdict.predictions, truth, asked, "check")


def test_judge(asked, truth, tmp_path):
    some = {text: asked[text] for text in list(asked)[::4]}
    for i, text in enumerate(some):
        (tmp_path / f"f{i:03d}.toml").write_text(
            f'schema = 1\ntitle = "t{i}"\nspecies = "human"\npreparation = "p"\n{ARM}'
            f'[finding]\nvalue = "a.{text}"\nobserved = 1.0\nerror = 1.0\n'
        )
    told = ks.judge(
        ["disinhibition"], findings=[tmp_path], candidates=[], draws=16, calibrated=False,
        prior_width=0.0, quick=True,  # the ledger itself
    )  # fmt: skip
    order = [int(one.name[1:]) for one in told.findings]
    found = np.empty(len(some))
    found[order] = told.predicted[:, 0]
    agree(found, truth[::4], some, "judge")


def test_explain(asked, truth):
    texts, left = list(asked), 6
    for text in [text for text in texts if ".peak" in text or "@" in text or ".at(" in text]:
        try:
            told = ks.explain(setup("5 h"), text, nodes=["ampa.current"]).explanation
        except ConfigError:  # so late that nothing of the drug is left there
            continue
        expected = truth[texts.index(text)]
        assert abs(told.with_drug - expected) <= 1e-6 * asked[text], text
        assert unit(told.unit).dimension == unit(parse(text, MODEL).unit).dimension
        left -= 1
        if left == 0:
            return
    raise AssertionError("six read-outs that the drug moves were to be compared")
