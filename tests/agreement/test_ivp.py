"""The integrator alone, on the stiff problems everybody knows."""

import json
from pathlib import Path

import numpy as np
import pytest

from ketasim.core.maths import exp
from ketasim.engines.ivp import solve_small
from ketasim.engines.status import Status
from ketasim.errors import ModelError

TOLD = json.loads(
    Path(__file__).with_name("data").joinpath("ivp_reference.json").read_text(encoding="utf-8")
)
PROBLEMS = {one["name"]: one for one in TOLD["problems"]}


def rober(y):
    y1, y2, y3 = y
    fast, slow = 1e4 * y2 * y3, 3e7 * y2**2
    return [-0.04 * y1 + fast, 0.04 * y1 - fast - slow, slow]


def hires(y):
    y1, y2, y3, y4, y5, y6, y7, y8 = y
    meet = 280 * y6 * y8
    return [
        -1.71 * y1 + 0.43 * y2 + 8.32 * y3 + 0.0007,
        1.71 * y1 - 8.75 * y2,
        -10.03 * y3 + 0.43 * y4 + 0.035 * y5,
        8.32 * y2 + 1.71 * y3 - 1.12 * y4,
        -1.745 * y5 + 0.43 * (y6 + y7),
        -meet + 0.69 * y4 + 1.71 * y5 - 0.43 * y6 + 0.69 * y7,
        meet - 1.81 * y7,
        -(meet - 1.81 * y7),
    ]


def orego(y):
    y1, y2, y3 = y
    return [
        77.27 * (y2 + y1 * (1 - 8.375e-6 * y1 - y2)),
        (y3 - (1 + y1) * y2) / 77.27,
        0.161 * (y1 - y3),
    ]


def vdpol(y, p):
    return [y[1], ((1 - y[0] ** 2) * y[1] - y[0]) / p[0]]


RHS = {"ROBER": rober, "HIRES": hires, "OREGO": orego, "VDPOL": vdpol}
PARAMETERS = {"VDPOL": [1e-6]}


def digits(name, rtol):
    """Return the correct digits at the end, and how the run ended."""
    told = PROBLEMS[name]
    atol = told["suggested_test"]["atol"] * rtol / told["suggested_test"]["rtol"]
    span = (told["t0"], told["t_end"])
    found = solve_small(RHS[name], told["y0"], span, PARAMETERS.get(name, ()), rtol=rtol, atol=atol)
    wanted = np.array([float(one) for one in told["reference"]])
    return -np.log10(np.max(np.abs(found.y[:, -1] / wanted - 1.0))), found


@pytest.mark.parametrize(
    ("name", "rtol", "least"),
    [
        *((name, 1e-6, 4.0 if name == "OREGO" else 4.5) for name in RHS),
        *((name, 1e-8, 5.5 if name == "OREGO" else 6.5) for name in RHS),
    ],
)
def test_digits_at_the_end(name, rtol, least):
    scd, found = digits(name, rtol)
    assert found.status == Status.OK
    assert scd >= least


@pytest.mark.parametrize("name", RHS)
def test_a_tighter_tolerance_is_honoured(name):
    scd = [digits(name, rtol)[0] for rtol in (1e-5, 1e-6, 1e-7, 1e-8, 1e-9)]
    assert np.all(np.diff(scd) > np.log10(5.0))


def test_what_is_conserved_stays():
    _, found = digits("ROBER", 1e-6)
    assert abs(found.y[:, -1].sum() - 1.0) < 1e-9
    _, found = digits("HIRES", 1e-6)
    assert abs(found.y[6:, -1].sum() - 0.0057) < 1e-12


def test_time_in_the_equations():
    def forced(t, y):
        return [-1e3 * (y[0] - exp(-t)) - exp(-t)]

    when = np.linspace(0.0, 3.0, 7)
    found = solve_small(forced, [1.0], (0.0, 3.0), t_eval=when, rtol=1e-8)
    assert np.allclose(found.y[0], np.exp(-when), rtol=1e-7)


def test_a_branch_is_refused_by_name():
    with pytest.raises(ModelError, match="branch"):
        solve_small(lambda y: [1.0 if y[0] > 0 else 0.0], [1.0], (0.0, 1.0))
