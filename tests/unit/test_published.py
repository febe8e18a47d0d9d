"""Published curves: each fact once, settings from controls, studies left out."""

import csv
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr

import ketasim as ks
from ketasim.config.findings import load_cells
from ketasim.config.packaged import folder
from ketasim.errors import ConfigError
from ketasim.studies.published import Published, left_out, pareto, residuals, smoothed

POINT = Published("A", "arm", "x", "1", 1.0, 10.0, 3.0, 4.0, 10.0)
SETTINGS = sorted(folder().glob("setting_*.toml"))


def test_a_point_is_met_within_two_sigma_of_error_and_discrepancy():
    assert POINT.sigma == 5.0
    assert replace(POINT, predicted=19.9).met
    assert not replace(POINT, predicted=20.1).met
    assert not replace(POINT, predicted=19.9).met_alone
    assert not replace(POINT, predicted=np.nan).met


def test_a_value_below_detection_is_met_by_whatever_is_below_it():
    below = replace(POINT, censored=-1)
    assert replace(below, predicted=-1000.0).z == 0.0
    assert not replace(below, predicted=30.0).met


def test_the_shape_of_a_pareto_tail_is_found():
    rng = np.random.default_rng(1)
    for shape in (0.2, 0.6):
        over = np.sort(2.0 * np.expm1(-shape * np.log(rng.random(4000))) / shape)
        found, scale = pareto(over)
        assert found == pytest.approx(shape, abs=0.06)
        assert scale == pytest.approx(2.0, rel=0.1)


def test_smoothing_keeps_the_order_and_leaves_equal_weights_alone():
    logs = np.random.default_rng(2).normal(0.0, 1.0, 500)
    after, shape = smoothed(logs)
    assert shape < 0.7
    assert (np.argsort(after) == np.argsort(logs)).all()
    assert smoothed(np.zeros(50))[0] == pytest.approx(np.zeros(50))


def test_weighting_draws_gives_the_posterior_without_a_study():
    """A mean with a flat prior, seen by A and B alike: without B it is A's alone."""
    rng = np.random.default_rng(3)
    a, b, error = 0.0, 1.0, 1.0
    draws = rng.normal((a + b) / 2.0, error / np.sqrt(2.0), 20_000)
    own = replace(POINT, error=error, discrepancy=0.0)
    points = (replace(own, study="A", value=a), replace(own, study="B", value=b))
    logs, _ = smoothed(0.5 * ((b - draws) / error) ** 2)
    weights = np.exp(logs) / np.exp(logs).sum()
    assert weights @ draws == pytest.approx(a, abs=0.06)
    apart = left_out(points, np.stack([draws, draws], axis=1), {"A": True, "B": True})
    assert [one.covered for one in apart] == [1, 1]


def test_a_study_taken_out_no_longer_covers_itself():
    """A at 0 and B at 3 meet at 1.5, from where B is covered; from A alone it is not."""
    draws = np.random.default_rng(5).normal(1.5, np.sqrt(0.5), 20_000)
    own = replace(POINT, error=1.0, discrepancy=0.0)
    points = (replace(own, study="A", value=0.0), replace(own, study="B", value=3.0))
    both = np.stack([draws, draws], axis=1)
    seen = left_out(points, both, {"A": True, "B": True})
    unseen = left_out(points, both, {"A": False, "B": False})
    assert [one.covered for one in seen] == [0, 0]
    assert [one.covered for one in unseen] == [1, 1]


def test_a_study_far_from_the_others_is_not_covered():
    draws = np.random.default_rng(4).normal(0.0, 0.1, 1000)
    own = replace(POINT, error=1.0, discrepancy=0.0)
    edge = float(np.sqrt(1.01) * 1.645)
    for value, covered in ((edge - 0.1, 1), (edge + 0.1, 0)):
        apart = left_out((replace(own, value=value),), draws[:, None], {"A": False})
        assert apart[0].covered == covered
    far = replace(own, value=5.0)
    for beyond, covered in ((-1, 1), (1, 0)):  # draws near 0 are below 5, and not above it
        apart = left_out((replace(far, censored=beyond),), draws[:, None], {"A": False})
        assert apart[0].covered == covered
    assert ndtr(1.645) == pytest.approx(0.95, abs=1e-3)


def test_points_of_a_course_share_half_of_what_the_model_leaves_out():
    one = replace(POINT, error=0.01, discrepancy=1.0)
    both = (one, replace(one, time=2.0))
    alike = (residuals(both, np.array([[10.5, 10.5]])) ** 2).sum()
    apart = (residuals(both, np.array([[10.5, 9.5]])) ** 2).sum()
    assert alike == pytest.approx(2 * 0.25 / 1.5, rel=0.02)
    assert apart == pytest.approx(2 * 0.25 / 0.5, rel=0.02)
    alone = (one, replace(one, study="B"))
    assert (residuals(alone, np.array([[10.5, 10.5]])) ** 2).sum() == pytest.approx(0.5, rel=0.02)


def test_every_row_is_used_once_or_left_out_with_its_reason():
    with (folder() / "data" / "tables" / "left_out.csv").open(encoding="utf-8") as file:
        left = list(csv.DictReader(file))
    assert all(len(one["reason"].split()) >= 2 for one in left)
    used = [
        row
        for name in ("mood", "mice", "pk_published")
        for cells in load_cells(name).values()
        for row in cells["row"].split()
    ]
    rows = {row for row in used if row.startswith("C")} | {one["row"] for one in left}
    assert rows == {f"C{i:03}" for i in range(1, 556)}
    assert not {one["row"] for one in left} & set(used)
    baselines = {"C001", "C027"}  # enter the change at every visit
    twice = {row for row, n in Counter(used).items() if n > 1 and row.startswith("C")}
    assert twice <= baselines | {"C053", "C169"}


def test_settings_follow_from_control_arms_alone():
    """What a setting brings by the model is what its own controls show, within a point."""
    found = [one for one in ks.curves("mood").points if one.kind == "control"]
    arms = {one.arm for one in found}
    assert len(arms) == 8
    for arm in arms:
        mine = [one for one in found if one.arm == arm]
        weights = np.array([one.sigma**-2 for one in mine])
        off = np.array([one.predicted - one.value for one in mine]) @ weights / weights.sum()
        assert abs(off) < 1.0, (arm, off)


def test_no_setting_doses_and_each_says_what_it_rests_on():
    assert len(SETTINGS) == 11
    for one in SETTINGS:
        text = one.read_text(encoding="utf-8")
        assert "[[dosing]]" not in text
        assert "control" in text or "saline arm" in text or "shocks" in text


def test_curves_count_by_study_and_say_what_tells_little():
    found = ks.curves(["mood", "mice"])
    assert sum(int(row["points"]) for row in found.table) == len(found.points) == 96
    assert found.record["share"] == sum(one.met for one in found.points) / 96
    assert "of kind control" in found.note
    assert "by their own errors alone" in found.note


def test_an_assay_without_a_stated_discrepancy_is_refused(tmp_path):
    own = tmp_path / "own.csv"
    own.write_text(
        "time [h],readout,value,error,unit,arm,assay,study\n"
        "24,outcome.score,20,2,points,human_depressed_iv,odd,A\n"
    )
    with pytest.raises(ConfigError, match='no discrepancy is stated for assay "odd"'):
        ks.curves(own)
    own.write_text("time [h],readout,value,error,unit,arm\n24,spines.density,1,1,1,rat_10\n")
    with pytest.raises(ConfigError, match='no column "study"'):
        ks.curves(own)
