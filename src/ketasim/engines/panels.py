"""What a SciPy solver knows of a course between its steps, kept as panels of five values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.core.system import System, Values
from ketasim.readouts.course import PLACES, Course, is_rough

Array = NDArray[np.float64]
Dense = Callable[[Any], Array]
PARTS = 4  # of a step within which something bends sharply


@dataclass
class _Kept:
    """One name's panels so far: what bends sharply is looked at closely for itself alone."""

    begins: list[float] = field(default_factory=list)
    lengths: list[float] = field(default_factory=list)
    values: list[Array] = field(default_factory=list)
    looks: list[tuple[Values, Dense]] = field(default_factory=list)


class Panels:
    """Gathers the panels of watched names while a run goes on; it lives no longer than the run.

    What is watched at the five places of every step of a segment is computed in one call.
    """

    def __init__(self, system: System, names: tuple[str, ...]) -> None:
        self.system, self.names = system, names
        self.kept = {name: _Kept() for name in names}
        self.before: dict[str, float] = {}
        self.settings: Values = []
        self.steps: list[tuple[float, float, Dense]] = []

    def begin(self, values: Values, states: Array) -> None:
        """Note what is there before anything is given."""
        self.settings = values
        if self.names:
            self._note(values, states)

    def enter(self, values: Values) -> None:
        """Start a segment; its inputs stay as they are until it is left."""
        self.settings = list(values)

    def add(self, solver: Any) -> None:
        """Take an accepted step."""
        if self.names:
            self.steps.append((float(solver.t_old), float(solver.t), solver.dense_output()))

    def leave(self) -> None:
        """Compute what is watched within the segment's steps."""
        if not self.steps:
            return
        self._note_before()
        rows = [(a, b - a, dense) for a, b, dense in self.steps]
        values = self._five(rows)
        rough = is_rough(values)
        parts = [
            (i, (a + k * h / PARTS, h / PARTS, dense))
            for i, (a, h, dense) in enumerate(rows)
            if rough[:, i].any()
            for k in range(PARTS)
        ]
        closer = self._five([row for _, row in parts]) if parts else values[:, :0]
        owners = np.array([i for i, _ in parts], dtype=int)
        for k, name in enumerate(self.names):
            mine = np.flatnonzero(rough[k, owners])
            whole = np.flatnonzero(~rough[k])
            own = [*(rows[i] for i in whole), *(parts[i][1] for i in mine)]
            order = np.argsort([a for a, _, _ in own], kind="stable")
            found = np.concatenate([values[k, whole], closer[k, mine]])[order]
            kept = self.kept[name]
            kept.begins += [own[i][0] for i in order]
            kept.lengths += [own[i][1] for i in order]
            kept.values.append(found)
            kept.looks += [(self.settings, own[i][2]) for i in order]
        self.steps = []

    def _five(self, rows: list[tuple[float, float, Dense]]) -> Array:
        """Return what is watched at the places of panels, shape (n_names, n_panels, 5)."""
        states = np.concatenate([dense(a + PLACES * h) for a, h, dense in rows], axis=1)
        found = self.system.observe(self.settings, states, self.names)
        return np.array([found[name].reshape(len(rows), 5) for name in self.names])

    def _note_before(self) -> None:
        """Note what is there just before time 0, where a step of this segment reaches it."""
        for a, b, dense in self.steps:
            if a < 0.0 <= b:
                self._note(self.settings, np.asarray(dense(0.0)))

    def _note(self, values: Values, states: Array) -> None:
        found = self.system.observe(values, states[:, None], self.names)
        self.before = {name: float(found[name][0]) for name in self.names}

    def courses(self, last: Array | None) -> Mapping[str, Course]:
        """Return the course of every watched name; ``last`` are states after a final bolus."""
        if not self.names or not self.kept[self.names[0]].begins:
            return {}
        after: Mapping[str, Array] = {}
        if last is not None:
            after = self.system.observe(self.settings, last[:, None], self.names)
        return {
            name: Course(
                np.array(kept.begins),
                np.array(kept.lengths),
                np.concatenate(kept.values),
                self.before[name],
                float(after[name][0]) if after else None,
                self._look(name),
            )
            for name, kept in self.kept.items()
        }

    def _look(self, name: str) -> Callable[[int, float], float]:
        def look(panel: int, t: float) -> float:
            settings, dense = self.kept[name].looks[panel]
            found = self.system.observe(settings, np.asarray(dense(t))[:, None], (name,))
            return float(found[name][0])

        return look
