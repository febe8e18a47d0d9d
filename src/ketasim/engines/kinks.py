"""Where laws bend: a derivative taken there is that of one side, and the run says so."""

import numpy as np
from numpy.typing import NDArray

from ketasim.compile.pullback import carried_out, pulled_back
from ketasim.compile.trace import Node, reach
from ketasim.compile.wiring import equations
from ketasim.core.model import Model
from ketasim.core.shared import remembered
from ketasim.core.system import System
from ketasim.engines.kernels import Kernel
from ketasim.engines.seeds import Tape

ON_KINK = 1e-12  # relative: two numbers nearer than this count as equal

Bends = list[tuple[str, str, list[Node]]]


def kinks(model: Model, kernel: Kernel, tape: Tape) -> list[str]:
    """Return a sentence for each law whose slope jumps where a step of the tape begins."""
    key = ("bends", tuple(sorted(kernel.whole.items())))
    bends = remembered(model.mechanisms, key, lambda: _bends(model, kernel))
    places = [(i, k) for i, n in enumerate(tape.counts) for k in range(int(n))]
    members, steps = (np.array(one) for one in zip(*places, strict=True))
    nodes = [node for *_, three in bends for node in three]
    values = carried_out(nodes, tape.leaves(members, steps))
    told = []
    for k, (law, how, _) in enumerate(bends):
        on = np.broadcast_to(_is_on(*values[3 * k : 3 * k + 3]), (len(members), 1))[:, 0]
        if on.any():
            t = tape.begins[members[on], steps[on]]
            told.append(
                f"{law} stands on a kink ({how}) between {t.min():.4g} h and {t.max():.4g} h: the "
                "derivative is that of one side."
            )
    return told


def _is_on(
    a: NDArray[np.float64], b: NDArray[np.float64], slope: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Say where what is compared is the same, and what the law gives hangs on it."""
    near: NDArray[np.bool_] = np.abs(a - b) <= ON_KINK * (np.abs(a) + np.abs(b))
    return near & (np.abs(slope) > ON_KINK)


def _bends(model: Model, kernel: Kernel) -> Bends:
    """Return of each place where a law bends: the law, how, and what is compared, and the slope."""
    eq = equations(System(model), whole=kernel.whole)
    wires = (*model.derived, *model.quantities, *model.flows)
    found: Bends = []
    for wire, call in zip(wires, eq.calls, strict=True):
        for node in reach([call.result], {a.id for a in call.given}):
            if node.op not in ("max", "min", "abs", "where"):
                continue
            by = pulled_back(eq.graph, [(call.result, eq.graph.const(1.0))], [node.id])
            if node.id in by:
                other = node.args[1] if len(node.args) > 1 else eq.graph.const(0.0)
                found.append((wire.label, node.op, [node.args[0], other, by[node.id]]))
    return found
