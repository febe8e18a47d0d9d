"""Is a number of a course the same whoever takes it, whatever grid and whatever else is asked?"""

import numpy as np
import pytest

import ketasim as ks
from ketasim.core.system import System
from ketasim.engines.contract import Batch, Settings
from ketasim.engines.run import run
from ketasim.readouts import KINDS, Reduction
from ketasim.units import unit

MODEL = ks.models.antidepressant()
DONE = (
    ks.infusion("0.5 mg/kg", over="40 min")
    + ks.dose("5 mg", route="im", at="30 h")
    + ks.hold("stress.stressor", 1.0, start="always")
    + ks.hold("ampa.antagonist", 0.6, start="50 h", until="53 h")
)
ASKED = ks.Scenario(MODEL, DONE, ks.hours(0, 96, every=1.0), subject=ks.human())
FINE = tuple(np.unique(np.concatenate([np.arange(0.0, 96.0, 0.005), [2.0 / 3.0, 96.0]])))
NAMES = (
    "plasma.venous", "pk_s.brain", "nmda.interneuron_block", "circuit.gaba", "glutamate.relative",
    "ampa.current", "bdnf.extracellular", "trkb.signal", "translation.mtorc1", "spines.density",
    "outcome.mood", "outcome.score",
)  # fmt: skip


def levels(name):
    """Return levels that a course passes, from its values on a fine grid."""
    values = COURSES[name]
    low, high = values.min(), values.max()
    return low + (high - low) * np.array([0.3, 0.7])


def outcome(reductions, *, engine="ensemble", times=(), record=(), rtol=1e-6, span=(0.0, 96.0)):
    model = ASKED.resolved_model
    parameters = System(model).default_parameters[None, :]
    batch = Batch(
        model, parameters, ASKED.schedule, np.array(times), tuple(record), tuple(reductions), span
    )
    return run(batch, Settings(engine, rtol=rtol))


@pytest.fixture(scope="module", autouse=True)
def _fine():
    found = outcome((), times=FINE, record=NAMES, rtol=1e-9)
    global COURSES
    COURSES = dict(zip(NAMES, found.values[0], strict=True))


def some(name):
    """Return a reduction of each kind of one name, in a window and not."""
    for kind, reducer in KINDS.items():
        windows = (None, (2.3, 51.7)) if reducer.windowed else (None,)
        for window in windows:
            if reducer.argument == "moment":
                yield Reduction(kind, name, moment=31.4)
            elif reducer.argument == "level":
                for level in levels(name):
                    yield Reduction(kind, name, level=float(level), window=window)
            elif reducer.argument == "drop":
                yield Reduction(kind, name, level=0.4 * float(np.ptp(COURSES[name])), window=window)
            else:
                yield Reduction(kind, name, window=window)


def by_hand(one):
    """Return what a fine grid says, (value, how far it may be off)."""
    times, values = np.array(FINE), COURSES[one.name]
    begin, end = one.window or (0.0, 96.0)
    inside = (times >= begin - 1e-12) & (times <= end + 1e-12)
    t, v = times[inside], values[inside]
    start = v[0]
    step, size = 0.005, float(np.ptp(values))
    away = v - start
    top = int(np.argmax(np.abs(away)))
    beyond = size * 1e-4
    numbers = {
        "at": (np.interp(one.moment or 0.0, times, values), beyond),
        "start": (values[0], 1e-12),
        "peak": (v.max(), beyond),
        "trough": (v.min(), beyond),
        "t_peak": (t[np.argmax(v)], 2 * step),
        "t_trough": (t[np.argmin(v)], 2 * step),
        "change": (away[top], beyond),
        "t_change": (t[top], 2 * step),
        "auc": (np.trapezoid(v, t), beyond * (end - begin)),
        "area": (np.trapezoid(away, t), beyond * (end - begin)),
        "mean": (np.trapezoid(v, t) / (end - begin), beyond),
    }
    if one.kind in numbers:
        return numbers[one.kind]
    level = one.level
    if one.kind == "above_half":
        side = np.sign(away[top])
        return step * np.count_nonzero(side * away > abs(away[top]) / 2), 6 * step
    if one.kind in ("above", "below"):
        side = 1.0 if one.kind == "above" else -1.0
        return step * np.count_nonzero(side * (v - level) > 0.0), 6 * step
    if one.kind == "t_half":
        reached = np.abs(away) >= abs(away[top]) / 2
    elif one.kind == "time_to_fall":
        reached = away <= -level
    else:
        reached = np.sign(v - level) != np.sign(v[0] - level)
    return (t[np.argmax(reached)] if reached.any() else np.nan), 2 * step


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_is_what_a_fine_grid_says(name):
    asked = list(some(name))
    found = outcome(asked).reduced[0]
    flat = float(np.ptp(COURSES[name]))
    for one, value in zip(asked, found, strict=True):
        expected, margin = by_hand(one)
        if one.kind in ("t_peak", "t_trough", "t_change"):
            # Where a course stands almost still at its top, the height tells and not the moment.
            there = np.interp(value, FINE, COURSES[name])
            expected, margin = np.interp(expected, FINE, COURSES[name]), 1e-3 * flat
            value = there
        np.testing.assert_allclose(value, expected, atol=margin + 1e-12, rtol=0, err_msg=str(one))


