"""Every formula written before means what it meant: the same number from the same courses.

The dialects this is held against go once nobody reads them; this file goes with them.
"""

import tomllib
from pathlib import Path

import numpy as np
import pytest

import toy
from ketasim.config.packaged import packaged_library
from ketasim.readouts import Given, Ledger, parse
from ketasim.studies import expressions, measures
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
