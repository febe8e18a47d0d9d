"""Findings as files: old and new kinds load, and every refusal names the file and the key."""

import numpy as np
import pytest

from ketasim.config.findings import (
    candidates,
    load_checks,
    load_finding,
    load_findings,
    load_folder,
    reference_effect,
)
from ketasim.errors import ConfigError
from ketasim.studies.findings.observed import Curve, Direction, Interval, Number

CHECK = """\
schema = 1
number = 1
title = "A check of our own"
hard = true
rows = ["own"]
references = ["Own2026"]

[arms.ketamine]
subject = "mouse"
dosing = [{ amount = "10 mg/kg", route = "ip" }]

[[measure]]
name = "mood"
value = "effect(ketamine, outcome.mood.at(24 h)) * parameter(nmda.k_s) / parameter(nmda.k_s)"
unit = "1"
target = 0.1
tolerance = "30 %"

[[measure]]
name = "spines"
value = "ketamine.spines.density.peak"
unit = "%"
between = [0, 200]
"""
REPORT = """\
schema = 1
title = "A report of our own"
species = "mouse"
preparation = "our laboratory"
grade = "A"

[arms.ketamine]
dosing = [{ amount = "10 mg/kg", route = "ip" }]

[finding]
value = "effect(ketamine, outcome.mood.at(24 h)) * parameter(nmda.k_s) / parameter(nmda.k_s)"
observed = 0.1
error = 0.05
"""
CURVE = REPORT.replace(
    'value = "effect(ketamine, outcome.mood.at(24 h)) * parameter(nmda.k_s) / parameter(nmda.k_s)'
    '"\nobserved = 0.1\nerror = 0.05\n',
    'value = "effect(ketamine, outcome.mood.at(t))"\ntimes = ["2 h", "1 d"]\n'
    "values = [0.1, 0.2]\nerrors = [0.05, 0.1]\n",
)


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a file of findings and returns its path."""

    def written(text, name="ours.toml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return written


MISTAKES = {  # what is replaced, by what, and what the refusal must hold
    "unknown arm": ("effect(ketamine", "effect(ketamin", 'no arm "ketamin"'),
    "unknown name": ("outcome.mood", "outcome.mod", '"outcome.mod": no such state or quantity'),
    "unknown parameter": (
        "parameter(nmda.k_s)",
        "parameter(nmda.k_z)",
        '"nmda.k_z": no such param',
    ),
    "unknown reducer": ("mood.at(24 h)", "mood.att(24 h)", 'no reducer "att"'),
    "bad unit of time": ("at(24 h)", "at(24 kg)", '"kg" is a body weight'),
    "not a formula": (
        "effect(ketamine, outcome",
        "effect(ketamine outcome",
        "names no arm alone; write effect(ARM, ",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize(
    ("text", "key"),
    [(CHECK, "measure[0].value"), (REPORT, "finding.value")],
    ids=["check", "report"],
)
def test_a_mistake_in_a_formula_names_file_and_key(write, text, key, mistake):
    old, new, message = MISTAKES[mistake]
    path = write(text.replace(old, new, 1))
    for read in (lambda: load_finding(path), lambda: load_folder(path.parent)):
        with pytest.raises(ConfigError) as caught:
            read()
        said = str(caught.value)
        assert said.startswith(f"ours.toml: {key}")
        assert message in said


@pytest.mark.parametrize(
    ("text", "old", "new", "message"),
    [
        (CHECK, '"30 %"', '"30"', 'measure[0].tolerance = "30": write a number, or a share'),
        (CHECK, '"30 %"', '"-3 %"', 'measure[0].tolerance = "-3 %": write a number'),
        (CHECK, '"30 %"', "-3", "measure[0].tolerance = -3: must be at least 0."),
        (CHECK, 'unit = "%"', 'unit = "mgg"', "measure[1].unit"),
        (CHECK, "between = [0, 200]", "between = [200, 0]", "measure[1].between: write the lower"),
        (CHECK, "between = [0, 200]", "", "measure[1]: give one of target and tolerance"),
        (CHECK, "between = [0, 200]", "between = [0, 2]\nat_most = 3", "measure[1]: give one of"),
        (CHECK, "target = 0.1\n", "", "measure[0]: a tolerance needs a target."),
        (CHECK, "number = 1", "number = 0", "number = 0: must be greater than or equal to 1"),
        (CHECK, "number = 1\n", "", "number: a check needs one"),
        (CHECK, "[[measure]]", "[[measur]]", 'measur: unknown key. Did you mean "measure"?'),
        (CHECK, 'subject = "mouse"', 'subject = "mice"', 'arms.ketamine.subject.species = "mice"'),
        (CHECK, "10 mg/kg", "10 mg/L", "arms.ketamine.dosing[0].amount"),
        (
            CHECK,
            'subject = "mouse"',
            'subject = "mouse"\nparameters = { "nmda.k_z" = 1 }',
            "arms.ketamine.parameters: nmda.k_z: no such parameter",
        ),
        (REPORT, "error = 0.05\n", "", "finding: give error"),
        (REPORT, 'value = "eff', 'unit = "mgg"\nvalue = "eff', "finding.unit"),
        (REPORT, 'species = "mouse"\n', "", "species: this key is needed."),
        (CURVE, "errors = [0.05, 0.1]", "errors = [0.05]", "finding.errors: 2 times need as many"),
        (CURVE, "errors = [0.05, 0.1]", "errors = [0.05, 0]", "finding.errors: each must be"),
        (CURVE, '"2 h"', '"2 kg"', "finding.times[0]"),
        (CURVE, "at(t)", "at(2 h)", "finding.value: a curve is read at its times"),
        (CURVE, "values =", "error = 1\nvalues =", "finding.times: a curve has times"),
        (CURVE, 'times = ["2 h", "1 d"]\n', "", "finding.times: values and errors of a curve"),
    ],
)
def test_every_other_mistake_names_file_and_key(write, text, old, new, message):
    assert old in text
    path = write(text.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        load_checks(path.parent)
    assert str(caught.value).startswith(f"ours.toml: {message}")


def test_a_folder_of_checks_names_the_one_at_fault(write):
    write(CHECK, "a.toml")
    folder = write(CHECK.replace("outcome.mood", "outcome.mod"), "b.toml").parent
    with pytest.raises(ConfigError, match=r"^b\.toml: measure\[0\]\.value"):
        load_checks(folder)


def test_two_checks_of_one_number_are_refused(write):
    write(CHECK, "a.toml")
    folder = write(CHECK, "b.toml").parent
    with pytest.raises(ConfigError, match=r"^b\.toml: number = 1: a\.toml has it already\."):
        load_checks(folder)


def test_a_report_is_no_check(write):
    folder = write(REPORT.replace("grade", "number = 3\ngrade")).parent
    with pytest.raises(ConfigError, match=r"^ours\.toml: finding: give one of target and toler"):
        load_checks(folder)


def test_everything_that_comes_with_the_package_is_a_finding():
    checks, reports = load_checks(), load_findings()
    assert [one.number for one in checks] == list(range(1, 28))
    assert all(one.readouts[0].accepted for one in checks)
    assert len(reports) == 74
    assert all(one.done and len(one.parts()) == 1 for one in reports)
    assert not any(one.done for one in candidates())
    assert reference_effect("human").observed == Number(-7.7, 2.5)


def test_a_check_holds_intervals(write):
    one = load_finding(write(CHECK))
    assert [readout.accepted for readout in one.readouts] == [
        Interval(0.07, 0.13, 0.1),
        Interval(0.0, 200.0),
    ]
    assert (one.number, one.hard, one.done, one.parts()) == (1, True, False, ())


def test_one_file_may_hold_both(write):
    measure = CHECK[CHECK.index("[[measure]]") :]
    path = write(REPORT.replace("grade", "number = 7\ngrade") + measure)
    one = load_finding(path)
    assert [readout.name for readout in one.readouts] == ["A report of our own", "mood", "spines"]
    assert [part.observed for part in one.parts()] == [Number(0.1, 0.05)]
    assert [check.number for check in load_checks(path)] == [7]
    assert not one.reported


def test_a_measure_may_hold_an_observation(write):
    seen = CHECK.replace('tolerance = "30 %"', 'tolerance = "30 %"\nobserved = 0.1\nerror = 0.02')
    seen = seen.replace("between = [0, 200]", 'direction = "up"\nleast = 0.1')
    one = load_finding(write(seen))
    assert [part.observed for part in one.parts()] == [Number(0.1, 0.02), Direction("up", 0.1)]
    assert [part.name for part in one.parts()] == ["ours: mood", "ours: spines"]


def test_a_curve_is_read_at_its_times(write):
    one = load_finding(write(CURVE))
    (readout,) = one.readouts
    assert readout.observed == Curve((2.0, 24.0), (0.1, 0.2), (0.05, 0.1))
    assert [formula.moments for formula in readout.formulas] == [(2.0,), (24.0,)]
    assert [part.name for part in one.parts()] == ["ours at 2 h", "ours at 24 h"]
    assert [part.observed for part in one.parts()] == [Number(0.1, 0.05), Number(0.2, 0.1)]
    assert readout.observed.told == "2 h: 0.1 ± 0.05; 24 h: 0.2 ± 0.1"
    with pytest.raises(ValueError, match="take its parts"):
        _ = one.observed


def test_a_curve_without_values_is_a_proposal(write):
    one = load_finding(write(CURVE.replace("values = [0.1, 0.2]\n", "")))
    assert not one.done
    assert [part.done for part in one.parts()] == [False, False]


def test_an_arm_is_of_the_species_of_its_finding(write):
    assert load_finding(write(REPORT)).arms["ketamine"].subject.species == "mouse"
    other = REPORT.replace("[arms.ketamine]", '[arms.ketamine]\nsubject = "rat"')
    assert load_finding(write(other)).arms["ketamine"].subject.species == "rat"


def test_a_window_is_sharp_and_one_measure_cannot_decide_alone():
    values = np.array([0.5, 0.9, 1.0, 1.02, 1.2, 50.0, np.nan])
    lost = Interval(high=1.0).residuals(values, sharp=0.05, most=5.0)
    assert lost[0] == pytest.approx(0.0, abs=1e-3)
    assert lost[2] == pytest.approx(np.sqrt(2.0 * np.log(2.0)), rel=0.02)  # even odds at the end
    assert (np.diff(lost[:6]) > 0.0).all()
    assert lost[5] == pytest.approx(5.0)
    assert lost[6] == 5.0
    beside = Interval(low=-1.0).residuals(-values, sharp=0.05, most=5.0)
    assert beside == pytest.approx(lost)


def test_a_window_with_two_ends_is_as_sharp_as_it_is_wide():
    one, wide = Interval(10.0, 12.0), Interval(10.0, 30.0)
    assert one.residuals(np.array([11.0]), sharp=0.05, most=5.0) == pytest.approx(0.0, abs=1e-3)
    near, far = (i.residuals(np.array([9.8]), sharp=0.05, most=5.0)[0] for i in (one, wide))
    assert near > 1.5 * far > 0.0
