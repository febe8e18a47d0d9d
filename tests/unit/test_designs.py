"""Designs: which values each member gets, known row by row."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import toy
from ketasim.errors import ConfigError, KetasimError, ModelError, UnitError
from ketasim.studies import designs
from ketasim.studies.designs import sequence
from ketasim.studies.designs.cube import slices, within
from ketasim.studies.designs.draw import HELD

MODEL = toy.model()
DRAWS = (designs.random, designs.sobol, designs.latin_hypercube)


def whole(design):
    return design.rows(0, len(design))


def test_a_grid_holds_every_combination_the_last_name_fastest():
    design = designs.grid({"body.k_el": ["1 1/h", "2 1/h"], "receptor.k_on": "1, 2, 3 1/uM/s"})
    expected = [[1, 1], [1, 2], [1, 3], [2, 1], [2, 2], [2, 3]]
    np.testing.assert_array_equal(whole(design), expected)
    assert design.units == ("1/h", "1/uM/s")
    assert design.limits == ((1, 2), (1, 3))


def test_axes_keep_their_ends_exactly():
    axis = designs.logspace("0.05 mg/kg", "5 mg/kg", 41)
    assert (axis.values[0], axis.values[-1], axis.unit) == (0.05, 5.0, "mg/kg")
    ratios = np.diff(np.log(axis.values))
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-12)
    assert designs.linspace("0 min", "1 h", 4).values == pytest.approx((0, 20, 40, 60))


@pytest.mark.parametrize(
    ("text", "values", "unit"),
    [
        ("logspace(1, 100, 3) mg/kg", (1, 10, 100), "mg/kg"),
        ("linspace(1 h, 120 min, 2)", (1, 2), "h"),
        ("1, 2, 5 mg/kg", (1, 2, 5), "mg/kg"),
        ("60 min, 2 h", (60, 120), "min"),
        ("0.5", (0.5,), "1"),
        ("[0.25, 0.5] mg/kg", (0.25, 0.5), "mg/kg"),
        ("[0.25 mg/kg, 0.5 mg/kg]", (0.25, 0.5), "mg/kg"),
        ("[1, 2, ] h", (1, 2), "h"),
    ],
)
def test_axes_are_read_from_text(text, values, unit):
    axis = designs.read_axis(text, "x")
    assert axis.values == pytest.approx(values)
    assert axis.unit == unit


@pytest.mark.parametrize(
    "text",
    ["", "logspace(0, 1, 3) h", "linspace(1, 2) h", "linspace(1, 2, 1) h", "a, b", "1 h, 2 mg",
     "logspace(1, 2, 99999999) h", "__import__('os')", "linspace(1, 2, 3) parsec", "nan h",
     "1e999 h"],
)  # fmt: skip
def test_faulty_axes_are_refused(text):
    with pytest.raises(KetasimError):
        designs.read_axis(text, "x")


@pytest.mark.parametrize("text", ["1:5:0.5 mg/kg", "1 : 5 mg/kg", "1:5:0.5"])
def test_a_span_with_colons_is_refused_with_what_to_write(text):
    with pytest.raises(
        ConfigError, match=r'write linspace\(first, last, count\) unit, e\.g\. "lin'
    ):
        designs.read_axis(text, "x")


@given(st.text(max_size=60))
def test_any_text_is_an_axis_or_a_sentence(text):
    try:
        axis = designs.read_axis(text, "x")
    except KetasimError:
        return
    assert np.isfinite(axis.values).all()


@pytest.mark.parametrize("draw", DRAWS)
def test_rows_do_not_depend_on_how_they_are_asked_for(draw):
    design = draw(MODEL, 3000, seed=4)
    everything = whole(design)
    pieces = np.concatenate([design.rows(a, min(a + 7, 3000)) for a in range(0, 3000, 7)])
    np.testing.assert_array_equal(everything, pieces)
    for i in (2999, 0, 1023, 1024, 17):
        np.testing.assert_array_equal(design.rows(i, i + 1)[0], everything[i])
        np.testing.assert_array_equal(whole(design.member(i))[0], everything[i])


@pytest.mark.parametrize("draw", [designs.random, designs.sobol])
def test_a_longer_design_begins_with_the_shorter_one(draw):
    np.testing.assert_array_equal(
        whole(draw(MODEL, 100, seed=1)), draw(MODEL, 2000, seed=1).rows(0, 100)
    )


@pytest.mark.parametrize("draw", DRAWS)
def test_seeds_decide(draw):
    first, again, other = (draw(MODEL, 64, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(whole(first), whole(again))
    assert (whole(first) != whole(other)).any()
    assert first.digest == again.digest != other.digest
    generator = draw(MODEL, 64, seed=np.random.default_rng(3))
    assert whole(generator).shape == (64, 4)


@pytest.mark.parametrize("draw", DRAWS)
def test_the_ledger_gives_the_bounds(draw):
    design = draw(MODEL, 512, seed=0)
    assert design.names == ("body.k_el", "body.volume", "receptor.k_on", "receptor.affinity")
    assert design.units == ("1/h", "mL", "1/uM/s", "nM")
    rows = whole(design)
    for column, name in zip(rows.T, design.names, strict=True):
        low, high = MODEL.parameters[name].bounds
        assert low <= column.min() < column.max() <= high
        logs = (np.log(column) - np.log(low)) / (np.log(high) - np.log(low))
        assert stats.kstest(logs, "uniform").pvalue > 1e-4


def test_a_latin_hypercube_has_one_point_in_each_slice():
    design = designs.latin_hypercube(
        MODEL, 50, vary={"body.k_el": designs.uniform("0 1/h", "1 1/h")}
    )
    assert sorted(np.floor(whole(design)[:, 0] * 50).astype(int)) == list(range(50))


def test_a_large_hypercube_has_one_point_in_each_slice_and_is_never_held():
    share = {"body.k_el": designs.uniform("0 1/h", "1 1/h")}
    assert designs.latin_hypercube(MODEL, HELD, vary=share).description["kind"] == "latin_hypercube"
    design = designs.latin_hypercube(MODEL, 10**9, vary=share)
    assert design.description["kind"] == "large_hypercube"
    assert np.array_equal(design.rows(10**8, 10**8 + 5)[2:], design.rows(10**8 + 2, 10**8 + 5))
    n = HELD + 1
    rows = designs.latin_hypercube(MODEL, n, vary=share).rows(0, n)
    assert np.array_equal(np.sort(np.floor(rows[:, 0] * n)), np.arange(n))


@pytest.mark.parametrize("n", [2, 3, 50, 1024, 1025, 70_001])
def test_slices_are_permuted_in_every_column(n):
    which = slices(7, n, 3)
    parts = [which(start, min(start + 999, n)) for start in range(0, n, 999)]
    found = np.concatenate(parts).astype(int)
    assert all(np.array_equal(np.sort(column), np.arange(n)) for column in found.T)
    if n > 1000:
        assert np.all(np.abs(np.corrcoef(found.T, np.arange(n)) - np.eye(4)) < 4 / np.sqrt(n))
        assert not np.array_equal(found, slices(8, n, 3)(0, n))
        steps = np.diff(found[:, 0])
        assert len(set(steps.tolist())) > n / 10  # neighbours have nothing in common


def test_points_are_anywhere_in_their_slices():
    which, shares = np.array([[0, 3]], dtype=np.uint64), np.array([[0.25, 1.0]])
    np.testing.assert_array_equal(within(which, shares, 4), [[0.0625, 1.0 - 2.0**-53]])


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [
        (designs.uniform("1 h", "3 h"), stats.uniform(1, 2)),
        (designs.loguniform("1 h", "100 h"), stats.loguniform(1, 100)),
        (designs.normal("70 kg", "10 kg"), stats.norm(70, 10)),
        (designs.lognormal("3 h", gsd=1.5), stats.lognorm(np.log(1.5), scale=3)),
        (designs.lognormal("3 h", cv=0.4), stats.lognorm(np.sqrt(np.log1p(0.16)), scale=3)),
        (designs.truncated(designs.normal("0 h", "1 h"), "-1 h", "2 h"), stats.truncnorm(-1, 2)),
    ],
)  # fmt: skip
def test_distributions_agree_with_scipy(distribution, expected):
    shares = np.linspace(0.001, 0.999, 500)
    np.testing.assert_allclose(distribution.at(shares), expected.ppf(shares), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda: designs.uniform("2 h", "1 h"),
        lambda: designs.loguniform("0 h", "1 h"),
        lambda: designs.normal("1 h", "0 h"),
        lambda: designs.lognormal("1 h"),
        lambda: designs.lognormal("1 h", gsd=0.9),
        lambda: designs.truncated(designs.uniform("0 h", "1 h"), "2 h", "3 h"),
        lambda: designs.uniform("nan h", "1 h"),
        lambda: designs.uniform("1 h", "2 mg"),
        lambda: designs.read_distribution("beta(1, 2) h", "x"),
        lambda: designs.read_distribution("uniform(1) h", "x"),
    ],
)
def test_impossible_distributions_are_refused(make):
    with pytest.raises(KetasimError):
        make()


def test_distributions_are_read_from_text():
    assert designs.read_distribution("loguniform(0.1, 1) uM", "x") == designs.loguniform(
        "0.1 uM", "1 uM"
    )
    cut = designs.read_distribution("normal(70, 10, 40, 120) kg", "x")
    assert cut == designs.truncated(designs.normal("70 kg", "10 kg"), "40 kg", "120 kg")
    assert designs.read_distribution("lognormal(3, 1.4) h", "x") == designs.lognormal(
        "3 h", gsd=1.4
    )


def test_unknown_parameters_and_empty_designs_are_refused():
    with pytest.raises(ModelError, match=r'Did you mean "body\.k_el"'):
        designs.sobol(MODEL, 8, vary=["body.k_ell"])
    with pytest.raises(ConfigError, match="nothing is varied"):
        designs.sobol(MODEL, 8, vary=[])
    with pytest.raises(ConfigError, match="nothing is varied"):
        designs.grid({})
    with pytest.raises(ConfigError, match="whole number"):
        designs.sobol(MODEL, 8, seed=-1)
    with pytest.raises(ConfigError, match="counted from 0"):
        designs.sobol(MODEL, 8).member(8)


CSV = "member,body.k_el [1/h],receptor.affinity [uM]\n0,0.1,0.5\n1,,1e-3\n"


@pytest.mark.parametrize(
    "raw",
    [
        CSV.encode(),
        b"\xef\xbb\xbf" + CSV.replace("\n", "\r\n").encode(),
        CSV.replace(",", ";").replace("0.1", "0,1").replace("0.5", "0,5").encode("cp1252"),
        CSV.replace(",", "\t").encode("utf-16"),
        (CSV + "\n ,, \n").encode(),
    ],
)
def test_tables_are_read_as_people_write_them(raw, tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(raw)
    design = designs.table(path)
    assert design.names == ("body.k_el", "receptor.affinity")
    assert design.units == ("1/h", "uM")
    np.testing.assert_array_equal(whole(design), [[0.1, 0.5], [np.nan, 1e-3]])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a [h]\n1\nx\n", 'row 3, column "a \\[h\\]": "x" is not a number'),
        ("a [h]\n1_000\n", "is not a number"),
        ("a [h],b [h]\n1\n", "1 cells where the header has 2"),
        ("a [h],a [h]\n1,2\n", "is there twice"),
        ("a [parsec]\n1\n", "unknown unit"),
        ("a [h]\n", "no rows"),
        (",".join(f"c{i} [h]" for i in range(6000)) + "\n", "at most 5,000"),
    ],
)
def test_faulty_tables_are_refused_by_row_and_column(text, told, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(KetasimError, match=told):
        designs.table(path)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_a_sentence(raw):
    with TemporaryDirectory() as folder:
        path = Path(folder, "t.csv")
        path.write_bytes(raw)
        with suppress(KetasimError):
            designs.table(path)


def test_frames_datasets_and_mappings_are_tables():
    values = np.array([0.1, 0.2])
    expected = whole(designs.table({"body.k_el [1/h]": values}))
    dataset = xr.Dataset(coords={"body.k_el": ("member", values, {"units": "1/h"})})
    dataset["status"] = ("member", np.zeros(2))
    np.testing.assert_array_equal(whole(designs.table(dataset)), expected)
    named = designs.table({"body.k_el": values}, units={"body.k_el": "1/h"})
    assert named.units == ("1/h",)
    assert named.digest == designs.table(dataset).digest
    with pytest.raises(ConfigError, match="differ in length"):
        designs.table({"a [h]": [1.0], "b [h]": [1.0, 2.0]})
    with pytest.raises(ConfigError, match="does not hold numbers"):
        designs.table({"a [h]": ["x"]})
    with pytest.raises(UnitError):
        designs.table({"a [furlong]": [1.0]})


def test_a_pandas_frame_is_a_table():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"body.k_el [1/h]": [0.1, 0.2]})
    np.testing.assert_array_equal(whole(designs.table(frame)), [[0.1], [0.2]])


@pytest.mark.parametrize(("seed", "width"), [(0, 1), (0, 5), (7, 147), (3, 400)])
def test_sobol_points_are_those_of_scipy_bit_for_bit(seed, width):
    from scipy.stats import qmc

    theirs = qmc.Sobol(width, rng=np.random.default_rng(seed)).random(2048)
    np.testing.assert_array_equal(sequence.points(seed, width, 0, 300), theirs[:300])
    np.testing.assert_array_equal(sequence.points(seed, width, 1024, 2048), theirs[1024:])
    np.testing.assert_array_equal(sequence._by_scipy(seed, width, 1024, 2048), theirs[1024:])


def test_without_directions_scipy_draws_itself(monkeypatch):
    sequence._scrambled.cache_clear()
    before = sequence.points(5, 3, 64, 128)
    sequence._scrambled.cache_clear()
    monkeypatch.setattr(sequence, "_FILE", "nowhere.npz")
    np.testing.assert_array_equal(sequence.points(5, 3, 64, 128), before)


def test_a_sobol_design_does_not_import_scipy_stats():
    code = (
        "import sys\n"
        "from ketasim.models import antidepressant; from ketasim.studies import designs\n"
        "designs.sobol(antidepressant(), 8).source.points(0, 8)\n"
        "print('scipy.stats' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
