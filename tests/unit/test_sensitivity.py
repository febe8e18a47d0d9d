"""Sensitivity of runs: designs, failed members, stores, words, files and pictures."""

import json
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import ketasim as ks
from ketasim.errors import ConfigError, KetasimError, MissingValues
from ketasim.models import antidepressant
from ketasim.plots.words import factor
from ketasim.results.failures import failed
from ketasim.studies import designs, indices
from ketasim.studies.indices import Asked
from ketasim.studies.sensitivity import Reading, analyse, blocks_of, screened
from ketasim.verbs.evidence import Sensitivity
from memory import PEAK, TOLD

MODEL = antidepressant()
NAMES = ("nmda.k_s", "nmda.k_r", "spines.k_prune")
FLAGS = {"flag_values": [-1, 0, 1, 2, 4], "flag_meanings": "not_run ok retried max_steps nonfinite"}
DAY = ["output.until=1 d"]
READ = ["spines@24h", "nmda_block.peak"]
EIGHT = {"vary": NAMES, "seed": 3}


def smooth(x):
    """Depend on all of three inputs, on the first most."""
    z = np.log(x)
    return z[:, 0] + 0.5 * z[:, 1] * z[:, 2] + 0.2 * z[:, 2]


def ran(design, *, lost=(), without=()):
    """Return a sweep of a design, some members failed and some without a number."""
    x = design.rows(0, len(design))
    y, status = smooth(x), np.zeros(len(x), np.int8)
    status[list(lost)] = 2
    y[[*lost, *without]] = np.nan
    given = {name: ("member", x[:, k], {"units": "1"}) for k, name in enumerate(design.names)}
    data = {"y": ("member", y, {"units": "uM"}), "z": ("member", 0 * x[:, 0] + 3.0)}
    return xr.Dataset({**data, "status": ("member", status, FLAGS)}, given)


def made(kind, n=64, **more):
    """Return a design of some blocks."""
    return getattr(designs, kind)(MODEL, n, **EIGHT, **more)


def changed(design):
    """Return which factors differ from one member of a block to the next, by block."""
    source = blocks_of(design)
    x = design.rows(0, len(design)).reshape(source.blocks, source.width, -1)
    return x, x[:, 1:] != x[:, :-1]


@pytest.mark.parametrize("kind", ["saltelli", "walks", "morris"])
def test_a_member_depends_on_its_index_only(kind):
    design = made(kind)
    whole = design.rows(0, len(design))
    for start, stop in ((0, 1), (7, 9), (100, 131), (len(design) - 1, len(design))):
        np.testing.assert_array_equal(made(kind).rows(start, stop), whole[start:stop])
    other = getattr(designs, kind)(MODEL, 64, vary=NAMES, seed=4)
    assert not np.array_equal(other.rows(0, 50), whole[:50])


def test_saltelli_takes_one_factor_after_another_from_b():
    x, _ = changed(made("saltelli"))
    for k in range(3):
        expected = np.where(np.arange(3) == k, x[:, -1], x[:, 0])
        np.testing.assert_array_equal(x[:, 1 + k], expected)
    assert (x[:, 0] != x[:, -1]).all()


@pytest.mark.parametrize("kind", ["walks", "morris"])
def test_a_step_of_a_walk_changes_one_factor_and_every_factor_once(kind):
    design = made(kind)
    _, steps = changed(design)
    assert (steps.sum(axis=2) == 1).all()
    assert (steps.sum(axis=1) == 1).all()
    np.testing.assert_array_equal(steps.argmax(axis=2), blocks_of(design).orders(0, 64))
    assert len({tuple(order) for order in steps.argmax(axis=2).tolist()}) == 6


def test_morris_stands_on_its_grid_from_end_to_end():
    design = made("morris", levels=6)
    places = blocks_of(design).places(0, 64)
    assert np.unique(np.round(places, 12)).tolist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    low, high = design.limits[0]
    x = design.rows(0, len(design))[:, 0]
    assert (x.min(), x.max()) == pytest.approx((low, high))
    endless = designs.morris(MODEL, 50, vary={"nmda.k_s": "lognormal(0.4, 1.5) uM"})
    assert np.isfinite(endless.rows(0, 100)).all()
    assert endless.rows(0, 100).min() == pytest.approx(endless.reach[0][0])


