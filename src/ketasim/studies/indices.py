"""Sensitivity indices of plain arrays: outputs of blocks in, numbers with bootstrap intervals out.

Sums are kept, not members, so that a result of any length takes the same memory. Blocks are drawn
again with replacement, exactly as if all were at hand.

References
----------
.. [saltelli2010] Saltelli et al. 2010, 10.1016/j.cpc.2009.09.018: first order, as they recommend;
   total order after Jansen 1999.
.. [goda2021] Goda 2021, 10.1016/j.ress.2021.107702: Shapley effects from walks.
.. [campolongo2007] Campolongo et al. 2007, 10.1016/j.envsoft.2006.10.004: the mean of absolute
   elementary effects.
.. [sobol2009] Sobol' and Kucherenko 2009, 10.1016/j.matcom.2009.01.023: the bound on total indices
   from derivatives; with the constant of each distribution, Lamboni et al. 2013,
   10.1016/j.matcom.2013.02.002.
.. [marino2008] Marino et al. 2008, 10.1016/j.jtbi.2008.04.011: partial rank correlation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import atanh, log, pi, sqrt, tanh

import numpy as np
from numpy.typing import NDArray

from ketasim.errors import ConfigError, MissingValues, suggest
from ketasim.studies.designs.distributions import Distribution

Array = NDArray[np.float64]
Order = NDArray[np.intp]
MAIN = {
    "sobol": "ST",
    "shapley": "Sh",
    "morris": "mu_star",
    "prcc": "PRCC",
    "derivative": "bound",
}  # what ranks factors
RULES = ("refuse", "drop")
TOGETHER = 2048  # members whose gradients are added at once
FLAT = 1e-12  # a spread below this share of the values is rounding


@dataclass(frozen=True)
class Asked:
    """How indices are wanted: what failed members mean, and how intervals are found."""

    failed: str = "refuse"
    level: float = 0.95
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.failed not in RULES:
            raise ConfigError(
                f'failed = "{self.failed}": no such rule.{suggest(self.failed, RULES)} '
                f"Write {' or '.join(RULES)}."
            )
        if not 0.0 < self.level < 1.0:
            raise ConfigError(f"level = {self.level:g}: must lie between 0 and 1, e.g. 0.95.")
        if not 10 <= self.resamples <= 100_000:
            raise ConfigError(f"resamples = {self.resamples:,}: between 10 and 100,000 are needed.")


@dataclass(frozen=True)
class Index:
    """One number a factor with the ends of its interval, shapes (n_factors,)."""

    value: Array
    low: Array
    high: Array


Found = dict[str, Index]


class Resampling:
    """How often each of ``n`` blocks is drawn in each of some resamples, a stretch at a time."""

    def __init__(self, n: int, resamples: int, seed: int) -> None:
        self.left, self.resamples = n, resamples
        self.source = np.random.default_rng(seed)
        self.owed = np.full(resamples, n)

    def next(self, n: int) -> Array:
        """Return counts of the next ``n`` blocks, (1 + resamples, n); the first row is all ones."""
        share = min(1.0, n / self.left)
        here = self.source.binomial(self.owed, share) if n < self.left else self.owed
        self.left, self.owed = self.left - n, self.owed - here
        of = np.repeat(np.arange(self.resamples), here) * n
        drawn = of + self.source.integers(n, size=len(of))
        counts = np.bincount(drawn, minlength=self.resamples * n).reshape(self.resamples, n)
        return np.concatenate([np.ones((1, n)), counts])


class Sobol:
    """First and total order, from blocks of A, A with each factor of B, and B.

    Parameters
    ----------
    n, factors
        How many blocks there will be, and how many factors.
    centre
        The mean of all outputs; first-order estimates depend on it.
    """

    def __init__(
        self, n: int, factors: int, *, centre: float = 0.0, resamples: int = 1000, seed: int = 0
    ) -> None:
        self.n, self.k, self.centre = n, factors, centre
        self.again = Resampling(n, resamples, seed)
        self.sums = np.zeros((1 + resamples, 2 * factors + 4))

    def add(self, outputs: Array) -> None:
        """Add blocks, (n_blocks, n_factors + 2)."""
        y = outputs - self.centre
        a, b, mixed = y[:, :1], y[:, -1:], y[:, 1:-1]
        terms = [b * (mixed - a), (a - mixed) ** 2, a, b, a * a, b * b]
        self.sums += self.again.next(len(y)) @ np.concatenate(terms, axis=1)

    def found(self, level: float = 0.95) -> Found:
        """Return ``S1`` and ``ST``; NaN throughout when the outputs do not vary."""
        means = self.sums / self.n
        a, b, aa, bb = means[:, 2 * self.k :].T
        variance = 0.5 * (aa + bb) - (0.5 * (a + b)) ** 2
        first = _ratio(means[:, : self.k], variance)
        total = _ratio(0.5 * means[:, self.k : 2 * self.k], variance)
        return {"S1": _interval(first, level), "ST": _interval(total, level)}


class Shapley:
    """Shapley effects as shares of the variance, from walks from A to B; they add up to 1."""

    def __init__(self, n: int, factors: int, *, resamples: int = 1000, seed: int = 0) -> None:
        self.n = n
        self.again = Resampling(n, resamples, seed)
        self.sums = np.zeros((1 + resamples, factors))

    def add(self, outputs: Array, orders: Order) -> None:
        """Add walks (n_blocks, n_factors + 1) and the order of their steps."""
        start, before, after = outputs[:, :1], outputs[:, :-1], outputs[:, 1:]
        steps = (start - 0.5 * (before + after)) * (before - after)
        self.sums += self.again.next(len(outputs)) @ _by_factor(steps, orders)

    def found(self, level: float = 0.95) -> Found:
        """Return ``Sh``."""
        return {"Sh": _interval(_ratio(self.sums, self.sums.sum(axis=1)), level)}


class Morris:
    """Elementary effects, from walks over a grid whose steps are ``step`` of a range long."""

    def __init__(self, step: float, *, resamples: int = 1000, seed: int = 0) -> None:
        self.step, self.resamples, self.seed = step, resamples, seed
        self.effects: list[Array] = []

    def add(self, outputs: Array, orders: Order, ups: Array) -> None:
        """Add walks (n_blocks, n_factors + 1), the order of their steps, and which way they go.

        ``ups`` (n_blocks, n_factors) is 1 where a factor goes up and -1 where it goes down.
        """
        self.effects.append(_by_factor(np.diff(outputs, axis=1), orders) * ups / self.step)

    def found(self, level: float = 0.95) -> Found:
        """Return mean absolute effect (``mu_star``), mean (``mu``) and spread (``sigma``)."""
        effects = np.concatenate(self.effects)
        n = len(effects)
        counts = Resampling(n, self.resamples, self.seed).next(n) / n
        apart = effects - effects.mean(axis=0)
        squares = counts @ apart**2 - (counts @ apart) ** 2
        spread = np.sqrt(np.maximum(squares, 0.0) * n / (n - 1)) if n > 1 else squares * np.nan
        return {
            "mu_star": _interval(counts @ np.abs(effects), level),
            "mu": _interval(counts @ effects, level),
            "sigma": _interval(spread, level),
        }


def prcc(values: Array, outputs: Array, *, level: float = 0.95) -> Found:
    """Return partial rank correlations of outputs (n,) with each input, values (n, n_inputs).

    The interval is Fisher's, for so many inputs held constant.

    Raises
    ------
    ConfigError
        When there are too few members, or two inputs rise and fall together.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    n, k = values.shape
    if n < k + 4:
        raise ConfigError(f"{n:,} members with values; PRCC of {k} inputs needs {k + 4:,}.")
    ranks = np.empty((n, k + 1))
    for i in range(k):
        ranks[:, i] = rankdata(values[:, i])
    ranks[:, k] = rankdata(outputs)
    if np.ptp(ranks[:, k]) == 0.0:
        return {"PRCC": nothing(k)}
    matrix = np.corrcoef(ranks, rowvar=False)
    if not np.isfinite(matrix).all() or np.linalg.cond(matrix[:k, :k]) > 1e10:
        raise ConfigError("PRCC: an input does not vary, or is another one over again.")
    inverse = np.linalg.inv(matrix)
    found = -inverse[:k, k] / np.sqrt(np.diag(inverse)[:k] * inverse[k, k])
    found = np.clip(found, -1.0, 1.0)
    reach = float(ndtri(0.5 + 0.5 * level)) / sqrt(n - k - 2)
    inside = np.clip(found, -1.0 + 1e-15, 1.0 - 1e-15)
    low, high = (np.array([tanh(atanh(x) + side * reach) for x in inside]) for side in (-1, 1))
    return {"PRCC": Index(found, low, high)}


