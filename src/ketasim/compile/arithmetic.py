"""A Rosenbrock method as data, and the programs that depend on it but not on the laws.

They are the stage sums, the error, the dense output and the acceptance of a step.
"""

from collections.abc import Sequence
from dataclasses import dataclass

Rows = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Rosenbrock:
    """A stiffly accurate Rosenbrock method in its transformed form.

    Stage ``s`` solves ``(I / (h gamma) - J) k_s = f(y + sum a_sj k_j) + sum c_sj k_j / h``. The
    last stage is the error estimate, and its argument plus it the solution. ``dense`` holds three
    rows d_1 ... d_3 over the stages, and with x = (t - t_n) / h the solution between is
    ``(1 - x) y_n + x (y_n+1 + (1 - x) (d_1 + x (d_2 + x d_3)))``.
    """

    name: str
    order: int
    embedded_order: int
    gamma: float
    a: Rows
    c: Rows
    dense: Rows

    @property
    def stages(self) -> int:
        """Return the number of stages."""
        return len(self.a)


PARTS = 4  # partial sums of the error, so that one addition need not wait for the last
LEEWAY = 100.0  # a state may leave its interval by so many times its tolerance


def combine(method: Rosenbrock, s: int) -> str:
    """Return the program for stage s (from 1): its argument ``u`` and right-hand part ``q``."""
    a, c, before = method.a[s - 1], method.c[s - 1], method.a[s - 2]
    lines, words = [], 0
    if s > 2 and a == (*before, 1.0):
        lines += [f"t0 = add u:0 k{s - 1}:0", "u:0 < t0"]
    else:
        last = "y:0"
        for j, factor in enumerate(a, start=1):
            lines.append(f"t{words} = fma k{j}:0 #{factor!r} {last}")
            last, words = f"t{words}", words + 1
        lines.append(f"u:0 < {last}")
    lines.append(f"s1 = mul k1:0 #{c[0]!r}")
    lines += [f"s{j} = fma k{j}:0 #{factor!r} s{j - 1}" for j, factor in enumerate(c[1:], start=2)]
    return "\n".join([*lines, f"s0 = mul s{len(c)} hinv:0", "q:0 < s0"])


def error(
    method: Rosenbrock, live: Sequence[int], n_all: int, low: Sequence[int], high: Sequence[int]
) -> str:
    """Return the program for the new state, the size of its error and the next step's factor.

    The size is the root mean square over all ``n_all`` states of the model, those at rest too.
    ``low`` and ``high`` list states with a finite end of their interval.
    """
    last = f"k{method.stages}"
    lines = [f"e{part} = add #0.0 #0.0" for part in range(PARTS)]
    lines.append("m = add #1.0 #0.0")
    for i, full in enumerate(live):
        part = f"e{full % PARTS}"
        lines += [
            f"n = add u:{i} {last}:{i}",
            f"u:{i} < n",
            "a = abs n",
            f"b = abs y:{i}",
            "a = max a b",
            f"a = fma rtol:0 a atol:{i}",
            "b = rough a",
            f"b = mul {last}:{i} b",
            f"{part} = fma b b {part}",
            f"{part} = fma n #0.0 {part}",
        ]
        lines += [f"b = sub n low:{i}", f"b = fma a #{LEEWAY} b", "m = min m b"] * (i in low)
        lines += [f"b = sub high:{i} n", f"b = fma a #{LEEWAY} b", "m = min m b"] * (i in high)
    power = -0.5 / method.order
    return "\n".join(
        [
            *lines,
            "e0 = add e0 e1",
            "e2 = add e2 e3",
            "e0 = add e0 e2",
            f"e0 = mul e0 #{1.0 / n_all!r}",
            "er:0 < e0",
            "margin:0 < m",
            "e0 = max e0 #1e-24",
            "e0 = log e0",
            f"e0 = mul e0 #{power!r}",
            "e0 = exp e0",
            "e0 = mul e0 #0.9",
            "fac:0 < e0",
        ]
    )


def dense(method: Rosenbrock) -> str:
    """Return the program for the rows of the dense output of the one state it is shifted to."""
    lines = []
    for row, weights in enumerate(method.dense, start=1):
        lines.append(f"d = mul m1:0 #{weights[0]!r}")
        lines += [f"d = fma m{s}:0 #{weight!r} d" for s, weight in enumerate(weights[1:], start=2)]
        lines.append(f"e{row}:0 < d")
    return "\n".join(lines)


# The solution within the step at the share ``xs`` of it, of the one state it is shifted to.
BETWEEN = "\n".join(
    [
        "b = fma e3:0 xs:0 e2:0",
        "b = fma b xs:0 e1:0",
        "l = sub #1.0 xs:0",
        "b = fma b l mu:0",
        "b = mul b xs:0",
        "b = fma my:0 l b",
        "mz:0 < b",
    ]
)
ACCEPT = "\n".join(["t0 = where acc:0 #0.5 u:0 y:0", "y:0 < t0"])
