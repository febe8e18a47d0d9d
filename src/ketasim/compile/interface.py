"""What a compiled kernel is called with, declared once: by the writer and by who calls it.

A row is an argument's name and its type in numba's words. The stepper is handed one table of
addresses and counts: where its text says ``job.values``, the module says where in the table it is.
Handing on forty pointers at every call took a tenth of the time.
"""

import re
from collections.abc import Mapping
from typing import Any

WHOLE, REAL = "i8[::1]", "f8[::1]"
ARGUMENTS: tuple[tuple[str, str], ...] = (
    ("members", WHOLE),  # which rows of the arrays below to run
    ("parameters", "f8[:,::1]"),  # (n_members, n_parameters)
    ("starts", "f8[:,::1]"),  # (n_members, n_live), one row for all, or none: at rest
    ("plans", WHOLE),  # the schedule each member follows
    ("firsts", WHOLE),  # where each schedule's rows begin
    ("edges", REAL),  # [h]
    ("knobs", "f8[:,::1]"),
    ("rates", "f8[:,::1]"),
    ("boluses", "f8[:,::1]"),
    ("times", REAL),  # moments at which something is read [h]
    ("columns", WHOLE),  # which of the recorded times a moment is, or -1
    ("asked", WHOLE),  # where each moment's readings begin in ``readings``
    ("readings", WHOLE),  # numbers that are a value at a moment
    ("shown", WHOLE),  # where in the workspace the recorded values are
    ("needs", WHOLE),  # how many there are of what; states to interpolate, laws to run, constants
    ("watched", WHOLE),  # where the values are that numbers are taken of
    ("kinds", WHOLE),  # of each number: what it is
    ("of", WHOLE),  # of each number: which watched value
    ("windows", "f8[:,::1]"),  # of each number: from and until [h]
    ("levels", "f8[:,::1]"),  # (n_members, n_numbers)
    ("atol", REAL),
    ("low", REAL),
    ("high", REAL),
    ("settings", REAL),
    ("limits", WHOLE),
    ("clock", WHOLE),
    ("workspace", REAL),
    ("scratch", REAL),
    ("values", "f8[:,:,::1]"),  # (n_members, n_shown, n_columns)
    ("numbers", "f8[:,:,::1]"),  # (n_members, n_numbers, 2): a value and its time
    ("final", "f8[:,::1]"),
    ("status", "i1[::1]"),
    ("steps", WHOLE),
    ("rejected", WHOLE),
)
SETTINGS = ("rtol", "first_step", "anchor")
LIMITS = ("steps", "milliseconds", "lanes")
COUNTS: Mapping[str, str] = {  # what the stepper must know of the arrays' lengths
    "n_members": "len(members)", "n_starts": "len(starts)", "n_times": "len(times)",
    "n_final": "len(final)", "n_shown": "len(shown)", "n_columns": "values.shape[2]",
    "n_states": "needs[0]", "n_windowed": "needs[1]", "n_scanned": "needs[2]",
    "n_curved": "needs[3]", "n_laws": "needs[4]",
    "n_needs": "len(needs)", "n_watched": "len(watched)", "n_numbers": "len(kinds)",
    "n_lanes": "limits[2]",
}  # fmt: skip
_PLAIN = ("atol", "low", "high", "settings", "limits", "clock", "workspace")
_READERS = {"f8": "reals", "i8": "wholes", "i1": "codes"}
_HELD = {name: kind[:2] for name, kind in ARGUMENTS if name not in _PLAIN}
_FIELD = re.compile(r"\bjob\.(\w+)")


def signature() -> str:
    """Return the type of the compiled function."""
    return f"i8({', '.join(kind for _, kind in ARGUMENTS)})"


def resolved(text: str) -> str:
    """Return a stepper's text with every ``job.name`` in it found in the table."""
    places = {name: k for k, name in enumerate([*_HELD, *COUNTS])}

    def found(match: "re.Match[str]") -> str:
        name = match[1]
        entry = f"job[{places[name]}]"
        return f"{_READERS[_HELD[name]]}({entry})" if name in _HELD else entry

    return _FIELD.sub(found, text)


def entry(body: str) -> str:
    """Return the source of the function that everything enters by: a table, then ``body``."""
    names = [name for name, _ in ARGUMENTS]
    held = [*(f"{name}.ctypes.data" for name in _HELD), *COUNTS.values()]
    return "\n".join(
        [
            '@njit(SIGNATURE, cache=True, error_model="numpy", nogil=True)',
            f"def run({', '.join(names)}):",
            f"    addresses = np.empty({len(held)}, np.int64)",
            *(f"    addresses[{k}] = {one}" for k, one in enumerate(held)),
            "    job = pointer(addresses)",
            body,
        ]
    )


def ordered(arguments: Mapping[str, Any]) -> list[Any]:
    """Return arguments given by name in the order of the call; raises KeyError for one missing."""
    return [arguments[name] for name, _ in ARGUMENTS]
