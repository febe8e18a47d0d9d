"""Sweeps: one row for every member, whatever becomes of it, and always the same bits."""

import hashlib
import time
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
import xarray as xr

import toy
import trap
from ketasim.config import load
from ketasim.core.protocol import bath, dose, hold, repeat
from ketasim.core.scenario import Scenario, Subject, hours
from ketasim.engines.contract import RTOL, Limits
from ketasim.engines.status import Status
from ketasim.errors import ConfigError, KetasimError
from ketasim.studies import designs
from ketasim.studies.designs.columns import Columns
from ketasim.studies.simulate import simulate
from ketasim.studies.sweep import sweep
from ketasim.studies.sweep.estimate import estimate

PROTOCOL = repeat(dose("1 mg/kg", route="iv", drug="drug", over="30 min"), times=2, every="6 h")
ROW = hold("receptor.blocker", "0 %", start="1 h", until="2 h")
WARD = Scenario(
    toy.model(), PROTOCOL + ROW, hours(0, 12, every=0.5), Subject("human", 70.0), ("body.plasma",)
)
KEEP = {"summaries": ["body.plasma.peak", "receptor.bound.auc(0h, 6h)", "receptor.bound.at(1h)"]}


def run(scenario, design, **options):
    return sweep(scenario, design, **{"engine": "reference", "threads": 2, **options})


def fingerprint(dataset):
    kept = {str(n): dataset[n].to_numpy() for n in sorted(dataset.data_vars)}
    return hashlib.sha256(b"".join(a.tobytes() for a in kept.values())).hexdigest()


def test_a_grid_over_everything_that_can_vary():
    found = run(
        WARD,
        {
            "body.k_el": ["0.1 1/h", "0.4 1/h"],
            "dosing[0].amount": ["0 mg", "70 mg", "140 mg"],
            "intervention[0].level": ["0 %", "100 %"],
        },
        **KEEP,
        record=["body.plasma"],
    )
    assert dict(found.sizes) == {"member": 12, "time": 25}
    assert (found["status"] == 0).all()
    assert found["body.plasma.peak"].attrs["units"] == "uM"
    peak = found["body.plasma.peak"].to_numpy().reshape(2, 3, 2)
    assert (peak[:, 0] == 0.0).all()
    np.testing.assert_allclose(peak[:, 2], 2 * peak[:, 1], rtol=1e-4)
    assert (peak[0, 1:] > peak[1, 1:]).all()
    np.testing.assert_array_equal(found["dosing[0].amount"][2], 70.0)
    assert found["dosing[0].amount"].attrs["units"] == "mg"


@pytest.mark.parametrize(
    ("name", "value", "changed"),
    [
        ("body.k_el", "0.5 1/h", lambda s: with_model(s, {"body.k_el": "0.5 1/h"})),
        ("dosing[0].amount", "2 mg/kg", lambda s: with_doses(s, amount="2 mg/kg")),
        ("dosing[0].duration", "10 min", lambda s: with_doses(s, over="10 min")),
        ("dosing[0].at", "1 h", lambda s: with_doses(s, at="1 h")),
        ("subject.weight", "35 kg", lambda s: with_weight(s, 35.0)),
        ("intervention[0].level", "50 %", lambda s: s.with_protocol(
            PROTOCOL + hold("receptor.blocker", "50 %", start="1 h", until="2 h"))),
        ("intervention[0].until", "180 min", lambda s: s.with_protocol(
            PROTOCOL + hold("receptor.blocker", "0 %", start="1 h", until="3 h"))),
        ("bath[0].concentration", "2 uM", lambda s: s.with_protocol(
            PROTOCOL + bath("2 uM", drug="s_drug", start="1 h"))),
    ],
)  # fmt: skip
def test_a_member_is_the_same_scenario_simulated_alone(name, value, changed):
    base = WARD
    if name.startswith("bath"):
        base = WARD.with_protocol(PROTOCOL + bath("1 uM", drug="s_drug", start="1 h"))
    swept = run(base, {name: [value]}, record=["body.plasma", "receptor.bound"])
    again = replace(changed(base), record=("body.plasma", "receptor.bound"))
    alone = simulate(again, engine="reference")
    for one in ("body.plasma", "receptor.bound"):
        np.testing.assert_array_equal(swept[one].to_numpy(), alone[one].to_numpy())


