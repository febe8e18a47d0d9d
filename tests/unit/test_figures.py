"""Figures for papers: words, sizes and numbers of what is drawn again from what was kept."""

import csv

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from matplotlib.figure import Figure

import ketasim as ks
from figure_words import check_sizes, check_words
from ketasim.cli.main import group
from ketasim.errors import ConfigError
from ketasim.plots import judgement, sweeps
from ketasim.plots.designs import draw_designs
from ketasim.plots.fan import draw_fan
from ketasim.plots.panels import NOTHING
from ketasim.plots.style import log_ticks, new_figure, style_of_width
from ketasim.plots.words import about, axis, called, factor
from ketasim.verbs.figures import less_control, opened
from pictures import SCENARIO, designed, drawn_pathway, judged, sweep

WIDTHS = ["85mm", "178mm"]


@pytest.fixture(scope="module")
def run():
    return ks.run("human_depressed_iv", sets=["output.until=3 d"])


@pytest.fixture(scope="module")
def kept(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept") / "one"
    run.save(folder)
    return folder


def test_a_picture_shows_itself_in_a_notebook_without_pyplot(run):
    data, how = ks.plot.timecourse(run, panels=["score"])._repr_png_()
    assert data.startswith(b"\x89PNG")
    assert set(how) == {"width"}


def test_a_matrix_goes_over_as_many_pages_as_it_takes(tmp_path):
    asked = judged()
    written = judgement.pages(asked, tmp_path / "matrix.png", style=style_of_width("178mm"))
    assert [one.name for one in written] == ["matrix.png", "matrix-2.png"]
    assert all(one.is_file() for one in written)
    figures = judgement.sheets(asked)
    assert len(figures) == len(written)
    for figure in figures:
        check_words(figure)
        check_sizes(figure)
        assert figure.get_figheight() * 25.4 <= judgement.PAPER + 1e-6
    words = " ".join(t.get_text() for one in figures for axes in one.axes for t in axes.texts)
    words = " ".join(words.split())
    assert all(" ".join(one.title.split()) in words for one in asked.findings)
    assert "continued" in words
    (whole,) = [judgement.draw(asked)]
    assert whole.get_figheight() > max(one.get_figheight() for one in figures)


def test_read_outs_of_what_would_decide_are_said_in_words():
    figure = draw_designs(designed())
    words = {one.get_text() for axes in figure.axes for one in axes.get_xticklabels()}
    assert "outcome.mood" not in words
    assert "Spine density" in words


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("how", [{}, {"log": True}, {"control": True}, {"panels": ["score"]}])
def test_pictures_of_runs_can_be_read(run, width, how):
    figure = ks.plot.timecourse(run, width=width, **how)
    check_words(figure)
    check_sizes(figure)
    words = {text.get_text() for text in figure.texts}
    words |= {text.get_text().strip() for axes in figure.axes for text in axes.texts}
    assert "stress.stressor" not in words
    assert {"Intensity of stress", "ketamine iv"} <= words


def test_a_long_title_of_a_map_is_broken_not_cut():
    figure = sweeps.draw_map(sweep())
    assert "Dose of ketamine (mg/kg)" in {axes.get_xlabel() for axes in figure.axes}
    assert "AMPA antagonist (NBQX)" in {axes.get_ylabel() for axes in figure.axes}


def test_the_same_run_is_drawn_from_wherever_it_was_kept(run, kept):
    names = [list(opened(one)) for one in (run, run.dataset, kept, kept / "result.nc")]
    assert names == [["human_depressed_iv"]] * 4
    assert list(opened([run, kept])) == ["human_depressed_iv", "one"]


def test_what_is_no_run_is_refused(tmp_path):
    (tmp_path / "text.nc").write_text("no")
    for path in (tmp_path, tmp_path / "text.nc", tmp_path / "gone"):
        with pytest.raises(ConfigError, match="no run is kept here"):
            opened(path)


def test_one_panel_goes_onto_axes_of_ones_own(run):
    figure = Figure()
    axes = figure.add_subplot()
    assert ks.plot.timecourse(run, panels=["score"], ax=axes) is figure
    assert axes.get_xlabel() == "Time (d)"
    assert axes.get_ylabel() == "points"
    with pytest.raises(ConfigError, match="one panel fits"):
        ks.plot.timecourse(run, ax=axes)


def test_drug_minus_control_is_what_the_two_runs_differ_by(run):
    bare = ks.run("human_depressed_iv", sets=["output.until=3 d", "dosing=[]"])
    found = less_control(run.dataset)
    expected = run.dataset["outcome.score"] - bare.dataset["outcome.score"].to_numpy()[
        :, np.searchsorted(bare.dataset["time"], run.dataset["time"])
    ]  # fmt: skip
    np.testing.assert_allclose(found["outcome.score"], expected, atol=1e-4)
    assert float(found["outcome.score"][0, 0]) == pytest.approx(0.0, abs=1e-9)


def test_control_of_a_model_of_ones_own_is_refused(run):
    with pytest.raises(ConfigError, match="does not say what was done"):
        less_control(run.dataset.assign_attrs(scenario=""))


def test_no_animal_has_a_depression_score_beside_a_human(run):
    rat = ks.run("rat_10", sets=["output.until=3 d"])
    figure = ks.plot.timecourse({"human": run, "rat": rat}, panels=["score"])
    labels = {line.get_label() for axes in figure.axes for line in axes.get_lines()}
    assert "human: outcome.score [points]" in labels
    assert "rat: outcome.score [points]" not in labels


def test_the_command_writes_a_picture_and_its_numbers(kept, tmp_path):
    out = tmp_path / "fig.png"
    asked = ["plot", str(kept), "--panels", "spines,score", "--width", "85mm", "-o", str(out)]
    done_ = CliRunner().invoke(group, [*asked, "--format", "png", "--format", "svg"])
    assert done_.exit_code == 0, done_.output
    assert out.exists()
    assert out.with_suffix(".svg").exists()
    with out.with_suffix(".csv").open() as file:
        head = next(csv.reader(file))
    assert head == [
        "time [h]", "outcome.score [points]", "spines.density [1]"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "told"),
    [(["--kind", "map"], "is for a sweep"), (["--width", "3m"], "85mm"),
     (["--width", "85mm", "--style", "page"], "either")],
)  # fmt: skip
def test_options_that_do_not_fit_are_refused(kept, more, told):
    done_ = CliRunner().invoke(group, ["plot", str(kept), *more])
    assert told in str(done_.exception)