@pytest.mark.parametrize("name", NAMES)
def test_both_engines_take_the_same_number(name):
    asked = list(some(name))
    ours, theirs = (
        outcome(asked, engine=e, rtol=1e-9).reduced[0] for e in ("ensemble", "reference")
    )
    flat = float(np.ptp(COURSES[name]))
    for one, a, b in zip(asked, ours, theirs, strict=True):
        scale = {"value": flat, "time": 96.0, "integral": 96.0 * flat}[KINDS[one.kind].measures]
        if one.kind in ("t_peak", "t_trough", "t_change") and abs(a - b) > 1e-6 * 96.0:
            # A top may be so flat that its height is exact and its moment is not.
            a, b = (np.interp(x, FINE, COURSES[name]) for x in (a, b))
            scale = 1e-2 * flat
        np.testing.assert_allclose(a, b, atol=1e-6 * scale, rtol=0, err_msg=str(one))


def test_neither_grid_nor_neighbours_move_a_bit():
    asked = [r for name in NAMES for r in some(name)]
    alone = {one: outcome([one]).reduced[0, 0] for one in asked[:: len(asked) // 25]}
    beside = outcome(asked, times=np.arange(0.0, 96.0, 7.0), record=NAMES).reduced[0]
    again = outcome(asked, times=FINE[:200], record=NAMES[:2]).reduced[0]
    np.testing.assert_array_equal(beside, again)
    for one, value in alone.items():
        assert np.array_equal(value, beside[asked.index(one)], equal_nan=True), one


def test_a_wide_and_a_narrow_kernel_take_the_same_bits():
    from ketasim.engines.ensemble import compile_kernel, run_members
    from ketasim.readouts.derive import first_run

    system = System(ASKED.resolved_model)
    wanted = first_run([r for name in NAMES for r in some(name)])
    kernels = (compile_kernel(system), compile_kernel(system, schedules=ASKED.schedule))
    parameters = system.default_parameters[None, :]
    found = [
        run_members(k, parameters, ASKED.schedule, np.empty(0), primitives=wanted).numbers
        for k in kernels
    ]
    assert len(kernels[1].plan(general=False).live) < len(kernels[0].plan(general=False).live)
    np.testing.assert_array_equal(*found)


def test_members_have_the_same_numbers_in_any_company():
    system = System(ASKED.resolved_model)
    rng = np.random.default_rng(4)
    parameters = np.repeat(system.default_parameters[None, :], 37, axis=0)
    parameters[:, 10:60] *= np.exp(0.05 * rng.standard_normal((37, 50)))
    asked = tuple(r for name in NAMES[:4] for r in some(name))
    batch = Batch(
        ASKED.resolved_model, parameters, ASKED.schedule, reductions=asked, span=(0.0, 96.0)
    )
    whole = run(batch, Settings())
    part = run(batch.some(np.array([5, 30, 36])), Settings(threads=1))
    np.testing.assert_array_equal(whole.reduced[[5, 30, 36]], part.reduced)


def test_a_bolus_at_the_very_end_counts_among_the_extremes():
    late = ks.Scenario(
        MODEL, ks.bolus("0.2 mg/kg", at="5 h"), ks.hours(0, 5, every=1.0), subject=ks.human()
    )
    for engine in ("ensemble", "reference"):
        both = ks.simulate(
            late, engine=engine, readouts=["plasma.arterial.peak", "pk_s.brain.peak"]
        )
        assert both["plasma.arterial.peak"].item() == pytest.approx(
            both["plasma.arterial"][0, -1].item()
        )
        assert both["plasma.arterial.peak"].item() > 100.0


def test_a_reading_before_and_at_a_bolus():
    once = ks.Scenario(MODEL, ks.bolus("0.2 mg/kg"), ks.hours(0, 5, every=1.0), subject=ks.human())
    for engine in ("ensemble", "reference"):
        seen = ks.simulate(
            once, engine=engine, readouts=["plasma.arterial.start", "plasma.arterial@0h"]
        )
        assert seen["plasma.arterial.start"].item() == 0.0
        assert seen["plasma.arterial@0h"].item() > 100.0


def test_what_is_held_from_time_0_is_not_there_at_the_start():
    held = ks.Scenario(
        MODEL,
        ks.hold("ampa.antagonist", 1.0, start="0 h", until="2 h"),
        ks.hours(-1, 5, every=1.0),
        subject=ks.human(),
    )
    for engine in ("ensemble", "reference"):
        seen = ks.simulate(
            held, engine=engine, readouts=["ampa.current.start", "ampa.current.change"]
        )
        assert seen["ampa.current.start"].item() == pytest.approx(1.0)
        assert seen["ampa.current.change"].item() == pytest.approx(-1.0, abs=1e-3)


def test_a_number_carries_its_unit():
    seen = ks.simulate(ASKED, readouts=["x = plasma.venous.auc(0 h, 4 h)", "y = pk_s.brain.t_peak"])
    assert seen["x"].attrs["units"] == "ng*h/mL"
    assert seen["y"].attrs["units"] == "h"
    assert unit("ng*h/mL").dimension