def test_schedules_of_many_members_are_those_of_each_to_the_last_bit():
    late = dose("3 mg", route="oral", drug="s_drug", at="3 h")
    busy = WARD.with_protocol(PROTOCOL + ROW + late)
    names = ("dosing[0].amount", "dosing[1].amount", "intervention[0].level", "subject.weight")
    units = ("ug", "mg/kg", "1", "kg")
    random = np.random.default_rng(2)
    table = dict(zip(names, random.uniform(0.0, 1.0, (4, 50)), strict=True))
    table["subject.weight"][7] = 0.0
    table["intervention[0].level"][9] = 1.5
    table["dosing[0].amount"][11] = -1.0
    columns = Columns(busy, designs.table(table, units=dict(zip(names, units, strict=True))))
    rows = columns.design.rows(0, 50)
    fine = np.ones(50, bool)
    many = columns.schedules(rows, fine)
    for i in np.flatnonzero(fine):
        one = columns.schedule(rows[i])
        for name in ("edges", "rates", "boluses", "knobs", "before"):
            np.testing.assert_array_equal(getattr(many[i], name), getattr(one, name))
    assert sorted({*range(50)} - {*np.flatnonzero(fine)}) == [9, 11]


def with_model(scenario, values):
    return replace(scenario, model=scenario.model.with_values(values))


def with_doses(scenario, amount="1 mg/kg", over="30 min", at=0.0):
    one = dose(amount, route="iv", drug="drug", over=over)
    return scenario.with_protocol(repeat(one, times=2, every="6 h", start=at) + ROW)


def with_weight(scenario, weight):
    return replace(scenario, subject=Subject("human", weight))


@pytest.mark.parametrize(
    ("vary", "told"),
    [
        ({"body.k_ell": ["1 1/h"]}, 'no such parameter. Did you mean "body.k_el" \\(0.25 1/h\\)'),
        ({"body.k_el": ["1 mL"]}, '"mL" is a volume; a rate'),
        ({"body.k_el": [1.0]}, 'a unit is needed, e.g. "1/h"'),
        ({"body.k_el": ["-1 1/h"]}, "must be >= 0"),
        ({"dosing[1].amount": ["1 mg"]}, "there is no dosing\\[1\\]; this scenario has 1"),
        ({"dosing[0].amonut": ["1 mg"]}, 'unknown key. Did you mean "amount"'),
        ({"dosing[0].amount": ["-1 mg"]}, "must be >= 0"),
        ({"dosing[0].amount": ["1 mg/L"]}, "a dose per body weight"),
        ({"dosing[0].at": ["20 h"]}, "a dose stops at"),
        ({"intervention[0].level": ["150 %"]}, "must lie between 0 and 100"),
        ({"intervention[0].until": ["10 min"]}, "its window is empty"),
        ({"subject.weight": ["0 kg"]}, "must be > 0"),
    ],
)
def test_what_cannot_be_varied_is_told_before_anything_runs(vary, told):
    with pytest.raises(KetasimError, match=told):
        run(WARD, vary)


def test_other_mistakes_are_told_too():
    grid = {"body.k_el": ["1 1/h"]}
    for options in (
        {"engine": "fast"},
        {"rtol": 1.0},
        {"chunk": 0},
        {"record": ["body.plasm"]},
        {"summaries": ["body.plasma.at(99 h)"]},
        {"shard": (0, 2)},
        {"limits": Limits(steps=0)},
    ):
        with pytest.raises(KetasimError):
            run(WARD, grid, **options)
    for design in ("sobol:0", "sobol:x", "soboll:8", None, 3):
        with pytest.raises(KetasimError):
            run(WARD, design)


def test_without_a_wish_the_recorded_courses_are_kept():
    assert set(run(WARD, {"body.k_el": ["1 1/h"]}).data_vars) == {"body.plasma", "status", "steps"}
    everything = run(replace(WARD, record=()), {"body.k_el": ["1 1/h"]})
    assert "receptor.bound.peak" in everything
    assert "receptor.bound.t_peak" in everything


POISON = {
    5: ("k", np.nan, Status.BAD_PARAMETER),
    11: ("k", -1.0, Status.BAD_PARAMETER),
    12: ("divisor", 0.0, Status.BAD_PARAMETER),
    21: ("pace", 1e5, Status.MAX_STEPS),
    33: ("blast", 1.0, None),
    34: ("leak", 1.0, Status.NEGATIVE_STATE),
    50: ("k", np.inf, Status.BAD_PARAMETER),
}
SIZE = 60
WORLD_ENDS = (Status.MAX_STEPS, Status.NONFINITE, Status.STEP_TOO_SMALL)


def members(poison=()):
    values = np.tile([trap.MODEL.value(name) for name in trap.NAMES], (SIZE, 1))
    values[:, 0] = np.linspace(0.1, 2.0, SIZE)
    for i in poison:
        name, value, _ = POISON[i]
        values[i, trap.NAMES.index(f"trap.{name}")] = value
    columns = dict(zip(trap.NAMES, values.T, strict=True))
    return designs.table(columns, units=dict(zip(trap.NAMES, trap.UNITS, strict=True)))


def trapped(poison=(), **options):
    limits = Limits(steps=3000, seconds=5.0)
    settings = {
        "summaries": trap.SUMMARIES,
        "record": ["trap.ratio", "trap.fuel"],
        "limits": limits,
    }
    return run(trap.scenario(), members(poison), **{**settings, **options})


