"""Does a test notice a mutant? Copies of the source, and the tests that can tell.

First the tests that name a mutant's file or what is in it, and those of its own room. What survives
these (and only that) faces every other test file of the default suite that comes to its line: one
run of the suite, a process and an empty cache a file, marks which files those are. A line is marked
from the statement before it, by whatever process and however that ends, so children that are killed
count too. A line that is copied into kernels is never run as Python: it counts as reached wherever
a kernel is written. A test that never comes to a line cannot tell what is in it.

The rules of style (``tests/unit/test_quality.py``) read the source and run none of it. They kill
no mutant here.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
STYLE = "tests/unit/test_quality.py"
COPIED = "# --- copied from here"  # above what becomes part of a kernel's text
# Where a kernel's text is made.
WRITES = ("src/ketasim/compile/machine.py", "    head = {")
NEAR = {
    "core": "unit/test_schedule.py unit/test_system.py unit/test_protocol.py unit/test_model.py",
    "compile": "unit/test_compile_trace.py unit/test_compile_elementary.py "
               "unit/test_compile_cache.py unit/test_cache_attacked.py agreement/test_method.py "
               "agreement/test_readouts.py agreement/test_failures.py",
    "engines": "agreement/test_ivp.py agreement/test_trajectories.py agreement/test_door.py "
               "agreement/test_failures.py agreement/test_gradients.py agreement/test_wasm.py "
               "agreement/test_page.py unit/test_page.py",
    "readouts": "unit/test_readouts_language.py unit/test_summaries.py agreement/test_readouts.py",
    "results": "unit/test_store.py unit/test_store_attacked.py cli/test_all_or_none.py",
    "studies": "unit/test_sweep.py unit/test_designs.py unit/test_fit.py unit/test_judge_parts.py "
               "unit/test_posterior.py unit/test_indices.py unit/test_budget.py",
    "mechanisms": "golden laws unit/test_model.py unit/test_systems.py unit/test_modules.py",
}  # fmt: skip
SEEN = '''"""Says that a line was come to, in whatever process."""

from pathlib import Path


def seen(number):
    try:
        Path(r"{marks}", str(number)).touch()
    except Exception:
        pass
'''


@dataclass(frozen=True)
class Mutant:
    """One line of one file, before and after."""

    room: str
    file: str
    line: int
    before: str
    after: str

    def __str__(self) -> str:
        """Return it on a line."""
        return f"{self.file}:{self.line} {self.before} -> {self.after}"


class Trials:
    """Copies of the source, one as it is and one that is changed, and tests that fail in both."""

    def __init__(self, place: Path, *, minutes: float) -> None:
        self.place, self.minutes = place, minutes
        self.unsound: set[str] = set()  # tests that fail without a mutant, and so kill none
        self.sound: set[str] = set()
        for name in ("plain", "mutant"):
            self._copied(name)

    def near(self, one: Mutant) -> str:
        """Return ``killed by TEST``, ``survived`` or ``undecided`` by tests that are near it."""
        own = [*naming(one), *(f"tests/{name}" for name in NEAR[one.room].split())]
        word = self.fate(one, pointed(one), self._common(one))
        if word != "survived":
            return word
        return self.fate(one, list(dict.fromkeys(own)), self._common(one))

    def fate(self, one: Mutant, tests: list[str], kernels: Path | None = None) -> str:
        """Return ``killed by TEST``, ``survived`` or ``undecided``, when time ran out.

        Kernels are made anew, unless there is a folder of some.
        """
        root = self.place / "mutant"
        path = root / one.file
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines(keepends=True)
        old = lines[one.line - 1]
        indent = old[: len(old) - len(old.lstrip())]
        lines[one.line - 1] = f"{indent}{one.after}\n"
        path.write_text("".join(lines), encoding="utf-8")
        tests = [name for name in tests if name != STYLE]
        try:
            return self._tested(root, tests, kernels) if tests else "survived"
        finally:
            path.write_text(text, encoding="utf-8")

    def reaching(self, many: list[Mutant]) -> dict[Mutant, list[str]]:
        """Return the files of the default suite that come to each mutant's line, quickest first.

        A file that does not end in time counts as coming to all.
        """
        root, marks = self._copied("marked"), self.place / "marks"
        mark(root, many, marks)
        found: dict[Mutant, list[tuple[float, str]]] = {one: [] for one in many}
        for test in sorted((ROOT / "tests").rglob("test_*.py")):
            shutil.rmtree(marks, ignore_errors=True)
            marks.mkdir()
            name, began = test.relative_to(ROOT).as_posix(), time.monotonic()
            if name == STYLE:
                continue
            ended = self._run(root, [name], self._empty("own"))
            took = time.monotonic() - began
            seen = {one.name for one in marks.iterdir()}
            come = [one for i, one in enumerate(many) if str(i) in seen or ended is None]
            for one in come:
                found[one].append((took, name))
            print(f"  {name} comes to {len(come)} of {len(many)} ({took:.0f} s)", flush=True)
        return {one: [name for _, name in sorted(tests)] for one, tests in found.items()}

    def _copied(self, name: str) -> Path:
        root = self.place / name
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(".git", "out", "*.zarr"))
        return root

    def _empty(self, name: str) -> Path:
        shutil.rmtree(self.place / name, ignore_errors=True)
        return self.place / name

    def _common(self, one: Mutant) -> Path | None:
        """Return a folder of kernels that mutants share, but not what makes them or keeps them.

        A kernel goes by the hash of its text and may be shared; what is remembered of how a text
        came about may not.
        """
        if one.room == "compile":
            return None
        for plan in (self.place / "common").glob("plan_*"):
            plan.unlink()
        return self.place / "common"

    def _tested(self, root: Path, tests: list[str], kernels: Path | None) -> str:
        while True:
            failed = self._first_failure(root, tests, kernels or self._empty("own"))
            if failed is None or failed == "undecided":
                return failed or "survived"
            if failed not in self.sound:
                plain = self._first_failure(self.place / "plain", [failed], self.place / "kernels")
                if plain is not None:
                    self.unsound.add(failed)
                    continue
                self.sound.add(failed)
            return f"killed by {failed}"

    def _first_failure(self, root: Path, tests: list[str], kernels: Path) -> str | None:
        """Return the first test that fails, None where all pass."""
        done = self._run(root, ["-x", *tests], kernels)
        if done is None:
            return "undecided"  # a mutant that hangs, or a machine that is busy
        missing = done.returncode == 4 and "not found:" in done.stdout
        if done.returncode in (0, 5) or missing:  # all pass, or none is left
            return None
        found = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", done.stdout, re.MULTILINE)
        return found[1] if found else tests[0]

    def _run(
        self, root: Path, words: list[str], kernels: Path
    ) -> subprocess.CompletedProcess[str] | None:
        """Run tests in a copy, with kernels of its own; None where they do not end in time."""
        env = {
            **os.environ,
            "PYTHONPATH": str(root / "src"),
            "KETASIM_CACHE_DIR": str(kernels),
        }
        first = [sys.executable, "-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider"]
        first += [f"--deselect={one}" for one in sorted(self.unsound)]
        try:
            return subprocess.run(
                [*first, *words], cwd=root, env=env, timeout=60.0 * self.minutes,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None


def naming(one: Mutant, most: int = 6) -> list[str]:
    """Return the test files that name a mutant's file, or who imports it, and what is in it."""
    found = _naming(ROOT / one.file)
    if not found:
        module = _module(ROOT / one.file)
        for user in sorted((ROOT / "src").rglob("*.py")):
            if module in _imported(user.read_text(encoding="utf-8")):
                found |= _naming(user)
    return sorted(found, key=lambda name: -found[name])[:most]


