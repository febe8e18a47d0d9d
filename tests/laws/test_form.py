"""Is every law plain: pure, short, without branches, and finite where a solver may stray?"""

import ast
import inspect
import math
import textwrap

import numpy as np
import pytest

from ketasim.core import maths
from ketasim.core.declare import arguments
from ketasim.core.system import System
from ketasim.models import whole
from ketasim.testing import draws, laws_of

MODEL = whole()  # a law of a module is as plain as any
LAWS = laws_of(MODEL)
FUNCTIONS = {"exp", "fold", "hill", "log", "power"}
MOST_ARGUMENTS, MOST_LINES = 7, 5
STRAY = 1e-12
BRANCHES = (
    ast.If, ast.IfExp, ast.For, ast.While, ast.Try, ast.With, ast.Match, ast.BoolOp, ast.Compare,
    ast.Lambda, ast.ListComp, ast.GeneratorExp, ast.Yield, ast.Global, ast.Nonlocal, ast.Import,
    ast.ImportFrom, ast.Attribute, ast.Subscript, ast.AugAssign, ast.Delete, ast.Raise, ast.Assert,
)  # fmt: skip


def tree_of(law):
    return ast.parse(textwrap.dedent(inspect.getsource(law))).body[0]


def flaws(law):
    """Name whatever keeps a law from being called, traced, compiled and weighed alike."""
    tree = tree_of(law)
    body = tree.body[1:]
    known = {*arguments(law), *FUNCTIONS}
    yield from (f"{type(node).__name__}" for node in ast.walk(tree) if isinstance(node, BRANCHES))
    for node in ast.walk(ast.Module(body, [])):
        if isinstance(node, ast.Constant) and node.value not in (0, 1, 2):
            yield f"literal {node.value}"
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            known.add(node.id)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) not in FUNCTIONS:
            yield f"calls {ast.unparse(node.func)}"
    names = (node.id for node in ast.walk(ast.Module(body, [])) if isinstance(node, ast.Name))
    yield from (f"uses {name}" for name in names if name not in known)
    if body[-1].end_lineno - body[0].lineno + 1 > MOST_LINES:
        yield "long"
    if len(arguments(law)) > MOST_ARGUMENTS:
        yield f"{len(arguments(law))} arguments"
    doc = inspect.getdoc(law) or ""
    if not doc.endswith(".") or "\n\n" in doc or ". " in doc:
        yield "its docstring is not one sentence"


@pytest.mark.parametrize("name", LAWS)
def test_a_law_is_plain(name):
    assert list(flaws(LAWS[name])) == []


def branching(x):
    """Jump."""
    return 1 if x > 0 else 0


def magic(x):
    """Scale."""
    return 3.7 * x


def reaching(x):
    """Reach out."""
    return x * STRAY


def calling(x):
    """Call."""
    return math.sin(x)


def wordy(x):
    """Say one. Say another."""
    return x


def greedy(a, b, c, d, e, f, g, h):
    """Ask for much."""
    return a + b + c + d + e + f + g + h


@pytest.mark.parametrize("law", [branching, magic, reaching, calling, wordy, greedy])
def test_the_scan_sees_what_it_looks_for(law):
    assert list(flaws(law))


def test_laws_call_the_functions_of_the_core():
    for law in LAWS.values():
        for name in FUNCTIONS & set(law.__globals__):
            assert law.__globals__[name] is getattr(maths, name)


def values_of(parameters, states):
    """Return every named value of the model for some states, by slot."""
    system = System(MODEL)
    values = system.prepare(parameters, system.neutral_knobs)
    system.slopes(values, states)
    return system, values


def edges():
    """Return states a rounding error outside each end of their intervals."""
    scales = System(MODEL).scales
    low = np.array([max(one.within[0], -1.0) for one in MODEL.states.values()])
    high = np.array([min(one.within[1], 2.0) for one in MODEL.states.values()])
    zero = np.zeros(len(scales))
    return {"under": low - STRAY, "over": high + STRAY, "negative": zero - STRAY * scales}


@pytest.mark.parametrize("where", edges())
def test_every_law_is_finite_slightly_outside_its_box(where):
    states = edges()[where]
    for column in draws(MODEL, 20, seed=3).T:
        system, values = values_of(column, states)
        named = {str(name): values[slot] for name, slot in system.slots.items()}
        slopes = zip(system.state_names, system.slopes(values, states), strict=True)
        found = [*named.items(), *slopes]
        bad = [name for name, value in found if not np.isfinite(value)]
        assert bad == []


@pytest.mark.parametrize("where", edges())
def test_a_law_says_the_same_of_floats_and_of_arrays(where):
    parameters = draws(MODEL, 5, seed=4)
    states = np.abs(edges()[where]) + 0.3
    many = np.repeat(states[:, None], 5, axis=1)
    system, together = values_of(parameters, many)
    for i, column in enumerate(parameters.T):
        _, alone = values_of(column, states)
        for name, slot in system.slots.items():
            one, other = alone[slot], np.broadcast_to(together[slot], 5)[i]
            assert one == pytest.approx(other, rel=1e-11, abs=1e-13), name


def test_a_law_is_pure():
    system, values = values_of(System(MODEL).default_parameters, np.full(len(MODEL.states), 0.4))
    for wire in (*MODEL.derived, *MODEL.quantities, *MODEL.flows):
        given = [values[system.slots[a]] for a in wire.arguments]
        arrays = [np.array([one, one]) for one in given]
        before = [one.copy() for one in arrays]
        assert wire.law(*given) == wire.law(*given)
        wire.law(*arrays)
        assert all(np.array_equal(a, b) for a, b in zip(arrays, before, strict=True)), wire.label