def test_what_shares_its_draws_changes_together_under_one_name():
    scenario = ks.config.load("human_healthy_iv").scenario
    design = designs.saltelli(scenario, 16, vary=["subject", "nmda.k_s"])
    source = blocks_of(design)
    assert source.names == ("subject.weight", "subject.clearance", "subject.volume", "nmda.k_s")
    x, _ = changed(design)
    of = [design.names.index(f"pk_{one}.clearance_70") for one in "sr"]
    np.testing.assert_array_equal((x[:, 2] != x[:, 0]).sum(axis=1), 2)
    assert (x[:, 2][:, of] != x[:, 0][:, of]).all()


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        ({"a": ["nmda.k_s"], "b": "nmda.k_s"}, "nmda.k_s is in two groups, a and b"),
        ({"a": ["nmda.k_x"]}, 'group a: "nmda.k_x" is nothing that is varied'),
        ("mechanism", 'write "mechanisms"'),
    ],
)
def test_groups_that_cannot_be_are_refused(groups, told):
    with pytest.raises(ConfigError, match=told):
        made("saltelli", groups=groups)


def test_a_group_cannot_divide_what_moves_together():
    scenario = ks.config.load("human_healthy_iv").scenario
    with pytest.raises(ConfigError, match="move together; put them into one group"):
        designs.walks(scenario, 4, vary="subject", groups={"s": ["pk_s"]})


@pytest.mark.parametrize("levels", [0, 3, -2])
def test_a_grid_has_an_even_number_of_levels(levels):
    with pytest.raises(ConfigError, match=f"levels = {levels}"):
        made("morris", levels=levels)


@pytest.mark.parametrize("kind", ["saltelli", "walks", "morris", "latin_hypercube"])
def test_a_failed_member_is_refused_with_where_and_what_to_do(kind):
    design = made(kind)
    slow = np.argsort(design.rows(0, len(design))[:, 0])[:2]
    with pytest.raises(MissingValues) as caught:
        analyse(ran(design, lost=slow), design)
    said = str(caught.value)
    assert f"{len(slow)} of {len(design):,} members failed (max_steps {len(slow)})" in said
    assert "ketasim failures STORE" in said
    assert "--failed drop" in said
    assert "of y:" in said


def test_the_region_of_failures_is_told():
    design = made("saltelli", 256)
    x = design.rows(0, len(design))[:, 0]
    low = np.flatnonzero(x < np.quantile(x, 0.05))
    with pytest.raises(MissingValues, match=r"all with nmda\.k_s <= 0\.\d+"):
        analyse(ran(design, lost=low), design)


def test_a_member_without_a_number_is_refused_though_it_ran():
    design = made("saltelli")
    with pytest.raises(MissingValues, match="1 of 320 members ran but have no such number in 1 of"):
        analyse(ran(design, without=[7]), design)


def test_what_was_not_run_is_refused_whatever_the_rule():
    design = made("saltelli")
    runs = ran(design)
    runs["status"][10:] = -1
    with pytest.raises(MissingValues, match="310 members have not been run"):
        analyse(runs, design, asked=Asked("drop"))


@pytest.mark.parametrize("kind", ["saltelli", "walks", "morris"])
def test_dropping_leaves_whole_blocks_out_and_nothing_else(kind):
    design = made(kind)
    width = blocks_of(design).width
    lost = [0, width + 1, width + 2]  # two blocks
    runs = ran(design, lost=lost)
    found = analyse(runs, design, ["y"], asked=Asked("drop"))
    assert int(found["used"][0]) == 62
    assert found.attrs["failed_members"] == 3
    clean = analyse(ran(design), design, ["y"])
    y = ran(design)["y"].to_numpy().reshape(64, width)[2:]
    orders = blocks_of(design).orders(2, 64)
    if kind == "saltelli":
        by_hand = indices.Sobol(62, 3, centre=y.mean())
        by_hand.add(y)
    elif kind == "walks":
        by_hand = indices.Shapley(62, 3)
        by_hand.add(y, orders)
    else:
        by_hand = indices.Morris(blocks_of(design).step)
        by_hand.add(y, orders, blocks_of(design).ups(2, 64))
    for key, index in by_hand.found().items():
        np.testing.assert_allclose(found[key][0], index.value, rtol=1e-10)
        np.testing.assert_allclose(found[f"{key}_high"][0], index.high, rtol=1e-10)
        assert not np.allclose(found[key][0], clean[key][0], rtol=1e-10)


