"""Every kind of picture at the width of a column and of a page: can it be read in print?"""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

import ketasim as ks
from figure_words import check_sizes, check_words
from ketasim import plots
from ketasim.plots.style import PALETTE, style_of_width
from pictures import KINDS

# They return figures, and draw none of their own.
NO_KIND = {"style.new_figure", "grid.grid", "patients.by_arm", "patients.of_population",
           "virtual_trial.of_trial"}  # fmt: skip


def drawing():
    """Yield the name of every function of the package's plots that returns a figure."""
    for one in pkgutil.iter_modules(plots.__path__):
        module = importlib.import_module(f"ketasim.plots.{one.name}")
        for name, found in inspect.getmembers(module, inspect.isfunction):
            told = str(inspect.signature(found).return_annotation)
            if found.__module__ == module.__name__ and name[0] != "_" and "Figure" in told:
                yield f"{one.name}.{name}"


def test_every_kind_is_looked_at():
    assert set(drawing()) - NO_KIND == {one.partition(",")[0] for one in KINDS}


@pytest.mark.parametrize("width", ["85mm", "178mm"])
@pytest.mark.parametrize("kind", KINDS)
def test_pictures_can_be_read_at_both_widths(kind, width):
    size = style_of_width(width)
    drawn = KINDS[kind](size)
    for figure in [drawn] if isinstance(drawn, Figure) else drawn:
        check_words(figure)
        check_sizes(figure)
        assert figure.get_figwidth() <= size.width / 25.4 + 1e-9
        assert not identifiers(figure)


def identifiers(figure):
    """Return the words on a figure that are names of the model or of traits, not words."""
    model = ks.models.whole()
    known = {*model.parameters, *model.recordable, *model.knobs}
    said = {one.get_text() for one in figure.findobj(Text) if one.get_visible()}
    return {word for word in said if any(part in known or part.startswith("person.")
            for part in word.replace(",", " ").split())}  # fmt: skip


def test_a_name_of_the_model_on_a_figure_is_found():
    figure = Figure()
    figure.text(0.5, 0.5, "mouse, ampa.antagonist 1")
    assert identifiers(figure)


BLIND = {  # linear red and green as protanopes and deuteranopes see them, then blue (Vienot 1999)
    "protan": ((0.11238, 0.88762), (0.11238, 0.88762), (0.00401, -0.00401, 1.0)),
    "deutan": ((0.29275, 0.70725), (0.29275, 0.70725), (-0.02234, 0.02234, 1.0)),
}


def nearest(colours, rows):
    """Return how near the nearest two of some colours are to an eye, of 0 to 1 a channel."""
    linear = np.array([to_rgb(one) for one in colours]) ** 2.2
    whole = np.array([(*row, 0.0)[:3] for row in rows])
    seen = np.clip(linear @ whole.T, 0.0, 1.0) ** (1 / 2.2)
    apart = np.linalg.norm(seen[:, None] - seen[None], axis=-1)
    return apart[~np.eye(len(colours), dtype=bool)].min()


@pytest.mark.parametrize("eye", BLIND)
def test_colours_differ_to_whoever_sees_no_red_or_no_green(eye):
    assert nearest(PALETTE, BLIND[eye]) > 0.14


def test_matplotlibs_own_colours_would_not():
    assert nearest(["C0", "C1", "C2", "C3"], BLIND["protan"]) < 0.1
