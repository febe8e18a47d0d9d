"""Does what is installed work? Each engine, the kernel cache and a store, tried once."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ketasim.compile import cache, former
from ketasim.compile.entry import Entry
from ketasim.config import load
from ketasim.core.scenario import Scenario
from ketasim.results.problems import size
from ketasim.results.store import Store, open_dataset
from ketasim.studies import designs
from ketasim.studies.simulate import simulate
from ketasim.studies.sweep import sweep
from ketasim.verbs.sweep import headlines

FAULT = "FAULT"
ENGINES = ("ensemble", "reference")
AGREE = 1e-4  # relative; the engines' own tolerances are far smaller


def trials() -> Iterator[tuple[str, str]]:
    """Yield what was tried, and what came of it; nothing that fails stops the rest."""
    scenario = load("human_healthy_iv", sets=["output.until=1 d"]).scenario
    tries: dict[str, Callable[[Scenario], str]] = {
        "engine reference": _reference,
        "cache": _cache,
        "engine ensemble": _ensemble,
        "store": _store,
    }
    for name, one in tries.items():
        try:
            yield name, one(scenario)
        except Exception as error:  # told to the user, who asked what is wrong
            told = f"{type(error).__name__}: {error}"
            yield name, f"{FAULT}: {told.splitlines()[0][:200]}. {_CURES[name]}"


_CURES = {
    "engine reference": "Type: python -m pip install --force-reinstall numpy scipy",
    "cache": "Set KETASIM_CACHE_DIR to a folder of your own.",
    "engine ensemble": "Type: python -m pip install --force-reinstall llvmlite; until then "
    "--engine reference works.",
    "store": "Type: python -m pip install --force-reinstall zarr numcodecs google-crc32c, or set "
    "TMPDIR to a disk with room.",
}


def _reference(scenario: Scenario) -> str:
    run = simulate(scenario, engine="reference").attrs
    return f"SciPy {run['method']}: a day in {run['wall_s']:.2f} s, ok"


def _ensemble(scenario: Scenario) -> str:
    began = time.perf_counter()
    design = designs.grid({"dosing[0].amount": ["0.1 mg/kg", "0.5 mg/kg", "1 mg/kg"]})
    asked = [f"{name}.peak" for name in headlines(scenario)]
    runs = [sweep(scenario, design, summaries=asked, engine=one) for one in ENGINES]
    found, wanted = ({name: run[name].to_numpy() for name in asked} for run in runs)
    off = max(float(np.max(np.abs(found[n] - wanted[n]) / np.abs(wanted[n]).max())) for n in asked)
    if not off < AGREE:
        return (
            f"{FAULT}: it differs from the reference by {off:.1e}. Remove the kernels in "
            f"{cache.folder()} and try again; report it if it stays."
        )
    took = time.perf_counter() - began
    return f"compiled: three members in {took:.1f} s, {off:.0e} from the reference, ok"


def _cache(_: Scenario) -> str:
    told = cache.trouble()
    if told:
        return f"{FAULT}: {told}"
    files, freed = former.clear(cache.folder().resolve())
    kept = list(cache.folder().glob("kernel_*-*"))
    bad = [one for one in kept if Entry(one).read()[1]]
    taken = sum(file.stat().st_size for one in kept for file in one.iterdir())
    line = f"{cache.folder()}: {len(kept)} kernels, {size(taken)}"
    if files:
        line += f"; {files} files of kernels that former versions kept are removed, {size(freed)}"
    if bad:
        return f"{line}; {len(bad)} damaged, compiled again when needed"
    return f"{line}, ok"


def _store(scenario: Scenario) -> str:
    with tempfile.TemporaryDirectory() as place:
        path, asked = Path(place) / "trial.zarr", f"{headlines(scenario)[0]}.peak"
        design = designs.grid({"dosing[0].amount": ["0.1 mg/kg", "0.5 mg/kg"]})
        run = sweep(scenario, design, store=path, summaries=[asked], engine="reference", chunk=1)
        made = run[asked].to_numpy()
        again = open_dataset(path)[asked].to_numpy()
        file = Store(path).file(asked, 0)
        whole = file.read_bytes()
        file.write_bytes(whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:])
        if not np.array_equal(made, again) or list(Store(path).damaged()) != [0]:
            return f"{FAULT}: what is written is not what is read. {_CURES['store']}"
    return f"written, read, and a changed bit found, in {tempfile.gettempdir()}, ok"