def test_dropped_members_are_not_given_to_salib():
    design = made("saltelli")
    runs = ran(design, lost=[0, 6])
    found = Sensitivity(analyse(runs, design, ["y"], asked=Asked("drop")), runs, design)
    given = found.to_salib("y")
    assert given["sample"].shape == (62 * 5, 3)
    assert np.isfinite(given["outputs"]).all()
    assert given["problem"]["names"] == list(NAMES)
    x = design.rows(0, len(design))[10:]
    for k in range(3):
        low, high = design.limits[k]
        at = low * (high / low) ** given["sample"][:, k]
        np.testing.assert_allclose(x[:, k], at, rtol=1e-10)
    assert "2 of 64 blocks dropped" in found.text


def test_too_little_left_is_refused():
    design = made("saltelli")
    with pytest.raises(MissingValues, match="Too little is left"):
        analyse(ran(design, lost=range(0, 320, 5)), design, asked=Asked("drop"))


@pytest.mark.parametrize("kind", ["saltelli", "walks", "morris", "latin_hypercube"])
def test_what_does_not_vary_has_no_indices_rather_than_nought(kind):
    design = made(kind)
    found = analyse(ran(design), design, ["z"])
    for key in (str(k) for k in found.data_vars if f"{k}_low" in found):
        assert np.isnan(found[key]).all()
    runs = ran(design)
    assert "It does not vary" in Sensitivity(found, runs, design).text


def test_stretches_of_any_length_give_the_same(monkeypatch):
    design = made("saltelli")
    whole = analyse(ran(design), design)
    monkeypatch.setattr("ketasim.studies.sensitivity.STRETCH", 40)
    parts = analyse(ran(design), design)
    reading = Reading(ran(design), ("y",), blocks_of(design))
    assert len(list(reading.stretches())) == 8
    for key in ("S1", "ST", "mean", "sd"):
        np.testing.assert_allclose(parts[key], whole[key], rtol=1e-10)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"failed": "ignore"}, 'failed = "ignore": no such rule'),
        ({"level": 1.0}, "must lie between 0 and 1"),
        ({"resamples": 2}, "between 10 and 100,000"),
    ],
)
def test_impossible_wishes_are_refused(given, told):
    with pytest.raises(ConfigError, match=told):
        Asked(**given)


