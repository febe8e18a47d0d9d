"""CVODES with KLU on our own C, built here at -O3 against the SUNDIALS that AMICI brings."""

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from setting import OBSERVABLES, scenario, system

from ketasim.export.c import source

HERE = Path(__file__).parent
LIBRARIES = (
    "sundials_cvodes", "sundials_sunlinsolklu", "sundials_sunmatrixsparse", "sundials_nvecserial",
    "sundials_core", "klu", "btf", "amd", "colamd", "suitesparseconfig",
)  # fmt: skip


def home() -> Path | None:
    """Return where SUNDIALS with KLU is: KETASIM_SUNDIALS, or what AMICI has installed."""
    told = os.environ.get("KETASIM_SUNDIALS")
    if told:
        return Path(told)
    amici = find_spec("amici")
    if amici is None or amici.origin is None:
        return None
    found = Path(amici.origin).parent / "_installation"
    return found if (found / "lib" / "libsundials_cvodes.a").exists() else None


def available() -> bool:
    """Return whether it can be built here."""
    return home() is not None and shutil.which("gcc") is not None


@cache
def library(scene: str) -> ctypes.CDLL:
    """Return the machine code for one scene, compiled once."""
    place, schedule = home(), scenario(scene).schedule
    tables = {n: getattr(schedule, n) for n in ("edges", "knobs", "rates", "boluses")}
    text = source(system(scene), OBSERVABLES, tables, scene)
    name = hashlib.sha256((text + (HERE / "cvodes.c").read_text("utf-8")).encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"ketasim-race-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    built, model = folder / f"{name}.so", folder / f"{name}.c"
    if not built.exists():
        model.write_text(text, encoding="utf-8")
        subprocess.run(
            ["gcc", "-O3", "-march=native", "-shared", "-fPIC", f'-DMODEL="{model}"',
             f"-I{place}/include", f"-I{place}/include/suitesparse", str(HERE / "cvodes.c"),
             f"-L{place}/lib", *(f"-l{one}" for one in LIBRARIES), "-lm", "-o", str(built)],
            check=True,
        )  # fmt: skip
    return ctypes.CDLL(str(built))


def run(scene: str, parameters: np.ndarray, rtol: float) -> np.ndarray:
    """Return observables (n, 8, n_times)."""
    times = np.array(scenario(scene).times)
    values = np.empty((len(parameters), len(OBSERVABLES), len(times)))
    parameters = np.ascontiguousarray(parameters)
    double = ctypes.POINTER(ctypes.c_double)
    given = (one.ctypes.data_as(double) for one in (parameters, times, values))
    rows, moments, out = given
    code = library(scene).race(
        len(parameters), rows, len(times), moments, ctypes.c_double(rtol), out
    )
    if code:
        raise RuntimeError("CVODES failed")
    return values
