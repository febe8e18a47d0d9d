"""Are pictures complete, legible, and the same bytes every time?"""

import csv
import subprocess
import sys
import xml.etree.ElementTree as ET
from functools import cache

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

import ketasim as ks
from figure_words import check_sizes, check_words
from ketasim.errors import ConfigError
from ketasim.models.antidepressant import PANELS
from ketasim.plots import overlay, timecourse
from ketasim.plots.layout import Window, text_width, windows
from ketasim.plots.panels import Mark, marks, panels
from ketasim.plots.style import (
    COLUMN,
    MM,
    PAGE,
    PALETTE,
    plotted,
    provenance,
    save,
    settings,
    style_named,
)

DOSES = {"dose_starts_h": [0.0], "dose_stops_h": [2 / 3], "dose_mg": [35.0]}
HOLDS = {
    "hold_names": ["stress.stressor", "translation.rapamycin"],
    "hold_starts_h": [-np.inf, -0.5],
    "hold_stops_h": [np.inf, 24.0],
}
SPECIES = {"species": "human", "weight_kg": 70.0}
TIMES = np.concatenate([np.arange(0.0, 6.0, 0.25), np.arange(6.0, 337.0, 3.0)])
EARLIER = np.concatenate([[-1.0, -0.5], TIMES])


def hump(size=1.0, level=0.0, times=TIMES):
    """Return a course that rises and falls."""
    return level + size * times * np.exp(-times / 4.0)


def dataset(variables=None, times=TIMES, **attributes):
    """Return a result of one member; by default with every curve of the default figure."""
    if variables is None:
        variables = {
            curve.name: (hump(0.1 + 0.05 * i, times=times), panel.unit, "some meaning")
            for panel in PANELS
            for i, curve in enumerate(panel.curves)
        }
    data = {
        name: (("member", "time"), values[None, :], {"units": unit, "long_name": meaning})
        for name, (values, unit, meaning) in variables.items()
    }
    data["status"] = (
        ("member",), np.zeros(1, np.int8), {"flag_values": [0, 5], "flag_meanings": "ok stuck"}
    )  # fmt: skip
    coordinates = {"time": ("time", times, {"units": "h"}), "member": [0]}
    return xr.Dataset(data, coordinates, {**SPECIES, **DOSES, **attributes})


def measured(figure):
    """Return the axes that carry a measure, one for each panel."""
    return [axes for axes in figure.axes if axes.get_ylabel()]


def plotted_axes(figure):
    """Return every axes that holds data."""
    return [a for a in figure.axes if any(c.get_label()[0] != "_" for c in a.get_lines())]


def shades(axes):
    """Return the spans shaded behind the curves of some axes [h]."""
    return sorted({(p.get_x(), p.get_x() + p.get_width()) for p in axes.patches})


RUNS = {
    "human": dataset(),
    "held": dataset(times=EARLIER, **HOLDS),
    "short": dataset(times=np.linspace(0.0, 0.05, 3), dose_stops_h=[0.05]),
    "bolus": dataset(dose_stops_h=[0.0], species="mouse", weight_kg=0.025, dose_mg=[0.25]),
    "extra": dataset(
        {
            "toy.tiny": (hump(1e-6), "1", "a tiny share of something with a very long name " * 3),
            "toy.huge": (hump(3e7), "umol/L/h", "a rate"),
            "toy.flat": (np.full(TIMES.shape, 1.0 + 1e-12), "1", "level, relative to rest"),
            "toy.offset": (100.0 + hump(1e-3), "mV", "potential"),
        }
    ),
    "repeated": dataset(
        dose_starts_h=24.0 * np.arange(8), dose_stops_h=24.0 * np.arange(8) + 0.7,
        dose_mg=np.full(8, 35.0),
    ),
}  # fmt: skip


SMALL = RUNS["held"][["plasma.venous", "plasma.arterial", "spines.total", "status"]]


