"""Is `import ketasim` light, and does every public name lead somewhere?"""

import json
import subprocess
import sys

import pytest

import ketasim

HEAVY = {
    "llvmlite", "sympy", "matplotlib", "dask", "distributed", "pint", "pydantic", "scipy",
    "xarray", "zarr", "pandas", "netCDF4", "libsbml", "click", "tqdm",
}  # fmt: skip
PROBE = """
import json, sys, time
start = time.perf_counter()
{statement}
spent = time.perf_counter() - start
print(json.dumps([spent, sorted({{name.split(".")[0] for name in sys.modules}})]))
"""


def probed(statement):
    """Run a statement in a fresh interpreter; return its seconds and the packages it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(statement=statement)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    spent, loaded = json.loads(done.stdout)
    return spent, set(loaded)


def test_importing_loads_nothing_heavy():
    _, loaded = probed("import ketasim")
    assert "ketasim" in loaded
    assert loaded & (HEAVY | {"numpy"}) == set()


@pytest.mark.parametrize(
    "statement",
    [
        "from ketasim import Scenario, infusion, hours",
        "import ketasim; ketasim.models.antidepressant().states",
        "from ketasim import human; human(weight='70 kg')",
    ],
)
def test_the_science_needs_numpy_alone(statement):
    _, loaded = probed(statement)
    assert "numpy" in loaded
    assert loaded & HEAVY == set()


def test_importing_is_quick():
    best = min(probed("import ketasim")[0] for _ in range(5))
    assert best < 0.3


@pytest.mark.parametrize("name", ketasim.__all__)
def test_every_public_name_leads_somewhere(name):
    assert getattr(ketasim, name) is not None
    assert name in dir(ketasim)


def test_the_table_of_homes_and_the_list_of_names_agree():
    homes = [name for names in ketasim._HOMES.values() for name in names]
    assert sorted([*homes, *ketasim._MODULES, "__version__"]) == sorted(ketasim.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'ketasim' has no attribute 'simulat'"):
        _ = ketasim.simulat
