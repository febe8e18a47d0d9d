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


def between(old: str, new: str, rows: Sequence[str]) -> str:
    """Return the program for a state at the share ``xs`` of a step, from the step's two ends."""
    first, second, third = rows
    return "\n".join(
        [
            f"b = fma {third} xs:0 {second}",
            f"b = fma b xs:0 {first}",
            "l = sub #1.0 xs:0",
            f"b = fma b l {new}",
            "b = mul b xs:0",
            f"b = fma {old} l b",
            "mz:0 < b",
        ]
    )


# One lane's step of a state in all lanes, and what stands still set aside, lent, and put back.
SPREAD = "\n".join(f"v:{k} < {name}:0" for k, name in enumerate(("ly", "lu", "l1", "l2", "l3")))
KEEP, RESTORE = "mkept:0 < mc:0", "mc:0 < mkept:0"
ONE_OF, ALL_OF = "v:0 < lc:0", "mc:0 < v:0"
ACCEPT = "\n".join(["t0 = where acc:0 #0.5 u:0 y:0", "y:0 < t0"])


TIE = 1e-5  # of the range: of hills alike to this share, the first counts
ROUGH = 2e-3  # of the size: a fourth difference beyond it has the step looked at more finely
STILL = 1e-13  # of the size: a panel that moves less stands still
# Steps in which a value at five places is not a smooth curve are marked.
SHARP = "\n".join(
    [
        "d = add v:1 v:3",
        "d = fma d #-4.0 v:0",
        "d = fma v:2 #6.0 d",
        "d = add d v:4",
        "d = abs d",
        "a = abs v:0",
        "b = abs v:2",
        "a = max a b",
        "b = abs v:4",
        "a = max a b",
        f"a = mul a #{ROUGH!r}",
        "a = where a d #0.0 acc:0",
        "bend:0 < a",
    ]
)
# A state at the five places of its step.
PLACES = "\n".join(
    [
        "v:0 < my:0",
        *(
            line
            for k, at in ((1, 0.25), (2, 0.5), (3, 0.75))
            for line in (
                f"b = fma e3:0 #{at!r} e2:0",
                f"b = fma b #{at!r} e1:0",
                f"b = fma b #{1.0 - at!r} mu:0",
                f"b = mul b #{at!r}",
                f"b = fma my:0 #{1.0 - at!r} b",
                f"v:{k} < b",
            )
        ),
        "v:4 < mu:0",
    ]
)


def ends(rows: Sequence[str]) -> str:
    """Return the program that takes steps which rise, fall or stand still into an extreme.

    Nearly all do, only their ends matter, and all lanes go at once. A step is left to be done where
    that does not suffice: the first one, at a window's edge, where the value turns, and where a new
    hill may begin. ``rows`` are those of an unfinished answer.
    """
    best, when, there, lowest, left, _, first, to_do = rows
    lines = [
        *_plain(),
        "inside = where t:0 from:0 acc:0 #0.0",
        "inside = where until:0 new:0 inside #0.0",
        "done = min plain inside",
        f"done = min done {first}",
        f"below = where {there} s4 #1.0 #0.0",
        f"on = sub #1.0 {left}",
        "on = max on below",
        "done = min done on",
        f"done = where {there} s0 done #0.0",
        "higher = sub done below",
        "low = min s0 s4",
        f"low = min {lowest} low",
        f"low = where done #0.5 low {lowest}",
        f"drop = sub {there} low",
        f"drop = fma drop #{-TIE!r} {there}",
        "leaves = where s4 drop #0.0 done",
        f"a = where higher #0.5 s4 {best}",
        f"b = where higher #0.5 s4 {there}",
        f"c = where higher #0.5 new:0 {when}",
        f"d = where leaves #0.5 #1.0 {left}",
        "e = where done #0.5 #0.0 acc:0",
    ]
    stored = {best: "a", there: "b", when: "c", left: "d", lowest: "low", to_do: "e"}
    return "\n".join([*lines, *(f"{row} < {value}" for row, value in stored.items())])


def _plain() -> list[str]:
    """Return the lines that find whether a panel surely only rises, only falls or stands still."""
    lines = [f"s{k} = mul v:{k} sign:0" for k in range(5)]
    lines += [f"d{k} = sub s{k} s{k - 1}" for k in range(1, 5)]
    for name, op in (("high", "max"), ("low", "min")):
        lines += [f"{name} = {op} s0 s1", *(f"{name} = {op} {name} s{k}" for k in (2, 3, 4))]
    for name, op in (("most", "max"), ("least", "min")):
        lines += [f"{name} = {op} d1 d2", *(f"{name} = {op} {name} d{k}" for k in (3, 4))]
    for name, order in (("begun", "1234"), ("ended", "4321")):  # proportional to the end's slope
        lines.append(f"{name} = mul d{order[0]} #25.0")
        for factor, k in zip((-23.0, 13.0, -3.0), order[1:], strict=True):
            lines.append(f"{name} = fma d{k} #{factor!r} {name}")
    return [
        *lines,
        "span = sub high low",
        "high = abs high",
        "low = abs low",
        "size = max high low",
        f"size = mul size #{STILL!r}",
        "most = max most begun",
        "falls = where most #0.0 #0.0 #1.0",
        "least = min least ended",
        "rises = where #0.0 least #0.0 #1.0",
        "plain = max falls rises",
        "plain = where size span #1.0 plain",
        "plain = where bend:0 #0.5 #0.0 plain",
    ]
