"""Do traced laws become the graphs they should?"""

import numpy as np
import pytest

import toy
from ketasim.compile.specialise import Fuse, Narrow, eased, empty_states, hoisted, render
from ketasim.compile.trace import Graph, reach
from ketasim.compile.wiring import (
    derivatives,
    eliminate,
    equations,
    markowitz,
    small,
    whole_exponents,
)
from ketasim.core.declare import Flow, Mechanism, Parameter, State
from ketasim.core.maths import exp, hill, power
from ketasim.core.model import Model
from ketasim.core.system import System
from ketasim.errors import ModelError


@pytest.fixture
def graph():
    return Graph()


@pytest.fixture
def x(graph):
    return graph.leaf("y", 0)


@pytest.fixture
def p(graph):
    return graph.leaf("p", 0)


def test_equal_expressions_are_one_node(graph, x, p):
    assert (x * p + 1).id == (x * p + 1).id
    assert (x * p).id != (p * p).id


def test_foldings_are_those_that_change_no_bit(graph, x):
    assert (x + 0).id == (x * 1).id == (x - 0).id == (x / 1).id == x.id
    minus = -x
    assert (-minus).id == x.id
    assert (0 * x).is_const(0.0)
    assert (x - x).is_const(0.0)
    assert (0 - x).op == "neg"
    assert (x * 2 - x).op == "sub"


def test_power_is_recognised_and_whole_exponents_become_products(graph, x, p):
    assert power(x, p).op == "pow"
    assert {node.op for node in reach([power(x, 3.0)])} == {"leaf", "const", "max", "mul"}
    assert hill(x, p, graph.leaf("p", 1)).moving
    assert power(x, 1.0).op == "max"
    whole = Graph({0: 2.0})
    assert power(whole.leaf("y", 0), whole.leaf("p", 0)).op == "mul"
    assert (whole.leaf("p", 0) * whole.leaf("y", 0)).args[0].op == "leaf"


def test_python_powers_keep_their_sign(graph, x):
    assert "max" not in {node.op for node in reach([x**2])}
    assert (x**0).is_const(1.0)
    assert {node.op for node in reach([x**-1])} == {"leaf", "recip"}


def test_only_moving_quotients_share_a_reciprocal(graph, x, p):
    assert (p / graph.leaf("p", 1)).op == "div"
    assert (x / p).args[1].op == "recip"
    assert not (x / p).args[1].moving


@pytest.mark.parametrize(
    "act", [lambda x: x > 0, lambda x: x == 1.0, bool, float, lambda x: 1 if x else 0]
)
def test_a_branch_is_refused(x, act):
    with pytest.raises(ModelError, match="branch"):
        act(x)


def test_functions_that_cannot_be_compiled_are_named(x):
    with pytest.raises(ModelError, match=r"numpy\.sin"):
        np.sin(x)
    with pytest.raises(ModelError, match="neither a number"):
        x + "1"


def test_numpy_functions_on_either_side(graph, x):
    assert np.exp(x).op == "exp"
    assert (np.float64(2.0) * x).op == "mul"
    assert np.maximum(0.0, x).op == "max"
    assert exp(x).id == np.exp(x).id


def branching(level, k):
    """A law with a choice."""
    return k * level if level > 1 else 0.0


def test_a_refusal_names_the_law():
    bad = Mechanism(
        name="odd",
        story="A law that chooses.",
        states=(State("level", 1.0, "1", "a level"),),
        parameters=(Parameter("k", 1.0, "1/h", (0.1, 2.0), toy.WHY),),
        flows=(Flow(branching, into="level"),),
    )
    with pytest.raises(ModelError, match=r"odd\.branching"):
        equations(System(Model((bad,))))


def test_sums_of_products_are_fused_only_where_they_move(graph, x, p):
    fuse = Fuse()
    moving, still, minus = fuse.all([p + x * p, p + p * p, p - x * p])
    assert (moving.op, still.op, minus.op) == ("fma", "add", "fma")


def test_what_is_never_fed_is_left_out():
    eq = equations(System(toy.model()))
    gut, s = eq.states.index("body.gut"), eq.states.index("body.s")
    assert gut in empty_states(eq, dosed={s}, turned=())
    assert empty_states(eq, dosed=(), turned=()) == frozenset(range(len(eq.states)))
    assert s not in empty_states(eq, dosed={gut}, turned=())
    bound = eq.states.index("receptor.bound")
    bath = list(System(toy.model()).model.knobs).index("receptor.bath_drug")
    assert empty_states(eq, dosed=(), turned={bath}).isdisjoint({bound})