def test_designs_and_readouts_that_give_no_indices_are_refused():
    grid = designs.grid({"nmda.k_s": ["0.1 uM", "0.2 uM"]})
    with pytest.raises(ConfigError, match="a grid gives no sensitivity indices"):
        analyse(xr.Dataset(), grid)
    design = made("saltelli")
    with pytest.raises(ConfigError, match=r'"yy": no such read-out in this sweep\.'):
        analyse(ran(design), design, ["yy"])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"method": "soboll"}, 'no such method. Did you mean "sobol"'),
        ({"method": "morris", "groups": "mechanisms"}, "one at a time"),
        ({"method": "morris", "sample": "sobol:64"}, "write random:64"),
        ({"sample": "sobol"}, "write the number of members"),
        ({"vary": "nmda.k_x"}, "k_x"),
    ],
)
def test_questions_that_cannot_be_asked_are_refused(given, told):
    with pytest.raises(KetasimError, match=told) as caught:
        ks.sensitivity("human_healthy_iv", READ, sets=DAY, **given)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("method", "sample", "key"),
    [
        ("sobol", "sobol:16", "ST"),
        ("morris", "random:6", "mu_star"),
        ("shapley", "sobol:32", "Sh"),
        ("prcc", "lhs:60", "PRCC"),
    ],
)
def test_every_method_is_written_drawn_and_told(tmp_path, method, sample, key):
    found = ks.sensitivity(
        "human_healthy_iv", READ, method=method, sample=sample, vary=NAMES, sets=DAY, threads=1
    )
    assert set(found.runs.coords) == {"member"}  # the design is not held in memory
    files = found.save(tmp_path / method, formats=["pdf"])
    names = ["tornado.png", "tornado.pdf", "heatmap.png", "heatmap.pdf", "indices.csv"]
    assert [one.name for one in files] == [*names, "indices.json"]
    kept = json.loads(files[-1].read_text())
    rows = [one for one in kept["indices"] if one["index"] == key]
    assert [one["readout"] for one in rows[:: len(rows) // 2]] == READ
    value = found.indices[key].sel(readout=rows[0]["readout"], factor=rows[0]["factor"])
    assert rows[0]["value"] == float(value)
    assert kept["method"] == method
    text = repr(found)
    assert "spines@24h: mean" in text
    assert key in text
    # the drug's affinity moves its own block; pruning of spines does not
    block = abs(found.indices[key].sel(readout="nmda_block.peak"))
    ends = ("nmda.k_s", "spines.k_prune") if method != "shapley" else ("nmda", "spines")
    assert str(block.idxmax("factor").item()) == ends[0]
    # Morris' means are in the read-out's own unit, the others in shares.
    unit = float(found.runs["nmda_block.peak"].mean()) if method == "morris" else 1.0
    assert float(block.sel(factor=ends[0])) > 0.05 * unit
    other = found.indices.sel(readout="nmda_block.peak", factor=ends[1])
    assert float(other[f"{key}_low"]) - 1e-9 <= 0.0 <= float(other[f"{key}_high"]) + 1e-9


def test_a_store_is_resumed_and_read_again_without_a_run(tmp_path):
    store = tmp_path / "runs.zarr"
    asked = {"vary": NAMES, "sets": DAY, "sample": "sobol:16", "threads": 1}
    whole = ks.sensitivity("human_healthy_iv", READ, **asked)
    stopped = ks.sensitivity("human_healthy_iv", READ, store=store, **asked)
    for key in ("S1", "ST", "ST_low"):
        np.testing.assert_array_equal(stopped.indices[key], whole.indices[key])
    chunk = store / "status" / "c" / "0"
    chunk.unlink()  # as if it had been killed before it was done
    with pytest.raises(MissingValues, match="have not been run"):
        ks.sensitivity(store)
    assert len(failed(ks.resume(store, threads=1))) == 0
    again = ks.sensitivity(store, "spines@24h", resamples=50)
    np.testing.assert_array_equal(again.indices["ST"][0], whole.indices["ST"][0])
    np.testing.assert_array_equal(
        again.to_salib("spines@24h")["sample"], whole.to_salib("spines@24h")["sample"]
    )


def test_a_tornado_shows_what_matters_most_first():
    design = made("saltelli", 512)
    runs = ran(design)
    found = Sensitivity(analyse(runs, design), runs, design)
    first, second = found.figure.axes
    labels = [one.get_text() for one in first.get_yticklabels()]
    total = found.indices["ST"].sel(readout="y")
    ranked = [str(total["factor"].to_numpy()[i]) for i in np.argsort(-total.to_numpy())]
    assert [" ".join(one.split()) for one in labels] == [factor(one) for one in ranked]
    widths = sorted((bar.get_width() for bar in first.patches), reverse=True)
    assert widths[0] == pytest.approx(float(total.max()))
    assert "does not vary" in [text.get_text() for text in second.texts]
    axes = found.heat_map.axes[0]
    assert axes.yaxis_inverted()  # the first factor is on top
    shown = axes.collections[0].get_array()
    assert shown[0, 0] == pytest.approx(float(total.max()))
    assert shown.mask[:, 1].all()


def test_noise_of_the_solver_is_named():
    design = made("saltelli")
    runs = ran(design).assign_attrs(rtol=1e-6)
    runs["y"] = runs["y"] * 1e-9 + 1.0
    text = Sensitivity(analyse(runs, design, ["y"]), runs, design).text
    assert "little more than the solver's tolerance" in text


def test_an_own_design_gives_indices_too():
    design = replace(made("latin_hypercube", 200))
    found = analyse(ran(design), design, ["y"])
    assert float(found["PRCC"].sel(factor="nmda.k_s")[0]) > 0.5


def test_gradients_of_a_draw_are_told_and_drawn_as_indices_are():
    names = ["x.a", "x.b", "x.c"]
    vary = dict.fromkeys(names, "uniform(0, 2)") | {"x.b": "normal(1, 0.5)"}
    design = designs.sobol(MODEL, 2048, vary=vary, seed=1)
    x = design.rows(0, 2048)
    outputs = np.stack([x @ [3.0, 1.0, 0.0], x[:, 2] ** 2], axis=1)
    gradients = np.zeros((2048, 2, 3))
    gradients[:, 0] = [3.0, 1.0, 0.0]
    gradients[:, 1, 2] = 2 * x[:, 2]
    found = screened(design, gradients, outputs, {"line": "uM", "square": "1"})
    total = np.array([9 / 3, 0.25, 0.0]) / (9 / 3 + 0.25)
    np.testing.assert_allclose(found["bound"][0], total * [12 / np.pi**2, 1, 1], rtol=0.01)
    assert float(found["bound"][1, 2]) > 1.0
    runs = xr.Dataset()
    told = Sensitivity(found, runs, design)
    head = "Bounds on total indices of 2 read-outs by 3 factors: 2,048 runs, none failed."
    assert told.text.startswith(head)
    assert len(told.figure.axes) == 2
    gradients[5, 0, 0] = np.nan
    with pytest.raises(MissingValues, match="1 of 2,048 members have no gradient"):
        screened(design, gradients, outputs, {"line": "uM", "square": "1"})
    with pytest.raises(ConfigError, match="a saltelli does not draw members independently"):
        screened(made("saltelli"), gradients, outputs, {"line": "uM", "square": "1"})


COUNT = (
    PEAK
    + """
import sys, numpy as np, xarray as xr
from ketasim.models import antidepressant
from ketasim.studies import designs
from ketasim.studies.sensitivity import analyse
n = int(sys.argv[1])
design = designs.saltelli(antidepressant(), n, vary="uncertain")
y = np.random.default_rng(1).normal(size=len(design))
runs = xr.Dataset({f"y{i}": ("member", y) for i in range(8)})
runs["status"] = ("member", np.zeros(len(design), np.int8))
before = peak()
found = analyse(runs, design)
assert np.isfinite(found["ST_high"]).all()
print(len(design), (peak() - before) / 1024)
"""
)


@TOLD
def test_memory_does_not_grow_with_the_members():
    told = [
        subprocess.run(
            [sys.executable, "-c", COUNT, str(n)], capture_output=True, text=True, check=True
        ).stdout.split()
        for n in (512, 4096)
    ]
    members, grown = ([float(one[k]) for one in told] for k in (0, 1))
    assert members[1] == 8 * members[0] > 5e5
    assert grown[1] < grown[0] + 10.0  # MiB; a read-out of the longer one takes 5.5


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return what is said, CPU time [s] and memory [MiB] of eight read-outs by all parameters."""
    resource = pytest.importorskip("resource", reason="the system does not tell what was used")
    readouts = "spines@24h, spines.peak, score.change, glutamate.peak, bdnf.peak, mtor.peak, " \
               "ampa.peak, nmda_block.peak"  # fmt: skip
    words = ["sensitivity", "human_depressed_iv", "--vary", "everything", "--summary", readouts,
             "--sample", "sobol:4096", "--threads", "2",
             "-o", str(tmp_path_factory.mktemp("whole"))]  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "ketasim", *words], capture_output=True, text=True, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, processor, after.ru_maxrss / 1024


@pytest.mark.slow
def test_eight_readouts_by_all_parameters_take_600_megabytes(whole):
    said, _, memory = whole
    factors = int(re.search(r"8 read-outs by (\d+) factors", said)[1])
    assert factors >= len(antidepressant().parameters) - 10  # all but constants
    runs = f"{4096 * (factors + 2):,} runs in 4,096 blocks, none failed."
    assert f"8 read-outs by {factors} factors: {runs}" in said
    assert memory < 600.0


@pytest.mark.slow
def test_eight_readouts_by_all_parameters_take_two_minutes(whole):
    assert whole[1] < 2 * 120.0  # [s] on two cores, whoever else uses them
