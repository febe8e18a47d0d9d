"""Pictures of sweeps show what is there, mark what failed, and keep their bytes."""

import numpy as np
import pytest
import xarray as xr

from ketasim.errors import ConfigError
from ketasim.plots import sweeps
from ketasim.plots.fan import draw_fan
from ketasim.plots.style import save
from ketasim.studies.hill import fit_hill

FLAGS = {"flag_values": [-1, 0, 2], "flag_meanings": "not_run ok max_steps"}


def hill(x, bottom=1.0, span=2.0, ec50=0.4, steepness=1.5):
    return bottom + span * x**steepness / (ec50**steepness + x**steepness)


def dataset(x, y, *, lost=(), **more):
    status = np.zeros(len(x), np.int8)
    status[list(lost)] = 2
    given = {"dosing[0].amount": ("member", x, {"units": "mg/kg"}), **more}
    values = {"a.peak": ("member", np.where(status == 0, y, np.nan), {"units": "uM"})}
    return xr.Dataset({**values, "status": ("member", status, FLAGS)}, given, {"model": "toy"})


def test_a_hill_curve_is_found_again():
    x = np.geomspace(0.02, 10, 30)
    found = fit_hill(x, hill(x))
    assert (found.bottom, found.span) == pytest.approx((1.0, 2.0), rel=1e-4)
    assert (found.ec50, found.steepness) == pytest.approx((0.4, 1.5), rel=1e-4)
    assert found.r2 > 0.999999
    np.testing.assert_allclose(found(x), hill(x), rtol=1e-5)


def test_the_interval_holds_the_truth_nineteen_times_in_twenty():
    x, random = np.geomspace(0.02, 10, 24), np.random.default_rng(1)
    inside = 0
    for _ in range(200):
        found = fit_hill(x, hill(x) + 0.05 * random.standard_normal(24))
        inside += found.low <= 0.4 <= found.high
    assert 180 <= inside <= 199


@pytest.mark.parametrize(
    "y",
    [
        lambda x: np.ones_like(x),
        lambda x: np.exp(-(np.log(x) ** 2)),
        lambda x: x * np.nan,
        lambda x: x**2,
    ],
)
def test_no_curve_is_claimed_where_none_fits(y):
    x = np.geomspace(0.02, 10, 30)
    assert fit_hill(x, y(x)) is None
    assert sweeps.sentence(None, "h") == "no Hill curve describes these points"
    assert fit_hill(x[:3], hill(x[:3])) is None


def test_falling_curves_and_doses_of_nothing_count():
    x = np.concatenate([[0.0], np.geomspace(0.02, 10, 20)])
    found = fit_hill(x, hill(x, span=-0.7))
    assert found.ec50 == pytest.approx(0.4, rel=1e-3)
    assert found.span < 0


def test_failed_points_are_ticks_on_the_axis_and_never_values():
    x = np.geomspace(0.05, 5, 21)
    figure = sweeps.draw_response(dataset(x, hill(x), lost=[3, 8]))
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    np.testing.assert_array_equal(lines["failed"].get_xdata(), x[[3, 8]])
    assert len(lines["a.peak (uM)"].get_xdata()) == 19
    assert "Hill curve" in lines
    assert figure.axes[0].get_xscale() == "log"
    assert figure.axes[0].get_title(loc="left").startswith("half-way at 0.4 mg/kg")
    assert figure.axes[0].get_xlabel() == "Dose (mg/kg)"
    assert figure.texts[0].get_text() == "19 members, 2 failed"


def test_a_grid_is_a_map_of_squares_and_a_draw_of_dots():
    x, y = (a.ravel() for a in np.meshgrid(np.geomspace(0.1, 10, 7), np.linspace(0, 1, 5)))
    grid = dataset(x, x + y, lost=[0], level=("member", y, {"units": "1"}))
    across, up, values = sweeps.as_grid(x, y, np.where(np.arange(35) == 0, np.nan, x + y))
    np.testing.assert_allclose(values[1:], (across[None, :] + up[:, None])[1:])
    assert np.isnan(values[0, 0])
    figure = sweeps.draw_map(grid)
    assert len(figure.axes[0].collections[0].get_array().compressed()) == 34
    random = np.random.default_rng(0)
    a, b = random.random((2, 50))
    assert sweeps.as_grid(a, b, a) is None
    dots = sweeps.draw_map(dataset(a, b, level=("member", b, {"units": "1"})), y="dosing[0].amount")
    assert dots.axes[0].get_xlabel() == "level"
    assert len(dots.axes[0].collections[0].get_array()) == 50


def courses(n=100):
    times = np.linspace(0, 10, 11)
    rates = np.linspace(0.1, 1, n)
    values = np.exp(-rates[:, None] * times)
    status = np.zeros(n, np.int8)
    status[0], values[0] = 2, np.nan
    return xr.Dataset(
        {"a.level": (("member", "time"), values, {"units": "1"}), "status": ("member", status)},
        {"time": times, "k": ("member", rates, {"units": "1/h"})},
    )


def test_a_fan_shows_the_median_and_the_middle_nine_tenths():
    figure = draw_fan(courses())
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[0].get_lines()}
    values = courses()["a.level"].to_numpy()[1:]
    np.testing.assert_allclose(lines["a.level median"], np.median(values, axis=0))
    np.testing.assert_allclose(lines["a.level 5 %"], np.quantile(values, 0.05, axis=0))
    assert len(draw_fan(courses(), kind="spaghetti").axes[0].get_lines()) == 99
    assert len(draw_fan(courses(500), kind="spaghetti").axes[0].get_lines()) == 200


def test_what_is_not_there_is_told():
    x = np.geomspace(0.05, 5, 21)
    for draw, told in (
        (lambda: sweeps.draw_response(dataset(x, x), "a.peek"), 'Did you mean "a.peak"'),
        (lambda: sweeps.draw_map(dataset(x, x)), "needs two varied values"),
        (lambda: draw_fan(dataset(x, x)), "no time course. Ask for one: --record"),
        (lambda: sweeps.draw_response(courses()), "no summary. Ask for one: --summary"),
    ):
        with pytest.raises(ConfigError, match=told):
            draw()


def test_pictures_keep_their_bytes(tmp_path):
    x = np.geomspace(0.05, 5, 21)
    for ending in ("png", "svg", "pdf"):
        pair = [tmp_path / f"{i}.{ending}" for i in (1, 2)]
        for path in pair:
            save(sweeps.draw_response(dataset(x, hill(x), lost=[2])), path)
        assert pair[0].read_bytes() == pair[1].read_bytes()


def test_logarithms_are_for_ratios():
    assert sweeps.is_logarithmic(np.geomspace(0.05, 5, 9))
    assert not sweeps.is_logarithmic(np.linspace(0.05, 5, 9))
    assert not sweeps.is_logarithmic(np.array([0.0, 1.0, 100.0]))
