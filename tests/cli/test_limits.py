"""What is too deep, too long or too large is refused in one sentence, and nothing crashes."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ketasim
from ketasim.cli import main
from ketasim.errors import ConfigError
from ketasim.export.values import DEEPEST
from ketasim.readouts import parse_all

SOURCE = str(Path(ketasim.__file__).parents[1])
HEAD = (
    '<?xml version="1.0"?><sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" '
    'version="2"><model id="m">'
)
MATH = (
    '<listOfRules><assignmentRule variable="p"><math xmlns="http://www.w3.org/1998/Math/MathML">{}'
    "</math></assignmentRule></listOfRules>"
)


def said_by(words, capsys):
    """Return the exit code and what is said on the error stream."""
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return left.value.code, capsys.readouterr().err


@pytest.mark.parametrize("levels", [DEEPEST, 100_000])
@pytest.mark.parametrize("kind", ["annotation", "math"])
def test_deeply_nested_sbml_is_refused(tmp_path, capsys, levels, kind):
    pytest.importorskip("libsbml")
    path = tmp_path / "deep.xml"
    if kind == "math":
        inside = "<apply><minus/>" * levels + "<cn>1</cn>" + "</apply>" * levels
        body = MATH.format(inside)
    else:
        body = "<annotation>" + "<a>" * levels + "</a>" * levels + "</annotation>"
    path.write_text(f"{HEAD}{body}</model></sbml>")
    code, said = said_by(["run", "human_healthy_iv", "--values", path, "-o", tmp_path], capsys)
    assert code == 2
    assert (
        said == f"deep.xml: nested more than {DEEPEST} levels deep; that is not a model of ours.\n"
    )


@pytest.mark.parametrize("mark", ["+", "-", "*"])
def test_a_long_chain_is_read_and_computed_without_going_deep(mark):
    model = ketasim.models.antidepressant()
    text = "x = " + mark.join(["1"] * 900) + f"{mark}spines.density.peak"
    (found,) = parse_all([text], model, where="summary")
    assert found.evaluate(lambda _: np.array([1.0])) == {"+": 901.0, "-": -899.0, "*": 1.0}[mark]


@pytest.mark.parametrize("text", ["x = " + "-" * 900 + "1", "x = " + "(" * 900 + "1" + ")" * 900])
def test_what_is_nested_deeply_is_refused(text):
    model = ketasim.models.antidepressant()
    with pytest.raises(ConfigError, match="nested too deeply; at most 50 levels"):
        parse_all([text], model, where="summary")


@pytest.mark.parametrize(("command", "megabytes"), [("sweep", 100), ("run", 300), ("sweep", 1200)])
def test_too_little_memory_is_told_before_anything_crashes(tmp_path, command, megabytes):
    pytest.importorskip("resource")
    words = [command, "human_healthy_iv", "-o", str(tmp_path / "x")]
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({megabytes * 10**6},) * 2)\n"
        f"from ketasim.cli import main; main({words!r})"
    )
    env = {**os.environ, "PYTHONPATH": SOURCE}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=60
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert f"this process may use {megabytes / 1000:.2g} GB of addresses" in done.stderr
    assert "ulimit -v unlimited" in done.stderr


@pytest.mark.parametrize("words", [["run", "x" * 5000], ["status", "x" * 5000]])
def test_a_name_that_no_disk_takes_is_told_in_a_sentence(words, capsys):
    code, said = said_by(words, capsys)
    assert code == 2
    assert said.count("\n") == 1
    assert "File name too long" in said or "no such file" in said
    assert "fault of its own" not in said


def test_no_memory_is_told_in_a_sentence(capsys, monkeypatch):
    from ketasim.verbs import inspect

    monkeypatch.setattr(inspect, "list_configs", lambda: bytearray(2**62))
    code, said = said_by(["list", "configs"], capsys)
    assert code == 2
    assert said.startswith("there is not enough memory for this.")
