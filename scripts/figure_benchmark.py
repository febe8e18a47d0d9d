"""Draw the benchmark's picture from benchmarks/engines.json."""

import json
from pathlib import Path

from ketasim.plots.style import BLUE, PAGE, VERMILION, new_figure, save, settings

ROOT = Path(__file__).parents[1]
record = json.loads((ROOT / "benchmarks" / "engines.json").read_text(encoding="utf-8"))


def engines(axes) -> None:
    """Show how many times our CPU time each engine takes: mean, and from worst to best."""
    names = list(dict.fromkeys(r["engine"] for one in record["races"] for r in one["engines"]))
    for shift, target in ((0.18, "1e-05"), (-0.18, "1e-07")):
        colour = BLUE if target == "1e-05" else VERMILION
        for i, name in enumerate(names[::-1]):
            one = record["overall"][f"{name} at {target}"]
            mean = one["geometric_mean"]
            axes.plot([one["worst"], one["best"]], [i + shift] * 2, color=colour, lw=3, alpha=0.5)
            axes.plot(mean, i + shift, "o", color=colour, ms=3)
            axes.text(one["best"] * 1.2, i + shift, f"{mean:,.0f}×", va="center", color=colour)
    axes.set_yticks(range(len(names)), [one.replace("`", "") for one in names[::-1]])
    axes.set_xscale("log")
    axes.set_xlim(0.7, 1e5)
    axes.set_xlabel("times our CPU time; error ≤ 1e-5 (blue), 1e-7 (red)")
    axes.set_title(
        "8 days, four scenes, mean and range", loc="left", fontweight="bold",
        fontsize=PAGE.title_size,
    )  # fmt: skip


def precision(axes) -> None:
    rows = record["precision"]
    axes.loglog([row["error"] for row in rows], [row["us"] for row in rows], "o-", color=BLUE, ms=3)
    for row in rows:
        axes.annotate(
            f"{row['rtol']:.0e}",
            (row["error"], row["us"]),
            xytext=(3, 3),
            textcoords="offset points",
        )
    axes.set_xlabel("largest error, share of each observable's scale")
    axes.set_ylabel("µs a run")
    axes.set_title(
        "Work and precision, by rtol",
        loc="left",
        fontweight="bold",
        fontsize=PAGE.title_size,
    )


def members(axes) -> None:
    rows = record["members"]
    counts = [row["members"] for row in rows]
    axes.loglog(counts, [row["seconds"] for row in rows], "o-", color=BLUE, ms=3)
    axes.set_xlabel("members of a sweep with summaries, into a store")
    axes.set_ylabel("seconds")
    axes.set_title("Time", loc="left", fontweight="bold", fontsize=PAGE.title_size)


def memory(axes) -> None:
    rows = record["members"]
    counts = [row["members"] for row in rows]
    axes.semilogx(counts, [row["peak_megabytes"] for row in rows], "s-", color=VERMILION, ms=3)
    axes.set_ylim(0.0, 1.1 * axes.get_ylim()[1])
    axes.set_xlabel("members of a sweep with summaries, into a store")
    axes.set_ylabel("peak memory (MB)")
    axes.set_title("Memory", loc="left", fontweight="bold", fontsize=PAGE.title_size)


with settings(PAGE):
    figure = new_figure(PAGE.width, 92.0)
    grid = figure.subplots(2, 2)
    engines(grid[0, 0])
    precision(grid[0, 1])
    members(grid[1, 0])
    memory(grid[1, 1])
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout(pad=0.6, h_pad=1.4, w_pad=1.4)
    save(figure, ROOT / "docs" / "figures" / "benchmark.png", style=PAGE)