def pointed(one: Mutant, most: int = 20) -> list[str]:
    """Return the tests that name the mutant's function, or what calls it in its file."""
    text = (ROOT / one.file).read_text(encoding="utf-8")
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    spans = {node: range(node.lineno, (node.end_lineno or node.lineno) + 1) for node in functions}
    names = {node.name for node in functions if one.line in spans[node]}
    for _ in range(3):
        if any(not name.startswith("_") for name in names):
            break
        word = re.compile(rf"\b(?:{'|'.join(names)})\b")
        names |= {node.name for node in functions if word.search(ast.unparse(node))}
    public = [re.escape(name) for name in sorted(names) if not name.startswith("_")]
    word = re.compile(rf"\b(?:{'|'.join(public) or '(?!)'})\b")
    found = []
    for name in sorted(_naming(ROOT / one.file)):
        for node in ast.parse((ROOT / name).read_text(encoding="utf-8")).body:
            is_test = isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
            if is_test and word.search(ast.unparse(node)):
                found.append(f"{name}::{node.name}")
    return found[:most]


def _module(file: Path) -> str:
    return ".".join(file.relative_to(ROOT / "src").with_suffix("").parts)


def _naming(file: Path) -> dict[str, int]:
    """Return by test file how much of what is public in a file it names."""
    module, tree = _module(file), ast.parse(file.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.ClassDef)
    names = [node.name for node in ast.walk(tree) if isinstance(node, kinds)]
    public = "|".join(re.escape(name) for name in names if not name.startswith("_")) or "(?!)"
    word = re.compile(rf"\b(?:{public})\b")
    asked = re.compile(rf"\b(?:ks|ketasim)\.(?:{public})\(")
    counts: dict[str, int] = {}
    for test in sorted((ROOT / "tests").rglob("test_*.py")):
        text = test.read_text(encoding="utf-8")
        if module in text or module in _imported(text) or asked.search(text):
            counts[test.relative_to(ROOT).as_posix()] = 1 + len(set(word.findall(text)))
    return counts