@dataclass(frozen=True)
class Derivatives:
    """Screening by gradients: what each read-out's total indices cannot exceed.

    ``bound`` (n_readouts, n_factors) is an upper bound on the total index; ``low`` and ``high`` are
    the ends of its bootstrap interval. ``root`` is the root mean square of the gradient in the
    read-out's unit, each input measured in units in which the bound is the mean square over the
    variance. ``used`` members had gradients.
    """

    names: tuple[str, ...]
    bound: Array
    low: Array
    high: Array
    root: Array
    used: int
    failed: int


def derivative_based(
    gradients: Array,
    outputs: Array,
    inputs: Mapping[str, Distribution],
    values: Array,
    *,
    shares: Sequence[int] | None = None,
    failed: str = "refuse",
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Derivatives:
    """Return bounds on total Sobol indices from gradients at members drawn independently.

    Parameters
    ----------
    gradients
        d(read-out)/d(input) at every member, shape (n_members, n_readouts, n_inputs), in the units
        of ``outputs`` and of the inputs' distributions.
    outputs
        The read-outs, shape (n_members, n_readouts); their variance is what is explained.
    inputs
        The distribution of each input by name, in the order of the gradients.
    values
        The inputs of each member, shape (n_members, n_inputs).
    shares
        Which draw each input takes, as in a design; inputs that share one are one factor, named
        after the first.
    failed
        ``"refuse"`` members with a gradient or output that is no number, or ``"drop"`` them.
    level, resamples, seed
        Of the bootstrap interval.

    Raises
    ------
    MissingValues
        When members have no gradient and they are not to be dropped.
    ConfigError
        When shapes do not fit.

    Notes
    -----
    For independent inputs, a total index is at most C E[(df/dz)²] / Var f: z is the input, or its
    logarithm where ratios count, and C the Poincaré constant of its distribution, (b - a)²/π² for
    even chances between two ends and the variance for a normal one [sobol2009]_.
    """
    n, n_readouts, k = gradients.shape
    if values.shape != (n, k) or outputs.shape != (n, n_readouts) or len(inputs) != k:
        raise ConfigError(
            f"gradients {gradients.shape}, outputs {outputs.shape}, values {values.shape} and "
            f"{len(inputs)} inputs do not fit together."
        )
    fine = np.isfinite(gradients).all(axis=(1, 2)) & np.isfinite(outputs).all(axis=1)
    lost = int(n - fine.sum())
    if lost and (failed != "drop" or lost > n - 2):
        raise MissingValues(
            f"{lost:,} of {n:,} members have no gradient or no value; "
            'failed="drop" leaves them out.'
        )
    names, owner = _owners(tuple(inputs), shares)
    stretch = _stretch(inputs, values)
    centre, used = outputs[fine].mean(axis=0), n - lost
    again = Resampling(used, resamples, seed)
    squares = np.zeros((1 + resamples, n_readouts * len(names)))
    moments = np.zeros((1 + resamples, 2 * n_readouts))
    for members in np.array_split(np.flatnonzero(fine), -(-used // TOGETHER)):
        scaled = gradients[members] * stretch[members][:, None, :]
        joined = np.zeros((*scaled.shape[:2], len(names)))
        for i, of in enumerate(owner):
            joined[:, :, of] += scaled[:, :, i]
        counts = again.next(len(members)) / used
        apart = outputs[members] - centre
        squares += counts @ (joined**2).reshape(len(members), -1)
        moments += counts @ np.concatenate([apart, apart**2], axis=1)
    means = squares.reshape(1 + resamples, n_readouts, len(names))
    variance = moments[:, n_readouts:] - moments[:, :n_readouts] ** 2
    found = [_interval(_ratio(means[:, o], variance[:, o]), level) for o in range(n_readouts)]
    bound, low, high = (
        np.stack([getattr(one, end) for one in found]) for end in ("value", "low", "high")
    )
    return Derivatives(names, bound, low, high, np.sqrt(means[0]), used, lost)


def _owners(
    names: tuple[str, ...], shares: Sequence[int] | None
) -> tuple[tuple[str, ...], list[int]]:
    """Return the factors' names and the factor of each input."""
    keys = list(range(len(names))) if shares is None else list(shares)
    first = {key: names[i] for i, key in reversed(list(enumerate(keys)))}
    order = list(dict.fromkeys(keys))
    return tuple(first[key] for key in order), [order.index(key) for key in keys]


def _stretch(inputs: Mapping[str, Distribution], values: Array) -> Array:
    """Return what turns d/d(input) into d/d(z / sqrt(C)), for every member, (n, n_inputs)."""
    found = np.empty(values.shape)
    for i, one in enumerate(inputs.values()):
        constant, is_ratio = poincare(one)
        found[:, i] = sqrt(constant) * (values[:, i] if is_ratio else 1.0)
    return found


def poincare(one: Distribution) -> tuple[float, bool]:
    """Return a constant C with Var g <= C E[g'²], and whether g is a function of the logarithm.

    Exact for even chances; what is cut off keeps the normal's constant, or that of the interval
    where that is less, as both hold for it.
    """
    low, high = one.support
    is_ratio = one.kind in ("loguniform", "lognormal")
    if is_ratio:
        low, high = (log(low) if low > 0.0 else -np.inf), (log(high) if high > 0.0 else -np.inf)
    interval = ((high - low) / pi) ** 2
    if one.kind in ("uniform", "loguniform"):
        return interval, is_ratio
    own = log(one.b) ** 2 if is_ratio else one.b**2
    return min(own, interval), is_ratio


def order(values: Array) -> Order:
    """Return the places of the numbers that are known, the largest in size first."""
    known = np.flatnonzero(np.isfinite(values))
    return known[np.argsort(-np.abs(values[known]), kind="stable")]


def does_vary(low: float, high: float) -> bool:
    """Say whether numbers between these differ by more than rounding."""
    return high - low > FLAT * max(abs(low), abs(high))


def _by_factor(steps: Array, orders: Order) -> Array:
    """Return the numbers of the steps under the factors that were changed in them."""
    found = np.empty_like(steps)
    np.put_along_axis(found, orders, steps, axis=1)
    return found


def _ratio(numbers: Array, by: Array) -> Array:
    """Return rows divided by a number each; NaN where that is nothing."""
    whole = np.where(by > 0.0, by, np.nan)
    found: Array = numbers / whole[:, None]
    return found


def _interval(found: Array, level: float) -> Index:
    """Return the first row with quantiles of the others, (1 + resamples, n_factors)."""
    tail = 0.5 * (1.0 - level)
    if len(found) < 3 or not np.isfinite(found).all():
        return Index(found[0], *(np.full_like(found[0], np.nan) for _ in range(2)))
    low, high = np.quantile(found[1:], [tail, 1.0 - tail], axis=0)
    return Index(found[0], low, high)


def nothing(k: int) -> Index:
    """Return an index that is not known of any of ``k`` factors."""
    return Index(*(np.full(k, np.nan) for _ in range(3)))
