"""Change one line of the source at a time, and see whether a test notices.

    python scripts/mutants.py                # 60 mutants before the default suite: many hours
    python scripts/mutants.py --near -n 12   # the tests that name its file, and of its own room
    python scripts/mutants.py --skip 20      # from the 21st on
    python scripts/mutants.py --list         # show them, and run nothing

A mutant is drawn by room, file and place with a seed; the source is copied, changed there, and the
copy is tested, up to the first test that fails. Tests that name the mutant's file or what is in it
come first, then those of its own room, then all others. What survives is named in
docs/reliability.md: it is an untested line, or a change that changes nothing.
"""

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reliability.md"
MARK = "<!-- written by scripts/mutants.py -->"
NEAR = {
    "core": "unit/test_schedule.py unit/test_system.py unit/test_protocol.py unit/test_model.py",
    "compile": "unit/test_compile_trace.py unit/test_compile_elementary.py "
               "unit/test_compile_cache.py unit/test_cache_attacked.py agreement/test_method.py",
    "engines": "agreement/test_ivp.py agreement/test_trajectories.py agreement/test_door.py "
               "agreement/test_failures.py agreement/test_gradients.py",
    "readouts": "unit/test_readouts_language.py unit/test_summaries.py agreement/test_readouts.py",
    "results": "unit/test_store.py unit/test_store_attacked.py cli/test_all_or_none.py",
    "studies": "unit/test_sweep.py unit/test_designs.py unit/test_fit.py unit/test_judge_parts.py "
               "unit/test_posterior.py unit/test_indices.py unit/test_budget.py",
    "mechanisms": "golden laws unit/test_model.py",
}  # fmt: skip
SWAPS = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.In: "not in", ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is", ast.Add: "-",
    ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "/", ast.And: "or", ast.Or: "and",
}  # fmt: skip
TOKENS = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not", ast.Add: "+",
    ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.And: "and", ast.Or: "or",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One line of one file, before and after."""

    room: str
    file: str
    line: int
    before: str
    after: str


def drawn(count: int, seed: int, rooms: list[str]) -> list[Mutant]:
    """Return mutants, as many from each room; the same for the same source and seed."""
    chance, found = random.Random(seed), []
    for i in range(count):
        room = rooms[i % len(rooms)]
        files = sorted((ROOT / "src" / "ketasim" / room).rglob("*.py"))
        while True:
            file = chance.choice(files)
            many = list(mutants_of(file, room))
            one = chance.choice(many) if many else None
            if one is not None and one not in found:
                found.append(one)
                break
    return found


def mutants_of(file: Path, room: str) -> Iterator[Mutant]:
    """Yield every change of one operator, number or truth within a function of a file."""
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines()
    for function in ast.walk(ast.parse(text)):
        if not isinstance(function, ast.FunctionDef):
            continue
        inside = [node for stage in function.body for node in ast.walk(stage)]
        for node in inside:
            for line, start, stop, new in changes(node, lines):
                old = lines[line - 1]
                after = old[:start] + new + old[stop:]
                if _parses(lines, line, after):
                    name = file.relative_to(ROOT).as_posix()
                    yield Mutant(room, name, line, old.strip(), after.strip())


def changes(node: ast.AST, lines: list[str]) -> Iterator[tuple[int, int, int, str]]:
    """Yield (line, first column, last column, text) of what can stand instead of a node."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield from _between(node.left, node.comparators[0], type(node.ops[0]), lines)
    elif isinstance(node, ast.BinOp):
        yield from _between(node.left, node.right, type(node.op), lines)
    elif isinstance(node, ast.BoolOp):
        yield from _between(node.values[0], node.values[1], type(node.op), lines)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.lineno, node.col_offset, node.col_offset + 4, ""
    elif isinstance(node, ast.Constant) and type(node.value) in (bool, int, float):
        new = not node.value if type(node.value) is bool else node.value + 1
        if node.lineno == node.end_lineno:
            yield node.lineno, node.col_offset, node.end_col_offset, repr(new)


def _between(
    left: ast.expr, right: ast.expr, kind: type, lines: list[str]
) -> Iterator[tuple[int, int, int, str]]:
    if kind not in SWAPS or left.end_lineno != right.lineno:
        return
    line, first, last = right.lineno, left.end_col_offset, right.col_offset
    at = lines[line - 1][first:last].find(TOKENS[kind])
    if at >= 0 and lines[line - 1].isascii():
        yield line, first + at, first + at + len(TOKENS[kind]), SWAPS[kind]


def _parses(lines: list[str], line: int, after: str) -> bool:
    try:
        ast.parse("\n".join([*lines[: line - 1], after, *lines[line:]]))
    except SyntaxError:
        return False
    return True


