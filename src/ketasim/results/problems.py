"""What can go wrong with a store, the exit code each deserves, and what two makings differ in."""

import errno
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ketasim.errors import KetasimError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FROM = "peaks and areas of"  # what numbers are taken of; not said by stores of the output grid
_TIDY = {"ketasim_version": "ketasim", "output_times": "output times", "model_digest": "model"}
_LONGEST, _SHORT = 70, 24
_REFERENCE_ONLY = ("LSODA", "BDF", "Radau")


class StoreError(KetasimError, RuntimeError):
    """A store was made otherwise, is not one, or is damaged beyond one chunk."""


class StoreWriteError(StoreError):
    """A store cannot be written; everything written before is whole."""

    exit_code = 4


def size(n: float) -> str:
    """Return a number of bytes as people say it."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if n >= unit:
            return f"{n / unit:.3g} {name}"
    return f"{n:.0f} bytes"


@contextmanager
def writing(root: Path, needed: float) -> Iterator[None]:
    """Turn what the file system refuses into a sentence with the bytes still ``needed``."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise StoreWriteError(
                f"{root}: the disk is full; about {size(needed)} more are needed. Everything "
                "written so far is whole: make room and give the same command again."
            ) from error
        raise StoreWriteError(
            f"{root}: cannot be written ({error.strerror or error}). Everything written so far is "
            "whole: when it can be written again, give the same command."
        ) from error


def differences(made: Mapping[str, str], now: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return what differs, as (then, now)."""
    names = [*made, *(name for name in now if name not in made)]
    pairs = {name: (made.get(name, "-"), now.get(name, "-")) for name in names}
    found = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    if _names_what_never_ran(made) and now.get("engine") == "ensemble":
        found.pop("method", None)
    if FROM in found and FROM not in made:
        found[FROM] = ("the output grid", found[FROM][1])
    return found


def _names_what_never_ran(made: Mapping[str, str]) -> bool:
    """Say whether a store of the ensemble engine names a method of the reference engine.

    Such stores were made before the method that ran was what is told; the numbers are the same.
    """
    return made.get("engine") == "ensemble" and made.get("method") in _REFERENCE_ONLY


def refuse_mixing(
    store: str, made: Mapping[str, str], now: Mapping[str, str], *, what: str = "sweep"
) -> None:
    """Raise StoreError with a diff when a store was made otherwise; ``what`` it is of."""
    found = differences(made, now)
    if not found:
        return
    short = {n: p for n, p in found.items() if max(map(len, p)) <= _SHORT}
    long = {n: p for n, p in found.items() if n not in short}
    first = f"{store} was made for another {what}."
    if short:
        made_with = _joined(f"{_TIDY.get(n, n)} {then}" for n, (then, _) in short.items())
        current = _joined(current for _, current in short.values())
        first = f"{store} was made with {made_with}; now {current}."
    lines = [first + " Mixing would be wrong."]
    for name, (then, new) in long.items():
        lines += [f"  {name}:", f"    - {_cut(then, new)}", f"    + {_cut(new, then)}"]
    cure = "Use -o a new folder"
    if "ketasim_version" in found:
        cure += f", or pip install ketasim=={found['ketasim_version'][0]}"
    raise StoreError(("\n" if long else " ").join([*lines, f"{cure}."]))


def _joined(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _cut(text: str, other: str) -> str:
    """Return the part of a long text in which it differs."""
    if len(text) <= _LONGEST:
        return text
    same = next((i for i, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), 0)
    start = max(0, same - 20)
    end = start + _LONGEST
    return ("..." if start else "") + text[start:end] + ("..." if end < len(text) else "")