def test_a_logarithmic_axis_is_labelled_in_plain_numbers():
    figure = new_figure(85, 50)
    axes = figure.add_subplot()
    axes.set_xscale("log")
    axes.set_xlim(0.05, 5)
    log_ticks(axes.xaxis)
    figure.canvas.draw()
    seen = [one.get_text() for one in axes.get_xticklabels() if one.get_text()]
    assert {"0.1", "0.3", "1", "3"} <= set(seen)


def test_names_are_said_in_words():
    attributes = {"scenario": SCENARIO}
    assert called("dosing[0].amount", attributes) == "Dose of ketamine"
    assert called("intervention[0].level", attributes) == "AMPA antagonist (NBQX)"
    assert called("subject.weight") == "Body weight"
    assert called("outcome.score.at(24 h)") == "Depression score (MADRS) at 24 h"
    assert called("spines.peak").endswith(", largest value")
    assert called("glutamate.auc(0h,4h)").endswith("from 0 to 4 h")
    assert called("nobody.knows.this") == "nobody.knows.this"
    assert about("outcome.mood@24h") == "mood at 24 h"
    assert factor("ampa.k_remove") == "AMPA receptors: removal from the surface"
    assert factor("pk_s.clearance_70") != factor("pk_r.clearance_70")
    assert factor("nmda") == "NMDA receptors"
    assert called("translation.mtorc1").startswith("mTORC1")
    assert factor("glutamate.affinity_d_serine").startswith("Glutamate: D-serine")
    assert factor("safety.c50").startswith("Safety: ")
    data = xr.Dataset({"spines.peak": ("member", [1.0], {"units": "1"})})
    assert axis(data, "spines.peak") == "Spine density, largest value (×\u00a0healthy)"


def test_a_response_without_a_plateau_says_so():
    x = np.geomspace(0.05, 1, 20)
    low = sweep().isel(member=slice(0, 20)).assign_coords(
        {"dosing[0].amount": ("member", x, {"units": "mg/kg"})}
    )  # fmt: skip
    low["outcome.score.at(24 h)"] = ("member", x**1.5 / (0.9**1.5 + x**1.5), {"units": "points"})
    title = sweeps.draw_response(low, x="dosing[0].amount").axes[0].get_title(loc="left")
    assert "no plateau reached" in title
    assert "a description" in title
    assert "to" not in title.split("\n")[0].split()  # no interval on points without noise


def test_nothing_done_is_nothing_shaded():
    figure = draw_fan(sweep(), done=NOTHING)
    assert all(not axes.patches for axes in figure.axes)


def test_the_pathway_tells_the_whole_once():
    figure = drawn_pathway(style_of_width("178mm"))
    words = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert "100 %" not in words
    assert "\u221212 %" in words
    assert any("without a number: all of it; dashed" in one for one in words)
