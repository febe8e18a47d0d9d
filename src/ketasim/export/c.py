"""A scenario as C99: right-hand side, exact sparse Jacobian, and what is given when.

The file needs nothing but ``math.h``. It is for other integrators: CVODES with KLU, say, which is
what the benchmarks race against. Everything is in canonical units (h, uM, umol, mV).
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ketasim.compile.specialise import hoisted, render
from ketasim.compile.trace import Node, reach
from ketasim.compile.wiring import Equations, derivatives, equations
from ketasim.core.scenario import Scenario
from ketasim.core.system import System
from ketasim.errors import ModelError

INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
CALLS = {
    "neg": "-{0}", "recip": "1.0 / {0}", "inverse": "1.0 / {0}", "rough": "1.0 / {0}",
    "fma": "fma({0}, {1}, {2})", "sqrt": "sqrt({0})", "abs": "fabs({0})", "exp": "exp({0})",
    "log": "log({0})", "max": "({0} < {1} ? {1} : {0})", "min": "({1} < {0} ? {1} : {0})",
    "where": "({0} >= {1} ? {2} : {3})", "pow": "({0} <= 0.0 ? 0.0 : pow({0}, {1}))",
    "power_of": "{0}",
}  # fmt: skip
Outputs = Sequence[tuple[str, Node]]


def c_source(scenario: Scenario) -> str:
    """Return a scenario as the text of a C file.

    Functions: ``ketasim_rest(p, k, y)`` first states, ``ketasim_prepare(p, k, r, c)`` what
    stands still within a segment, ``ketasim_slopes(y, c, dy)``, ``ketasim_jacobian(y, c, values)``
    by columns (``ketasim_columns``, ``ketasim_rows``), ``ketasim_observe(y, c, o)``. Tables: names,
    ``ketasim_parameters``, ``ketasim_scales``, and of each segment ``ketasim_edges`` [h],
    ``ketasim_knobs``, ``ketasim_rates`` and ``ketasim_boluses``, given as it begins.

    Raises
    ------
    ModelError
        When a law cannot be written, or conditions have always held: a resting state is needed
        then, which is for an integrator to find.
    """
    schedule, system = scenario.schedule, System(scenario.resolved_model)
    if schedule.settled:
        raise ModelError(
            "export c: conditions that have always held need a resting state to start from, which "
            "is no part of the file; start the condition at a time instead."
        )
    return source(system, scenario.recorded, {
        "edges": schedule.edges, "knobs": schedule.knobs, "rates": schedule.rates,
        "boluses": schedule.boluses,
    }, scenario.name)  # fmt: skip


def source(
    system: System, names: Sequence[str], tables: Mapping[str, np.ndarray], title: str = ""
) -> str:
    """Return a system as the text of a C file, with some tables of numbers."""
    eq = equations(system)
    entries = derivatives(eq)
    places = sorted(entries, key=lambda one: (one[1], one[0]))  # by column, then by row
    shown = [eq.named[name] for name in names]
    moving = [*eq.slopes, *(entries[place] for place in places), *shown]
    still = hoisted(moving)
    constants = {node.id: f"c[{i}]" for i, node in enumerate(still)}
    columns = [sum(column < j for _, column in places) for j in range(len(eq.states) + 1)]
    arrays: dict[str, tuple[str, Iterable[object]]] = {
        "parameters": ("double", (float(v) for v in system.default_parameters)),
        "scales": ("double", eq.scales),
        "columns": ("int", columns),
        "rows": ("int", (row for row, _ in places)),
        **{name: ("double", map(float, one.ravel())) for name, one in tables.items()},
    }
    counts = {
        "STATES": len(eq.states), "PARAMETERS": eq.n_parameters, "KNOBS": len(eq.neutral),
        "CONSTANTS": len(still), "ENTRIES": len(places), "OBSERVED": len(names),
        "EDGES": len(tables.get("edges", ())),
    }  # fmt: skip
    functions: tuple[tuple[str, tuple[str, ...], str, Sequence[Node], Mapping[int, str]], ...] = (
        ("rest", ("p", "k"), "y", eq.rest, {}),
        ("prepare", ("p", "k", "r"), "c", still, {}),
        ("slopes", ("y", "c"), "dy", eq.slopes, constants),
        ("jacobian", ("y", "c"), "values", [entries[one] for one in places], constants),
        ("observe", ("y", "c"), "o", shown, constants),
    )
    lines = [_heading(eq, title), "#include <math.h>", ""]
    lines += [f"#define KETASIM_{name} {count}" for name, count in counts.items()]
    lines += ["", *(_names(name, one) for name, one in (("states", eq.states), ("names", names)))]
    lines += [_array(name, kind, values) for name, (kind, values) in arrays.items()]
    lines += [_function(*one) for one in functions]
    return "\n".join(lines) + "\n"


def _heading(eq: Equations, title: str) -> str:
    return (
        f"/* {title or 'model'}: {len(eq.states)} states, written by ketasim. "
        "Time in h, amounts in umol, concentrations in uM. */"
    )


def _names(name: str, values: Iterable[str]) -> str:
    listed = ", ".join(f'"{one}"' for one in values)
    return f"const char *const ketasim_{name}[] = {{{listed or '0'}}};"


def _array(name: str, kind: str, values: Iterable[object]) -> str:
    listed = ", ".join(f"{one!r}" for one in values)
    return f"const {kind} ketasim_{name}[] = {{{listed or '0'}}};"


def _function(
    name: str, arguments: Sequence[str], out: str, nodes: Sequence[Node], known: Mapping[int, str]
) -> str:
    """Return one C function that fills an array with nodes."""
    words = dict(known)
    for node in reach(nodes, words):
        if node.op == "leaf":
            words[node.id] = "{}[{}]".format(*node.leaf)
    program = render([(f"{out}[{i}]", node) for i, node in enumerate(nodes)], words)
    taken = ", ".join(f"const double *restrict {one}" for one in arguments)
    unused = "".join(f" (void){one};" for one in arguments)
    body = "\n".join(f"  {_statement(line)}" for line in program.splitlines())
    return f"\nvoid ketasim_{name}({taken}, double *restrict {out})\n{{\n {unused}\n{body}\n}}"


def _statement(line: str) -> str:
    """Return a line of a program as C."""
    target, sign, *rest = line.split()
    words = [f"({word[1:]})" if word.startswith("#") else word for word in rest]
    if sign == "<":
        return f"{target} = {words[0]};"
    op, *given = words
    if op in INFIX:
        return f"const double {target} = {given[0]} {INFIX[op]} {given[1]};"
    return f"const double {target} = {CALLS[op].format(*given)};"