def _imported(text: str) -> set[str]:
    """Return the modules a text imports, and what it imports from them as if each were one."""
    found = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    names = {f"{node.module}.{one.name}" for node in found for one in node.names}
    return names | {f"{node.module}" for node in found}


def mark(root: Path, many: list[Mutant], marks: Path) -> None:
    """Change a copy so that coming to a mutant's line leaves a file of its number in a folder."""
    (root / "src" / "ketasim" / "_seen.py").write_text(SEEN.format(marks=marks), encoding="utf-8")
    texts: dict[str, str] = {}
    places: dict[str, list[tuple[int, int, int]]] = {}
    for number, one in enumerate(many):
        file, line = one.file, one.line
        texts.setdefault(file, (root / file).read_text(encoding="utf-8"))
        if COPIED in texts[file].partition("\n\n\n")[0]:
            file = WRITES[0]
            texts.setdefault(file, (root / file).read_text(encoding="utf-8"))
            line = texts[file][: texts[file].index(WRITES[1])].count("\n") + 1
        places.setdefault(file, []).append((*before(texts[file], line), number))
    for file, found in places.items():
        lines = texts[file].splitlines()
        for at, indent, number in sorted(found, reverse=True):
            tell = f'__import__("ketasim._seen", fromlist=["seen"]).seen({number})'
            lines.insert(at, " " * indent + tell)
        (root / file).write_text("\n".join([*lines, ""]), encoding="utf-8")


def before(text: str, line: int) -> tuple[int, int]:
    """Return after how many lines, how far in, a statement can stand that runs before a line."""
    lines = text.splitlines()
    holding = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or line)
    ]
    for node in sorted(holding, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        at, indent = node.lineno - 1, node.col_offset
        try:
            ast.parse("\n".join([*lines[:at], " " * indent + "pass", *lines[at:]]))
        except SyntaxError:  # an elif, or a statement behind another on its line
            continue
        return at, indent
    raise ValueError(f"line {line} is in no statement")