def test_narrowing_replaces_knobs_that_stay_neutral():
    eq = equations(System(toy.model()))
    narrow = Narrow(eq, empty=(), dosed=(), turned=())
    leaves = {node.leaf[0] for node in reach(narrow.all(eq.slopes))}
    assert leaves == {"y", "p", ""}


def test_elimination_solves_what_it_should():
    def chain(y, p):
        a, b, c = y
        return [-p[0] * a + b * c, p[0] * a - b * b, power(b, p[1]) - c]

    eq = small(chain, 3, 2, timed=False)
    factors = eliminate(eq.graph, derivatives(eq), 3)
    right = [eq.graph.leaf("q", i) for i in range(3)]
    leaves = {"y": [0.3, 0.7, 1.1], "p": [2.0, 1.5], "g": [5.0], "q": [1.0, -2.0, 0.5]}
    found = evaluate(factors.solve(eq.graph, right), leaves)
    _, b, c = leaves["y"]
    jacobian = np.array([[-2.0, c, b], [2.0, -2.0 * b, 0.0], [0.0, 1.5 * b**0.5, -1.0]])
    wanted = np.linalg.solve(5.0 * np.eye(3) - jacobian, leaves["q"])
    assert found == pytest.approx(wanted, rel=1e-13)


def evaluate(nodes, leaves):
    """Return the values of nodes, computed one operation at a time."""
    acts = {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "fma": lambda a, b, c: a * b + c,
        "neg": lambda a: -a,
        "recip": lambda a: 1.0 / a,
        "inverse": lambda a: 1.0 / a,
        "max": max,
        "pow": pow,
    }
    known = {}
    for node in reach(nodes):
        if node.op == "leaf":
            known[node.id] = leaves[node.leaf[0]][node.leaf[1]]
        elif node.op == "const":
            known[node.id] = node.value
        else:
            known[node.id] = acts[node.op](*(known[a.id] for a in node.args))
    return [known[node.id] for node in nodes]


def test_a_chain_is_eliminated_without_new_entries():
    pattern = {(i, i - 1) for i in range(1, 6)} | {(0, 5)}
    order = markowitz(pattern, 6)
    assert sorted(order) == list(range(6))
    arrow = {(0, j) for j in range(6)} | {(i, 0) for i in range(6)}
    assert markowitz(arrow, 6)[-1] == 0 or markowitz(arrow, 6)[-2] == 0


def test_programs_hoist_what_is_fixed_within_a_segment(graph, x, p):
    node = x * exp(p) + p * p
    assert {n.op for n in hoisted([node])} == {"exp", "mul"}
    words = {n.id: f"c:{i}" for i, n in enumerate(hoisted([node]))}
    text = render([("o:0", node)], {**words, x.id: "y:0"})
    assert "exp" not in text
    assert text.endswith(f"o:0 < t{node.id}")


def test_whole_exponents_are_found():
    def grow(level, k, steepness):
        return power(level, steepness) * k

    mechanism = Mechanism(
        name="one",
        story="A power.",
        states=(State("level", 1.0, "1", "a level"),),
        parameters=(
            Parameter("k", 1.0, "1/h", (0.1, 2.0), toy.WHY),
            Parameter("steepness", 2.0, "1", (1.0, 4.0), toy.WHY),
        ),
        flows=(Flow(grow, out_of="level"),),
    )
    assert whole_exponents(System(Model((mechanism,)))) == {1: 2.0}


def test_an_eased_program_computes_the_same_with_fewer_values_alive():
    lines = [f"t{i} = mul y:{i} #2.0" for i in range(9)]
    lines += [f"s{i} = add t{i} y:{i}" for i in range(9)]
    lines += ["a0 = add s0 #0.0", *(f"a{i} = add a{i - 1} s{i}" for i in range(1, 9))]
    text = "\n".join([*lines, "x:0 < a8", "x:1 < s3", "x:2 < y:1"])

    def carried_out(program):
        known = {f"y:{i}": 1.5 + i for i in range(9)}
        alive, most, last = set(), 0, {}
        rows = [line.split() for line in program.splitlines()]
        for at, row in enumerate(rows):
            last.update(dict.fromkeys(row[2:], at))
        for at, (name, sign, *words) in enumerate(rows):
            values = [float(w[1:]) if w[0] == "#" else known[w] for w in words[sign == "=" :]]
            acts = {"mul": lambda a, b: a * b, "add": lambda a, b: a + b}
            known[name] = values[0] if sign == "<" else acts[words[0]](*values)
            alive = {one for one in {*alive, name} if last.get(one, 0) > at}
            most = max(most, len(alive))
        return [known[f"x:{i}"] for i in range(3)], most

    before, after = carried_out(text), carried_out(eased(text))
    assert after[0] == before[0]
    assert after[1] < before[1] / 2