class Trials:
    """Copies of the source, one as it is and one that is changed, and tests that fail in both."""

    def __init__(self, place: Path, *, near: bool, minutes: float) -> None:
        self.place, self.near, self.minutes = place, near, minutes
        self.unsound: set[str] = set()  # tests that fail without a mutant, and so kill none
        self.sound: set[str] = set()
        self._copied("plain")

    def fate(self, one: Mutant) -> str:
        """Return ``killed``, ``survived`` or ``undecided``, when time ran out, for one mutant."""
        root = self._copied("mutant")
        path = root / one.file
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        old = lines[one.line - 1]
        indent = old[: len(old) - len(old.lstrip())]
        lines[one.line - 1] = f"{indent}{one.after}\n"
        path.write_text("".join(lines), encoding="utf-8")
        own = [*naming(one), *(f"tests/{name}" for name in NEAR[one.room].split())]
        stages = [list(dict.fromkeys(own)), *([] if self.near else [["tests"]])]
        for tests in stages:
            word = self._tested(root, tests)
            if word != "survived":
                return word
        return "survived"

    def _copied(self, name: str) -> Path:
        root = self.place / name
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(".git", "out", "*.zarr"))
        return root

    def _tested(self, root: Path, tests: list[str]) -> str:
        while True:
            failed = self._first_failure(root, tests)
            if failed is None or failed == "undecided":
                return failed or "survived"
            if failed not in self.sound:
                alone = self._first_failure(self.place / "plain", [failed])
                if alone is not None:
                    self.unsound.add(failed)
                    continue
                self.sound.add(failed)
            return f"killed by {failed}"

    def _first_failure(self, root: Path, tests: list[str]) -> str | None:
        """Return the first test that fails, None where all pass."""
        env = {
            **os.environ,
            "PYTHONPATH": str(root / "src"),
            "KETASIM_CACHE_DIR": str(self.place / "kernels"),
        }
        words = [sys.executable, "-m", "pytest", "-x", "-q", "-rfE", "-p", "no:cacheprovider"]
        words += [f"--deselect={one}" for one in sorted(self.unsound)]
        try:
            done = subprocess.run(
                [*words, *tests], cwd=root, env=env, timeout=60.0 * self.minutes,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return "undecided"  # a mutant that hangs, or a machine that is busy
        if done.returncode in (0, 5):  # all pass, or none is left
            return None
        found = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", done.stdout, re.MULTILINE)
        return found[1] if found else tests[0]


def naming(one: Mutant, most: int = 6) -> list[str]:
    """Return the test files that name a mutant's file or what is in it most often."""
    file = ROOT / one.file
    tree = ast.parse(file.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.ClassDef)
    names = [node.name for node in ast.walk(tree) if isinstance(node, kinds)]
    module = ".".join(file.relative_to(ROOT / "src").with_suffix("").parts)
    public = "|".join(re.escape(name) for name in names if not name.startswith("_"))
    word = re.compile(rf"\b(?:{public})\b") if public else re.compile(r"(?!)")
    counts: dict[str, int] = {}
    for test in sorted((ROOT / "tests").rglob("test_*.py")):
        text = test.read_text(encoding="utf-8")
        away, _, last = module.rpartition(".")
        imports = module in text or re.search(rf"from {re.escape(away)} import .*\b{last}\b", text)
        if imports and "slow" not in text.partition("import")[0]:
            counts[test.relative_to(ROOT).as_posix()] = 1 + len(set(word.findall(text)))
    return sorted(counts, key=lambda name: -counts[name])[:most]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", type=int, default=60, help="how many")
    parser.add_argument("--rooms", nargs="*", choices=list(NEAR), default=list(NEAR))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--near", action="store_true", help="only tests that name it, and its room")
    parser.add_argument("--skip", type=int, default=0, help="mutants that were tried before")
    parser.add_argument("--minutes", type=float, default=60.0, help="that a suite may take")
    parser.add_argument("--list", action="store_true", help="show them, and run nothing")
    asked = parser.parse_args()
    mutants = drawn(asked.n, asked.seed, asked.rooms)[asked.skip :]
    if asked.list:
        for one in mutants:
            print(f"{one.file}:{one.line} {one.before} -> {one.after}")
        return
    with tempfile.TemporaryDirectory() as place:
        trials = Trials(Path(place), near=asked.near, minutes=asked.minutes)
        fates: list[tuple[Mutant, str]] = []
        for one in mutants:
            began = time.monotonic()
            fates.append((one, trials.fate(one)))
            took = time.monotonic() - began
            told = f"{fates[-1][1]}: {one.file}:{one.line} {one.before} -> {one.after}"
            print(f"{told} ({took:.0f} s)", flush=True)
            write(fates, asked, len(trials.unsound))


def write(fates: list[tuple[Mutant, str]], asked: argparse.Namespace, unsound: int) -> None:
    """Put the score and the survivors at the end of the page."""
    killed = sum(word.startswith("killed") for _, word in fates)
    open_ = sum(word == "undecided" for _, word in fates)
    suite = "tests that name their file, or of their room" if asked.near else "the default suite"
    first = f" from number {asked.skip + 1} on" if asked.skip else ""
    about = (
        f"{killed} of {len(fates)} mutants (seed {asked.seed}{first}, of {', '.join(asked.rooms)}) "
        f"were killed by {suite}, {open_} undecided within {asked.minutes:g} min each, "
        f"{datetime.now(UTC).date().isoformat()}. "
    )
    if unsound:
        about += f"Left out were {unsound} tests that failed without a mutant. "
    lines = [MARK, "", "## Mutants", "", f"{about}Survivors and undecided:", ""]
    lines += ["| place | was | became |", "|---|---|---|"]
    lines += [
        f"| {one.file.removeprefix('src/ketasim/')}:{one.line} | `{_cell(one.before)}` | "
        f"`{_cell(one.after)}` |"
        for one, word in fates
        if not word.startswith("killed")
    ]
    above = PAGE.read_text(encoding="utf-8").partition(MARK)[0].rstrip()
    PAGE.write_text("\n".join([above, "", *lines, ""]), encoding="utf-8")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")[:90]


if __name__ == "__main__":
    main()
