"""What would decide: thousands of experiments that could be made, ranked by what they would tell.

Every arm of :mod:`ketasim.studies.judge.plans` is run once under each posterior draw of each
hypothesis. All times and read-outs are taken from that run, and the size of a group only changes
the error. An outcome is an effect: with the drug less without it.

The error of a read-out is the median of those that findings state. They do not say how many
subjects stand behind it: it is taken for that of a group of ``USUAL``. The part of its variance
that findings of one paper share does not shrink with the group.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ketasim.core.describe import Described, some
from ketasim.core.scenario import Scenario, clock
from ketasim.engines.contract import Batch, Settings
from ketasim.engines.run import run
from ketasim.engines.status import usable
from ketasim.errors import ConfigError, SolverError
from ketasim.readouts import Reduction
from ketasim.studies.findings.finding import Finding
from ketasim.studies.findings.needs import BEGIN, PAST, Group, arm_key
from ketasim.studies.findings.predict import LIMITS
from ketasim.studies.findings.reading import difference
from ketasim.studies.judge.information import spread_information
from ketasim.studies.judge.judgement import Judgement
from ketasim.studies.judge.likelihood import SHARED
from ketasim.studies.judge.plans import Plan, errors_of, plans, read_in
from ketasim.studies.judge.prepare import Prepared

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Progress = Callable[[str], None]
USUAL = 12  # subjects of a group behind the error that a finding states (assumed)
GROUPS = (6, 12, 24, 48)  # subjects of a group
TIMES = (0.5, 1.0, 3.0, 6.0, 24.0, 72.0, 168.0)  # of reading [h]
DRAWS = 64  # posterior draws of a hypothesis
FEWEST = 8
MOST_LOST = 0.05  # share of draws that may fail before an arm is left out
AT_ONCE = 32  # arms that are run together
TOLD = 5  # experiments that a table of designs begins with
ENOUGH = 0.9  # of what the largest group tells


@dataclass(frozen=True, repr=False)
class Designs(Described):
    """Experiments that could be made, most telling first, as columns (n,).

    ``arm`` and ``readout`` are places in ``arms`` and ``readouts``; ``time`` [h]; ``group`` the
    subjects of each of the two groups; ``error`` of the effect; ``bits`` expected about which of
    the hypotheses ``among`` holds, ``bits_of_all`` about all; ``medians`` (n, n_hypotheses) of the
    effect. ``errors`` are those of read-outs in a group of ``USUAL``; ``left_out`` names arms that
    could not be computed.
    """

    arms: tuple[Plan, ...]
    readouts: tuple[str, ...]
    names: tuple[str, ...]
    among: tuple[int, ...]
    errors: Mapping[str, float]
    left_out: tuple[str, ...]
    arm: Indices
    readout: Indices
    time: Array
    group: Indices
    error: Array
    bits: Array
    bits_of_all: Array
    medians: Array

    def __len__(self) -> int:
        """Return the number of designs."""
        return len(self.bits)

    def _told(self) -> tuple[str, list[tuple[str, str]]]:
        rows = [
            ("between", " and ".join(self.names[i] for i in self.among)),
            ("experiments", f"{len(self):,}: {len(self.arms)} arms; {', '.join(self.readouts)}"),
        ]
        for i in self.best(TOLD):
            told = f"{self.arms[self.arm[i]].name}; {self.read(i)}; {self.group[i]} a group"
            rows.append((f"{self.bits[i]:.2f} bits", told))
        if self.left_out:
            rows.append(("left out", some(list(self.left_out))))
        return "What would decide, most telling first", rows

    def read(self, i: int) -> str:
        """Return what is read in a design, ``'outcome.mood at 24 h'``."""
        return f"{self.readouts[self.readout[i]]} at {clock(float(self.time[i]))}"

    def best(self, n: int) -> list[int]:
        """Return a design of each of the first ``n`` arms, most telling first.

        It is the arm's best read-out and time, with the smallest group that tells nine tenths of
        what the largest does.
        """
        found: list[int] = []
        for arm in list(dict.fromkeys(self.arm.tolist()))[:n]:
            own = np.flatnonzero(self.arm == arm)
            top = own[0]
            same = own[
                (self.readout[own] == self.readout[top]) & (self.time[own] == self.time[top])
            ]
            enough = same[self.bits[same] >= ENOUGH * self.bits[top]]
            found.append(int(enough[self.group[enough].argmin()]))
        return found


def decide(
    judgement: Judgement,
    candidates: Sequence[Finding] = (),
    *,
    draws: int = DRAWS,
    groups: Sequence[int] = GROUPS,
    threads: int | None = None,
    progress: Progress = lambda _: None,
) -> Designs:
    """Rank experiments by the information expected about which hypothesis holds.

    In question are those that the evidence leaves so, all held equally likely.

    Parameters
    ----------
    judgement
        Hypotheses with posterior draws, and the findings that they were judged by.
    candidates
        Proposals; what they do and read is combined as well.
    draws
        Posterior draws of each hypothesis under which arms are run.
    groups
        Sizes of a group that are tried.
    threads, progress
        How many threads (no number depends on it); called with what is being done.

    Raises
    ------
    SolverError
        When the posterior's diagnostics failed: nothing is known then of what would decide.
    ConfigError
        When there are fewer than two hypotheses, nothing to combine, or an argument is out of
        range.
    """
    if judgement.missing:
        raise SolverError(f"what would decide: no result. {' '.join(judgement.missing)}")
    if len(judgement.hypotheses) < 2:
        raise ConfigError("what would decide: name at least two hypotheses.")
    if draws < FEWEST:
        raise ConfigError(f"draws = {draws!r}: {FEWEST} at least are needed of each hypothesis.")
    if not groups or min(groups) < 1:
        raise ConfigError(f"groups = {tuple(groups)!r}: give sizes of a group, 1 or more.")
    every = [*judgement.findings, *candidates]
    errors = errors_of(judgement.findings, judgement.hypotheses[0].space.model, threads=threads)
    read = read_in(every)
    arms = [one for one in plans(every) if read.get(one.species, set()) & set(errors)]
    if not arms:
        raise ConfigError(
            "what would decide: no finding gives a drug and reads an effect at a moment, as "
            '"effect(ketamine, outcome.mood.at(24 h))"; name some with --experiments.'
        )
    study = _Study(judgement, tuple(errors), errors, read, tuple(groups), draws, threads)
    rows, left_out = [], []
    for at in range(0, len(arms), AT_ONCE):
        some = arms[at : at + AT_ONCE]
        progress(f"what would decide: {at + len(some)} of {len(arms)} arms")
        for k, drawn in enumerate(study.drawn(some)):
            if any(1.0 - np.isfinite(one).all(axis=0).mean() > MOST_LOST for one in drawn):
                left_out.append(some[k].name)
            else:
                rows.append(study.ranked(at + k, some[k], drawn))
    return study.sorted(tuple(arms), rows, tuple(left_out))


def error_in(group: Indices, error: Array) -> Array:
    """Return the error in a group, given that in a group of ``USUAL``."""
    found: Array = error * np.sqrt(SHARED + (1.0 - SHARED) * USUAL / group)
    return found


@dataclass(frozen=True)
class _Study:
    """What does not differ between arms."""

    judgement: Judgement
    readouts: tuple[str, ...]
    errors: Mapping[str, float]
    read: Mapping[str, set[str]]
    groups: tuple[int, ...]
    draws: int
    threads: int | None

    @property
    def reductions(self) -> tuple[Reduction, ...]:
        """Return what is taken of every run."""
        return tuple(Reduction("at", name, t) for name in self.readouts for t in TIMES)

    def drawn(self, arms: Sequence[Plan]) -> list[list[Array]]:
        """Return for each arm and hypothesis the effects (n_reductions, n_draws); failed is nan."""
        each = [self._effects(one, arms) for one in self.judgement.hypotheses]
        return [list(one) for one in zip(*each, strict=True)]

    def _effects(self, prepared: Prepared, arms: Sequence[Plan]) -> list[Array]:
        """Return the effects of arms under one hypothesis, each run made once."""
        at = prepared.at[np.linspace(0, len(prepared.at) - 1, self.draws).astype(int)]
        rows = prepared.space.rows(at)
        model, end = prepared.space.model, max(TIMES) + PAST
        asked: dict[Hashable, Scenario] = {}
        for one in arms:
            for drug in (True, False):
                key = arm_key(one.arm, drug=drug)
                if key not in asked:
                    asked[key] = one.arm.scenario(model, begin=BEGIN, end=end, drug=drug)
        whole = self._run(list(asked.values()), rows)
        found = dict(zip(asked, whole, strict=True))
        return [
            difference(
                found[arm_key(one.arm, drug=True)], found[arm_key(one.arm, drug=False)]
            )
            for one in arms
        ]  # fmt: skip

    def _run(self, scenarios: Sequence[Scenario], rows: Array) -> Array:
        """Return numbers (n_scenarios, n_reductions, n_draws), nan where a run failed."""
        model, reductions = scenarios[0].model, self.reductions
        own: dict[str, Array] = {}
        for one in scenarios:
            if one.subject.species not in own:
                group = Group(model, (one,), (("", reductions),), None)
                own[one.subject.species] = group.parameters(rows)
        batch = Batch(
            model,
            np.concatenate([own[one.subject.species] for one in scenarios]),
            [one.schedule for one in scenarios for _ in range(len(rows))],
            reductions=reductions,
            total=len(scenarios) * len(rows),
        )
        found = run(batch, Settings(limits=LIMITS, threads=self.threads))
        numbers = np.where(usable(found.status)[:, None], found.reduced, np.nan)
        return numbers.reshape(len(scenarios), len(rows), -1).transpose(0, 2, 1)

    def ranked(self, arm: int, plan: Plan, drawn: Sequence[Array]) -> tuple[Array, Array]:
        """Return the columns of an arm's designs, and their medians."""
        known = [i for i, name in enumerate(self.readouts) if name in self.read[plan.species]]
        places = [(i, t, i * len(TIMES) + t) for i in known for t in range(len(TIMES))]
        rows = [(i, t, row, n) for i, t, row in places for n in self.groups]
        which = np.array([row for _, _, row, _ in rows])
        group = np.array([n for *_, n in rows])
        base = np.array([self.errors[self.readouts[i]] for i, *_ in rows])
        error = error_in(group, base)
        effects = [one[:, np.isfinite(one).all(axis=0)] for one in drawn]
        worth = [one.effective_draws for one in self.judgement.scores]
        everyone = np.full(len(effects), 1.0 / len(effects))
        contending = np.isin(np.arange(len(effects)), self.judgement.in_question) / len(
            self.judgement.in_question
        )
        bits, of_all = spread_information(
            [one[which] for one in effects], error, worth, [contending, everyone]
        )
        medians = np.stack([np.median(one, axis=1)[which] for one in effects], axis=1)
        times = np.array([TIMES[t] for _, t, *_ in rows])
        readout = np.array([i for i, *_ in rows])
        return np.stack([np.full(len(rows), arm), readout, times, group, error, bits, of_all]), (
            medians
        )

    def sorted(
        self, arms: tuple[Plan, ...], rows: Sequence[tuple[Array, Array]], left_out: tuple[str, ...]
    ) -> Designs:
        """Return all designs: the most telling first, of equals the smaller and the earlier."""
        if not rows:
            raise SolverError(
                f"what would decide: runs of all {len(arms)} arms failed under some hypothesis."
            )
        columns = np.concatenate([one for one, _ in rows], axis=1)
        medians = np.concatenate([one for _, one in rows])
        arm, readout, time, group, error, bits, of_all = columns
        order = np.lexsort((arm, time, group, -np.round(bits, 9)))
        whole = [one[order].astype(np.int64) for one in (arm, readout, group)]
        return Designs(
            arms, self.readouts, self.judgement.names, self.judgement.in_question, self.errors,
            left_out,
            whole[0], whole[1], time[order], whole[2], error[order], bits[order], of_all[order],
            medians[order],
        )  # fmt: skip
