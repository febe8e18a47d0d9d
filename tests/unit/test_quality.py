"""Does the whole source keep the rules that a machine can check?"""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import ketasim

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "ketasim").rglob("*.py"))
SCIENCE = ("errors", "units", "core", "mechanisms", "models")
LONGEST_FILE, LONGEST_BODY = 400, 40
CALLS = {"print", "eval", "exec", "compile", "__import__", "breakpoint", "input"}
EXCUSED = {  # what a file may call all the same, and why
    ("src/ketasim/core/code.py", "compile()"): "compares a source with what runs; runs nothing",
}
PICKLES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}


def run(*command):
    """Run a tool from the root of the project; return its status and what it said."""
    path = os.pathsep.join(filter(None, ["src", os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, check=False, timeout=600,
        encoding="utf-8", errors="replace",
        env={**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", "PYTHONUTF8": "1"},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def folders():
    """Return the folders of Python there are."""
    return [name for name in ("src", "tests", "benchmarks", "scripts") if (ROOT / name).is_dir()]


def test_ruff_finds_nothing():
    status, said = run("-m", "ruff", "check", *folders())
    assert status == 0, said


def test_ruff_would_format_nothing():
    status, said = run("-m", "ruff", "format", "--check", *folders())
    assert status == 0, said


def test_mypy_finds_nothing():
    status, said = run("-m", "mypy")
    assert status == 0, said


def test_no_floor_imports_from_above():
    lint = "from importlinter.cli import lint_imports_command as lint; lint()"
    status, said = run("-c", lint, "--no-cache")
    assert status == 0, said
    assert "0 broken" in said


def imported(tree):
    """Return the packages that a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." if node.level else str(node.module).partition(".")[0]


def forbidden(tree):
    """Name everything in a module that could print, vanish under -O, or run a user's text."""
    yield from (f"import {name}" for name in imported(tree) if name in PICKLES)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            yield f"assert, line {node.lineno}"
        elif isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            keywords = {k.arg: getattr(k.value, "value", True) for k in node.keywords}
            if name in CALLS:
                yield f"{name}(), line {node.lineno}"
            if ast.unparse(node.func) == "yaml.load" or keywords.get("allow_pickle", False):
                yield f"{ast.unparse(node.func)}(), line {node.lineno}"


def long_bodies(tree):
    """Name the functions whose body, without its docstring, is long."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and node.body[1:] else node.body
            length = (body[-1].end_lineno or 0) - body[0].lineno + 1
            if length > LONGEST_BODY:
                yield f"{node.name}: {length} lines"


def named(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_source_file_keeps_the_rules(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    found = [one.partition(",")[0] for one in forbidden(tree)]
    assert [one for one in found if (named(path), one) not in EXCUSED] == []
    assert list(long_bodies(tree)) == []
    assert len(text.splitlines()) <= LONGEST_FILE
    assert "." not in set(imported(tree)), "imports are absolute"


@pytest.mark.parametrize(
    "path",
    [
        p
        for p in SOURCES
        if p.relative_to(ROOT / "src/ketasim").parts[0].removesuffix(".py") in SCIENCE
    ],
    ids=named,
)
def test_the_science_floor_imports_numpy_and_the_standard_library(path):
    allowed = sys.stdlib_module_names | {"numpy", "ketasim"}
    assert set(imported(ast.parse(path.read_text(encoding="utf-8")))) <= allowed


@pytest.mark.parametrize(
    "snippet",
    [
        "print(1)", "assert True", "eval('1')", "exec('')", "compile('1', 'f', 'eval')",
        "import pickle",
        "from pickle import loads", "import joblib.memory", "__import__('os')", "yaml.load(text)",
        "np.load(path, allow_pickle=True)", "np.load(path, allow_pickle=flag)", "breakpoint()",
        "def f():\n    if x:\n        import shelve",
    ],
)  # fmt: skip
def test_the_scan_finds_what_it_looks_for(snippet):
    assert list(forbidden(ast.parse(snippet)))


@pytest.mark.parametrize(
    "snippet",
    ["re.compile('a')", "'print(1)'", "np.load(path, allow_pickle=False)", "yaml.safe_load(t)"],
)
def test_the_scan_leaves_the_rest_alone(snippet):
    assert list(forbidden(ast.parse(snippet))) == []


def test_the_scan_measures_bodies_without_docstrings():
    def source(lines):
        return "def f():\n    '''One.\n\n    Two.\n    '''\n" + "    x = 1\n" * lines

    assert list(long_bodies(ast.parse(source(LONGEST_BODY)))) == []
    assert list(long_bodies(ast.parse(source(LONGEST_BODY + 1)))) == ["f: 41 lines"]


def test_the_readme_sets_up_with_two_commands():
    blocks = re.findall(
        r"^```bash\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.M | re.S
    )
    install_and_run, install_and_test = (block.strip() for block in blocks[:2])
    for command in (install_and_run, install_and_test):
        assert command.startswith("python -m pip install")
        assert "\n" not in command
    assert install_and_run.endswith("ketasim demo")
    assert "pytest" in install_and_test


def test_the_version_is_said_once_and_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert project["version"] == ketasim.__version__
    assert f"\nversion: {ketasim.__version__}\n" in citation
