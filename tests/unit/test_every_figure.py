"""Every kind of picture at the width of a column and of a page: can it be read in print?"""

import importlib
import inspect
import pkgutil

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


def test_colours_differ_to_whoever_sees_no_red_or_no_green():
    """As Vienot et al. (1999) reduce colours for protanopes and deuteranopes."""
    blind = {
        "protan": ((0.11238, 0.88762), (0.11238, 0.88762), (0.00401, -0.00401, 1.0)),
        "deutan": ((0.29275, 0.70725), (0.29275, 0.70725), (-0.02234, 0.02234, 1.0)),
    }
    for rows in blind.values():
        seen = [
            [max(sum(a * b**2.2 for a, b in zip(row, to_rgb(one), strict=False)), 0.0) ** (1 / 2.2)
             for row in rows] for one in PALETTE
        ]  # fmt: skip
        apart = [
            sum((a - b) ** 2 for a, b in zip(x, y, strict=True)) ** 0.5
            for i, x in enumerate(seen) for y in seen[:i]
        ]  # fmt: skip
        assert min(apart) > 0.1
