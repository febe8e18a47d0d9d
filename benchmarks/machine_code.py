"""The right-hand side and its Jacobian as machine code for one member at a time, for SciPy."""

from functools import cache

import numpy as np
from probe import compile_nodes
from setting import system

from ketasim.compile.wiring import derivatives, equations

WIDTH = 2


class Machine:
    """Compiled nodes with a workspace that stays, so that a call copies a state and no more."""

    def __init__(self, nodes, sizes: dict[str, int]) -> None:
        _, self.machine = compile_nodes(nodes, sizes, WIDTH)
        counts = {**sizes, "out": len(nodes)}
        ends = np.cumsum([count * WIDTH for count in counts.values()])
        self.workspace = np.zeros(ends[-1])
        starts = dict(zip(counts, [0, *ends[:-1]], strict=True))
        self.views = {
            name: self.workspace[starts[name] :][: count * WIDTH].reshape(-1, WIDTH)
            for name, count in counts.items()
        }

    def set(self, **arrays: np.ndarray) -> None:
        """Set parameters, knobs or rates."""
        for name, values in arrays.items():
            self.views[name][:] = values[:, None]

    def __call__(self, y: np.ndarray) -> np.ndarray:
        """Return the nodes at a state."""
        self.views["y"][:] = y[:, None]
        self.machine(self.workspace)
        return self.views["out"][:, 0].copy()


@cache
def machines() -> tuple[Machine, Machine, tuple[tuple[int, int], ...]]:
    """Return slopes, Jacobian entries, and where each entry stands."""
    one = system()
    eq = equations(one)
    n, n_p, n_k = len(one.state_names), len(one.default_parameters), len(one.neutral_knobs)
    sizes = {"y": n, "p": n_p, "k": n_k, "r": n}
    entries = derivatives(eq)
    places = tuple(sorted(entries))
    jacobian = Machine([entries[place] for place in places], sizes)
    return Machine(eq.slopes, sizes), jacobian, places
