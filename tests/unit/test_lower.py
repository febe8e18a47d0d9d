"""Does compiled code mean what the same text means in Python, to the bit?"""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

from ketasim.compile import kinds, scan
from ketasim.compile.interface import REAL, WHOLE, Interface
from ketasim.compile.kinds import Value, joined
from ketasim.compile.machine import Code, compiled, written
from ketasim.compile.writer import MARK
from ketasim.errors import ModelError

JOB = Interface(
    (("x", REAL), ("n", WHOLE), ("c", "i1[::1]")), {"n_x": ("x", 0, 0), "second": ("n", None, 1)}
)
NUMBERS = {"W": 4, "TABLE": (7, 5, 3), "ON": True, "OFF": False, "SCALE": 0.3}


class Given:
    """The job as Python sees it."""

    def __init__(self, x, n, c):
        self.x, self.n, self.c = x, n, c
        self.n_x, self.second = len(x), n[1]


def both(text, x=(1.5, -2.0, 0.0, 9.25), n=(3, 2, -1), c=(1, 0)):
    """Run a text here and as machine code; return what it gives and leaves in the arrays."""
    results = []
    for how in ("python", "compiled"):
        arrays = {
            "x": np.array(x, dtype=float),
            "n": np.array(n, dtype=np.int64),
            "c": np.array(c, dtype=np.int8),
        }
        if how == "python":
            names = {**NUMBERS, "np": np, "zeros": lambda k: np.zeros(k, dtype=np.int64)}
            exec(compile(ast.parse(text), "text", "exec"), names)  # noqa: S102, texts above
            with np.errstate(all="ignore"):
                given = names["run"](Given(**arrays))
        else:
            code = Code(compiled(written(NUMBERS, {}, {}, JOB, text)))
            given = code.run(JOB, arrays)
        results.append((int(given), {k: v.tobytes() for k, v in arrays.items()}))
    return results


