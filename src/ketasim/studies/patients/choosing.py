"""A cohort of so many from a population: drawn by weight, chosen by an integer programme, accepted.

- ``drawn``: systematic draws in proportion to weights
- ``chosen``: of a pool drawn so, those whose own statistics are nearest to the published ones
- ``accepted``: kept with the chance that the published density has over the plausible one
  [allen2016]_

References
----------
.. [allen2016] Allen, Rieger and Musante 2016, 10.1002/psp4.12063
"""

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse
from scipy.spatial import cKDTree

from ketasim.errors import ConfigError, SolverError
from ketasim.studies.patients.reading import chance

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
POOL = 6  # patients in a pool for each that is chosen
GAP, NODES = 0.02, 200  # where the integer programme may stop; no clock, so that it is the same
NEIGHBOURS = 10  # by whose distance a density is told
CROWDED = 200_000  # patients whose density is told
NEAREST = 1e-9  # distance below which patients are the same
DRAW, ACCEPT = 1, 2  # streams of chance


def drawn(weights: Array, n: int, seed: int) -> Indices:
    """Return ``n`` patients drawn in proportion to weights (systematic); some may come twice."""
    start = chance(seed, DRAW, np.array([0]))[0]
    marks = (np.arange(n) + start) / n
    ends = np.cumsum(weights)
    found: Indices = np.searchsorted(ends / ends[-1], marks)
    return np.minimum(found, len(weights) - 1)


def chosen(scores: NDArray[np.floating], weights: Array, n: int, seed: int) -> Indices:
    """Return ``n`` different patients whose mean scores are nearest to 0, by an integer programme.

    Raises
    ------
    SolverError
        When there are too few patients with weight.
    """
    pool = np.unique(drawn(weights, POOL * n, seed))
    if len(pool) < n:
        raise SolverError(
            f"cohort: only {len(pool)} of the plausible patients carry weight, fewer than the {n} "
            "asked for. Draw more patients, or a smaller cohort."
        )
    own = scores[pool].astype(float).T / n
    k, m = own.shape
    # Patients are 0 or 1; two numbers for each statistic take up how far it misses.
    price = np.concatenate([np.zeros(m), np.ones(2 * k)])
    table = sparse.hstack([sparse.csr_array(own), sparse.eye_array(k), -sparse.eye_array(k)])
    count = sparse.csr_array(np.concatenate([np.ones(m), np.zeros(2 * k)])[None, :])
    result = optimize.milp(
        price,
        integrality=np.concatenate([np.ones(m), np.zeros(2 * k)]),
        bounds=optimize.Bounds(0.0, np.concatenate([np.ones(m), np.full(2 * k, np.inf)])),
        constraints=[
            optimize.LinearConstraint(table, np.zeros(k), np.zeros(k)),
            optimize.LinearConstraint(count, n, n),
        ],
        options={"mip_rel_gap": GAP, "node_limit": NODES},
    )
    if result.x is None:
        raise SolverError(f"cohort: the integer programme found none ({result.message}).")
    found: Indices = pool[np.argsort(-result.x[:m], kind="stable")[:n]]
    return np.sort(found)


def accepted(
    seen: Array, means: Array, sds: Array, fine: NDArray[np.bool_], n: int, seed: int
) -> Indices:
    """Return ``n`` patients kept by the published density over the plausible one.

    Parameters
    ----------
    seen
        What each patient shows of each published number that has a mean and a standard deviation,
        (n_patients, n_numbers).
    means, sds
        Of those numbers. How they go together is taken from the plausible patients.
    fine
        Who may be taken at all.

    Raises
    ------
    ConfigError
        When fewer than ``n`` are kept at any rate.
    """
    among = np.flatnonzero(fine)[:CROWDED]
    own = _scaled(seen[among], means, sds, chance(seed, ACCEPT + 1, among)[:, None] - 0.5)
    together = np.corrcoef(own.T) if own.shape[1] > 1 else np.ones((1, 1))
    gap, _ = cKDTree(own).query(own, k=NEIGHBOURS + 1)
    log_here = -own.shape[1] * np.log(np.maximum(gap[:, -1], NEAREST))
    log_wanted = -0.5 * np.einsum("ij,jk,ik->i", own, np.linalg.inv(together), own)
    ratio = np.exp(np.clip(log_wanted - log_here, -700.0, 700.0))
    share = chance(seed, ACCEPT, among)
    rank = share / np.maximum(ratio, 1e-300)  # kept at a rate s where share < s * ratio
    kept = among[np.argsort(rank, kind="stable")[:n]]
    if len(kept) < n:
        raise ConfigError(f"accept: only {len(kept)} patients may enter every trial; draw more.")
    return np.sort(kept)


def _scaled(seen: Array, means: Array, sds: Array, within: Array) -> Array:
    """Return what is seen about published means, in published standard deviations.

    What two arms have in common, a score before anything is given, is one number: with the mean and
    the variance of both. As two that go together wholly they would let in nobody but at the mean.
    Whole points, of which many share a place, are spread by ``within``, a share of a point each.
    """
    once, which = np.unique(seen, axis=1, return_inverse=True)
    which = which.reshape(-1)  # NumPy 2.0 gives it another shape
    if (once == np.round(once)).all():
        once = once + within
    often = np.bincount(which)
    middle = np.bincount(which, means) / often
    found: Array = (once - middle) / np.sqrt(np.bincount(which, sds**2) / often)
    return found
