"""The gradient of a scenario's read-outs, as a table, a picture and files."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from ketasim.reports.text import Table
from ketasim.results import folder
from ketasim.studies.gradients import gradient as differentiated
from ketasim.studies.indices import Asked
from ketasim.studies.screening import sampled
from ketasim.studies.sensitivity import screened
from ketasim.verbs.run import Question, Tell, setup_of, warned

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ketasim.verbs.evidence import Sensitivity
    from ketasim.verbs.sweep import Order

TOP = 12


@dataclass(frozen=True, repr=False)
class Gradient:
    """Read-outs and their derivatives by names.

    Parameters
    ----------
    dataset
        ``value`` (readout,); ``derivative`` and ``elasticity`` (readout, by); ``at`` (by,).
    """

    dataset: xr.Dataset

    def __repr__(self) -> str:
        """Return the largest elasticities of every read-out, and what is to be known of them."""
        notes = [f"note: {one}" for one in self.dataset.attrs["notes"]]
        return "\n\n".join([*(repr(one) for one in self.tables()), *notes])

    def tables(self, *, top: int = TOP) -> list[Table]:
        """Return, for each read-out, the names that move it most."""
        return [self._table(k, top) for k in range(self.dataset.sizes["readout"])]

    def _table(self, k: int, top: int) -> Table:
        one = self.dataset.isel(readout=k)
        sizes = np.abs(one["elasticity"].to_numpy())
        order = [i for i in np.argsort(-np.nan_to_num(sizes), kind="stable") if sizes[i] > 0.0]
        units = str(one["readout_unit"].to_numpy())
        rows = tuple(
            (
                str(one["by"].to_numpy()[i]),
                f"{float(one['at'][i]):.6g} {one['by_unit'].to_numpy()[i]}",
                f"{float(one['elasticity'][i]):+.4g}",
                f"{float(one['derivative'][i]):+.6g}",
            )
            for i in order[:top]
        )
        value = f"{float(one['value']):.6g}" + ("" if units == "1" else f" {units}")
        count = f"{len(order)} of {self.dataset.sizes['by']} names move it"
        return Table(
            (str(one["readout"].to_numpy()), "at", "% per %", "derivative"),
            rows,
            f"value {value}; {count}"
            + (f", the first {len(rows)} shown" if len(order) > top else ""),
        )

    @cached_property
    def figure(self) -> "Figure":
        """Return a tornado for every read-out."""
        from ketasim.plots.sensitivity import draw_gradient

        return draw_gradient(self.dataset)

    def save(self, out: str | Path, *, formats: Iterable[str] = ()) -> list[Path]:
        """Write the picture, a table of everything (CSV) and the same as JSON; return the files.

        Raises
        ------
        ConfigError
            When the folder cannot be written.
        """
        from ketasim.plots.style import PAGE, save

        rows = list(self._rows())
        return folder.answer(
            Path(out),
            "gradient",
            record={"notes": self.dataset.attrs["notes"], "rows": rows},
            figures={"gradient": partial(save, self.figure, style=PAGE)},
            tables={"gradient": rows},
            formats=formats,
        )

    def _rows(self) -> Iterable[dict[str, Any]]:
        """Yield a row for each read-out and name."""
        found = self.dataset
        for k, i in np.ndindex(found.sizes["readout"], found.sizes["by"]):
            one = found.isel(readout=k, by=i)
            names = ("readout", "by", "readout_unit", "by_unit")
            numbers = ("derivative", "elasticity", "value")
            yield {n: str(one[n].item()) for n in names} | {n: one[n].item() for n in numbers}


def screened_order(order: "Order", asked: Asked, *, progress: bool = False) -> "Sensitivity":
    """Return bounds on total indices from gradients at the members of an order's design.

    Raises
    ------
    ConfigError, MissingValues
        As :func:`ketasim.sensitivity`.
    """
    from tqdm.auto import tqdm

    from ketasim.verbs.evidence import Sensitivity

    bar = (lambda one: tqdm(one, desc="gradients", leave=False)) if progress else iter
    outputs, slopes, units = sampled(
        order.scenario, order.design, order.keep["summaries"], rtol=order.how["rtol"], bar=bar
    )
    found = screened(order.design, slopes, outputs, units, asked=asked)
    columns = {
        name: (("member",), outputs[:, k], {"units": units[name]}) for k, name in enumerate(units)
    }
    return Sensitivity(found, xr.Dataset(columns), order.design)


def gradient(
    what: Question,
    readouts: str | Iterable[str],
    *,
    by: str | Iterable[str] | None = None,
    sets: Iterable[str] = (),
    modules: Iterable[str] = (),
    rtol: float | None = None,
    tell: Tell = warned,
) -> Gradient:
    """Return read-outs of one scenario and their derivatives by all that goes into it.

    Derivatives are taken back through the steps of the compiled engine, so that a gradient by all
    parameters costs a few runs. They hold through doses, inputs and a start from rest.

    Parameters
    ----------
    what
        A configuration's name, a TOML file, a Setup or a Scenario.
    readouts
        Numbers such as ``"spines.density.peak"``; see :mod:`ketasim.readouts`.
    by
        Names of parameters, ``subject.weight``, ``dosing[0].amount``, ``intervention[0].level``,
        ``bath[0].concentration``, ``STATE.start``; by default every parameter, dose and level.
    sets
        Changes to a file or named configuration, such as ``"output.until=3 d"``.
    modules
        Modules beside those it asks for: ``["safety"]``; ``ks.list_modules()`` shows all.
    rtol
        Relative tolerance of the run, 1e-9 by default.
    tell
        Hears each caution; a KetasimWarning by default.

    Raises
    ------
    ConfigError
        When a file, read-out or name cannot be understood.
    SolverError
        When integration stops.

    Examples
    --------
    >>> ks.gradient("human_healthy_iv", "spines.density.peak").tables()[0]
    """
    setup = setup_of(what, sets=sets, modules=modules)
    for caution in setup.cautions:
        tell(caution)
    return Gradient(differentiated(setup.scenario, readouts, by=by, rtol=rtol))