@cache
def figure_of(name, style=COLUMN):
    """Return the figure of a run, to look at."""
    return timecourse.draw(RUNS[name], style=style)


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_the_same_run_gives_the_same_bytes(tmp_path, kind):
    first, second = tmp_path / f"a.{kind}", tmp_path / f"b.{kind}"
    timecourse.draw(SMALL, first)
    timecourse.draw(SMALL.copy(deep=True), second)
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size > 5000


def test_bytes_do_not_depend_on_the_users_settings_and_these_survive(tmp_path):
    timecourse.draw(SMALL, tmp_path / "a.png")
    with mpl.rc_context({"font.size": 20.0, "axes.facecolor": "red", "lines.linewidth": 9.0}):
        before = dict(mpl.rcParams)
        timecourse.draw(SMALL, tmp_path / "b.png")
        assert dict(mpl.rcParams) == before
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_files_hold_neither_dates_nor_software(tmp_path):
    made = {"ketasim_version": "9.9", "model": "toy", "model_digest": "abc"}
    run = SMALL.assign_attrs(**made, scenario_name="first")
    for kind in ("png", "svg", "pdf"):
        timecourse.draw(run, tmp_path / f"a.{kind}")
        content = (tmp_path / f"a.{kind}").read_bytes()
        for word in (
            b"Software",
            b"CreationDate",
            b"<dc:date>",
            b"Matplotlib v",
            b"matplotlib.org",
        ):
            assert word not in content, (kind, word)
        assert b"ketasim 9.9, model toy, abc, first" in content, kind


def test_a_pdf_embeds_its_fonts_as_truetype(tmp_path):
    timecourse.draw(SMALL, tmp_path / "a.pdf")
    content = (tmp_path / "a.pdf").read_bytes()
    assert b"/FontFile2" in content
    assert b"/Type3" not in content


def test_an_svg_is_well_formed(tmp_path):
    timecourse.draw(SMALL, tmp_path / "a.svg")
    assert ET.parse(tmp_path / "a.svg").getroot().tag.endswith("svg")


