"""Does a sweep take the memory it says, however many its members, doses and values?"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import ketasim
import toy
from ketasim.core.protocol import dose, repeat
from ketasim.core.scenario import Scenario, Subject, hours
from ketasim.engines.contract import Settings
from ketasim.errors import ConfigError
from ketasim.studies import designs
from ketasim.studies.designs.axes import LISTED, Axis, Spaced, linspace, logspace
from ketasim.studies.sweep import budget
from ketasim.studies.sweep.job import prepare
from memory import PEAK, TOLD

SOURCE = str(Path(ketasim.__file__).parents[1])
ENSEMBLE = Settings("ensemble", "LSODA", None)


def scenario(doses=1):
    one = dose("1 mg/kg", route="iv", drug="drug", over="30 min")
    protocol = one if doses == 1 else repeat(one, every="1 d", times=doses)
    return Scenario(toy.model(), protocol, hours(0, 24 * doses, every=1.0), Subject("human", 70.0))


def job(doses=1, members=4096, vary=None, **how):
    asked = scenario(doses)
    design = designs.random(asked, members, vary=vary)
    return prepare(asked, design, summaries=["body.plasma.peak"], settings=ENSEMBLE, **how)


WEIGHT = {"subject.weight": "normal(70, 10, 40, 120) kg"}


def test_many_doses_make_small_chunks_and_none_takes_more_than_its_share():
    assert job(1).chunk == 4096
    year = job(365, vary=WEIGHT)
    assert year.chunk == 32
    assert year.burden.bytes > 10 * job(365).burden.bytes  # a schedule each, or one for all
    assert year.burden.peak(year.chunk, 2) < 0.5e9 < year.burden.peak(4096, 2)


def test_memory_bounds_the_chunk():
    asked = job(365, vary=WEIGHT)
    tight = job(365, vary=WEIGHT, memory=budget.BASE + 4.5 * asked.burden.bytes, threads=2)
    assert tight.chunk == 2
    with pytest.raises(ConfigError, match=r"memory = 250 MB: 2 threads .* Allow more, or fewer"):
        job(365, vary=WEIGHT, memory="250 MB", threads=2)
    with pytest.raises(ConfigError, match="chunk = 4096 needs"):
        job(365, vary=WEIGHT, memory="310 MB", chunk=4096)
    assert job(1, memory="2 GB").chunk == 4096


@pytest.mark.parametrize(
    ("text", "found"), [("2 GB", 2e9), ("1.5GiB", 1.5 * 2**30), ("300000", 3e5), (4096, 4096.0)]
)
def test_amounts_are_read(text, found):
    assert budget.amount(text) == found


@pytest.mark.parametrize("text", ["lots", "", "0 GB", "-1 GB", "2 gb", "1e9", float("nan"), 1e13])
def test_other_amounts_are_refused(text):
    with pytest.raises(ConfigError, match="write an amount"):
        budget.amount(text)


@pytest.mark.parametrize("n", [2, 7, LISTED, LISTED + 1, 99_991])
def test_spaced_values_are_numpys_own(n):
    even = linspace("0.1 uM", "0.7 uM", n)
    assert np.array_equal(even.take(np.arange(n)), np.linspace(0.1, 0.7, n))
    ratios = np.exp(np.linspace(np.log(0.05), np.log(5.0), n))
    ratios[0], ratios[-1] = 0.05, 5.0
    assert np.array_equal(logspace("0.05 uM", "5 uM", n).take(np.arange(n)), ratios)
    assert isinstance(even.values, Spaced) == (n > LISTED)
    assert Axis.of(even.described, "uM") == even
    assert even.ends == (0.1, 0.7)
    assert even.values[0] == 0.1
    assert even.values[-1] == 0.7


def test_a_long_axis_is_kept_by_its_ends():
    began = time.perf_counter()
    design = designs.grid({"body.k_el": linspace("0.1 1/h", "0.5 1/h", 10_000_000)})
    assert time.perf_counter() - began < 1.0
    assert len(str(design.description)) < 300
    again = designs.from_description(design.description)
    assert np.array_equal(again.rows(9_999_000, 10_000_000), design.rows(9_999_000, 10_000_000))
    assert design.rows(9_999_999, 10_000_000)[0, 0] == 0.5


CHILD = (
    PEAK
    + """
import sys
sys.path[:0] = sys.argv[2:]
from pathlib import Path
import test_budget as me
from ketasim.studies import designs
from ketasim.studies.sweep import sweep
asked = me.scenario()
design = designs.random(asked, 1_000_000_000)
seen = []
found = sweep(asked, design, store=Path(sys.argv[1]), engine="reference", chunk=20, threads=1,
              summaries=["body.plasma.peak"], progress=lambda now: seen.append(now) or now.done > 0)
print(seen[-1].computed, seen[-1].total, peak())
"""
)


@TOLD
def test_a_sweep_of_a_thousand_million_begins(tmp_path):
    """Neither the design nor an index of the members is written out or held."""
    store = tmp_path / "vast.zarr"
    here = Path(__file__).parent
    words = [sys.executable, "-c", CHILD, str(store), str(here), str(here.parent), SOURCE]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    computed, total, kilobytes = map(int, done.stdout.split())
    assert 0 < computed <= 100
    assert total == 1_000_000_000
    assert kilobytes < 700_000
    written = sum(one.stat().st_size for one in store.rglob("*") if one.is_file())
    assert written < 1_000_000


GROWTH = (
    PEAK
    + """
import sys
sys.path[:0] = sys.argv[4:]
from pathlib import Path
import test_budget as me
from ketasim.studies import designs
from ketasim.studies.sweep import sweep
asked, (place, kind, folder) = me.scenario(), sys.argv[1:4]
FEW, MANY = 40_000, 460_000
def held(n, name="first"):
    design = getattr(designs, kind)(asked, n)
    store = Path(folder, f"{n} {name}.zarr") if place == "store" else None
    found = sweep(asked, design, store=store, summaries=["body.plasma.peak"], threads=1)
    columns = sum(one.nbytes for one in found.variables.values()) if store is None else 0
    return 1024 * peak() - columns
for name in "abc":  # what a process takes once, whatever it sweeps
    held(FEW, name)
before = held(FEW)
print((held(MANY) - before) / (MANY - FEW))
"""
)


@TOLD
@pytest.mark.parametrize("place", ["store", "memory"])
@pytest.mark.parametrize("kind", ["sobol", "latin_hypercube"])
def test_a_member_takes_forty_bytes_beyond_the_columns_asked_for(tmp_path, place, kind):
    """Of the sweep, whatever it is drawn by; what a chunk in flight takes is bounded by itself."""
    here = Path(__file__).parent
    words = [sys.executable, "-c", GROWTH, place, kind, str(tmp_path)]
    words += [str(here), str(here.parent), SOURCE]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert -40.0 < float(done.stdout) <= 40.0
