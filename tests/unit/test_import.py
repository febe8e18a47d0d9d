"""Is `import ketasim` light, and does every public name lead somewhere?"""

import json
import subprocess
import sys
from pathlib import Path

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


TYPED = """
import atexit, json, pathlib, sys
sys.argv = ["ketasim", *{words!r}]
names = lambda: sorted({{one.split(".")[0] for one, it in sys.modules.items() if it is not None}})
atexit.register(lambda: pathlib.Path({out!r}).write_text(json.dumps(names())))
from ketasim.cli import main
main()
"""
ASKED_FOR = {"dask", "distributed", "pint", "sparse", "cupy", "cubed", "mpl_toolkits"}


def typed(tmp_path, *words):
    """Type a command in a process of its own; return the packages it had loaded at its end."""
    out = str(tmp_path / "loaded.json")
    code = TYPED.format(words=words, out=out)
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, capture_output=True)
    return set(json.loads(Path(out).read_text(encoding="utf-8")))


def test_a_sweep_that_is_typed_opens_no_table_and_draws_nothing(tmp_path):
    loaded = typed(
        tmp_path, "sweep", "human_healthy_iv", "--sample", "sobol:2", "--summary", "spines.peak",
        "--set", "output.until=6 h", "-o", str(tmp_path / "a.zarr"),
    )  # fmt: skip
    assert {"zarr", "llvmlite"} <= loaded
    assert loaded & (ASKED_FOR | {"xarray", "pandas", "matplotlib", "scipy", "netCDF4"}) == set()


def test_a_run_that_is_typed_loads_what_draws_it_and_nothing_that_xarray_would_ask_for(tmp_path):
    loaded = typed(
        tmp_path, "run", "human_healthy_iv", "--engine", "ensemble", "-o", str(tmp_path / "run"),
        "--set", "output.until=6 h",
    )  # fmt: skip
    assert {"xarray", "matplotlib", "netCDF4"} <= loaded
    assert loaded & (ASKED_FOR | {"zarr", "scipy"}) == set()
    assert (tmp_path / "run" / "figure.png").is_file()


def test_a_command_called_from_python_hides_nothing(tmp_path):
    pytest.importorskip("dask")
    statement = (
        "from ketasim.cli import main\n"
        "try: main(['run', 'human_healthy_iv', '--engine', 'reference', '-o', "
        f"{str(tmp_path)!r}, '--set', 'output.until=6 h'])\n"
        "except SystemExit: pass\n"
        "import dask.array, matplotlib.artist, xarray\n"
        "xarray.DataArray(dask.array.zeros(3)).chunks[0]\n"
        "assert 'alpha' in matplotlib.artist.kwdoc(matplotlib.artist.Artist)"
    )
    subprocess.run([sys.executable, "-c", statement], check=True, timeout=120, capture_output=True)


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