def test_drawing_loads_no_pyplot(tmp_path):
    script = (
        "import sys, numpy as np, xarray as xr\n"
        "from ketasim.plots import overlay, timecourse\n"
        "v = (('member', 'time'), np.ones((1, 3)), {'units': '1', 'long_name': 'x'})\n"
        "d = xr.Dataset({'a.b': v}, {'time': [0.0, 1.0, 2.0]})\n"
        f"timecourse.draw(d, {str(tmp_path / 'a.png')!r})\n"
        f"overlay.draw({{'one': d, 'two': d}}, {str(tmp_path / 'b.pdf')!r})\n"
        "sys.exit('matplotlib.pyplot' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
    assert (tmp_path / "b.pdf").exists()


@pytest.mark.parametrize("style", [COLUMN, PAGE], ids=["column", "page"])
@pytest.mark.parametrize("name", RUNS)
def test_no_word_is_cut_off_or_covers_another(name, style):
    check_words(figure_of(name, style))


@pytest.mark.parametrize("style", [COLUMN, PAGE], ids=["column", "page"])
def test_no_word_of_an_overlay_is_cut_off_or_covers_another(style):
    labels = ["ketamine", "ketamine and rapamycin", "very long " * 20, "vehicle", "esketamine"]
    check_words(overlay.draw(dict.fromkeys(labels, SMALL), style=style))


@pytest.mark.parametrize("style", [COLUMN, PAGE], ids=["column", "page"])
def test_words_are_legible_and_the_width_is_as_printed(style):
    figure = figure_of("held", style)
    width, height = figure.get_size_inches() / MM
    assert width == pytest.approx(style.width)
    assert height < 247
    check_sizes(figure)


@pytest.mark.parametrize("name", RUNS)
def test_every_panel_has_a_unit(name):
    figure = figure_of(name)
    shown = panels([RUNS[name]])
    labels = [axes.get_ylabel() for axes in measured(figure)]
    assert len(labels) == len(shown)
    for label, panel in zip(labels, shown, strict=True):
        assert label.split("\n")[0] == panel.measure
    feet = [axes.get_xlabel() for axes in figure.axes if axes.get_xlabel()]
    assert set(feet) <= {"Time (h)", "Time (d)"}
    assert feet


def test_the_default_figure_shows_what_the_model_records():
    model = ks.models.antidepressant()
    quantities = {str(quantity.name) for quantity in model.quantities}
    for panel in PANELS:
        for curve in panel.curves:
            assert curve.name in quantities | set(model.states), curve.name
            assert model.unit(curve.name) == panel.unit


def test_a_real_run_is_drawn_with_its_numbers(tmp_path):
    scenario = ks.Scenario(
        ks.models.antidepressant(), ks.infusion("0.5 mg/kg", over="40 min"),
        ks.hours(0, 30, every=0.5), subject=ks.human(),
    )  # fmt: skip
    run = ks.simulate(scenario)
    figure = timecourse.draw(run)
    assert len(measured(figure)) == len(PANELS)
    written = save(figure, tmp_path / "figure.png", numbers=True)
    assert [path.name for path in written] == ["figure.png", "figure.csv"]
    with (tmp_path / "figure.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header[0] == "time [h]"
    assert len(header) == 1 + sum(len(panel.curves) for panel in PANELS)
    column = header.index("spines.total [1]")
    assert [float(row[column]) for row in rows] == run["spines.total"].values[0].tolist()
    assert [float(row[0]) for row in rows] == run["time"].values.tolist()


def test_curves_with_other_times_keep_their_own_in_the_numbers():
    short = dataset({"spines.total": (np.ones(3), "1", "")}, times=np.array([0.0, 1.0, 2.0]))
    long = dataset({"spines.total": (np.ones(4), "1", "")}, times=np.array([0.0, 1.0, 2.0, 3.0]))
    header, *rows = plotted(overlay.draw({"a": short, "b": long}))
    assert header == ["time [h]", "a: spines.total [1]", "time [h]", "b: spines.total [1]"]
    assert rows[-1] == ["", "", 3.0, 1.0]


def test_only_panels_with_something_to_show_are_drawn():
    run = dataset()[["spines.total", "glutamate.relative", "status"]]
    figure = timecourse.draw(run)
    assert [axes.get_ylabel() for axes in measured(figure)] == ["× rest", "per site"]


def test_an_unknown_variable_gets_a_panel_of_its_own():
    run = dataset({"toy.rate": (hump(), "1/uM/s", "a rate")})
    figure = timecourse.draw(run)
    assert [axes.get_ylabel() for axes in measured(figure)] == ["1/µM/s"]
    words = {text.get_text() for text in figure.texts}
    assert "A rate" in words
    assert "toy.rate" not in words  # an identifier is no label


def test_a_variable_in_another_unit_leaves_its_panel():
    run = dataset({"plasma.venous": (hump(), "ug/mL", "ketamine in venous plasma")})
    assert [axes.get_ylabel() for axes in measured(timecourse.draw(run))] == ["µg/mL"]


def test_a_run_that_records_everything_shows_the_story_only():
    more = {f"toy.x{i}": (hump(), "1", "x") for i in range(30)}
    full = dataset().assign(dataset(more).data_vars)
    assert panels([full]) == panels([dataset()])
    assert len(panels([dataset(more)])) == 30


def test_names_and_mechanisms_choose_panels():
    run = RUNS["human"]
    shown = panels([run], ["glutamate", "spines.total"])
    assert [[c.name for c in panel.curves] for panel in shown] == [
        ["glutamate.relative", "glutamate.synaptic"], ["spines.total"]
    ]  # fmt: skip
    with pytest.raises(ConfigError, match=r'panel "spine": not recorded. Did you mean "spines"'):
        timecourse.draw(run, names=["spine"])


def test_nothing_recorded_is_said():
    with pytest.raises(ConfigError, match="nothing to draw"):
        timecourse.draw(dataset({}))


def test_drugs_never_given_and_human_scales_in_mice_are_left_out():
    run = dataset(species="mouse")
    run["plasma.venous"][:], run["plasma.arterial"][:] = 0.0, 1e-7
    titles = [panel.title for panel in panels([run])]
    assert "Ketamine in plasma" not in titles
    assert "Depression score (MADRS)" not in titles
    assert panels([run], ["outcome.score"])[0].human
    only = dataset({"plasma.venous": (0.0 * TIMES, "ng/mL", "")})
    assert len(panels([only])) == 1


def test_doses_are_shaded_in_both_parts_of_every_panel():
    figure = figure_of("repeated")
    for axes in plotted_axes(figure):
        low, high = axes.get_xlim()
        seen = [t for t in 24.0 * np.arange(8) if low <= t <= high]
        assert [span[0] for span in shades(axes)] == seen
    assert any("8 × 35 mg (0.5 mg/kg)" in text.get_text() for text in figure.texts)


def test_a_bolus_is_a_pointer_and_a_line():
    figure = figure_of("bolus")
    pointers = [
        line for axes in figure.axes for line in axes.get_lines() if line.get_marker() == "v"
    ]
    assert [line.get_xdata()[0] for line in pointers] == [0.0]
    shade = plotted_axes(figure)[0].patches[0]
    assert shade.get_width() == 0.0
    assert shade.get_linewidth() > 0.0
    assert any("mouse, 25 g  ·  10 mg/kg" in text.get_text() for text in figure.texts)


def test_what_is_held_for_a_while_is_shaded_and_all_is_named():
    figure = figure_of("held")
    early, late = plotted_axes(figure)[:2]
    assert shades(early) == [(-0.5, 6.0), (0.0, 2 / 3)]
    assert shades(late) == [(6.0, 24.0)]
    names = [text.get_text().strip() for axes in figure.axes for text in axes.texts]
    assert names == ["Intensity of stress", "Rapamycin given into cortex"]


def test_marks_survive_a_file(tmp_path):
    one = {"hold_names": ["pk_s.bath"], "hold_starts_h": [0.5], "hold_stops_h": [1.5]}
    for run in (RUNS["held"], RUNS["repeated"], dataset(**one), dataset(dose_mg=[], **one)):
        run.to_netcdf(tmp_path / "run.nc")
        with xr.open_dataset(tmp_path / "run.nc") as read:
            assert marks(read.attrs) == marks(run.attrs)
    assert marks(dataset(**one).attrs).holds[0].spans == (Mark(0.5, 1.5),)
    assert marks({}).onset is None


def test_a_failed_run_says_so(tmp_path):
    run = RUNS["human"].copy(deep=True)
    for name in set(run.data_vars) - {"status"}:
        run[name][:, 40:] = np.nan
    run["status"][:] = 5
    figure = timecourse.draw(run, tmp_path / "a.png")
    assert "run failed: stuck" in {text.get_text() for text in figure.texts}
    for name in set(run.data_vars) - {"status"}:
        run[name][:] = np.nan
    timecourse.draw(run, tmp_path / "b.png")
    overlay.draw({"failed": run, "fine": RUNS["human"]}, tmp_path / "c.png")


def test_rounding_is_not_blown_up():
    flat = dataset({"toy.flat": (1.0 + 1e-12 * np.sin(TIMES), "1", "level")})
    low, high = measured(timecourse.draw(flat))[0].get_ylim()
    assert high - low > 0.02


@pytest.mark.parametrize("name", RUNS)
def test_no_curve_leaves_its_panel(name):
    for axes in plotted_axes(figure_of(name)):
        low, high = axes.get_ylim()
        for line in axes.get_lines():
            if not line.get_label().startswith("_"):
                assert low <= line.get_ydata().min()
                assert line.get_ydata().max() <= high


def test_the_time_axis_shows_first_hours_and_following_days():
    assert windows(0.0, 4.0) == (Window(0.0, 4.0),)
    early, late = windows(0.0, 336.0, onset=0.0)
    assert (early.start, early.stop, early.unit) == (0.0, 6.0, "h")
    assert (late.start, late.stop, late.unit) == (6.0, 336.0, "d")
    assert early.labels() == ["0", "1", "2", "3", "4", "5", "6"]
    assert late.labels() == ["2", "4", "6", "8", "10", "12", "14"]
    assert windows(0.0, 24.0)[1].labels() == ["6", "9", "12", "15", "18", "21", "24"]


def test_a_late_event_is_enlarged_and_the_whole_run_shown_beside_it():
    early, late = windows(0.0, 336.0, onset=168.0)
    assert (early.start, early.stop) == (167.0, 174.0)
    assert (late.start, late.stop) == (0.0, 336.0)


@pytest.mark.parametrize("end", [1e-3, 0.3, 5.0, 12.5, 40.0, 100.0, 1000.0, 1e5])
def test_ticks_are_few_and_inside(end):
    for window in windows(0.0, end):
        ticks = window.ticks()
        assert 2 <= len(ticks) <= 8
        assert all(window.start - 1e-6 <= tick <= window.stop + 1e-6 for tick in ticks)


def test_scenarios_are_told_apart_by_colour_and_those_that_agree_are_named():
    other = RUNS["human"].copy(deep=True)
    other["spines.total"] = other["spines.total"] * 1.5
    figure = overlay.draw({"one": RUNS["human"], "other": other}, names=["nmda", "spines"])
    spines = next(axes for axes in plotted_axes(figure) if axes.get_ylabel() == "per site")
    lines = {c.get_label(): c.get_color() for c in spines.get_lines() if c.get_label()[0] != "_"}
    assert lines["one: spines.total [1]"] == PALETTE[0]
    assert lines["other: spines.total [1]"] == PALETTE[1]
    words = [text.get_text() for text in figure.texts]
    assert words.count("identical") == 1
    assert {"one", "other"} <= set(words)


def test_many_scenarios_have_as_many_colours_and_too_many_are_refused():
    run = dataset({"spines.total": (hump(), "1", "")})
    figure = overlay.draw({f"s{i}": run for i in range(12)})
    lines = plotted_axes(figure)[0].get_lines()
    colours = {line.get_color() for line in lines if line.get_label().startswith("s")}
    assert len(colours) == 12
    with pytest.raises(ConfigError, match="between 1 and 24"):
        overlay.draw({f"s{i}": run for i in range(25)})
    with pytest.raises(ConfigError, match="between 1 and 24"):
        overlay.draw({})


def test_scenarios_in_different_units_are_not_laid_over_each_other():
    one = dataset({"toy.x": (hump(), "mg", "")})
    other = dataset({"toy.x": (hump(), "umol", "")})
    with pytest.raises(ConfigError, match=r"toy.x: recorded in different units"):
        overlay.draw({"one": one, "other": other})


def test_an_ending_that_is_no_picture_and_a_folder_that_is_not_there_are_said(tmp_path):
    with pytest.raises(ConfigError, match=r"a picture ends in \.png, \.svg, \.pdf"):
        timecourse.draw(RUNS["human"], tmp_path / "a.jpeg")
    with pytest.raises(ConfigError, match="cannot be written"):
        timecourse.draw(RUNS["human"], tmp_path / "none" / "a.png")


def test_styles_have_names():
    assert style_named("page") is PAGE
    with pytest.raises(ConfigError, match='Did you mean "column"'):
        style_named("colum")


def test_text_is_measured_as_it_is_drawn():
    with settings(COLUMN):
        figure = timecourse.draw(dataset({"spines.total": (hump(), "1", "")}))
        title = next(text for text in figure.texts if text.get_text() == "Spines")
        drawn = title.get_window_extent(figure.canvas.get_renderer()).width / figure.dpi / MM
    assert text_width("Spines", COLUMN.title_size, COLUMN.font, bold=True) == pytest.approx(
        drawn, rel=0.06
    )


def test_provenance_is_one_line():
    assert provenance({}) == ""
    assert provenance({"ketasim_version": "1", "scenario_name": "s"}) == "ketasim 1, s"
