"""A mechanism's numbers and couplings as text."""

from ketasim.cli.text import columns
from ketasim.core.declare import Mechanism


def reads(mechanism: Mechanism) -> str:
    """Return what a mechanism reads of others."""
    if not mechanism.reads:
        return ""
    rows = [[one.name, one.unit, f"of {one.of}"] for one in mechanism.reads]
    return f"\nReads\n{columns(rows, indent='  ')}"


def ledger(mechanism: Mechanism) -> str:
    """Return states, knobs and parameters, each parameter with its evidence and sources."""
    states = [[one.name, str(one.initial), one.unit, one.meaning] for one in mechanism.states]
    knobs = [
        [
            one.name,
            f"{one.neutral:g}",
            one.unit,
            f"{one.bounds[0]:g} to {one.bounds[1]:g}",
            one.meaning,
        ]
        for one in mechanism.knobs
    ]
    parameters = [
        [
            one.name,
            f"{one.value:g}",
            one.unit,
            f"{one.bounds[0]:g} to {one.bounds[1]:g}",
            str(one.evidence),
        ]
        for one in mechanism.parameters
    ]
    parts = (("States", states), ("Targets", knobs), ("Parameters", parameters))
    return "".join(f"\n{title}\n{columns(rows, indent='  ')}\n" for title, rows in parts if rows)
