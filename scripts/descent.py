"""The best point of what a model is asked, from several places, and what is known around it."""

from dataclasses import replace

import numpy as np
from asked import Target

STEP, ROUNDS = 0.02, 60  # of slopes; Gauss-Newton
DAMPED = 0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0  # added to the curvature, of its diagonal
LENGTHS = 1.0, 0.5, 0.2, 0.05  # of a step
ANYWHERE = -np.inf, np.inf
ASIDE, SIDEWAYS = (0.02, 0.05, 0.1), 50  # spreads of steps aside, of the covariance; of each
MUCH, LITTLE, PATIENCE = 0.5, 0.05, 5.0  # gains of a round; rounds without one, of little a quarter


def slopes(asked: Target, z):
    """Return residuals at a point and their derivatives."""
    inward = np.where(z > 0.0, -STEP, STEP)
    found = asked.residuals(np.vstack([z, z + np.diag(inward)]))
    return found[0], np.nan_to_num((found[1:] - found[0]).T / inward)


def best(asked: Target, start=None, free=None, far=1.0, ends=ANYWHERE):
    """Return the best point, and the root of the covariance that the slopes there stand for.

    Gauss-Newton with many dampings and lengths at once, and steps aside: ends of windows are
    corners, at which the slopes say little. ``free`` (d,) says what may move, by default all, and
    ``ends`` between what.
    Windows level off ``far`` times as far out at first: one missed by much gives no slope else.
    """
    z = asked.start if start is None else start
    free = np.ones(len(z), dtype=bool) if free is None else free
    for most in dict.fromkeys((far * asked.most, asked.most)):
        z = descended(replace(asked, most=most), z, free, ends)
    return around(asked, z)


def descended(asked: Target, z, free, ends):
    """Return the point from which no step leads further down."""
    z = np.where(free, np.clip(z, *ends), z)
    rng, here, stalled = np.random.default_rng(0), total(asked, z[None])[0], 0.0
    print(f"beginning, within the bounds: loss {here:.1f}, of it the prior {z @ z:.1f}", flush=True)
    for _ in range(ROUNDS):
        steps = np.zeros((len(DAMPED) * len(LENGTHS) + len(ASIDE) * SIDEWAYS, len(z)))
        steps[:, free] = tries(asked, z, free, rng)
        reached = np.where(free, np.clip(z + steps, *ends), z)
        found = total(asked, reached)
        least = int(found.argmin())
        won = here - found[least]
        stalled = 0.0 if won > MUCH else stalled + (0.25 if won > LITTLE else 1.0)
        if won > LITTLE:
            z, here = reached[least], found[least]
            print(f"loss {here:.1f}", flush=True)
        if stalled >= PATIENCE:
            break
    return z


def total(asked, z):
    """Return what data and prior lose at points (n, d)."""
    return asked.losses(z) + (z**2).sum(axis=1)


def tries(asked: Target, z, free, rng):
    """Return steps of the free coordinates that may lead to a better point."""
    own, j = slopes(asked, z)
    j, down = j[:, free], -(z[free] + j[:, free].T @ own)
    curved = np.eye(int(free.sum())) + j.T @ j
    values, vectors = np.linalg.eigh(curved)
    root = vectors / np.sqrt(values)
    newton = [
        length * np.linalg.solve(curved + damped * np.diag(np.diag(curved)), down)
        for damped in DAMPED
        for length in LENGTHS
    ]
    aside = [far * rng.standard_normal((SIDEWAYS, len(root))) @ root.T for far in ASIDE]
    return np.vstack([newton, *aside])


def bests(asked: Target, begin=lambda z: z):
    """Return best points (z, root, loss of the data, of the prior), by where they were begun.

    ``begin`` may change where, as a hypothesis does that asks for its own strength.
    """
    places = {"the ledger": asked.start, "the middle": np.zeros(len(asked.start))}
    found = {name: best(asked, begin(start)) for name, start in places.items()}
    return {
        name: (z, root, float(asked.losses(z[None])[0]), float(z @ z))
        for name, (z, root) in found.items()
    }


def least(found):
    """Return the name of the best of best points."""
    return min(found, key=lambda name: sum(found[name][2:]))


def around(asked: Target, z):
    """Return a point, and the root of the covariance that the slopes there stand for."""
    _, j = slopes(asked, z)
    values, vectors = np.linalg.eigh(np.eye(len(z)) + j.T @ j)
    return z, vectors / np.sqrt(values)
