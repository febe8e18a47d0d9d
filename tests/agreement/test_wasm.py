"""Programs as WebAssembly compute what their lines say; run under node."""

import base64
import json
import shutil
import subprocess

import numpy as np
import pytest

from ketasim.compile.wasm import Routine, module
from page_node import WITHOUT

RUN = """
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
const made = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(asked.wasm, "base64")));
const w = new Float64Array(made.exports.memory.buffer);
w.set(asked.before);
for (const [name, shift] of asked.calls) made.exports[name](8 * shift);
console.log(JSON.stringify(Array.from(w.subarray(0, asked.before.length))));
"""


def run(programs, layout, before, calls, *, repeats=None, routines=()):
    """Return the workspace after calls of programs, each with a shift."""
    node = shutil.which("node")
    if node is None:
        pytest.skip(WITHOUT)
    wasm = module(
        programs, layout, size=len(before), repeats=repeats or {}, routines=routines
    )  # fmt: skip
    asked = {"wasm": base64.b64encode(wasm).decode(), "before": list(before), "calls": calls}
    done = subprocess.run(
        [node, "-e", RUN], input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


X, Y = (0, 1, False, False), (8, 1, False, False)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("add x:0 x:1", 5.0), ("sub x:0 x:1", -1.0), ("mul x:0 x:1", 6.0), ("div x:1 x:0", 1.5),
        ("neg x:0", -2.0), ("abs x:2", 4.0), ("sqrt x:3", 3.0), ("recip x:0", 0.5),
        ("inverse x:0", 0.5), ("rough x:0", 0.5), ("fma x:0 x:1 x:3", 15.0),
        ("max x:0 x:2", 2.0), ("min x:0 x:2", -4.0), ("power_of x:1 x:0 x:0", 3.0),
        ("where x:0 x:1 x:2 x:3", 9.0), ("where x:1 x:1 x:2 x:3", -4.0), ("add x:0 #0.25", 2.25),
    ],
)  # fmt: skip
def test_each_operation(line, expected):
    before = [2.0, 3.0, -4.0, 9.0, *[0.0] * 8]
    found = run({"f": f"t = {line}\ny:0 < t"}, {"x": X, "y": Y}, before, [["f", 0]])
    assert found[8] == expected


def test_exp_log_and_power_are_those_of_numpy():
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.uniform(-700, 700, 200), [0.0, 1e-12, -1e-12]])
    positive = np.exp(rng.uniform(-200, 200, len(x)))
    power = rng.uniform(-3, 3, len(x))
    n = len(x)
    layout = {name: (k * n, 1, False, False) for k, name in enumerate("xabelp")}
    text = "t = exp x:0\ne:0 < t\nt = log a:0\nl:0 < t\nt = pow a:0 b:0\np:0 < t"
    before = [*x, *positive, *power, *[0.0] * (3 * n)]
    found = np.array(run({"f": text}, layout, before, [["f", 0]], repeats={"f": n}))
    assert found[3 * n : 4 * n] == pytest.approx(np.exp(x), rel=1e-14)
    assert found[4 * n : 5 * n] == pytest.approx(np.log(positive), rel=1e-14, abs=1e-15)
    assert found[5 * n :] == pytest.approx(positive**power, rel=1e-13)


@pytest.mark.parametrize("base", [0.0, -1.0])
def test_a_power_of_what_is_not_positive_is_nought(base):
    layout = {"x": X, "y": Y}
    found = run({"f": "t = pow x:0 x:1\ny:0 < t"}, layout, [base, 0.5, *[7.0] * 8], [["f", 0]])
    assert found[8] == 0.0


def test_a_store_never_comes_before_what_reads_the_same_place():
    text = "a = add x:0 x:0\nx:0 < x:1\nx:1 < a\nb = mul x:0 x:1\ny:0 < b"
    found = run({"f": text}, {"x": X, "y": Y}, [2.0, 5.0, *[0.0] * 8], [["f", 0]])
    assert found[:2] == [5.0, 4.0]
    assert found[8] == 20.0  # what was stored is read again


def test_names_may_be_given_again_and_shifts_move_what_moves():
    layout = {"m": (0, 1, True, False), "y": Y}
    text = "a = add m:0 #1.0\na = mul a a\ny:0 < a"
    assert run({"f": text}, layout, [1.0, 4.0, *[0.0] * 8], [["f", 1]])[8] == 25.0


def test_routines_call_in_a_row_and_long_chains_are_cut():
    chain = "\n".join(["t = add x:0 #0.0", *["t = add t #1.0"] * 500, "y:0 < t"])
    again = "t = add y:0 y:0\ny:1 < t"
    both = Routine("both", (("f", 0), ("g", 0)))
    found = run(
        {"f": chain, "g": again}, {"x": X, "y": Y}, [1.0, *[0.0] * 9], [["both", 0]],
        routines=(both,),
    )  # fmt: skip
    assert found[8:] == [501.0, 1002.0]


def test_what_nobody_knows_is_refused():
    with pytest.raises(KeyError):
        module({"f": "t = sinh x:0\ny:0 < t"}, {"x": X, "y": Y}, size=9, repeats={})
