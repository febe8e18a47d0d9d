"""What the stepper needs to know of a Rosenbrock method."""

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
