"""A kernel as small as can be: it multiplies a number."""

import numpy as np

from ketasim.compile import cache, kernel
from ketasim.compile.interface import REAL, Interface
from ketasim.compile.machine import written

NUMBERS = Interface((("x", REAL),), {})


def text(factor):
    """Return the text of a kernel that multiplies by a factor."""
    return written({"FACTOR": factor}, {}, {}, NUMBERS, SOURCE)


SOURCE = """def run(job):
    job.x[0] = job.x[0] * FACTOR
    return 0
"""


def multiplied(code, x=2.0):
    """Return what a kernel makes of a number."""
    found = np.array([x])
    assert code.run(NUMBERS, {"x": found}) == 0
    return float(found[0])


def load(source):
    """Return the kernel of a text, from where kernels are kept, and a note."""
    return cache.load(kernel.module_of(source), source)
