"""Summaries of a sweep: numbers of the solution, whatever the grid and whatever else is asked."""

import gc
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

import toy
import trap
from ketasim.config import loads
from ketasim.core.protocol import Protocol, bath, dose, hold, repeat
from ketasim.core.scenario import Scenario, Subject, hours
from ketasim.engines.contract import Limits, Settings
from ketasim.engines.status import Status
from ketasim.errors import ConfigError, KetasimError
from ketasim.studies import designs
from ketasim.studies.designs.columns import Columns
from ketasim.studies.sweep import chunk as chunks
from ketasim.studies.sweep import sweep
from ketasim.studies.sweep.job import prepare

GIVEN = repeat(dose("1 mg/kg", route="iv", drug="drug", over="30 min"), times=2, every="6 h")
SHUT = hold("receptor.blocker", "60 %", start="1 h", until="9 h")
WARD = Scenario(toy.model(), GIVEN + SHUT, hours(0, 14, every=0.5), Subject("human", 70.0))
ASKED = "body.plasma.peak"
BESIDE = [
    ASKED, "receptor.bound@20 min", "body.s.auc(1 h, 3 h)", "receptor.bound.t_half",
    "body.plasma.above(1 uM)", "x = body.r.time_to_fall(1 umol) / 2",
]  # fmt: skip
VARY = {"body.k_el": "0.1, 0.3, 0.9 1/h", "dosing[0].amount": "0.5, 2 mg/kg"}
EXACT = {
    "trap.level.peak": lambda k: np.ones_like(k),
    "trap.level.t_peak": lambda k: np.zeros_like(k),
    "trap.level.auc": lambda k: (1.0 - np.exp(-4.0 * k)) / k,
    "trap.level.mean(1 h, 2 h)": lambda k: (np.exp(-k) - np.exp(-2.0 * k)) / k,
    "trap.level.time_to(0.5)": lambda k: np.log(2.0) / k,
    "trap.level.above(0.5)": lambda k: np.log(2.0) / k,
    "trap.level@100 min": lambda k: np.exp(-k * 5.0 / 3.0),
}


@pytest.mark.parametrize("engine", ["reference", "ensemble"])
def test_summaries_are_those_of_the_exact_solution_on_a_grid_of_two_points(engine):
    coarse = replace(trap.scenario(), times=(0.0, 4.0))
    found = sweep(coarse, {"trap.k": "0.3, 0.7, 1.4 1/h"}, summaries=EXACT, engine=engine)
    k = found["trap.k"].to_numpy()
    for text, exact in EXACT.items():
        label = text.replace(" h", "h", 0)
        values = found[label.replace(", ", ",")].to_numpy()
        np.testing.assert_allclose(values, exact(k), rtol=2e-5, atol=1e-12, err_msg=text)


def test_neither_the_grid_nor_other_summaries_move_a_bit():
    """The example of the issue: every = 2 min, 0.5 h or 7 h, alone and beside others."""
    found = [
        sweep(replace(WARD, times=hours(0, 14, every=every)), VARY, summaries=asked)
        for every in (1 / 30, 0.5, 7.0)
        for asked in ([ASKED], BESIDE)
    ]
    wanted = found[0][ASKED].to_numpy()
    assert len(set(wanted.tolist())) == 6
    for one in found:
        assert (one["status"] == Status.OK).all()
        assert one[ASKED].to_numpy().tobytes() == wanted.tobytes()
    finest = sweep(replace(WARD, times=hours(0, 14, every=0.005)), VARY, record=["body.plasma"])
    on_grid = finest["body.plasma"].max("time").to_numpy()
    np.testing.assert_allclose(wanted, on_grid, rtol=1e-6)


@pytest.mark.parametrize("engine", ["reference", "ensemble"])
def test_a_summary_without_a_window_is_of_the_times_that_were_asked_for(engine):
    """The first dose is at 0 h; what is looked at begins at 3 h, and nothing is recorded."""
    late = replace(WARD, times=hours(3, 13, every=5.0))
    asked = ["m = body.plasma.mean", "a = body.plasma.auc", "w = body.plasma.auc(3 h, 13 h)"]
    found = sweep(late, VARY, summaries=asked, engine=engine)
    np.testing.assert_allclose(found["m"] * 10.0, found["a"], rtol=1e-12)
    np.testing.assert_allclose(found["w"], found["a"], rtol=1e-5)