@pytest.fixture(scope="module")
def healthy():
    return trapped()


def test_healthy_members_are_all_ok(healthy):
    assert (healthy["status"] == Status.OK).all()
    np.testing.assert_allclose(
        healthy["trap.level.at(2h)"], np.exp(-2.0 * healthy["trap.k"]), rtol=1e-4
    )


@pytest.mark.parametrize("chunk", [1, 7, 64])
@pytest.mark.filterwarnings("ignore:trap:ketasim.errors.KetasimWarning")
def test_poison_stays_where_it_is(healthy, chunk):
    found = trapped(POISON, chunk=chunk)
    assert found.sizes["member"] == SIZE
    others = [i for i in range(SIZE) if i not in POISON]
    for name in found.data_vars:
        np.testing.assert_array_equal(found[name][others], healthy[name][others])
    for i, (_, _, status) in POISON.items():
        got = Status(int(found["status"][i]))
        assert got == status or (status is None and got in WORLD_ENDS)
        assert np.isnan(found["trap.level.auc"][i])
        assert got.sentence


def test_a_course_is_nan_from_the_point_of_failure():
    found = trapped([33])
    fuel = found["trap.fuel"][33].to_numpy()
    times = found["time"].to_numpy()
    reached = times < 0.95  # the world ends at one hour
    np.testing.assert_allclose(fuel[reached], 1.0 / (1.0 - times[reached]), rtol=1e-4)
    assert np.isnan(fuel[times > 1.01]).all()
    tank = trapped([34])["trap.ratio"][34].to_numpy()
    assert np.isfinite(tank[times < 1.0]).all()
    assert np.isnan(tank[times > 1.01]).all()


def test_a_member_that_takes_too_long_is_stopped_in_time():
    began = time.perf_counter()
    found = trapped([21], limits=Limits(steps=10**9, seconds=0.3))
    assert found["status"][21] == Status.TIME_LIMIT
    assert time.perf_counter() - began < 0.3 + 10.0


def test_no_resting_state_is_a_status_of_its_own():
    table = {"trap.gain": np.array([0.0, 1.0, 0.0]), "trap.k": np.array([0.3, 0.3, 0.2])}
    design = designs.table(table, units={"trap.gain": "1/h", "trap.k": "1/h"})
    found = run(trap.scenario(settled=True), design, summaries=["trap.lake.peak"])
    assert found["status"].to_numpy().tolist() == [0, Status.NO_BASELINE, 0]


def test_only_allow_looser_loosens_and_every_row_says_so(healthy):
    assert "rtol" not in healthy
    found = trapped([21], allow_looser=True)
    assert (np.delete(found["rtol"].to_numpy(), 21) == RTOL["reference"]).all()
    assert found["status"][21] == Status.MAX_STEPS


def failing_at_first(engine):
    """Return an attempt that fails members with a large k, until it is a retry."""
    honest = engine.attempt

    def attempt(batch, asked, settings, *, first_step, halted):
        found = honest(batch, asked, settings, first_step=first_step, halted=halted)
        if first_step is None and settings.method == "LSODA":
            found.status[batch.parameters[:, 0] > 1.9] = Status.STEP_TOO_SMALL
        return found

    return attempt


@pytest.mark.parametrize("engine", ["reference", "ensemble"])
def test_a_retry_keeps_the_tolerance_and_is_told(monkeypatch, engine):
    module = import_module(f"ketasim.engines.{engine}")
    monkeypatch.setattr(module, "attempt", failing_at_first(module))
    found = trapped(engine=engine, record=())
    again = (found["trap.k"] > 1.9).to_numpy()
    assert 0 < again.sum() < SIZE
    assert (found["status"].to_numpy() == np.where(again, Status.OK_AFTER_RETRY, 0)).all()
    expected = np.exp(-2.0 * found["trap.k"].to_numpy()[again])
    np.testing.assert_allclose(found["trap.level.at(2h)"].to_numpy()[again], expected, rtol=1e-4)


def test_bits_do_not_depend_on_chunks_threads_or_order(tmp_path):
    design = designs.sobol(WARD.model, 66, seed=3)
    first = run(WARD, design, **KEEP, chunk=66, threads=1)
    want = fingerprint(first)
    for chunk in (1, 3, 7, 64):
        for threads in (1, 2, 3):
            assert fingerprint(run(WARD, design, **KEEP, chunk=chunk, threads=threads)) == want
    stored = run(WARD, design, **KEEP, chunk=7, store=tmp_path / "a.zarr")
    assert fingerprint(stored) == want
    for i in (0, 17, 65):
        alone = run(WARD, design.member(i), **KEEP)
        for name in alone.data_vars:
            np.testing.assert_array_equal(alone[name][0], first[name][i])


