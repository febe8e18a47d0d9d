"""One scenario for every member of a design.

- ``run``: the verb
- ``job``: a sweep made ready, everything in it checked
- ``budget``: how many members at once, and the memory that takes
- ``chunk``: rows of a design in, read-outs and time courses out, with and without drug
- ``workers``: threads that work through chunks, and how far they have come
- ``stored``: a sweep whose result is a store; ``cluster``: the same on many machines
- ``present``: whether a cluster has any worker
- ``estimate``: what it will take
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ketasim.studies.sweep.run import sweep

__all__ = ["sweep"]


def __getattr__(name: str) -> Any:
    """Load the verb on first use; raises AttributeError for any other name."""
    if name != "sweep":
        raise AttributeError(f"module 'ketasim.studies.sweep' has no attribute '{name}'")
    from ketasim.studies.sweep.run import sweep

    return sweep