def test_recording_a_course_moves_no_bit_of_a_summary():
    alone = sweep(WARD, VARY, summaries=BESIDE)
    beside = sweep(WARD, VARY, summaries=BESIDE, record=["receptor.bound", "body.plasma"])
    assert {"receptor.bound", "body.plasma"} < set(beside.data_vars)
    for name in set(alone.data_vars) - {"steps"}:
        np.testing.assert_array_equal(alone[name].to_numpy(), beside[name].to_numpy())


@pytest.mark.parametrize("engine", ["reference", "ensemble"])
def test_an_effect_is_less_the_same_member_without_drug(engine):
    protocol = GIVEN + SHUT + bath("2 uM", drug="s_drug", start="2 h", until="5 h")
    ward = replace(WARD, protocol=protocol)
    vary = {**VARY, "intervention[0].level": "20, 80 %", "bath[0].concentration": "1, 3 uM"}
    text = ["gain = effect(receptor.bound.auc)", "all = receptor.bound.auc"]
    found = sweep(ward, vary, summaries=[*text, "less = effect(receptor.drug.mean)"], engine=engine)
    bare = sweep(
        replace(ward, protocol=Protocol(SHUT.events)),
        {name: vary[name] for name in ("body.k_el", "intervention[0].level")},
        summaries=["receptor.bound.auc", "receptor.drug.mean"],
        engine=engine,
    )
    places = np.arange(24).reshape(3, 2, 2, 2)
    which = np.broadcast_to(np.arange(6).reshape(3, 1, 2, 1), places.shape).ravel()
    gain = found["all"].to_numpy() - bare["receptor.bound.auc"].to_numpy()[which]
    np.testing.assert_array_equal(found["gain"].to_numpy(), gain)
    assert (found["gain"] > 0.0).all()
    assert found.sizes["member"] == 24


def test_an_undrugged_twin_has_its_own_parameters():
    """What moves without drug is taken off: here a decay that the drug does not touch."""
    found = sweep(
        trap.scenario(),
        {"trap.k": "0.3, 0.9 1/h"},
        summaries=["effect(trap.level.auc)", "whole = trap.level.auc"],
        engine="reference",
    )
    np.testing.assert_array_equal(found["effect(trap.level.auc)"].to_numpy(), [0.0, 0.0])
    assert (found["whole"] > 1.0).all()


def test_a_twin_that_cannot_be_computed_takes_the_effect_with_it(monkeypatch):
    honest = chunks.run
    seen = []

    def fails_the_second(batch, settings, *, halted):
        found = honest(batch, settings, halted=halted)
        seen.append(len(batch))
        if len(seen) == 2:
            found.status[1] = Status.MAX_STEPS
            found.reduced[1] = np.nan
        return found

    monkeypatch.setattr(chunks, "run", fails_the_second)
    asked = ["effect(body.s.auc)", "body.s.peak"]
    found = sweep(WARD, VARY, summaries=asked, engine="reference")
    assert seen == [6, 3]
    failed = [0, 0, Status.MAX_STEPS, Status.MAX_STEPS, 0, 0]
    assert found["status"].to_numpy().tolist() == failed
    for name in asked:
        np.testing.assert_array_equal(np.isnan(found[name]), np.array(failed) > 0)


def test_a_parameter_is_the_members_own():
    found = sweep(
        WARD,
        {"body.k_el": "0.01, 0.02 1/min", "subject.weight": "60 kg"},
        summaries=["k = parameter(body.k_el)"],
        engine="reference",
    )
    np.testing.assert_allclose(found["k"], [0.6, 1.2])
    assert found["k"].attrs["units"] == "1/h"


@pytest.mark.parametrize("engine", ["reference", "ensemble"])
def test_a_step_limit_is_a_row_with_its_name(engine):
    found = sweep(WARD, VARY, summaries=["body.s.peak"], engine=engine, limits=Limits(steps=3))
    assert (found["status"] == Status.MAX_STEPS).all()
    assert np.isnan(found["body.s.peak"]).all()


