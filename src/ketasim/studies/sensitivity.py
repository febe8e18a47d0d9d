"""Which inputs matter: indices of a sweep's read-outs, read from its result a stretch at a time.

The design says which indices there are. Members without a value are never left out in silence:
they are refused, or the blocks they belong to are dropped and counted.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ketasim.engines.status import Status, usable
from ketasim.errors import ConfigError, MissingValues, suggest
from ketasim.results import failures
from ketasim.results.failures import Survey
from ketasim.studies import indices
from ketasim.studies.designs.blocks import Blocks, factors_of, of_blocks
from ketasim.studies.designs.design import Design
from ketasim.studies.designs.distributions import Distribution
from ketasim.studies.indices import Asked, Found, Index

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
STRETCH = 32_768  # members read at once
LEAST = 0.5  # of the blocks must be left, or what is left answers another question
METHODS = {"saltelli": "sobol", "walks": "shapley", "morris": "morris"}
DRAWS = ("random", "sobol", "latin_hypercube", "large_hypercube")
WORDS = {
    "sobol": "Sobol' indices",
    "shapley": "Shapley effects",
    "morris": "elementary effects",
    "prcc": "partial rank correlations",
    "derivative": "bounds on total indices",
}
SHOWN = 20_000  # members with values that failed ones are compared with
Bar = Callable[[Iterator[Any], int], Iterator[Any]]


def method_of(design: Design) -> str:
    """Return which indices a design gives.

    Raises
    ------
    ConfigError
        When it gives none, as a grid or a table.
    """
    kind = str(design.description["kind"])
    if kind in DRAWS:
        return "prcc"
    if kind not in METHODS:
        raise ConfigError(
            f"a {kind} gives no sensitivity indices; draw what is uncertain: ketasim sensitivity "
            "CONFIG, or ketasim sweep CONFIG --sample lhs:4096 for rank correlations."
        )
    return METHODS[kind]


def analyse(
    dataset: "xr.Dataset",
    design: Design,
    readouts: Sequence[str] = (),
    *,
    asked: Asked | None = None,
    bar: Bar | None = None,
) -> "xr.Dataset":
    """Return sensitivity indices of a sweep.

    Parameters
    ----------
    dataset
        What the sweep gave; read a stretch of members at a time.
    design
        What it was given, from :mod:`ketasim.studies.designs`.
    readouts
        Which of its numbers; all when none is named.
    asked
        What to do about failed members, and how intervals are found.
    bar
        Wraps the stretches to show how far reading has come.

    Returns
    -------
    xarray.Dataset
        Dimensions ``(readout, factor)``. ``S1`` and ``ST`` (Sobol'), ``Sh`` (Shapley effects as
        shares of the variance), ``mu_star``, ``mu`` and ``sigma`` (Morris, in the unit of the
        read-out, for a whole range) or ``PRCC``, each with ``_low`` and ``_high``; ``used`` blocks
        of ``blocks``, and ``mean`` and ``sd`` of the read-out. NaN where a read-out does not vary.

    Raises
    ------
    MissingValues
        When members were not run, failed or have no number, and are not to be dropped.
    ConfigError
        When the design gives no indices, or there is no such read-out.
    """
    method = method_of(design)
    source = blocks_of(design)
    reading = Reading(dataset, chosen_readouts(dataset, readouts), source, bar)
    wish = asked or Asked()
    fine = reading.checked(wish.failed, WORDS[method])
    if isinstance(source, Blocks):
        found = _of_blocks(reading, source, fine, wish)
    else:
        found = {name: _prcc(reading, design, name, fine[name], wish) for name in reading.names}
    return _labelled(dataset, design, reading, fine, found, wish)


def blocks_of(design: Design) -> Blocks | None:
    """Return the blocks of a design, drawn again as it may come from a store; None without."""
    again = design if "factors" not in design.description else of_blocks(design.description)
    return again.source if isinstance(again.source, Blocks) else None


def chosen_readouts(dataset: "xr.Dataset", readouts: Sequence[str]) -> tuple[str, ...]:
    """Return read-outs that are there, all when none is named; raises ConfigError."""
    own = ("status", "steps", "rtol")
    known = [str(n) for n in dataset.data_vars if dataset[n].dims == ("member",) and n not in own]
    for name in readouts:
        if name not in known:
            raise ConfigError(
                f'"{name}": no such read-out in this sweep.{suggest(name, known)} '
                f"There are: {', '.join(known[:8])}."
            )
    if not known:
        raise ConfigError("this sweep has no read-outs; ask for one: --summary spines.peak.")
    return tuple(readouts) or tuple(known)


@dataclass(frozen=True)
class Reading:
    """The read-outs of a sweep, a stretch of whole blocks at a time; a block may be one member."""

    dataset: "xr.Dataset"
    names: tuple[str, ...]
    source: Blocks | None
    bar: Bar | None = None

    @property
    def width(self) -> int:
        """Return the members of a block."""
        return self.source.width if self.source else 1

    @property
    def blocks(self) -> int:
        """Return how many blocks there are."""
        return int(self.dataset.sizes["member"]) // self.width

    def stretches(self) -> Iterator[tuple[int, int]]:
        """Yield first and last (excluded) blocks."""
        step = max(1, STRETCH // self.width)
        parts = [(k, min(k + step, self.blocks)) for k in range(0, self.blocks, step)]
        yield from self.bar(iter(parts), len(parts)) if self.bar else parts

    def values(self, name: str, first: int, last: int) -> Array:
        """Return a column of some blocks, (last - first, width)."""
        part = self.dataset[name].isel(member=slice(first * self.width, last * self.width))
        return np.asarray(part.to_numpy(), dtype=float).reshape(last - first, self.width)

    @cached_property
    def survey(self) -> Survey:
        """Return what there is, after one reading."""
        seen = Survey(self.names, self.blocks)
        for first, last in self.stretches():
            status = self.values("status", first, last).astype(np.int8)
            seen.add_status(status)
            for name in self.names:
                seen.add(name, slice(first, last), status, self.values(name, first, last))
        return seen

    def checked(self, rule: str, what: str) -> Mapping[str, Flags]:
        """Return which blocks have all their values, by read-out.

        Raises
        ------
        MissingValues
            When that is not all of them and the rule is to refuse, or too few are left.
        """
        seen = self.survey
        if waiting := seen.ended[int(Status.NOT_RUN)]:
            raise MissingValues(
                f"cannot compute {what}: {waiting:,} members have not been run. Give the same "
                'command again, or "ketasim resume STORE", to go on.'
            )
        for name in self.names:
            whole = int(seen.fine[name].sum())
            if whole == self.blocks or (rule == "drop" and whole >= max(2, LEAST * self.blocks)):
                continue
            raise MissingValues(f"cannot compute {what} of {name}: {self._lost(name, rule, what)}")
        return seen.fine

    def _lost(self, name: str, rule: str, what: str) -> str:
        """Return what is lacking, where, and what can be done."""
        seen, total = self.survey, self.dataset.sizes["member"]
        parts = []
        if seen.failed:
            kinds = ", ".join(f"{Status(k).name.lower()} {n:,}" for k, n in seen.failures.items())
            parts.append(f"{seen.failed:,} of {total:,} members failed ({kinds}){self._where}")
        if seen.without[name]:
            parts.append(f"{seen.without[name]:,} of {total:,} members ran but have no such number")
        of = "" if self.width == 1 else f" in {self._dropped(name):,} of {self.blocks:,} blocks"
        told = f"{' and '.join(parts)}{of}."
        seen_how = ' "ketasim failures STORE" lists those that failed.' if seen.failed else ""
        if rule == "drop":
            return f"{told} Too little is left when they are dropped.{seen_how}"
        unit = "blocks" if self.width > 1 else "members"
        return (
            f"{told}{seen_how} Narrow the ranges with --vary, or leave those {unit} out with "
            f'--failed drop (failed="drop"), which makes the {what} those of the rest.'
        )

    def _dropped(self, name: str) -> int:
        return self.blocks - int(self.survey.fine[name].sum())

    @property
    def _where(self) -> str:
        """Return the part of a range that failed members share, if any."""
        status = self.dataset["status"].to_numpy()
        good = np.flatnonzero(usable(status))
        good = good[np.linspace(0, len(good) - 1, min(SHOWN, len(good))).astype(int)]
        some = np.union1d(failures.failed(self.dataset)[:SHOWN], good)
        region = failures.region(self.dataset.isel(member=some).load())
        return f", all with {region}," if region else ""


def _of_blocks(
    reading: Reading, source: Blocks, fine: Mapping[str, Flags], asked: Asked
) -> dict[str, Found]:
    """Return the indices of every read-out, after one reading of them all."""
    seen = reading.survey
    made = {x: _estimator(source, int(fine[x].sum()), seen.mean(x), asked) for x in reading.names}
    for first, last in reading.stretches():
        steps: tuple[NDArray[Any], ...] = ()
        if source.kind != "saltelli":
            steps = (source.orders(first, last),)
        if source.kind == "morris":
            steps = (*steps, source.ups(first, last))
        for name in reading.names:
            kept = fine[name][first:last]
            if kept.any():
                values = reading.values(name, first, last)[kept]
                made[name].add(values, *(one[kept] for one in steps))
    found: dict[str, Found] = {name: made[name].found(asked.level) for name in reading.names}
    none = indices.nothing(len(source.factors))
    flat = [name for name in reading.names if not indices.does_vary(*seen.ends[name])]
    return found | {name: dict.fromkeys(found[name], none) for name in flat}


def _estimator(source: Blocks, n: int, centre: float, asked: Asked) -> Any:
    """Return what takes the blocks of one read-out and gives its indices."""
    how: dict[str, Any] = {"resamples": asked.resamples, "seed": asked.seed}
    if source.kind == "saltelli":
        return indices.Sobol(n, len(source.factors), centre=centre, **how)
    if source.kind == "walks":
        return indices.Shapley(n, len(source.factors), **how)
    return indices.Morris(source.step, **how)


def _prcc(reading: Reading, design: Design, name: str, fine: Flags, asked: Asked) -> Found:
    firsts = [design.names.index(inside[0]) for inside in factors_of(design).values()]
    values = np.empty((int(fine.sum()), len(firsts)))
    outputs, done = np.empty(len(values)), 0
    for first, last in reading.stretches():
        kept = fine[first:last]
        stop = done + int(kept.sum())
        values[done:stop] = design.rows(first, last)[kept][:, firsts]
        outputs[done:stop] = reading.values(name, first, last)[kept, 0]
        done = stop
    return indices.prcc(values, outputs, level=asked.level)


def _labelled(
    dataset: "xr.Dataset",
    design: Design,
    reading: Reading,
    fine: Mapping[str, Flags],
    found: Mapping[str, Found],
    asked: Asked,
) -> "xr.Dataset":
    names, seen = list(reading.names), reading.survey
    used = [int(fine[name].sum()) for name in names]
    kept = ("ketasim_version", "model", "model_digest", "parameter_changes", "engine", "rtol",
            "design_digest", "scenario", "scenario_name", "config")  # fmt: skip
    attributes = {one: dataset.attrs[one] for one in kept if one in dataset.attrs}
    told = {
        "method": method_of(design),
        "members": int(dataset.sizes["member"]),
        "blocks": reading.blocks,
        "block_members": reading.width,
        "failed_members": seen.failed,
    }
    units = [str(dataset[name].attrs.get("units", "1")) for name in names]
    table = _table(found, factors_of(design), dict(zip(names, units, strict=True)), asked)
    table["used"] = (("readout",), np.array(used))
    for key, of in (("mean", seen.mean), ("sd", seen.sd)):
        table[key] = (("readout",), np.array([of(name) for name in names]))
    return table.assign_attrs({**attributes, **told})


def _table(
    found: Mapping[str, Found],
    factors: Mapping[str, Sequence[str]],
    units: Mapping[str, str],
    asked: Asked,
) -> "xr.Dataset":
    """Return indices with their names, (readout, factor)."""
    import xarray as xr

    variables: dict[str, Any] = {}
    for key in next(iter(found.values())):
        for end, tail in (("value", ""), ("low", "_low"), ("high", "_high")):
            table = np.stack([getattr(found[name][key], end) for name in units])
            variables[key + tail] = (("readout", "factor"), table)
    coordinates = {
        "readout": list(units),
        "factor": list(factors),
        "unit": (("readout",), list(units.values())),
        "inside": (("factor",), [", ".join(inside) for inside in factors.values()]),
    }
    told = {"rule": asked.failed, "level": asked.level, "resamples": asked.resamples}
    return xr.Dataset(variables, coordinates, {**told, "seed": asked.seed})


def screened(
    design: Design,
    gradients: Array,
    outputs: Array,
    readouts: Mapping[str, str],
    *,
    asked: Asked | None = None,
) -> "xr.Dataset":
    """Return upper bounds on total indices, from gradients at the first members of a draw.

    Parameters
    ----------
    design
        Drawn independently: ``designs.random``, ``sobol`` or ``latin_hypercube``.
    gradients
        By the design's columns, in their units, shape (n_members, n_readouts, n_columns).
    outputs
        The read-outs, shape (n_members, n_readouts).
    readouts
        Their names and units.

    Returns
    -------
    xarray.Dataset
        ``bound`` (readout, factor) with ``_low`` and ``_high``, as :func:`analyse` returns indices;
        see :func:`ketasim.studies.indices.derivative_based`.

    Raises
    ------
    MissingValues
        When a member has no gradient or no value, and is not to be dropped.
    ConfigError
        When shapes do not fit, or members are not drawn independently.
    """
    if (kind := design.description["kind"]) not in DRAWS:
        raise ConfigError(f"a {kind} does not draw members independently; use sobol or random.")
    wish, n = asked or Asked(), len(outputs)
    columns = {name: Distribution.of(one) for name, one in design.description["columns"]}
    found = indices.derivative_based(
        gradients, outputs, columns, design.rows(0, n), shares=design.description.get("shares"),
        failed=wish.failed, level=wish.level, resamples=wish.resamples, seed=wish.seed,
    )  # fmt: skip
    named = {
        name: {"bound": Index(found.bound[k], found.low[k], found.high[k])}
        for k, name in enumerate(readouts)
    }
    table = _table(named, factors_of(design), readouts, wish)
    table["used"] = (("readout",), np.full(len(readouts), found.used))
    table["mean"] = (("readout",), np.nanmean(outputs, axis=0))
    table["sd"] = (("readout",), np.nanstd(outputs, axis=0))
    counted = {"members": n, "blocks": n, "block_members": 1, "failed_members": found.failed}
    return table.assign_attrs({"method": "derivative", **counted})
