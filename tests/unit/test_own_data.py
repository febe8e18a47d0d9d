"""Is a CSV of one's own read as it was meant, and every fault of it named?"""

import re
from math import isnan, log, log1p, sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketasim.config import packaged
from ketasim.config.findings import load_data
from ketasim.errors import ConfigError
from ketasim.models.antidepressant import antidepressant
from ketasim.studies.fit import data as tables
from ketasim.studies.fit.likelihood import problem

MODEL = antidepressant()
HEAD = "time [h],readout,value,error,unit,arm,assay\n"


@pytest.fixture
def read(tmp_path):
    """Return a reader of text as a file."""

    def reader(text):
        path = tmp_path / "own.csv"
        path.write_text(text, encoding="utf-8")
        return load_data(path)

    return reader


@pytest.mark.parametrize("name", sorted(p.stem for p in (packaged.folder() / "data").glob("*.csv")))
def test_what_comes_with_the_package_has_no_fault(name):
    data = load_data(name)
    assert len(data.points) >= 5
    assert data.digest
    text = (packaged.folder() / "data" / f"{name}.csv").read_text(encoding="utf-8")
    assert "doi:" in text or "evidence" in text.partition("\n")[0]


def test_values_come_in_the_unit_of_their_read_out(read):
    data = read(HEAD + "0.5,pk_s.plasma,500,50,nM,rat_10,\n")
    (point,) = data.points
    assert (point.time, point.readout.unit) == (0.5, "uM")
    assert point.value == pytest.approx(0.5)
    assert point.error == pytest.approx(0.05)
    assert point.curve == "pk_s.plasma"


def test_the_unit_may_stand_in_the_header_and_time_in_any_unit(read):
    data = read("time [min],readout,value [nM],error,arm\n30,pk_s.plasma,500,50,rat_10\n")
    assert data.points[0].time == pytest.approx(0.5)
    assert data.points[0].value == pytest.approx(0.5)


def test_a_formula_is_read_at_the_time_of_its_row(read):
    data = read(HEAD + "24,spines.density@t / spines.density.start,1.2,0.1,1,rat_10,\n"
                       ",spines.density.peak,2,0.1,1,rat_10,\n")  # fmt: skip
    assert data.points[0].readout.moments == (24.0,)
    assert data.points[0].curve == ""
    assert isnan(data.points[1].time)


def test_errors_come_from_sd_and_n_from_a_share_or_from_the_assay(read):
    data = read(
        "# assay blot: error = 20 %\n"
        "time [h],readout,value,error,sd,n,unit,arm,assay\n"
        "1,spines.density,2,,0.6,9,1,rat_10,\n"
        "1,spines.density,2,10 %,,,1,rat_10,\n"
        "1,spines.density,2,,,,1,rat_10,blot\n"
    )
    assert [p.error for p in data.points] == pytest.approx([0.2, 0.2, 0.4])


def test_below_detection_and_beyond(read):
    data = read(HEAD + "1,spines.density,<2,0.1,1,rat_10,\n1,spines.density,> 3,0.1,1,rat_10,\n")
    assert [(p.value, p.censored) for p in data.points] == [(2.0, -1), (3.0, 1)]


def test_an_arm_is_a_configuration_with_changes(read):
    data = read("# arm low = rat_10; dosing[0].amount=3 mg/kg; spines.k_prune=0.002 1/h\n" + HEAD
                + "1,spines.density,2,0.1,1,low,\n")  # fmt: skip
    arm = data.arms["low"]
    assert arm.treated.doses[0].amount == 3.0
    assert arm.values == {"spines.k_prune": "0.002 1/h"}
    assert not arm.control.doses


def test_what_an_arm_sets_is_not_fitted_there(read):
    data = read("# arm low = rat_10; pk_s.clearance_70=90 L/h\n" + HEAD
                + "1,pk_s.plasma,2,0.1,uM,low,\n1,pk_s.plasma,2,0.1,uM,rat_10,\n")  # fmt: skip
    asked = problem(MODEL, ["pk_s.clearance_70"], data=[data])
    low, high = asked.bounds
    slopes, _ = asked.slopes((low + high)[None, :] / 2.0)
    by_arm = dict(zip((p.arm for p in asked.observations), slopes[0, :, 0], strict=True))
    assert by_arm["low"] == 0.0
    assert abs(by_arm["rat_10"]) > 0.01


def test_a_scaled_assay_needs_no_unit_and_is_free_only_where_it_must_be(read):
    data = read("# assay blot: scale\n# assay low: scale\n# assay logs: log-normal, offset\n" + HEAD
                + "1,bdnf.free,182,14,% of vehicle,rat_10,blot\n"
                + "1,bdnf.free,<182,14,% of vehicle,rat_10,low\n"
                + "1,bdnf.free,1.2,0.1,1,rat_10,logs\n")  # fmt: skip
    assert data.points[0].value == 182.0
    assert [data.assays[n].free for n in ("blot", "low", "logs")] == [False, True, True]


def test_a_log_normal_error_is_that_of_the_logarithm(read):
    data = read("# assay a: log-normal\n" + HEAD + "1,spines.density,2,0.5,1,rat_10,a\n")
    asked = problem(MODEL, ["spines.k_prune"], data=[data])
    found = asked.at(asked.guess[None, :])
    predicted = found.values[0, 0]
    expected = log(predicted / 2.0) / sqrt(log1p(0.25**2))
    assert found.residuals[0, 0] == pytest.approx(expected)


