"""Every formula written before means what it meant: the same number from the same courses.

The dialects this is held against go once nobody reads them; this file goes with them.
"""

import tomllib
from pathlib import Path

import numpy as np
import pytest

import toy
from ketasim.config.library import packaged_library
from ketasim.readouts import Given, Ledger, parse
from ketasim.studies import expressions, measures, summaries
from ketasim.studies.mediation import readout as effect_of
from ketasim.studies.readouts import Readout as Before
from ketasim.units import unit

CONFIGS = Path(__file__).parents[2] / "configs"
FOLDERS = ("checks", "experiments", "candidates", "reference_effects")
TOY = toy.model()
TIMES = np.array([-1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 24.0, 96.0, 168.0, 400.0])


def course(name, arm):
    """Return a made-up course in declared units, (3, n_times), that no two names share."""
    rng = np.random.default_rng([len(name), *f"{arm}{name}".encode()])
    return 1.0 + rng.random((3, len(TIMES)))


def written(path):
    """Return the formulas of a file with where they stand."""
    table = tomllib.loads(path.read_text("utf-8"))
    finding = table.get("finding", {})
    texts = [one["value"] for one in table.get("measure", ())]
    return [*texts, *(finding[key] for key in ("value", "of") if key in finding)]


SHIPPED = sorted(
    {(text, tuple(tomllib.loads(path.read_text("utf-8")).get("arms", ())))
     for folder in FOLDERS for path in sorted((CONFIGS / folder).glob("*.toml"))
     for text in written(path)}
)  # fmt: skip


def old_reading(one):
    """Return a reading as the old code computes it, from courses in declared units."""
    asked = Before.parse(one.summary)
    treated = asked.reduce(TIMES, course(asked.name, one.arm))
    free = asked.reduce(TIMES, course(asked.name, f"{one.arm} undrugged"))
    return treated - free if one.effect else treated


def reduced(reduction, values):
    """Return a reduction of a course on the grid, as both old dialects have it."""
    level, (begin, end) = reduction.level, reduction.window or (TIMES[0], TIMES[-1])
    first, last = np.searchsorted(TIMES, (begin, end))
    times, values = TIMES[first : last + 1], values[:, first : last + 1]
    if reduction.kind == "at":
        return np.array([np.interp(reduction.moment, TIMES, row) for row in values])
    if reduction.kind == "time_to_fall":
        return measures.time_to(times, values - values[:, :1], -level)
    if reduction.kind == "t_half":
        away = np.abs(values - values[:, :1])
        return measures.time_to(times, away / away.max(axis=1, keepdims=True), 0.5)
    plain = {
        "peak": measures.peak, "trough": measures.trough, "t_peak": measures.time_of_peak,
        "t_trough": measures.time_of_trough, "auc": measures.area, "mean": measures.mean,
    }  # fmt: skip
    if level is None:
        return plain[reduction.kind](times, values)
    return getattr(measures, reduction.kind)(times, values, level)


def new_lookup(model):
    """Return a look-up of the same courses in canonical units."""

    def lookup(one):
        if isinstance(one, Ledger):
            return np.full(3, model.value(one.name))
        if isinstance(one, Given):
            return np.full(3, 147.0)
        name = one.reduction.name
        factor = unit(model.unit(name)).factor
        found = reduced(one.reduction, course(name, one.arm) * factor)
        free = reduced(one.reduction, course(name, f"{one.arm} undrugged") * factor)
        return found - free if one.effect else found

    return lookup


def old_lookup(model):
    def lookup(one):
        if isinstance(one, expressions.Ledger):
            return np.full(3, model.value(one.name) / unit(model.unit(one.name)).factor)
        if isinstance(one, expressions.Given):
            return np.full(3, 147.0)
        return old_reading(one)

    return lookup


def same(text, model, arms):
    before = expressions.evaluate(expressions.parse(text), old_lookup(model))
    now = parse(text, model, arms=arms, bare="declared").evaluate(new_lookup(model))
    np.testing.assert_allclose(now, before, rtol=1e-11)


