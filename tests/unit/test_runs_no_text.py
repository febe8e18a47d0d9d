"""Nothing in the package turns text into code, but where that is its business; each place by name.

The scan knows calls and imports by what they are called, however they were imported. A new place
fails here until it is listed with its reason; a reason whose place is gone fails too.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import ketasim

PACKAGE = Path(ketasim.__file__).parent
CALLS = {
    "eval", "exec", "execfile", "compile", "__import__", "literal_eval", "sympify", "parse_expr",
    "import_module", "exec_module", "spec_from_file_location", "run_path", "run_module",
    "system", "popen", "Popen", "check_output", "check_call", "getoutput", "spawnl", "execv",
    "execve", "execvp", "fork", "startfile", "evaluate_expression",
}  # fmt: skip
MODULES = {
    "pickle", "_pickle", "cPickle", "cloudpickle", "dill", "marshal", "shelve", "yaml", "runpy",
    "code", "codeop", "subprocess", "pty", "ctypes", "cffi", "numexpr", "joblib", "multiprocessing",
    "importlib", "imp", "pydoc", "distutils",
}  # fmt: skip
ALLOWED = {
    ("__init__.py", "import importlib"): "public names load on first use",
    ("__init__.py", "import_module"): "from a table in the file, never from what a user typed",
    ("cli/main.py", "import importlib"): "commands load when asked for",
    ("cli/main.py", "import_module"): "from the table COMMANDS, which the word must be in",
    ("compile/cache.py", "import subprocess"): "a kernel is compiled in the background",
    ("compile/cache.py", "Popen"): "this interpreter with a fixed module and a hash, no shell",
    ("compile/kernel.py", "import importlib"): "importlib.metadata: versions",
    ("compile/machine.py", "import ctypes"): "enters machine code that this package wrote",
    ("core/code.py", "compile"): "a law's source, to compare it with its code; it is never run",
    ("export/notes.py", "import importlib"): "importlib.resources: files of the package",
    ("export/peers.py", "import importlib"): "optional packages, and importlib.metadata",
    ("export/peers.py", "import_module"): "three fixed names",
    ("models/load.py", "import importlib"): "a user's own model is a Python file that he names",
    ("models/load.py", "spec_from_file_location"): "the same file, and no other",
    ("models/load.py", "exec_module"): "the same file, and no other",
    ("page/build.py", "import importlib"): "importlib.resources: files of the package",
    ("results/folder.py", "import importlib"): "importlib.metadata: versions",
    ("studies/designs/sequence.py", "import importlib"): "importlib.util: where SciPy's files are",
    ("results/folder.py", "import subprocess"): "asks git for the commit",
    ("results/folder.py", "run of subprocess"): "git with fixed words, no shell",
}


def found_in(tree: ast.AST) -> Iterator[str]:
    """Yield what a source file does that could turn text into code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (
                f"import {head(one.name)}" for one in node.names if head(one.name) in MODULES
            )
        elif isinstance(node, ast.ImportFrom) and head(node.module or "") in MODULES:
            yield f"import {head(str(node.module))}"
        elif isinstance(node, ast.Call):
            yield from called(node)
        elif isinstance(node, ast.Attribute | ast.Name):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            if name in {"eval", "exec", "__import__", "__builtins__", "__subclasses__"}:
                yield name


def called(node: ast.Call) -> Iterator[str]:
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    owner = getattr(getattr(node.func, "value", None), "id", "")
    if name in CALLS and not (name == "compile" and owner == "re"):
        yield name
    if owner == "subprocess" and name in {"run", "call"}:
        yield "run of subprocess"
    for key in node.keywords:
        true = isinstance(key.value, ast.Constant) and key.value.value is True
        if key.arg in ("shell", "allow_pickle") and not (
            isinstance(key.value, ast.Constant) and key.value.value is False
        ):
            yield f"{key.arg}={'True' if true else '...'}"


def head(name: str) -> str:
    return name.partition(".")[0]


def scan() -> set[tuple[str, str]]:
    places = set()
    for path in PACKAGE.rglob("*.py"):
        relative = path.relative_to(PACKAGE).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        places |= {(relative, what) for what in found_in(tree)}
    return places


def test_every_place_that_could_run_text_is_listed_with_its_reason():
    found = scan()
    assert sorted(found - set(ALLOWED)) == []
    assert sorted(set(ALLOWED) - found) == []
    assert all(len(reason) > 10 for reason in ALLOWED.values())


@pytest.mark.parametrize(
    "text",
    [
        "eval('1')", "f = eval", "import pickle", "from pickle import loads as x", "import yaml.x",
        "import os\nos.system('x')", "import builtins\nbuiltins.exec('x')", "__import__('os')",
        "np.load(x, allow_pickle=True)", "np.load(x, allow_pickle=y)", "run('x', shell=True)",
        "import subprocess as s", "compile('x', '', 'exec')", "().__class__.__subclasses__()",
        "from importlib import import_module", "sympify('x')", "ast.literal_eval('x')",
        "from multiprocessing import Pool", "import ctypes",
    ],
)  # fmt: skip
def test_the_scan_sees_it(text):
    assert list(found_in(ast.parse(text)))


@pytest.mark.parametrize(
    "text", ["import re\nre.compile('x')", "np.load(x, allow_pickle=False)", "from x import run"]
)
def test_the_scan_lets_pass_what_is_harmless(text):
    assert not list(found_in(ast.parse(text)))
