"""What a command that has a process to itself need not wait for."""

import gc
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

import click

# xarray imports these, where they are installed, to ask whether an array is one of theirs, and
# for a scheduler to share files with. No array of a run is, and nothing else runs meanwhile.
ASKED_FOR = ("cubed", "cupy", "dask", "distributed", "pint", "sparse")
ELSEWHERE = ("fsspec",)  # file systems of a network
SOLID = "mpl_toolkits.mplot3d"  # imported by matplotlib for axes in three dimensions
SELDOM = (100_000, 50, 100)  # objects made before those that nobody needs are looked for


def is_alone() -> bool:
    """Say whether the command that runs now is all that its process is for."""
    context = click.get_current_context(silent=True)
    return context is not None and context.find_root().obj is True


def collect_seldom() -> None:
    """Look for garbage less often: starting makes many objects, and hardly any garbage."""
    gc.set_threshold(*SELDOM)


@contextmanager
def lean() -> Iterator[None]:
    """Spare a run that is drawn what it cannot use, which takes a second to import.

    xarray and matplotlib remember what they found, so that this is for the last thing a process
    does; a command called from Python, and what was imported before, is left as it is.
    """
    with _hidden(ASKED_FOR):
        if is_alone():
            _matplotlib()
        yield


def local() -> AbstractContextManager[None]:
    """Spare a store on this machine's disk what zarr imports for those elsewhere, where it is."""
    return _hidden(ELSEWHERE)


@contextmanager
def _hidden(names: Iterable[str]) -> Iterator[None]:
    """Let what is imported meanwhile find none of these, if the process is for that alone."""
    hidden = [one for one in names if is_alone() and one not in sys.modules]
    for one in hidden:
        sys.modules[one] = None  # type: ignore[assignment]  # Python's own word for "not here"
    try:
        yield
    finally:
        for one in hidden:
            del sys.modules[one]


def _matplotlib() -> None:
    """Import matplotlib without its third dimension and without lists of every property.

    The lists go into docstrings, which nobody reads here, and take as long as the rest of it.
    """
    if "matplotlib" in sys.modules:
        return
    import matplotlib.artist

    listed = matplotlib.artist.kwdoc
    matplotlib.artist.kwdoc = lambda artist: ""  # noqa: ARG005
    sys.modules[SOLID] = None  # type: ignore[assignment]
    try:
        with warnings.catch_warnings(action="ignore"):  # that there is no third dimension
            import matplotlib.figure
    finally:
        matplotlib.artist.kwdoc = listed
        del sys.modules[SOLID]