def test_there_are_formulas_to_compare():
    assert len(SHIPPED) > 80


@pytest.mark.parametrize(("text", "arms"), SHIPPED, ids=lambda one: one if len(one) else "none")
def test_a_shipped_formula_means_what_it_meant(text, arms):
    same(text, packaged_library().model("antidepressant"), arms)


@pytest.mark.parametrize(
    "text",
    [
        "1 + 2 * 3", "(1 + 2) * 3", "8 / 4 / 2", "5 - 3 - 1", "-2 * -3",
        "abs(-4) + min(1, 2) - max(3, 1.5e0)",
        "effect(nbqx, body.s.auc(0 h, 4 h)) / ket.body.s.peak * parameter(body.k_el) * given(ket)",
        "ket.receptor.bound.at(30 min)", "ket.receptor.bound.peak", "ket.receptor.bound.trough",
        "ket.receptor.bound.t_peak", "ket.receptor.bound.t_trough",
        "ket.receptor.bound.auc(0 h, 4 h)", "ket.receptor.bound.auc(30 min, 1 h)",
        "ket.receptor.bound.t_half", "ket.receptor.bound.time_to(1.5)",
        "ket.body.s.time_to(1.5)", "ket.body.s.time_to_fall(.3)", "ket.body.s.above(1.2)",
        "ket.body.s.above(1.2) / ket.body.s.at(2 h)",
        "given(ket) / ket.body.s.auc(0 h, 4 h)", "ket.body.s.peak * ket.body.r.peak / 3",
        "ket.body.s.peak - 1", "min(3, ket.body.s.peak)", "1 / ket.body.s.peak",
    ],
)  # fmt: skip
def test_a_formula_of_a_finding_means_what_it_meant(text):
    same(text, TOY, ("ket", "nbqx"))


@pytest.mark.parametrize(
    "text",
    [
        "receptor.bound.peak", "receptor.bound.t_peak", "receptor.bound.trough",
        "receptor.bound.t_trough", "receptor.bound.at(2 h)", "receptor.bound.at(120min)",
        "receptor.bound.auc", "receptor.bound.auc(1h, 4h)", "receptor.bound.peak(2h,4h)",
        "receptor.bound.mean", "receptor.bound.above(1.5)", "receptor.bound.below(1.5)",
        "receptor.bound.time_to(1.5)", "receptor.bound.time_to(9)",
        "receptor.bound.at(1h) / receptor.bound.at(2h)",
        "receptor.bound.peak - 2 * receptor.bound.at(2h)", "-(receptor.bound.peak + 1)",
        "body.plasma.auc", "body.s.peak", "body.s.auc / body.plasma.peak",
        "body.plasma.above(1500 nM)", "body.s.peak + body.r.peak",
        "x = body.s.peak * 3 - body.r.peak",
        "receptor.bound.at(1h) / receptor.bound.auc(0h, 4 h)", "body.r.mean (0 h , 4h)",
        "1 / body.s.peak", "body.s.peak / body.r.peak", "body.s.peak / body.s.trough",
        "body.s.peak * body.plasma.t_peak / 2",
    ],
)  # fmt: skip
def test_a_summary_of_a_sweep_means_what_it_meant(text):
    old, new = summaries.read(text, TOY), parse(text, TOY)
    before = old.compute(TIMES, {name: course(name, None) for name in old.names})
    np.testing.assert_allclose(new.evaluate(new_lookup(TOY)), before, rtol=1e-12)
    assert (new.label, new.text, new.names, new.moments) == (
        old.label, old.text, old.names, old.moments,
    )  # fmt: skip
    assert unit(new.unit) == unit(old.unit)


@pytest.mark.parametrize(
    "text", ["body.s@2h", "body.s @ 30 min", "body.s.at(2 h)", "body.s.t_half"]
)
def test_an_effect_to_explain_means_what_it_meant(text):
    before = effect_of(text)
    found = parse(text, TOY, bare="declared").evaluate(new_lookup(TOY))
    np.testing.assert_allclose(found, before.reduce(TIMES, course("body.s", None)))
