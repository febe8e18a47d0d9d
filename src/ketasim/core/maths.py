"""The few functions a law may use beside arithmetic.

Each takes floats (fast), arrays, complex numbers (for derivatives), pint quantities and traced
symbols, and is finite slightly outside its domain because solvers overshoot.
"""

import math

import numpy as np

TINY = 1e-300
LARGE = 709.0  # e to this power is the largest float


def exp(x):
    """Return e to the power x; where x is a real number, at most the largest float."""
    if type(x) is float:
        return math.exp(min(x, LARGE))
    real = isinstance(x, np.ndarray | np.floating) and x.dtype.kind == "f"
    return np.exp(np.minimum(x, LARGE) if real else x)


def power(base, exponent):
    """Return base to the power exponent, and zero for a base that is not positive."""
    if type(base) is float and type(exponent) is float:
        return base**exponent if base > 0.0 else 0.0
    return np.exp(exponent * np.log(np.maximum(base, TINY)))


def log(x):
    """Return the natural logarithm of x; that of the smallest number for x not above it."""
    return math.log(max(x, TINY)) if type(x) is float else np.log(np.maximum(x, TINY))


def fold(level, most, steepness):
    """Return a two-sided response: 0 at 0, 1 at rest (level 1), and at most ``most``."""
    raised = power(level, steepness)
    return most * raised / (most - 1.0 + raised)


def hill(x, half, steepness):
    """Return a saturating response: 0 at or below rest, one half at ``half``."""
    raised = power(x / half, steepness)
    return raised / (1.0 + raised)
