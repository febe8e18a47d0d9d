"""What compiled kernels are called with, declared once: by the writer and by who calls them.

A row is an argument's name and its type: of its numbers, and how many axes it has. Compiled code is
handed one table of addresses and counts; where its text says ``job.values``, the table says where
that is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

WHOLE, REAL = "i8[::1]", "f8[::1]"


@dataclass(frozen=True)
class Interface:
    """The arrays that compiled code works on, and how its text finds them.

    ``counts`` says what it must know beside their addresses: the length of one of an array's axes,
    or (axis None) one of its entries.
    """

    arguments: tuple[tuple[str, str], ...]
    counts: Mapping[str, tuple[str, int | None, int]]

    @cached_property
    def _places(self) -> Mapping[str, tuple[int, str]]:
        held = [(name, kind[:2]) for name, kind in self.arguments]
        every = [*held, *((name, "") for name in self.counts)]
        return {name: (at, kind) for at, (name, kind) in enumerate(every)}

    @cached_property
    def _wanted(self) -> Sequence[tuple[str, np.dtype[Any], int]]:
        return [(n, np.dtype(kind[:2]), kind.count(":") - 1) for n, kind in self.arguments]

    def __contains__(self, name: object) -> bool:
        """Return whether an array or count is handed on."""
        return name in self._places

    def place(self, name: str) -> tuple[int, str]:
        """Return where in the table an array or count is, and an array's kind of number."""
        return self._places[name]

    def table(self, given: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
        """Return the table for arrays given by name, which must stay as long as it is in use.

        Raises
        ------
        KeyError
            For an array that is missing.
        TypeError
            For one of another type, or not contiguous: nothing may go to compiled code unseen.
        """
        entries = []
        for name, kind, axes in self._wanted:
            one = given[name]
            if one.dtype != kind or one.ndim != axes or not one.flags.c_contiguous:
                raise TypeError(f"{name}: {axes} axes of {kind} in a row are needed")
            entries.append(one.ctypes.data)
        for name, axis, at in self.counts.values():
            entries.append(int(given[name][at]) if axis is None else given[name].shape[axis])
        return np.array(entries, dtype=np.int64)


_FORWARD: tuple[tuple[str, str], ...] = (
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
    ("tape", "f8[:,:,::1]"),  # (n_members, n_tape, n_row): of each step what running back needs
    ("status", "i1[::1]"),
    ("steps", WHOLE),
    ("rejected", WHOLE),
)
SETTINGS = ("rtol", "first_step", "anchor")
LIMITS = ("steps", "milliseconds", "lanes")
_COUNTS = {
    **{f"n_{name}": (name, 0, 0) for name in ("members", "starts", "times", "final", "shown")},
    "n_columns": ("values", 2, 0), "n_states": ("needs", None, 0),
    "n_windowed": ("needs", None, 1), "n_scanned": ("needs", None, 2),
    "n_curved": ("needs", None, 3), "n_laws": ("needs", None, 4), "n_needs": ("needs", 0, 0),
    "n_watched": ("watched", 0, 0), "n_numbers": ("kinds", 0, 0),
    "n_lanes": ("limits", None, 2), "n_tape": ("tape", 1, 0), "n_row": ("tape", 2, 0),
}  # fmt: skip
FORWARD = Interface(_FORWARD, _COUNTS)

# Back through time: a task is one read-out of one member.
_BACKWARD: tuple[tuple[str, str], ...] = (
    ("owners", WHOLE),  # of each task: its member
    ("tape", "f8[:,:,::1]"),
    ("counts", WHOLE),  # of each member: how many steps its tape holds
    ("parameters", "f8[:,::1]"),
    ("plans", WHOLE),
    ("firsts", WHOLE),
    ("knobs", "f8[:,::1]"),
    ("rates", "f8[:,::1]"),
    ("seeded", WHOLE),  # live states that read-outs look at
    ("rows", "i8[:,::1]"),  # (n_tasks, n_tape): which row of ``seeds`` is a step's, or -1
    ("seeds", "f8[:,:,::1]"),  # (n_rows, n_seeded, 5): the derivative by what is read within it
    ("steady", WHOLE),  # constants that read-outs look at
    ("at_once", "f8[:,:,::1]"),  # (n_tasks, n_edges, n_steady): the derivative by these
    ("starts", "f8[:,::1]"),  # (n_tasks, n_live): the derivative by the first states, at once
    ("rested", "i1[::1]"),  # of each task: whether it starts at rest without a drug
    ("by_edge", "f8[:,:,::1]"),  # (n_tasks, n_edges, n_live): by what is there after each edge
    ("by_start", "f8[:,::1]"),  # (n_tasks, n_live)
    ("by_parameter", "f8[:,::1]"),
    ("by_knob", "f8[:,:,::1]"),
    ("by_rate", "f8[:,:,::1]"),
    ("workspace", REAL),
)
BACKWARD = Interface(
    _BACKWARD,
    {
        "n_tasks": ("owners", 0, 0), "n_tape": ("tape", 1, 0), "n_row": ("tape", 2, 0),
        "n_seeded": ("seeded", 0, 0), "n_steady": ("steady", 0, 0), "n_edges": ("by_edge", 1, 0),
    },
)  # fmt: skip
