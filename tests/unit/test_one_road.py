"""One road to the engines, one language of read-outs: counted in the source itself."""

import ast
import re
from pathlib import Path

import pytest

import ketasim

SOURCE = Path(ketasim.__file__).parent
ROOM = ("engines", "compile")  # where engines are made
# What is not an engine but said by all: the contract, what may be spent, how a run ended, weighing.
SHARED = {"contract", "limits", "status", "balance"}
LANGUAGE = "readouts/grammar.py"


def modules(*, outside=()):
    """Return the package's files, without those of some rooms, by their path within it."""
    paths = {path.relative_to(SOURCE).as_posix(): path for path in SOURCE.rglob("*.py")}
    return {name: path for name, path in paths.items() if name.partition("/")[0] not in outside}


def imported(path):
    """Yield what a file imports, wherever in it: a module and a name of it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", one.name) for one in node.names)
        if isinstance(node, ast.Import):
            yield from ((one.name, "") for one in node.names)


def roads():
    """Return what files outside the engine room take from it, the shared words left out."""
    found = {}
    for name, path in modules(outside=ROOM).items():
        for module, what in imported(path):
            parts = module.split(".")
            if parts[:2] == ["ketasim", "engines"]:
                room = parts[2] if len(parts) > 2 else what
                if room not in SHARED:
                    found.setdefault((room, what), []).append(name)
    return found


def test_there_is_one_road_to_the_engines():
    wanted = {("run", one) for one in ("run", "steady_state", "gradients")}
    wanted |= {("run", one) for one in ("attempts", "carried_by")}  # the same road, elsewhere
    wanted |= {("run", one) for one in ("is_ready", "make_ready")}  # may it be taken at once?
    wanted.add(("solve", "solve_ivp"))  # equations of one's own, which are no model's
    wanted.add(("portable", "portable"))  # programs for a page, which runs them itself
    assert set(roads()) == wanted, roads()


@pytest.mark.parametrize("taken", ["scipy.integrate", "llvmlite"])
def test_nobody_else_integrates(taken):
    others = {
        name
        for name, path in modules(outside=(*ROOM, "testing")).items()
        if any(module.startswith(taken) or f"{module}.{what}" == taken
               for module, what in imported(path))
    }  # fmt: skip
    assert not others


def test_there_is_one_language_of_read_outs():
    """A dialect has a parser, or a table of reducers; there is one of either."""
    words = re.compile(r"[\"'](?:t_peak|t_trough|time_to_fall|t_half)[\"']\s*:")
    texts = {name: path.read_text("utf-8") for name, path in modules().items()}
    parsers = {name for name, text in texts.items() if re.search(r"class _?\w*Parser\b", text)}
    assert parsers == {LANGUAGE}
    tables = {name for name, text in texts.items() if words.search(text)}
    assert {name.partition("/")[0] for name in tables} == {"readouts"}


def test_only_the_language_reads_read_outs_from_text():
    """Whoever has a text gives it to ``ketasim.readouts``; the grammar is nobody else's."""
    takers = {
        name
        for name, path in modules(outside=("readouts",)).items()
        if any(module.startswith("ketasim.readouts.grammar") or what == "grammar"
               for module, what in imported(path) if module.startswith("ketasim.readouts"))
    }  # fmt: skip
    assert not takers