@pytest.mark.parametrize(
    ("said", "asked", "ran"),
    [("reference", None, "reference"), ("reference", "ensemble", "ensemble"),
     (None, None, "ensemble")],
)  # fmt: skip
def test_a_setups_own_engine_is_used_from_python_too(monkeypatch, said, asked, ran):
    from ketasim.verbs import sweep as verbs

    seen = {}
    monkeypatch.setattr(verbs.Order, "carry_out", lambda order, **_: seen.update(order.how))
    setup = replace(loads('schema = 1\n[output]\nuntil = "2 h"\n'), engine=said)
    verbs.sweep(setup, {"nmda.k_s": "0.3 uM"}, engine=asked, summaries=["spines.peak"])
    assert seen["engine"] == ran


@pytest.mark.parametrize(
    "label",
    [
        "body.k_el", "dosing[0].amount", "status", "steps", "rtol", "member", "time",
        "receptor.bound", "ketasim", "claims", "quarantine", "zarr.json", "ketasim.json",
    ],
)  # fmt: skip
def test_a_label_never_takes_another_ones_place(label, tmp_path):
    store = tmp_path / "s.zarr"
    with pytest.raises(ConfigError, match=r"is the name of something else|cannot name a read-out"):
        sweep(
            WARD,
            VARY,
            summaries=[f"{label} = body.s.peak"],
            record=["receptor.bound"],
            store=store,
            engine="reference",
        )
    assert not store.exists()


def test_two_summaries_of_one_name_are_refused():
    with pytest.raises(ConfigError, match='two read-outs are called "x"'):
        sweep(WARD, VARY, summaries=["x = body.s.peak, x = body.r.peak"], engine="reference")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("receptor.bound.at(99 h)", "lies outside the run, which goes from 0 s to 14 h"),
        ("receptor.bound.peek", 'Did you mean "peak"'),
        ("receptor.bond.peak", 'Did you mean "receptor.bound"'),
        ("receptor.bound.at(24)", "a unit is needed"),
        ("given(ket)", "there are no arms here"),
        ("3 + 4", "no name of a time course"),
    ],
)
def test_faulty_summaries_are_refused_before_anything_runs(text, told):
    with pytest.raises(KetasimError, match=told) as caught:
        sweep(WARD, VARY, summaries=[text], engine="reference")
    assert str(caught.value).startswith("summary: ")


def test_short_names_are_understood_in_python_too():
    scenario = loads('schema = 1\n[output]\nuntil = "2 h"\n').scenario
    job = prepare(
        scenario,
        {"nmda.k_s": "0.3 uM"},
        summaries=["spines.peak, fold = spines@1h / spines.density@0h"],
        record=["glutamate", "glutamate.extracellular"],
        settings=Settings(),
    )
    assert [one.label for one in job.readouts] == ["spines.peak", "fold"]
    assert {name for one in job.readouts for name in one.names} == {"spines.density"}
    assert job.record == ("glutamate.relative", "glutamate.extracellular")


def peak_memory(every):
    """Return the most bytes that a chunk of summaries takes with so fine a grid.

    What the garbage collector has not yet met is no need of the chunk: the least of several.
    """
    ward = replace(WARD, times=hours(0, 14, every=every))
    columns = Columns(ward, designs.grid({"body.k_el": "linspace(0.1, 1, 20) 1/h"}))
    job = prepare(ward, columns.design, summaries=[ASKED], settings=Settings(engine="reference"))
    work = job.work(lambda: False)
    rows = columns.design.rows(0, 20)
    work.compute(rows)
    peaks = []
    for _ in range(3):
        gc.collect()
        tracemalloc.start()
        work.compute(rows)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return min(peaks)


def test_memory_does_not_grow_with_the_grid_when_nothing_is_recorded():
    coarse, fine = peak_memory(7.0), peak_memory(14 / 100_000)
    assert fine < coarse + 500_000  # a single course of a single member takes 800,000 bytes


def test_the_members_of_a_chunk_do_not_depend_on_the_grid_when_nothing_is_recorded():
    def chunk(every, **keep):
        ward = replace(WARD, times=hours(0, 14, every=every))
        return prepare(ward, "random:100000", settings=Settings(), **keep).chunk

    assert chunk(0.001, summaries=[ASKED]) == chunk(7.0, summaries=[ASKED]) == 4096
    assert chunk(0.001, record=["body.plasma"]) < chunk(7.0, record=["body.plasma"])
