"""What is written on a figure, and whether it can be read."""

import itertools

from matplotlib.text import Text

from ketasim.plots.style import COLUMN, settings


def texts(figure):
    """Return the words on a figure and where they stand [pixels]."""
    figure.dpi = COLUMN.dpi
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    words = [*figure.texts]
    for axes in figure.axes:
        words += [*axes.texts, axes.xaxis.label, axes.yaxis.label]
        words += [one for one in axes.get_children() if isinstance(one, Text) and one not in words]
        words += axes.get_legend().get_texts() if axes.get_legend() else []
        if axes.axison:
            shown = [t for t in axes.xaxis.get_majorticklabels() if axes.xaxis.get_tick_params()]
            left, right = sorted(axes.get_xlim())
            low, high = sorted(axes.get_ylim())
            words += [t for t in shown if t.get_visible() and left <= t.get_position()[0] <= right]
            words += [
                t for t in axes.yaxis.get_majorticklabels() if low <= t.get_position()[1] <= high
            ]
    seen = [word for word in words if word.get_text() and word.get_visible()]
    return [(word.get_text(), word.get_window_extent(renderer)) for word in seen]


def check_words(figure):
    """Check that every word stands on the paper and on no other word."""
    with settings(COLUMN):
        found = texts(figure)
    width, height = figure.canvas.get_width_height()
    for text, box in found:
        assert box.x0 >= -1, (text, box)
        assert box.x1 <= width + 1, (text, box)
        assert box.y0 >= -1, (text, box)
        assert box.y1 <= height + 1, (text, box)
    for (one, a), (other, b) in itertools.combinations(found, 2):
        wide = min(a.x1, b.x1) - max(a.x0, b.x0)
        high = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert min(wide, high) < 4, (one, other)


def check_sizes(figure, least=7.0):
    """Check that no word is printed smaller than it can be read."""
    for word, _ in sized(figure):
        assert word.get_fontsize() >= least - 1e-6, (word.get_text(), word.get_fontsize())


def sized(figure):
    """Yield every text that is seen, with where it is."""
    renderer = figure.canvas.get_renderer()
    for word in figure.findobj(Text):
        if word.get_visible() and word.get_text().strip():
            yield word, word.get_window_extent(renderer)
