"""Fit every rival account, and the default, to the same data by the same procedure.

    python scripts/rivals.py                     # configs/rivals, some minutes a rival
    python scripts/rivals.py resting trkb        # these

Data, error model and prior are those of ``scripts/posterior.py``. Each account has its own best
point: Gauss-Newton over everything that is drawn there and its own gain (0 to 1), from two places,
the ledger's values, which were fitted to the default, and the middle of all bounds; the better of
the two is kept. A file is a hypothesis with all its numbers, so that ``ketasim judge
configs/rivals/*.toml`` and ``ketasim check --model configs/rivals/trkb.toml`` compare what was
fitted with what was fitted. Its head says what the data lose there.
"""

import argparse
from pathlib import Path

import numpy as np
from asked import target
from descent import bests, least
from scipy.special import ndtri

from ketasim.config.packaged import folder
from ketasim.models import antidepressant
from ketasim.models.rivals import RIVALS

FULL = 0.9  # the gain from which the search begins
STORY = "Fitted: {story}"


def fitted(rival, base):
    """Return a target, the best points by where they were begun, and the name of the better."""
    asked = target(rival.model(base, 1.0), gains=tuple(rival.gains))
    own = np.isin([one.name for one in asked.free.free], rival.gains)
    found = bests(asked, lambda start: np.where(own, ndtri(FULL), start))
    return asked, found, least(found)


def text(rival, asked, found, told):
    """Return a hypothesis file of a best point."""
    z, _, lost, prior = found[told]
    values = asked.free.values(asked.free.from_normal(z[None]))[0]
    tried = "; ".join(f"from {k} {a:.1f} and {b:.1f}" for k, (*_, a, b) in found.items())
    drivers = {n: v for n, v in rival.values.items() if n not in rival.gains}
    lines = [
        f"# Written by python scripts/rivals.py {rival.name}, of model {asked.free.model.digest}.",
        f"# Twice the log-likelihood that data and prior lose: {lost:.1f} and {prior:.1f},",
        f"# begun at {told} ({tried}).",
        "schema = 1",
        f'name = "{rival.name} fitted"',
        f'story = "{STORY.format(story=rival.story)}"',
        f'strength = "{rival.strength}"',
        "",
        "[parameters]",
        *(f'"{name}" = {value:g}' for name, value in drivers.items()),
    ]
    for one, value in zip(asked.free.free, values, strict=True):
        shown = f"{value:.5g}"
        lines.append(f'"{one.name}" = ' + (shown if one.unit == "1" else f'"{shown} {one.unit}"'))
    return "\n".join(lines) + "\n"


def main():
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="rivals; all when empty")
    parser.add_argument("--out", type=Path, default=folder() / "rivals")
    chosen = parser.parse_args()
    base = antidepressant()
    chosen.out.mkdir(parents=True, exist_ok=True)
    for rival in RIVALS:
        if chosen.names and rival.name not in chosen.names:
            continue
        print(rival.name, flush=True)
        asked, found, told = fitted(rival, base)
        (chosen.out / f"{rival.name}.toml").write_text(text(rival, asked, found, told), "utf-8")


if __name__ == "__main__":
    main()