TEXTS = {
    "loops": """
def run(job):
    total = 0
    for i in range(job.n_x):
        if i == 2:
            continue
        for j in range(1, 4):
            if j == 3:
                break
            total += i * 10 + j
    while total > 5:
        total = total - 4
    return total
""",
    "whole numbers meet real ones": """
def run(job):
    a = job.n[0] / 2
    b = 0.5 * job.n[0] - 1
    job.x[0], job.x[1] = a, b + job.second
    job.x[2] = job.n[2]
    return int(a) + int(-1.7)
""",
    "truth values are counted": """
def run(job):
    seen = False
    for i in range(job.n_x):
        seen |= job.x[i] < 0.0
        job.n[0] |= job.x[i] > 9.0
    job.n[1] = seen
    job.c[1] = job.c[0]
    return 1 if seen and not job.x[2] > 0.0 else 2
""",
    "a later part is not looked at": """
def run(job):
    k = 0
    while k < job.n_x and job.x[k] != 9.25:
        k += 1
    if k == 99 or (ON and k == 3) or OFF:
        return TABLE[k - 2]
    return k
""",
    "several values come back": """
def pair(a, b):
    if a > b:
        return a, b, 1
    return b, a, 0

def run(job):
    high, low, turned = pair(job.x[1], job.x[0])
    five = job.x[0], job.x[1], job.x[2], job.x[3], 2.0
    other = five if turned == 1 else (1.0, 2.0, 3.0, 4.0, SCALE)
    job.x[0] = high - low
    for i in range(5):
        job.x[1] += other[i] * (i + 1)
    return turned
""",
    "least, most, size and sign": """
def run(job):
    job.x[0] = min(job.x[0], abs(job.x[1]))
    job.x[1] = max(np.sign(job.x[1]), np.sign(job.x[2]))
    job.x[3] = np.sign(np.nan) if job.n[0] == 0 else min(1.0, max(0.2, np.nan))
    return min(job.n[0], W) + max(job.n[1], 1)
""",
    "numbers of one's own": """
def fill(d, first):
    for i in range(W):
        d[i] = first + i

def run(job):
    d = zeros(2 * W)
    fill(d, 3)
    total = 0
    for i in range(2 * W):
        total += d[i] * (i + 1)
    return total
""",
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_means_what_it_means_in_python(name):
    here, there = both(TEXTS[name])
    assert there == here


def test_dividing_by_zero_is_ieee():
    code = Code(compiled(written({}, {}, {}, JOB, """
def run(job):
    job.x[0] = job.x[1] / job.x[2]
    job.x[3] = job.x[2] / job.x[2]
    return 0
""")))  # fmt: skip
    x = np.array([0.0, -2.0, 0.0, 1.0])
    code.run(JOB, {"x": x, "n": np.zeros(2, np.int64), "c": np.zeros(1, np.int8)})
    assert x[0] == -np.inf
    assert np.isnan(x[3])


@pytest.mark.parametrize(("line", "told"), [
    ("return [1]", "[1]"), ("return job.x[0] ** 2.0", "Pow"), ("import os", "import os"),
    ("return open(job.n_x)", "open"), ("return 'x'", "'x'"), ("return job.q", "q"),
    ("return unknown", "unknown"),
    ("return 1 if job.n_x else job.x", "stands for"), ("x: int = 3", "x: int"),
])  # fmt: skip
def test_what_is_not_known_is_refused_with_its_words(line, told):
    with pytest.raises(ModelError, match=re.escape(told)):
        compiled(written(NUMBERS, {}, {}, JOB, f"def run(job):\n    {line}\n"))


def test_an_array_of_another_type_is_not_handed_on():
    fine = {"x": np.zeros(3), "n": np.zeros(2, np.int64), "c": np.zeros(1, np.int8)}
    JOB.table(fine)
    for wrong in (np.zeros(3, np.float32), np.zeros(6)[::2], np.zeros((3, 1))):
        with pytest.raises(TypeError, match="x: 1 axes of float64"):
            JOB.table({**fine, "x": wrong})
    with pytest.raises(KeyError):
        JOB.table({"x": fine["x"]})


def panels(n=400):
    """Return panels of five values, many of them with ties, flats and turns."""
    random = np.random.default_rng(2)
    values = random.normal(size=(n, 5)) * 10.0 ** random.integers(-3, 3, size=(n, 1))
    values[::5] = np.round(values[::5])
    values[::7] = values[::7, :1]
    values[::11, 2] = np.nan
    return values


def test_numbers_of_a_course_are_those_of_the_same_text_in_python():
    """Every kind of number, panel after panel, from the text of ``scan`` run here and compiled."""
    text = scan_text() + """
def run(job):
    for i in range(job.second):
        v = job.x[5 * i], job.x[5 * i + 1], job.x[5 * i + 2], job.x[5 * i + 3], job.x[5 * i + 4]
        for kind in range(2, 9):
            a = 5 * job.second + kind * 8 * W
            seen = feed(job.x, a, kind, 0.5 * i, 0.5, v, 0.25, -1.0, i % 2 == 0)
            job.x[a + 7 * W] += seen
    return 0
""".replace("i % 2 == 0", "job.x[5 * i] > 0.0")  # fmt: skip
    values = panels()
    x = np.concatenate([values.ravel(), np.zeros(9 * 8 * NUMBERS["W"])])
    NUMBERS["TIE"] = 1e-5
    here, there = both(text, x=x, n=(0, len(values)))
    left, right = (np.frombuffer(one[1]["x"]) for one in (here, there))
    np.testing.assert_array_equal(left, right)
    assert np.isfinite(left[values.size :]).sum() > 100


def scan_text():
    return Path(scan.__file__).read_text(encoding="utf-8").partition(MARK)[2]


def test_a_tuple_has_a_kind_for_each_of_its_entries():
    assert [one.code for one in Value((WHOLE, REAL), ("a", "b")).parts] == ["a", "b"]
    with pytest.raises(ValueError, match="shorter"):
        _ = Value((WHOLE, REAL), ("a",)).parts


def test_tuples_meet_entry_by_entry_and_only_if_as_long():
    exact, whole = kinds.REAL, kinds.WHOLE
    assert joined((whole, exact), (exact, exact)) == (exact, exact)
    assert joined((whole, (whole, exact)), (whole, (exact, whole))) == (whole, (exact, exact))
    with pytest.raises(ModelError, match="stands for"):
        joined((exact, whole), (exact, whole, whole))
