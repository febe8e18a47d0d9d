"""Published kinetics beside the model's, a line a row; with --fit, the values of the ledger.

    python scripts/kinetics.py                     # the table
    python scripts/kinetics.py --fit               # fit again, from the ledger's own values
    python scripts/kinetics.py --fit --starts 8    # and from seven places around them
    python scripts/kinetics.py --fit --without hasan   # and leave arms out whose name begins so

A row is met when the model lies within two standard errors or 30 %. The fit takes these windows as
hinges: a row costs little within its window and a Cauchy loss of the distance outside, so that rows
that no value can meet do not drag the others along. Rows that were not read in the source itself
count a third. A value stays within what sources say of it, where its bounds reach that far. Fitted
on every row, the table shows agreement, not prediction; --without shows that.
"""

import argparse
import csv
from dataclasses import dataclass

import numpy as np
from asked import ends
from scipy.optimize import least_squares

import ketasim as ks
from ketasim.config.packaged import folder
from ketasim.models import antidepressant
from ketasim.studies.fit.likelihood import Problem, problem

TABLE = folder() / "data" / "pk_published.csv"
WINDOW = 0.3  # a row is met within this share of its value, or two standard errors
EDGE, STEEP, INSIDE = 0.93, 4.0, 0.25
SPREAD = 0.15  # of starts around the ledger, of the width between ends
EACH = ("clearance_70", "f_gut", "direct")
SHARED = (
    "v_central_70", "v_fast_70", "v_slow_70", "q_fast_70", "q_slow_70", "to_norketamine",
    "cl_norketamine_70", "v_norketamine_70", "to_hydroxynorketamine", "cl_hydroxynorketamine_70",
    "v_hydroxynorketamine_70", "v_far_70", "q_hydroxynorketamine_70", "k_nose", "k_drops", "f_nose",
    "f_drops", "k_gut", "first_pass_norketamine", "first_pass_hydroxynorketamine", "k_venous_70",
    "partition_hydroxynorketamine",
)  # fmt: skip
FREE = [f"{one}.{name}" for one in ("pk_s", "pk_r") for name in EACH]
FREE += ["body.exponent", *(f"disposition.{name}" for name in SHARED)]


@dataclass(frozen=True)
class Rows:
    """The points of the table in the order in which they are predicted."""

    asked: Problem
    cells: list[dict[str, str]]
    value: np.ndarray
    width: np.ndarray
    censored: np.ndarray

    def met(self, found):
        """Return which rows lie within their windows."""
        beyond = (found - self.value) * self.censored >= 0.0
        return np.where(self.censored != 0, beyond, np.abs(found - self.value) <= self.width)

    def column(self, name):
        """Return one column of the table."""
        return np.array([one[name] for one in self.cells])

    def residuals(self, found, kept):
        """Return the hinge of each row, negligible within its window."""
        off = np.log(np.maximum(found, 1e-9) / self.value)
        up = np.log1p(self.width / self.value)
        down = -np.log(np.maximum(1.0 - self.width / self.value, 0.05))
        z = np.where(off > 0.0, off / up, off / down)
        weight = kept * np.where(self.column("kind") == "unconfirmed", 0.3, 1.0)
        cost = weight * (INSIDE * z + np.sign(z) * STEEP * np.maximum(np.abs(z) - EDGE, 0.0))
        cost = np.where(cost * self.censored > 0.0, 0.0, cost)
        return np.nan_to_num(cost, nan=20.0)


def rows():
    """Return the published rows, with what predicts them."""
    asked = problem(antidepressant(), FREE, data=[ks.load_data(TABLE)])
    lines = TABLE.read_text("utf-8").splitlines()
    head = next(csv.reader([next(one for one in lines if not one.startswith("#"))]))
    seen = asked.observations
    cells = [dict(zip(head, next(csv.reader([lines[p.line - 1]])), strict=True)) for p in seen]
    value = np.array([one.value for one in seen])
    width = np.maximum(2.0 * np.array([one.error for one in seen]), WINDOW * np.abs(value))
    return Rows(asked, cells, value, width, np.array([one.censored for one in seen]))


def fitted(table, kept, starts, seed):
    """Return the point at which the windows are met best, of fits from the ledger and around it."""
    asked, rng = table.asked, np.random.default_rng(seed)
    low, high = ends(asked)
    spread = SPREAD * (high - low) * rng.standard_normal((starts, len(low)))
    spread[0] = 0.0
    fits = [descended(table, kept, asked.guess + one, low, high) for one in spread]
    print("losses:", ", ".join(f"{one.cost:.2f}" for one in fits))
    return min(fits, key=lambda one: one.cost).x


def descended(table, kept, start, low, high):
    """Return the fit that begins at a point, brought within its ends."""

    def residuals(x):
        return table.residuals(table.asked.predict(x[None, :])[0][0], kept)

    def slopes(x):
        step = np.where(x + 1e-3 > high, -1e-3, 1e-3)
        found = table.asked.predict(np.vstack([x, x + np.diag(step)]))[0]
        cost = np.array([table.residuals(one, kept) for one in found])
        return ((cost[1:] - cost[0]) / step[:, None]).T

    inside = np.clip(start, low + 1e-4, high - 1e-4)
    return least_squares(
        residuals, inside, slopes, bounds=(low, high), loss="cauchy", max_nfev=60, ftol=1e-4
    )


def told(table, found, shown):
    """Print each row that is shown, and how many are met."""
    met, kind = table.met(found), table.column("kind")
    for i in np.flatnonzero(shown):
        one = table.cells[i]
        unit = "" if one["unit"] == "1" else f" {one['unit']}"
        error = "" if not one["error"] else f" ({one['error']})"
        scale = float(one["value"].lstrip("<>")) / table.value[i]
        print(
            f"{one['row']:5} {one['arm'][:20]:20} {one['time [h]'][:5]:5} "
            f"{one['value'] + error + unit:28} {found[i] * scale:9.4g} "
            f"{'met' if met[i] else 'MISSED':6} {kind[i]:11} {one['readout'][:60]}"
        )
    counted = shown & (kind != "unconfirmed")
    dynamic = shown & (kind == "")
    for what, which in (("confirmed", counted), ("of these no ledger number", dynamic)):
        print(f"{what}: {met[which].sum()} of {which.sum()} met ({met[which].mean():.0%})")


def main():
    """Print the table, or fit first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", action="store_true", help="fit first and print the values")
    parser.add_argument("--without", default="", help="leave out arms whose name begins so")
    parser.add_argument("--starts", type=int, default=1, help="fits, the first from the ledger")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    table = rows()
    out = np.array(
        [bool(asked.without) and one["arm"].startswith(asked.without) for one in table.cells]
    )
    point = table.asked.guess
    if asked.fit:
        point = fitted(table, 1.0 - out, asked.starts, asked.seed)
        for free, x in zip(table.asked.free, point, strict=True):
            print(f"{free.name:40} {free.value(x):8.3g} {free.unit}")
    found = table.asked.predict(point[None, :])[0][0]
    told(table, found, out if asked.without else np.ones(len(out), bool))


if __name__ == "__main__":
    main()
