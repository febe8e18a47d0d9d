"""Compile one kept kernel and end: run by :func:`ketasim.compile.cache.make_in_background`."""

import contextlib
import os
import sys

from ketasim.compile import cache


def main(name: str) -> None:
    """Compile the kernel of this name into the cache folder, politely."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(10)
    try:
        cache.load(name, "")
    finally:
        (cache.folder() / f"{name}.making").unlink(missing_ok=True)


if __name__ == "__main__":
    main(sys.argv[1])
