"""Gradients in reverse mode: of any number of a run by everything that went into it.

A run keeps the steps it took. Its derivatives are taken back through these very steps by a second
kernel (``ketasim.compile.backward``), so a gradient by all parameters costs a few runs however many
there are. The step sizes count as given: what is differentiated is the solution, to its tolerance.
Where a run starts from rest under conditions that always held, the implicit function of that rest
is differentiated. At a kink (``max``, ``where``, ``abs``) a derivative is that of one side.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.compile.interface import BACKWARD
from ketasim.compile.pullback import carried_out, pulled_back
from ketasim.compile.trace import Node
from ketasim.core.model import Model
from ketasim.engines.contract import DERIVATIVES, Array, Batch, Counts, Gradients, Settings
from ketasim.engines.ensemble import EnsembleResult, run_members
from ketasim.engines.inputs import Inputs, gather, tape_row, workspace
from ketasim.engines.kernels import Kernel, kernel_for
from ketasim.engines.kinks import kinks
from ketasim.engines.looks import Gathered, gathered
from ketasim.engines.seeds import Looks, Tape, summed
from ketasim.engines.status import usable
from ketasim.readouts.derive import Primitive, combined, first_run, level_of, second_run

STEPS = 256  # of each member that are kept at first; more where that was not enough
TOGETHER = 128  # members taken back at once
Flags = NDArray[np.bool_]


def gradients(
    batch: Batch,
    how: Settings,
    *,
    first_step: float,
    weights: Array | None = None,
    with_kinks: bool = False,
    with_rest: bool = True,
) -> Gradients:
    """Try every member of a batch once; see :func:`ketasim.engines.run.gradients`."""
    inputs = gather(batch.schedules).for_members(len(batch))
    kernel = kernel_for(batch.model, inputs, members=len(batch), covering=batch.covering)
    blank = _blank(batch, inputs, len(batch.reductions) if weights is None else 1)
    general = kernel.is_general(batch.parameters)
    notes: list[str] = []
    memory = [np.empty(0)]
    for variant in (False, True):
        mine = np.flatnonzero(general == variant)
        for at in range(0, len(mine), TOGETHER):
            part = mine[at : at + TOGETHER]
            one = _Part(kernel, batch, inputs, how, part, first_step, memory, general=variant)
            one.with_rest = with_rest
            tape = one.into(blank, None if weights is None else weights[part])
            if with_kinks and tape is not None:
                notes += kinks(batch.model, kernel, tape)
    return replace(blank, notes=tuple(dict.fromkeys(notes)))


def _blank(batch: Batch, inputs: Inputs, r: int) -> Gradients:
    n = len(batch)
    edges = int(np.diff(inputs.firsts).max())
    states, knobs = len(batch.model.states), len(batch.model.knobs)

    def empty(*shape: int) -> Array:
        return np.full((n, r, *shape), np.nan)

    return Gradients(
        values=np.full((n, len(batch.reductions)), np.nan),
        by_parameter=empty(batch.parameters.shape[1]),
        by_knob=empty(edges, knobs),
        by_before=empty(knobs),
        by_rate=empty(edges, states),
        by_bolus=empty(edges, states),
        by_start=empty(states),
        final=np.full((n, states), np.nan),
        status=np.full(n, -1, dtype=np.int8),
        steps=np.zeros(n, dtype=np.int64),
    )


class _Part:
    """Some members of one variant, from their runs to their derivatives."""

    def __init__(
        self,
        kernel: Kernel,
        batch: Batch,
        inputs: Inputs,
        how: Settings,
        members: Counts,
        first_step: float,
        memory: list[Array],
        *,
        general: bool,
    ) -> None:
        """Take what is asked of these members, and the kernels that serve them."""
        self.kernel, self.batch, self.how, self.members = kernel, batch, how, members
        self.reductions, self.first_step = batch.reductions, first_step
        self.memory, self.with_rest = memory, True
        self.plan = kernel.plan(general=general)
        self.back, self.code = kernel.backward(general=general)
        self.parameters = np.ascontiguousarray(batch.parameters[members])
        self.inputs = replace(inputs, plans=inputs.plans[members])
        self.n_edges = int(np.diff(inputs.firsts).max())
        self.live = np.array(self.plan.live)

    def into(self, out: Gradients, weights: Array | None) -> Tape | None:
        """Compute everything, write it where it belongs, and return the steps if there are any."""
        first, second = first_run(self.reductions), second_run(self.reductions)
        found = self._run(first, None)
        numbers = dict(zip(first, np.moveaxis(found.numbers, 1, 0), strict=True))
        if second:
            levels = np.stack([level_of(one, numbers) for one in second], axis=1)
            again = self._run(second, levels, tape=False)
            numbers |= dict(zip(second, np.moveaxis(again.numbers, 1, 0), strict=True))
        values = combined(self.reductions, numbers, self.batch.ends)
        good = usable(found.status)
        values[~good] = np.nan
        out.values[self.members] = values
        out.status[self.members], out.steps[self.members] = found.status, found.steps
        if found.final is not None:
            out.final[self.members] = found.final
        if not good.any():
            return None
        tape = self._tape(found.tape, np.where(good, found.steps, 0), first)
        looked = gathered(tape, self.reductions, numbers, self.batch.ends, good, weights)
        none = np.isnan(values)
        if weights is not None:  # a sum has no value where any number that counts has none
            none = (none & (weights != 0.0)).any(axis=1, keepdims=True)
        self._take_back(tape, looked, good & ~none.all(axis=1), none, out)
        return tape

    def _run(
        self, primitives: Sequence[Primitive], levels: Array | None, *, tape: bool = True
    ) -> EnsembleResult:
        size = STEPS
        while True:
            found = run_members(
                self.kernel, self.parameters, self.inputs, np.empty(0), rtol=self.how.tolerance,
                limits=self.how.limits, threads=self.how.threads, record=(),
                primitives=tuple(primitives), levels=levels, keep_final=True,
                first_step=self.first_step, tape=self._room(primitives, size) if tape else None,
            )  # fmt: skip
            most = int(found.steps[usable(found.status)].max(initial=0))
            if not tape or most <= size:
                return found
            size = most

    def _room(self, primitives: Sequence[Primitive], size: int) -> Array:
        """Return where to keep steps: the same memory for one part after another."""
        shape = (len(self.members), size, tape_row(self.plan, (), primitives))
        if self.memory[0].size < prod(shape):
            self.memory[0] = np.zeros(prod(shape))
        return self.memory[0][: prod(shape)].reshape(shape)

    @property
    def _given(self) -> Inputs:
        return self.inputs.narrowed(self.plan.dosed, self.plan.turned, self.plan.neutral)

    def _rows(self, rows: Array) -> Array:
        """Return rows that are listed by edge as (n_members, n_edges, ...)."""
        firsts, plans = self.inputs.firsts, self.inputs.plans
        places = firsts[plans][:, None] + np.arange(self.n_edges)
        inside = places < firsts[plans + 1][:, None]
        return np.where(inside[:, :, None], rows[np.where(inside, places, 0)], 0.0)

    def _tape(self, rows: Array, counts: Counts, primitives: Sequence[Primitive]) -> Tape:
        names = {one.name for one in primitives}
        states = sorted({i for name in names for i in self.plan.observers[name].states})
        everything = np.zeros((len(self.inputs.edges), len(self.plan.scales)))
        everything[:, list(self.inputs.columns)] = self.inputs.rates
        boluses = np.zeros_like(everything)
        boluses[:, list(self.inputs.columns)] = self.inputs.boluses
        return Tape(
            self.plan, self.back, rows, counts, states=states, parameters=self.parameters,
            knobs=self._rows(self.inputs.knobs), rates=self._rows(everything),
            boluses=self._rows(boluses)[:, :, self.live],
        )  # fmt: skip

    def _take_back(
        self, tape: Tape, looked: Gathered, good: Flags, none: Flags, out: Gradients
    ) -> None:
        """Carry looks back; ``none`` (n_members, n_sums) says what has no value."""
        n, r, n_live = len(self.members), none.shape[1], len(self.live)
        tasks = n * r
        given, n_p = self._given, self.parameters.shape[1]
        n_k = given.knobs.shape[1]
        seeds = _Seeds(tape, looked, tasks, self.n_edges)
        settled = self.inputs.settled[self.inputs.plans]
        results = {
            "by_edge": np.zeros((tasks, self.n_edges, n_live)),
            "by_start": np.zeros((tasks, n_live)),
            "by_parameter": np.zeros((tasks, n_p)),
            "by_knob": np.zeros((tasks, self.n_edges, n_k)),
            "by_rate": np.zeros((tasks, self.n_edges, len(self.plan.dosed))),
        }
        counts = np.where(good, tape.counts, 0)
        arguments = {
            **results, **seeds.arrays, "owners": np.repeat(np.arange(n), r),
            "tape": tape.rows, "counts": counts, "parameters": self.parameters,
            "plans": given.plans, "firsts": given.firsts, "knobs": given.knobs,
            "rates": given.rates, "rested": np.repeat((~settled).astype(np.int8), r),
            "workspace": workspace(self.back.size),
        }  # fmt: skip
        self.code.run(BACKWARD, arguments)
        results["by_edge"] += seeds.at_end
        shaped = {key: one.reshape(n, r, *one.shape[1:]) for key, one in results.items()}
        before = np.zeros((n, r, n_k))
        for i in np.flatnonzero(settled & good) if self.with_rest else ():
            lam = shaped["by_start"][i]
            own, knobs = self._at_rest(tape, int(i), lam)
            shaped["by_parameter"][i] += own
            before[i] = knobs
        self._write(shaped, before, good, out)
        if not self.with_rest:
            out.by_parameter[self.members[settled]] = np.nan
            out.by_before[self.members[settled]] = np.nan
        member, row = np.nonzero(none & good[:, None])
        for name in DERIVATIVES:  # what has no value has no slope
            getattr(out, name)[self.members[member], row] = np.nan

    def _write(
        self, found: Mapping[str, Array], before: Array, good: Flags, out: Gradients
    ) -> None:
        into = self.members[good]
        out.by_parameter[into] = found["by_parameter"][good]
        out.by_knob[into] = found["by_knob"][good]
        out.by_before[into] = before[good]
        for name, given, columns in (
            ("by_rate", found["by_rate"], list(self.plan.dosed)),
            ("by_bolus", found["by_edge"], self.live),
            ("by_start", found["by_start"], self.live),
        ):
            whole = getattr(out, name)
            part = np.zeros((len(into), *whole.shape[1:]))
            part[..., columns] = given[good]
            whole[into] = part

    def _at_rest(self, tape: Tape, i: int, lam: Array) -> tuple[Array, Array]:
        """Return the derivatives by parameters and standing inputs through a resting start.

        At rest ``f(y, p, k) = 0`` and what is conserved is what the drug-free start holds. So with
        ``J' m + L' v = lam``, the derivative is ``-m f_p + (L' v) rest_p``; see ``steady.settle``.
        """
        before = self.inputs.before[self.inputs.plans[i]]
        full = np.zeros(len(self.plan.scales))
        full[self.live] = tape.first[i]
        leaves = {"y": full, "p": self.parameters[i], "k": before, "r": np.zeros(len(full))}
        rows, columns = zip(*self.back.entries, strict=True)
        jacobian = np.zeros((len(self.live), len(self.live)))
        jacobian[list(rows), list(columns)] = carried_out(list(self.back.entries.values()), leaves)
        pools = _pools(self.batch.model)[:, self.live]
        whole = np.concatenate([jacobian, pools]).T
        found = np.linalg.lstsq(whole, lam.T, rcond=1e-13)[0]
        left, held = found[: len(self.live)], pools.T @ found[len(self.live) :]
        own = np.zeros((len(lam), self.parameters.shape[1]))
        knobs = np.zeros((len(lam), len(before)))
        for nodes, seeds in ((self.back.slopes, -left), (self.back.rest, held)):
            for at in range(len(lam)):
                for kind, target in (("p", own), ("k", knobs)):
                    target[at] += _pulled(nodes, seeds[:, at], kind, target.shape[1], leaves)
        return own, knobs


def _pulled(
    nodes: Sequence[Node], seeds: Array, kind: str, length: int, leaves: Mapping[str, Array]
) -> Array:
    """Return the derivative by an array's entries, given that by nodes."""
    graph = nodes[0].graph
    ends = [(node, graph.leaf("seed", i)) for i, node in enumerate(nodes)]
    inputs = {graph.leaf(kind, i).id: i for i in range(length)}
    found = pulled_back(graph, ends, list(inputs), is_last=True)
    values = carried_out(list(found.values()), {**leaves, "seed": seeds})
    whole = np.zeros(length)
    for key, value in zip(found, values, strict=True):
        whole[inputs[key]] = value
    return whole


def _pools(model: Model) -> Array:
    where = {name: i for i, name in enumerate(model.states)}
    rows = np.zeros((len(model.conserved), len(where)))
    for row, pool in zip(rows, model.conserved, strict=True):
        row[[where[name] for name in pool]] = 1.0
    return rows


class _Seeds:
    """Looks as the arrays that the backward kernel starts from."""

    def __init__(self, tape: Tape, looked: Gathered, tasks: int, n_edges: int) -> None:
        """Lay every look out; a task is one reduction of one member."""
        looks = [(name, one) for name, many in looked.items() for one in many]
        derived = [(one, *tape.by_states(name, one)) for name, one in looks]
        self.starts = np.zeros((tasks, len(tape.plan.live)))
        self.at_end = np.zeros((tasks, n_edges, len(tape.plan.live)))
        self.rows = np.full((tasks, tape.rows.shape[1]), -1)
        for _, one in looks:
            self.rows[one.places[~one.at_first], one.steps[~one.at_first]] = 0
        seen = np.flatnonzero(self.rows.ravel() == 0)
        self.rows.ravel()[seen] = np.arange(len(seen))
        self.seeds = np.zeros((len(seen), max(1, len(tape.states)), 5))
        self.seeded = np.array(tape.states or (0,), dtype=np.int64)
        self.steady = sorted({at for *_, constants in derived for at in constants})
        self.at_once = np.zeros((tasks, n_edges, len(self.steady)))
        for one, states, constants in derived:
            self._add(tape, one, states, constants)

    def _add(
        self, tape: Tape, looks: Looks, states: Mapping[int, Array], constants: Mapping[int, Array]
    ) -> None:
        within = np.flatnonzero(~looks.at_first)
        first = np.flatnonzero(looks.at_first)
        places, rows = looks.places, self.rows[looks.places, looks.steps]
        shape = looks.shape
        last = np.flatnonzero(looks.steps == tape.counts[looks.members] - 1)
        ends = tape.is_end(looks.members, looks.steps, looks.shares, last)
        segments = tape.segment_of(looks.members, looks.steps)
        for state, slope in states.items():
            weight, at = looks.weights * slope, tape.states.index(state)
            if len(first):
                np.add.at(self.starts[:, state], places[first], weight[first, 0])
                _gather(self.seeds, at, rows[within], weight[within], shape[:, within])
            else:
                _gather(self.seeds, at, rows, weight, shape)
            final = np.where(ends, weight[last], 0.0).sum(axis=1)
            np.add.at(self.at_end[:, :, state], (places[last], segments[last] + 1), final)
        flat = places * self.at_once.shape[1] + segments
        for constant, slope in constants.items():
            weight = (looks.weights * slope).sum(axis=1)
            total = np.bincount(flat, weight, minlength=self.at_once[:, :, 0].size)
            column = self.at_once[:, :, self.steady.index(constant)]
            column += total.reshape(column.shape)

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by their names in the interface."""
        return {
            "seeded": self.seeded,
            "rows": self.rows,
            "seeds": self.seeds,
            "steady": np.array(self.steady, dtype=np.int64),
            "at_once": self.at_once,
            "starts": self.starts,
        }


def _gather(seeds: Array, at: int, rows: Counts, weights: Array, shape: Array) -> None:
    """Add looks (n, k) at one state to the five numbers of their steps, (n_rows, n_states, 5)."""
    found = summed((w[:, None], one) for w, one in zip(weights.T, shape.T, strict=True))
    if shape.shape[1] == 1:  # whole steps, each once
        seeds[rows, at] += found
        return
    for k in range(found.shape[1]):
        seeds[:, at, k] += np.bincount(rows, found[:, k], minlength=len(seeds))