def test_numbers_are_the_same_from_text_and_from_a_table(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("body.k_el [1/h]\n0.1\n0.7\n")
    assert fingerprint(run(WARD, path, **KEEP)) == fingerprint(
        run(WARD, {"body.k_el": "0.1, 0.7 1/h"}, **KEEP)
    )


def test_progress_is_told_and_can_stop_a_sweep():
    seen = []
    run(WARD, {"body.k_el": "linspace(0.1, 1, 12) 1/h"}, **KEEP, chunk=3, progress=seen.append)
    assert seen[-1].done == seen[-1].total == seen[-1].computed == 12
    assert seen[-1].rate > 0.0
    stopped = run(
        WARD,
        {"body.k_el": "linspace(0.1, 1, 40) 1/h"},
        **KEEP,
        record=["body.plasma"],
        chunk=1,
        threads=1,
        progress=lambda p: p.done >= 1,
    )
    status = stopped["status"].to_numpy()
    assert (status == 0).any()
    assert (status == Status.NOT_RUN).any()
    for name in ("body.plasma.peak", "body.plasma"):
        assert np.isnan(stopped[name].to_numpy()[status == -1]).all()
        assert np.isfinite(stopped[name].to_numpy()[status == 0]).all()
    assert (stopped["steps"].to_numpy()[status == -1] == 0).all()


def test_courses_come_in_the_units_that_they_are_declared_in():
    human = replace(load("human_healthy_iv").scenario, times=(0.0, 0.5, 1.0, 4.0))
    own = {"nmda.k_s": [f"{human.model.value('nmda.k_s')} uM"]}
    found = run(human, own, engine="ensemble", record=["plasma.venous"])["plasma.venous"]
    alone = simulate(human, engine="ensemble")["plasma.venous"]
    assert found.attrs["units"] == alone.attrs["units"] == "ng/mL"
    np.testing.assert_array_equal(found, alone)


@pytest.mark.filterwarnings("ignore:body:ketasim.errors.KetasimWarning")
def test_courses_that_the_compiled_engine_writes_in_place_are_those_of_a_store(tmp_path):
    values = [0.1, 0.2, 0.3, 0.4, -1.0, 0.6, 0.7]  # in chunks of three, the second has a bad one
    design = designs.table({"body.k_el": values}, units={"body.k_el": "1/min"})
    names = ["receptor.bound", "body.plasma"]
    how = {"engine": "ensemble", "record": names, "chunk": 3}
    found, kept = run(WARD, design, **how), run(WARD, design, store=tmp_path / "kept.zarr", **how)
    bad = found["status"] == Status.BAD_PARAMETER
    assert np.flatnonzero(bad).tolist() == [4]
    for name in names:
        np.testing.assert_array_equal(found[name], kept[name])
        assert np.isnan(found[name][4]).all()
        assert np.isfinite(found[name][~bad]).all()


def test_a_fault_in_a_worker_reaches_the_caller(monkeypatch):
    from ketasim.studies.sweep.chunk import Work

    def broken(self, rows, *, into):
        raise ZeroDivisionError("as planned")

    monkeypatch.setattr(Work, "compute", broken)
    with pytest.raises(ZeroDivisionError, match="as planned"):
        run(WARD, {"body.k_el": ["1 1/h"]})


def test_an_estimate_counts_what_a_sweep_does():
    found = estimate(
        WARD, "sobol:300", engine="reference", threads=1, chunk=100, summaries=["body.plasma.peak"]
    )
    assert (found.members, found.chunks, found.threads, found.recorded) == (300, 3, 1, False)
    assert 0.0 < found.seconds < 600.0
    assert found.bytes == 300 * (4 * 8 + 8 + 8 + 1)
    assert found.trajectory_bytes == 300 * 25 * 8


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:trap:ketasim.errors.KetasimWarning")
def test_the_compiled_engine_keeps_every_promise_too(tmp_path):
    healthy = trapped(engine="ensemble")
    for chunk, threads in ((1, 1), (7, 2), (64, 3)):
        found = trapped(POISON, engine="ensemble", chunk=chunk, threads=threads)
        others = [i for i in range(SIZE) if i not in POISON]
        for name in found.data_vars:
            np.testing.assert_array_equal(found[name][others], healthy[name][others])
        for i, (_, _, status) in POISON.items():
            got = Status(int(found["status"][i]))
            assert not got.ok
            assert status in (None, got)
    reference = trapped()
    np.testing.assert_allclose(healthy["trap.level.auc"], reference["trap.level.auc"], rtol=1e-5)
    assert isinstance(healthy, xr.Dataset)


def test_weight_named_twice_is_refused():
    with pytest.raises(ConfigError, match="twice"):
        designs.table({"x [h]": [1.0], "x": [1.0]})
