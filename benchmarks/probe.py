"""Any nodes of a system as one compiled function, to look at what the compiler makes of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ketasim.compile.emit import Program
from ketasim.compile.interface import REAL, Interface
from ketasim.compile.machine import Code, compiled, written
from ketasim.compile.specialise import Fuse, render
from ketasim.compile.trace import Node, reach

Numbers = NDArray[np.float64]
WORKSPACE = Interface((("w", REAL),), {})


@dataclass(frozen=True)
class Machine:
    """A program's source and its code."""

    source: str
    code: Code

    def __call__(self, workspace: Numbers) -> None:
        """Run it on a workspace."""
        self.code.run(WORKSPACE, {"w": workspace})


def compile_nodes(
    nodes: Sequence[Node], sizes: dict[str, int], width: int
) -> tuple[Callable[..., Numbers], "Machine"]:
    """Compile nodes over leaves, with the instructions and roundings that a kernel has.

    Parameters
    ----------
    nodes
        What to compute.
    sizes
        Length of each array of leaves, such as ``{"y": n_states, "p": n_parameters}``.
    width
        Values an instruction works on at once.

    Returns
    -------
    evaluate, machine
        ``evaluate(y=..., p=...)`` takes arrays (length, n_points) and returns (n_nodes, n_points);
        ``machine(workspace)`` runs the code on a workspace of its own, and holds its source.
    """
    fused = Fuse().all(nodes)
    words = {n.id: "{}:{}".format(*n.leaf) for n in reach(fused) if n.op == "leaf"}
    layout, size = {}, 0
    for name, count in {**sizes, "out": len(nodes)}.items():
        layout[name] = (size, width, False, False)
        size += count * width
    text = render([(f"out:{i}", node) for i, node in enumerate(fused)], words)
    program = {"nodes": Program(text, width, width)}
    source = written(
        {}, layout, program, WORKSPACE, "def run(job):\n    nodes(job.w, 0)\n    return 0"
    )
    machine = Machine(source, Code(compiled(source)))

    def evaluate(**arrays: Numbers) -> Numbers:
        n_points = max(np.atleast_2d(one).shape[-1] for one in arrays.values())
        found = np.empty((len(nodes), n_points))
        for at in range(0, n_points, width):
            workspace, n = np.zeros(size), min(width, n_points - at)
            for name, values in arrays.items():
                place = workspace[layout[name][0] :][: sizes[name] * width]
                place.reshape(-1, width)[:, :n] = values[:, at : at + n]
            machine(workspace)
            out = workspace[layout["out"][0] :].reshape(-1, width)
            found[:, at : at + n] = out[:, :n]
        return found

    return evaluate, machine