FAULTS = [
    ("x,spines.density,2,0.1,1,rat_10,", 'time = "x": a number is needed'),
    ("-1,spines.density,2,0.1,1,rat_10,", "must be 0 or later"),
    (",spines.density,2,0.1,1,rat_10,", "the row has none"),
    ("1,spines.density.peak,2,0.1,1,rat_10,", "write @t where it belongs"),
    ("1,spines.densty,2,0.1,1,rat_10,", 'Did you mean "spines.density"?'),
    ("1,,2,0.1,1,rat_10,", "no read-out"),
    ("1,spines.density,,0.1,1,rat_10,", 'or "<5" where it was below detection'),
    ("1,spines.density,nan,0.1,1,rat_10,", "a finite number is needed"),
    ("1,spines.density,2,0,1,rat_10,", "error = 0: must be > 0"),
    ("1,spines.density,2,,1,rat_10,", 'error = 15 %" for all of it'),
    ("1,spines.density,2,5 per cent,1,rat_10,", "a number is needed"),
    ("1,spines.density,2,0.1,uM,rat_10,", "is a concentration"),
    ("1,pk_s.plasma,2,0.1,,rat_10,", "no unit"),
    ("1,pk_s.plasma,2,0.1,uMM,rat_10,", 'unknown unit "uMM"'),
    ("1,spines.density,2,0.1,1,rat_1O,", "rat_1O: no such file"),
    ("1,spines.density,2,0.1,1,,", "no arm"),
    ("1,spines.density,2,1,0.1,1,rat_10,", "8 cells where the header has 7. Write 0.5, not 0,5"),
    ("1,spines.density,2,0.1,1,rat_10", "6 cells"),
]


@pytest.mark.parametrize(("row", "told"), FAULTS)
def test_a_fault_is_named_with_its_line_and_what_to_type(read, row, told):
    with pytest.raises(ConfigError) as error:
        read(HEAD + "1,spines.density,2,0.1,1,rat_10,\n" + row + "\n")
    first, last = str(error.value).splitlines()[0], str(error.value).splitlines()[-1]
    assert first.startswith("own.csv line 3: ")
    assert told in str(error.value)
    assert last.endswith("in own.csv.")


def test_all_faults_are_named_at_once_also_several_of_a_row(read):
    rows = "\n".join(row for row, _ in FAULTS)
    with pytest.raises(ConfigError) as error:
        read(HEAD + rows + "\nx,spines.densty,y,-1,1,rat_10,\n")
    text = str(error.value)
    for line in range(2, len(FAULTS) + 2):
        assert f"own.csv line {line}: " in text
    assert text.count(f"own.csv line {len(FAULTS) + 2}: ") == 4


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no table"),
        (HEAD, "a header and no row"),
        ("time,readout,value,error,arm\n1,a,1,1,b\n", '"time [h]" or "time [min]"'),
        ("time [h],read,value,error,arm\n1,a,1,1,b\n", 'no column "readout". Did you mean "read"?'),
        ("time [h];readout;value;error;arm\n", "save with commas"),
        ("time [h],readout,value,value,arm\n1,a,1,1,b\n", '"value" is there twice'),
        ("# arm x\n" + HEAD, 'write "# arm NAME = CONFIG"'),
        ("# assay x: log-norml\n" + HEAD, 'Did you mean "log-normal"?'),
        ("# assay x: error = 15\n" + HEAD, 'write a share, as "15 %"'),
    ],
)
def test_a_fault_of_the_header_is_named(read, text, told):
    with pytest.raises(ConfigError, match=r"in own\.csv") as error:
        read(text)
    assert told in str(error.value)


def test_an_assay_that_no_row_names_is_a_fault(read):
    with pytest.raises(ConfigError, match='assay "blot": no row names it'):
        read("# assay blot: scale\n" + HEAD + "1,spines.density,2,0.1,1,rat_10,\n")


@pytest.mark.parametrize("name", ["nothing.csv", "plasmaa"])
def test_a_file_that_is_not_there(name):
    with pytest.raises(ConfigError, match="With the package come: mice, mood, pk_pub"):
        load_data(name)


@given(st.text(alphabet='0123456789.,;-<>%#@t[]()="\n abehlmnorstuy/_', max_size=300))
def test_whatever_the_text_there_are_faults_or_points(text):
    sheet = tables.read(HEAD + text, "own.csv")
    try:
        told = str(tables.bound(sheet, {}, MODEL).points)
    except ConfigError as error:
        told = str(error)
    assert told == "()" or "line" in told


def test_the_example_on_the_page_is_one_that_works(read):
    page = (Path(__file__).parents[2] / "docs" / "fitting.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```csv\n(.*?)```", page, re.DOTALL)
    data = read(example + "24,effect(spines.density@t),1,1,1,low,\n")
    assert len(data.points) == 7
    found = problem(MODEL, ["spines.k_prune"], data=[data]).at(np.log([[0.002]]))
    assert np.isfinite(found.residuals).all()


def test_every_word_and_column_is_on_the_page():
    page = (Path(__file__).parents[2] / "docs" / "fitting.md").read_text(encoding="utf-8")
    for word in (*tables.KNOWN, *(w for w in tables.WORDS if w != "lognormal")):
        assert f"`{word}" in page, word
