"""The one door to the engines: a batch in, an outcome out, judged and retried by one rule.

An attempt is made at every member; those that fail are tried again, first with a smaller first
step, then by another method, at the same tolerance, and only where ``allow_looser`` says so at a
looser one. What is left keeps the status of its first attempt. A finished run is then judged: its
values are numbers, its states within their intervals, and what was given is all there.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.core.schedule import Schedule
from ketasim.core.system import System
from ketasim.engines import balance
from ketasim.engines.contract import (
    ATTEMPTS,
    DERIVATIVES,
    Array,
    Asked,
    Attempt,
    Batch,
    Gradients,
    Halt,
    Halted,
    Outcome,
    Settings,
    Try,
    looser,
    never,
)
from ketasim.engines.status import AGAIN, Status, usable
from ketasim.errors import ModelError
from ketasim.readouts.derive import Primitive, combined, first_run, level_of, second_run

Flags = NDArray[np.bool_]
Carrier = Callable[[list[tuple[Batch, Asked, Settings]]], list[tuple[Attempt, Array]]]
PART = 64  # members that are worth sending elsewhere
_CARRIERS: list[tuple[Carrier, int]] = []


def run(batch: Batch, settings: Settings, *, halted: Halt = never) -> Outcome:
    """Carry a batch out.

    Parameters
    ----------
    batch
        Members of one model, and what is asked of them.
    settings
        Which engine, how exact, what a member may spend.
    halted
        Asked now and then; when it says yes, ``Halted`` is raised.

    Returns
    -------
    Outcome
        One row a member, whatever became of it.

    Raises
    ------
    Halted
        When ``halted()`` became true.
    ModelError
        When a recorded name is unknown or a law cannot be compiled.
    """
    began = time.perf_counter()
    primitives = first_run(batch.reductions)
    asked = _asked(batch, [_within(batch, one) for one in primitives])
    found, rtol = _carried(batch, asked, settings, halted)
    numbers = dict(zip(primitives, np.moveaxis(found.numbers, 1, 0), strict=True))
    later = second_run(batch.reductions)
    if later:
        levels = np.stack([level_of(one, numbers) for one in later], axis=1)
        within = tuple(_within(batch, one) for one in later)
        again = Asked((), np.empty(0), within, levels)
        second, _ = _carried(batch, again, settings, halted)
        numbers |= dict(zip(later, np.moveaxis(second.numbers, 1, 0), strict=True))
    reduced = combined(batch.reductions, numbers, batch.ends)
    if not len(reduced):
        reduced = np.empty((len(batch), len(batch.reductions)))
    reduced[~usable(found.status)] = np.nan
    return Outcome(
        values=found.values,
        reduced=reduced,
        final=found.final,
        status=found.status,
        steps=found.steps,
        rtol=rtol,
        evaluations=found.evaluations,
        wall=time.perf_counter() - began,
        notes=found.notes,
        stories=found.stories,
    )


def is_ready(model: Model, parameters: Array) -> bool:
    """Return whether the compiled engine can run members of a model at once."""
    from ketasim.engines.kernels import is_ready as ready  # LLVM, when asked for

    try:
        return ready(model, parameters)
    except ModelError:  # a law that cannot be compiled
        return False


def make_ready(model: Model) -> None:
    """Have a model compiled in the background, so that the compiled engine is ready next time."""
    from ketasim.engines.kernels import make_ready as make

    make(model)


def gradients(
    batch: Batch,
    settings: Settings | None = None,
    *,
    weights: Array | None = None,
    with_kinks: bool = False,
    with_rest: bool = True,
) -> Gradients:
    """Return the reductions of members, and their derivatives by all that went into them.

    Runs are tried and judged as those of :func:`run`, but never by another engine: derivatives are
    taken back through the steps of the compiled one.

    Parameters
    ----------
    batch
        Members of one model and the reductions asked of them.
    settings
        Tolerance, limits and threads.
    weights
        Of the reductions, (n_members, n_reductions). Derivatives then are those of each member's
        weighted sum alone, which costs as much as one reduction: their second axis has length 1.
    with_kinks
        Whether the laws that stand on a kink somewhere are named in ``notes``; takes some ms.
    with_rest
        Whether derivatives go through a settled start, which takes some ms a member. Without it
        those by parameters and by what always held are NaN where a run starts so; what is given
        and done later does not touch that start.

    Raises
    ------
    ModelError
        When a law cannot be compiled.
    """
    from ketasim.engines.batch import FIRST_STEP
    from ketasim.engines.gradient import gradients as attempted  # LLVM, when asked for

    how, system, whole = settings or Settings(), System(batch.model), None
    for one in ATTEMPTS["ensemble"]:
        if one.engine is not None:
            continue
        again = (
            np.arange(len(batch)) if whole is None else np.flatnonzero(np.isin(whole.status, AGAIN))
        )
        if not len(again):
            continue
        step = FIRST_STEP if one.first_step is None else one.first_step
        part = batch.some(again)
        own = None if weights is None else weights[again]
        found = attempted(
            part, how, first_step=step, weights=own, with_kinks=with_kinks, with_rest=with_rest
        )
        lost, _ = balance.check(system, part, found.final, usable(found.status))
        found.status[lost] = Status.DRUG_LOST
        for name in ("values", *DERIVATIVES):
            getattr(found, name)[lost] = np.nan
        if whole is None:
            whole = found
            continue
        saved = usable(found.status)
        found.status[saved] = Status.OK_AFTER_RETRY
        for name in ("values", "final", "status", "steps", *DERIVATIVES):
            getattr(whole, name)[again[saved]] = getattr(found, name)[saved]
    if whole is None:
        raise ValueError("there is no attempt to make")
    return whole


def _within(batch: Batch, one: Primitive) -> Primitive:
    """Return what is to be computed of a run that reaches beyond what is asked about."""
    if one.window is not None or one.kind in ("at", "start"):
        return one
    return one if batch.is_within else replace(one, window=batch.ends)


def steady_state(system: System, before: Array) -> Array:
    """Return where a model's own values rest under inputs that always held, shape (n_states,).

    Raises
    ------
    SolverError
        When there is no such state.
    """
    from ketasim.engines.steady import settle  # SciPy, when asked for

    with np.errstate(all="ignore"):
        values = system.prepare(system.default_parameters, before)
        return settle(system, values, system.rest(values))


def _asked(batch: Batch, primitives: Sequence[Primitive]) -> Asked:
    own = [np.nan if one.level is None else one.level for one in primitives]
    levels = np.tile(np.array(own, dtype=float), (len(batch), 1))
    return Asked(batch.record, batch.times, tuple(primitives), levels)


@contextmanager
def carried_by(carrier: Carrier, *, parts: int) -> Iterator[None]:
    """Have every batch of some size carried out elsewhere, in so many parts, while this lasts.

    ``carrier`` is given the arguments of :func:`attempts`, part by part, and returns what that
    returns. What becomes of a member depends on nothing but that member, so no bit changes.
    """
    _CARRIERS.append((carrier, parts))
    try:
        yield
    finally:
        _CARRIERS.pop()


def attempts(batch: Batch, asked: Asked, settings: Settings) -> tuple[Attempt, Array]:
    """Try every member of a part of a batch; returns the attempt and the tolerance of each."""
    return _attempts(batch, asked, settings, never)


def _carried(batch: Batch, asked: Asked, settings: Settings, halted: Halt) -> tuple[Attempt, Array]:
    """Try every member here, or wherever :func:`carried_by` says."""
    if not _CARRIERS or len(batch) < 2 * PART:
        return _attempts(batch, asked, settings, halted)
    carrier, parts = _CARRIERS[-1]
    places = np.array_split(np.arange(len(batch)), min(parts, len(batch) // PART))
    whole = replace(batch, total=max(batch.total, len(batch)))
    alone = replace(settings, threads=1)
    found = carrier([(whole.some(one), asked.some(one), alone) for one in places])
    if halted():
        raise Halted
    return _joined([one for one, _ in found], places), np.concatenate([r for _, r in found])


def _joined(parts: Sequence[Attempt], places: Sequence[NDArray[np.intp]]) -> Attempt:
    arrays = ("values", "numbers", "final", "status", "steps")
    stories = {
        int(own[i]): told
        for one, own in zip(parts, places, strict=True)
        for i, told in one.stories.items()
    }
    return Attempt(
        **{name: np.concatenate([getattr(one, name) for one in parts]) for name in arrays},
        evaluations=sum(one.evaluations for one in parts),
        notes=tuple(dict.fromkeys(told for one in parts for told in one.notes)),
        stories=stories,
    )


def _attempts(
    batch: Batch, asked: Asked, settings: Settings, halted: Halt
) -> tuple[Attempt, Array]:
    """Try every member, and those that fail again, as the retry policy has it."""
    system, everyone = System(batch.model), np.arange(len(batch))
    rtol = np.full(len(batch), settings.tolerance)
    tries = [*ATTEMPTS[settings.engine]]
    if settings.allow_looser:
        tries.append(looser(settings.tolerance))
    whole, left = _nothing(system, batch, asked), everyone
    for number, how in enumerate(tries):
        if number:
            left = np.flatnonzero(np.isin(whole.status, AGAIN))
        if not len(left):
            continue
        if halted():
            raise Halted
        tolerance = settings.tolerance if how.rtol is None else how.rtol
        part = batch if len(left) == len(batch) else batch.some(left)
        given = asked if len(left) == len(batch) else asked.some(left)
        found = _attempt(part, given, replace(settings, rtol=tolerance), how, halted)
        found = _judged(system, part, found, how)
        if number == 0:
            whole = _without_start(system, batch, asked, found)
        else:
            whole = _merged(whole, left, found)
        rtol[left[usable(whole.status[left])]] = tolerance
    return whole, rtol


def _without_start(system: System, batch: Batch, asked: Asked, found: Attempt) -> Attempt:
    """Say of those that failed at first whether they can start at all.

    A member that runs has shown that it can, so only the others are looked at.
    """
    failed = np.flatnonzero(~usable(found.status))
    if len(failed):
        bad = failed[~_starts(system, batch.some(failed), asked.some(failed))]
        for values in (found.values, found.numbers, found.final):
            values[bad] = np.nan
        found.status[bad], found.steps[bad] = Status.BAD_PARAMETER, 0
        stories = {i: told for i, told in found.stories.items() if i not in set(bad.tolist())}
        return replace(found, stories=stories)
    return found


def _attempt(batch: Batch, asked: Asked, settings: Settings, how: Try, halted: Halt) -> Attempt:
    if (how.engine or settings.engine) == "reference":
        from ketasim.engines.reference import attempt as by_reference  # SciPy, when asked for

        method = settings.method if how.method is None else how.other_than(settings.method)
        return by_reference(
            batch, asked, replace(settings, method=method), first_step=how.first_step, halted=halted
        )
    from ketasim.engines.ensemble import attempt as by_ensemble  # LLVM, when asked for

    return by_ensemble(batch, asked, settings, first_step=how.first_step, halted=halted)


def _starts(system: System, batch: Batch, asked: Asked) -> Flags:
    """Say for which members a drug-free state, its slopes and what is asked are numbers."""
    n = len(batch)
    if isinstance(batch.schedules, Schedule):
        before = np.repeat(batch.schedules.before[:, None], n, axis=1)
    else:
        before = np.stack([one.before for one in batch.schedules], axis=1)
    names = dict.fromkeys([*asked.record, *(one.name for one in asked.primitives)])
    found = system.evaluated(batch.parameters.T, before, seen=names)
    fine: Flags = np.ones(n, dtype=bool)
    for one in found:
        fine &= np.isfinite(one).all(axis=0)
    return fine


def _nothing(system: System, batch: Batch, asked: Asked) -> Attempt:
    """Return what is known of members before any attempt: nothing."""
    n = len(batch)
    return Attempt(
        values=np.empty((n, len(asked.record), len(asked.times))),
        numbers=np.empty((n, len(asked.primitives), 2)),
        final=np.empty((n, len(system.state_names))),
        status=np.full(n, Status.NOT_RUN, dtype=np.int8),
        steps=np.zeros(n, dtype=np.int64),
        stories={},
    )


def _judged(system: System, batch: Batch, found: Attempt, how: Try) -> Attempt:
    """Return an attempt with its finished runs judged; see :mod:`ketasim.engines.balance`."""
    status = found.status.copy()
    good = usable(status)
    with np.errstate(all="ignore"):
        sums = found.values.reshape(len(status), -1).sum(axis=1)
    status[good & ~np.isfinite(sums)] = Status.NONFINITE
    lost, told = balance.check(system, batch, found.final, usable(status))
    status[lost] = Status.DRUG_LOST
    if how.is_retry:
        status[status == Status.OK] = Status.OK_AFTER_RETRY
    return replace(found, status=status, stories={**found.stories, **told})


def _merged(whole: Attempt, places: NDArray[np.intp], found: Attempt) -> Attempt:
    """Put what a later attempt at some members saved in."""
    saved = usable(found.status)
    into = places[saved]
    for name in ("values", "numbers", "final", "status"):
        getattr(whole, name)[into] = getattr(found, name)[saved]
    whole.steps[places] += found.steps
    stories = {int(places[i]): told for i, told in found.stories.items() if saved[i]}
    return replace(
        whole,
        evaluations=whole.evaluations + found.evaluations,
        notes=tuple(dict.fromkeys([*whole.notes, *found.notes])),
        stories={**whole.stories, **stories},
    )
