"""Are the habits of the house written down, and can they be followed?"""

import ast
import re
import shutil
import sys
import time
import tomllib
from pathlib import Path

import pytest
import regenerate

ROOT = Path(__file__).parents[2]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS = sorted(one.parent.name for one in (ROOT / "src" / "ketasim").glob("*/__init__.py"))


def sessions():
    """Return the names of the nox sessions there are."""
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    return {one.name for one in tree.body if isinstance(one, ast.FunctionDef) and
            any("session" in ast.unparse(d) for d in one.decorator_list)}  # fmt: skip


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_its_line_on_the_map(room):
    assert re.search(rf"^\| `{room}` +\| \S", CONTRIBUTING, re.MULTILINE)


def test_the_map_shows_no_room_that_is_not_there():
    shown = re.findall(r"^\| `(\w+)` +\|", CONTRIBUTING.partition("## Add a")[0], re.MULTILINE)
    assert set(shown) == {*ROOMS, "errors", "units"}


@pytest.mark.parametrize(
    "room",
    [
        "core", "compile", "engines", "files", "config", "models", "readouts", "studies/designs",
        "studies/fit", "studies/sweep",
    ],
)  # fmt: skip
def test_a_package_lists_its_files(room):
    place = ROOT / "src" / "ketasim" / room
    files = {one.stem for one in place.glob("*.py")} - {"__init__"}
    told = ast.get_docstring(ast.parse((place / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert set(re.findall(r"``(\w+)``(?=[:,;])", told)) == files


def test_a_file_says_what_it_is_for_and_can_be_seen_across():
    for path in (ROOT / "src" / "ketasim").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert ast.get_docstring(ast.parse(text)), path
        assert len(text.splitlines()) < 400, path


@pytest.mark.parametrize(
    "word",
    [
        "story", "laws", "ledger", "lanes", "covering schedule", "finding", "read-out",
        "hypothesis", "input", "intervention", "door to the engines",
    ],
)  # fmt: skip
def test_a_word_of_the_house_is_explained(word):
    assert re.search(rf"^- \*\*{word}\*\*: \S", CONTRIBUTING, re.MULTILINE | re.IGNORECASE)


def test_every_gate_has_a_session_and_every_session_its_line():
    assert sessions() == {
        "lint", "types", "tests", "lowest", "newest", "floor", "science", "regenerate", "docs",
        "bench", "quick",
    }  # fmt: skip
    assert sessions() == set(re.findall(r"`nox -s ([a-z]+)`", CONTRIBUTING))


def test_the_hooks_before_a_commit_are_local():
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert re.findall(r"repo: *(\S+)", text) == ["local"]
    assert set(re.findall(r"- id: *(\S+)", text)) == {"ruff", "ruff-format", "lint-imports"}
    assert set(re.findall(r"language: *(\S+)", text)) == {"system"}


def test_continuous_integration_lints_before_it_tests():
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    steps = (
        "-m ruff check",
        "-m ruff format",
        "-m mypy",
        "lint-imports --no-cache",
        'bash -euo pipefail -c "$command"',
        "regenerate.py --check",
    )
    order = [text.index(step) for step in steps]
    assert order == sorted(order)


def test_what_is_imported_is_declared():
    declared = {re.split(r"[<>=\[]", one)[0].lower().replace("-", "_")
                for one in PROJECT["project"]["dependencies"]}  # fmt: skip
    optional = {
        "COPASI",
        "anywidget",
        "arviz",
        "basico",
        "distributed",
        "dynesty",
        "libsbml",
        "petab",
        "roadrunner",
        "pint",
    }
    optional.add("traitlets")  # anywidget stands on it
    optional.add("pydantic_core")  # pydantic's own, pinned by it to the last digit
    found = set()
    for path in (ROOT / "src" / "ketasim").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {one.name.partition(".")[0] for one in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(str(node.module).partition(".")[0])
    found -= {*sys.stdlib_module_names, "ketasim", *optional}
    assert {one.lower() for one in found} <= declared


def test_every_extra_has_code():
    assert set(PROJECT["project"]["optional-dependencies"]) == {
        "app", "docs", "sbml", "fit", "petab", "amici", "cluster", "bench", "dev",
    }  # fmt: skip


def test_everything_generated_is_up_to_date_and_that_is_soon_known(capsys):
    began = time.perf_counter()
    status = regenerate.check(regenerate.ARTEFACTS, ROOT)
    assert status == 0, capsys.readouterr().out
    assert time.perf_counter() - began < 5.0


def test_every_artefact_is_in_the_table():
    made = {name for one in regenerate.ARTEFACTS for name in one.outputs}
    drawn = {one.relative_to(ROOT).as_posix() for one in (ROOT / "docs" / "figures").iterdir()}
    sheets = {one.relative_to(ROOT).as_posix() for one in (ROOT / "docs" / "sheets").iterdir()}
    assert drawn | sheets <= made
    scripts = {one.name for one in (ROOT / "scripts").glob("*.py")}
    scripts -= {"regenerate.py", "kinetics.py", "floor.py", "links.py"}  # these write no artefact
    scripts -= {"ten_minutes.py"}  # installs; what it writes down is of one machine
    # These take hours, and their page is of one machine.
    scripts -= {"attack.py", "batteries.py", "mutants.py", "trials.py"}
    commands = " ".join(one.command for one in regenerate.ARTEFACTS)
    inputs = " ".join(name for one in regenerate.ARTEFACTS for name in one.inputs)
    assert [name for name in scripts if name not in commands + inputs] == []


@pytest.fixture
def copy(tmp_path):
    """Return a root with one artefact, its input and its manifest."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "in.toml").write_text("a = 1\n")
    (tmp_path / "out.md").write_text("one\n")
    one = regenerate.Artefact("card", "make.py", ("out.md",), ("*.toml",), 0.1)
    regenerate.record([one], tmp_path)
    return one, tmp_path


def test_nothing_is_stale_at_first_whatever_the_line_endings(copy):
    one, root = copy
    (root / "in.toml").write_bytes(b"a = 1\r\n")
    assert regenerate.faults(one, root) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda root: (root / "in.toml").write_text("a = 2\n"), "inputs have changed"),
        (lambda root: (root / "more.toml").write_text(""), "inputs have changed"),
        (lambda root: (root / "out.md").write_text("two\n"), "changed by hand"),
        (lambda root: (root / "out.md").unlink(), "out.md is missing"),
        (lambda root: (root / regenerate.MANIFEST).unlink(), "not in docs/generated.toml"),
    ],
)
def test_what_is_stale_is_named_with_what_to_type(copy, change, reason, capsys):
    one, root = copy
    change(root)
    assert regenerate.check([one], root) == 1
    said = capsys.readouterr().out
    assert reason in said
    assert "Type: python scripts/regenerate.py card" in said


def test_another_model_is_stale(copy, monkeypatch):
    one, root = copy
    model = regenerate.antidepressant().with_values({"nmda.k_s": "0.41 uM"})
    monkeypatch.setattr(regenerate, "antidepressant", lambda: model)
    assert regenerate.faults(one, root) == ["the model has changed"]


def test_regenerating_runs_the_command_and_records_it(copy):
    one, root = copy
    (root / "make.py").write_text("open('out.md', 'w').write(open('in.toml').read())\n")
    (root / "in.toml").write_text("a = 3\n")
    regenerate.regenerate([one], root)
    assert (root / "out.md").read_text() == "a = 3\n"
    assert regenerate.faults(one, root) == []


def test_released_numbers_are_written_only_when_named(tmp_path, capsys):
    shutil.copytree(ROOT / "tests" / "golden", tmp_path / "tests" / "golden")
    kept = [one for one in regenerate.ARTEFACTS if one.only_named]
    assert [one.name for one in kept] == ["golden"]
    found = [one.name for one in regenerate.stale(tmp_path)]
    assert "golden" not in found
    assert "say in the changelog" in capsys.readouterr().out
