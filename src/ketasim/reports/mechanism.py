"""One mechanism in words: what is believed, the equations, the ledger with its sources."""

from ketasim.core.declare import Mechanism
from ketasim.core.model import Model
from ketasim.reports.equations import equations
from ketasim.reports.lists import check_mechanism, numbers
from ketasim.reports.text import Text, columns


def description(model: Model, name: str) -> Text:
    """Return a mechanism's story, equations and ledger.

    Raises
    ------
    ConfigError
        When there is none of that name.
    """
    check_mechanism(name, model)
    one = next(each for each in model.mechanisms if each.name == name)
    lines = (f"  {line}" for line in equations(one))
    parts = (f"{one.name.upper()}\n\n{one.story}\n\nEquations", *lines, reads(one), ledger(one))
    return Text("\n".join(parts))


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
    parameters = [[one.name, *numbers(one), str(one.evidence)] for one in mechanism.parameters]
    parts = (("States", states), ("Targets", knobs), ("Parameters", parameters))
    return "".join(f"\n{title}\n{columns(rows, indent='  ')}\n" for title, rows in parts if rows)
