"""What compiled kernels are called with, declared once: by the writer and by who calls them.

A row is an argument's name and its type in numba's words. The stepper is handed one table of
addresses and counts: where its text says ``job.values``, the module says where in the table it is.
Handing on forty pointers at every call took a tenth of the time.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WHOLE, REAL = "i8[::1]", "f8[::1]"
_READERS = {"f8": "reals", "i8": "wholes", "i1": "codes"}
_FIELD = re.compile(r"\bjob\.(\w+)")


@dataclass(frozen=True)
class Interface:
    """The arguments of a compiled function, in order, and how its text finds them.

    ``counts`` says what it must know of the arrays' lengths, as expressions of them; ``plain`` are
    arguments it takes as arrays, rather than by their addresses.
    """

    arguments: tuple[tuple[str, str], ...]
    counts: Mapping[str, str]
    plain: tuple[str, ...]

    @property
    def held(self) -> Mapping[str, str]:
        """Return the arguments whose addresses the table holds, with the kind of number."""
        return {name: kind[:2] for name, kind in self.arguments if name not in self.plain}

    @property
    def signature(self) -> str:
        """Return the type of the compiled function."""
        return f"i8({', '.join(kind for _, kind in self.arguments)})"

    def resolved(self, text: str) -> str:
        """Return a stepper's text with every ``job.name`` in it found in the table."""
        held = self.held
        places = {name: k for k, name in enumerate([*held, *self.counts])}

        def found(match: "re.Match[str]") -> str:
            name = match[1]
            entry = f"job[{places[name]}]"
            return f"{_READERS[held[name]]}({entry})" if name in held else entry

        return _FIELD.sub(found, text)

    def entry(self, body: str) -> str:
        """Return the source of the function that everything enters by: a table, then ``body``."""
        names = [name for name, _ in self.arguments]
        table = [*(f"{name}.ctypes.data" for name in self.held), *self.counts.values()]
        return "\n".join(
            [
                '@njit(SIGNATURE, cache=True, error_model="numpy", nogil=True)',
                f"def run({', '.join(names)}):",
                f"    addresses = np.empty({len(table)}, np.int64)",
                *(f"    addresses[{k}] = {one}" for k, one in enumerate(table)),
                "    job = pointer(addresses)",
                body,
            ]
        )

    def ordered(self, given: Mapping[str, Any]) -> list[Any]:
        """Return arguments given by name in the order of the call; KeyError for one missing."""
        return [given[name] for name, _ in self.arguments]


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
    "n_members": "len(members)", "n_starts": "len(starts)", "n_times": "len(times)",
    "n_final": "len(final)", "n_shown": "len(shown)", "n_columns": "values.shape[2]",
    "n_states": "needs[0]", "n_windowed": "needs[1]", "n_scanned": "needs[2]",
    "n_curved": "needs[3]", "n_laws": "needs[4]",
    "n_needs": "len(needs)", "n_watched": "len(watched)", "n_numbers": "len(kinds)",
    "n_lanes": "limits[2]", "n_tape": "tape.shape[1]", "n_row": "tape.shape[2]",
}  # fmt: skip
FORWARD = Interface(
    _FORWARD, _COUNTS, ("atol", "low", "high", "settings", "limits", "clock", "workspace")
)

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
        "n_tasks": "len(owners)", "n_tape": "tape.shape[1]", "n_row": "tape.shape[2]",
        "n_seeded": "len(seeded)", "n_steady": "len(steady)", "n_edges": "by_edge.shape[1]",
    },
    ("workspace",),
)  # fmt: skip
